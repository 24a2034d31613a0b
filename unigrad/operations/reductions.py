"""Reductions, cumulative operations and norms, with their derivatives. Means and variances: ``moments``."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.registry import backend_of
from unigrad.base import dtypes
from unigrad.base.arguments import many_axes, one_axis
from unigrad.base.elsewhere import unknown_argument
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.operations.creation import asarray, astype_, full
from unigrad.operations.elementwise import abs as absolute
from unigrad.operations.elementwise import (
    add,
    exp,
    imag,
    isfinite,
    log,
    not_equal,
    real,
    square,
    subtract,
    where,
)
from unigrad.operations.shapes import concat, reshape
from unigrad.table import Array, F, alias, batched, jvp, operation, vjp
from unigrad.tensor.coercion import one_number, tensors
from unigrad.tensor.levels import beneath
from unigrad.tensor.roots import identity, is_root, rooted, unchanging
from unigrad.tensor.tensor import Tensor

__all__ = [
    "all", "any", "argmax", "argmin", "count_nonzero", "cumulative_prod", "cumulative_sum", "logsumexp", "max",
    "min", "prod", "sum",
    "cumsum",
    "cumprod",
]  # fmt: skip

Axis = int | Sequence[int] | None


def kept(shape: Shape, axes: Shape) -> Shape:
    """``shape`` with the reduced axes kept as size 1."""
    return tuple(1 if axis in axes else size for axis, size in enumerate(shape))


def expanded(xp: Any, reduced: Any, axes: Shape, keepdims: bool, shape: Shape) -> Any:
    """A reduced array with its axes put back as size 1, so that it broadcasts against the input."""
    return reduced if keepdims or not axes else xp.reshape(reduced, kept(shape, axes))


# --- primitives --------------------------------------------------------------------------------------


@primitive("reduction", dtypes="any")
def sum_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """The sum over axes, in x's dtype."""


vjp(
    sum_,
    lambda xp, g, axes, keepdims, x_shape: xp.broadcast_to(expanded(xp, g, axes, keepdims, x_shape), x_shape),
)
jvp(sum_, "linear")
batched(sum_, "further")


@primitive("reduction", dtypes="any")
def prod_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """The product over axes, in x's dtype."""


def _other_products(xp: Any, x: Any, axes: Shape, x_shape: Shape) -> Any:
    # The product of all others, as what stands before times what stands after: no division, so that
    # zeros are right, and derivatives of it are as well.
    others = tuple(axis for axis in range(len(x_shape)) if axis not in axes)
    order = others + axes
    outer = tuple(x_shape[axis] for axis in others)
    count = math.prod(x_shape[axis] for axis in axes)
    rows = xp.reshape(xp.permute_dims(x, order), (*outer, count))
    last = len(outer)
    if count:
        before = _exclusive_products(xp, rows, last, count)
        after = xp.flip(_exclusive_products(xp, xp.flip(rows, (last,)), last, count), (last,))
        rows = before * after
    return xp.permute_dims(
        xp.reshape(rows, tuple(x_shape[axis] for axis in order)), tuple(order.index(axis) for axis in range(len(order)))
    )


def _exclusive_products(xp: Any, rows: Any, axis: int, count: int) -> Any:
    """Along ``axis``: the product of all elements before each one."""
    ones = xp.power(_part(xp, rows, axis, 0, 1), 0)
    return xp.cumulative_prod(xp.concat([ones, _part(xp, rows, axis, 0, count - 1)], axis), axis)


vjp(
    prod_,
    lambda xp, g, x, axes, keepdims, x_shape: (
        expanded(xp, g, axes, keepdims, x_shape) * _other_products(xp, x, axes, x_shape)
    ),
)
jvp(
    prod_,
    lambda xp, t, x, axes, keepdims, x_shape: xp.sum(t * _other_products(xp, x, axes, x_shape), axes, keepdims),
)
batched(prod_, "further")


@primitive("reduction", dtypes="real")
def max_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """The largest element over axes, NaN if there is one; ties share the gradient equally."""


@primitive("reduction", dtypes="real")
def min_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """The smallest element over axes, NaN if there is one; ties share the gradient equally."""


