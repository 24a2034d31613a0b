"""Arrays moved from one backend or device to another, in one program and in one gradient.

Memory is shared only where neither side can write to it: from a backend whose arrays are immutable to one that
keeps read-only memory so. NumPy's, PyTorch's and MXNet's arrays can be written to through ``x.raw`` by whoever
holds them, so that what comes from them, and what goes to PyTorch and MXNet, is copied. Cotangents on their way
back are moved by the same rule.
"""

from __future__ import annotations

from typing import Any, ClassVar

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import check_device, get_backend_object
from unigrad.base.errors import UnsupportedError
from unigrad.base.recording import is_recording
from unigrad.base.words import Raw
from unigrad.interpreters.batches import Batched, batched
from unigrad.interpreters.duals import Dual, dual
from unigrad.tape import RELEASED, Leaf, next_number
from unigrad.tensor.tensor import Tensor, tensor_method, type_on


class Crossing(Leaf):
    """Where an array came over from another backend or device: a leaf to its framework, with a way on to the other."""

    __slots__ = ("origin", "p1")

    operation = "to_backend"
    origin: Tensor
    """The array on the other backend, as a Tensor that nobody else holds."""
    exist: ClassVar[bool] = False
    """Whether any was ever made: a backward looks for them only then."""

    def __init__(self, raw: Any, origin: Tensor) -> None:
        self.number = next_number()
        self.raw = raw
        self.p1 = origin._node
        self.origin = origin
        Crossing.exist = True

    def release(self) -> None:
        self.number = RELEASED
        self.p1 = self.raw = None
        del self.origin


@tensor_method("to_backend")
def _to_backend(self: Tensor, name: str) -> Tensor:
    """The same values on another backend: differentiable, so that a backward goes through both frameworks.

    An array on an accelerator stays there if the other backend reaches any; all others go to its default device.
    JAX and TensorFlow share memory with each other, and with NumPy, whose array is then read-only; everything else
    is copied, since it can be written to. BackendError for a backend that is not there; UnsupportedError if it
    lacks the dtype, or while the framework traces a program.
    """
    return self if isinstance(name, str) and name == self.backend.name else carried(self, get_backend_object(name))


def carried(x: Tensor, target: Backend, device: Any = None) -> Tensor:
    """``x`` on another backend, and on that device if one is given."""
    if x.backend is target or x.backend.adopts(target):
        return x
    if target.adopts(x.backend):
        return target.adopted(x)
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
    if device is not None and target.device(raw) != device:
        raw = target.to_device(raw, device)
    return _over(x, target, raw)


def _over(x: Tensor, target: Backend, raw: Raw) -> Tensor:
    """The raw array that ``x`` has become, with the way back to it."""
    if x._node is None or not is_recording():
        return type_on(target).of(raw, None)
    tracked = target.engine.fresh_leaf(raw)
    # Not x itself, which may be given another value, and which owns a gradient that the graph must not keep alive.
    node = Crossing(tracked if target.engine.orders else None, type(x).of(x._raw, x._node))
    return type_on(target).of(tracked, node)


@tensor_method("to_device")
def _to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The same values on another device of the backend, differentiable; ArgumentError if it has no such device.

    ``"cuda"`` is ``"cuda:0"``, and likewise for other kinds of device. On JAX a sharding spreads the array over
    several; so does on PyTorch the ``x.device`` of a DTensor.
    """
    backend = self.backend
    device = check_device(backend, device)
    if isinstance(self, Dual):
        value, tangent, level = self._parts
        return dual(value.to_device(device), tangent.to_device(device), level)
    if device == self.device:
        return self
    raw = backend.to_device(backend.engine.detached(self._raw), device)
    return _over(self, backend, raw)


def returned(g: Tensor, origin: Tensor) -> Tensor:
    """A cotangent where the array was that had come over."""
    if g.backend is origin.backend:
        return g.to_device(origin.device)
    return carried(g, origin.backend, origin.device)


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
