"""From the steps of a program to calls of NumPy's or CuPy's functions, most of which can be told where to write.

Each result is a variable of its own; what is computed twice on the way is computed once, and parts of arrays are read
and written where they lie. Only what rounds nothing may read or write at another stride than uncompiled: NumPy
vectorises the others by strides, with other digits.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from unigrad.base.words import Shape
from unigrad.compiling.accumulating import Part, accumulated
from unigrad.compiling.program import Program, Step, Variable
from unigrad.compiling.writing import Writing
from unigrad.native.backend import Layout, NativeBackend

BY_ELEMENT = {
    name: name
    for name in (
        *("add", "subtract", "multiply", "divide", "floor_divide", "remainder", "negative", "abs", "square", "sign"),
        *("exp", "log", "log2", "log10", "logaddexp", "sqrt", "hypot", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("floor", "ceil", "trunc", "fmod", "copysign", "nextafter", "signbit", "reciprocal"),
        *("bitwise_and", "bitwise_or", "bitwise_xor", "maximum", "minimum", "equal", "not_equal", "less", "less_equal"),
        *("greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not"),
        *("isnan", "isinf", "isfinite"),
    )
} | {
    "asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh", "acosh": "arccosh",
    "atanh": "arctanh", "bitwise_left_shift": "left_shift", "bitwise_right_shift": "right_shift",
    "bitwise_invert": "invert",
}  # fmt: skip
"""Primitives to the module's functions by element, which are all that these are."""
EXACT = (
    *("add", "subtract", "multiply", "divide", "negative", "abs", "square", "sqrt", "copysign", "maximum", "minimum"),
    *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isnan", "isinf", "isfinite", "signbit"),
)
"""Those whose result of a real number is the one that is nearest, whatever loop computes it."""
_EXACTLY = {BY_ELEMENT[name] for name in EXACT}
REDUCTIONS = {
    "sum": "add",
    "prod": "multiply",
    "max": "maximum",
    "min": "minimum",
    "any": "logical_or",
    "all": "logical_and",
}
"""Primitives to the functions by element that they reduce with."""
VIEWS = ("reshape", "permute_dims", "broadcast_to", "flip")
"""Primitives whose result is a part of what they are given, if it can be."""
SMALL = 1 << 16
"""Arrays of fewer bytes are kept, rather than computed a second time."""
SHORT = 16
"""Rows of so few elements take longer to begin than to compute."""
LINE = 64
"""Bytes in a line of a processor's cache."""
MANY = 1 << 10
"""Smaller arrays are computed as they lie."""


@dataclass(eq=False, slots=True)
class Instruction:
    """One call: a function of the array module or of the table."""

    step: Step
    """Where it came from."""
    form: str
    """``element``, ``into`` (it can write where it is told, but not over its operands), ``view`` or ``call``."""
    function: str
    """The name of the function, as the text has it."""
    args: tuple[Any, ...]
    out: Variable
    options: tuple[Any, ...] | None = None
    """Of a reduction: what stands before and behind the place of the result."""
    place: tuple[Any, ...] | None = None
    """The part of the result that it writes, if that is not all."""

    @property
    def inputs(self) -> list[Variable]:
        """The variables that it reads."""
        return Step(self.function, self.args, self.out).inputs

    @property
    def shares(self) -> bool:
        """Whether what it gives may lie in the memory of what it reads."""
        return self.form == "view" or (
            self.form == "call" and self.out.example is not None and bool(self.out.example.view)
        )


