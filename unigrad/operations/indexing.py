"""Selecting elements, with derivatives.

A *key* is the canonical form of what stands between the brackets, the same for every adapter: a tuple
of integers (from 0 up), ``slice`` objects (with a start and a stop within bounds and a step; one
with ``None`` three times selects everything; a stop of None with a negative step runs to the front),
``None`` and one-dimensional-or-more int64 NumPy arrays (from 0 up, within bounds). It names every axis.
Boolean masks have become index arrays. So nothing out of range ever reaches a framework.

Inside a program that is traced (jit, vmap, tf.function, ug.compile) an index array may have no values yet. Such a one
stands in the key as the framework's own array, of integers that have been counted from the front; whether they
are in range nobody can tell, and what is selected where they are not is the framework's to say.

Inside ``vmap`` an index array may differ along the batch. Such a key never comes to the primitives: the elements are
gathered by their positions in the flattened array, which are an array as any other.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.adapters.registry import backend_of
from unigrad.base.arguments import broadcast_shapes, one_axis
from unigrad.base.dtypes import int64
from unigrad.base.elsewhere import unknown_argument
from unigrad.base.errors import (
    ArgumentError,
    DtypeError,
    IndexRangeError,
    ShapeError,
    UnigradError,
    UnsupportedError,
)
from unigrad.base.words import EVERYTHING, Key, Shape
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, further, moved, repeated, rewrapped
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import add, clip, greater_equal, less, maximum, remainder, where
from unigrad.operations.shapes import broadcast_to, reshape
from unigrad.table import Array, Primitive, batched, jvp, operation, vjp
from unigrad.tape import Leaf, Node, Owned
from unigrad.tensor.levels import check_places, is_at_hand, is_known, is_wrapped, values_of_all
from unigrad.tensor.tensor import Tensor, tensor_method

__all__ = [
    "argsort", "sort", "take", "take_along_axis",
]  # fmt: skip


# --- primitives --------------------------------------------------------------------------------------


@primitive("indexing", dtypes="any")
def getitem_(x: Array, key: Key) -> Tensor:
    """x[key] by NumPy's rules, for a canonical key (see the module's docstring)."""


def _added_into(xp: Any, held: Any, g: Any, owned: Owned, node: Node, key: Key) -> bool:
    """A loop over the rows of an array would else bring as many arrays of its size."""
    found: bool | None = xp.added_at(held, g, key, owned[node])
    if found is None:
        return False
    owned[node] = found
    return True


vjp(getitem_, lambda xp, g, key, x_shape: xp.scatter(g, key, x_shape), into=_added_into)
jvp(getitem_, "linear")


def _getitem_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    (key,) = statics
    found: Tensor = moved(bound, bound.getitem(values[0], (EVERYTHING, *key)), leading(key), 0)
    return found


batched(getitem_, _getitem_of_batch)


@primitive("indexing", dtypes="any")
def scatter_(x: Array, key: Key, shape: Shape) -> Tensor:
    """Zeros of ``shape`` with x added at ``key``; an element that is selected twice gets both."""


vjp(scatter_, lambda xp, g, key: xp.getitem(g, key))
jvp(scatter_, "linear")


def _scatter_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    key, shape = statics
    found: Tensor = bound.scatter(moved(bound, values[0], 0, leading(key)), (EVERYTHING, *key), (size, *shape))
    return found


batched(scatter_, _scatter_of_batch)


@primitive("indexing", dtypes="any")
def setitem_(x: Array, value: Array, key: Key) -> Tensor:
    """A copy of x in which ``x[key]`` is ``value``, which has exactly that shape; no element is selected twice."""


vjp(
    setitem_,
    lambda xp, g, key, value_shape: xp.setitem(g, xp.getitem(g, key) * 0, key),
    lambda xp, g, key: xp.getitem(g, key),
)
jvp(setitem_, "linear")


def _setitem_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    (key,) = statics
    x, value = repeated(bound, values, mask, size)
    found: Tensor = bound.setitem(x, moved(bound, value, 0, leading(key)), (EVERYTHING, *key))
    return found


batched(setitem_, _setitem_of_batch)


@primitive("indexing", dtypes="any", promoted=())
def take_along_axis_(x: Array, indices: Array, axis: int) -> Tensor:
    """The elements of x at ``indices`` along an axis; the shapes agree on all others. Indices count from 0."""


vjp(
    take_along_axis_,
    lambda xp, g, indices, axis, x_shape: xp.scatter_along_axis(g, indices, axis, x_shape),
    lambda xp, g: None,
)
jvp(take_along_axis_, "linear")


def _take_along_axis_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    x, indices = values
    if mask[0] or x.ndim > 1:
        return further(bound, row, values, mask, size, statics)
    # Many look into one vector.
    found = bound.take_along_axis(x, bound.reshape(indices, (math.prod(indices.shape),)), 0)
    spread: Tensor = bound.reshape(found, indices.shape)
    return spread


batched(take_along_axis_, _take_along_axis_of_batch)


@primitive("indexing", dtypes="any", promoted=())
def scatter_along_axis_(x: Array, indices: Array, axis: int, shape: Shape) -> Tensor:
    """Zeros of ``shape`` with x added at ``indices`` along an axis."""


vjp(
    scatter_along_axis_,
    lambda xp, g, indices, axis: xp.take_along_axis(g, indices, axis),
    lambda xp, g: None,
)
jvp(scatter_along_axis_, "linear")
batched(scatter_along_axis_, "further")


@primitive("indexing", dtypes="real", result="int64")
def argsort_(x: Array, axis: int, descending: bool) -> Tensor:
    """The positions, as int64, that sort x along an axis; equal elements keep their order, NaN comes last."""


batched(argsort_, "further")


# --- canonical keys ----------------------------------------------------------------------------------


_REST = [(EVERYTHING,) * count for count in range(65)]


def _common_key(key: Any, shape: Shape) -> Key | None:
    """:func:`canonical_key` of what is written most, in one pass: integers in range, slices and None; else None."""
    if type(key) is int and shape and 0 <= key < shape[0]:
        return (key, *_REST[len(shape) - 1])
    ndim = len(shape)
    axis = 0
    found: list[Any] = []
    for entry in key if type(key) is tuple else (key,):
        if entry is None:
            found.append(None)
            continue
        if axis == ndim:
            return None
        kind = type(entry)
        size = shape[axis]
        if kind is slice:
            found.append(_slice(entry, size))
        elif kind is int and -size <= entry < size:
            found.append(entry if entry >= 0 else entry + size)
        else:
            return None
        axis += 1
    return (*found, *_REST[ndim - axis])


def canonical_key(key: Any, shape: Shape, beside: Tensor | None = None) -> tuple[Key, Shape]:
    """What stands between the brackets in canonical form; IndexRangeError if it selects what is not there, and
    OperationError if an array of indices lies where it cannot meet the one ``beside`` it, which is indexed.

    The key is for an array of the shape that is returned too: a single True or False selects all or nothing of
    an axis of size 1 that stands there before the others.
    """
    entries = list(key) if isinstance(key, tuple) else [key]
    if beside is not None:
        check_places(beside, *entries)
    entries = [_entry(entry) for entry in entries]
    used = sum(0 if entry is None or entry is Ellipsis else entry.ndim if _is_mask(entry) else 1 for entry in entries)
    dots = [position for position, entry in enumerate(entries) if entry is Ellipsis]
    if len(dots) > 1:
        raise ArgumentError("an index may contain '...' once")
    if used > len(shape):
        raise IndexRangeError(f"{used} indices for an array of {len(shape)} dimensions (shape {shape})")
    rest: list[Any] = [EVERYTHING] * (len(shape) - used)
    position = dots[0] if dots else len(entries)
    entries[position : position + 1] = rest
    found: list[Any] = []
    axis = 0
    for entry in entries:
        if entry is None:
            found.append(None)
        elif _is_mask(entry) and entry.ndim == 0:
            found.append(np.zeros(int(entry), np.int64))
            shape = (*shape[:axis], 1, *shape[axis:])
            axis += 1
        elif _is_mask(entry):
            found.extend(_mask(entry, shape, axis))
            axis += entry.ndim
        else:
            found.append(_one(entry, shape, axis))
            axis += 1
    return tuple(found), shape


def _is_mask(entry: Any) -> bool:
    return isinstance(entry, np.ndarray) and entry.dtype == bool


def is_array(entry: Any) -> bool:
    """Whether an entry of a canonical key is an array of indices."""
    return not (entry is None or isinstance(entry, (int, slice)))


def _entry(entry: Any) -> Any:
    """One part of a key as an int, a slice, None, Ellipsis, a NumPy array of integers or booleans, or, where nobody
    knows its values or they differ along a batch, a Tensor of integers."""
    if entry is None or entry is Ellipsis or isinstance(entry, (slice, int)):
        return np.asarray(entry) if isinstance(entry, bool) else entry
    if is_wrapped(entry):
        return _mapped_entry(entry)
    unknown = _unknown(entry)
    if unknown is not None:
        return unknown
    if isinstance(entry, np.bool_):
        return np.asarray(entry)
    if not isinstance(entry, (Tensor, np.ndarray)) or entry.ndim == 0:
        try:
            return operator.index(entry)
        except TypeError:
            pass

    try:
        array = entry.backend.to_numpy(entry._raw) if isinstance(entry, Tensor) else np.asarray(entry)
    except ValueError as error:
        raise ArgumentError(f"an index is one array, not {entry!r}: {error}") from error
    if array.size == 0 and not isinstance(entry, (Tensor, np.ndarray)):
        array = array.astype(np.int64)
    if array.dtype.kind not in "biu":
        raise DtypeError(
            f"an index is an integer, a slice, None, '...', or an array of integers or booleans, not {entry!r}"
        )
    return array


def _unknown(entry: Any) -> Tensor | None:
    """Indices whose values nobody knows, as an integer Tensor; None for all that Python can look at."""

    if not isinstance(entry, Tensor):
        if isinstance(entry, (np.ndarray, np.generic, list, tuple)) or backend_of(entry) is None:
            return None
        entry = asarray(entry)
    if entry.backend.is_at_hand(entry._raw):
        return None
    if entry.dtype.kind == "b":
        if entry.backend.is_known(entry._raw):
            return None  # how many elements a mask selects is asked for: it is computed
        raise UnsupportedError(
            f"backend {entry.backend.name!r}: how many elements a mask selects is not known while the framework "
            f"traces or maps the program (jit, vmap, tf.function, ug.compile); use ug.where(mask, x, 0)"
        )
    if entry.dtype.kind not in "iu":
        raise DtypeError(f"indices must be integers, not {entry.dtype}")
    return astype(entry, np.int64)


def _from_the_front(indices: Tensor, size: int) -> Tensor:
    return where(less(indices, 0), add(indices, size), indices)


def _mapped_entry(entry: Tensor) -> Tensor:
    if entry.dtype.kind == "b":
        raise UnsupportedError(
            "a mask that differs along the batch of a vmap selects another number of elements for each; "
            "choose with ug.where(mask, x, other)"
        )
    if entry.dtype.kind not in "iu":
        raise DtypeError(f"an array of indices holds integers or booleans, not {entry.dtype}")
    return entry


def _mask(mask: np.ndarray[Any, Any], shape: Shape, axis: int) -> list[Any]:
    sizes = shape[axis : axis + mask.ndim]
    # As NumPy has it, an empty mask may be empty along any of its axes.
    if any(size not in (0, own) for size, own in zip(mask.shape, sizes, strict=True)):
        raise IndexRangeError(f"a boolean index of shape {mask.shape} does not fit shape {shape} from axis {axis} on")
    return list(np.nonzero(mask))


def _slice(entry: slice, size: int) -> slice:
    """A slice of an axis, with a start and a stop within its bounds."""
    if entry.start is None and entry.stop is None and entry.step is None:
        return EVERYTHING
    try:
        start, stop, step = entry.indices(size)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"slice {entry}: {error}") from None
    if step == 1:
        return slice(start, stop, 1) if start < stop else slice(0, 0, 1)
    length = len(range(start, stop, step))
    if length == 0:
        return slice(0, 0, 1)
    # An exact stop; towards the front a stop of -1 would count from the end, so it is None.
    stop = start + (length - 1) * step + (1 if step > 0 else -1)
    return slice(start, None if stop < 0 else stop, step)


def _one(entry: Any, shape: Shape, axis: int) -> Any:
    size = shape[axis]
    if isinstance(entry, slice):
        return _slice(entry, size)
    if isinstance(entry, int):
        if not -size <= entry < size:
            raise IndexRangeError(f"index {entry} is out of range for axis {axis} of shape {shape}")
        return entry % size
    if is_wrapped(entry):
        return _bounded_of_all(entry, size, f"axis {axis} of shape {shape}")
    if not isinstance(entry, np.ndarray):
        return _from_the_front(entry, size)._raw
    return _bounded(entry, size, f"axis {axis} of shape {shape}")[0]


def _bounded(indices: np.ndarray[Any, Any], size: int, where_from: str) -> tuple[np.ndarray[Any, Any], bool]:
    """Indices as int64 counted from the front, and whether they were so before; IndexRangeError if one is beyond."""
    if indices.dtype.kind not in "biu":
        raise DtypeError(f"indices are integers, and not {indices.dtype}")
    array = indices.astype(np.int64, copy=False)
    # Seen as unsigned, a negative number is a very large one: one pass tells both bounds.
    if not array.size or array.view(np.uint64).max() < size:
        return array, True
    wrong = array[(array < -size) | (array >= size)]
    if wrong.size:
        raise IndexRangeError(f"index {wrong.ravel()[0]} in an index array is out of range for {where_from}")
    return np.where(array < 0, array + size, array), False


def _bounded_of_all(indices: Tensor, size: int, where_from: str) -> Tensor:
    """:func:`_bounded` for indices that differ along a batch."""
    # While a framework traces a program, or does not compute yet, there are no values to check.
    known = is_at_hand(indices)
    canonical = known and _bounded(values_of_all(indices), size, where_from)[1]
    indices = astype(indices, np.int64, copy=False)
    return indices if canonical else _from_the_front(indices, size)


def leading(key: tuple[Any, ...]) -> int:
    """How many axes the index arrays of a canonical key put in front of all others, as NumPy does if a slice or a new
    axis stands between them; otherwise 0."""
    arrays = [len(entry.shape) for entry in key if is_array(entry)]
    places = [place for place, entry in enumerate(key) if isinstance(entry, int) or is_array(entry)]
    return max(arrays) if arrays and places[-1] - places[0] >= len(places) else 0


def positions_of(key: Key, shape: Shape) -> Tensor:
    """Where in the flattened array the elements of x[key] stand, for index arrays that differ along a batch."""
    differing = [asarray(entry) if is_array(entry) and not isinstance(entry, np.ndarray) else None for entry in key]
    plain = tuple(
        entry if array is None else np.zeros(array.shape, np.int64) if array.ndim else 0
        for entry, array in zip(key, differing, strict=True)
    )
    strides = [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
    total: Any = np.arange(math.prod(shape)).reshape(shape)[plain]
    # The axes of the index arrays stand in front, or where the first of them does.
    arrays = max((entry.ndim for entry in plain if isinstance(entry, np.ndarray)), default=0)
    first = next(place for place, entry in enumerate(plain) if isinstance(entry, (int, np.ndarray)))
    behind = total.ndim - arrays - (0 if leading(plain) else first)
    axis = 0
    for entry, array in zip(key, differing, strict=True):
        if array is not None:
            aligned = reshape(array, (*array.shape, *(1,) * behind)) if array.ndim else array
            total = aligned * strides[axis] + asarray(total, like=array)
        axis += entry is not None
    found: Tensor = total
    return found


def selected_shape(key: Key, shape: Shape) -> Shape:
    """The shape of x[key], found without touching any element."""
    key = tuple([np.zeros(entry.shape, np.int64) if is_array(entry) else entry for entry in key])
    return np.broadcast_to(np.empty((), np.bool_), shape)[key].shape


def check_arrays(key: Key) -> bool:
    """ShapeError unless the index arrays fit together; whether one of them differs along a batch."""
    arrays = [entry for entry in key if is_array(entry)]
    if len(arrays) > 1:
        broadcast_shapes([tuple(array.shape) for array in arrays])
    return any(map(is_wrapped, arrays))


# --- public ------------------------------------------------------------------------------------------


@tensor_method("__getitem__")
def getitem(x: Tensor, key: Any) -> Tensor:
    """x[key]: a value, which changes with no other. Integers, slices, None, '...', integer and boolean arrays."""
    shape = x.shape
    common = _common_key(key, shape)
    if common is not None:
        found: Tensor = x._getitem_(common)  # type: ignore[attr-defined]
        return found
    canonical, shape = canonical_key(key, shape, x)
    differs = check_arrays(canonical)
    if len(shape) != x.ndim:
        x = reshape(x, shape)
    return _gather(x, canonical) if differs else getitem_(x, canonical)


def _gather(x: Tensor, key: Key) -> Tensor:
    positions = positions_of(key, x.shape)
    return reshape(take_along_axis_(reshape(x, -1), reshape(positions, -1), 0), positions.shape)


@tensor_method("__setitem__")
def _setitem(self: Tensor, key: Any, value: Any) -> None:
    buffer = self._writable() if type(self._node) is Leaf else None
    self._become(setitem(self, key, value), buffer)


def become(x: Tensor, new: Tensor) -> None:
    """Have x hold ``new``, of its shape and dtype, as if written with ``x[...] = new``."""
    x._become(new, x._writable() if type(x._node) is Leaf else None)


def setitem(x: Tensor, key: Any, value: Array) -> Tensor:
    """A copy of x in which ``x[key]`` is ``value``, broadcast and cast to x's dtype; of duplicates the last wins."""
    value = asarray(value, dtype=x.dtype, like=x)
    mask = _unknown_mask(key)
    if mask is not None:
        return _set_where(x, mask, value)
    canonical, stretched = canonical_key(key, x.shape, x)
    differs = check_arrays(canonical)
    if len(stretched) != x.ndim:
        return reshape(_set(reshape(x, stretched), canonical, value, differs), x.shape)
    return _set(x, canonical, value, differs)


