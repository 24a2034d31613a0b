"""The primitives of linear algebra with their derivatives, over stacks of matrices in the last two axes.

The formulas are those of M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), I. Murray, "Differentiation of the Cholesky decomposition" (2016), S. Walter and
L. Lehmann, "Algorithmic differentiation of linear algebra functions" (2010), J. Townsend, "Differentiating the
singular value decomposition" (2016), Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex valued SVD"
(2019), and G. Golub and V. Pereyra, "The differentiation of pseudo-inverses" (1973). They are written in the
conjugate form, as there: :func:`conjugate_form` makes rules of the table's kind of them.

A decomposition gives all its parts in one array. Vectors are determined up to a sign or a phase only, and the
derivative is that of one smooth choice; of values that repeat there is none. What is asked of a pair of vectors is
divided by the difference of their values, and only where these are equal something is missing: see :func:`_turning`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base.errors import LinAlgError
from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, further, moved
from unigrad.operations.shapes import matrix_transposed as _t
from unigrad.table import PRIMITIVES, Array, Primitive, batched, composed, jvp, vjp
from unigrad.tensor.tensor import Tensor

__all__: list[str] = []

Parts = tuple[Any, ...]

_REFUSALS = {
    "inv": "a matrix is singular; pinv takes any, or add a small multiple of the identity",
    "solve": "a matrix of coefficients is singular; lstsq takes any, or add a small multiple of the identity",
    "cholesky": "a matrix is not positive definite; eigh takes any, or add a small multiple of the identity",
}


def refusal(name: str) -> LinAlgError:
    """The error for a matrix that the primitive ``name`` has no answer for, for adapters to raise.

    Where a framework raises by itself nothing need be done: what a raw function raises becomes this error. It is for
    one that answers infinities or NaN, or whatever was in memory, for a singular matrix.
    """
    return LinAlgError(f"{name}: {_REFUSALS.get(name, 'a matrix is not finite, or the method did not converge')}")


# --- what the rules are made of --------------------------------------------------------------------------


def conjugate_form(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A reverse rule written for gradients in the conjugate form as one for the transpose's cotangents."""

    @functools.wraps(rule)
    def transposed(xp: Any, g: Any, *residuals: Any) -> Any:
        return xp.conj(rule(xp, xp.conj(g), *residuals))

    return transposed


def _h(xp: Any, x: Any) -> Any:
    return xp.conj(_t(xp, x))


def _row(xp: Any, v: Any) -> Any:
    return xp.reshape(v, (*v.shape[:-1], 1, v.shape[-1]))


def _column(xp: Any, v: Any) -> Any:
    return xp.reshape(v, (*v.shape, 1))


def _wide(xp: Any, number: Any) -> Any:
    """One number for each matrix, so that it broadcasts against the matrices."""
    return xp.reshape(number, (*number.shape, 1, 1))


def _pick(xp: Any, x: Any, *last: Any) -> Any:
    """``x[..., *last]``."""
    whole = (slice(None, None, None),) * (len(x.shape) - len(last))
    return xp.getitem(x, (*whole, *last))


def _steps(start: int, stop: int) -> slice:
    return slice(start, stop, 1)


def _diagonal(xp: Any, x: Any) -> Any:
    numbers = np.arange(min(x.shape[-2:]))
    return _pick(xp, x, numbers, numbers)


def _diagonal_matrix(xp: Any, v: Any) -> Any:
    size = v.shape[-1]
    whole = (slice(None, None, None),) * (len(v.shape) - 1)
    return xp.scatter(v, (*whole, np.arange(size), np.arange(size)), (*v.shape, size))


def _below(xp: Any, x: Any) -> Any:
    """The elements below the diagonal, zeros elsewhere."""
    rows, columns = np.tril_indices(x.shape[-1], -1)
    whole = (slice(None, None, None),) * (len(x.shape) - 2)
    return xp.scatter(_pick(xp, x, rows, columns), (*whole, rows, columns), tuple(x.shape))


def _identity(xp: Any, v: Any) -> Any:
    """Identity matrices of the size of the vectors ``v``."""
    return _diagonal_matrix(xp, xp.power(v, 0))


def _over(xp: Any, x: Any, divisor: Any) -> Any:
    """x / divisor. Where the divisor is 0: NaN, or 0 where x is 0, so that nothing is asked there."""
    zero = divisor == 0
    quotient = x / xp.where(zero, 1.0, divisor)
    return xp.where(zero, xp.where(x == 0, x, float("nan")), quotient)


def _rounding(x: Any) -> float:
    """What rounding leaves of numbers that ought to be equal, relative to them: a few units for each row."""
    return 16 * x.shape[-1] * float(np.finfo(x.dtype).eps) if x.dtype.kind in "fc" else 0.0


def _equal(xp: Any, values: Any) -> Any:
    """Whether the values at i and j are equal up to rounding."""
    sizes = xp.abs(values)
    largest = xp.max(sizes, (len(values.shape) - 1,), True) if values.shape[-1] else sizes
    gap = _row(xp, values) - _column(xp, values)
    return xp.abs(gap) <= _rounding(values) * _column(xp, largest)


