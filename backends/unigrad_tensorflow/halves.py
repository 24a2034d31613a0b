"""float16 and bfloat16, which TensorFlow adds up in their own few digits, or has no kernels for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from unigrad.extend import Raw


def half_of(raws: Sequence[Any]) -> Any:
    """The dtype of the first array, if it is float16 or bfloat16."""
    for raw in raws:
        dtype = getattr(raw, "dtype", None)
        if dtype is not None:
            return dtype if dtype is tf.float16 or dtype is tf.bfloat16 else None
    return None


def in_float32(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A function of which halves are computed in float32 and rounded once, as are its gradients."""

    @functools.wraps(function)
    def run(*args: Any) -> Raw:
        half = half_of(args)
        if half is None:
            return function(*args)
        wide = [tf.cast(x, tf.float32) if tf.is_tensor(x) and x.dtype is half else x for x in args]
        return tf.cast(function(*wide), half)

    return run
