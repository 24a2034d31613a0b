"""Distribution functions under SciPy's names, each an incomplete gamma or beta function, with their derivatives."""

from __future__ import annotations

import math
from typing import Any

from unigrad.binding.declaring import primitive
from unigrad.operations.elementwise import equal, floats, floor, greater, greater_equal, less, where
from unigrad.operations.reductions import rounded_once
from unigrad.special import values
from unigrad.special.incomplete import beta_tails, betainc_, betaincc_, gammainc_, gammaincc_
from unigrad.special.values import Values, in_double
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = [
    "bdtr", "bdtrc", "chdtr", "chdtrc", "fdtr", "fdtrc", "gdtr", "gdtrc", "nbdtr", "nbdtrc", "pdtr", "pdtrc", "stdtr",
]  # fmt: skip

_NAN = float("nan")


@operation
@rounded_once
def bdtr(k: Array, n: Array, p: Array, /) -> Tensor:
    """The binomial distribution: the probability of up to floor(k) successes of n with the probability p each."""
    k, n, p = floats(k, n, p)
    k = floor(k)
    inside = less(k, n) & greater_equal(k, 0)
    found = betaincc_(where(inside, k + 1, 1.0), where(inside, n - k, 1.0), p)
    return where(inside, found, where(less(k, 0) | less(n, k), _NAN, 1.0))


@operation
@rounded_once
def bdtrc(k: Array, n: Array, p: Array, /) -> Tensor:
    """The binomial distribution's other tail: the probability of more than floor(k) successes."""
    k, n, p = floats(k, n, p)
    k = floor(k)
    inside = less(k, n) & greater_equal(k, 0)
    found = betainc_(where(inside, k + 1, 1.0), where(inside, n - k, 1.0), p)
    return where(inside, found, where(less(n, k), _NAN, where(less(k, 0), 1.0, 0.0)))


@operation
@rounded_once
def nbdtr(k: Array, n: Array, p: Array, /) -> Tensor:
    """The negative binomial distribution: the probability of up to floor(k) failures before n successes."""
    k, n, p = floats(k, n, p)
    return betainc_(n, floor(k) + 1, p)


@operation
@rounded_once
def nbdtrc(k: Array, n: Array, p: Array, /) -> Tensor:
    """The negative binomial distribution's other tail."""
    k, n, p = floats(k, n, p)
    return betaincc_(n, floor(k) + 1, p)


@operation
@rounded_once
def chdtr(v: Array, x: Array, /) -> Tensor:
    """The chi square distribution with v degrees of freedom."""
    v, x = floats(v, x)
    return gammainc_(v / 2, x / 2)


@operation
@rounded_once
def chdtrc(v: Array, x: Array, /) -> Tensor:
    """The chi square distribution's other tail: 1 for negative x."""
    v, x = floats(v, x)
    below = less(x, 0)
    return where(below, 1.0, gammaincc_(v / 2, where(below, 1.0, x) / 2))


@operation
@rounded_once
def fdtr(dfn: Array, dfd: Array, x: Array, /) -> Tensor:
    """The F distribution with dfn and dfd degrees of freedom."""
    dfn, dfd, x = floats(dfn, dfd, x)
    return betainc_(dfn / 2, dfd / 2, dfn * x / (dfd + dfn * x))


@operation
@rounded_once
def fdtrc(dfn: Array, dfd: Array, x: Array, /) -> Tensor:
    """The F distribution's other tail."""
    dfn, dfd, x = floats(dfn, dfd, x)
    return betainc_(dfd / 2, dfn / 2, dfd / (dfd + dfn * x))


@operation
@rounded_once
def gdtr(a: Array, b: Array, x: Array, /) -> Tensor:
    """The gamma distribution of rate a and shape b."""
    a, b, x = floats(a, b, x)
    return gammainc_(b, a * x)


@operation
@rounded_once
def gdtrc(a: Array, b: Array, x: Array, /) -> Tensor:
    """The gamma distribution's other tail."""
    a, b, x = floats(a, b, x)
    return gammaincc_(b, a * x)


@operation
@rounded_once
def pdtr(k: Array, m: Array, /) -> Tensor:
    """The Poisson distribution: the probability of up to floor(k) events, of which m are expected."""
    k, m = floats(k, m)
    below = less(k, 0)
    found = gammaincc_(floor(where(below, 0.0, k)) + 1, m)
    return where(below, where(greater(m, 0) | equal(m, 0), 0.0, _NAN), found)


@operation
@rounded_once
def pdtrc(k: Array, m: Array, /) -> Tensor:
    """The Poisson distribution's other tail: the probability of more than floor(k) events."""
    k, m = floats(k, m)
    below = less(k, 0)
    found = gammainc_(floor(where(below, 0.0, k)) + 1, m)
    return where(below, where(greater(m, 0) | equal(m, 0), 1.0, _NAN), found)


@primitive("elementwise", dtypes="rounded_float")
def student_(df: Array, t: Array, /) -> Tensor:
    """Student's distribution function."""


def _student(df: Values, t: Values) -> Values:
    """DLMF 8.17.i: the tail by the incomplete beta function, and where t is small the half less the middle."""
    squares = t * t
    central = squares < 1
    half = df * 0.5
    x, rest = df / (squares + df), squares / (squares + df)
    first, second = values.where(central, 0.5, half), values.where(central, half, 0.5)
    part = beta_tails(first, second, values.where(central, rest, x), values.where(central, x, rest))[0] * 0.5
    part = values.where((squares > values.LARGEST), 0.0, part)
    upper = values.where(central, part + 0.5, 1.0 - part)
    lower = values.where(central, 0.5 - part, part)
    return values.where(t < 0, lower, upper)


in_double(student_, _student)


def student_density(xp: Any, df: Any, t: Any) -> Any:
    scale = xp.gammaln((df + 1) * 0.5) - xp.gammaln(df * 0.5) - xp.log(df * math.pi) * 0.5
    return xp.exp(scale - (df + 1) * 0.5 * xp.log1p(t * t / df))


def student_by_freedom(xp: Any, df: Any, t: Any) -> Any:
    """That of the tail, I(df / 2, 1 / 2) at df / (df + t ** 2) over 2: for its first parameter and its argument."""
    t = xp.where(xp.abs(t) == math.inf, 0.0, t)  # where it is 0 as well
    total = df + t * t
    x = df / total
    a, b = df * 0.5, df * 0 + 0.5
    far = t * t > 1
    low = xp.beta_moment(a, b, x, 1, 0)
    rest = t * t / total
    moved = xp.where(rest == 0, 0.5, rest)
    high = -xp.beta_moment(b, a, moved, 0, 1)
    by_shape = xp.where(far, low, xp.where(rest == 0, 0.0, high)) * 0.5
    by_argument = student_density(xp, df, t) * xp.abs(t) / df
    return -xp.sign(t) * (by_shape * 0.5 + by_argument * 0.5)


vjp(
    student_,
    lambda xp, g, df, t: g * student_by_freedom(xp, df, t),
    lambda xp, g, df, t: g * student_density(xp, df, t),
)


@operation
@rounded_once
def stdtr(df: Array, t: Array, /) -> Tensor:
    """Student's distribution with df degrees of freedom."""
    return student_(df, t)
