"""The incomplete gamma and beta functions.

They have derivatives for all their arguments, to any order. Those for the parameters are central moments of
logarithms (:func:`gamma_moment_`, :func:`beta_moment_`), whose derivatives are such moments again: of log(t) less its
mean under the whole density, so that nothing large is subtracted from them afterwards.
"""

from __future__ import annotations

import math
from typing import Any

from unigrad.binding.declaring import primitive
from unigrad.operations.reductions import rounded_once
from unigrad.special import values
from unigrad.special.gammas import log_beta, log_gamma_of_1_and, positive_gamma, stirling
from unigrad.special.values import (
    Values,
    exp,
    expm1,
    half_line,
    in_double,
    log,
    log1p,
    log1p_less,
    polygamma,
    polynomial,
    quadrature,
    sqrt,
    within,
)
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["betainc", "betaincc", "gammainc", "gammaincc"]

# B(2 k) / (2 k), Abramowitz and Stegun 6.3.18.
_DIGAMMA = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


def _above_digamma(a: Values) -> Values:
    """log(a) - digamma(a), for positive a: it is small where both are large."""
    far = values.where(a > 10, a, 10.0)
    inverse = 1.0 / far
    large = inverse * 0.5 + inverse * inverse * polynomial(inverse * inverse, _DIGAMMA)
    near = values.where(a < 10, a, 10.0)
    return values.where(a > 10, large, log(near) - polygamma(near, 0))


def _log_ratio(x: Values, a: Values, shift: Values) -> Values:
    """log(x / a), where ``shift`` is x - a with all its digits (in units of a number that a is given in, too)."""
    change = shift / a
    close = abs(change) < 0.5
    return values.where(close, log1p(values.where(close, change, 0.0)), log(x) - log(a))


def _power(x: Any, number: int) -> Any:
    found = x
    for _ in range(number - 1):
        found = found * x
    return found


# --- gamma ----------------------------------------------------------------------------------------------


def _density(a: Values, x: Values) -> Values:
    """x ** a exp(-x) / gamma(a), for positive numbers."""
    far = values.where(a > 10, a, 10.0)
    change = (x - far) / far
    # Far below a, log(x / a) has more digits than log(1 + change).
    low = change < -0.5
    exponent = values.where(low, log(values.where(low, x / far, 1.0)) - change, log1p_less(change))
    large = exp(far * exponent - stirling(far)) * sqrt(far) * (1 / math.sqrt(2 * math.pi))
    small = values.where(a > 10, 1.0, a)
    return values.where(a > 10, large, x**small * exp(-x) / positive_gamma(small))


_MANY = 1e16


def _in_reach(a: Values, x: Values) -> tuple[Values, Values]:
    """Numbers that the quadrature takes. Of a beyond 1e16, whose last digits it would lose, those as many standard
    deviations apart: on nothing else the tails depend then, up to 2e-9 (Abramowitz and Stegun, 26.4.11)."""
    many = values.where(a > _MANY, a, _MANY)
    x = values.where(a > _MANY, (x - many) / sqrt(many) * math.sqrt(_MANY) + _MANY, x)
    return within(a, 1e-300, _MANY), within(x, 1e-300, 10 * _MANY)


def gamma_tails(a: Values, x: Values) -> tuple[Values, Values, Values]:
    """The lower and the upper incomplete gamma function, regularised, and x ** a exp(-x) / gamma(a).

    By a quadrature of the smaller tail, which takes fewer steps over whole arrays than series and continued fractions
    do; where a is below 1 and x as well, by a series of both. From a = 1e8 on digits are lost, half of them at 1e16.
    """
    a_, x_ = _in_reach(a, x)
    small, lower = (a_ < 1) & (x_ < 1), x_ < a_
    density = _density(a_, x_)
    found = density * _tail(a_, x_, lower, None)
    found = values.where(found < 1, found, 1.0)
    below_small, above_small = _of_small(a_, x_)
    below = values.where(small, below_small, values.where(lower, found, 1.0 - found))
    above = values.where(small, above_small, values.where(lower, 1.0 - found, found))
    at_zero, at_infinity = x.equals(0.0), (x > values.LARGEST)
    below = values.where(at_zero, 0.0, values.where(at_infinity, 1.0, below))
    above = values.where(at_zero, 1.0, values.where(at_infinity, 0.0, above))
    # Where both are infinite any value is a limit.
    outside = (a < 0) | (x < 0) | a.equals(0.0) & at_zero | (a > values.LARGEST) & at_infinity
    a_zero = a.equals(0.0)
    below, above = values.where(a_zero, 1.0, below), values.where(a_zero, 0.0, above)
    below, above = values.where((a > values.LARGEST), 0.0, below), values.where((a > values.LARGEST), 1.0, above)
    return values.where(outside, math.nan, below), values.where(outside, math.nan, above), density


