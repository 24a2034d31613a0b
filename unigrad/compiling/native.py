"""What runs on NumPy and CuPy: calls that write into buffers made once.

From each step come instructions, of which most are one function of the array module that can write its result where it
is told (``out=``). Their results share blocks of memory: a block is free for the next as soon as nothing that lies in
it is read any more, and a function by element writes over an operand that it is the last to read. What is returned is
never in a block. Layout in memory is as it was when the function was traced, so that sums are added up in the same
order: the results are those of the calls one by one, to the last bit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from unigrad.base.words import Raw
from unigrad.compiling.accumulating import Part, accumulated, accumulations
from unigrad.compiling.program import Program, Step, Variable
from unigrad.compiling.recomputing import recomputed
from unigrad.compiling.writing import Writing, comment, defined, unpacked
from unigrad.native.backend import NativeBackend

_BY_ELEMENT = {
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
_REDUCTIONS = {
    "sum": "add",
    "prod": "multiply",
    "max": "maximum",
    "min": "minimum",
    "any": "logical_or",
    "all": "logical_and",
}
"""Primitives to the functions by element that they reduce with."""
_VIEWS = ("reshape", "permute_dims", "broadcast_to", "flip")
"""Primitives whose result is a part of what they are given, if it can be."""


LINE = 64
"""Bytes in a line of a processor's cache."""


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

    @property
    def inputs(self) -> list[Variable]:
        """The variables that it reads."""
        return Step(self.function, self.args, self.out).inputs


class Lowering:
    """From steps to instructions."""

    def __init__(self, backend: NativeBackend, writing: Writing) -> None:
        self._backend = backend
        self._xp = backend.module
        self._writing = writing
        self.found: list[Instruction] = []

    def step(self, step: Step) -> None:
        """Append the instructions of a step."""
        lower = _LOWERED.get(step.name)
        if lower is not None and self._alike(step) and lower(self, step):
            return
        out, args = step.out, step.args
        if self._is_plain(out):
            if step.name in _BY_ELEMENT and self._writes(_BY_ELEMENT[step.name]):
                return self._add(step, "element", self._module(_BY_ELEMENT[step.name]), args, out)
            if step.name == "power" and _is_number(args[1], 2) and out.dtype.kind == "f":
                # As the operator has it.
                return self._add(step, "element", self._module("square"), args[:1], out)
            if step.name == "matmul" and self._writes("matmul"):
                return self._add(step, "into", self._module("matmul"), args, out)
            if (
                step.name in _REDUCTIONS
                and self._writes(_REDUCTIONS[step.name])
                and (step.name not in ("any", "all") or args[0].dtype.kind == "b")
            ):
                return self.reduce(step, _REDUCTIONS[step.name], args, out)
        form = "view" if step.name in _VIEWS and out.example is not None and out.example.view else "call"
        if step.operator is not None:
            name = f"operator_{step.name}"
            self._writing.scope[name] = step.operator
            return self._add(step, form, name, args, out)
        self._writing.scope[step.name] = self._backend.function(step.name)
        return self._add(step, form, step.name, args, out)

    def reduce(self, step: Step, name: str, args: tuple[Any, ...], out: Variable) -> None:
        """A reduction of an array over axes, with ``keepdims``."""
        x, axes, keepdims = args
        self._writing.scope[f"{name}_reduce"] = getattr(self._xp, name).reduce
        # Sums are added up in the dtype of the array.
        dtype = x.dtype if name in ("add", "multiply") else None
        self.found.append(Instruction(step, "into", f"{name}_reduce", (x,), out, (axes, dtype, keepdims)))

    def accumulation(self, step: Step, parts: Sequence[Part]) -> None:
        """A sum of scattered parts."""
        out = step.out
        name = self._writing.given(accumulated(self._xp, parts, out.shape, out.dtype), "accumulated")
        self._add(step, "into", name, tuple([part.x for part in parts]), out)

    def by_element(self, step: Step, name: str, *args: Any, out: Variable | None = None) -> Variable:
        """A function of the module's by element; its result, a variable like the step's if none is given."""
        target = step.out if out is None else out
        self._add(step, "element", self._module(name), args, target)
        return target

    def scratch(self, step: Step) -> Variable:
        """A variable like the step's result."""
        return Variable(f"t{len(self.found)}", step.out.shape, step.out.dtype, step.out.example)

    def zeros(self, step: Step) -> Any:
        """An array of zeros like the step's result."""
        out = step.out
        zeros = self._xp.zeros(prod(out.shape), out.dtype)
        return self._xp.lib.stride_tricks.as_strided(zeros, out.shape, out.example.strides)

    def _add(self, step: Step, form: str, function: str, args: tuple[Any, ...], out: Variable) -> None:
        self.found.append(Instruction(step, form, function, args, out))

    def _module(self, name: str) -> str:
        self._writing.scope[name] = getattr(self._xp, name)
        return name

    def _writes(self, name: str) -> bool:
        """Whether the module's function can be told where to write, and reduces."""
        return type(getattr(self._xp, name)).__name__ == "ufunc"

    def _is_plain(self, x: Variable) -> bool:
        """Whether it is an array that others can write to: no scalar of NumPy's, and of a dtype of NumPy's own."""
        return x.example is not None and not x.example.view and x.dtype.kind != "V" and prod(x.shape) > 0

    def _alike(self, step: Step) -> bool:
        """Whether all arrays of a step are of one shape, dtype and layout."""
        out = step.out
        return self._is_plain(out) and all(
            x.shape == out.shape and x.dtype == out.dtype and x.example is not None
            and x.example.strides == out.example.strides
            for x in step.inputs
        )  # fmt: skip


