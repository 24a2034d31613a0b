"""Linear algebra, public as ``unigrad.linalg``: the Array API's extension, and what NumPy has beside it.

Functions of matrices take stacks of them, in the last two axes. Integers are taken as the default float
dtype, float16 and bfloat16 are refused. An answer that does not exist raises LinAlgError, on every backend, and so
does a matrix with NaN or infinity in it, one of a stack as well, wherever a matrix is factorised; on the right side of
an equation they pass through, and so they do while a framework traces the program, which knows no values.
What is said to take Hermitian matrices takes x as ``(x + x^H) / 2``, so that its gradient is Hermitian.
"""

from __future__ import annotations

import builtins
import math
import operator
import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import axis_from_the_end, broadcast_shapes, listed, one_axis, whole_number
from unigrad.base.errors import ArgumentError, DtypeError, LinAlgError, ShapeError, UnigradWarning
from unigrad.base.leaving import users_frame
from unigrad.base.recording import is_recording
from unigrad.operations import contractions, reductions
from unigrad.operations import decompositions as primitives
from unigrad.operations.contractions import matmul, tensordot, vecdot
from unigrad.operations.creation import asarray, astype_, eye, ones, zeros
from unigrad.operations.elementwise import abs as absolute
from unigrad.operations.elementwise import ceil, conj, floats, isfinite, log, log2, maximum, real, sign, where
from unigrad.operations.indexing import take_along_axis
from unigrad.operations.shapes import broadcast_to, concat, expand_dims, matrix_transpose, moveaxis, reshape
from unigrad.operations.triangles import tril, triu
from unigrad.table import OPERATIONS, Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import beneath, is_at_hand, values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = [
    "LinAlgError", "cho_solve", "cholesky", "cond", "cross", "det", "diagonal", "eig", "eigh", "eigvals", "eigvalsh",
    "expm", "fix_gauge", "inv", "logdet", "lstsq", "matmul", "matrix_norm", "matrix_power", "matrix_rank",
    "matrix_transpose", "matvec", "multi_dot", "norm", "outer", "pinv", "qr", "slogdet", "solve", "solve_triangular",
    "svd", "svdvals", "tensordot", "trace", "vecdot", "vecmat", "vector_norm",
]  # fmt: skip

vector_norm = reductions.vector_norm
for _shared in (vector_norm, matmul, matrix_transpose, tensordot, vecdot):
    OPERATIONS[f"linalg.{_shared.__name__}"] = _shared