_LOOKED_AT = (int, slice, list, tuple, np.ndarray, np.generic)


def _unknown_mask(key: Any) -> Tensor | None:
    """The mask that a key is, if it differs along a batch or nobody knows its values."""
    if type(key) is tuple and len(key) == 1:
        (key,) = key
    if not isinstance(key, Tensor):
        if key is None or isinstance(key, _LOOKED_AT) or backend_of(key) is None:
            return None
        key = asarray(key)
    return key if key.dtype.kind == "b" and (is_wrapped(key) or not is_known(key)) else None


def _set_where(x: Tensor, mask: Tensor, value: Tensor) -> Tensor:
    """By such a mask, under which every row gets the same value."""
    if mask.shape != x.shape[: mask.ndim]:
        raise IndexRangeError(f"a boolean index of shape {mask.shape} does not fit shape {x.shape} from axis 0 on")
    row = x.shape[mask.ndim :]
    if value.size == 1:
        value = reshape(value, ())
    if value.ndim > len(row):
        raise UnsupportedError(
            f"a mask whose values are not known, or differ along the batch of a vmap, selects any number of rows, "
            f"which values of shape {value.shape} cannot fit; choose with ug.where(mask, values, x)"
        )
    return where(reshape(mask, (*mask.shape, *(1,) * len(row))), broadcast_to(value, row), x)


