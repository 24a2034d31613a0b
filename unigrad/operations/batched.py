"""Batching rules: how each primitive is carried out for a whole batch at once.

A rule is ``rule(bound, row, values, mask, size, statics)``: ``bound`` holds the primitives over Tensors, ``row`` is
the primitive's row of the table. Each of ``values`` that ``mask`` marks has the ``size`` elements of a batch along
its first axis, as the result must have; the others are the same for all elements. Scalars are never marked.

Rules are made of the framework's own batched operations, by way of our primitives. So whatever is recorded below them
is differentiated as everything else is, on every backend alike. A framework's own way to map one operation
(``jax.vmap``, ``torch.func.vmap``, ``tf.vectorized_map``) comes to the same calls with its interpreter in between:
around one addition ``torch.func.vmap`` takes four times as long as the rule, and ``tf.vectorized_map``, which traces,
hundreds of times.

:data:`RULES` lists them, for all that is not elementwise. :func:`one_by_one` is a loop, and no primitive's rule: it
serves one that is declared without, and where a rule has to give up.
"""

from __future__ import annotations

import math
import string
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.errors import ShapeError
from unigrad.levels import call
from unigrad.operations.indexing import leading
from unigrad.operations.table import SCALAR_TYPES, Primitive
from unigrad.tensor import Tensor

Values = Sequence[Any]
Mask = Sequence[bool]
Shape = tuple[int, ...]
Rule = Callable[[Any, Primitive, Values, Mask, int, Sequence[Any]], Tensor]
_EVERYTHING = slice(None, None, None)


def rule_for(row: Primitive) -> Rule:
    """The batching rule of a primitive."""
    return RULES.get(row.name) or (elementwise if row.kind in ("elementwise", "comparison") else one_by_one)


# --- for many primitives -----------------------------------------------------------------------------------------


