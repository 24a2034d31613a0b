"""The primitives over PaddlePaddle's tensors.

Some of its functions return views, of memory that somebody may write to: hence the copies. Its operators beside a
Python number lose the sign of 0, or the digits beyond float32: hence ``array``.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import paddle

from unigrad.extend import Backend, DType, Key, Raw, Shape, is_array, packed, to_integers

SAME_NAME = (
    "abs", "square", "conj", "log", "log1p", "reciprocal", "tan", "asin", "acos", "atan", "atan2", "sinh",
    "cosh", "asinh", "acosh", "atanh", "floor", "ceil", "round", "trunc", "maximum", "minimum",
    "logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite", "signbit", "nextafter",
)  # fmt: skip
WITH_NUMBERS = {
    **{name: name for name in ("add", "subtract", "multiply", "divide", "greater_equal")},
    **{name: name for name in ("bitwise_and", "bitwise_or", "bitwise_xor")},
    **{"power": "pow", "less": "less_than", "less_equal": "less_equal", "greater": "greater_than"},
}
"""Those that take a Python number beside an array."""
IN_FLOAT64 = ("sqrt", "tanh", "erf", "sin", "cos", "log10", "log2")
"""Those whose float32 PaddlePaddle computes in a hurry, by up to 5 units of the last place, and the root of infinity as
NaN: they are computed in float64 and rounded."""


def primitives(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions."""

    def array(value: Any, like: Raw) -> Raw:
        """A Python number as an array of the dtype beside it."""
        if isinstance(value, paddle.Tensor):
            return value
        return number(value, math.copysign(1.0, value.real) if value == 0 else 1.0, like.dtype)

    @functools.lru_cache(maxsize=1024)
    def number(value: Any, sign: float, dtype: Any) -> Raw:
        """Made once, which takes longer than to add up ten elements. ``sign`` tells the two zeros apart."""
        return paddle.to_tensor(value, dtype=dtype, place="cpu")

    def with_numbers(function: Callable[..., Raw]) -> Callable[..., Raw]:
        def run(x1: Any, x2: Any) -> Raw:
            return function(array(x1, x2), array(x2, x1))

        return run

    def where(condition: Raw, x1: Any, x2: Any) -> Raw:
        x1 = array(x1, x2)
        return paddle.where(condition.astype(paddle.bool), x1, array(x2, x1))

    def clip(x: Raw, low: Any, high: Any) -> Raw:
        return paddle.minimum(paddle.maximum(x, array(low, x)), array(high, x))

    def remainder(x1: Raw, x2: Raw) -> Raw:
        """With the sign of x2 also where it is 0."""
        found = paddle.remainder(x1, x2)
        return paddle.where(equal(found, array(0, found)), paddle.sign(x2) * 0.0, found)

    def astype(x: Raw, dtype: DType) -> Raw:
        if dtype.kind in "iu" and x.dtype in floats:
            x = x.astype(paddle.float32) if x.dtype not in (paddle.float32, paddle.float64) else x
            return to_integers(x, dtype, cast, where)
        return cast(x, dtype)

    def cast(x: Raw, dtype: DType) -> Raw:
        return paddle.cast(x, backend.raw_dtype(dtype))

    floats = (paddle.float16, paddle.bfloat16, paddle.float32, paddle.float64)
    linalg = paddle.linalg
    several: dict[str, Callable[..., Any]] = {
        **{name: getattr(linalg, name) for name in ("eigh", "eig", "svd", "qr")},
        "slogdet": lambda x: paddle.unbind(linalg.slogdet(x)),
    }
    return {
        **{name: getattr(paddle, name) for name in SAME_NAME},
        **{name: with_numbers(getattr(paddle, own)) for name, own in WITH_NUMBERS.items()},
        **{name: in_float64(getattr(paddle, name)) for name in IN_FLOAT64},
        "remainder": with_numbers(remainder),
        "equal": with_numbers(equal),
        "not_equal": with_numbers(lambda x1, x2: paddle.logical_not(equal(x1, x2))),
        "negative": lambda x: paddle.multiply(x, array(-1, x)),  # PaddlePaddle's loses the sign of 0
        "exp": exp,
        "expm1": expm1,
        "sigmoid": sigmoid,
        "softplus": lambda x: paddle.maximum(x, array(0, x)) + paddle.log1p(exp(-paddle.abs(x))),
        "relu": lambda x: paddle.maximum(x, array(0, x)),
        "gammaln": paddle.gammaln,
        "bitwise_invert": paddle.bitwise_not,
        "where": where,
        "clip": clip,
        "astype": astype,
        "sign": sign,
        "real": lambda x: (paddle.real(x) if paddle.is_complex(x) else x).clone(),
        "imag": lambda x: paddle.imag(x).clone() if paddle.is_complex(x) else paddle.zeros_like(x),
        "sum": over_axes(paddle.sum),
        "prod": over_axes(paddle.prod),
        "max": over_axes(paddle.max),
        "min": over_axes(paddle.min),
        "any": lambda x, axes, keepdims: over_axes(paddle.any)(x.astype(paddle.bool), axes, keepdims),
        "all": lambda x, axes, keepdims: over_axes(paddle.all)(x.astype(paddle.bool), axes, keepdims),
        "argmax": lambda x, axis, keepdims: paddle.argmax(x, axis=axis, keepdim=keepdims),
        "argmin": lambda x, axis, keepdims: paddle.argmin(x, axis=axis, keepdim=keepdims),
        "logsumexp": logsumexp,
        "log_softmax": log_softmax,
        "vector_norm": vector_norm,
        "cumulative_sum": lambda x, axis: paddle.cumsum(x, axis=axis).astype(x.dtype),
        "cumulative_prod": lambda x, axis: paddle.cumprod(x, dim=axis),
        "cumulative_max": lambda x, axis: paddle.cummax(x, axis=axis)[0],
        "cumulative_min": lambda x, axis: paddle.cummin(x, axis=axis)[0],
        "matmul": paddle.matmul,
        "einsum": lambda operands, subscripts: (
            paddle.einsum(subscripts, *operands).clone() if len(operands) == 1 else paddle.einsum(subscripts, *operands)
        ),
        "reshape": lambda x, shape: paddle.reshape(x, shape).clone(),
        "permute_dims": lambda x, axes: paddle.transpose(x, axes).clone() if axes else x.clone(),
        "broadcast_to": lambda x, shape: paddle.expand(x, shape).clone(),
        "flip": lambda x, axes: paddle.flip(x, axis=axes) if axes else x.clone(),
        "concat": lambda arrays, axis: paddle.concat(arrays, axis=axis),
        "stack": lambda arrays, axis: paddle.stack(arrays, axis=axis),
        "getitem": getitem,
        "scatter": lambda x, key, shape: added(x, paddle.to_tensor(positions(shape, key)), shape),
        "setitem": setitem,
        "take_along_axis": lambda x, indices, axis: chosen(x, along(indices, axis, x.shape)),
        "scatter_along_axis": lambda x, indices, axis, shape: added(x, along(indices, axis, shape), shape),
        "searchsorted": lambda x1, x2, right: paddle.searchsorted(x1, x2, right=right),
        "fft": lambda x, axis, inverse: (
            paddle.fft.ifft(x, axis=axis, norm="forward") if inverse else paddle.fft.fft(x, axis=axis)
        ),
        "rfft": lambda x, axis: paddle.fft.rfft(x, axis=axis),
        "irfft": lambda x, axis, n: paddle.fft.irfft(x, n, axis=axis, norm="forward"),
        **{name: getattr(linalg, name) for name in ("inv", "solve", "cholesky", "det", "eigvalsh")},
        "eigvals": linalg.eigvals,
        "svdvals": linalg.svdvals,
        **packed(several, paddle.concat, paddle.stack, paddle.reshape, paddle.cast),
    }


