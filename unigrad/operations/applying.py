"""A function of vectors or axes, applied to all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.base.arguments import one_axis
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.operations.creation import asarray
from unigrad.operations.shapes import expand_dims, moveaxis, reshape, stack
from unigrad.table import Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = ["apply_along_axis", "apply_over_axes"]


@operation
def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Array, /, *args: Any, **kwargs: Any) -> Tensor:
    """The function of each vector along ``axis``, called one by one; the axes of what it returns stand in its place.

    ``ug.vmap`` does it for all vectors at once. ShapeError if there is no vector to call it with.
    """
    if not callable(func1d):
        raise ArgumentError(f"apply_along_axis takes a function of a vector first, and not {type(func1d).__name__}")
    x = asarray(arr)
    number = one_axis(axis, x.ndim)
    rest = x.shape[:number] + x.shape[number + 1 :]
    if 0 in rest:
        raise ShapeError(f"apply_along_axis: an array of shape {x.shape} has no vectors along axis {number}")
    rows = reshape(moveaxis(x, number, -1), (-1, x.shape[number]))
    found = [asarray(func1d(rows[place], *args, **kwargs), like=x) for place in range(rows.shape[0])]
    results = stack(found)
    results = reshape(results, (*rest, *results.shape[1:]))
    inner = tuple(range(len(rest), results.ndim))
    return moveaxis(results, inner, tuple(range(number, number + len(inner))))


@operation
def apply_over_axes(func: Callable[..., Any], a: Array, axes: Any, /) -> Tensor:
    """``func(x, axis)`` for one axis after the other, each of which is kept as size 1 if the function drops it."""
    if not callable(func):
        raise ArgumentError(f"apply_over_axes takes a function of an array first, and not {type(func).__name__}")
    x = asarray(a)
    ndim = x.ndim
    for axis in axes if isinstance(axes, (tuple, list)) else (axes,):
        number = one_axis(axis, ndim)
        x = asarray(func(x, number), like=x)
        x = expand_dims(x, axis=number) if x.ndim < ndim else x
        if x.ndim != ndim:
            raise ShapeError(f"apply_over_axes: the function left {x.ndim} of {ndim} dimensions")
    return x
