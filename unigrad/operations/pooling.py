"""The primitives of pooling: the largest element of each window, what its derivative is made of, and the sum."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from unigrad.base.words import EVERYTHING, Shape
from unigrad.binding.declaring import primitive
from unigrad.interpreters.batches import Mask, Values, of_none, repeated
from unigrad.operations.networks import window_count, window_key
from unigrad.table import Array, Primitive, batched, composed, jvp, vjp
from unigrad.tensor.levels import call
from unigrad.tensor.tensor import Tensor

__all__: list[str] = []


@primitive("reduction", dtypes="real_float")
def max_pool_(x: Array, sizes: Shape, strides: Shape, dilations: Shape) -> Tensor:
    """The largest element of each window of these sizes over the spatial axes of x, of shape (N, C, *spatial).

    NaN if there is one; ties share the gradient equally.
    """


@primitive("reduction", dtypes="real_float")
def max_pool_back_(change: Array, x: Array, top: Array, sizes: Shape, strides: Shape, dilations: Shape) -> Tensor:
    """The cotangent of max_pool's x for that of its result ``top``: each window's goes to its largest elements
    equally."""


@primitive("reduction", dtypes="real_float")
def max_pool_along_(change: Array, x: Array, top: Array, sizes: Shape, strides: Shape, dilations: Shape) -> Tensor:
    """The tangent of max_pool's result ``top`` for that of x: the mean over the largest elements of each window."""


@primitive("reduction", dtypes="real_float")
def sum_pool_(x: Array, sizes: Shape, strides: Shape) -> Tensor:
    """The sum of each window of these sizes over the spatial axes of x, of shape (N, C, *spatial)."""


def window_slices(counts: Shape, sizes: Shape, strides: Shape, dilations: Shape) -> Iterator[tuple[Any, ...]]:
    """For each element of a window the key that selects it in all windows at once."""
    for places in itertools.product(*map(range, sizes)):
        starts = [place * step for place, step in zip(places, dilations, strict=True)]
        key = [
            slice(start, start + (count - 1) * stride + 1, stride)
            for start, count, stride in zip(starts, counts, strides, strict=True)
        ]
        yield (EVERYTHING, EVERYTHING, *key)


# What follows is composed as frameworks do it well: the windows of an array, and what is due to their elements.


def _touching(sizes: Shape, strides: Shape, dilations: Shape) -> bool:
    """Whether windows are the array itself under another shape, in which every other axis is theirs: of three spatial
    axes frameworks cannot broadcast so many."""
    return strides == sizes and len(sizes) < 3 and all(step == 1 for step in dilations)


def _layout(
    xp: Any, shape: Shape, sizes: Shape, strides: Shape, dilations: Shape
) -> tuple[Shape, Shape, Callable[[Any], Any]]:
    """The shape of the windows of an array of ``shape``, the axes along which their elements lie, and the way back from
    cotangents of these to the array's."""
    ndim = len(sizes)
    counts = tuple(pooled_shape(shape, sizes, strides, dilations)[2:])
    if not _touching(sizes, strides, dilations):
        key = window_key(shape, sizes, strides, dilations)
        return (*shape[:2], *counts, *sizes), tuple(range(2 + ndim, 2 + 2 * ndim)), lambda g: xp.scatter(g, key, shape)
    # Of few axes, since frameworks take so many.
    split = [size for pair in zip(counts, sizes, strict=True) for size in pair]
    split[0] *= math.prod(shape[:2])
    crop = _crop(shape, sizes)

    def back(g: Any) -> Any:
        if crop is None:
            return xp.reshape(g, shape)
        used = [count * width for count, width in zip(counts, sizes, strict=True)]
        return xp.scatter(xp.reshape(g, (*shape[:2], *used)), crop, shape)

    return tuple(split), tuple(range(1, 2 * ndim, 2)), back


