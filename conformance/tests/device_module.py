"""A stand-in for CuPy: NumPy's functions over arrays that pretend to live on a device.

Like CuPy's, they refuse to become NumPy arrays on their own and to mix with them, and a reduction to nothing
gives a 0-dimensional array. What passes here keeps to the array module it was given.
"""

from __future__ import annotations

import math
import operator
from types import SimpleNamespace
from typing import Any

import numpy as np

from unigrad.extend import NativeBackend, by_element


class DeviceArray:
    """An array that only this module's functions can look into."""

    __array_ufunc__ = None

    def __init__(self, host: Any) -> None:
        self._host = np.asarray(host)

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("implicit conversion to a NumPy array is not allowed; use asnumpy")

    @property
    def shape(self) -> tuple[int, ...]:
        return self._host.shape

    @property
    def dtype(self) -> Any:
        return self._host.dtype

    @property
    def strides(self) -> tuple[int, ...]:
        return self._host.strides

    @property
    def ndim(self) -> int:
        return self._host.ndim

    @property
    def size(self) -> int:
        return self._host.size

    @property
    def T(self) -> Any:
        return DeviceArray(self._host.T)

    @property
    def real(self) -> Any:
        return DeviceArray(self._host.real)

    @real.setter
    def real(self, values: Any) -> None:
        self._host.real = to_host(values)

    @property
    def imag(self) -> Any:
        return DeviceArray(self._host.imag)

    @imag.setter
    def imag(self, values: Any) -> None:
        self._host.imag = to_host(values)

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)  # as CuPy's

    @property
    def base(self) -> Any:
        return self._host.base

    def astype(self, dtype: Any) -> DeviceArray:
        return DeviceArray(self._host.astype(dtype))

    def __getattr__(self, name: str) -> Any:
        if name not in ("copy", "reshape", "transpose", "squeeze", "sum", "prod", "max", "view"):
            raise AttributeError(name)
        return on_device(getattr(self._host, name))

    def __getitem__(self, key: Any) -> DeviceArray:
        return DeviceArray(self._host[to_host(key)])

    def __setitem__(self, key: Any, value: Any) -> None:
        self._host[to_host(key)] = to_host(value)

    def __iadd__(self, other: Any) -> DeviceArray:
        self._host += to_host(other)
        return self

    def __bool__(self) -> bool:
        return bool(self._host)


def to_host(value: Any) -> Any:
    """The NumPy values behind device arrays, also in sequences; a NumPy array is refused."""
    if isinstance(value, DeviceArray):
        return value._host
    if isinstance(value, (np.ndarray, np.generic)):
        raise TypeError(f"unsupported type {type(value).__name__} beside a device array")
    if isinstance(value, (tuple, list)):
        return type(value)(to_host(item) for item in value)
    return value


def on_device(function: Any) -> Any:
    """A NumPy function over device arrays."""

    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*to_host(args), **{name: to_host(value) for name, value in kwargs.items()})
        if isinstance(result, tuple):
            return tuple(map(DeviceArray, result))
        return DeviceArray(result) if isinstance(result, (np.ndarray, np.generic)) else result

    return call


OPERATORS = (
    *("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul"),
    *("eq", "ne", "lt", "le", "gt", "ge", "and_", "or_", "neg", "abs", "invert"),
)
for _name in OPERATORS:
    _operator = on_device(getattr(operator, _name))
    _short = _name.rstrip("_")
    setattr(DeviceArray, f"__{_short}__", _operator)
    setattr(DeviceArray, f"__r{_short}__", lambda self, other, _operator=_operator: _operator(other, self))


class _Add:
    """``add``, with ``add.at`` and ``add.reduceat``, which CuPy has of it."""

    def __call__(self, x1: Any, x2: Any) -> Any:
        return on_device(np.add)(x1, x2)

    def reduceat(self, values: DeviceArray, starts: DeviceArray, axis: int) -> DeviceArray:
        return DeviceArray(np.add.reduceat(to_host(values), to_host(starts), axis=axis))

    def at(self, target: DeviceArray, key: Any, value: Any) -> None:
        np.add.at(to_host(target), to_host(key), to_host(value))


class _Submodule:
    """A module of NumPy's within the module, such as ``linalg``, whose tuples have no names here."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return on_device(getattr(self._module, name))


class DeviceModule:
    """The module: ``module.sin`` and all else that NumPy has."""

    fft = _Submodule(np.fft)
    lib = SimpleNamespace(stride_tricks=_Submodule(np.lib.stride_tricks))
    ndarray = DeviceArray
    add = _Add()
    linalg = _Submodule(np.linalg)

    def __getattr__(self, name: str) -> Any:
        return on_device(getattr(np, name))

    def array(self, values: Any, copy: bool = True) -> DeviceArray:
        host = to_host(values) if isinstance(values, DeviceArray) else values
        return DeviceArray(np.array(host))

    def asarray(self, values: Any) -> DeviceArray:
        return values if isinstance(values, DeviceArray) else DeviceArray(np.asarray(values))


class DeviceBackend(NativeBackend):
    """The native engine over the stand-in, as :class:`unigrad.native.CupyBackend` is over CuPy."""

    name = "device"
    framework = __name__
    distribution = "numpy"
    install = "nothing; it is part of the tests"

    def load_module(self) -> Any:
        return DeviceModule()

    def erf(self) -> Any:
        return on_device(by_element(math.erf))

    def from_numpy(self, array: Any, device: Any = None) -> Any:
        return DeviceArray(np.array(array))

    def to_numpy(self, raw: Any) -> Any:
        return raw._host


backend = DeviceBackend()