_SERIES = tuple([(float(power), (-1) ** power / math.factorial(power)) for power in range(1, 20)])


def _of_small(a: Values, x: Values) -> tuple[Values, Values]:
    """The lower and the upper incomplete gamma function for a and x up to 1: by the series of DLMF 8.7.1, whose first
    term, x ** a / gamma(1 + a), is taken from 1 by expm1."""
    a, x = within(a, 1e-300, 1.0), within(x, 1e-300, 1.0)
    exponent = a * log(x) - log_gamma_of_1_and(a)
    rest = quadrature(_SERIES, lambda power, a, x: x**power / (a + power), a, x) * a
    leading = exp(exponent)
    return leading + leading * rest, -(expm1(exponent) + leading * rest)


def _tail(a: Values, x: Values, lower: Values, power: int | None) -> Values:
    """The integral of (t / x) ** (a - 1) exp(x - t) over t, from 0 to x or from x on, with a factor
    (log(t) - digamma(a)) ** power if there is a power.

    Below t = x exp(-w) and above t = x (1 + w): so the integrand falls as an exponential of w, which is what the
    quadrature is for.
    """
    distance = abs(x - a) + sqrt(a)
    inner = values.where(lower, 1.0 / values.where(a < x, a, distance), values.where(x < a, a / x, 1.0 / distance))
    scale = values.where(lower | (x > 1), inner, 1.0 / x)
    centre = x * 0.0 if power is None else _log_ratio(x, a, x - a) + _above_digamma(a)
    below = values.where(lower, 1.0, x * 0.0)

    def integrand(point: Values, a: Values, x: Values, below: Values, scale: Values, centre: Values) -> Values:
        w = scale * point
        shift = values.where(below > 0, -w, log1p(w))
        term = exp(a * shift - values.where(below > 0, x * expm1(-w), x * w + shift))
        return term if power is None else term * _power(centre + shift, power)

    return quadrature(half_line(), integrand, a, x, below, scale, centre) * scale


@primitive("elementwise", dtypes="rounded_float")
def gammainc_(a: Array, x: Array, /) -> Tensor:
    """The regularised lower incomplete gamma function."""


@primitive("elementwise", dtypes="rounded_float")
def gammaincc_(a: Array, x: Array, /) -> Tensor:
    """The regularised upper incomplete gamma function."""


@primitive("elementwise", dtypes="rounded_float")
def gamma_density_(a: Array, x: Array, /) -> Tensor:
    """x ** (a - 1) exp(-x) / gamma(a)."""


@primitive("elementwise", dtypes="rounded_float")
def gamma_moment_(a: Array, x: Array, power: int, upper: bool) -> Tensor:
    """The integral of t ** (a - 1) exp(-t) (log(t) - digamma(a)) ** power / gamma(a), from 0 to x; ``upper``: from x
    on."""


def _gamma_density(a: Values, x: Values) -> Values:
    found = _density(within(a, 1e-300, 1e300), within(x, 1e-300, 1e300)) / within(x, 1e-300, 1e300)
    at_zero = values.where(a < 1, math.inf, values.where(a.equals(1.0), 1.0, x * 0.0))
    found = values.where(x.equals(0.0), at_zero, values.where(x > values.LARGEST, 0.0, found))
    found = values.where(a.equals(0.0), 0.0, found)
    return values.where((a < 0) | (x < 0), math.nan, found)


def _gamma_moment(a: Values, x: Values, power: int, upper: bool) -> Values:
    a_, x_ = within(a, 1e-300, 1e20), within(x, 1e-300, 1e21)
    lower = x_ < (0.0 if upper else 1e300)
    found = _tail(a_, x_, lower, power) * _density(a_, x_)
    # Of nothing; and of all the first is 0, the mean less the mean, and no other is asked for.
    found = values.where(x.equals(0.0) | (x > values.LARGEST), 0.0, found)
    return values.where((x >= 0) & (a > 0), found, math.nan)


