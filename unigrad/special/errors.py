"""The error function's relatives, and the normal distribution, which is made of them."""

from __future__ import annotations

import math

from unigrad.binding.declaring import primitive
from unigrad.operations.elementwise import erf
from unigrad.special.values import (
    Values,
    chebyshev,
    complementary,
    counted,
    exp,
    gaussian,
    in_double,
    log,
    log1p,
    polynomial,
    scaled_erfc,
    scan,
    sqrt,
    where,
    within,
)
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["erf", "erfc", "erfcinv", "erfcx", "erfinv", "log_ndtr", "ndtr", "ndtri"]

_SLOPE = 2 / math.sqrt(math.pi)
"""Of erf at 0."""

# (1 + 2 x) exp(x * x) erfc(x) in Chebyshev's polynomials of (x - 3.75) / (x + 3.75), as M. M. Shepherd and
# J. G. Laframboise have it ("Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", 1981); the
# coefficients computed anew, in 50 digits.
_SCALED = (
    1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753,
    0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-05, 4.13902798607301e-06,
    7.74038306619849e-07, -2.1886401049234397e-07, 1.076499946567091e-08, 4.521959811218287e-09,
    -7.754400208831351e-10, -6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13,
    -9.65469674843344e-13, 3.25254814814874e-14, 3.3478119482868056e-14, -1.864562880419313e-15,
    -1.2507950530688648e-15, 7.418235256624044e-17, 5.068148904796111e-17, -2.2370566594359995e-18,
)  # fmt: skip


def _scaled(x: Values) -> Values:
    """exp(x * x) erfc(x) for x from 0 on."""
    x = within(x, 0.0, 1e300)
    return chebyshev((x - 3.75) / (x + 3.75), _SCALED) / (x + x + 1.0)


def _about_zero(x: Values) -> Values:
    """erf for x from -3/4 to 3/4: its Taylor series."""
    terms = [_SLOPE * (-1) ** power / (math.factorial(power) * (2 * power + 1)) for power in range(18)]
    return x * polynomial(x * x, terms)


@primitive("elementwise", dtypes="rounded_float")
def erfc_(x: Array, /) -> Tensor:
    """1 - erf(x), accurate also where it is small."""


def _erfc(x: Values) -> Values:
    size = abs(x)
    tail = gaussian(x) * _scaled(size)
    near = 1.0 - _about_zero(within(x, -0.5, 0.5))
    return where(size < 0.5, near, where(x > 0, tail, 2.0 - tail))


in_double(erfc_, _erfc)
vjp(erfc_, lambda xp, g, x: g * (xp.gaussian(x) * -_SLOPE))


@operation
def erfc(x: Array, /) -> Tensor:
    """The complementary error function: 1 - erf(x), accurate also where it is small."""
    return erfc_(x)


@primitive("elementwise", dtypes="rounded_float")
def scaled_erfc_(x: Array, order: int) -> Tensor:
    """The derivative of some order of exp(x * x) erfc(x)."""


def _scaled_erfc(x: Values, order: int) -> Values:
    """NIST's Digital Library of Mathematical Functions (DLMF) 7.18.3: but for a factor the derivatives are the
    integrals of erfc. From x = 1 on their quotients by a continued fraction (from 7.18.7), below by differentiating
    the differential equation, where nothing cancels for x < 0 and little up to 1."""
    size = abs(x)
    square = gaussian(x)
    first = where(x < 0, 2.0 / square - _scaled(size), _scaled(x))
    if order == 0:
        return where(x.equals(math.inf), 0.0, first)
    before, value = first, first * x * 2.0 - _SLOPE
    for number in range(1, order):
        before, value = value, (x * value + before * number) * 2.0
    far = where(x > 1, x, 1.0)
    ratio = 0.5 / far
    (ratio,) = scan(counted(170 + order, order), lambda row, ratio: (0.5 / (far + ratio * (row[0] + 1.0)),), ratio)
    product: Values | float = _SLOPE * math.factorial(order) * (-2.0) ** order
    for number in range(order, -1, -1):
        ratio = 0.5 / (far + ratio * (number + 1.0))
        product = ratio * product
    return where(x > 1, product, value)


