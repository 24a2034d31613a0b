"""Convolutions and pooling over arrays of shape (N, C, *spatial): a batch, its channels, one to three more axes.

``stride``, ``padding`` and ``dilation`` are one integer for all spatial axes or a tuple with one for each.
``padding`` may also hold a pair for each, before and behind, and of a convolution be ``"valid"``, which is none, or
``"same"``: as many zeros as make the result of the size of x divided by the stride, rounded up; of an odd
number the last one stands behind.

Shapes that do not fit raise ShapeError, steps and paddings that make no sense ArgumentError.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.errors import ArgumentError, ShapeError
from unigrad.base.words import Shape
from unigrad.operations.creation import asarray, astype, full
from unigrad.operations.elementwise import add, divide, imag, multiply, real
from unigrad.operations.moments import mean
from unigrad.operations.networks import convolution_, transposed_convolution, window_count, windows_
from unigrad.operations.pooling import max_pool_, sum_pool_
from unigrad.operations.reductions import in_float32, more_than_counted, narrow
from unigrad.operations.reductions import max as _max
from unigrad.operations.shapes import concat, matrix_transpose
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "conv1d", "conv2d", "conv3d", "conv_transpose1d",
    "conv_transpose2d", "conv_transpose3d", "fold", "max_pool1d", "max_pool2d", "max_pool3d", "unfold",
]  # fmt: skip

Sizes = int | Sequence[int]
Padding = tuple[tuple[int, int], ...]
Pads = int | str | Sequence[int] | Sequence[Sequence[int]]


# --- arguments ---------------------------------------------------------------------------------------


def _whole(value: Any, name: str, low: int) -> int:
    try:
        found = operator.index(value)
    except TypeError:
        raise ArgumentError(f"{name} must be an integer or a tuple of integers, not {value!r}") from None
    if found < low:
        raise ArgumentError(f"{name}={found} is below {low}")
    return found


def _each(value: Any, ndim: int, name: str, low: int) -> Shape:
    """One integer for each spatial axis."""
    if not isinstance(value, (tuple, list)):
        return (_whole(value, name, low),) * ndim
    if len(value) != ndim:
        raise ArgumentError(f"{name}={tuple(value)} needs one integer for each of {ndim} spatial axes")
    return tuple(_whole(size, name, low) for size in value)


def _pairs(padding: Any, ndim: int) -> Padding:
    if isinstance(padding, str):
        raise ArgumentError(f"padding={padding!r} is not known; use integers, or for a convolution 'same' or 'valid'")
    if isinstance(padding, (tuple, list)) and any(isinstance(pair, (tuple, list)) for pair in padding):
        if len(padding) != ndim or any(not isinstance(pair, (tuple, list)) or len(pair) != 2 for pair in padding):
            raise ArgumentError(f"padding={padding!r} needs one pair for each of {ndim} spatial axes")
        return tuple((_whole(low, "padding", 0), _whole(high, "padding", 0)) for low, high in padding)
    return tuple((size, size) for size in _each(padding, ndim, "padding", 0))


def _same(spatial: Shape, kernel: Shape, strides: Shape, dilations: Shape) -> Padding:
    pairs = []
    for size, width, stride, dilation in zip(spatial, kernel, strides, dilations, strict=True):
        count = -(-size // stride)
        total = max((count - 1) * stride + dilation * (width - 1) + 1 - size, 0)
        pairs.append((total // 2, total - total // 2))
    return tuple(pairs)


def _check_windows(x: Tensor, kernel: Shape, strides: Shape, padding: Padding, dilations: Shape) -> None:
    """ShapeError unless a window fits into each spatial axis."""
    for axis, (width, stride, (low, high), dilation) in enumerate(
        zip(kernel, strides, padding, dilations, strict=True), 2
    ):
        size = x.shape[axis] + low + high
        if window_count(size, width, stride, dilation) < 1:
            raise ShapeError(
                f"a kernel of {width} elements {dilation} apart does not fit into the {size} elements, with padding, "
                f"of axis {axis} of x of shape {x.shape}"
            )


def _spatial(x: Tensor, ndim: int, name: str) -> None:
    if x.ndim != ndim + 2:
        raise ShapeError(f"{name} needs x of shape (N, C, *{ndim} spatial axes), not {x.shape}")


def _kernel(w: Tensor, ndim: int, name: str) -> Shape:
    if w.ndim != ndim + 2 or 0 in w.shape:
        raise ShapeError(f"{name} needs kernels with {ndim + 2} axes, none of them empty, not of shape {w.shape}")
    return w.shape[2:]


def _groups(groups: int, channels: int, outputs: int) -> int:
    groups = _whole(groups, "groups", 1)
    if channels % groups or outputs % groups:
        raise ShapeError(f"groups={groups} does not divide both the {channels} channels of x and {outputs} outputs")
    return groups


def _biased(found: Tensor, bias: Array | None) -> Tensor:
    if bias is None:
        return found
    bias = asarray(bias, like=found)
    if bias.shape != found.shape[1:2]:
        raise ShapeError(f"a bias of shape {bias.shape} does not fit {found.shape[1]} outputs")
    return add(found, bias.reshape((-1,) + (1,) * (found.ndim - 2)))


# --- convolutions ------------------------------------------------------------------------------------


def _convolve(
    ndim: int, x: Array, w: Array, bias: Array | None, stride: Sizes, padding: Pads, dilation: Sizes, groups: int
) -> Tensor:
    x, w = tensors((x, w))
    name = f"conv{ndim}d"
    _spatial(x, ndim, name)
    kernel = _kernel(w, ndim, name)
    groups = _groups(groups, x.shape[1], w.shape[0])
    if x.shape[1] != w.shape[1] * groups:
        raise ShapeError(
            f"x of shape {x.shape} has {x.shape[1]} channels, but kernels of shape {w.shape} in {groups} groups "
            f"take {w.shape[1] * groups}"
        )
    strides, dilations = _each(stride, ndim, "stride", 1), _each(dilation, ndim, "dilation", 1)
    if padding == "same":
        pairs = _same(x.shape[2:], kernel, strides, dilations)
    else:
        pairs = _pairs(0 if padding == "valid" else padding, ndim)
    _check_windows(x, kernel, strides, pairs, dilations)
    return _biased(_by_parts(lambda x, w: convolution_(x, w, strides, pairs, dilations, groups), x, w), bias)


def _by_parts(convolve: Callable[[Tensor, Tensor], Tensor], x: Tensor, w: Tensor) -> Tensor:
    """What is linear in x and in w, of complex ones by way of their real and imaginary parts."""
    if "c" not in (x.dtype.kind, w.dtype.kind):
        return convolve(x, w)
    if w.dtype.kind != "c":
        return _joined(convolve(real(x), w), convolve(imag(x), w))
    if x.dtype.kind != "c":
        return _joined(convolve(x, real(w)), convolve(x, imag(w)))
    a, b, c, d = real(x), imag(x), real(w), imag(w)
    return _joined(convolve(a, c) - convolve(b, d), convolve(a, d) + convolve(b, c))


def _joined(re: Tensor, im: Tensor) -> Tensor:
    return add(re, multiply(im, 1j))


@operation
def conv1d(
    x: Array, w: Array, bias: Array | None = None, /, *, stride: Sizes = 1, padding: Pads = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """:func:`conv2d` over one spatial axis."""
    return _convolve(1, x, w, bias, stride, padding, dilation, groups)


@operation
def conv2d(
    x: Array, w: Array, bias: Array | None = None, /, *, stride: Sizes = 1, padding: Pads = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """The sums of products of kernels ``w`` with the windows of x, which are ``stride`` apart, plus ``bias``.

    x has the shape (N, C, H, W), ``w`` (outputs, C / groups, h, w), ``bias`` (outputs,); the result has
    (N, outputs, counts of windows). The elements of a window are ``dilation`` apart. With ``groups`` each part of the
    kernels sees its part of the channels alone. As everywhere in networks, kernels are not turned round.
    """
    return _convolve(2, x, w, bias, stride, padding, dilation, groups)


@operation
def conv3d(
    x: Array, w: Array, bias: Array | None = None, /, *, stride: Sizes = 1, padding: Pads = 0, dilation: Sizes = 1,
    groups: int = 1,
) -> Tensor:  # fmt: skip
    """:func:`conv2d` over three spatial axes."""
    return _convolve(3, x, w, bias, stride, padding, dilation, groups)


def _convolve_back(
    ndim: int, x: Array, w: Array, bias: Array | None, stride: Sizes, padding: Pads, output_padding: Sizes,
    dilation: Sizes, groups: int,
) -> Tensor:  # fmt: skip
    x, w = tensors((x, w))
    name = f"conv_transpose{ndim}d"
    _spatial(x, ndim, name)
    kernel = _kernel(w, ndim, name)
    groups = _groups(groups, x.shape[1], x.shape[1])
    if x.shape[1] != w.shape[0]:
        raise ShapeError(
            f"x of shape {x.shape} has {x.shape[1]} channels, but there are {w.shape[0]} kernels, {w.shape}"
        )
    strides, dilations = _each(stride, ndim, "stride", 1), _each(dilation, ndim, "dilation", 1)
    pairs, more = _pairs(padding, ndim), _each(output_padding, ndim, "output_padding", 0)
    sizes = []
    for size, width, step, (low, high), spread, extra in zip(
        x.shape[2:], kernel, strides, pairs, dilations, more, strict=True
    ):
        if extra >= max(step, spread):
            raise ArgumentError(
                f"output_padding={extra} must be smaller than the stride {step} or the dilation {spread}"
            )
        sizes.append((size - 1) * step + spread * (width - 1) + 1 + extra - low - high)
    if min(sizes) < 1 or 0 in x.shape[2:]:
        raise ShapeError(f"{name} of x of shape {x.shape} would have the spatial sizes {tuple(sizes)}")
    shape = (x.shape[0], w.shape[1] * groups, *sizes)
    return _biased(
        _by_parts(lambda x, w: transposed_convolution(x._bound, x, w, strides, pairs, dilations, groups, shape), x, w),
        bias,
    )


@operation
def conv_transpose1d(
    x: Array, w: Array, bias: Array | None = None, /, *, stride: Sizes = 1, padding: Pads = 0,
    output_padding: Sizes = 0, dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """:func:`conv_transpose2d` over one spatial axis."""
    return _convolve_back(1, x, w, bias, stride, padding, output_padding, dilation, groups)


@operation
def conv_transpose2d(
    x: Array, w: Array, bias: Array | None = None, /, *, stride: Sizes = 1, padding: Pads = 0,
    output_padding: Sizes = 0, dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """The transpose of :func:`conv2d` as a linear map: each element of x adds its kernel to the result.

    x has the shape (N, C, H, W), ``w`` (C, outputs / groups, h, w), ``bias`` (outputs,). Along an axis the result has
    (size - 1) * stride + dilation * (width - 1) + 1 + output_padding elements, less the padding.
    """
    return _convolve_back(2, x, w, bias, stride, padding, output_padding, dilation, groups)


@operation
def conv_transpose3d(
    x: Array, w: Array, bias: Array | None = None, /, *, stride: Sizes = 1, padding: Pads = 0,
    output_padding: Sizes = 0, dilation: Sizes = 1, groups: int = 1,
) -> Tensor:  # fmt: skip
    """:func:`conv_transpose2d` over three spatial axes."""
    return _convolve_back(3, x, w, bias, stride, padding, output_padding, dilation, groups)


# --- pooling -----------------------------------------------------------------------------------------


def _bordered(x: Tensor, padding: Padding, value: float) -> Tensor:
    """x with elements of one value around it."""
    for axis, pair in enumerate(padding, 2):
        if pair != (0, 0):
            shapes = [(*x.shape[:axis], size, *x.shape[axis + 1 :]) for size in pair]
            before, behind = [full(shape, value, dtype=x.dtype, like=x) for shape in shapes]
            x = concat([before, x, behind], axis=axis)
    return x


def _beyond(size: int, width: int, stride: int, dilation: int, pair: tuple[int, int]) -> int:
    """How many elements more a last window needs that begins within x, or the padding before it, but does not fit."""
    total, reach = size + sum(pair), dilation * (width - 1) + 1
    count = -(-(total - reach) // stride)
    if count * stride >= size + pair[0]:
        count -= 1
    return max(count * stride + reach - total, 0)


def _pooling(
    ndim: int,
    name: str,
    x: Array,
    kernel: Sizes,
    stride: Sizes | None,
    padding: Pads,
    dilation: Sizes,
    ceil_mode: bool,
) -> tuple[Tensor, Shape, Shape, Padding, Shape]:
    x = asarray(x)
    _spatial(x, ndim, f"{name}{ndim}d")
    sizes = _each(kernel, ndim, "kernel", 1)
    strides = sizes if stride is None else _each(stride, ndim, "stride", 1)
    pairs, dilations = _pairs(padding, ndim), _each(dilation, ndim, "dilation", 1)
    for size, step, pair in zip(sizes, dilations, pairs, strict=True):
        if 2 * max(pair) > step * (size - 1) + 1:
            raise ArgumentError(f"padding={max(pair)} is more than half of a kernel of {size} elements {step} apart")
    _check_windows(x, sizes, strides, pairs, dilations)
    if ceil_mode:
        more = map(_beyond, x.shape[2:], sizes, strides, dilations, pairs)
        pairs = tuple((low, high + extra) for (low, high), extra in zip(pairs, more, strict=True))
    return astype(x, dtypes.to_float(x.dtype), copy=False), sizes, strides, pairs, dilations


def _is_whole(x: Tensor, sizes: Shape, padding: Padding) -> bool:
    """Whether there is one window, of all spatial elements: engines take those of a window one by one, which of so
    many is a reduction's business."""
    return sizes == x.shape[2:] and not any(map(any, padding))


