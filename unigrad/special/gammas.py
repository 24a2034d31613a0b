"""The gamma function, what is made of it, and the incomplete gamma and beta functions.

The incomplete ones have derivatives for all their arguments, to any order: those for the parameters are integrals
with powers of logarithms (:func:`gamma_moment_`, :func:`beta_moment_`), whose derivatives are such integrals again.
"""

from __future__ import annotations

import math
from typing import Any

from unigrad.base.errors import ArgumentError
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import digamma, equal, gammaln, greater, less, polygamma, where
from unigrad.operations.elementwise import exp as exp_
from unigrad.operations.elementwise import floor as floor_
from unigrad.operations.reductions import floating, rounded_once
from unigrad.special import values
from unigrad.special.values import (
    Values,
    chebyshev,
    counted,
    exp,
    expm1,
    half_line,
    in_double,
    log,
    log1p,
    log1p_less,
    polynomial,
    quadrature,
    scan,
    sqrt,
    within,
)
from unigrad.table import Array, operation, vjp
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = [
    "beta", "betainc", "betaincc", "betaln", "binom", "digamma", "gamma", "gammainc", "gammaincc", "gammaln",
    "gammasgn", "loggamma", "multigammaln", "poch", "polygamma", "psi", "rgamma", "zeta", "zetac",
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


def _stirling(x: Values) -> Values:
    """log(gamma(x)) - (x - 1/2) log(x) + x - log(2 pi) / 2, for x from 8 on."""
    inverse = 1.0 / x
    return inverse * polynomial(inverse * inverse, _STIRLING)


def _positive_gamma(x: Values) -> Values:
    """gamma(x) for x > 0."""
    near = within(x, 0.0, float(_SMALL))
    start = values.floor(near)
    z = near - start
    found = chebyshev(z + z - 1.0, _BETWEEN) * (z * (z - 1.0)) + 1.0
    (found,) = scan(
        counted(1, _SMALL), lambda row, product: (product * values.where(start > row[0], z + row[0], 1.0),), found
    )
    found = values.where(near < 1, found / values.where(near < 1, near, 1.0), found)
    far = values.where(x > _SMALL, x, float(_SMALL))
    root = far ** (far * 0.5 - 0.25)
    large = root * (exp(-far) * (exp(_stirling(far)) * math.sqrt(2 * math.pi))) * root
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
    positive = _positive_gamma(y)
    # Where x is small, 1 - x is not exact.
    close = abs(x) < 0.5
    tiny = values.where(close, x, 0.25)
    about = _positive_gamma(tiny + 1.0) / tiny
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
    reflected = _sine(inner) * _positive_gamma(1.0 - inner) * (1 / math.pi)
    about = inner / _positive_gamma(values.where(close, inner, 0.0) + 1.0)
    return values.where(low, values.where(close, about, reflected), 1.0 / _positive_gamma(outer))


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


def _betaln(a: Values, b: Values) -> Values:
    """By Stirling's formula where it holds, so that no large logarithms are subtracted (A. R. Didonato and
    A. H. Morris, "Algorithm 708", 1992)."""
    small, large = values.where(a < b, a, b), values.where(a < b, b, a)
    plain = values.gammaln(small) + (values.gammaln(large) - values.gammaln(small + large))
    far = values.where(large > 10, large, 10.0)
    safe = values.where(small > 0, small, 1.0)
    total = safe + far
    change = _stirling(far) - _stirling(total)
    one = values.gammaln(safe) + ((change - (far - 0.5) * log1p(safe / far)) - safe * (log(total) - 1.0))
    both_far = values.where(safe > 10, safe, 10.0)
    total = both_far + far
    ratio = both_far / far
    two = (_stirling(both_far) + _stirling(far) - _stirling(total)) + (
        (both_far - 0.5) * (log(ratio) - log1p(ratio)) - far * log1p(ratio) - log(far) * 0.5 + math.log(2 * math.pi) / 2
    )
    found = values.where((large > 10) & (small > 0), values.where(small > 10, two, one), plain)
    size, pole, _ = _at_poles(small, large)
    found = values.where(pole, size, found)
    return values.where((large > values.LARGEST) & (small > 0), -math.inf, found)


in_double(betaln_, _betaln)
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
    product = _gamma(x) / total * _gamma(y)
    sum_ = x + y
    product = values.where((sum_ < 0.5) & sum_.equals(values.floor(sum_)), 0.0, product)
    found = values.where(moderate, product, exp(_betaln(a, b)))
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
    z, m = tensors((z, m))
    sign = gammasgn(z + m) * gammasgn(z)
    found = sign * exp_(gammaln(z + m) - gammaln(z))
    return where(equal(m, 0), 1.0, found)


@operation
@rounded_once
def binom(n: Array, k: Array, /) -> Tensor:
    """The binomial coefficient, of real n and k by the beta function: 1 / ((n + 1) beta(1 + n - k, 1 + k)).

    0 where k is a whole number below 0 or above a whole n; NaN where n is a negative whole number.
    """
    n, k = tensors((n, k))
    n = floating(n)
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


# --- incomplete gamma functions -------------------------------------------------------------------------


def _density(a: Values, x: Values) -> Values:
    """x ** a exp(-x) / gamma(a), for positive numbers."""
    large = values.where(a > 10, a, 10.0)
    other = exp(large * log1p_less((x - large) / large) - _stirling(large)) * sqrt(large) * (1 / math.sqrt(2 * math.pi))
    small = values.where(a > 10, 1.0, a)
    return values.where(a > 10, other, x**small * exp(-x) / _positive_gamma(small))


def _tails(a: Values, x: Values) -> tuple[Values, Values]:
    """The lower and the upper incomplete gamma function, regularised, of positive numbers."""
    a_, x_ = within(a, 1e-300, 1e10), within(x, 1e-300, 1e10)
    lower = x_ < a_ + 1.0
    large = a_ > 20
    density = _density(a_, x_)
    # The series of DLMF 8.7.1 below, the continued fraction of 8.9.2 above.
    x_s, a_s = values.where(lower, x_, 0.5), values.where(large, 1.0, a_)
    x_s = values.where(large, 0.5, x_s)
    term = 1.0 / a_s
    _, total = scan(
        counted(1, 75),
        lambda row, term, total: (term * x_s / (a_s + row[0]), total + term * x_s / (a_s + row[0])),
        term,
        term,
    )
    x_f = values.where(lower | large, 30.0, x_)
    a_f = values.where(lower | large, 1.0, a_)
    (fraction,) = scan(
        counted(80, 0),
        lambda row, rest: (row[0] * (a_f - row[0]) / (x_f - a_f + (2.0 * row[0] + 1.0) + rest),),
        x_f * 0.0,
    )
    small = density * values.where(lower, total, 1.0 / (x_f - a_f + 1.0 + fraction))
    # Where a is large, by a quadrature of the tail itself.
    found = values.where(large, density * _tail(values.where(large, a_, 20.0), x_, x_ < a_, 0), small)
    lower = values.where(large, x_ - a_, x_ - (a_ + 1.0)) < 0
    found = values.where(found < 1, found, 1.0)
    below = values.where(lower, found, 1.0 - found)
    above = values.where(lower, 1.0 - found, found)
    at_zero, at_infinity = x.equals(0.0), (x > values.LARGEST)
    below = values.where(at_zero, 0.0, values.where(at_infinity, 1.0, below))
    above = values.where(at_zero, 1.0, values.where(at_infinity, 0.0, above))
    outside = (a < 0) | (x < 0) | a.equals(0.0) & at_zero
    a_zero = a.equals(0.0)
    below, above = values.where(a_zero, 1.0, below), values.where(a_zero, 0.0, above)
    below, above = values.where((a > values.LARGEST), 0.0, below), values.where((a > values.LARGEST), 1.0, above)
    return values.where(outside, math.nan, below), values.where(outside, math.nan, above)


def _tail(a: Values, x: Values, lower: Values, power: int) -> Values:
    """The integral of (t / x) ** (a - 1) exp(x - t) log(t) ** power / x over t, from 0 to x or from x on.

    Below t = x exp(-w) and above t = x (1 + w): so the integrand falls as an exponential of w, which is what the
    quadrature is for.
    """
    distance = abs(x - a) + sqrt(a)
    inner = values.where(lower, 1.0 / values.where(a < x, a, distance), values.where(x < a, a / x, 1.0 / distance))
    scale = values.where(lower | (x > 1), inner, 1.0 / x)
    logarithm = log(x)

    below = values.where(lower, 1.0, x * 0.0)

    def integrand(point: Values, a: Values, x: Values, below: Values, scale: Values, logarithm: Values) -> Values:
        w = scale * point
        shift = values.where(below > 0, -w, log1p(w))
        term = exp(a * shift - values.where(below > 0, x * expm1(-w), x * w + shift))
        for _ in range(power):
            term = term * (logarithm + shift)
        return term

    return quadrature(half_line(), integrand, a, x, below, scale, logarithm) * scale


@primitive("elementwise", dtypes="rounded_float")
def gammainc_(a: Array, x: Array, /) -> Tensor:
    """The regularised lower incomplete gamma function."""


@primitive("elementwise", dtypes="rounded_float")
def gammaincc_(a: Array, x: Array, /) -> Tensor:
    """The regularised upper incomplete gamma function."""


@primitive("elementwise", dtypes="rounded_float")
def gamma_moment_(a: Array, x: Array, power: int, upper: bool) -> Tensor:
    """The integral of t ** (a - 1) exp(-t) log(t) ** power / gamma(a), from 0 to x; ``upper``: from x on."""


def _gamma_moment(a: Values, x: Values, power: int, upper: bool) -> Values:
    a_, x_ = within(a, 1e-300, 1e10), within(x, 1e-300, 1e10)
    lower = x_ < (0.0 if upper else 1e300)
    found = _tail(a_, x_, lower, power) * _density(a_, x_)
    return values.where((x > 0) & (a > 0), found, math.nan)


in_double(gammainc_, lambda a, x: _tails(a, x)[0])
in_double(gammaincc_, lambda a, x: _tails(a, x)[1])
in_double(gamma_moment_, _gamma_moment)


def _gamma_density(xp: Any, a: Any, x: Any) -> Any:
    """x ** (a - 1) exp(-x) / gamma(a), with 0 * log(0) = 0."""
    return xp.exp(xp.xlogy(a - 1, x) - x - xp.gammaln(a))


def _by_shape(xp: Any, g: Any, a: Any, x: Any, sign: float) -> Any:
    """The derivative for a: by the smaller of both tails, of which one is the other's with its sign changed."""
    shape = xp.polygamma(a, 0)
    low = xp.gamma_moment(a, x, 1, False) - shape * xp.gammainc(a, x)
    high = xp.gamma_moment(a, x, 1, True) - shape * xp.gammaincc(a, x)
    return g * (xp.where(x < a, low, -high) * sign)


vjp(
    gammainc_,
    lambda xp, g, a, x: _by_shape(xp, g, a, x, 1.0),
    lambda xp, g, a, x: g * _gamma_density(xp, a, x),
)
vjp(
    gammaincc_,
    lambda xp, g, a, x: _by_shape(xp, g, a, x, -1.0),
    lambda xp, g, a, x: -g * _gamma_density(xp, a, x),
)
vjp(
    gamma_moment_,
    lambda xp, g, a, x, out, power, upper: g * (xp.gamma_moment(a, x, power + 1, upper) - xp.polygamma(a, 0) * out),
    lambda xp, g, a, x, power, upper: (
        g * (_gamma_density(xp, a, x) * _power_of_log(xp, x, power) * (-1.0 if upper else 1.0))
    ),
)


def _power_of_log(xp: Any, x: Any, power: int) -> Any:
    logarithm = xp.log(x)
    found = logarithm
    for _ in range(power - 1):
        found = found * logarithm
    return found


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


# --- the incomplete beta function -----------------------------------------------------------------------


@primitive("elementwise", dtypes="real_float")
def betainc_(a: Array, b: Array, x: Array, /) -> Tensor:
    """The regularised incomplete beta function."""


@primitive("elementwise", dtypes="real_float")
def beta_moment_(a: Array, b: Array, x: Array, first: int, second: int) -> Tensor:
    """The integral of t ** (a - 1) (1 - t) ** (b - 1) log(t) ** first log(1 - t) ** second from 0 to x, over
    beta(a, b)."""


def _beta_density(a: Values, b: Values, x: Values, rest: Values) -> Values:
    """x ** a (1 - x) ** b / beta(a, b), where ``rest`` is 1 - x."""
    plain = exp(a * log(x) + b * log(rest) - _betaln(a, b))
    far = (a > 10) & (b > 10)
    a_, b_ = values.where(far, a, 10.0), values.where(far, b, 10.0)
    total = a_ + b_
    mean = a_ / total
    shift = x * b_ - rest * a_  # (x - mean) * total
    first, second = shift / a_, -shift / b_
    exponent = a_ * log1p_less(first) + b_ * log1p_less(second) - (_stirling(a_) + _stirling(b_) - _stirling(total))
    return values.where(far, exp(exponent) * sqrt(mean * b_) * (1 / math.sqrt(2 * math.pi)), plain)


def incomplete_beta(a: Values, b: Values, x: Values, rest: Values) -> Values:
    """The continued fraction of DLMF 8.17.22, on the side of the mean where it converges fast; ``rest`` is 1 - x."""
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    a_, b_, x_ = values.where(inside, a, 1.0), values.where(inside, b, 1.0), values.where(inside, x, 0.5)
    swapped = x_ * (a_ + b_ + 2.0) > a_ + 1.0
    rest = values.where(inside, rest, 0.5)
    p, q = values.where(swapped, b_, a_), values.where(swapped, a_, b_)
    y, z = values.where(swapped, rest, x_), values.where(swapped, x_, rest)

    def step(row: Any, tail: Values) -> tuple[Values]:
        m = row[0]
        even = y * (q - m) * m / ((p + (2.0 * m - 1.0)) * (p + 2.0 * m))
        odd = -y * (p + m) * (p + q + m) / ((p + 2.0 * m) * (p + (2.0 * m + 1.0)))
        return (even / (odd / (1.0 + tail) + 1.0),)

    (tail,) = scan(counted(180, 0), step, y * 0.0)
    first = -y * (p + q) / (p + 1.0)
    found = _beta_density(p, q, y, z) / (p * (first / (1.0 + tail) + 1.0))
    found = values.where(swapped, 1.0 - found, found)
    found = values.where(x.equals(0.0), 0.0, values.where(x.equals(1.0), 1.0, found))
    return values.where((a > 0) & (b > 0) & (x >= 0) & (x <= 1), found, math.nan)


def _beta_moment(a: Values, b: Values, x: Values, first: int, second: int) -> Values:
    inside = (a > 0) & (b > 0) & (x > 0) & (x < 1)
    a_, b_, x_ = values.where(inside, a, 1.0), values.where(inside, b, 1.0), values.where(inside, x, 0.5)
    rest = 1.0 - x_

    def integrand(point: Values, a: Values, b: Values, x: Values, rest: Values) -> Values:
        w = within(point / a, 0.0, 700.0)
        other = log1p(-(x * expm1(-w)) / rest)
        term = exp(other * (b - 1.0) - a * w)
        for _ in range(first):
            term = term * (log(x) - w)
        for _ in range(second):
            term = term * (log(rest) + other)
        return term

    total = quadrature(half_line(), integrand, a_, b_, x_, rest)
    found = total / a_ * _beta_density(a_, b_, x_, rest) / rest
    return values.where(inside, found, math.nan)


in_double(betainc_, lambda a, b, x: incomplete_beta(a, b, x, 1.0 - x))
in_double(beta_moment_, _beta_moment)


def _beta_slope(xp: Any, a: Any, b: Any, x: Any) -> Any:
    """x ** (a - 1) (1 - x) ** (b - 1) / beta(a, b), with 0 * log(0) = 0."""
    return xp.exp(xp.xlogy(a - 1, x) + xp.xlogy(b - 1, 1 - x) - xp.betaln(a, b))


def _by_parameter(xp: Any, g: Any, a: Any, b: Any, x: Any, second: int) -> Any:
    """The derivative for a, or for b: by the smaller of both tails."""
    shape = xp.polygamma(b if second else a, 0) - xp.polygamma(a + b, 0)
    low = xp.beta_moment(a, b, x, 1 - second, second) - shape * xp.betainc(a, b, x)
    high = xp.beta_moment(b, a, 1 - x, second, 1 - second) - shape * xp.betainc(b, a, 1 - x)
    return g * xp.where(x * (a + b) < a, low, -high)


vjp(
    betainc_,
    lambda xp, g, a, b, x: _by_parameter(xp, g, a, b, x, 0),
    lambda xp, g, a, b, x: _by_parameter(xp, g, a, b, x, 1),
    lambda xp, g, a, b, x: g * _beta_slope(xp, a, b, x),
)
vjp(
    beta_moment_,
    lambda xp, g, a, b, x, out, first, second: (
        g * (xp.beta_moment(a, b, x, first + 1, second) - (xp.polygamma(a, 0) - xp.polygamma(a + b, 0)) * out)
    ),
    lambda xp, g, a, b, x, out, first, second: (
        g * (xp.beta_moment(a, b, x, first, second + 1) - (xp.polygamma(b, 0) - xp.polygamma(a + b, 0)) * out)
    ),
    lambda xp, g, a, b, x, first, second: g * (_beta_slope(xp, a, b, x) * _logs(xp, x, first, second)),
)


def _logs(xp: Any, x: Any, first: int, second: int) -> Any:
    found = xp.sign(x)  # 1, as x is positive
    if first:
        found = found * _power_of_log(xp, x, first)
    return found * _power_of_log(xp, 1 - x, second) if second else found


@operation
@rounded_once
def betainc(a: Array, b: Array, x: Array, /) -> Tensor:
    """The regularised incomplete beta function: the integral of t ** (a - 1) (1 - t) ** (b - 1) from 0 to x, over
    beta(a, b). For a, b > 0 and x from 0 to 1, else NaN."""
    return betainc_(a, b, x)


@operation
@rounded_once
def betaincc(a: Array, b: Array, x: Array, /) -> Tensor:
    """1 - betainc(a, b, x), as betainc(b, a, 1 - x)."""
    return betainc_(b, a, 1 - asarray(x))
