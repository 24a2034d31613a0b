"""Along one axis, in order: running extremes, differences, interpolation."""

from __future__ import annotations

from typing import Any

from unigrad.base import dtypes
from unigrad.base.arguments import one_axis, whole_number
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.base.words import Shape
from unigrad.binding.declaring import primitive
from unigrad.operations.arranging import along
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import (
    clip,
    equal,
    floats,
    less,
    logaddexp,
    logical_or,
    minimum,
    not_equal,
    remainder,
    where,
)
from unigrad.operations.indexing import argsort_, getitem, take_along_axis_
from unigrad.operations.reductions import floating, in_float32, known, more_than_counted, narrow, shifted
from unigrad.operations.reductions import sum as sum_over
from unigrad.operations.searching import searchsorted_
from unigrad.operations.shapes import broadcast_to, concat, reshape
from unigrad.table import Array, alias, batched, composed, jvp, operation, vjp
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = [
    "cumulative_logsumexp", "cumulative_max", "cumulative_min", "diff", "ediff1d",
    "interp", "trapezoid",
    "cummax",
    "cummin",
]  # fmt: skip


# --- running extremes --------------------------------------------------------------------------------------


@primitive("reduction", dtypes="real")
def cumulative_max_(x: Array, axis: int) -> Tensor:
    """The largest element so far along one axis; those that are equal share its gradient equally."""


@primitive("reduction", dtypes="real")
def cumulative_min_(x: Array, axis: int) -> Tensor:
    """The smallest element so far along one axis; those that are equal share its gradient equally."""


def _running(xp: Any, x: Any, axis: int, better: Any) -> Any:
    """In steps that double: after each, an element is the best of twice as many."""
    count = x.shape[axis]
    shift = 1
    while shift < count:
        head, later, earlier = shifted(xp, x, axis, count, shift)
        x = xp.concat([head, better(later, earlier)], axis)
        shift *= 2
    return x


composed(cumulative_max_, lambda xp, x, axis: _running(xp, x, axis, xp.maximum))
batched(cumulative_max_, "further")
composed(cumulative_min_, lambda xp, x, axis: _running(xp, x, axis, xp.minimum))
batched(cumulative_min_, "further")


def _sums_in_runs(xp: Any, values: Any, out: Any, axis: int, count: int) -> Any:
    """For each element: the sum of ``values`` up to it, as far back as ``out`` is the same.

    In steps that double, so that nothing is subtracted and no run adds to another. NaN differs from nothing: a
    result that is NaN depends on all elements before it.
    """
    shift = 1
    while shift < count:
        head, later, earlier = shifted(xp, values, axis, count, shift)
        _, out_later, out_earlier = shifted(xp, out, axis, count, shift)
        other = xp.logical_or(xp.less(out_later, out_earlier), xp.less(out_earlier, out_later))
        values = xp.concat([head, later + xp.where(other, 0.0, earlier)], axis)
        shift *= 2
    return values


def _running_share(xp: Any, x: Any, out: Any, axis: int, count: int, dtype: Any) -> tuple[Any, Any]:
    """A divisor that is 1 for the elements that attain the extreme so far and else infinite, and of how many of them
    each result is the extreme (NaN of NaN)."""
    same = xp.equal(x, out)
    attained = xp.astype(same, dtype)
    number = _sums_in_runs(xp, attained, out, axis, count)
    # Divided by, not multiplied with: a compiler may take 0 or 1 times a number for a choice, which hides NaN.
    return xp.where(same, attained, float("inf")), xp.where(xp.isnan(out), float("nan"), number)


def _plainly(xp: Any, x: Any, out: Any, change: Any, axis: int, x_shape: Shape) -> bool:
    """Whether all values are known, each extreme is that of one element, and nothing is NaN or an infinite change."""
    held = [known(each) for each in (x, out, change)]
    if any(each is None for each in held):
        return False
    given, found, moved = held
    ahead, ndim, count = len(given.shape) - len(x_shape), len(given.shape), x_shape[axis]
    _, later, _ = shifted(xp, given, axis + ahead, count, 1)
    _, _, earlier = shifted(xp, found, axis + ahead, count, 1)
    everywhere = tuple(range(ndim))
    if bool(xp.any(xp.equal(later, earlier), everywhere, False)) or bool(xp.any(xp.isnan(found), everywhere, False)):
        return False
    return bool(xp.all(xp.isfinite(moved), tuple(range(len(moved.shape))), False))