def _max_pool(
    ndim: int, x: Array, kernel: Sizes, stride: Sizes | None, padding: Pads, dilation: Sizes, ceil_mode: bool
) -> Tensor:
    x, sizes, strides, pairs, dilations = _pooling(ndim, "max_pool", x, kernel, stride, padding, dilation, ceil_mode)
    if more_than_counted(x, math.prod(sizes)):
        wide = functools.partial(_max_pool, ndim)
        manner = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
        return in_float32(wide, x, kernel=kernel, **manner)
    if _is_whole(x, sizes, pairs):
        return _max(x, axis=tuple(range(2, x.ndim)), keepdims=True)
    return max_pool_(_bordered(x, pairs, -math.inf), sizes, strides, dilations)


def _avg_pool(
    ndim: int,
    x: Array,
    kernel: Sizes,
    stride: Sizes | None,
    padding: Pads,
    count_include_pad: bool,
    ceil_mode: bool,
) -> Tensor:
    x, sizes, strides, pairs, _ = _pooling(ndim, "avg_pool", x, kernel, stride, padding, 1, ceil_mode)
    if narrow(x):
        wide = functools.partial(_avg_pool, ndim)
        manner = {"kernel": kernel, "stride": stride, "padding": padding, "ceil_mode": ceil_mode}
        return in_float32(wide, x, count_include_pad=count_include_pad, **manner)
    if _is_whole(x, sizes, pairs):
        return mean(x, axis=tuple(range(2, x.ndim)), keepdims=True)
    sums = sum_pool_(_bordered(x, pairs, 0.0), sizes, strides)
    counted = _pairs(padding, ndim) if count_include_pad else ((0, 0),) * ndim
    if counted == pairs:
        return divide(sums, float(math.prod(sizes)))
    counts = np.ones(())
    for size, width, step, (low, high), (before, behind) in zip(
        x.shape[2:], sizes, strides, pairs, counted, strict=True
    ):
        starts = np.arange(window_count(size + low + high, width, step, 1)) * step - low
        held = np.minimum(starts + width, size + behind) - np.maximum(starts, -before)
        counts = counts[..., None] * held
    return divide(sums, asarray(counts.astype(sums.dtype), like=sums))


