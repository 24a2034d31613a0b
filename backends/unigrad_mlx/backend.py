"""What unigrad asks of MLX's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from unigrad.extend import Backend, DType, Raw, Weak, everything, with_host
from unigrad_mlx.hosted import HOSTED


class MLXBackend(Backend):
    """MLX on its default device, which for float64 must be the CPU: ``mx.set_default_device(mx.cpu)``.

    Each operation is evaluated at once: MLX computes later, which would raise errors elsewhere, and not in another
    thread than the one that an operation was called in.
    """

    name = framework = distribution = "mlx"
    install = "pip install 'unigrad[mlx]'"
    missing: ClassVar = {"complex128": "MLX has complex64 alone"}

    def load(self) -> None:
        import mlx.core as mx

        from unigrad_mlx.functions import primitives

        self._mx = mx
        self.raw_dtypes = {
            dtype: getattr(mx, "bool_" if dtype.kind == "b" else str(dtype))
            for dtype in everything()
            if str(dtype) not in self.missing
        }
        self.array_types = (mx.array,)
        own = {name: self._evaluated(function) for name, function in primitives(self).items()}
        self.functions = with_host(self, own, HOSTED)

    def _evaluated(self, function: Callable[..., Raw]) -> Callable[..., Raw]:
        evaluate = self._mx.eval

        def call(*args: Any) -> Raw:
            found = function(*args)
            evaluate(found)
            return found

        return call

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        # Of float64 MLX would make float32, if it were not told, and it reads no memory backwards.
        return self._mx.array(np.array(array, order="C"), dtype=self.raw_dtype(array.dtype))

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        dtype = self.dtype(raw)
        if dtype.kind == "V":  # of which MLX's buffers know nothing
            return np.array(raw.view(self._mx.uint16)).view(dtype)
        return np.array(raw)

    def numbers(self, primitive: str, weak: Weak) -> Weak:
        """MLX refuses an integer beyond 64 bits beside floats, too."""

        def number(value: Any, dtype: DType) -> Any:
            found = weak(value, dtype)
            return float(found) if type(found) is int and dtype.kind in "fVc" else found

        return number