class EigenResult(NamedTuple):
    """What ``eig`` and ``eigh`` return."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What ``qr`` returns."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """What ``slogdet`` returns."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """What ``svd`` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class LstsqResult(NamedTuple):
    """What ``lstsq`` returns."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


# --- arguments -------------------------------------------------------------------------------------------


def _matrices(name: str, x: Array, square: bool = False) -> Tensor:
    """x as a floating Tensor that holds finite matrices."""
    return _finite(name, _checked(name, asarray(x), square))


def _checked(name: str, x: Tensor, square: bool = False) -> Tensor:
    if x.ndim < 2:
        raise ShapeError(f"{name} needs matrices, so at least 2 dimensions, not shape {x.shape}; reshape it first")
    if square and x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} needs square matrices: the last two sizes of shape {x.shape} differ")
    if dtypes.is_half(x.dtype):
        raise DtypeError(f"{name} takes no {x.dtype}; convert with .astype(ug.float32)")
    return x if dtypes.has_gradients(x.dtype) else astype_(x, dtypes.to_float(x.dtype))


_SMALL = 2**16
"""Up to how many elements it takes less time to look at them in NumPy than to call what the framework has for it."""


def _finite(name: str, x: Tensor) -> Tensor:
    """x; LinAlgError if it holds NaN or infinity. That is asked here, before LAPACK is called, which by framework and
    function answers NaN, refuses, answers what was in memory or never ends. While a framework traces nobody knows."""
    if not is_at_hand(x):
        return x
    held = beneath(x)
    if not (np.isfinite(values_of_all(x)) if held.size <= _SMALL else isfinite(held.detach())).all():
        raise LinAlgError(
            f"{name}: a matrix in an array of shape {x.shape} holds NaN or infinity, so that it has no answer; "
            f"ug.isfinite(x) says where, and ug.nan_to_num(x) replaces them"
        )
    return x


def _hermitian(name: str, x: Array) -> Tensor:
    x = _matrices(name, x, square=True)
    # Halved first, so that nothing overflows and a Hermitian matrix stays as it is to the last bit.
    half = x * 0.5
    return half + _adjoint(half)


def _conjugate(x: Tensor) -> Tensor:
    return conj(x) if x.dtype.kind == "c" else x


def _real(x: Tensor) -> Tensor:
    return real(x) if x.dtype.kind == "c" else x


def _adjoint(x: Tensor) -> Tensor:
    return _conjugate(matrix_transpose(x))


def _warn_if_repeated(name: str, values: Tensor, x: Tensor) -> None:
    """Say that no derivative of the vectors exists, where somebody may be about to ask for one."""
    held = beneath(values)
    if x._node is None or not is_recording() or not x.backend.is_at_hand(held._raw):
        return
    sorted_values = held.numpy()
    if (sorted_values[..., 1:] == sorted_values[..., :-1]).any():
        warnings.warn(
            f"{name} of a matrix with repeated values: their vectors have no derivative, and gradients of what "
            f"depends on their choice are NaN; those through the values alone, through other vectors and of one "
            f"function of the matrix are right",
            UnigradWarning,
            stacklevel=users_frame()[1],
        )


# --- solving ---------------------------------------------------------------------------------------------


@operation
def cholesky(x: Array, /, *, upper: bool = False) -> Tensor:
    """The lower triangular L with ``x = L @ L^H``, or, if ``upper``, its conjugate transpose.

    x has shape (..., n, n) and is Hermitian. LinAlgError if one is not positive definite. The gradient is Hermitian.
    """
    lower: Tensor = primitives.cholesky_(_hermitian("cholesky", x))
    return _adjoint(lower) if upper else lower


@operation
def inv(x: Array, /) -> Tensor:
    """The inverses of square matrices, shape (..., n, n); LinAlgError if one is singular."""
    return primitives.inv_(_matrices("inv", x, square=True))


@operation
def solve(x1: Array, x2: Array, /) -> Tensor:
    """The y with ``x1 @ y = x2``; LinAlgError if a matrix x1 is singular.

    x1 has shape (..., n, n). x2 is one vector of shape (n,), or has shape (..., n, k); the other axes broadcast.
    """
    x1, x2 = tensors((x1, x2))
    x1 = _matrices("solve", x1, square=True)
    size = x1.shape[-1]
    vector = x2.ndim == 1
    columns = _checked("solve", expand_dims(x2, axis=-1) if vector else x2)
    if columns.shape[-2] != size:
        raise ShapeError(f"solve cannot pair {size} equations, shape {x1.shape}, with a right side of shape {x2.shape}")
    batch = broadcast_shapes([x1.shape[:-2], columns.shape[:-2]])
    found: Tensor = primitives.solve_(
        broadcast_to(x1, (*batch, size, size)), broadcast_to(columns, (*batch, *columns.shape[-2:]))
    )
    return reshape(found, found.shape[:-1]) if vector else found


@operation
def solve_triangular(
    a: Array, b: Array, /, trans: int | str = 0, lower: bool = False, *, unit_diagonal: bool = False
) -> Tensor:
    """The y with ``a @ y = b`` for a triangular matrix, with SciPy's arguments; LinAlgError if one is singular.

    Of ``a``, of shape (..., n, n), only the upper triangle is read, or with ``lower`` the lower one; with
    ``unit_diagonal`` its diagonal counts as ones. ``trans`` 1 or ``"T"``: the transposed matrix, 2 or ``"C"``: the
    conjugate transposed. ``b`` is as in :func:`solve`. The gradient by what is not read is 0.
    """
    a, b = tensors((a, b))
    a = _checked("solve_triangular", a, square=True)
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise ArgumentError(f"trans={trans!r} is not known; use 0 or 'N', 1 or 'T' (transposed), 2 or 'C' (conjugated)")
    if unit_diagonal:
        strict = tril(a, k=-1) if lower else triu(a, k=1)
        a = strict + eye(a.shape[-1], dtype=a.dtype, like=a)
    else:
        a = tril(a) if lower else triu(a)
    if trans not in (0, "N"):
        a = matrix_transpose(a) if trans in (1, "T") else _adjoint(a)
    return solve(a, b)


@operation
def cho_solve(c_and_lower: tuple[Array, bool], b: Array, /) -> Tensor:
    """The y with ``x @ y = b``, given a Cholesky factor of x and whether it is the lower one, as SciPy has it:
    ``cho_solve((ug.linalg.cholesky(x), True), b)``."""
    if not isinstance(c_and_lower, (tuple, list)) or len(c_and_lower) != 2:
        raise ArgumentError(f"cho_solve needs a pair, a Cholesky factor and whether it is lower, not {c_and_lower!r}")
    c, lower = c_and_lower
    first, second = (0, "C") if lower else ("C", 0)
    return solve_triangular(c, solve_triangular(c, b, first, bool(lower)), second, bool(lower))


# The numerator of the Pade approximant of degree 13 (Higham, SIAM Journal on Matrix Analysis 26, 2005, eq. 2.3), and up
# to which 1-norm it has the accuracy of float64 (table 2.3).
_PADE = tuple(
    math.factorial(26 - k) * math.factorial(13) / (math.factorial(26) * math.factorial(k) * math.factorial(13 - k))
    for k in range(14)
)
_PADE_NORM = 5.371920351148152
_MOST_SQUARINGS = 32
"""Where the norm is not known, since a framework traces: enough for one of 1e10."""


@operation
def expm(x: Array, /) -> Tensor:
    """The exponential of square matrices, shape (..., n, n): 1 + x + x @ x / 2 + ..., by scaling and squaring (Higham,
    2005). The derivative is that of the approximation, which has the same accuracy."""
    x = _matrices("expm", x, square=True)
    size = reductions.max(reductions.sum(absolute(x.detach()), axis=-2), axis=-1) if x.size else zeros((), like=x)
    doublings = ceil(log2(maximum(size, _PADE_NORM) * (1 / _PADE_NORM))).detach()
    doublings = where(isfinite(doublings), doublings, 0.0)[..., None, None]
    count = int(np.max(values_of_all(doublings), initial=0)) if is_at_hand(doublings) else _MOST_SQUARINGS
    if count:
        x = x * astype_(2.0**-doublings, x.dtype)
    found = _pade(x)
    for number in range(count):
        found = where(doublings > number, matmul(found, found), found)
    return found


def _pade(x: Tensor) -> Tensor:
    one = eye(x.shape[-1], dtype=x.dtype, like=x)
    x2 = matmul(x, x)
    x4 = matmul(x2, x2)
    x6 = matmul(x4, x2)

    def polynomial(start: int) -> Tensor:
        c = _PADE[start::2]
        high = x6 * c[6] + x4 * c[5] + x2 * c[4]
        return matmul(x6, high) + x6 * c[3] + x4 * c[2] + x2 * c[1] + one * c[0]

    odd, even = matmul(x, polynomial(1)), polynomial(0)
    return solve(even - odd, even + odd)


@operation
def matrix_power(x: Array, n: int, /) -> Tensor:
    """Square matrices to the power of an integer; of the inverses where it is negative.

    Shape (..., n, n). LinAlgError if a matrix is singular and the exponent negative.
    """
    x = asarray(x)
    if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"matrix_power needs square matrices in the last two axes, not shape {x.shape}")
    try:
        exponent = operator.index(n)
    except TypeError:
        raise ArgumentError(f"matrix_power needs an integer as the exponent, not {n!r}") from None
    if exponent < 0:
        x = inv(x)
    result = None
    for digit in f"{builtins.abs(exponent):b}":
        if result is not None:
            result = matmul(result, result)
        if digit == "1":
            result = x if result is None else matmul(result, x)
    if result is None:
        # Made of x, so that it is recorded, with the derivative 0.
        result = x**0 * eye(x.shape[-1], dtype=x.dtype, like=x)
    return result


# --- determinants ----------------------------------------------------------------------------------------


@operation
def det(x: Array, /) -> Tensor:
    """The determinants of square matrices, shape (...). The gradient is right where one is singular, too."""
    return primitives.det_(_matrices("det", x, square=True))


@operation
def slogdet(x: Array, /) -> SlogdetResult:
    """The sign of the determinant and the logarithm of its absolute value, each of shape (...).

    The sign of a complex determinant is that divided by its absolute value. Of a singular matrix they are 0 and
    -inf, and the gradient is NaN.
    """
    packed = primitives.slogdet_(_matrices("slogdet", x, square=True))
    return SlogdetResult(packed[..., 0], _real(packed[..., 1]))


@operation
def logdet(x: Array, /) -> Tensor:
    """The logarithm of the determinant, shape (...): -inf where it is 0, NaN where it is negative."""
    sign, logarithm = slogdet(x)
    return logarithm + log(sign) if sign.dtype.kind == "c" else where(sign < 0, math.nan, logarithm)


@operation
def diagonal(x: Array, /, offset: int = 0) -> Tensor:
    """The diagonals of matrices in the last two axes; ``offset`` counts to the right, or below where negative."""
    x = asarray(x)
    if x.ndim < 2:
        raise ShapeError(f"diagonal needs at least 2 dimensions, not shape {x.shape}")
    rows, columns = x.shape[-2:]
    offset = builtins.max(-rows, builtins.min(whole_number(offset, "offset"), columns))
    first, second = builtins.max(0, -offset), builtins.max(0, offset)
    count = builtins.max(0, builtins.min(rows - first, columns - second))
    # One slice of the rows in one line: index arrays take several times as long.
    start = first * columns + second
    lines = reshape(x, (*x.shape[:-2], rows * columns))
    return lines[..., start : start + (count - 1) * (columns + 1) + 1 : columns + 1] if count else lines[..., :0]


@operation
def trace(x: Array, /, offset: int = 0, *, dtype: Any = None) -> Tensor:
    """The sums of the diagonals of matrices in the last two axes, in ``dtype`` as for ``sum``."""
    return reductions.sum(diagonal(x, offset=offset), axis=-1, dtype=dtype)


# --- products --------------------------------------------------------------------------------------------


@operation
def outer(x1: Array, x2: Array, /) -> Tensor:
    """All products of an element of the vector x1, shape (n,), with one of x2, shape (m,): shape (n, m)."""
    x1, x2 = tensors((x1, x2))
    if x1.ndim != 1 or x2.ndim != 1:
        raise ShapeError(f"linalg.outer needs two vectors, not shapes {x1.shape} and {x2.shape}; ug.outer flattens")
    return contractions.outer(x1, x2)


@operation
def matvec(x1: Array, x2: Array, /) -> Tensor:
    """The products of matrices, shape (..., m, n), with vectors, (..., n): shape (..., m)."""
    x1, x2 = tensors((x1, x2))
    if x1.ndim < 2 or x2.ndim < 1:
        raise ShapeError(f"matvec needs matrices and vectors, not shapes {x1.shape} and {x2.shape}")
    return matmul(x1, expand_dims(x2, axis=-1))[..., 0]


@operation
def vecmat(x1: Array, x2: Array, /) -> Tensor:
    """The products of conjugated vectors, shape (..., m), with matrices, (..., m, n): shape (..., n)."""
    x1, x2 = tensors((x1, x2))
    if x1.ndim < 1 or x2.ndim < 2:
        raise ShapeError(f"vecmat needs vectors and matrices, not shapes {x1.shape} and {x2.shape}")
    return matmul(expand_dims(_conjugate(x1), axis=-2), x2)[..., 0, :]


@operation
def multi_dot(arrays: Sequence[Array], /) -> Tensor:
    """The product of two or more matrices in the order that takes the fewest multiplications; the first and the last
    may be vectors."""
    found = tensors(listed(arrays, "multi_dot"))
    if len(found) < 2:
        raise ArgumentError(f"multi_dot needs at least 2 arrays, not {len(found)}")
    for number, x in enumerate(found):
        if x.ndim != 2 and not (x.ndim == 1 and number in (0, len(found) - 1)):
            raise ShapeError(f"multi_dot needs matrices, at the ends perhaps vectors, and array {number} is {x.shape}")
    sizes = [1 if found[0].ndim == 1 else found[0].shape[0], *[x.shape[1] if x.ndim == 2 else 1 for x in found]]
    # The least cost of the product of arrays i to j, and after which one it is split (Cormen et al., chapter 14.2).
    splits: dict[tuple[int, int], int] = {}
    costs = {(i, i): 0 for i in range(len(found))}
    for length in range(1, len(found)):
        for i in range(len(found) - length):
            j = i + length
            costs[i, j], splits[i, j] = builtins.min(
                (costs[i, k] + costs[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)
            )

    def product(i: int, j: int) -> Tensor:
        return found[i] if i == j else matmul(product(i, splits[i, j]), product(splits[i, j] + 1, j))

    return product(0, len(found) - 1)


@operation
@reductions.rounded_once
def cross(x1: Array, x2: Array, /, *, axis: int = -1) -> Tensor:
    """The cross products of vectors along ``axis``, which has size 3 in both; the other axes broadcast."""
    x1, x2 = tensors((x1, x2))
    count = builtins.min(x1.ndim, x2.ndim)
    axis = axis_from_the_end(axis, count)
    if x1.shape[axis] != 3 or x2.shape[axis] != 3:
        raise ShapeError(f"cross needs size 3 along axis {axis}, not shapes {x1.shape} and {x2.shape}")
    x1, x2 = moveaxis(x1, axis, -1), moveaxis(x2, axis, -1)
    following, last = np.array([1, 2, 0]), np.array([2, 0, 1])
    found = x1[..., following] * x2[..., last] - x1[..., last] * x2[..., following]
    return moveaxis(found, -1, axis)


# --- eigenvalues and singular values -----------------------------------------------------------------------


@operation
def eigh(x: Array, /) -> EigenResult:
    """The eigenvalues, ascending, and eigenvectors of Hermitian matrices: shapes (..., n) and (..., n, n).

    The signs (or phases) of the eigenvectors are free; :func:`fix_gauge` chooses them. Where eigenvalues repeat, so is
    the choice of their eigenvectors: gradients of what depends on it are NaN, and eigh warns while it is recorded.
    Right are those through the eigenvalues alone, through the vectors of other eigenvalues, and of one function of the
    matrix, ``v d(w) v^H``, unless d is 0 there or nothing on its diagonal is asked for (NaN); its second derivatives
    are NaN. Each function needs an eigh of its own: two made of one are told apart only where their diagonals differ
    (NaN), and are else taken for one. Gradients are Hermitian.
    """
    x = _hermitian("eigh", x)
    packed = primitives.eigh_(x)
    values = _real(packed[..., 0])
    _warn_if_repeated("eigh", values, x)
    return EigenResult(values, packed[..., 1:])


@operation
def eigvalsh(x: Array, /) -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending, shape (..., n); right gradients also where they repeat."""
    return primitives.eigvalsh_(_hermitian("eigvalsh", x))


