"""Layers that bring what passes through them to mean 0 and variance 1.

Each divides by ``sqrt(variance + eps)``, where the variance is that of all elements together (divided by their
number), of complex ones the mean of ``abs(x - mean) ** 2``. ``weight`` and ``bias`` then multiply and are added, where
they are given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from unigrad.base.arguments import many_axes, one_axis, real_number, whole_number
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.base.recording import is_training
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import add, divide, multiply, real_numbers, sqrt, subtract
from unigrad.operations.moments import mean
from unigrad.operations.normalising import normalised_, standardised_
from unigrad.operations.reductions import in_float32, narrow, squared_size
from unigrad.table import Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = ["batch_norm", "group_norm", "instance_norm", "layer_norm", "rms_norm"]


def _standardised(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    if narrow(x):
        return in_float32(_standardised, x, axes=axes, eps=eps)
    eps = real_number(eps, "eps")
    if x.dtype.kind != "c":
        return standardised_(x, axes, eps)
    moved = subtract(x, mean(x, axis=axes, keepdims=True))
    return divide(moved, sqrt(mean(squared_size(moved), axis=axes, keepdims=True) + eps))


def _fitted(x: Tensor, axes: tuple[int, ...], **parameters: Array) -> list[Tensor]:
    """Parameters, by name, that have the sizes of these axes of x, in a shape that broadcasts against x."""
    shape = x.shape
    expected = tuple([shape[axis] for axis in axes])
    are_last = axes == tuple(range(len(shape) - len(axes), len(shape)))
    found = []
    for name, given in parameters.items():
        parameter = asarray(given, like=x)
        if parameter.shape != expected:
            raise ShapeError(f"{name} of shape {parameter.shape} does not fit x of shape {shape}; expected {expected}")
        if not are_last:
            parameter = parameter.reshape(tuple([size if axis in axes else 1 for axis, size in enumerate(shape)]))
        found.append(parameter)
    return found


def _normalised(
    x: Tensor, weight: Array | None, bias: Array | None, axes: tuple[int, ...], eps: float, fitting: tuple[int, ...]
) -> Tensor:
    """x standardised over axes, in one step if there are both parameters, which have the sizes of axes ``fitting``."""
    if weight is None or bias is None or x._dtype.kind == "c":
        return _scaled(_standardised(x, axes, eps), weight, bias, fitting)
    weight, bias = _fitted(x, fitting, weight=weight, bias=bias)
    if "c" in (weight._dtype.kind, bias._dtype.kind):
        return add(multiply(_standardised(x, axes, eps), weight), bias)
    eps = real_number(eps, "eps")
    if narrow(x, weight, bias):
        return in_float32(normalised_, x, weight, bias, axes=axes, eps=eps)
    return normalised_(x, weight, bias, axes, eps)


def _scaled(x: Tensor, weight: Array | None, bias: Array | None, axes: tuple[int, ...]) -> Tensor:
    if weight is not None:
        x = multiply(x, *_fitted(x, axes, weight=weight))
    return x if bias is None else add(x, *_fitted(x, axes, bias=bias))


@operation
def layer_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    /,
    *,
    axis: int | Sequence[int] = -1,
    eps: float = 1e-5,
) -> Tensor:
    """x standardised over ``axis`` (Ba et al., 2016); the parameters have the sizes of these axes."""
    x = asarray(x)
    axes = many_axes(axis, x.ndim)
    return _normalised(x, weight, bias, axes, eps, axes)


@operation
def rms_norm(x: Array, weight: Array | None = None, /, *, axis: int | Sequence[int] = -1, eps: float = 1e-6) -> Tensor:
    """x / sqrt(mean(abs(x) ** 2) + eps) over ``axis`` (Zhang and Sennrich, 2019).

    The weight has the sizes of these axes.
    """
    x = asarray(x)
    axes = many_axes(axis, x.ndim)
    return _scaled(_of_size_one(x, axes, eps), weight, None, axes)


def _of_size_one(x: Tensor, axes: tuple[int, ...], eps: float) -> Tensor:
    if narrow(x):
        return in_float32(_of_size_one, x, axes=axes, eps=eps)
    return divide(x, sqrt(mean(squared_size(x), axis=axes, keepdims=True) + real_number(eps, "eps")))


@operation
def batch_norm(
    x: Array,
    weight: Array | None = None,
    bias: Array | None = None,
    /,
    *,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    training: bool | None = None,
    axis: int = 1,
    eps: float = 1e-5,
) -> Tensor:
    """x standardised for each channel, of which ``axis`` is the axis (Ioffe and Szegedy, 2015).

    In training (the current mode unless said) by the mean and variance of x over all other axes; else by
    ``running_mean`` and ``running_var``, of shape (channels,), without which ArgumentError is raised. They are not
    changed here: a training loop that wants them averages ``ug.mean`` and ``ug.var`` itself.
    """
    x = asarray(x)
    channel = one_axis(axis, x.ndim)
    if is_training() if training is None else training:
        others = tuple([other for other in range(x.ndim) if other != channel])
        return _normalised(x, weight, bias, others, eps, (channel,))
    else:
        if running_mean is None or running_var is None:
            raise ArgumentError("batch_norm outside training needs running_mean= and running_var=")
        average, variance = _fitted(x, (channel,), running_mean=running_mean, running_var=running_var)
        x = divide(subtract(x, average), sqrt(real_numbers("batch_norm's running_var", variance) + eps))
    return _scaled(x, weight, bias, (channel,))


@operation
def group_norm(
    x: Array, groups: int, weight: Array | None = None, bias: Array | None = None, /, *, eps: float = 1e-5
) -> Tensor:
    """x of shape (N, C, ...) standardised over each of ``groups`` equal parts of the channels (Wu and He, 2018).

    The parameters have the shape (C,). ShapeError if the groups do not divide the channels.
    """
    x = asarray(x)
    groups = whole_number(groups, "groups")
    if x.ndim < 2 or groups < 1 or x.shape[1] % groups:
        raise ShapeError(f"{groups} groups do not divide the channels of x, the second axis of shape {x.shape}")
    size = x.shape[1] // groups * math.prod(x.shape[2:])
    parts = _standardised(x.reshape((x.shape[0], groups, size)), (2,), eps)
    return _scaled(parts.reshape(x.shape), weight, bias, (1,))


@operation
def instance_norm(x: Array, weight: Array | None = None, bias: Array | None = None, /, *, eps: float = 1e-5) -> Tensor:
    """x of shape (N, C, *spatial) standardised over the spatial axes (Ulyanov et al., 2016).

    The parameters have the shape (C,). ShapeError without a spatial axis.
    """
    x = asarray(x)
    if x.ndim < 3:
        raise ShapeError(f"instance_norm needs x of shape (N, C, *spatial), not {x.shape}")
    return _normalised(x, weight, bias, tuple(range(2, x.ndim)), eps, (1,))