class Lowering:
    """From steps to instructions, ``found``."""

    def __init__(self, program: Program, backend: NativeBackend, writing: Writing) -> None:
        self._backend = backend
        self._xp = backend.module
        self._writing = writing
        self.found: list[Instruction] = []
        self._outputs = set(program.outputs)
        for step in reversed(program.steps):
            if step.out in self._outputs and step.name in VIEWS:
                self._outputs.update(step.inputs)
        self._readers: dict[Variable, list[Step]] = {}
        for step in program.steps:
            for x in step.inputs:
                self._readers.setdefault(x, []).append(step)
        self._laid: dict[Variable, tuple[int, ...]] = {}
        """The strides of parts that lie otherwise than they did when they were copied."""
        self._instead: dict[Variable, Variable] = {}
        """What readers take in place of an array that it is broadcast to."""
        self._negated: dict[Variable, Variable] = {}
        """What an array is the negative of."""
        self._known: dict[Any, Variable] = {}
        """What was computed on the way, by function and arguments."""
        self._numbers: dict[Any, Variable] = {}

    def step(self, step: Step) -> None:
        """Append the instructions of a step."""
        lower = _LOWERED.get(step.name)
        if lower is not None and lower(self, step):
            return
        out, args = step.out, step.args
        if self.is_plain(out):
            if step.name in BY_ELEMENT and self.writes(BY_ELEMENT[step.name]):
                if step.name == "negative":
                    self._negated[out] = args[0]
                args = tuple([self._operand(step, arg) for arg in args])
                return self.add(step, "element", self.module(BY_ELEMENT[step.name]), args, out)
            if step.name == "power" and _is_number(args[1], 2) and out.dtype.kind == "f":
                # As the operator has it.
                return self.add(step, "element", self.module("square"), args[:1], out)
            if step.name == "matmul" and self.writes("matmul"):
                return self.add(step, "into", self.module("matmul"), args, out)
        form = "view" if step.name in VIEWS and out.example is not None and out.example.view else "call"
        if step.operator is not None:
            name = f"operator_{step.name}"
            self._writing.scope[name] = step.operator
            return self.add(step, form, name, args, out)
        self._writing.scope[step.name] = self._backend.function(step.name)
        return self.add(step, form, step.name, args, out)

    def needed(self) -> list[Instruction]:
        """All instructions but those whose results nobody reads."""
        read = set(self._outputs)
        kept = []
        for each in reversed(self.found):
            if each.out in read:
                read.update(each.inputs)
                kept.append(each)
        return kept[::-1]

    # --- how instructions are added -------------------------------------------------------------------------------

    def add(self, step: Step, form: str, function: str, args: tuple[Any, ...], out: Variable, **more: Any) -> None:
        """One instruction."""
        self.found.append(Instruction(step, form, function, args, out, **more))

    def by_element(self, step: Step, name: str, *args: Any, out: Variable | None = None) -> Variable:
        """A function of the module's by element. Its result, like the step's and on the way to it if ``out`` is not
        given, is the one from before if there is one and it is small."""
        args = tuple([self._operand(step, arg) for arg in args])
        if out is not None:
            self.add(step, "element", self.module(name), args, out)
            return out
        made = self._known.get((name, args))
        if made is None:
            made = Variable(f"t{len(self.found)}", step.out.shape, step.out.dtype, step.out.example)
            self.add(step, "element", self.module(name), args, made)
            if prod(made.shape) * made.dtype.itemsize < SMALL:
                self._known[name, args] = made
        return made

    def view(self, step: Step, x: Variable, key: tuple[Any, ...], out: Variable) -> None:
        """A part of x."""
        self._laid[out] = self._part(x, key).strides
        self.add(step, "view", "part", (x, key), out)

    def parts(self, step: Step, parts: Sequence[tuple[Variable, tuple[Any, ...]]]) -> None:
        """Arrays, each in its place of the result; zeros where there is none."""
        if sum(prod(x.shape) for x, _ in parts) < prod(step.out.shape):
            self.add(step, "into", self._writing.named("zeroed", _zeroed), (), step.out)
        for x, key in parts:
            self.add(step, "into", self.module("positive"), (x,), step.out, place=key)

    def accumulation(self, step: Step, parts: Sequence[Part]) -> None:
        """A sum of scattered parts."""
        out = step.out
        name = self._writing.given(accumulated(self._xp, parts, out.shape, out.dtype), "accumulated")
        self.add(step, "into", name, tuple([part.x for part in parts]), out)

    def module(self, name: str) -> str:
        """The name under which the text has a function of the module."""
        return self._writing.named(name, getattr(self._xp, name))

    def _operand(self, step: Step, arg: Any) -> Any:
        """An argument of a function by element: a number as an array of the dtype that it takes there."""
        if isinstance(arg, Variable):
            return self._instead.get(arg, arg)
        if type(arg) not in (int, float):
            return arg
        dtype = next((x.dtype for x in step.inputs if x.dtype.kind == "f"), None)
        if dtype is None:
            return arg
        key = (repr(arg), dtype)
        if key not in self._numbers:
            number = self._xp.asarray(arg, dtype)
            held = math.isfinite(number) == math.isfinite(arg) if type(arg) is float else number == arg
            if not held:  # which is for the function to do, with its warnings
                return arg
            digits = repr(arg).replace(".", "_").replace("-", "minus_").replace("+", "")
            self._numbers[key] = Variable(self._writing.named(f"{dtype}_{digits}", number), (), dtype)
        return self._numbers[key]

    # --- what is asked about arrays -------------------------------------------------------------------------------

    def strides(self, x: Variable) -> tuple[int, ...]:
        """How an array lies in memory."""
        found: tuple[int, ...] = self._laid.get(x, x.example.strides)
        return found

    def writes(self, name: str) -> bool:
        """Whether the module's function can be told where to write, and reduces."""
        return type(getattr(self._xp, name)).__name__ == "ufunc"

    def is_plain(self, x: Variable) -> bool:
        """Whether it is an array that others can write to: no scalar of NumPy's, and of a dtype of NumPy's own."""
        return x.example is not None and not x.example.view and x.dtype.kind != "V" and prod(x.shape) > 0

    def alike(self, step: Step) -> bool:
        """Whether all arrays of a step are of one shape, dtype and layout."""
        out = step.out
        return self.is_plain(out) and all(
            x.shape == out.shape and x.dtype == out.dtype and x.example is not None
            and self.strides(x) == out.example.strides
            for x in step.inputs
        )  # fmt: skip

    def is_output(self, x: Variable) -> bool:
        """Whether it is returned, or a part of it is."""
        return x in self._outputs

    def lies_as(self, x: Variable, key: tuple[Any, ...], out: Variable) -> bool:
        """Whether a part of x may stand for its copy: it lies as that does, or all that read it are exact."""
        part = self._part(x, key)
        same = all(
            size == 1 or one == other
            for size, one, other in zip(part.shape, part.strides, out.example.strides, strict=True)
        )
        return same or self.read_exactly(out)

    def read_exactly(self, x: Variable) -> bool:
        """Whether nothing but exact functions of real numbers reads it, none of whose results is returned."""
        return x.dtype.kind in "fiu" and all(
            step.name in EXACT and self.is_plain(step.out) and not self.is_output(step.out)
            for step in self._readers.get(x, ())
        )

    def readers(self, x: Variable) -> list[Step]:
        """The steps that read it."""
        return self._readers.get(x, [])

    def negated(self, x: Variable) -> Variable | None:
        """What it is the negative of, if that is known."""
        return self._negated.get(x)

    def zeros(self, step: Step) -> Any:
        """An array of zeros like the step's result."""
        out = step.out
        zeros = self._xp.zeros(prod(out.shape), out.dtype)
        return self._xp.lib.stride_tricks.as_strided(zeros, out.shape, out.example.strides)

    def can_lie(self, x: Variable, source: Instruction, to: Instruction) -> bool:
        """Whether ``source`` can write x where ``to`` would bring it: it would lie there as it does now, or it is
        computed and read exactly."""
        assert to.place is not None
        strides = self._part(to.out, to.place).strides
        if strides != self.strides(x):
            if source.form != "element" or source.function not in _EXACTLY or not self.read_exactly(x):
                return False
            self._laid[x] = strides
        return True

    def reads_instead(self, x: Variable) -> bool:
        """Whether readers take another array in place of this one."""
        return x in self._instead

    def instead(self, out: Variable, x: Variable) -> None:
        """Have x read in place of what it was broadcast to."""
        self._instead[out] = x

    def reduction(self, step: Step, name: str) -> None:
        """A reduction of an array over axes, with ``keepdims``, by this function by element."""
        x, axes, keepdims = step.args
        function = self._writing.named(f"{name}_reduce", getattr(self._xp, name).reduce)
        # Sums are added up in the dtype of the array.
        dtype = x.dtype if name in ("add", "multiply") else None
        form = "into" if self.is_plain(step.out) else "call"
        self.add(step, form, function, (x,), step.out, options=(axes, dtype, keepdims))

    def turned(self, each: Instruction) -> tuple[int, ...] | None:
        """Another order of the axes for a function by element, whose rows would be short as they are; None if it stays.

        NumPy runs along the rows that lie one behind the other in all arrays.
        """
        out = each.out
        ndim = len(out.shape)
        if (
            self._xp is not np
            or ndim < 2
            or prod(out.shape) < MANY
            or any(len(x.shape) not in (0, ndim) for x in each.inputs)
        ):
            return None
        arrays = [self.strides_in(x, out.shape) for x in (out, *each.inputs)]
        axis = ndim - 1
        row = out.shape[axis]
        while axis and all(strides[axis - 1] == strides[axis] * out.shape[axis] for strides in arrays):
            axis -= 1
            row *= out.shape[axis]
        # What lies further apart than a line of the processor's cache would be fetched once for each element.
        near = [other for other in range(axis) if arrays[0][other] <= LINE]
        longest = max(near, key=out.shape.__getitem__, default=axis)
        if row >= SHORT or longest == axis or out.shape[longest] < SHORT * row:
            return None
        return (*[other for other in range(ndim) if other != longest], longest)

    def strides_in(self, x: Variable, shape: Shape) -> tuple[int, ...]:
        """The strides of an array of no axes, or of as many, broadcast to a shape."""
        if not x.shape:
            return (0,) * len(shape)
        return tuple(
            [0 if one < size else step for one, size, step in zip(x.shape, shape, self.strides(x), strict=True)]
        )

    def running(self, step: Step, name: str) -> bool:
        """A sum over an axis behind which others are short, by running along it: added up in the same order, of which
        the last is wanted."""
        (x, axes, _), out = step.args, step.out
        if (
            self._xp is not np
            or len(axes) != 1
            or not self.is_plain(out)
            or self.is_output(out)
            or x.dtype.char not in "fd"
        ):
            return False
        (axis,) = axes
        behind = prod(x.shape[axis + 1 :])
        if not 1 < behind < SHORT or x.shape[axis] < SHORT * behind or behind * x.dtype.itemsize > LINE:
            return False
        if self.strides(x) != _contiguous(x):
            return False
        function = self._writing.named(f"{name}_accumulate", getattr(self._xp, name).accumulate)
        all_ = Variable(f"t{len(self.found)}", x.shape, x.dtype, x.example)
        self.add(step, "into", function, (x, axis, None), all_)
        last = Variable(f"t{len(self.found)}", out.shape, out.dtype, out.example)
        key = (*(slice(None),) * axis, slice(-1, None) if len(out.shape) == len(x.shape) else -1, ...)
        self.view(step, all_, key, last)
        self.add(step, "element", self.module("positive"), (last,), out)
        return True

    def product(self, step: Step, operands: Sequence[Variable], letters: Sequence[str], to: str) -> None:
        """A product of two arrays whose axes have letters, to axes with all of them."""
        found = []
        for x, own in zip(operands, letters, strict=True):
            axes = tuple([own.index(letter) for letter in to if letter in own])
            key = tuple([slice(None) if letter in own else None for letter in to])
            one = self._xp.empty(1, x.dtype)
            part = self._xp.lib.stride_tricks.as_strided(one, x.shape, self.strides(x)).transpose(axes)[key]
            laid = Variable(f"t{len(self.found)}", part.shape, x.dtype, Layout(part.strides, True))
            self.add(step, "view", "laid", (x, axes, key), laid)
            found.append(laid)
        self.add(step, "element", self.module("multiply"), tuple(found), step.out)

    def contraction(self, step: Step) -> None:
        """Sums of products, in the order that the module would look for at each call."""
        operands, subscripts = step.args
        examples = [self._part(x, (...,)) for x in operands]
        path, _ = self._xp.einsum_path(subscripts, *examples, optimize=True)
        function = functools.partial(self._xp.einsum, subscripts, optimize=path)
        self.add(step, "call", self._writing.given(function, "einsum"), tuple(operands), step.out)

    def _part(self, x: Variable, key: tuple[Any, ...]) -> Any:
        """The part of an array that lies as x does, and holds nothing."""
        one = self._xp.empty(1, x.dtype)
        return self._xp.lib.stride_tricks.as_strided(one, x.shape, self.strides(x))[key]


