"""What runs on NumPy and CuPy: calls that write into buffers made once.

From each step come instructions, of which most are one function of the array module that can write its result where it
is told (``out=``). Their results share blocks of memory: a block is free for the next as soon as nothing that lies in
it is read any more, and a function by element writes over an operand that it is the last to read. What is returned is
never in a block. Layout in memory is as it was when the function was traced, so that sums are added up in the same
order: the results are those of the calls one by one, to the last bit.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from unigrad.base.words import Raw
from unigrad.compiling.accumulating import accumulations
from unigrad.compiling.lowering import BY_ELEMENT, LINE, Instruction, Lowering
from unigrad.compiling.program import Program, Variable
from unigrad.compiling.recomputing import recomputed
from unigrad.compiling.writing import Writing, defined, unpacked
from unigrad.native.backend import NativeBackend


class Blocks:
    """Blocks of memory, each for one array at a time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._free: dict[int, list[int]] = {}
        """By size."""

    def take(self, size: int) -> int:
        """A free block: of just this size if there is one, else the smallest that is large enough, else the largest,
        made larger; else a new one."""
        free = self._free
        if not free:
            self.sizes.append(size)
            return len(self.sizes) - 1
        found = size if size in free else min((one for one in free if one >= size), default=max(free))
        block = free[found].pop()
        if not free[found]:
            del free[found]
        self.sizes[block] = max(found, size)
        return block

    def give(self, block: int) -> None:
        """Make it free for the next."""
        self._free.setdefault(self.sizes[block], []).append(block)


