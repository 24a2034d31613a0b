"""Reductions that leave NaN out, each the reduction of its name over the elements that are not NaN."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unigrad.base import dtypes
from unigrad.base.arguments import many_axes, real_number
from unigrad.base.errors import ArgumentError
from unigrad.operations import reductions
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import ceil, floats, floor, isnan, logical_not, maximum, round_, sqrt, where
from unigrad.operations.indexing import argsort_, take_along_axis, take_along_axis_
from unigrad.operations.padding import pad
from unigrad.operations.reductions import Axis, floating, in_float32, kept, narrow, squared_size, vector_norm_
from unigrad.operations.shapes import moveaxis, permute_dims_, reshape, reshape_
from unigrad.operations.statistics import checked_parts
from unigrad.table import Array, operation
from unigrad.tensor.coercion import plain_numbers, tensor
from unigrad.tensor.levels import values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = [
    "nanargmax", "nanargmin", "nancumprod", "nancumsum", "nanmax", "nanmean", "nanmedian", "nanmin", "nanpercentile",
    "nanprod", "nanquantile", "nanstd", "nansum", "nanvar",
]  # fmt: skip


def _filled(x: Tensor, value: float) -> Tensor:
    return x if x.dtype.kind in "biu" else where(isnan(x), value, x)


def _number(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    """How many elements over ``axis`` are not NaN, in x's own real dtype."""
    there = reductions.sum(logical_not(isnan(x)), axis=axis, keepdims=keepdims)
    return astype(there, dtypes.real_of(x.dtype))


# --- sums, products and means ---------------------------------------------------------------------------


