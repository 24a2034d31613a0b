"""Linear algebra, public as ``unigrad.linalg``."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from unigrad.errors import ArgumentError, ShapeError, UnsupportedError
from unigrad.operations import reductions
from unigrad.operations.arguments import one_axis
from unigrad.operations.contractions import matmul, outer, tensordot, vecdot
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import abs as absolute
from unigrad.operations.shapes import matrix_transpose, moveaxis
from unigrad.operations.table import OPERATIONS, Array, operation

if TYPE_CHECKING:
    from unigrad.tensor import Tensor

__all__ = ["matmul", "matrix_norm", "matrix_transpose", "norm", "outer", "tensordot", "vecdot", "vector_norm"]

vector_norm = reductions.vector_norm
for _shared in (vector_norm, matmul, matrix_transpose, outer, tensordot, vecdot):
    OPERATIONS[f"linalg.{_shared.__name__}"] = _shared


@operation
def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """The norm of the matrices in the last two axes: ``"fro"``, 1, -1, inf or -inf.

    The norms by singular values (2, -2, ``"nuc"``) raise UnsupportedError.
    """
    x = asarray(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm needs at least 2 dimensions, not shape {x.shape}")
    if ord in ("fro", None):
        return reductions.vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in (2, -2, "nuc"):
        raise UnsupportedError(
            f"matrix_norm with ord={ord!r} needs singular values, which no backend supplies yet; "
            f"use ord='fro', 1, -1, inf or -inf"
        )
    if ord not in (1, -1, math.inf, -math.inf):
        raise ArgumentError(f"matrix_norm knows no ord={ord!r}; use 'fro', 1, -1, inf or -inf")
    assert isinstance(ord, (int, float))
    # 1 takes the largest column sum, inf the largest row sum.
    summed = -2 if builtins.abs(ord) == 1 else -1
    sums = reductions.sum(absolute(x), axis=summed, keepdims=True)
    largest = (reductions.max if ord > 0 else reductions.min)(sums, axis=(-2, -1), keepdims=True)
    return largest if keepdims else largest.reshape(x.shape[:-2])


@operation
def norm(x: Array, /, ord: Any = None, axis: int | Sequence[int] | None = None, keepdims: bool = False) -> Tensor:
    """NumPy's norm: of the flattened array, of vectors along one axis, or of matrices in two."""
    x = asarray(x)
    if axis is None:
        if ord is None or x.ndim == 1:
            return reductions.vector_norm(x, keepdims=keepdims, ord=2 if ord is None else ord)
        if x.ndim != 2:
            raise ArgumentError(f"norm with ord={ord!r} of a {x.ndim}-dimensional array needs axis=")
        axis = (0, 1)
    if isinstance(axis, int):
        return reductions.vector_norm(x, axis=axis, keepdims=keepdims, ord=2 if ord is None else ord)
    axes = [one_axis(number, x.ndim) for number in axis]
    if len(axes) == 1:
        return reductions.vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ArgumentError(f"norm is over one or two axes, not {tuple(axis)}")
    found = matrix_norm(moveaxis(x, tuple(axes), (-2, -1)), ord=ord, keepdims=keepdims)
    return moveaxis(found, (-2, -1), tuple(axes)) if keepdims else found