def _is_number(arg: Any, number: float) -> bool:
    return type(arg) in (int, float) and arg == number


# --- primitives that are several functions of the module's, as ``native.functions`` writes them ----------------------


def _over_cosh_squared(to: Lowering, step: Step) -> bool:
    x1, x2 = step.args
    if not (isinstance(x1, Variable) and isinstance(x2, Variable)):
        return False
    t = to.scratch(step)
    if step.out.dtype.char == "f":
        to.by_element(step, "add", x2, x2, out=t)
        to.by_element(step, "cosh", t, out=t)
        to.by_element(step, "add", t, 1, out=t)
        out = to.by_element(step, "divide", x1, t)
        to.by_element(step, "add", out, out)
    else:
        to.by_element(step, "cosh", x2, out=t)
        to.by_element(step, "multiply", t, t, out=t)
        to.by_element(step, "divide", x1, t)
    return True


def _relu(to: Lowering, step: Step) -> bool:
    to.by_element(step, "maximum", step.args[0], to.zeros(step))
    return True


def _sigmoid(to: Lowering, step: Step) -> bool:
    (x,) = step.args
    if step.out.dtype.kind == "c":
        return False
    small = to.scratch(step)
    to.by_element(step, "abs", x, out=small)
    to.by_element(step, "negative", small, out=small)
    to.by_element(step, "exp", small, out=small)
    above = to.by_element(step, "greater_equal", x, 0, out=to.scratch(step))  # 1 or 0 as the array's own numbers
    out = to.by_element(step, "maximum", small, above)
    to.by_element(step, "add", small, 1, out=small)
    to.by_element(step, "divide", out, small)
    return True


_LOWERED: dict[str, Callable[[Lowering, Step], bool]] = {
    "over_cosh_squared": _over_cosh_squared, "relu": _relu, "sigmoid": _sigmoid,
}  # fmt: skip
"""Each says whether it did it. What is not here is called, and so are those whose bits these cannot give."""


# --- memory ----------------------------------------------------------------------------------------------------------


