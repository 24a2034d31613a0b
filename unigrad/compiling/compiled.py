"""``ug.compile``: signatures and the cache, and a plan as users call it."""

from __future__ import annotations

import contextlib
import copy
import functools
import inspect
import itertools
import math
import sys
import threading
import types
import warnings
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterator, Sequence, Set
from typing import Any, NamedTuple

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import backend_names, current_backend, following, get_backend_object, known_backend
from unigrad.base import dtypes
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError, UnigradWarning, UnsupportedError
from unigrad.base.leaving import line_of
from unigrad.base.recording import Switch, is_training, recording_mode
from unigrad.base.tracing import at_work, trace
from unigrad.base.tree import Layout, branches, flatten, unflatten
from unigrad.base.words import Raw
from unigrad.compiling.native import Plan
from unigrad.compiling.program import Program
from unigrad.compiling.replay import written
from unigrad.compiling.tracing import Trace, Traced, TracedBackend, traced_over
from unigrad.engine.moving import carried
from unigrad.native.backend import NativeBackend
from unigrad.operations.creation import asarray
from unigrad.random import replayed
from unigrad.tensor.coercion import mismatch, traced
from unigrad.tensor.joints import Maybe, PullBack
from unigrad.tensor.levels import beneath
from unigrad.tensor.tensor import Tensor, type_on, writes
from unigrad.transforms.calling import called, check_function, floating_dtype, followed_by_framework, is_numeric
from unigrad.transforms.custom import Step, apply
from unigrad.transforms.reverse import vjp
from unigrad.transforms.steps import placed

KEPT = 128
"""How many plans a compiled function keeps; those that were not called for longest go first."""
MANY = 8
"""So many signatures are taken without a warning."""


class CacheInfo(NamedTuple):
    """What :meth:`Compiled.cache_info` returns."""

    hits: int
    misses: int
    maxsize: int
    currsize: int


def compile(
    f: Callable[..., Any] | None = None,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
    engine: str | None = None,
) -> Any:
    """``f`` as a program that runs without its Python: ``step = ug.compile(ug.value_and_grad(loss))``.

    The first call of each signature *traces* ``f``: it runs once, on arrays that write down every operation, those of
    transforms inside it included. Later calls run what was written down. The signature is the structure of the
    arguments, the shape, dtype and device of each array, every argument that is no array, and the training mode. Also a
    decorator, with or without arguments.

    Arguments and results are arrays and containers of them, and come back in the kind that was given, as from
    :func:`unigrad.grad`. ``f`` sees Tensors; a Python float or complex number is an array to it, of no axes and of the
    dtype of the floating arrays beside it. Integers, booleans, strings and all else that is no array belong to the
    signature by value, as do arguments at ``static_argnums`` and those named by ``static_argnames``; they must be
    hashable. A Tensor that ``f`` closes over is read anew at each call if ``f`` uses it beside an argument or in a
    function of unigrad's, and its gradient (``w.grad``) likewise; another one that takes its name is not seen, and
    NumPy arrays and numbers are constants. Random numbers are drawn at each call, from the same stream as uncompiled.
    Results share memory with nothing. Writing to an argument inside ``f`` changes what ``f`` holds alone, and the
    gradient that is attached to one outside is not seen.

    On NumPy and CuPy the plan is Python source over buffers that are made once, with the same results to the last bit;
    JAX and TensorFlow compile it; PyTorch and MXNet run it as it is. ``engine`` chooses otherwise: the name of another
    backend (``"jax"``), which computes what NumPy's arrays are converted to, and the results are converted back; or
    ``"inductor"``, PyTorch's own compiler. :meth:`Compiled.source` shows what runs.

    Inside ``record()`` a call is one step of the graph, differentiable to any order; inside ``vmap`` and ``jvp``, and
    in a framework's own gradient, ``f`` itself is called.

    A compiled function is pickled and copied as a function is, without its plans.

    Raises UnsupportedError where ``f`` asks for the values of an array that depends on its arguments (``if``,
    ``float(x)``) or for the gradient of an argument, writes to an array from outside, calls a framework's own function,
    or returns arrays in a set or an iterator; ArgumentError for a static argument that is not hashable, an unknown
    engine and endless recursion. An error leaves no plan behind. After 8 signatures a warning says what changes.
    """
    if f is None:
        return functools.partial(compile, static_argnums=static_argnums, static_argnames=static_argnames, engine=engine)
    check_function(f, "compile")
    numbers = tuple(static_argnums) if isinstance(static_argnums, (list, tuple)) else (static_argnums,)
    names = tuple(static_argnames) if isinstance(static_argnames, (list, tuple)) else (static_argnames,)
    if any(not isinstance(number, int) or isinstance(number, bool) for number in numbers):
        raise ArgumentError(f"static_argnums={static_argnums!r} must be positions of arguments")
    if any(not isinstance(name, str) for name in names):
        raise ArgumentError(f"static_argnames={static_argnames!r} must be names of arguments")
    if engine is not None and engine not in (*backend_names(), "inductor"):
        raise ArgumentError(
            f"engine={engine!r} is unknown; use the name of a backend ({', '.join(backend_names())}) or 'inductor'"
        )
    return Compiled(f, *_both_ways(f, numbers, names), engine)


