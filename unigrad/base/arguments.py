"""Checks and canonical forms of arguments, shared by all families of operations."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from math import prod
from typing import Any

from unigrad.base.errors import ArgumentError, AxisError, ShapeError
from unigrad.base.words import Shape


def one_axis(axis: int, ndim: int, name: str = "axis") -> int:
    """``axis`` counted from the front; AxisError if there is no such axis among ``ndim``."""
    if type(axis) is int and 0 <= axis < ndim:
        return axis
    try:
        number = operator.index(axis)
    except TypeError:
        raise AxisError(f"{name} must be an integer, not {_described(axis)}") from None
    if not -ndim <= number < ndim:
        allowed = f"use one from {-ndim} to {ndim - 1}" if ndim else "a 0-dimensional array has no axes"
        raise AxisError(f"{name} {number} is out of range for an array of {ndim} dimensions; {allowed}")
    return number % ndim


def _described(axis: object) -> str:
    if not hasattr(axis, "dtype"):
        return repr(axis)
    return "an array; concat and stack take one list of arrays, and the larger of two arrays is maximum(x, y)"


def many_axes(axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, ascending; None means all of them."""
    if axis is None:
        return tuple(range(ndim))
    if type(axis) is int and -ndim <= axis < ndim:
        return (axis if axis >= 0 else axis + ndim,)
    if not isinstance(axis, (tuple, list)):
        return (one_axis(axis, ndim),)  # type: ignore[arg-type]
    axes = [one_axis(number, ndim) for number in axis]
    if len(set(axes)) != len(axes):
        raise AxisError(f"axis {tuple(axis)!r} names an axis of a {ndim}-dimensional array twice")
    return tuple(sorted(axes))


def whole_number(number: Any, name: str) -> int:
    """An argument that counts something, as a Python integer; ArgumentError if it is none."""
    try:
        return operator.index(number)
    except TypeError:
        raise ArgumentError(f"{name} must be an integer, not {number!r}") from None


def real_number(number: Any, name: str) -> Any:
    """An argument that is one real number; ArgumentError if it is none. It stays what it is: also one array element."""
    if not isinstance(number, (int, float)) and (
        getattr(number, "ndim", None) != 0 or getattr(getattr(number, "dtype", None), "kind", "") not in "biuf"
    ):
        raise ArgumentError(f"{name} must be a number, not {number!r}")
    return number


def axis_from_the_end(axis: Any, ndim: int) -> int:
    """``axis`` counted from the end, as the standard counts it before arrays of other shapes broadcast."""
    return one_axis(axis, ndim) - ndim


def listed(values: Any, what: str) -> list[Any]:
    """An argument that is a sequence, as a list; ArgumentError if it is none."""
    try:
        return list(values)
    except TypeError:
        raise ArgumentError(f"{what} must be a list or tuple, not {values!r}") from None


def plain(numbers: Any) -> bool:
    """Whether it is a tuple of Python's own integers, as most shapes and axes are: they need no conversion."""
    if type(numbers) is not tuple:
        return False
    for number in numbers:  # noqa: SIM110 (all() takes four times as long)
        if type(number) is not int:
            return False
    return True


def as_shape(shape: int | Sequence[int]) -> Shape:
    """A shape as a tuple of integers; a single integer is a one-dimensional shape."""
    if plain(shape):
        return shape  # type: ignore[return-value]
    try:
        if isinstance(shape, (tuple, list)):
            found = tuple(operator.index(size) for size in shape)
        else:
            found = (operator.index(shape),)  # type: ignore[arg-type]
    except TypeError:
        raise ShapeError(f"a shape is an integer or a tuple of integers, not {shape!r}") from None
    return found


_MOST_ELEMENTS = 2**47


def new_shape(shape: int | Sequence[int]) -> Shape:
    """The shape of an array to be made: :func:`as_shape`, and nothing negative."""
    found = as_shape(shape)
    if any(size < 0 for size in found):
        raise ShapeError(f"shape {found} has a negative size; use sizes from 0 up")
    if prod(found) > _MOST_ELEMENTS:
        raise ShapeError(f"shape {found} has more elements than any memory")
    return found


def fill_shape(shape: Shape, size: int, old: Shape) -> Shape:
    """The target of a reshape with a -1 resolved; ShapeError if the sizes do not agree."""
    if shape == (-1,):
        return (size,)
    if prod(shape) == size and (not shape or min(shape) >= 0):
        return shape
    unknown = [position for position, length in enumerate(shape) if length == -1]
    known = prod(length for length in shape if length != -1)
    if len(unknown) > 1 or any(length < -1 for length in shape):
        raise ShapeError(f"cannot reshape to {shape}: at most one size may be -1, the others count from 0")
    if unknown and known and size % known == 0:
        position = unknown[0]
        return (*shape[:position], size // known, *shape[position + 1 :])
    if unknown or known != size:
        raise ShapeError(f"cannot reshape an array of shape {old} ({size} elements) to {shape}")
    return shape


def broadcast_shapes(shapes: Sequence[Shape]) -> Shape:
    """The common shape by NumPy's rule; ShapeError names all shapes if there is none."""
    result: list[int] = []
    for sizes in _columns(shapes):
        different = {size for size in sizes if size != 1}
        if len(different) > 1:
            names = " and ".join(map(str, shapes))
            raise ShapeError(
                f"shapes {names} do not broadcast; counted from the right, sizes must be equal or 1 "
                f"(use reshape or expand_dims to line them up)"
            )
        result.append(different.pop() if different else 1)
    return tuple(reversed(result))


def _columns(shapes: Sequence[Shape]) -> list[list[int]]:
    ndim = max(map(len, shapes), default=0)
    return [[shape[-back] for shape in shapes if len(shape) >= back] for back in range(1, ndim + 1)]
