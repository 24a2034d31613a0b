"""Arrays of shape (N, C, *spatial) in another spatial size: interpolated, or pooled to a given size.

Each spatial axis is treated by itself, one after the other: so the functions of one, two and three axes are one.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import whole_number
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.base.words import Shape
from unigrad.nn.convolutions import avg_pool1d, avg_pool2d, avg_pool3d, max_pool1d, max_pool2d, max_pool3d
from unigrad.operations.creation import asarray, astype
from unigrad.operations.elementwise import divide, where
from unigrad.operations.indexing import take
from unigrad.operations.reductions import in_float32, narrow
from unigrad.operations.reductions import max as _max
from unigrad.operations.reductions import sum as _sum
from unigrad.table import Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d", "interpolate",
]  # fmt: skip

Sizes = int | Sequence[int]
Weighted = list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]
"""Positions along an axis, one for each element of the result, and the weight of each."""


def _target(x: Tensor, size: Sizes | None, scale_factor: float | Sequence[float] | None) -> Shape:
    """The spatial shape asked for."""
    spatial = x.shape[2:]
    if not spatial or 0 in spatial:
        raise ShapeError(f"x must have the shape (N, C, *spatial), with no spatial axis empty, not {x.shape}")
    if (size is None) == (scale_factor is None):
        raise ArgumentError("give one of size= and scale_factor=, not both or none")
    given: Any = size if scale_factor is None else scale_factor
    values = list(given) if isinstance(given, (tuple, list)) else [given] * len(spatial)
    if len(values) != len(spatial):
        raise ArgumentError(f"{given!r} needs one number for each of {len(spatial)} spatial axes of {x.shape}")
    if scale_factor is None:
        found = tuple(whole_number(value, "size") for value in values)
    else:
        found = tuple(math.floor(length * value) for length, value in zip(spatial, values, strict=True))
    if min(found) < 1:
        raise ArgumentError(f"the spatial shape {found} has an axis without elements")
    return found


# --- interpolation ---------------------------------------------------------------------------------------


def _nearest(length: int, count: int, aligned: bool) -> Weighted:
    return [(np.arange(count) * length // count, np.ones(count))]


def _places(length: int, count: int, aligned: bool) -> np.ndarray[Any, Any]:
    """Where among the old elements the new ones lie: with the corners at each other, or with the outer edges."""
    if aligned:
        return np.arange(count) * ((length - 1) / max(count - 1, 1))
    return (np.arange(count) + 0.5) * (length / count) - 0.5


def _linear(length: int, count: int, aligned: bool) -> Weighted:
    places = np.clip(_places(length, count, aligned), 0, length - 1)
    low = np.minimum(np.floor(places).astype(np.int64), max(length - 2, 0))
    part = places - low
    return [(low, 1 - part), (np.minimum(low + 1, length - 1), part)]


_SHARPNESS = -0.75


def _cubic(length: int, count: int, aligned: bool) -> Weighted:
    """Keys' kernel (IEEE Transactions on Acoustics, Speech and Signal Processing 29, 1981), with the constant that
    PyTorch has; what lies outside counts as the last element."""
    places = _places(length, count, aligned)
    low = np.floor(places).astype(np.int64)
    found = []
    for offset in (-1, 0, 1, 2):
        t = np.abs(places - low - offset)
        near = ((_SHARPNESS + 2) * t - (_SHARPNESS + 3)) * t * t + 1
        far = _SHARPNESS * (((t - 5) * t + 8) * t - 4)
        found.append((np.clip(low + offset, 0, length - 1), np.where(t <= 1, near, far)))
    return found


_WEIGHTS: dict[str, Callable[[int, int, bool], Weighted]] = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}
_NAMES = {"bilinear": ("linear", 2), "trilinear": ("linear", 3), "bicubic": ("cubic", 2)}
"""Other names, and how many spatial axes they are for."""


def _summed(x: Tensor, axis: int, weighted: Weighted) -> Tensor:
    """The weighted sum of elements along one axis."""
    form = (-1,) + (1,) * (x.ndim - axis - 1)
    total = None
    for positions, weights in weighted:
        part = take(x, asarray(positions.astype(np.int64), like=x), axis=axis)
        if not np.all(weights == 1):
            part = part * asarray(weights.astype(x.dtype).reshape(form), like=x)
        total = part if total is None else total + part
    assert total is not None
    return total


@operation
def interpolate(
    x: Array,
    /,
    size: Sizes | None = None,
    *,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool = False,
) -> Tensor:
    """x, of shape (N, C, *spatial), with spatial axes of ``size`` elements, or of ``scale_factor`` times as many.

    ``mode``: ``"nearest"``; ``"linear"``, over two and three axes also ``"bilinear"`` and ``"trilinear"``; ``"cubic"``,
    over two axes also ``"bicubic"``; ``"area"``, the mean as in :func:`adaptive_avg_pool2d`. With ``align_corners``
    the first and last elements stay where they are, otherwise the outer edges of the elements do; that makes no
    difference to nearest and area. Raises ArgumentError for a mode that is not known or for another number of axes.
    """
    x = asarray(x)
    target = _target(x, size, scale_factor)
    if mode == "area":
        return _adaptive(x, target, "mean")
    name, axes = _NAMES.get(mode, (mode, len(target)))
    if name not in _WEIGHTS:
        raise ArgumentError(f"mode={mode!r} is not known; use one of {', '.join([*_WEIGHTS, *_NAMES, 'area'])}")
    if axes != len(target):
        raise ArgumentError(f"mode={mode!r} is for {axes} spatial axes, and x of shape {x.shape} has {len(target)}")
    if narrow(x) and name != "nearest":
        return in_float32(interpolate, x, size=target, mode=mode, align_corners=align_corners)
    if name != "nearest":
        x = astype(x, dtypes.to_float(x.dtype), copy=False)
    for axis, count in enumerate(target, 2):
        if count != x.shape[axis] or name != "nearest":
            x = _summed(x, axis, _WEIGHTS[name](x.shape[axis], count, align_corners))
    return x


# --- pooling to a size -----------------------------------------------------------------------------------


_OF_ONE_SIZE: dict[str, dict[int, Callable[..., Tensor]]] = {
    "mean": {1: avg_pool1d, 2: avg_pool2d, 3: avg_pool3d},
    "max": {1: max_pool1d, 2: max_pool2d, 3: max_pool3d},
}


def _adaptive(x: Array, size: Sizes, manner: str) -> Tensor:
    x = asarray(x)
    target = _target(x, size, None)
    of_one_size = _OF_ONE_SIZE[manner].get(len(target))
    if of_one_size and not any(map(operator.mod, x.shape[2:], target)):  # one step: the windows touch
        return of_one_size(x, tuple(map(operator.floordiv, x.shape[2:], target)))
    x = astype(x, dtypes.to_float(x.dtype), copy=False)
    if narrow(x) and manner == "mean":
        return in_float32(_adaptive, x, size=size, manner=manner)
    positions, inside = _windows(x.shape[2:], target)
    flat = x.reshape((*x.shape[:2], math.prod(x.shape[2:])))
    found = take(flat, asarray(positions.ravel(), like=x), axis=2).reshape((*x.shape[:2], *positions.shape))
    if not inside.all():
        found = where(asarray(inside, like=x), found, 0.0 if manner == "mean" else -math.inf)
    if manner == "max":
        found = _max(found, axis=3)
    else:
        found = divide(_sum(found, axis=3), asarray(inside.sum(axis=1).astype(x.dtype), like=x))
    return found.reshape((*x.shape[:2], *target))


@functools.lru_cache
def _windows(spatial: Shape, target: Shape) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """For each element of the result the positions of its window among all spatial elements, and which of them count:
    windows of one axis differ in size by one."""
    positions = np.zeros((1, 1), np.int64)
    inside = np.ones((1, 1), bool)
    for length, count in zip(spatial, target, strict=True):
        numbers = np.arange(count)
        starts, stops = numbers * length // count, -(-(numbers + 1) * length // count)
        own = starts[:, None] + np.arange(int((stops - starts).max()))
        shape = (len(positions) * count, -1)
        positions = (positions[:, None, :, None] * length + np.minimum(own, length - 1)[:, None]).reshape(shape)
        inside = (inside[:, None, :, None] & (own < stops[:, None])[:, None]).reshape(shape)
    return positions, inside


def _of_axes(x: Array, ndim: int, name: str) -> Tensor:
    x = asarray(x)
    if x.ndim != ndim + 2:
        raise ShapeError(f"{name}{ndim}d needs x of shape (N, C, *{ndim} spatial axes), not {x.shape}")
    return x


@operation
def adaptive_avg_pool1d(x: Array, /, size: Sizes) -> Tensor:
    """:func:`adaptive_avg_pool2d` over one spatial axis."""
    return _adaptive(_of_axes(x, 1, "adaptive_avg_pool"), size, "mean")


@operation
def adaptive_avg_pool2d(x: Array, /, size: Sizes) -> Tensor:
    """The means of windows of x, of shape (N, C, H, W), that are as many along each spatial axis as ``size`` says.

    The i-th of n windows over an axis of m elements begins with element floor(i m / n) and ends before
    ceil((i + 1) m / n): they cover the axis, and overlap where n does not divide m.
    """
    return _adaptive(_of_axes(x, 2, "adaptive_avg_pool"), size, "mean")


@operation
def adaptive_avg_pool3d(x: Array, /, size: Sizes) -> Tensor:
    """:func:`adaptive_avg_pool2d` over three spatial axes."""
    return _adaptive(_of_axes(x, 3, "adaptive_avg_pool"), size, "mean")


@operation
def adaptive_max_pool1d(x: Array, /, size: Sizes) -> Tensor:
    """:func:`adaptive_max_pool2d` over one spatial axis."""
    return _adaptive(_of_axes(x, 1, "adaptive_max_pool"), size, "max")


@operation
def adaptive_max_pool2d(x: Array, /, size: Sizes) -> Tensor:
    """The largest elements of the windows of :func:`adaptive_avg_pool2d`; NaN where there is one in the window.

    As with ``max``, the largest elements of one window share its gradient equally.
    """
    return _adaptive(_of_axes(x, 2, "adaptive_max_pool"), size, "max")


@operation
def adaptive_max_pool3d(x: Array, /, size: Sizes) -> Tensor:
    """:func:`adaptive_max_pool2d` over three spatial axes."""
    return _adaptive(_of_axes(x, 3, "adaptive_max_pool"), size, "max")