@operation
def nansum(x: Array, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The sum over ``axis`` of the elements that are not NaN."""
    return reductions.sum(_filled(asarray(x), 0.0), axis=axis, dtype=dtype, keepdims=keepdims)


@operation
def nanprod(x: Array, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False) -> Tensor:
    """The product over ``axis`` of the elements that are not NaN."""
    return reductions.prod(_filled(asarray(x), 1.0), axis=axis, dtype=dtype, keepdims=keepdims)


@operation
def nancumsum(x: Array, /, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """Running sums along ``axis`` (None: of the flattened array) that NaN leaves as they are."""
    x = _filled(asarray(x), 0.0)
    return reductions.cumulative_sum(reshape(x, -1) if axis is None else x, axis=axis, dtype=dtype)


@operation
def nancumprod(x: Array, /, axis: int | None = None, *, dtype: Any = None) -> Tensor:
    """Running products along ``axis`` (None: of the flattened array) that NaN leaves as they are."""
    x = _filled(asarray(x), 1.0)
    return reductions.cumulative_prod(reshape(x, -1) if axis is None else x, axis=axis, dtype=dtype)


@operation
def nanmean(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The mean over ``axis`` of the elements that are not NaN; NaN where there are none."""
    x = floating(x)
    if narrow(x):
        return in_float32(nanmean, x, axis=axis, keepdims=keepdims)
    return nansum(x, axis=axis, keepdims=keepdims) / _number(x, axis, keepdims)


def _distances(x: Tensor, axis: Axis) -> Tensor:
    """From the mean of those that are not NaN, and 0 where x is NaN."""
    absent = isnan(x)
    return where(absent, 0.0, where(absent, 0.0, x) - nanmean(x, axis=axis, keepdims=True))


def _freedom(x: Tensor, axis: Axis, correction: float, keepdims: bool) -> Tensor:
    """The degrees of freedom; NaN where there are none."""
    left = _number(x, axis, keepdims) - real_number(correction, "correction")
    return where(left <= 0, math.nan, left)


@operation
def nanvar(
    x: Array, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False, ddof: float | None = None
) -> Tensor:
    """The variance over ``axis`` of the elements that are not NaN; NaN where there are no more than ``correction``."""
    correction = correction if ddof is None else ddof
    x = floating(x)
    if narrow(x):
        return in_float32(nanvar, x, axis=axis, correction=correction, keepdims=keepdims)
    distances = _distances(x, axis)
    squares = squared_size(distances)
    return reductions.sum(squares, axis=axis, keepdims=keepdims) / _freedom(x, axis, correction, keepdims)


@operation
def nanstd(
    x: Array, /, axis: Axis = None, *, correction: float = 0.0, keepdims: bool = False, ddof: float | None = None
) -> Tensor:
    """The square root of :func:`nanvar`; where it is 0 its derivative is 0."""
    correction = correction if ddof is None else ddof
    x = floating(x)
    if narrow(x):
        return in_float32(nanstd, x, axis=axis, correction=correction, keepdims=keepdims)
    norm = vector_norm_(_distances(x, axis), many_axes(axis, x.ndim), keepdims, 2.0)
    freedom = _freedom(x, axis, correction, keepdims)
    # NaN or infinite without one, and so is what the norm's derivative at 0 would hide.
    rest = where(freedom > 0, 1.0, nanvar(x, axis=axis, correction=correction, keepdims=keepdims))
    return where(freedom > 0, norm / freedom**0.5, sqrt(rest))


# --- extremes -------------------------------------------------------------------------------------------


def _nan_extremum(function: Any, x: Array, axis: Axis, keepdims: bool, neutral: float) -> Tensor:
    x = asarray(x)
    found: Tensor = function(_filled(x, neutral), axis=axis, keepdims=keepdims)
    if x.dtype.kind in "biu":
        return found
    return where(reductions.all(isnan(x), axis=axis, keepdims=keepdims), math.nan, found)


@operation
def nanmax(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The largest element over ``axis`` that is not NaN; NaN where there is none."""
    return _nan_extremum(reductions.max, x, axis, keepdims, -math.inf)


@operation
def nanmin(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The smallest element over ``axis`` that is not NaN; NaN where there is none."""
    return _nan_extremum(reductions.min, x, axis, keepdims, math.inf)


def _nan_position(function: Any, x: Array, axis: int | None, keepdims: bool, neutral: float) -> Tensor:
    x = asarray(x)
    if values_of_all(reductions.all(isnan(x), axis=axis)).any():
        raise ArgumentError(f"{function.__name__} without NaN: there is nothing but NaN along axis {axis}")
    found: Tensor = function(_filled(x, neutral), axis=axis, keepdims=keepdims)
    return found


@operation
def nanargmax(x: Array, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The first position of the largest element that is not NaN, int64; ArgumentError where there is none."""
    return _nan_position(reductions.argmax, x, axis, keepdims, -math.inf)


@operation
def nanargmin(x: Array, /, axis: int | None = None, *, keepdims: bool = False) -> Tensor:
    """The first position of the smallest element that is not NaN, int64; ArgumentError where there is none."""
    return _nan_position(reductions.argmin, x, axis, keepdims, math.inf)


# --- order statistics ------------------------------------------------------------------------------------


@operation
def nanquantile(x: Array, q: Array, /, axis: Axis = None, *, keepdims: bool = False, method: str = "linear") -> Tensor:
    """:func:`quantile` of the elements over ``axis`` that are not NaN; NaN where there are none."""
    x = floating(x)
    if narrow(x):
        return in_float32(nanquantile, x, q, axis=axis, keepdims=keepdims, method=method)
    axes = many_axes(axis, x.ndim)
    rest = tuple(number for number in range(x.ndim) if number not in axes)
    left = tuple(x.shape[number] for number in rest)
    rows = reshape_(permute_dims_(x, rest + axes), (*left, math.prod(x.shape[number] for number in axes)))
    last = len(left)
    if not rows.shape[last]:
        rows = pad(rows, ((0, 0),) * last + ((0, 1),), constant_values=math.nan)  # so that there is something to choose
    # NaN comes last, so that the others are the first ones, as many as there are.
    ordered = take_along_axis_(rows, argsort_(rows, last, False), last)
    ordered = where(isnan(ordered), 0.0, ordered)
    count = reductions.sum(logical_not(isnan(rows)), axis=last, keepdims=True)
    parts = tensor(q if isinstance(q, Tensor) else plain_numbers(q, "q"), x.backend)
    checked_parts(values_of_all(parts))
    position = reshape(astype(parts, dtypes.float64, copy=False), (1,) * last + (parts.size,)) * maximum(count - 1, 0)
    lower, upper = floor(position.detach()), ceil(position.detach())
    if method == "linear":
        fraction = position - lower
    elif isinstance(method, str) and method in _FRACTIONS:
        fraction = where(upper == lower, 0.0, _FRACTIONS[method](position.detach(), lower))
    else:
        raise ArgumentError(f"nanquantile knows no method {method!r}; use linear, {', '.join(_FRACTIONS)}")
    low, high = (take_along_axis(ordered, astype(places, dtypes.int64), axis=last) for places in (lower, upper))
    found = where(count == 0, math.nan, low + (high - low) * astype(fraction, x.dtype, copy=False))
    found = reshape(moveaxis(found, -1, 0), (*parts.shape, *(kept(x.shape, axes) if keepdims else left)))
    return found


_FRACTIONS: dict[str, Callable[[Tensor, Tensor], Any]] = {
    "lower": lambda position, lower: 0.0,
    "higher": lambda position, lower: 1.0,
    "midpoint": lambda position, lower: 0.5,
    # Halfway the even position, as NumPy does.
    "nearest": lambda position, lower: round_(position) - lower,
}
"""By method: how far from the lower of two elements to the upper one."""


@operation
def nanpercentile(
    x: Array, q: Array, /, axis: Axis = None, *, keepdims: bool = False, method: str = "linear"
) -> Tensor:
    """:func:`nanquantile` with ``q`` from 0 to 100."""
    part = floats(x, q)[1] / 100 if isinstance(q, Tensor) else plain_numbers(q, "q") / 100
    return nanquantile(x, part, axis=axis, keepdims=keepdims, method=method)


@operation
def nanmedian(x: Array, /, axis: Axis = None, *, keepdims: bool = False) -> Tensor:
    """The middle element over ``axis`` of those that are not NaN, or the mean of two; NaN where there are none."""
    return nanquantile(x, 0.5, axis=axis, keepdims=keepdims)
