"""A function that runs in another framework (``unigrad.bridge``) as a function that JAX traces and derives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np

from unigrad.extend import Bridged, DType, DtypeError, has_gradients


def bridged(call: Bridged, raws: Sequence[Any]) -> Sequence[Any]:
    """The results of ``call``, in any of JAX's transforms but forward mode, which ``jax.custom_vjp`` does not have."""
    run = jax.custom_vjp(lambda *given: _results(call, given))

    def forward(*given: Any) -> Any:
        return run(*given), given  # not the results alone: a transform outside may derive this as well

    def backward(given: Any, grads: Any) -> Any:
        # JAX's cotangents are those of the transpose, without conjugates.
        gs = [jax.numpy.conj(g) for g in grads if g.dtype != jax.dtypes.float0]
        found = iter(bridged(call.pull(len(given)), [*given, *gs]))
        return tuple([jax.numpy.conj(next(found)) if has_gradients(raw.dtype) else None for raw in given])

    run.defvjp(forward, backward)
    found: Sequence[Any] = run(*raws)
    return found


def _results(call: Bridged, raws: Sequence[Any]) -> list[Any]:
    if not any(isinstance(raw, jax.core.Tracer) for raw in raws):
        results = call.value(raws)
        for number, y in enumerate(results):
            _check(call, number, y.dtype)
        return results
    described = call.described([raw.shape for raw in raws], raws)
    for number, (_, dtype) in enumerate(described):
        _check(call, number, dtype)
    specs = [jax.ShapeDtypeStruct(shape, dtype) for shape, dtype in described]
    found: list[Any] = jax.pure_callback(call.on_host, specs, *raws, vmap_method="sequential")
    return found


def _check(call: Bridged, number: int, dtype: DType) -> None:
    if not jax.config.jax_enable_x64 and dtype in map(np.dtype, ("int64", "uint64", "float64", "complex128")):
        raise DtypeError(
            f"result {number} of {call.name} is {dtype}, which JAX's own programs have only with "
            f"jax.config.update('jax_enable_x64', True); or return it in 32 bits, with .astype(...)"
        )
