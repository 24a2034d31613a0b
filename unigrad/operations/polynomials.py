"""Polynomials by their coefficients, the highest power first, as NumPy's older functions have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base.arguments import whole_number
from unigrad.base.dtypes import limits
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.operations.convolving import convolve
from unigrad.operations.creation import asarray, full
from unigrad.operations.elementwise import add, floats, negative, power, sqrt
from unigrad.operations.linalg import inv, lstsq
from unigrad.operations.padding import pad
from unigrad.operations.reductions import floating, rounded_once
from unigrad.operations.reductions import sum as sum_over
from unigrad.operations.shapes import concat, reshape
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = ["polyadd", "polyder", "polyfit", "polyint", "polymul", "polysub", "polyval", "vander"]


def _coefficients(name: str, p: Array) -> Tensor:
    p = asarray(p)
    if p.ndim > 1:
        raise ShapeError(f"{name}: coefficients are a vector, not of shape {p.shape}")
    return reshape(p, -1)


@operation
@rounded_once
def polyval(p: Array, x: Array, /) -> Tensor:
    """The polynomial of coefficients p, the highest power first, at x. Differentiable in both."""
    p, x = tensors((p, x))
    p = _coefficients("polyval", p)
    found: Any = 0 * x
    for place in range(p.size):
        found = found * x + p[place]
    return asarray(found, like=x)


@operation
def vander(x: Array, n: int | None = None, /, increasing: bool = False) -> Tensor:
    """For each element of a vector a row of its powers, ``n`` of them (as many as elements), the highest first."""
    x = asarray(x)
    if x.ndim != 1:
        raise ShapeError(f"vander takes a vector, not shape {x.shape}")
    count = x.size if n is None else whole_number(n, "n")
    if count < 0:
        raise ArgumentError(f"vander needs a number of columns from 0 up, not {count}")
    numbers = np.arange(count) if increasing else np.arange(count)[::-1].copy()
    exponents = asarray(numbers, dtype=x.dtype if x.dtype.kind in "iufV" else None, like=x)
    return power(reshape(x, (-1, 1)), exponents)


def _same_size(name: str, a1: Array, a2: Array) -> tuple[Tensor, Tensor]:
    first, second = (_coefficients(name, a) for a in tensors((a1, a2)))
    size = max(first.size, second.size)
    return pad(first, (size - first.size, 0)), pad(second, (size - second.size, 0))


@operation
def polyadd(a1: Array, a2: Array, /) -> Tensor:
    """The coefficients of the sum of two polynomials."""
    return add(*_same_size("polyadd", a1, a2))


@operation
def polysub(a1: Array, a2: Array, /) -> Tensor:
    """The coefficients of the difference of two polynomials."""
    first, second = _same_size("polysub", a1, a2)
    return add(first, negative(second))


@operation
def polymul(a1: Array, a2: Array, /) -> Tensor:
    """The coefficients of the product of two polynomials."""
    first, second = (_coefficients("polymul", a) for a in tensors((a1, a2)))
    return convolve(first, second)


@operation
def polyder(p: Array, /, m: int = 1) -> Tensor:
    """The coefficients of the derivative of order ``m``; ArgumentError if that is negative."""
    p = _coefficients("polyder", p)
    for _ in range(_order(m)):
        p = p[:-1] * asarray(np.arange(max(p.size - 1, 0), 0, -1), dtype=p.dtype, like=p)
    return p


@operation
def polyint(p: Array, /, m: int = 1, k: Array | None = None) -> Tensor:
    """The coefficients of the ``m``-th integral; its constants are ``k``, one or m of them, else 0."""
    p = floating(_coefficients("polyint", p))
    order = _order(m)
    constants = (
        full((order,), 0, dtype=p.dtype, like=p) if k is None else reshape(asarray(k, dtype=p.dtype, like=p), -1)
    )
    if constants.size not in (1, order):
        raise ShapeError(f"polyint needs one constant or {order}, not {constants.size}")
    for number in range(order):
        divisors = asarray(np.arange(p.size, 0, -1), dtype=p.dtype, like=p)
        place = min(number, constants.size - 1)
        p = concat([p / divisors, constants[place : place + 1]])
    return p


def _order(m: Any) -> int:
    order = whole_number(m, "m")
    if order < 0:
        raise ArgumentError(f"the order of a derivative or integral is from 0 up, not {order}")
    return order


@operation
def polyfit(
    x: Array,
    y: Array,
    deg: int,
    /,
    rcond: float | None = None,
    full: bool = False,
    w: Array | None = None,
    cov: Any = False,
) -> Any:
    """The coefficients of the polynomial of degree ``deg`` that is nearest to y at x, the highest power first.

    x and w have shape (n,), y (n,) or (n, k); the result has shape (deg + 1,) or (deg + 1, k). Least is the sum of
    the squares of ``w * (y - polyval(p, x))``, as NumPy's ``polyfit`` has it. With ``full`` these sums come along, the
    rank and the singular values of the scaled matrix, and ``rcond``: values up to ``rcond`` times the largest count as
    0. With ``cov`` the covariances of the coefficients do, scaled by chi squared per degree of freedom unless it is
    ``"unscaled"``. Differentiable for x, y and w. Raises ArgumentError for degrees below 0, ShapeError for arrays that
    do not fit each other, are empty, or are too few for covariances.
    """
    order = whole_number(deg, "deg") + 1
    if order < 1:
        raise ArgumentError(f"polyfit: deg must be 0 or more, not {deg!r}")
    x, y, *others = floats(x, y) if w is None else floats(x, y, w)
    if x.ndim != 1 or not x.size or y.ndim not in (1, 2) or y.shape[0] != x.size:
        raise ShapeError(f"polyfit needs x of shape (n,) and y of (n,) or (n, k), not {x.shape} and {y.shape}")
    powers, values = vander(x, order), y
    for weights in others:
        if weights.shape != x.shape:
            raise ShapeError(f"polyfit: w of shape {weights.shape} does not fit x of shape {x.shape}")
        powers, values = powers * reshape(weights, (-1, 1)), values * reshape(weights, (-1,) + (1,) * (y.ndim - 1))
    if rcond is None:
        rcond = x.size * float(limits(x.dtype).eps)
    # Columns of one size, so that the largest power does not drown the others.
    size = sqrt(sum_over(powers * powers, axis=0))
    powers = powers / size
    found = lstsq(powers, values, rcond)
    p = found.solution / reshape(size, (-1,) + (1,) * (y.ndim - 1))
    if full:
        return p, found.residuals, found.rank, found.singular_values, rcond
    if not cov:
        return p
    if cov != "unscaled" and x.size <= order:
        raise ShapeError(f"polyfit: covariances need more than {order} points, not {x.size}; or cov='unscaled'")
    spread = inv(powers.T @ powers) / (reshape(size, (-1, 1)) * size)
    scale: Any = 1.0 if cov == "unscaled" else found.residuals / (x.size - order)
    return p, (spread if y.ndim == 1 else reshape(spread, (order, order, 1))) * scale