def _divided(xp: Any, values: Any, product: Any, asked: Any) -> Parts:
    """``asked`` at i, j, divided by ``values[j] - values[i]``; and where both are 0 up to rounding: there it gives 0.

    0 on the diagonal, and NaN where the values are equal and ``asked``, a part of ``product``, is not 0.
    """
    sizes = xp.abs(product)
    columns = xp.max(sizes, (len(product.shape) - 2,), True) if product.shape[-1] else sizes
    level = xp.maximum(columns, _t(xp, columns))
    off = _identity(xp, values) == 0
    asks_nothing = xp.abs(asked) <= _rounding(product) * level
    alike = xp.logical_and(xp.logical_and(off, _equal(xp, values)), asks_nothing)
    skipped = xp.logical_or(alike, xp.logical_not(off))
    gap = _row(xp, values) - _column(xp, values)
    return _over(xp, xp.where(skipped, 0.0, asked), xp.where(skipped, 1.0, gap)), alike


def _turning(xp: Any, values: Any, slopes: Any, product: Any) -> Any:
    """What the cotangents of the vectors, times the vectors: ``product``, ask of a matrix, in the basis of the vectors.

    That is ``(product - product^H) / 2`` at i, j, divided by ``values[j] - values[i]``. Of equal values the vectors may
    be turned among themselves, so that it is NaN if the result depends on that. If it does not, the result is made of
    ``V d(W) V^H`` with a function d of the values; its cotangent G (in this basis) has left ``product = 2 G d(w)`` and
    ``slopes = G d'(w)``, the cotangents of the values, on the diagonal. So the limit, ``G d'(w)``, is the product times
    the ratio of the two, the same for all of several equal values. NaN where their diagonals do not tell it, and
    nothing else can: of G's other elements no cotangent here holds d'. The derivative of it all is NaN, too.
    """
    if product.shape[-1] == 0:
        return product
    quotient, alike = _divided(xp, values, product, (product - _h(xp, product)) * 0.5)
    few = _rounding(product)
    mean = (product + _h(xp, product)) * 0.5
    sizes = xp.abs(mean)
    # In each row what is on the diagonals at all values that are equal to that of the row.
    equal, axis = _equal(xp, values), (len(product.shape) - 1,)
    along = xp.where(equal, _row(xp, _diagonal(xp, mean)), 0.0)
    sloping = xp.where(equal, _row(xp, slopes), 0.0)
    diagonal = xp.max(xp.abs(along), axis, True)
    unknown = diagonal == 0
    share = along / xp.where(unknown, 1.0, diagonal)
    fitted = xp.sum(share * sloping, axis, True) / xp.where(unknown, 1.0, xp.sum(share * share, axis, True))
    ratio = fitted / xp.where(unknown, 1.0, diagonal)
    misfit = xp.max(xp.abs(sloping - fitted * share), axis, True)
    total = xp.max(xp.abs(sloping), axis, True)
    fits = xp.logical_and(xp.logical_not(unknown), misfit <= few**0.5 * total)
    # A diagonal beside slopes that are not in its ratio, or all 0: the vectors by themselves.
    uneven = xp.where(equal, xp.abs(along - _column(xp, _diagonal(xp, mean))), 0.0)
    differ = xp.max(uneven, axis, True) > few * diagonal
    alone = xp.logical_or(xp.logical_not(fits), xp.logical_and(differ, total <= few * diagonal))
    alone = xp.logical_and(alone, diagonal > few * xp.max(sizes, _last_two(product), True))
    turned = sizes > few * diagonal
    fits = xp.logical_and(fits, xp.logical_or(turned, xp.logical_not(alone)))
    active = xp.logical_and(alike, xp.logical_or(turned, alone))
    # Of values 0 nothing but the slopes is left of an odd function, and these do not tell.
    zero = xp.logical_and(_column(xp, values) == 0, _row(xp, values) == 0)
    vanished = xp.logical_and(xp.logical_and(alike, zero), xp.logical_and(unknown, total != 0))
    vanished = xp.logical_and(vanished, xp.any(product != 0, _last_two(product), True))
    # The root of 0 has no derivative.
    gap = _row(xp, values) - _column(xp, values)
    root = xp.where(active, xp.sqrt(xp.where(active, gap * 0, 1.0)), 0.0)
    limit = xp.where(fits, ratio * mean, float("nan")) * (1 + root)
    found = xp.where(active, limit, quotient)
    return xp.where(vanished, float("nan"), found)


def _last_two(x: Any) -> Shape:
    ndim = len(x.shape)
    return (ndim - 2, ndim - 1)


def _flat(xp: Any, x: Any) -> Any:
    return xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def _packed(xp: Any, *parts: Any) -> Any:
    return xp.concat(list(parts), len(parts[0].shape) - 1)


# --- solving ---------------------------------------------------------------------------------------------


@primitive("linalg", dtypes="wide_float")
def inv_(x: Array) -> Tensor:
    """The inverses; LinAlgError if one is singular."""


