"""Arrays moved from one backend to another, in one program and in one gradient.

Memory is shared only where neither side can write to it: from a backend whose arrays are immutable to one that
keeps read-only memory so. NumPy's, PyTorch's and MXNet's arrays can be written to through ``x.raw`` by whoever
holds them, so that what comes from them, and what goes to PyTorch and MXNet, is copied. Cotangents on their way
back are moved by the same rule.
"""

from __future__ import annotations

from typing import Any

from unigrad.backend import Backend, Raw, get_backend_object
from unigrad.batching import Batched, batched
from unigrad.errors import UnsupportedError
from unigrad.forward import Dual, dual
from unigrad.graph import Crossing
from unigrad.recording import is_recording
from unigrad.tensor import Tensor


def moved(x: Tensor, name: str) -> Tensor:
    """``x.to_backend(name)``: see there."""
    return x if name == x.backend.name else carried(x, get_backend_object(name))


def carried(x: Tensor, target: Backend, device: Any = None) -> Tensor:
    """``x`` on another backend, and on that device if one is given."""
    if x.backend is target:
        return x
    if isinstance(x, Batched):
        return batched(carried(x._parts.value, target, device), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(carried(value, target, device), carried(tangent, target, device), level)
    target.raw_dtype(x.dtype)  # an UnsupportedError is clearer than the framework's
    plain = x if x._node is None else x.detach()
    if not x.backend.is_known(plain._raw):
        raise UnsupportedError(
            f"to_backend({target.name!r}) needs values, and while {x.backend.name!r} traces a program there are none; "
            f"use ug.bridge(f, inner={target.name!r}, outer={x.backend.name!r}) on the framework's own arrays"
        )
    raw = _values(plain, target)
    if device is not None and str(target.device(raw)) != str(device):
        raw = target.to_device(raw, device)
    if x._node is None or not is_recording():
        return target.tensor_type.of(raw, None)
    tracked = target.fresh_leaf(raw)
    # Not x itself, which may be given another value, and which owns a gradient that the graph must not keep alive.
    node = Crossing(None if target.delegates == "nothing" else tracked, type(x).of(x._raw, x._node))
    return target.tensor_type.of(tracked, node)


def _values(x: Tensor, target: Backend) -> Raw:
    """On the same accelerator if the target reaches any, else on its default device."""
    source = x.backend
    if not _is_host(x.device):
        if not all(map(_is_host, target.devices())):
            return target.from_dlpack(x, None if source.immutable and target.keeps_read_only else True)
    elif source.immutable and target.keeps_read_only and _is_host(target.devices()[0]):
        return target.from_dlpack(x, None)
    return target.from_numpy(source.to_numpy(x._raw))


def _is_host(device: Any) -> bool:
    return str(device).startswith("cpu")
