"""The primitives of layers that bring what passes through them to mean 0 and variance 1, or to size 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.binding.nodes import unbroadcast
from unigrad.interpreters.batches import Mask, Values, lined_up
from unigrad.table import Array, Primitive, batched, composed, jvp, vjp
from unigrad.tensor.levels import call
from unigrad.tensor.tensor import Tensor

__all__: list[str] = []


@primitive("reduction", dtypes="real_float")
def standardised_(x: Array, axes: Shape, eps: float) -> Tensor:
    """(x - mean) / sqrt(variance + eps), both over axes."""


@primitive("reduction", dtypes="real_float")
def normalised_(x: Array, weight: Array, bias: Array, axes: Shape, eps: float) -> Tensor:
    """x standardised, times a weight, plus a bias, both of which broadcast to the shape of x."""


def _mean(xp: Any, x: Any, axes: Shape, count: int) -> Any:
    return xp.divide(xp.sum(x, axes, True), float(count) or math.nan)


def _parts(xp: Any, x: Any, axes: Shape, eps: float, shape: Shape) -> tuple[Any, Any, Any, int]:
    """x less its mean, its variance plus eps and the root of that, and how many elements have one of these."""
    count = math.prod([shape[axis] for axis in axes])
    moved = xp.subtract(x, _mean(xp, x, axes, count))
    variance = xp.add(_mean(xp, xp.square(moved), axes, count), eps)
    return moved, variance, xp.sqrt(variance), count


def _standardised(xp: Any, x: Any, axes: Shape, eps: float) -> Any:
    return _divided(xp, _parts(xp, x, axes, eps, tuple(x.shape)))


def _divided(xp: Any, parts: tuple[Any, Any, Any, int]) -> Any:
    """What is less its mean, divided by the deviation."""
    moved, _, deviation, _ = parts
    # As a product, which XLA computes anew where it is needed again; a quotient it keeps for the way back: in blocks of
    # a transformer an eighth of all memory.
    return xp.multiply(moved, xp.divide(1.0, deviation))


def _turned(xp: Any, g: Any, parts: tuple[Any, Any, Any, int], axes: Shape) -> Any:
    """The derivative in the direction of g, which is symmetric: without what g has of the mean and of x itself."""
    moved, variance, deviation, count = parts
    g = xp.divide(g, deviation)
    # By the variance, and not by x standardised, and the mean last: where g is along x little is left, with few
    # roundings on the way.
    g = xp.subtract(g, xp.multiply(moved, xp.divide(_mean(xp, xp.multiply(g, moved), axes, count), variance)))
    return xp.subtract(g, _mean(xp, g, axes, count))


def _standardised_rule(xp: Any, g: Any, x: Any, axes: Shape, eps: float, x_shape: Shape) -> Any:
    return _turned(xp, g, _parts(xp, x, axes, eps, x_shape), axes)


composed(standardised_, _standardised)
vjp(standardised_, _standardised_rule)
jvp(standardised_, _standardised_rule)
batched(standardised_, "further")


def _of_weight(xp: Any, g: Any, weight_shape: Shape, x_shape: Shape, shared: tuple[Any, Any, Any, int]) -> Any:
    return unbroadcast(xp, xp.multiply(g, _divided(xp, shared)), x_shape, weight_shape)


composed(
    normalised_,
    lambda xp, x, weight, bias, axes, eps: xp.add(xp.multiply(xp.standardised(x, axes, eps), weight), bias),
)
vjp(
    normalised_,
    lambda xp, g, weight, axes, shared: _turned(xp, xp.multiply(g, weight), shared, axes),
    _of_weight,
    lambda xp, g, bias_shape, x_shape: unbroadcast(xp, g, x_shape, bias_shape),
    shared=lambda xp, g, x, axes, eps, x_shape: _parts(xp, x, axes, eps, x_shape),
)
jvp(
    normalised_,
    lambda xp, t, x, weight, axes, eps, x_shape: xp.multiply(_standardised_rule(xp, t, x, axes, eps, x_shape), weight),
    lambda xp, t, x, axes, eps: xp.multiply(t, xp.standardised(x, axes, eps)),
    lambda xp, t: t,
)


def _normalised_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    axes, eps = statics
    x, *parameters = values
    if not mask[0]:
        x = bound.broadcast_to(x, (size, *x.shape))
    parameters = [
        lined_up(bound, value, x.ndim - 1) if marked else value
        for value, marked in zip(parameters, mask[1:], strict=True)
    ]
    found: Tensor = call(bound, row, [x, *parameters], (tuple([axis + 1 for axis in axes]), eps))
    return found


batched(normalised_, _normalised_of_batch)
