"""Primitives that networks are made of, with their derivatives; ``unigrad.nn`` makes them public."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unigrad.operations.table import Array, composed, primitive, vjp

if TYPE_CHECKING:
    from unigrad.tensor import Tensor

Shape = tuple[int, ...]


@primitive("elementwise", dtypes="float")
def relu_(x: Array, /) -> Tensor:
    """x where it is positive, else 0; its derivative at 0 is 0, and NaN at NaN."""


vjp(relu_, lambda xp, g, x: xp.where(x <= 0, 0.0, g * xp.sign(x)))


@primitive("elementwise", dtypes="float")
def sigmoid_(x: Array, /) -> Tensor:
    """1 / (1 + exp(-x)), without overflow."""


# Not 1 - out, which far out is the difference of two equal numbers.
vjp(sigmoid_, lambda xp, g, x, out: g * out * xp.sigmoid(-x))


@primitive("elementwise", dtypes="float")
def softplus_(x: Array, /) -> Tensor:
    """log(1 + exp(x)), without overflow."""


vjp(softplus_, lambda xp, g, x: g * xp.sigmoid(x))


@primitive("reduction", dtypes="float")
def log_softmax_(x: Array, axis: int) -> Tensor:
    """x - logsumexp(x) along one axis."""


vjp(log_softmax_, lambda xp, g, out, axis: g - xp.exp(out) * xp.sum(g, (axis,), True))


@primitive("reduction", dtypes="float", promoted=("logits",))
def cross_entropy_(logits: Array, labels: Array) -> Tensor:
    """The mean over rows of -log(softmax(row)) at the row's label.

    ``logits`` has shape (rows, classes), ``labels`` shape (rows,), int64 from 0 to classes - 1.
    """


def _cross_entropy_vjp(xp: Any, g: Any, logits: Any, labels: Any, logits_shape: Shape, logits_dtype: Any) -> Any:
    rows = logits_shape[0]
    if rows == 0:
        return logits
    labels = xp.reshape(labels, (rows, 1))
    ones = xp.astype(labels == labels, logits_dtype)
    softmax = xp.exp(xp.log_softmax(logits, 1))
    return (softmax - xp.scatter_along_axis(ones, labels, 1, logits_shape)) * (g / rows)


vjp(cross_entropy_, _cross_entropy_vjp, lambda xp, g: None)


def _cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    rows = logits.shape[0]
    chosen = xp.take_along_axis(xp.log_softmax(logits, 1), xp.reshape(labels, (rows, 1)), 1)
    return xp.negative(xp.divide(xp.sum(chosen, (0, 1), False), rows or float("nan")))


composed(cross_entropy_, _cross_entropy)