in_double(scaled_erfc_, _scaled_erfc)
vjp(scaled_erfc_, lambda xp, g, x, order: g * xp.scaled_erfc(x, order + 1))


@operation
def erfcx(x: Array, /) -> Tensor:
    """exp(x * x) * erfc(x), which does not underflow; infinite from about -26.6 downwards."""
    return scaled_erfc_(x, 0)


@primitive("elementwise", dtypes="rounded_float")
def erfinv_(x: Array, /) -> Tensor:
    """The number whose erf is x."""


@primitive("elementwise", dtypes="rounded_float")
def erfcinv_(x: Array, /) -> Tensor:
    """The number whose erfc is x."""


def _central_inverse(x: Values) -> Values:
    """Where erf is x, for x from -1/2 to 1/2: two steps of Halley's from the series of DLMF 7.17.2."""
    x = within(x, -0.5, 0.5)
    square = x * x * math.pi
    y = x * (math.sqrt(math.pi) / 2) * polynomial(square, [1.0, 1 / 12, 7 / 480, 127 / 40320])
    for _ in range(2):
        step = (_about_zero(y) - x) / (gaussian(y) * _SLOPE)
        y = y - step / (step * y + 1.0)
    return y


def _tail_inverse(q: Values) -> Values:
    """Where erfc is q, for q from 0 to 1/2: Newton's steps for its logarithm, from Abramowitz and Stegun 26.2.23."""
    q = where(q > 0, where(q < 0.5, q, 0.5), 0.5)
    logarithm = log(q)
    t = sqrt((logarithm - math.log(2)) * -2.0)
    above = polynomial(t, [2.515517, 0.802853, 0.010328])
    y = (t - above / polynomial(t, [1.0, 1.432788, 0.189269, 0.001308])) * math.sqrt(0.5)
    for _ in range(3):
        scaled = _scaled(y)
        y = y + (log(scaled) - y * y - logarithm) * scaled * (1 / _SLOPE)
    return y


def _erfinv(x: Values) -> Values:
    size = abs(x)
    tail = _tail_inverse(1.0 - size)
    found = where(size > 0.5, where(x < 0, -tail, tail), _central_inverse(x))
    return _at_ends(size.equals(1.0), size > 1.0, x, found)


def _erfcinv(x: Values) -> Values:
    lower, upper = x < 0.5, x > 1.5
    tail = _tail_inverse(where(upper, 2.0 - x, x))
    found = where(lower | upper, where(upper, -tail, tail), _central_inverse(1.0 - x))
    return _at_ends(x.equals(0.0) | x.equals(2.0), (x < 0) | (x > 2), 1.0 - x, found)


def _at_ends(ends: Values, outside: Values, sign: Values, found: Values) -> Values:
    found = where(ends & (sign > 0), math.inf, where(ends & (sign < 0), -math.inf, found))
    return where(outside, math.nan, found)


in_double(erfinv_, _erfinv)
in_double(erfcinv_, _erfcinv)
vjp(erfinv_, lambda xp, g, out: g / (xp.gaussian(out) * _SLOPE))
vjp(erfcinv_, lambda xp, g, out: -g / (xp.gaussian(out) * _SLOPE))


@operation
def erfinv(x: Array, /) -> Tensor:
    """The number whose erf is x: infinite at -1 and 1, as its derivative is, and NaN beyond."""
    return erfinv_(x)


@operation
def erfcinv(x: Array, /) -> Tensor:
    """The number whose erfc is x: infinite at 0 and 2, as its derivative is, and NaN beyond."""
    return erfcinv_(x)


# --- the normal distribution --------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def ndtr_(x: Array, /) -> Tensor:
    """The normal distribution function."""


@primitive("elementwise", dtypes="rounded_float")
def ndtri_(p: Array, /) -> Tensor:
    """Its inverse."""


