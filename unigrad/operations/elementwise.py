"""Elementwise operations and their derivatives.

At a kink the derivative is the one of least norm among those that the two sides allow: ``abs`` and
``relu`` give 0 at 0, a tie of ``maximum`` is shared half and half. ``clip`` is the exception: at its
edges the value still moves with x, so x gets the whole gradient and the bounds none.
"""

from __future__ import annotations

import cmath
import math
from typing import TYPE_CHECKING, Any

from unigrad.operations.table import Array, composed, jvp, operation, primitive, vjp

if TYPE_CHECKING:
    from unigrad.tensor import Tensor

__all__ = [
    "abs", "add", "ceil", "clip", "conj", "cos", "cosh", "divide", "equal", "exp", "expm1", "floor",
    "floor_divide", "greater", "greater_equal", "imag", "isfinite", "isinf", "isnan", "less", "less_equal", "log",
    "log1p", "logical_and", "logical_not", "logical_or", "logical_xor", "maximum", "minimum", "multiply", "negative",
    "not_equal", "pow", "power", "real", "remainder", "round", "sign", "sin", "sinh", "sqrt", "square",
    "subtract", "tan", "tanh", "trunc", "where",
]  # fmt: skip


def _zero(xp: Any, g: Any) -> Any:
    """The derivative of what is constant between its jumps: 0, also for an infinite cotangent, and NaN for NaN."""
    return xp.sign(g) * 0


# --- arithmetic -------------------------------------------------------------------------------------


@primitive("elementwise", scalars=True, public=True)
def add(x1: Array, x2: Array, /) -> Tensor:
    """x1 + x2, elementwise with broadcasting."""


vjp(add, lambda xp, g: g, lambda xp, g: g)


@primitive("elementwise", scalars=True, public=True)
def subtract(x1: Array, x2: Array, /) -> Tensor:
    """x1 - x2, elementwise with broadcasting."""


vjp(subtract, lambda xp, g: g, lambda xp, g: -g)


@primitive("elementwise", scalars=True, public=True)
def multiply(x1: Array, x2: Array, /) -> Tensor:
    """x1 * x2, elementwise with broadcasting."""


vjp(multiply, lambda xp, g, x2: g * x2, lambda xp, g, x1: g * x1)


@primitive("elementwise", dtypes="float", scalars=True, public=True)
def divide(x1: Array, x2: Array, /) -> Tensor:
    """x1 / x2, elementwise with broadcasting; integers are divided as the default float dtype."""


vjp(divide, lambda xp, g, x2: g / x2, lambda xp, g, x2, out: -g * out / x2)


@primitive("elementwise", dtypes="real", scalars=True, public=True)
def floor_divide(x1: Array, x2: Array, /) -> Tensor:
    """x1 // x2, rounded towards minus infinity; its derivative is zero."""


vjp(floor_divide, _zero, _zero)


@primitive("elementwise", dtypes="real", scalars=True, public=True)
def remainder(x1: Array, x2: Array, /) -> Tensor:
    """x1 % x2, with the sign of x2, as Python's."""


vjp(remainder, lambda xp, g: g, lambda xp, g, x1, x2: -g * xp.floor_divide(x1, x2))


@primitive("elementwise", scalars=True, public=True)
def power(x1: Array, x2: Array, /) -> Tensor:
    """x1 ** x2, elementwise with broadcasting.

    The derivative for x1 is 0 wherever x2 is 0, and the one for x2 is 0 where x1 is 0 and x2 is not
    negative, since the function is constant along that line.
    """


def _power_base(xp: Any, g: Any, x1: Any, x2: Any) -> Any:
    if isinstance(x2, (int, float, complex)):
        if x2 == 0:
            return g * 0
        return g * (x1 * 2) if x2 == 2 else g * (xp.power(x1, x2 - 1) * x2)
    constant = x2 == 0
    return xp.where(constant, 0.0, g * x2 * xp.power(x1, xp.where(constant, 1.0, x2 - 1)))


def _power_exponent(xp: Any, g: Any, x1: Any, x2: Any, out: Any) -> Any:
    if isinstance(x1, (int, float)):
        if x1 > 0:
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
pow = power


@primitive("elementwise", public=True)
def negative(x: Array, /) -> Tensor:
    """-x."""


vjp(negative, lambda xp, g: -g)


