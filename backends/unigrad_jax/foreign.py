"""JAX's own functions inside unigrad, and unigrad inside JAX's transforms.

They are not compiled: a user's function may do what JAX cannot trace, and may be another one each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from unigrad.extend import Bridged, Foreign, Moving, Raw, RawFunction, RawPull, RawStep
from unigrad_jax.bridges import bridged
from unigrad_jax.wide import wide


def _as_given(raws: Sequence[Raw]) -> AbstractContextManager[Any]:
    """64 bits where an input has floating numbers of so many. Elsewhere arrays that the function makes itself would get
    them, and with these the result."""
    return wide() if any(np.dtype(raw.dtype).name in ("float64", "complex128") for raw in raws) else nullcontext()


def _is_floating(raw: Raw) -> bool:
    return bool(jnp.issubdtype(raw.dtype, jnp.inexact))


class JaxForeign(Foreign):
    """By JAX's own transforms, whose cotangents are without conjugates."""

    def call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        with _as_given(raws):
            return function(raws)

    def vjp(self, function: Moving) -> tuple[Sequence[Raw], RawPull]:
        with _as_given(function.raws):
            floating, transpose, outs = jax.vjp(function, *function.primals, has_aux=True)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            with _as_given([*function.raws, *outs]):
                given = [jnp.zeros_like(y) if g is None else jnp.conj(g) for g, y in zip(gs, floating, strict=True)]
                return [jnp.conj(share) for share in transpose(tuple(given))]

        return outs, pull

    def jvp(self, function: Moving, tangents: Sequence[Raw]) -> tuple[Sequence[Raw], Sequence[Raw]]:
        with _as_given(function.raws):
            _, pushed, outs = jax.jvp(function, function.primals, list(tangents), has_aux=True)
        return outs, pushed

    def vmap(self, function: RawFunction, marks: Sequence[bool]) -> RawFunction:
        of_batch = jax.vmap(lambda *raws: function(raws), tuple([0 if marked else None for marked in marks]))

        def run(raws: Sequence[Raw]) -> list[Raw]:
            with _as_given(raws):
                return list(of_batch(*raws))

        return run

    def followed(self, function: RawStep, raws: Sequence[Raw]) -> list[Raw]:
        # The rule may hold nothing of the forward pass but what JAX passes on, so the function is called again for it;
        # compiled, both are one.
        step = jax.custom_vjp(lambda *raws: function(raws)[0])

        def backwards(raws: Sequence[Raw], gs: Sequence[Raw]) -> tuple[Raw, ...]:
            outs, pull = function(raws)
            shares = pull([jnp.conj(g) if _is_floating(out) else None for g, out in zip(gs, outs, strict=True)])
            return tuple(
                [_zero(raw) if share is None else jnp.conj(share) for raw, share in zip(raws, shares, strict=True)]
            )

        step.defvjp(lambda *raws: (function(raws)[0], raws), backwards)
        return list(step(*raws))

    def follows(self, raw: Raw) -> bool:
        return isinstance(raw, jax.core.Tracer)

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        return bridged(call, raws)


def _zero(raw: Raw) -> Raw:
    return jnp.zeros_like(raw) if _is_floating(raw) else np.zeros(raw.shape, jax.dtypes.float0)
