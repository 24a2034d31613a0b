"""Numbers at even distances or ratios, between ends that may be arrays and differentiated."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import new_shape, one_axis, whole_number
from unigrad.base.errors import ArgumentError
from unigrad.operations.creation import asarray, astype, made
from unigrad.operations.datatypes import result_type
from unigrad.operations.elementwise import add, divide, multiply, power
from unigrad.operations.reductions import in_float32, narrow, rounded_once
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


def _between(
    formula: Callable[[Tensor, Tensor, Tensor], Tensor],
    start: Array,
    stop: Array,
    num: int,
    endpoint: bool,
    axis: int,
    dtype: Any,
) -> Tensor:
    """``formula`` of both ends and of how far along each point is, from 0 to 1, along a new axis."""
    places = tensors((start, stop))
    # Numbers are weak, and keep their digits.
    weighed = [end if isinstance(end, NUMBERS) else x for end, x in zip((start, stop), places, strict=True)]
    common = dtypes.to_float(result_type(*weighed))
    first, last = broadcast_arrays(*(asarray(end, dtype=common, like=places[0]) for end in weighed))
    if narrow(first):
        found = in_float32(partial(_between, formula), first, last, num, endpoint, axis, None)
    else:
        wide, num = (1, *first.shape), new_shape(num)[0]
        steps = max(num - 1, 1) if endpoint else max(num, 1)
        part = asarray(np.arange(num) / steps, dtype=dtypes.real_of(common), like=first)
        found = formula(reshape(first, wide), reshape(last, wide), reshape(part, (num, *(1,) * first.ndim)))
        found = moveaxis(found, 0, one_axis(axis, found.ndim))
    return found if dtype is None else astype(found, dtype, copy=False)


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
    return _between(_evenly, start, stop, num, endpoint, axis, dtype)


def _evenly(first: Tensor, last: Tensor, part: Tensor) -> Tensor:
    return add(multiply(first, 1 - part), multiply(last, part))


@operation
@rounded_once
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
    return _between(_by_ratio, start, stop, num, endpoint, axis, dtype)


def _by_ratio(first: Tensor, last: Tensor, part: Tensor) -> Tensor:
    return multiply(first, power(divide(last, first), part))
