"""MXNet's switches, which belong to a thread: whether it records, and whether shapes are NumPy's.

They are called in its C library, since the Python functions around them write to the root logger.
"""

from __future__ import annotations

import ctypes
from typing import Any


class Switches:
    """Turns both switches on or off and returns how they were. Each takes half a microsecond."""

    def __init__(self, mxnet: Any) -> None:
        self._recording = mxnet.base._LIB.MXAutogradSetIsRecording
        self._numpy_shapes = mxnet.base._LIB.MXSetIsNumpyShape

    def recording(self, on: int) -> int:
        """Whether operations leave a graph."""
        before = ctypes.c_int()
        self._recording(ctypes.c_int(on), ctypes.byref(before))
        return before.value

    def numpy_shapes(self, on: int) -> int:
        """Whether a shape may be empty or hold zeros."""
        before = ctypes.c_int()
        self._numpy_shapes(ctypes.c_int(on), ctypes.byref(before))
        return before.value
