"""Making arrays larger at their edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from unigrad.base.dtypes import FLOATING, float64, real_of
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.operations import reductions
from unigrad.operations.arranging import along
from unigrad.operations.creation import asarray, astype, full
from unigrad.operations.elementwise import floor, round_
from unigrad.operations.indexing import getitem, setitem_
from unigrad.operations.moments import mean
from unigrad.operations.shapes import broadcast_to, concat
from unigrad.operations.statistics import median
from unigrad.table import Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = ["pad"]

STATISTICS = {"maximum": reductions.max, "mean": mean, "median": median, "minimum": reductions.min}
"""The modes that continue an axis by what they make of its ends."""
MODES = ("constant", "edge", "linear_ramp", *STATISTICS, "reflect", "symmetric", "wrap")

Ends = Callable[[Tensor, int, int, Any, bool], Tensor]
"""Of an array: what is added at one end of an axis, so many elements, by what was given for it; whether in front."""


@operation
def pad(
    x: Array,
    /,
    pad_width: int | Sequence[Any],
    mode: str = "constant",
    *,
    constant_values: Any = 0,
    end_values: Any = 0,
    stat_length: Any = None,
) -> Tensor:
    """x with more elements in front of and behind each axis, as NumPy's.

    ``pad_width`` is a number for all edges, a pair (before, after) for all axes, or a pair for each. What is
    added is ``constant_values``, likewise a number, a pair or a pair for each axis; or it is taken from x: its
    ``"edge"``, its mirror image (``"reflect"`` without the edge, ``"symmetric"`` with it), or its other end
    (``"wrap"``); or it leads from the edge evenly to ``end_values`` (``"linear_ramp"``); or it is the ``"maximum"``,
    ``"mean"``, ``"median"`` or ``"minimum"`` of the nearest ``stat_length`` elements, of all if that is None. Integers
    are rounded, of a ramp down. Raises ArgumentError for other modes, widths below 0 and lengths below 1, ShapeError
    for what does not fit x, or where x has nothing to take from.
    """
    x = asarray(x)
    widths = _pairs("pad_width", pad_width, x, 0)
    if mode not in MODES:
        raise ArgumentError(f"pad knows no mode {mode!r}; use one of {', '.join(MODES)}")
    if not widths.any():
        return x
    if mode == "constant":
        if isinstance(constant_values, (int, float, complex)):
            return _within_constants(x, widths.tolist(), constant_values)
        return _by_ends(x, widths, _spread("constant_values", constant_values, x), _constants)
    for axis, (size, pair) in enumerate(zip(x.shape, widths.tolist(), strict=True)):
        if any(pair) and not size:
            raise ShapeError(f"pad with mode {mode!r}: axis {axis} of shape {x.shape} has nothing to take from")
    if mode == "linear_ramp":
        return _by_ends(x, widths, _spread("end_values", end_values, x), _ramp)
    if mode in STATISTICS:
        lengths = _spread("stat_length", None, x) if stat_length is None else _pairs("stat_length", stat_length, x, 1)
        return _by_ends(x, widths, lengths, partial(_statistic, STATISTICS[mode]))
    for axis, pair in enumerate(widths.tolist()):
        if any(pair):
            # Which element goes where is the same question for positions, and NumPy knows.
            x = getitem(x, along(axis, np.pad(np.arange(x.shape[axis]), pair, mode=mode)))  # type: ignore[call-overload]
    return x


def _within_constants(x: Tensor, widths: list[list[int]], constant: complex) -> Tensor:
    shape = tuple([size + before + after for size, (before, after) in zip(x.shape, widths, strict=True)])
    inside = tuple([
        slice(before, before + size, 1) if size else slice(0, 0, 1)
        for size, (before, _) in zip(x.shape, widths, strict=True)
    ])  # fmt: skip
    return setitem_(full(shape, constant, dtype=x.dtype, like=x), x, inside)


def _by_ends(x: Tensor, widths: Any, given: Any, ends: Ends) -> Tensor:
    """Axis by axis, as NumPy does it: where two axes meet stands what the later one makes of the earlier one's."""
    for axis, ((before, after), (first, last)) in enumerate(zip(widths.tolist(), given.tolist(), strict=True)):
        if before or after:
            x = concat([ends(x, axis, before, first, True), x, ends(x, axis, after, last, False)], axis=axis)
    return x


def _constants(x: Tensor, axis: int, width: int, value: complex, in_front: bool) -> Tensor:
    return full((*x.shape[:axis], width, *x.shape[axis + 1 :]), value, dtype=x.dtype, like=x)


def _ramp(x: Tensor, axis: int, width: int, end: complex, in_front: bool) -> Tensor:
    edge = x[along(axis, slice(0, 1) if in_front else slice(-1, None))]
    parts = (np.arange(width) if in_front else np.arange(width)[::-1]) / width
    dtype = real_of(x.dtype) if x.dtype.kind in FLOATING else float64
    share = asarray(parts.reshape(-1, *(1,) * (x.ndim - axis - 1)), dtype=dtype, like=x)
    found = (edge - end if x.dtype.kind in FLOATING else astype(edge, dtype) - end) * share + end
    return found if x.dtype.kind in FLOATING else astype(floor(found), x.dtype)


def _statistic(
    function: Callable[..., Tensor], x: Tensor, axis: int, width: int, length: int | None, in_front: bool
) -> Tensor:
    size = x.shape[axis]
    length = size if length is None else min(length, size)
    found = function(
        x[along(axis, slice(0, length) if in_front else slice(size - length, None))], axis=axis, keepdims=True
    )
    if x.dtype.kind not in FLOATING:
        found = astype(round_(found) if found.dtype.kind in FLOATING else found, x.dtype)
    return broadcast_to(found, (*x.shape[:axis], width, *x.shape[axis + 1 :]))


def _spread(name: str, given: Any, x: Tensor) -> np.ndarray[Any, Any]:
    """A row (before, after) for each axis."""
    values = np.asarray(given)
    if values.dtype.kind in "USM":
        raise ArgumentError(f"{name} is made of numbers, not {given!r}")
    try:
        return np.broadcast_to(values, (x.ndim, 2))
    except ValueError:
        raise ShapeError(
            f"{name} {given!r} does not fit shape {x.shape}; pass a number, a pair, or a pair for each axis"
        ) from None


def _pairs(name: str, given: Any, x: Tensor, least: int) -> np.ndarray[Any, Any]:
    """The same of whole numbers."""
    numbers = np.asarray(given)
    if numbers.dtype.kind not in "iu" and numbers.size:
        raise ArgumentError(f"{name} is made of integers, not {given!r}")
    found = _spread(name, numbers.astype(np.int64), x)
    if (found < least).any():
        raise ArgumentError(
            f"{name} must be {least} or more, not {given!r}" + ("; to cut off use a slice" * (not least))
        )
    return found