def elementwise(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """As it is: with axes of size 1 behind the batch, so that all elements have as many."""
    sizes = [0 if type(x) in SCALAR_TYPES else x.ndim - marked for x, marked in zip(values, mask, strict=True)]
    axes = max(sizes)
    aligned = [
        _aligned(bound, x, axes) if marked and own < axes else x
        for x, marked, own in zip(values, mask, sizes, strict=True)
    ]
    found: Tensor = call(bound, row, aligned, statics)
    return found


def _aligned(bound: Any, x: Any, axes: int) -> Any:
    """A batch whose elements have ``axes`` axes, with ones in front of their own."""
    if x.ndim > axes:
        return x
    shape = x.shape
    return bound.reshape(x, (shape[0], *(1,) * (axes + 1 - len(shape)), *shape[1:]))


_FURTHER: dict[str, Callable[[Any, int], Any]] = {
    "axis": lambda axis, size: axis + 1,
    "axes": lambda axes, size: tuple([axis + 1 for axis in axes]),
    "shape": lambda shape, size: (size, *shape),
}


def one_axis_on(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """As it is, one axis further on: axes that are counted from the front count one more, and a result's shape begins
    with the size of the batch. What works on the last axes knows neither."""
    moved = [
        _FURTHER[name](value, size) if name in _FURTHER else value
        for name, value in zip(row.statics, statics, strict=True)
    ]
    found: Tensor = call(bound, row, _spread(bound, values, mask, size), moved)
    return found


def _spread(bound: Any, values: Values, mask: Mask, size: int) -> list[Any]:
    """All as batches: what is the same for every element stands there ``size`` times."""
    return [x if marked else bound.broadcast_to(x, (size, *x.shape)) for x, marked in zip(values, mask, strict=True)]


def one_by_one(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """A loop: for primitives without a rule, and where a rule needs what there is not: an axis more than the framework
    takes, a letter more than there are."""
    if not size:
        return _of_none(bound, one_by_one, row, values, mask, statics)
    # Flat, where they are taken apart and put together: so many axes any framework takes.
    rows = [
        bound.reshape(x, (size, math.prod(x.shape[1:]))) if marked else x
        for x, marked in zip(values, mask, strict=True)
    ]
    found = []
    for position in range(size):
        element = [
            bound.reshape(bound.getitem(row_of, (position, _EVERYTHING)), x.shape[1:]) if marked else x
            for x, row_of, marked in zip(values, rows, mask, strict=True)
        ]
        found.append(call(bound, row, element, statics))
    shape = found[0].shape
    stacked: Tensor = bound.stack([bound.reshape(part, (math.prod(shape),)) for part in found], 0)
    return bound.reshape(stacked, (size, *shape))


def _of_none(bound: Any, rule: Rule, row: Primitive, values: Values, mask: Mask, statics: Sequence[Any]) -> Tensor:
    """The result for a batch of no elements, which has the shape of any other but for its first axis."""
    ones = [
        x.backend.tensor_type.of(x.backend.full((1, *x.shape[1:]), 1, x.dtype, x.device), None) if marked else x
        for x, marked in zip(values, mask, strict=True)
    ]
    found = rule(bound, row, ones, mask, 1, statics)
    none: Tensor = bound.getitem(found, (slice(0, 0, 1), *(_EVERYTHING,) * (found.ndim - 1)))
    return none


def _moved(bound: Any, x: Tensor, source: int, target: int) -> Tensor:
    """One axis at another place."""
    if source == target:
        return x
    order = list(range(x.ndim))
    order.insert(target, order.pop(source))
    return bound.permute_dims(x, tuple(order))


# --- shapes and indexing -----------------------------------------------------------------------------------------


def _permute_dims(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    found: Tensor = bound.permute_dims(values[0], (0, *[axis + 1 for axis in statics[0]]))
    return found


def _broadcast_to(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    shape = statics[0]
    found: Tensor = bound.broadcast_to(_aligned(bound, values[0], len(shape)), (size, *shape))
    return found


def _getitem(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    (key,) = statics
    found: Tensor = _moved(bound, bound.getitem(values[0], (_EVERYTHING, *key)), leading(key), 0)
    return found


def _scatter(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    key, shape = statics
    found: Tensor = bound.scatter(_moved(bound, values[0], 0, leading(key)), (_EVERYTHING, *key), (size, *shape))
    return found


def _setitem(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    (key,) = statics
    x, value = _spread(bound, values, mask, size)
    found: Tensor = bound.setitem(x, _moved(bound, value, 0, leading(key)), (_EVERYTHING, *key))
    return found


def _take_along_axis(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    x, indices = values
    if mask[0] or x.ndim > 1:
        return one_axis_on(bound, row, values, mask, size, statics)
    # Many look into one vector.
    found = bound.take_along_axis(x, bound.reshape(indices, (math.prod(indices.shape),)), 0)
    spread: Tensor = bound.reshape(found, indices.shape)
    return spread


def _searchsorted(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """With a vector for each element: how many numbers stand before each in both together, less those of its own."""
    if not mask[0]:
        own: Tensor = bound.searchsorted(*values, *statics)
        return own
    (right,) = statics
    x1, x2 = _spread(bound, values, mask, size)
    flat = bound.reshape(x2, (size, math.prod(x2.shape[1:])))
    # Sorting is stable: of equal numbers those of the first array stand before.
    first = x1.shape[1] if right else 0
    ranks = _ranks(bound, bound.concat([x1, flat] if right else [flat, x1], 1))
    ranks = bound.getitem(ranks, (_EVERYTHING, slice(first, first + flat.shape[1], 1)))
    found: Tensor = bound.reshape(bound.subtract(ranks, _ranks(bound, flat)), x2.shape)
    return found


def _ranks(bound: Any, x: Any) -> Any:
    """How many numbers of its row stand before each one when they are sorted."""
    return bound.argsort(bound.argsort(x, 1, False), 1, False)


# --- products ----------------------------------------------------------------------------------------------------


def _matmul(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """One matrix product, wherever one of the two is a matrix or a vector for all; else a product for each."""
    x1, x2 = values
    ndim1, ndim2 = x1.ndim - mask[0], x2.ndim - mask[1]
    shape1, shape2 = x1.shape[mask[0] :], x2.shape[mask[1] :]
    if not (ndim1 and ndim2) or shape1[-1] != shape2[-1 if ndim2 == 1 else -2]:
        raise ShapeError(
            f"matmul cannot multiply shapes {shape1} and {shape2}, those of one element inside vmap: the last axis of "
            f"the first and the last but one of the second must have equal sizes, and neither may be 0-dimensional"
        )
    found: Tensor
    if not mask[1] and ndim2 <= 2:
        # The elements are rows of one matrix.
        rows = bound.reshape(x1, (math.prod(x1.shape[:-1]), x1.shape[-1])) if x1.ndim > 2 else x1
        found = bound.matmul(rows, x2)
        return bound.reshape(found, (*x1.shape[:-1], *found.shape[1:])) if x1.ndim > 2 else found
    if not mask[0] and ndim1 <= 2 and ndim2 == 1:
        found = bound.matmul(x2, x1 if ndim1 == 1 else bound.permute_dims(x1, (1, 0)))
        return found
    # A row is a matrix with one row, a column one with one column, and the batch stands in front of everything.
    axes = max(ndim1, ndim2, 2)
    rows = bound.reshape(x1, (*x1.shape[:-1], 1, x1.shape[-1])) if ndim1 == 1 else x1
    columns = bound.reshape(x2, (*x2.shape, 1)) if ndim2 == 1 else x2
    found = bound.matmul(
        *[_aligned(bound, x, axes) if marked else x for x, marked in zip((rows, columns), mask, strict=True)]
    )
    ends = (() if ndim1 == 1 else found.shape[-2:-1]) + (() if ndim2 == 1 else found.shape[-1:])
    return bound.reshape(found, (*found.shape[:-2], *ends)) if len(ends) < 2 else found


def _einsum(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """With one more letter, for the batch."""
    (subscripts,) = statics
    letter = next((letter for letter in string.ascii_letters if letter not in subscripts), None)
    if letter is None:
        return one_by_one(bound, row, values, mask, size, statics)
    inputs, _, output = subscripts.partition("->")
    terms = [letter + term if marked else term for term, marked in zip(inputs.split(","), mask, strict=True)]
    found: Tensor = bound.einsum(list(values), f"{','.join(terms)}->{letter}{output}")
    return found


def _convolution(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """Under kernels for all, the elements are more of what x is a batch of; kernels of each make more groups."""
    if not size:
        return _of_none(bound, _convolution, row, values, mask, statics)
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
        x = _moved(bound, x, 0, 1)
        batch, channels, spatial = x.shape[0], x.shape[2], x.shape[3:]
        x = bound.reshape(x, (batch, size * channels, *spatial))
        found = bound.convolution(x, bound.reshape(w, (size * outputs, *inner)), *steps, size * groups)
        shape = found.shape
        found = _moved(bound, bound.reshape(found, (batch, size, outputs, math.prod(shape[2:]))), 1, 0)
        return bound.reshape(found, (size, batch, outputs, *shape[2:]))
    # Each group of channels sees the kernels that all elements have for it.
    part = outputs // groups
    w = _moved(bound, bound.reshape(w, (size, groups, part, math.prod(inner))), 0, 1)
    found = bound.convolution(x, bound.reshape(w, (groups * size * part, *inner)), *statics)
    shape = found.shape
    found = _moved(bound, bound.reshape(found, (shape[0], groups, size, part, math.prod(shape[2:]))), 2, 0)
    return bound.reshape(found, (size, shape[0], outputs, *shape[2:]))


def _solve(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """Of one matrix the elements are more right sides, so that it is factorised once."""
    x1, x2 = values
    if mask[0]:
        return one_axis_on(bound, row, values, mask, size, statics)
    columns = _moved(bound, x2, 0, x2.ndim - 2)
    shape = columns.shape
    found = bound.solve(x1, bound.reshape(columns, (*shape[:-2], shape[-2] * shape[-1])))
    found = bound.reshape(found, shape)
    return _moved(bound, found, x2.ndim - 2, 0)


def _cross_entropy(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    logits, labels = _spread(bound, values, mask, size)
    rows = logits.shape[1]
    chosen = bound.take_along_axis(bound.log_softmax(logits, 2), bound.reshape(labels, (size, rows, 1)), 2)
    found: Tensor = bound.divide(bound.sum(chosen, (1, 2), False), -float(rows) or math.nan)
    return found


# --- the table ---------------------------------------------------------------------------------------------------

RULES: dict[str, Rule] = {
    "broadcast_to": _broadcast_to,
    "convolution": _convolution,
    "cross_entropy": _cross_entropy,
    "einsum": _einsum,
    "getitem": _getitem,
    "matmul": _matmul,
    "permute_dims": _permute_dims,
    "scatter": _scatter,
    "searchsorted": _searchsorted,
    "setitem": _setitem,
    "solve": _solve,
    "take_along_axis": _take_along_axis,
    **dict.fromkeys(
        (
            # which name axes or a shape
            *("all", "any", "argmax", "argmin", "logsumexp", "max", "min", "prod", "sum", "vector_norm"),
            *("cumulative_max", "cumulative_min", "cumulative_prod", "cumulative_sum", "log_softmax", "argsort"),
            *("concat", "flip", "reshape", "scatter_along_axis", "stack", "fft", "rfft", "irfft"),
            # which work on the last axes, or on each element
            *("astype", "windows", "cholesky", "cofactors", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv"),
            *("pinv", "qr", "slogdet", "svd", "svdvals"),
        ),
        one_axis_on,
    ),
}
"""Primitive to rule, for all that are not elementwise."""
