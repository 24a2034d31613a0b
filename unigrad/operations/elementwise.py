"""Elementwise operations and their derivatives.

At a kink the derivative is the one of least norm among those that the two sides allow: ``abs`` and
``relu`` give 0 at 0, a tie of ``maximum`` is shared half and half. ``clip`` is the exception: at its
edges the value still moves with x, so x gets the whole gradient and the bounds none.
"""

from __future__ import annotations

import builtins
import cmath
import math
from functools import reduce
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import whole_number
from unigrad.base.errors import ArgumentError, DtypeError
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import asarray, astype_
from unigrad.table import Array, alias, composed, jvp, operation, root_of, vjp
from unigrad.tensor.coercion import one_number, tensors
from unigrad.tensor.roots import identity, is_root, rooted, unchanging
from unigrad.tensor.tensor import Tensor

__all__ = [
    "abs", "absolute", "acos", "acosh", "add", "angle", "arccos", "arccosh", "arcsin", "arcsinh", "arctan",
    "arctan2", "arctanh", "asin", "asinh", "atan", "atan2", "atanh", "bitwise_and", "bitwise_invert",
    "bitwise_left_shift", "bitwise_not", "bitwise_or", "bitwise_right_shift", "bitwise_xor", "cbrt", "ceil",
    "clip", "conj", "conjugate", "copysign", "cos", "cosh", "deg2rad", "degrees", "digamma", "divide",
    "equal", "erf", "exp", "exp2", "expm1", "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod",
    "gammaln", "greater", "greater_equal", "heaviside", "hypot", "imag", "isfinite", "isinf", "isnan",
    "isneginf", "isposinf", "less", "less_equal", "log", "log10", "log1p", "log2", "logaddexp",
    "logaddexp2", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "mod",
    "multiply", "nan_to_num", "negative", "nextafter", "not_equal", "polygamma", "positive", "pow", "power",
    "rad2deg", "radians", "real", "reciprocal", "remainder", "round", "sign", "signbit", "sin", "sinc",
    "sinh", "sqrt", "square", "subtract", "tan", "tanh", "true_divide", "trunc", "xlogy",
]  # fmt: skip


def _zero(xp: Any, g: Any) -> Any:
    """The derivative of what is constant between its jumps: 0 for every cotangent, infinite ones and NaN too."""
    never = g < g if g.dtype.kind != "c" else (g == g) & (g != g)
    return xp.where(never, g, 0.0)


def floats(*arrays: Array) -> list[Tensor]:
    """Arrays of one backend in the floating dtype that they have in common, real ones beside complex ones in that of
    the parts: what a function does with one of them before they meet is not done with fewer digits."""
    found = tensors(arrays, whole=True)
    kind = found[0]._dtype
    if kind.kind in dtypes.FLOATING and builtins.all(x._dtype is kind for x in found):
        return found
    common = dtypes.to_float(reduce(dtypes.promote, [x.dtype for x in found]))
    kinds = [common if x.dtype.kind == "c" else dtypes.real_of(common) for x in found]
    return [x if x.dtype == kind else astype_(x, kind) for x, kind in zip(found, kinds, strict=True)]


# --- arithmetic -------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="any", scalars=True, public=True)
def add(x1: Array, x2: Array, /) -> Tensor:
    """x1 + x2, elementwise with broadcasting."""


vjp(add, lambda xp, g: g, lambda xp, g: g)


@primitive("elementwise", scalars=True, public=True)
def subtract(x1: Array, x2: Array, /) -> Tensor:
    """x1 - x2, elementwise with broadcasting."""


vjp(subtract, lambda xp, g: g, lambda xp, g: -g)


@primitive("elementwise", dtypes="any", scalars=True, public=True)
def multiply(x1: Array, x2: Array, /) -> Tensor:
    """x1 * x2, elementwise with broadcasting."""


vjp(multiply, lambda xp, g, x2: g * x2, lambda xp, g, x1: g * x1)


@primitive("elementwise", dtypes="float", scalars=True, public=True)
def divide(x1: Array, x2: Array, /) -> Tensor:
    """x1 / x2, elementwise with broadcasting; integers are divided as the default float dtype."""


vjp(divide, lambda xp, g, x2: g / x2, lambda xp, g, x2, out: -g * out / x2)


@primitive("elementwise", dtypes="real_numeric", scalars=True, public=True)
def floor_divide(x1: Array, x2: Array, /) -> Tensor:
    """x1 // x2, rounded towards minus infinity, and 0 of integers divided by 0; its derivative is zero."""


vjp(floor_divide, _zero, _zero)


@primitive("elementwise", dtypes="real_numeric", scalars=True, public=True)
def remainder(x1: Array, x2: Array, /) -> Tensor:
    """x1 % x2, with the sign of x2, as Python's, and 0 of integers divided by 0."""


vjp(remainder, lambda xp, g: g, lambda xp, g, x1, x2: -g * xp.floor_divide(x1, x2))


@primitive("elementwise", scalars=True, public=True)
def power(x1: Array, x2: Array, /) -> Tensor:
    """x1 ** x2, elementwise with broadcasting.

    The derivative for x1 is 0 wherever x2 is 0, and the one for x2 is 0 where x1 is 0 and x2 is not
    negative, since the function is constant along that line.
    """


def _held(number: float, dtype: Any) -> float:
    """A real number, 0 or infinite where it is beyond a floating dtype."""
    if dtype.kind not in dtypes.REAL_FLOATING or 1e-6 < builtins.abs(number) < 6e4:  # within float16's range
        return number
    return float(one_number(number, dtype))


def _vanishes(number: complex, dtype: Any) -> bool:
    """Whether a number is 0 in a dtype."""
    return number == 0 or (builtins.abs(number) < 1e-6 and bool(one_number(number, dtype) == 0))


def _nearly_whole(x2: complex) -> bool:
    """Whether a number is not whole, but so nearly that a floating dtype may take it, or a sum with 1, for whole."""
    if not isinstance(x2, float) or not x2 % 1:
        return False
    return builtins.abs(x2 - builtins.round(x2)) <= 0.01 * builtins.max(builtins.abs(x2), 1)


