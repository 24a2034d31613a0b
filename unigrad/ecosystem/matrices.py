"""NumPy's functions of ``np.linalg`` whose arguments or results are not those of the operation that does the work.

Of a matrix that is to be Hermitian NumPy reads one triangle, and so do these: the gradient by the other one is 0. The
operations of ``ug.linalg`` take the mean of both.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unigrad.base.errors import ArgumentError, ShapeError, UnsupportedError
from unigrad.ecosystem.names import tensor
from unigrad.table import OPERATIONS


def _hermitian(a: Any, uplo: str = "L") -> Any:
    """The Hermitian matrices whose lower (or upper) triangle is that of ``a``."""
    if uplo not in ("L", "l", "U", "u"):
        raise ArgumentError(f"UPLO={uplo!r} is not known; use 'L' for the lower triangle, 'U' for the upper one")
    x = tensor(a)
    if x.ndim < 2:
        raise ShapeError(f"a Hermitian matrix has at least 2 dimensions, not shape {x.shape}; reshape it first")
    of, beside = ("tril", -1) if uplo in "Ll" else ("triu", 1)
    half = OPERATIONS[of](x, k=beside)
    return OPERATIONS[of](x) + OPERATIONS["conj"](OPERATIONS["matrix_transpose"](half))


def _of_triangle(name: str) -> Callable[..., Any]:
    def apply(a: Any, /, *, UPLO: str = "L") -> Any:
        return OPERATIONS[f"linalg.{name}"](_hermitian(a, UPLO))

    return apply


def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    return OPERATIONS["linalg.cholesky"](_hermitian(a, "U" if upper else "L"), upper=upper)


def _svd(a: Any, /, *, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    x = _hermitian(a) if hermitian else a
    return OPERATIONS["linalg.svd"](x, full_matrices=full_matrices) if compute_uv else OPERATIONS["linalg.svdvals"](x)


def _pinv(a: Any, /, *, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    if rcond is not None and rtol is not None:
        raise ArgumentError("pinv takes rtol= or rcond=, which say the same, not both")
    return OPERATIONS["linalg.pinv"](_hermitian(a) if hermitian else a, rtol=rcond if rtol is None else rtol)


def _matrix_rank(A: Any, /, *, tol: Any = None, hermitian: bool = False, rtol: Any = None) -> Any:
    if tol is not None and rtol is not None:
        raise ArgumentError("matrix_rank takes tol=, the least singular value that counts, or rtol=, not both")
    x = tensor(A)
    if x.ndim < 2:
        return OPERATIONS["any"](x != 0).astype("int64")
    x = _hermitian(x) if hermitian else x
    if tol is None:
        return OPERATIONS["linalg.matrix_rank"](x, rtol=rtol)
    values = OPERATIONS["linalg.svdvals"](x)
    return OPERATIONS["sum"](values > OPERATIONS["asarray"](tol, dtype=values.dtype, like=values)[..., None], axis=-1)


def _qr(a: Any, /, *, mode: str = "reduced") -> Any:
    if mode == "raw":
        raise UnsupportedError("np.linalg.qr with mode='raw' is LAPACK's own form; use 'reduced', 'complete' or 'r'")
    return OPERATIONS["linalg.qr"](a).R if mode == "r" else OPERATIONS["linalg.qr"](a, mode=mode)


def _tensorinv(a: Any, /, *, ind: int = 2) -> Any:
    x = tensor(a)
    if not 0 < ind <= x.ndim:
        raise ArgumentError(f"tensorinv needs ind, how many of the first axes count as rows, to be positive, not {ind}")
    rows, columns = x.shape[:ind], x.shape[ind:]
    size = math.prod(rows)
    if size != math.prod(columns):
        raise ShapeError(f"tensorinv needs as many elements in {rows} as in {columns}, the sizes before and after ind")
    return OPERATIONS["linalg.inv"](x.reshape(size, size)).reshape(*columns, *rows)


def _tensorsolve(a: Any, b: Any, /, *, axes: Any = None) -> Any:
    x, right = tensor(a), OPERATIONS["asarray"](b, like=tensor(a))
    if axes is not None:
        x = OPERATIONS["moveaxis"](x, tuple(axes), tuple(range(x.ndim - len(axes), x.ndim)))
    unknown = x.shape[right.ndim :]
    size = math.prod(unknown)
    if right.size != size or x.size != size * size:
        raise ShapeError(f"tensorsolve cannot pair coefficients of shape {x.shape} with a right side of {right.shape}")
    return OPERATIONS["linalg.solve"](x.reshape(size, size), right.reshape(size)).reshape(unknown)


MATRICES: dict[str, Callable[..., Any]] = {
    "linalg.cholesky": _cholesky,
    "linalg.eigh": _of_triangle("eigh"),
    "linalg.eigvalsh": _of_triangle("eigvalsh"),
    "linalg.matrix_rank": _matrix_rank,
    "linalg.pinv": _pinv,
    "linalg.qr": _qr,
    "linalg.svd": _svd,
    "linalg.tensorinv": _tensorinv,
    "linalg.tensorsolve": _tensorsolve,
}
"""By NumPy's name: the function with NumPy's arguments."""
