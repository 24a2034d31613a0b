"""How variables vary together, and how values are spread: covariances, correlations, histograms."""

from __future__ import annotations

from collections.abc import Sequence
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
from unigrad.tensor.levels import check_places, values_of
from unigrad.tensor.tensor import Tensor

__all__ = ["corrcoef", "cov", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"]


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
    The dtype is that of data and weights together, unless given.
    """
    found = [floating(x) for x in (tensors((m,)) if y is None else tensors((m, y)))]
    weights = [tensor(given, found[0].backend) for given in (fweights, aweights) if given is not None]
    wanted = result_type(*found, *weights) if dtype is None else dtypes.as_dtype(dtype)
    rows = concat([_variables(astype(x, wanted, copy=False), rowvar) for x in found], axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    count = rows.shape[1]
    weights = [reshape(floating(given), -1) for given in weights]
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


def _places(values: np.ndarray[Any, Any], edges: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Which bin each value lies in, the last edge in the last one; outside -1 or their number."""
    places = np.searchsorted(edges, values, side="right") - 1
    places[values == edges[-1]] = edges.size - 2
    return places.astype(np.int64)


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
    check_places(x, bins, weighing)
    edges = _edges(x, bins, range, weighing)
    count = edges.size - 1
    places = _places(values_of(x).reshape(-1), edges)
    inside = np.flatnonzero((places >= 0) & (places < count))
    shown = _shown(edges, x)
    if weighing is None:
        found = asarray(np.bincount(places[inside], minlength=count).astype(np.int64), like=x)
    else:
        found = scatter_(reshape(weighing, -1)[inside], (places[inside],), (count,))
    if density:
        found = floating(found)
        widths = asarray(np.diff(edges), dtype=found.dtype, like=x)
        found = found / widths / sum_over(found)
    return found, shown


@operation
def histogramdd(
    sample: Array | Sequence[Array],
    /,
    bins: Any = 10,
    range: Sequence[tuple[float, float] | None] | None = None,
    density: bool | None = None,
    weights: Array | None = None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """How many points lie in each box, floating numbers as NumPy's, and the edges along each axis.

    ``sample`` has a row for each of n points, shape (n, d), or is a sequence of d arrays of shape (n,), one for each
    coordinate. ``bins`` is a number, or for each coordinate a number or its edges; ``range`` has a pair or None for
    each. With ``weights``, of shape (n,), it is their sums, which are differentiable; with ``density`` the volume is 1.
    Edges and boxes are found by values, and have no derivative.
    """
    columns = _coordinates(sample)
    if isinstance(bins, str):
        raise ArgumentError(f"histogramdd takes numbers of bins or their edges, and no rule such as {bins!r}")
    each = [bins] * len(columns) if isinstance(bins, (int, np.integer)) else list(bins)
    ranges = [None] * len(columns) if range is None else list(range)
    if len(each) != len(columns) or len(ranges) != len(columns):
        raise ShapeError(
            f"histogramdd of {len(columns)} coordinates takes bins and range with an entry for each, not "
            f"{len(each)} and {len(ranges)}"
        )
    first = columns[0]
    check_places(first, *columns, *each, weights)
    edges = [_edges(x, how, between, None) for x, how, between in zip(columns, each, ranges, strict=True)]
    shape = tuple([one.size - 1 for one in edges])
    places = [_places(values_of(x), one) for x, one in zip(columns, edges, strict=True)]
    inside = np.flatnonzero(np.all([(at >= 0) & (at < count) for at, count in zip(places, shape, strict=True)], axis=0))
    weighing = _shown(np.ones(first.size), first) if weights is None else floating(tensor(weights, first.backend))
    if weighing.shape != first.shape:
        raise ShapeError(f"weights of shape {weighing.shape} do not fit {first.size} points")
    found = scatter_(weighing[inside], tuple([at[inside] for at in places]), shape)
    if density:
        for axis, one in enumerate(edges):
            found = found / _shown(np.diff(one).reshape(-1, *(1,) * (len(shape) - axis - 1)), found)
        found = found / sum_over(weighing[inside])
    return found, tuple([_shown(one, x) for x, one in zip(columns, edges, strict=True)])


def _coordinates(sample: Any) -> list[Tensor]:
    """The columns of points."""
    if isinstance(sample, (list, tuple)):
        columns = [*tensors(sample)]
    else:
        points = asarray(sample)
        if points.ndim != 2:
            raise ShapeError(f"histogramdd needs points of shape (n, d), or d arrays of shape (n,), not {points.shape}")
        columns = [points[:, place] for place in np.arange(points.shape[1]).tolist()]
    if not columns or any(x.ndim != 1 or x.shape != columns[0].shape for x in columns):
        raise ShapeError(f"coordinates are vectors of one size, not of shapes {[x.shape for x in columns]}")
    return columns


@operation
def histogram2d(
    x: Array,
    y: Array,
    /,
    bins: Any = 10,
    range: Sequence[tuple[float, float] | None] | None = None,
    density: bool | None = None,
    weights: Array | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """:func:`histogramdd` of points with the coordinates x and y, and the edges along both. ``bins`` may also be the
    edges for both, which are neither two numbers nor two arrays."""
    if not isinstance(bins, (int, np.integer)) and len(bins) not in (1, 2):
        bins = [bins, bins]
    found, (first, second) = histogramdd([x, y], bins, range, density, weights)
    return found, first, second
