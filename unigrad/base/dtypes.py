"""Data types: the neutral names, and the rules of promotion.

A neutral dtype is a ``numpy.dtype``, on every backend: ``x.dtype == ug.float32`` is true of a
PyTorch tensor as of a NumPy array, and ``x.dtype == "float32"`` is as well.

Promotion is the Array API's. Where the standard leaves mixed kinds open, the kind that comes later
in bool, integer, floating, complex decides alone, so an integer array with a float32 array gives
float32. Python scalars are weak: they take the dtype of the array that they meet, or the default
dtype of their own kind where that kind comes later.

NumPy itself has no bfloat16: there it is a dtype of the package ml_dtypes (:data:`LATE`), which is imported when it is
first asked for. Its kind is "V" to NumPy, and no other neutral dtype's is: hence :data:`REAL_FLOATING`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError, BackendError, DtypeError

DType = np.dtype[Any]

bool_: DType = np.dtype("bool")
int8: DType = np.dtype("int8")
int16: DType = np.dtype("int16")
int32: DType = np.dtype("int32")
int64: DType = np.dtype("int64")
uint8: DType = np.dtype("uint8")
uint16: DType = np.dtype("uint16")
uint32: DType = np.dtype("uint32")
uint64: DType = np.dtype("uint64")
float16: DType = np.dtype("float16")
float32: DType = np.dtype("float32")
float64: DType = np.dtype("float64")
complex64: DType = np.dtype("complex64")
complex128: DType = np.dtype("complex128")

ALL: tuple[DType, ...] = (
    bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
    float16, float32, float64, complex64, complex128,
)  # fmt: skip
"""NumPy's own; :func:`everything` has those of other packages as well."""
LATE = {"bfloat16": "ml_dtypes"}
"""The dtypes that NumPy has from another package, with its name; unigrad's extra has the dtype's."""
NAMES = (*map(str, ALL), *LATE)
"""The names of all."""
_loaded: dict[str, DType] = {}
_waiting: list[Callable[[DType], None]] = []

default_float: DType = float32
default_int: DType = int64

_KINDS = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}
REAL_FLOATING = "fV"
"""NumPy's letters for the kind of a real floating dtype: bfloat16's is "V"."""
FLOATING = "fVc"
"""Those of a floating dtype, real or complex."""
STANDARD_KINDS = {
    "bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": REAL_FLOATING,
    "complex floating": "c", "numeric": "iu" + FLOATING,
}  # fmt: skip
_REAL = {complex64: float32, complex128: float64}
# What a Python scalar becomes where no array of its kind decides.
_DEFAULTS: dict[type, DType] = {bool: bool_, int: int64, float: float32, complex: complex64}


def as_dtype(dtype: Any) -> DType:
    """The neutral dtype that ``dtype`` names: a string, a NumPy type, or Python's ``float`` (float32)."""
    if isinstance(dtype, type) and dtype in _DEFAULTS:
        return _DEFAULTS[dtype]
    if isinstance(dtype, str) and dtype in LATE:
        return late(dtype)
    try:
        found = np.dtype(dtype)
    except (TypeError, ValueError, SyntaxError) as error:  # which NumPy reads as a description of fields
        raise DtypeError(f"{dtype!r} is not a dtype; use ug.float32, ug.int64, ... or their names") from error
    found = found if found.isnative else found.newbyteorder("=")  # numbers as files have them
    if found in ALL:
        return found
    if found.name in LATE and (known := late(found.name)) == found:
        return known
    raise DtypeError(f"dtype {found} is not one of {', '.join(NAMES)}")


def late(name: str) -> DType:
    """The dtype of :data:`LATE` of this name, its package imported at first. BackendError says what to install."""
    if name not in _loaded:
        package = LATE[name]
        try:
            made = np.dtype(getattr(importlib.import_module(package), name))
        except ImportError as error:
            raise BackendError(
                f"{name} needs the package {package}; install it with: pip install 'unigrad[{name}]'"
            ) from error
        _loaded[name] = made
        for learn in _waiting:
            learn(made)
    return _loaded[name]


def when_loaded(learn: Callable[[DType], None]) -> None:
    """Have ``learn`` called with each dtype of :data:`LATE`, as soon as somebody asks for it."""
    _waiting.append(learn)
    for dtype in _loaded.values():
        learn(dtype)


def everything() -> tuple[DType, ...]:
    """All dtypes, also those of other packages as far as these are installed: for a framework that has them itself."""
    found = list(ALL)
    for name in LATE:
        try:
            found.append(late(name))
        except BackendError:
            continue
    return tuple(found)


def kind(dtype: DType) -> int:
    """0 for bool, 1 for integers, 2 for floating, 3 for complex."""
    return _KINDS[dtype.kind]


def kinds(name: str) -> str:
    """The kinds of dtypes, by NumPy's letters, that the standard calls ``name``: "iu" for "integral"."""
    try:
        return STANDARD_KINDS[name]
    except KeyError:
        raise ArgumentError(f"there is no kind of dtypes {name!r}; use one of {', '.join(STANDARD_KINDS)}") from None


def has_gradients(dtype: DType) -> bool:
    """True for floating dtypes, real and complex: what can be attached and differentiated."""
    return dtype.kind in FLOATING


def is_half(dtype: DType) -> bool:
    """Whether it is float16 or bfloat16, which are added up in float32."""
    return dtype.itemsize == 2 and dtype.kind in REAL_FLOATING


def limits(dtype: DType) -> Any:
    """``numpy.finfo`` of a floating dtype, real or complex."""
    return (importlib.import_module(LATE[dtype.name]) if dtype.kind == "V" else np).finfo(dtype)


def real_of(dtype: DType) -> DType:
    """The dtype of the real part: float32 of complex64; all others are their own."""
    return _REAL.get(dtype, dtype)


def complex_of(dtype: DType) -> DType:
    """The complex dtype whose parts have the floating ``dtype`` (float16 and bfloat16: complex64)."""
    return complex128 if dtype in (float64, complex128) else complex64


def promote(first: DType, second: DType) -> DType:
    """The dtype of an operation between arrays of these two dtypes."""
    first_kind, second_kind = kind(first), kind(second)
    if first_kind != second_kind:
        if {first_kind, second_kind} == {2, 3}:
            return np.promote_types(first, second)
        return first if first_kind > second_kind else second
    if first.kind != second.kind and is_half(first) and is_half(second):
        return float32  # neither holds the other's numbers
    promoted = np.promote_types(first, second)
    if kind(promoted) != first_kind:
        raise DtypeError(f"no integer dtype holds both {first} and {second}; convert one with .astype(...)")
    return promoted


def promote_scalar(dtype: DType, scalar: complex) -> DType:
    """The dtype of an operation between an array of ``dtype`` and a Python scalar, which is weak."""
    default = _DEFAULTS[type(scalar)]
    if kind(default) <= kind(dtype):
        return dtype
    return complex128 if kind(default) == 3 and dtype == float64 else default


def to_float(dtype: DType) -> DType:
    """The dtype in which a function of real numbers (``exp``, ``/``) takes an array of ``dtype``."""
    return dtype if kind(dtype) >= 2 else default_float