def _shares(xp: Any, x: Any, out: Any, axes: Shape, keepdims: bool, x_shape: Shape, x_dtype: Any) -> Any:
    attained = xp.astype(x == expanded(xp, out, axes, keepdims, x_shape), x_dtype)
    # NaN equals nothing: 0 / 0 makes the gradient NaN where the value is.
    return attained / xp.sum(attained, axes, True)


def _extremum_vjp(xp: Any, g: Any, x: Any, out: Any, axes: Shape, keepdims: bool, x_shape: Shape, x_dtype: Any) -> Any:
    return expanded(xp, g, axes, keepdims, x_shape) * _shares(xp, x, out, axes, keepdims, x_shape, x_dtype)


def _extremum_jvp(xp: Any, t: Any, x: Any, out: Any, axes: Shape, keepdims: bool, x_shape: Shape, x_dtype: Any) -> Any:
    return xp.sum(t * _shares(xp, x, out, axes, keepdims, x_shape, x_dtype), axes, keepdims)


vjp(max_, _extremum_vjp)
jvp(max_, _extremum_jvp)
batched(max_, "further")
vjp(min_, _extremum_vjp)
jvp(min_, _extremum_jvp)
batched(min_, "further")


@primitive("reduction", dtypes="any", result="bool")
def any_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """Whether any element over axes is true."""


batched(any_, "further")


@primitive("reduction", dtypes="any", result="bool")
def all_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """Whether all elements over axes are true."""


batched(all_, "further")


@primitive("reduction", dtypes="real", result="int64")
def argmax_(x: Array, axis: int, keepdims: bool) -> Tensor:
    """The first position of the largest element along one axis, as int64; the first NaN counts as largest."""


batched(argmax_, "further")


@primitive("reduction", dtypes="real", result="int64")
def argmin_(x: Array, axis: int, keepdims: bool) -> Tensor:
    """The first position of the smallest element along one axis, as int64; the first NaN counts as smallest."""


batched(argmin_, "further")


@primitive("reduction", dtypes="real_float")
def logsumexp_(x: Array, axes: Shape, keepdims: bool) -> Tensor:
    """log(sum(exp(x))) over axes, without overflow."""


def _softmax(xp: Any, x: Any, out: Any, axes: Shape, keepdims: bool, x_shape: Shape) -> Any:
    # They are divided by their sum since all have the error of a large out: 1 and 1 for two equal numbers of 1e30.
    parts = xp.exp(x - expanded(xp, out, axes, keepdims, x_shape))
    total = xp.sum(parts, axes, True)
    # A sum of infinity less infinity says nothing of what is finite beside it.
    return parts / xp.where(total == total, total, 1.0)


vjp(
    logsumexp_,
    lambda xp, g, x, out, axes, keepdims, x_shape: (
        expanded(xp, g, axes, keepdims, x_shape) * _softmax(xp, x, out, axes, keepdims, x_shape)
    ),
)
jvp(
    logsumexp_,
    lambda xp, t, x, out, axes, keepdims, x_shape: xp.sum(
        t * _softmax(xp, x, out, axes, keepdims, x_shape), axes, keepdims
    ),
)
batched(logsumexp_, "further")


@primitive("reduction", dtypes="float", result="real")
def vector_norm_(x: Array, axes: Shape, keepdims: bool, order: float) -> Tensor:
    """sum(abs(x) ** order) ** (1 / order) over axes, for a finite order other than 0; derivative 0 where it is 0."""


def _vector_norm_vjp(
    xp: Any, g: Any, x: Any, out: Any, axes: Shape, keepdims: bool, order: float, x_shape: Shape
) -> Any:
    g = expanded(xp, g, axes, keepdims, x_shape)
    return _along_norm(xp, g, x, expanded(xp, out, axes, keepdims, x_shape), order)


