"""Means, variances and standard deviations, with their derivatives."""

from __future__ import annotations

import builtins
import math
from typing import Any

from unigrad.base.arguments import many_axes, real_number
from unigrad.base.elsewhere import unknown_argument
from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.operations.elementwise import divide, sqrt, subtract
from unigrad.operations.reductions import (
    Axis,
    counted,
    expanded,
    floating,
    in_float32,
    narrow,
    squared_size,
    sum_,
    vector_norm,
)
from unigrad.table import Array, batched, composed, jvp, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["mean", "std", "var"]


# --- primitives --------------------------------------------------------------------------------------


@primitive("reduction", dtypes="float")
def mean_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """The sum over axes, divided by how many elements that are."""


def _number(shape: Shape, axes: Shape, correction: float = 0.0) -> float:
    """What a sum over axes is divided by: the number of elements less the correction, and not below 0, for which
    NumPy's division by 0 stands: NaN, or infinity."""
    return builtins.max(float(counted(shape, axes)) - correction, 0.0)


composed(mean_, lambda xp, x, axes, keepdims: xp.divide(xp.sum(x, axes, keepdims), _number(tuple(x.shape), axes)))
vjp(
    mean_,
    lambda xp, g, axes, keepdims, x_shape: xp.broadcast_to(
        xp.divide(expanded(xp, g, axes, keepdims, x_shape), _number(x_shape, axes)), x_shape
    ),
)
jvp(mean_, "linear")
batched(mean_, "further")


@primitive("reduction", dtypes="real_float")
def variance_(x: Array, axes: Shape, keepdims: bool, correction: float) -> Tensor:
    """The sum over axes of squared distances from the mean, divided by the number of elements less a correction."""


def _distances(xp: Any, x: Any, axes: Shape) -> Any:
    return xp.subtract(x, xp.mean(x, axes, True))


def _variance(xp: Any, x: Any, axes: Shape, keepdims: bool, correction: float) -> Any:
    squares = xp.square(_distances(xp, x, axes))
    return xp.divide(xp.sum(squares, axes, keepdims), _number(tuple(x.shape), axes, correction))


def _moved(xp: Any, x: Any, axes: Shape) -> Any:
    """The distances from the mean, of which a second mean is taken off: of numbers far from 0 the rounding of the first
    may be all that there is of small distances."""
    return _distances(xp, _distances(xp, x, axes), axes)


def _doubled(xp: Any, x: Any, axes: Shape, shape: Shape, correction: float) -> Any:
    """What the derivative of the sum of squares is brought to: twice, divided as the variance is."""
    return xp.divide(xp.multiply(x, 2.0), _number(shape, axes, correction))


composed(variance_, _variance)
vjp(
    variance_,
    lambda xp, g, x, axes, keepdims, correction, x_shape: xp.multiply(
        _moved(xp, x, axes), _doubled(xp, expanded(xp, g, axes, keepdims, x_shape), axes, x_shape, correction)
    ),
)
jvp(
    variance_,
    lambda xp, t, x, axes, keepdims, correction, x_shape: _doubled(
        xp, xp.sum(xp.multiply(t, _moved(xp, x, axes)), axes, keepdims), axes, x_shape, correction
    ),
)
batched(variance_, "further")


# --- public ------------------------------------------------------------------------------------------


@operation
def mean(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The mean over ``axis``; integers are averaged as the default float dtype."""
    if elsewhere:
        raise unknown_argument("mean", elsewhere)
    x = floating(x)
    if narrow(x):
        return in_float32(mean, x, axis=axis, keepdims=keepdims)
    return mean_(x, many_axes(axis, x.ndim), keepdims)


@operation
def var(
    x: Array,
    /,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    keepdims: bool = False,
    ddof: float | None = None,
    **elsewhere: Any,
) -> Tensor:
    """The variance over ``axis``: the mean squared distance from the mean, divided by n - correction (or n - ddof)."""
    if elsewhere:
        raise unknown_argument("var", elsewhere)
    correction = correction if ddof is None else ddof
    x = floating(x)
    if narrow(x):
        return in_float32(var, x, axis=axis, correction=correction, keepdims=keepdims)
    axes = many_axes(axis, x.ndim)
    correction = float(real_number(correction, "correction"))
    if x._dtype.kind != "c":
        return variance_(x, axes, keepdims, correction)
    distances = subtract(x, mean_(x, axes, True))
    return divide(sum_(squared_size(distances), axes, keepdims), _number(x.shape, axes, correction))


@operation
def std(
    x: Array,
    /,
    axis: Axis = None,
    *,
    correction: float = 0.0,
    keepdims: bool = False,
    ddof: float | None = None,
    **elsewhere: Any,
) -> Tensor:
    """The square root of :func:`var`; where it is 0 its derivative is 0."""
    if elsewhere:
        raise unknown_argument("std", elsewhere)
    correction = correction if ddof is None else ddof
    x = floating(x)
    if narrow(x):
        return in_float32(std, x, axis=axis, correction=correction, keepdims=keepdims)
    axes = many_axes(axis, x.ndim)
    degrees = _number(x.shape, axes, float(real_number(correction, "correction")))
    if not degrees:  # NaN or infinite, and so is what the norm's derivative at 0 would hide
        return sqrt(var(x, axis=axes, correction=correction, keepdims=keepdims))
    # As a norm of the distances, so that the derivative at 0 is the norm's.
    norm = vector_norm(subtract(x, mean_(x, axes, True)), axis=axes, keepdims=keepdims)
    return divide(norm, math.sqrt(degrees))