class Compiled:
    """A compiled function; :func:`compile` makes it."""

    def __init__(
        self,
        f: Callable[..., Any],
        static_argnums: Sequence[int],
        static_argnames: Sequence[str],
        engine: str | None,
        inside: Callable[..., Any] | None = None,
    ) -> None:
        functools.update_wrapper(self, f)
        self._function = f
        self._function_inside = f if inside is None else inside
        """What is called in place of a plan inside of a trace or another transform."""
        self._static_argnums = static_argnums
        self._static_argnames = static_argnames
        self._engine = engine
        self._plans: OrderedDict[Any, Compilation] = OrderedDict()
        self._hits = self._misses = 0
        self._warned = False
        self._lock = threading.RLock()

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        """As a function is pickled and copied: by name where it has taken the function's; else without its plans."""
        found: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        for name in getattr(self, "__qualname__", "").split("."):
            found = getattr(found, name, None)
        if found is self:
            return self.__qualname__
        return Compiled, (self._function, self._static_argnums, self._static_argnames, self._engine)

    def __repr__(self) -> str:
        return f"<compiled {called(self._function)}, {len(self._plans)} plans>"

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns, computed by the plan of this signature."""
        given = Given(args, kwargs, self._static_argnums, self._static_argnames)
        if given.at_work:
            return self._inside(given, args, kwargs)
        key = (*given.key, is_training())
        compilation = self._plans.get(key)
        if compilation is None or not compilation.holds():
            compilation = self._compiled(key, args, kwargs, given)
        else:
            self._hits += 1
            with contextlib.suppress(KeyError):  # another thread has put it out
                self._plans.move_to_end(key)
        if compilation.is_followed():
            return self._inside(given, args, kwargs)
        return compilation(given, args, kwargs)

    def _inside(self, given: Given, args: Any, kwargs: Any) -> Any:
        """A call inside a trace, which becomes a part of it, or inside another transform."""
        at = trace()
        call = (self, *given.key)
        if at is None:
            return self._function_inside(*args, **kwargs)
        if call in at.calls:
            raise self._endless()
        at.calls.add(call)
        try:
            return self._function_inside(*args, **kwargs)
        finally:
            at.calls.remove(call)

    def _endless(self) -> ArgumentError:
        return ArgumentError(
            f"{called(self._function)} calls itself with arguments of the same shapes and dtypes, and nothing that "
            f"depends on their values can end that; loop by ug.scan, or count down an integer argument"
        )

    def compilation(self, *args: Any) -> Compilation:
        """The plan for these arguments."""
        given = Given(args, {}, (), ())
        return self._compiled((*given.key, is_training()), args, {}, given)

    def _compiled(self, key: Any, args: Any, kwargs: Any, given: Given) -> Compilation:
        with self._lock:
            found = self._plans.get(key)
            if found is not None and found.holds():
                return found
            made = Compilation(self, args, kwargs, given)
            self._misses += 1
            self._warn_if_many(key)
            self._plans[key] = made
            while len(self._plans) > KEPT:
                self._plans.popitem(last=False)
            return made

    def _warn_if_many(self, key: Any) -> None:
        if self._warned or len(self._plans) < MANY or key in self._plans:
            return
        self._warned = True
        last = next(reversed(self._plans))
        changes = [_changed(new, old) for new, old in zip(key, last, strict=False) if new != old]
        warnings.warn(
            f"{called(self._function)} is traced for the {len(self._plans) + 1}th time, once for each signature. What "
            f"changed last: {', '.join(changes[:3]) or 'the structure of the arguments'}. Give numbers that change as "
            f"arrays (ug.asarray(n)) or floats, and pad arrays to few shapes",
            UnigradWarning,
            stacklevel=4,
        )

    def cache_info(self) -> CacheInfo:
        """Calls that found a plan, calls that traced, how many plans are kept at most, and how many there are."""
        return CacheInfo(self._hits, self._misses, KEPT, len(self._plans))

    def clear_cache(self) -> None:
        """Forget all plans and counts."""
        with self._lock:
            self._plans.clear()
            self._hits = self._misses = 0
            self._warned = False

    def source(self) -> str:
        """What runs, of the signature called last: Python, each line with the operation that it came from."""
        return self._last().source

    @property
    def program(self) -> Program:
        """What was traced, of the signature called last."""
        return self._last().program

    def _last(self) -> Compilation:
        if not self._plans:
            raise ArgumentError(f"{called(self._function)} has no plan yet; call it once")
        return next(reversed(self._plans.values()))


def _changed(new: Any, old: Any) -> str:
    """In words, how one part of a signature differs from another."""
    if isinstance(new, bool):
        return f"train_mode {new} after {old}"
    (one, more), (other, rest) = _told(new), _told(old)
    return f"{one} after {other}" if one != other else f"{one} {more} after {rest}"


def _told(part: Any) -> tuple[str, str]:
    """What a part of a signature says to a person, and what it says besides."""
    if not isinstance(part, tuple) or not part or not isinstance(part[0], type):
        return str(part), ""
    kind, *rest = part
    if issubclass(kind, Tensor) or (issubclass(kind, (np.ndarray, np.generic)) and len(rest) > 1):
        shape, *more = rest[0] if issubclass(kind, Tensor) else rest
        try:  # the shape and the dtype, or both in one object
            return f"{more[0]}{list(shape)}", f"({', '.join(map(str, more[1:]))})"
        except TypeError:
            return str(shape), f"({', '.join(map(str, more))})"
    return f"{kind.__name__} {rest[0] if issubclass(kind, _SIGNED) else repr(rest[0])}", ""


def _both_ways(
    f: Callable[..., Any], numbers: Sequence[int], names: Sequence[str]
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Static arguments by their positions and by their names, each of which a caller may use. ArgumentError for one
    that the function does not have."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # written in C
        return tuple(numbers), tuple(names)
    by_position = [x.name for x in parameters if x.kind in (x.POSITIONAL_ONLY, x.POSITIONAL_OR_KEYWORD)]
    by_name = [x.name for x in parameters if x.kind in (x.KEYWORD_ONLY, x.POSITIONAL_OR_KEYWORD)]
    kinds = {x.kind for x in parameters}
    there = f"{called(f)} has the parameters {', '.join(x.name for x in parameters) or '()'}"
    for number in numbers:
        if not -len(by_position) <= number < len(by_position) and inspect.Parameter.VAR_POSITIONAL not in kinds:
            raise ArgumentError(f"static_argnums={number} is no position: {there}")
    for name in names:
        if name not in by_name and inspect.Parameter.VAR_KEYWORD not in kinds:
            raise ArgumentError(f"static_argnames={name!r} is no name: {there}")
    found = dict.fromkeys(numbers) | dict.fromkeys(by_position.index(name) for name in names if name in by_position)
    if inspect.Parameter.VAR_POSITIONAL not in kinds:
        found = dict.fromkeys(number % len(by_position) for number in found)
    named = [by_position[number] for number in found if 0 <= number < len(by_position)]
    return tuple(found), tuple(dict.fromkeys([*names, *[name for name in named if name in by_name]]))


class Compilation:
    """One signature: the program, and what runs."""

    def __init__(self, owner: Compiled, args: Any, kwargs: Any, given: Given) -> None:
        self._name = called(owner._function)
        self._home: Backend = given.home
        self._inner = _backend_of_engine(owner._engine, given.home)
        self._function = owner._function
        self._training = is_training()
        self._count = len(given.leaves)
        self._rebuilt = given.template(args, kwargs)
        beside = floating_dtype(given.leaves)
        self._numbers = {
            float: dtypes.default_float if beside is None else dtypes.real_of(beside),
            complex: dtypes.complex_of(dtypes.default_float if beside is None else beside),
        }
        self._trace = Trace(traced_over(self._inner, self._home), self._home)
        raws = [self._raw(leaf) for leaf in given.leaves]
        self._inner.abstractly(self._traced, raws)
        self.program = self._trace.program.simplified()
        self.program.check()
        # What only the trace holds was computed inside of arrays from outside alone, once.
        self._has_computed = _fewest_references(self._trace.captures) <= _HELD
        self._captures = dict(self._trace.captures)
        self._gradients = {v: owner for v, x in self._captures.items() for owner, g in self._trace.read if g is x}
        """Of those that are gradients of Tensors from outside, these."""
        self._read = self._trace.read if self._has_computed else []
        self._trace.read = []
        self._takes_arguments_alone = not self._captures and not self._trace.draws
        self._written = writes[0]
        self._first: list[Any] | None = self._trace.first
        self._plan: Any
        if isinstance(self._inner, NativeBackend):
            self._plan = Plan(self.program, self._inner, self._name)
            self._source = None
        else:
            run, self._source = written(self.program, self._inner, self._name)
            self._plan = self._inner.compiled(run, "inductor" if owner._engine == "inductor" else None)
        inductor = "inductor" if owner._engine == "inductor" else None
        self._pullback = Compiled(self._derived, (), (), inductor, inside=self._derived_program)

    @property
    def source(self) -> str:
        """What runs."""
        text: str = self._plan.source if self._source is None else self._source
        return text

    def _traced(self, raws: Sequence[Raw]) -> None:
        """Call the function once, and keep what its results are made of."""
        at, tensor_type = self._trace, type_on(self._trace.backend)
        xs = [at.input(raw, "a") for raw in raws]
        at.arguments = {x.variable for x in xs}
        supply = iter([tensor_type.of(x, None) for x in xs])
        positional, named = self._rebuilt(supply)
        with at_work(at), following(at.backend, xs[0] if xs else None), Switch(False, None):
            try:
                result = self._function(*positional, **named)
            except UnsupportedError as error:
                line = line_of(error)
                if line is not None and not str(error).startswith(line):
                    error.args = (f"{line}: {error}",)
                raise
            leaves, layout = flatten(result)
            self._leaves: list[Any] = []
            for leaf in leaves:
                x = traced(leaf) if isinstance(leaf, Tensor) else leaf
                if isinstance(x, Tensor) and x.backend is at.backend:
                    at.program.outputs.append(at.variable_of(beneath(x)._raw))
                    x = _OUTPUT
                self._leaves.append(_kept(x))
            # Of the containers themselves, which a layout may hold, none may keep the traced arrays alive.
            self._layout: Layout = flatten(unflatten(layout, [0] * len(leaves)))[1]

    def holds(self) -> bool:
        """Whether what the function took from outside is still as it was where that decides the program."""
        if self._has_computed and self._written != writes[0]:
            return False
        if any(owner.grad is not grad for owner, grad in self._read):
            return False
        for variable, owner in self._gradients.items():  # a backward holds another one each time
            if owner.grad is None:
                return False
            self._captures[variable] = owner.grad
        for variable, x in self._captures.items():
            if tuple(x._raw.shape) != variable.shape or x._dtype != variable.dtype:
                return False
        return True

    def is_followed(self) -> bool:
        """Whether a framework's own gradient is at work on an array that the function closes over."""
        return any(map(followed_by_framework, self._captures.values()))

    def __call__(self, given: Given, args: Any, kwargs: Any) -> Any:
        """The results for these arguments."""
        if recording_mode() and (self._has_computed or self._trace.asks_mode):
            # What was computed once has left the graph, or may have a gradient attached by now.
            return self._function(*args, **kwargs)
        if recording_mode() and any(
            isinstance(x, Tensor) and x._node is not None for x in (*given.leaves, *self._captures.values())
        ):
            found = self._as_step(given)
        else:
            outputs = self._ran(self._inputs([self._raw(leaf) for leaf in given.leaves]))
            found = [self._shown(raw, given.kind) for raw in outputs]
        return self._filled(found)

    def _filled(self, outputs: Sequence[Any]) -> Any:
        """The results with these for their arrays."""
        supply = iter(outputs)
        leaves = [next(supply) if leaf is _OUTPUT else _copied(leaf) for leaf in self._leaves]
        return unflatten(self._layout, leaves)

    def _raw(self, leaf: Any) -> Raw:
        """An argument as the plan takes it."""
        inner = self._inner
        if isinstance(leaf, Tensor):
            return self._trace.raw_of(leaf)
        if type(leaf) in self._numbers:
            return inner.from_numpy(np.asarray(leaf, dtype=self._numbers[type(leaf)]))
        if inner.name == "numpy" and type(leaf) is np.ndarray and leaf.flags.forc and leaf.dtype.kind != "V":
            return leaf  # which a plan only reads
        return inner.from_numpy(np.asarray(leaf))

    def _inputs(self, raws: list[Raw]) -> list[Raw]:
        """Arguments, what is read outside, and random numbers, in the order of the program."""
        if self._takes_arguments_alone:
            return raws
        found = dict(zip(self.program.inputs, raws, strict=False))
        first, self._first = self._first, None
        if first is not None:
            found |= zip([variable for variable, _ in self._trace.draws if variable is not None], first, strict=True)
        else:
            for variable, draw in self._trace.draws:
                if variable is None:
                    draw()
                else:
                    found[variable] = self._inner.from_numpy(draw())
        for variable, x in self._captures.items():
            found[variable] = self._trace.raw_of(x)
        return [found[variable] for variable in self.program.inputs]

    def _shown(self, raw: Raw, kind: Any) -> Any:
        """A result in the kind of the arguments: NumPy's arrays if these were given, Tensors if nothing was."""
        if kind is None and self._count:
            return np.asarray(raw) if self._inner.name == "numpy" else np.array(self._inner.to_numpy(raw))
        if self._inner is not self._home:
            raw = self._home.from_numpy(self._inner.to_numpy(raw))
        return type_on(self._home).of(raw, None) if kind is None or isinstance(kind, Tensor) else raw

    # --- one step of a recording --------------------------------------------------------------------------------

    def _as_step(self, given: Given) -> list[Tensor]:
        inner, tensor_type = self._inner, type_on(self._inner)
        leaves = [
            carried(x, inner) if isinstance(x, Tensor) else tensor_type.of(self._raw(x), None) for x in given.leaves
        ]
        inputs = [tensor_type.of(raw, None) for raw in self._inputs([x._raw for x in leaves])]
        inputs[: len(leaves)] = leaves
        for position, variable in enumerate(self.program.inputs):
            if variable in self._captures:
                inputs[position] = carried(self._captures[variable], inner)
        return [carried(y, self._home) for y in apply(Step(self._name, self._body, None, [True]), inputs)]

    def _body(self, inputs: Sequence[Tensor]) -> tuple[list[Tensor], PullBack]:
        tensor_type = type_on(self._inner)
        outputs = self._ran([x._raw if x._node is None else x.detach()._raw for x in inputs])
        held = [tensor_type.of(x._raw, x._node) for x in inputs]  # theirs may be written to before the pull

        def pull(gs: Sequence[Maybe]) -> Sequence[Maybe]:
            found = self._pullback(held, {position: g for position, g in enumerate(gs) if g is not None})
            return placed(self._moving(inputs), found, len(inputs))

        return [tensor_type.of(raw, None) for raw in outputs], pull

    def _derived(self, xs: list[Tensor], gs: dict[int, Tensor]) -> Any:
        """The cotangents of what may have some, of those of the outputs at some positions: of the function, called once
        more in the trace of this, since of its program alone nobody sees what it detached or gave a rule of its own."""
        at: Any = trace()
        at.source = self._home  # which the function closes over arrays of
        draws = [variable for variable, _ in self._trace.draws if variable is not None]
        moving = self._moving(xs)

        def outputs(*moved: Tensor) -> list[Tensor]:
            inputs = dict(zip(self.program.inputs, xs, strict=True))
            inputs |= zip([self.program.inputs[position] for position in moving], moved, strict=True)
            at.standing_in = {id(x): inputs[variable] for variable, x in self._captures.items()}
            at.standing_in |= {id(x._buffer): inputs[variable] for variable, x in self._gradients.items()}
            at.know_draws(self._trace.states, [inputs[variable]._raw for variable in draws[: len(self._trace.states)]])
            positional, named = self._rebuilt(iter(list(inputs.values())[: self._count]))
            with replayed(self._trace.states), Switch(None, self._training):
                leaves, _ = flatten(self._function(*positional, **named))
                found = [
                    x
                    for x in map(traced, [leaf for leaf in leaves if isinstance(leaf, Tensor)])
                    if x.backend is at.backend
                ]
            at.standing_in = {}
            return [found[position] for position in gs]

        _, pull = vjp(outputs, *[xs[position] for position in moving])
        return pull(list(gs.values()))

    def _moving(self, xs: Sequence[Tensor]) -> list[int]:
        """The inputs that gradients may flow to: all floating ones but random numbers."""
        drawn = {variable for variable, _ in self._trace.draws}
        pairs = enumerate(zip(self.program.inputs, xs, strict=True))
        return [position for position, (variable, x) in pairs if has_gradients(x.dtype) and variable not in drawn]

    def _derived_program(self, xs: list[Tensor], gs: dict[int, Tensor]) -> Any:
        """The same where another transform is at work, on cotangents perhaps: its program, step by step."""
        given = [*xs, *gs.values()]
        with at_work(None):
            zeros = [type_on(self._inner).of(self._inner.full(x.shape, 0, x.dtype), None) for x in given]
            made = self._pullback.compilation(zeros[: len(xs)], dict(zip(gs, zeros[len(xs) :], strict=True)))
        return made.run_on(given)

    def run_on(self, given: Sequence[Tensor]) -> Any:
        """The results for Tensors that a trace or another transform is at work on, by its operations."""
        tensor_type = given[0]._plain
        inputs = dict(zip(self.program.inputs, given, strict=False))
        inputs |= {variable: traced(x) for variable, x in self._captures.items()}
        inputs |= {
            variable: _holding(self._inner.from_numpy(draw()), tensor_type)
            for variable, draw in self._trace.draws
            if variable is not None
        }
        return self._filled(self._by_steps([inputs[variable] for variable in self.program.inputs], tensor_type))

    def _by_steps(self, inputs: Sequence[Tensor], tensor_type: type[Tensor]) -> list[Tensor]:
        bound = tensor_type._bound
        return self.program.run(
            lambda name: getattr(bound, name), inputs, lambda x: x._raw, lambda raw: _holding(raw, tensor_type)
        )

    def _ran(self, raws: Sequence[Raw]) -> Any:
        """What the plan gives. Where it fails, the operations one by one say why, as they do uncompiled."""
        try:
            return self._plan(raws)
        except IndexError:
            raise
        except Exception:
            tensor_type = type_on(self._inner)
            self._by_steps([tensor_type.of(raw, None) for raw in raws], tensor_type)
            raise


