"""Where TensorFlow's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tensorflow.python.eager import record

from unigrad.extend import PRIMITIVES, Backend, Raw, neutral_vjp
from unigrad_tensorflow.tape import dense


def replaced(backend: Backend, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``function``, a primitive's, with the neutral rule of that primitive as its derivative."""
    row = PRIMITIVES[name]
    count = len(row.arrays)

    def run(*args: Any) -> Raw:
        raws, statics = args[:count], args[count:]
        with record.stop_recording():
            out = function(*args)

        # A number beside an array has no derivative.
        needed = [not isinstance(raw, float) for raw in raws]

        def backward(g: Raw) -> list[Raw]:
            shares = neutral_vjp(backend, row, raws, statics, out, dense(g), needed)
            return [share for share, asked in zip(shares, needed, strict=True) if asked]

        tensors = [raw for raw, asked in zip(raws, needed, strict=True) if asked]
        record.record_operation(name, [out], tensors, backward)
        return out

    return run
