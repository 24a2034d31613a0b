"""The primitives over TensorFlow's eager tensors, by its generated functions where there are any.

The public ones (``tf.multiply``) and the operators check and convert their arguments first, which costs
more than a small operation itself; here they arrive checked.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.ops import gen_array_ops, gen_bitwise_ops, gen_math_ops, gen_nn_ops

from unigrad.extend import (
    EVERYTHING,
    ArgumentError,
    Backend,
    DType,
    Key,
    Raw,
    Shape,
    by_numpy,
    get_backend_object,
    is_array,
    real_of,
    to_integers,
    with_replaced,
)
from unigrad_tensorflow.derivatives import replaced
from unigrad_tensorflow.exact import exact, of_angles, rounded, truth
from unigrad_tensorflow.exact import position as exact_position
from unigrad_tensorflow.fft import FOURIER
from unigrad_tensorflow.halves import in_float32
from unigrad_tensorflow.linalg import linear_algebra
from unigrad_tensorflow.networks import NETWORKS
from unigrad_tensorflow.searching import searching
from unigrad_tensorflow.special import special

SAME_NAME = (
    "exp", "log", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan",
    "asinh", "acosh", "atanh", "square", "maximum", "minimum",
    "equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "sigmoid",
)  # fmt: skip

join = gen_array_ops.concat_v2

# Of those that take numbers, all that do not make arrays of them anyway.
SCALAR_FIRST = (
    "add", "subtract", "multiply", "divide", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
)  # fmt: skip


COMPARISONS = ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")


@functools.lru_cache(maxsize=4096)
def _made(values: Shape | int) -> Raw:
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(values, tf.int64 if np.max(values, initial=0) >= 2**31 else tf.int32)


def constant(values: Shape | int) -> Any:
    """Axes or a shape as TensorFlow takes them fastest: made into a tensor once, which takes it four times as long as
    to add up ten elements. A tf.function wants them as they are, to know the shapes of results."""
    return _made(values) if tf.executing_eagerly() else values


def where(condition: Raw, x1: Any, x2: Any) -> Raw:
    """x1 where the condition holds, else x2; one of them may be a number, which has the other's dtype."""
    if isinstance(x1, float):
        x1 = tf.constant(x1, x2.dtype)  # of which TensorFlow would not look at x2 while it traces a program
    return gen_math_ops.select_v2(truth(condition), x1, x2)