@operation
def eig(x: Array, /) -> EigenResult:
    """The complex eigenvalues and eigenvectors of square matrices, in no order: shapes (..., n) and (..., n, n).

    The eigenvectors have norm 1. Gradients need distinct eigenvalues, and must not depend on an eigenvector's phase.
    """
    packed = primitives.eig_(_matrices("eig", x, square=True))
    return EigenResult(packed[..., 0], packed[..., 1:])


@operation
def eigvals(x: Array, /) -> Tensor:
    """The complex eigenvalues of square matrices, in no order, shape (..., n)."""
    return primitives.eigvals_(_matrices("eigvals", x, square=True))


@operation
def svd(x: Array, /, *, full_matrices: bool = True) -> SVDResult:
    """U, the singular values, descending, and V^H with ``x = U @ diag(S) @ Vh``.

    For x of shape (..., m, n), with k the smaller of m and n: shapes (..., m, m), (..., k) and (..., n, n), or, not
    ``full_matrices``, (..., m, k), (..., k) and (..., k, n). Where singular values repeat, gradients of what depends
    on the choice of their vectors are NaN, and svd warns while it is recorded; what is right is as for :func:`eigh`,
    with ``u d(s) v^H``. A gradient must not depend on the sign or phase of a vector, which is free (unless
    :func:`fix_gauge` chooses it), nor on which vectors complete U or Vh.
    """
    x = _matrices("svd", x)
    full = full_matrices and x.shape[-1] != x.shape[-2]
    packed = primitives.svd_(x, full)
    *batch, m, n = x.shape
    k = builtins.min(m, n)
    left, right = (m, n) if full else (k, k)
    end = m * left + k
    values = _real(packed[..., m * left : end])
    _warn_if_repeated("svd", values, x)
    u = reshape(packed[..., : m * left], (*batch, m, left))
    return SVDResult(u, values, reshape(packed[..., end:], (*batch, right, n)))