@primitive("elementwise", dtypes="rounded_float")
def normal_density_(x: Array, /) -> Tensor:
    """exp(-x * x / 2) / sqrt(2 pi)."""


@primitive("elementwise", dtypes="rounded_float")
def log_ndtr_(x: Array, /) -> Tensor:
    """The logarithm of ndtr."""


@primitive("elementwise", dtypes="rounded_float")
def normal_slope_(x: Array, /) -> Tensor:
    """The derivative of log_ndtr."""


_ROOT = math.sqrt(0.5)
_ROOT_REST = -4.833646656726457e-17
"""What the float lacks of the root of a half."""


def _over_root(x: Values) -> tuple[Values, Values]:
    """x / sqrt(2), and what rounding it has lost of exp(-x * x / 2), as a factor."""
    # In parts of 26 digits all products are exact (T. J. Dekker, 1971). Far out all is 0 anyway.
    x = within(x, -1e3, 1e3)
    high = rounded_to_half(x)
    low = x - high
    root = 0.7071067690849304  # of 24 digits
    rest = _ROOT - root
    y = x * _ROOT
    lost = ((high * root - y) + low * root) + (x * rest + x * _ROOT_REST)
    return y, exp(y * lost * -2.0)


def rounded_to_half(x: Values) -> Values:
    """x with the first half of its digits."""
    large = x * 134217729.0
    return large - (large - x)


def _normal_density(x: Values) -> Values:
    y, factor = _over_root(x)
    return gaussian(y) * factor * (_SLOPE * _ROOT / 2)


def _ndtr(x: Values) -> Values:
    y, factor = _over_root(x)
    tail = complementary(abs(y)) * factor * 0.5
    return where(x < 0, tail, 1.0 - tail)


def _log_ndtr(x: Values) -> Values:
    size = abs(x) * _ROOT
    scaled = log(_scaled(size) * 0.5) - x * x * 0.5
    tail = where(x < 0, 0.0, gaussian(size) * _scaled(size) * 0.5)
    return where(x < -1.0, scaled, log1p(-_complement(x, tail)))


def _complement(x: Values, tail: Values) -> Values:
    """1 - ndtr(x), for x from -1 on."""
    y = within(x, -1.0, 1e300) * _ROOT
    near = 0.5 - _about_zero(within(y, -0.71, 0.5)) * 0.5
    return where(y < 0.5, near, tail)


def _normal_slope(x: Values) -> Values:
    y = x * _ROOT
    scaled = scaled_erfc(within(abs(y), 0.0, 1e300), 0)
    square = gaussian(within(y, 0.0, 1e300))
    upper = square / (2.0 - square * scaled)
    found = where(x < 0, 1.0 / scaled, upper) * math.sqrt(2 / math.pi)
    return where(x < -1e8, -x, found)  # all its digits, and infinity's


in_double(ndtr_, _ndtr)
in_double(ndtri_, lambda p: _erfcinv(p * 2.0) * -math.sqrt(2))
in_double(normal_density_, _normal_density)
in_double(log_ndtr_, _log_ndtr)
in_double(normal_slope_, _normal_slope)
vjp(ndtr_, lambda xp, g, x: g * xp.normal_density(x))
vjp(ndtri_, lambda xp, g, out: g / xp.normal_density(out))
vjp(normal_density_, lambda xp, g, x, out: -g * (x * out))
vjp(log_ndtr_, lambda xp, g, x: g * xp.normal_slope(x))
vjp(normal_slope_, lambda xp, g, x, out: -g * out * (x + out))


@operation
def ndtr(x: Array, /) -> Tensor:
    """The normal distribution function: the probability of numbers up to x."""
    return ndtr_(x)


@operation
def ndtri(p: Array, /) -> Tensor:
    """The inverse of :func:`ndtr`: infinite at 0 and 1, NaN beyond."""
    return ndtri_(p)


@operation
def log_ndtr(x: Array, /) -> Tensor:
    """log(ndtr(x)), also where that underflows."""
    return log_ndtr_(x)