def _along_norm(xp: Any, change: Any, x: Any, norm: Any, order: float) -> Any:
    """``change``, a cotangent or a tangent, times the slope of the norm in each element."""
    zero = norm == 0
    norm = xp.where(zero, 1.0, norm)
    if order == 2:
        return xp.where(zero, 0.0, change * ((x if x.dtype.kind != "c" else xp.conj(x)) / norm))
    ratio = xp.where(x == 0, 0.0 if order > 1 else 1.0, xp.abs(x) / norm)
    if x.dtype.kind == "c":
        # Of a complex 0 the sign has no derivative, not even beside the factor of 0.
        sign = xp.where(x == 0, 0.0, xp.conj(xp.sign(xp.where(x == 0, 1.0, x))))
    else:
        sign = xp.sign(x)
    return xp.where(zero, 0.0, change * sign * xp.power(ratio, order - 1))


def _vector_norm_jvp(
    xp: Any, t: Any, x: Any, out: Any, axes: Shape, keepdims: bool, order: float, x_shape: Shape
) -> Any:
    parts = _along_norm(xp, t, x, expanded(xp, out, axes, keepdims, x_shape), order)
    return xp.sum(parts if x.dtype.kind != "c" else xp.real(parts), axes, keepdims)


vjp(vector_norm_, _vector_norm_vjp)
jvp(vector_norm_, _vector_norm_jvp)
batched(vector_norm_, "further")


@primitive("reduction", dtypes="any")
def cumulative_sum_(x: Array, axis: int) -> Tensor:
    """Running sums along one axis, in x's dtype."""


vjp(
    cumulative_sum_,
    lambda xp, g, axis: xp.flip(xp.cumulative_sum(xp.flip(g, (axis,)), axis), (axis,)),
)
jvp(cumulative_sum_, "linear")
batched(cumulative_sum_, "further")


@primitive("reduction", dtypes="any")
def cumulative_prod_(x: Array, axis: int) -> Tensor:
    """Running products along one axis, in x's dtype."""


def _cumulative_prod_vjp(xp: Any, g: Any, x: Any, out: Any, axis: int, x_shape: Shape) -> Any:
    count = x_shape[axis]
    if 0 in x_shape:
        return g
    if _divisible(xp, out):
        return xp.flip(xp.cumulative_sum(xp.flip(g * out, (axis,)), axis), (axis,)) / x
    # dx[k] = before[k] * s[k], where s[k] = g[k] + x[k+1] * s[k+1].
    factors = _part(xp, xp.flip(x, (axis,)), axis, 0, count - 1)
    sums = xp.flip(_recurrence(xp, factors, xp.flip(g, (axis,)), axis, count), (axis,))
    return _exclusive_products(xp, x, axis, count) * sums


def _cumulative_prod_jvp(xp: Any, t: Any, x: Any, out: Any, axis: int, x_shape: Shape) -> Any:
    count = x_shape[axis]
    if 0 in x_shape:
        return t
    if _divisible(xp, out):
        return out * xp.cumulative_sum(t / x, axis)
    # d[k] = before[k] * t[k] + x[k] * d[k-1].
    return _recurrence(xp, _part(xp, x, axis, 1, count), _exclusive_products(xp, x, axis, count) * t, axis, count)


def _divisible(xp: Any, out: Any) -> bool:
    """Whether the running products are known, and none of them is zero or has overflowed."""
    values = known(out)
    if values is None:
        return False
    usable = xp.logical_and(xp.not_equal(values, 0), xp.isfinite(values))
    return bool(xp.all(usable, tuple(range(len(values.shape))), False))


def known(x: Any) -> Any:
    """The array that holds the values of ``x``, for a rule to choose by; None while a framework traces a program, or
    where they are not computed yet."""
    held = beneath(x)
    raw = held._raw if isinstance(held, Tensor) else held
    backend = backend_of(raw)
    return held if backend is not None and backend.is_at_hand(raw) else None


def _recurrence(xp: Any, factors: Any, terms: Any, axis: int, count: int) -> Any:
    """Along ``axis``: ``s[k] = terms[k] + factors[k - 1] * s[k - 1]``.

    In steps that double: each element goes back by as many as those before have gathered (W. D. Hillis and G. L.
    Steele, "Data parallel algorithms", 1986).
    """
    shift = 1
    while shift < count:
        head, later, earlier = shifted(xp, terms, axis, count, shift)
        terms = xp.concat([head, later + factors * earlier], axis)
        # Of the elements that go back by so many, and those need no factor that are already whole.
        held = count - shift
        if held > shift:
            factors = _part(xp, factors, axis, shift, held) * _part(xp, factors, axis, 0, held - shift)
        shift *= 2
    return terms


