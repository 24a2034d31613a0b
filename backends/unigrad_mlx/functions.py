"""The primitives over MLX's arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from unigrad.extend import Backend, DType, Key, Raw, Shape, is_array, to_integers

SAME_NAME = (
    "add", "subtract", "multiply", "divide", "power", "negative", "abs", "square", "conj", "log", "log1p",
    "log2", "log10", "sqrt", "reciprocal", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh",
    "acosh", "atanh", "floor", "ceil", "round", "trunc", "maximum", "minimum", "equal", "not_equal", "less",
    "less_equal", "greater", "greater_equal", "logical_and", "logical_or", "logical_xor", "logical_not", "isnan",
    "isinf", "isfinite", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert", "where", "reshape",
    "broadcast_to", "stack", "take_along_axis",
)  # fmt: skip


def primitives(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions."""

    def astype(x: Raw, dtype: DType) -> Raw:
        if dtype.kind in "iu" and mx.issubdtype(x.dtype, mx.floating):
            x = x.astype(mx.float32) if x.itemsize < 4 else x
            return to_integers(x, dtype, cast, mx.where)
        return cast(x, dtype)

    def cast(x: Raw, dtype: DType) -> Raw:
        return x.astype(backend.raw_dtype(dtype))

    return {
        **{name: getattr(mx, name) for name in SAME_NAME},
        "remainder": remainder,
        "atan2": mx.arctan2,
        "sign": lambda x: mx.where(mx.isnan(x), x, mx.sign(x)),
        "exp": exp,
        "expm1": expm1,
        "sin": lambda x: mx.where(x == 0, x, mx.sin(x)),  # MLX loses the sign of 0
        "sigmoid": sigmoid,
        "softplus": lambda x: mx.maximum(x, 0) + mx.log1p(exp(-mx.abs(x))),
        "relu": lambda x: mx.maximum(x, 0),
        "signbit": signbit,
        "clip": lambda x, low, high: mx.minimum(mx.maximum(x, low), high),
        "astype": astype,
        "real": lambda x: mx.real(x) if is_complex(x) else mx.array(x),
        "imag": lambda x: mx.imag(x) if is_complex(x) else mx.zeros_like(x),
        "sum": total,
        "prod": over_axes(mx.prod, 1),
        **{name: over_axes(getattr(mx, name)) for name in ("max", "min")},
        "any": lambda x, axes, keepdims: over_axes(mx.any)(x != 0, axes, keepdims),
        "all": lambda x, axes, keepdims: over_axes(mx.all, 1)(x != 0, axes, keepdims),
        "argmax": lambda x, axis, keepdims: mx.argmax(x, axis=axis, keepdims=keepdims).astype(mx.int64),
        "argmin": lambda x, axis, keepdims: mx.argmin(x, axis=axis, keepdims=keepdims).astype(mx.int64),
        "logsumexp": logsumexp,
        "log_softmax": log_softmax,
        "vector_norm": vector_norm,
        "cumulative_sum": lambda x, axis: mx.cumsum(widened(x), axis=axis).astype(x.dtype),
        "cumulative_prod": lambda x, axis: mx.cumprod(widened(x), axis=axis).astype(x.dtype),
        "cumulative_max": lambda x, axis: mx.cummax(x, axis=axis),
        "cumulative_min": lambda x, axis: mx.cummin(x, axis=axis),
        "matmul": mx.matmul,
        "einsum": lambda operands, subscripts: mx.einsum(subscripts, *operands),
        "permute_dims": lambda x, axes: mx.transpose(x, axes),
        "flip": lambda x, axes: mx.flip(x, axes) if axes else mx.array(x),
        "concat": lambda arrays, axis: mx.concatenate(arrays, axis=axis),
        "getitem": getitem,
        "scatter": lambda x, key, shape: added(x, positions(shape, key), shape),
        "setitem": setitem,
        "scatter_along_axis": lambda x, indices, axis, shape: added(x, along(indices, axis, shape), shape),
        "searchsorted": lambda x1, x2, right: mx.searchsorted(x1, x2, "right" if right else "left").astype(mx.int64),
        "fft": lambda x, axis, inverse: (
            mx.fft.ifft(x, axis=axis, norm="forward") if inverse else mx.fft.fft(x, axis=axis)
        ),
        "rfft": lambda x, axis: mx.fft.rfft(x, axis=axis),
        "irfft": lambda x, axis, n: mx.fft.irfft(x, n, axis=axis, norm="forward"),
    }


# --- elementwise -------------------------------------------------------------------------------------


def is_complex(x: Raw) -> bool:
    """Whether it is of MLX's one complex dtype."""
    return x.dtype == mx.complex64


def exp(x: Raw) -> Raw:
    """By expm1: MLX's own errs by 54 units of the last place in float32, and computes float64 in float32."""
    if is_complex(x):
        return mx.exp(x)
    risen = mx.expm1(mx.abs(x)) + 1
    return mx.where(x < 0, 1 / risen, risen)