@operation
def svdvals(x: Array, /) -> Tensor:
    """The singular values of matrices, descending; right gradients also where they repeat."""
    return primitives.svdvals_(_matrices("svdvals", x))


@operation
def qr(x: Array, /, *, mode: str = "reduced") -> QRResult:
    """Q with orthonormal columns and an upper triangular R with ``x = Q @ R``.

    For x of shape (..., m, n), with k the smaller of m and n: shapes (..., m, k) and (..., k, n), or, with ``mode``
    ``"complete"``, (..., m, m) and (..., m, n). Gradients need the first k columns to be independent.
    """
    x = _matrices("qr", x)
    if mode not in ("reduced", "complete"):
        raise ArgumentError(f"qr knows no mode {mode!r}; use 'reduced' or 'complete'")
    *batch, m, n = x.shape
    k = builtins.min(m, n)
    width = m if mode == "complete" else k
    packed = primitives.qr_(x[..., :k] if n > k else x, width > k)
    q = reshape(packed[..., : m * width], (*batch, m, width))
    r = reshape(packed[..., m * width :], (*batch, k, k))
    if n > k:
        # More columns than rows: what Q makes of the rest.
        r = concat([r, matmul(_adjoint(q), x[..., k:])], axis=-1)
    if width > k:
        r = concat([r, zeros((*batch, width - k, n), dtype=x.dtype, like=x)], axis=-2)
    return QRResult(q, r)


