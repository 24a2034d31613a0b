"""Bessel functions. Derivatives for the argument, to any order, by the recurrences between orders (DLMF 10.6, 10.29);
for an order they are NaN, since they are no functions that are here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError
from unigrad.binding.declaring import primitive
from unigrad.special import values
from unigrad.special.values import (
    Number,
    Values,
    cos,
    counted,
    exp,
    gammaln,
    in_double,
    log,
    quadrature,
    scan,
    sin,
    sqrt,
    within,
)
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = [
    "i0", "i0e", "i1", "i1e", "iv", "ive", "j0", "j1", "jn", "jv", "k0", "k0e", "k1", "k1e", "kn", "kv", "kve", "y0",
    "y1", "yn",
]  # fmt: skip

_FAR = 25.0
"""From where on the expansions for large arguments hold, or from the order on."""


def _order(name: str, n: Any) -> int:
    if isinstance(n, float) and n == int(n):
        n = int(n)
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)):
        raise ArgumentError(f"the order of {name} must be a whole number, the same for all elements, not {n!r}")
    return int(n)


# --- of the first and the second kind, of whole orders ----------------------------------------------------


def _hankel(x: Values, order: int) -> tuple[Values, Values]:
    """The two series of the expansions for large x, DLMF 10.17.1."""
    inverse = 1.0 / x
    first, second = x * 0.0 + 1.0, x * 0.0
    rows = []
    for number in range(1, 24):
        factor = (4.0 * order * order - (2 * number - 1) ** 2) / (8.0 * number)
        sign = (1.0, 1.0, -1.0, -1.0)[number % 4]
        rows.append((factor, sign * (number % 2 == 0), sign * (number % 2)))

    def step(row: Any, term: Values, first: Values, second: Values) -> tuple[Values, Values, Values]:
        term = term * inverse * row[0]
        return term, first + term * row[1], second + term * row[2]

    _, first, second = scan(rows, step, first, first, second)
    return first, second


def _near(x: Values, order: int) -> tuple[Values, Values, Values, Values, Values]:
    """J of orders 0, 1 and ``order``, and what Y0 and Y1 need, by Miller's algorithm (DLMF 3.6.v): the recurrence
    from high orders downwards, and the sum of those of even orders, DLMF 10.12.4 for angle 0."""
    start = 2 * (max(order, int(_FAR)) // 2) + 44
    zero = x * 0.0
    one = zero + 1e-290
    even, y_0, y_1, wanted = zero, zero, zero, zero
    rows = []
    for number in range(start, 0, -1):
        half = number // 2
        sign = 1.0 if half % 2 == 0 else -1.0
        is_even = number % 2 == 0
        rows.append((
            2.0 * number,
            2.0 if is_even else 0.0,
            sign / half if is_even else 0.0,
            sign * number / (half * (half + 1.0)) if not is_even and half else 0.0,
            1.0 if number == order else 0.0,
        ))  # fmt: skip

    def step(row: Any, above: Values, here: Values, *sums: Values) -> tuple[Values, ...]:
        below = here * (row[0] / x) - above
        found = [total + here * weight for total, weight in zip(sums, row[1:], strict=True)]
        small = values.where(abs(below) > 1e200, 1e-200, one * 0.0 + 1.0)
        return tuple([value * small for value in (here, below, *found)])

    above, here, even, y_0, y_1, wanted = scan(rows, step, zero, one, even, y_0, y_1, wanted)
    size = even + here
    wanted = here if order == 0 else wanted
    return here / size, above / size, wanted / size, y_0 / size, y_1 / size


def _series(x: Values, order: int) -> Values:
    """J by its ascending series, DLMF 10.2.2, for small x."""
    half = x * 0.5
    square = -half * half
    found = half * 0.0 + 1.0
    for number in range(14, 0, -1):
        found = found * square * (1 / (number * (number + order))) + 1.0
    power = half * 0.0 + 1.0
    for number in range(1, order + 1):
        power = power * half * (1 / number)
    return power * found


@primitive("elementwise", dtypes="rounded_float")
def bessel_j_(x: Array, order: int) -> Tensor:
    """The Bessel function of the first kind, of an order from 0 up."""


@primitive("elementwise", dtypes="rounded_float")
def bessel_y_(x: Array, order: int) -> Tensor:
    """The Bessel function of the second kind, of an order from 0 up."""


def _far_pair(x: Values, order: int) -> tuple[Values, Values]:
    """J and Y of order 0 or 1 for large x, DLMF 10.17.3, the angle's sine and cosine by those of x."""
    p, q = _hankel(x, order)
    s, c = sin(x), cos(x)
    first, second = (c + s, s - c) if order == 0 else (s - c, -(s + c))
    scale = 1.0 / sqrt(x * math.pi)
    return (first * p - second * q) * scale, (second * p + first * q) * scale