def _set(x: Tensor, key: Key, value: Tensor, differs: bool) -> Tensor:
    positions = positions_of(key, x.shape) if differs else None
    shape = selected_shape(key, x.shape) if positions is None else positions.shape
    if broadcast_shapes([value.shape, shape]) != shape and value.size != 1:
        raise ShapeError(f"a value of shape {value.shape} cannot be assigned to a selection of shape {shape}")
    value = broadcast_to(reshape(value, ()) if value.size == 1 else value, shape)
    if positions is not None:
        return _set_positions(x, reshape(positions, -1), reshape(value, -1))
    arrays = [entry for entry in key if is_array(entry)]
    if all(not isinstance(entry, np.ndarray) and not len(entry.shape) for entry in arrays):
        return setitem_(x, value, key)  # which selects no element twice
    if not all(isinstance(entry, np.ndarray) for entry in arrays):
        if all(isinstance(entry, np.ndarray) or x.backend.is_known(entry) for entry in arrays):
            return _set(x, _computed(key, x), value, differs)
        raise UnsupportedError(
            f"backend {x.backend.name!r}: which elements are written last is not known while the framework traces or "
            f"maps the program (jit, vmap, tf.function, ug.compile); write at one index at a time, or use ug.where"
        )
    winner = _winners(np.arange(x.size).reshape(x.shape)[key].reshape(1, -1), x.size)[0]
    if winner.max(initial=-1) < 0:
        return x
    chosen = getitem(reshape(value, -1), np.maximum(winner, 0))
    return where(asarray(winner.reshape(x.shape) >= 0, like=x), reshape(chosen, x.shape), x)


