"""The smallest program that still fails on the same backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

import unigrad as ug
from unigrad_conformance.fuzzing.program import Program, pruned, without


def shrunk(program: Program, fails: Callable[[Program], bool]) -> Program:
    """What is left when nothing more can be taken away: a result, a step, or a number that could be 0 or 1."""
    while True:
        for smaller in _smaller(program):
            if _runs(smaller) and fails(smaller):
                program = smaller
                break
        else:
            return program


def _smaller(program: Program) -> Iterator[Program]:
    if len(program.results) > 1:
        for name in program.results:
            yield pruned(program, [name])
    for step in reversed(program.steps):
        for operand in step.operands:
            one = without(program, step, operand)
            if one.steps:
                yield pruned(one, one.results)
    for name, array in program.inputs.items():
        for place in np.ndindex(array.shape):
            # Only towards fewer digits, so that this comes to an end.
            for value in (0.0, 1.0, 0.5):
                if _digits(value) < _digits(float(array[place])):
                    changed = array.copy()
                    changed[place] = value
                    yield Program({**program.inputs, name: changed}, program.steps)


def _digits(value: float) -> tuple[int, float]:
    return len(repr(abs(value))), abs(value)


def _runs(program: Program) -> bool:
    with ug.use_backend("numpy"), np.errstate(all="ignore"):
        try:
            outputs = program.function(ug)(*map(ug.asarray, program.inputs.values()))
        except (ug.UnigradError, ArithmeticError, ValueError, TypeError, IndexError):
            return False
        return all(isinstance(x, ug.Tensor) and x.dtype.kind == "f" for x in outputs)
