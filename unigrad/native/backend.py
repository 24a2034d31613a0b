"""The two backends of the native engine: NumPy's arrays and CuPy's."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from unigrad.adapters.contract import Backend, Engine, Followed, Foreign, neutral
from unigrad.base import dtypes
from unigrad.base.dtypes import DType
from unigrad.base.words import Raw
from unigrad.native.bfloat16 import held
from unigrad.native.from_scipy import FUNCTIONS, from_scipy
from unigrad.native.functions import primitives
from unigrad.native.interchange import Exported, values_of
from unigrad.native.special import error_function
from unigrad.table import PRIMITIVES

QUIET = frozenset({"polygamma", "xlogy"})
"""Compositions of the table of functions that say nothing of what they make on the way, as those of the special
functions do not: for 0 * log(0) NumPy would warn of a division."""


class NativeEngine(Engine):
    """There is none but unigrad's."""

    inline_nodes = "rules"
    stops_at_inputs = True
    is_view = staticmethod(lambda raw: getattr(raw, "base", None) is not None)


class NativeForeign(Foreign):
    """The array module has nothing that differentiates."""

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw]:
        return step.value(raws)


class Layout(NamedTuple):
    """How an array lies in memory."""

    strides: tuple[int, ...]
    view: bool
    """Whether it is a part of what it was made of."""


class NativeBackend(Backend):
    """The neutral rules over an array module that follows NumPy."""

    engine = NativeEngine()
    foreign = NativeForeign()
    max_ndim = 64
    module: Any

    def load_module(self) -> Any:
        """Import the array module."""
        raise NotImplementedError(f"{type(self).__name__} lacks load_module(), which returns its array module")

    def erf(self) -> Any:
        """The error function over the module's arrays."""
        raise NotImplementedError(
            f"{type(self).__name__} lacks erf(), which returns the error function over its arrays"
        )

    def load(self) -> None:
        self.module = self.load_module()
        self.functions = primitives(self.module, self.erf())
        self.raw_dtypes = {dtype: dtype for dtype in dtypes.ALL}
        self.array_types = (self.module.ndarray,)

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        return self.module.full(shape, value, dtype=dtype)

    def filled_like(self, raw: Raw, value: float) -> Raw:
        return self.module.full_like(raw, value)

    def added_at(self, held: Raw, x: Raw, key: tuple[Any, ...], no_negative_zero: bool) -> bool | None:
        # Not where it is a scalar of NumPy's, nor by arrays, which may select an element more than once.
        if not held.ndim:
            return None
        for entry in key:
            if hasattr(entry, "shape"):
                return None
        if no_negative_zero:
            held[key] += x
            return True
        chosen = held[key] + x
        held += 0  # -0 + 0 is 0
        held[key] = chosen
        return chosen.dtype.kind != "c" and not self.module.any(self.module.signbit(chosen) & (chosen == 0))

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        return self.module.from_dlpack(source, copy=copy)

    def signature(self, raw: Raw, dtype: DType) -> Any:
        """Strides in place of the layout: nothing has been given."""
        return (raw.shape, dtype, self.device(raw), getattr(raw, "strides", None))

    def layout(self, raw: Raw, given: Sequence[Raw] = ()) -> Layout | None:
        """Strides, and whether it lies in the memory of what was given; None for a scalar of NumPy's."""
        if not isinstance(raw, self.module.ndarray):
            return None
        # What was copied to be reshaped has a base as well, which is its own.
        shares = self.module.may_share_memory
        return Layout(raw.strides, raw.base is not None and any(shares(raw, x) for x in given))


def by_element(function: Callable[[float], float]) -> Callable[[Raw], Raw]:
    """A function of Python floats over NumPy's arrays."""
    elements = np.frompyfunc(function, 1, 1)
    return lambda x: held(np.asarray(elements(x)).astype(x.dtype))


