"""A function that runs in another framework (``unigrad.bridge``) as one operation to TensorFlow's tapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe

from unigrad.extend import Bridged


def bridged(call: Bridged, raws: Sequence[Any]) -> Sequence[Any]:
    """The results of ``call``; tapes, and gradients in a ``tf.function``, go through it."""
    if not tf.executing_eagerly():
        return _differentiable(call, raws, lambda: (_later(call, raws), call.pull(len(raws))))
    if not pywrap_tfe.TFE_Py_TapeSetShouldRecordBackprop(list(raws)):
        return call.value(raws)
    return _differentiable(call, raws, lambda: call.recorded(raws))


def _differentiable(call: Bridged, raws: Sequence[Any], computed: Any) -> Sequence[Any]:
    @tf.custom_gradient
    def run(*given: Any) -> Any:
        results, pull = computed()

        def backward(*grads: Any) -> Any:
            gs = [g for g, y in zip(grads, results, strict=True) if _is_floating(y)]
            found = iter(bridged(pull, [*given, *gs]))
            return [next(found) if _is_floating(raw) else None for raw in given]

        return tuple(results), backward

    return tf.nest.flatten(run(*raws))


def _later(call: Bridged, raws: Sequence[Any]) -> list[Any]:
    """The results as nodes of TensorFlow's graph, which calls back when it runs."""
    shapes = [raw.shape.as_list() for raw in raws]
    described = call.described([[1 if length is None else length for length in shape] for shape in shapes], raws)
    found = tf.numpy_function(call.on_host, list(raws), [tf.as_dtype(dtype) for _, dtype in described])
    for y, (shape, _) in zip(found, described, strict=True):
        y.set_shape([None] * len(shape) if any(None in given for given in shapes) else shape)
    return list(found)


def _is_floating(raw: Any) -> bool:
    return bool(raw.dtype.is_floating or raw.dtype.is_complex)
