"""The standard's questions about dtypes: which one results, which may be cast to which, and their limits."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

from unigrad.adapters.registry import backend_of
from unigrad.base import dtypes
from unigrad.base.dtypes import DType
from unigrad.base.errors import ArgumentError, DtypeError
from unigrad.table import SCALAR_TYPES, Array, operation
from unigrad.tensor.tensor import Tensor

__all__ = ["can_cast", "finfo", "iinfo", "isdtype", "result_type"]


class FloatLimits(NamedTuple):
    """What :func:`finfo` answers, as Python numbers."""

    bits: int
    """The bits of one real number."""
    eps: float
    """The distance from 1 to the next larger number."""
    max: float
    min: float
    smallest_normal: float
    dtype: DType
    """The real dtype, also if a complex one was asked for."""


class IntegerLimits(NamedTuple):
    """What :func:`iinfo` answers, as Python numbers."""

    bits: int
    max: int
    min: int
    dtype: DType


def _dtype_of(x: Any) -> DType:
    """The dtype of an array, or the one that ``x`` names."""
    if isinstance(x, Tensor):
        return x.dtype
    if isinstance(x, (np.ndarray, np.generic)):
        return dtypes.as_dtype(x.dtype)
    backend = None if isinstance(x, (np.dtype, type, str)) else backend_of(x)
    if backend is not None and isinstance(x, backend.array_types):
        backend.admit(x)
        return backend.dtype(x)
    return dtypes.as_dtype(x)


@operation
def finfo(type: Any, /) -> FloatLimits:
    """The limits of a floating dtype, or of an array's: ``bits eps max min smallest_normal dtype``."""
    dtype = _dtype_of(type)
    if not dtypes.has_gradients(dtype):
        raise DtypeError(f"finfo is about floating dtypes, and {dtype} is none; use iinfo for integers")
    limits: Any = dtypes.limits(dtype)
    return FloatLimits(
        bits=int(limits.bits),
        eps=float(limits.eps),
        max=float(limits.max),
        min=float(limits.min),
        smallest_normal=float(limits.smallest_normal),
        dtype=dtypes.real_of(dtype),
    )


@operation
def iinfo(type: Any, /) -> IntegerLimits:
    """The limits of an integer dtype, or of an array's: ``bits max min dtype``."""
    dtype = _dtype_of(type)
    if dtype.kind not in "iu":
        raise DtypeError(f"iinfo is about integer dtypes, and {dtype} is none; use finfo for floating ones")
    limits = np.iinfo(dtype)
    return IntegerLimits(bits=int(limits.bits), max=int(limits.max), min=int(limits.min), dtype=dtype)


@operation
def isdtype(dtype: Any, kind: Any) -> bool:
    """Whether ``dtype`` is of a kind, is a dtype, or is any of a tuple of both.

    The kinds are ``"bool"``, ``"signed integer"``, ``"unsigned integer"``, ``"integral"``,
    ``"real floating"``, ``"complex floating"`` and ``"numeric"``.
    """
    found = dtypes.as_dtype(dtype)
    if isinstance(kind, tuple):
        return any(isdtype(found, one) for one in kind)
    if isinstance(kind, str):
        return found.kind in dtypes.kinds(kind)
    return found == dtypes.as_dtype(kind)


@operation
def result_type(*arrays_and_dtypes: Array) -> DType:
    """The dtype of an operation between these arrays, dtypes and Python scalars, which are weak.

    ArgumentError if there is no array or dtype among them; DtypeError if no dtype holds both of two.
    """
    scalars = [x for x in arrays_and_dtypes if type(x) in SCALAR_TYPES]
    found = [_dtype_of(x) for x in arrays_and_dtypes if type(x) not in SCALAR_TYPES]
    if not found:
        raise ArgumentError("result_type needs at least one array or dtype; a Python number alone has no dtype")
    # Integers and booleans have no say beside floating arrays, so that the order makes no difference.
    top = max(map(dtypes.kind, found))
    decisive = [dtype for dtype in found if dtypes.kind(dtype) >= min(top, 2)]
    return functools.reduce(dtypes.promote_scalar, scalars, functools.reduce(dtypes.promote, decisive))


@operation
def can_cast(from_: Any, to: Any, /) -> bool:
    """Whether an array of the first dtype keeps company with one of the second and the second results.

    ``from_`` is a dtype or an array. By unigrad's rules of promotion integers go to any floating dtype.
    """
    target = dtypes.as_dtype(to)
    try:
        return bool(dtypes.promote(_dtype_of(from_), target) == target)
    except DtypeError:
        return False
