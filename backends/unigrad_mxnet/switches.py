"""MXNet's switches, which belong to a thread: whether it records, and whether shapes are NumPy's.

They are called in its C library, since the Python functions around them write to the root logger. Each takes half a
microsecond.
"""

from __future__ import annotations

import ctypes
import functools
import re
from collections.abc import Callable
from typing import Any

from mxnet.base import _LIB, MXNetError

from unigrad.extend import Raw, UnsupportedError


def _turned(switch: Callable[..., Any], on: int) -> int:
    """Turn a switch on or off and return how it was."""
    before = ctypes.c_int()
    switch(ctypes.c_int(on), ctypes.byref(before))
    return before.value


def within(function: Callable[..., Raw], recording: bool = False) -> Callable[..., Raw]:
    """The function with MXNet's switches on as it needs them, and its limits explained."""
    records, numpy_shapes = _LIB.MXAutogradSetIsRecording, _LIB.MXSetIsNumpyShape

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Raw:
        shapes = _turned(numpy_shapes, 1)
        before = _turned(records, recording)
        try:
            return function(*args, **options)
        except MXNetError as error:
            for said, reason in _LIMITS.items():
                if re.search(said, str(error)):
                    raise UnsupportedError(reason) from error
            raise
        finally:
            _turned(records, before)
            _turned(numpy_shapes, shapes)

    return call


TOO_LARGE = (
    "backend 'mxnet' has no arrays of 2**31 elements or more; split the array, or do this step on another "
    "backend and convert with .to_backend(...)"
)
_LIMITS = {
    r"Too many (broadcast dim|reduction axes)|ndim=\d+too large|at most 6 dim|ndim\(\) < 10": "backend 'mxnet' cannot "
    "do this with so many dimensions (it broadcasts and reduces at most five groups of axes, and permutes six); merge "
    "axes with reshape, or do this step on another backend and convert with .to_backend(...)",
    "INT64_TENSOR_SIZE|do not match total elements": TOO_LARGE,
}
"""What MXNet says where it has met a limit of its own, and what is to be said."""
