"""Order statistics and averages beyond the standard's reductions. Those that leave NaN out: ``without_nan``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.arguments import many_axes
from unigrad.base.elsewhere import unknown_argument
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.interpreters.batches import rewrapped
from unigrad.operations import reductions
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import floats, isnan, multiply, where
from unigrad.operations.indexing import argsort_, getitem, take_along_axis_
from unigrad.operations.moments import mean
from unigrad.operations.reductions import Axis, floating, kept
from unigrad.operations.shapes import moveaxis, permute_dims_, reshape, reshape_
from unigrad.table import Array, operation
from unigrad.tensor.coercion import plain_numbers
from unigrad.tensor.levels import check_places, is_wrapped, values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = [
    "average", "median", "percentile", "ptp", "quantile",
]  # fmt: skip


def _ordered(x: Array, axis: Axis, name: str) -> tuple[Tensor, Tensor, tuple[int, ...], tuple[int, ...]]:
    """x with the reduced axes as one, the last, in ascending order; a factor that is NaN where one of those is and
    else 1; the shape that is left; and that with the reduced axes kept."""
    x = floating(x)
    axes = many_axes(axis, x.ndim)
    rest = tuple(number for number in range(x.ndim) if number not in axes)
    left = tuple(x.shape[number] for number in rest)
    count = math.prod(x.shape[number] for number in axes)
    if not count:
        raise ShapeError(f"{name} of no elements: shape {x.shape} over axes {axes} has none to choose from")
    rows = reshape_(permute_dims_(x, rest + axes), (*left, count))
    ordered = take_along_axis_(rows, argsort_(rows, len(left), False), len(left))
    # NaN comes last, and must not be hidden.
    factor = where(isnan(getitem(ordered, (..., -1))), math.nan, 1.0).astype(x.dtype)
    return ordered, factor, left, kept(x.shape, axes)


@operation
def median(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The middle element over ``axis``, or the mean of the two in the middle; NaN if there is one.

    Each element that it is made of gets its share of the gradient: of equal ones those that a stable sort puts there.
    """
    if elsewhere:
        raise unknown_argument("median", elsewhere)
    ordered, factor, left, wide = _ordered(x, axis, "median")
    count = ordered.shape[-1]
    if count % 2:
        middle = getitem(ordered, (..., count // 2))
    else:
        middle = getitem(ordered, (..., count // 2 - 1)) * 0.5 + getitem(ordered, (..., count // 2)) * 0.5
    return reshape(middle * factor, wide if keepdims else left)


def checked_parts(q: np.ndarray[Any, Any]) -> None:
    """ArgumentError unless these are numbers from 0 to 1."""
    if q.dtype.kind not in "iufV" or not ((q >= 0) & (q <= 1)).all():
        raise ArgumentError(f"a quantile is from 0 to 1, not {q.tolist()}")


@operation
def quantile(
    x: Array, q: Array, /, axis: Axis = None, *, keepdims: bool = False, method: str = "linear", **elsewhere: Any
) -> Tensor:
    """The value below which a part ``q`` of the elements over ``axis`` lies, between two by linear interpolation.

    ``q``, from 0 to 1, may be an array: its axes come first in the result, and it may be differentiated too. NaN if
    there is one. ``method`` is ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.
    """
    if elsewhere:
        raise unknown_argument("quantile", elsewhere)
    x = floating(x)
    if reductions.narrow(x):
        return reductions.in_float32(quantile, x, q, axis=axis, keepdims=keepdims, method=method)
    ordered, factor, left, wide = _ordered(x, axis, "quantile")
    last = ordered.shape[-1] - 1
    check_places(x, q)
    given = values_of_all(q) if isinstance(q, Tensor) else plain_numbers(q, "q")
    shape = q.shape if isinstance(q, Tensor) else given.shape
    checked_parts(given)

    def placed(found: np.ndarray[Any, Any]) -> Any:
        # What was read from the values of a whole batch differs along that batch.
        return rewrapped(asarray(found, like=ordered), q) if is_wrapped(q) else found

    position = given.astype(np.float64) * last
    lower, upper = np.floor(position).astype(np.int64), np.ceil(position).astype(np.int64)
    fraction: Any = position - lower
    if method == "linear":
        if isinstance(q, Tensor):
            fraction = q.astype(ordered.dtype) * float(last) - asarray(placed(lower), dtype=ordered.dtype, like=ordered)
    elif method in ("lower", "higher", "midpoint", "nearest"):
        by_method = {
            "lower": np.zeros_like(position),
            "higher": np.ones_like(position),
            "midpoint": np.where(upper == lower, 0.0, 0.5),
            # Halfway the even position, as NumPy does.
            "nearest": np.where(upper == lower, 0.0, np.rint(position) - lower),
        }
        fraction = placed(by_method[method])
    else:
        raise ArgumentError(f"quantile knows no method {method!r}; use linear, lower, higher, midpoint or nearest")
    low, high = (getitem(ordered, (..., placed(places))) for places in (lower, upper))
    found = low + (high - low) * asarray(fraction, dtype=ordered.dtype, like=ordered)
    found = found * reshape(factor, left + (1,) * len(shape))
    if shape:
        axes = tuple(range(len(left), found.ndim))
        found = moveaxis(found, axes, tuple(range(len(shape))))
    return reshape(found, shape + (wide if keepdims else left))


@operation
def percentile(x: Array, q: Array, /, axis: Axis = None, *, keepdims: bool = False, method: str = "linear") -> Tensor:
    """:func:`quantile` with ``q`` from 0 to 100."""
    part = floats(x, q)[1] / 100 if isinstance(q, Tensor) else plain_numbers(q, "q") / 100
    return quantile(x, part, axis=axis, keepdims=keepdims, method=method)


@operation
def average(x: Array, /, axis: Axis = None, *, weights: Array | None = None, keepdims: bool = False) -> Tensor:
    """The mean over ``axis`` with weights, which have x's shape or, over one axis, are a vector along it."""
    if weights is None:
        return mean(x, axis=axis, keepdims=keepdims)
    x, weights = floats(x, weights)
    if reductions.narrow(x, weights):
        weights = weights.astype("float32")
        return reductions.in_float32(average, x, axis=axis, weights=weights, keepdims=keepdims)
    axes = many_axes(axis, x.ndim)
    if weights.shape != x.shape:
        if len(axes) != 1 or weights.shape != (x.shape[axes[0]],):
            raise ShapeError(f"weights of shape {weights.shape} do not fit shape {x.shape} over axes {axes}")
        weights = reshape(weights, tuple(size if number in axes else 1 for number, size in enumerate(x.shape)))
    total = reductions.sum(weights, axis=axes, keepdims=keepdims)
    return reductions.sum(multiply(x, weights), axis=axes, keepdims=keepdims) / total


@operation
def ptp(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest less the smallest element over ``axis``."""
    x = asarray(x)
    return reductions.max(x, axis=axis, keepdims=keepdims) - reductions.min(x, axis=axis, keepdims=keepdims)