_NEARLY = 0.9
"""How large an element must be beside the largest of its vector to be chosen before it."""


@operation
def fix_gauge(found: Any, /) -> Any:
    """What ``eigh``, ``eig``, ``svd`` or ``qr`` returned, with the signs or phases that are free chosen alike on every
    backend; of the same type and shapes. Otherwise they are LAPACK's, which differ by library and machine.

    Of each eigenvector and each column of U the first element that is at least 0.9 times as large as the largest is
    real and positive (not the largest itself, which rounding would choose among equals); a row of Vh is turned against
    its column of U, and those that complete U or Vh by themselves. Of ``qr`` it is the diagonal of R. It is the same
    matrix that they factorise. Gradients may then depend on every element, and are those of this choice. Still free is
    the basis where values repeat, and of what completes U, Vh or Q. ArgumentError for anything else.
    """
    if isinstance(found, EigenResult):
        return EigenResult(found.eigenvalues, found.eigenvectors * _row_of_turns(found.eigenvectors))
    if isinstance(found, SVDResult):
        k = found.S.shape[-1]
        turns, rest = _row_of_turns(found.U), _adjoint(_row_of_turns(_adjoint(found.Vh)))
        return SVDResult(
            found.U * turns,
            found.S,
            found.Vh * concat([_adjoint(turns[..., :k]), rest[..., k:, :]], axis=-2),
        )
    if isinstance(found, QRResult):
        along = diagonal(found.R)
        turns = _turns(expand_dims(along, axis=-2))
        k, width = along.shape[-1], found.Q.shape[-1]
        rest = ones((*turns.shape[:-1], width - k), dtype=turns.dtype, like=turns)
        turns = concat([turns, rest], axis=-1)
        return QRResult(found.Q * _conjugate(turns), found.R * matrix_transpose(turns))
    raise ArgumentError(f"fix_gauge takes what eigh, eig, svd or qr returned as it is, not {type(found).__name__}")


