"""Triangles and diagonals of matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base.arguments import new_shape, whole_number
from unigrad.base.errors import ShapeError
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import asarray, full
from unigrad.operations.elementwise import where
from unigrad.operations.indexing import getitem
from unigrad.table import Array, batched, composed, jvp, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["diag", "tri", "tril", "triu"]


@operation
def tri(
    n_rows: int, n_cols: int | None = None, /, k: int = 0, *, dtype: Any = None, like: Tensor | None = None
) -> Tensor:
    """Ones on and below the diagonal ``k`` and zeros above, float32 unless told otherwise."""
    rows, columns = new_shape((n_rows, n_rows if n_cols is None else n_cols))
    k = max(-rows - 1, min(whole_number(k, "k"), columns))
    return asarray(np.tri(rows, columns, k), dtype=np.float32 if dtype is None else dtype, like=like)


@primitive("shape", dtypes="any")
def triangle_(x: Array, k: int, lower: bool, fill: float) -> Tensor:
    """The matrices in the last two axes on one side of the diagonal ``k`` and on it, with a number on the other."""


def _triangle(xp: Any, x: Any, k: int, lower: bool, fill: float) -> Any:
    rows, columns = tuple(x.shape)[-2:]
    below = np.tri(rows, columns, k if lower else k - 1, dtype=np.bool_)
    keep = below if lower else ~below
    return xp.where(xp.constant(keep, x), x, xp.constant(np.asarray(fill, xp.dtype(x)), x))


vjp(triangle_, lambda xp, g, k, lower: xp.triangle(g, k, lower, 0.0))
jvp(triangle_, lambda xp, t, k, lower: xp.triangle(t, k, lower, 0.0))
composed(triangle_, _triangle)
batched(triangle_, "further")


def _masked(x: Tensor, keep: np.ndarray[Any, Any]) -> Tensor:
    """x where ``keep`` holds and 0 elsewhere, whatever x is there."""
    return where(asarray(keep, like=x), x, full((), 0, dtype=x.dtype, like=x))


def _one_side(name: str, x: Array, k: int, lower: bool) -> Tensor:
    x = asarray(x)
    if x.ndim < 2:
        raise ShapeError(f"{name} needs at least 2 dimensions, not shape {x.shape}")
    rows, columns = x.shape[-2:]
    return triangle_(x, max(-rows - 1, min(whole_number(k, "k"), columns + 1)), lower, 0.0)


@operation
def tril(x: Array, /, k: int = 0) -> Tensor:
    """The last two axes with zeros above the diagonal ``k``."""
    return _one_side("tril", x, k, True)


@operation
def triu(x: Array, /, k: int = 0) -> Tensor:
    """The last two axes with zeros below the diagonal ``k``."""
    return _one_side("triu", x, k, False)


@operation
def diag(x: Array, /, k: int = 0) -> Tensor:
    """The diagonal ``k`` of a matrix, or the matrix of zeros that has a vector on it."""
    x = asarray(x)
    k = whole_number(k, "k")
    if x.ndim not in (1, 2):
        raise ShapeError(f"diag takes a vector or a matrix, not shape {x.shape}")
    if x.ndim == 2:
        rows = np.arange(max(min(x.shape[0], x.shape[1] - k) if k > 0 else min(x.shape[0] + k, x.shape[1]), 0))
        return getitem(x, (rows - min(k, 0), rows + max(k, 0)))
    size = new_shape(x.size + abs(k))[0]
    new_shape((size, size))
    if not x.size:
        return full((size, size), 0, dtype=x.dtype, like=x)
    spread = getitem(x, np.clip(np.arange(size), 0, x.size - 1))
    return _masked(spread[:, None] if k >= 0 else spread[None, :], np.eye(size, k=k, dtype=bool))