def _power_base(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    if isinstance(x2, (int, float, complex)):
        if _vanishes(x2, x1.dtype):
            return _zero(xp, g)
        if _nearly_whole(x2) and x1.dtype.kind in dtypes.REAL_FLOATING:
            x2 = float(one_number(x2, x1.dtype))
            if x2 % 1 and not float(one_number(x2 - 1, x1.dtype)) % 1:
                broken = xp.logical_and(x1 < 0, xp.isfinite(x1))
                none = xp.sqrt(xp.where(broken, x1, 1.0))
                return g * (xp.where(broken, none, xp.power(x1, x2 - 1)) * x2)
        # Of most numbers x2 - 1 is exact. Of the others it is rounded, for lower_power takes ten times as long.
        return g * (x1 * 2) if x2 == 2 else g * (xp.power(x1, x2 - 1) * x2)
    constant = x2 == 0
    return xp.where(constant, 0.0, g * x2 * xp.lower_power(x1, xp.where(constant, 1.0, x2)))


def _power_exponent(xp: Any, g: Any, x1: Any, x2: Any, out: Any) -> Any:
    if isinstance(x1, (int, float)):
        x1 = _held(x1, x2.dtype)
        if 0 < x1 < math.inf:
            return g * out * math.log(x1)
        x1 = xp.sign(x2) * 0 + x1
    elif isinstance(x1, complex):
        return g * out * cmath.log(x1) if x1 else g * out * 0
    at_zero = x1 == 0
    log = xp.log(xp.where(at_zero, 1.0, x1))
    if g.dtype.kind == "c":
        return g * xp.where(at_zero, out * 0, out * log)
    # The infinite slope is a constant: one that depended on g would make NaN of 0 in the next derivative.
    return g * xp.where(at_zero, xp.where(x2 < 0, -math.inf, xp.sign(x2) * 0), out * log)


vjp(power, _power_base, _power_exponent)
pow = alias("pow", power)


@primitive("elementwise", dtypes="float")
def lower_power_(x1: Array, x2: Array, /) -> Tensor:
    """x1 ** (x2 - 1), without what rounding the exponent costs: up to (x2 - 1) log(x1) units in the last place."""


def _lower_power(xp: Any, x1: Any, x2: Any) -> Any:
    exponent = xp.subtract(x2, 1.0)
    # Exact, and 0 from x2 = 1 / 2 on (T. J. Dekker, "A floating-point technique for extending precision", 1971).
    # Of x2 - (exponent + 1) XLA makes 0.
    lost = xp.add(x2, xp.subtract(-1.0, exponent))
    change = xp.multiply(lost, xp.log(x1))  # not finite where x1 is 0, negative or infinite: nothing to mend there
    found = xp.multiply(xp.power(x1, exponent), xp.add(xp.where(xp.isfinite(change), change, 0.0), 1.0))
    if xp.dtype(x1).kind == "c":
        return found
    # The exponent may have been rounded to a whole number, as 1e-9 - 1 is to -1, of which negative numbers have powers.
    broken = xp.logical_and(xp.less(x1, 0.0), xp.not_equal(xp.floor(x2), x2))
    return xp.where(xp.logical_and(broken, xp.isfinite(x1)), math.nan, found)


composed(lower_power_, _lower_power)
vjp(
    lower_power_,
    lambda xp, g, x1, x2, out: _power_base(xp, g, x1, x2 - 1) * xp.where(out == out, 1.0, out),
    lambda xp, g, x1, x2, out: _power_exponent(xp, g, x1, x2 - 1, out),
)


mod = alias("mod", remainder)
true_divide = alias("true_divide", divide)


@primitive("elementwise", dtypes="real_numeric", public=True)
def fmod(x1: Array, x2: Array, /) -> Tensor:
    """What is left of x1 after as many whole x2 as fit, with the sign of x1, as C's ``fmod``; 0 of integers divided
    by 0."""


vjp(
    fmod,
    lambda xp, g, x1, x2: g,
    lambda xp, g, x1, x2: -g * xp.floor_divide(xp.abs(x1), xp.abs(x2)) * xp.sign(x1) * xp.sign(x2),
)


def _fmod(xp: Any, x1: Any, x2: Any) -> Any:
    """Exact: of floats the remainder of positive numbers is; the least integer has no positive one."""
    if xp.dtype(x1).kind not in "iu":
        return xp.multiply(xp.remainder(xp.abs(x1), xp.abs(x2)), xp.sign(x1))
    rest = xp.remainder(x1, x2)
    zero = xp.subtract(rest, rest)
    other = xp.logical_xor(xp.less(rest, zero), xp.less(x1, zero))
    return xp.where(xp.logical_and(xp.not_equal(rest, zero), other), xp.subtract(rest, x2), rest)


composed(fmod, _fmod)


@operation
def float_power(x1: Array, x2: Array, /) -> Tensor:
    """x1 ** x2 in a floating dtype: integers are taken as the default one."""
    x1, x2 = tensors((x1, x2))
    if x1.dtype.kind in "biu" and x2.dtype.kind in "biu":
        x1 = astype_(x1, dtypes.default_float)
    result: Tensor = power(x1, x2)
    return result


@primitive("elementwise", dtypes="float", public=True)
def reciprocal(x: Array, /) -> Tensor:
    """1 / x; integers are taken as the default float dtype."""


vjp(reciprocal, lambda xp, g, out: -g * out * out)
composed(reciprocal, lambda xp, x: xp.divide(1.0, x))


@operation
def positive(x: Array, /) -> Tensor:
    """+x: the same values."""
    return asarray(x)


@primitive("elementwise", public=True)
def negative(x: Array, /) -> Tensor:
    """-x."""


vjp(negative, lambda xp, g: -g)


@primitive("elementwise", dtypes="any", result="real", public=True)
def abs(x: Array, /) -> Tensor:
    """The absolute value, real also of complex numbers; its derivative at 0 is 0.

    The square of that of a complex number is smooth there, as the square of a norm is.
    """


vjp(abs, lambda xp, g, x: g * xp.sign(x) if x.dtype.kind != "c" else g * xp.conj(xp.sign(x)))
jvp(abs, lambda xp, t, x: t * xp.sign(x) if x.dtype.kind != "c" else xp.real(t * xp.conj(xp.sign(x))))
root_of(abs, lambda xp, x: xp.square(xp.real(x)) + xp.square(xp.imag(x)))
absolute = alias("absolute", abs)


@primitive("elementwise", public=True)
def square(x: Array, /) -> Tensor:
    """x * x."""


vjp(square, lambda xp, g, x: g * (x * 2))


@primitive("elementwise", public=True)
def sign(x: Array, /) -> Tensor:
    """-1, 0 or 1, and NaN for NaN; its derivative is zero. Of a complex number z: z / abs(z), and at 0, where it is 0,
    its derivative is 0 as well."""


def _size(xp: Any, x: Any) -> Any:
    """What to divide by: 1 instead of 0, where the sign is 0 and so is all that is divided."""
    size = xp.abs(x)
    return xp.where(size == 0, 1.0, size)


def _sign(xp: Any, g: Any, x: Any, out: Any) -> Any:
    if x.dtype.kind != "c":
        return _zero(xp, g)
    # Only what turns x, and does not stretch it, changes its direction.
    return xp.conj(out) * (xp.imag(g * out) / _size(xp, x) * 1j)


def _sign_forward(xp: Any, t: Any, x: Any, out: Any) -> Any:
    return _zero(xp, t) if x.dtype.kind != "c" else out * (xp.imag(t * xp.conj(out)) / _size(xp, x) * 1j)


vjp(sign, _sign)
jvp(sign, _sign_forward)


# --- complex numbers: cotangents are the transpose's, see the table ------------------------------------


@primitive("elementwise", dtypes="any", result="real", public=True)
def real(x: Array, /) -> Tensor:
    """The real part, in the dtype of the parts; of a real array the array itself."""


vjp(real, lambda xp, g, x_dtype: g if x_dtype.kind != "c" else xp.astype(g, x_dtype))
jvp(real, lambda xp, t: xp.real(t))


@primitive("elementwise", dtypes="any", result="real", public=True)
def imag(x: Array, /) -> Tensor:
    """The imaginary part, in the dtype of the parts; of a real array zeros."""


vjp(imag, lambda xp, g, x_dtype: _zero(xp, g) if x_dtype.kind != "c" else xp.astype(g, x_dtype) * -1j)
jvp(imag, lambda xp, t: xp.imag(t))


@primitive("elementwise", dtypes="any", public=True)
def conj(x: Array, /) -> Tensor:
    """The complex conjugate; of a real array the array itself."""


vjp(conj, lambda xp, g: xp.conj(g))
jvp(conj, lambda xp, t: xp.conj(t))
conjugate = alias("conjugate", conj)


@operation
def angle(x: Array, /) -> Tensor:
    """The angle of a complex number in radians, from -pi to pi; of a negative real number pi. NaN slope at 0."""
    x = asarray(x)
    if x.dtype.kind == "c":
        return atan2(imag(x), real(x))
    return atan2(x.detach().zeros_like(), x)


# --- exponentials, logarithms, trigonometry ---------------------------------------------------------


@primitive("elementwise", dtypes="float", public=True)
def exp(x: Array, /) -> Tensor:
    """e ** x."""


vjp(exp, lambda xp, g, out: g * out)


@primitive("elementwise", dtypes="float", public=True)
def expm1(x: Array, /) -> Tensor:
    """e ** x - 1, accurate near 0."""


vjp(expm1, lambda xp, g, x: g * xp.exp(x))


@primitive("elementwise", dtypes="float", public=True)
def log(x: Array, /) -> Tensor:
    """The natural logarithm."""


vjp(log, lambda xp, g, x: g / x)


@primitive("elementwise", dtypes="float", public=True)
def log1p(x: Array, /) -> Tensor:
    """log(1 + x), accurate near 0."""


vjp(log1p, lambda xp, g, x: g / (x + 1))


@primitive("elementwise", dtypes="float", public=True)
def log2(x: Array, /) -> Tensor:
    """The logarithm to base 2."""


vjp(log2, lambda xp, g, x: g / x * (1 / math.log(2)))
composed(log2, lambda xp, x: xp.multiply(xp.log(x), 1 / math.log(2)))


@primitive("elementwise", dtypes="float", public=True)
def log10(x: Array, /) -> Tensor:
    """The logarithm to base 10."""


vjp(log10, lambda xp, g, x: g / x * (1 / math.log(10)))
composed(log10, lambda xp, x: xp.multiply(xp.log(x), 1 / math.log(10)))


@operation
def exp2(x: Array, /) -> Tensor:
    """2 ** x."""
    x = asarray(x)
    return power(2.0, x) if x.dtype.kind not in "fV" else exp2_(x)


@primitive("elementwise", dtypes="real_float")
def exp2_(x: Array, /) -> Tensor:
    """2 ** x of real numbers."""


composed(exp2_, lambda xp, x: xp.power(2.0, x))
vjp(exp2_, lambda xp, g, out: g * (out * math.log(2)))


@primitive("elementwise", dtypes="real_float")
def logaddexp_(x1: Array, x2: Array, /) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow."""


# By the difference: exp(x1 - out) would have the error of a large result as its own.
vjp(
    logaddexp_,
    lambda xp, g, x1, x2: g * xp.sigmoid(x1 - x2),
    lambda xp, g, x1, x2: g * xp.sigmoid(x2 - x1),
)


def _logaddexp(xp: Any, x1: Any, x2: Any) -> Any:
    larger = xp.add(xp.maximum(x1, x2), xp.log1p(xp.exp(xp.negative(xp.abs(xp.subtract(x1, x2))))))
    # Equal infinities have no difference.
    return xp.where(xp.equal(x1, x2), xp.add(x1, math.log(2)), larger)


composed(logaddexp_, _logaddexp)


@operation
def logaddexp(x1: Array, x2: Array, /) -> Tensor:
    """log(exp(x1) + exp(x2)), without overflow; of complex numbers the principal logarithm."""
    x1, x2 = floats(x1, x2)
    if "c" not in (x1.dtype.kind, x2.dtype.kind):
        return logaddexp_(x1, x2)
    largest = maximum(real(x1), real(x2)).detach()
    shift = where(isfinite(largest), largest, 0.0)
    return add(log(add(exp(subtract(x1, shift)), exp(subtract(x2, shift)))), shift)


@operation
def logaddexp2(x1: Array, x2: Array, /) -> Tensor:
    """log2(2 ** x1 + 2 ** x2), without overflow."""
    x1, x2 = floats(x1, x2)
    return multiply(logaddexp(x1 * math.log(2), x2 * math.log(2)), 1 / math.log(2))


@primitive("elementwise", dtypes="float", public=True)
def xlogy(x1: Array, x2: Array, /) -> Tensor:
    """x1 * log(x2), and 0 where x1 is 0 and x2 is not NaN."""


vjp(xlogy, lambda xp, g, x2: g * xp.log(x2), lambda xp, g, x1, x2: g * x1 / x2)


def _xlogy(xp: Any, x1: Any, x2: Any) -> Any:
    product = xp.multiply(x1, xp.log(x2))
    return xp.where(xp.logical_and(xp.equal(x1, 0), xp.equal(x2, x2)), xp.multiply(x1, 0), product)


composed(xlogy, _xlogy)


@primitive("elementwise", dtypes="float", public=True)
def sqrt(x: Array, /) -> Tensor:
    """The square root; its derivative at 0 is infinite."""


vjp(sqrt, lambda xp, g, out: g / (out * 2))


@primitive("elementwise", dtypes="real_float", public=True)
def cbrt(x: Array, /) -> Tensor:
    """The cube root, of negative numbers as well; its derivative at 0 is infinite."""


vjp(cbrt, lambda xp, g, out: g / (out * out * 3))


def _cbrt(xp: Any, x: Any) -> Any:
    rough = xp.multiply(xp.sign(x), xp.power(xp.abs(x), 1 / 3))
    # One step of Newton's: 1 / 3 is no binary fraction.
    square = xp.multiply(rough, rough)
    excess = xp.subtract(xp.multiply(square, rough), x)
    step = xp.divide(excess, xp.multiply(square, 3.0))
    return xp.where(xp.isfinite(step), xp.subtract(rough, step), x)  # of 0, with its sign, and what is not finite


composed(cbrt, _cbrt)


@primitive("elementwise", dtypes="rounded_float")
def hypot_(x1: Array, x2: Array, /) -> Tensor:
    """sqrt(x1 * x1 + x2 * x2), without overflow; its derivative at (0, 0) is (0, 0), as a norm's."""


def _hypot_slope(xp: Any, g: Any, x: Any, out: Any) -> Any:
    zero = out == 0
    return xp.where(zero, 0.0, g * xp.divide(x, xp.where(zero, 1.0, out)))


vjp(hypot_, lambda xp, g, x1, out: _hypot_slope(xp, g, x1, out), lambda xp, g, x2, out: _hypot_slope(xp, g, x2, out))


def _hypot(xp: Any, x1: Any, x2: Any) -> Any:
    x1, x2 = xp.abs(x1), xp.abs(x2)
    larger, smaller = xp.maximum(x1, x2), xp.minimum(x1, x2)
    ratio = xp.divide(smaller, xp.where(xp.equal(larger, 0), 1.0, larger))
    found = xp.multiply(larger, xp.sqrt(xp.add(xp.multiply(ratio, ratio), 1.0)))
    infinite = xp.logical_or(xp.isinf(x1), xp.isinf(x2))
    return xp.where(infinite, math.inf, found)


composed(hypot_, _hypot)


@operation
def hypot(x1: Array, x2: Array, /) -> Tensor:
    """sqrt(x1 * x1 + x2 * x2), without overflow; its derivative at (0, 0) is (0, 0), as a norm's.

    Its square is smooth there, as the sum of squares is.
    """
    found: Tensor = hypot_(x1, x2)
    if not is_root(found):
        return found
    x1, x2 = unchanging(x1), unchanging(x2)
    return rooted(found, ("hypot", identity(x1), identity(x2)), lambda: add(square(x1), square(x2)))


@primitive("elementwise", dtypes="float", public=True)
def sin(x: Array, /) -> Tensor:
    """The sine of x in radians."""


vjp(sin, lambda xp, g, x: g * xp.cos(x))


@primitive("elementwise", dtypes="float", public=True)
def cos(x: Array, /) -> Tensor:
    """The cosine of x in radians."""


vjp(cos, lambda xp, g, x: -g * xp.sin(x))


@primitive("elementwise", dtypes="float", public=True)
def tan(x: Array, /) -> Tensor:
    """The tangent of x in radians."""


vjp(tan, lambda xp, g, out: g * (out * out + 1))


@primitive("elementwise", dtypes="float", public=True)
def asin(x: Array, /) -> Tensor:
    """The angle from -pi/2 to pi/2 whose sine is x; its derivative at 1 and -1 is infinite."""


@primitive("elementwise", dtypes="float", public=True)
def acos(x: Array, /) -> Tensor:
    """The angle from 0 to pi whose cosine is x; its derivative at 1 and -1 is infinite."""


# 1 - x * x would lose digits where x is near 1, and 1 + x * x where a complex x is near i.
vjp(asin, lambda xp, g, x: g / xp.sqrt((1 - x) * (x + 1)))
vjp(acos, lambda xp, g, x: -g / xp.sqrt((1 - x) * (x + 1)))


def _one_plus_square(x: Any) -> Any:
    return x * x + 1 if x.dtype.kind != "c" else (x * 1j + 1) * (1 - x * 1j)


@primitive("elementwise", dtypes="float", public=True)
def atan(x: Array, /) -> Tensor:
    """The angle from -pi/2 to pi/2 whose tangent is x."""


vjp(atan, lambda xp, g, x: g / _one_plus_square(x))


@primitive("elementwise", dtypes="rounded_float", public=True)
def atan2(x1: Array, x2: Array, /) -> Tensor:
    """The angle of the point (x2, x1) from -pi to pi: the arc tangent of x1 / x2 in the right quadrant.

    At the origin it has no derivative: NaN.
    """


def _atan2_first(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    distance = xp.hypot(x1, x2)
    return g * xp.divide(xp.divide(x2, distance), distance)


def _atan2_second(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    distance = xp.hypot(x1, x2)
    return -g * xp.divide(xp.divide(x1, distance), distance)


vjp(atan2, _atan2_first, _atan2_second)


@primitive("elementwise", dtypes="float", public=True)
def sinh(x: Array, /) -> Tensor:
    """The hyperbolic sine."""


@primitive("elementwise", dtypes="float", public=True)
def cosh(x: Array, /) -> Tensor:
    """The hyperbolic cosine."""


vjp(sinh, lambda xp, g, x: g * xp.cosh(x))
vjp(cosh, lambda xp, g, x: g * xp.sinh(x))


@primitive("elementwise", dtypes="float", public=True)
def asinh(x: Array, /) -> Tensor:
    """The number whose hyperbolic sine is x."""


vjp(asinh, lambda xp, g, x: g / (xp.hypot(x, 1.0) if x.dtype.kind != "c" else xp.sqrt(_one_plus_square(x))))


@primitive("elementwise", dtypes="float", public=True)
def acosh(x: Array, /) -> Tensor:
    """The number from 0 up whose hyperbolic cosine is x; its derivative at 1 is infinite."""


# Two roots: one of the product would overflow, and be on the wrong side for complex numbers.
vjp(acosh, lambda xp, g, x: g / (xp.sqrt(x - 1) * xp.sqrt(x + 1)))


@primitive("elementwise", dtypes="float", public=True)
def atanh(x: Array, /) -> Tensor:
    """The number whose hyperbolic tangent is x; its derivative at 1 and -1 is infinite."""


vjp(atanh, lambda xp, g, x: g / ((1 - x) * (x + 1)))

arcsin = alias("arcsin", asin)
arccos = alias("arccos", acos)
arctan = alias("arctan", atan)
arctan2 = alias("arctan2", atan2)
arcsinh = alias("arcsinh", asinh)
arccosh = alias("arccosh", acosh)
arctanh = alias("arctanh", atanh)


@operation
def deg2rad(x: Array, /) -> Tensor:
    """Degrees as radians: x * (pi / 180)."""
    return multiply(asarray(x), math.pi / 180)


@operation
def rad2deg(x: Array, /) -> Tensor:
    """Radians as degrees: x * (180 / pi)."""
    return multiply(asarray(x), 180 / math.pi)


radians = alias("radians", deg2rad)
degrees = alias("degrees", rad2deg)


@operation
def sinc(x: Array, /) -> Tensor:
    """sin(pi x) / (pi x), and 1 at 0."""
    x = asarray(x)
    if dtypes.is_half(x.dtype):  # of which pi x has no digits behind the point
        return astype_(sinc(astype_(x, dtypes.float32)), x.dtype)
    x = multiply(x, math.pi)
    # Near 0 by its Taylor series: there the derivatives of the quotient are differences of large equal numbers.
    small = less(abs(x), 1.0)
    squares = square(where(small, x, 0.0))
    series = squares * 0 + _SINC[-1]
    for coefficient in _SINC[-2::-1]:
        series = series * squares + coefficient
    far = where(small, 1.0, x)
    return where(small, series, sin(far) / far)


_SINC = [(-1) ** power / math.factorial(2 * power + 1) for power in range(11)]


@primitive("elementwise", dtypes="float", public=True)
def tanh(x: Array, /) -> Tensor:
    """The hyperbolic tangent."""


# Not 1 - out * out, which far out is the difference of two equal numbers.
vjp(tanh, lambda xp, g, x: xp.over_cosh_squared(g, x))


@primitive("elementwise", dtypes="float")
def over_cosh_squared_(x1: Array, x2: Array, /) -> Tensor:
    """x1 / cosh(x2) ** 2: a primitive, so that its own derivative is 0 far out, and not 0 times infinity."""


vjp(
    over_cosh_squared_,
    lambda xp, g, x2: xp.over_cosh_squared(g, x2),
    lambda xp, g, x2, out: g * out * xp.tanh(x2) * -2,
)
composed(over_cosh_squared_, lambda xp, x1, x2: xp.divide(x1, xp.square(xp.cosh(x2))), ruled=True)


@primitive("elementwise", dtypes="rounded_float", public=True)
def erf(x: Array, /) -> Tensor:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x."""


vjp(erf, lambda xp, g, x: g * (xp.gaussian(x) * (2 / math.sqrt(math.pi))))


@primitive("elementwise", dtypes="rounded_float")
def gaussian_(x: Array, /) -> Tensor:
    """exp(-x * x), without what rounding the square costs, which is x * x units in the last place."""


def _gaussian(xp: Any, x: Any) -> Any:
    # With few digits in ``head``, its square and the two differences are exact: ``rest`` is what the square lacks.
    x = xp.where(xp.greater(xp.abs(x), 40.0), 40.0, x)  # beyond, it is 0
    head = xp.divide(xp.trunc(xp.multiply(x, 256.0)), 256.0)
    square = xp.square(x)
    tail = xp.multiply(xp.subtract(x, head), xp.add(x, head))
    rest = xp.add(xp.subtract(xp.square(head), square), tail)
    # Not less the product of both, which may be subnormal, and 0 on TensorFlow.
    return xp.multiply(xp.exp(xp.negative(square)), xp.subtract(1.0, rest))


composed(gaussian_, _gaussian)
vjp(gaussian_, lambda xp, g, x, out: g * xp.where(out == 0, 0.0, out * x * -2))  # also at infinity


@primitive("elementwise", dtypes="rounded_float", public=True)
def gammaln(x: Array, /) -> Tensor:
    """log(abs(gamma(x))), infinite at 0 and the negative integers."""


vjp(gammaln, lambda xp, g, x: g * xp.polygamma(x, 0))


@primitive("elementwise", dtypes="rounded_float")
def polygamma_(x: Array, order: int) -> Tensor:
    """The derivative of order ``order + 1`` of log(gamma(x)); NaN at 0 and the negative integers."""


vjp(polygamma_, lambda xp, g, x, order: g * xp.polygamma(x, order + 1))

# Bernoulli's numbers B2, B4, ... of the asymptotic series, and from where on it has all digits of a float64.
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_FAR = 8
_LOG_FAR_LESS_2 = 0.07944154167983593  # of which 3 * math.log(2) - 2 has three digits less


def _polygamma(xp: Any, x: Any, order: int) -> Any:
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 6.4: recurrence (6.4.6) up to where the
    asymptotic series (6.4.11, and 6.3.18 for order 0) holds, and reflection (6.4.7) for negative numbers.

    Near its zero the function of order 0 is a difference of larger numbers. What each sum rounds away is kept
    (T. J. Dekker, "A floating-point technique for extending precision", 1971), and of the logarithm 2 is taken
    apart, so that what is rounded is small.
    """
    add, multiply, divide, subtract, where = xp.add, xp.multiply, xp.divide, xp.subtract, xp.where
    negative = xp.less_equal(x, 0)
    y = start = where(negative, subtract(1.0, x), x)
    # The terms of the recurrence and of the series are added up as coefficient / y ** (order + 1).
    scale = math.factorial(order)
    sign = -1.0 if order % 2 == 0 else 1.0
    total = rounded = multiply(xp.sign(y), 0.0)
    for _ in range(_FAR + order):
        near = xp.less(y, float(_FAR + order))
        term = where(near, xp.power(y, -(order + 1)), 0.0)
        larger = add(total, term)
        rounded = add(rounded, subtract(term, subtract(larger, total)))
        total = larger
        y = where(near, add(y, 1.0), y)
    rounded = where(xp.isfinite(rounded), rounded, 0.0)  # not where the total is infinite
    inverse = divide(1.0, y)
    squares = multiply(inverse, inverse)
    series = multiply(squares, 0.0)
    for number in range(len(_BERNOULLI), 0, -1):
        weight = _BERNOULLI[number - 1] * math.factorial(2 * number + order - 1) / math.factorial(2 * number)
        series = multiply(add(series, sign * weight), squares)
    if order == 0:
        # What y lacks of the start and a whole number; the logarithm lacks that over y.
        short = multiply(subtract(start, subtract(y, xp.round(subtract(y, start)))), inverse)
        rounded = subtract(rounded, where(xp.isfinite(short), short, 0.0))
        far = add(subtract(series, multiply(inverse, 0.5)), add(xp.log(divide(y, float(_FAR))), _LOG_FAR_LESS_2))
        total = add(subtract(2.0, total), subtract(far, rounded))
    else:
        leading = add(multiply(inverse, sign * scale / 2), sign * math.factorial(order - 1))
        far = multiply(add(series, leading), xp.power(inverse, order))
        total = add(multiply(add(total, rounded), sign * scale), far)
    # Of the fraction alone, whose tangent is accurate.
    fraction = multiply(subtract(x, xp.round(x)), math.pi)
    cot = divide(1.0, xp.tan(where(negative, fraction, 1.0)))
    reflected = subtract(multiply(total, -sign), multiply(_cot_derivative(xp, cot, order), math.pi ** (order + 1)))
    return where(negative, where(xp.isinf(cot), math.nan, reflected), total)


def _cot_derivative(xp: Any, cot: Any, order: int) -> Any:
    """The derivative of the cotangent, a polynomial in it: d cot = -(1 + cot ** 2)."""
    coefficients = [0.0, 1.0]
    for _ in range(order):
        slopes = [power * coefficient for power, coefficient in enumerate(coefficients)][1:]
        coefficients = [-a - b for a, b in zip([*slopes, 0.0, 0.0], [0.0, 0.0, *slopes], strict=True)]
    result = xp.multiply(cot, 0.0)
    for coefficient in reversed(coefficients):
        result = xp.add(xp.multiply(result, cot), coefficient)
    return result


composed(polygamma_, _polygamma)


@operation
def digamma(x: Array, /) -> Tensor:
    """The derivative of :func:`gammaln`; NaN at 0 and the negative integers."""
    return polygamma_(x, 0)


_MOST_ORDERS = 150  # whose factorial a float64 holds, with those of the series


@operation
def polygamma(n: int, x: Array, /) -> Tensor:
    """The derivative of order n of :func:`digamma`, n a Python integer from 0 up."""
    if not isinstance(n, int) or not 0 <= n <= _MOST_ORDERS:
        raise ArgumentError(f"the order of polygamma must be an integer from 0 to {_MOST_ORDERS}, not {n!r}")
    return polygamma_(x, n)


# --- rounding; derivative zero -----------------------------------------------------------------------


@primitive("elementwise", dtypes="real", public=True)
def floor(x: Array, /) -> Tensor:
    """The largest integer not above x, in x's dtype."""


vjp(floor, _zero)


@primitive("elementwise", dtypes="real", public=True)
def ceil(x: Array, /) -> Tensor:
    """The smallest integer not below x, in x's dtype."""


vjp(ceil, _zero)


@primitive("elementwise", dtypes="any")
def round_(x: Array, /) -> Tensor:
    """The nearest integer, halves to the even one, in x's dtype."""


vjp(round_, _zero)


_MOST_DECIMALS = 308
_MOST_DIGITS = 20


@operation
def round(x: Array, /, decimals: int = 0) -> Tensor:
    """The nearest number of so many decimals, halves to the even one, in x's dtype.

    A negative number counts in front of the point: -1 rounds to tens, integers too. As NumPy does, the number is
    scaled by a power of ten, rounded and scaled back; one so large that this overflows has no decimals and stays.
    """
    if type(decimals) is int and decimals == 0:
        return round_(x)
    (x,) = tensors((x,))
    decimals = whole_number(decimals, "decimals")
    if x.dtype.kind in "biu":
        decimals = builtins.max(decimals, -_MOST_DIGITS)
        return round_(x) if decimals >= 0 or x.dtype.kind == "b" else _to_multiple(x, 10**-decimals)
    if builtins.abs(decimals) > _MOST_DECIMALS:
        return x if decimals > 0 else x * 0
    scale = 10.0 ** builtins.abs(decimals)
    scaled = x * scale if decimals > 0 else x / scale
    rounded = round_(scaled)
    return where(isfinite(scaled), rounded / scale if decimals > 0 else rounded * scale, x)


def _to_multiple(x: Tensor, unit: int) -> Tensor:
    """Integers to the nearest multiple, halves to the even one."""
    if unit > np.iinfo(x.dtype).max:
        return x * 0
    quotient, rest = x // unit, x % unit
    half = unit // 2
    up = logical_or(greater(rest, half), logical_and(equal(rest, half), equal(quotient % 2, 1)))
    return where(up, quotient + 1, quotient) * unit


@primitive("elementwise", dtypes="real", public=True)
def trunc(x: Array, /) -> Tensor:
    """x without its fraction, in x's dtype."""


vjp(trunc, _zero)


# --- choosing ----------------------------------------------------------------------------------------


@primitive("elementwise", dtypes="real", public=True)
def maximum(x1: Array, x2: Array, /) -> Tensor:
    """The larger of the two, NaN if either is; a tie shares the gradient equally."""


@primitive("elementwise", dtypes="real", public=True)
def minimum(x1: Array, x2: Array, /) -> Tensor:
    """The smaller of the two, NaN if either is; a tie shares the gradient equally."""


def _extremum(position: int) -> Any:
    def rule(xp: Any, g: Any, x1: Any, x2: Any, out: Any, x1_dtype: Any) -> Any:
        is_x1 = xp.astype(x1 == out, x1_dtype)
        is_x2 = xp.astype(x2 == out, x1_dtype)
        # NaN equals nothing, so that the quotient, and with it the gradient, is NaN there.
        return g * (is_x2 if position else is_x1) / (is_x1 + is_x2)

    return rule


vjp(maximum, _extremum(0), _extremum(1))
vjp(minimum, _extremum(0), _extremum(1))


@operation
def fmax(x1: Array, x2: Array, /) -> Tensor:
    """The larger of the two, or the one that is not NaN; a tie shares the gradient equally."""
    x1, x2 = tensors((x1, x2))
    return maximum(where(isnan(x1), x2, x1), where(isnan(x2), x1, x2))


@operation
def fmin(x1: Array, x2: Array, /) -> Tensor:
    """The smaller of the two, or the one that is not NaN; a tie shares the gradient equally."""
    x1, x2 = tensors((x1, x2))
    return minimum(where(isnan(x1), x2, x1), where(isnan(x2), x1, x2))


@primitive("elementwise", promoted=("x1", "x2"), dtypes="any", scalars=True)
def where(condition: Array, x1: Array, x2: Array, /) -> Tensor:
    """x1 where the condition holds, x2 elsewhere; the one not chosen gets gradient zero."""


vjp(
    where,
    lambda xp, g: None,
    lambda xp, g, condition: xp.where(condition, g, 0.0),
    lambda xp, g, condition: xp.where(condition, 0.0, g),
)


def _within(xp: Any, g: Any, x: Any, low: Any, high: Any) -> Any:
    # Where x is NaN neither comparison holds; its gradient is NaN as its value is.
    unknown = x != x
    return xp.where((x >= low) & (x <= high), g, xp.where(unknown, g * xp.where(unknown, x, 0.0), 0.0))


@primitive("elementwise", dtypes="real", scalars=True)
def clip_(x: Array, low: Array, high: Array, /) -> Tensor:
    """minimum(maximum(x, low), high)."""


vjp(
    clip_,
    _within,
    lambda xp, g, x, low, high: xp.where((x < low) & (low <= high), g, 0.0),
    lambda xp, g, x, low, high: xp.where((x > high) | (low > high), g, 0.0),
)


@operation
def clip(x: Array, /, min: Array | None = None, max: Array | None = None) -> Tensor:
    """x limited to the interval from ``min`` to ``max``; None leaves that side open.

    On an edge x still has gradient 1. Where ``min > max`` the value is ``max``.
    """
    if type(x) in (bool, int, float):
        x = tensors([end for end in (x, min, max) if end is not None], whole=True)[0]
    if max is None:
        return add(x, 0) if min is None else clip_(x, min, _edge(x, min, +1))
    return clip_(x, _edge(x, max, -1) if min is None else min, max)


def _edge(x: Array, other: Array, sign: int) -> float | int:
    """What limits nothing beside x and the other bound."""
    dtype = dtypes.promote(*[array.dtype for array in tensors((x, other), whole=True)])
    if dtypes.has_gradients(dtype):
        return sign * math.inf
    if dtype.kind == "b":
        return sign > 0
    info = np.iinfo(dtype)
    return int(info.max if sign > 0 else info.min)


@operation
def heaviside(x1: Array, x2: Array, /) -> Tensor:
    """0 where x1 is negative, 1 where it is positive, x2 where it is 0; its derivative for x1 is 0."""
    x1, x2 = (real_numbers("heaviside", x) for x in tensors((x1, x2), whole=True))
    return where(equal(x1, 0), x2, (sign(x1) + 1) * 0.5)


@operation
def nan_to_num(x: Array, /, *, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """x with NaN replaced by ``nan`` and infinities by ``posinf`` and ``neginf`` (the dtype's largest numbers).

    Of complex numbers either part. What is replaced gets gradient zero.
    """
    x = asarray(x)
    if x.dtype.kind == "c":
        parts = (nan_to_num(part, nan=nan, posinf=posinf, neginf=neginf) for part in (real(x), imag(x)))
        first, second = parts
        return first + second * 1j
    if x.dtype.kind not in dtypes.REAL_FLOATING:
        return x
    info = dtypes.limits(x.dtype)
    found = where(equal(x, math.inf), float(info.max) if posinf is None else posinf, x)
    found = where(equal(x, -math.inf), float(info.min) if neginf is None else neginf, found)
    return where(isnan(x), nan, found)


@primitive("elementwise", dtypes="real_float", public=True)
def copysign(x1: Array, x2: Array, /) -> Tensor:
    """The size of x1 with the sign of x2, that of a zero included; its derivative at x1 = 0 is 0."""


vjp(copysign, lambda xp, g, x1, x2: xp.where(xp.signbit(x2), -g, g) * xp.sign(x1), _zero)
composed(copysign, lambda xp, x1, x2: xp.where(xp.signbit(x2), xp.negative(xp.abs(x1)), xp.abs(x1)))


@primitive("elementwise", dtypes="real_float", public=True)
def nextafter(x1: Array, x2: Array, /) -> Tensor:
    """The floating-point number next to x1 towards x2. To within rounding that is x1, as is its derivative."""


vjp(nextafter, lambda xp, g: g, _zero)


# --- integers, bit by bit; no derivative -----------------------------------------------------------------


@primitive("elementwise", dtypes="integer", scalars=True, public=True)
def bitwise_and(x1: Array, x2: Array, /) -> Tensor:
    """x1 & x2: of integers bit by bit, of booleans the logical and."""


@primitive("elementwise", dtypes="integer", scalars=True, public=True)
def bitwise_or(x1: Array, x2: Array, /) -> Tensor:
    """x1 | x2: of integers bit by bit, of booleans the logical or."""


@primitive("elementwise", dtypes="integer", scalars=True, public=True)
def bitwise_xor(x1: Array, x2: Array, /) -> Tensor:
    """x1 ^ x2: of integers bit by bit, of booleans the exclusive or."""


@primitive("elementwise", dtypes="integer", public=True)
def bitwise_invert(x: Array, /) -> Tensor:
    """~x: of integers bit by bit, of booleans the logical not."""


bitwise_not = alias("bitwise_not", bitwise_invert)


@primitive("elementwise", dtypes="whole", scalars=True, public=True)
def bitwise_left_shift(x1: Array, x2: Array, /) -> Tensor:
    """x1 << x2 of integers. From the width of the dtype on no bit is left: 0, as where x2 is negative."""


@primitive("elementwise", dtypes="whole", scalars=True, public=True)
def bitwise_right_shift(x1: Array, x2: Array, /) -> Tensor:
    """x1 >> x2 of integers, rounded towards minus infinity. From the width of the dtype on, and where x2 is negative,
    the sign is left: 0, or -1 of a negative x1."""


# --- comparison and logic; derivative zero --------------------------------------------------------------


@primitive("comparison", dtypes="any", scalars=True, public=True)
def equal(x1: Array, x2: Array, /) -> Tensor:
    """x1 == x2, elementwise."""


@primitive("comparison", dtypes="any", scalars=True, public=True)
def not_equal(x1: Array, x2: Array, /) -> Tensor:
    """x1 != x2, elementwise."""


@primitive("comparison", dtypes="real", scalars=True, public=True)
def less(x1: Array, x2: Array, /) -> Tensor:
    """x1 < x2, elementwise."""


@primitive("comparison", dtypes="real", scalars=True, public=True)
def less_equal(x1: Array, x2: Array, /) -> Tensor:
    """x1 <= x2, elementwise."""


@primitive("comparison", dtypes="real", scalars=True, public=True)
def greater(x1: Array, x2: Array, /) -> Tensor:
    """x1 > x2, elementwise."""


@primitive("comparison", dtypes="real", scalars=True, public=True)
def greater_equal(x1: Array, x2: Array, /) -> Tensor:
    """x1 >= x2, elementwise."""


@primitive("comparison", dtypes="any", public=True)
def logical_and(x1: Array, x2: Array, /) -> Tensor:
    """Whether both are true."""


@primitive("comparison", dtypes="any", public=True)
def logical_or(x1: Array, x2: Array, /) -> Tensor:
    """Whether at least one is true."""


@primitive("comparison", dtypes="any", public=True)
def logical_xor(x1: Array, x2: Array, /) -> Tensor:
    """Whether exactly one is true."""


@primitive("comparison", dtypes="any", public=True)
def logical_not(x: Array, /) -> Tensor:
    """Whether x is false."""


@primitive("comparison", dtypes="real_float", public=True)
def signbit(x: Array, /) -> Tensor:
    """Whether the sign of x is negative, as it is of -0.0."""


@operation
def isposinf(x: Array, /) -> Tensor:
    """Whether x is infinity."""
    return equal(real_numbers("isposinf", x), math.inf)


@operation
def isneginf(x: Array, /) -> Tensor:
    """Whether x is minus infinity."""
    return equal(real_numbers("isneginf", x), -math.inf)


def real_numbers(name: str, x: Array) -> Tensor:
    """x; DtypeError if it is complex."""
    x = asarray(x)
    if x.dtype.kind == "c":
        raise DtypeError(f"{name} takes real numbers, not {x.dtype}; pass real(x) or imag(x)")
    result: Tensor = x
    return result


@primitive("comparison", dtypes="any", public=True)
def isnan(x: Array, /) -> Tensor:
    """Whether x is NaN."""


@primitive("comparison", dtypes="any", public=True)
def isinf(x: Array, /) -> Tensor:
    """Whether x is plus or minus infinity."""


@primitive("comparison", dtypes="any", public=True)
def isfinite(x: Array, /) -> Tensor:
    """Whether x is neither infinite nor NaN."""