def _bessel_j(x: Values, order: int) -> Values:
    size = abs(x)
    limit = max(_FAR, float(order))
    near = values.where(size < limit, size, limit)
    _, _, found, _, _ = _near(values.where(near > 0.5, near, 0.5), order)
    small = _series(values.where(near < 1, near, 1.0), order)
    far = within(size, limit, 1e300)
    before, value = _far_pair(far, 0)[0], _far_pair(far, 1)[0]
    if order == 0:
        value = before
    for number in range(1, order):
        before, value = value, value * (2.0 * number / far) - before
    found = values.where(size < 1, small, values.where(size < limit, found, value))
    found = values.where((size > values.LARGEST), 0.0, found)
    return values.where(x < 0, -found, found) if order % 2 else found


def _bessel_y(x: Values, order: int) -> Values:
    """Near 0 by Neumann's series, DLMF 10.8.3 (Abramowitz and Stegun 9.1.88 and 89), upwards by the recurrence."""
    near = within(x, 1e-8, _FAR)
    j_0, j_1, _, sum_0, sum_1 = _near(near, 1)
    logarithm = (log(within(x, 1e-307, _FAR) * 0.5) + np.euler_gamma) * (2 / math.pi)
    first = logarithm * j_0 - sum_0 * (4 / math.pi)
    near = within(x, 1e-307, _FAR)
    second = (logarithm - 2 / math.pi) * j_1 - sum_1 * (2 / math.pi) - j_0 * (2 / math.pi) / near
    far = within(x, _FAR, 1e300)
    first = values.where(x < _FAR, first, _far_pair(far, 0)[1])
    second = values.where(x < _FAR, second, _far_pair(far, 1)[1])
    before, value = first, first if order == 0 else second
    positive = within(x, 1e-307, 1e300)
    for number in range(1, order):
        before, value = value, value * (2.0 * number / positive) - before
        value = values.where(abs(value) <= values.LARGEST, value, -math.inf)
    value = values.where((x > values.LARGEST), 0.0, values.where(x.equals(0.0), -math.inf, value))
    return values.where(x < 0, math.nan, value)


in_double(bessel_j_, _bessel_j)
in_double(bessel_y_, _bessel_y)


def _around(name: str) -> Any:
    """Half the difference of both neighbours in order."""

    def rule(xp: Any, g: Any, x: Any, order: int) -> Any:
        function = getattr(xp, name)
        if order == 0:
            return -g * function(x, 1)
        lower = function(x, order - 1)
        if name == "bessel_y":  # where both are -inf, the other one is the larger by far
            lower = xp.where(xp.isinf(lower), 0.0, lower)
        return g * ((lower - function(x, order + 1)) * 0.5)

    return rule


vjp(bessel_j_, _around("bessel_j"))
vjp(bessel_y_, _around("bessel_y"))


@operation
def jn(n: int, x: Array, /) -> Tensor:
    """The Bessel function of the first kind, of a whole order n: a Python number, negative ones included."""
    n = _order("jn", n)
    found = bessel_j_(x, abs(n))
    return -found if n < 0 and n % 2 else found


