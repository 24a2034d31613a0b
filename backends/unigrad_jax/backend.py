"""The adapter: how unigrad sees JAX."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad import dtypes
from unigrad.backend import Backend, Raw, RawFunction, RawPull, RawStep, values_unknown
from unigrad.dlpack import HOST, from_host

if TYPE_CHECKING:
    from unigrad.graph import Node
    from unigrad.operations.table import Primitive
    from unigrad.transforms.bridges import Bridged


class JaxBackend(Backend):
    """JAX: the core walks the graph, JAX derives and compiles each step."""

    name = "jax"
    framework = distribution = "jax"
    install = "pip install 'unigrad[jax]'"
    pulls_raw = True
    stops_at_inputs = True
    immutable = keeps_read_only = True
    max_ndim = 64

    def load(self) -> None:
        import jax

        from unigrad_jax import compiled, functions, natives, wide

        self._jax = jax
        self._wide = wide.wide
        self._node = compiled.Call
        self._natives = natives
        self.functions = functions.operations()
        self.raw_dtypes = {dtype: dtype for dtype in dtypes.ALL}
        self.array_types = (jax.Array,)

    @property
    def engine(self) -> str:
        return "each operation, any order"

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        # JAX may go on using the memory that it is given, so it gets its own. Inside a transform the values stay known.
        with self._wide(), self._jax.ensure_compile_time_eval():
            return self._jax.device_put(np.array(array), None if device is None else self._devices()[str(device)])

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        if isinstance(raw, self._jax.core.Tracer):
            raise values_unknown(self.name)
        return np.asarray(raw)

    def copied(self, raw: Raw) -> Raw:
        return super().copied(raw) if self.is_known(raw) else raw

    def is_known(self, raw: Raw) -> bool:
        return not isinstance(raw, self._jax.core.Tracer)

    def device(self, raw: Raw) -> Any:
        if isinstance(raw, self._jax.core.Tracer):  # inside a transform of JAX's it is nowhere yet
            return self.devices()[0]
        return _label(next(iter(raw.devices())))

    def devices(self) -> Sequence[Any]:
        return list(self._devices())

    def _devices(self) -> dict[str, Any]:
        jax = self._jax
        return {_label(device): device for device in (*jax.local_devices(), *jax.local_devices(backend="cpu"))}

    def to_device(self, raw: Raw, device: Any) -> Raw:
        with self._wide():
            return self._jax.device_put(raw, self._devices()[str(device)])

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        # A consumer of an older version has to look at the capsule's own; JAX would rather refuse it.
        known = None if max_version is None or max_version < (0, 5) else max_version
        return super().to_dlpack(raw, copy, known, **where)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        with self._wide():
            if tuple(source.__dlpack_device__()) == HOST:
                # Told to copy, JAX may still read the memory when it has changed.
                return from_host(source, copy, self._jax.dlpack.from_dlpack, self.from_numpy, self.immutable)
            return self._jax.dlpack.from_dlpack(source, copy=copy)

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        from unigrad_jax.bridges import bridged

        return bridged(call, raws)

    def record(
        self,
        primitive: Primitive,
        parents: tuple[Node | None, ...],
        raws: tuple[Raw, ...],
        statics: tuple[Any, ...],
    ) -> tuple[Raw, Node]:
        try:
            operation = self.functions[primitive.name]
        except KeyError:
            operation = self.function(primitive.name)()  # which raises UnsupportedError
        function, inputs = operation.resolve(raws, statics)
        with self._wide():
            out = function.run(*inputs)
        return out, self._node(function, inputs, parents + (None,) * (len(inputs) - len(parents)))

    def constant(self, raw: Raw) -> Raw:
        return raw if self.is_known(raw) else self._jax.lax.stop_gradient(raw)

    def pushforward(
        self, primitive: Primitive, raws: Sequence[Raw], tangents: Sequence[Raw | None], statics: Sequence[Any]
    ) -> tuple[Raw, Raw] | None:
        operation = self.functions.get(primitive.name)
        if operation is None or operation.by_rules:  # composed of others, each of which is pushed forward by itself
            return None
        function, inputs = operation.resolve(raws, statics)
        mask = tuple([tangent is not None for tangent in tangents]) + (False,) * (len(inputs) - len(raws))
        with self._wide():
            return function.pushforward(mask)(inputs, [tangent for tangent in tangents if tangent is not None])

    def follows(self, raw: Raw) -> bool:
        return isinstance(raw, self._jax.core.Tracer)

    def followed(self, function: RawStep, raws: Sequence[Raw]) -> list[Raw]:
        return self._natives.followed(function, raws)

    def native_call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        return self._natives.called(function, raws)

    def native_vjp(
        self, function: RawFunction, raws: Sequence[Raw], moving: Sequence[bool]
    ) -> tuple[list[Raw], RawPull]:
        return self._natives.pulled(function, raws, moving)

    def native_jvp(self, function: RawFunction, moving: Sequence[bool]) -> RawFunction:
        return self._natives.pushed(function, moving)

    def native_vmap(self, function: RawFunction, marks: Sequence[bool]) -> RawFunction:
        return self._natives.mapped(function, marks)

    def raw_pass(self) -> AbstractContextManager[Any]:
        return self._wide()


def _label(device: Any) -> str:
    return "cpu" if device.platform == "cpu" and device.id == 0 else f"{device.platform}:{device.id}"
