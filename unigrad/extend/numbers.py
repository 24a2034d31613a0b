"""Python numbers beside arrays, as arrays that are made once.

A framework makes an array of a number at every call: of 0.1 * x with ten elements that is more than half of PyTorch's
time, and two fifths of JAX's. So a number that is met again becomes an array of the dtype beside it, to which it would
have been rounded anyway: results are the same bits, but for PyTorch's quotients, where it multiplies by the reciprocal
of a number and rounds twice.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.adapters.contract import Weak
from unigrad.base.dtypes import DType, float32, float64
from unigrad.base.words import Raw

TAKEN_BY = frozenset({
    "add", "subtract", "multiply", "divide", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
})  # fmt: skip
"""The primitives that take one. Others tell numbers from arrays, or have another derivative beside them."""

MOST = 256
"""How many numbers are remembered for a dtype; then all are forgotten."""
# Every integer up to here is a float64, so that equal keys are equal arrays.
EXACT = 2**53
# Of larger integers no float is made.
LARGEST = 10**308

Known = dict[float, Raw | None]


class _Plainly(threading.local):
    on = False


_plainly = _Plainly()


def with_plain_numbers(run: Callable[[], Any]) -> Any:
    """``run()``, in which numbers stay numbers: for a checkpoint, which must keep as many arrays when it is computed
    again. Not by a context variable, since that happens in the context of the first time."""
    before, _plainly.on = _plainly.on, True
    try:
        return run()
    finally:
        _plainly.on = before


def rounded(scalar: float, dtype: DType) -> float:
    """A number as a floating dtype holds it: beside narrow ones some frameworks would compute with all its digits, and
    beyond their range, and beside none do all take integers of any size."""
    if abs(scalar) >= LARGEST:
        return scalar
    if dtype.itemsize > 2:
        return float(scalar)
    with np.errstate(all="ignore"):
        return float(dtype.type(scalar))


class Numbers:
    """The numbers that a framework has met, and their arrays."""

    def __init__(
        self, make: Callable[[float, DType], Raw | None], stay: Callable[[], Any], plain: Weak = rounded
    ) -> None:
        """``make(number, dtype)`` may answer None where it makes none now; while ``stay()`` numbers stay numbers, as
        they are the first time, those that are 0, and beside all but float32 and float64: ``plain(number, dtype)``."""
        self._make = make
        self._stay = stay
        self._plain = plain
        self._known: dict[DType, Known] = {float32: {}, float64: {}}

    def operand(self, primitive: str, weak: Weak) -> Weak | None:
        """``weak``, which says what a number is beside an array of a dtype, with arrays for numbers met before; None
        for a primitive that takes none."""
        if primitive not in TAKEN_BY:
            return None
        of_float32, of_float64, stay, plain = self._known[float32], self._known[float64], self._stay, self._plain

        def number(scalar: Any, dtype: DType) -> Any:
            kind = type(scalar)
            if kind is float or kind is int:
                known = of_float32 if dtype is float32 else of_float64 if dtype is float64 else None
                if known is not None:
                    if stay() or _plainly.on:
                        return plain(scalar, dtype)
                    found = known.get(scalar)
                    if found is None:
                        found = self._met(scalar, dtype, known)
                    return plain(scalar, dtype) if found is None else found
                if dtype.kind in "fVc":
                    return plain(scalar, dtype)
            return weak(scalar, dtype)

        return number

    def _met(self, scalar: float, dtype: DType, known: Known) -> Raw | None:
        """None the first time, since most numbers never come again; then an array."""
        if not 0 < abs(scalar) <= EXACT:  # as keys both zeros are one
            return None
        if scalar in known:
            found = known[scalar] = self._make(scalar, dtype)
            return found
        if len(known) >= MOST:
            known.clear()
        known[scalar] = None
        return None
