"""Arrays as sets: their different elements, and membership."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unigrad.base import dtypes
from unigrad.operations.creation import asarray, astype, full
from unigrad.operations.elementwise import equal, logical_not, minimum
from unigrad.operations.indexing import getitem, sort, take_along_axis_
from unigrad.operations.reductions import any as any_over
from unigrad.operations.searching import searchsorted_
from unigrad.operations.shapes import reshape
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import values_of
from unigrad.tensor.tensor import Tensor

__all__ = [
    "UniqueAll", "UniqueCounts", "UniqueInverse", "isin", "unique_all", "unique_counts", "unique_inverse",
    "unique_values",
]  # fmt: skip


class UniqueAll(NamedTuple):
    """What :func:`unique_all` returns."""

    values: Tensor
    indices: Tensor
    inverse_indices: Tensor
    counts: Tensor


class UniqueCounts(NamedTuple):
    """What :func:`unique_counts` returns."""

    values: Tensor
    counts: Tensor


class UniqueInverse(NamedTuple):
    """What :func:`unique_inverse` returns."""

    values: Tensor
    inverse_indices: Tensor


@operation
def unique_all(x: Array, /) -> UniqueAll:
    """The different elements of x in ascending order, where each first occurs in the flattened array, for each
    element of x which of them it is, and how often each occurs. All positions and counts are int64.

    Every NaN is different from all others. The values are x's own, at the first occurrences, and
    differentiable as such; how many there are depends on the values, so these are read.
    """
    x = asarray(x)
    flat = values_of(reshape(x, -1))
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    new = np.ones(flat.shape, bool)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    first = order[starts]
    inverse = np.empty(flat.shape, np.int64)
    inverse[order] = np.cumsum(new) - 1
    counts = np.diff(np.append(starts, flat.size))
    indices, places, numbers = (
        asarray(found.astype(np.int64), like=x) for found in (first, inverse.reshape(x.shape), counts)
    )
    return UniqueAll(getitem(reshape(x, -1), first), indices, places, numbers)


@operation
def unique_counts(x: Array, /) -> UniqueCounts:
    """The values and counts of :func:`unique_all`."""
    found = unique_all(x)
    return UniqueCounts(found.values, found.counts)


@operation
def unique_inverse(x: Array, /) -> UniqueInverse:
    """The values and inverse indices of :func:`unique_all`."""
    found = unique_all(x)
    return UniqueInverse(found.values, found.inverse_indices)


@operation
def unique_values(x: Array, /) -> Tensor:
    """The values of :func:`unique_all`."""
    return unique_all(x).values


@operation
def isin(x1: Array, x2: Array, /, *, invert: bool = False) -> Tensor:
    """Whether each element of x1 equals one of x2 (``invert``: none of them). NaN equals nothing."""
    x1, x2 = tensors((x1, x2))
    wanted = reshape(x1, -1)
    members = reshape(x2, -1)
    if not members.size:
        return full(x1.shape, invert, dtype=dtypes.bool_, like=x1)
    if "c" in (x1.dtype.kind, x2.dtype.kind):
        found = any_over(equal(reshape(wanted, (-1, 1)), reshape(members, (1, -1))), axis=1)
    else:
        if members.dtype.kind == "b":
            members = astype(members, dtypes.uint8)
        members = sort(members.detach())
        wanted = astype(wanted, members.dtype) if wanted.dtype.kind == "b" else wanted
        # The first member that is not smaller; behind the last one there is none.
        places = minimum(searchsorted_(members, wanted, False), members.size - 1)
        found = equal(take_along_axis_(members, places, 0), wanted)
    return reshape(logical_not(found) if invert else found, x1.shape)
