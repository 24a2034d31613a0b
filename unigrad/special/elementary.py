"""Functions that are short formulas of the usual ones, written so that neither values nor derivatives overflow or
cancel; and the reductions that go with them, under SciPy's names and with its defaults."""

from __future__ import annotations

import math
from typing import Any

from unigrad.binding.declaring import primitive
from unigrad.nn import sigmoid, softplus
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import (
    absolute,
    cbrt,
    divide,
    equal,
    exp,
    exp2,
    expm1,
    floats,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    log1p,
    logaddexp,
    multiply,
    negative,
    power,
    remainder,
    sign,
    sin,
    sinc,
    sqrt,
    square,
    subtract,
    where,
    xlogy,
)
from unigrad.operations.reductions import logsumexp as _logsumexp
from unigrad.operations.reductions import max as _max
from unigrad.operations.reductions import rounded_once
from unigrad.operations.reductions import sum as _sum
from unigrad.special import values
from unigrad.special.values import Values, in_double, polynomial, within
from unigrad.special.values import expm1 as _expm1
from unigrad.table import Array, operation, vjp
from unigrad.tensor.tensor import Tensor

__all__ = [
    "boxcox", "boxcox1p", "cbrt", "cosdg", "cosm1", "cotdg", "entr", "exp10", "exp2", "expit", "expm1", "exprel",
    "huber", "inv_boxcox", "inv_boxcox1p", "kl_div", "log1p", "log_expit", "log_softmax", "logaddexp", "logit",
    "logsumexp", "pseudo_huber", "radian", "rel_entr", "sinc", "sindg", "softmax", "softplus", "tandg", "xlog1py",
    "xlogy",
]  # fmt: skip

expit = sigmoid


@operation
def logit(p: Array, /) -> Tensor:
    """log(p / (1 - p)), the inverse of :func:`expit`: infinite at 0 and 1, NaN beyond."""
    return logit_(p)


@primitive("elementwise", dtypes="rounded_float")
def logit_(p: Array, /) -> Tensor:
    """log(p / (1 - p))."""


def _logit(p: Values) -> Values:
    """About 1 / 2, where the quotient is near 1, as the difference of two log1p."""
    double = within(p, 0.25, 0.75) * 2.0 - 1.0
    near = values.log1p(double) - values.log1p(-double)
    far = values.log(p / (1.0 - p))
    return values.where((p > 0.25) & (p < 0.75), near, far)


in_double(logit_, _logit)
vjp(logit_, lambda xp, g, p: g / (p * (1 - p)))


@operation
def log_expit(x: Array, /) -> Tensor:
    """log(expit(x)), without overflow."""
    return negative(softplus(negative(x)))


@primitive("elementwise", dtypes="rounded_float")
def xlog1py_(x: Array, y: Array, /) -> Tensor:
    """x * log1p(y)."""


def _xlog1py(x: Values, y: Values) -> Values:
    return values.where(x.equals(0.0), 0.0, x * values.log1p(y))


in_double(xlog1py_, _xlog1py)
vjp(xlog1py_, lambda xp, g, y: g * xp.log1p(y), lambda xp, g, x, y: g * x / (y + 1))


@operation
def xlog1py(x: Array, y: Array, /) -> Tensor:
    """x * log1p(y), and 0 where x is 0 and y is not NaN."""
    return xlog1py_(x, y)


@primitive("elementwise", dtypes="rounded_float")
def entr_(x: Array, /) -> Tensor:
    """-x * log(x)."""


def _entr(x: Values) -> Values:
    inside = x > 0
    found = -(x * values.log(values.where(inside, x, 1.0)))
    return values.where(inside, found, values.where(x < 0, -math.inf, x * 0.0))


def _entr_slope(xp: Any, g: Any, x: Any) -> Any:
    below = x < 0
    return g * xp.where(below, 0.0, -xp.log(xp.where(below, 1.0, x)) - 1)


in_double(entr_, _entr)
vjp(entr_, _entr_slope)


@operation
def entr(x: Array, /) -> Tensor:
    """-x * log(x): 0 at 0, where the slope is infinite, and minus infinity below."""
    return entr_(x)


