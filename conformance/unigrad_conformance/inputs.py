"""Inputs for cases: the same numbers in every run, with few digits, and no generator behind them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad.base.dtypes import as_dtype

Array = np.ndarray[Any, Any]


def spread(low: float, high: float, *shape: int, start: int = 0) -> Array:
    """Numbers all over the interval from ``low`` to ``high`` in no order, multiples of 1/1024.

    So they are the same in float32 and float64, no two close by are equal, and ``start`` gives others.
    """
    steps = np.arange(1 + start * 7, 1 + start * 7 + math.prod(shape), dtype=np.float64)
    values = low + (high - low) * (steps * 0.6180339887498949 % 1.0)
    return (np.round(values * 1024) / 1024).reshape(shape)


def real(values: Any) -> Array:
    """Literal numbers, taken in the dtype of the case."""
    return np.asarray(values, dtype=np.float64)


def whole(values: Any, dtype: str = "int64") -> Array:
    """Literal integers or booleans, in their own dtype in every case."""
    return np.asarray(values, dtype=dtype)


def backwards(values: Array) -> Array:
    """The same values from memory that is walked backwards along every axis."""
    reverse = (slice(None, None, -1),) * values.ndim
    return np.ascontiguousarray(values[reverse])[reverse]


def cast(values: Array, dtype: Any) -> Array:
    """The values in another dtype, with the order in memory that they had."""
    forwards = tuple(slice(None, None, -1 if stride < 0 else 1) for stride in values.strides)
    return np.ascontiguousarray(values[forwards], dtype=as_dtype(dtype)).reshape(values.shape)[forwards]


def complex_(real_part: Any, imaginary_part: Any) -> Array:
    """Complex numbers, taken in complex64 where the dtype of the case is float32, and else in complex128."""
    return np.asarray(np.asarray(real_part) + 1j * np.asarray(imaginary_part))


def disk(low: float, high: float, *shape: int, start: int = 0) -> Array:
    """Complex numbers in all directions whose parts' sizes are from ``low`` to ``high``; see :func:`spread`."""
    signs = np.array([1, 1j, -1, -1j])[np.arange(math.prod(shape)) % 4].reshape(shape)
    return signs * complex_(spread(low, high, *shape, start=start), spread(low, high, *shape, start=start + 2))


def weights(shape: tuple[int, ...], dtype: Any) -> Array:
    """Fixed cotangents from 1/2 to 3/2, no two alike: multiples of 1/1024. Of complex ones, either part."""
    found = spread(0.5, 1.5, *shape, start=3)
    return (complex_(found, spread(0.5, 1.5, *shape, start=4)) if as_dtype(dtype).kind == "c" else found).astype(
        as_dtype(dtype)
    )
