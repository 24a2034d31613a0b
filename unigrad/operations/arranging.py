"""Repeating, rolling, splitting and lining up arrays: functions over the primitives of :mod:`.shapes`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base import arguments
from unigrad.base.arguments import listed, many_axes, one_axis, whole_number
from unigrad.base.errors import ArgumentError, AxisError, DtypeError, ShapeError
from unigrad.base.words import Shape
from unigrad.operations.creation import asarray
from unigrad.operations.indexing import getitem
from unigrad.operations.shapes import broadcast_to_, concat, flip_, permute_dims_, reshape, reshape_
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import check_places, values_of
from unigrad.tensor.tensor import Tensor

__all__ = [
    "array_split", "atleast_1d", "atleast_2d", "atleast_3d", "broadcast_shapes", "dstack", "fliplr", "flipud",
    "hstack", "meshgrid", "ravel", "repeat", "roll", "rot90", "split", "swapaxes", "tile", "unstack", "vstack",
]  # fmt: skip


def along(axis: int, entry: Any) -> tuple[Any, ...]:
    """The key that selects ``entry`` along one axis and everything along all before it."""
    return (slice(None),) * axis + (entry,)


def lined_up(x: Array, axis: int | None) -> tuple[Tensor, int]:
    """x and its axis counted from the front; None: the flattened array and its only axis."""
    x = asarray(x)
    return (reshape(x, -1), 0) if axis is None else (x, one_axis(axis, x.ndim))


def broadcast_shapes(*shapes: Sequence[int]) -> Shape:
    """The common shape of several, by NumPy's rule; ShapeError if there is none, () without any."""
    return arguments.broadcast_shapes([arguments.new_shape(shape) for shape in shapes])


def _count(number: Any, what: str) -> int:
    count = whole_number(number, what)
    if count < 0:
        raise ArgumentError(f"{what} must be 0 or more, not {count}")
    return count


# --- repeating -----------------------------------------------------------------------------------------


def _spread(x: Tensor, axis: int, count: int, inner: bool) -> Tensor:
    """Every element ``count`` times along an axis: one after the other (``inner``), or the whole again and again."""
    if count == 1:
        return x
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    # In four groups of axes, as many as any framework broadcasts.
    outer, rest = int(np.prod(before, dtype=int)), int(np.prod(after, dtype=int))
    shape = (outer, size, 1, rest) if inner else (outer, 1, size, rest)
    wide = (outer, size, count, rest) if inner else (outer, count, size, rest)
    return reshape_(broadcast_to_(reshape_(x, shape), wide), (*before, size * count, *after))


@operation
def repeat(x: Array, repeats: Array, /, axis: int | None = None) -> Tensor:
    """Each element ``repeats`` times, one after the other, along ``axis`` (None: of the flattened array).

    ``repeats`` is an integer or a vector of them, one for each position; the values of a vector decide the
    shape, so they are read. Raises ShapeError if there are not as many as positions.
    """
    x = asarray(x)
    if axis is None:
        x, axis = reshape(x, -1), 0
    number = one_axis(axis, x.ndim)
    if isinstance(repeats, (int, np.integer)):
        return _spread(x, number, _count(repeats, "repeats"), inner=True)
    check_places(x, repeats)
    counts = values_of(asarray(repeats))
    if counts.dtype.kind not in "iu" and counts.size:
        raise DtypeError(f"repeats must be integers, not {counts.dtype}")
    if counts.ndim > 1 or (counts.ndim == 1 and counts.size not in (1, x.shape[number])):
        raise ShapeError(
            f"repeats of shape {counts.shape} does not fit axis {number} of shape {x.shape}; "
            f"pass an integer or {x.shape[number]} of them"
        )
    if (counts < 0).any():
        raise ArgumentError(f"repeats must be 0 or more, not {counts.min()}")
    return getitem(x, along(number, np.repeat(np.arange(x.shape[number]), counts.astype(np.int64))))