def _computed(key: Key, x: Tensor) -> Key:
    """A key whose index arrays are not computed yet, computed: of duplicates the last is written."""
    found, axis = [], 0
    for entry in key:
        if is_array(entry) and not isinstance(entry, np.ndarray):
            where_from = f"axis {axis} of shape {x.shape}"
            found.append(_bounded(x.backend.to_numpy(entry), x.shape[axis], where_from)[0])
        else:
            found.append(entry)
        axis += entry is not None
    return tuple(found)


def _set_positions(x: Tensor, positions: Tensor, value: Tensor) -> Tensor:
    """The same for positions in the flattened array that differ along a batch."""
    if not positions.size:
        return x
    places = values_of_all(positions)
    found = _winners(places.reshape(-1, places.shape[-1]), x.size).reshape(*places.shape[:-1], x.size)
    winner = rewrapped(asarray(found, like=positions), positions)
    chosen = take_along_axis_(value, maximum(winner, 0), 0)
    return reshape(where(greater_equal(winner, 0), chosen, reshape(x, -1)), x.shape)


def _winners(positions: np.ndarray[Any, Any], size: int) -> np.ndarray[Any, Any]:
    """In each row: which of the positions names each of ``size`` places, the last one that does, or -1."""
    winners = np.full((len(positions), size), -1)
    winners[np.arange(len(positions))[:, None], positions] = np.arange(positions.shape[1])
    return winners


