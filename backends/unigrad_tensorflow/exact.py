"""Questions about numbers whose answers count subnormal ones, which TensorFlow takes for zero on a CPU: by NumPy.

What comes out is a boolean, a position, a whole number or a sign. In a tf.function, where there are no values, and on
a GPU TensorFlow's own functions answer. Narrow floats are computed as float32, whose normal numbers their subnormal
ones are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.extend import Raw

WIDE = frozenset((tf.float32, tf.float64, tf.complex64, tf.complex128))


def visible(x: Raw) -> bool:
    """Whether NumPy sees the array as it lies, and more of it than TensorFlow. What it sees is ``x._numpy()``, not to
    be written to; ``x.numpy()`` would copy it."""
    return x.dtype in WIDE and not tf.is_symbolic_tensor(x) and "CPU" in x.backing_device


def hidden(seen: Any) -> Any:
    """Which numbers TensorFlow takes for zero."""
    return (seen != 0) & (np.abs(seen) < np.finfo(seen.dtype).tiny)


def exact(host: Callable[..., Any], function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``function`` of arrays and numbers, but ``host``, NumPy's, where it sees all of the arrays."""

    def ask(*args: Any) -> Raw:
        seen = []
        for arg in args:
            if isinstance(arg, tf.Tensor):
                if not visible(arg):
                    return function(*args)
                arg = arg._numpy()
            seen.append(arg)
        return tf.constant(host(*seen))

    return ask


_truth = exact(
    lambda x: x != 0,
    lambda x: tf.not_equal(x, tf.zeros_like(x)) if x.dtype.is_complex else tf.cast(x, tf.bool),
)


def truth(x: Raw) -> Raw:
    """x as booleans: what is not 0 is true."""
    return x if x.dtype is tf.bool else _truth(x)


def rounded(name: str, function: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
    """``floor``, ``ceil`` or ``sign`` in TensorFlow's graph, put right where it takes a number for zero."""
    host: Callable[[Any], Any] = getattr(np, name)

    def run(x: Raw) -> Raw:
        found = function(x)
        if not visible(x):
            return found
        seen = x._numpy()
        lost = hidden(seen)
        return tf.where(lost, host(seen), found) if lost.any() else found

    return run


def of_angles(function: Callable[[Raw, Raw], Raw]) -> Callable[[Raw, Raw], Raw]:
    """``atan2``, by NumPy where TensorFlow takes a coordinate for zero, which would turn the angle."""
    by_numpy = exact(np.arctan2, function)

    def run(*pair: Raw) -> Raw:
        turned = any(hidden(x._numpy()).any() for x in pair if visible(x))
        return (by_numpy if turned else function)(*pair)

    return run


def position(name: str, function: Callable[[Raw, int, bool], Raw]) -> Callable[[Raw, int, bool], Raw]:
    """``argmax`` or ``argmin``."""
    host: Callable[..., Any] = getattr(np, name)
    return exact(lambda x, axis, keepdims: np.asarray(host(x, axis, keepdims=keepdims), np.int64), function)
