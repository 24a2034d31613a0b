"""The gamma function and what is made of it."""

from __future__ import annotations

import math
from typing import Any

from unigrad.base.errors import ArgumentError
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import digamma, equal, floats, gammaln, greater, less, polygamma, where
from unigrad.operations.elementwise import exp as exp_
from unigrad.operations.elementwise import floor as floor_
from unigrad.operations.reductions import floating, rounded_once
from unigrad.special import values
from unigrad.special.values import (
    Values,
    chebyshev,
    counted,
    exp,
    in_double,
    log,
    log1p,
    polynomial,
    product,
    scan,
    within,
)
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = [
    "beta", "betaln", "binom", "digamma", "gamma", "gammaln", "gammasgn", "loggamma", "multigammaln", "poch",
    "polygamma", "psi", "rgamma", "zeta", "zetac",
]  # fmt: skip

psi = digamma

# (gamma(1 + z) - 1) / (z (z - 1)) in Chebyshev's polynomials of 2 z - 1; computed in 50 digits.
_BETWEEN = (
    0.47693316683837017, -0.07387781002496903, 0.022435898404655007, -0.003231708827512927, 0.0006124521884677977,
    -0.00010297397275378685, 1.7936871679953115e-05, -3.0783656728554508e-06, 5.296072827078427e-07,
    -9.094906329787138e-08, 1.561562629910318e-08, -2.6802386081065315e-09, 4.599642448152445e-10,
    -7.892814265667588e-11, 1.3543022302650376e-11, -2.323725668164059e-12, 3.986994596490083e-13,
    -6.840714086391538e-14, 1.1736923859512652e-14, -2.013749293237764e-15, 3.455059202250703e-16,
    -5.927956174521476e-17, 1.0170776732849475e-17,
)  # fmt: skip
_SMALL = 20
"""Up to where the gamma function is a product, which is exact for whole numbers; beyond, Stirling's formula."""
# B(2 k) / (2 k (2 k - 1)), Abramowitz and Stegun 6.1.40.
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400)


def stirling(x: Values) -> Values:
    """log(gamma(x)) - (x - 1/2) log(x) + x - log(2 pi) / 2, for x from 8 on."""
    inverse = 1.0 / x
    return inverse * polynomial(inverse * inverse, _STIRLING)


def log_gamma_of_1_and(x: Values) -> Values:
    """log(gamma(1 + x)) for x from 0 to 1, with all its digits where x is small."""
    return log1p(chebyshev(x + x - 1.0, _BETWEEN) * (x * (x - 1.0)))


def positive_gamma(x: Values) -> Values:
    """gamma(x) for x > 0."""
    near = within(x, 0.0, float(_SMALL))
    start = values.floor(near)
    z = near - start
    found = chebyshev(z + z - 1.0, _BETWEEN) * (z * (z - 1.0)) + 1.0
    found = found * product(
        counted(1, _SMALL), lambda number, start, z: values.where(start > number, z + number, 1.0), start, z
    )
    found = values.where(near < 1, found / values.where(near < 1, near, 1.0), found)
    far = values.where(x > _SMALL, x, float(_SMALL))
    root = far ** (far * 0.5 - 0.25)
    large = root * (exp(-far) * (exp(stirling(far)) * math.sqrt(2 * math.pi))) * root
    large = values.where(far > 172.0, math.inf, large)
    return values.where(x > _SMALL, large, found)


def _sine(x: Values) -> Values:
    """sin(pi x)."""
    half = x * 0.5
    fraction = (half - values.rounded(half)) * 2.0
    folded = values.where(fraction > 0.5, 1.0 - fraction, values.where(fraction < -0.5, -1.0 - fraction, fraction))
    return values.sin(folded * math.pi)


@primitive("elementwise", dtypes="rounded_float")
def gamma_(x: Array, /) -> Tensor:
    """The gamma function."""


def _gamma(x: Values) -> Values:
    """Below 1/2 by reflection, Abramowitz and Stegun 6.1.17, of which 1 / gamma(1 - x) is taken in two parts where it
    underflows."""
    negative = x < 0.5
    y = values.where(negative, 1.0 - x, x)
    y = values.where(y > 1e300, 1e300, y)
    positive = positive_gamma(y)
    # Where x is small, 1 - x is not exact.
    close = abs(x) < 0.5
    tiny = values.where(close, x, 0.25)
    about = positive_gamma(tiny + 1.0) / tiny
    sine = _sine(values.where(negative, x, 0.5))
    reflected = math.pi / sine / positive
    at_pole = x.equals(values.floor(x)) & (x < 0)
    found = values.where(close, about, values.where(negative, reflected, positive))
    found = values.where(at_pole, math.nan, found)
    return values.where((x < -values.LARGEST), math.nan, found)