vjp(inv_, lambda xp, g, out: -xp.matmul(_t(xp, out), xp.matmul(g, _t(xp, out))))
jvp(inv_, lambda xp, t, out: -xp.matmul(out, xp.matmul(t, out)))
batched(inv_, "further")


@primitive("linalg", dtypes="wide_float")
def solve_(x1: Array, x2: Array) -> Tensor:
    """The matrices that give x2 when multiplied by x1 from the left. Both are matrices with equal leading axes."""


vjp(
    solve_,
    lambda xp, g, x1, out: -xp.matmul(xp.solve(_t(xp, x1), g), _t(xp, out)),
    lambda xp, g, x1: xp.solve(_t(xp, x1), g),
)
jvp(
    solve_,
    lambda xp, t, x1, out: -xp.solve(x1, xp.matmul(t, out)),
    lambda xp, t, x1: xp.solve(x1, t),
)


def _solve_of_batch(
    bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]
) -> Tensor:
    """Of one matrix the elements are more right sides, so that it is factorised once."""
    x1, x2 = values
    if mask[0]:
        return further(bound, row, values, mask, size, statics)
    columns = moved(bound, x2, 0, x2.ndim - 2)
    shape = columns.shape
    found = bound.solve(x1, bound.reshape(columns, (*shape[:-2], shape[-2] * shape[-1])))
    found = bound.reshape(found, shape)
    return moved(bound, found, x2.ndim - 2, 0)


batched(solve_, _solve_of_batch)


@primitive("linalg", dtypes="wide_float")
def cholesky_(x: Array) -> Tensor:
    """The lower triangular L with x = L @ L^H, real and positive on its diagonal; x is Hermitian.

    LinAlgError if x is not positive definite.
    """


@conjugate_form
def _cholesky_vjp(xp: Any, g: Any, out: Any) -> Any:
    # Murray (2016), equation 9.
    inverse = xp.inv(out)
    product = xp.matmul(_h(xp, out), g)
    lower = _below(xp, product) + _diagonal_matrix(xp, _diagonal(xp, product) * 0.5)
    return xp.matmul(_h(xp, inverse), xp.matmul((lower + _h(xp, lower)) * 0.5, inverse))


def _cholesky_jvp(xp: Any, t: Any, out: Any) -> Any:
    inverse = xp.inv(out)
    inner = xp.matmul(inverse, xp.matmul((t + _h(xp, t)) * 0.5, _h(xp, inverse)))
    return xp.matmul(out, _below(xp, inner) + _diagonal_matrix(xp, _diagonal(xp, inner) * 0.5))


vjp(cholesky_, _cholesky_vjp)
jvp(cholesky_, _cholesky_jvp)
batched(cholesky_, "further")


# --- determinants ----------------------------------------------------------------------------------------


@primitive("linalg", dtypes="wide_float")
def det_(x: Array) -> Tensor:
    """The determinants. The derivative is the matrix of cofactors, also where x is singular."""


vjp(det_, lambda xp, g, x: _wide(xp, g) * xp.cofactors(x))


def _det_jvp(xp: Any, t: Any, x: Any) -> Any:
    ndim = len(x.shape)
    return xp.sum(xp.cofactors(x) * t, (ndim - 2, ndim - 1), False)


jvp(det_, _det_jvp)
batched(det_, "further")


@primitive("linalg", dtypes="wide_float")
def cofactors_(x: Array) -> Tensor:
    """The derivative of the determinant for each element: the transpose of the adjugate.

    From singular values, without any division: adj(U S V^H) = det(U) det(V^H) V adj(S) U^H. Its derivative needs
    no division either, and so is right where singular values repeat or vanish.
    """


def _turn(xp: Any, u: Any, vh: Any) -> Any:
    return _wide(xp, xp.multiply(xp.det(u), xp.det(vh)))


def _cofactors(xp: Any, x: Any) -> Any:
    u, s, vh = svd_parts(xp, xp.svd(x, False), tuple(x.shape), False)
    size = x.shape[-1]
    shape = (*x.shape[:-1], size)
    one = xp.not_equal(_identity(xp, s), 0.0)
    others = xp.where(one, 1.0, xp.broadcast_to(_row(xp, s), shape))
    products = xp.prod(others, (len(shape) - 1,), False)
    product = xp.matmul(xp.conj(u), xp.multiply(_column(xp, products), xp.conj(vh)))
    return xp.multiply(_turn(xp, u, vh), product)


@primitive("linalg", dtypes="wide_float")
def cofactors_along_(x: Array, t: Array) -> Tensor:
    """The derivative of the cofactors of x along t, which has x's shape: the second one of the determinant, which is
    symmetric. It needs no division either, and so is right where singular values repeat or vanish."""


