"""Floating numbers as integers: the one answer also where there is none, which C leaves open.

Processors differ, and so do a framework's loops over few and over many elements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.base.dtypes import DType, int32, int64, uint64


def to_integers(x: Any, dtype: DType, cast: Callable[[Any, DType], Any], where: Callable[..., Any]) -> Any:
    """An array of float32 or float64 in an integer dtype, truncated towards zero.

    It goes by way of int32, or of int64 for uint32 and what is wider. There NaN, infinity and what is out of range
    become the least number; of narrower and of unsigned integers the low bits are kept, as x86 has it, and NumPy there.
    ``cast`` and ``where`` are the framework's own, and numbers are weak beside its arrays.
    """
    wide, beyond = (int32, 2.0**31) if dtype.itemsize < 4 or dtype == int32 else (int64, 2.0**63)
    if dtype == uint64:
        x = where((x >= beyond) & (x < 2 * beyond), x - 2 * beyond, x)
    inside = (x >= -beyond) & (x < beyond)
    found = where(inside, cast(where(inside, x, 0.0), wide), int(-beyond))
    return found if wide == dtype else cast(found, dtype)
