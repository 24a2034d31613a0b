"""``ug.compare``: one function on all backends, and beside it what the frameworks answer by themselves."""

from __future__ import annotations

import inspect
import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad import random
from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import get_backend_object, use_backend
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError, BackendError
from unigrad.base.recording import Switch
from unigrad.base.tree import flatten, paths
from unigrad.base.words import Values
from unigrad.engine.within import Pass
from unigrad.looking.comparison import Comparison, Row
from unigrad.looking.conventions import Convention, convention
from unigrad.looking.explaining import explained
from unigrad.looking.memory import set_aside, with_memory
from unigrad.looking.probing import unusable
from unigrad.looking.running import chosen_backends, found_backends, name_of, names_of, on_variables
from unigrad.operations.creation import asarray
from unigrad.tensor.levels import is_wrapped
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import Arguments, Outputs, called, check_function, is_numeric
from unigrad.transforms.foreign import wrap_native
from unigrad.transforms.pulling import pull_back
from unigrad.transforms.reverse import recorded

LONG, MOST = 0.1, 50
"""Calls are timed until so many seconds have passed, or so many times."""


class Asked(NamedTuple):
    """What every backend is asked."""

    held: tuple[Any, ...]
    """The arguments, every array in them NumPy's."""
    names: Sequence[str]
    """What each of their leaves is called."""
    state: dict[str, Any]
    """Of the random numbers."""
    outputs: Sequence[str]
    """Where in the result of ``f`` each leaf is; of a lone array [""]."""


class Compare:
    """``ug.compare(f, *args)``: the same function on all installed backends, as a table in a terminal or a notebook.

    ``f`` takes arrays, Python floats or containers of them, and whatever else, on no matter which backend: each backend
    gets copies. Compared are the values that ``f`` returns and, for each floating argument, the gradient of their sum,
    as ``y.backward()`` has it. ``f`` is called several times on each backend, with the same random numbers each time.

    ``backends``: a name or several, in place of all that are installed. ``native={"torch": g}`` sets a framework's own
    code beside it. ``g`` gets the framework's own arrays and returns either what ``f`` returns, in the framework's own
    arrays, which the framework's engine then differentiates, or the pair ``(value, gradient)`` of a program that does
    all by itself (with several floating arguments a tuple of gradients, in their order).

    What is returned is a value: ``for row in found``, ``found["torch"]``, ``found["torch native"]``; each row has
    ``value``, ``gradients``, ``ulp``, ``forward`` and ``backward`` (in seconds, the least of many), ``memory`` and
    ``error``. ``found.agree`` tells whether all that answered agree up to rounding, and ``found.differences`` says of
    each difference what explains it: rounding, a documented convention, or nothing.

    Where ``f`` fails on a backend its row has the error and the others answer; so has the row of a framework that
    cannot be imported. Importing one that ``backends`` does not name is tried in a process of its own first, in case
    that ends it. Raises ArgumentError for arguments that do not fit, and what ``f`` raised if it fails everywhere.
    """

    def __call__(
        self,
        f: Callable[..., Any],
        *args: Any,
        backends: str | Sequence[str] | None = None,
        native: Mapping[str, Callable[..., Any]] | None = None,
    ) -> Comparison:
        check_function(f, "compare")
        own = _checked_native(native)
        if backends is None:
            chosen = found_backends()
            ended = unusable(chosen)
        else:
            chosen, ended = chosen_backends(backends), {}
        if any(is_wrapped(leaf) for leaf in flatten(args)[0]):
            raise ArgumentError("the arguments are at work in a jvp or vmap; call ug.compare outside of it")
        asked = Asked(_held(args), names_of(f, args), random.get_state(), [""])
        try:
            with Switch(False, None), set_aside():
                answers = [_row(name, f, None, asked, ended.get(name)) for name in chosen]
                told = next((row.values for row, error in answers if error is None), None)
                asked = asked if told is None else asked._replace(outputs=list(told))
                answers += [_row(name, f, g, asked, ended.get(name)) for name, g in own.items()]
                errors = [error for _, error in answers if error is not None]
                if len(errors) == len(answers):
                    raise errors[0]
                found = Comparison(name_of(f), [row for row, _ in answers], _source(f))
                found.differences = explained(f, asked.held, found)
        finally:
            random.set_state(asked.state)
        return found

    def convention(self, name: str) -> Convention:
        """What unigrad and each framework by itself answer at a hard point: ``ug.compare.convention("relu_zero")``.

        ``name`` is that of a row of the table of conventions, which ``unigrad conventions`` prints. ArgumentError for
        one that is not there, with those that are near; BackendError where the package with the table is not installed.
        """
        return convention(name)

    def __repr__(self) -> str:
        return "ug.compare(f, *args, backends=None, native=None)"


compare = Compare()


# --- arguments -----------------------------------------------------------------------------------------------------


def _checked_native(native: Any) -> dict[str, Callable[..., Any]]:
    if native is None:
        return {}
    if not isinstance(native, Mapping) or not all(map(callable, native.values())):
        raise ArgumentError(f"native={native!r} must say which backend's own code is which: native={{'torch': g}}")
    if native:
        chosen_backends(list(native))
    return dict(native)