@operation
@rounded_once
def rel_entr(x: Array, y: Array, /) -> Tensor:
    """x * log(x / y): 0 where x is 0 and y is not negative, infinite where else one of them is not positive."""
    x, y = floats(x, y)
    inside = greater(x, 0) & greater(y, 0)
    x_, y_ = where(inside, x, 1.0), where(inside, y, 1.0)
    found = multiply(x_, log(divide(x_, y_)))
    at_zero = equal(x, 0) & greater_equal(y, 0)
    x_, y_ = where(at_zero, x, 1.0), where(at_zero, y, 1.0)
    # 0, of the slope log(0 / y) in x, which is the difference of those of 0 * log(0) and 0 * log(y).
    still = xlogy(x_, x_.detach()) - xlogy(x_, y_)
    outside = where(at_zero, still, where(equal(x, x) & equal(y, y), math.inf, math.nan))
    return where(inside, found, outside)


@operation
@rounded_once
def kl_div(x: Array, y: Array, /) -> Tensor:
    """x * log(x / y) - x + y: y where x is 0 and y is not negative, infinite where else one of them is not positive."""
    x, y = floats(x, y)
    finite = greater_equal(x, 0) & greater_equal(y, 0)
    return rel_entr(x, y) + where(finite, subtract(y, x), 0.0)


@operation
@rounded_once
def huber(delta: Array, r: Array, /) -> Tensor:
    """r * r / 2 up to a size of ``delta``, delta * (abs(r) - delta / 2) beyond; infinite where delta is negative."""
    delta, r = floats(delta, r)
    size = absolute(r)
    found = where(less_equal(size, delta), square(r) * 0.5, delta * (size - delta * 0.5))
    return where(less(delta, 0), math.inf, found)


@operation
@rounded_once
def pseudo_huber(delta: Array, r: Array, /) -> Tensor:
    """delta ** 2 * (sqrt(1 + (r / delta) ** 2) - 1): 0 where delta is 0 and infinite where it is negative."""
    delta, r = floats(delta, r)
    inside = greater(delta, 0)
    safe = where(inside, delta, 1.0)
    squares = square(r / safe)
    # The root less 1, without cancellation.
    found = square(r) / (sqrt(squares + 1) + 1)
    return where(inside, found, where(less(delta, 0), math.inf, 0.0))


@operation
def exp10(x: Array, /) -> Tensor:
    """10 ** x."""
    return power(10.0, asarray(x))


@operation
def cosm1(x: Array, /) -> Tensor:
    """cos(x) - 1, accurate near 0."""
    return multiply(square(sin(multiply(x, 0.5))), -2.0)


@primitive("elementwise", dtypes="rounded_float")
def exprel_(x: Array, order: int) -> Tensor:
    """The derivative of some order of (exp(x) - 1) / x."""


def _exprel(x: Values, order: int) -> Values:
    """The integral of t ** order exp(x t) over t from 0 to 1: by its series, or by parts from 2 + order on."""
    edge = 2.0 + 2.0 * order
    near = within(x, -edge, edge)
    coefficients = [1 / (math.factorial(power) * (power + order + 1)) for power in range(34 + 5 * order)]
    small = polynomial(near, coefficients)
    far = values.where(abs(x) >= edge, x, edge)
    found = _expm1(far) / far
    for number in range(1, order + 1):
        found = (values.exp(far) - found * float(number)) / far
    found = values.where((x < -values.LARGEST), 0.0, values.where((x > values.LARGEST), math.inf, found))
    return values.where(abs(x) < edge, small, found)


in_double(exprel_, _exprel)
vjp(exprel_, lambda xp, g, x, order: g * xp.exprel(x, order + 1))


@operation
def exprel(x: Array, /) -> Tensor:
    """(exp(x) - 1) / x, and 1 at 0."""
    return exprel_(x, 0)


# --- transforms of data ---------------------------------------------------------------------------------


@operation
@rounded_once
def boxcox(x: Array, lmbda: Array, /) -> Tensor:
    """(x ** lmbda - 1) / lmbda, and log(x) where lmbda is 0."""
    x, lmbda = floats(x, lmbda)
    logarithm = log(x)
    return logarithm * exprel_(lmbda * logarithm, 0)


@operation
@rounded_once
def boxcox1p(x: Array, lmbda: Array, /) -> Tensor:
    """((1 + x) ** lmbda - 1) / lmbda, and log(1 + x) where lmbda is 0."""
    x, lmbda = floats(x, lmbda)
    logarithm = log1p(x)
    return logarithm * exprel_(lmbda * logarithm, 0)


@primitive("elementwise", dtypes="rounded_float")
def log1prel_(x: Array, order: int) -> Tensor:
    """The derivative of some order of log(1 + x) / x."""