def _runs(xp: Any, x: Any, out: Any, axis: int) -> tuple[Any, Any]:
    """Which elements are an extreme, and for each element which of these, counted, is the one so far."""
    attained = xp.equal(x, out)
    return attained, xp.cumulative_sum(xp.astype(attained, dtypes.int64), axis) - 1


def _running_vjp(xp: Any, g: Any, x: Any, out: Any, axis: int, x_shape: Shape, x_dtype: Any) -> Any:
    count = x_shape[axis]
    if 0 in x_shape:
        return g
    if _plainly(xp, x, out, g, axis, x_shape):
        attained, runs = _runs(xp, x, out, axis)
        sums = xp.scatter_along_axis(g, runs, axis, x_shape)
        return xp.where(attained, xp.take_along_axis(sums, runs, axis), 0.0)
    divisor, number = _running_share(xp, x, out, axis, count, x_dtype)
    shares, runs = xp.flip(g / number, (axis,)), xp.flip(out, (axis,))
    return xp.flip(_sums_in_runs(xp, shares, runs, axis, count), (axis,)) / divisor


def _running_jvp(xp: Any, t: Any, x: Any, out: Any, axis: int, x_shape: Shape, x_dtype: Any) -> Any:
    if 0 in x_shape:
        return t
    if _plainly(xp, x, out, t, axis, x_shape):
        attained, runs = _runs(xp, x, out, axis)
        chosen = xp.scatter_along_axis(xp.where(attained, t, 0.0), runs, axis, x_shape)
        return xp.take_along_axis(chosen, runs, axis)
    divisor, number = _running_share(xp, x, out, axis, x_shape[axis], x_dtype)
    return _sums_in_runs(xp, t / divisor, out, axis, x_shape[axis]) / number


for _row in (cumulative_max_, cumulative_min_):
    vjp(_row, _running_vjp)
    jvp(_row, _running_jvp)


def _scan(function: Any, x: Array, axis: int | None) -> Tensor:
    x = asarray(x)
    if axis is None:
        if x.ndim > 1:
            raise ArgumentError(f"a {x.ndim}-dimensional array needs axis=; reshape(x, -1) makes it one-dimensional")
        x, axis = reshape(x, -1), 0
    axis = one_axis(axis, x.ndim)
    if more_than_counted(x, x.shape[axis]):
        return astype(function(astype(x, dtypes.float32), axis), x.dtype)
    found: Tensor = function(x, axis)
    return found


@operation
def cumulative_max(x: Array, /, axis: int | None = None) -> Tensor:
    """The largest element so far along ``axis``, NaN from the first NaN on; equal ones share the gradient equally."""
    return _scan(cumulative_max_, x, axis)


@operation
def cumulative_min(x: Array, /, axis: int | None = None) -> Tensor:
    """The smallest element so far along ``axis``, NaN from the first NaN on; equal ones share the gradient equally."""
    return _scan(cumulative_min_, x, axis)


@operation
def cumulative_logsumexp(x: Array, /, axis: int | None = None) -> Tensor:
    """log(sum(exp(x))) of all elements so far along ``axis``, without overflow."""

    def running(x: Tensor, axis: int) -> Tensor:
        shift = 1
        while shift < x.shape[axis]:
            head, later, earlier = (
                getitem(x, along(axis, part)) for part in (slice(shift), slice(shift, None), slice(-shift))
            )
            x, shift = concat([head, logaddexp(later, earlier)], axis=axis), shift * 2
        return x

    return _scan(running, floating(x), axis)


# --- differences and areas -----------------------------------------------------------------------------------