def primitives(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions."""
    table: dict[str, Callable[..., Raw]] = {
        **{name: getattr(gen_math_ops, name) for name in SAME_NAME},
        "atan2": of_angles(gen_math_ops.atan2),
        "add": gen_math_ops.add_v2,
        "subtract": gen_math_ops.sub,
        "multiply": gen_math_ops.mul,
        "divide": gen_math_ops.real_div,
        "floor_divide": floor_divide,
        "remainder": remainder,
        "power": power,
        "negative": lambda x: tf.zeros_like(x) - x if x.dtype.is_unsigned else gen_math_ops.neg(x),
        "abs": absolute(replaced(backend, "abs", tf.abs)),
        "real": lambda x: tf.math.real(x) if x.dtype.is_complex else tf.identity(x),
        "imag": lambda x: tf.math.imag(x) if x.dtype.is_complex else tf.zeros_like(x),
        "conj": tf.math.conj,
        "floor": of_floats(rounded("floor", gen_math_ops.floor)),
        "ceil": of_floats(rounded("ceil", gen_math_ops.ceil)),
        "round": of_floats(round_),
        "sign": sign(replaced(backend, "sign", complex_sign)),
        "fmod": unless_integers(fmod, by_numpy(backend, np.fmod)),
        "log1p": log1p,
        "expm1": expm1,
        "nextafter": by_numpy(backend, np.nextafter),
        "signbit": by_numpy(backend, np.signbit),
        "bitwise_and": of_bits(gen_bitwise_ops.bitwise_and, gen_math_ops.logical_and),
        "bitwise_or": of_bits(gen_bitwise_ops.bitwise_or, gen_math_ops.logical_or),
        "bitwise_xor": of_bits(gen_bitwise_ops.bitwise_xor, gen_math_ops.not_equal),
        "bitwise_invert": of_bits(gen_bitwise_ops.invert, gen_math_ops.logical_not),
        "bitwise_left_shift": of_bits(shift(gen_bitwise_ops.left_shift)),
        "bitwise_right_shift": of_bits(shift(gen_bitwise_ops.right_shift)),
        "trunc": of_floats(lambda x: tf.where(x < 0, tf.math.ceil(x), tf.math.floor(x))),
        "logical_and": of_booleans(gen_math_ops.logical_and),
        "logical_or": of_booleans(gen_math_ops.logical_or),
        "logical_xor": of_booleans(gen_math_ops.not_equal),
        "logical_not": of_booleans(gen_math_ops.logical_not),
        "isnan": of_numbers(gen_math_ops.is_nan, gen_math_ops.logical_or, tf.zeros),
        "isinf": of_numbers(gen_math_ops.is_inf, gen_math_ops.logical_or, tf.zeros),
        "isfinite": of_numbers(gen_math_ops.is_finite, gen_math_ops.logical_and, tf.ones),
        "erf": erf,
        "gammaln": in_float32(gen_math_ops.lgamma),
        "reciprocal": in_float32(gen_math_ops.reciprocal),
        "where": where,
        "clip": lambda x, low, high: gen_math_ops.minimum(gen_math_ops.maximum(x, low), high),
        "relu": gen_nn_ops.relu,
        "softplus": gen_nn_ops.softplus,
        "astype": functools.partial(astype, backend),
        # TensorFlow adds up float16 in float16.
        "sum": over_axes(in_float32(tf.reduce_sum)),
        "mean": over_axes(tf.reduce_mean),
        "prod": over_axes(tf.reduce_prod),
        "max": over_axes(tf.reduce_max),
        "min": over_axes(tf.reduce_min),
        "any": lambda x, axes, keepdims: over_axes(tf.reduce_any)(truth(x), axes, keepdims),
        "all": lambda x, axes, keepdims: over_axes(tf.reduce_all)(truth(x), axes, keepdims),
        "argmax": exact_position("argmax", position(tf.argmax)),
        "argmin": exact_position("argmin", position(tf.argmin)),
        "logsumexp": over_axes(tf.reduce_logsumexp),
        "log_softmax": tf.nn.log_softmax,
        "cross_entropy": lambda logits, labels: tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
        ),
        "vector_norm": vector_norm,
        "cumulative_sum": in_float32(lambda x, axis: gen_math_ops.cumsum(x, constant(axis))),
        "cumulative_prod": lambda x, axis: gen_math_ops.cumprod(x, constant(axis)),
        "matmul": matmul,
        "einsum": einsum,
        "reshape": lambda x, shape: gen_array_ops.reshape(x, constant(shape)),
        "permute_dims": lambda x, axes: gen_array_ops.transpose(x, constant(axes)) if axes else tf.identity(x),
        "broadcast_to": lambda x, shape: gen_array_ops.broadcast_to(x, constant(shape)),
        "flip": lambda x, axes: gen_array_ops.reverse_v2(x, constant(axes)) if axes else tf.identity(x),
        "concat": lambda arrays, axis: tf.identity(arrays[0]) if len(arrays) == 1 else join(arrays, constant(axis)),
        "stack": gen_array_ops.pack,
        "getitem": getitem,
        "scatter": lambda x, key, shape: put(x, positions(shape, key), shape),
        "setitem": setitem,
        "take_along_axis": lambda x, indices, axis: pick(x, along(indices, axis, x.shape)),
        "scatter_along_axis": lambda x, indices, axis, shape: put(x, along(indices, axis, shape), shape),
        "argsort": functools.partial(argsort, by_numpy(backend, get_backend_object("numpy").functions["argsort"])),
    }
    with_numbers = {"power": with_arrays(power)} | {name: scalar_first(table[name]) for name in SCALAR_FIRST}
    table |= searching(backend, table) | linear_algebra(backend, table | with_numbers) | FOURIER | NETWORKS
    table |= special(backend)
    table = with_replaced(backend, table, replaced)
    table |= {name: with_arrays(table[name]) for name in ("power", "floor_divide", "remainder")}
    table |= {name: scalar_first(table[name]) for name in SCALAR_FIRST}
    table["power"] = with_squares(table["power"])
    return table | {name: exact(getattr(np, name), table[name]) for name in COMPARISONS}


# --- elementwise -------------------------------------------------------------------------------------


def astype(backend: Backend, x: Raw, dtype: DType) -> Raw:
    """TensorFlow warns of the derivative of its own cast to complex numbers."""
    if dtype.kind == "b":
        return truth(x)
    if dtype.kind == "c" and not x.dtype.is_complex:
        part = gen_math_ops.cast(x, backend.raw_dtypes[real_of(dtype)])
        return tf.complex(part, tf.zeros_like(part))
    if dtype.kind in "iu" and x.dtype.is_floating:
        x = gen_math_ops.cast(x, tf.float32) if x.dtype.size < 4 else x
        return to_integers(
            x, dtype, lambda x, dtype: gen_math_ops.cast(x, backend.raw_dtypes[dtype]), gen_math_ops.select_v2
        )
    return gen_math_ops.cast(x, backend.raw_dtypes[dtype])


def of_booleans(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """TensorFlow's logic takes booleans only."""
    return lambda *arrays: function(*map(truth, arrays))


def of_floats(function: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
    """Rounding leaves integers as they are."""
    return lambda x: x if x.dtype.is_integer or x.dtype.is_bool else function(x)


def round_(x: Raw) -> Raw:
    """Of complex numbers either part, where TensorFlow has none."""
    return tf.complex(round_(tf.math.real(x)), round_(tf.math.imag(x))) if x.dtype.is_complex else gen_math_ops.round(x)


def sign(of_complex: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
    """To TensorFlow the derivative is 0, which is not true of complex numbers."""

    of_real = rounded("sign", gen_math_ops.sign)

    def run(x: Raw) -> Raw:
        if x.dtype.is_unsigned:
            return gen_math_ops.cast(x != 0, x.dtype)
        return of_complex(x) if x.dtype.is_complex else of_real(x)

    return run


def complex_sign(x: Raw) -> Raw:
    """TensorFlow's is NaN where a part is infinite: the sign of this part, and NaN if both are."""
    first, second = tf.math.real(x), tf.math.imag(x)
    far = gen_math_ops.is_inf(first), gen_math_ops.is_inf(second)
    nothing = tf.zeros_like(first)
    parts = (tf.where(one, tf.sign(part), nothing) for one, part in zip(far, (first, second), strict=True))
    direction = tf.where(far[0] & far[1], tf.constant(complex(math.nan, math.nan), x.dtype), tf.complex(*parts))
    return tf.where(far[0] | far[1], direction, gen_math_ops.sign(x))


def absolute(of_complex: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
    """The derivative of that of a complex number is by TensorFlow's sign."""

    def run(x: Raw) -> Raw:
        if x.dtype.is_unsigned:
            return tf.identity(x)
        return of_complex(x) if x.dtype.is_complex else tf.abs(x)

    return run


def log1p(x: Raw) -> Raw:
    """TensorFlow's of complex numbers takes the logarithm of abs(1 + x), which has no digits of a small x."""
    if not x.dtype.is_complex:
        return gen_math_ops.log1p(x)
    first, second = tf.math.real(x), tf.math.imag(x)
    size = gen_math_ops.log1p(first * (first + 2) + second * second) * 0.5
    # Infinitely far out, also where the other part is NaN.
    far = gen_math_ops.is_inf(first) | gen_math_ops.is_inf(second)
    size = tf.where(far, tf.constant(np.inf, size.dtype), size)
    return tf.complex(size, gen_math_ops.atan2(second, first + 1))


def expm1(x: Raw) -> Raw:
    """TensorFlow's of complex numbers that are not finite is NaN; C's values (ISO C, annex G) are by the parts."""
    found = gen_math_ops.expm1(x)
    if not x.dtype.is_complex:
        return found
    first, second = (tf.stop_gradient(part) for part in (tf.math.real(x), tf.math.imag(x)))
    turning = gen_math_ops.is_finite(second)
    size, angle = gen_math_ops.exp(first), tf.where(turning, second, tf.zeros_like(second))
    lost = ~turning & ~gen_math_ops.is_inf(first)
    real = tf.where(lost, tf.constant(np.nan, first.dtype), size * gen_math_ops.cos(angle) - 1)
    imag = tf.where(lost, real, tf.where(second == 0, second, size * gen_math_ops.sin(angle)))
    # Where exp(x) - 1 is 0 it is no negative zero.
    found = tf.complex(tf.math.real(found) + 0.0, tf.math.imag(found))
    return tf.where(turning & gen_math_ops.is_finite(first), found, tf.complex(real, imag))


@in_float32
def fmod(x1: Raw, x2: Raw) -> Raw:
    """Of floats."""
    return gen_math_ops.truncate_mod(x1, x2)


def unless_integers(function: Callable[..., Raw], of_integers: Callable[..., Raw]) -> Callable[..., Raw]:
    """A function for which TensorFlow has no kernels of narrow integers."""
    return lambda x1, x2: (of_integers if x1.dtype.is_integer else function)(x1, x2)


def of_numbers(
    function: Callable[[Raw], Raw], both: Callable[[Raw, Raw], Raw], of_integers: Callable[..., Raw]
) -> Callable[[Raw], Raw]:
    """A question about floating numbers; ``both`` joins the answers for the parts of complex ones."""

    def ask(x: Raw) -> Raw:
        if x.dtype.is_complex:
            return both(function(tf.math.real(x)), function(tf.math.imag(x)))
        return function(x) if x.dtype.is_floating else of_integers(x.shape, tf.bool)

    return ask


def of_bits(of_integers: Callable[..., Raw], of_booleans: Callable[..., Raw] | None = None) -> Callable[..., Raw]:
    """Of integers bit by bit, of booleans by logic, with a Python integer as an array."""

    def run(*args: Any) -> Raw:
        raws = _arrays(*args) if len(args) == 2 else args
        return (of_booleans if of_booleans is not None and raws[0].dtype.is_bool else of_integers)(*raws)

    return run


def shift(function: Callable[[Raw, Raw], Raw]) -> Callable[[Raw, Raw], Raw]:
    """By the width of the dtype or more, or by a negative number, no bit is left: TensorFlow shifts by less than the
    width. To the right of a negative number its sign is left."""

    def run(x1: Raw, x2: Raw) -> Raw:
        width = 8 * x2.dtype.size
        inside = (x2 < width) if x2.dtype.is_unsigned else (x2 >= 0) & (x2 < width)
        zeros = tf.zeros_like(x1)
        rest = zeros
        if function is gen_bitwise_ops.right_shift and not x1.dtype.is_unsigned:
            rest = tf.where(x1 < 0, zeros - 1, zeros)
        return tf.where(inside, function(x1, tf.where(inside, x2, tf.zeros_like(x2))), rest)

    return run


def with_arrays(function: Callable[[Raw, Raw], Raw]) -> Callable[[Any, Any], Raw]:
    """The scalar beside an array as an array of its dtype."""

    def run(x1: Any, x2: Any) -> Raw:
        if isinstance(x1, (int, float, complex)):
            x1 = tf.constant(x1, x2.dtype)
        elif isinstance(x2, (int, float, complex)):
            x2 = tf.constant(x2, x1.dtype)
        return function(x1, x2)

    return run


def scalar_first(function: Callable[[Any, Any], Raw]) -> Callable[[Any, Any], Raw]:
    """In a tf.function TensorFlow would take the dtype of the two from the number, if it comes first."""

    def run(x1: Any, x2: Any) -> Raw:
        if isinstance(x1, tf.Tensor) or not tf.is_symbolic_tensor(x2):
            return function(x1, x2)
        return function(tf.constant(x1, x2.dtype), x2)

    return run


def erf(x: Raw) -> Raw:
    """TensorFlow's is NaN at infinity in float64."""
    found = gen_math_ops.erf(x)
    return tf.where(tf.math.is_inf(x), tf.sign(x), found) if x.dtype is tf.float64 else found


def power(x1: Raw, x2: Raw) -> Raw:
    """TensorFlow's, which would answer 0 for a negative power of an integer."""
    if x2.dtype.is_integer and not tf.is_symbolic_tensor(x2) and bool(tf.reduce_any(x2 < 0)):
        raise ArgumentError("integers have no negative integer powers; convert the base with .astype(ug.float32)")
    if x1.dtype.is_unsigned:  # which TensorFlow does not raise; what is kept of int64 is the same
        return tf.cast(tf.pow(tf.cast(x1, tf.int64), tf.cast(x2, tf.int64)), x1.dtype)
    found = tf.pow(x1, x2)
    if not x1.dtype.is_complex:
        return found
    # TensorFlow has no powers of a complex zero.
    found = tf.where((x1 == 0) & (tf.math.real(x2) > 0), tf.zeros_like(found), found)
    return tf.where(x2 == 0, tf.ones_like(found), found)


def with_squares(power: Callable[[Any, Any], Raw]) -> Callable[[Any, Any], Raw]:
    """Squares as what they are, whose derivative takes a third of the time that of a power takes."""

    def run(x1: Any, x2: Any) -> Raw:
        if type(x2) in (int, float) and x2 == 2 and not x1.dtype.is_integer:
            return gen_math_ops.square(x1)
        return power(x1, x2)

    return run


def floor_divide(x1: Any, x2: Any) -> Raw:
    """Between floats from the exact remainder, as Python does: TensorFlow's floor(x1 / x2) rounds twice."""
    x1, x2 = _arrays(x1, x2)
    if x1.dtype.is_integer:
        divisor, zero, minus = whole_divisor(x2)
        quotient = tf.where(zero, tf.zeros_like(x1), gen_math_ops.floor_div(x1, divisor))
        return tf.where(minus, tf.zeros_like(x1) - x1, quotient)
    rest = fmod(x1, x2)
    quotient = (x1 - rest) / x2
    one_less = (rest != 0) & ((rest < 0) != (x2 < 0))
    quotient = tf.round(quotient - tf.cast(one_less, quotient.dtype))
    exact = x1 / x2
    # A zero has the sign of the quotient, as all other results have.
    return tf.where(x2 == 0, exact, tf.where(quotient == 0, exact * 0, quotient))


def whole_divisor(x2: Raw) -> tuple[Raw, Raw, Raw]:
    """Integers to divide by, with 1 in place of 0, at which TensorFlow raises, and of -1: the least number divided by
    that is out of range, for which a processor may end the process. And where these were."""
    zero = x2 == 0
    minus = tf.zeros_like(zero) if x2.dtype.is_unsigned else x2 == -1
    return tf.where(zero | minus, tf.ones_like(x2), x2), zero, minus


def remainder(x1: Raw, x2: Raw) -> Raw:
    """Of integers 0 where they are divided by 0."""
    if not x2.dtype.is_integer:
        found = gen_math_ops.floor_mod(x1, x2)
        return tf.where(found == 0, gen_math_ops.sign(x2) * 0, found)  # a zero with the sign of x2, as all others
    divisor, zero, _ = whole_divisor(x2)
    return tf.where(zero, tf.zeros_like(x1), gen_math_ops.floor_mod(x1, divisor))


def _arrays(x1: Any, x2: Any) -> tuple[Raw, Raw]:
    if isinstance(x1, (int, float)):
        return tf.constant(x1, x2.dtype), x2
    return x1, tf.constant(x2, x1.dtype) if isinstance(x2, (int, float)) else x2


# --- reductions --------------------------------------------------------------------------------------


def over_axes(function: Callable[..., Raw]) -> Callable[[Raw, Shape, bool], Raw]:
    """A reduction over a tuple of axes. One over none is over a new axis of size 1."""

    def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        return function(x, constant(axes), keepdims) if axes else function(x[tf.newaxis], 0, False)

    return reduce


def position(function: Callable[..., Raw]) -> Callable[[Raw, int, bool], Raw]:
    """Of the largest or smallest element, or of the first NaN, which TensorFlow passes over."""

    def find(x: Raw, axis: int, keepdims: bool) -> Raw:
        found = function(x, axis, tf.int64)
        if x.dtype.is_floating:
            nan = gen_math_ops.is_nan(x)
            first = tf.argmax(tf.cast(nan, tf.int32), axis, tf.int64)
            found = tf.where(tf.reduce_any(nan, axis), first, found)
        return tf.expand_dims(found, axis) if keepdims else found

    return find


def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    """The norm over a tuple of axes."""
    total = over_axes(tf.reduce_sum)
    x = tf.abs(x) if x.dtype.is_complex else x
    if order == 2:
        return tf.sqrt(total(x * x, axes, keepdims))
    return total(tf.abs(x) ** order, axes, keepdims) ** (1 / order)


# --- contractions ------------------------------------------------------------------------------------


MULTIPLIED_AS_INT64 = frozenset((tf.int8, tf.int16, tf.uint8, tf.uint16, tf.uint32, tf.uint64))
"""The integers whose matrices TensorFlow does not multiply. What is kept of int64 is the same, also where it wraps."""


def matmul(x1: Raw, x2: Raw) -> Raw:
    """Of matrices and stacks of them; a vector becomes a row or a column first."""
    dtype = x1.dtype
    if dtype in MULTIPLIED_AS_INT64:
        return tf.cast(matmul(tf.cast(x1, tf.int64), tf.cast(x2, tf.int64)), dtype)
    rank1, rank2 = len(x1.shape), len(x2.shape)
    if rank1 == rank2 == 2:
        return gen_math_ops.mat_mul(x1, x2)
    if not rank1 or not rank2:
        raise ValueError("neither operand may be 0-dimensional")  # which the primitive explains
    if rank1 > 1 and rank2 > 1:
        return gen_math_ops.batch_mat_mul_v2(x1, x2)
    product = matmul(x1[tf.newaxis] if rank1 == 1 else x1, x2[:, tf.newaxis] if rank2 == 1 else x2)
    return tf.squeeze(product, [axis for axis, rank in ((-2, rank1), (-1, rank2)) if rank == 1])


def einsum(operands: Sequence[Raw], subscripts: str) -> Raw:
    """In the dtypes of :func:`matmul`."""
    dtype = operands[0].dtype
    if dtype in MULTIPLIED_AS_INT64:
        return tf.cast(tf.einsum(subscripts, *[tf.cast(x, tf.int64) for x in operands]), dtype)
    if dtype in (tf.float16, tf.bfloat16):  # of which it would add up a lone letter in their own dtype
        return tf.cast(tf.einsum(subscripts, *[tf.cast(x, tf.float32) for x in operands]), dtype)
    return tf.einsum(subscripts, *operands)


def argsort(host: Callable[..., Raw], x: Raw, axis: int, descending: bool) -> Raw:
    """By NumPy; in a tf.function by TensorFlow's own, which puts NaN anywhere, in two steps."""
    if not tf.is_symbolic_tensor(x):
        return host(x, axis, descending)
    direction = "DESCENDING" if descending else "ASCENDING"
    if not x.dtype.is_floating:
        values = tf.cast(x, tf.uint8) if x.dtype.is_bool else x
        return tf.cast(tf.argsort(values, axis, direction, stable=True), tf.int64)
    nan = gen_math_ops.is_nan(x)
    values = tf.where(nan, tf.constant(-math.inf if descending else math.inf, x.dtype), x)
    order = tf.cast(tf.argsort(values, axis, direction, stable=True), tf.int64)
    behind = tf.cast(pick(nan, along(order, axis, x.shape)), tf.int32)
    return pick(order, along(tf.argsort(behind, axis, stable=True), axis, x.shape))


# --- indexing ----------------------------------------------------------------------------------------


def numbers(shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """The flat position of each element. Indexed, it says which elements a key selects."""
    return np.arange(math.prod(shape)).reshape(shape)


def along(indices: Raw, axis: int, shape: Sequence[int]) -> Raw:
    """The flat positions that ``indices`` select along an axis."""
    first = np.take(numbers(tuple(shape)), [0], axis) if shape[axis] else np.int64(0)
    return indices * math.prod(shape[axis + 1 :]) + first


def pick(x: Raw, positions: Any) -> Raw:
    """The elements at flat positions."""
    return tf.gather(tf.reshape(x, [-1]), positions)


@in_float32
def put(x: Raw, positions: Any, shape: Shape) -> Raw:
    """Zeros with x added at flat positions."""
    rows = tf.reshape(positions, (-1, 1))
    return tf.reshape(tf.scatter_nd(rows, tf.reshape(x, [-1]), [math.prod(shape)]), shape)


def getitem(x: Raw, key: Key) -> Raw:
    """A slice, rows of one axis, or any elements."""
    arrays = [axis for axis, entry in enumerate(key) if is_array(entry)]
    if not arrays:
        return x[key] if key else tf.identity(x)
    if len(arrays) == 1 and all(entry == EVERYTHING for axis, entry in enumerate(key) if axis != arrays[0]):
        return tf.gather(x, key[arrays[0]], axis=arrays[0])
    return pick(x, positions(tuple(x.shape), key))


def positions(shape: Shape, key: Key) -> Any:
    """The flat positions that a key selects: by NumPy, unless an index array has no values yet."""
    if not any(isinstance(entry, tf.Tensor) for entry in key):
        return numbers(shape)[key]
    # NumPy says which element of such an array stands where in the result, and what the other axes add.
    sizes, known, unknown = list(shape), list(key), {}
    axes = [place for place, entry in enumerate(key) if entry is not None]
    for axis, place in enumerate(axes):
        entry = key[place]
        if isinstance(entry, tf.Tensor):
            unknown[axis] = tf.reshape(entry, [-1])
            sizes[axis] = math.prod(entry.shape)
            known[place] = np.arange(sizes[axis]).reshape(entry.shape)
    total: Any = 0
    for axis, size in enumerate(sizes):
        steps = np.arange(size).reshape(-1, *(1,) * (len(sizes) - axis - 1))
        chosen: Any = np.broadcast_to(steps, sizes)[tuple(known)]
        if axis in unknown:
            chosen = tf.gather(unknown[axis], chosen)
        total = total + chosen * math.prod(shape[axis + 1 :])
    return total


def setitem(x: Raw, value: Raw, key: Key) -> Raw:
    """Over flat positions."""
    rows = tf.reshape(positions(tuple(x.shape), key), (-1, 1))
    changed = tf.tensor_scatter_nd_update(tf.reshape(x, [-1]), rows, tf.reshape(value, [-1]))
    return tf.reshape(changed, x.shape)
