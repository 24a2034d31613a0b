"""bfloat16 over NumPy, which has no such dtype of its own.

The package ml_dtypes gives NumPy one: its arrays hold it, and most functions take it. But beside a Python number it
becomes float32, sums are added up in it, matrix products come out as float32, and some functions refuse it. So the
native engine holds it in a class of arrays that have every function of NumPy's compute in float32 and round the
result once. No other dtype pays for that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.base.dtypes import DType

Values = np.ndarray[Any, Any]


def held(array: Any) -> Any:
    """An array as the native engine has it: one of bfloat16, in whatever class, as a :class:`BFloat16Array`."""
    return np.asarray(array).view(BFloat16Array) if array.dtype.kind == "V" else array


class BFloat16Array(np.ndarray[Any, Any]):
    """An array of bfloat16, also of no axes: NumPy's scalars have none of this."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if method == "at":
            changed = _wide(inputs[0])
            ufunc.at(changed, *_wide(inputs[1:]))
            np.asarray(inputs[0])[...] = changed
            return None
        if ufunc is np.power:  # of which a rounded exponent is another function
            inputs = tuple([self.dtype.type(x) if isinstance(x, (int, float)) else x for x in inputs])
        found = getattr(ufunc, method)(*_wide(inputs), **_wide(options))
        if out is None:
            return _rounded(found, self.dtype, (inputs, options))
        for place, values in zip(out, found if isinstance(found, tuple) else (found,), strict=True):
            np.asarray(place)[...] = values
        return out[0] if len(out) == 1 else out

    def __array_function__(
        self, func: Any, types: Iterable[type], args: Iterable[Any], kwargs: Mapping[str, Any]
    ) -> Any:
        return _rounded(func(*_wide(tuple(args)), **_wide(dict(kwargs))), self.dtype, (args, kwargs))

    def __getitem__(self, key: Any) -> Any:
        return held(np.asarray(super().__getitem__(key)))

    def astype(self, dtype: Any, *args: Any, **options: Any) -> Any:
        """NumPy's, whose result is of this class only if it is bfloat16."""
        return held(np.asarray(self).astype(dtype, *args, **options))


def _wide(x: Any) -> Any:
    """Arrays of bfloat16, however nested, in float32, and float32 for the dtype; all else as it is."""
    if isinstance(x, (np.ndarray, np.generic)):
        return np.asarray(x).astype(np.float32) if x.dtype.kind == "V" else x
    if isinstance(x, np.dtype):
        return np.dtype(np.float32) if x.kind == "V" else x
    if isinstance(x, (tuple, list)):
        return type(x)([_wide(item) for item in x])
    if isinstance(x, dict):
        return {name: _wide(item) for name, item in x.items()}
    return x


def _rounded(found: Any, dtype: DType, given: Any) -> Any:
    """What was computed of :func:`_wide` arguments, rounded where it would be bfloat16 if NumPy knew that."""
    if isinstance(found, (tuple, list)):
        return type(found)([_rounded(item, dtype, given) for item in found])
    if isinstance(found, (np.ndarray, np.generic)) and found.dtype == np.float32 and not _asks_for_more(given):
        return np.asarray(found.astype(dtype)).view(BFloat16Array)
    return found


def _asks_for_more(given: Any) -> bool:
    """Whether float32 is among the arguments, as an array or as a dtype."""
    if isinstance(given, (np.ndarray, np.generic)):
        return given.dtype == np.float32
    if isinstance(given, np.dtype):
        return given == np.float32
    if isinstance(given, Mapping):
        return any(map(_asks_for_more, given.values()))
    return isinstance(given, Sequence) and not isinstance(given, str) and any(map(_asks_for_more, given))