in_double(gammainc_, lambda a, x: gamma_tails(a, x)[0])
in_double(gammaincc_, lambda a, x: gamma_tails(a, x)[1])
in_double(gamma_density_, _gamma_density)
in_double(gamma_moment_, _gamma_moment)


def by_shape(xp: Any, a: Any, x: Any) -> Any:
    """The derivative of gammainc for a: by the smaller of both tails."""
    return xp.where(x < a, xp.gamma_moment(a, x, 1, False), -xp.gamma_moment(a, x, 1, True))


def _gamma_moment_by_shape(xp: Any, g: Any, a: Any, x: Any, power: int, upper: bool) -> Any:
    found = xp.gamma_moment(a, x, power + 1, upper)
    if power == 1:
        return g * (found - xp.polygamma(a, 1) * (xp.gammaincc if upper else xp.gammainc)(a, x))
    return g * (found - xp.polygamma(a, 1) * xp.gamma_moment(a, x, power - 1, upper) * float(power))


vjp(
    gammainc_,
    lambda xp, g, a, x: g * by_shape(xp, a, x),
    lambda xp, g, a, x: g * xp.gamma_density(a, x),
)
vjp(
    gammaincc_,
    lambda xp, g, a, x: -g * by_shape(xp, a, x),
    lambda xp, g, a, x: -g * xp.gamma_density(a, x),
)
vjp(
    gamma_density_,
    lambda xp, g, a, x, out: g * (out * (xp.log(x) - xp.polygamma(a, 0))),
    lambda xp, g, a, x, out: g * (out * ((a - 1 - x) / x)),
)
vjp(
    gamma_moment_,
    _gamma_moment_by_shape,
    lambda xp, g, a, x, power, upper: (
        g * (xp.gamma_density(a, x) * _power(xp.log(x) - xp.polygamma(a, 0), power) * (-1.0 if upper else 1.0))
    ),
)


@operation
def gammainc(a: Array, x: Array, /) -> Tensor:
    """The regularised lower incomplete gamma function: the integral of t ** (a - 1) exp(-t) from 0 to x, over gamma(a).

    NaN where a or x is negative, or both are 0.
    """
    return gammainc_(a, x)


@operation
def gammaincc(a: Array, x: Array, /) -> Tensor:
    """The regularised upper incomplete gamma function: 1 - gammainc(a, x), accurate also where it is small."""
    return gammaincc_(a, x)


# --- beta -----------------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def betainc_(a: Array, b: Array, x: Array, /) -> Tensor:
    """The regularised incomplete beta function."""


@primitive("elementwise", dtypes="rounded_float")
def betaincc_(a: Array, b: Array, x: Array, /) -> Tensor:
    """1 - betainc(a, b, x)."""


@primitive("elementwise", dtypes="rounded_float")
def beta_density_(a: Array, b: Array, x: Array, /) -> Tensor:
    """x ** (a - 1) (1 - x) ** (b - 1) / beta(a, b)."""


@primitive("elementwise", dtypes="rounded_float")
def beta_moment_(a: Array, b: Array, x: Array, first: int, second: int) -> Tensor:
    """The integral from 0 to x of t ** (a - 1) (1 - t) ** (b - 1) over beta(a, b), times powers, ``first`` and
    ``second``, of log(t) and log(1 - t) less their means, digamma(a) and digamma(b) less digamma(a + b)."""


def _density_of_beta(a: Values, b: Values, x: Values, rest: Values) -> Values:
    """x ** a (1 - x) ** b / beta(a, b), where ``rest`` is 1 - x."""
    plain = exp(a * log_of_part(x, rest) + b * log_of_part(rest, x) - log_beta(a, b))
    far = (a > 10) & (b > 10)
    a_, b_ = values.where(far, a, 10.0), values.where(far, b, 10.0)
    total = a_ + b_
    mean = a_ / total
    shift = x * b_ - rest * a_  # (x - mean) * total
    exponent = _exponent(x / mean, a_, shift) + _exponent(rest * total / b_, b_, -shift)
    exponent = exponent - (stirling(a_) + stirling(b_) - stirling(total))
    return values.where(far, exp(exponent) * sqrt(mean * b_) * (1 / math.sqrt(2 * math.pi)), plain)


def log_of_part(x: Values, rest: Values) -> Values:
    """log(x), by ``rest``, which is 1 - x, where that has more digits."""
    near = rest < 0.5
    return values.where(near, log1p(-values.where(near, rest, 0.0)), log(x))