def expm1(x: Raw) -> Raw:
    """MLX has none of complex numbers. Of theirs the real part is expm1(a) cos(b) - 2 sin(b / 2) ** 2."""
    if not is_complex(x):
        return mx.expm1(x)
    a, b = mx.real(x), mx.imag(x)
    b = mx.where((a == -math.inf) & ~mx.isfinite(b), 0, b)  # of -1 it tells nothing
    real = mx.expm1(a) * mx.cos(b) - 2 * mx.square(mx.sin(b / 2))
    return real + 1j * mx.where(b == 0, b, exp(a) * mx.sin(b))  # also where exp(a) is infinite


def sigmoid(x: Raw) -> Raw:
    """1 / (1 + exp(-x)), by the exponential of a number below 0."""
    if is_complex(x):
        small = mx.exp(mx.where(mx.real(x) < 0, x, -x))
        return mx.where(mx.real(x) < 0, small, mx.ones_like(x)) / (1 + small)
    small = exp(-mx.abs(x))
    return mx.where(x < 0, small, mx.ones_like(x)) / (1 + small)


def signbit(x: Raw) -> Raw:
    """Of floats the first bit."""
    if mx.issubdtype(x.dtype, mx.floating):
        x = x.view({2: mx.int16, 4: mx.int32, 8: mx.int64}[x.itemsize])
    return x < 0


def remainder(x1: Raw, x2: Raw) -> Raw:
    """Of floats, with the sign of x2 also where it is 0."""
    found = mx.remainder(x1, x2)
    return mx.where(found == 0, mx.sign(x2) * 0.0 if isinstance(x2, mx.array) else math.copysign(0.0, x2), found)


# --- reductions --------------------------------------------------------------------------------------


def widened(x: Raw) -> Raw:
    """A narrow float as float32: MLX adds running sums, and what it scatters, up in the dtype itself."""
    return x.astype(mx.float32) if x.itemsize < 4 and mx.issubdtype(x.dtype, mx.floating) else x


def over_axes(function: Callable[..., Raw], of_none: int = 0) -> Callable[[Raw, Shape, bool], Raw]:
    """A reduction over a tuple of axes; over none it is over a new one of size 1. MLX's may not end where there are no
    elements: there it is ``of_none``."""

    def run(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        if not x.size:
            kept = [1 if axis in axes else size for axis, size in enumerate(x.shape) if keepdims or axis not in axes]
            return mx.full(kept, of_none).astype(x.dtype)
        return (function(x, axis=axes, keepdims=keepdims) if axes else function(x[None], axis=0)).astype(x.dtype)

    return run


total = over_axes(mx.sum)


def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    """sum(abs(x) ** order) ** (1 / order) over axes."""
    x = mx.abs(x)
    if order == 2:
        return mx.sqrt(total(x * x, axes, keepdims))
    return total(x**order, axes, keepdims) ** (1 / order)


def peak(x: Raw, axes: Shape) -> Raw:
    """The largest elements over axes, 0 for an infinite one, which would make infinity minus infinity."""
    top = mx.max(x, axis=axes, keepdims=True)
    return mx.where(mx.isinf(top), mx.zeros_like(top), top)


def logsumexp(x: Raw, axes: Shape, keepdims: bool) -> Raw:
    """log(sum(exp(x))) over axes, without overflow."""
    if not axes:
        return mx.array(x)
    if not x.size:
        return mx.log(total(x, axes, keepdims))
    top = peak(x, axes)
    found = mx.log(mx.sum(exp(x - top), axis=axes, keepdims=True)) + top
    return found if keepdims else mx.squeeze(found, axis=axes)


def log_softmax(x: Raw, axis: int) -> Raw:
    """x - log(sum(exp(x))) along one axis, without overflow."""
    if not x.size:
        return mx.array(x)
    shifted = x - mx.max(x, axis=axis, keepdims=True)
    return shifted - mx.log(mx.sum(exp(shifted), axis=axis, keepdims=True))


# --- indexing ----------------------------------------------------------------------------------------


def positions(shape: Sequence[int], key: Key) -> Any:
    """Where in the flattened array the elements are that a key selects; MLX reads no memory backwards."""
    return np.ascontiguousarray(np.arange(math.prod(shape)).reshape(shape)[key])


def along(indices: Raw, axis: int, shape: Sequence[int]) -> Any:
    """Likewise of positions along an axis."""
    first = np.take(np.arange(math.prod(shape)).reshape(shape), [0], axis) if shape[axis] else np.int64(0)
    return np.array(indices) * math.prod(shape[axis + 1 :]) + first


def getitem(x: Raw, key: Key) -> Raw:
    """A slice, or elements by their positions."""
    if any(map(is_array, key)):
        return mx.take(mx.reshape(x, (-1,)), mx.array(positions(x.shape, key)))
    return x[key]


def added(x: Raw, where: Any, shape: Shape) -> Raw:
    """Zeros with x added at flat positions."""
    if not x.size:  # which MLX refuses
        return mx.zeros(shape, dtype=x.dtype)
    wide = widened(x)
    zeros = mx.zeros(math.prod(shape), dtype=wide.dtype)
    found = zeros.at[mx.array(where.reshape(-1))].add(mx.reshape(wide, (-1,)))
    return mx.reshape(found, shape).astype(x.dtype)


def setitem(x: Raw, value: Raw, key: Key) -> Raw:
    """Over flat positions."""
    changed = mx.reshape(x, (-1,))
    changed[mx.array(positions(x.shape, key).reshape(-1))] = mx.reshape(value, (-1,))
    return mx.reshape(changed, x.shape)