def _is_number(arg: Any, number: float) -> bool:
    return type(arg) in (int, float) and arg == number


def _zeroed(out: Any) -> Any:
    out.fill(0)
    return out


# --- primitives that are several functions of the module's, as ``native.functions`` writes them ----------------------


def _over_cosh_squared(to: Lowering, step: Step) -> bool:
    x1, x2 = step.args
    if not (to.alike(step) and isinstance(x1, Variable) and isinstance(x2, Variable)):
        return False
    if step.out.dtype.char == "f":
        cosh = to.by_element(step, "cosh", to.by_element(step, "add", x2, x2))
        half = to.by_element(step, "divide", x1, to.by_element(step, "add", cosh, 1))
        to.by_element(step, "add", half, half, out=step.out)
    else:
        cosh = to.by_element(step, "cosh", x2)
        to.by_element(step, "divide", x1, to.by_element(step, "multiply", cosh, cosh), out=step.out)
    return True


def _relu(to: Lowering, step: Step) -> bool:
    if not to.alike(step):
        return False
    to.by_element(step, "maximum", step.args[0], to.zeros(step), out=step.out)
    return True


def _sigmoid(to: Lowering, step: Step) -> bool:
    """As the native function, but for a comparison whose result would have to be converted: 1 or 0 is 0.5 and the sign,
    of 0 perhaps otherwise, where the maximum does not care. Of a number and of its negative, as derivatives have it,
    all but that is the same."""
    (x,) = step.args
    if step.out.dtype.kind == "c" or not to.alike(step):
        return False
    plus = to.negated(x)
    at = x if plus is None else plus
    small = to.by_element(step, "exp", to.by_element(step, "negative", to.by_element(step, "abs", at)))
    half = to.by_element(step, "copysign", 0.5, at)
    above = to.by_element(step, "add", half, 0.5) if plus is None else to.by_element(step, "subtract", 0.5, half)
    top = to.by_element(step, "maximum", small, above)
    to.by_element(step, "divide", top, to.by_element(step, "add", small, 1), out=step.out)
    return True


