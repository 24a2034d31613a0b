"""TensorFlow's own special functions, where they have the digits and are infinite or NaN where ours are.

Only values: the derivatives are the primitives' rules. What has less than float64 is computed in float64 and rounded
once. Measured against mpmath over all magnitudes, in units of the last place of float64: Bessel's 10, ``erfc`` 4,
``erfcinv`` and ``ndtri`` 3. Its ``erfinv`` is 0 near 0, ``igamma`` has few digits and is NaN where the parameter is 0;
what XLA does not have (``bessel_i0``) is made of what it has.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import tensorflow as tf

from unigrad.extend import Backend, Raw, but_in, by_order


def special(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The raw functions."""

    def wide(function: Callable[..., Raw]) -> Callable[..., Raw]:
        def call(*arrays: Raw) -> Raw:
            dtype = arrays[0].dtype
            if dtype is tf.float64:
                return function(*arrays)
            return tf.cast(function(*[tf.cast(array, tf.float64) for array in arrays]), dtype)

        return call

    def narrow(name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
        """In float64 as composed."""
        return but_in(tf.float64, backend, name, wide(function))

    def unscaled(function: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
        def call(x: Raw) -> Raw:
            x = tf.clip_by_value(x, -1e4, 1e4)
            root = tf.exp(tf.abs(x) * 0.5)
            return function(x) * root * root

        return call

    scaled = (tf.math.special.bessel_i0e, tf.math.special.bessel_i1e)
    return {
        "bessel_i": by_order(backend, "bessel_i", [wide(unscaled(function)) for function in scaled]),
        "bessel_ie": by_order(backend, "bessel_ie", map(wide, scaled)),
        "erfc": wide(tf.math.erfc),
        "erfcinv": wide(lambda x: tf.math.ndtri(x * 0.5) * -math.sqrt(0.5)),
        "ndtr": narrow("ndtr", lambda x: tf.math.erfc(x * -math.sqrt(0.5)) * 0.5),
        "ndtri": wide(tf.math.ndtri),
    }
