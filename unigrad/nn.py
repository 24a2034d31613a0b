"""What networks are made of, public as ``unigrad.nn``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad import dtypes
from unigrad.errors import ArgumentError, DtypeError, IndexRangeError, ShapeError
from unigrad.operations.arguments import many_axes, one_axis
from unigrad.operations.creation import arange, asarray, astype
from unigrad.operations.elementwise import divide, equal, erf_, expm1, multiply, where
from unigrad.operations.elementwise import exp as _exp
from unigrad.operations.elementwise import tanh as _tanh
from unigrad.operations.networks import cross_entropy_, log_softmax_, relu_, sigmoid_, softplus_
from unigrad.operations.reductions import Axis, logsumexp_
from unigrad.operations.reductions import sum as _sum
from unigrad.operations.shapes import expand_dims, moveaxis
from unigrad.operations.table import OPERATIONS, Array, operation
from unigrad.random import drawn
from unigrad.recording import is_training
from unigrad.tensor import Tensor

tanh = _tanh
OPERATIONS["nn.tanh"] = tanh


@operation
def relu(x: Array, /) -> Tensor:
    """max(x, 0), with derivative 0 at 0, and NaN at NaN."""
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
    x = asarray(x)
    return multiply(x, (erf_(x * math.sqrt(0.5)) + 1) * 0.5)


@operation
def silu(x: Array, /) -> Tensor:
    """x * sigmoid(x)."""
    x = asarray(x)
    return multiply(x, sigmoid_(x))


@operation
def elu(x: Array, /, alpha: float = 1.0) -> Tensor:
    """x where it is positive, alpha * (exp(x) - 1) elsewhere; its derivative at 0 is alpha."""
    x = asarray(x)
    # The unused branch is kept finite, so that it adds no NaN to the gradient.
    positive = x > 0
    return where(positive, x, expm1(where(positive, 0.0, x)) * alpha)


@operation
def leaky_relu(x: Array, /, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, negative_slope * x elsewhere; its derivative at 0 is negative_slope."""
    x = asarray(x)
    return where(x > 0, x, x * negative_slope)


@operation
def logsumexp(x: Array, /, *, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """log(sum(exp(x))) over ``axis``, without overflow."""
    x = asarray(x)
    return logsumexp_(x, many_axes(axis, x.ndim), keepdims)


@operation
def log_softmax(x: Array, /, *, axis: int = -1) -> Tensor:
    """x - logsumexp(x) along ``axis``."""
    x = asarray(x)
    return log_softmax_(x, one_axis(axis, x.ndim))


@operation
def softmax(x: Array, /, *, axis: int = -1) -> Tensor:
    """exp(x) / sum(exp(x)) along ``axis``, without overflow."""
    return _exp(log_softmax(x, axis=axis))


@operation
def one_hot(indices: Array, /, num_classes: int, *, dtype: Any = None) -> Tensor:
    """A new last axis of ``num_classes`` with a 1 at each index and zeros elsewhere, float32 by default.

    Raises DtypeError unless the indices are integers, IndexRangeError if one is not from 0 to num_classes - 1.
    """
    indices = asarray(indices)
    indices = _checked_labels(indices, num_classes)
    hot = equal(expand_dims(indices, axis=-1), arange(num_classes, dtype=indices.dtype, like=indices))
    return astype(hot, dtypes.default_float if dtype is None else dtype)


@operation
def cross_entropy(logits: Array, labels: Array, /, *, axis: int = -1) -> Tensor:
    """The mean of -log(softmax(logits)) at the labels.

    ``logits`` has the classes along ``axis``; ``labels`` are integers of the remaining shape, or
    probabilities of the same shape as ``logits``.
    """
    logits = asarray(logits)
    number = one_axis(axis, logits.ndim)
    labels = labels if isinstance(labels, Tensor) else asarray(labels, like=logits)
    rest = logits.shape[:number] + logits.shape[number + 1 :]
    if labels.dtype.kind == "f":
        if labels.shape != logits.shape:
            raise ShapeError(f"probabilities of shape {labels.shape} do not fit logits of shape {logits.shape}")
        return divide(_sum(multiply(labels, log_softmax_(logits, number))), -float(math.prod(rest)))
    if labels.shape != rest:
        raise ShapeError(f"labels of shape {labels.shape} do not fit logits of shape {logits.shape}; expected {rest}")
    if "cross_entropy" not in logits.backend.bounds_checked or labels.dtype != dtypes.int64:
        labels = _checked_labels(labels, logits.shape[number])
    if logits.ndim != 2 or number != 1:
        logits = moveaxis(logits, number, -1).reshape(math.prod(rest), logits.shape[number])
        labels = labels.reshape(-1)
    return cross_entropy_(logits, labels)


def _checked_labels(labels: Tensor, classes: int) -> Tensor:
    """Labels as int64; DtypeError unless they are integers, IndexRangeError if one is not from 0 to classes - 1."""
    values = labels.backend.to_numpy(labels.raw)
    if values.dtype.kind not in "iu":
        raise DtypeError(f"labels must be integers or probabilities, not {values.dtype}")
    # Seen as unsigned, a negative number is a very large one: one pass tells both bounds.
    if values.size and values.astype(np.uint64, copy=False).max() >= classes:
        wrong = values[(values < 0) | (values >= classes)].ravel()[0]
        raise IndexRangeError(f"label {wrong} is not from 0 to {classes - 1}")
    return labels if values.dtype == np.int64 else astype(labels, np.int64)


@operation
def dropout(x: Array, /, rate: float = 0.5, *, seed: int | None = None) -> Tensor:
    """In training mode zero each element with probability ``rate`` and scale the others by 1 / (1 - rate).

    In prediction mode x itself. The same seed (here, or ``ug.random.seed``) gives the same mask on every backend.
    """
    if not 0 <= rate < 1:
        raise ArgumentError(f"rate={rate!r} is no probability below 1")
    x = asarray(x)
    if not is_training() or rate == 0:
        return x
    kept = np.asarray(drawn(lambda rng: rng.random(x.shape), seed) >= rate)
    return where(asarray(kept, like=x), x * (1 / (1 - rate)), 0.0)
