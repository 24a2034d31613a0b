"""bfloat16 through DLPack for NumPy, whose capsules have no word for it.

DLPack does (``kDLBfloat``, of 16 bits), and to move such numbers only two bytes are to be taken as they are. So NumPy
is told of unsigned integers, and what a capsule says is put right before anybody else reads it. The layout is that of
``DLManagedTensor`` and ``DLManagedTensorVersioned`` in ``dlpack.h``.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from unigrad.base.dtypes import late

_UNSIGNED, _BFLOAT = 1, 4
# Where the code of the dtype is: behind data, device and ndim; in a versioned capsule behind its version, context,
# deleter and flags as well.
_CODE = {b"dltensor": 20, b"dltensor_versioned": 52}

_name = ctypes.pythonapi.PyCapsule_GetName
_name.restype, _name.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype, _pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _dtype(capsule: Any) -> Any:
    """The code and the bits of the dtype that a capsule says, in place."""
    name: bytes = _name(capsule)
    return (ctypes.c_uint8 * 2).from_address(_pointer(capsule, name) + _CODE[name])


def capsule_of(values: np.ndarray[Any, Any], **options: Any) -> Any:
    """The capsule of an array in the host's memory, also of bfloat16."""
    if values.dtype.kind != "V":
        return values.__dlpack__(**options)
    capsule = values.view(np.uint16).__dlpack__(**options)
    _dtype(capsule)[0] = _BFLOAT
    return capsule


def values_of(source: Any, **options: Any) -> np.ndarray[Any, Any]:
    """``numpy.from_dlpack``, also of bfloat16."""
    try:
        return np.from_dlpack(source, **options)
    except (BufferError, RuntimeError):
        device = source.__dlpack_device__()
        try:
            capsule = source.__dlpack__(max_version=(1, 0))
        except TypeError:  # of an older version of the protocol
            capsule = source.__dlpack__()
        said = _dtype(capsule)
        if tuple(said) != (_BFLOAT, 16):
            raise
        said[0] = _UNSIGNED
        return np.from_dlpack(_Capsule(capsule, device), **options).view(late("bfloat16"))


class _Capsule:
    """A capsule that is already made, as an array to import."""

    def __init__(self, capsule: Any, device: tuple[int, int]) -> None:
        self._capsule, self._device = capsule, device

    def __dlpack__(self, **options: Any) -> Any:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device


class Exported:
    """An array in the host's memory for another library to import, also of bfloat16."""

    def __init__(self, values: np.ndarray[Any, Any]) -> None:
        self._values = values

    def __dlpack__(self, **options: Any) -> Any:
        return capsule_of(self._values, **options)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._values.__dlpack_device__()
