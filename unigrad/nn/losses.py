"""How far predictions are from what they should be.

``reduction`` is ``"mean"``, ``"sum"`` or ``"none"``, for the losses one by one; anything else raises ArgumentError.
Predictions and targets have one shape; they are not broadcast, which raises ShapeError.

Of complex numbers a loss by distances is that of ``abs(predictions - targets)``, a real number; one by probabilities
raises DtypeError.
"""

from __future__ import annotations

import math
from typing import Any

from unigrad.base.arguments import one_axis, real_number
from unigrad.base.dtypes import REAL_FLOATING, float32, int64, is_half
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.nn.activations import log_softmax
from unigrad.nn.layers import checked_labels
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import abs as absolute
from unigrad.operations.elementwise import (
    divide,
    exp,
    floats,
    log,
    log1p,
    logical_and,
    maximum,
    multiply,
    negative,
    real_numbers,
    sqrt,
    subtract,
    where,
)
from unigrad.operations.indexing import take, take_along_axis_
from unigrad.operations.moments import mean
from unigrad.operations.networks import cross_entropy_, softplus_, unfit_labels
from unigrad.operations.reductions import Axis, in_float32, narrow, squared_size, vector_norm
from unigrad.operations.reductions import sum as _sum
from unigrad.operations.shapes import broadcast_arrays, expand_dims, moveaxis, squeeze
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_similarity", "cross_entropy", "huber_loss",
    "kl_div", "l1_loss", "mse_loss", "nll_loss", "normalize", "smooth_l1_loss",
]  # fmt: skip


def _pair(predictions: Array, targets: Array) -> tuple[Tensor, Tensor]:
    predictions, targets = tensors((predictions, targets))
    if predictions.shape != targets.shape:
        raise ShapeError(
            f"predictions of shape {predictions.shape} and targets of shape {targets.shape} must have one shape; "
            f"use broadcast_to if stretching one is meant"
        )
    return predictions, targets


def _real_pair(name: str, predictions: Array, targets: Array) -> tuple[Tensor, Tensor]:
    predictions, targets = _pair(predictions, targets)
    found = floats(real_numbers(name, predictions), real_numbers(name, targets))
    return found[0], found[1]


def _reduced(losses: Tensor, reduction: str) -> Tensor:
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return _sum(losses)
    if reduction == "none":
        return losses
    raise ArgumentError(f"reduction={reduction!r} is not known; use 'mean', 'sum' or 'none'")


@operation
def mse_loss(predictions: Array, targets: Array, /, *, reduction: str = "mean") -> Tensor:
    """abs(predictions - targets) ** 2."""
    predictions, targets = _pair(predictions, targets)
    if narrow(predictions, targets):
        return in_float32(mse_loss, predictions, targets, reduction=reduction)
    return _reduced(squared_size(subtract(predictions, targets)), reduction)


@operation
def l1_loss(predictions: Array, targets: Array, /, *, reduction: str = "mean") -> Tensor:
    """abs(predictions - targets), with derivative 0 where they are equal."""
    predictions, targets = _pair(predictions, targets)
    if narrow(predictions, targets):
        return in_float32(l1_loss, predictions, targets, reduction=reduction)
    return _reduced(absolute(subtract(predictions, targets)), reduction)


@operation
def huber_loss(predictions: Array, targets: Array, /, *, delta: float = 1.0, reduction: str = "mean") -> Tensor:
    """abs(e) ** 2 / 2 where the error e is at most ``delta``, delta * (abs(e) - delta / 2) elsewhere (Huber, 1964)."""
    if not real_number(delta, "delta") > 0:
        raise ArgumentError(f"delta={delta!r} is not positive")
    predictions, targets = _pair(predictions, targets)
    if narrow(predictions, targets):
        return in_float32(huber_loss, predictions, targets, delta=delta, reduction=reduction)
    error = subtract(predictions, targets)
    size = absolute(error)
    near = size <= delta
    if error.dtype.kind == "c":
        size = absolute(where(near, delta, error))  # away from 0, where it has no second derivative
    return _reduced(where(near, squared_size(error) * 0.5, (size - 0.5 * delta) * delta), reduction)