@operation
def yn(n: int, x: Array, /) -> Tensor:
    """The Bessel function of the second kind, of a whole order n, a Python number: minus infinity at 0, NaN below."""
    n = _order("yn", n)
    found = bessel_y_(x, abs(n))
    return -found if n < 0 and n % 2 else found


jv = jn


@operation
def j0(x: Array, /) -> Tensor:
    """The Bessel function of the first kind of order 0."""
    return bessel_j_(x, 0)


@operation
def j1(x: Array, /) -> Tensor:
    """The Bessel function of the first kind of order 1."""
    return bessel_j_(x, 1)


@operation
def y0(x: Array, /) -> Tensor:
    """The Bessel function of the second kind of order 0: minus infinity at 0, NaN below."""
    return bessel_y_(x, 0)


@operation
def y1(x: Array, /) -> Tensor:
    """The Bessel function of the second kind of order 1: minus infinity at 0, NaN below."""
    return bessel_y_(x, 1)


# --- modified, of whole orders ----------------------------------------------------------------------------


def _modified(order: Number, x: Values, limit: Number, terms: int) -> Values:
    """exp(-x) I(x) for x > 0: the series of DLMF 10.25.2, all of whose terms are positive, and from ``limit`` on the
    expansion of 10.40.1."""
    near = values.where(x < limit, x, limit)
    near = values.where(near > 0, near, 1e-300)
    quarter = near * near * 0.25
    zero = x * 0.0
    _, total = scan(
        counted(1, terms),
        lambda row, term, total: (
            term * quarter / ((order + row[0]) * row[0]),
            total + term * quarter / ((order + row[0]) * row[0]),
        ),
        zero + 1.0,
        zero + 1.0,
    )
    if isinstance(order, Values):
        leading = exp(order * log(near * 0.5) - gammaln(order + 1.0) - near)
    else:
        leading = exp(-near)
        for number in range(1, int(order) + 1):
            leading = leading * (near * 0.5 / float(number))
    far = values.where(x > limit, x, limit)
    fourfold = order * order * 4.0
    inverse = 1.0 / far

    def step(row: Any, term: Values, total: Values) -> tuple[Values, Values]:
        following = term * inverse * ((fourfold - row[0]) * row[1])
        # The expansion does not converge: its terms count as long as they fall.
        term = values.where(abs(following) < abs(term) * row[2], following, 0.0)
        return term, total + term

    rows = [(float((2 * n - 1) ** 2), -1 / (8.0 * n), 1.0 if n > 6 else 1e30) for n in range(1, 40)]
    _, total_far = scan(rows, step, zero + 1.0, zero + 1.0)
    large = total_far / sqrt(far * (2 * math.pi))
    return values.where(x > limit, large, leading * total)


@primitive("elementwise", dtypes="rounded_float")
def bessel_i_(x: Array, order: int) -> Tensor:
    """The modified Bessel function of the first kind, of an order from 0 up."""


@primitive("elementwise", dtypes="rounded_float")
def bessel_ie_(x: Array, order: int) -> Tensor:
    """The same times exp(-abs(x))."""


def _bessel_ie(x: Values, order: int) -> Values:
    # At infinity a zero, with the sign of what is beside it.
    return values.where(abs(x).equals(math.inf), 1.0 / (x if order % 2 else abs(x)), _of_size(x, order))


def _of_size(x: Values, order: int) -> Values:
    """The same, but at infinity what it is far out."""
    limit = min(max(30.0, order * order / 3), 350.0)
    size = values.where(abs(x) > 1e300, 1e300, abs(x))
    found = _modified(float(order), size, size * 0.0 + limit, int(50 + limit * 0.7))
    found = values.where(x.equals(0.0), 1.0 if order == 0 else 0.0, found)
    return values.where(x < 0, -found, found) if order % 2 else found


def _bessel_i(x: Values, order: int) -> Values:
    found = _of_size(x, order)
    size = values.where(abs(x) < 1e4, abs(x), 1e4)
    root = exp(size * 0.5)
    return found * root * root


