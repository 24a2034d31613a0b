"""Linear algebra over dask arrays: matrix by matrix, each made one chunk.

dask has blocked algorithms of its own for a single matrix. Its QR and SVD of a tall and narrow one, whose chunks have
all columns, are used, since such a matrix need not fit into memory. Those for solving and inverting are not: they
exchange rows within blocks alone, and so refuse or spoil matrices that have an answer; they and Cholesky's also need
SciPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask.array as da
import numpy as np

from unigrad.extend import DType, Raw
from unigrad_dask.chunks import OnChunks, blocked, is_whole

Function = Callable[..., Raw]
Ends = Callable[[int, int], tuple[Any, ...]]
"""From the sizes of a matrix to what the result has in its place: sizes of axes."""


def of_matrices(name: str, ends: Ends, dtype: Callable[[DType], DType] = lambda dtype: dtype) -> Function:
    """A function of matrices in the last two axes, each by itself."""

    def call(x: Raw, *statics: Any) -> Raw:
        batch = tuple(range(x.ndim - 2))
        new = {("new", place): size for place, size in enumerate(ends(*x.shape[-2:]))}
        function = OnChunks(name, statics)
        pair = (x, (*batch, "rows", "columns"))
        return blocked(function, (*batch, *new), pair, dtype=dtype(x.dtype), whole=("rows", "columns"), sizes=new)

    return call


def solve(x1: Raw, x2: Raw) -> Raw:
    """One chunk of each matrix on the left, and the columns on the right as they are."""
    ndim = max(x1.ndim, x2.ndim) - 2
    batch = tuple(range(ndim))
    left = (*batch[ndim - x1.ndim + 2 :], "rows", "unknowns")
    right = (*batch[ndim - x2.ndim + 2 :], "equations", "columns")
    whole = ("rows", "unknowns", "equations")
    sizes = {"found": x1.shape[-1]}
    out = (*batch, "found", "columns")
    return blocked(OnChunks("solve"), out, (x1, left), (x2, right), dtype=x1.dtype, whole=whole, sizes=sizes)


def pinv(x: Raw, rtol: Raw) -> Raw:
    """Each matrix with its tolerance."""
    batch = tuple(range(x.ndim - 2))
    sizes = {"columns": x.shape[-1], "rows": x.shape[-2]}
    tolerances = batch[len(batch) - rtol.ndim :]
    return blocked(
        OnChunks("pinv"), (*batch, *sizes), (x, (*batch, "m", "n")), (rtol, tolerances), dtype=x.dtype,
        whole=("m", "n"), sizes=sizes,
    )  # fmt: skip


def is_tall(x: Raw) -> bool:
    """Whether dask's algorithms for a tall and narrow matrix take it: none of its chunks is wider than high."""
    return x.ndim == 2 and len(x.chunks[0]) > 1 and is_whole(x, (1,)) and min(x.chunks[0]) >= x.shape[1] > 0


def joined(*parts: Raw) -> Raw:
    """Matrices and vectors as one vector."""
    return da.concatenate([da.reshape(part, (-1,)) for part in parts])


def qr(otherwise: Function) -> Function:
    def call(x: Raw, complete: bool) -> Raw:
        return otherwise(x, complete) if complete or not is_tall(x) else joined(*da.linalg.qr(x))

    return call


def svd(otherwise: Function) -> Function:
    def call(x: Raw, full: bool) -> Raw:
        if full or not is_tall(x):
            return otherwise(x, full)
        u, s, vh = da.linalg.svd(x, coerce_signs=False)
        return joined(u, s.astype(x.dtype), vh)

    return call


def svdvals(otherwise: Function) -> Function:
    def call(x: Raw) -> Raw:
        return da.linalg.svd(x, coerce_signs=False)[1] if is_tall(x) else otherwise(x)

    return call


def linear_algebra() -> dict[str, Function]:
    """The table of raw functions."""

    def real(dtype: DType) -> DType:
        return np.empty(0, dtype).real.dtype

    def complex_(dtype: DType) -> DType:
        return np.result_type(dtype, np.complex64)

    def least(m: int, n: int) -> int:
        return min(m, n)

    def of_qr(x: Raw, complete: bool) -> Raw:
        def ends(m: int, n: int) -> tuple[int]:
            k = m if complete else least(m, n)
            return (m * k + min(k, n) * n,)

        return of_matrices("qr", ends)(x, complete)

    def of_svd(x: Raw, full: bool) -> Raw:
        def ends(m: int, n: int) -> tuple[int]:
            k = least(m, n)
            return (m * (m if full else k) + k + n * (n if full else k),)

        return of_matrices("svd", ends)(x, full)

    return {
        "inv": of_matrices("inv", lambda m, n: (m, n)),
        "cholesky": of_matrices("cholesky", lambda m, n: (m, n)),
        "cofactors": of_matrices("cofactors", lambda m, n: (m, n)),
        "det": of_matrices("det", lambda m, n: ()),
        "slogdet": of_matrices("slogdet", lambda m, n: (2,)),
        "eigh": of_matrices("eigh", lambda m, n: (m, n + 1)),
        "eigvalsh": of_matrices("eigvalsh", lambda m, n: (n,), real),
        "eig": of_matrices("eig", lambda m, n: (m, n + 1), complex_),
        "eigvals": of_matrices("eigvals", lambda m, n: (n,), complex_),
        "svd": svd(of_svd),
        "svdvals": svdvals(of_matrices("svdvals", lambda m, n: (least(m, n),), real)),
        "qr": qr(of_qr),
        "solve": solve,
        "pinv": pinv,
    }
