"""Where TensorFlow's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorflow.python.eager import record

from unigrad.backend import Backend, Raw
from unigrad.operations.nodes import neutral_vjp
from unigrad.operations.table import PRIMITIVES
from unigrad_tensorflow.tape import dense

REPLACED = {
    "acos": "TensorFlow's is by 1 - x * x, which has few correct digits near 1",
    "acosh": "TensorFlow's is by the value, whose rounding counts near 1",
    "asin": "as acos",
    "asinh": "TensorFlow's is by the value, whose rounding counts where it is large",
    "atan2": "TensorFlow's squares its arguments, which overflows",
    "atanh": "as acos",
    "cbrt": "a composition whose derivative at 0 is NaN",
    "clip": "TensorFlow's is 0 at NaN, and differs where the bounds are the wrong way round",
    "copysign": "a composition whose derivative at 0 is none",
    "cumulative_max": "composed of maximum it would share ties unevenly",
    "cumulative_min": "as cumulative_max",
    "cumulative_prod": "TensorFlow's is wrong where an element is 0",
    "erf": "ours for the limit at infinity: a choice between two values hides an infinite cotangent",
    "floor_divide": "a composition whose derivative is NaN at NaN and infinity",
    "fmod": "TensorFlow has none",
    "gammaln": "TensorFlow's digamma has few correct digits near its root",
    "hypot": "a composition whose derivative at the origin is none",
    "logaddexp": "a composition whose derivative where both are equal is none",
    "lower_power": "a composition whose derivative at 0 is NaN",
    "maximum": "TensorFlow's gives a tie to the first",
    "minimum": "TensorFlow's gives a tie to the first",
    "nextafter": "TensorFlow has none",
    "polygamma": "a composition",
    "power": "TensorFlow's is NaN for x ** 0 at 0, and for x ** 1 at second order",
    "prod": "TensorFlow's second derivative is 0 where an element is 0",
    "relu": "TensorFlow's is 0 at NaN",
    "remainder": "TensorFlow's has the quotient rounded before its floor, and is infinite where the value is NaN",
    "sigmoid": "TensorFlow's has 1 - out, which has no correct digits far above 0",
    "sqrt": "TensorFlow's is 0 at NaN if the cotangent is 0, which hides it",
    "vector_norm": "composed in TensorFlow it is NaN where the norm is 0",
    "xlogy": "a composition whose derivatives at x1 = 0 are 0",
    "det": "TensorFlow's raises at a singular matrix",
    "cofactors": "a composition through singular vectors, which have no derivative where values repeat",
    "pinv": "as cofactors",
    "slogdet": "TensorFlow's raises at a singular matrix",
    "eigh": "TensorFlow's is 0 for the vectors where eigenvalues repeat",
    "eig": "TensorFlow lets the norms of the vectors change",
    "eigvals": "as eig",
    "svd": "TensorFlow's is 0 for the vectors where singular values repeat, and has none of complex numbers",
    "svdvals": "as svd",
    "qr": "TensorFlow has none of a completed Q",
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
            return neutral_vjp(backend, row, raws, statics, out, dense(g))

        record.record_operation(name, [out], list(raws), backward)
        return out

    return run