def shifted(xp: Any, x: Any, axis: int, count: int, shift: int) -> tuple[Any, Any, Any]:
    """The first ``shift`` elements along an axis, and all pairs of elements that far apart: the later, the earlier."""
    return (
        _part(xp, x, axis, 0, shift),
        _part(xp, x, axis, shift, count),
        _part(xp, x, axis, 0, count - shift),
    )


def _part(xp: Any, x: Any, axis: int, start: int, stop: int) -> Any:
    return xp.getitem(x, (slice(None, None, None),) * axis + (slice(start, stop, 1),))


vjp(cumulative_prod_, _cumulative_prod_vjp)
jvp(cumulative_prod_, _cumulative_prod_jvp)
batched(cumulative_prod_, "further")


# --- public ------------------------------------------------------------------------------------------


def _summand(x: Tensor, dtype: Any) -> Tensor:
    """x as a sum or product takes it: small integers and booleans are added up as int64."""
    if dtype is not None:
        return x.astype(dtype)
    if x._dtype.kind in dtypes.FLOATING:
        return x
    if x.dtype.kind in "bi" and x.dtype != dtypes.int64:
        return astype_(x, dtypes.int64)
    if x.dtype.kind == "u" and x.dtype != dtypes.uint64:
        return astype_(x, dtypes.uint64 if dtypes.uint64 in x.backend.raw_dtypes else dtypes.int64)
    return x


