"""Whether every backend, and every way to a gradient, gives what 60 digits give.

How far a result may be off follows from the program: the reference runs it twice more, with what each step that
rounds reads and gives moved by a few units of the last place, up or down by chance and the other way round. What that
changes, times ``FACTOR``, is the bound, and ``UNITS`` units of the last place of the largest element or of 1. What is
moved two ways may cancel by chance, and what a division of a number by itself hands back cancels always: what seems to
fail is held against the bound of more ``DRAWS``, in which cotangents are moved as well, before it does. A
kink that rounded numbers meet makes the bound wide, since the answer is then open; one that is met exactly does not.
Whether rounded numbers are equal is open where they nearly are, which no movement would show: the moved programs take
those for equal. Likewise one more has whole numbers for those that nearly are: negative numbers have their powers.

The reference has unigrad's rules, as the native engine has: that these are right is shown elsewhere, by differences. It
is the frameworks' own engines that a wrong rule parts from here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.adapters.registry import get_backend_object
from unigrad.base.dtypes import limits
from unigrad_conformance import oracle
from unigrad_conformance.fuzzing.program import NAME, Program, Step
from unigrad_conformance.inputs import weights

MOVED = 4.0
"""By how many units the reference moves what a step reads and gives, at the most; half of it at the least."""
DRAWS = 8
FACTOR = 8.0
UNITS = 32.0
LOSE_DIGITS = {"torch": ("nn.gelu", "tanh", "erf"), "tensorflow": ("nn.gelu", "tanh")}
"""Functions that are right to the last place of 1 alone, or whose derivative a framework's own engine has so, as
``README.md`` and ``accuracy.toml`` say; of other backends ``LOSE_DIGITS_EVERYWHERE``."""
LOSE_DIGITS_EVERYWHERE = ("nn.gelu",)
EQUAL = re.compile(r"(\w+) == (\w+)")
Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Answer:
    """A result of the reference: its value as a sum of two float64, and how far others may be from it."""

    high: Array
    low: Array
    bound: Array
    dtype: str

    def problem(self, found: Any) -> str | None:
        """What is wrong with another's result, or None."""
        if found is None:
            return "there is none"
        got = found.numpy()
        if got.shape != self.high.shape or str(got.dtype) != self.dtype:
            return f"{got.dtype} of shape {got.shape} instead of {self.dtype} of shape {self.high.shape}"
        wide = got.astype(np.float64)
        with np.errstate(all="ignore"):
            apart = np.abs((wide - self.high) - self.low)
        same = (wide == self.high) | (np.isnan(wide) & np.isnan(self.high))
        wrong = ~(same | (apart <= self.bound) | np.isinf(self.bound))
        if not wrong.any():
            return None
        where = tuple(map(int, np.argwhere(wrong)[0]))
        return f"{wide[where]!r} instead of {self.high[where]!r} at {where}, allowed {self.bound[where]:.2g}"


@dataclass(frozen=True)
class Failure:
    """One disagreement."""

    backend: str
    route: str
    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.backend}, {self.route}: {self.what}: {self.problem}"


def disagreements(program: Program, backends: Sequence[str]) -> list[Failure] | None:
    """What fails on these backends; None where the reference cannot run the program."""
    expected = reference(program)
    if expected is None:
        return None
    found = []
    for backend in dict.fromkeys(failure.backend for failure in failures(program, backends, expected)):
        wider = reference(program, DRAWS, LOSE_DIGITS.get(backend, LOSE_DIGITS_EVERYWHERE))
        found += failures(program, [backend], wider or expected)
    return found


def reference(program: Program, draws: int = 1, losing: Sequence[str] = ()) -> dict[str, Answer] | None:
    """The values and gradients that 60 digits give, with their bounds; None where the reference refuses a step.

    ``losing`` are operations that may be off by some units of the last place of 1.
    """
    oracle.register()
    with ug.use_backend(oracle.NAME):
        try:
            exact = _by_reverse(program)
            moved = [
                _by_reverse(other, factors)
                for seed in range(draws)
                for other, factors in _moved(program, seed, draws > 1, losing)
            ]
        except ug.UnigradError:
            return None
        parts = get_backend_object(oracle.NAME).parts
        # What was float32 on the way is so still as float64.
        eps = _coarsest(program) if draws > 1 else 0.0
        return {name: _answer(x, [other[name] for other in moved], parts, eps) for name, x in exact.items()}


def _coarsest(program: Program) -> float:
    dtypes = {str(array.dtype) for array in program.inputs.values()}
    dtypes.update("float32" for step in program.steps if "float32" in step.source)
    return max(float(np.finfo(dtype).eps) for dtype in dtypes)


