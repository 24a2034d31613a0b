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

from unigrad.extend import Backend, Raw


def special(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The raw functions."""

    def composed(name: str) -> Callable[..., Raw]:
        found = backend.composed(name)
        assert found is not None, name
        return found

    def wide(function: Callable[..., Raw]) -> Callable[..., Raw]:
        def call(*arrays: Raw) -> Raw:
            dtype = arrays[0].dtype
            if dtype is tf.float64:
                return function(*arrays)
            return tf.cast(function(*[tf.cast(array, tf.float64) for array in arrays]), dtype)

        return call

    def narrow(name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
        """In float64 as composed."""
        exact, rounded = composed(name), wide(function)
        return lambda *arrays: (exact if arrays[0].dtype is tf.float64 else rounded)(*arrays)

    def by_order(name: str, *own: Callable[..., Raw]) -> Callable[..., Raw]:
        """Of the orders 0, 1, ... those that have a function of their own."""
        rest = composed(name)
        functions = [wide(function) for function in own]

        def call(x: Raw, order: int) -> Raw:
            return functions[order](x) if order < len(functions) else rest(x, order)

        return call

    def unscaled(function: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
        def call(x: Raw) -> Raw:
            x = tf.clip_by_value(x, -1e4, 1e4)
            root = tf.exp(tf.abs(x) * 0.5)
            return function(x) * root * root

        return call

    return {
        "bessel_i": by_order("bessel_i", unscaled(tf.math.special.bessel_i0e), unscaled(tf.math.special.bessel_i1e)),
        "bessel_ie": by_order("bessel_ie", tf.math.special.bessel_i0e, tf.math.special.bessel_i1e),
        "erfc": wide(tf.math.erfc),
        "erfcinv": wide(lambda x: tf.math.ndtri(x * 0.5) * -math.sqrt(0.5)),
        "ndtr": narrow("ndtr", lambda x: tf.math.erfc(x * -math.sqrt(0.5)) * 0.5),
        "ndtri": wide(tf.math.ndtri),
    }
