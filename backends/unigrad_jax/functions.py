"""The primitives over JAX's arrays.

Each is a plain function with the primitive's signature, compiled by ``compiled.py`` and differentiated by
JAX. Those under :func:`derivatives` or :func:`neutral` have a rule of ours, because JAX's own would answer otherwise:
``replaced.py`` has the reasons. The rules are forward ones, linear in the tangent, which JAX transposes for reverse
mode.
"""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from unigrad.extend import EVERYTHING, PRIMITIVES, ArgumentError, Primitive, Raw, Shape, to_integers
from unigrad_jax import exact
from unigrad_jax.compiled import Function, Operation
from unigrad_jax.fft import FOURIER
from unigrad_jax.keys import Layout
from unigrad_jax.linalg import linear_algebra
from unigrad_jax.networks import NETWORKS, Convolving
from unigrad_jax.rules import derivatives, neutral
from unigrad_jax.searching import searching

# --- elementwise --------------------------------------------------------------------------------------


def is_complex(x: Raw) -> bool:
    return jnp.issubdtype(x.dtype, jnp.complexfloating)


@derivatives(lambda t, out, x: (t * jnp.conj(sign(x))).real if is_complex(x) else t * jnp.sign(x))
def absolute(x: Raw) -> Raw:
    return jnp.abs(x)


@derivatives(
    lambda t, out, x: (
        out * (1j * ((t * jnp.conj(out)).imag / jnp.where(x == 0, 1, absolute(x))))
        if is_complex(x)
        else jnp.zeros_like(out)
    )
)
def sign(x: Raw) -> Raw:
    return exact.sign(x)


@derivatives(
    lambda t, out, x1, x2: t,
    lambda t, out, x1, x2: -t * lax.stop_gradient(jnp.floor_divide(abs(x1), abs(x2)) * jnp.sign(x1) * jnp.sign(x2)),
)
def fmod(x1: Raw, x2: Raw) -> Raw:
    return jnp.fmod(x1, x2)


@derivatives(
    lambda t, out, x1, x2: jnp.where(jnp.signbit(x2), -t, t) * jnp.sign(x1),
    lambda t, out, x1, x2: jnp.zeros_like(out),
)
def copysign(x1: Raw, x2: Raw) -> Raw:
    return jnp.copysign(x1, x2)


@derivatives(lambda t, out, x1, x2: t, lambda t, out, x1, x2: jnp.zeros_like(out))
def nextafter(x1: Raw, x2: Raw) -> Raw:
    return jnp.nextafter(x1, x2)


@derivatives(lambda t, out, x: jnp.where(x <= 0, 0.0, t))
def relu(x: Raw) -> Raw:
    return jnp.maximum(x, 0.0)


@derivatives(lambda t, out, x: t * jnp.exp(x))
def expm1(x: Raw) -> Raw:
    found = jnp.expm1(x)
    if not is_complex(x):
        return found
    # Of numbers that are not finite C's values (ISO C, annex G), of which XLA has no more than some.
    first, second = x.real, x.imag
    turning = jnp.isfinite(second)
    size, angle = jnp.exp(first), jnp.where(turning, second, 0)
    lost = ~turning & ~jnp.isinf(first)
    real = jnp.where(lost, jnp.nan, size * jnp.cos(angle) - 1)
    imag = jnp.where(lost, jnp.nan, size * jnp.sin(angle))
    finite = jnp.isfinite(x)
    return lax.complex(
        jnp.where(finite, found.real, real), jnp.where(second == 0, second, jnp.where(finite, found.imag, imag))
    )


@derivatives(lambda t, out, x: t * out * sigmoid(-x))
def sigmoid(x: Raw) -> Raw:
    return jax.nn.sigmoid(x)


@derivatives(lambda t, out, x: t * sigmoid(x))
def softplus(x: Raw) -> Raw:
    return jax.nn.softplus(x)