# --- elementwise -------------------------------------------------------------------------------------


def in_float64(function: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
    """Of float32 the function of the same numbers in float64, rounded once."""

    def run(x: Raw) -> Raw:
        return function(x.astype(paddle.float64)).astype(x.dtype) if x.dtype == paddle.float32 else function(x)

    return run


def equal(x1: Raw, x2: Raw) -> Raw:
    """PaddlePaddle's own says so of different numbers too, where they are subnormal."""
    if paddle.is_complex(x1):
        return paddle.logical_and(equal(paddle.real(x1), paddle.real(x2)), equal(paddle.imag(x1), paddle.imag(x2)))
    return paddle.logical_and(paddle.less_equal(x1, x2), paddle.greater_equal(x1, x2))


def sign(x: Raw) -> Raw:
    """Of a complex number with an infinite part that of this part, and NaN if both are infinite; PaddlePaddle's own is
    NaN in either case."""
    if not paddle.is_complex(x):
        return paddle.sign(x)
    parts = paddle.as_real(x)
    infinite = paddle.isinf(parts)
    direction = paddle.where(infinite, paddle.sign(parts), paddle.zeros_like(parts))
    both = paddle.all(infinite, axis=-1, keepdim=True)
    direction = paddle.where(both, paddle.full_like(direction, math.nan), direction)
    far = paddle.any(infinite, axis=-1)
    near = paddle.sign(paddle.where(far, paddle.zeros_like(x), x))
    return paddle.where(far, paddle.as_complex(direction), near)


def exp(x: Raw) -> Raw:
    """PaddlePaddle's is no smaller than the smallest normal number, and computes complex128 in complex64."""
    if x.dtype == paddle.complex128:
        size, angle = exp(paddle.real(x)), paddle.imag(x)
        return paddle.complex(size * paddle.cos(angle), size * paddle.sin(angle))
    if x.dtype == paddle.float32:
        return exp(x.astype(paddle.float64)).astype(x.dtype)
    if x.dtype != paddle.float64:
        return paddle.exp(x)
    return paddle.where(x < -700, paddle.square(paddle.exp(x / 2)), paddle.exp(x))


def expm1(x: Raw) -> Raw:
    """Of complex numbers the real part is expm1(a) cos(b) - 2 sin(b / 2) ** 2; PaddlePaddle loses digits near 0."""
    if not paddle.is_complex(x):
        return in_float64(paddle.expm1)(x)
    a, b = paddle.real(x), paddle.imag(x)
    b = paddle.where((a == -math.inf) & ~paddle.isfinite(b), paddle.zeros_like(b), b)  # of -1 it tells nothing
    real = expm1(a) * paddle.cos(b) - 2 * paddle.square(paddle.sin(b / 2))
    return paddle.complex(real, paddle.where(b == 0, b, exp(a) * paddle.sin(b)))  # also where exp(a) is infinite


def sigmoid(x: Raw) -> Raw:
    """1 / (1 + exp(-x)), by the exponential of a number below 0."""
    below = (paddle.real(x) if paddle.is_complex(x) else x) < 0
    small = exp(paddle.where(below, x, -x))
    return paddle.where(below, small, paddle.ones_like(x)) / (1 + small)


# --- reductions --------------------------------------------------------------------------------------


def over_axes(function: Callable[..., Raw]) -> Callable[[Raw, Shape, bool], Raw]:
    """A reduction over a tuple of axes; over none it is over a new one of size 1."""

    def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        found = function(x, axis=list(axes), keepdim=keepdims) if axes else function(x.unsqueeze(0), axis=[0])
        return found.astype(x.dtype)

    return reduce


def logsumexp(x: Raw, axes: Shape, keepdims: bool) -> Raw:
    """log(sum(exp(x))) over axes, without overflow; PaddlePaddle's own is NaN where an element is infinite."""
    if not axes:
        return x.clone()
    top = paddle.zeros([1] * x.ndim, x.dtype)
    if 0 not in x.shape:
        top = paddle.max(x, axis=list(axes), keepdim=True)
        top = paddle.where(paddle.isinf(top), paddle.zeros_like(top), top)
    found = paddle.log(paddle.sum(exp(x - top), axis=list(axes), keepdim=True)) + top
    return found if keepdims else paddle.squeeze(found, axis=list(axes)).clone()


def log_softmax(x: Raw, axis: int) -> Raw:
    """x - log(sum(exp(x))) along one axis, without overflow."""
    if 0 in x.shape:
        return x.clone()
    shifted = x - paddle.max(x, axis=axis, keepdim=True)
    return shifted - paddle.log(paddle.sum(exp(shifted), axis=axis, keepdim=True))


def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    """sum(abs(x) ** order) ** (1 / order) over axes."""
    total = over_axes(paddle.sum)
    x = paddle.abs(x)
    if order == 2:
        return in_float64(paddle.sqrt)(total(x * x, axes, keepdims))
    # Beside a Python number PaddlePaddle raises to it in float32.
    powers = total(paddle.pow(x, paddle.to_tensor(order, dtype=x.dtype)), axes, keepdims)
    return paddle.pow(powers, paddle.to_tensor(1 / order, dtype=x.dtype))


# --- indexing ----------------------------------------------------------------------------------------


def numbers(shape: Sequence[int]) -> np.ndarray[Any, Any]:
    """The flat position of each element. Indexed, it says which elements a key selects."""
    return np.arange(math.prod(shape)).reshape(shape)


def positions(shape: Sequence[int], key: Key) -> np.ndarray[Any, Any]:
    """The flat positions that a key selects."""
    chosen: np.ndarray[Any, Any] = numbers(shape)[key]
    return chosen


def along(indices: Raw, axis: int, shape: Sequence[int]) -> Raw:
    """The flat positions that ``indices`` select along an axis."""
    first = np.take(numbers(shape), [0], axis)
    return indices * math.prod(shape[axis + 1 :]) + paddle.to_tensor(first)


def chosen(x: Raw, where: Raw) -> Raw:
    """The elements at flat positions."""
    if 0 in where.shape:  # which PaddlePaddle refuses
        return paddle.zeros(where.shape, dtype=x.dtype)
    return paddle.gather(x.reshape([-1]), where.reshape([-1])).reshape(where.shape)


def getitem(x: Raw, key: Key) -> Raw:
    """A slice, or elements by their positions."""
    if any(map(is_array, key)):
        return chosen(x, paddle.to_tensor(positions(x.shape, key)))
    return x[key].clone() if key else x.clone()


def added(x: Raw, where: Raw, shape: Shape) -> Raw:
    """Zeros with x added at flat positions."""
    rows = where.reshape([-1, 1])
    return paddle.scatter_nd(rows, x.reshape([-1]), [math.prod(shape)]).reshape(shape)


def setitem(x: Raw, value: Raw, key: Key) -> Raw:
    """Over flat positions."""
    where = paddle.to_tensor(positions(x.shape, key).reshape(-1))
    if 0 in where.shape:
        return x.clone()
    return paddle.scatter(x.reshape([-1]), where, value.reshape([-1]), overwrite=True).reshape(x.shape)
