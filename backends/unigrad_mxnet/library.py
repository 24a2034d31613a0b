"""What is asked of MXNet's C library itself, in a fraction of the time that the Python around it takes.

Its switches belong to a thread: whether it records, and whether shapes are NumPy's. The Python functions around them
write to the root logger besides. The memory of its arrays is the host's.
"""

from __future__ import annotations

import ctypes
import functools
import re
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from mxnet.base import _LIB, MXNetError, check_call
from mxnet.ndarray.ndarray import _DTYPE_MX_TO_NP
from mxnet.numpy import empty

from unigrad.extend import Raw, UnsupportedError


def _turned(switch: Callable[..., Any], on: int) -> int:
    """Turn a switch on or off and return how it was."""
    before = ctypes.c_int()
    switch(on, ctypes.byref(before))
    return before.value


def within(function: Callable[..., Raw], recording: bool = False) -> Callable[..., Raw]:
    """The function with MXNet's switches on as it needs them, and its limits explained."""
    records, numpy_shapes = _LIB.MXAutogradSetIsRecording, _LIB.MXSetIsNumpyShape

    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Raw:
        shapes, before = _turned(numpy_shapes, 1), _turned(records, recording)
        try:
            return function(*args, **options)
        except MXNetError as error:
            for said, reason in _LIMITS.items():
                if re.search(said, str(error)):
                    raise UnsupportedError(reason) from error
            raise
        finally:
            if before != recording:
                _turned(records, before)
            if not shapes:
                _turned(numpy_shapes, 0)

    return call


def dtype_of(raw: Raw) -> np.dtype[Any]:
    """``raw.dtype``, in a fourth of its time."""
    number = ctypes.c_int()
    check_call(_LIB.MXNDArrayGetDType(raw.handle, ctypes.byref(number)))
    return np.dtype(_DTYPE_MX_TO_NP[number.value])


def seen(raw: Raw) -> np.ndarray[Any, Any]:
    """The values in MXNet's own memory, to be read at once: a convolution may lay out an array anew."""
    raw.wait_to_read()
    start = ctypes.c_void_p()
    check_call(_LIB.MXNDArrayGetData(raw.handle, ctypes.byref(start)))
    about = {"data": (start.value or 0, True), "shape": raw.shape, "typestr": dtype_of(raw).str, "version": 3}
    return np.asarray(types.SimpleNamespace(__array_interface__=about))


def made(values: np.ndarray[Any, Any], dtype: Any) -> Raw:
    """An array with these values, which are of this dtype."""
    if values.size >= 2**31:
        raise UnsupportedError(TOO_LARGE)
    values = np.asarray(values, order="C")
    raw = empty(values.shape, dtype)
    check_call(_LIB.MXNDArraySyncCopyFromCPU(raw.handle, ctypes.c_void_p(values.ctypes.data), values.size))
    return raw


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
