"""Python numbers beside arrays, as tensors that are made once.

PyTorch makes a tensor of a number at every call: 0.1 * x of ten elements takes it 5.1 microseconds, and a product with
a tensor of the same value 2.1. So a number that is met again becomes a tensor of the array's dtype, to which it would
have been rounded anyway: results are the same bits, but for quotients, where PyTorch multiplies by the reciprocal of a
number and rounds twice.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import torch

from unigrad.extend import DType, Weak, float32, float64

TAKEN_BY = frozenset({
    "add", "subtract", "multiply", "divide", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal",
})  # fmt: skip
"""The primitives that take one. Others tell numbers from arrays, or have another derivative beside them."""

MOST = 256
"""How many numbers are remembered for a dtype; then all are forgotten."""
# Every integer up to here is a float64, so that equal keys are equal tensors.
EXACT = 2**53
# Of larger integers no float is made.
LARGEST = 10**308

Known = dict[float, torch.Tensor | None]


class Plainly(threading.local):
    """Whether numbers stay numbers: in a checkpoint, which must keep as many tensors when it is computed again. Not a
    context variable, since that happens in the context of the first time."""

    on = False


plainly = Plainly()

_of_float32: Known = {}
_of_float64: Known = {}
_modes = torch._C._len_torch_dispatch_stack
_transforms = torch._C._are_functorch_transforms_active


def operand(weak: Weak) -> Weak:
    """``weak``, which says what a number is beside an array of a dtype, with tensors for numbers met before."""

    def number(scalar: Any, dtype: DType) -> Any:
        kind = type(scalar)
        if kind is float or kind is int:
            known = _of_float32 if dtype is float32 else _of_float64 if dtype is float64 else None
            if known is not None:
                found = known.get(scalar)
                if found is None:
                    return scalar if plainly.on else _met(scalar, dtype, known)
                # What a mode writes down or fakes must not hold tensors from outside.
                return scalar if _modes() or plainly.on else found
            elif dtype.kind in "fV":
                return rounded(scalar, dtype)
            elif dtype.kind == "c" and EXACT < abs(scalar) < LARGEST:
                return float(scalar)
        return weak(scalar, dtype)

    return number


def rounded(scalar: float, dtype: DType) -> float:
    """A number as a narrow dtype holds it: PyTorch would compute with all its digits, and beyond the dtype's range."""
    with np.errstate(all="ignore"):
        return float(dtype.type(scalar)) if abs(scalar) < LARGEST else scalar


def _met(scalar: float, dtype: DType, known: Known) -> Any:
    """The number itself the first time, since most numbers never come again; then a tensor."""
    # As keys both zeros are one. Of integers PyTorch takes those of 64 bits.
    if not 0 < abs(scalar) <= EXACT:
        return float(scalar) if EXACT < abs(scalar) < LARGEST else scalar
    if scalar not in known:
        if len(known) >= MOST:
            known.clear()
        known[scalar] = None
        return scalar
    if _modes() or _transforms() or torch.is_inference_mode_enabled():
        return scalar
    made = known[scalar] = torch.tensor(
        scalar, dtype=torch.float32 if dtype is float32 else torch.float64, device="cpu"
    )
    return made