in_double(bessel_i_, _bessel_i)
in_double(bessel_ie_, _bessel_ie)


def _mean(xp: Any, x: Any, order: int, name: str) -> Any:
    function = getattr(xp, name)
    return function(x, 1) if order == 0 else (function(x, order - 1) + function(x, order + 1)) * 0.5


vjp(bessel_i_, lambda xp, g, x, order: g * _mean(xp, x, order, "bessel_i"))
vjp(bessel_ie_, lambda xp, g, x, out, order: g * (_mean(xp, x, order, "bessel_ie") - xp.sign(x) * out))


@operation
def i0(x: Array, /) -> Tensor:
    """The modified Bessel function of the first kind of order 0."""
    return bessel_i_(x, 0)


@operation
def i1(x: Array, /) -> Tensor:
    """The modified Bessel function of the first kind of order 1."""
    return bessel_i_(x, 1)


@operation
def i0e(x: Array, /) -> Tensor:
    """exp(-abs(x)) * i0(x)."""
    return bessel_ie_(x, 0)


@operation
def i1e(x: Array, /) -> Tensor:
    """exp(-abs(x)) * i1(x)."""
    return bessel_ie_(x, 1)


# --- modified, of real orders -----------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def modified_(v: Array, x: Array, scaled: bool) -> Tensor:
    """The modified Bessel function of the first kind; ``scaled``: times exp(-x). NaN where v or x is negative."""


def _modified_of(v: Values, x: Values, scaled: bool) -> Values:
    order = within(v, 0.0, 60.0)
    size = within(x, 0.0, 1e300)
    limit = within(order * order * (1 / 3), 30.0, 350.0)
    found = _modified(order, size, limit, 280)
    found = values.where(x.equals(0.0), values.where(v.equals(0.0), 1.0, x * 0.0), found)
    if scaled:
        found = values.where(x.equals(math.inf), 0.0, found)
    else:
        root = exp(values.where(size < 1e4, size, 1e4) * 0.5)
        found = found * root * root
    return values.where((x >= 0) & (v >= 0) & (v <= 60), found, math.nan)


in_double(modified_, _modified_of)
vjp(
    modified_,
    lambda xp, g: g * math.nan,
    lambda xp, g, v, x, out, scaled: g * (_modified_slope(xp, v, x, out, scaled) - (out if scaled else 0.0)),
)


def _modified_slope(xp: Any, v: Any, x: Any, out: Any, scaled: bool) -> Any:
    """From order 1 on by both neighbours, below by the upper one (DLMF 10.29.1 and 10.29.2), with the limits at 0."""
    upper, large, zero = xp.modified(v + 1, x, scaled), v >= 1, x == 0
    lower = xp.modified(xp.where(large, v - 1, 0.0), x, scaled)
    ratio = v / xp.where(zero, 1.0, x) * out
    small = upper + xp.where(zero, xp.where(v > 0, math.inf, v), ratio)
    return xp.where(large, (lower + upper) * 0.5, small)


@operation
def iv(v: Array, x: Array, /) -> Tensor:
    """The modified Bessel function of the first kind of real order v from 0 to 60, for x from 0 on; NaN elsewhere.

    The derivative for v is NaN. Of a Python integer v from 0 up x may be negative, and the order beyond 60.
    """
    return bessel_i_(x, v) if _whole(v) else modified_(v, x, False)


@operation
def ive(v: Array, x: Array, /) -> Tensor:
    """exp(-abs(x)) * iv(v, x), which does not overflow."""
    return bessel_ie_(x, v) if _whole(v) else modified_(v, x, True)


def _whole(v: Any) -> bool:
    return isinstance(v, int) and not isinstance(v, bool) and v >= 0


@primitive("elementwise", dtypes="rounded_float")
def macdonald_(v: Array, x: Array, scaled: bool) -> Tensor:
    """The modified Bessel function of the second kind; ``scaled``: times exp(x)."""