@operation
def sum(x: Array, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The sum of the elements over ``axis`` (an integer, a tuple, or None for all)."""
    if elsewhere:
        raise unknown_argument("sum", elsewhere)
    x = asarray(x)
    if dtype is not None or x._dtype.kind not in dtypes.FLOATING:
        x = _summand(x, dtype)
    return sum_(x, many_axes(axis, x.ndim), keepdims)


@operation
def prod(x: Array, /, axis: Axis = None, *, dtype: Any = None, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The product of the elements over ``axis``; its derivative is right where elements are zero."""
    if elsewhere:
        raise unknown_argument("prod", elsewhere)
    x = asarray(x)
    if dtype is not None or x._dtype.kind not in dtypes.FLOATING:
        x = _summand(x, dtype)
    if narrow(x):
        return in_float32(prod, x, axis=axis, keepdims=keepdims)
    return prod_(x, many_axes(axis, x.ndim), keepdims)


LARGEST_HALF = 65504
"""Of float16."""


def counted(shape: Shape, axes: Shape) -> int:
    return math.prod([shape[axis] for axis in axes])


def _not_empty(name: str, x: Tensor, axes: Shape) -> None:
    if counted(x.shape, axes) == 0:
        raise ShapeError(f"{name} of no elements: shape {x.shape} over axes {axes} has none to choose from")


@operation
def max(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The largest element over ``axis``; equal largest ones share the gradient equally."""
    if elsewhere:
        raise unknown_argument("max", elsewhere)
    x = asarray(x)
    axes = many_axes(axis, x.ndim)
    if 0 in x.shape:
        _not_empty("max", x, axes)
    if more_than_counted(x, counted(x.shape, axes)):
        return in_float32(max, x, axis=axes, keepdims=keepdims)
    return max_(x, axes, keepdims)


@operation
def min(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The smallest element over ``axis``; equal smallest ones share the gradient equally."""
    if elsewhere:
        raise unknown_argument("min", elsewhere)
    x = asarray(x)
    axes = many_axes(axis, x.ndim)
    if 0 in x.shape:
        _not_empty("min", x, axes)
    if more_than_counted(x, counted(x.shape, axes)):
        return in_float32(min, x, axis=axes, keepdims=keepdims)
    return min_(x, axes, keepdims)


@operation
def any(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """Whether any element over ``axis`` is true."""
    if elsewhere:
        raise unknown_argument("any", elsewhere)
    x = asarray(x)
    return any_(x, many_axes(axis, x.ndim), keepdims)


@operation
def all(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """Whether all elements over ``axis`` are true."""
    if elsewhere:
        raise unknown_argument("all", elsewhere)
    x = asarray(x)
    return all_(x, many_axes(axis, x.ndim), keepdims)


def _position(name: str, function: Any, x: Array, axis: int | None, keepdims: bool) -> Tensor:
    x = asarray(x)
    if axis is None:
        _not_empty(name, x, tuple(range(x.ndim)))
        found: Tensor = function(x.reshape(-1), 0, False)
        return found.reshape((1,) * x.ndim) if keepdims else found
    number = one_axis(axis, x.ndim)
    _not_empty(name, x, (number,))
    result: Tensor = function(x, number, keepdims)
    return result


@operation
def argmax(x: Array, /, axis: int | None = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The first position of the largest element (of the flattened array if ``axis`` is None), int64."""
    if elsewhere:
        raise unknown_argument("argmax", elsewhere)
    return _position("argmax", argmax_, x, axis, keepdims)


@operation
def argmin(x: Array, /, axis: int | None = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The first position of the smallest element (of the flattened array if ``axis`` is None), int64."""
    if elsewhere:
        raise unknown_argument("argmin", elsewhere)
    return _position("argmin", argmin_, x, axis, keepdims)


@operation
def count_nonzero(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """The number of elements over ``axis`` that are not zero, as int64."""
    if elsewhere:
        raise unknown_argument("count_nonzero", elsewhere)
    return sum(not_equal(asarray(x), 0), axis=axis, keepdims=keepdims)


def floating(x: Array) -> Tensor:
    x = asarray(x)
    return x if x._dtype.kind in dtypes.FLOATING else astype_(x, dtypes.to_float(x.dtype))


@operation
def logsumexp(x: Array, /, axis: Axis = None, *, keepdims: bool = False, **elsewhere: Any) -> Tensor:
    """log(sum(exp(x))) over ``axis``, without overflow; of complex numbers the principal logarithm."""
    if elsewhere:
        raise unknown_argument("logsumexp", elsewhere)
    x = asarray(x)
    if narrow(x):
        return in_float32(logsumexp, x, axis=axis, keepdims=keepdims)
    axes = many_axes(axis, x.ndim)
    if x.dtype.kind == "c":
        shift = _largest(real(x), axes)
        found = add(log(sum_(exp(subtract(x, shift)), axes, True)), shift)
        return found if keepdims else reshape(found, [size for n, size in enumerate(x.shape) if n not in axes])
    return logsumexp_(x, axes, keepdims)


def _largest(x: Tensor, axes: Shape) -> Tensor:
    """The largest elements over axes that stay, as constants; 0 where they are not finite or there are none."""
    if not counted(x.shape, axes):
        return sum_(x.detach(), axes, True)
    found = max_(x.detach(), axes, True)
    return where(isfinite(found), found, 0.0)


def narrow(*arrays: Tensor) -> bool:
    """Whether what is made of these arrays is a half: float16 or bfloat16. Then see :func:`in_float32`."""
    if arrays[0]._dtype is dtypes.float32 or arrays[0]._dtype is dtypes.float64:
        return False
    found = None
    for x in arrays:
        if dtypes.is_half(x.dtype) and (found is None or found == x.dtype):
            found = x.dtype
        elif x.dtype.kind in dtypes.FLOATING:
            return False
    return found is not None


def more_than_counted(x: Tensor, count: int) -> bool:
    """Whether so many elements may be equal that the dtype does not hold their number, among which they share."""
    return count > LARGEST_HALF and x.dtype.kind == "f" and x.dtype.itemsize == 2


def in_float32(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """``function`` of arrays of one half dtype, of which float16 overflows in sums and squares on the way to results
    that it can hold, and bfloat16 has no digits to add them up with."""
    halves = [x for x in args if isinstance(x, Tensor) and narrow(x)]
    wide = [astype_(x, dtypes.float32) if isinstance(x, Tensor) and narrow(x) else x for x in args]
    found = function(*wide, **options)
    dtype = halves[0].dtype
    return astype_(found, dtype) if isinstance(found, Tensor) else tuple([astype_(one, dtype) for one in found])


def rounded_once(function: F) -> F:
    """Marks a function that is made of several others: of halves it goes through :func:`in_float32`, so that its
    derivatives do as well."""

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        arrays = [x for x in args if isinstance(x, Tensor)]
        if not arrays:
            arrays = tensors([x for x in args if hasattr(x, "dtype")])
            made = iter(arrays)
            args = tuple([next(made) if hasattr(x, "dtype") else x for x in args])
        further = [x for x in options.values() if isinstance(x, Tensor)]
        if arrays and options.get("dtype") is None and narrow(*arrays, *further):
            return in_float32(function, *args, **options)
        return function(*args, **options)

    return call  # type: ignore[return-value]


def squared_size(x: Tensor) -> Tensor:
    """abs(x) ** 2; of complex numbers by their parts, so that it is smooth where they are 0."""
    return square(x) if x.dtype.kind != "c" else square(real(x)) + square(imag(x))


def _scan(function: Any, x: Array, axis: int | None, dtype: Any, include_initial: bool, initial: int) -> Tensor:
    x = _summand(asarray(x), dtype)
    if axis is None:
        if x.ndim > 1:
            raise ArgumentError(f"a {x.ndim}-dimensional array needs axis=; reshape(x, -1) makes it one-dimensional")
        axis = 0
        x = x.reshape(-1)
    number = one_axis(axis, x.ndim)
    result: Tensor = function(x, number)
    if not include_initial:
        return result
    first = full(kept(x.shape, (number,)), initial, dtype=x.dtype, like=x)
    return concat([first, result], axis=number)


@operation
def cumulative_sum(
    x: Array, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False, **elsewhere: Any
) -> Tensor:
    """Running sums along ``axis``, with a 0 in front if ``include_initial``."""
    if elsewhere:
        raise unknown_argument("cumulative_sum", elsewhere)
    return _scan(cumulative_sum_, x, axis, dtype, include_initial, 0)


@operation
def cumulative_prod(
    x: Array, /, axis: int | None = None, *, dtype: Any = None, include_initial: bool = False, **elsewhere: Any
) -> Tensor:
    """Running products along ``axis``, with a 1 in front if ``include_initial``; zeros are differentiated right."""
    if elsewhere:
        raise unknown_argument("cumulative_prod", elsewhere)
    x = asarray(x)
    if narrow(x) and dtype is None:
        return in_float32(cumulative_prod, x, axis=axis, include_initial=include_initial)
    return _scan(cumulative_prod_, x, axis, dtype, include_initial, 1)


def vector_norm(x: Array, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """The vector norm over ``axis``: ``ord`` may be any number, inf and -inf included.

    Its derivative where the norm is 0 is 0, the subgradient of least norm. The square of a norm with ``ord=2`` is
    smooth there, and has the derivatives of the sum of squares, to any order.
    """
    x = floating(x)
    axes = many_axes(axis, x.ndim)
    if not isinstance(ord, (int, float)) or ord != ord:
        raise ArgumentError(f"ord must be a number, inf or -inf, not {ord!r}")
    if not narrow(x):
        ord = float(one_number(ord, dtypes.real_of(x.dtype)))
    if ord == 0:
        return astype_(count_nonzero(x, axis=axes, keepdims=keepdims), dtypes.real_of(x.dtype))
    if ord == 2:
        return _euclidean(x, axes, keepdims)
    if narrow(x):
        return in_float32(vector_norm, x, axis=axes, keepdims=keepdims, ord=ord)
    if ord == 1:
        return sum_(absolute(x), axes, keepdims)
    if math.isinf(ord):
        if ord > 0 and counted(x.shape, axes) == 0:
            return sum_(absolute(x), axes, keepdims)
        return (max if ord > 0 else min)(absolute(x), axis=axes, keepdims=keepdims)
    return vector_norm_(x, axes, keepdims, float(ord))


def _euclidean(x: Tensor, axes: Shape, keepdims: bool) -> Tensor:
    if narrow(x):
        return in_float32(_euclidean, x, axes=axes, keepdims=keepdims)
    found: Tensor = vector_norm_(x, axes, keepdims, 2.0)
    if not is_root(found):
        return found
    x = unchanging(x)
    return rooted(found, (identity(x), axes), lambda: sum_(squared_size(x), axes, keepdims))


cumsum = alias("cumsum", cumulative_sum)
cumprod = alias("cumprod", cumulative_prod)