def _log1prel(x: Values, order: int) -> Values:
    """Its power series near 0, and beyond the quotient, differentiated by Leibniz' rule."""
    near = within(x, -0.25, 0.25)
    coefficients = []
    for power_ in range(34):
        falling = math.factorial(power_ + order) / math.factorial(power_)
        coefficients.append((-1) ** (power_ + order) * falling / (power_ + order + 1))
    small = polynomial(near, coefficients)
    far = values.where(abs(x) < 0.25, 0.25, x)
    found = values.log1p(far) / far
    slope = 1.0 / (far + 1.0)
    derivative = slope
    for number in range(1, order + 1):
        found = (derivative - found * float(number)) / far
        derivative = derivative * slope * -float(number)
    return values.where(abs(x) < 0.25, small, found)


in_double(log1prel_, _log1prel)
vjp(log1prel_, lambda xp, g, x, order: g * xp.log1prel(x, order + 1))


@operation
@rounded_once
def inv_boxcox(y: Array, lmbda: Array, /) -> Tensor:
    """The inverse of :func:`boxcox`: (1 + lmbda * y) ** (1 / lmbda), and exp(y) where lmbda is 0."""
    y, lmbda = floats(y, lmbda)
    return exp(y * log1prel_(lmbda * y, 0))


@operation
@rounded_once
def inv_boxcox1p(y: Array, lmbda: Array, /) -> Tensor:
    """The inverse of :func:`boxcox1p`."""
    y, lmbda = floats(y, lmbda)
    return expm1(y * log1prel_(lmbda * y, 0))


# --- angles in degrees ------------------------------------------------------------------------------------


def _folded(x: Array) -> Tensor:
    (x,) = floats(x)
    turned = remainder(x, 360.0)
    return where(greater(turned, 180.0), turned - 360.0, turned)


@operation
def sindg(x: Array, /) -> Tensor:
    """The sine of an angle in degrees."""
    angle = _folded(x)
    # From -90 to 90, so that multiples of 180 give 0.
    angle = where(greater(angle, 90.0), 180.0 - angle, where(less(angle, -90.0), -180.0 - angle, angle))
    return sin(angle * (math.pi / 180))


@operation
def cosdg(x: Array, /) -> Tensor:
    """The cosine of an angle in degrees."""
    return sin((90.0 - _about(_folded(x))) * (math.pi / 180))


def _about(angle: Tensor) -> Tensor:
    return multiply(angle, sign(where(equal(angle, 0), 1.0, angle)))


@operation
def tandg(x: Array, /) -> Tensor:
    """The tangent of an angle in degrees, infinite where the cosine is 0."""
    return sindg(x) / cosdg(x)


@operation
def cotdg(x: Array, /) -> Tensor:
    """The cotangent of an angle in degrees, infinite where the sine is 0."""
    return cosdg(x) / sindg(x)


@operation
def radian(d: Array, m: Array, s: Array, /) -> Tensor:
    """Degrees, minutes and seconds as radians."""
    d, m, s = floats(d, m, s)
    return (d + (m + s / 60) / 60) * (math.pi / 180)


# --- reductions -------------------------------------------------------------------------------------------


@operation
def logsumexp(
    a: Array,
    axis: int | tuple[int, ...] | None = None,
    b: Array | None = None,
    keepdims: bool = False,
    return_sign: bool = False,
) -> Any:
    """log(sum(b * exp(a))) over axes, of all elements if there is none named, without overflow.

    ``return_sign``: the logarithm of the size of the sum and its sign; else it is NaN where the sum is negative.
    """
    if b is None and not return_sign:
        return _logsumexp(a, axis=axis, keepdims=keepdims)
    (a,) = floats(a)
    top = _max(a.detach(), axis=axis, keepdims=True)
    top = where(equal(absolute(top), math.inf), 0.0, top)
    terms = exp(a - top)
    total = _sum(terms if b is None else multiply(b, terms), axis=axis, keepdims=keepdims)
    size, of = (absolute(total), sign(total)) if return_sign else (total, None)
    found = log(size) + (top if keepdims else _max(top, axis=axis))
    return (found, of) if return_sign else found


@operation
@rounded_once
def softmax(x: Array, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """exp(x) over its sum along axes, over all elements if there is none named."""
    (x,) = floats(x)
    return exp(log_softmax(x, axis))


@operation
@rounded_once
def log_softmax(x: Array, axis: int | tuple[int, ...] | None = None) -> Tensor:
    """The logarithm of :func:`softmax`."""
    (x,) = floats(x)
    return subtract(x, _logsumexp(x, axis=axis, keepdims=True))