in_double(gamma_, _gamma)
vjp(gamma_, lambda xp, g, x, out: g * (out * xp.polygamma(x, 0)))


@operation
def gamma(x: Array, /) -> Tensor:
    """The gamma function: of whole numbers n the product of those below n. At 0 infinite with the sign of the zero,
    NaN at the negative integers, as its derivatives are."""
    return gamma_(x)


@primitive("elementwise", dtypes="rounded_float")
def rgamma_(x: Array, /) -> Tensor:
    """1 / gamma(x)."""


def _rgamma(x: Values) -> Values:
    """Below 1/2 by reflection, Abramowitz and Stegun 6.1.17."""
    low = x < 0.5
    inner, outer = values.where(low, x, 0.0), values.where(low, 1.0, x)
    close = abs(inner) < 0.5
    reflected = _sine(inner) * positive_gamma(1.0 - inner) * (1 / math.pi)
    about = inner / positive_gamma(values.where(close, inner, 0.0) + 1.0)
    found = values.where(low, values.where(close, about, reflected), 1.0 / positive_gamma(outer))
    at_pole = x.equals(values.floor(x)) & (x < 0) & (x > -values.LARGEST)
    return values.where(at_pole, 0.0, found)


def _rgamma_slope(xp: Any, g: Any, x: Any, out: Any) -> Any:
    """-out psi(x), and below 1/2 the derivative of the reflection, which is finite at the poles of both factors."""
    low = x < 0.5
    inner, outer = xp.where(low, x, 0.0), xp.where(low, 1.0, x)
    turned = xp.remainder(inner, 2.0) * math.pi
    slope = xp.cos(turned) - xp.sin(turned) * xp.polygamma(1 - inner, 0) * (1 / math.pi)
    above = xp.where(low, 0.0, out) * xp.polygamma(outer, 0)
    return g * xp.where(low, xp.gamma(1 - inner) * slope, -above)


in_double(rgamma_, _rgamma)
vjp(rgamma_, _rgamma_slope)


@operation
def rgamma(x: Array, /) -> Tensor:
    """1 / gamma(x), which is 0 at 0 and the negative integers, and smooth there."""
    return rgamma_(x)


@operation
@rounded_once
def gammasgn(x: Array, /) -> Tensor:
    """The sign of gamma(x): NaN at the negative integers and minus infinity; its derivative is 0."""
    x = floating(x)
    whole = floor_(x)
    odd = equal(whole - 2 * floor_(whole * 0.5), 1)
    found = where(odd & less(x, 0), -1.0, 1.0) + whole * 0
    return where(less(x, 0) & equal(x, whole), math.nan, found)


@operation
def loggamma(x: Array, /) -> Tensor:
    """log(gamma(x)) of real numbers: NaN below 0, where :func:`gammaln` has the logarithm of the size."""
    x = asarray(x)
    return where(less(x, 0), math.nan, gammaln(x))


@operation
def multigammaln(a: Array, d: int) -> Tensor:
    """The logarithm of the multivariate gamma function of dimension ``d``, a Python integer from 1 up: NaN up to
    (d - 1) / 2 (DLMF 35.3.4)."""
    if not isinstance(d, int) or d < 1:
        raise ArgumentError(f"the dimension d of multigammaln must be an integer from 1 up, not {d!r}")
    a = asarray(a)
    total = gammaln(a)
    for number in range(1, d):
        total = total + gammaln(a - number / 2)
    found = total + d * (d - 1) / 4 * math.log(math.pi)
    return where(greater(a, (d - 1) / 2), found, math.nan)


# --- the beta function --------------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def betaln_(a: Array, b: Array, /) -> Tensor:
    """log(abs(beta(a, b)))."""


