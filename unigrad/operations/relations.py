"""How variables vary together, and how values are spread: covariances, correlations, histograms."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.operations.arranging import atleast_2d
from unigrad.operations.contractions import matmul
from unigrad.operations.creation import asarray, astype
from unigrad.operations.datatypes import result_type
from unigrad.operations.elementwise import clip, conj, real, sqrt
from unigrad.operations.indexing import scatter_
from unigrad.operations.linalg import diagonal
from unigrad.operations.reductions import floating, rounded_once
from unigrad.operations.reductions import sum as sum_over
from unigrad.operations.shapes import concat, matrix_transpose, reshape, squeeze
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensor, tensors
from unigrad.tensor.levels import values_of
from unigrad.tensor.tensor import Tensor

__all__ = ["corrcoef", "cov", "histogram", "histogram_bin_edges"]


def _variables(x: Tensor, rowvar: bool) -> Tensor:
    """A matrix with a row for each variable; a vector is one variable."""
    if x.ndim > 2:
        raise ShapeError(f"variables are the rows or columns of a matrix, not of shape {x.shape}")
    return matrix_transpose(x) if x.ndim == 2 and not rowvar else atleast_2d(x)


@operation
@rounded_once
def cov(
    m: Array,
    y: Array | None = None,
    /,
    rowvar: bool = True,
    bias: bool = False,
    ddof: float | None = None,
    fweights: Array | None = None,
    aweights: Array | None = None,
    *,
    dtype: Any = None,
) -> Tensor:
    """The covariances of variables, the rows of ``m`` (and of ``y``), or its columns if not ``rowvar``: (n, n), ()
    for one.

    Divided by the number of observations less ``ddof``: 1, or 0 with ``bias``. Observations may be weighted, by
    ``fweights``, how often each was made, and by ``aweights``. NaN or infinite where there are too few observations.
    """
    found = [floating(x) for x in (tensors((m,)) if y is None else tensors((m, y)))]
    wanted = result_type(*found) if dtype is None else dtypes.as_dtype(dtype)
    rows = concat([_variables(astype(x, wanted, copy=False), rowvar) for x in found], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    count = rows.shape[1]
    weights = [
        reshape(floating(tensor(given, rows.backend)), -1) for given in (fweights, aweights) if given is not None
    ]
    if any(given.size != count for given in weights):
        raise ShapeError(f"weights of shape {weights[-1].shape} do not fit {count} observations")
    if not weights:
        freedom: Any = max(count - ddof, 0)
        centred = rows - sum_over(rows, axis=1, keepdims=True) / count
        products = matmul(centred, _adjoint(centred))
    else:
        weight = astype(
            weights[0] if len(weights) == 1 else weights[0] * weights[1], dtypes.real_of(wanted), copy=False
        )
        total = sum_over(weight)
        freedom = total - ddof * (sum_over(weight * weights[-1]) / total if aweights is not None else 1.0)
        centred = rows - sum_over(rows * weight, axis=1, keepdims=True) / total
        products = matmul(centred * weight, _adjoint(centred))
    return squeeze(products / asarray(freedom, dtype=dtypes.real_of(wanted), like=rows))


def _adjoint(x: Tensor) -> Tensor:
    return matrix_transpose(conj(x) if x.dtype.kind == "c" else x)


@operation
@rounded_once
def corrcoef(x: Array, y: Array | None = None, /, rowvar: bool = True, *, dtype: Any = None) -> Tensor:
    """The correlation coefficients of variables, the rows of x and y (or columns), from -1 to 1: (n, n), () for one."""
    found = cov(x, rowvar=rowvar, dtype=dtype) if y is None else cov(x, y, rowvar, dtype=dtype)
    if found.ndim == 0:
        return found / found
    spread = sqrt(real(diagonal(found)))
    found = found / reshape(spread, (-1, 1)) / spread
    return found if found.dtype.kind == "c" else clip(found, -1.0, 1.0)


def _edges(x: Tensor, bins: Any, range: Any, weights: Tensor | None) -> np.ndarray[Any, Any]:
    if isinstance(bins, Tensor):
        bins = values_of(bins)
    try:
        weighing = None if weights is None or not isinstance(bins, str) else values_of(weights)
        return np.histogram_bin_edges(values_of(x), bins=bins, range=range, weights=weighing)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"histogram with bins={bins!r} and range={range!r}: {error}") from error


def _shown(edges: np.ndarray[Any, Any], x: Tensor) -> Tensor:
    return asarray(edges, dtype=x.dtype if x.dtype.kind in dtypes.REAL_FLOATING else dtypes.default_float, like=x)


@operation
def histogram_bin_edges(
    x: Array, /, bins: int | str | Array = 10, range: tuple[float, float] | None = None, weights: Array | None = None
) -> Tensor:
    """The edges that :func:`histogram` uses, one more than bins."""
    x = asarray(x)
    edges = _edges(x, bins, range, None if weights is None else tensor(weights, x.backend))
    return _shown(edges, x)


@operation
def histogram(
    x: Array,
    /,
    bins: int | str | Array = 10,
    range: tuple[float, float] | None = None,
    density: bool | None = None,
    weights: Array | None = None,
) -> tuple[Tensor, Tensor]:
    """How many elements of x lie in each bin, int64, and the edges of the bins, of which the last one is in the last
    bin.

    ``bins`` is their number, between the smallest and largest element or over ``range``; their edges; or one of NumPy's
    rules. With ``weights`` it is their sums, which are differentiable; with ``density`` the area is 1. Edges and
    bins are found by values, and have no derivative.
    """
    x = asarray(x)
    weighing = None if weights is None else tensor(weights, x.backend)
    if weighing is not None and weighing.shape != x.shape:
        raise ShapeError(f"weights of shape {weighing.shape} do not fit x of shape {x.shape}")
    edges = _edges(x, bins, range, weighing)
    values, count = values_of(x).reshape(-1), edges.size - 1
    places = np.searchsorted(edges, values, side="right") - 1
    places[values == edges[-1]] = count - 1
    inside = np.flatnonzero((places >= 0) & (places < count))
    shown = _shown(edges, x)
    if weighing is None:
        found = asarray(np.bincount(places[inside], minlength=count).astype(np.int64), like=x)
    else:
        found = scatter_(reshape(weighing, -1)[inside], (places[inside].astype(np.int64),), (count,))
    if density:
        found = floating(found)
        widths = asarray(np.diff(edges), dtype=found.dtype, like=x)
        found = found / widths / sum_over(found)
    return found, shown
