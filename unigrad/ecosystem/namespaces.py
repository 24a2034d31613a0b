"""Namespaces of the Python Array API standard, each bound to one backend."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from unigrad import random, special
from unigrad.adapters.contract import NO_DTYPE, Backend
from unigrad.adapters.registry import check_device, current_backend, get_backend_object, working_on
from unigrad.base import dtypes
from unigrad.base.dtypes import DType
from unigrad.base.errors import ArgumentError
from unigrad.table import ALIASES, OPERATIONS
from unigrad.tensor.tensor import Tensor, tensor_method

__array_api_version__ = "2025.12"
"""The version of the standard that is implemented. What earlier ones have, it has as well."""

_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12", __array_api_version__)

# What the standard calls a data type; float16 and bfloat16 are unigrad's own addition.
_STANDARD_DTYPES = tuple(dtype for dtype in dtypes.ALL if not dtypes.is_half(dtype))


NOT_AS_NUMPY = {
    "put_along_axis": "NumPy's changes its argument, and libraries that find the name here rely on it; "
    "ug.put_along_axis returns a new array",
}
"""Operations that are in no namespace, and why."""

public: dict[str, Any] = {}
"""All public names of unigrad, filled in by the root."""
version = ""
"""That of unigrad, likewise."""


class Namespace(types.ModuleType):
    """The functions, dtypes and constants of unigrad, with new arrays made on one backend."""

    def __init__(self, name: str, members: dict[str, Any], missing: dict[str, str] | None = None) -> None:
        super().__init__(name, "New arrays are made on this backend, whatever the current one is.")
        self.__dict__.update(members)
        self._missing = missing or {}
        self._has_dtypes = missing is not None

    def __getattr__(self, name: str) -> Any:
        if name in dtypes.LATE and self._has_dtypes and name not in self._missing:
            return dtypes.late(name)
        reason = self.__dict__.get("_missing", {}).get(name)
        raise AttributeError(f"{self.__name__} has no {name!r}" + (f": {reason}" if reason else ""))

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


class NamespaceInfo:
    """What ``__array_namespace_info__()`` answers: what a backend can do. See the standard's section on inspection."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def capabilities(self) -> dict[str, Any]:
        """Indexing with booleans, shapes that depend on data, and the largest number of axes (None: any)."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": self._backend.max_ndim}

    def default_device(self) -> Any:
        """The device on which arrays are made unless told otherwise."""
        return self._backend.devices()[0]

    def devices(self) -> tuple[Any, ...]:
        """All devices, the default one first."""
        return tuple(self._backend.devices())

    def default_dtypes(self, *, device: Any = None) -> dict[str, DType]:
        """The default dtype of each kind; no complex one if the backend has none."""
        check_device(self._backend, device)
        found = {
            "real floating": dtypes.default_float,
            "complex floating": dtypes.complex_of(dtypes.default_float),
            "integral": dtypes.default_int,
            "indexing": dtypes.default_int,
        }
        return {kind: dtype for kind, dtype in found.items() if dtype in self._backend.raw_dtypes}

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, DType]:
        """The standard's dtypes that the backend has, by name: all, or those of a kind or of any of several."""
        check_device(self._backend, device)
        names = dtypes.STANDARD_KINDS if kind is None else (kind,) if isinstance(kind, str) else kind
        letters = "".join(map(dtypes.kinds, names))
        return {
            dtype.name: dtype
            for dtype in _STANDARD_DTYPES
            if dtype.kind in letters and dtype in self._backend.raw_dtypes
        }


def __array_namespace_info__() -> NamespaceInfo:
    """What the current backend can do, for the standard's inspection."""
    return NamespaceInfo(current_backend())


def namespace(name: str) -> Namespace:
    """A namespace of the Array API, with all of unigrad's operations, whose new arrays are on the backend ``name``.

    That is so whatever the current backend is; operations on arrays follow their arguments, as everywhere. Dtypes that
    the backend lacks are not in it. BackendError if the backend cannot be used.
    """
    return _bound(get_backend_object(name))


def of_backend(backend: Backend, api_version: str | None = None) -> Namespace:
    """The namespace of a backend; ArgumentError for a version of the standard that is not implemented."""
    if api_version is not None and api_version not in _VERSIONS:
        raise ArgumentError(f"version {api_version!r} of the Array API is not implemented; use one of {_VERSIONS}")
    return _bound(backend)


@functools.cache
def _bound(backend: Backend) -> Namespace:
    name = f"unigrad.namespace({backend.name!r})"
    groups: dict[str, dict[str, Any]] = {"": {}}
    made = {}
    for dotted, function in OPERATIONS.items():
        group, _, short = dotted.rpartition(".")
        made[function] = groups.setdefault(group, {})[short] = _on(backend, function)
    top = groups.pop("")
    top |= {short: made[found] for short, found in ALIASES.items()}
    groups["random"] = {
        short: _on(backend, found)
        for short, found in vars(random).items()
        if inspect.isfunction(found) and found.__module__ == random.__name__ and not short.startswith("_")
    }
    # Where SciPy's special functions look for a namespace's own. Some are others' too, and some have two names.
    groups["special"] = {short: made[getattr(special, short)] for short in special.__all__}
    top |= {short: member for short, member in groups["special"].items() if short in public}
    top |= {group: Namespace(f"{name}.{group}", members) for group, members in groups.items()}
    present = {str(dtype): dtype for dtype in backend.raw_dtypes}
    missing = {
        str(dtype): backend.missing.get(str(dtype), NO_DTYPE) for dtype in dtypes.ALL if dtype not in backend.raw_dtypes
    }
    missing |= {name: backend.missing[name] for name in dtypes.LATE if name in backend.missing}
    for name, reason in NOT_AS_NUMPY.items():
        missing[name] = reason
        del top[name]
    top |= present | {"bool_": dtypes.bool_}
    # What is no operation on arrays, and the same on every backend.
    top |= {short: public[short] for short in ("broadcast_shapes", "e", "inf", "nan", "newaxis", "pi")}
    top |= {
        "__version__": version,
        "__array_api_version__": __array_api_version__,
        "__array_namespace_info__": functools.wraps(__array_namespace_info__)(lambda: NamespaceInfo(backend)),
    }
    return Namespace(name, top, missing)


def _on(backend: Backend, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with ``backend`` as the current one: for numbers and lists alone it decides where they go."""

    @functools.wraps(function)
    def bound(*args: Any, **kwargs: Any) -> Any:
        with working_on(backend):
            return function(*args, **kwargs)

    return bound


@tensor_method("__array_namespace__")
def _array_namespace(self: Tensor, *, api_version: str | None = None) -> Any:
    """The functions of the Array API on this backend; ArgumentError if there is no such version of it."""
    return of_backend(self.backend, api_version)