def log_beta(a: Values, b: Values) -> Values:
    """log(beta(a, b)) for a and b from 0 on, by Stirling's formula where it holds, so that no large logarithms are
    subtracted (A. R. Didonato and A. H. Morris, "Algorithm 708", 1992)."""
    small, large = values.where(a < b, a, b), values.where(a < b, b, a)
    plain = values.gammaln(small) + (values.gammaln(large) - values.gammaln(small + large))
    moderate = (large > 10) & (small + large > 10)
    far = values.where(large > 10, large, 10.0)
    safe = values.where(moderate, small, 1.0)
    total = safe + far
    change = stirling(far) - stirling(total)
    one = values.gammaln(safe) + ((change - (far - 0.5) * log1p(safe / far)) - safe * (log(total) - 1.0))
    both_far = values.where(safe > 10, safe, 10.0)
    total = both_far + far
    ratio = both_far / far
    two = (stirling(both_far) + stirling(far) - stirling(total)) + (
        (both_far - 0.5) * (log(ratio) - log1p(ratio)) - far * log1p(ratio) - log(far) * 0.5 + math.log(2 * math.pi) / 2
    )
    found = values.where(moderate, values.where(small > 10, two, one), plain)
    return values.where((large > values.LARGEST) & (small > 0), -math.inf, found)


def _log_beta(a: Values, b: Values) -> Values:
    """log(abs(beta(a, b)))."""
    small, large = values.where(a < b, a, b), values.where(a < b, b, a)
    size, pole, _ = _at_poles(small, large)
    return values.where(pole, size, _but_at_poles(small, large))


def _but_at_poles(small: Values, large: Values) -> Values:
    """log(abs(beta)), where one of both is far below 0 by reflection (DLMF 5.5.3) from that of positive ones:
    beta(large, 1 - sum) is multiplied by sines, or one of these divided by beta."""
    far = small < -10
    small_, large_ = values.where(far, small, -10.5), values.where(far, large, 0.5)
    sum_ = small_ + large_
    both, over = large_ < 0, (large_ < 0) | (sum_ > 0)
    first = values.where(over, 1.0 - small_, 1.0 - sum_)
    second = values.where(both, 1.0 - large_, values.where(over, sum_, large_))
    found = log_beta(values.where(far, first, small), values.where(far, second, large))
    sines = values.where(sum_ > 0, 1.0, _sine(sum_)) / _sine(small_)
    parts = values.where(both, _sine(large_) * (1.0 - sum_), large_)
    factor = log(abs(values.where(over, math.pi * sines / parts, sines)))
    return values.where(far, factor + values.where(over, -found, found), found)


in_double(betaln_, _log_beta)
vjp(
    betaln_,
    lambda xp, g, a, b: g * (xp.polygamma(a, 0) - xp.polygamma(a + b, 0)),
    lambda xp, g, a, b: g * (xp.polygamma(b, 0) - xp.polygamma(a + b, 0)),
)


@primitive("elementwise", dtypes="rounded_float")
def beta_(a: Array, b: Array, /) -> Tensor:
    """gamma(a) gamma(b) / gamma(a + b)."""


def _beta(a: Values, b: Values) -> Values:
    small, large = values.where(a < b, a, b), values.where(a < b, b, a)
    moderate = (abs(a) < 60) & (abs(b) < 60)
    x, y = values.where(moderate, small, 1.0), values.where(moderate, large, 1.0)
    total = _gamma(x + y)
    plain = _gamma(x) / total * _gamma(y)
    sum_ = x + y
    plain = values.where((sum_ < 0.5) & sum_.equals(values.floor(sum_)), 0.0, plain)
    negative = _is_negative(a) ^ _is_negative(b) ^ _is_negative(a + b)
    size = exp(_but_at_poles(small, large))
    found = values.where(moderate, plain, values.where(negative, -size, size))
    size, pole, odd = _at_poles(small, large)
    return values.where(pole, values.where(odd, -exp(size), exp(size)), found)


def _at_poles(small: Values, large: Values) -> tuple[Values, Values, Values]:
    """log(abs(beta)) where one of both is 0 or a negative whole number; whether it is; and whether beta is negative.

    Infinite, but where gamma(small + large) has a pole as well: there it is the limit by reflection (DLMF 5.5.3),
    (-1) ** large beta(1 - small - large, large).
    """
    pole, half = _pole(small), large * 0.5
    rest = values.where(pole, 1.0 - (small + large), 0.0)
    both = pole & large.equals(values.floor(large)) & (large > 0) & (rest > 0)
    whole = values.where(both, large, 1.0)
    size = values.gammaln(values.where(both, rest, 1.0)) + values.gammaln(whole)
    size = size - values.gammaln(values.where(both, 1.0 - small, 1.0))
    odd = both & (half > values.floor(half))
    return values.where(both, size, math.inf), pole | _pole(large), odd


