"""The primitives over an array module that follows NumPy: NumPy itself, CuPy, or a stand-in.

``xp`` is that module, the first argument where a function needs it. Nothing here may assume host memory: no NumPy
function is given an ``xp`` array.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from unigrad.base.casting import to_integers
from unigrad.base.words import Raw, Shape
from unigrad.native.bfloat16 import held
from unigrad.native.linalg import linear_algebra
from unigrad.native.networks import networks
from unigrad.native.special import in_blocks, log_gamma
from unigrad.table import PRIMITIVES


def log_softmax(xp: Any, x: Raw, axis: int) -> Raw:
    """x - log(sum(exp(x))) along one axis, without overflow."""
    if x.shape[axis] == 0:
        return x.copy()
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - xp.log(xp.exp(shifted).sum(axis=axis, keepdims=True))


def cross_entropy(xp: Any, logits: Raw, labels: Raw) -> Raw:
    """The mean of -log_softmax at the labels; NaN if there are no rows."""
    rows = logits.shape[0]
    chosen = log_softmax(xp, logits, 1)[xp.arange(rows), labels]
    return -chosen.sum(dtype=logits.dtype) / (rows or float("nan"))


def logsumexp(xp: Any, x: Raw, axes: Shape, keepdims: bool) -> Raw:
    """log(sum(exp(x))) over axes, without overflow."""
    if 0 in x.shape:
        return xp.log(xp.sum(xp.exp(x), axis=axes, keepdims=keepdims))
    top = xp.max(x, axis=axes, keepdims=True)
    # An infinite maximum would make infinity minus infinity.
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    sums = xp.log(xp.sum(xp.exp(x - top), axis=axes, keepdims=True)) + top
    return sums if keepdims else xp.squeeze(sums, axis=axes)


def vector_norm(xp: Any, x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    """sum(abs(x) ** order) ** (1 / order) over axes."""
    if x.dtype.kind == "c":
        x = xp.abs(x)
    if order == 2:
        return xp.sqrt(xp.sum(x * x, axis=axes, keepdims=keepdims))
    return xp.sum(xp.abs(x) ** order, axis=axes, keepdims=keepdims) ** (1 / order)


def scatter(xp: Any, x: Raw, key: tuple[Any, ...], shape: Shape) -> Raw:
    """x in an array of zeros, where the key selects; what index arrays bring to one place is added up."""
    if any(hasattr(entry, "shape") for entry in key):
        return _added_at(xp, x, _on_device(xp, key), shape)
    zeros = _zeros(xp, x, shape)
    zeros[key] = x
    return zeros


def _added_at(xp: Any, x: Raw, key: tuple[Any, ...], shape: Shape) -> Raw:
    """x added up in zeros, where the key selects; float16 in float32."""
    if x.dtype.char == "e":
        return _added_at(xp, x.astype("float32"), key, shape).astype(x.dtype)
    zeros = _zeros(xp, x, shape)
    xp.add.at(zeros, key, x)
    return zeros


def _zeros(xp: Any, x: Raw, shape: Shape) -> Raw:
    """Zeros of x's dtype."""
    return _classed(xp.zeros(shape, dtype=x.dtype), x)


def _classed(made: Raw, x: Raw) -> Raw:
    """An array of x's dtype, in x's class where that has a meaning (:mod:`unigrad.native.bfloat16`)."""
    return made.view(type(x)) if x.dtype.kind == "V" else made


