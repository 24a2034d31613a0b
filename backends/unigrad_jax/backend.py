"""The adapter: how unigrad sees JAX."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from unigrad.extend import (
    HOST,
    ArgumentError,
    Backend,
    DType,
    Raw,
    RawFunction,
    Spread,
    Weak,
    apart,
    everything,
    from_host,
    ruled,
    values_unknown,
)
from unigrad_jax.places import Loose, in_order, label, on_each, put_loosely, spread_by
from unigrad_jax.replaced import REPLACED


class JaxBackend(Backend):
    """JAX."""

    name = "jax"
    framework = distribution = "jax"
    install = "pip install 'unigrad[jax]'"
    differentiates = "each operation"
    immutable = keeps_read_only = True
    max_ndim = 64
    replaced: ClassVar = REPLACED | ruled()

    def load(self) -> None:
        import jax

        from unigrad_jax import compiled
        from unigrad_jax.foreign import JaxForeign
        from unigrad_jax.functions import operations
        from unigrad_jax.runs import pull_in_runs
        from unigrad_jax.wide import wide

        self._jax = jax
        self._wide = wide
        self._compiled = compiled
        self._pull_in_runs = pull_in_runs
        self.functions = operations()
        self.raw_dtypes = {dtype: dtype for dtype in everything()}
        self.array_types = (jax.Array,)
        self.variable_types = (jax.Ref,)
        self.engine = compiled.JaxEngine(self)
        self.foreign = JaxForeign()

    def admit(self, raw: Raw) -> Raw:
        if self._compiled.is_spread(raw):
            self._compiled.met_spread()
            self.engine.pull_through = self._pull_in_runs
        return super().admit(raw)

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        # JAX may go on using the memory that it is given, so it gets its own. Inside a transform the values stay known.
        # Inside shard_map an array is on all devices of the mesh, and none may be named.
        within = self._jax.sharding.get_abstract_mesh().manual_axes
        with self._wide(), self._jax.ensure_compile_time_eval():
            return self._put(np.array(array), None if within else device)

    def filled_like(self, raw: Raw, value: float) -> Raw:
        if self.is_known(raw):
            return super().filled_like(raw, value)
        with self._wide():
            return self._jax.numpy.full_like(raw, value)

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        if isinstance(raw, self._jax.core.Tracer):
            raise values_unknown(self.name)
        return np.asarray(raw)

    def is_known(self, raw: Raw) -> bool:
        return not isinstance(raw, self._jax.core.Tracer)

    def abstractly(self, function: Callable[[Sequence[Raw]], None], raws: Sequence[Raw]) -> None:
        def of_tracers(*tracers: Raw) -> tuple[()]:
            with self._jax.ensure_compile_time_eval():  # what has values keeps them
                function(tracers)
            return ()

        with self._wide():
            self._jax.eval_shape(of_tracers, *raws)

    def compiled(self, function: RawFunction, engine: str | None) -> RawFunction:
        made: RawFunction = self._jax.jit(super().compiled(function, engine))

        def run(raws: Sequence[Raw]) -> list[Raw]:
            with self._wide():
                return made(list(raws))

        return run

    def device(self, raw: Raw) -> Any:
        if isinstance(raw, self._jax.core.Tracer):  # inside a transform of JAX's it is nowhere yet
            return self.devices()[0]
        sharding = raw.sharding
        if len(sharding.device_set) > 1:
            return spread_by(sharding, raw.shape)
        name = label(next(iter(sharding.device_set)))
        return name if raw.committed else Loose(name)

    def signature(self, raw: Raw, dtype: DType) -> Any:
        return (raw.aval, raw.sharding)

    def devices(self) -> Sequence[Any]:
        return list(self._devices())

    def _devices(self) -> dict[str, Any]:
        jax = self._jax
        return {label(device): device for device in (*jax.local_devices(), *jax.local_devices(backend="cpu"))}

    def spread(self, device: Any) -> Spread | Loose | None:
        if isinstance(device, self._jax.sharding.Sharding):
            return spread_by(device, None)
        return device if isinstance(device, (Spread, Loose)) else None

    def to_device(self, raw: Raw, device: Any) -> Raw:
        with self._wide():
            return self.admit(self._put(raw, device))

    def in_one_place(self, raws: Sequence[Any]) -> None:
        # JAX brings together what it put somewhere by itself, and whatever lies on the same devices in the same order.
        arrays = [raw for raw in raws if isinstance(raw, self._jax.Array) and self.is_known(raw) and raw.committed]
        places = dict.fromkeys(tuple(in_order(raw.sharding)) for raw in arrays)
        if len(places) > 1:
            raise apart(self.name, [", ".join(map(label, devices)) for devices in places])

    def _put(self, array: Any, device: Any) -> Raw:
        """The array on a device, or spread as another of its shape is; one of another shape lies whole on each."""
        if isinstance(device, Loose) and not isinstance(array, self._jax.core.Tracer):
            return put_loosely(array, self._devices()[device])
        if not isinstance(device, Spread):
            return self._jax.device_put(array, None if device is None else self._devices()[str(device)])
        alike = device.shape is None or device.shape == array.shape
        sharding = device.own if alike else on_each(device.own)
        try:
            return self._jax.device_put(array, sharding)
        except ValueError as error:
            raise ArgumentError(
                f"backend 'jax': an array of shape {tuple(array.shape)} cannot be spread by {sharding}: {error}"
            ) from error

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

    def numbers(self, primitive: str, weak: Weak) -> Weak | None:
        return self._compiled.NUMBERS.operand(primitive, weak)