def _answer(exact: Any, moved: Sequence[Any], parts: Callable[[Any], tuple[Array, Array]], eps: float) -> Answer:
    high, low = (np.asarray(part, dtype=np.float64) for part in parts(exact.raw))
    others = [np.asarray(parts(other.raw)[0], dtype=np.float64) for other in moved]
    if any(other.shape != high.shape for other in others):  # a step chose by a number that rounding moves
        return Answer(high, low, np.full(high.shape, np.inf), str(exact.dtype))
    with np.errstate(all="ignore"):
        apart = np.max([np.abs(other - high) for other in others], axis=0)
        size = np.abs(high[np.isfinite(high)]).max(initial=1.0)  # terms of this size may cancel
        bound = FACTOR * apart + UNITS * max(float(limits(exact.dtype).eps), eps) * size
    # Where rounding decides whether there is an answer at all it is open.
    finite = np.isfinite(high)
    agree = np.all([np.isfinite(other) == finite for other in others], axis=0)
    return Answer(high, low, np.where(agree, np.where(finite, bound, 0.0), np.inf), str(exact.dtype))


def _by_reverse(program: Program, known: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """Values and gradients on the current backend by ``backward``."""
    tensors = [ug.asarray(array) for array in program.inputs.values()]
    for tensor in tensors:
        tensor.attach_grad()
    with ug.record():
        outputs = program.function(ug, known)(*tensors)
    ug.backward(outputs, _cotangents(outputs))
    found = {f"value {name}": output for name, output in zip(program.results, outputs, strict=True)}
    found |= {f"gradient {name}": x.grad for name, x in zip(program.inputs, tensors, strict=True)}
    for x, array in zip(tensors, program.inputs.values(), strict=True):
        if not np.array_equal(x.numpy(), array):
            raise AssertionError("an input was changed")
    return found


def _moved(
    program: Program, seed: int, cotangents: bool, losing: Sequence[str]
) -> list[tuple[Program, dict[str, Any]]]:
    """The program with each operand and result of a step that rounds times a factor near 1; and with the opposites.

    Every use has a factor of its own: so terms that cancel show how large they were. The factors come with each.
    With ``cotangents`` what comes back is multiplied by another factor than the value is.
    """
    chance = random.Random(seed)
    scope = dict(zip(program.inputs, map(ug.asarray, program.inputs.values()), strict=True))
    factors: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    steps = []

    def signs(value: Any) -> Array:
        by = MOVED * float(limits(value.dtype).eps)
        # Of equal size, every second pair would cancel.
        found = [chance.choice((-by, by)) * chance.uniform(0.5, 1) for _ in range(value.size)]
        return np.asarray(found).reshape(value.shape)

    def named(value: Any, one: Array, other: Array) -> str:
        name = f"by_{len(factors[0])}"
        for which, moved in zip(factors, (one, other), strict=True):
            exact = get_backend_object(oracle.NAME).from_numpy(moved)
            which[name] = type(value).of(oracle.Exact(exact.values, value.dtype), None)
        return name

    def times(source: str, value: Any) -> str:
        by = signs(value)
        if not cotangents:
            return f"({source} * {named(value, 1.0 + by, 1.0 - by)})"
        back, size = signs(value), value.numpy().astype(np.float64)
        rest = np.where(np.isfinite(size), size, 0.0) * (by - back)  # so that the value moves by ``by``
        return f"({source} * {named(value, 1.0 + back, 1.0 - back)} + {named(value, rest, -rest)})"

    for step in program.steps:
        value = scope[step.name] = eval(step.source, {"ug": ug, **scope})
        source = EQUAL.sub(r"nearly_equal(\1, \2)", step.source)
        for name in losing:
            source = source.replace(f"ug.{name}(", f"{_named_losing(name)}(")
        if not step.exact:
            source = times(f"({NAME.sub(lambda found: times(found[0], scope[found[0]]), source)})", value)
        steps.append(Step(step.name, source, step.exact))
    for which, units in zip(factors, (MOVED, -MOVED), strict=True):
        which["nearly_equal"] = _nearly_equal
        which.update((_named_losing(name), _losing(attrgetter(name)(ug), units)) for name in losing)
    found = [(Program(program.inputs, tuple(steps)), which) for which in factors]
    if cotangents:
        steps = [step if step.exact else Step(step.name, f"snapped({step.source})", False) for step in program.steps]
        found.append((Program(program.inputs, tuple(steps)), {"snapped": _snapped}))
    return found


def _named_losing(name: str) -> str:
    return f"losing_{name.replace('.', '_')}"


def _losing(function: Callable[[Any], Any], units: float) -> Callable[[Any], Any]:
    """A function with so many units of the last place of 1 added to its value and derivative."""
    return lambda x: function(x) + (1.0 + x - x.detach()) * (units * float(limits(x.dtype).eps))


def _snapped(x: Any) -> Any:
    """x with numbers that rounding may make whole, or 64ths, made so."""
    change = ug.round(x * 64) / 64 - x
    small = ug.abs(change) <= UNITS * float(limits(x.dtype).eps) * (1.0 + ug.abs(x))
    return x + ug.where(small, change, 0.0).detach()


def _nearly_equal(x: Any, y: Any) -> Any:
    """Whether x and y may be equal once they are rounded."""
    eps = max(float(limits(each.dtype).eps) for each in (x, y))
    return ug.abs(x - y) <= FACTOR * UNITS * eps * (1.0 + ug.abs(x))


def _cotangents(outputs: Sequence[Any]) -> list[Any]:
    return [ug.asarray(weights(output.shape, output.dtype)) for output in outputs]


def _by_graph(program: Program) -> dict[str, Any]:
    """Gradients that are themselves recorded."""
    tensors = [ug.asarray(array) for array in program.inputs.values()]
    for tensor in tensors:
        tensor.attach_grad()
    with ug.record():
        outputs = program.function(ug)(*tensors)
    found = ug.gradients(outputs, tensors, _cotangents(outputs), create_graph=True)
    return {f"gradient {name}": x for name, x in zip(program.inputs, found, strict=True)}


def _by_rows(program: Program) -> list[dict[str, Any]]:
    """Values and gradients by ``vjp`` of a batch of two equal rows."""
    function = program.function(ug)

    def both(*values: Any) -> list[Any]:
        outputs, pull = ug.vjp(lambda *xs: function(*xs), *values)
        return [*outputs, *pull(_cotangents(outputs))]

    stacked = [ug.asarray(np.stack([array, array])) for array in program.inputs.values()]
    found = ug.vmap(both)(*stacked)
    names = [f"value {name}" for name in program.results] + [f"gradient {name}" for name in program.inputs]
    return [dict(zip(names, [x[row] for x in found], strict=True)) for row in (0, 1)]


def _forward_problem(program: Program, expected: dict[str, Answer]) -> str | None:
    """Whether tangents along a fixed direction give what the gradients along it do."""
    tensors = [ug.asarray(array) for array in program.inputs.values()]
    directions = _cotangents(tensors)
    outputs, tangents = ug.jvp(program.function(ug), tensors, directions)
    pairs = list(zip(_cotangents(outputs), tangents, strict=True))
    terms = [np.ravel(a.numpy().astype(np.float64) * b.numpy().astype(np.float64)) for a, b in pairs]
    found, size = sum(map(np.sum, terms)), sum(np.abs(part).sum() for part in terms)
    along, bound = 0.0, 0.0
    for name, direction in zip(program.inputs, directions, strict=True):
        answer, by = expected[f"gradient {name}"], direction.numpy().astype(np.float64)
        along += float((answer.high * by).sum())
        size += float(np.abs(answer.high * by).sum())
        bound += float((answer.bound * np.abs(by)).sum())
    if not (np.isfinite(along) and np.isfinite(bound) and np.isfinite(size)):
        return None
    eps = max(float(limits(x.dtype).eps) for x in (*outputs, *tensors))
    bound += FACTOR * UNITS * eps * size
    return None if abs(found - along) <= bound else f"{found!r} instead of {along!r} along them, allowed {bound:.2g}"


def failures(program: Program, backends: Sequence[str], expected: dict[str, Answer]) -> list[Failure]:
    """Every disagreement of a backend or a way to a gradient with the reference."""
    found: list[Failure] = []
    for backend in backends:
        with ug.use_backend(backend), np.errstate(all="ignore"):
            found += _compared(backend, "reverse", lambda: [_by_reverse(program)], expected)
            found += _compared(backend, "create_graph", lambda: [_by_graph(program)], expected)
            if "float(" not in "".join(step.source for step in program.steps):  # a batch has no one value
                found += _compared(backend, "vmap", lambda: _by_rows(program), expected)
            found += _compared(backend, "jvp", lambda: _forward_problem(program, expected), expected)
    return found


def _compared(backend: str, route: str, run: Callable[[], Any], expected: dict[str, Answer]) -> list[Failure]:
    try:
        results = run()
    except ug.UnsupportedError:
        return []  # it says so; whether it may is the conformance suite's business
    except Exception as error:
        return [Failure(backend, route, type(error).__name__, str(error))]
    if results is None or isinstance(results, str):
        return [] if results is None else [Failure(backend, route, "tangents", results)]
    return [
        Failure(backend, route, name, problem)
        for row in results
        for name, x in row.items()
        if (problem := expected[name].problem(x)) is not None
    ]
