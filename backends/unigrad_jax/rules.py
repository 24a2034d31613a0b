"""Derivatives of ours for functions of JAX's: forward rules, linear in the tangent, which JAX transposes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from unigrad.extend import PRIMITIVES, Raw, shares_of

Rule = Callable[..., Raw]


def derived(
    function: Callable[..., Raw], shares: Callable[[Sequence[Raw | None], Raw, Sequence[Raw]], Sequence[Raw | None]]
) -> Callable[..., Raw]:
    """A function with our derivative, the sum of ``shares(tangents, out, inputs)``, in which None stands for 0."""
    made = jax.custom_jvp(function)

    def jvp(inputs: Sequence[Raw], tangents: Sequence[Raw]) -> tuple[Raw, Raw]:
        out = made(*inputs)
        # Nothing is added for an input that does not move: 0 times an infinite slope would be NaN.
        moving = [None if isinstance(t, SymbolicZero) else t for t in tangents]
        parts = [part for part in shares(moving, out, inputs) if part is not None]
        return out, jnp.broadcast_to(sum(parts[1:], parts[0]), out.shape) if parts else jnp.zeros_like(out)

    made.defjvp(jvp, symbolic_zeros=True)
    return made


def derivatives(*rules: Rule) -> Callable[[Callable[..., Raw]], Callable[..., Raw]]:
    """Give a function a derivative of its own: for each input ``rule(t, out, *inputs)``, where ``t`` is its tangent."""

    def shares(moving: Sequence[Raw | None], out: Raw, inputs: Sequence[Raw]) -> list[Raw | None]:
        return [None if t is None else rule(t, out, *inputs) for rule, t in zip(rules, moving, strict=True)]

    return lambda function: derived(function, shares)


def neutral(name: str, function: Callable[..., Raw], others: Any, *statics: Any) -> Callable[..., Raw]:
    """``function`` of arrays with the rules of its primitive as its derivative; ``others`` hold all primitives."""
    row = PRIMITIVES[name]
    rules = row.rules if row.forward == "transpose" else row.forward
    return derived(function, lambda moving, out, inputs: shares_of(row, rules, others, moving, inputs, statics, out))
