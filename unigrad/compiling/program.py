"""The program: what tracing a function leaves, a straight line of primitives over variables."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unigrad.base.dtypes import DType
from unigrad.base.errors import UnigradError
from unigrad.base.words import Raw
from unigrad.table import PRIMITIVES

SMALL = 64
"""Constants of at most so many bytes are one if their values are."""


class Variable:
    """One array of a program: its name, and what is known of it."""

    __slots__ = ("dtype", "example", "name", "shape")

    def __init__(self, name: str, shape: tuple[int, ...], dtype: DType, example: Any = None) -> None:
        self.name = name
        self.shape = shape
        self.dtype = dtype
        self.example = example
        """What else a plan wants to know of the raw array that it was when the program was traced."""

    def __repr__(self) -> str:
        return self.name

    @property
    def described(self) -> str:
        """Dtype and shape, as ``float32[3, 4]``."""
        return f"{_words(self.dtype)}[{', '.join(map(str, self.shape))}]"


_words = functools.cache(str)
"""A dtype takes its time to say its name."""


@dataclass(eq=False, slots=True)
class Step:
    """One primitive of a program: ``out = name(*args)``."""

    name: str
    args: tuple[Any, ...]
    """Its arrays and parameters in their order. Variables stand for arrays, also inside tuples and lists."""
    out: Variable
    operator: Callable[..., Any] | None = None
    """Python's operator, if that is what was called: of NumPy's scalars it may round otherwise than the function."""

    def __repr__(self) -> str:
        return f"{self.out} = {self.name}({', '.join(map(_shown, self.args))})"

    @property
    def inputs(self) -> list[Variable]:
        """The variables among the arguments, each as often as it stands there."""
        found: list[Variable] = []
        _add_variables(self.args, found)
        return found

    def reading(self, others: Mapping[Variable, Variable]) -> Step:
        """The same step of other variables in place of some."""
        return Step(self.name, _with(self.args, others), self.out, self.operator)


@dataclass(eq=False)
class Program:
    """A straight line of primitives from inputs to outputs. ``print`` shows it, :meth:`check` proves it whole."""

    inputs: list[Variable] = field(default_factory=list)
    """What comes in at each call: arguments, arrays from outside, random numbers."""
    constants: dict[Variable, Raw] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    outputs: list[Variable] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{x}: {x.described}  # input" for x in self.inputs]
        lines += [f"{x}: {x.described}  # constant" for x in self.constants]
        lines += [f"{step}  # {step.out.described}" for step in self.steps]
        return "\n".join([*lines, f"return {', '.join(map(repr, self.outputs))}"])

    def check(self) -> None:
        """UnigradError unless each step is a primitive of the table and reads what stands above it, and no variable is
        set twice."""
        known = {*self.inputs, *self.constants}
        for step in self.steps:
            if step.name not in PRIMITIVES:
                raise UnigradError(f"program: {step} is no primitive of the table")
            lost = [x for x in step.inputs if x not in known]
            if lost:
                raise UnigradError(f"program: {step} reads {lost[0]} before it is set")
            if step.out in known:
                raise UnigradError(f"program: {step} sets {step.out} a second time")
            known.add(step.out)
        lost = [x for x in self.outputs if x not in known]
        if lost:
            raise UnigradError(f"program: its output {lost[0]} is never set")

    def simplified(self) -> Program:
        """The same program, with what is computed twice computed once, and without what no output needs."""
        replaced: dict[Variable, Variable] = {}
        constants: dict[Variable, Raw] = {}
        seen: dict[Any, Variable] = {}
        for x, raw in self.constants.items():
            replaced[x] = seen.setdefault(_constant_key(x, raw), x)
            if replaced[x] is x:
                constants[x] = raw
        steps = []
        for step in self.steps:
            args = _with(step.args, replaced)
            # Of arrays that have axes an operator and the function are one.
            by = step.operator if step.out.shape == () else None
            same = _times_one(step.name, args, step.out, constants)
            first = same or seen.setdefault((step.name, by, _key(args)), step.out)
            replaced[step.out] = first
            if first is step.out:
                steps.append(Step(step.name, args, step.out, step.operator))
        outputs = [replaced.get(x, x) for x in self.outputs]
        needed = set(outputs)
        kept = []
        for step in reversed(steps):
            if step.out in needed:
                needed.update(step.inputs)
                kept.append(step)
        return Program(self.inputs, {x: raw for x, raw in constants.items() if x in needed}, kept[::-1], outputs)

    def run(self, function: Callable[[str], Callable[..., Any]], inputs: Sequence[Any], raw: Callable[[Any], Raw],
            constant: Callable[[Raw], Any]) -> list[Any]:  # fmt: skip
        """The outputs for these inputs, each step by ``function(name)``, of whatever these work on. Of that ``raw``
        gives the array where it stands inside a parameter, and ``constant`` makes it of a constant's."""
        values: dict[Variable, Any] = dict(zip(self.inputs, inputs, strict=True))
        values |= {x: constant(held) for x, held in self.constants.items()}
        for step in self.steps:
            arrays = len(PRIMITIVES[step.name].arrays)
            within: list[Variable] = []
            _add_variables(step.args[arrays:], within)
            inner = {x: raw(values[x]) for x in within}
            args = [_with(arg, values) for arg in step.args[:arrays]] + [
                _with(arg, inner) for arg in step.args[arrays:]
            ]
            values[step.out] = function(step.name)(*args)
        return [values[x] for x in self.outputs]

    def last_uses(self) -> dict[Variable, int]:
        """The number of the last step that reads each variable; those that are never read are not there."""
        return {x: number for number, step in enumerate(self.steps) for x in step.inputs}