@operation
def smooth_l1_loss(predictions: Array, targets: Array, /, *, beta: float = 1.0, reduction: str = "mean") -> Tensor:
    """:func:`huber_loss` divided by ``beta``, its delta; with a beta of 0 :func:`l1_loss`."""
    if beta == 0:
        return l1_loss(predictions, targets, reduction=reduction)
    predictions, targets = _pair(predictions, targets)
    if narrow(predictions, targets):
        return in_float32(smooth_l1_loss, predictions, targets, beta=beta, reduction=reduction)
    return huber_loss(predictions, targets, delta=beta, reduction=reduction) / beta


@operation
def binary_cross_entropy(probabilities: Array, targets: Array, /, *, reduction: str = "mean") -> Tensor:
    """-(t log(p) + (1 - t) log(1 - p)) for targets t and probabilities p from 0 to 1.

    It is infinite where p is 0 or 1 and t another; where both are 0, or both 1, it is 0, with an infinite derivative by
    t. Of logits :func:`binary_cross_entropy_with_logits` has more correct digits.
    """
    p, t = _real_pair("binary_cross_entropy", probabilities, targets)
    if narrow(p, t):
        return in_float32(binary_cross_entropy, p, t, reduction=reduction)
    never, always = logical_and(t == 0, p == 0), logical_and(t == 1, p == 1)
    positive = _edged(never, t, log(where(never, 1.0, p)))
    negated = _edged(always, 1.0 - t, log1p(negative(where(always, 0.0, p))))
    return _reduced(negative(positive + negated), reduction)


def _edged(edge: Tensor, weight: Tensor, logarithm: Tensor) -> Tensor:
    """weight * logarithm; at the edge, where it is 0 times minus infinity, minus the square root of the weight: 0 as
    well, with the same infinite slope."""
    root = negative(sqrt(where(edge, weight, 1.0)))
    return where(edge, root, multiply(weight, where(edge, 0.0, logarithm)))


@operation
def binary_cross_entropy_with_logits(
    logits: Array, targets: Array, /, *, positive_weight: Array | None = None, reduction: str = "mean"
) -> Tensor:
    """-(t log(sigmoid(x)) + (1 - t) log(1 - sigmoid(x))) for targets t from 0 to 1, without overflow.

    ``positive_weight`` multiplies the first term; it broadcasts against the logits.
    """
    logits, targets = _real_pair("binary_cross_entropy_with_logits", logits, targets)
    if narrow(logits, targets):
        manner = {"positive_weight": positive_weight, "reduction": reduction}
        return in_float32(binary_cross_entropy_with_logits, logits, targets, **manner)
    positive = multiply(targets, softplus_(negative(logits)))
    if positive_weight is not None:
        positive = real_numbers("binary_cross_entropy_with_logits", multiply(positive, positive_weight))
    return _reduced(positive + multiply(1.0 - targets, softplus_(logits)), reduction)


@operation
def kl_div(log_predictions: Array, targets: Array, /, *, log_targets: bool = False, reduction: str = "mean") -> Tensor:
    """t * (log(t) - log_predictions) for probabilities t, or exp(t) * (t - log_predictions) with ``log_targets``.

    0 where a probability is 0, with an infinite derivative by it. ``reduction`` may also be ``"batchmean"``: the sum
    divided by the size of the first axis, which is the divergence of Kullback and Leibler itself.
    """
    log_predictions, targets = _real_pair("kl_div", log_predictions, targets)
    if narrow(log_predictions, targets):
        return in_float32(kl_div, log_predictions, targets, log_targets=log_targets, reduction=reduction)
    if log_targets:
        losses = multiply(exp(targets), subtract(targets, log_predictions))
    else:
        # log(0) would make NaN of 0 times minus infinity. There the square root stands in for t * log(t), or for
        # t times infinity where the prediction is 0 as well: 0 like both, with the same infinite slope.
        none = targets == 0
        unreached = logical_and(none, log_predictions == -math.inf)
        edge = multiply(where(unreached, 1.0, -1.0), sqrt(targets))
        known = subtract(log(where(none, 1.0, targets)), where(none, 0.0, log_predictions))
        losses = where(none, edge, multiply(targets, known))
    if reduction == "batchmean":
        if losses.ndim == 0:
            raise ShapeError("reduction='batchmean' needs a first axis, not a 0-dimensional array")
        return divide(_sum(losses), float(losses.shape[0]) or math.nan)
    return _reduced(losses, reduction)