def _is_negative(x: Values) -> Values:
    """Whether gamma(x) is."""
    half = values.floor(x) * 0.5
    return (x < 0) & (half > values.floor(half))


def _pole(x: Values) -> Values:
    """Whether gamma(x) has a pole."""
    return (x <= 0) & x.equals(values.floor(x))


in_double(beta_, _beta)
vjp(
    beta_,
    lambda xp, g, a, b, out: g * (out * (xp.polygamma(a, 0) - xp.polygamma(a + b, 0))),
    lambda xp, g, a, b, out: g * (out * (xp.polygamma(b, 0) - xp.polygamma(a + b, 0))),
)


@operation
def betaln(a: Array, b: Array, /) -> Tensor:
    """log(abs(beta(a, b))), infinite at its poles."""
    return betaln_(a, b)


@operation
def beta(a: Array, b: Array, /) -> Tensor:
    """The beta function: gamma(a) gamma(b) / gamma(a + b)."""
    return beta_(a, b)


@operation
@rounded_once
def poch(z: Array, m: Array, /) -> Tensor:
    """The rising factorial gamma(z + m) / gamma(z)."""
    z, m = floats(z, m)
    sign = gammasgn(z + m) * gammasgn(z)
    found = sign * exp_(gammaln(z + m) - gammaln(z))
    return where(equal(m, 0), 1.0, found)


@operation
@rounded_once
def binom(n: Array, k: Array, /) -> Tensor:
    """The binomial coefficient, of real n and k by the beta function: 1 / ((n + 1) beta(1 + n - k, 1 + k)).

    0 where k is a whole number below 0 or above a whole n; NaN where n is a negative whole number.
    """
    n, k = floats(n, k)
    found = 1 / ((n + 1) * beta_(1 + n - k, 1 + k))
    return where(less(n, 0) & equal(n, floor_(n)), math.nan, found)


# --- Riemann's and Hurwitz' zeta functions --------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def zeta_(s: Array, q: Array, /) -> Tensor:
    """The sum of (k + q) ** -s over k from 0 on."""


_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_TERMS = 14


def _zeta(s: Values, q: Values) -> Values:
    """By the formula of Euler and Maclaurin (DLMF 25.11.28), which for s < 1 continues the sum."""
    s_, q_ = within(s, -20.0, 1e4), values.where(q > 0, q, 1.0)
    s_ = values.where(s_.equals(1.0), 2.0, s_)
    (total,) = scan(counted(0, _TERMS), lambda row, total: (total + (q_ + row[0]) ** -s_,), s_ * 0.0)
    far = q_ + float(_TERMS)
    leading = far**-s_
    rest = far * leading / (s_ - 1.0) + leading * 0.5
    factor = leading * s_ / far
    for number, bernoulli in enumerate(_BERNOULLI, 1):
        rest = rest + factor * (bernoulli / math.factorial(2 * number))
        factor = factor * ((s_ + (2.0 * number - 1)) * (s_ + 2.0 * number)) / (far * far)
    found = total + rest
    found = values.where(q > values.LARGEST, 0.0, found)
    found = values.where(s.equals(1.0) | q.equals(0.0), math.inf, found)
    return values.where((s < 1) | (q < 0), math.nan, found)


in_double(zeta_, _zeta)
vjp(
    zeta_,
    lambda xp, g: g * math.nan,
    lambda xp, g, s, q: -g * (s * xp.zeta(s + 1, q)),
)


@operation
def zeta(s: Array, q: Array | None = None, /) -> Tensor:
    """Hurwitz' zeta function, the sum of (k + q) ** -s over k from 0 on; without ``q`` Riemann's, where q is 1.

    For s > 1 and q > 0: infinite at s = 1 and q = 0, NaN elsewhere. The derivative for s is NaN: it is no function
    that is here.
    """
    return zeta_(s, 1.0 if q is None else q)


@operation
def zetac(s: Array, /) -> Tensor:
    """Riemann's zeta function less 1, for s > 1: the sum from 2 on, accurate also where it is small."""
    return zeta_(s, 2.0)