def _exponent(ratio: Values, a: Values, shift: Values) -> Values:
    """a (log(ratio) + 1 - ratio), where ``ratio`` is 1 + shift / a."""
    change = shift / a
    low = change < -0.5
    return a * values.where(low, log(values.where(low, ratio, 1.0)) - change, log1p_less(change))


def beta_tails(a: Values, b: Values, x: Values, rest: Values) -> tuple[Values, Values, Values]:
    """The incomplete beta function, 1 less it, and x ** a (1 - x) ** b / beta(a, b); ``rest`` is 1 - x.

    By a quadrature of the tail on the side of the mean where it is the smaller one.
    """
    inside = (a > 0) & (b > 0) & (x > 0) & (rest > 0)
    a_, b_, x_ = values.where(inside, a, 1.0), values.where(inside, b, 1.0), values.where(inside, x, 0.5)
    rest_ = values.where(inside, rest, 0.5)
    swapped = x_ * (a_ + b_ + 2.0) > a_ + 1.0
    p, q = values.where(swapped, b_, a_), values.where(swapped, a_, b_)
    y, z = values.where(swapped, rest_, x_), values.where(swapped, x_, rest_)
    density = _density_of_beta(p, q, y, z)
    found = density * _tail_of_beta(p, q, y, z, 0, 0)
    below, above = values.where(swapped, 1.0 - found, found), values.where(swapped, found, 1.0 - found)
    at_zero, at_one = x.equals(0.0), rest.equals(0.0)
    below = values.where(at_zero, 0.0, values.where(at_one, 1.0, below))
    above = values.where(at_zero, 1.0, values.where(at_one, 0.0, above))
    valid = (a > 0) & (b > 0) & (x >= 0) & (rest >= 0)
    return values.where(valid, below, math.nan), values.where(valid, above, math.nan), density


def _tail_of_beta(a: Values, b: Values, x: Values, rest: Values, first: int, second: int) -> Values:
    """What the moment is, over the density times x (1 - x): the integral over t = x exp(-w), by w in units in which
    the integrand falls as an exponential."""
    shift = x * b - rest * a
    log_x = log_rest = x * 0.0
    if first or second:
        mean = _above_digamma(a + b)
        log_x = _log_ratio(x * (a + b), a, shift) + (_above_digamma(a) - mean)
        log_rest = _log_ratio(rest * (a + b), b, -shift) + (_above_digamma(b) - mean)
    # How fast it falls from w = 0 on, and how wide it is at its maximum.
    odds = x / rest
    excess = values.where((a > 1) & (b > 1), b - 1.0, 0.0)
    slope = a - excess * odds
    rate = values.where(slope > 0, slope, 0.0) + sqrt(excess * odds / rest)
    rate = values.where(excess > 0, rate, a)

    def integrand(
        point: Values, a: Values, b: Values, odds: Values, rate: Values, log_x: Values, log_rest: Values
    ) -> Values:
        w = within(point, 0.0, 750.0) / rate
        other = log1p(-(odds * expm1(-w)))
        term = exp(other * (b - 1.0) - a * w)
        if first:
            term = term * _power(log_x - w, first)
        return term * _power(log_rest + other, second) if second else term

    return quadrature(half_line(), integrand, a, b, odds, rate, log_x, log_rest) / (rate * rest)


def _beta_moment(a: Values, b: Values, x: Values, first: int, second: int) -> Values:
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    a_, b_, x_ = values.where(inside, a, 1.0), values.where(inside, b, 1.0), values.where(inside, x, 0.5)
    rest = 1.0 - x_
    found = _tail_of_beta(a_, b_, x_, rest, first, second) * _density_of_beta(a_, b_, x_, rest)
    # Of nothing; and of all the first is 0, the mean less the mean, and no other is asked for.
    found = values.where(x.equals(0.0) | x.equals(1.0), 0.0, found)
    return values.where((a > 0) & (b > 0) & (x >= 0) & (x <= 1), found, math.nan)


