"""The primitives of layers with parameters: linear, embedding and attention."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base.words import EVERYTHING, Shape
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, of_none, repeated
from unigrad.operations.creation import asarray
from unigrad.operations.shapes import matrix_transposed
from unigrad.table import Array, Primitive, batched, composed, jvp, vjp
from unigrad.tensor.tensor import Tensor

__all__: list[str] = []


# --- linear ----------------------------------------------------------------------------------------------------


@primitive("contraction", dtypes="float")
def linear_(x: Array, weight: Array, bias: Array) -> Tensor:
    """x @ weight.T + bias: x of shape (..., inputs), the weight (outputs, inputs) and the bias (outputs,)."""


def _rows(xp: Any, x: Any, shape: Shape) -> Any:
    """The vectors along the last axis as the rows of one matrix."""
    return x if len(shape) == 2 else xp.reshape(x, (math.prod(shape[:-1]), shape[-1]))


def _linear_back(xp: Any, g: Any, weight: Any, x_shape: Shape) -> Any:
    found = xp.matmul(_rows(xp, g, tuple(g.shape)), weight)
    return found if len(x_shape) == 2 else xp.reshape(found, x_shape)


vjp(
    linear_,
    _linear_back,
    lambda xp, g, x, x_shape: xp.matmul(matrix_transposed(xp, _rows(xp, g, tuple(g.shape))), _rows(xp, x, x_shape)),
    lambda xp, g: xp.sum(g, tuple(range(len(g.shape) - 1)), False),
)
jvp(
    linear_,
    lambda xp, t, weight: xp.matmul(t, matrix_transposed(xp, weight)),
    lambda xp, t, x: xp.matmul(x, matrix_transposed(xp, t)),
    lambda xp, t: t,
)
composed(linear_, lambda xp, x, weight, bias: xp.add(xp.matmul(x, matrix_transposed(xp, weight)), bias))


def _linear_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    """Under one weight and bias for all, the elements are more vectors; else a product of matrices for each."""
    x, weight, bias = values
    if mask == [True, False, False]:
        found: Tensor = bound.linear(x, weight, bias)
        return found
    if not size:
        return of_none(bound, _linear_of_batch, row, values, mask, statics)
    x, weight, bias = repeated(bound, values, mask, size)
    inner = x.shape[1:-1]
    found = bound.matmul(bound.reshape(x, (size, math.prod(inner), x.shape[-1])), matrix_transposed(bound, weight))
    found = bound.add(found, bound.reshape(bias, (size, 1, bias.shape[1])))
    return bound.reshape(found, (size, *inner, bias.shape[1]))


batched(linear_, _linear_of_batch)


# --- embedding -------------------------------------------------------------------------------------------------


@primitive("indexing", dtypes="any", promoted=("weight",))
def embedding_(weight: Array, indices: Array) -> Tensor:
    """The rows of the weight, elements of its first axis, at int64 indices from 0 to the last."""


@primitive("indexing", dtypes="any", promoted=("change",))
def embedding_back_(change: Array, indices: Array, rows: int) -> Tensor:
    """So many rows, at each index the sum of what stands there in ``change``, whose shape begins with the indices'."""


def _row_key(indices: Any, ndim: int) -> tuple[Any, ...]:
    return (indices, *(EVERYTHING,) * (ndim - 1))


def _embedding_back(xp: Any, change: Any, indices: Any, rows: int) -> Any:
    row = tuple(change.shape)[len(indices.shape) :]
    return xp.scatter(change, _row_key(indices, 1 + len(row)), (rows, *row))


composed(embedding_, lambda xp, weight, indices: xp.getitem(weight, _row_key(indices, len(weight.shape))))
vjp(
    embedding_,
    lambda xp, g, indices, weight_shape: xp.embedding_back(g, indices, weight_shape[0]),
    lambda xp, g: None,
)
jvp(embedding_, lambda xp, t, indices: xp.embedding(t, indices), lambda xp, t: None)
composed(embedding_back_, _embedding_back)
vjp(embedding_back_, lambda xp, g, indices: xp.embedding(g, indices), lambda xp, g: None)
jvp(embedding_back_, lambda xp, t, indices, rows: xp.embedding_back(t, indices, rows), lambda xp, t: None)


