"""Numbers at even distances or ratios, between ends that may be arrays and differentiated."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import new_shape, one_axis, whole_number
from unigrad.base.errors import ArgumentError
from unigrad.operations.creation import asarray, astype, made
from unigrad.operations.elementwise import add, divide, multiply, power
from unigrad.operations.reductions import floating
from unigrad.operations.shapes import broadcast_arrays, moveaxis, reshape
from unigrad.table import Array, operation
from unigrad.tensor.coercion import NUMBERS, short, tensors
from unigrad.tensor.levels import values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = ["geomspace", "linspace", "logspace"]


def _count(num: Any) -> int:
    count = whole_number(num, "num")
    if count < 0:
        raise ArgumentError(f"a number of points is from 0 up, not num={count}")
    return count


def _numbers(
    function: Any, start: complex, stop: complex, num: int, dtype: Any, device: Any, like: Tensor | None, **how: Any
) -> Tensor:
    """What NumPy's ``function`` gives for two numbers, in float32, complex64 or the dtype wanted."""
    number = complex if isinstance(start, complex) or isinstance(stop, complex) else float
    wanted = dtypes.as_dtype(number if dtype is None else dtype)
    try:
        with np.errstate(all="ignore"):
            values = function(start, stop, num, dtype=np.result_type(number, wanted), **how)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"no {num} numbers from {short(start)} to {short(stop)}: {error}") from error
    return made(values.astype(wanted), like, device)


def _parts(start: Array, stop: Array, num: int, endpoint: bool) -> tuple[Tensor, Tensor, Tensor, int]:
    """Both ends in one shape with a new first axis, how far along each point is, and that axis's place from behind."""
    start, stop = broadcast_arrays(*(floating(array) for array in tensors((start, stop))))
    wide = (1, *start.shape)
    num = new_shape(num)[0]
    steps = max(num - 1, 1) if endpoint else max(num, 1)
    part = asarray(np.arange(num) / steps, dtype=dtypes.real_of(start.dtype), like=start)
    return reshape(start, wide), reshape(stop, wide), reshape(part, (num, *(1,) * start.ndim)), start.ndim + 1


def _finished(points: Tensor, axis: int, ndim: int, dtype: Any) -> Tensor:
    points = moveaxis(points, 0, one_axis(axis, ndim))
    return points if dtype is None else astype(points, dtype, copy=False)


@operation
def linspace(
    start: Array,
    stop: Array,
    /,
    num: int = 50,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
    axis: int = 0,
    like: Tensor | None = None,
) -> Tensor:
    """``num`` evenly spaced numbers from ``start`` to ``stop``, without the last one unless ``endpoint``.

    Of two numbers float32, or complex64 if one of them is complex, unless told otherwise. Ends that are arrays
    broadcast, may be differentiated, and give the points along a new ``axis``.
    """
    num = _count(num)
    if isinstance(start, NUMBERS) and isinstance(stop, NUMBERS):
        return _numbers(np.linspace, start, stop, num, dtype, device, like, endpoint=endpoint)
    first, last, part, ndim = _parts(start, stop, num, endpoint)
    return _finished(add(multiply(first, 1 - part), multiply(last, part)), axis, ndim, dtype)


@operation
def logspace(
    start: Array,
    stop: Array,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    base: Array = 10.0,
    dtype: Any = None,
    axis: int = 0,
    like: Tensor | None = None,
) -> Tensor:
    """``base`` to the powers that :func:`linspace` gives."""
    if isinstance(start, NUMBERS) and isinstance(stop, NUMBERS) and isinstance(base, NUMBERS):
        return _numbers(np.logspace, start, stop, _count(num), dtype, None, like, endpoint=endpoint, base=base)
    found = power(base, linspace(start, stop, num, endpoint=endpoint, axis=axis, like=like))
    return found if dtype is None else astype(found, dtype, copy=False)


@operation
def geomspace(
    start: Array,
    stop: Array,
    /,
    num: int = 50,
    *,
    endpoint: bool = True,
    dtype: Any = None,
    axis: int = 0,
    like: Tensor | None = None,
) -> Tensor:
    """``num`` numbers from ``start`` to ``stop``, each the same multiple of the one before; ArgumentError for an end
    of 0.
    """
    num = _count(num)
    if any((values_of_all(end) == 0).any() for end in tensors((start, stop))):
        raise ArgumentError("a geometric sequence has no end that is 0")
    if isinstance(start, NUMBERS) and isinstance(stop, NUMBERS):
        return _numbers(np.geomspace, start, stop, num, dtype, None, like, endpoint=endpoint)
    first, last, part, ndim = _parts(start, stop, num, endpoint)
    return _finished(multiply(first, power(divide(last, first), part)), axis, ndim, dtype)