def _minors(xp: Any, s: Any, inner: Any) -> Any:
    """The derivative of adj(S + t * inner) at t = 0, where S is diagonal: sums of products of all others but two."""
    size = s.shape[-1]
    ndim = len(s.shape)
    one = _identity(xp, s)
    batch = tuple(s.shape[:-1])
    either = xp.add(xp.reshape(one, (*batch, size, 1, size)), xp.reshape(one, (*batch, 1, size, size)))
    each = xp.broadcast_to(xp.reshape(s, (*batch, 1, 1, size)), (*batch, size, size, size))
    products = xp.prod(xp.where(xp.not_equal(either, 0.0), 1.0, each), (ndim + 1,), False)
    products = xp.multiply(products, xp.subtract(1.0, one))
    on_diagonal = xp.matmul(products, _column(xp, _diagonal(xp, inner)))
    on_diagonal = _diagonal_matrix(xp, xp.reshape(on_diagonal, tuple(s.shape)))
    return xp.subtract(on_diagonal, xp.multiply(products, inner))


def _cofactors_along(xp: Any, x: Any, t: Any) -> Any:
    u, s, vh = svd_parts(xp, xp.svd(x, False), tuple(x.shape), False)
    inner = xp.matmul(xp.conj(vh), xp.matmul(_t(xp, t), xp.conj(u)))
    changed = xp.matmul(xp.conj(u), xp.matmul(_minors(xp, s, inner), xp.conj(vh)))
    return xp.multiply(_turn(xp, u, vh), changed)


@functools.cache
def _places(degree: int) -> list[tuple[float, float]]:
    """Pairs of weights and places that give a polynomial's value at 0 by those at the places and at their negatives.

    Even parts are polynomials of the squares, which are Chebyshev's nodes from 4 to 9 (Lagrange's formula).
    """
    count = degree // 2 + 1
    # Python's numbers, since NumPy's would turn float32 into float64.
    squares = [6.5 + 2.5 * math.cos((2 * node + 1) * math.pi / (2 * count)) for node in range(count)]
    weights = [math.prod(b / (b - a) for b in squares if b != a) / 2 for a in squares]
    return [(weight, math.sqrt(square)) for weight, square in zip(weights, squares, strict=True)]


_REGULAR = 2.0**-10
"""The smallest of the singular values, beside the largest, with which a matrix is inverted as it is."""


def _everywhere(xp: Any, x: Any, degree: int, of_regular: Callable[[Any], Any]) -> Any:
    """A polynomial of matrices x that is known where they are regular, to be differentiated where they are not as well:
    found from its values at x and multiples of the identity beyond x's norm."""
    if degree < 0:
        return x * 0
    values = xp.svdvals(x)
    axis = (len(values.shape) - 1,)
    regular = _wide(xp, xp.min(values, axis, False) > xp.max(values, axis, False) * _REGULAR)
    total = xp.sum(xp.real(x * xp.conj(x)), _last_two(x), True)
    norm = xp.where(total == 0, 1.0, xp.sqrt(xp.where(total == 0, 1.0, total)))
    one = _identity(xp, _diagonal(xp, x))
    found = 0.0
    for weight, place in _places(degree):
        found = found + weight * (of_regular(x + one * norm * place) + of_regular(x - one * norm * place))
    return xp.where(regular, of_regular(xp.where(regular, x, one)), found)


def _trace(xp: Any, x: Any) -> Any:
    return _wide(xp, xp.sum(_diagonal(xp, x), (len(x.shape) - 2,), False))


def second_of_determinant(xp: Any, x: Any, t: Any) -> Any:
    """What ``cofactors_along`` gives, by operations that have all derivatives: for frameworks that differentiate them.
    With less digits than by singular values where x is nearly singular."""

    def of_regular(x: Any) -> Any:
        inverse = xp.inv(x)
        turned = xp.matmul(inverse, t)
        return _wide(xp, xp.det(x)) * _t(xp, _trace(xp, turned) * inverse - xp.matmul(turned, inverse))

    return _everywhere(xp, x, x.shape[-1] - 2, of_regular)


def _third(xp: Any, x: Any, t: Any, g: Any) -> Any:
    """The third derivative of the determinant along t and g."""
    identity = _identity(xp, _diagonal(xp, x))

    def of_regular(x: Any) -> Any:
        inverse = xp.inv(x)
        first, second = xp.matmul(inverse, t), xp.matmul(inverse, g)
        both = xp.matmul(first, second)
        alone, beside = _trace(xp, first), _trace(xp, second)
        inner = (alone * beside - _trace(xp, both)) * identity - first * beside - second * alone
        inner = inner + both + xp.matmul(second, first)
        return _wide(xp, xp.det(x)) * _t(xp, xp.matmul(inner, inverse))

    return _everywhere(xp, x, x.shape[-1] - 3, of_regular)


composed(cofactors_, _cofactors)
vjp(cofactors_, lambda xp, g, x: xp.cofactors_along(x, g))
jvp(cofactors_, lambda xp, t, x: xp.cofactors_along(x, t))
batched(cofactors_, "further")

composed(cofactors_along_, _cofactors_along)
vjp(cofactors_along_, lambda xp, g, x, t: _third(xp, x, t, g), lambda xp, g, x: xp.cofactors_along(x, g))
jvp(cofactors_along_, lambda xp, g, x, t: _third(xp, x, t, g), lambda xp, g, x: xp.cofactors_along(x, g))
batched(cofactors_along_, "further")


@primitive("linalg", dtypes="wide_float")
def slogdet_(x: Array) -> Tensor:
    """The sign (or phase) of the determinant and the logarithm of its absolute value, along a new last axis."""