@derivatives(lambda t, out, x: t * cosh(x))
def sinh(x: Raw) -> Raw:
    if jnp.iscomplexobj(x):
        return jnp.sinh(x)
    root = jnp.exp(x / 2)  # of the exponential, which overflows a little earlier than the result
    return jnp.where(jnp.abs(x) < 1, jnp.sinh(x), root / 2 * root - 0.5 / root / root)


@derivatives(lambda t, out, x: t * sinh(x))
def cosh(x: Raw) -> Raw:
    if jnp.iscomplexobj(x):
        return jnp.cosh(x)
    root = jnp.exp(jnp.abs(x) / 2)
    return root / 2 * root + 0.5 / root / root


@derivatives(
    lambda t, out, x1, x2: over_cosh_squared(t, x2),
    lambda t, out, x1, x2: t * out * jnp.tanh(x2) * -2,
)
def over_cosh_squared(x1: Raw, x2: Raw) -> Raw:
    if is_complex(x2):
        return x1 / jnp.square(cosh(x2))
    # One exponential where cosh takes two; its square would be flushed to 0 where the slope is not yet.
    small = jnp.exp(-jnp.abs(x2))
    over_cosh = 2 * small / (1 + jnp.square(small))
    return x1 * jnp.square(over_cosh)


@derivatives(lambda t, out, x: over_cosh_squared(t, x))
def tanh(x: Raw) -> Raw:
    found = jnp.tanh(x)
    if not is_complex(x):
        return found
    # On an axis the result is on that axis (ISO C, annex G); XLA loses the sign of 0 there, and 0 beside NaN.
    first, second = x.real, x.imag
    real = jnp.where((first == 0) & ~jnp.isfinite(second), first, found.real)
    return lax.complex(real, jnp.where(second == 0, second, found.imag))


@derivatives(lambda t, out, x: t * jnp.where(out == 0, 0, out * x * -2))  # also at infinity
def gaussian(x: Raw) -> Raw:
    return PRIMITIVES["gaussian"].made_of(jnp)(x)


@derivatives(lambda t, out, x: t * gaussian(x) * (2 / math.sqrt(math.pi)))
def erf(x: Raw) -> Raw:
    # JAX 0.10.0's is three units from 1 at infinity.
    return jnp.where(jnp.isinf(x), jnp.sign(x), jax.scipy.special.erf(x))


@derivatives(lambda t, out, x1, x2: divide(t, x2), lambda t, out, x1, x2: -divide(t * out, x2))
def divide(x1: Raw, x2: Raw) -> Raw:
    found = jnp.true_divide(x1, x2)
    # Of x / y / y XLA makes x / (y * y), which over- and underflows: not of what is rounded between, to what it is.
    digits = {jnp.dtype("float32"): (8, 23), jnp.dtype("float64"): (11, 52)}.get(found.dtype)
    return found if digits is None else lax.reduce_precision(found, *digits)


def floor_divide(x1: Raw, x2: Raw) -> Raw:
    quotient = jnp.floor_divide(x1, x2)
    if jnp.issubdtype(quotient.dtype, jnp.floating):
        # JAX's zero has the sign of x2; it is to have that of the quotient, as all other results have.
        return jnp.copysign(quotient, lax.stop_gradient(x1 / x2))
    # JAX leaves open what an integer divided by 0 is; NumPy says 0.
    return jnp.where(x2 == 0, 0, quotient)


@derivatives(lambda t, out, x1, x2: t, lambda t, out, x1, x2: -t * lax.stop_gradient(jnp.floor_divide(x1, x2)))
def remainder(x1: Raw, x2: Raw) -> Raw:
    found = jnp.remainder(x1, x2)
    # JAX's zero has either sign; it is to have that of x2, as all other results have.
    return jnp.copysign(found, x2) if jnp.issubdtype(found.dtype, jnp.floating) else found


