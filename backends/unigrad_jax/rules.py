"""Derivatives of ours for functions of JAX's: forward rules, linear in the tangent, which JAX transposes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.custom_derivatives import SymbolicZero

from unigrad.extend import PRIMITIVES, Raw, residuals_of

Rule = Callable[..., Raw]


def derivatives(*rules: Rule) -> Callable[[Callable[..., Raw]], Callable[..., Raw]]:
    """Give a function our derivative: for each input ``rule(t, out, *inputs)``, where ``t`` is its tangent.

    None for a rule's result stands for 0.
    """

    def decorate(function: Callable[..., Raw]) -> Callable[..., Raw]:
        made = jax.custom_jvp(function)

        def jvp(inputs: Sequence[Raw], tangents: Sequence[Raw]) -> tuple[Raw, Raw]:
            out = made(*inputs)
            # Nothing is added for an input that does not move: 0 times an infinite slope would be NaN.
            moving = [(rule, t) for rule, t in zip(rules, tangents, strict=True) if not isinstance(t, SymbolicZero)]
            parts = [part for rule, t in moving if (part := rule(t, out, *inputs)) is not None]
            return out, jnp.broadcast_to(sum(parts[1:], parts[0]), out.shape) if parts else jnp.zeros_like(out)

        made.defjvp(jvp, symbolic_zeros=True)
        return made

    return decorate


def neutral(name: str, function: Callable[..., Raw], others: Any, *statics: Any) -> Callable[..., Raw]:
    """``function`` of arrays with the rules of its primitive as its derivative; ``others`` hold all primitives."""
    row = PRIMITIVES[name]

    def forward(rule: Rule) -> Rule:
        names = residuals_of(rule)

        def run(t: Raw, out: Raw, *inputs: Raw) -> Raw:
            known = dict(zip(row.statics, statics, strict=True)) | {"out": out}
            for name, x in zip(row.arrays, inputs, strict=True):
                known |= {name: x, f"{name}_shape": tuple(x.shape), f"{name}_dtype": x.dtype}
            return rule(others, t, *[known[name] for name in names])

        return run

    rules = row.rules if row.forward == "transpose" else row.forward
    return derivatives(*map(forward, rules))(function)


def composition(name: str) -> Callable[..., Raw]:
    """The primitive made of others, of which it takes the namespace first."""
    found = PRIMITIVES[name].composition
    assert found is not None, name
    return found