def _add_variables(arg: Sequence[Any], found: list[Variable]) -> None:
    """Those that stand in an argument, in order. A program of thousands of steps asks for them many times."""
    for part in arg:
        kind = type(part)
        if kind is Variable:
            found.append(part)
        elif kind is tuple or kind is list:
            _add_variables(part, found)


def _with(arg: Any, values: Mapping[Variable, Any]) -> Any:
    """An argument with what stands for its variables in their places."""
    kind = type(arg)
    if kind is Variable:
        return values.get(arg, arg)
    if kind is tuple or kind is list:
        return kind([_with(part, values) for part in arg])
    return arg


def _key(arg: Any) -> Any:
    """What two arguments have in common exactly if they are the same."""
    kind = type(arg)
    if kind is Variable:
        return arg
    if kind is tuple or kind is list:
        return tuple([_key(part) for part in arg])
    if isinstance(arg, np.ndarray):
        return (arg.shape, str(arg.dtype), arg.tobytes())
    if isinstance(arg, (bool, int, float, complex, str, slice, type(None), np.dtype)):
        return (type(arg), repr(arg))  # 0.0, -0.0 and 0 are equal
    return id(arg)


def _times_one(name: str, args: Sequence[Any], out: Variable, constants: Mapping[Variable, Raw]) -> Variable | None:
    """The factor that a product is, to the last bit and in memory as well, since the other is a constant of ones."""
    if name != "multiply" or out.example is None or out.dtype.kind != "f":
        return None
    for one, other in (args, args[::-1]):
        ones = constants.get(one) if isinstance(one, Variable) else None
        if (
            isinstance(ones, np.ndarray)
            and isinstance(other, Variable)
            and (other.shape, other.dtype) == (out.shape, out.dtype)
            and getattr(other.example, "strides", None) == out.example.strides
            and bool((ones == 1).all())
        ):
            return other
    return None


def _constant_key(x: Variable, raw: Raw) -> Any:
    if isinstance(raw, (np.ndarray, np.generic)) and raw.nbytes <= SMALL:
        return (type(raw), x.shape, str(x.dtype), raw.tobytes())
    return id(raw)


def _shown(arg: Any) -> str:
    if isinstance(arg, (tuple, list)):
        inside = ", ".join(map(_shown, arg))
        return f"({inside}{',' if len(arg) == 1 else ''})" if isinstance(arg, tuple) else f"[{inside}]"
    if isinstance(arg, np.ndarray):
        return f"array{list(arg.shape)}"
    if isinstance(arg, np.dtype):
        return str(arg)
    return repr(arg)