def _turns(pivots: Tensor) -> Tensor:
    """What each pivot has to be multiplied by to be real and positive; 1 where it is 0."""
    found = _conjugate(sign(pivots))
    return where(found == 0, 1.0, found)


def _row_of_turns(vectors: Tensor) -> Tensor:
    """What each column has to be multiplied by, of shape (..., 1, n)."""
    if 0 in vectors.shape:
        return ones((*vectors.shape[:-2], 1, vectors.shape[-1]), dtype=vectors.dtype, like=vectors)
    sizes = absolute(vectors.detach())
    large = sizes >= reductions.max(sizes, axis=-2, keepdims=True) * _NEARLY
    first = reductions.argmax(astype_(large, dtypes.int64), axis=-2, keepdims=True)
    return _turns(take_along_axis(vectors, first, axis=-2))


def _tolerance(x: Tensor, rtol: Array | None) -> Tensor:
    """``rtol`` as an array of shape (...), by default the larger size times the spacing of numbers at 1."""
    dtype = dtypes.real_of(x.dtype)
    if rtol is None:
        rtol = builtins.max(x.shape[-2:]) * float(dtypes.limits(dtype).eps)
    return broadcast_to(asarray(rtol, dtype=dtype, like=x).detach(), x.shape[:-2])


@operation
def pinv(x: Array, /, *, rtol: Array | None = None) -> Tensor:
    """The Moore-Penrose pseudo-inverses, shape (..., n, m) for x of shape (..., m, n).

    Singular values up to ``rtol`` times the largest count as 0 (None: max(m, n) times the machine epsilon; an array
    must broadcast to shape (...)). The derivative is that of what is returned; where values are 0, that along matrices
    of the same rank.
    """
    x = _matrices("pinv", x)
    if 0 in x.shape:
        return matrix_transpose(x) * 1
    return primitives.pinv_(x, _tolerance(x, rtol))


