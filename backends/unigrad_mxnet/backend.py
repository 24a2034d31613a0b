"""MXNet as a unigrad backend."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from unigrad import dtypes
from unigrad.backend import Backend, Pull, Raw, RawFunction, RawPull
from unigrad.dlpack import HOST, from_host, host_capsule
from unigrad.errors import InterchangeError, UnsupportedError
from unigrad.graph import Leaf, Node
from unigrad.operations.nodes import rule_node
from unigrad.operations.table import Primitive
from unigrad_mxnet import linalg
from unigrad_mxnet.functions import has_empty, primitives
from unigrad_mxnet.importing import INSTALL, import_mxnet
from unigrad_mxnet.switches import Switches

if TYPE_CHECKING:
    from unigrad.transforms.bridges import Bridged

RULED = {
    "abs": "MXNet's derivative at NaN is 0",
    "maximum": "MXNet gives a tie to the first alone, and NaN the derivative 0",
    "minimum": "as maximum",
    "max": "MXNet gives each of several equal elements the whole gradient, and NaN the derivative 0",
    "min": "as max",
    "clip": "made of maximum and minimum",
    "remainder": "computed outside MXNet",
    **dict.fromkeys(("floor", "ceil", "round", "trunc", "sign", "floor_divide"), "partly computed outside MXNet"),
    **dict.fromkeys(("real", "imag", "conj", "nextafter"), "partly computed outside MXNet"),
    **dict.fromkeys(("log2", "log10", "cbrt", "gammaln"), "MXNet's derivative has constants of single precision"),
    **dict.fromkeys(
        ("asin", "acos", "atanh", "acosh", "asinh"), "MXNet's is by x * x, which loses digits or overflows"
    ),
    **dict.fromkeys(("hypot", "atan2"), "MXNet's is NaN at the origin"),
    **dict.fromkeys(("fmod", "copysign"), "computed outside MXNet"),
    "prod": "MXNet divides by the elements, which may be zero",
    "cumulative_prod": "computed outside MXNet",
    "vector_norm": "a composition whose derivative at 0 is NaN",
    "softplus": "a composition whose derivative at 0 is 0",
    "tanh": "MXNet's derivative has 1 - out * out, which has no correct digits far from 0",
    "sigmoid": "MXNet's derivative has 1 - out, which has no correct digits far above 0",
    "erf": "MXNet's derivative is rounded to single precision",
    "relu": "MXNet's derivative at NaN is NaN",
    "setitem": "computed outside MXNet",
    "scatter": "MXNet's function for it is itself a derivative and has none",
    "scatter_along_axis": "as scatter",
    **dict.fromkeys(linalg.NAMES, "computed outside MXNet"),
}
"""The primitives that the neutral rules always differentiate, and why MXNet does not."""

_LARGEST = 2**31


class MXNetBackend(Backend):
    """MXNet 1.9.1 on the CPU, through its ``mxnet.np`` arrays.

    At first order MXNet's autograd pulls back, wherever every operation below the heads is one whose
    derivative it has right. Each node also keeps what the neutral rules need: they serve all other
    operations, and all higher orders, since most of MXNet's functions have no second derivative.

    Around each call, and in its thread alone, MXNet's switches are as the call needs them.
    """

    name = "mxnet"
    framework = distribution = "mxnet"
    install = f"{INSTALL} (it needs the system libraries libgomp1 and libquadmath0)"
    delegates = "first order"
    native_twice = False
    stops_at_inputs = True  # what is no leaf is pulled to by the rules
    max_ndim = 5
    missing: ClassVar = {
        **dict.fromkeys(("int16", "uint16", "uint32", "uint64"), "MXNet has no arrays of this dtype"),
        **dict.fromkeys(("complex64", "complex128"), "MXNet has no complex arrays"),
        **dict.fromkeys(linalg.COMPLEX, "the result is complex, and MXNet has no complex arrays"),
        **dict.fromkeys(("fft", "rfft", "irfft"), "MXNet has no complex arrays"),
    }

    def load(self) -> None:
        mxnet = import_mxnet()
        self._mxnet = mxnet
        self._switches = Switches(mxnet)
        functions, safe = primitives(mxnet)
        delegated = self._delegated = frozenset(functions) - frozenset(RULED)
        self.functions = {name: self._within(function, False) for name, function in safe.items()}
        self._recorded = {name: self._within(function, name in delegated) for name, function in functions.items()}
        self._marked = self._within(self._mark, False)
        self._gradients = self._within(mxnet.autograd.grad, False)
        self._array = self._within(mxnet.np.array, False)
        self._capsule = self._within(lambda raw: raw.to_dlpack_for_read(), False)
        self._shared = self._within(lambda capsule: mxnet.nd.from_dlpack(capsule).as_np_ndarray(), False)
        self.raw_dtypes = {dtype: dtype for dtype in dtypes.ALL if str(dtype) not in self.missing}
        self.array_types = (mxnet.np.ndarray,)
        # A marked variable must have a gradient; autograd.grad() neither reads nor writes it.
        self._unused = mxnet.nd.zeros((1,))

    def _within(self, function: Callable[..., Raw], recording: bool) -> Callable[..., Raw]:
        """The function with MXNet's switches on as it needs them, and its limits explained."""
        switches, error_type = self._switches, self._mxnet.base.MXNetError

        @functools.wraps(function)
        def call(*args: Any, **options: Any) -> Raw:
            shapes = switches.numpy_shapes(1)
            before = switches.recording(recording)
            try:
                return function(*args, **options)
            except error_type as error:
                reason = _limit(str(error))
                if reason is None:
                    raise
                raise UnsupportedError(reason) from error
            finally:
                switches.recording(before)
                switches.numpy_shapes(shapes)

        return call

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        if array.size >= _LARGEST:
            raise UnsupportedError(_TOO_LARGE)
        return self._array(array, dtype=self.raw_dtype(array.dtype))

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        values: np.ndarray[Any, Any] = raw.asnumpy()
        return values

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        if (where.get("dl_device") or HOST) != HOST:
            raise InterchangeError(f"MXNet's arrays are on the host and go to no device {where['dl_device']}")
        # MXNet has no capsules of booleans, and none that it can make of no elements.
        if copy or raw.dtype == bool or not raw.size:
            return host_capsule(self.to_numpy(raw), copy if raw.size else None, max_version)
        return self._capsule(raw)

    def dlpack_device(self, raw: Raw) -> tuple[int, int]:
        return HOST

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        if copy is None and np.from_dlpack(source).dtype == bool:
            copy = True
        return from_host(source, copy, lambda values: self._shared(values.__dlpack__()), self.from_numpy)

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        from unigrad_mxnet.bridges import bridged

        return bridged(call, raws)

    def record(
        self,
        primitive: Primitive,
        parents: tuple[Node | None, ...],
        raws: tuple[Raw, ...],
        statics: tuple[Any, ...],
    ) -> tuple[Raw, Node]:
        # Where an array has no elements MXNet's engine returns what happened to be in memory, or crashes.
        empty = has_empty(raws)
        function = (None if empty else self._recorded.get(primitive.name)) or self.function(primitive.name)
        # MXNet makes each array that it records a part of the graph, which a backward takes apart: a constant that
        # several graphs share would go with the first.
        raws = tuple(
            raw.detach() if parent is None and isinstance(raw, self.array_types) else raw
            for raw, parent in zip(raws, parents, strict=True)
        )
        out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
        node = rule_node(self, primitive, parents, raws, statics, out)
        if empty or 0 in out.shape:
            node.__class__ = _undelegated(type(node))
        return out, node

    def _mark(self, raw: Raw) -> Raw:
        variable = raw.detach()
        self._mxnet.autograd.mark_variables([variable], [self._unused])
        return variable

    def leaf(self, raw: Raw) -> Raw:
        return self._marked(raw)

    def detached(self, raw: Raw) -> Raw:
        return raw.detach()

    def native_call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        found: list[Raw] = self._within(function, False)(raws)
        return found

    def native_vjp(
        self, function: RawFunction, raws: Sequence[Raw], moving: Sequence[bool]
    ) -> tuple[list[Raw], RawPull]:
        if has_empty(raws):
            raise UnsupportedError("backend 'mxnet' cannot differentiate its own functions of arrays without elements")
        own = [self._marked(raw) if marked else raw.detach() for raw, marked in zip(raws, moving, strict=True)]
        variables = [raw for raw, marked in zip(own, moving, strict=True) if marked]
        outs = self._within(function, True)(own)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            known = [(out, g) for out, g in zip(outs, gs, strict=True) if g is not None]
            return self._shares([out for out, _ in known], [g for _, g in known], variables)

        return [out.detach() for out in outs], pull

    def _shares(self, heads: Sequence[Raw], gs: Sequence[Raw], variables: Sequence[Raw]) -> list[Raw | None]:
        """What MXNet pulls back, None where no head depends on a variable: there it raises an error."""
        try:
            found = self._gradients(list(heads), list(variables), list(gs), retain_graph=True)
        except self._mxnet.base.MXNetError as error:
            if not _UNREACHED.search(str(error)):
                raise
            if len(heads) == len(variables) == 1:
                return [None]
            shares: list[Raw | None] = []
            for variable in variables:
                parts = [self._shares([head], [g], [variable])[0] for head, g in zip(heads, gs, strict=True)]
                reached = [part for part in parts if part is not None]
                shares.append(sum(reached[1:], reached[0]) if reached else None)
            return shares
        return [grad.as_np_ndarray() for grad in found]

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        if pull.rows is not None or not all(self._delegable(node) for node in pull.nodes):
            return None
        # MXNet gives gradients for marked variables only, and takes each head once.
        distinct = {head._node for head in pull.heads}
        if not all(isinstance(node, Leaf) for node in pull.inputs) or len(distinct) < len(pull.heads):
            return None
        found = self._gradients(
            [head.raw for head in pull.heads],
            list(pull.inputs.values()),
            [g.raw for g in pull.cotangents],
            retain_graph=pull.retain_graph,
        )
        grads = [grad.as_np_ndarray() for grad in found]
        # NaN may be MXNet's own: it adds infinities up to NaN, and has powers of zero wrong. The rules decide.
        return None if any(np.isnan(grad.asnumpy()).any() for grad in grads) else grads

    def _delegable(self, node: Node) -> bool:
        if node.operation == "power" and node.p2 is not None:
            return False  # at 0 ** 0 MXNet's derivative for the exponent is minus infinity
        if getattr(node, "undelegated", False):
            return False
        return isinstance(node, Leaf) or node.operation in self._delegated


@functools.cache
def _undelegated(kind: type[Node]) -> type[Node]:
    """The same class of nodes, for those that MXNet has not recorded although it could have."""
    return type(kind.__name__, (kind,), {"__slots__": (), "undelegated": True})


_TOO_LARGE = (
    "backend 'mxnet' has no arrays of 2**31 elements or more; split the array, or do this step on another "
    "backend and convert with .to_backend(...)"
)
_TOO_MANY_AXES = (
    "backend 'mxnet' cannot do this with so many dimensions (it broadcasts and reduces at most five groups of "
    "axes, and permutes six); merge axes with reshape, or do this step on another backend and convert with "
    ".to_backend(...)"
)
_UNREACHED = re.compile("unreachable from the outputs|not in a computational graph")
_AXES = re.compile(r"Too many (broadcast dim|reduction axes)|ndim=\d+too large|at most 6 dim|ndim\(\) < 10")


def _limit(message: str) -> str | None:
    """What to say where MXNet has met a limit of its own; None for every other error."""
    if _AXES.search(message):
        return _TOO_MANY_AXES
    return _TOO_LARGE if "INT64_TENSOR_SIZE" in message or "do not match total elements" in message else None