def _regular_inverse(xp: Any, x: Any, out: Any) -> Any:
    """The inverses, and NaN instead of those of singular matrices."""
    singular = _wide(xp, _pick(xp, out, 0)) == 0
    one = _identity(xp, xp.sum(x, (len(x.shape) - 1,), False))
    return xp.where(singular, float("nan"), xp.inv(xp.where(singular, one, x)))


@conjugate_form
def _slogdet_vjp(xp: Any, g: Any, x: Any, out: Any) -> Any:
    sign, turned, grown = _pick(xp, out, 0), _pick(xp, g, 0), _pick(xp, g, 1)
    phase = xp.conj(sign) * turned
    # Of a real matrix the phase cannot move: this part is zero then.
    share = (grown + xp.conj(grown)) * 0.5 - (xp.conj(phase) - phase) * 0.5
    return _wide(xp, share) * _h(xp, _regular_inverse(xp, x, out))


def _slogdet_jvp(xp: Any, t: Any, x: Any, out: Any) -> Any:
    ndim = len(x.shape)
    inverse = _regular_inverse(xp, x, out)
    trace = xp.sum(_t(xp, inverse) * t, (ndim - 2, ndim - 1), False)
    turned = _pick(xp, out, 0) * (trace - xp.conj(trace)) * 0.5
    return xp.stack([turned, (trace + xp.conj(trace)) * 0.5], ndim - 2)


vjp(slogdet_, _slogdet_vjp)
jvp(slogdet_, _slogdet_jvp)
batched(slogdet_, "further")


# --- eigenvalues -----------------------------------------------------------------------------------------