@operation
def matrix_rank(x: Array, /, *, rtol: Array | None = None) -> Tensor:
    """How many singular values are above ``rtol`` times the largest (as for :func:`pinv`): int64, shape (...)."""
    x = _matrices("matrix_rank", x)
    if 0 in x.shape:
        return zeros(x.shape[:-2], dtype=dtypes.int64, like=x)
    values = svdvals(x.detach())
    above = values > values[..., :1] * expand_dims(_tolerance(x, rtol), axis=-1)
    return reductions.sum(above, axis=-1)


@operation
def lstsq(a: Array, b: Array, /, rcond: float | None = None) -> LstsqResult:
    """NumPy's least squares: the x of least norm among those with the least norm of ``b - a @ x``.

    a has shape (m, n), b (m,) or (m, k); stacks of them are taken as well. Also returned are the sums of squares of
    ``b - a @ x``, the rank of a, and its singular values, of which those up to ``rcond`` times the largest count as 0
    (None: max(m, n) times the machine epsilon). The sums are given for every rank and size, where NumPy leaves
    them out unless a has rank n and more rows than that. Differentiable for a and b, as :func:`pinv` is.
    """
    a, b = floats(a, b)
    a = _matrices("lstsq", a)
    vector = b.ndim == 1
    columns = _checked("lstsq", expand_dims(b, axis=-1) if vector else b)
    if columns.shape[-2] != a.shape[-2]:
        raise ShapeError(f"lstsq cannot pair {a.shape[-2]} equations, shape {a.shape}, with a right side {b.shape}")
    found = matmul(pinv(a, rtol=rcond), columns)
    sums = reductions.sum(absolute(columns - matmul(a, found)) ** 2, axis=-2)
    solution = reshape(found, found.shape[:-1]) if vector else found
    return LstsqResult(solution, sums, matrix_rank(a, rtol=rcond), svdvals(a))


