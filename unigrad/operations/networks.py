"""Primitives that networks are made of, with their derivatives; ``unigrad.nn`` makes them public."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base.errors import ShapeError
from unigrad.base.words import EVERYTHING, Shape
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, moved, of_none, repeated
from unigrad.table import Array, Primitive, batched, composed, explained, jvp, vjp
from unigrad.tensor.tensor import Tensor

Padding = tuple[tuple[int, int], ...]
"""How many zeros stand before and behind each spatial axis."""


@primitive("elementwise", dtypes="real_float")
def relu_(x: Array, /) -> Tensor:
    """x where it is positive, else 0; its derivative at 0 is 0, and at NaN 1."""


vjp(relu_, lambda xp, g, x: xp.where(x <= 0, 0.0, g))


@primitive("elementwise", dtypes="float")
def sigmoid_(x: Array, /) -> Tensor:
    """1 / (1 + exp(-x)), without overflow."""


# Not 1 - out, which far out is the difference of two equal numbers.
vjp(sigmoid_, lambda xp, g, x, out: g * out * xp.sigmoid(-x))


@primitive("elementwise", dtypes="real_float")
def softplus_(x: Array, /) -> Tensor:
    """log(1 + exp(x)), without overflow."""


vjp(softplus_, lambda xp, g, x: g * xp.sigmoid(x))


@primitive("elementwise", dtypes="rounded_float")
def gelu_(x: Array, /) -> Tensor:
    """x times the normal distribution function of x."""


_ROOT = math.sqrt(0.5)
_DENSITY = 1 / math.sqrt(2 * math.pi)
composed(gelu_, lambda xp, x: xp.multiply(x, xp.multiply(xp.add(xp.erf(xp.multiply(x, _ROOT)), 1.0), 0.5)))


def _gelu_vjp(xp: Any, g: Any, x: Any) -> Any:
    scaled = x * _ROOT
    return g * ((xp.erf(scaled) + 1.0) * 0.5 + x * (xp.gaussian(scaled) * _DENSITY))


vjp(gelu_, _gelu_vjp)


@primitive("elementwise", dtypes="float")
def silu_(x: Array, /) -> Tensor:
    """x * sigmoid(x)."""


def _silu_vjp(xp: Any, g: Any, x: Any) -> Any:
    slope = xp.sigmoid(x)
    return g * (slope + x * (slope * xp.sigmoid(-x)))  # one product, which an infinite g makes no NaN of


composed(silu_, lambda xp, x: xp.multiply(x, xp.sigmoid(x)), ruled=True)
vjp(silu_, _silu_vjp)


@primitive("elementwise", dtypes="real_float")
def leaky_relu_(x: Array, slope: float) -> Tensor:
    """x where it is positive, x * slope elsewhere; its derivative at 0 and at NaN is the slope."""


composed(leaky_relu_, lambda xp, x, slope: xp.where(xp.greater(x, 0.0), x, xp.multiply(x, slope)))
vjp(leaky_relu_, lambda xp, g, x, slope: xp.where(x > 0, g, g * slope))


@primitive("elementwise", dtypes="real_float")
def elu_(x: Array, alpha: float) -> Tensor:
    """x where it is positive, alpha * (exp(x) - 1) elsewhere; its derivative at 0 is alpha."""


def _elu(xp: Any, x: Any, alpha: float) -> Any:
    # The unused branch is kept finite, so that it adds no NaN to the gradient.
    positive = xp.greater(x, 0.0)
    return xp.where(positive, x, xp.multiply(xp.expm1(xp.where(positive, 0.0, x)), alpha))


def _elu_vjp(xp: Any, g: Any, x: Any, alpha: float) -> Any:
    return g * xp.where(x > 0, 1.0, xp.exp(xp.where(x > 0, 0.0, x)) * alpha)


composed(elu_, _elu)
vjp(elu_, _elu_vjp)


@primitive("elementwise", dtypes="real_float")
def hard_tanh_(x: Array, low: float, high: float) -> Tensor:
    """x held between two numbers, with derivative 0 on both, as relu has it, and NaN where x is."""


composed(hard_tanh_, lambda xp, x, low, high: xp.clip(x, low, high))
vjp(hard_tanh_, lambda xp, g, x, low, high: xp.where(x <= low, 0.0, xp.where(x >= high, 0.0, g)))


@primitive("reduction", dtypes="real_float")
def softmax_(x: Array, axis: int) -> Tensor:
    """exp(x) / sum(exp(x)) along one axis, without overflow."""


def _softmax_rule(xp: Any, g: Any, out: Any, axis: int) -> Any:
    return out * (g - xp.sum(g * out, (axis,), True))


composed(softmax_, lambda xp, x, axis: xp.exp(xp.log_softmax(x, axis)))
vjp(softmax_, _softmax_rule)
jvp(softmax_, _softmax_rule)
batched(softmax_, "further")


@primitive("reduction", dtypes="real_float")
def log_softmax_(x: Array, axis: int) -> Tensor:
    """x - logsumexp(x) along one axis."""


vjp(log_softmax_, lambda xp, g, out, axis: g - xp.exp(out) * xp.sum(g, (axis,), True))
jvp(log_softmax_, lambda xp, t, out, axis: t - xp.sum(xp.exp(out) * t, (axis,), True))
batched(log_softmax_, "further")


@primitive("reduction", dtypes="real_float", promoted=("logits",))
def cross_entropy_(logits: Array, labels: Array) -> Tensor:
    """The mean over rows of -log(softmax(row)) at the row's label.

    ``logits`` has shape (rows, classes), ``labels`` shape (rows,), int64 from 0 to classes - 1.
    """


def _cross_entropy_vjp(xp: Any, g: Any, logits: Any, labels: Any, logits_shape: Shape, logits_dtype: Any) -> Any:
    rows = logits_shape[0]
    if rows == 0:
        return logits
    return _cross_entropy_slope(xp, logits, labels, logits_shape, logits_dtype) * (g / rows)


def _cross_entropy_slope(xp: Any, logits: Any, labels: Any, shape: Shape, dtype: Any) -> Any:
    """The derivative of the sum over rows: softmax less 1 at the label."""
    labels = xp.reshape(labels, (shape[0], 1))
    ones = xp.astype(labels == labels, dtype)
    return xp.exp(xp.log_softmax(logits, 1)) - xp.scatter_along_axis(ones, labels, 1, shape)


def _cross_entropy_jvp(xp: Any, t: Any, logits: Any, labels: Any, logits_shape: Shape, logits_dtype: Any) -> Any:
    if logits_shape[0] == 0:
        return xp.sum(t, (0, 1), False)
    slope = _cross_entropy_slope(xp, logits, labels, logits_shape, logits_dtype)
    return xp.sum(t * slope, (0, 1), False) / logits_shape[0]


vjp(cross_entropy_, _cross_entropy_vjp, lambda xp, g: None)
jvp(cross_entropy_, _cross_entropy_jvp, lambda xp, t: None)


def _cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    rows = logits.shape[0]
    chosen = xp.take_along_axis(xp.log_softmax(logits, 1), xp.reshape(labels, (rows, 1)), 1)
    return xp.negative(xp.divide(xp.sum(chosen, (0, 1), False), rows or float("nan")))


composed(cross_entropy_, _cross_entropy)


def _cross_entropy_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    logits, labels = repeated(bound, values, mask, size)
    rows = logits.shape[1]
    chosen = bound.take_along_axis(bound.log_softmax(logits, 2), bound.reshape(labels, (size, rows, 1)), 2)
    found: Tensor = bound.divide(bound.sum(chosen, (1, 2), False), -float(rows) or math.nan)
    return found


batched(cross_entropy_, _cross_entropy_of_batch)


def unfit_labels(labels: Shape, logits: Shape, expected: Shape) -> ShapeError:
    """The error for labels of a shape that does not fit the logits."""
    return ShapeError(f"labels of shape {labels} do not fit logits of shape {logits}; expected {expected}")


explained(
    cross_entropy_,
    lambda logits, labels: None if labels == logits[:1] else unfit_labels(labels, logits, logits[:1]),
)


# --- windows and convolutions ------------------------------------------------------------------------


def window_count(size: int, width: int, stride: int, dilation: int) -> int:
    """How many windows fit into an axis; 0 or less if none does."""
    return (size - dilation * (width - 1) - 1) // stride + 1


def window_key(shape: Shape, sizes: Shape, strides: Shape, dilations: Shape) -> tuple[Any, ...]:
    """The key that selects the windows over the last axes of an array of ``shape``."""
    count = len(sizes)
    spatial = shape[len(shape) - count :]
    key: list[Any] = [EVERYTHING] * (len(shape) - count)
    for axis, (size, width, stride, dilation) in enumerate(zip(spatial, sizes, strides, dilations, strict=True)):
        starts = np.arange(window_count(size, width, stride, dilation), dtype=np.int64) * stride
        positions = starts[:, None] + np.arange(width, dtype=np.int64) * dilation
        form = [1] * (2 * count)
        form[axis], form[count + axis] = positions.shape
        key.append(positions.reshape(form))
    return tuple(key)


@primitive("indexing", dtypes="any")
def windows_(x: Array, sizes: Shape, strides: Shape, dilations: Shape) -> Tensor:
    """The windows of these sizes that slide over the last axes of x, of shape (*others, *counts, *sizes).

    Neighbouring windows are ``strides`` apart, neighbouring elements of one window ``dilations``.
    """


vjp(
    windows_,
    lambda xp, g, sizes, strides, dilations, x_shape: xp.scatter(
        g, window_key(x_shape, sizes, strides, dilations), x_shape
    ),
)
jvp(windows_, "linear")
composed(
    windows_,
    lambda xp, x, sizes, strides, dilations: xp.getitem(x, window_key(tuple(x.shape), sizes, strides, dilations)),
)
batched(windows_, "further")


@primitive("contraction", dtypes="real_float")
def convolution_(x: Array, w: Array, strides: Shape, padding: Padding, dilations: Shape, groups: int) -> Tensor:
    """The sums of products of the kernels w with the windows of x (no kernel is turned round).

    x has the shape (N, C, *spatial) and w (O, C / groups, *kernel); the result has (N, O, *counts). The channels of
    x and the kernels fall into ``groups`` parts, and each part of the kernels sees its own part of the channels.
    """


def _stretched(xp: Any, x: Any, shape: Shape, before: Shape, steps: Shape, sizes: Shape) -> Any:
    """x, of ``shape``, with its spatial elements ``steps`` apart in zeros of ``sizes``, ``before`` many in front."""
    if steps == (1,) * len(steps) and sizes == shape[2:]:
        return x
    key = [
        slice(first, first + (size - 1) * step + 1, step)
        for first, size, step in zip(before, shape[2:], steps, strict=True)
    ]
    return xp.scatter(x, (EVERYTHING, EVERYTHING, *key), (*shape[:2], *sizes))


def transposed_convolution(
    xp: Any, g: Any, w: Any, strides: Shape, padding: Padding, dilations: Shape, groups: int, x_shape: Shape
) -> Any:
    """The cotangent of a convolution's x for the cotangent ``g``: what each kernel gives back to its windows.

    It is the convolution of g, with its elements ``strides`` apart in zeros, with the kernels turned round.
    """
    g_shape, w_shape = tuple(g.shape), tuple(w.shape)
    ndim = len(strides)
    reach = tuple(d * (k - 1) for d, k in zip(dilations, w_shape[2:], strict=True))
    padded = tuple(size + low + high for size, (low, high) in zip(x_shape[2:], padding, strict=True))
    g = _stretched(xp, g, g_shape, reach, strides, tuple(size + far for size, far in zip(padded, reach, strict=True)))
    inputs, outputs = w_shape[1], w_shape[0] // groups
    # The spatial axes as one: frameworks take so many axes and no more.
    kernels = xp.reshape(w, (groups, outputs, inputs, math.prod(w_shape[2:])))
    kernels = xp.flip(xp.permute_dims(kernels, (0, 2, 1, 3)), (3,))
    kernels = xp.reshape(kernels, (groups * inputs, outputs, *w_shape[2:]))
    found = xp.convolution(g, kernels, (1,) * ndim, ((0, 0),) * ndim, dilations, groups)
    if padded == x_shape[2:]:
        return found
    crop = [slice(low, low + size, 1) for size, (low, _) in zip(x_shape[2:], padding, strict=True)]
    return xp.getitem(found, (EVERYTHING, EVERYTHING, *crop))


def _kernel_cotangent(
    xp: Any,
    g: Any,
    x: Any,
    strides: Shape,
    padding: Padding,
    dilations: Shape,
    groups: int,
    x_shape: Shape,
    w_shape: Shape,
) -> Any:
    """The convolution of x with g, in which the elements of the batch take the place of the channels."""
    g_shape = tuple(g.shape)
    ndim = len(strides)
    batch, inputs, outputs = x_shape[0], w_shape[1], w_shape[0] // groups
    x = xp.permute_dims(xp.reshape(x, (batch, groups, inputs, math.prod(x_shape[2:]))), (2, 1, 0, 3))
    x = xp.reshape(x, (inputs, groups * batch, *x_shape[2:]))
    g = xp.permute_dims(xp.reshape(g, (batch, groups, outputs, math.prod(g_shape[2:]))), (1, 2, 0, 3))
    g = xp.reshape(g, (groups * outputs, batch, *g_shape[2:]))
    found = xp.convolution(x, g, dilations, padding, strides, groups)
    # Elements behind the last window make sums that belong to no element of a kernel.
    crop = tuple(slice(0, size, 1) for size in w_shape[2:])
    found = xp.getitem(found, (EVERYTHING, EVERYTHING, *crop))
    return xp.permute_dims(found, (1, 0, *range(2, 2 + ndim)))


vjp(
    convolution_,
    lambda xp, g, w, strides, padding, dilations, groups, x_shape: transposed_convolution(
        xp, g, w, strides, padding, dilations, groups, x_shape
    ),
    _kernel_cotangent,
)
jvp(convolution_, "multilinear")


def _convolution(xp: Any, x: Any, w: Any, strides: Shape, padding: Padding, dilations: Shape, groups: int) -> Any:
    """All windows as the rows of one matrix per group, times the kernels as its columns."""
    x_shape, w_shape = tuple(x.shape), tuple(w.shape)
    ndim = len(strides)
    batch, outputs, inputs = x_shape[0], w_shape[0] // groups, w_shape[1]
    before = tuple(low for low, _ in padding)
    padded = tuple(size + low + high for size, (low, high) in zip(x_shape[2:], padding, strict=True))
    x = _stretched(xp, x, x_shape, before, (1,) * ndim, padded)
    windows = xp.windows(x, w_shape[2:], strides, dilations)
    counts = tuple(windows.shape[2 : 2 + ndim])
    windows = xp.reshape(windows, (batch, groups, inputs, *counts, *w_shape[2:]))
    places, elements = range(3, 3 + ndim), range(3 + ndim, 3 + 2 * ndim)
    windows = xp.permute_dims(windows, (1, 0, *places, 2, *elements))
    terms = inputs * math.prod(w_shape[2:])
    rows = xp.reshape(windows, (groups, batch * math.prod(counts), terms))
    columns = xp.permute_dims(xp.reshape(w, (groups, outputs, terms)), (0, 2, 1))
    found = xp.reshape(xp.matmul(rows, columns), (groups, batch, *counts, outputs))
    found = xp.permute_dims(found, (1, 0, 2 + ndim, *range(2, 2 + ndim)))
    return xp.reshape(found, (batch, groups * outputs, *counts))


composed(convolution_, _convolution)


def _convolution_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    """Under kernels for all, the elements are more of what x is a batch of; kernels of each make more groups."""
    if not size:
        return of_none(bound, _convolution_of_batch, row, values, mask, statics)
    x, w = values
    *steps, groups = statics
    found: Tensor
    if not mask[1]:
        shape = x.shape
        found = bound.convolution(bound.reshape(x, (shape[0] * shape[1], *shape[2:])), w, *statics)
        return bound.reshape(found, (*shape[:2], *found.shape[1:]))
    outputs, inner = w.shape[1], w.shape[2:]
    if mask[0]:
        # Each element's channels see that element's kernels.
        x = moved(bound, x, 0, 1)
        batch, channels, spatial = x.shape[0], x.shape[2], x.shape[3:]
        x = bound.reshape(x, (batch, size * channels, *spatial))
        found = bound.convolution(x, bound.reshape(w, (size * outputs, *inner)), *steps, size * groups)
        shape = found.shape
        found = moved(bound, bound.reshape(found, (batch, size, outputs, math.prod(shape[2:]))), 1, 0)
        return bound.reshape(found, (size, batch, outputs, *shape[2:]))
    # Each group of channels sees the kernels that all elements have for it.
    part = outputs // groups
    w = moved(bound, bound.reshape(w, (size, groups, part, math.prod(inner))), 0, 1)
    found = bound.convolution(x, bound.reshape(w, (groups * size * part, *inner)), *statics)
    shape = found.shape
    found = moved(bound, bound.reshape(found, (shape[0], groups, size, part, math.prod(shape[2:]))), 2, 0)
    return bound.reshape(found, (size, shape[0], outputs, *shape[2:]))


batched(convolution_, _convolution_of_batch)