def _held(args: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments with every array as NumPy's, from which each backend gets copies."""
    leaves, layout = flatten(tuple(args))
    found: tuple[Any, ...] = layout(
        iter([_as_numpy(leaf) if isinstance(leaf, Tensor) or is_numeric(leaf) else leaf for leaf in leaves])
    )
    return found


def _as_numpy(leaf: Any) -> Values:
    found: Values = asarray(leaf).detach().numpy()
    return found


def _source(f: Callable[..., Any]) -> str | None:
    try:
        return textwrap.dedent(inspect.getsource(f)).rstrip()
    except (OSError, TypeError):
        return None


# --- one row -------------------------------------------------------------------------------------------------------


def _row(
    name: str, f: Callable[..., Any], g: Callable[..., Any] | None, asked: Asked, ended: str | None
) -> tuple[Row, Exception | None]:
    """What one backend answers to ``f``, or its framework by itself to ``g``; and the error, if there is one."""
    row = Row(name, g is not None, source=None if g is None else _source(g))
    try:
        if ended is not None:
            raise BackendError(f"backend {name!r} cannot be used: {ended}")
        backend = get_backend_object(name)
        row.version = backend.version()
        with use_backend(name), np.errstate(all="ignore"):
            if g is None:
                _measure(row, lambda: _call(row, f, asked))
            elif _is_by_hand(row, backend, g, asked):
                _measure(row, lambda: _call_by_hand(row, backend, g, asked))
            else:
                _measure(row, lambda: _call(row, wrap_native(g), asked))
    except Exception as error:
        row.error = f"{type(error).__name__}: {error}"
        return row, error
    return row, None


def _measure(row: Row, call: Callable[[], tuple[float, float | None]]) -> None:
    """Call it until the times are known: the first time does what is done once, the second tells the memory."""
    call()
    times, row.memory = with_memory(call)
    found, spent = [times], sum(filter(None, times))
    while spent < LONG and len(found) < MOST:
        found.append(call())
        spent += sum(filter(None, found[-1]))
    row.forward = min(forward for forward, _ in found)
    row.backward = None if times[1] is None else min(backward for _, backward in found if backward is not None)


def _call(row: Row, f: Callable[..., Any], asked: Asked) -> tuple[float, float]:
    """Have ``f`` recorded and pulled back once; the seconds that each took."""
    random.set_state(asked.state)
    arguments = on_variables(asked.held)
    start = time.perf_counter()
    result = recorded(f, arguments)
    outputs = Outputs(f, result, arguments.home)
    _wait(outputs.tensors)
    forward = time.perf_counter() - start
    values = [_as_numpy(y) for y in outputs.tensors]
    row.values, row.value = dict(zip(paths(result), values, strict=True)), outputs.rebuilt(values)
    heads = [y for y in outputs.tensors if has_gradients(y.dtype)]
    seeds = [y.ones_like() for y in heads]
    variables = {name: x for name, x in zip(asked.names, arguments.variables, strict=True) if _is_variable(x)}
    start = time.perf_counter()
    found = pull_back(Pass(heads, seeds, False, False), list(variables.values()))
    _wait([g for g in found if g is not None])
    backward = time.perf_counter() - start
    gradients = [_as_numpy(x.zeros_like() if g is None else g) for x, g in zip(variables.values(), found, strict=True)]
    row.gradients = dict(zip(variables, gradients, strict=True))
    return forward, backward


def _wait(arrays: Sequence[Tensor]) -> None:
    """Until they are computed: some frameworks do it later, or when somebody asks."""
    for x in arrays:
        x.backend.to_numpy(x._raw)


def _is_variable(x: Any) -> bool:
    return isinstance(x, Tensor) and has_gradients(x.dtype)


def _own(backend: Backend, g: Callable[..., Any], arguments: Arguments) -> Any:
    """What ``g`` returns for the framework's own arrays."""
    leaves, layout = flatten(arguments.values)
    places = [place for place, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]
    found: list[Any] = []

    def function(raws: Sequence[Any]) -> list[Any]:
        given = list(leaves)
        for place, raw in zip(places, raws, strict=True):
            given[place] = raw
        found.append(g(*layout(iter(given))))
        return []

    backend.foreign.call(function, [leaves[place].raw for place in places])
    return found[0]


def _is_by_hand(row: Row, backend: Backend, g: Callable[..., Any], asked: Asked) -> bool:
    """Whether ``g`` returns its gradient as well as its value, which is noted."""
    random.set_state(asked.state)
    result = _own(backend, g, on_variables(asked.held))
    by_hand = paths(result) != asked.outputs and isinstance(result, tuple) and len(result) == 2
    if by_hand and paths(result[0]) == asked.outputs:
        return True
    leaves, layout = flatten(result)
    values = [_as_numpy(leaf) for leaf in leaves]
    row.values, row.value = dict(zip(paths(result), values, strict=True)), layout(iter(values))
    return False


def _call_by_hand(row: Row, backend: Backend, g: Callable[..., Any], asked: Asked) -> tuple[float, None]:
    """Have a program that differentiates by itself run once; the seconds that it took."""
    random.set_state(asked.state)
    arguments = on_variables(asked.held)
    start = time.perf_counter()
    value, gradient = _own(backend, g, arguments)
    _wait([asarray(leaf) for leaf in flatten((value, gradient))[0]])
    seconds = time.perf_counter() - start
    leaves, layout = flatten(value)
    values, gradients = [_as_numpy(leaf) for leaf in leaves], [_as_numpy(leaf) for leaf in flatten(gradient)[0]]
    names = [name for name, x in zip(asked.names, arguments.variables, strict=True) if _is_variable(x)]
    if len(gradients) != len(names):
        raise ArgumentError(
            f"{called(g)} returned {len(gradients)} gradients beside its value, and there are {len(names)} floating "
            f"arguments: {', '.join(names)}; return one for each, in this order"
        )
    row.values, row.value = dict(zip(paths(value), values, strict=True)), layout(iter(values))
    row.gradients = dict(zip(names, gradients, strict=True))
    return seconds, None