@operation
def max_pool1d(
    x: Array,
    /,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Pads = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """:func:`max_pool2d` over one spatial axis."""
    return _max_pool(1, x, kernel, stride, padding, dilation, ceil_mode)


@operation
def max_pool2d(
    x: Array,
    /,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Pads = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """The largest element of each window of x, of shape (N, C, H, W); NaN if it holds one.

    Windows of the size ``kernel`` are ``stride`` apart (None: as far as they are wide). ``padding`` stands for
    elements of minus infinity. With ``ceil_mode`` a last window that begins within x, or before it, counts although it
    does not fit. As with ``max``, the largest elements of one window share its gradient equally.
    """
    return _max_pool(2, x, kernel, stride, padding, dilation, ceil_mode)


@operation
def max_pool3d(
    x: Array,
    /,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Pads = 0,
    dilation: Sizes = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """:func:`max_pool2d` over three spatial axes."""
    return _max_pool(3, x, kernel, stride, padding, dilation, ceil_mode)


@operation
def avg_pool1d(
    x: Array,
    /,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Pads = 0,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
) -> Tensor:
    """:func:`avg_pool2d` over one spatial axis."""
    return _avg_pool(1, x, kernel, stride, padding, count_include_pad, ceil_mode)


@operation
def avg_pool2d(
    x: Array,
    /,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Pads = 0,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
) -> Tensor:
    """The mean of each window of x, of shape (N, C, H, W).

    Windows are those of :func:`max_pool2d`. The zeros of ``padding`` count as elements unless
    ``count_include_pad`` is False; what a last window lacks in ``ceil_mode`` never counts.
    """
    return _avg_pool(2, x, kernel, stride, padding, count_include_pad, ceil_mode)


@operation
def avg_pool3d(
    x: Array,
    /,
    kernel: Sizes,
    *,
    stride: Sizes | None = None,
    padding: Pads = 0,
    count_include_pad: bool = True,
    ceil_mode: bool = False,
) -> Tensor:
    """:func:`avg_pool2d` over three spatial axes."""
    return _avg_pool(3, x, kernel, stride, padding, count_include_pad, ceil_mode)


# --- windows as columns --------------------------------------------------------------------------------


@operation
def unfold(x: Array, /, kernel: Sizes, *, stride: Sizes = 1, padding: Pads = 0, dilation: Sizes = 1) -> Tensor:
    """The windows of x, of shape (N, C, *spatial), as the columns of an array (N, C * elements of a window, windows).

    Windows are those of :func:`conv2d`, over any number of spatial axes; zeros stand for the ``padding``. A convolution
    is the product of its kernels, one a row, with these columns.
    """
    x = asarray(x)
    ndim = max(x.ndim - 2, 1)
    _spatial(x, ndim, "unfold")
    sizes, strides = _each(kernel, ndim, "kernel", 1), _each(stride, ndim, "stride", 1)
    pairs, dilations = _pairs(padding, ndim), _each(dilation, ndim, "dilation", 1)
    _check_windows(x, sizes, strides, pairs, dilations)
    windows = windows_(_bordered(x, pairs, 0.0), sizes, strides, dilations)
    counts = math.prod(windows.shape[2 : 2 + ndim])
    columns = windows.reshape((*x.shape[:2], counts, math.prod(sizes)))
    return matrix_transpose(columns).reshape((x.shape[0], x.shape[1] * math.prod(sizes), counts))


@operation
def fold(
    x: Array, /, size: Sizes, kernel: Sizes, *, stride: Sizes = 1, padding: Pads = 0, dilation: Sizes = 1
) -> Tensor:
    """The transpose of :func:`unfold` as a linear map: from columns (N, C * elements of a window, windows) to an array
    of shape (N, C, *size), where the windows add up.

    ``size`` has one integer for each spatial axis. ShapeError unless x has the shape that :func:`unfold` gives.
    """
    x = asarray(x)
    spatial = _each(size, len(size) if isinstance(size, (tuple, list)) else 1, "size", 1)
    ndim = len(spatial)
    sizes, strides = _each(kernel, ndim, "kernel", 1), _each(stride, ndim, "stride", 1)
    pairs, dilations = _pairs(padding, ndim), _each(dilation, ndim, "dilation", 1)
    padded = [length + low + high for length, (low, high) in zip(spatial, pairs, strict=True)]
    counts = tuple(map(window_count, padded, sizes, strides, dilations))
    width = math.prod(sizes)
    if x.ndim != 3 or min(counts) < 1 or x.shape[1] % width or x.shape[2] != math.prod(counts):
        raise ShapeError(
            f"fold to spatial axes {spatial} needs columns of shape (N, C * {width}, windows), with {counts} windows "
            f"along the axes, not {x.shape}"
        )
    channels = x.shape[1] // width
    single = np.eye(width, dtype=x.dtype).reshape((width, 1, *sizes))
    kernels = asarray(np.tile(single, (channels, 1) + (1,) * ndim), like=x)
    found = transposed_convolution(
        x._bound, x.reshape((*x.shape[:2], *counts)), kernels, strides, pairs, dilations, channels,
        (x.shape[0], channels, *spatial),
    )  # fmt: skip
    return found