def _reduced(to: Lowering, step: Step) -> bool:
    name, x = REDUCTIONS[step.name], step.args[0]
    if not to.writes(name) or x.example is None or x.dtype.kind == "V" or prod(x.shape) == 0:
        return False
    if step.name in ("any", "all") and x.dtype.kind != "b":
        return False
    if step.name == "sum" and x.dtype.char == "e":  # which the raw function adds up in float32
        return False
    if not to.running(step, name):
        to.reduction(step, name)
    return True


def _einsum(to: Lowering, step: Step) -> bool:
    operands, subscripts = step.args
    given, _, letters = subscripts.partition("->")
    each = given.split(",")
    if len(each) < 2 or "." in subscripts or any(not isinstance(x, Variable) or x.example is None for x in operands):
        return False
    if operands[0].dtype.char == "e":  # as a sum
        return False
    product = len(each) == 2 and set(letters) == set(given) - {","} and all(len(set(one)) == len(one) for one in each)
    if product and to.is_plain(step.out) and not to.is_output(step.out) and step.out.dtype.kind in "fiu":
        to.product(step, operands, each, letters)
    else:
        to.contraction(step)
    return True


def _getitem(to: Lowering, step: Step) -> bool:
    x, key = step.args
    if not is_basic(key) or not to.is_plain(step.out) or to.is_output(step.out) or x.example is None:
        return False
    if not to.lies_as(x, key, step.out):
        return False
    to.view(step, x, key, step.out)
    return True


