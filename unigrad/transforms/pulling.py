"""Cotangents pulled back through what was recorded, whatever transforms are at work on it.

The graph knows plain Tensors only; what is wrapped (``unigrad.tensor.levels``) is taken apart here, the highest level
first.

- A dual head ``y = (v, t)`` with the dual cotangent ``c = (a, b)`` has the pulled value ``pull(v, a)``, and its tangent
  is ``pull(v, b) + pull(t, a)``: the pull is linear in ``c``, and ``t`` was recorded as well. So forward over reverse
  is two reverse passes over one recording.
- Of a ``vmap`` outside the recording all is batched: variables, heads, cotangents. Their values are pulled at once.
- Of a ``vmap`` inside which only the pull is called (as ``jacobian`` does it) the cotangents alone are batched:
  they go to the graph with their first axis, as several passes in one.
"""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.engine.passes import pulled_to
from unigrad.engine.within import Pass
from unigrad.interpreters.batches import Batched, batched, unbatched
from unigrad.interpreters.duals import dual, take_apart
from unigrad.operations.shapes import moveaxis
from unigrad.tape import below
from unigrad.tensor.levels import at_level, top
from unigrad.tensor.tensor import Tensor

Grads = list[Tensor | None]


def pull_back(this: Pass, variables: Sequence[Tensor]) -> Grads:
    """The cotangents of ``variables``, each wrapped as its variable is, or None where nothing arrives."""
    highest = top([*this.heads, *this.cotangents, *variables])
    if highest is None:
        return _plain(this, variables)
    level = highest._parts.level
    if not isinstance(highest, Batched):
        return _pulled_duals(this, variables, level)
    size, rows = highest._parts.size, this.rows
    seeds = [unbatched(g, level, size) for g in this.cotangents]
    if any(at_level(x, level) for x in variables):
        if rows is not None:  # the axis of the rows first
            seeds = [moveaxis(g, 0, 1) for g in seeds]
        heads = [unbatched(y, level, size) for y in this.heads]
        found = pull_back(this._replace(heads=heads, cotangents=seeds), [unbatched(x, level, size) for x in variables])
        if rows is not None:
            found = [None if g is None else moveaxis(g, 0, 1) for g in found]
        return [None if g is None else batched(g, level) for g in found]
    if rows is not None:
        seeds = [g.reshape((size * rows, *g.shape[2:])) for g in seeds]
    found = pull_back(this._replace(cotangents=seeds, rows=size * (1 if rows is None else rows)), variables)
    if rows is not None:
        found = [None if g is None else g.reshape((size, rows, *g.shape[1:])) for g in found]
    return [None if g is None else batched(g, level) for g in found]


def reached(heads: Sequence[Tensor], variables: Sequence[Tensor]) -> list[bool]:
    """Which of the variables the heads were computed from, whatever their derivative."""
    nodes = set(below([head._node for head in heads if head._node is not None])[0])
    return [x._node in nodes for x in variables]


def _pulled_duals(this: Pass, variables: Sequence[Tensor], level: int) -> Grads:
    inner = [take_apart(x, level)[0] for x in variables]
    ys = [take_apart(y, level) for y in this.heads]
    gs = [take_apart(g, level) for g in this.cotangents]
    values = pull_back(this._replace(heads=[v for v, _ in ys], cotangents=[a for a, _ in gs], retain_graph=True), inner)
    moving = [(v, b) for (v, _), (_, b) in zip(ys, gs, strict=True) if b is not None]
    moving += [(t, a) for (_, t), (a, _) in zip(ys, gs, strict=True) if t is not None]
    tangents: Grads = [None] * len(inner)
    if moving:
        tangents = pull_back(this._replace(heads=[y for y, _ in moving], cotangents=[g for _, g in moving]), inner)
    return [_dual(value, tangent, level) for value, tangent in zip(values, tangents, strict=True)]


def _dual(value: Tensor | None, tangent: Tensor | None, level: int) -> Tensor | None:
    if tangent is None:
        return value
    return dual(tangent.zeros_like() if value is None else value, tangent, level)


def _plain(this: Pass, variables: Sequence[Tensor]) -> Grads:
    recorded = [(y, g) for y, g in zip(this.heads, this.cotangents, strict=True) if y._node is not None]
    if not recorded or this.rows == 0:
        return [None] * len(variables)
    return pulled_to(this._replace(heads=[y for y, _ in recorded], cotangents=[g for _, g in recorded]), variables)