@primitive("elementwise", result="real", public=True)
def abs(x: Array, /) -> Tensor:
    """The absolute value, real also of complex numbers; its derivative at 0 is 0."""


vjp(abs, lambda xp, g, x: g * xp.sign(x) if x.dtype.kind != "c" else g * xp.conj(xp.sign(x)))
jvp(abs, lambda xp, t, x: t * xp.sign(x) if x.dtype.kind != "c" else xp.real(t * xp.conj(xp.sign(x))))


@primitive("elementwise", public=True)
def square(x: Array, /) -> Tensor:
    """x * x."""


vjp(square, lambda xp, g, x: g * (x * 2))


@primitive("elementwise", public=True)
def sign(x: Array, /) -> Tensor:
    """-1, 0 or 1, and NaN for NaN; its derivative is zero. Of a complex number z: z / abs(z), and 0 for 0."""


def _sign(xp: Any, g: Any, x: Any, out: Any) -> Any:
    if x.dtype.kind != "c":
        return _zero(xp, g)
    # Only what turns x, and does not stretch it, changes its direction.
    return xp.conj(out) * (xp.imag(g * out) * 1j / xp.abs(x))


def _sign_forward(xp: Any, t: Any, x: Any, out: Any) -> Any:
    return _zero(xp, t) if x.dtype.kind != "c" else out * (xp.imag(t * xp.conj(out)) * 1j / xp.abs(x))


vjp(sign, _sign)
jvp(sign, _sign_forward)


# --- complex numbers: cotangents are the transpose's, see the table ------------------------------------


@primitive("elementwise", result="real", public=True)
def real(x: Array, /) -> Tensor:
    """The real part, in the dtype of the parts; of a real array the array itself."""


vjp(real, lambda xp, g, x_dtype: g if x_dtype.kind != "c" else xp.astype(g, x_dtype))
jvp(real, lambda xp, t: xp.real(t))


@primitive("elementwise", result="real", public=True)
def imag(x: Array, /) -> Tensor:
    """The imaginary part, in the dtype of the parts; of a real array zeros."""


vjp(imag, lambda xp, g, x_dtype: _zero(xp, g) if x_dtype.kind != "c" else xp.astype(g, x_dtype) * -1j)
jvp(imag, lambda xp, t: xp.imag(t))


@primitive("elementwise", public=True)
def conj(x: Array, /) -> Tensor:
    """The complex conjugate; of a real array the array itself."""


vjp(conj, lambda xp, g: xp.conj(g))
jvp(conj, lambda xp, t: xp.conj(t))


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
def sqrt(x: Array, /) -> Tensor:
    """The square root; its derivative at 0 is infinite."""


vjp(sqrt, lambda xp, g, out: g / (out * 2))


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
def tanh(x: Array, /) -> Tensor:
    """The hyperbolic tangent."""


# Not 1 - out * out, which far out is the difference of two equal numbers.
vjp(tanh, lambda xp, g, x: xp.over_cosh_squared(g, x))


@primitive("elementwise", dtypes="float", public=True)
def sinh(x: Array, /) -> Tensor:
    """The hyperbolic sine."""


vjp(sinh, lambda xp, g, x: g * xp.cosh(x))


@primitive("elementwise", dtypes="float", public=True)
def cosh(x: Array, /) -> Tensor:
    """The hyperbolic cosine."""


vjp(cosh, lambda xp, g, x: g * xp.sinh(x))


@primitive("elementwise", dtypes="float")
def over_cosh_squared_(x1: Array, x2: Array, /) -> Tensor:
    """x1 / cosh(x2) ** 2: a primitive, so that its own derivative is 0 far out, and not 0 times infinity."""


vjp(
    over_cosh_squared_,
    lambda xp, g, x2: xp.over_cosh_squared(g, x2),
    lambda xp, g, x2, out: g * out * xp.tanh(x2) * -2,
)
composed(over_cosh_squared_, lambda xp, x1, x2: xp.divide(x1, xp.square(xp.cosh(x2))))


@primitive("elementwise", dtypes="float")
def erf_(x: Array, /) -> Tensor:
    """The error function."""


vjp(erf_, lambda xp, g, x: g * (xp.gaussian(x) * (2 / math.sqrt(math.pi))))