def _scatter(to: Lowering, step: Step) -> bool:
    x, key, _ = step.args
    if not is_basic(key) or not _movable(to, step):
        return False
    to.parts(step, [(x, key if Ellipsis in key else (*key, ...))])
    return True


def _stack(to: Lowering, step: Step) -> bool:
    arrays, axis = step.args
    if not _movable(to, step) or any(not isinstance(x, Variable) for x in arrays):
        return False
    before = (slice(None),) * (axis % len(step.out.shape))
    to.parts(step, [(x, (*before, place, ...)) for place, x in enumerate(arrays)])
    return True


def _concat(to: Lowering, step: Step) -> bool:
    arrays, axis = step.args
    if axis is None or not _movable(to, step) or any(not isinstance(x, Variable) for x in arrays):
        return False
    axis %= len(step.out.shape)
    found, start = [], 0
    for x in arrays:
        end = start + x.shape[axis]
        found.append((x, (*(slice(None),) * axis, slice(start, end), ...)))
        start = end
    to.parts(step, found)
    return True


def _movable(to: Lowering, step: Step) -> bool:
    """Whether the arrays of a step can be brought to their places in its result, which is not returned."""
    return (
        to.is_plain(step.out)
        and not to.is_output(step.out)
        and step.out.dtype.kind in "fiuc"
        and all(x.dtype == step.out.dtype and prod(x.shape) > 0 for x in step.inputs)
    )