def _crop(shape: Shape, sizes: Shape) -> tuple[Any, ...] | None:
    """The key of what windows that touch take of an array; None for all of it."""
    used = [size // width * width for size, width in zip(shape[2:], sizes, strict=True)]
    return None if tuple(used) == shape[2:] else (EVERYTHING, EVERYTHING, *[slice(0, size, 1) for size in used])


def _windows(
    xp: Any, x: Any, sizes: Shape, strides: Shape, dilations: Shape
) -> tuple[Any, Shape, Callable[[Any], Any]]:
    """The windows, and what :func:`_layout` says of them."""
    shape = tuple(x.shape)
    form, axes, back = _layout(xp, shape, sizes, strides, dilations)
    if not _touching(sizes, strides, dilations):
        return xp.windows(x, sizes, strides, dilations), axes, back
    crop = _crop(shape, sizes)
    return xp.reshape(x if crop is None else xp.getitem(x, crop), form), axes, back


def _of_windows(xp: Any, pooled: Any, form: Shape, axes: Shape) -> Any:
    """An array of max_pool's shape, in one that broadcasts against windows of the shape ``form``."""
    return xp.reshape(pooled, tuple([1 if axis in axes else size for axis, size in enumerate(form)]))


def _shares(xp: Any, windows: Any, out: Any, axes: Shape) -> Any:
    """1 for the largest element of a window, and of several as much for each."""
    attained = xp.astype(xp.equal(windows, _of_windows(xp, out, tuple(windows.shape), axes)), xp.dtype(windows))
    # NaN equals nothing: 0 / 0 makes the gradient NaN where the value is.
    return xp.divide(attained, xp.sum(attained, axes, True))


def pooled_shape(shape: Shape, sizes: Shape, strides: Shape, dilations: Shape) -> Shape:
    """The shape of max_pool's result."""
    return (*shape[:2], *map(window_count, shape[2:], sizes, strides, dilations))


def _max_pool(xp: Any, x: Any, sizes: Shape, strides: Shape, dilations: Shape) -> Any:
    windows, axes, _ = _windows(xp, x, sizes, strides, dilations)
    return xp.reshape(xp.max(windows, axes, False), pooled_shape(tuple(x.shape), sizes, strides, dilations))


def _back(xp: Any, g: Any, x: Any, out: Any, sizes: Shape, strides: Shape, dilations: Shape) -> Any:
    windows, axes, back = _windows(xp, x, sizes, strides, dilations)
    return back(xp.multiply(_of_windows(xp, g, tuple(windows.shape), axes), _shares(xp, windows, out, axes)))


def _along(xp: Any, t: Any, x: Any, out: Any, sizes: Shape, strides: Shape, dilations: Shape) -> Any:
    windows, axes, _ = _windows(xp, x, sizes, strides, dilations)
    moving, _, _ = _windows(xp, t, sizes, strides, dilations)
    return xp.reshape(xp.sum(xp.multiply(moving, _shares(xp, windows, out, axes)), axes, False), tuple(out.shape))


composed(max_pool_, _max_pool)
composed(max_pool_back_, _back)
composed(max_pool_along_, _along)

vjp(
    max_pool_,
    lambda xp, g, x, out, sizes, strides, dilations: xp.max_pool_back(g, x, out, sizes, strides, dilations),
)
jvp(
    max_pool_,
    lambda xp, t, x, out, sizes, strides, dilations: xp.max_pool_along(t, x, out, sizes, strides, dilations),
)


def _going_back(xp: Any, change: Any, x: Any, top: Any, sizes: Shape, strides: Shape, dilations: Shape) -> Any:
    return xp.max_pool_back(change, x, top, sizes, strides, dilations)


def _going_along(xp: Any, change: Any, x: Any, top: Any, sizes: Shape, strides: Shape, dilations: Shape) -> Any:
    return xp.max_pool_along(change, x, top, sizes, strides, dilations)


def _chosen(xp: Any, change: Any) -> None:
    """Which elements are the largest has no derivative."""


vjp(max_pool_back_, _going_along, _chosen, _chosen)
jvp(max_pool_back_, _going_back, _chosen, _chosen)
vjp(max_pool_along_, _going_back, _chosen, _chosen)
jvp(max_pool_along_, _going_along, _chosen, _chosen)


def _sum_pool(xp: Any, x: Any, sizes: Shape, strides: Shape) -> Any:
    alone = (1,) * len(sizes)
    windows, axes, _ = _windows(xp, x, sizes, strides, alone)
    return xp.reshape(xp.sum(windows, axes, False), pooled_shape(tuple(x.shape), sizes, strides, alone))


def _to_windows(xp: Any, g: Any, sizes: Shape, strides: Shape, x_shape: Shape) -> Any:
    """To each element what its windows have, added up."""
    form, axes, back = _layout(xp, x_shape, sizes, strides, (1,) * len(sizes))
    return back(xp.broadcast_to(_of_windows(xp, g, form, axes), form))


composed(sum_pool_, _sum_pool)
vjp(sum_pool_, _to_windows)
jvp(sum_pool_, "linear")


def _of_batch(bound: Any, row: Primitive, values: Values, mask: Mask, size: int, statics: Sequence[Any]) -> Tensor:
    """The elements are more of what x is a batch of."""
    if not size:
        return of_none(bound, _of_batch, row, values, mask, statics)
    merged = [bound.reshape(x, (size * x.shape[1], *x.shape[2:])) for x in repeated(bound, values, mask, size)]
    found: Tensor = call(bound, row, merged, statics)
    return bound.reshape(found, (size, found.shape[0] // size, *found.shape[1:]))


for _function in (max_pool_, max_pool_back_, max_pool_along_, sum_pool_):
    batched(_function, _of_batch)
