"""The native engine: the neutral rules over an array module, NumPy's or CuPy's."""

from unigrad.native.backend import CupyBackend, NativeBackend, NumpyBackend

numpy_backend = NumpyBackend()
cupy_backend = CupyBackend()

__all__ = ["CupyBackend", "NativeBackend", "NumpyBackend", "cupy_backend", "numpy_backend"]