def _holding(raw: Raw, tensor_type: type[Tensor]) -> Tensor:
    """A Tensor of a raw array of the backend's, or of the backend's that is traced."""
    return tensor_type.of(Traced(raw) if isinstance(tensor_type.backend, TracedBackend) else raw, None)


_OUTPUT = object()
"""Stands for an array among the leaves of a result."""


def _kept(leaf: Any) -> Any:
    """A leaf of a result; UnsupportedError for one that cannot be had anew at each call."""
    if isinstance(leaf, (Iterator, Coroutine)) or (isinstance(leaf, Set) and any(isinstance(x, Tensor) for x in leaf)):
        raise UnsupportedError(
            f"a compiled function returned a {type(leaf).__name__}, which cannot be filled with arrays at each call; "
            f"return a tuple, a list or a dict: list(...)"
        )
    return leaf


def _copied(leaf: Any) -> Any:
    """A constant of a result, which the caller may write to."""
    try:
        return copy.copy(leaf)
    except TypeError:  # a module, a lock
        return leaf


def _fewest_references(pairs: Sequence[tuple[Any, Any]]) -> float:
    return min((sys.getrefcount(x) for _, x in pairs), default=math.inf)


_HELD = _fewest_references([(None, Exception())])
"""What that finds where nobody but the pairs holds one."""


