"""Fourier transforms over TensorFlow's tensors, which has them along the last axis only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad.extend import Raw


def along(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A function over the last axis as one over any."""

    def run(x: Raw, axis: int, *rest: Any) -> Raw:
        last = len(x.shape) - 1
        if axis == last:
            return function(x, *rest)
        order = [*range(last + 1)]
        order[axis], order[last] = last, axis
        return tf.transpose(function(tf.transpose(x, order), *rest), order)

    return run


def fft(x: Raw, inverse: bool) -> Raw:
    """TensorFlow divides the inverse."""
    return tf.signal.ifft(x) * x.shape[-1] if inverse else tf.signal.fft(x)


def rfft(x: Raw) -> Raw:
    """Of float16 and bfloat16, which TensorFlow does not transform, to complex64."""
    return tf.signal.rfft(tf.cast(x, tf.float32) if x.dtype in (tf.float16, tf.bfloat16) else x)


FOURIER: dict[str, Callable[..., Raw]] = {
    "fft": along(fft),
    "rfft": along(rfft),
    "irfft": along(lambda x, n: tf.signal.irfft(x, [n]) * n),
}
