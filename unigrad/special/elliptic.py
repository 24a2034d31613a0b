"""Complete elliptic integrals, by their parameter m, which is the square of the modulus."""

from __future__ import annotations

import math

from unigrad.binding.declaring import primitive
from unigrad.operations.elementwise import subtract
from unigrad.operations.reductions import rounded_once
from unigrad.special import values
from unigrad.special.values import Values, counted, in_double, scan, sqrt, within
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["ellipe", "ellipk", "ellipkm1"]


@primitive("elementwise", dtypes="rounded_float")
def elliptic_(p: Array, order: int, second: bool) -> Tensor:
    """The derivative of some order by m, at m = 1 - p, of the complete elliptic integral of the first kind, or of the
    ``second``."""


def _elliptic(p: Values, order: int, second: bool) -> Values:
    """DLMF 19.8.1 and 19.8.6: by the arithmetic-geometric mean. Derivatives by the differential equation of the
    hypergeometric functions that they are (19.5.1, 19.5.2), and, since that divides by m, near m = 0 by their series.
    """
    # Of the second derivative on products overflow, where it has long been 0.
    p_ = within(values.where(p > 0, p, 0.5), 1e-300, 1e300 if order > 1 else values.LARGEST)
    m = 1.0 - p_
    a, b, c, differences = p_ * 0.0 + 1.0, sqrt(p_), p_ * 0.0, m * 0.5
    # With c = (a - b) / 2 of each step the sum of 2 ** (n - 1) c ** 2; the first is m / 2.
    for number in range(14):
        a, b, c = (a + b) * 0.5, sqrt(a * b), (a - b) * 0.5
        differences = differences + c * c * 2.0**number
    first = math.pi / 2 / a
    whole = first * (1.0 - differences)
    found = whole if second else first
    if order:
        near = abs(m) < 0.5
        far = values.where(near, 0.75, m)
        slope = (whole - first if second else whole / p_ - first) * 0.5 / far
        found = values.where(
            near, _series(values.where(near, m, 0.0), order, second), _further(far, found, slope, order, second)
        )
    at_end = math.inf if not second else 1.0 if order == 0 else -math.inf
    found = values.where(p.equals(0.0), at_end, found)
    beyond = math.inf if second and order == 0 else 0.0
    found = values.where(p > values.LARGEST, beyond, found)
    return values.where(p < 0, math.nan, found)


def _parameters(second: bool) -> tuple[float, float]:
    return (-0.5 if second else 0.5), 0.5


def _series(m: Values, order: int, second: bool) -> Values:
    first, other = _parameters(second)
    scale = math.pi / 2
    for number in range(order):
        scale *= (first + number) * (other + number) / (1 + number)
    first, other, third = first + order, other + order, 1.0 + order
    (total,) = scan(
        counted(55 + 8 * order, -1),
        lambda row, rest: (
            rest * m * ((row[0] + first) * (row[0] + other) / ((row[0] + third) * (row[0] + 1.0))) + 1.0,
        ),
        m * 0.0,
    )
    return total * scale


def _further(m: Values, value: Values, slope: Values, order: int, second: bool) -> Values:
    """From the value and the first derivative, DLMF 15.10.1 differentiated."""
    first, other = _parameters(second)
    for number in range(order - 1):
        middle = m * (first + other + 1.0 + 2.0 * number) - (1.0 + number)
        value, slope = slope, (slope * middle + value * ((first + number) * (other + number))) / (m * (1.0 - m))
    return slope


in_double(elliptic_, _elliptic)
vjp(elliptic_, lambda xp, g, p, order, second: -g * xp.elliptic(p, order + 1, second))


@operation
@rounded_once
def ellipk(m: Array, /) -> Tensor:
    """The complete elliptic integral of the first kind, of 1 / sqrt(1 - m sin(t) ** 2) over t from 0 to pi / 2:
    infinite at m = 1, NaN beyond."""
    return elliptic_(subtract(1, m), 0, False)


@operation
def ellipkm1(p: Array, /) -> Tensor:
    """ellipk(1 - p), accurate also where p is small."""
    return elliptic_(p, 0, False)


@operation
@rounded_once
def ellipe(m: Array, /) -> Tensor:
    """The complete elliptic integral of the second kind, of sqrt(1 - m sin(t) ** 2) over t from 0 to pi / 2: 1 at
    m = 1, NaN beyond."""
    return elliptic_(subtract(1, m), 0, True)
