"""Arrays that are computed a second time, rather than kept from the forward half of a program to the backward half.

That of an activation costs next to nothing beside the products of matrices around it, and each layer keeps one array
where it kept two. Where elements are all that a program computes, nothing is done twice.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from math import prod

from unigrad.compiling.program import Program, Step, Variable

LARGE = 1 << 16
"""Smaller arrays, in bytes, are kept."""
FAR = 8
"""Arrays that are read again within so many steps are kept."""
ELEMENT = 50
"""What an element costs, in multiplications of a product of matrices."""
SHARE = 0.1
"""As much of the products' cost may be spent on computing again."""


def recomputed(program: Program, by_element: Collection[str]) -> Program:
    """The same program, with steps of these primitives once more before they are read late, if their operands are there
    then."""
    reads: dict[Variable, list[int]] = {}
    for number, step in enumerate(program.steps):
        for x in step.inputs:
            reads.setdefault(x, []).append(number)
    ends = dict.fromkeys([*program.inputs, *program.constants], len(program.steps))
    ends |= {x: numbers[-1] for x, numbers in reads.items() if x not in ends}
    again: dict[int, list[Step]] = {}
    moved: set[Variable] = set()
    cost = 0
    for step in program.steps:
        late = _late(step.out, reads.get(step.out, [])) if step.name in by_element else None
        if late is None or step.out in program.outputs or any(ends[x] < late or x in moved for x in step.inputs):
            continue
        again.setdefault(late, []).append(step)
        moved.add(step.out)
        cost += ELEMENT * prod(step.out.shape)
    if not again or cost > SHARE * sum(map(_multiplications, program.steps)):
        return program
    return Program(program.inputs, program.constants, list(_with(program.steps, again)), program.outputs)


def _late(out: Variable, reads: list[int]) -> int | None:
    """The first late reading of a result, which may be of a second one; None if it has to be kept."""
    if prod(out.shape) * out.dtype.itemsize < LARGE:
        return None
    gap, late = max(((late - early, late) for early, late in itertools.pairwise(reads)), default=(0, 0))
    return late if gap > FAR else None


def _multiplications(step: Step) -> int:
    """How many a product of matrices takes; 0 for all else."""
    if step.name not in ("matmul", "linear"):
        return 0
    return prod(step.out.shape) * int(step.args[0].shape[-1])


def _with(steps: list[Step], again: dict[int, list[Step]]) -> Iterator[Step]:
    second: dict[Variable, Variable] = {}
    for number, step in enumerate(steps):
        for first in again.get(number, ()):
            out = first.out
            second[out] = Variable(f"{out}_again", out.shape, out.dtype, out.example)
            yield Step(first.name, first.args, second[out], first.operator)
        yield step.reading(second) if second else step
