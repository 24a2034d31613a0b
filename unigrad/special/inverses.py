"""Inverses of the incomplete gamma and beta functions, and of Student's distribution, by their last argument.

All by one solver: the logarithms of these distributions, of both tails, are concave in log(x), of the beta
distribution in log(x / (1 - x)), where Newton's steps converge from wherever they start; and their asymptote at the far
end says how far they may go. Derivatives are those of an implicit function: 1 over the density, and by a parameter less
the distribution's own derivative over it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unigrad.binding.declaring import primitive
from unigrad.operations.elementwise import floats
from unigrad.operations.reductions import rounded_once
from unigrad.special import values
from unigrad.special.distributions import student_by_freedom, student_density
from unigrad.special.gammas import log_beta
from unigrad.special.incomplete import beta_tails, by_parameter, by_shape, gamma_tails, log_of_part
from unigrad.special.values import Values, counted, exp, expm1, gammaln, in_double, log, scan, sqrt, within
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = ["betainccinv", "betaincinv", "chdtri", "gammainccinv", "gammaincinv", "stdtrit"]

_STEPS = 16
_LEAST = 1e-307
"""Tails below it are not told apart: the inverses are right for probabilities from about 1e-290 on."""


def _solved(
    tails: Callable[[Values], tuple[Values, Values, Values]],
    p: Values,
    q: Values,
    start: Values,
    lowest: Values,
    highest: Values,
    spread: Values,
) -> tuple[Values, Values]:
    """Where the lower tail is p and the upper one q, of which the smaller is looked at: exp(y), for y from ``start``,
    and y. A root so near 0 that it may underflow is where the lower tail's asymptote has it, at ``lowest``.

    ``tails`` are both of exp(y), with the derivative of the lower one for y. The logarithm of a lower tail has its root
    from ``lowest`` on, that of an upper one up to ``highest``; where a tail underflows, it goes back by a part of
    ``spread``.
    """
    is_lower = p < q
    sign = values.where(is_lower, p * 0.0 + 1.0, -1.0)
    aim = log(within(values.where(is_lower, p, q), _LEAST, 1.0))
    asymptote, vanishes = lowest, is_lower & (lowest < -650)
    lowest = within(values.where(is_lower, lowest, -700.0), -700.0, 700.0)
    highest = within(values.where(is_lower, 700.0, highest), -700.0, 700.0)

    def step(_: Any, x: Values, y: Values, settled: Values) -> tuple[Values, Values, Values]:
        below, above, density = tails(x)
        tail = values.where(is_lower, below, above)
        size = within(tail, _LEAST, 1.0)
        change = (log(size) - aim) * (size / values.where(density > _LEAST, density, _LEAST))
        change = sign * values.where(tail > _LEAST, change, spread * -0.3)
        # Only by what it changes, since a large logarithm has lost digits of x.
        moved = within(y - change, lowest, highest)
        near = abs(change) < 0.5
        x = values.where(near, x * exp(-values.where(near, change, 0.0)), exp(moved))
        # Of this step's error the next one leaves the square.
        settled = values.where(abs(change) < 1e-9, settled * 0.0 + 1.0, 0.0)
        return x, values.where(near, y - change, moved), settled

    y = within(start, lowest, highest)
    x, y, _ = scan(counted(0, _STEPS), step, exp(y), y, y * 0.0, until=True)
    return values.where(vanishes, exp(asymptote), x), values.where(vanishes, asymptote, y)


# --- gamma ----------------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def gammaincinv_(a: Array, p: Array, /) -> Tensor:
    """Where gammainc(a, x) is p."""


@primitive("elementwise", dtypes="rounded_float")
def gammainccinv_(a: Array, q: Array, /) -> Tensor:
    """Where gammaincc(a, x) is q."""


def _gamma_inverse(a: Values, p: Values, q: Values) -> Values:
    """From E. B. Wilson's and M. M. Hilferty's cube of a normal variable (1931), and where a is small from x ** a /
    gamma(1 + a), above which no lower tail is."""
    inside = (a > 0) & (p > 0) & (q > 0)
    a_, p_, q_ = values.where(inside, a, 1.0), values.where(inside, p, 0.5), values.where(inside, q, 0.5)
    lowest = (log_of_part(p_, q_) + gammaln(a_ + 1.0)) / a_
    normal = _normal(p_, q_)
    root = 1.0 - 1.0 / (a_ * 9.0) + normal / (sqrt(a_) * 3.0)
    cube = log(a_) + log(within(root, 0.05, 1e300)) * 3.0
    upper = log(within(-log(q_), 1e-2, 750.0))
    # Of a small parameter the upper tail is about a times the exponential integral.
    start = values.where(a_ > 1, cube, values.where((p_ > q_) & (q_ < a_ * 0.2), upper, lowest))
    start = values.where(root < 0.05, lowest, start)
    highest = values.where(a_ > 1, start + 2.0, upper)
    found, _ = _solved(lambda x: gamma_tails(a_, x), p_, q_, start, lowest, highest, 1.0 / sqrt(a_ + 1.0))
    found = values.where(p.equals(0.0), 0.0, values.where(q.equals(0.0), math.inf, found))
    return values.where((a > 0) & (p >= 0) & (q >= 0), found, math.nan)


def _normal(p: Values, q: Values) -> Values:
    """Where the normal distribution is p, to three digits: Abramowitz and Stegun 26.2.23."""
    tail = values.where(p < q, p, q)
    t = sqrt(log(within(tail, _LEAST, 0.5)) * -2.0)
    size = t - (t * (t * 0.010328 + 0.802853) + 2.515517) / (t * (t * (t * 0.001308 + 0.189269) + 1.432788) + 1.0)
    return values.where(p < q, -size, size)


in_double(gammaincinv_, lambda a, p: _gamma_inverse(a, p, 1.0 - p))
in_double(gammainccinv_, lambda a, q: _gamma_inverse(a, 1.0 - q, q))


def _inner(xp: Any, out: Any, end: float) -> tuple[Any, Any]:
    """Whether the result is no end of the distribution, and the result, or some number where it is."""
    inside = (out > 0) & (out < end)
    return inside, xp.where(inside, out, 0.5)


def _gamma_inverse_by_shape(xp: Any, g: Any, a: Any, out: Any) -> Any:
    inside, x = _inner(xp, out, math.inf)
    return g * xp.where(inside, -by_shape(xp, a, x) / xp.gamma_density(a, x), out * 0)


vjp(gammaincinv_, _gamma_inverse_by_shape, lambda xp, g, a, out: g / xp.gamma_density(a, out))
vjp(gammainccinv_, _gamma_inverse_by_shape, lambda xp, g, a, out: -g / xp.gamma_density(a, out))


@operation
def gammaincinv(a: Array, p: Array, /) -> Tensor:
    """The x where gammainc(a, x) is p: 0 where p is 0 and infinite where it is 1; NaN where a is not positive or p
    beyond 0 and 1."""
    return gammaincinv_(a, p)


@operation
def gammainccinv(a: Array, q: Array, /) -> Tensor:
    """The x where gammaincc(a, x) is q, accurate also where that is small."""
    return gammainccinv_(a, q)


@operation
@rounded_once
def chdtri(v: Array, q: Array, /) -> Tensor:
    """The x where chdtrc(v, x) is q: above which a chi square variable of v degrees of freedom is with probability
    q."""
    v, q = floats(v, q)
    return 2 * gammainccinv_(v / 2, q)


# --- beta -----------------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def betaincinv_(a: Array, b: Array, p: Array, /) -> Tensor:
    """Where betainc(a, b, x) is p."""


@primitive("elementwise", dtypes="rounded_float")
def betainccinv_(a: Array, b: Array, q: Array, /) -> Tensor:
    """Where betaincc(a, b, x) is q."""


def _odds(a: Values, b: Values, p: Values, q: Values) -> tuple[Values, Values]:
    """x / (1 - x) and its logarithm, for parameters above 0 and p and q between 0 and 1.

    From a normal variable's of the mean and spread of log(x / (1 - x)) where both parameters are large, else from the
    asymptote of the smaller tail, but never from beyond where -log(1 - x) b of that tail would be if the parameter b
    of its end were infinite: there it may underflow (B. Laurent and P. Massart, 2000, lemma 1, of a gamma variable).
    """
    whole = log_beta(a, b)
    lowest = (log_of_part(p, q) + whole + log(a)) / a
    highest = -(log_of_part(q, p) + whole + log(b)) / b
    spread = sqrt(1.0 / a + 1.0 / b)
    middle = log(a) - log(b) + _normal(p, q) * spread
    size = -log(values.where(p < q, p, q))
    own, end = values.where(p < q, b, a), values.where(p < q, a, b)
    farthest = (own + sqrt(own * size * 2.0) + size) / end
    farthest = farthest + log(-expm1(-farthest))  # log(exp(farthest) - 1)
    start = values.where((a > 1) & (b > 1), middle, values.where(p < q, lowest, highest))
    start = values.where(
        p < q, values.where(start < -farthest, -farthest, start), values.where(start > farthest, farthest, start)
    )

    def tails(odds: Values) -> tuple[Values, Values, Values]:
        rest = 1.0 / (odds + 1.0)
        return beta_tails(a, b, odds * rest, rest)

    return _solved(tails, p, q, start, lowest, highest, spread)


def _beta_inverse(a: Values, b: Values, p: Values, q: Values) -> Values:
    valid = (a > 0) & (b > 0) & (p >= 0) & (q >= 0)
    inside = valid & (p > 0) & (q > 0)
    a_, b_, p_, q_ = (values.where(inside, value, other) for value, other in ((a, 1.0), (b, 1.0), (p, 0.5), (q, 0.5)))
    odds, _ = _odds(a_, b_, p_, q_)
    found = odds / (odds + 1.0)
    found = values.where(p.equals(0.0), 0.0, values.where(q.equals(0.0), 1.0, found))
    return values.where(valid, found, math.nan)


in_double(betaincinv_, lambda a, b, p: _beta_inverse(a, b, p, 1.0 - p))
in_double(betainccinv_, lambda a, b, q: _beta_inverse(a, b, 1.0 - q, q))


def _beta_inverse_by(second: int) -> Any:
    def rule(xp: Any, g: Any, a: Any, b: Any, out: Any) -> Any:
        inside, x = _inner(xp, out, 1.0)
        return g * xp.where(inside, -by_parameter(xp, a, b, x, second) / xp.beta_density(a, b, x), out * 0)

    return rule


vjp(
    betaincinv_,
    _beta_inverse_by(0),
    _beta_inverse_by(1),
    lambda xp, g, a, b, out: g / xp.beta_density(a, b, out),
)
vjp(
    betainccinv_,
    _beta_inverse_by(0),
    _beta_inverse_by(1),
    lambda xp, g, a, b, out: -g / xp.beta_density(a, b, out),
)


@operation
@rounded_once
def betaincinv(a: Array, b: Array, p: Array, /) -> Tensor:
    """The x where betainc(a, b, x) is p, for positive a and b and p from 0 to 1, else NaN."""
    return betaincinv_(a, b, p)


@operation
@rounded_once
def betainccinv(a: Array, b: Array, q: Array, /) -> Tensor:
    """The x where betaincc(a, b, x) is q, accurate also where that is small."""
    return betainccinv_(a, b, q)


# --- Student's ------------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="rounded_float")
def student_inverse_(df: Array, p: Array, /) -> Tensor:
    """Where Student's distribution function is p."""


