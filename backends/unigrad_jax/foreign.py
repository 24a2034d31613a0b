"""JAX's own functions inside unigrad, and unigrad inside JAX's transforms.

They are not compiled: a user's function may do what JAX cannot trace, and may be another one each time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from unigrad.extend import DtypeError, Elsewhere, Followed, Foreign, Moving, Raw, RawFunction, RawPull, UnsupportedError
from unigrad_jax.wide import wide


def _as_given(raws: Sequence[Raw]) -> AbstractContextManager[Any]:
    """64 bits where an input has floating numbers of so many. Elsewhere arrays that the function makes itself would get
    them, and with these the result."""
    return wide() if any(np.dtype(raw.dtype).name in ("float64", "complex128") for raw in raws) else nullcontext()


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

    def vmap(self, function: Moving) -> Sequence[Raw]:
        with _as_given(function.raws):
            found: tuple[Raw, ...] = jax.vmap(function.results)(*function.primals)
            return found

    def follows(self, raw: Raw) -> bool:
        return isinstance(raw, jax.core.Tracer)

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw]:
        run = jax.custom_vjp(lambda *raws: _checked(step.name, step.value(raws)))

        def backward(raws: Sequence[Raw], gs: Sequence[Raw]) -> tuple[Raw | None, ...]:
            # JAX's cotangents are those of the transpose, without conjugates.
            shares = step.pull(raws, [None if g.dtype == jax.dtypes.float0 else jnp.conj(g) for g in gs])
            return tuple([None if share is None else jnp.conj(share) for share in shares])

        # Not the results as well: a transform outside may derive the rule, which may hold nothing of the forward pass
        # but what JAX passes on.
        run.defvjp(lambda *raws: (run(*raws), raws), backward)
        return list(run(*raws))

    def array_in(self, holder: Any) -> Raw | None:
        return holder[...] if isinstance(holder, jax.Ref) else None

    def contain(self, kind: type, array_of: Callable[[Any], Raw], with_array: Callable[[Any], Any]) -> None:
        jax.tree_util.register_pytree_node(
            kind, lambda container: ((array_of(container),), None), lambda _, parts: with_array(parts[0])
        )
        # Where only one array will do, as for the value of jax.grad, JAX asks what array it is.
        getattr(jax._src.core, "pytype_aval_mappings", {})[kind] = _no_array

    def later(self, call: Elsewhere, raws: Sequence[Raw]) -> list[Raw]:
        specs = [jax.ShapeDtypeStruct(*each) for each in call.described([raw.shape for raw in raws], raws)]
        return list(jax.pure_callback(call.on_host, _checked(call.name, specs), *raws, vmap_method="sequential"))


def _no_array(container: Any) -> Any:
    raise UnsupportedError(
        "JAX takes a Tensor here for no array of its own; return or pass x.raw, which is one: "
        "jax.grad(lambda x: f(ug.asarray(x)).raw), or let ug.grad(f) differentiate, which takes JAX's arrays"
    )


def _checked(name: str, results: list[Any]) -> list[Any]:
    """The results of a step, which JAX itself would round to 32 bits without a word."""
    for number, y in enumerate(results):
        if not jax.config.jax_enable_x64 and y.dtype in map(np.dtype, ("int64", "uint64", "float64", "complex128")):
            raise DtypeError(
                f"result {number} of {name} is {y.dtype}, which JAX's own programs have only with "
                f"jax.config.update('jax_enable_x64', True); or return it in 32 bits, with .astype(...)"
            )
    return results
