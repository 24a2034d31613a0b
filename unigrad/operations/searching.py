"""Where elements are: their positions, and what is selected or counted by positions.

How many there are depends on the values, so these are read, on every backend. Positions have no derivative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import new_shape, one_axis, whole_number
from unigrad.base.errors import ArgumentError, CallError, DtypeError, IndexRangeError, ShapeError
from unigrad.base.words import EVERYTHING
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, repeated
from unigrad.operations.arranging import along
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import isnan, logical_not
from unigrad.operations.elementwise import where as chosen
from unigrad.operations.indexing import argsort_, getitem, scatter_, take, take_along_axis_
from unigrad.operations.reductions import floating
from unigrad.operations.shapes import flip, reshape
from unigrad.table import SCALAR_TYPES, Array, Primitive, batched, operation
from unigrad.tensor.coercion import tensor, tensors
from unigrad.tensor.levels import check_places, values_of, values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = [
    "TopK", "argwhere", "bincount", "compress", "digitize", "extract", "flatnonzero", "nonzero", "searchsorted",
    "top_k", "where",
]  # fmt: skip


@primitive("indexing", dtypes="real", result="int64")
def searchsorted_(x1: Array, x2: Array, right: bool) -> Tensor:
    """Where in the ascending vector x1 each element of x2 belongs, as int64: behind its equals if ``right``."""


def _searchsorted_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    """With a vector for each element: how many numbers stand before each in both together, less those of its own."""
    if not mask[0]:
        own: Tensor = bound.searchsorted(*values, *statics)
        return own
    (right,) = statics
    x1, x2 = repeated(bound, values, mask, size)
    flat = bound.reshape(x2, (size, math.prod(x2.shape[1:])))
    # Sorting is stable: of equal numbers those of the first array stand before.
    first = x1.shape[1] if right else 0
    ranks = _ranks(bound, bound.concat([x1, flat] if right else [flat, x1], 1))
    ranks = bound.getitem(ranks, (EVERYTHING, slice(first, first + flat.shape[1], 1)))
    found: Tensor = bound.reshape(bound.subtract(ranks, _ranks(bound, flat)), x2.shape)
    return found


def _ranks(bound: Any, x: Any) -> Any:
    """How many numbers of its row stand before each one when they are sorted."""
    return bound.argsort(bound.argsort(x, 1, False), 1, False)


batched(searchsorted_, _searchsorted_of_batch)


@operation
def nonzero(x: Array, /) -> tuple[Tensor, ...]:
    """The positions of the elements that are not 0, in C order: one int64 vector for each axis."""
    x = asarray(x)
    if x.ndim == 0:
        raise ShapeError("nonzero of a 0-dimensional array: it has no axes; use atleast_1d(x)")
    return tuple(asarray(positions, like=x) for positions in np.nonzero(values_of(x)))


@operation
def where(condition: Array, x1: Array = None, x2: Array = None, /) -> Any:
    """x1 where the condition holds, x2 elsewhere; the one not chosen gets gradient zero. The condition alone gives the
    positions where it holds, as :func:`nonzero` does."""
    if x2 is None:
        if x1 is not None:
            raise CallError("where takes both choices, or none: ug.where(condition, x1, x2)")
        return nonzero(condition)
    return chosen(condition, x1, x2)


@operation
def argwhere(x: Array, /) -> Tensor:
    """The positions of the elements that are not 0 as int64 rows, of shape (count, x.ndim)."""
    x = asarray(x)
    return asarray(np.argwhere(values_of(x)).astype(np.int64), like=x)


@operation
def flatnonzero(x: Array, /) -> Tensor:
    """The positions of the elements of the flattened array that are not 0, int64."""
    return nonzero(reshape(x, -1))[0]


@operation
def extract(condition: Array, x: Array, /) -> Tensor:
    """The elements of the flattened x where the flattened ``condition`` is not 0."""
    condition, x = tensors((condition, x))
    check_places(x, condition)
    if condition.size != x.size:
        raise ShapeError(f"a condition of shape {condition.shape} does not fit shape {x.shape}; sizes must agree")
    return getitem(reshape(x, -1), values_of(reshape(condition, -1)) != 0)


@operation
def compress(condition: Array, x: Array, /, axis: int | None = None) -> Tensor:
    """The slices of x along ``axis`` (None: of the flattened x) where the vector ``condition`` is not 0."""
    condition, x = tensors((condition, x))
    check_places(x, condition)
    if axis is None:
        x, axis = reshape(x, -1), 0
    number = one_axis(axis, x.ndim)
    if condition.ndim != 1 or condition.size > x.shape[number]:
        raise ShapeError(f"a condition of shape {condition.shape} does not fit axis {number} of shape {x.shape}")
    return getitem(x, along(number, np.flatnonzero(values_of(condition))))


@operation
def searchsorted(x1: Array, x2: Array, /, *, side: str = "left", sorter: Array | None = None) -> Tensor:
    """Where in the ascending vector ``x1`` each element of ``x2`` belongs, as int64: NaN is larger than all numbers.

    An element equal to some of x1 goes before them, or behind them if ``side`` is ``"right"``. If x1 is in no order,
    ``sorter`` is what ``argsort(x1)`` gives.
    """
    if not isinstance(side, str) or side not in ("left", "right"):
        raise ArgumentError(f"side={side!r} is not known; use 'left' or 'right'")
    if type(x2) in SCALAR_TYPES:
        (x1,) = tensors((x1,))
    else:
        x1, x2 = tensors((x1, x2))
    if x1.ndim != 1:
        raise ShapeError(f"searchsorted looks in a vector, not in shape {x1.shape}")
    if sorter is not None:
        sorter = tensor(sorter, x1.backend)
        if sorter.shape != x1.shape:
            raise ShapeError(f"a sorter of shape {sorter.shape} does not fit shape {x1.shape}")
        x1 = take(x1, sorter)
    return searchsorted_(x1, x2, side == "right")


@operation
def digitize(x: Array, bins: Array, /, *, right: bool = False) -> Tensor:
    """The number of the bin of each element, int64: i where ``bins[i-1] <= x < bins[i]`` (``right``: < and <=).

    ``bins`` ascend, or they descend and it is where ``bins[i-1] > x >= bins[i]``; ArgumentError if they do neither.
    """
    x, bins = tensors((x, bins))
    if bins.ndim != 1:
        raise ShapeError(f"bins are a vector, not of shape {bins.shape}")
    steps = np.diff(values_of_all(bins))
    if not (steps < 0).any():
        return searchsorted(bins, x, side="left" if right else "right")
    if (steps > 0).any():
        raise ArgumentError("bins must ascend or descend; sort(bins) makes them")
    return bins.size - searchsorted(flip(bins), x, side="left" if right else "right")


class TopK(NamedTuple):
    """What :func:`top_k` returns."""

    values: Tensor
    indices: Tensor


@operation
def top_k(x: Array, k: int, /, axis: int = -1, *, largest: bool = True) -> TopK:
    """The ``k`` largest (or smallest) elements along ``axis`` in order, and their positions, int64.

    Of equal elements the first come first; NaN counts as the largest of all, as ``max`` and ``sort`` have it. The
    values are differentiable.
    """
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    if not 0 <= whole_number(k, "k") <= x.shape[number]:
        raise ArgumentError(f"k={k} is not from 0 to {x.shape[number]}, the size of axis {number} of shape {x.shape}")
    order = argsort_(x, number, largest)
    if largest and x.dtype.kind in dtypes.REAL_FLOATING:
        # Which sorts NaN last; what is kept in order behind it comes to the front.
        known = take_along_axis_(astype(logical_not(isnan(x)), np.int64), order, number)
        order = take_along_axis_(order, argsort_(known, number, False), number)
    indices = getitem(order, along(number, slice(0, k)))
    return TopK(take_along_axis_(x, indices, number), indices)


@operation
def bincount(x: Array, /, weights: Array | None = None, minlength: int = 0) -> Tensor:
    """How often each integer from 0 up occurs in a vector, int64; or the sum of the weights of its occurrences.

    Sums are differentiable. Raises DtypeError unless x holds integers, IndexRangeError if one is negative.
    """
    x = asarray(x)
    if x.ndim != 1:
        raise ShapeError(f"bincount takes a vector, not shape {x.shape}")
    check_places(x, weights)
    values = values_of(x)
    if values.dtype.kind not in "iu":
        raise DtypeError(f"bincount counts integers, not {x.dtype}")
    if values.size and values.min() < 0:
        raise IndexRangeError(f"bincount counts integers from 0 up, not {values.min()}")
    length = max(int(values.max(initial=0)) + 1 if values.size else 0, whole_number(minlength, "minlength"))
    new_shape(length)
    if weights is None:
        return asarray(np.bincount(values, minlength=length).astype(np.int64), like=x)
    weights = floating(tensor(weights, x.backend))
    if weights.shape != x.shape:
        raise ShapeError(f"weights of shape {weights.shape} do not fit x of shape {x.shape}")
    return scatter_(weights, (values.astype(np.int64),), (length,))