def _student_inverse(df: Values, p: Values) -> Values:
    """By the tail's beta distribution, or the middle's where that is smaller."""
    valid = (df > 0) & (p >= 0) & (p <= 1)
    inside = valid & (p > 0) & (p < 1) & (abs(p - 0.5) > 0)
    df_, p_ = values.where(inside, df, 1.0), values.where(inside, p, 0.25)
    half, tail = df_ * 0.5, values.where(p_ < 0.5, p_, 1.0 - p_) * 2.0
    central = tail > 0.5
    first, second = values.where(central, 0.5, half), values.where(central, half, 0.5)
    middle = abs(p_ - 0.5) * 2.0
    odds, logarithm = _odds(first, second, values.where(central, middle, tail), values.where(central, tail, middle))
    near = odds > 1e-280
    ratio = values.where(near, odds, 1.0)
    root = values.where(near, sqrt(values.where(central, ratio, 1.0 / ratio)), exp(logarithm * -0.5))
    size = sqrt(df_) * root
    found = values.where(inside, values.where(p_ < 0.5, -size, size), 0.0)
    found = values.where(p.equals(0.0), -math.inf, values.where(p.equals(1.0), math.inf, found))
    return values.where(valid, found, math.nan)


in_double(student_inverse_, _student_inverse)


def _student_inverse_by_freedom(xp: Any, g: Any, df: Any, out: Any) -> Any:
    inside = xp.abs(out) < math.inf
    t = xp.where(inside, out, 0.5)
    return g * xp.where(inside, -student_by_freedom(xp, df, t) / student_density(xp, df, t), 0.0)


vjp(
    student_inverse_,
    _student_inverse_by_freedom,
    lambda xp, g, df, out: g / student_density(xp, df, out),
)


@operation
@rounded_once
def stdtrit(df: Array, p: Array, /) -> Tensor:
    """The t where stdtr(df, t) is p: infinite at the ends, NaN beyond and where df is not positive."""
    return student_inverse_(df, p)
