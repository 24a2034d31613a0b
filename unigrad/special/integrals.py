"""Exponential integrals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError
from unigrad.binding.declaring import primitive
from unigrad.special import values
from unigrad.special.values import Values, counted, exp, in_double, log, scan, within
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["exp1", "expi", "expn"]


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
