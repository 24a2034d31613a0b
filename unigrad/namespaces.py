"""A namespace bound to one backend: the same functions, with new arrays made there."""

from __future__ import annotations

import functools
import inspect
import math
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad import dtypes
from unigrad.backend import get_backend_object, use_backend
from unigrad.operations.table import OPERATIONS
from unigrad.tensor import Tensor

_KINDS = {
    "bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu", "real floating": "f",
    "complex floating": "c", "numeric": "iufc",
}  # fmt: skip


_SPECIAL = {"erf": "erf", "erfc": "erfc", "expit": "nn.sigmoid", "softplus": "nn.softplus"}
"""SciPy's names of special functions, and which operations do the same."""


class _Info:
    def __init__(self, backend: Any) -> None:
        self._backend = backend

    def capabilities(self) -> dict[str, Any]:
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        return self._backend.devices()[0]

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        return {
            "real floating": dtypes.float32,
            "complex floating": dtypes.complex64,
            "integral": dtypes.int64,
            "indexing": dtypes.int64,
        }

    def devices(self) -> Any:
        return self._backend.devices()

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        return {dtype.name: dtype for dtype in self._backend.raw_dtypes if kind is None or _isdtype(dtype, kind)}


@functools.cache
def namespace(name: str) -> types.ModuleType:
    """All operations and dtypes with new arrays made on the backend ``name``, whatever the current one is.

    Operations on arrays follow their arguments, as everywhere. BackendError if it cannot be used.
    """
    backend = get_backend_object(name)
    made = types.ModuleType(f"unigrad.namespace({name!r})", namespace.__doc__)
    top = made.__dict__
    top.update({dtype.name: dtype for dtype in backend.raw_dtypes})
    top["__array_namespace_info__"] = functools.partial(_Info, backend)
    top.update(e=math.e, inf=math.inf, nan=math.nan, pi=math.pi, newaxis=None)
    top.update(isdtype=_isdtype, result_type=_result_type, can_cast=_can_cast, finfo=np.finfo, iinfo=np.iinfo)
    for dotted, function in OPERATIONS.items():
        group, _, short = dotted.rpartition(".")
        members = top.setdefault(group, types.ModuleType(group)).__dict__ if group else top
        members[short] = _on(name, function)
    # Where SciPy's special functions look for a namespace's own.
    special = {theirs: OPERATIONS[ours] for theirs, ours in _SPECIAL.items() if ours in OPERATIONS}
    top["special"] = types.SimpleNamespace(**special)
    return made


def _on(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    if "like" not in inspect.signature(function).parameters:
        return function

    @functools.wraps(function)
    def made(*args: Any, **kwargs: Any) -> Any:
        with use_backend(name):
            return function(*args, **kwargs)

    return made


def _isdtype(dtype: Any, kind: Any) -> bool:
    if isinstance(kind, tuple):
        return any(_isdtype(dtype, one) for one in kind)
    return dtype.kind in _KINDS[kind] if isinstance(kind, str) else bool(dtype == kind)


def _result_type(*arrays_and_dtypes: Any) -> dtypes.DType:
    scalars = [x for x in arrays_and_dtypes if type(x) in (bool, int, float, complex)]
    found = [
        x.dtype if isinstance(x, Tensor) else x for x in arrays_and_dtypes if type(x) not in (bool, int, float, complex)
    ]
    return functools.reduce(dtypes.promote_scalar, scalars, functools.reduce(dtypes.promote, found))


def _can_cast(from_: Any, to: Any) -> bool:
    source = from_.dtype if isinstance(from_, Tensor) else from_
    return bool(dtypes.promote(source, to) == to)
