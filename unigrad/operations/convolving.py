"""Convolution and correlation of two vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import astype_
from unigrad.operations.elementwise import conj, not_equal
from unigrad.operations.indexing import getitem
from unigrad.operations.reductions import in_float32, narrow
from unigrad.operations.shapes import flip
from unigrad.table import Array, composed, jvp, operation, vjp
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = ["convolve", "correlate"]


@primitive("contraction", dtypes="numeric")
def convolve_(x1: Array, x2: Array, valid: bool) -> Tensor:
    """The convolution of two vectors: all elements, or those to which all of x2 adds, which must not be the longer."""


def _for_second(xp: Any, g: Any, x1: Any, valid: bool) -> Any:
    turned = xp.flip(x1, (0,))
    # Of what is valid, g is no longer than x1; of all elements it is.
    return xp.convolve(turned, g, True) if valid else xp.convolve(g, turned, True)


vjp(convolve_, lambda xp, g, x2, valid: xp.convolve(g, xp.flip(x2, (0,)), not valid), _for_second)
jvp(
    convolve_,
    lambda xp, t, x2, valid: xp.convolve(t, x2, valid),
    lambda xp, t, x1, valid: xp.convolve(x1, t, valid),
)

# How many products are added up at a time.
_AT_ONCE = 2**17


def _convolve(xp: Any, x1: Any, x2: Any, valid: bool) -> Any:
    """Windows over the longer vector times the shorter one turned round, some windows at a time."""
    if not valid and x1.shape[0] < x2.shape[0]:
        x1, x2 = x2, x1
    size, width = x1.shape[0], x2.shape[0]
    weights, edge = xp.flip(x2, (0,)), 0 if valid else width - 1
    count = size + 2 * edge - width + 1
    held, ends = x1, []
    if edge:
        held = xp.scatter(x1, (slice(edge, edge + size, 1),), (size + 2 * edge,))
        zero = xp.getitem(held, (slice(0, 1, 1),))
        ends = [edge, size]
    parts, step = [], max(_AT_ONCE // width, 1)
    starts = sorted({*range(0, count, step), *ends})
    for start, stop in zip(starts, [*starts[1:], count], strict=True):
        # The fewer rows the better: as many as there are windows, or elements in one.
        few = stop - start <= width
        rows, columns = (stop - start, width) if few else (width, stop - start)
        windows = _shifted(xp, xp.getitem(held, (slice(start, stop + width - 1, 1),)), rows, columns)
        if edge <= start < size:
            parts.append(xp.matmul(windows, weights) if few else xp.matmul(weights, windows))
        else:
            # The zeros at the ends are no elements: infinity times one of them is nothing. There the windows are few.
            products = xp.multiply(windows, weights)
            place = np.arange(start, start + rows)[:, None] + np.arange(columns)
            products = xp.where(xp.constant((place >= edge) & (place < edge + size), products), products, zero)
            parts.append(xp.sum(products, (1,), False))
    return parts[0] if len(parts) == 1 else xp.concat(parts, 0)


def _shifted(xp: Any, x: Any, rows: int, columns: int) -> Any:
    """Rows of so many elements of a vector of rows + columns - 1, each one place further on than the one before.

    The vector again and again, read in rows that are longer by one element: no element is looked up by its index.
    """
    size = rows + columns - 1
    again = xp.reshape(xp.broadcast_to(x, (rows + 1, size)), ((rows + 1) * size,))
    longer = xp.reshape(xp.getitem(again, (slice(0, rows * (size + 1), 1),)), (rows, size + 1))
    return xp.getitem(longer, (slice(None, None, None), slice(0, columns, 1)))


# By the rules everywhere: a framework would keep every product for its backward.
composed(convolve_, _convolve, ruled=True)


@operation
def convolve(x1: Array, x2: Array, /, mode: str = "full") -> Tensor:
    """The convolution of two vectors: ``out[n] = sum of x1[k] * x2[n - k]``.

    ``mode``: ``"full"``, all of n + m - 1 elements; ``"same"``, the middle ones, as many as the longer vector has;
    ``"valid"``, those where the vectors overlap completely. n * m products are added up, in memory for n + m elements.
    """
    x1, x2 = tensors((x1, x2))
    if x1.ndim != 1 or x2.ndim != 1 or not x1.size or not x2.size:
        raise ShapeError(f"convolve takes two vectors with elements, not shapes {x1.shape} and {x2.shape}")
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolve knows no mode {mode!r}; use 'full', 'same' or 'valid'")
    if x1.size < x2.size:
        x1, x2 = x2, x1
    if narrow(x1, x2):
        return in_float32(convolve, x1, x2, mode)
    if x1.dtype.kind == "b" and x2.dtype.kind == "b":
        return not_equal(convolve(astype_(x1, dtypes.int64), x2, mode), 0)
    found = convolve_(x1, x2, mode == "valid")
    start = (x2.size - 1) // 2
    return getitem(found, slice(start, start + x1.size)) if mode == "same" else found


@operation
def correlate(x1: Array, x2: Array, /, mode: str = "valid") -> Tensor:
    """The cross-correlation of two vectors: ``out[n] = sum of x1[n + k] * conj(x2[k])``; modes as :func:`convolve`."""
    x1, x2 = tensors((x1, x2))
    x2 = conj(x2) if x2.dtype.kind == "c" else x2
    # The longer one first, as convolve would have it: NumPy's middle of an even number of elements depends on it.
    return convolve(x1, flip(x2), mode) if x1.size >= x2.size else flip(convolve(x2, flip(x1), mode))