@operation
def tile(x: Array, repetitions: int | Sequence[int], /) -> Tensor:
    """The whole array ``repetitions`` times along each axis; what is missing on either side counts as 1."""
    x = asarray(x)
    listed = repetitions if isinstance(repetitions, (tuple, list)) else (repetitions,)
    counts = [_count(number, "repetitions") for number in listed]
    ndim = max(x.ndim, len(counts))
    if x.ndim < ndim:
        x = reshape_(x, (1,) * (ndim - x.ndim) + x.shape)
    for axis, count in enumerate(counts, ndim - len(counts)):
        x = _spread(x, axis, count, inner=False)
    return x


@operation
def roll(x: Array, /, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """The elements moved on by ``shift`` along ``axis`` (None: of the flattened array); the last become the first."""
    x = asarray(x)
    if axis is None:
        if isinstance(shift, (tuple, list)):
            raise ArgumentError(f"roll by several shifts {tuple(shift)} needs as many axes")
        return reshape(roll(reshape(x, -1), shift, axis=0), x.shape)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,) * len(axes)
    if len(shifts) != len(axes):
        raise ArgumentError(f"roll needs one shift or as many as axes, not {tuple(shifts)} for {tuple(axes)}")
    for number, by in zip(axes, shifts, strict=True):
        number = one_axis(number, x.ndim)
        size = x.shape[number]
        by = whole_number(by, "shift")
        first = -by % size if size else 0
        if first:
            # Of two copies in a row, so that the shapes, which JAX compiles for, are those of every shift.
            x = getitem(concat([x, x], axis=number), along(number, slice(first, first + size)))
    return x


# --- taking apart ----------------------------------------------------------------------------------------


@operation
def unstack(x: Array, /, axis: int = 0) -> tuple[Tensor, ...]:
    """The slices along ``axis``, without it: the reverse of :func:`unigrad.stack`."""
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    return tuple(getitem(x, along(number, position)) for position in range(x.shape[number]))


_MOST_PARTS = 2**24


