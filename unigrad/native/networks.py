"""What networks are made of, over an array module that follows NumPy: few passes over memory, in place where it can be.

``xp`` is the module, the first argument of all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from unigrad.base.words import EVERYTHING, Raw, Shape
from unigrad.native.bfloat16 import held
from unigrad.operations.pooling import pooled_shape, window_slices


def softmax(xp: Any, x: Raw, axis: int) -> Raw:
    """exp(x) / sum(exp(x)) along one axis, without overflow."""
    if x.shape[axis] == 0:
        return x.copy()
    found = x - x.max(axis=axis, keepdims=True)
    xp.exp(found, out=found)
    found /= found.sum(axis=axis, keepdims=True)
    return found


def standardised(xp: Any, x: Raw, axes: Shape, eps: float) -> Raw:
    """(x - mean) / sqrt(variance + eps), both over axes."""
    count = math.prod([x.shape[axis] for axis in axes]) or math.nan
    found = x - x.sum(axis=axes, keepdims=True) / count
    found /= xp.sqrt((found * found).sum(axis=axes, keepdims=True) / count + eps)
    return found


def normalised(xp: Any, x: Raw, weight: Raw, bias: Raw, axes: Shape, eps: float) -> Raw:
    """x standardised, times the weight, plus the bias."""
    found = standardised(xp, x, axes, eps)
    found *= weight
    found += bias
    return found


def linear(xp: Any, x: Raw, weight: Raw, bias: Raw) -> Raw:
    """x @ weight.T + bias, of one matrix."""
    shape = x.shape
    found = (x if len(shape) == 2 else x.reshape(math.prod(shape[:-1]), shape[-1])) @ weight.T
    found += bias
    return found.reshape(*shape[:-1], weight.shape[0])


def embedding(xp: Any, weight: Raw, indices: Raw) -> Raw:
    """The rows of the weight at the indices."""
    return weight[indices]


def embedding_back(xp: Any, change: Raw, indices: Raw, rows: int) -> Raw:
    """Rows, each the sum of what belongs to one index: sorted by it, since ``add.at`` takes one number after the
    other."""
    row = change.shape[indices.ndim :]
    found = held(xp.zeros((rows, *row), dtype=change.dtype))
    flat = indices.reshape(-1)
    if flat.size and math.prod(row):
        order = xp.argsort(flat, kind="stable")
        taken = flat[order]
        starts = xp.flatnonzero(xp.concatenate([taken[:1] >= 0, taken[1:] != taken[:-1]]))
        found[taken[starts]] = xp.add.reduceat(change.reshape(flat.size, *row)[order], starts, axis=0)
    return found


def softplus(xp: Any, x: Raw) -> Raw:
    """log(1 + exp(x)), as the larger of x and 0 and what is missing. In float64, since float32 has three ULP so.

    NumPy's logaddexp, number by number, takes several times as long.
    """
    exact = x.astype("float64")
    found = xp.log1p(xp.exp(-xp.abs(exact))) + xp.maximum(exact, xp.zeros_like(exact))
    return held(found.astype(x.dtype))


def gelu(xp: Any, erf: Callable[[Raw], Raw], x: Raw) -> Raw:
    """x times the normal distribution function of x."""
    found = erf(x * math.sqrt(0.5))
    found += 1
    found *= 0.5  # first: twice the value may be beyond the dtype
    found *= x
    return found


# --- convolutions ----------------------------------------------------------------------------------------------


def convolution(
    xp: Any, x: Raw, w: Raw, strides: Shape, padding: tuple[tuple[int, int], ...], dilations: Shape, groups: int
) -> Raw:
    """A product of matrices: the kernels, and the windows of x, whose elements are copied once.

    The longer of two lies innermost, the windows' places or their elements, since NumPy copies rows.
    """
    if x.dtype.itemsize == 2:
        wide = convolution(xp, x.astype("float32"), w.astype("float32"), strides, padding, dilations, groups)
        return held(wide.astype(x.dtype))
    ndim, batch, outputs, inputs = len(strides), x.shape[0], w.shape[0] // groups, w.shape[1]
    if any(map(any, padding)):
        x = xp.pad(x, ((0, 0), (0, 0), *padding))
    reach = tuple([step * (size - 1) + 1 for size, step in zip(w.shape[2:], dilations, strict=True)])
    windows = xp.lib.stride_tricks.sliding_window_view(x, reach, axis=tuple(range(2, 2 + ndim)))
    windows = windows[(EVERYTHING,) * 2 + tuple([slice(None, None, step) for step in (*strides, *dilations)])]
    counts = windows.shape[2 : 2 + ndim]
    windows = windows.reshape(batch, groups, inputs, *windows.shape[2:]) if groups > 1 else windows[:, None]
    places, elements = range(3, 3 + ndim), range(3 + ndim, 3 + 2 * ndim)
    terms = inputs * math.prod(w.shape[2:])
    kernels = w.reshape(groups, outputs, terms)
    if counts[-1] >= w.shape[-1]:
        columns = windows.transpose(0, 1, 2, *elements, *places).reshape(batch, groups, terms, math.prod(counts))
        return (kernels @ columns).reshape(batch, groups * outputs, *counts)
    rows = windows.transpose(1, 0, *places, 2, *elements).reshape(groups, batch * math.prod(counts), terms)
    found = (rows @ kernels.transpose(0, 2, 1)).reshape(groups, batch, *counts, outputs)
    found = found.transpose(1, 0, 2 + ndim, *range(2, 2 + ndim))
    return found.reshape(batch, groups * outputs, *counts)


# --- pooling ---------------------------------------------------------------------------------------------------


def max_pool(xp: Any, x: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """The largest elements of windows: one element of all windows after the other."""
    counts = pooled_shape(x.shape, sizes, strides, dilations)[2:]
    first, *others = window_slices(counts, sizes, strides, dilations)
    found = x[first].copy()
    for key in others:
        xp.maximum(found, x[key], out=found)
    return found


def sum_pool(xp: Any, x: Raw, sizes: Shape, strides: Shape) -> Raw:
    """The sums of windows: one element of all windows after the other."""
    alone = (1,) * len(sizes)
    first, *others = window_slices(pooled_shape(x.shape, sizes, strides, alone)[2:], sizes, strides, alone)
    found = x[first].copy()
    for key in others:
        found += x[key]
    return found


def max_pool_back(xp: Any, change: Raw, x: Raw, top: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """Each window's share, in its largest elements."""
    keys = list(window_slices(top.shape[2:], sizes, strides, dilations))
    hits = [x[key] == top for key in keys]
    share = held((change / _counted(hits)).astype(change.dtype))
    found = xp.zeros_like(x)
    apart = all(stride >= step * (size - 1) + 1 for size, stride, step in zip(sizes, strides, dilations, strict=True))
    for key, hit in zip(keys, hits, strict=True):
        if apart:
            xp.multiply(share, hit, out=found[key])
        else:
            found[key] += share * hit
    return found


def max_pool_along(xp: Any, change: Raw, x: Raw, top: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """The mean over the largest elements of each window."""
    keys = list(window_slices(top.shape[2:], sizes, strides, dilations))
    hits = [x[key] == top for key in keys]
    found = xp.zeros_like(top)
    for key, hit in zip(keys, hits, strict=True):
        found += change[key] * hit
    return held((found / _counted(hits)).astype(change.dtype))


def _counted(hits: list[Raw]) -> Raw:
    """How many of the elements of each window are the largest."""
    count = hits[0].astype("float32")
    for hit in hits[1:]:
        count += hit
    return count


def networks(xp: Any, erf: Callable[[Raw], Raw]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions."""
    named: tuple[Callable[..., Raw], ...] = (
        softmax, standardised, normalised, linear, embedding, embedding_back, convolution, max_pool,
        max_pool_back, max_pool_along, softplus, sum_pool,
    )  # fmt: skip
    table: dict[str, Callable[..., Raw]] = {function.__name__: partial(function, xp) for function in named}
    return table | {"gelu": partial(gelu, xp, erf)}
