"""The primitives of linear algebra over JAX's arrays.

inv, solve, cholesky, eigvalsh, svdvals and the derivative of cofactors have JAX's own derivatives. The others have the
neutral rules: of JAX's own those through eigh and svd are NaN where values repeat also for the values alone, eig has
none for its vectors, qr none for a completed Q, and that of slogdet is infinite at a singular matrix. They are the
forward rules, which JAX transposes, except for eigh, eig and svd. What is asked of the values alone is not to be
touched by the vectors, whose slope may be NaN, and a transpose cannot look whether anything is asked of them: these
have the reverse rules, and so no forward mode of JAX's.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp

from unigrad.extend import PRIMITIVES, Primitive, Raw, packed, refusal, second_of_determinant, shares_of
from unigrad_jax.compiled import Function, Operation
from unigrad_jax.rules import neutral


def linear_algebra(others: types.SimpleNamespace) -> dict[str, Operation]:
    """The table of operations. ``others`` will hold all that rules and compositions are made of."""
    linalg = jnp.linalg

    def along(x: Raw, t: Raw) -> Raw:
        """By singular values, and differentiated as a polynomial, since singular vectors that repeat have no slope."""
        fixed = jax.lax.stop_gradient(x)
        moving = second_of_determinant(others, x, t) - second_of_determinant(others, fixed, t)
        return PRIMITIVES["cofactors_along"].made_of(others)(fixed, t) + moving

    own: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "eigvalsh": linalg.eigvalsh,
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
        "cofactors_along": along,
    }
    several = {name: getattr(linalg, name) for name in ("slogdet", "eigh", "eig", "svd", "qr")}
    one = packed(several, jnp.concatenate, jnp.stack, jnp.reshape, jnp.astype)
    pushed: dict[str, Callable[..., Raw]] = {
        "det": linalg.det,
        "slogdet": one["slogdet"],
        "eigvals": linalg.eigvals,
        "qr": one["qr"],
        **{name: PRIMITIVES[name].made_of(others) for name in ("cofactors", "pinv")},
    }
    made: dict[str, Operation] = {name: Answered(PRIMITIVES[name], function) for name, function in own.items()}
    made |= {name: Pushed(PRIMITIVES[name], function, others) for name, function in pushed.items()}
    return made | {name: Pulled(PRIMITIVES[name], one[name], others) for name in ("eigh", "eig", "svd")}


class Answered(Operation):
    """Raises for a matrix that has no answer, where JAX gives infinities or NaN."""

    def _specialise(self, count: int, *statics: Any) -> Function:
        made = super()._specialise(count, *statics)
        made.run = functools.partial(self._run, made.run)
        return made

    def _run(self, run: Callable[..., Raw], *arrays: Raw) -> Raw:
        out = run(*arrays)
        if not isinstance(out, jax.core.Tracer) and not _finite(out) and all(map(_finite, arrays)):
            raise refusal(self._row.name)
        return out


def _finite(x: Raw) -> bool:
    return bool(jnp.all(jnp.isfinite(x)))


class Pushed(Operation):
    """Has the neutral forward rules of its primitive as its derivative."""

    def __init__(self, row: Primitive, plain: Callable[..., Raw], others: types.SimpleNamespace) -> None:
        super().__init__(row, plain)
        self._others = others

    def _specialise(self, count: int, *statics: Any) -> Function:
        name = self._row.name
        return Function(neutral(name, lambda *arrays: self._plain(*arrays, *statics), self._others, *statics))


class Pulled(Operation):
    """Has the neutral reverse rules of its primitive as its derivative, and no forward mode of JAX's."""

    by_rules = True

    def __init__(self, row: Primitive, plain: Callable[..., Raw], others: types.SimpleNamespace) -> None:
        super().__init__(row, plain)
        self._others = others

    def _specialise(self, count: int, *statics: Any) -> Function:
        row, others = self._row, self._others
        function = jax.custom_vjp(lambda *arrays: self._plain(*arrays, *statics))

        def forwards(*arrays: Raw) -> tuple[Raw, Any]:
            out = function(*arrays)
            return out, (out, arrays)

        def backwards(saved: tuple[Raw, Sequence[Raw]], g: Raw) -> tuple[Raw, ...]:
            out, arrays = saved
            found = shares_of(row, row.rules, others, [g] * len(arrays), arrays, statics, out)
            return tuple(
                jnp.zeros_like(array) if share is None else share for array, share in zip(arrays, found, strict=True)
            )

        function.defvjp(forwards, backwards)
        return Function(function)