def _backend_of_engine(engine: str | None, home: Backend) -> Backend:
    if engine is None or (engine == "inductor" and home.name == "torch"):
        return home
    return get_backend_object("torch" if engine == "inductor" else engine)


class Given:
    """The arguments of one call: their arrays, and the key of all else."""

    __slots__ = ("_names", "_static", "at_work", "home", "key", "kind", "leaves")

    def __init__(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], numbers: Sequence[int], names: Sequence[str]
    ) -> None:
        self.key: list[Any] = []
        self.leaves: list[Any] = []
        """The arrays, and the floating numbers."""
        self.at_work = trace() is not None
        """Whether the function itself has to be called: in a trace, a vmap, a jvp or a framework's own gradient."""
        self.kind: Any = None
        """What results are shown as: the first Tensor, else the first array of a framework's, else None for NumPy's."""
        self.home: Any = None
        """The backend of the arrays, else the current one."""
        # One that is not given by its position is given by its name, or has its default.
        self._static = {number + len(args) * (number < 0) for number in numbers}
        self._names = names
        for number, arg in enumerate(args):
            self._add(arg, number in self._static)
        for name in sorted(kwargs):
            self.key.append(name)
            self._add(kwargs[name], name in names)
        if self.home is None:
            self.home = current_backend()
            self.key.append(self.home)

    def _add(self, x: Any, static: bool) -> None:
        if static:
            self._by_value(x, static)
        elif isinstance(x, Tensor):
            self._tensor(x)
            if not isinstance(self.kind, Tensor):
                self.kind = x
        elif type(x) is float or type(x) is complex:
            self.key.append(type(x))
            self.leaves.append(x)
        elif isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in _NUMERIC:
            self.key.append((type(x), x.shape, x.dtype, getattr(x, "strides", None)))
            self.leaves.append(x)
        elif type(x) in _raw_types and known_backend(type(x)) is _raw_types[type(x)]:
            self._raw(x, _raw_types[type(x)])
        else:
            parts = branches(x)
            if parts is not None:
                self.key.append((type(x), *[name for name, _ in parts]))
                for _, part in parts:
                    self._add(part, False)
            elif _is_array(x):
                made = asarray(x)
                if type(x) is type(made._raw):
                    _raw_types[type(x)] = made.backend
                self._tensor(made)
                if self.kind is None:
                    self.kind = x
            else:
                self._by_value(x)

    def _tensor(self, x: Tensor) -> None:
        if self.at_work:
            x = traced(x)
        backend, raw = x.backend, x._raw
        if self.home is None:
            self.home = backend
        elif self.home is not backend:
            raise mismatch(self.home.name, backend.name)
        if x._is_wrapped or (x._node is None and backend.foreign.follows(raw)):
            self.at_work = True
            return
        self.key.append((type(x), backend.signature(raw, x._dtype)))
        self.leaves.append(x)

    def _raw(self, x: Raw, backend: Backend) -> None:
        self._tensor(type_on(backend).of(backend.admit(x), None))
        if self.kind is None:
            self.kind = x

    def _by_value(self, x: Any, static: bool = False) -> None:
        if isinstance(x, Tensor):
            raise ArgumentError(
                "a static argument is an array, whose values would be those of the program for ever; take it out of "
                "static_argnums and static_argnames, or give a number or a tuple"
            )
        try:
            hash(x)
        except TypeError:
            what = "a static argument" if static else "an argument that is no array"
            raise ArgumentError(
                f"{what}, of type {type(x).__name__}, is not hashable: plans are found by the values of such "
                f"arguments; pass a tuple, a string or a number, or an object of a hashable class"
            ) from None
        self.key.append(_exactly(x))

    def template(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[[Iterator[Any]], Any]:
        """What makes the arguments, positional and named, of other arrays. It keeps none of theirs."""
        static, names = self._static, self._names

        def rebuilt(args: Sequence[Any], kwargs: dict[str, Any], supply: Iterator[Any]) -> tuple[Any, Any]:
            def filled(x: Any) -> Any:
                leaves, layout = flatten(x)
                return unflatten(layout, [next(supply) if _is_array(leaf) else leaf for leaf in leaves])

            positional = [arg if number in static else filled(arg) for number, arg in enumerate(args)]
            return positional, {n: kwargs[n] if n in names else filled(kwargs[n]) for n in sorted(kwargs)}

        positional, named = rebuilt(args, kwargs, itertools.repeat(0.0))
        return lambda supply: rebuilt(positional, named, supply)


_SIGNED = (float, complex, np.inexact)
"""Numbers that may be equal and of different signs."""


def _exactly(x: Any) -> tuple[Any, ...]:
    """A value as a part of a key, equal to no other that a function could tell from it, as 1, True and 1.0 are, 0.0
    and -0.0, and tuples of these."""
    kind = type(x)
    if isinstance(x, _SIGNED):
        return kind, repr(x)
    if isinstance(x, (tuple, frozenset)):
        return kind, x, (frozenset if isinstance(x, frozenset) else tuple)(map(_exactly, x))
    return kind, x


_raw_types: dict[type, Backend] = {}
"""The types of frameworks' arrays that were seen, no variables among them, each with its backend."""
_NUMERIC = "biu" + dtypes.FLOATING


def _is_array(x: Any) -> bool:
    """Whether a leaf is an array to a compiled function."""
    if x is None or isinstance(x, (bool, int, str, bytes)):
        return False
    return isinstance(x, Tensor) or type(x) in (float, complex) or is_numeric(x)
