"""Exponential integrals, and the dilogarithm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError
from unigrad.binding.declaring import primitive
from unigrad.special import values
from unigrad.special.values import Values, counted, exp, in_double, log, log1p, scan, within
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["exp1", "expi", "expn", "spence"]


@primitive("elementwise", dtypes="rounded_float")
def expn_(x: Array, order: int) -> Tensor:
    """The integral of exp(-x t) / t ** order over t from 1 on."""


def _expn(x: Values, order: int) -> Values:
    """Abramowitz and Stegun, 5.1: the series (5.1.12) up to 1, the continued fraction (5.1.22) from there on, and the
    recurrence (5.1.14) for orders below 1."""
    positive = within(x, 1e-300, 1e4)
    if order <= 0:
        small = exp(-positive)
        found = small / positive
        for number in range(-1, order - 1, -1):
            found = (small - found * float(number)) / positive
    else:
        far = values.where(positive > 1, positive, 1.0)
        (rest,) = scan(
            counted(110, 0),
            lambda row, rest: (row[0] * (order - 1.0 + row[0]) / (far + (order + 2.0 * row[0]) - rest),),
            far * 0.0,
        )
        large = exp(-far) / (far + float(order) - rest)
        near = values.where(positive < 1, positive, 1.0)
        harmonic = sum(1 / number for number in range(1, order)) - np.euler_gamma
        term = near * 0.0 + 1.0
        sums = near * 0.0
        for number in range(22):
            if number == order - 1:
                sums = sums + term * (harmonic - log(near))
            else:
                sums = sums - term * (1.0 / (1 - order + number))
            term = term * near * (-1.0 / (number + 1))
        found = values.where(positive > 1, large, sums)
    found = values.where(x.equals(0.0), 1.0 / (order - 1) if order > 1 else math.inf, found)
    found = values.where((x > values.LARGEST), 0.0, found)
    return values.where(x < 0, math.nan, found)


in_double(expn_, _expn)
vjp(expn_, lambda xp, g, x, order: -g * xp.expn(x, order - 1))


@operation
def expn(n: int, x: Array, /) -> Tensor:
    """The integral of exp(-x t) / t ** n over t from 1 on, for x from 0; n is a Python integer. NaN below 0."""
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
        raise ArgumentError(f"the order n of expn must be an integer from 0 up, the same for all elements, not {n!r}")
    return expn_(x, int(n))


@operation
def exp1(x: Array, /) -> Tensor:
    """The integral of exp(-t) / t from x on: infinite at 0, NaN below, where :func:`expi` has the principal value."""
    return expn_(x, 1)


@primitive("elementwise", dtypes="rounded_float")
def expi_(x: Array, /) -> Tensor:
    """The principal value of the integral of exp(t) / t up to x."""


def _expi(x: Values) -> Values:
    """DLMF 6.6.1 for x from 0 to 40, 6.12.2 beyond."""
    near = within(x, 1e-300, 40.0)
    total = near * 0.0

    def step(row: Any, term: Values, total: Values) -> tuple[Values, Values]:
        term = term * near / row[0]
        return term, total + term / row[0]

    _, total = scan(counted(1, 140), step, total + 1.0, total)
    small = total + (log(near) + np.euler_gamma)
    far = within(x, 40.0, 1e3)
    series = far * 0.0 + 1.0
    for number in range(38, 0, -1):
        series = series * (float(number) / far) + 1.0
    large = exp(far) / far * series
    found = values.where(x > 40, large, small)
    found = values.where(x < 0, -_expn(-x, 1), values.where(x.equals(0.0), -math.inf, found))
    return found


in_double(expi_, _expi)
vjp(expi_, lambda xp, g, x: g * (xp.exp(x) / x))


@operation
def expi(x: Array, /) -> Tensor:
    """The principal value of the integral of exp(t) / t from minus infinity to x: minus infinity at 0."""
    return expi_(x)


# --- the dilogarithm ------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def spence_(z: Array, /) -> Tensor:
    """The integral of log(t) / (1 - t) from 1 to z."""


# B(n) / (n + 1)! of the even numbers n from 2 on.
_DEBYE = [
    number / math.factorial(2 * position + 3)
    for position, number in enumerate((
        1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330
    ))
]  # fmt: skip


def _spence(z: Values) -> Values:
    """From 1/2 to 2 by powers of log(z) (the integral of the generating function of Bernoulli's numbers, DLMF 24.2.1,
    since the integrand by -log(t) is that); DLMF 25.12.6 below and 25.12.4 above."""
    large = z > 2
    z_ = within(z, 1e-300, values.LARGEST)
    y = values.where(large, 1.0 / within(z_, 1e-300, 1e300), z_)  # no subnormal number, which some make 0
    small = y < 0.5
    u = -values.where(small, log1p(-values.where(small, y, 0.0)), log(y))
    found = u - u * u * (0.25 - u * values.polynomial(u * u, _DEBYE))
    found = values.where(small, math.pi**2 / 6 + log(y) * u - found, found)
    found = values.where(large, -found - log(z_) * log(z_) * 0.5, found) + 0.0
    found = values.where(z.equals(0.0), math.pi**2 / 6, values.where(z > values.LARGEST, -math.inf, found))
    return values.where(z < 0, math.nan, found)


def _spence_slope(xp: Any, z: Any) -> Any:
    """log(z) / (1 - z), which near 1 is a quotient of two small numbers."""
    small = z < 0.5
    near, rest = xp.where(small, 0.5, z), xp.where(small, z, 0.5)
    return xp.where(small, xp.log(rest) / (1 - rest), -xp.log1prel(near - 1, 0))


in_double(spence_, _spence)
vjp(spence_, lambda xp, g, z: g * _spence_slope(xp, z))


@operation
def spence(z: Array, /) -> Tensor:
    """Spence's function, the integral of log(t) / (1 - t) from 1 to z, which is the dilogarithm of 1 - z: NaN below
    0."""
    return spence_(z)
