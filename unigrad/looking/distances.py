"""How far two arrays are apart, in units in the last place, and whether rounding explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad.base.dtypes import has_gradients, limits, real_of
from unigrad.base.words import Values


@dataclass(frozen=True)
class Distance:
    """How far an array is from another of its shape."""

    ulp: float = 0.0
    """The largest difference of two elements, in units in the last place of the larger of the two, or of the largest
    element of both arrays where one of the two is 0. Infinite where one is not finite, or integers differ."""
    of_largest: float = 0.0
    """The same in units of the largest element."""
    allowed: float = 0.0
    """So much of ``of_largest`` is rounding: as long as two thirds of the digits of the dtype are the same."""
    subnormal: bool = False
    """Whether all that differs are numbers below the smallest normal one, which some processors take for zero."""

    @property
    def is_rounding(self) -> bool:
        return self.of_largest <= self.allowed or self.subnormal

    @property
    def cancels(self) -> bool:
        """Whether elements lost digits that are small beside the largest."""
        return self.ulp > 2 * self.allowed + 1 and self.of_largest <= self.allowed


def distance(one: Values, other: Values) -> Distance:
    """The distance of two arrays of one shape; of two dtypes in units of the coarser one."""
    if not (has_gradients(one.dtype) and has_gradients(other.dtype)):
        return Distance(0.0 if np.array_equal(one, other) else np.inf)
    real = limits(max((real_of(x.dtype) for x in (one, other)), key=lambda dtype: float(limits(dtype).eps)))
    eps, tiny, least = (float(each) for each in (real.eps, real.smallest_normal, real.smallest_subnormal))
    wide = np.complex128 if "c" in one.dtype.kind + other.dtype.kind else np.float64
    a, b = one.astype(wide).ravel(), other.astype(wide).ravel()
    if not a.size:
        return Distance(allowed=eps ** (-1 / 3))
    with np.errstate(all="ignore"):
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        finite = np.isfinite(a) & np.isfinite(b)
        apart = np.where(same, 0.0, np.where(finite, np.abs(a - b), np.inf))
        size = np.where(finite, np.maximum(np.abs(a), np.abs(b)), 0.0)
        largest = _unit(size.max(), eps, least)
        unit = np.where((a == 0) | (b == 0), largest, _unit(size, eps, least))
        subnormal = bool(np.all(same | (finite & (size < tiny))) and not same.all())
    return Distance(float((apart / unit).max()), float(apart.max() / largest), eps ** (-1 / 3), subnormal)


def _unit(size: Any, eps: float, least: float) -> Any:
    """One unit in the last place of numbers of this size."""
    return np.maximum(np.ldexp(eps, np.frexp(size)[1] - 1), least)
