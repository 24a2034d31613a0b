"""Cotangents pulled back through what was recorded, whatever transforms are at work on it.

The graph knows plain Tensors only; what is wrapped (``unigrad.levels``) is taken apart here, the highest level first.

- A dual head ``y = (v, t)`` with the dual cotangent ``c = (a, b)`` has the pulled value ``pull(v, a)``, and its tangent
  is ``pull(v, b) + pull(t, a)``: the pull is linear in ``c``, and ``t`` was recorded as well. So forward over reverse
  is two reverse passes over one recording.
- Of a ``vmap`` outside the recording all is batched: variables, heads, cotangents. Their values are pulled at once.
- Of a ``vmap`` inside which only the pull is called (as ``jacobian`` does it) the cotangents alone are batched:
  they go to the graph with their first axis, as several passes in one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.batching import Batched, batched, unbatched
from unigrad.engine import pulled_to
from unigrad.forward import dual, take_apart
from unigrad.graph import below
from unigrad.levels import at_level, top
from unigrad.operations.shapes import moveaxis
from unigrad.tensor import Tensor

Grads = list[Tensor | None]


def pull_back(
    heads: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    variables: Sequence[Tensor],
    retain_graph: bool,
    create_graph: bool,
) -> Grads:
    """The cotangents of ``variables``, each wrapped as its variable is, or None where nothing arrives."""
    return _pulled(heads, cotangents, variables, retain_graph, create_graph, None)


def pull_rows(
    heads: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    variables: Sequence[Tensor],
    rows: int,
    create_graph: bool,
) -> Grads:
    """:func:`pull_back` of ``rows`` cotangents of each head, which they have along a first axis, as the result has."""
    if not rows:
        return [None] * len(variables)
    return _pulled(heads, cotangents, variables, False, create_graph, rows)


def reached(heads: Sequence[Tensor], variables: Sequence[Tensor]) -> list[bool]:
    """Which of the variables the heads were computed from, whatever their derivative."""
    nodes = set(below([head._node for head in heads if head._node is not None])[0])
    return [x._node in nodes for x in variables]


def _pulled(
    heads: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    variables: Sequence[Tensor],
    retain_graph: bool,
    create_graph: bool,
    rows: int | None,
) -> Grads:
    """``rows``: how many cotangents of each head come along a first axis of their own; None for one without it."""
    highest = top([*heads, *cotangents, *variables])
    rest = (retain_graph, create_graph)
    if highest is None:
        return _plain(heads, cotangents, variables, *rest, rows)
    level = highest._parts.level
    if not isinstance(highest, Batched):
        return _pulled_duals(heads, cotangents, variables, level, *rest, rows)
    size = highest._parts.size
    if any(at_level(x, level) for x in variables):
        seeds = [unbatched(g, level, size) for g in cotangents]
        if rows is not None:  # the axis of the rows first
            seeds = [moveaxis(g, 0, 1) for g in seeds]
        values = [unbatched(x, level, size) for x in variables]
        found = _pulled([unbatched(y, level, size) for y in heads], seeds, values, *rest, rows)
        if rows is not None:
            found = [None if g is None else moveaxis(g, 0, 1) for g in found]
        return [None if g is None else batched(g, level) for g in found]
    seeds = [unbatched(g, level, size) for g in cotangents]
    if rows is not None:
        seeds = [g.reshape((size * rows, *g.shape[2:])) for g in seeds]
    found = _pulled(heads, seeds, variables, *rest, size * (rows or 1))
    if rows is not None:
        found = [None if g is None else g.reshape((size, rows, *g.shape[1:])) for g in found]
    return [None if g is None else batched(g, level) for g in found]


def _pulled_duals(
    heads: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    variables: Sequence[Tensor],
    level: int,
    retain_graph: bool,
    create_graph: bool,
    rows: int | None,
) -> Grads:
    inner = [take_apart(x, level)[0] for x in variables]
    ys = [take_apart(y, level) for y in heads]
    gs = [take_apart(g, level) for g in cotangents]
    values = _pulled([v for v, _ in ys], [a for a, _ in gs], inner, True, create_graph, rows)
    moving: list[Any] = [(v, b) for (v, _), (_, b) in zip(ys, gs, strict=True) if b is not None]
    moving += [(t, a) for (_, t), (a, _) in zip(ys, gs, strict=True) if t is not None]
    tangents: Grads = [None] * len(inner)
    if moving:
        ys_moving, gs_moving = zip(*moving, strict=True)
        tangents = _pulled(ys_moving, gs_moving, inner, retain_graph, create_graph, rows)
    return [_dual(value, tangent, level) for value, tangent in zip(values, tangents, strict=True)]


def _dual(value: Tensor | None, tangent: Tensor | None, level: int) -> Tensor | None:
    if tangent is None:
        return value
    return dual(tangent.zeros_like() if value is None else value, tangent, level)


def _plain(
    heads: Sequence[Tensor],
    cotangents: Sequence[Tensor],
    variables: Sequence[Tensor],
    retain_graph: bool,
    create_graph: bool,
    rows: int | None,
) -> Grads:
    recorded = [(y, g) for y, g in zip(heads, cotangents, strict=True) if y._node is not None]
    if not recorded or rows == 0:
        return [None] * len(variables)
    tracked, seeds = zip(*recorded, strict=True)
    return pulled_to(tracked, seeds, variables, retain_graph, create_graph, rows=rows)