class Plan:
    """A program as it runs: its text, and sets of buffers, one for each call that is at work."""

    def __init__(self, program: Program, backend: NativeBackend, name: str) -> None:
        self._writing = Writing()
        self._backend = backend
        self._program = program = recomputed(program, BY_ELEMENT)
        self._lowering = lowering = Lowering(program, backend, self._writing)
        sums, parts = accumulations(program)
        for step in program.steps:
            if step in sums:
                lowering.accumulation(step, sums[step])
            elif step not in parts:
                lowering.step(step)
        self._instructions = lowering.needed()
        self._last = self._last_reads()
        self._fresh = self._returned()
        self._slots = self._filled_in_place()
        self._blocks = Blocks()
        self._block_of: dict[Variable, int] = dict.fromkeys(program.constants, -1)
        """Where each array lies that is there before the plan runs; -1 for one that is a part of another."""
        self._buffers: dict[Any, str] = {}
        self._making: list[tuple[str, str]] = []
        """What is made once: names, and what they are."""
        self._write()
        self._making_text = self._made()
        scope = self._writing.scope | {
            "empty": backend.module.empty,
            "array": backend.module.lib.stride_tricks.as_strided,
            "uint8": backend.module.uint8,
        }
        self._make = defined("buffers", self._text(told=False), scope, name)
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

    @property
    def source(self) -> str:
        """What runs, each line with the step that it came from."""
        return self._text(told=True)

    def _text(self, told: bool) -> str:
        return f"{self._making_text}\n\n{self._writing.text('def plan(buffers, inputs):', told)}"

    def _last_reads(self) -> dict[Variable, int]:
        """The last instruction that reads each variable, also by way of what lies in its memory."""
        last: dict[Variable, int] = {}
        for number in range(len(self._instructions) - 1, -1, -1):
            each = self._instructions[number]
            until = last.get(each.out, number) if each.shares else number
            for x in each.inputs:
                last[x] = max(last.get(x, number), until)
        return last

    def _returned(self) -> set[Variable]:
        """What is returned, or what a part of is: it lies in no block."""
        found = set(self._program.outputs)
        for each in reversed(self._instructions):
            if each.out in found and each.shares:
                found.update(each.inputs)
        return found

    def _filled_in_place(self) -> dict[Variable, Instruction]:
        """Arrays that can be computed right where a later instruction would bring them, each with that one."""
        gathered = {each.out for each in self._instructions if each.place is not None}
        made = {each.out: each for each in self._instructions if each.out not in gathered}
        zeroed = {each.out for each in self._instructions if not each.args}
        found: dict[Variable, Instruction] = {}
        for each in self._instructions:
            if each.place is None or each.out in zeroed:
                continue
            (x,) = each.inputs
            source = made.get(x)
            if source is None or source.form not in ("element", "into") or x in found or x in self._fresh:
                continue
            if self._lowering.can_lie(x, source, each):
                found[x] = each
                self._last[each.out] = max(self._last[each.out], self._last[x])
        return found

    def _write(self) -> None:
        writing, program = self._writing, self._program
        writing.scope |= {x.name: raw for x, raw in program.constants.items()}
        writing.line(unpacked([x.name for x in program.inputs], "inputs"))
        local: set[Variable] = set()
        deaths: dict[int, list[Variable]] = {}
        for x, number in self._last.items():
            deaths.setdefault(number, []).append(x)
        for number, each in enumerate(self._instructions):
            dying = deaths.get(number, ())
            out = each.out
            if each.place is not None and self._slots.get(each.inputs[0]) is each:
                pass  # it is there already
            elif each.form in ("element", "into") and out not in self._fresh:
                writing.line(self._call(each, self._placed(each, dying)), each.step)
            elif each.form == "view" and all(x in self._block_of for x in each.inputs):
                self._making.append((out.name, self._call(each, None)))
                self._block_of[out] = -1
            else:
                writing.line(f"{out.name} = {self._call(each, None)}", each.step)
                local.add(out)
            for x in dying:
                block = self._block_of.pop(x, -1)
                if block >= 0:
                    self._blocks.give(block)
            freed = [x.name for x in dying if x in local and x not in self._fresh]
            if freed:
                writing.line(f"del {', '.join(freed)}")
        writing.line(f"return [{', '.join(self._results())}]")
        writing.first(unpacked([*self._buffers.values(), *[name for name, _ in self._making]], "buffers"))

    def _call(self, each: Instruction, into: str | None) -> str:
        writing = self._writing
        if each.options is not None:
            axes, dtype, keepdims = map(writing.literal, each.options)
            (x,) = map(writing.literal, each.args)
            return f"{each.function}({x}, {axes}, {dtype}, {into}, {keepdims})"
        if each.function == "laid":
            return f"{writing.name(each.args[0])}.transpose{each.args[1]}[{writing.key(each.args[2])}]"
        if each.function == "part":
            return f"{writing.name(each.args[0])}[{writing.key(each.args[1])}]"
        call = writing.call(each.function, each.args)
        if into is None:
            return call
        order = self._lowering.turned(each) if each.form == "element" else None
        if order is not None:
            turn = f".transpose{order}"
            args = [f"{writing.literal(x)}{turn if isinstance(x, Variable) and x.shape else ''}" for x in each.args]
            return f'{each.function}({", ".join(args)}, out={into}{turn}, order="C")'
        # NumPy wants these two told by name.
        out = "out=" if each.function in ("maximum", "minimum") or each.function.startswith("accumulated") else ""
        return f"{call[:-1]}{', ' if each.args else ''}{out}{into})"

    def _placed(self, each: Instruction, dying: Sequence[Variable]) -> str:
        """The name of the buffer that an instruction writes into."""
        out = each.out
        slot = self._slots.get(out)
        if slot is not None and slot.place is not None:
            return self._part(self._buffer(slot.out), slot.place, out)
        if each.place is not None:
            return self._part(self._buffer(out), each.place, None)
        if each.form == "element" and out not in self._block_of:
            for x in dying:
                if x in each.inputs and self._block_of.get(x, -1) >= 0 and self._same_place(x, out):
                    self._block_of[out] = self._block_of.pop(x)
                    break
        return self._buffer(out)

    def _buffer(self, out: Variable) -> str:
        """The name of an array in a block, which is taken if it has none yet."""
        size = prod(out.shape) * out.dtype.itemsize
        if out not in self._block_of:
            self._block_of[out] = self._blocks.take(size)
        block, strides = self._block_of[out], self._lowering.strides(out)
        key = (block, out.shape, out.dtype, strides)
        name = self._buffers.get(key)
        if name is None:
            name = self._buffers[key] = f"b{len(self._buffers)}"
        self._writing.names[out] = name
        return name

    def _part(self, buffer: str, place: tuple[Any, ...], x: Variable | None) -> str:
        """The name of a part of a buffer, where ``x`` lies, if it is given."""
        name = f"p{len(self._making)}" if x is None else x.name
        self._making.append((name, f"{buffer}[{self._writing.key(place)}]"))
        if x is not None:
            self._block_of[x] = -1
        return name

    def _same_place(self, x: Variable, y: Variable) -> bool:
        strides = self._lowering.strides
        return x.shape == y.shape and x.dtype == y.dtype and x.example is not None and strides(x) == strides(y)

    def _results(self) -> Iterator[str]:
        """The outputs, each in memory of its own."""
        shared = {each.out for each in self._instructions if each.shares}
        shared |= {*self._program.inputs, *self._program.constants}
        seen: set[Variable] = set()
        for x in self._program.outputs:
            if x.example is None or not (x in shared or x in seen):
                yield self._writing.name(x)
            else:
                yield f"{self._writing.name(x)}.copy()"
            seen.add(x)

    def _made(self) -> str:
        """The text of what makes a set of buffers."""
        making = Writing()
        # All in one piece, which the system then keeps in large pages, and which begin where lines of a cache do.
        ends = list(itertools.accumulate(-(-size // LINE) * LINE for size in self._blocks.sizes))
        if ends:
            making.line(f"memory = empty({ends[-1]}, uint8)")
        starts = [0, *ends]
        scope = self._writing.scope
        for (block, shape, dtype, strides), name in self._buffers.items():
            scope[str(dtype)] = dtype
            end = starts[block] + prod(shape) * dtype.itemsize
            making.line(f"{name} = array(memory[{starts[block]}:{end}].view({dtype}), {shape}, {strides})")
        for name, text in self._making:
            making.line(f"{name} = {text}")
        names = [*self._buffers.values(), *[name for name, _ in self._making]]
        making.line(f"return ({', '.join(names)}{',' if names else ''})")
        return making.text("def buffers():")
