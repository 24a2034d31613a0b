"""Slopes over a grid, and angles without jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.arguments import many_axes, one_axis, real_number
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.operations.arranging import along
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import abs as absolute
from unigrad.operations.elementwise import equal, floats, greater, less, logical_and, remainder, where
from unigrad.operations.indexing import getitem
from unigrad.operations.reductions import Axis, cumulative_sum, floating, rounded_once
from unigrad.operations.sequences import diff
from unigrad.operations.shapes import concat, reshape
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensor
from unigrad.tensor.tensor import Tensor

__all__ = ["gradient", "unwrap"]


@operation
@rounded_once
def gradient(f: Array, /, *varargs: Array, axis: Axis = None, edge_order: int = 1) -> Tensor | tuple[Tensor, ...]:
    """The slope of f along each axis, of f's shape: a tuple of them, or one alone for one axis.

    Inside it is that of the parabola through an element and its neighbours, at the two ends that of the line
    (``edge_order`` 1) or the parabola (2) through the last ones. ``varargs``: one distance for all axes, or for each
    axis a distance or the vector of its coordinates. Differentiable in f and in these. ArgumentError for another
    number of them, ShapeError for a vector that does not fit and for an axis of too few elements.
    """
    f = floating(f)
    axes = tuple(range(f.ndim)) if axis is None else _in_order(axis, f.ndim)
    if edge_order not in (1, 2):
        raise ArgumentError(f"edge_order is 1 or 2, not {edge_order!r}")
    spacings: tuple[Any, ...] = varargs or (1.0,)
    if len(spacings) == 1 and np.ndim(spacings[0]) == 0:
        spacings *= len(axes)
    if len(spacings) != len(axes):
        raise ArgumentError(f"gradient takes one distance, or one for each of {len(axes)} axes, not {len(spacings)}")
    found = tuple(_slope(f, number, spacing, edge_order) for number, spacing in zip(axes, spacings, strict=True))
    return found[0] if len(found) == 1 else found


def _in_order(axis: Any, ndim: int) -> tuple[int, ...]:
    many_axes(axis, ndim)  # which refuses what is no axis, or named twice
    listed = axis if isinstance(axis, (tuple, list)) else (axis,)
    return tuple(one_axis(number, ndim) for number in listed)


def _slope(f: Tensor, axis: int, spacing: Any, edge_order: int) -> Tensor:
    size = f.shape[axis]
    if size < edge_order + 1:
        raise ShapeError(
            f"gradient with edge_order={edge_order} needs {edge_order + 1} elements along axis {axis} of {f.shape}"
        )
    width = _widths(f, axis, spacing)
    slopes = diff(f, axis=axis) / width
    one = width.ndim == 0

    def part(x: Tensor, start: int | None, stop: int | None) -> Tensor:
        return x if x.ndim == 0 else getitem(x, along(axis, slice(start, stop)))

    first, last = part(slopes, None, 1), part(slopes, -1, None)
    inside = []
    if size > 2:
        left, right = part(slopes, None, -1), part(slopes, 1, None)
        before, after = part(width, None, -1), part(width, 1, None)
        inside = [(left + right) * 0.5 if one else (left * after + right * before) / (before + after)]
        if edge_order == 2:
            # The parabola's slope changes from the middle of one piece to that of the next.
            first = first + (first - part(slopes, 1, 2)) * _share(part(width, None, 1), part(width, 1, 2))
            last = last + (last - part(slopes, -2, -1)) * _share(part(width, -1, None), part(width, -2, -1))
    return concat([first, *inside, last], axis=axis)


def _share(width: Tensor, other: Tensor) -> Tensor:
    return width / (width + other)


def _widths(f: Tensor, axis: int, spacing: Any) -> Tensor:
    """The distances between neighbours: one for all, or along the axis."""
    given = tensor(
        spacing if np.ndim(spacing) or isinstance(spacing, Tensor) else asarray(spacing, dtype=f.dtype, like=f),
        f.backend,
    )
    if given.ndim == 0:
        return given
    if given.shape != (f.shape[axis],):
        raise ShapeError(f"coordinates of shape {given.shape} do not fit axis {axis} of shape {f.shape}")
    return reshape(diff(floats(f, given)[1]), tuple(-1 if other == axis else 1 for other in range(f.ndim)))


@operation
def unwrap(p: Array, /, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Tensor:
    """p with multiples of ``period`` added so that no step along ``axis`` is larger than half of one.

    Only steps of ``discont`` or more are changed, half a period unless given. What is added is constant, so that its
    derivative is that of p. Integers stay so where the period is one.
    """
    p, period = asarray(p), real_number(period, "period")
    whole = p.dtype.kind in "iu" and isinstance(period, int)
    p = p if whole else floating(p)
    number = one_axis(axis, p.ndim)
    half: Any = period // 2 if whole else period / 2
    step = diff(p.detach(), axis=number)
    small = remainder(step + half, period) - half
    if not whole or period % 2 == 0:
        small = where(logical_and(equal(small, -half), greater(step, 0)), half, small)
    change = where(less(absolute(step), period / 2 if discont is None else discont), 0, small - step)
    first = getitem(p, along(number, slice(0, 1)))
    return concat([first, getitem(p, along(number, slice(1, None))) + cumulative_sum(change, axis=number)], axis=number)