class Blocks:
    """Blocks of memory, each for one array at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._free: list[int] = []

    def take(self, size: int) -> int:
        """A free block: of just this size if there is one, else the smallest that is large enough, else the largest,
        made larger; else a new one."""
        free = self._free
        fitting = [block for block in free if self.sizes[block] >= size]
        if fitting:
            smallest = min(self.sizes[block] for block in fitting)
            block = next(block for block in reversed(free) if self.sizes[block] == smallest)
        elif free:
            block = max(free, key=self.sizes.__getitem__)
            self.sizes[block] = size
        else:
            self.sizes.append(size)
            return len(self.sizes) - 1
        free.remove(block)
        return block

    def give(self, block: int) -> None:
        """Make it free for the next."""
        self._free.append(block)


class Plan:
    """A program as it runs: its text, and sets of buffers, one for each call that is at work."""

    def __init__(self, program: Program, backend: NativeBackend, name: str) -> None:
        self._writing = Writing()
        self._backend = backend
        self._program = program = recomputed(program, _BY_ELEMENT)
        lowering = Lowering(backend, self._writing)
        sums, parts = accumulations(program)
        for step in program.steps:
            if step in sums:
                lowering.accumulation(step, sums[step])
            elif step not in parts:
                lowering.step(step)
        self._instructions = lowering.found
        self._last = self._last_reads()
        self._fresh = self._returned()
        self._blocks = Blocks()
        self._block_of: dict[Variable, int] = {}
        self._buffers: dict[Any, str] = {}
        self._making: list[str] = []
        self._write()
        made = self._made_source()
        run = self._writing.text("def plan(buffers, inputs):")
        self.source = f"{made}\n\n{run}"
        scope = self._writing.scope | {
            "empty": backend.module.empty,
            "array": backend.module.lib.stride_tricks.as_strided,
            "uint8": backend.module.uint8,
        }
        self._make = defined("buffers", self.source, scope, name)
        self._plan = scope["plan"]
        self._errstate = backend.engine.raw_pass
        self._spare: list[Any] = []

    def __call__(self, inputs: Sequence[Raw]) -> list[Raw]:
        """The outputs for these inputs. Calls from several threads have buffers of their own."""
        try:
            buffers = self._spare.pop()
        except IndexError:
            buffers = self._make()
        try:
            with self._errstate():
                found: list[Raw] = self._plan(buffers, inputs)
                return found
        finally:
            self._spare.append(buffers)

    def _last_reads(self) -> dict[Variable, int]:
        """The last instruction that reads each variable, also by way of what lies in its memory."""
        last: dict[Variable, int] = {}
        for number in range(len(self._instructions) - 1, -1, -1):
            each = self._instructions[number]
            until = last.get(each.out, number) if _shares(each) else number
            for x in each.inputs:
                last[x] = max(last.get(x, number), until)
        return last

    def _returned(self) -> set[Variable]:
        """What is returned, or what a part of is: it lies in no block."""
        found = set(self._program.outputs)
        for each in reversed(self._instructions):
            if each.out in found and _shares(each):
                found.update(each.inputs)
        return found

    def _write(self) -> None:
        writing, program = self._writing, self._program
        scope = writing.scope
        scope |= {x.name: raw for x, raw in program.constants.items()}
        writing.line(unpacked([x.name for x in program.inputs], "inputs"))
        writing.line("")  # where the buffers are named, once they are known
        local: set[Variable] = set()
        deaths: dict[int, list[Variable]] = {}
        for x, number in self._last.items():
            deaths.setdefault(number, []).append(x)
        for number, each in enumerate(self._instructions):
            dying = deaths.get(number, ())
            out = each.out
            if each.form in ("element", "into") and (out not in self._fresh or out in local):
                name = out.name if out in local else self._placed(each, dying)
                writing.line(self._call(each, name), comment(each.step))
            elif each.form == "view" and self._is_static(each):
                self._making.append(f"{out.name} = {writing.call(each.function, each.args)}")
                writing.names[out] = out.name
                self._block_of[out] = -1
            else:
                writing.line(f"{out.name} = {self._call(each, None)}", comment(each.step))
                local.add(out)
            for x in dying:
                block = self._block_of.pop(x, -1)
                if block >= 0:
                    self._blocks.give(block)
            freed = [x.name for x in dying if x in local and x not in self._fresh]
            if freed:
                writing.line(f"del {', '.join(freed)}")
        writing.line(f"return [{', '.join(self._results())}]")
        writing._lines[1] = (unpacked([*self._buffers.values(), *self._views()], "buffers"), "")

    def _views(self) -> list[str]:
        return [line.partition(" = ")[0] for line in self._making if not line.startswith("b")]

    def _is_static(self, each: Instruction) -> bool:
        """Whether a view is of what lies in a block, so that it can be made once."""
        return all(x in self._block_of for x in each.inputs)

    def _call(self, each: Instruction, into: str | None) -> str:
        if each.options is not None:
            axes, dtype, keepdims = map(self._writing.literal, each.options)
            (x,) = map(self._writing.literal, each.args)
            return f"{each.function}({x}, {axes}, {dtype}, {into}, {keepdims})"
        call = self._writing.call(each.function, each.args)
        if into is None:
            return call
        # NumPy wants these two told by name.
        out = "out=" if each.function in ("maximum", "minimum") or each.function.startswith("accumulated") else ""
        return f"{call[:-1]}, {out}{into})"

    def _placed(self, each: Instruction, dying: Sequence[Variable]) -> str:
        """The name of the buffer that an instruction writes into."""
        out = each.out
        if out in self._block_of:  # written to once more
            return self._writing.names[out]
        size = prod(out.shape) * out.dtype.itemsize
        if each.form == "element":
            for x in dying:
                if x in each.inputs and self._block_of.get(x, -1) >= 0 and _same_place(x, out):
                    block = self._block_of.pop(x)
                    break
            else:
                block = self._blocks.take(size)
        else:
            block = self._blocks.take(size)
        self._block_of[out] = block
        key = (block, out.shape, out.dtype, out.example.strides)
        name = self._buffers.get(key)
        if name is None:
            name = self._buffers[key] = f"b{len(self._buffers)}"
            dtype = self._writing.given(out.dtype)
            self._making.append(f"{name} = array(m{block}[:{size}].view({dtype}), {out.shape}, {out.example.strides})")
        self._writing.names[out] = name
        return name

    def _results(self) -> Iterator[str]:
        """The outputs, each in memory of its own."""
        shared = {each.out for each in self._instructions if _shares(each)}
        shared |= {*self._program.inputs, *self._program.constants}
        seen: set[Variable] = set()
        for x in self._program.outputs:
            if x.example is None or not (x in shared or x in seen):
                yield self._writing.name(x)
            else:
                yield f"{self._writing.name(x)}.copy()"
            seen.add(x)

    def _made_source(self) -> str:
        making = Writing()
        making.scope = self._writing.scope
        # All in one piece, which the system then keeps in large pages, and which begin where lines of a cache do.
        ends = list(itertools.accumulate(-(-size // LINE) * LINE for size in self._blocks.sizes))
        if ends:
            making.line(f"memory = empty({ends[-1]}, uint8)", f"{sum(self._blocks.sizes)} bytes in {len(ends)} blocks")
        for number, (end, size) in enumerate(zip(ends, self._blocks.sizes, strict=True)):
            start = end - -(-size // LINE) * LINE
            making.line(f"m{number} = memory[{start}:{start + size}]")
        for line in self._making:
            making.line(line)
        names = [*self._buffers.values(), *self._views()]
        making.line(f"return ({', '.join(names)}{',' if names else ''})")
        return making.text("def buffers():")


def _shares(each: Instruction) -> bool:
    """Whether what an instruction gives may lie in the memory of what it reads."""
    return each.form in ("view", "call") and each.out.example is not None and bool(each.out.example.view)


def _same_place(x: Variable, y: Variable) -> bool:
    return (
        x.shape == y.shape and x.dtype == y.dtype and x.example is not None and x.example.strides == y.example.strides
    )