@primitive("linalg", dtypes="wide_float")
def eigh_(x: Array) -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending, as the first column, and beside them the eigenvectors."""


def eigen_parts(xp: Any, packed: Any) -> Parts:
    """The values and the vectors out of what ``eigh_`` and ``eig_`` give."""
    return _pick(xp, packed, 0), _pick(xp, packed, _steps(1, packed.shape[-1]))


@conjugate_form
def _eigh_vjp(xp: Any, g: Any, out: Any) -> Any:
    w, v = eigen_parts(xp, out)
    gw, gv = eigen_parts(xp, g)
    slopes = (gw + xp.conj(gw)) * 0.5
    inner = _turning(xp, w, slopes, xp.matmul(_h(xp, v), gv)) + _diagonal_matrix(xp, slopes)
    found = xp.matmul(v, xp.matmul(inner, _h(xp, v)))
    return (found + _h(xp, found)) * 0.5


def _eigh_jvp(xp: Any, t: Any, out: Any) -> Any:
    w, v = eigen_parts(xp, out)
    inner = xp.matmul(_h(xp, v), xp.matmul((t + _h(xp, t)) * 0.5, v))
    turned = xp.matmul(v, _divided(xp, w, inner, inner)[0])
    return _packed(xp, _column(xp, _diagonal(xp, inner)), turned)


vjp(eigh_, _eigh_vjp)
jvp(eigh_, _eigh_jvp)
batched(eigh_, "further")


@primitive("linalg", dtypes="wide_float", result="real")
def eigvalsh_(x: Array) -> Tensor:
    """The eigenvalues of Hermitian matrices, ascending. The derivative is finite where they repeat."""


@conjugate_form
def _eigvalsh_vjp(xp: Any, g: Any, x: Any) -> Any:
    _, v = eigen_parts(xp, xp.eigh(x))
    return xp.matmul(v * _row(xp, g), _h(xp, v))


def _eigvalsh_jvp(xp: Any, t: Any, x: Any) -> Any:
    _, v = eigen_parts(xp, xp.eigh(x))
    return xp.real(_diagonal(xp, xp.matmul(_h(xp, v), xp.matmul((t + _h(xp, t)) * 0.5, v))))


vjp(eigvalsh_, _eigvalsh_vjp)
jvp(eigvalsh_, _eigvalsh_jvp)
batched(eigvalsh_, "further")


@primitive("linalg", dtypes="wide_float", result="complex")
def eig_(x: Array) -> Tensor:
    """The complex eigenvalues as the first column, and beside them the eigenvectors, of norm 1."""


def _as_input(xp: Any, found: Any, x_dtype: Any) -> Any:
    return found if x_dtype.kind == "c" else xp.real(found)


@conjugate_form
def _eig_vjp(xp: Any, g: Any, out: Any, x_dtype: Any) -> Any:
    w, v = eigen_parts(xp, out)
    gw, gv = eigen_parts(xp, g)
    product = xp.matmul(_h(xp, v), gv)
    # The vectors keep their norm.
    along = _diagonal(xp, product)
    product = product - xp.matmul(_h(xp, v), v) * _row(xp, (along + xp.conj(along)) * 0.5)
    inner = _divided(xp, xp.conj(w), product, product)[0] + _diagonal_matrix(xp, gw)
    return _as_input(xp, xp.matmul(_h(xp, xp.inv(v)), xp.matmul(inner, _h(xp, v))), x_dtype)


def _eig_jvp(xp: Any, t: Any, out: Any) -> Any:
    w, v = eigen_parts(xp, out)
    inner = xp.matmul(xp.inv(v), xp.matmul(t, v))
    turned = xp.matmul(v, _divided(xp, w, inner, inner)[0])
    along = _diagonal(xp, xp.matmul(_h(xp, v), turned))
    turned = turned - v * _row(xp, (along + xp.conj(along)) * 0.5)
    return _packed(xp, _column(xp, _diagonal(xp, inner)), turned)


vjp(eig_, _eig_vjp)
jvp(eig_, _eig_jvp)
batched(eig_, "further")


@primitive("linalg", dtypes="wide_float", result="complex")
def eigvals_(x: Array) -> Tensor:
    """The complex eigenvalues."""


@conjugate_form
def _eigvals_vjp(xp: Any, g: Any, x: Any, x_dtype: Any) -> Any:
    _, v = eigen_parts(xp, xp.eig(x))
    return _as_input(xp, xp.matmul(_h(xp, xp.inv(v)), _column(xp, g) * _h(xp, v)), x_dtype)


def _eigvals_jvp(xp: Any, t: Any, x: Any) -> Any:
    _, v = eigen_parts(xp, xp.eig(x))
    return _diagonal(xp, xp.matmul(xp.inv(v), xp.matmul(t, v)))


vjp(eigvals_, _eigvals_vjp)
jvp(eigvals_, _eigvals_jvp)
batched(eigvals_, "further")


# --- singular values and triangles --------------------------------------------------------------------------


@primitive("linalg", dtypes="wide_float")
def svd_(x: Array, full: bool) -> Tensor:
    """U, the singular values, descending, and V^H, each flattened, one after the other along one last axis.

    For matrices of m rows and n columns U is m times k and V^H k times n, where k is the smaller of m and n, or,
    if ``full``, m times m and n times n.
    """


def svd_parts(xp: Any, packed: Any, shape: Shape, full: bool) -> Parts:
    """U, the singular values and V^H out of what ``svd_`` gives for matrices of ``shape``."""
    *batch, m, n = shape
    k = min(m, n)
    left, right = (m, n) if full else (k, k)
    end = m * left + k
    return (
        xp.reshape(_pick(xp, packed, _steps(0, m * left)), (*batch, m, left)),
        _pick(xp, packed, _steps(m * left, end)),
        xp.reshape(_pick(xp, packed, _steps(end, end + right * n)), (*batch, right, n)),
    )


def _split(xp: Any, u: Any, k: int) -> Parts:
    return _pick(xp, u, _steps(0, k)), _pick(xp, u, _steps(k, u.shape[-1]))


def _complement(xp: Any, u: Any, gu: Any, k: int) -> Any:
    """What the first k columns' cotangent asks of the directions orthogonal to all of them.

    Further columns, orthogonal to the first, move only as the first make them.
    """
    first, rest = _split(xp, u, k)
    g_first, g_rest = _split(xp, gu, k)
    if rest.shape[-1] == 0:
        return g_first - xp.matmul(first, xp.matmul(_h(xp, first), g_first))
    inner = xp.matmul(_h(xp, rest), g_first) - xp.matmul(_h(xp, g_rest), first)
    return xp.matmul(rest, inner)


@conjugate_form
def _svd_vjp(xp: Any, g: Any, out: Any, full: bool, x_shape: Shape) -> Any:
    m, n = x_shape[-2:]
    k = min(m, n)
    u, s, vh = svd_parts(xp, out, x_shape, full)
    gu, gs, gvh = svd_parts(xp, g, x_shape, full)
    v, gv = _h(xp, vh), _h(xp, gvh)
    u1, v1 = _split(xp, u, k)[0], _split(xp, v, k)[0]
    of_u = xp.matmul(_h(xp, u1), _split(xp, gu, k)[0])
    of_v = xp.matmul(_h(xp, v1), _split(xp, gv, k)[0])
    slopes = (gs + xp.conj(gs)) * 0.5
    # Both sides turned alike, and against each other: of the usual 1 / (s_j^2 - s_i^2) one factor each.
    against = of_u - of_v
    against = _over(xp, (against - _h(xp, against)) * 0.5, _row(xp, s) + _column(xp, s))
    inner = _turning(xp, s, slopes, of_u + of_v) + against + _diagonal_matrix(xp, slopes)
    found = xp.matmul(u1, xp.matmul(inner, _h(xp, v1)))
    if m == n:
        return found
    # As in _turning: of a value 0 the slope alone does not tell where the vectors go.
    asked = xp.logical_or(xp.any(gu != 0, _last_two(gu), True), xp.any(gv != 0, _last_two(gv), True))
    divisors = _row(xp, s)
    vanished = xp.logical_and(xp.logical_and(divisors == 0, _row(xp, slopes) != 0), asked)
    divisors = xp.where(vanished, float("nan"), divisors)
    if m > k:
        found = found + xp.matmul(_over(xp, _complement(xp, u, gu, k), divisors), _h(xp, v1))
    if n > k:
        found = found + xp.matmul(u1, _h(xp, _over(xp, _complement(xp, v, gv, k), divisors)))
    return found


def _moved(xp: Any, u: Any, k: int, inner: Any, step: Any) -> Any:
    """The tangent of orthonormal columns: the first k turn among themselves by ``inner`` and move by what of
    ``step`` is orthogonal to them; the others as that makes them."""
    first, rest = _split(xp, u, k)
    away = step - xp.matmul(first, xp.matmul(_h(xp, first), step))
    moved = xp.matmul(first, inner) + away
    if rest.shape[-1] == 0:
        return moved
    return _packed(xp, moved, -xp.matmul(first, xp.matmul(_h(xp, step), rest)))


def _svd_jvp(xp: Any, t: Any, out: Any, full: bool, x_shape: Shape) -> Any:
    k = min(x_shape[-2:])
    u, s, vh = svd_parts(xp, out, x_shape, full)
    v = _h(xp, vh)
    u1, v1 = _split(xp, u, k)[0], _split(xp, v, k)[0]
    inner = xp.matmul(_h(xp, u1), xp.matmul(t, v1))
    along = _diagonal(xp, inner)
    alike = _divided(xp, s, inner, (inner + _h(xp, inner)) * 0.5)[0]
    against = _over(xp, (inner - _h(xp, inner)) * 0.5, _row(xp, s) + _column(xp, s))
    m, n = x_shape[-2:]
    step_u = _over(xp, xp.matmul(t, v1), _row(xp, s)) if m > k else u1 * 0
    step_v = _over(xp, xp.matmul(_h(xp, t), u1), _row(xp, s)) if n > k else v1 * 0
    tu, tv = _moved(xp, u, k, alike + against, step_u), _moved(xp, v, k, alike - against, step_v)
    return _packed(xp, _flat(xp, tu), (along + xp.conj(along)) * 0.5, _flat(xp, _h(xp, tv)))


vjp(svd_, _svd_vjp)
jvp(svd_, _svd_jvp)
batched(svd_, "further")


@primitive("linalg", dtypes="wide_float", result="real")
def svdvals_(x: Array) -> Tensor:
    """The singular values, descending. The derivative is finite where they repeat or vanish."""


@conjugate_form
def _svdvals_vjp(xp: Any, g: Any, x: Any, x_shape: Shape) -> Any:
    u, _, vh = svd_parts(xp, xp.svd(x, False), x_shape, False)
    return xp.matmul(u * _row(xp, g), vh)


def _svdvals_jvp(xp: Any, t: Any, x: Any, x_shape: Shape) -> Any:
    u, _, vh = svd_parts(xp, xp.svd(x, False), x_shape, False)
    return xp.real(_diagonal(xp, xp.matmul(_h(xp, u), xp.matmul(t, _h(xp, vh)))))


vjp(svdvals_, _svdvals_vjp)
jvp(svdvals_, _svdvals_jvp)
batched(svdvals_, "further")


@primitive("linalg", dtypes="wide_float")
def qr_(x: Array, complete: bool) -> Tensor:
    """Q and R of x = Q @ R, each flattened, one after the other along one last axis.

    x has m rows and no more columns than that, n. Q is m times n, or m times m if ``complete``; R is n times n,
    upper triangular and real on its diagonal. The derivative needs x to have full rank.
    """


def qr_parts(xp: Any, packed: Any, shape: Shape, complete: bool) -> Parts:
    """Q and R out of what ``qr_`` gives for matrices of ``shape``."""
    *batch, m, n = shape
    width = m if complete else n
    return (
        xp.reshape(_pick(xp, packed, _steps(0, m * width)), (*batch, m, width)),
        xp.reshape(_pick(xp, packed, _steps(m * width, m * width + n * n)), (*batch, n, n)),
    )


@conjugate_form
def _qr_vjp(xp: Any, g: Any, out: Any, complete: bool, x_shape: Shape) -> Any:
    # Walter and Lehmann (2010), for a Q of orthonormal columns.
    n = x_shape[-1]
    q, r = qr_parts(xp, out, x_shape, complete)
    gq, gr = qr_parts(xp, g, x_shape, complete)
    q1, q2 = _split(xp, q, n)
    gq1, gq2 = _split(xp, gq, n)
    product = xp.matmul(r, _h(xp, gr)) - xp.matmul(_h(xp, gq1), q1)
    below, along = _below(xp, product), _diagonal(xp, product)
    mirrored = below + _h(xp, below) + _diagonal_matrix(xp, (along + xp.conj(along)) * 0.5)
    total = gq1 + xp.matmul(q1, mirrored)
    if q2.shape[-1]:
        total = total - xp.matmul(q2, xp.matmul(_h(xp, gq2), q1))
    return _h(xp, xp.solve(r, _h(xp, total)))


def _qr_jvp(xp: Any, t: Any, out: Any, complete: bool, x_shape: Shape) -> Any:
    n = x_shape[-1]
    q, r = qr_parts(xp, out, x_shape, complete)
    q1 = _split(xp, q, n)[0]
    step = _t(xp, xp.solve(_t(xp, r), _t(xp, t)))
    inner = xp.matmul(_h(xp, q1), step)
    below, along = _below(xp, inner), _diagonal(xp, inner)
    turned = below - _h(xp, below) + _diagonal_matrix(xp, (along - xp.conj(along)) * 0.5)
    tq = _moved(xp, q, n, turned, step)
    return _packed(xp, _flat(xp, tq), _flat(xp, xp.matmul(inner - turned, r)))


vjp(qr_, _qr_vjp)
jvp(qr_, _qr_jvp)
batched(qr_, "further")


@primitive("linalg", dtypes="wide_float", promoted=("x",))
def pinv_(x: Array, rtol: Array) -> Tensor:
    """The pseudo-inverses, without singular values up to ``rtol`` (one number for each matrix) times the largest.

    The derivative is that of the value: of those cut off, their vectors still turn those kept. Where values that are
    cut off are 0 it is that along matrices of the same rank.
    """


def _cut(xp: Any, s: Any, rtol: Any) -> Any:
    """Which singular values are left out."""
    sizes = xp.abs(s)
    top = xp.max(sizes, (len(s.shape) - 1,), True)
    return xp.less_equal(sizes, xp.multiply(top, _column(xp, rtol)))


def _pinv(xp: Any, x: Any, rtol: Any) -> Any:
    u, s, vh = svd_parts(xp, xp.svd(x, False), tuple(x.shape), False)
    small = _cut(xp, s, rtol)
    inverse = xp.where(small, 0.0, xp.divide(1.0, xp.where(small, 1.0, s)))
    return xp.matmul(_h(xp, vh), xp.multiply(_column(xp, inverse), _h(xp, u)))


def _beside_cut(xp: Any, x: Any, rtol: Any) -> Parts:
    """Singular vectors, and what values that are cut off, s, add for each pair with one that is kept, t.

    The derivative of ``V d(S) U^H`` with d(t) = 1 / t and d(s) = 0 has in the basis of the vectors, for E = U^H dx V,
    ``(conj(E_ji) + s / t * E_ij) / (t^2 - s^2)``; theorem 4.3 has ``conj(E_ji) / t^2``. With q = s / t the rest is
    ``(q^2 * conj(E_ji) + q * E_ij) / (1 - q^2) / t^2``: the two factors are returned, 0 for all other pairs.
    """
    u, s, vh = svd_parts(xp, xp.svd(x, False), tuple(x.shape), False)
    small = _cut(xp, s, rtol)
    mixed = xp.not_equal(_row(xp, small), _column(xp, small))
    first, second = _column(xp, s), _row(xp, s)
    less = xp.abs(first) < xp.abs(second)
    kept = xp.where(mixed, xp.where(less, second, first), 1.0)
    ratio = xp.where(mixed, xp.where(less, first, second), 0.0) / kept
    factor = ratio / ((kept - ratio * kept) * (1 + ratio)) / kept
    return u, _h(xp, vh), factor * ratio, factor


@conjugate_form
def _pinv_vjp(xp: Any, g: Any, x: Any, rtol: Any, out: Any) -> Any:
    # Golub and Pereyra (1973), theorem 4.3.
    ph, gh = _h(xp, out), _h(xp, g)
    left = xp.matmul(gh, xp.matmul(out, ph))
    right = xp.matmul(xp.matmul(ph, out), gh)
    found = left - xp.matmul(x, xp.matmul(out, left)) + right - xp.matmul(xp.matmul(right, out), x)
    u, v, turned, straight = _beside_cut(xp, x, rtol)
    inner = xp.matmul(_h(xp, v), xp.matmul(g, u))
    inner = straight * inner + _h(xp, turned * inner)
    return found - xp.matmul(ph, xp.matmul(g, ph)) + xp.matmul(u, xp.matmul(inner, _h(xp, v)))


def _pinv_jvp(xp: Any, t: Any, x: Any, rtol: Any, out: Any) -> Any:
    ph, th = _h(xp, out), _h(xp, t)
    left = xp.matmul(out, xp.matmul(ph, th))
    right = xp.matmul(th, xp.matmul(ph, out))
    found = left - xp.matmul(xp.matmul(left, x), out) + right - xp.matmul(out, xp.matmul(x, right))
    u, v, turned, straight = _beside_cut(xp, x, rtol)
    inner = xp.matmul(_h(xp, u), xp.matmul(t, v))
    inner = straight * inner + turned * _h(xp, inner)
    return found - xp.matmul(out, xp.matmul(t, out)) + xp.matmul(v, xp.matmul(inner, _h(xp, u)))


vjp(pinv_, _pinv_vjp, lambda xp, g: None)
jvp(pinv_, _pinv_jvp, lambda xp, t: None)
composed(pinv_, _pinv)
batched(pinv_, "further")

DECOMPOSITIONS = (
    "inv", "solve", "cholesky", "det", "slogdet", "eigh", "eigvalsh", "eig", "eigvals", "svd", "svdvals", "qr",
    "cofactors", "cofactors_along", "pinv",
)  # fmt: skip
"""The names of the primitives of this module."""

for _name in DECOMPOSITIONS:
    PRIMITIVES[_name].refusal = functools.partial(refusal, _name)