def _numbered(bound: Any, indices: Tensor, marked: bool, size: int, rows: int) -> Tensor:
    """Indices into the rows of all elements of a batch, one behind the other."""
    if not marked:
        indices = bound.broadcast_to(indices, (size, *indices.shape))
    first = np.arange(size, dtype=np.int64) * rows
    found: Tensor = bound.add(indices, asarray(first.reshape(-1, *(1,) * (indices.ndim - 1)), like=indices))
    return found


def _embedding_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    weight, indices = values
    found: Tensor
    if mask[0]:
        indices = _numbered(bound, indices, mask[1], size, weight.shape[1])
        weight = bound.reshape(weight, (size * weight.shape[1], *weight.shape[2:]))
    found = bound.embedding(weight, indices)
    return found


def _embedding_back_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    change, indices = values
    (rows,) = statics
    if not mask[0]:
        change = bound.broadcast_to(change, (size, *change.shape))
    indices = _numbered(bound, indices, mask[1], size, rows)
    found: Tensor = bound.embedding_back(change, indices, size * rows)
    return bound.reshape(found, (size, rows, *found.shape[1:]))


batched(embedding_, _embedding_of_batch)
batched(embedding_back_, _embedding_back_of_batch)


# --- attention -------------------------------------------------------------------------------------------------


@primitive("contraction", dtypes="real_float")
def attention_(query: Array, key: Array, value: Array, scale: float, causal: bool) -> Tensor:
    """softmax(scale * query @ key.T) @ value over the last two axes; all others are the same in all three.

    ``causal``: query i sees the keys up to i.
    """


def _weights(xp: Any, query: Any, key: Any, scale: float, causal: bool) -> Any:
    """How much of each value a query takes."""
    # The query is scaled, and not the scores, which are more and may overflow before.
    scores = xp.matmul(xp.multiply(query, scale), matrix_transposed(xp, key))
    return xp.softmax(xp.triangle(scores, 0, True, -math.inf) if causal else scores, len(scores.shape) - 1)


def _weights_changed(xp: Any, weights: Any, change: Any) -> Any:
    """The derivative of softmax, which is symmetric."""
    along = xp.sum(xp.multiply(change, weights), (len(weights.shape) - 1,), True)
    return xp.multiply(xp.subtract(change, along), weights)


def _attention_shared(xp: Any, g: Any, query: Any, key: Any, value: Any, scale: float, causal: bool) -> Any:
    """The weights, and the cotangent of the scores."""
    weights = _weights(xp, query, key, scale, causal)
    return weights, xp.multiply(_weights_changed(xp, weights, xp.matmul(g, matrix_transposed(xp, value))), scale)


def _query_moving(xp: Any, t: Any, query: Any, key: Any, value: Any, scale: float, causal: bool) -> Any:
    change = xp.matmul(xp.multiply(t, scale), matrix_transposed(xp, key))
    return xp.matmul(_weights_changed(xp, _weights(xp, query, key, scale, causal), change), value)


def _key_moving(xp: Any, t: Any, query: Any, key: Any, value: Any, scale: float, causal: bool) -> Any:
    change = xp.matmul(xp.multiply(query, scale), matrix_transposed(xp, t))
    return xp.matmul(_weights_changed(xp, _weights(xp, query, key, scale, causal), change), value)


vjp(
    attention_,
    lambda xp, g, key, shared: xp.matmul(shared[1], key),
    lambda xp, g, query, shared: xp.matmul(matrix_transposed(xp, shared[1]), query),
    lambda xp, g, shared: xp.matmul(matrix_transposed(xp, shared[0]), g),
    shared=_attention_shared,
)
jvp(
    attention_,
    _query_moving,
    _key_moving,
    lambda xp, t, query, key, scale, causal: xp.matmul(_weights(xp, query, key, scale, causal), t),
)
composed(
    attention_,
    lambda xp, query, key, value, scale, causal: xp.matmul(_weights(xp, query, key, scale, causal), value),
)
batched(attention_, "further")
