"""Running extremes and sorted search over JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import lax

from unigrad.extend import Raw
from unigrad_jax.exact import sortable
from unigrad_jax.rules import neutral


def searching(others: Any) -> dict[str, Callable[..., Raw]]:
    """These functions by primitive; ``others`` will hold all operations."""

    def running(name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
        # JAX shares ties unevenly: the neutral rule instead.
        return lambda x, axis: neutral(name, lambda x: function(x, axis), others, axis)(x)

    return {
        "cumulative_max": running("cumulative_max", lax.cummax),
        "cumulative_min": running("cumulative_min", lax.cummin),
        "searchsorted": lambda x1, x2, right: jnp.searchsorted(
            sortable(x1), sortable(x2), side="right" if right else "left"
        ).astype("int64"),
    }
