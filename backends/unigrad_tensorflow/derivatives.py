"""Where TensorFlow's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorflow.python.eager import record

from unigrad.backend import Backend, Raw
from unigrad.operations.nodes import neutral_vjp
from unigrad.operations.table import PRIMITIVES

REPLACED = {
    "clip": "TensorFlow's is 0 at NaN, and differs where the bounds are the wrong way round",
    "cumulative_prod": "TensorFlow's is wrong where an element is 0",
    "maximum": "TensorFlow's gives a tie to the first",
    "minimum": "TensorFlow's gives a tie to the first",
    "power": "TensorFlow's is NaN for x ** 0 at 0, and for x ** 1 at second order",
    "prod": "TensorFlow's second derivative is 0 where an element is 0",
    "relu": "TensorFlow's is 0 at NaN, which hides it",
    "sqrt": "TensorFlow's is 0 at NaN if the cotangent is 0, which hides it",
    "vector_norm": "composed in TensorFlow it is NaN where the norm is 0",
}
"""The primitives and the reasons."""


def replaced(backend: Backend, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``function``, a primitive's, with the neutral rule of that primitive as its derivative."""
    row = PRIMITIVES[name]
    count = len(row.arrays)

    def run(*args: Any) -> Raw:
        raws, statics = args[:count], args[count:]
        with record.stop_recording():
            out = function(*args)

        def backward(g: Raw) -> list[Raw]:
            return neutral_vjp(backend, row, raws, statics, out, g)

        record.record_operation(name, [out], list(raws), backward)
        return out

    return run
