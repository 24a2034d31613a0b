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


def visible(x: Any) -> bool:
    """Whether NumPy sees the array as it lies, and more of it than TensorFlow."""
    return x.dtype in WIDE and not tf.is_symbolic_tensor(x) and "CPU" in x.backing_device


def values(x: Raw) -> Any:
    """NumPy's view of an array that is :func:`visible`, to look at; ``numpy()`` would copy it."""
    return x._numpy()


def _hidden(seen: Any) -> Any:
    """Which numbers TensorFlow takes for zero."""
    return (seen != 0) & (np.abs(seen) < np.finfo(seen.dtype).tiny)


def compared(name: str, function: Callable[[Any, Any], Raw]) -> Callable[[Any, Any], Raw]:
    """A comparison of arrays, or of an array and a number."""
    host: Callable[[Any, Any], Any] = getattr(np, name)

    def compare(x1: Any, x2: Any) -> Raw:
        first, second = isinstance(x1, tf.Tensor), isinstance(x2, tf.Tensor)
        if (visible(x1) if first else True) and (visible(x2) if second else True):
            return tf.constant(host(values(x1) if first else x1, values(x2) if second else x2))
        return function(x1, x2)

    return compare


def truth(x: Raw) -> Raw:
    """x as booleans: what is not 0 is true."""
    if x.dtype is tf.bool:
        return x
    if visible(x):
        return tf.constant(values(x) != 0)
    return tf.not_equal(x, tf.zeros_like(x)) if x.dtype.is_complex else tf.cast(x, tf.bool)


def rounded(name: str, function: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
    """``floor``, ``ceil`` or ``sign`` in TensorFlow's graph, put right where it takes a number for zero."""
    host: Callable[[Any], Any] = getattr(np, name)

    def run(x: Raw) -> Raw:
        found = function(x)
        if not visible(x):
            return found
        seen = values(x)
        hidden = _hidden(seen)
        return tf.where(hidden, host(seen), found) if hidden.any() else found

    return run


def of_angles(function: Callable[[Raw, Raw], Raw]) -> Callable[[Raw, Raw], Raw]:
    """``atan2``, by NumPy where TensorFlow takes a coordinate for zero, which would turn the angle."""

    def run(x1: Raw, x2: Raw) -> Raw:
        if visible(x1) and visible(x2):
            pair = values(x1), values(x2)
            if any(_hidden(each).any() for each in pair):
                return tf.constant(np.arctan2(*pair))
        return function(x1, x2)

    return run


def position(name: str, function: Callable[[Raw, int, bool], Raw]) -> Callable[[Raw, int, bool], Raw]:
    """``argmax`` or ``argmin``."""
    host: Callable[..., Any] = getattr(np, name)

    def find(x: Raw, axis: int, keepdims: bool) -> Raw:
        if visible(x):
            return tf.constant(np.asarray(host(values(x), axis=axis, keepdims=keepdims), np.int64))
        return function(x, axis, keepdims)

    return find