def _macdonald(v: Values, x: Values, scaled: bool) -> Values:
    """The trapezoidal rule for the integral of DLMF 10.32.9, which falls as a double exponential."""
    v, size = abs(v), within(x, 1e-17, 1e300)
    # The integrand's logarithm, v t - 2 x sinh(t / 2) ** 2, is below -40 from ``reach`` on.
    reach = log(((v + 3.0) * 60.0) / size + 2.0)
    reach = values.where(size > 1, reach, reach + 1.0)
    reach = values.where(size > 100, sqrt((v + 90.0) / size) * 1.05, reach)
    width = reach * (1 / 240)

    def integrand(point: Values, v: Values, size: Values, width: Values) -> Values:
        t = width * point
        half = exp(t * 0.5)
        squares = t * t
        series = ((squares * (1 / 168) + 1.0) * squares * (1 / 80) + 1.0) * squares * (1 / 24) + 1.0
        sinh = values.where(t < 0.1, t * 0.5 * series, (half - 1.0 / half) * 0.5)
        grown = size * sinh * sinh * -2.0
        return exp(grown + v * t) + exp(grown - v * t)

    rows = [(0.0, 0.25)] + [(float(number), 0.5) for number in range(1, 241)]
    total = quadrature(rows, integrand, v, size, width)
    found = total * width
    if scaled:
        found = values.where(x.equals(math.inf), 0.0, found)
    else:
        root = exp(size * -0.5)
        found = found * root * root
    tiny = values.where(x > 0, x, 1e-17)
    tiny = values.where(tiny < 1e-17, tiny, 1e-17)
    order = values.where(v > 0, v, 1.0)
    power = exp(gammaln(order) + order * log(2.0 / tiny)) * 0.5
    leading = values.where(v.equals(0.0), -log(tiny * 0.5) - np.euler_gamma, power)
    found = values.where(x < 1e-17, leading, found)
    found = values.where(x.equals(0.0), math.inf, values.where((x > values.LARGEST), 0.0, found))
    return values.where(x < 0, math.nan, found)


in_double(macdonald_, _macdonald)
vjp(
    macdonald_,
    lambda xp, g: g * math.nan,
    lambda xp, g, v, x, out, scaled: -g * _macdonald_slope(xp, v, x, out, scaled),
)


def _macdonald_slope(xp: Any, v: Any, x: Any, out: Any, scaled: bool) -> Any:
    """How fast it falls: the mean of both neighbours (DLMF 10.29.1), which is infinite at 0 and cancels nowhere."""
    mean = (xp.macdonald(v - 1, x, scaled) + xp.macdonald(v + 1, x, scaled)) * 0.5
    return mean - xp.where(xp.isinf(out), 0.0, out) if scaled else mean


@operation
def kv(v: Array, x: Array, /) -> Tensor:
    """The modified Bessel function of the second kind of real order v: infinite at 0, NaN below. Its derivative for v
    is NaN."""
    return macdonald_(v, x, False)


@operation
def kve(v: Array, x: Array, /) -> Tensor:
    """exp(x) * kv(v, x), which does not underflow."""
    return macdonald_(v, x, True)


@operation
def kn(n: int, x: Array, /) -> Tensor:
    """The modified Bessel function of the second kind of a whole order n, a Python number."""
    return macdonald_(float(_order("kn", n)), x, False)


@operation
def k0(x: Array, /) -> Tensor:
    """The modified Bessel function of the second kind of order 0: infinite at 0, NaN below."""
    return macdonald_(0.0, x, False)


@operation
def k1(x: Array, /) -> Tensor:
    """The modified Bessel function of the second kind of order 1: infinite at 0, NaN below."""
    return macdonald_(1.0, x, False)


@operation
def k0e(x: Array, /) -> Tensor:
    """exp(x) * k0(x)."""
    return macdonald_(0.0, x, True)


@operation
def k1e(x: Array, /) -> Tensor:
    """exp(x) * k1(x)."""
    return macdonald_(1.0, x, True)
