"""Losses over all ways in which a short sequence can lie along a longer one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.arguments import whole_number
from unigrad.base.errors import ArgumentError, IndexRangeError, ShapeError
from unigrad.base.words import EVERYTHING
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import logaddexp, negative, where
from unigrad.operations.indexing import getitem_, take_along_axis_
from unigrad.operations.moments import mean
from unigrad.operations.reductions import in_float32, narrow
from unigrad.operations.reductions import sum as _sum
from unigrad.operations.shapes import concat
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = ["ctc_loss"]

_IMPOSSIBLE = -1e30
"""The logarithm of no probability, so that sums of none have slopes: those of two minus infinities are NaN."""


def _whole(values: Array, name: str) -> np.ndarray[Any, Any]:
    """The values of an integer argument, which shapes depend on."""
    found = np.asarray(values_of_all(values) if isinstance(values, Tensor) else values)
    if found.dtype.kind not in "iu":
        raise ArgumentError(f"{name} must hold integers, not {found.dtype}")
    return found.astype(np.int64)


def _lengths(values: Array, count: int, most: int, name: str) -> np.ndarray[Any, Any]:
    found = _whole(values, name)
    if found.shape != (count,):
        raise ShapeError(f"{name} of shape {found.shape} is not one for each of {count} sequences")
    if count and not (found.min() >= 0 and found.max() <= most):
        raise ArgumentError(f"{name}={found.tolist()} holds a length that is not from 0 to {most}")
    return found


@operation
def ctc_loss(
    log_probabilities: Array,
    labels: Array,
    input_lengths: Array,
    label_lengths: Array,
    /,
    *,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """-log of the probability of ``labels`` under connectionist temporal classification (Graves et al., 2006).

    ``log_probabilities``, such as log_softmax gives, has the shape (T, N, classes): T steps of N sequences. ``labels``
    has the shape (N, S) and holds integers, none of them ``blank``; of each sequence only the first ``label_lengths``
    labels and ``input_lengths`` steps count. A path through the steps gives the labels where it does so without its
    repeats and then without its blanks. ``reduction``: ``"none"``, ``"sum"``, or ``"mean"``, of the losses divided by
    the numbers of labels (1 where there are none). Labels that no path of so few steps gives have an infinite loss, or
    with ``zero_infinity`` one of 0, and a gradient of 0.

    Raises ShapeError for shapes that do not fit, ArgumentError for lengths that do not, and IndexRangeError for a label
    that is no class or the blank.
    """
    (log_probabilities,) = tensors((log_probabilities,))
    if narrow(log_probabilities):
        manner = {"blank": blank, "reduction": reduction, "zero_infinity": zero_infinity}
        return in_float32(ctc_loss, log_probabilities, labels, input_lengths, label_lengths, **manner)
    if log_probabilities.ndim != 3:
        raise ShapeError(f"log_probabilities must have the shape (T, N, classes), not {log_probabilities.shape}")
    steps, count, classes = log_probabilities.shape
    wanted = _whole(labels, "labels")
    if wanted.ndim != 2 or wanted.shape[0] != count:
        raise ShapeError(f"labels of shape {wanted.shape} must have the shape (N, S) with N = {count} sequences")
    blank = whole_number(blank, "blank")
    if not 0 <= blank < classes:
        raise IndexRangeError(f"blank={blank} is not from 0 to {classes - 1}")
    durations = _lengths(input_lengths, count, steps, "input_lengths")
    sizes = _lengths(label_lengths, count, wanted.shape[1], "label_lengths")
    used = np.arange(wanted.shape[1]) < sizes[:, None]
    wrong = wanted[used & ((wanted < 0) | (wanted >= classes) | (wanted == blank))]
    if wrong.size:
        raise IndexRangeError(f"label {wrong[0]} is the blank, {blank}, or not from 0 to {classes - 1}")
    found = _log_probability(log_probabilities, np.where(used, wanted, blank), durations, sizes, blank)
    losses = where(found < _IMPOSSIBLE / 2, 0.0 if zero_infinity else math.inf, negative(found))
    if reduction == "none":
        return losses
    if reduction == "sum":
        return _sum(losses)
    if reduction == "mean":
        return mean(losses / asarray(np.maximum(sizes, 1).astype(losses.dtype), like=losses))
    raise ArgumentError(f"reduction={reduction!r} is not known; use 'mean', 'sum' or 'none'")


def _log_probability(
    given: Tensor,
    labels: np.ndarray[Any, Any],
    durations: np.ndarray[Any, Any],
    sizes: np.ndarray[Any, Any],
    blank: int,
) -> Tensor:
    """The forward recursion of Graves et al. (equations 6 and 7) in logarithms, for all sequences at once: over the
    labels with blanks between them, where a path stays, goes on by one, or skips the blank between two labels that
    differ."""
    count = len(labels)
    states = 2 * labels.shape[1] + 1
    extended = np.full((count, states), blank)
    extended[:, 1::2] = labels
    skips = np.zeros((count, states), bool)
    skips[:, 2:] = (extended[:, 2:] != blank) & (extended[:, 2:] != extended[:, :-2])
    begins = np.broadcast_to(np.arange(states) < 2, extended.shape)
    allowed = np.arange(states) < 2 * sizes[:, None] + 1
    emitted = take_along_axis_(given, asarray(np.broadcast_to(extended, (len(given), *extended.shape)), like=given), 2)
    emitted = where(emitted > _IMPOSSIBLE, emitted, where(emitted == emitted, _IMPOSSIBLE, emitted))  # NaN stays
    nothing = asarray(np.full((count, 2), _IMPOSSIBLE, given.dtype), like=given)
    # Of a sequence without a step there is one path, if it has no labels either.
    found = asarray(np.where((durations == 0) & (sizes == 0), 0.0, _IMPOSSIBLE).astype(given.dtype), like=given)
    alpha = None
    ends = np.stack([2 * sizes, np.maximum(2 * sizes - 1, 0)], axis=1)
    both = asarray((sizes > 0)[:, None] | (np.arange(2) == 0), like=given)
    for step in range(len(given)):
        now = emitted[step]
        if alpha is None:
            alpha = where(asarray(begins & allowed, like=given), now, _IMPOSSIBLE)
        else:
            behind = concat([nothing, alpha], axis=1)
            one, two = getitem_(behind, _columns(1, states)), getitem_(behind, _columns(0, states))
            reached = logaddexp(logaddexp(alpha, one), where(asarray(skips, like=given), two, _IMPOSSIBLE))
            alpha = where(asarray(allowed, like=given), reached + now, _IMPOSSIBLE)
        last = where(both, take_along_axis_(alpha, asarray(ends, like=given), 1), _IMPOSSIBLE)
        total = logaddexp(getitem_(last, (EVERYTHING, 0)), getitem_(last, (EVERYTHING, 1)))
        found = where(asarray(durations == step + 1, like=given), total, found)
    return found


def _columns(start: int, count: int) -> tuple[Any, ...]:
    return EVERYTHING, slice(start, start + count, 1)
