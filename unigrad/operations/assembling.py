"""Arrays put together from others, and taken apart, under the names that NumPy has for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base.arguments import new_shape, one_axis, whole_number
from unigrad.base.errors import ArgumentError, AxisError, DtypeError, IndexRangeError, ShapeError
from unigrad.operations.arranging import along, atleast_1d, lined_up, split
from unigrad.operations.creation import asarray, full
from unigrad.operations.indexing import getitem
from unigrad.operations.shapes import broadcast_to, concat, moveaxis, reshape
from unigrad.operations.triangles import diag
from unigrad.table import Array, operation
from unigrad.tensor.coercion import plain_numbers, tensors
from unigrad.tensor.levels import check_places, values_of
from unigrad.tensor.tensor import Tensor

__all__ = [
    "append", "block", "column_stack", "delete", "diagflat", "dsplit", "hsplit", "insert", "resize", "rollaxis",
    "trim_zeros", "vsplit",
]  # fmt: skip


# --- joining -------------------------------------------------------------------------------------------


@operation
def append(x: Array, values: Array, /, axis: int | None = None) -> Tensor:
    """``values`` behind x along ``axis``; None: both flattened."""
    return concat(tensors((x, values)), axis=axis)


@operation
def column_stack(arrays: Sequence[Array], /) -> Tensor:
    """Arrays beside each other along the second axis, vectors as columns."""
    found = [atleast_1d(array) for array in tensors(arrays)]
    return concat([reshape(array, (-1, 1)) if array.ndim == 1 else array for array in found], axis=1)


@operation
def block(arrays: Any, /) -> Tensor:
    """A nested list of arrays as one: the innermost lists along the last axis, those around them along the one before.

    ArgumentError if a list is empty or the lists are not equally deep.
    """
    depths = set(_depths(arrays))
    if len(depths) != 1:
        raise ArgumentError(f"block needs lists that are equally deep everywhere, not {sorted(depths)} deep")
    leaves = _leaves(arrays)
    found = iter(tensors(leaves))
    depth = depths.pop()
    return _blocks(arrays, depth, found, max([depth, *[np.ndim(leaf) for leaf in leaves]]))


def _depths(arrays: Any) -> list[int]:
    if not isinstance(arrays, list):
        return [0]
    if not arrays:
        raise ArgumentError("block cannot make an array of an empty list")
    return [1 + depth for item in arrays for depth in _depths(item)]


def _leaves(arrays: Any) -> list[Any]:
    return [leaf for item in arrays for leaf in _leaves(item)] if isinstance(arrays, list) else [arrays]


def _blocks(arrays: Any, depth: int, leaves: Any, ndim: int) -> Tensor:
    if isinstance(arrays, list):
        return concat([_blocks(item, depth - 1, leaves, ndim) for item in arrays], axis=ndim - depth)
    leaf: Tensor = next(leaves)
    return reshape(leaf, (1,) * (ndim - leaf.ndim) + leaf.shape)


@operation
def diagflat(x: Array, /, k: int = 0) -> Tensor:
    """The matrix of zeros that has the flattened array on its diagonal ``k``."""
    return diag(reshape(x, -1), k)


# --- changing the size ---------------------------------------------------------------------------------


@operation
def insert(x: Array, indices: Any, values: Array, /, axis: int | None = None) -> Tensor:
    """x with ``values``, cast to its dtype, in front of the positions ``indices`` along ``axis`` (None: flattened).

    ``indices`` is an integer, a slice, or a list of integers or of truth values; they count in x as it was.
    IndexRangeError for one that is not there, ShapeError for values that do not fit.
    """
    x, number = lined_up(x, axis)
    size = x.shape[number]
    check_places(x, indices)
    places = _positions("insert", indices, size, size + 1)
    values = asarray(values, dtype=x.dtype, like=x)
    if places.size == 1:
        # All values go to one place; NumPy lines them up from the front if that is no list.
        values = reshape(values, (1,) * (x.ndim - values.ndim) + values.shape)
        values = values if places.ndim else moveaxis(values, 0, number)
        places = np.repeat(places, values.shape[number] if values.ndim == x.ndim else 1)
    shape = (*x.shape[:number], places.size, *x.shape[number + 1 :])
    values = broadcast_to(values, shape)
    order = np.argsort(places, kind="stable")
    new = places[order] + np.arange(places.size)
    source = np.empty(size + places.size, np.int64)
    source[new] = size + order
    source[np.setdiff1d(np.arange(source.size), new)] = np.arange(size)
    return getitem(concat([x, values], axis=number), along(number, source))


@operation
def delete(x: Array, indices: Any, /, axis: int | None = None) -> Tensor:
    """x without the positions ``indices`` along ``axis`` (None: of the flattened array).

    ``indices`` is an integer, a slice, or a list of integers or of truth values. IndexRangeError for one that is not
    there.
    """
    x, number = lined_up(x, axis)
    size = x.shape[number]
    keep = np.ones(size, bool)
    check_places(x, indices)
    keep[_positions("delete", indices, size, size)] = False
    return getitem(x, along(number, np.flatnonzero(keep)))


def _positions(name: str, indices: Any, size: int, limit: int) -> np.ndarray[Any, Any]:
    """Positions along an axis of ``size``, counted from the front, each below ``limit``."""
    if isinstance(indices, slice):
        return np.arange(size)[indices]
    found = values_of(indices) if isinstance(indices, Tensor) else plain_numbers(indices, "indices")
    if found.dtype == bool:
        if found.shape != (size,):
            raise IndexRangeError(f"{name}: truth values of shape {found.shape} do not fit an axis of size {size}")
        return np.flatnonzero(found)
    if found.dtype.kind not in "iu" and found.size:
        raise DtypeError(f"{name}: positions are integers, not {found.dtype}")
    if found.ndim > 1:
        raise ShapeError(f"{name}: positions are an integer or a vector, not of shape {found.shape}")
    wrong = found[(found < -size) | (found >= limit)]
    if wrong.size:
        raise IndexRangeError(f"{name}: position {wrong[0]} is out of range for an axis of size {size}")
    found = found.astype(np.int64)
    return np.where(found < 0, found + size, found)


@operation
def resize(x: Array, new_size: int | Sequence[int], /) -> Tensor:
    """The elements in C order, again and again, until an array of shape ``new_size`` is full; zeros if x has none."""
    x, shape = asarray(x), new_shape(new_size)
    if not x.size:
        return full(shape, 0, dtype=x.dtype, like=x)
    return reshape(getitem(reshape(x, -1), np.arange(np.prod(shape, dtype=int)) % x.size), shape)


@operation
def trim_zeros(x: Array, /, trim: str = "fb") -> Tensor:
    """A vector without the zeros in front (``"f"`` in ``trim``) and at its end (``"b"``)."""
    x = asarray(x)
    if x.ndim != 1:
        raise ShapeError(f"trim_zeros takes a vector, not shape {x.shape}")
    if not isinstance(trim, str) or trim.lower() not in ("f", "b", "fb", "bf"):
        raise ArgumentError(f"trim_zeros knows 'f', 'b' and 'fb', not {trim!r}")
    kept = np.flatnonzero(values_of(x))
    first, last = (kept[0], kept[-1]) if kept.size else (x.size, x.size - 1)
    return x[slice(int(first) if "f" in trim.lower() else 0, int(last) + 1 if "b" in trim.lower() else x.size)]


# --- taking apart, and moving axes ----------------------------------------------------------------------


def _split_along(name: str, x: Array, sections: int | Sequence[int], axis: int, least: int) -> tuple[Tensor, ...]:
    x = asarray(x)
    if x.ndim < least:
        raise ShapeError(f"{name} needs {least} or more dimensions, not shape {x.shape}")
    return split(x, sections, axis=axis)


@operation
def vsplit(x: Array, /, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """:func:`split` along the first axis of an array that has two."""
    return _split_along("vsplit", x, indices_or_sections, 0, 2)


@operation
def hsplit(x: Array, /, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """:func:`split` along the second axis; of a vector along its only one."""
    x = asarray(x)
    return _split_along("hsplit", x, indices_or_sections, 1 if x.ndim > 1 else 0, 1)


@operation
def dsplit(x: Array, /, indices_or_sections: int | Sequence[int]) -> tuple[Tensor, ...]:
    """:func:`split` along the third axis."""
    return _split_along("dsplit", x, indices_or_sections, 2, 3)


@operation
def rollaxis(x: Array, /, axis: int, start: int = 0) -> Tensor:
    """The axis moved back until it stands before the one that was at ``start``; the others keep their order."""
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    start = whole_number(start, "start")
    if not -x.ndim <= start <= x.ndim:
        raise AxisError(
            f"start {start} is out of range for an array of {x.ndim} dimensions; use one from 0 to {x.ndim}"
        )
    start += x.ndim if start < 0 else 0
    return moveaxis(x, number, start - (number < start))