def _checked_indices(indices: Array, axis: int, like: Tensor) -> tuple[np.ndarray[Any, Any], bool]:
    """What :func:`_bounded` gives for anything that may be an array of known indices."""
    check_places(like, indices)
    array = np.asarray(_entry(indices))
    if array.dtype == bool:
        raise DtypeError("indices must be integers, not booleans; select with x[mask] instead")
    return _bounded(array, like.shape[axis], f"axis {axis} of shape {like.shape}")


def counted_round(indices: Array, size: int, mode: str) -> Array:
    """Indices beyond an axis of ``size`` brought into it: counted round (``"wrap"``) or to its ends (``"clip"``).

    As they are for ``"raise"``, which leaves it to whoever selects to refuse them; ArgumentError for other modes.
    """
    if mode == "raise":
        return indices
    if mode not in ("wrap", "clip"):
        raise ArgumentError(f"mode={mode!r} is not known; use 'raise', 'wrap' or 'clip'")
    indices = asarray(indices)
    return remainder(indices, size) if mode == "wrap" else clip(indices, 0, size - 1)


@operation
def take(x: Array, indices: Array, /, axis: int | None = None, *, mode: str = "raise") -> Tensor:
    """The slices of x at ``indices`` along ``axis``, which only a one-dimensional array may leave out.

    An index that is not there is an IndexRangeError, counts round (``mode="wrap"``) or means the end (``"clip"``).
    """
    x = asarray(x)
    if axis is None:
        if x.ndim != 1:
            raise ArgumentError(f"take from a {x.ndim}-dimensional array needs axis=")
        axis = 0
    number = one_axis(axis, x.ndim)
    indices = counted_round(indices, x.shape[number], mode)
    if is_wrapped(indices):
        return getitem(x, (EVERYTHING,) * number + (indices,))
    unknown = _unknown(indices)
    entry: Any
    before, behind = _REST[number], _REST[x.ndim - number - 1]
    if unknown is not None:
        entry = _from_the_front(unknown, x.shape[number])._raw
    else:
        if checked_by_framework("getitem", indices, x) and indices.ndim == 1:
            try:
                return getitem_(x, (*before, indices._raw, *behind))
            except UnigradError:
                pass  # one that counts from the end, or that is not there
        chosen, _ = _checked_indices(indices, number, x)
        entry = int(chosen) if chosen.ndim == 0 else chosen
    return getitem_(x, (*before, entry, *behind))


