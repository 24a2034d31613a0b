"""Arrays as sets: their different elements, and membership."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import one_axis
from unigrad.operations.arranging import along
from unigrad.operations.creation import asarray, astype, full
from unigrad.operations.elementwise import equal, logical_not, minimum
from unigrad.operations.indexing import getitem, sort, take_along_axis_
from unigrad.operations.reductions import any as any_over
from unigrad.operations.searching import searchsorted_
from unigrad.operations.shapes import concat, reshape
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import check_places, values_of
from unigrad.tensor.tensor import Tensor

__all__ = [
    "UniqueAll", "UniqueCounts", "UniqueInverse", "intersect1d", "isin", "setdiff1d", "setxor1d", "union1d", "unique",
    "unique_all", "unique_counts", "unique_inverse", "unique_values",
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
def unique(
    x: Array,
    /,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Tensor | tuple[Tensor, ...]:
    """The different elements of x in ascending order, or its different slices along ``axis``, as NumPy's ``unique``.

    With further results a tuple: where each first occurs, which of them each element is, and how often each occurs, all
    int64. All NaN count as one unless ``equal_nan`` is False. The values are x's own, at the first occurrences, and
    differentiable as such; ``sorted`` makes no difference.
    """
    x = asarray(x)
    number = None if axis is None else one_axis(axis, x.ndim)
    _, first, inverse, counts = np.unique(
        values_of(x), return_index=True, return_inverse=True, return_counts=True, axis=number, equal_nan=equal_nan
    )
    values = reshape(x, -1)[first] if number is None else getitem(x, along(number, first))
    wanted = ((return_index, first), (return_inverse, inverse), (return_counts, counts))
    further = [asarray(found.astype(np.int64), like=x) for asked, found in wanted if asked]
    return (values, *further) if further else values


def _different(x: Array) -> Tensor:
    found = unique(x)
    assert isinstance(found, Tensor)
    return found


@operation
def union1d(x1: Array, x2: Array, /) -> Tensor:
    """The different elements of both arrays in ascending order."""
    return _different(concat(tensors((x1, x2)), axis=None))


@operation
def intersect1d(
    x1: Array, x2: Array, /, assume_unique: bool = False, return_indices: bool = False
) -> Tensor | tuple[Tensor, Tensor, Tensor]:
    """The different elements that both arrays have, in ascending order: x1's own, and differentiable as such.

    With ``return_indices`` also where each first occurs in either flattened array. ``assume_unique`` makes no
    difference.
    """
    x1, x2 = (reshape(x, -1) for x in tensors((x1, x2)))
    check_places(x1, x2)
    _, first, second = np.intersect1d(values_of(x1), values_of(x2), return_indices=True)
    values = x1[first]
    if not return_indices:
        return values
    return values, asarray(first.astype(np.int64), like=x1), asarray(second.astype(np.int64), like=x1)


@operation
def setdiff1d(x1: Array, x2: Array, /, assume_unique: bool = False) -> Tensor:
    """The different elements of x1 that x2 does not have, in ascending order (``assume_unique``: all, in x1's)."""
    x1, x2 = tensors((x1, x2))
    x1 = reshape(x1, -1) if assume_unique else _different(x1)
    return x1[isin(x1, x2, invert=True)]


@operation
def setxor1d(x1: Array, x2: Array, /, assume_unique: bool = False) -> Tensor:
    """The different elements that one of the arrays has and the other does not, in ascending order."""
    x1, x2 = (_different(x) for x in tensors((x1, x2)))
    return sort(concat([x1[isin(x1, x2, invert=True)], x2[isin(x2, x1, invert=True)]]))


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
