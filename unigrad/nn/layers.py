"""Layers of a network as functions of their input and their parameters."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import new_shape, real_number
from unigrad.base.errors import ArgumentError, DtypeError, IndexRangeError, ShapeError, UnigradError
from unigrad.base.recording import is_training
from unigrad.nn.activations import softmax
from unigrad.operations.contractions import matmul
from unigrad.operations.creation import arange, asarray, astype
from unigrad.operations.elementwise import add, equal, where
from unigrad.operations.indexing import checked_by_framework
from unigrad.operations.layers import attention_, embedding_, linear_
from unigrad.operations.reductions import in_float32, narrow
from unigrad.operations.shapes import expand_dims, matrix_transpose
from unigrad.random import tensor_drawn
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import is_at_hand, is_wrapped, values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = ["dropout", "embedding", "linear", "one_hot", "scaled_dot_product_attention"]


@operation
def linear(x: Array, weight: Array, bias: Array | None = None, /) -> Tensor:
    """x @ weight.T + bias: from shape (..., inputs) to (..., outputs) by a weight of shape (outputs, inputs)."""
    x, weight, *rest = tensors((x, weight) if bias is None else (x, weight, bias))
    own, shape = x.shape, weight.shape
    if len(shape) != 2 or not own or own[-1] != shape[1]:
        raise ShapeError(
            f"linear needs x of shape (..., inputs) and a weight of shape (outputs, inputs), not {own} and {shape}"
        )
    if not rest:
        return matmul(x, matrix_transpose(weight))
    bias = rest[0]
    if bias.shape == shape[:1] and bias._dtype.kind in dtypes.FLOATING:
        return linear_(x, weight, bias)
    return add(matmul(x, matrix_transpose(weight)), bias)


@operation
def embedding(indices: Array, weight: Array, /) -> Tensor:
    """The rows of ``weight`` at ``indices``; the gradient of a row that is taken twice is the sum of both.

    Raises DtypeError unless the indices are integers, IndexRangeError if one is not from 0 to the last row.
    """
    indices, weight = tensors((indices, weight))
    if weight.ndim < 1:
        raise ShapeError("embedding needs a weight with rows, not a 0-dimensional one")
    if checked_by_framework("embedding", indices, weight):
        try:
            return embedding_(weight, indices)
        except UnigradError:
            pass  # what follows names the index
    return embedding_(weight, checked_labels(indices, weight.shape[0]))


@operation
def one_hot(indices: Array, /, num_classes: int, *, dtype: Any = None) -> Tensor:
    """A new last axis of ``num_classes`` with a 1 at each index and zeros elsewhere, float32 by default.

    Raises DtypeError unless the indices are integers, IndexRangeError if one is not from 0 to num_classes - 1.
    """
    indices = asarray(indices)
    (num_classes,) = new_shape(num_classes)
    indices = checked_labels(indices, num_classes)
    hot = equal(expand_dims(indices, axis=-1), arange(num_classes, dtype=indices.dtype, like=indices))
    return astype(hot, dtypes.default_float if dtype is None else dtype)


def checked_labels(labels: Tensor, classes: int) -> Tensor:
    """Labels as int64; DtypeError unless they are integers, IndexRangeError if one is not from 0 to classes - 1."""
    if labels.dtype.kind not in "iu":
        raise DtypeError(f"labels must be integers or probabilities, not {labels.dtype}")
    if not is_at_hand(labels):
        found = astype(labels, np.int64)
        check = functools.partial(_check_labels, classes=classes)
        return found if is_wrapped(found) else type(found).of(found.backend.watched(found._raw, check), None)
    values = values_of_all(labels)
    _check_labels(values, classes)
    return labels if values.dtype == np.int64 else astype(labels, np.int64)


def _check_labels(values: Any, classes: int) -> None:
    # Seen as unsigned, a negative number is a very large one: one pass tells both bounds.
    if values.size and values.astype(np.uint64).max() >= classes:
        wrong = values[(values < 0) | (values >= classes)].ravel()[0]
        raise IndexRangeError(f"label {wrong} is not from 0 to {classes - 1}")


@operation
def dropout(x: Array, /, rate: float = 0.5, *, seed: int | None = None) -> Tensor:
    """In training mode zero each element with probability ``rate`` and scale the others by 1 / (1 - rate).

    A rate of 1 leaves zeros. In prediction mode x itself. The same seed (here, or ``ug.random.seed``) gives the same
    mask on every backend.

    The mask is drawn in Python. Inside what a framework compiles (``jax.jit``, ``tf.function``) that is when it
    traces the program: all calls of the compiled program have one mask, and so have all examples of a vmap. For a new
    one at each step draw it outside and pass it in as an argument, ``x * mask``, or compile by ``ug.compile``.
    """
    if not 0 <= real_number(rate, "rate") <= 1:
        raise ArgumentError(f"rate={rate!r} is no probability, from 0 to 1")
    x = asarray(x)
    if not is_training() or rate == 0:
        return x
    kept = tensor_drawn(lambda rng: rng.random(x.shape) >= rate, seed, np.dtype(bool), x)
    return where(kept, x * (1 / (1 - rate) if rate < 1 else 1.0), 0.0)


@operation
def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    /,
    mask: Array | None = None,
    *,
    is_causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """softmax(scale * query @ key.T + mask) @ value, over the last two axes (Vaswani et al., 2017).

    ``query`` has the shape (..., L, E), ``key`` (..., S, E), ``value`` (..., S, F) and the result (..., L, F).
    A boolean ``mask`` is True at the keys that a query sees, a floating one is added; it broadcasts to (..., L, S).
    ``is_causal``: query i sees the keys up to i. ``scale`` is 1 / sqrt(E) unless given. A query that sees no key
    gives NaN.
    """
    query, key, value = tensors((query, key, value))
    queries, keys, values = query.shape, key.shape, value.shape
    if min(len(queries), len(keys), len(values)) < 2 or queries[-1] != keys[-1] or keys[-2] != values[-2]:
        raise ShapeError(
            f"attention needs a query (..., L, E), a key (..., S, E) and a value (..., S, F), not shapes "
            f"{queries}, {keys} and {values}"
        )
    if narrow(query, key, value):
        return in_float32(scaled_dot_product_attention, query, key, value, mask, is_causal=is_causal, scale=scale)
    scale = 1 / math.sqrt(queries[-1] or 1) if scale is None else scale
    if mask is None and isinstance(scale, (int, float)) and queries[:-2] == keys[:-2] == values[:-2]:
        return attention_(query, key, value, float(scale), bool(is_causal))
    # The query is scaled, and not the scores, which are more and may overflow before.
    scores = matmul(query * scale, matrix_transpose(key))
    if is_causal:
        seen = np.tril(np.ones((queries[-2], keys[-2]), dtype=bool))
        scores = where(asarray(seen, like=scores), scores, -math.inf)
    if mask is not None:
        mask = asarray(mask, like=scores)
        scores = where(mask, scores, -math.inf) if mask.dtype == dtypes.bool_ else add(scores, mask)
    return matmul(softmax(scores), value)