def _broadcast(to: Lowering, step: Step) -> bool:
    """Functions of two arrays, of which the other is as large, broadcast by themselves."""
    (x, shape), out = step.args, step.out
    if to.is_output(out) or not to.readers(out) or not to.read_exactly(out):
        return False
    for reader in to.readers(out):
        others = [y for y in reader.inputs if y is not out]
        if len(others) != 1 or others[0].shape != shape or reader.out.shape != shape or to.reads_instead(others[0]):
            return False
    to.instead(out, x)
    return True


def _contiguous(x: Variable) -> tuple[int, ...]:
    found, step = [], x.dtype.itemsize
    for size in reversed(x.shape):
        found.append(step)
        step *= size
    return tuple(found[::-1])


def is_basic(key: tuple[Any, ...]) -> bool:
    """Whether a key has numbers and slices alone, so that it selects a part as it lies."""
    return all(entry is None or entry is Ellipsis or type(entry) in (int, slice) for entry in key)


_LOWERED: dict[str, Callable[[Lowering, Step], bool]] = {
    "over_cosh_squared": _over_cosh_squared, "relu": _relu, "sigmoid": _sigmoid, "getitem": _getitem,
    "scatter": _scatter, "stack": _stack, "concat": _concat, "broadcast_to": _broadcast,
    "einsum": _einsum,
    **dict.fromkeys(REDUCTIONS, _reduced),
}  # fmt: skip
"""Each says whether it did it. What is not here is called, and so are those whose bits these cannot give."""