def _running(ufunc: np.ufunc, x: Raw, axis: int) -> Raw:
    return ufunc.accumulate(x, axis=axis)


class NumpyBackend(NativeBackend):
    """NumPy."""

    name = "numpy"
    framework = distribution = "numpy"
    install = "pip install numpy"
    keeps_read_only = True

    def in_one_place(self, raws: Sequence[Any]) -> None:
        pass  # there is one

    def load_module(self) -> Any:
        return np

    def load(self) -> None:
        super().load()
        # CuPy's accumulate has sums and products alone.
        extremes = {"cumulative_max": np.maximum, "cumulative_min": np.minimum}
        running = {name: functools.partial(_running, ufunc) for name, ufunc in extremes.items()}
        self.functions = {**self.functions, **running}
        # Reductions to nothing give NumPy scalars, which flow as they are: faster than 0-d arrays.
        self.array_types = (np.ndarray, np.generic)
        dtypes.when_loaded(self._learn)

    def _learn(self, dtype: DType) -> None:
        """Take a dtype of another package, which is loaded now."""
        self.raw_dtypes = {**self.raw_dtypes, dtype: dtype}
        neutral(self)[dtype] = dtype

    def admit(self, raw: Raw) -> Raw:
        # The operators of np.matrix and of masked arrays are others: the same memory as a plain array.
        return held(super().admit(np.asarray(raw) if isinstance(raw, np.ndarray) else raw))

    def full(self, shape: tuple[int, ...], value: complex, dtype: DType, device: Any = None) -> Raw:
        return held(np.full(shape, value, dtype))

    def may_hold_zero(self, raw: Raw) -> bool:
        return bool(np.count_nonzero(raw) < raw.size)

    def composed(self, name: str) -> Callable[..., Raw] | None:
        found = super().composed(name)
        if found is None or not (PRIMITIVES[name].ruled or name in QUIET):
            return found

        function = from_scipy(name, found) if name in FUNCTIONS else found

        def quietly(*args: Any) -> Raw:
            with np.errstate(all="ignore"):  # of what a series makes on the way, of which not all is chosen
                return function(*args)

        return quietly

    def erf(self) -> Any:
        return error_function(np)

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        return held(np.array(array))

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        return np.asarray(raw)

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        values = np.asarray(raw)
        if not values.flags.writeable and copy is None and (max_version or (0, 0)) < (1, 0):
            copy = True  # a capsule of the first version cannot say that the memory is not to be written to
        return super().to_dlpack(Exported(values), copy, max_version, **where)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        return held(values_of(source, copy=copy))

    def dlpack_device(self, raw: Raw) -> tuple[int, int]:
        return super().dlpack_device(np.asarray(raw))


class CupyBackend(NativeBackend):
    """CuPy: the same engine with arrays on a GPU."""

    name = "cupy"
    framework = "cupy"
    distribution = "cupy-cuda12x"
    install = "pip install 'unigrad[cupy]'  # it needs an NVIDIA GPU and CUDA"
    missing: ClassVar = {"bfloat16": "CuPy takes it in part of its functions only"}

    def load_module(self) -> Any:
        import cupy

        return cupy

    def erf(self) -> Any:
        from cupyx.scipy.special import erf

        return erf

    def version(self) -> str:
        return str(self.module.__version__)

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        if device is None:
            return self.module.array(array)
        with self.module.cuda.Device(int(str(device).rpartition(":")[2])):
            return self.module.array(array)

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = self.module.asnumpy(raw)
        return found

    def device(self, raw: Raw) -> Any:
        return f"cuda:{raw.device.id}"

    def devices(self) -> Sequence[Any]:
        return [f"cuda:{number}" for number in range(self.module.cuda.runtime.getDeviceCount())]

    def to_device(self, raw: Raw, device: Any) -> Raw:
        with self.module.cuda.Device(int(str(device).rpartition(":")[2])):
            return self.module.array(raw)