def checked_by_framework(primitive: str, indices: Array, x: Tensor) -> bool:
    """Whether they are positions for which the backend itself raises where one is not from 0 up and there."""
    return (
        type(indices) is type(x) is x._plain
        and primitive in x.backend.bounds_checked
        and indices._dtype is int64
        and indices.device == "cpu"
    )


@operation
def take_along_axis(x: Array, indices: Array, /, axis: int = -1) -> Tensor:
    """The elements of x at ``indices`` along ``axis``; all other axes broadcast against each other."""
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    unknown = None if is_wrapped(indices) else _unknown(indices)
    chosen: Any
    if is_wrapped(indices):
        chosen = _bounded_of_all(_mapped_entry(indices), x.shape[number], f"axis {number} of shape {x.shape}")
        canonical = False
    elif unknown is not None:
        chosen, canonical = _from_the_front(unknown, x.shape[number]), False
    else:
        chosen, canonical = _checked_indices(indices, number, x)
    if chosen.ndim != x.ndim:
        raise ShapeError(f"indices of shape {chosen.shape} need as many dimensions as x, whose shape is {x.shape}")
    common = list(broadcast_shapes([_without(x.shape, number), _without(chosen.shape, number)]))
    common[number] = x.shape[number]
    x = x if x.shape == tuple(common) else broadcast_to(x, tuple(common))
    common[number] = chosen.shape[number]
    if canonical and type(indices) is type(x) and indices.shape == tuple(common) and indices.dtype == np.int64:
        return take_along_axis_(x, indices, number)  # as they are, where they are
    known = isinstance(chosen, np.ndarray)
    stretched = asarray(np.broadcast_to(chosen, common), like=x) if known else broadcast_to(chosen, tuple(common))
    return take_along_axis_(x, stretched, number)


def _without(shape: Shape, axis: int) -> Shape:
    return (*shape[:axis], 1, *shape[axis + 1 :])


@operation
def argsort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True, **elsewhere: Any) -> Tensor:
    """The positions that sort x along ``axis``, int64; always stable, NaN last."""
    if elsewhere:
        raise unknown_argument("argsort", elsewhere)
    x = asarray(x)
    return argsort_(x, one_axis(axis, x.ndim), descending)


@operation
def sort(x: Array, /, axis: int = -1, *, descending: bool = False, stable: bool = True, **elsewhere: Any) -> Tensor:
    """x in order along ``axis``; always stable, NaN last. Of equal elements each keeps its own gradient."""
    if elsewhere:
        raise unknown_argument("sort", elsewhere)
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    return take_along_axis_(x, argsort_(x, number, descending), number)