def _on_device(xp: Any, key: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([xp.asarray(entry) if hasattr(entry, "shape") else entry for entry in key])


def getitem(xp: Any, x: Raw, key: tuple[Any, ...]) -> Raw:
    """The elements that the key selects, as a copy."""
    chosen = x[_on_device(xp, key)]
    # Basic indexing gives a view; a Tensor is a value, so that writing to one's raw array is safe.
    return chosen.copy() if getattr(chosen, "base", None) is not None else chosen


def setitem(xp: Any, x: Raw, value: Raw, key: tuple[Any, ...]) -> Raw:
    """A copy of x with the value where the key selects."""
    changed = _classed(xp.array(x, copy=True), x)
    changed[_on_device(xp, key)] = value
    return changed


def scatter_along_axis(xp: Any, x: Raw, indices: Raw, axis: int, shape: Shape) -> Raw:
    """x added up in an array of zeros, at positions along one axis."""
    grids = [
        indices if other == axis else xp.reshape(xp.arange(size), (-1,) + (1,) * (len(shape) - other - 1))
        for other, size in enumerate(indices.shape)
    ]
    return _added_at(xp, x, tuple(grids), shape)


def argsort(xp: Any, x: Raw, axis: int, descending: bool) -> Raw:
    """The positions that sort along one axis: equal elements in their order, and NaN last."""
    if not descending:
        return xp.argsort(x, axis=axis, kind="stable")
    # Sorting the reversed array and reversing the result keeps equal elements in order. NaN, which
    # sorts last, must stay there: positions of NaN are moved behind the others, order kept.
    size = x.shape[axis]
    order = size - 1 - xp.flip(xp.argsort(xp.flip(x, axis), axis=axis, kind="stable"), axis)
    if x.dtype.kind not in "fV":
        return order
    behind = xp.take_along_axis(xp.isnan(x), order, axis=axis)
    return xp.take_along_axis(order, xp.argsort(behind, axis=axis, kind="stable"), axis=axis)


def astype(xp: Any, x: Raw, dtype: Any) -> Raw:
    """A copy in another dtype."""
    if x.dtype.kind not in "fV" or dtype.kind not in "iu":
        found = x.astype(dtype)
        return held(found) if dtype.kind == "V" else found
    if x.dtype.itemsize < 4:
        x = x.astype("float32")
    return to_integers(x, dtype, lambda x, wanted: x.astype(wanted), xp.where)


def sigmoid(xp: Any, x: Raw) -> Raw:
    """1 / (1 + exp(-x))."""
    if x.dtype.kind == "c":
        small = xp.exp(xp.where(x.real < 0, x, -x))
        return xp.where(x.real < 0, small, 1) / (1 + small)
    # The exponential of a number below 0, so that it does not overflow; where x is above, 1 stands for it.
    small = xp.exp(-xp.abs(x))
    found = xp.maximum(small, x >= 0)
    small += 1
    found /= small
    return found


def log1p(xp: Any, x: Raw) -> Raw:
    """log(1 + x)."""
    if x.dtype.kind != "c":
        return xp.log1p(x)
    # NumPy's takes the logarithm of abs(1 + x), which has no digits of a small x.
    first, second = x.real, x.imag
    found = xp.empty_like(x)
    size = xp.log1p(first * (first + 2) + second * second) * 0.5
    # Infinitely far out, also where the other part is NaN.
    found.real = xp.where(xp.isinf(first) | xp.isinf(second), math.inf, size)
    # By itself: a sum with the real part would lose the sign of 0.
    found.imag = xp.arctan2(second, first + 1)
    return found


def expm1(xp: Any, x: Raw) -> Raw:
    """exp(x) - 1."""
    found = xp.expm1(x)
    if x.dtype.kind != "c":
        return found
    # C's special values are those of the exponential (ISO C, annex G), and the sum has the sign of zero.
    return xp.where(xp.isfinite(x) & (x != 0), found, xp.exp(x) - 1)


def cbrt(xp: Any, x: Raw) -> Raw:
    """The cube root."""
    # NumPy's own in float32 errs by 1.5 ULP, which the derivative doubles.
    return xp.cbrt(x.astype("float64")).astype(x.dtype) if x.dtype == "float32" else xp.cbrt(x)


def over_cosh_squared(xp: Any, x1: Raw, x2: Raw) -> Raw:
    """x1 / cosh(x2) ** 2."""
    if x2.dtype.char == "f":
        # 2 / (cosh(2 x) + 1): NumPy's cosh in float32 errs by 1.4 ULP, which its square would double.
        found = xp.cosh(x2 + x2)
        found += 1
        found = x1 / found
        found += found
        return found
    size = xp.cosh(x2)
    size *= size
    return x1 / size


def gaussian(xp: Any, x: Raw) -> Raw:
    """exp(-x * x): in float64, which holds the squares of all shorter floats, and of float64 as it is composed."""
    if x.dtype.itemsize == 8:
        composition = PRIMITIVES["gaussian"].composition
        assert composition is not None
        return composition(xp, x)
    return in_blocks(partial(_wide_gaussian, xp), xp, x)


def _wide_gaussian(xp: Any, x: Raw) -> Raw:
    exact = x.astype("float64")
    exact *= exact
    xp.negative(exact, out=exact)
    return held(xp.exp(exact, out=exact).astype(x.dtype))


def lower_power(xp: Any, x1: Raw, x2: Raw) -> Raw:
    """x1 ** (x2 - 1), without what rounding the exponent costs."""
    # The composition, in place: half the time or less where arrays are large.
    exponent = x2 - 1
    lost = -1 - exponent
    lost += x2
    found = lost * xp.log(x1)
    found = where(xp, xp.isfinite(found), found, 0.0)
    found += 1
    found *= x1**exponent
    if found.dtype.kind == "c":
        return found
    broken = (x1 < 0) & (xp.floor(x2) != x2) & xp.isfinite(x1)
    return where(xp, broken, math.nan, found)


def where(xp: Any, condition: Raw, x1: Raw, x2: Raw) -> Raw:
    """x1 where the condition holds, else x2."""
    if condition.dtype.kind != "b":
        condition = condition != 0
    if type(x2) is float and x2 == 0 and x1.dtype.kind == "f":
        return kept(condition, x1)
    if type(x1) is float and x1 == 0 and x2.dtype.kind == "f":
        return kept(~condition, x2)
    if type(x1) is type(x2) is not float and x1.size > _MANY and x1.dtype == x2.dtype and x1.dtype.kind == "f":
        return chosen(condition, x1, x2)
    return xp.where(condition, x1, x2)


_MANY = 1 << 14
"""So many elements that :func:`chosen` is faster than ``where`` is."""


def chosen(condition: Raw, x1: Raw, x2: Raw) -> Raw:
    """x1 where the condition holds, else x2, by their bits, as :func:`kept`: in a sixth of the time."""
    bits = f"u{x1.dtype.itemsize}"
    other = x2.view(bits)
    found = x1.view(bits) ^ other
    return ((found * condition) ^ other).view(x1.dtype)


def kept(condition: Raw, x: Raw) -> Raw:
    """x where the condition holds, else 0, whatever x is there.

    The bits times 0 or 1: on a random mask 15 times as fast as ``where``, whose branches are mispredicted.
    """
    return (x.view(f"u{x.dtype.itemsize}") * condition).view(x.dtype)


def triangle(xp: Any, x: Raw, k: int, lower: bool, fill: float) -> Raw:
    """Matrices on one side of a diagonal, with a number on the other."""
    if fill == 0:
        return (xp.tril if lower else xp.triu)(x, k)
    keep = xp.tri(*x.shape[-2:], k if lower else k - 1, dtype=bool)
    return xp.where(keep if lower else ~keep, x, fill)


def leaky_relu(xp: Any, x: Raw, slope: float) -> Raw:
    """One of x and x * slope, which is the larger or the smaller; infinity times 0 is neither."""
    if slope == 0 or not math.isfinite(slope):
        return where(xp, x > 0, x, x * slope)
    return (xp.maximum if slope <= 1 else xp.minimum)(x, x * slope)


def clip(xp: Any, x: Raw, low: Raw, high: Raw) -> Raw:
    """x, no less than low and no more than high."""
    return xp.minimum(xp.maximum(x, low), high)


def variance(x: Raw, axes: Shape, keepdims: bool, correction: float) -> Raw:
    """In few passes over memory."""
    count = math.prod([x.shape[axis] for axis in axes])
    distances = x - x.sum(axis=axes, keepdims=True) / (count or math.nan)
    distances *= distances
    return held(distances.sum(axis=axes, keepdims=keepdims) / max(count - correction, 0.0))


def reduced(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A reduction of the module's, over axes."""

    def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        return function(x, axis=axes, keepdims=keepdims)

    return reduce


def position(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A search of the module's, along one axis."""

    def find(x: Raw, axis: int, keepdims: bool) -> Raw:
        return function(x, axis=axis, keepdims=keepdims)

    return find


def cumulative_sum(xp: Any, x: Raw, axis: int) -> Raw:
    """Running sums along one axis; of float16 in float32."""
    if x.dtype.char == "e":
        return xp.cumsum(x, axis=axis, dtype="float32").astype(x.dtype)
    return xp.cumsum(x, axis=axis, dtype=x.dtype)


def stack(xp: Any, arrays: Sequence[Raw], axis: int) -> Raw:
    """Arrays of one shape side by side along a new axis."""
    # As NumPy's own does it, which takes as long again to ask what the caller knows.
    shape = arrays[0].shape
    wide = (*shape[:axis], 1, *shape[axis:])
    return xp.concatenate([x.reshape(wide) for x in arrays], axis=axis)


def einsum(xp: Any, operands: Sequence[Raw], subscripts: str) -> Raw:
    """Sums of products over the letters of the subscripts."""
    if operands[0].dtype.char == "e":  # as sums are
        return einsum(xp, [x.astype("float32") for x in operands], subscripts).astype("float16")
    # Left to itself NumPy loops over all letters at once; with an order it uses matrix products.
    return xp.einsum(subscripts, *operands, optimize=len(operands) > 1)


def fft(xp: Any, x: Raw, axis: int, inverse: bool) -> Raw:
    """The Fourier transform along one axis, or its inverse."""
    return xp.fft.ifft(x, axis=axis, norm="forward") if inverse else xp.fft.fft(x, axis=axis)


def windows(xp: Any, x: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """The windows over the last axes of x, of which convolutions are composed."""
    axes = tuple(range(x.ndim - len(sizes), x.ndim))
    reach = tuple(step * (size - 1) + 1 for size, step in zip(sizes, dilations, strict=True))
    view = xp.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)
    key = [slice(None)] * (x.ndim - len(sizes)) + [slice(None, None, step) for step in (*strides, *dilations)]
    # A view of overlapping elements: a Tensor is a value, so that writing to one's raw array is safe.
    return view[tuple(key)].copy()


def primitives(xp: Any, erf: Callable[[Raw], Raw]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions; ``erf`` is the one that NumPy's interface lacks. Functions that the module lacks are
    left out."""
    same_name = [
        *("add", "subtract", "multiply", "divide", "floor_divide", "remainder", "negative", "abs", "square", "sign"),
        *("exp", "log", "log2", "log10", "logaddexp", "sqrt", "hypot", "sin", "cos", "tan", "sinh"),
        *("cosh", "tanh", "floor", "ceil", "trunc", "fmod", "copysign", "nextafter", "signbit", "reciprocal"),
        *("bitwise_and", "bitwise_or", "bitwise_xor"),
        *("maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"),
        *("logical_and", "logical_or", "logical_xor", "logical_not", "isnan", "isinf", "isfinite"),
        *("matmul", "broadcast_to", "flip", "exp2"),
    ]
    other_name = {
        **{"asin": "arcsin", "acos": "arccos", "atan": "arctan", "atan2": "arctan2", "asinh": "arcsinh"},
        **{"acosh": "arccosh", "atanh": "arctanh", "bitwise_left_shift": "left_shift"},
        **{"bitwise_right_shift": "right_shift", "bitwise_invert": "invert"},
    }
    named = {**{name: name for name in same_name}, **other_name}
    table: dict[str, Callable[..., Raw]] = {
        **{ours: getattr(xp, theirs) for ours, theirs in named.items() if hasattr(xp, theirs)},
        "real": lambda x: x.real.copy(),
        "imag": lambda x: x.imag.copy(),
        # Of booleans NumPy would make int8 and float16.
        "conj": lambda x: x.copy() if x.dtype.kind == "b" else xp.conj(x),
        # As an operator, which has fast paths for scalars (x ** 2).
        "power": operator.pow,
        "round": lambda x: x.copy() if x.dtype.kind == "b" else xp.round(x),
        "where": partial(where, xp),
        "clip": partial(clip, xp),
        "triangle": partial(triangle, xp),
        "leaky_relu": partial(leaky_relu, xp),
        # Against an array: NumPy's loop against a scalar is not vectorised, and four times as slow.
        "relu": lambda x: xp.maximum(x, xp.zeros_like(x)),
        "over_cosh_squared": partial(over_cosh_squared, xp),
        "gaussian": partial(gaussian, xp),
        "lower_power": partial(lower_power, xp),
        "cbrt": partial(cbrt, xp),
        "sigmoid": partial(sigmoid, xp),
        "erf": erf,
        "gammaln": log_gamma(xp),
        "log1p": partial(log1p, xp),
        "expm1": partial(expm1, xp),
        "astype": partial(astype, xp),
        # NumPy would add up narrow integers in wider ones; the caller has chosen the dtype already. float16 it adds up
        # in float32 along the last axis alone.
        "sum": lambda x, axes, keepdims: (
            x.sum(axis=axes, dtype=x.dtype, keepdims=keepdims)
            if x.dtype.char != "e"
            else x.sum(axis=axes, dtype="float32", keepdims=keepdims).astype(x.dtype)
        ),
        "variance": variance,
        "prod": lambda x, axes, keepdims: x.prod(axis=axes, dtype=x.dtype, keepdims=keepdims),
        "max": reduced(xp.max),
        "min": reduced(xp.min),
        "any": reduced(xp.any),
        "all": reduced(xp.all),
        "argmax": position(xp.argmax),
        "argmin": position(xp.argmin),
        "logsumexp": partial(logsumexp, xp),
        "log_softmax": partial(log_softmax, xp),
        "cross_entropy": partial(cross_entropy, xp),
        "vector_norm": partial(vector_norm, xp),
        "cumulative_sum": partial(cumulative_sum, xp),
        "cumulative_prod": lambda x, axis: xp.cumprod(x, axis=axis, dtype=x.dtype),
        "convolve": lambda x1, x2, valid: xp.convolve(x1, x2, "valid" if valid else "full"),
        "einsum": partial(einsum, xp),
        "reshape": lambda x, shape: x.reshape(shape),
        "permute_dims": lambda x, axes: x.transpose(axes),
        "concat": lambda arrays, axis: xp.concatenate(arrays, axis=axis),
        "stack": partial(stack, xp),
        "getitem": partial(getitem, xp),
        "scatter": partial(scatter, xp),
        "setitem": partial(setitem, xp),
        "take_along_axis": lambda x, indices, axis: xp.take_along_axis(x, indices, axis=axis),
        "scatter_along_axis": partial(scatter_along_axis, xp),
        "argsort": partial(argsort, xp),
        "searchsorted": lambda x1, x2, right: xp.searchsorted(x1, x2, side="right" if right else "left"),
        "fft": partial(fft, xp),
        "rfft": lambda x, axis: xp.fft.rfft(x, axis=axis),
        # With the norm "forward" an inverse is not divided.
        "irfft": lambda x, axis, n: xp.fft.irfft(x, n, axis=axis, norm="forward"),
        **({"windows": partial(windows, xp)} if hasattr(xp, "lib") else {}),
    }
    return table | networks(xp, erf) | linear_algebra(xp, table)
