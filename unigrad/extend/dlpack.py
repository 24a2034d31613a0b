"""Exchanging arrays with other libraries through DLPack: what several adapters need for it.

Some frameworks know capsules of DLPack's first version only, which cannot say that their memory is read-only
or was copied, and some end the process where they are given memory of a kind that they do not expect. So NumPy
looks at the host's memory first, and its arrays stand in where that matters.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.base.errors import InterchangeError
from unigrad.native.interchange import Exported, capsule_of, values_of
from unigrad.tensor.tensor import Tensor

HOST = (1, 0)
"""The host's memory, in DLPack's numbers."""

# What vector instructions ask for. TensorFlow ends the process where memory that it reads has less.
_ALIGNMENT = 64


def from_host(
    source: Any,
    copy: bool | None,
    share: Callable[[Any], Any],
    make: Callable[[np.ndarray[Any, Any]], Any],
    immutable: bool = False,
) -> Any:
    """An array from an object whose memory is the host's: ``share(memory)`` where that is safe, else ``make(values)``.

    Safe is what the framework may take for its own: writable, in C order and aligned. A framework whose arrays are
    ``immutable`` may have read-only memory as well, if it is a Tensor's that nobody can write to either.
    InterchangeError if ``copy`` is False and it is not safe.
    """
    values = values_of(source)
    flags = values.flags
    fixed = immutable and isinstance(source, Tensor) and source.backend.immutable
    safe = flags.c_contiguous and (flags.writeable or fixed) and values.ctypes.data % _ALIGNMENT == 0
    if safe and values.size and copy is not True:
        return share(source if fixed else Exported(values))
    if copy is False and values.size:
        raise InterchangeError(
            f"this memory (shape {values.shape}, strides {values.strides}, read-only: {not flags.writeable}) must be "
            f"copied, as the framework needs it writable, in C order and aligned to {_ALIGNMENT} bytes; use copy=None"
        )
    return make(values)


def host_capsule(
    values: np.ndarray[Any, Any], copy: bool | None, max_version: tuple[int, int] | None, stream: Any = None
) -> Any:
    """A capsule of a copy of these values in the host's memory; InterchangeError if ``copy`` is False."""
    if copy is False:
        raise InterchangeError("this array cannot be exported without a copy; use copy=None")
    return capsule_of(values, copy=True, max_version=max_version, stream=stream)


def exported(
    backend: Backend,
    raw: Any,
    copy: bool | None,
    max_version: tuple[int, int] | None,
    dl_device: tuple[int, int] | None,
    own: Callable[[Any], Any],
) -> Any:
    """A capsule of an array that has no ``__dlpack__``: ``own(raw)``, the framework's, where the array is. On the host
    one of a copy of the values where that is asked for, the array is elsewhere, or ``own`` has None.

    ``own`` copies by itself where the array is not on the host. InterchangeError for any other device, and where there
    is no capsule without a copy.
    """
    here = backend.dlpack_device(raw)
    wanted = dl_device or here
    if wanted not in (here, HOST):
        raise InterchangeError(
            f"backend {backend.name!r} exports an array on {backend.device(raw)!r} there or to the host, and not to "
            f"the device {wanted}"
        )
    shared = own(raw) if wanted == here and not (copy and here == HOST) else None
    if shared is not None:
        return shared
    values = backend.to_numpy(raw)
    return host_capsule(values, copy if values.size else None, max_version)


def backwards(source: Any, copy: bool | None) -> np.ndarray[Any, Any] | None:
    """The values of an array in the host's memory that runs backwards along some axis, else None.

    PyTorch ends the process where it is given one. InterchangeError if ``copy`` is False.
    """
    if tuple(source.__dlpack_device__()) != HOST:
        return None
    try:
        values = values_of(source)
    except BufferError:  # a dtype that NumPy does not know
        return None
    if all(stride >= 0 for stride in values.strides):
        return None
    if copy is False:
        raise InterchangeError(f"memory with strides {values.strides} must be copied, as none may be negative here")
    return values
