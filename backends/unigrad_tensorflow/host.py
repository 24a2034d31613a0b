"""Functions of NumPy's, for what TensorFlow lacks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from unigrad.extend import Raw


def on_host(function: Callable[..., Any]) -> Callable[..., Raw]:
    """``function`` of the values. In a tf.function, which has none, Python is called back as often as it runs: XLA
    cannot compile that, nor does a saved model keep it."""

    def run(*args: Any) -> Raw:
        if not any(map(tf.is_symbolic_tensor, args)):
            return tf.constant(quietly(*[arg.numpy() if isinstance(arg, tf.Tensor) else arg for arg in args]))
        places = [place for place, arg in enumerate(args) if isinstance(arg, tf.Tensor)]

        def again(*values: Any) -> Any:
            given = list(args)
            for place, value in zip(places, values, strict=True):
                given[place] = value
            return quietly(*given)

        raws = [args[place] for place in places]
        example = again(*[np.zeros(raw.shape, raw.dtype.as_numpy_dtype) for raw in raws])
        found = tf.numpy_function(again, raws, example.dtype, stateful=False)
        found.set_shape(example.shape)
        return found

    def quietly(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return np.asarray(function(*args))

    return run