# --- norms -------------------------------------------------------------------------------------------------


@operation
def matrix_norm(x: Array, /, *, keepdims: bool = False, ord: float | str | None = "fro") -> Tensor:
    """The norm of the matrices in the last two axes.

    ``ord`` is ``"fro"`` (or None), ``"nuc"``: the sum of the singular values, 2 or -2: the largest or smallest of
    them, 1 or -1: the largest or smallest sum of a column, inf or -inf: that of a row. Of no elements the largest
    and the sums are 0. Where the ``"fro"`` norm is 0 its derivative is 0.
    """
    x = asarray(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_norm needs at least 2 dimensions, not shape {x.shape}")
    if ord in ("fro", None):
        return reductions.vector_norm(x, axis=(-2, -1), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        found = _of_singular_values(svdvals(x), ord)
        return reshape(found, (*found.shape, 1, 1)) if keepdims else found
    if ord not in (1, -1, math.inf, -math.inf):
        raise ArgumentError(f"matrix_norm knows no ord={ord!r}; use 'fro', 'nuc', 1, -1, 2, -2, inf or -inf")
    assert isinstance(ord, (int, float))
    # 1 takes the largest column sum, inf the largest row sum.
    summed, compared = (-2, -1) if builtins.abs(ord) == 1 else (-1, -2)
    sums = reductions.sum(absolute(x), axis=summed, keepdims=True)
    if ord > 0 and sums.shape[compared] == 0:
        largest = reductions.sum(sums, axis=(-2, -1), keepdims=True)
    else:
        largest = (reductions.max if ord > 0 else reductions.min)(sums, axis=(-2, -1), keepdims=True)
    return largest if keepdims else largest.reshape(x.shape[:-2])


def _of_singular_values(values: Tensor, ord: float | str | None) -> Tensor:
    if ord == "nuc" or (ord == 2 and values.shape[-1] == 0):
        return reductions.sum(values, axis=-1)
    return (reductions.max if ord == 2 else reductions.min)(values, axis=-1)


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
    axes = [one_axis(number, x.ndim) for number in listed(axis, "axis")]
    if len(axes) == 1:
        return reductions.vector_norm(x, axis=axes[0], keepdims=keepdims, ord=2 if ord is None else ord)
    if len(axes) != 2:
        raise ArgumentError(f"norm is over one or two axes, not {tuple(axis)}")
    found = matrix_norm(moveaxis(x, tuple(axes), (-2, -1)), ord=ord, keepdims=keepdims)
    return moveaxis(found, (-2, -1), tuple(axes)) if keepdims else found


@operation
def cond(x: Array, /, p: float | str | None = None) -> Tensor:
    """NumPy's condition number of matrices: the norm ``p`` times that of the inverse.

    ``p`` is one of the ``ord`` of :func:`matrix_norm`; None is 2: the largest singular value divided by the smallest,
    inf for a singular matrix. The others raise LinAlgError there, and need square matrices.
    """
    if p in (None, 2, -2):
        values = svdvals(x)
        if values.shape[-1] == 0:
            raise ShapeError(f"cond needs matrices with elements, not shape {asarray(x).shape}")
        largest, smallest = values[..., 0], values[..., -1]
        return smallest / largest if p == -2 else largest / smallest
    return matrix_norm(x, ord=p) * matrix_norm(inv(x), ord=p)


# NumPy has these outside of linalg as well.
for _alias in (cross, diagonal, trace):
    OPERATIONS[_alias.__name__] = _alias