def _beta_density(a: Values, b: Values, x: Values) -> Values:
    parameters = (a > 0) & (b > 0)
    inside = parameters & (x > 0) & (x < 1)
    a_, b_, x_ = values.where(inside, a, 1.0), values.where(inside, b, 1.0), values.where(inside, x, 0.5)
    rest = 1.0 - x_
    found = _density_of_beta(a_, b_, x_, rest) / (x_ * rest)
    a_ = values.where(x.equals(0.0), a, b)
    other = values.where(x.equals(0.0), b, a)
    end = values.where(a_ < 1, math.inf, values.where(a_.equals(1.0), other, 0.0))
    found = values.where(x.equals(0.0) | x.equals(1.0), end, found)
    return values.where(parameters & (x >= 0) & (x <= 1), found, math.nan)


in_double(betainc_, lambda a, b, x: beta_tails(a, b, x, 1.0 - x)[0])
in_double(betaincc_, lambda a, b, x: beta_tails(a, b, x, 1.0 - x)[1])
in_double(beta_density_, _beta_density)
in_double(beta_moment_, _beta_moment)


def by_parameter(xp: Any, a: Any, b: Any, x: Any, second: int) -> Any:
    """The derivative of betainc for a, or for b: by the smaller of both tails."""
    low = xp.beta_moment(a, b, x, 1 - second, second)
    high = xp.beta_moment(b, a, 1 - x, second, 1 - second)
    return xp.where(x * (a + b) < a, low, -high)


def _moment(xp: Any, a: Any, b: Any, x: Any, first: int, second: int) -> Any:
    return xp.beta_moment(a, b, x, first, second) if first or second else xp.betainc(a, b, x)


def _moment_by_parameter(xp: Any, g: Any, a: Any, b: Any, x: Any, first: int, second: int, by_b: int) -> Any:
    """With one logarithm more, less what moves the means of both."""
    found = xp.beta_moment(a, b, x, first + 1 - by_b, second + by_b)
    both = xp.polygamma(a + b, 1)
    if first:
        moved = both if by_b else both - xp.polygamma(a, 1)
        found = found + moved * _moment(xp, a, b, x, first - 1, second) * float(first)
    if second:
        moved = both - xp.polygamma(b, 1) if by_b else both
        found = found + moved * _moment(xp, a, b, x, first, second - 1) * float(second)
    return g * found


def _logs(xp: Any, a: Any, b: Any, x: Any, first: int, second: int) -> Any:
    both = xp.polygamma(a + b, 0)
    found = xp.beta_density(a, b, x)
    if first:
        found = found * _power(xp.log(x) - (xp.polygamma(a, 0) - both), first)
    return found * _power(xp.log1p(-x) - (xp.polygamma(b, 0) - both), second) if second else found


vjp(
    betainc_,
    lambda xp, g, a, b, x: g * by_parameter(xp, a, b, x, 0),
    lambda xp, g, a, b, x: g * by_parameter(xp, a, b, x, 1),
    lambda xp, g, a, b, x: g * xp.beta_density(a, b, x),
)
vjp(
    betaincc_,
    lambda xp, g, a, b, x: -g * by_parameter(xp, a, b, x, 0),
    lambda xp, g, a, b, x: -g * by_parameter(xp, a, b, x, 1),
    lambda xp, g, a, b, x: -g * xp.beta_density(a, b, x),
)
vjp(
    beta_density_,
    lambda xp, g, a, b, x, out: g * (out * (xp.log(x) - (xp.polygamma(a, 0) - xp.polygamma(a + b, 0)))),
    lambda xp, g, a, b, x, out: g * (out * (xp.log1p(-x) - (xp.polygamma(b, 0) - xp.polygamma(a + b, 0)))),
    lambda xp, g, a, b, x, out: g * (out * ((a - 1) / x - (b - 1) / (1 - x))),
)
vjp(
    beta_moment_,
    lambda xp, g, a, b, x, first, second: _moment_by_parameter(xp, g, a, b, x, first, second, 0),
    lambda xp, g, a, b, x, first, second: _moment_by_parameter(xp, g, a, b, x, first, second, 1),
    lambda xp, g, a, b, x, first, second: g * _logs(xp, a, b, x, first, second),
)


@operation
@rounded_once
def betainc(a: Array, b: Array, x: Array, /) -> Tensor:
    """The regularised incomplete beta function: the integral of t ** (a - 1) (1 - t) ** (b - 1) from 0 to x, over
    beta(a, b). For a, b > 0 and x from 0 to 1, else NaN."""
    return betainc_(a, b, x)


@operation
@rounded_once
def betaincc(a: Array, b: Array, x: Array, /) -> Tensor:
    """1 - betainc(a, b, x), accurate also where it is small."""
    return betaincc_(a, b, x)
