"""Running extremes and sorted search over TensorFlow's eager tensors, which TensorFlow has not, or not for NaN."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping

import tensorflow as tf

from unigrad.extend import PRIMITIVES, Backend, Raw, by_numpy, get_backend_object


def searching(backend: Backend, table: Mapping[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """These functions by primitive; ``table`` has what they are composed of."""
    others = types.SimpleNamespace(**table)

    def running(name: str) -> Callable[..., Raw]:
        composed = PRIMITIVES[name].made_of(others)
        # A result is never the input itself, which TensorFlow would take for one node.
        return lambda x, axis: tf.identity(composed(x, axis))

    return {
        "cumulative_max": running("cumulative_max"),
        "cumulative_min": running("cumulative_min"),
        "searchsorted": by_numpy(backend, get_backend_object("numpy").functions["searchsorted"]),
    }