@operation
def nll_loss(
    log_probabilities: Array,
    labels: Array,
    /,
    *,
    axis: int = -1,
    weights: Array | None = None,
    ignore_index: int | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-log_probabilities at the labels.

    ``log_probabilities`` has the classes along ``axis``; ``labels`` are integers of the remaining shape.
    ``weights``, one per class, multiply the losses, and the mean is divided by their sum. A label that is
    ``ignore_index`` has no loss and no weight. IndexRangeError if another one is no class.
    """
    log_probabilities = _with_digits(real_numbers("nll_loss", log_probabilities), weights)
    if narrow(log_probabilities):
        manner = {"axis": axis, "weights": weights, "ignore_index": ignore_index, "reduction": reduction}
        return in_float32(nll_loss, log_probabilities, labels, **manner)
    number = one_axis(axis, log_probabilities.ndim)
    labels = labels if isinstance(labels, Tensor) else asarray(labels, like=log_probabilities)
    return _of_labels(log_probabilities, labels, number, weights, ignore_index, 0.0, reduction)


@operation
def cross_entropy(
    logits: Array,
    labels: Array,
    /,
    *,
    axis: int = -1,
    weights: Array | None = None,
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
) -> Tensor:
    """The mean of -log(softmax(logits)) at the labels.

    ``logits`` has the classes along ``axis``; ``labels`` are integers of the remaining shape, or
    probabilities of the same shape as ``logits``. ``weights`` and ``ignore_index`` are those of :func:`nll_loss`;
    of probabilities none is ignored, and the mean is divided by their number. ``label_smoothing``, from 0 to 1, is
    the part of the probability that is given to all classes equally.
    """
    logits = logits if isinstance(logits, Tensor) else asarray(logits)
    if logits._dtype is not float32 and is_half(logits._dtype):
        logits = _with_digits(logits, labels, weights)
    if logits._dtype is not float32 and is_half(logits._dtype):
        manner = {"axis": axis, "weights": weights, "ignore_index": ignore_index, "reduction": reduction}
        return in_float32(cross_entropy, logits, labels, label_smoothing=label_smoothing, **manner)
    if (
        type(labels) is type(logits)
        and axis == -1
        and weights is None
        and ignore_index is None
        and label_smoothing == 0
        and reduction == "mean"
        and labels._dtype is int64
        and "cross_entropy" in logits.backend.bounds_checked
        and (raw := logits._raw) is not None  # as that of a batch is
        and raw.ndim == 2
    ):
        # As most calls have it. What follows takes three times as long as this, and finds the same.
        return logits._bound.cross_entropy(logits, labels)
    shape = logits.shape
    number = one_axis(axis, len(shape))
    labels = labels if isinstance(labels, Tensor) else asarray(labels, like=logits)
    if not 0 <= real_number(label_smoothing, "label_smoothing") <= 1:
        raise ArgumentError(f"label_smoothing={label_smoothing!r} is not from 0 to 1")
    if labels.dtype.kind in REAL_FLOATING:
        logits, labels = floats(logits, labels)
        return _of_probabilities(logits, labels, number, weights, label_smoothing, reduction)
    if weights is not None or ignore_index is not None or label_smoothing or reduction != "mean":
        losses = log_softmax(logits, axis=number)
        return _of_labels(losses, labels, number, weights, ignore_index, label_smoothing, reduction)
    rest = _checked_shape(labels, shape, number)
    if labels.dtype is not int64 or "cross_entropy" not in logits.backend.bounds_checked:
        labels = checked_labels(labels, shape[number])
    if len(shape) != 2 or number != 1:
        logits = moveaxis(logits, number, -1).reshape(math.prod(rest), shape[number])
        labels = labels.reshape(-1)
    return cross_entropy_(logits, labels)


def _checked_shape(labels: Tensor, shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    """The shape that labels must have, which is that of the logits, ``shape``, without the classes."""
    rest = shape[:axis] + shape[axis + 1 :]
    if labels.shape != rest:
        raise unfit_labels(labels.shape, shape, rest)
    return rest


def _with_digits(x: Tensor, *others: Any) -> Tensor:
    """A half in the dtype that it has in common with what else is floating, so that not its dtype is the result's."""
    if not is_half(x.dtype):
        return x
    arrays = [asarray(other, like=x) for other in others if isinstance(getattr(other, "ndim", None), int)]
    return floats(x, *[other for other in arrays if other.dtype.kind in REAL_FLOATING])[0]


def _class_weights(weights: Array, logits: Tensor, axis: int) -> Tensor:
    """One weight per class, in a shape that broadcasts against the logits."""
    # Weights are added up as well: with no fewer digits than the logits.
    weights = floats(logits, real_numbers("a loss's weights", asarray(weights, like=logits)))[1]
    classes = logits.shape[axis]
    if weights.shape != (classes,):
        raise ShapeError(f"weights of shape {weights.shape} are not one for each of {classes} classes")
    return weights.reshape((classes,) + (1,) * (logits.ndim - axis - 1))


def _of_probabilities(
    logits: Tensor, targets: Tensor, axis: int, weights: Array | None, smoothing: float, reduction: str
) -> Tensor:
    if targets.shape != logits.shape:
        raise ShapeError(f"probabilities of shape {targets.shape} do not fit logits of shape {logits.shape}")
    if smoothing:
        targets = targets * (1 - smoothing) + smoothing / logits.shape[axis]
    predictions = log_softmax(logits, axis=axis)
    losses = _edged(logical_and(targets == 0, predictions == -math.inf), targets, predictions)
    if weights is not None:
        losses = multiply(losses, _class_weights(weights, logits, axis))
    if reduction == "mean":
        rows = math.prod(logits.shape[:axis] + logits.shape[axis + 1 :])
        return divide(_sum(losses), -float(rows) or math.nan)
    return _reduced(negative(_sum(losses, axis=axis)), reduction)


def _of_labels(
    log_probabilities: Tensor,
    labels: Tensor,
    axis: int,
    weights: Array | None,
    ignore_index: int | None,
    smoothing: float,
    reduction: str,
) -> Tensor:
    _checked_shape(labels, log_probabilities.shape, axis)
    kept = None if ignore_index is None else labels != ignore_index
    if kept is not None:
        labels = where(kept, labels, 0)
    labels = checked_labels(labels, log_probabilities.shape[axis])
    by_class = None if weights is None else _class_weights(weights, log_probabilities, axis)
    scale = None if by_class is None else take(by_class.reshape(-1), labels, axis=0)
    losses = negative(squeeze(take_along_axis_(log_probabilities, expand_dims(labels, axis=axis), axis), axis=axis))
    losses = losses if scale is None else multiply(losses, scale)
    if smoothing:
        every = log_probabilities if by_class is None else multiply(log_probabilities, by_class)
        losses = losses * (1 - smoothing) - mean(every, axis=axis) * smoothing
    if kept is not None:
        losses = where(kept, losses, 0.0)
        scale = astype(kept, losses.dtype) if scale is None else where(kept, scale, 0.0)
    if reduction == "mean" and scale is not None:
        return divide(_sum(losses), _sum(scale))
    return _reduced(losses, reduction)


@operation
def normalize(x: Array, /, *, ord: float = 2, axis: Axis = -1, eps: float = 1e-12) -> Tensor:
    """x divided by its norm along ``axis``, or by ``eps`` where that is larger."""
    x = asarray(x)
    if narrow(x):
        return in_float32(normalize, x, ord=ord, axis=axis, eps=eps)
    return divide(x, maximum(vector_norm(x, axis=axis, keepdims=True, ord=ord), eps))


@operation
def cosine_similarity(x1: Array, x2: Array, /, axis: int = -1, *, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors along ``axis``; a norm below ``eps`` is taken as that.

    They broadcast, along ``axis`` as well. DtypeError if they are complex.
    """
    x1, x2 = floats(*(real_numbers("cosine_similarity", x) for x in tensors((x1, x2))))
    if narrow(x1, x2):
        return in_float32(cosine_similarity, x1, x2, axis=axis, eps=eps)
    x1, x2 = broadcast_arrays(x1, x2)  # first: the norm is that of the stretched vector
    product = multiply(normalize(x1, axis=axis, eps=eps), normalize(x2, axis=axis, eps=eps))
    return _sum(product, axis=axis)
