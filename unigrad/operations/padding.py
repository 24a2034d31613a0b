"""Making arrays larger at their edges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.operations.arranging import along
from unigrad.operations.creation import asarray, full
from unigrad.operations.indexing import getitem, setitem_
from unigrad.operations.shapes import concat
from unigrad.table import Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = ["pad"]

MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


@operation
def pad(x: Array, /, pad_width: int | Sequence[Any], mode: str = "constant", *, constant_values: Any = 0) -> Tensor:
    """x with more elements in front of and behind each axis, as NumPy's.

    ``pad_width`` is a number for all edges, a pair (before, after) for all axes, or a pair for each. What is
    added is ``constant_values``, likewise a number, a pair or a pair for each axis; or it is taken from x: its
    ``"edge"``, its mirror image (``"reflect"`` without the edge, ``"symmetric"`` with it), or its other end
    (``"wrap"``). Raises ArgumentError for other modes and widths below 0, ShapeError for widths or constants that do
    not fit x, or where x has nothing to take from.
    """
    x = asarray(x)
    widths = _widths(pad_width, x.shape)
    if mode not in MODES:
        raise ArgumentError(f"pad knows no mode {mode!r}; use one of {', '.join(MODES)}")
    if not widths.any():
        return x
    if mode == "constant":
        shape = tuple(size + before + after for size, (before, after) in zip(x.shape, widths.tolist(), strict=True))
        inside = tuple(
            slice(before, before + size, 1) if size else slice(0, 0, 1)
            for size, (before, _) in zip(x.shape, widths.tolist(), strict=True)
        )
        if not isinstance(constant_values, (int, float, complex)):
            return _with_constants(x, widths.tolist(), constant_values)
        filled = full(shape, constant_values, dtype=x.dtype, like=x)
        return setitem_(filled, x, inside)
    for axis, (before, after) in enumerate(widths.tolist()):
        if before or after:
            if not x.shape[axis]:
                raise ShapeError(f"pad with mode {mode!r}: axis {axis} of shape {x.shape} has nothing to take from")
            # Which element goes where is the same question for positions, and NumPy knows.
            x = getitem(x, along(axis, np.pad(np.arange(x.shape[axis]), (before, after), mode=mode)))  # type: ignore[call-overload]
    return x


def _with_constants(x: Tensor, widths: list[list[int]], constants: Any) -> Tensor:
    """Padded axis by axis, as NumPy does it: where two axes meet the later one's constants stand."""
    try:
        values = np.broadcast_to(np.asarray(constants), (x.ndim, 2)).tolist()
    except ValueError:
        raise ShapeError(
            f"constant_values={constants!r} do not fit shape {x.shape}; pass a number, a pair, or a pair for each axis"
        ) from None
    for axis, (sizes, pair) in enumerate(zip(widths, values, strict=True)):
        ends = [
            full((*x.shape[:axis], size, *x.shape[axis + 1 :]), value, dtype=x.dtype, like=x)
            for size, value in zip(sizes, pair, strict=True)
        ]
        x = concat([ends[0], x, ends[1]], axis=axis)
    return x


def _widths(pad_width: Any, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """The widths as an array with a row (before, after) for each axis."""
    try:
        given = np.asarray(pad_width)
        if given.dtype.kind not in "iu" and given.size:
            raise ArgumentError(f"pad_width is made of integers, not {pad_width!r}")
        widths = np.broadcast_to(given.astype(np.int64), (len(shape), 2))
    except ValueError as error:
        if isinstance(error, ArgumentError):
            raise
        raise ShapeError(
            f"pad_width {pad_width!r} does not fit shape {shape}; pass a number, a pair, or a pair for each axis"
        ) from None
    if (widths < 0).any():
        raise ArgumentError(f"pad_width must be 0 or more, not {pad_width!r}; to cut off use a slice")
    return widths