@primitive("elementwise", dtypes="real_float")
def gaussian_(x: Array, /) -> Tensor:
    """exp(-x * x), without what rounding the square costs, which is x * x units in the last place."""


def _gaussian(xp: Any, x: Any) -> Any:
    # With few digits in ``head``, its square and the two differences are exact: ``rest`` is what the square lacks.
    x = xp.clip(x, -40.0, 40.0)
    head = xp.divide(xp.trunc(xp.multiply(x, 256.0)), 256.0)
    square = xp.square(x)
    tail = xp.multiply(xp.subtract(x, head), xp.add(x, head))
    rest = xp.add(xp.subtract(xp.square(head), square), tail)
    found = xp.exp(xp.negative(square))
    return xp.subtract(found, xp.multiply(found, rest))


composed(gaussian_, _gaussian)
vjp(gaussian_, lambda xp, g, x, out: g * out * x * -2)


# --- rounding; derivative zero -----------------------------------------------------------------------


@primitive("elementwise", dtypes="real", public=True)
def floor(x: Array, /) -> Tensor:
    """The largest integer not above x, in x's dtype."""


vjp(floor, _zero)


@primitive("elementwise", dtypes="real", public=True)
def ceil(x: Array, /) -> Tensor:
    """The smallest integer not below x, in x's dtype."""


vjp(ceil, _zero)


@primitive("elementwise", public=True)
def round(x: Array, /) -> Tensor:
    """The nearest integer, halves to the even one, in x's dtype."""


vjp(round, _zero)


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


@primitive("elementwise", promoted=("x1", "x2"), dtypes="any", public=True)
def where(condition: Array, x1: Array, x2: Array, /) -> Tensor:
    """x1 where the condition holds, x2 elsewhere; the one not chosen gets gradient zero."""


vjp(
    where,
    lambda xp, g: None,
    lambda xp, g, condition: xp.where(condition, g, 0.0),
    lambda xp, g, condition: xp.where(condition, 0.0, g),
)


@primitive("elementwise", dtypes="real")
def clip_(x: Array, low: Array, high: Array, /) -> Tensor:
    """minimum(maximum(x, low), high)."""


vjp(
    clip_,
    # Where x is NaN neither comparison holds; its gradient is NaN as its value is.
    lambda xp, g, x, low, high: xp.where(
        (x >= low) & (x <= high), g, xp.where(x != x, g * xp.where(x != x, x, 0.0), 0.0)
    ),
    lambda xp, g, x, low, high: xp.where((x < low) & (low <= high), g, 0.0),
    lambda xp, g, x, low, high: xp.where((x > high) | (low > high), g, 0.0),
)


@operation
def clip(x: Array, /, min: Array | None = None, max: Array | None = None) -> Tensor:
    """x limited to the interval from ``min`` to ``max``; None leaves that side open.

    On an edge x still has gradient 1. Where ``min > max`` the value is ``max``.
    """
    from unigrad.operations.creation import asarray

    if max is None:
        return add(x, 0) if min is None else clip_(x, min, _edge(asarray(x), +1))
    return clip_(x, _edge(asarray(x), -1) if min is None else min, max)


def _edge(x: Tensor, sign: int) -> float | int:
    import numpy as np

    if x.dtype.kind in "fc":
        return sign * math.inf
    info = np.iinfo(x.dtype)
    return int(info.max if sign > 0 else info.min)


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


@primitive("comparison", public=True)
def isnan(x: Array, /) -> Tensor:
    """Whether x is NaN."""


@primitive("comparison", public=True)
def isinf(x: Array, /) -> Tensor:
    """Whether x is plus or minus infinity."""


@primitive("comparison", public=True)
def isfinite(x: Array, /) -> Tensor:
    """Whether x is neither infinite nor NaN."""


# --- dtype --------------------------------------------------------------------------------------------


@primitive("cast", dtypes="any", result="dtype")
def astype_(x: Array, dtype: Any, /) -> Tensor:
    """x in another dtype."""


def _uncast(xp: Any, g: Any, x_dtype: Any, dtype: Any) -> Any:
    return xp.astype(xp.real(g) if dtype.kind == "c" and x_dtype.kind != "c" else g, x_dtype)


vjp(astype_, _uncast)
jvp(astype_, lambda xp, t, dtype: xp.astype(t, dtype))