def _pairs(x: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """All elements but the first along an axis, and all but the last."""
    return getitem(x, along(axis, slice(1, None))), getitem(x, along(axis, slice(None, -1)))


@operation
def diff(
    x: Array, /, *, axis: int = -1, n: int = 1, prepend: Array | None = None, append: Array | None = None
) -> Tensor:
    """Each element along ``axis`` less the one before, ``n`` times; of booleans whether they differ.

    ``prepend`` and ``append`` are put at the ends first, unless n is 0; a number counts for all. ArgumentError if n is
    negative.
    """
    x = asarray(x)
    number = one_axis(axis, x.ndim)
    if whole_number(n, "n") < 0:
        raise ArgumentError(f"diff needs n from 0 up, not {n}")
    if n and (prepend is not None or append is not None):
        one = (*x.shape[:number], 1, *x.shape[number + 1 :])
        ends = [None if end is None else tensors((x, end))[1] for end in (prepend, append)]
        before, after = ([] if end is None else [broadcast_to(end, one) if not end.ndim else end] for end in ends)
        x = concat([*before, x, *after], axis=number)
    for _ in range(min(n, x.shape[number])):
        later, earlier = _pairs(x, number)
        x = not_equal(later, earlier) if x.dtype.kind == "b" else later - earlier
    return x


@operation
def ediff1d(x: Array, /) -> Tensor:
    """The differences between neighbours in the flattened array."""
    return diff(reshape(x, -1))


@operation
def trapezoid(y: Array, /, x: Array | None = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    """The area under y along ``axis`` by trapezoids whose widths are ``dx``, or the differences of ``x``.

    x broadcasts against y, or is a vector along the axis.
    """
    y = floating(y)
    if x is not None:
        y, x = floats(y, x)
    if narrow(y):
        return in_float32(trapezoid, y, x, dx=dx, axis=axis)
    number = one_axis(axis, y.ndim)
    later, earlier = _pairs(y, number)
    if x is None:
        return sum_over(later + earlier, axis=number) * (dx / 2)
    if x.ndim == 1 and x.size == y.shape[number]:
        x = reshape(x, tuple(x.size if other == number else 1 for other in range(y.ndim)))
    behind = number - y.ndim
    if x.ndim < -behind or x.shape[behind] != y.shape[number]:
        raise ShapeError(f"x of shape {x.shape} does not fit axis {number} of y's shape {y.shape}")
    return sum_over(diff(x, axis=behind) * (later + earlier) * 0.5, axis=behind)


# --- interpolation -----------------------------------------------------------------------------------------------


@operation
def interp(
    x: Array,
    xp: Array,
    fp: Array,
    /,
    left: Array | None = None,
    right: Array | None = None,
    period: float | None = None,
) -> Tensor:
    """The piecewise linear function through the points (``xp``, ``fp``) at ``x``; xp ascends.

    Outside it is ``left`` and ``right``, or the first and last value. Differentiable in x, xp and fp; at a point of xp
    its slope is that of the piece to the right, at the last one to the left. With a ``period`` the points lie on a
    circle of this circumference, in any order, and there is no outside.
    """
    x, xp, fp = floats(x, xp, fp)
    if narrow(x, xp, fp):
        return in_float32(interp, x, xp, fp, left=left, right=right, period=period)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ShapeError(f"interp needs vectors xp and fp of one size, 1 or more, not {xp.shape} and {fp.shape}")
    if period is not None:
        x, xp, fp = _once_around(x, xp, fp, period)
        left = right = None
    flat = reshape(x, -1)
    below, above = less(flat, xp[0]), less(xp[-1], flat)
    left_end = clip(searchsorted_(xp, flat, True) - 1, 0, max(xp.size - 2, 0))
    right_end = minimum(left_end + 1, xp.size - 1)
    x0, x1, f0, f1 = (take_along_axis_(array, end, 0) for array in (xp, fp) for end in (left_end, right_end))
    width = x1 - x0
    # Outside, an offset of 0: an infinite one would make NaN of a gradient that is not used.
    offset = where(logical_or(below, above), 0.0, flat - x0)
    inside = f0 + offset * ((f1 - f0) / where(equal(width, 0), 1.0, width))
    found = where(below, fp[0] if left is None else left, inside)
    return reshape(where(above, fp[-1] if right is None else right, found), x.shape)


def _once_around(x: Tensor, xp: Tensor, fp: Tensor, period: float) -> tuple[Tensor, Tensor, Tensor]:
    """Within one period, the points in order, with the last one before the first and the first behind the last."""
    if not period:
        raise ArgumentError("interp needs a period other than 0")
    period = abs(period)
    x, xp = remainder(x, period), remainder(xp, period)
    order = argsort_(xp, 0, False)
    xp, fp = take_along_axis_(xp, order, 0), take_along_axis_(fp, order, 0)
    return x, concat([xp[-1:] - period, xp, xp[:1] + period]), concat([fp[-1:], fp, fp[:1]])


cummax = alias("cummax", cumulative_max)
cummin = alias("cummin", cumulative_min)