def masked(mask: Raw, t: Raw, slope: Raw) -> Raw:
    """``t * slope`` where the mask holds and 0 elsewhere, forwards and backwards.

    Masked once on either side of the product, so that no infinity from elsewhere makes NaN of a 0.
    """
    return jnp.where(mask, t * jnp.where(mask, slope, 0), 0)


def extremum(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``maximum`` or ``minimum``: a tie is shared equally, and where an input is NaN both derivatives are."""

    def rule(t: Raw, out: Raw, x: Raw, other: Raw) -> Raw:
        share = jnp.where(x == other, 0.5, jnp.where(x == out, 1.0, 0.0)).astype(out.dtype)
        return t * jnp.where(jnp.isnan(out), jnp.nan, share)

    return derivatives(rule, lambda t, out, x1, x2: rule(t, out, x2, x1))(function)


def _inside(t: Raw, out: Raw, x: Raw, low: Raw, high: Raw) -> Raw:
    return jnp.where((x >= low) & (x <= high), t, masked(x != x, t, x))


@derivatives(
    _inside,
    lambda t, out, x, low, high: jnp.where((x < low) & (low <= high), t, 0),
    lambda t, out, x, low, high: jnp.where((x > high) | (low > high), t, 0),
)
def clip(x: Raw, low: Raw, high: Raw) -> Raw:
    return jnp.minimum(jnp.maximum(x, low), high)


def hard_tanh(x: Raw, low: float, high: float) -> Raw:
    held = derivatives(lambda t, out, x: jnp.where((x <= low) | (x >= high), 0, t))
    return held(lambda x: clip(x, low, high))(x)


def _base_slope(t: Raw, out: Raw, x: Raw, y: Raw) -> Raw:
    constant = y == 0
    return masked(~constant, t, y * lower_power(x, jnp.where(constant, 1, y)))


def _exponent_slope(t: Raw, out: Raw, x: Raw, y: Raw) -> Raw:
    at_zero = x == 0
    log = jnp.log(jnp.where(at_zero, 1, x))
    infinite = jnp.where(y < 0, -math.inf, jnp.sign(y) * 0)  # or NaN where y is
    return masked(~(at_zero & (y >= 0)), t, jnp.where(at_zero, infinite, out * log))


@derivatives(
    lambda t, out, x, y: _base_slope(t, out, x, y - 1) * jnp.where(out == out, 1, out),
    lambda t, out, x, y: _exponent_slope(t, out, x, y - 1),
)
def lower_power(x: Raw, y: Raw) -> Raw:
    return PRIMITIVES["lower_power"].made_of(jnp)(x, y)


@derivatives(_base_slope, _exponent_slope)
def float_power(x: Raw, y: Raw) -> Raw:
    return lax.pow(*jnp.broadcast_arrays(x, y))


def _complex_base_slope(t: Raw, out: Raw, x: Raw, y: Raw) -> Raw:
    constant = y == 0
    return masked(~constant, t, y * complex_power(x, jnp.where(constant, 1, y) - 1))


def _complex_exponent_slope(t: Raw, out: Raw, x: Raw, y: Raw) -> Raw:
    at_zero = x == 0
    return t * jnp.where(at_zero, out * 0, out * jnp.log(jnp.where(at_zero, 1, x)))


@derivatives(_complex_base_slope, _complex_exponent_slope)
def complex_power(x: Raw, y: Raw) -> Raw:
    """JAX's is NaN where a zero has an exponent that is not real."""
    x, y = jnp.broadcast_arrays(x, y)
    return jnp.where((x == 0) & (jnp.real(y) > 0), 0, lax.pow(x, y))


def power(x1: Raw, x2: Raw) -> Raw:
    dtype = jnp.result_type(x1, x2)
    if jnp.issubdtype(dtype, jnp.integer):
        return jnp.power(x1, x2)
    of_floats = float_power if jnp.issubdtype(dtype, jnp.floating) else complex_power
    return of_floats(jnp.asarray(x1, dtype), jnp.asarray(x2, dtype))


class Sum(Operation):
    """The cotangent itself is that of each summand of its shape: nothing has to be computed."""

    def _specialise(self, count: int, *statics: Any) -> Function:
        made = super()._specialise(count, *statics)
        compiled = made.pullback
        made.pullback = functools.cache(lambda mask: functools.partial(_passed_on, compiled(mask), mask))
        return made


def _passed_on(compiled: Callable[..., tuple[Raw, ...]], mask: Sequence[bool], g: Raw, *inputs: Raw) -> tuple[Raw, ...]:
    marked = [value for value, moves in zip(inputs, mask, strict=True) if moves]
    if isinstance(g, jax.core.Tracer) or any(value.shape != g.shape or value.dtype != g.dtype for value in marked):
        return compiled(g, *inputs)
    return (g,) * len(marked)


class Power(Operation):
    """Squares without a logarithm, in a tenth of the time that 100,000 powers take. Integers to the power of negative
    ones have no integer value, of which JAX says nothing."""

    _square = Function(lambda x, two: jnp.square(x))

    def resolve(self, raws: Sequence[Raw], statics: Sequence[Any]) -> Any:
        base, exponent = raws
        if type(exponent) in (int, float) and exponent == 2:
            return self._square, raws
        dtype = base.dtype if hasattr(base, "dtype") else exponent.dtype
        if dtype.kind == "i" and not isinstance(exponent, jax.core.Tracer) and np.any(np.asarray(exponent) < 0):
            raise ArgumentError("integers have no negative integer powers; convert the base with .astype(ug.float32)")
        return super().resolve(raws, statics)


def astype(x: Raw, dtype: Any) -> Raw:
    """Where the user's setting is 32 bits, inside a transform, JAX warns of wider numbers; of integers it need not."""
    if dtype.kind == "b":
        return exact.truth(x)
    if dtype.kind not in "iu":
        return x.astype(dtype)
    if not jnp.issubdtype(x.dtype, jnp.floating):
        return x.astype(jax.dtypes.canonicalize_dtype(dtype))
    x = x.astype("float32") if x.dtype.itemsize < 4 else x
    dtype = jax.dtypes.canonicalize_dtype(dtype)
    if dtype == "uint32" and not jax.config.jax_enable_x64:
        return x.astype(dtype)  # there is no int64 to go by
    return to_integers(x, dtype, lambda x, dtype: x.astype(dtype), jnp.where)


def rounded(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``floor`` and its like, which leave integers as they are."""

    def to_integer(x: Raw) -> Raw:
        return function(x) if jnp.issubdtype(x.dtype, jnp.inexact) else x

    return to_integer


# --- reductions -----------------------------------------------------------------------------------------


def reduced(function: Callable[..., Raw], typed: bool = False) -> Callable[..., Raw]:
    """A reduction over one axis or several, ``typed``: in the dtype of the array."""

    def reduce(x: Raw, axes: int | Shape, keepdims: bool) -> Raw:
        return function(x, axis=axes, keepdims=keepdims, **({"dtype": x.dtype} if typed else {}))

    return reduce


def extreme(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``max`` or ``min``: ties share equally, and where an element is NaN all derivatives are.

    Where the parts of an array on several devices are joined, XLA loses NaN: if there are several, it is looked for
    by itself.
    """

    def found(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        out = function(x, axis=axes, keepdims=keepdims)
        if jax.device_count() == 1 or not jnp.issubdtype(x.dtype, jnp.floating):
            return out
        return jnp.where(jnp.any(jnp.isnan(x), axis=axes, keepdims=keepdims), jnp.nan, out)

    def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        def rule(t: Raw, out: Raw, x: Raw) -> Raw:
            top = out if keepdims else jnp.expand_dims(out, axes)
            attained = (x == top).astype(x.dtype)
            share = jnp.where(jnp.isnan(top), jnp.nan, attained / jnp.sum(attained, axis=axes, keepdims=True))
            return jnp.sum(t * share, axis=axes, keepdims=keepdims)

        return derivatives(rule)(lambda x: found(x, axes, keepdims))(x)

    return reduce


def logsumexp(x: Raw, axes: Shape, keepdims: bool) -> Raw:
    if 0 in x.shape:
        return jnp.log(jnp.sum(jnp.exp(lax.stop_gradient(x)), axis=axes, keepdims=keepdims))
    top = lax.stop_gradient(jnp.max(x, axis=axes, keepdims=True))
    # An infinite maximum would make infinity minus infinity.
    top = jnp.where(jnp.isfinite(top), top, 0)
    sums = jnp.log(jnp.sum(jnp.exp(x - top), axis=axes, keepdims=True)) + top
    return sums if keepdims else jnp.squeeze(sums, axis=axes)


def log_softmax(x: Raw, axis: int) -> Raw:
    if not x.shape[axis]:
        return x + 0  # which has no largest element
    shifted = x - lax.stop_gradient(jnp.max(x, axis=axis, keepdims=True))
    return shifted - jnp.log(jnp.sum(jnp.exp(shifted), axis=axis, keepdims=True))


def cross_entropy(logits: Raw, labels: Raw) -> Raw:
    return -jnp.mean(take_along_axis(log_softmax(logits, 1), labels[:, None], 1))


def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    def rule(t: Raw, out: Raw, x: Raw) -> Raw:
        size = out if keepdims else jnp.expand_dims(out, axes)
        zero = size == 0
        size = jnp.where(zero, 1, size)
        if order == 2:
            slope = divide(x, size)
        else:
            ratio = jnp.where(x == 0, 0 if order > 1 else 1, divide(absolute(x), size))
            slope = jnp.sign(x) * power(ratio, order - 1)
        return jnp.sum(masked(~zero, t, slope), axis=axes, keepdims=keepdims)

    if is_complex(x):
        if order == 2:
            # As a norm of the parts, which is smooth where an element is 0.
            found = vector_norm(jnp.stack([x.real, x.imag], -1), (*axes, x.ndim), keepdims, order)
            return jnp.squeeze(found, -1) if keepdims else found
        x = jnp.where(x == 0, 0, absolute(jnp.where(x == 0, 1, x)))

    @derivatives(rule)
    def norm(x: Raw) -> Raw:
        if order == 2:
            return jnp.sqrt(jnp.sum(x * x, axis=axes, keepdims=keepdims))
        return power(jnp.sum(power(jnp.abs(x), order), axis=axes, keepdims=keepdims), 1 / order)

    return norm(x)


# --- contractions: in full precision also where JAX would by default take less, as on a GPU ------------------


def matmul(x1: Raw, x2: Raw) -> Raw:
    return jnp.matmul(x1, x2, precision=lax.Precision.HIGHEST)


def einsum(operands: Sequence[Raw], subscripts: str) -> Raw:
    return jnp.einsum(subscripts, *operands, precision=lax.Precision.HIGHEST)


# --- indexing ---------------------------------------------------------------------------------------------

# The core has checked the bounds and counted from the front; JAX would do both again.
_IN_BOUNDS: dict[str, Any] = {"mode": "promise_in_bounds", "wrap_negative_indices": False}


def added_up(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A function that adds or multiplies up its first argument, or whose derivative does: of halves in float32."""

    @functools.wraps(function)
    def run(x: Raw, *how: Any) -> Raw:
        if x.dtype.itemsize != 2 or not jnp.issubdtype(x.dtype, jnp.floating):
            return function(x, *how)
        return function(x.astype(jnp.float32), *how).astype(x.dtype)

    return run


def select(x: Any, layout: Layout, numbers: Any, *arrays: Any) -> Any:
    """x[key], for a key of that layout."""
    given = {"i": iter(numbers), "a": iter(arrays)}
    axes = iter(range(x.ndim))
    key: list[Any] = []
    for entry in layout:
        if entry is None:
            key.append(None)
            continue
        axis = next(axes)
        if entry == ":":
            key.append(EVERYTHING)
        elif entry in given:
            key.append(next(given[entry]))
        else:
            length, step = entry
            span = (length - 1) * abs(step) + 1 if length else 0
            x = lax.dynamic_slice_in_dim(x, next(given["i"]), span, axis)
            key.append(slice(None, None, step))
    return x.at[tuple(key)].get(**_IN_BOUNDS)


def positions(shape: tuple[int, ...], layout: Layout, *numbers: Any) -> Any:
    """Where in a flattened array of that shape the elements of x[key] are."""
    return select(jnp.arange(math.prod(shape)).reshape(shape), layout, *numbers)


@added_up
def scatter(x: Raw, layout: Layout, shape: Shape, *numbers: Raw) -> Raw:
    places = positions(shape, layout, *numbers)
    return jnp.zeros(math.prod(shape), x.dtype).at[places].add(x, **_IN_BOUNDS).reshape(shape)


def setitem(x: Raw, value: Raw, layout: Layout, *numbers: Raw) -> Raw:
    places = positions(x.shape, layout, *numbers)
    return x.reshape(-1).at[places].set(value, unique_indices=True, **_IN_BOUNDS).reshape(x.shape)


@added_up
def take_along_axis(x: Raw, indices: Raw, axis: int) -> Raw:
    return x.at[_along(indices, axis)].get(**_IN_BOUNDS)


@added_up
def scatter_along_axis(x: Raw, indices: Raw, axis: int, shape: Shape) -> Raw:
    return jnp.zeros(shape, x.dtype).at[_along(indices, axis)].add(x, **_IN_BOUNDS)


def _along(indices: Raw, axis: int) -> tuple[Raw, ...]:
    """The index of each element, where ``indices`` say it for one axis and the others go along."""
    ndim = indices.ndim
    grids = [jnp.arange(size).reshape((-1,) + (1,) * (ndim - other - 1)) for other, size in enumerate(indices.shape)]
    grids[axis] = indices
    return tuple(grids)


def argsort(x: Raw, axis: int, descending: bool) -> Raw:
    ordered = exact.sortable(x)
    if not descending:
        return jnp.argsort(ordered, axis=axis, stable=True)
    # By the reversed array, so that equal elements keep their order; NaN then goes behind the others again.
    order = x.shape[axis] - 1 - jnp.flip(jnp.argsort(jnp.flip(ordered, axis), axis=axis, stable=True), axis)
    if not jnp.issubdtype(x.dtype, jnp.inexact):
        return order
    behind = jnp.isnan(take_along_axis(x, order, axis))
    return take_along_axis(order, jnp.argsort(behind, axis=axis, stable=True), axis)


# --- the table ----------------------------------------------------------------------------------------------

# Those that jax.numpy has under the same name and with the same arguments.
SAME_NAME = (
    "add subtract multiply negative square exp log log2 log10 sqrt sin cos tan "
    "signbit bitwise_and bitwise_or bitwise_xor bitwise_invert bitwise_left_shift bitwise_right_shift "
    "isnan isinf isfinite real imag conj reshape broadcast_to flip"
)


LOGIC = ("logical_and", "logical_or", "logical_xor", "logical_not")
COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


def log1p(x: Raw) -> Raw:
    """In float64 XLA goes on to -0.414 with an approximation about 0 that loses seven bits below -0.36."""
    found = jnp.log1p(x)
    if not is_complex(x):
        return jnp.where(x < -0.25, jnp.log(x + 1), found)
    # Infinitely far out, also where the other part is NaN.
    far = jnp.isinf(x.real) | jnp.isinf(x.imag)
    return lax.complex(jnp.where(far, jnp.inf, found.real), found.imag)


def atanh(x: Raw) -> Raw:
    """XLA's is by its log1p."""
    return jnp.arctanh(x) if is_complex(x) else (log1p(x) - log1p(-x)) / 2


@functools.cache
def _about_two() -> list[float]:
    """The coefficients of log(gamma(2 + z)) from z ** 2 on, (zeta(k) - 1) / k with alternating signs: enough of them
    for the digits of a float64 where z is at most a half."""
    from scipy.special import zeta  # which takes some tenths of a second to import

    return [float((-1) ** k * zeta(k, 2) / k) for k in range(2, 29)]


def gammaln(x: Raw) -> Raw:
    """Abramowitz and Stegun, Handbook of Mathematical Functions, 6.1.33 about 2, and from there the recurrence 6.1.15.

    XLA's terms cancel, which costs four bits of the values up to 10 and all of those near 1 and 2.
    """
    whole = jnp.floor(x + 0.5)
    z = x - whole
    steps = np.arange(-7, 12)
    crossed = (whole[..., None] + steps < 2) == (steps >= 0)
    product = jnp.prod(jnp.where(crossed, x[..., None] + steps, 1), axis=-1)
    series = 0 * z
    for coefficient in reversed(_about_two()):
        series = (series + coefficient) * z
    logarithm = jnp.log(jnp.abs(product))
    found = (series + (1 - np.euler_gamma)) * z + jnp.where(whole < 2, -logarithm, logarithm)
    return jnp.where(jnp.abs(x) < 9.5, found, jax.scipy.special.gammaln(x))


RULED = {
    "asin": jnp.arcsin,
    "acos": jnp.arccos,
    "atan": jnp.arctan,
    "asinh": jnp.arcsinh,
    "acosh": jnp.arccosh,
    "log1p": log1p,
    "atanh": atanh,
    "atan2": exact.atan2,
    "hypot": jnp.hypot,
    "logaddexp": jnp.logaddexp,
    "cbrt": jnp.cbrt,
    "gammaln": gammaln,
}
"""Those with the rules of the table: JAX's own lose digits at the ends, or are none at the origin."""


def convolve(valid: bool, x1: Raw, x2: Raw) -> Raw:
    """All elements, or those to which all of x2 adds."""
    if jnp.issubdtype(x1.dtype, jnp.integer):  # of which JAX's own makes floats
        beyond = 0 if valid else x2.shape[0] - 1
        turned = lax.rev(x2, (0,))
        return lax.conv_general_dilated(x1[None, None], turned[None, None], (1,), [(beyond, beyond)])[0, 0]
    return jnp.convolve(x1, x2, "valid" if valid else "full", precision="highest")


def ruled(row: Primitive, others: Any) -> Callable[..., Raw]:
    """The composition of a primitive with its rules as the derivative."""
    composed, count = row.made_of(others), len(row.arrays)

    def run(*args: Any) -> Raw:
        statics = args[count:]
        return neutral(row.name, lambda *raws: composed(*raws, *statics), others, *statics)(*args[:count])

    return run


def iterate(
    rows: Sequence[Sequence[float]], step: Callable[..., tuple[Raw, ...]], state: Any, until: bool = False
) -> Any:
    """One loop for XLA, in place of a step for each row."""
    return lax.scan(lambda held, row: (step(row, *held), None), state, np.asarray(rows))[0]


def operations() -> dict[str, Operation]:
    """The table of raw functions."""
    plain = {
        **{name: getattr(jnp, name) for name in SAME_NAME.split()},
        "abs": absolute,
        "sign": sign,
        "fmod": fmod,
        "copysign": copysign,
        "nextafter": nextafter,
        "expm1": expm1,
        "divide": divide,
        "floor_divide": floor_divide,
        "remainder": remainder,
        **{name: exact.logic(getattr(jnp, name)) for name in LOGIC},
        **{name: exact.comparison(getattr(jnp, name), name == "not_equal") for name in COMPARISONS},
        "where": lambda condition, x1, x2: jnp.where(exact.truth(condition), x1, x2),
        "floor": rounded(exact.floor),
        "ceil": rounded(exact.ceil),
        "round": rounded(jnp.round),
        "trunc": rounded(jnp.trunc),
        "maximum": extremum(jnp.maximum),
        "minimum": extremum(jnp.minimum),
        "clip": clip,
        "relu": relu,
        "sigmoid": sigmoid,
        "hard_tanh": hard_tanh,
        "softplus": softplus,
        "erf": erf,
        "gaussian": gaussian,
        "lower_power": lower_power,
        "over_cosh_squared": over_cosh_squared,
        "sinh": sinh,
        "cosh": cosh,
        "tanh": tanh,
        "astype": astype,
        "reciprocal": added_up(lambda x: divide(jnp.ones((), x.dtype), x)),  # JAX's derivative squares it
        "sum": added_up(reduced(jnp.sum, typed=True)),
        "prod": added_up(reduced(jnp.prod, typed=True)),
        "max": extreme(jnp.max),
        "min": extreme(jnp.min),
        # Not of x itself: of a complex number JAX looks at the real part alone.
        "any": reduced(lambda x, **options: jnp.any(exact.truth(x), **options)),
        "all": reduced(lambda x, **options: jnp.all(exact.truth(x), **options)),
        "argmax": reduced(lambda x, **options: jnp.argmax(exact.sortable(x), **options)),
        "argmin": reduced(lambda x, **options: jnp.argmin(exact.sortable(x, nan="min"), **options)),
        "logsumexp": logsumexp,
        "log_softmax": log_softmax,
        "cross_entropy": cross_entropy,
        "vector_norm": vector_norm,
        "cumulative_sum": added_up(lambda x, axis: jnp.cumsum(x, axis=axis, dtype=x.dtype)),
        "cumulative_prod": added_up(lambda x, axis: jnp.cumprod(x, axis=axis, dtype=x.dtype)),
        "matmul": matmul,
        "einsum": einsum,
        "permute_dims": jnp.transpose,
        "concat": lambda arrays, axis: jnp.concatenate(arrays, axis=axis),
        "stack": lambda arrays, axis: jnp.stack(arrays, axis=axis),
        "getitem": added_up(select),
        "scatter": scatter,
        "setitem": setitem,
        "take_along_axis": take_along_axis,
        "scatter_along_axis": scatter_along_axis,
        "argsort": argsort,
        **FOURIER,
        **NETWORKS,
    }
    others = types.SimpleNamespace()
    plain |= searching(others)
    plain |= {name: neutral(name, function, others) for name, function in RULED.items()}
    plain |= {name: neutral(name, PRIMITIVES[name].made_of(others), others) for name in ("gelu", "xlogy")}
    plain["polygamma"] = lambda x, order: neutral(
        "polygamma", lambda x: PRIMITIVES["polygamma"].made_of(others)(x, order), others, order
    )(x)
    plain["convolve"] = lambda x1, x2, valid: neutral("convolve", functools.partial(convolve, valid), others, valid)(
        x1, x2
    )
    made = {name: Operation(PRIMITIVES[name], function) for name, function in plain.items()}
    made |= {name: Convolving(PRIMITIVES[name], plain[name]) for name in ("convolve", "convolution")}
    made["add"] = Sum(PRIMITIVES["add"], plain["add"])
    made["power"] = Power(PRIMITIVES["power"], power)
    made |= linear_algebra(others)
    vars(others).update(made)
    others.dtype, others.iterate, others.constant = np.dtype, iterate, lambda values, like: jnp.asarray(values)
    for row in PRIMITIVES.values():
        if row.name not in made and row.composition is not None:
            made[row.name] = Operation(row, ruled(row, others) if row.ruled else row.made_of(others))
    vars(others).update(made)
    return made
