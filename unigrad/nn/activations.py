"""Functions between the layers of a network."""

from __future__ import annotations

from typing import Any

from unigrad.base import dtypes
from unigrad.base.arguments import one_axis, real_number
from unigrad.base.elsewhere import unknown_argument
from unigrad.base.errors import ShapeError
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import abs as _absolute
from unigrad.operations.elementwise import divide, expm1, multiply, negative, real_numbers, where
from unigrad.operations.elementwise import tanh as _tanh
from unigrad.operations.indexing import getitem_
from unigrad.operations.networks import (
    elu_,
    gelu_,
    hard_tanh_,
    leaky_relu_,
    log_softmax_,
    relu_,
    sigmoid_,
    silu_,
    softmax_,
    softplus_,
)
from unigrad.operations.reductions import in_float32, narrow, rounded_once
from unigrad.operations.reductions import logsumexp as _logsumexp
from unigrad.table import OPERATIONS, Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = [
    "celu", "elu", "gelu", "glu", "hard_sigmoid", "hard_tanh", "leaky_relu", "log_sigmoid", "log_softmax",
    "logsumexp", "mish", "prelu", "relu", "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign",
    "tanh",
]  # fmt: skip

# So that what passes through keeps mean 0 and variance 1 (Klambauer et al., 2017, equation 14).
SELU_SCALE = 1.0507009873554804934193349852946
SELU_ALPHA = 1.6732632423543772848170429916717

tanh = _tanh
OPERATIONS["nn.tanh"] = tanh
logsumexp = _logsumexp
OPERATIONS["nn.logsumexp"] = logsumexp


def _floating(x: Array) -> Tensor:
    x = asarray(x)
    return astype(x, dtypes.to_float(x.dtype), copy=False)


@operation
def relu(x: Array, /) -> Tensor:
    """max(x, 0), with derivative 0 at 0."""
    return relu_(x)


@operation
def sigmoid(x: Array, /) -> Tensor:
    """1 / (1 + exp(-x)), without overflow."""
    return sigmoid_(x)


@operation
def softplus(x: Array, /) -> Tensor:
    """log(1 + exp(x)), without overflow."""
    return softplus_(x)


@operation
def gelu(x: Array, /) -> Tensor:
    """x times the normal distribution function of x: the exact form, by the error function."""
    return gelu_(x)


@operation
def silu(x: Array, /) -> Tensor:
    """x * sigmoid(x)."""
    return silu_(x)


@operation
def elu(x: Array, /, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha * (exp(x) - 1) elsewhere; its derivative at 0 is alpha."""
    return elu_(x, real_number(alpha, "alpha"))


@operation
def leaky_relu(x: Array, /, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, negative_slope * x elsewhere; its derivative at 0 is negative_slope."""
    return leaky_relu_(x, real_number(negative_slope, "negative_slope"))


@operation
def log_softmax(x: Array, /, axis: int = -1, **elsewhere: Any) -> Tensor:
    """x - logsumexp(x) along ``axis``."""
    if elsewhere:
        raise unknown_argument("log_softmax", elsewhere)
    x = asarray(x)
    if narrow(x):
        return in_float32(log_softmax, x, axis=axis)
    return log_softmax_(x, one_axis(axis, x.ndim))


@operation
def softmax(x: Array, /, axis: int = -1, **elsewhere: Any) -> Tensor:
    """exp(x) / sum(exp(x)) along ``axis``, without overflow."""
    if elsewhere:
        raise unknown_argument("softmax", elsewhere)
    x = asarray(x)
    if narrow(x):
        return in_float32(softmax, x, axis=axis)
    return softmax_(x, one_axis(axis, x.ndim))


@operation
def relu6(x: Array, /) -> Tensor:
    """x held between 0 and 6, with derivative 0 at 0 and at 6."""
    return hard_tanh_(x, 0.0, 6.0)


@operation
def hard_tanh(x: Array, /, low: float = -1.0, high: float = 1.0) -> Tensor:
    """x held between ``low`` and ``high``, with derivative 0 at both."""
    return hard_tanh_(x, real_number(low, "low"), real_number(high, "high"))


@operation
def hard_sigmoid(x: Array, /) -> Tensor:
    """x / 6 + 1 / 2, held between 0 and 1; its derivative at -3 and at 3 is 0."""
    return hard_tanh_(_floating(x) + 3.0, 0.0, 6.0) / 6.0


@operation
def selu(x: Array, /) -> Tensor:
    """1.0507 times :func:`elu` with the alpha 1.6733; its derivative at 0 is 1.7581, their product."""
    return elu(x, SELU_ALPHA) * SELU_SCALE


@operation
def celu(x: Array, /, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere; its derivative at 0 is 1."""
    x = asarray(x)
    positive = x > 0
    return where(positive, x, expm1(where(positive, 0.0, x) / alpha) * alpha)


@operation
def prelu(x: Array, weight: Array, /) -> Tensor:
    """x where it is positive, weight * x elsewhere; its derivative at 0 is the weight.

    ``weight`` is a number or broadcasts against x: of shape (C, 1, 1) it has one for each channel of (N, C, H, W).
    """
    x = asarray(x)
    return where(x > 0, x, real_numbers("prelu", multiply(x, weight)))


@operation
@rounded_once
def softsign(x: Array, /) -> Tensor:
    """x / (1 + abs(x))."""
    x = asarray(x)
    return divide(x, _absolute(x) + 1.0)


@operation
def mish(x: Array, /) -> Tensor:
    """x * tanh(softplus(x))."""
    x = asarray(x)
    return multiply(x, tanh(softplus_(x)))


@operation
def log_sigmoid(x: Array, /) -> Tensor:
    """log(sigmoid(x)), without overflow."""
    return negative(softplus_(negative(asarray(x))))


@operation
def glu(x: Array, /, axis: int = -1) -> Tensor:
    """The first half of x along ``axis`` times the sigmoid of the second half. ShapeError if its size is odd."""
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    size = x.shape[number]
    if size % 2:
        raise ShapeError(f"glu needs two halves, but axis {number} of shape {x.shape} has an odd size")
    everything = (slice(None, None, None),) * number
    first, second = (getitem_(x, (*everything, slice(start, start + size // 2, 1))) for start in (0, size // 2))
    return multiply(first, sigmoid_(second))
