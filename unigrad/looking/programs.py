"""A picture of what ``ug.compile`` traced: a program's inputs, constants and steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.compiling.program import Program, Step, Variable
from unigrad.looking.folding import folds
from unigrad.looking.parts import Edge, Vertex
from unigrad.looking.picture import Picture
from unigrad.looking.writing import SMALL, numbers, settings
from unigrad.table import PRIMITIVES, SCALAR_TYPES


def picture_of(program: Program, most: int) -> Picture:
    """The program in its own names. Nothing runs for it: of values only small constants are shown."""
    shown = {x: _described(Vertex(x.name, "leaf"), x) for x in program.inputs}
    for x, raw in program.constants.items():
        shown[x] = _described(Vertex(x.name, "constant", "constant"), x)
        if isinstance(raw, (np.ndarray, np.generic)) and raw.size <= SMALL:
            shown[x].value = np.asarray(raw)
    vertices, edges = list(shown.values()), []
    steps = program.steps
    folded = folds([step.name for step in steps], [None] * len(steps), most)
    starts = {fold.start: fold for fold in folded}
    stop = 0
    for place, step in enumerate(steps):
        if place in starts:
            stop = starts[place].stop
            box = Vertex(f"{step.out} to {steps[stop - 1].out}", "folded", starts[place].words)
            vertices.append(box)
            into: set[Vertex] = set()
        if place < stop:
            sources = [shown[x] for x in dict.fromkeys(step.inputs) if shown[x] is not box and shown[x] not in into]
            into.update(sources)
        else:
            row = PRIMITIVES[step.name]
            told = settings(row, step.args[len(row.arrays) :])
            box = _described(Vertex(step.out.name, "operation", step.name, told), step.out)
            sources = [_number(arg) if type(arg) in SCALAR_TYPES else shown[arg] for arg in _operands(step)]
            vertices += [*(source for source in sources if source.label == source.operation), box]
        edges += [Edge(source, box, is_plain=True) for source in sources]
        shown[step.out] = box
    for x in program.outputs:
        shown[x].is_head = True
    notes = []
    if folded:
        hidden = sum(fold.stop - fold.start for fold in folded)
        notes.append(f"{hidden} of {len(steps)} steps are folded into {len(folded)}; most={len(steps)} draws all.")
    return Picture(vertices, edges, notes, list)


def _operands(step: Step) -> list[Any]:
    """The arrays of a step and the numbers in places of arrays; then the arrays within its parameters."""
    row = PRIMITIVES[step.name]
    count = len(row.arrays)
    arrays = list(step.args[0]) if row.variadic else list(step.args[:count])
    return [*arrays, *Step(step.name, step.args[count:], step.out).inputs]


def _number(number: complex) -> Vertex:
    words = numbers(np.asarray(number))
    return Vertex(words, "constant", words, shape=(), value=np.asarray(number))


def _described(vertex: Vertex, x: Variable) -> Vertex:
    vertex.shape, vertex.dtype = x.shape, str(x.dtype)
    return vertex