def _parts(x: Tensor, sections: int | Sequence[int], axis: int, even: bool) -> tuple[Tensor, ...]:
    number = one_axis(axis, x.ndim)
    size = x.shape[number]
    if isinstance(sections, (tuple, list)):
        bounds = [whole_number(bound, "a bound") for bound in sections]
    else:
        count = _count(sections, "the number of parts")
        if not count or (even and size % count):
            raise ArgumentError(
                f"axis {number} of shape {x.shape} has no {count} equal parts; use a divisor or array_split"
            )
        # The first ones are one longer where it does not come out even.
        longer = size % count
        if count > _MOST_PARTS:
            raise ArgumentError(f"{count} parts are more than any memory holds")
        bounds = [part * (size // count) + min(part, longer) for part in range(1, count)]
    return tuple(
        getitem(x, along(number, slice(start, stop))) for start, stop in zip([0, *bounds], [*bounds, size], strict=True)
    )


@operation
def split(x: Array, /, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """``indices_or_sections`` equal parts along ``axis``, or the parts between the positions that it lists."""
    return _parts(asarray(x), indices_or_sections, axis, even=True)


@operation
def array_split(x: Array, /, indices_or_sections: int | Sequence[int], axis: int = 0) -> tuple[Tensor, ...]:
    """As :func:`split`, but the parts need not be equal: the first ones are one longer."""
    return _parts(asarray(x), indices_or_sections, axis, even=False)


# --- lining up -------------------------------------------------------------------------------------------


@operation
def meshgrid(*arrays: Array, indexing: str = "xy") -> tuple[Tensor, ...]:
    """Each vector along an axis of its own, repeated to the shape of all; ``"xy"`` exchanges the first two axes."""
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"indexing={indexing!r} is not known; use 'xy' or 'ij'")
    found = [reshape(array, -1) if not array.ndim else array for array in tensors(arrays)] if arrays else []
    wrong = next((array.shape for array in found if array.ndim > 1), None)
    if wrong is not None:
        raise ShapeError(f"meshgrid takes vectors, not an array of shape {wrong}")
    axes = list(range(len(found)))
    if indexing == "xy" and len(found) > 1:
        axes[:2] = 1, 0
    shape = [0] * len(found)
    for axis, array in zip(axes, found, strict=True):
        shape[axis] = array.size
    return tuple(
        broadcast_to_(
            reshape_(array, tuple(array.size if other == axis else 1 for other in range(len(found)))), tuple(shape)
        )
        for axis, array in zip(axes, found, strict=True)
    )


@operation
def ravel(x: Array, /) -> Tensor:
    """The elements in C order as a vector."""
    return reshape(x, -1)


@operation
def swapaxes(x: Array, axis1: int, axis2: int, /) -> Tensor:
    """Two axes exchanged."""
    x = asarray(x)
    order = list(range(x.ndim))
    first, second = one_axis(axis1, x.ndim, "axis1"), one_axis(axis2, x.ndim, "axis2")
    order[first], order[second] = order[second], order[first]
    return permute_dims_(x, tuple(order))


@operation
def rot90(x: Array, /, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Turned by 90 degrees ``k`` times, from the first of two axes towards the second."""
    x = asarray(x)
    axes = tuple(listed(axes, "axes"))
    if len(axes) != 2:
        raise AxisError(f"rot90 turns in two axes, not {tuple(axes)}")
    many_axes(tuple(axes), x.ndim)  # which refuses the same axis twice
    first, second = (one_axis(axis, x.ndim) for axis in axes)
    k = whole_number(k, "k") % 4
    if k == 2:
        return flip_(x, tuple(sorted((first, second))))
    if k == 1:
        return swapaxes(flip_(x, (second,)), first, second)
    return flip_(swapaxes(x, first, second), (second,)) if k else x


def _flipped(name: str, x: Array, axis: int) -> Tensor:
    x = asarray(x)
    if x.ndim <= axis:
        raise ShapeError(f"{name} needs at least {axis + 1} dimensions, not shape {x.shape}")
    return flip_(x, (axis,))


@operation
def flipud(x: Array, /) -> Tensor:
    """The elements in reverse order along the first axis."""
    return _flipped("flipud", x, 0)


@operation
def fliplr(x: Array, /) -> Tensor:
    """The elements in reverse order along the second axis."""
    return _flipped("fliplr", x, 1)


def _each(change: Callable[[Tensor], Tensor], arrays: Sequence[Array]) -> Any:
    """All arrays changed, as a tuple; one alone as it is."""
    found = tuple(map(change, tensors(arrays)))
    return found[0] if len(found) == 1 else found


@operation
def atleast_1d(*arrays: Array) -> Any:
    """An array with at least one axis; a tuple of them for several arrays."""
    return _each(lambda x: reshape(x, (1,)) if x.ndim == 0 else x, arrays)


@operation
def atleast_2d(*arrays: Array) -> Any:
    """An array with at least two axes, a vector as a row; a tuple of them for several arrays."""
    return _each(lambda x: x if x.ndim > 1 else reshape(x, (1, x.size)), arrays)


@operation
def atleast_3d(*arrays: Array) -> Any:
    """An array with at least three axes; a tuple of them for several arrays.

    A vector gets one on either side, a matrix one behind.
    """
    return _each(lambda x: x if x.ndim > 2 else reshape(x, (*x.shape, 1) if x.ndim == 2 else (1, x.size, 1)), arrays)


@operation
def hstack(arrays: Sequence[Array], /) -> Tensor:
    """Arrays beside each other: along the second axis, vectors along their only one."""
    found = [atleast_1d(array) for array in tensors(arrays)]
    return concat(found, axis=1 if found and found[0].ndim > 1 else 0)


@operation
def vstack(arrays: Sequence[Array], /) -> Tensor:
    """Arrays below each other: along the first axis, vectors as rows."""
    return concat([atleast_2d(array) for array in tensors(arrays)], axis=0)


@operation
def dstack(arrays: Sequence[Array], /) -> Tensor:
    """Arrays behind each other: along the third axis."""
    return concat([atleast_3d(array) for array in tensors(arrays)], axis=2)
