"""Arrays moved from one backend to another, in one program and in one gradient."""

from __future__ import annotations

from typing import Any

from unigrad.backend import Backend, get_backend_object
from unigrad.batching import Batched, batched
from unigrad.forward import Dual, dual
from unigrad.graph import Crossing
from unigrad.recording import is_recording
from unigrad.tensor import Tensor


def moved(x: Tensor, name: str) -> Tensor:
    """``x.to_backend(name)``: see there."""
    if name == x.backend.name:
        return x
    return _moved(x, get_backend_object(name))


def _moved(x: Tensor, target: Backend) -> Tensor:
    if isinstance(x, Batched):
        return batched(_moved(x._parts.value, target), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(_moved(value, target), _moved(tangent, target), level)
    target.raw_dtype(x.dtype)  # an UnsupportedError is clearer than the framework's
    raw: Any = target.from_numpy(x.numpy())
    if x._node is None or not is_recording():
        return target.tensor_type(raw, None)
    tracked = target.fresh_leaf(raw)
    return target.tensor_type(tracked, Crossing(tracked, x))
