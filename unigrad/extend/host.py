"""Primitives by NumPy, on a copy of the values: for what a framework lacks, or answers otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import get_backend_object
from unigrad.base.dtypes import ALL
from unigrad.base.errors import ArgumentError
from unigrad.base.words import Raw
from unigrad.table import PRIMITIVES

ANY = "any"
EMPTY = "empty"
_WORDS = (ANY, EMPTY, "bfloat16", *map(str, ALL))


def on_host(backend: Backend, name: str) -> Callable[..., Raw]:
    """The raw function of a primitive by the native engine over NumPy: a fourth of a millisecond of conversions, no
    derivative that the framework could know, and nothing that it could compile."""
    numpy = get_backend_object("numpy")
    function = numpy.function(name)

    def value(arg: Any) -> Any:
        if isinstance(arg, backend.array_types):
            return numpy.admit(backend.to_numpy(arg))
        return type(arg)([value(item) for item in arg]) if isinstance(arg, (list, tuple)) else arg

    def call(*args: Any) -> Raw:
        with np.errstate(all="ignore"):
            return backend.from_numpy(np.asarray(function(*map(value, args))), backend.device(_array(backend, args)))

    return call


def with_host(
    backend: Backend, table: Mapping[str, Callable[..., Raw]], hosted: Mapping[str, tuple[str, str]]
) -> dict[str, Callable[..., Raw]]:
    """A table of raw functions in which NumPy computes what ``hosted`` names: for each primitive the dtypes, separated
    by blanks, and the reason.

    ``"any"`` stands for all dtypes, and ``"empty"`` for arrays without elements, of whatever dtype. What counts is the
    first array, of ``where`` the first of those that it chooses from. ArgumentError for an unknown primitive or word,
    and for one that is to be NumPy's for some dtypes only and is not in the table.
    """
    made = dict(table)
    for name, (words, reason) in hosted.items():
        chosen = words.split()
        unknown = [word for word in chosen if word not in _WORDS]
        if name not in PRIMITIVES or unknown or not chosen or not reason:
            raise ArgumentError(
                f"{name!r}: ({words!r}, {reason!r}) is no primitive with a reason and dtypes, {ANY!r} or {EMPTY!r}"
            )
        host = on_host(backend, name)
        if ANY in chosen:
            made[name] = host
            continue
        own = made.get(name) or backend.composed(name)
        if own is None:
            raise ArgumentError(f"{name!r}: there is no function of the framework's for other dtypes than {words}")
        made[name] = _unless(backend, name, own, host, chosen)
    return made


def _unless(
    backend: Backend, name: str, own: Callable[..., Raw], host: Callable[..., Raw], chosen: list[str]
) -> Callable[..., Raw]:
    dtypes = {raw for neutral, raw in backend.raw_dtypes.items() if str(neutral) in chosen}
    empty = EMPTY in chosen
    first = 1 if name == "where" else 0

    def call(*args: Any) -> Raw:
        x = _array(backend, args[first:])
        return (host if x.dtype in dtypes or (empty and 0 in x.shape) else own)(*args)

    return call


def unless_refused(
    backend: Backend, name: str, own: Callable[..., Raw], refuses: Callable[[Exception], bool]
) -> Callable[..., Raw]:
    """The framework's function, and NumPy's for those dtypes for which what it raises is said to be a refusal: by
    ``refuses``, of the exception. It is asked but once for each dtype."""
    host = on_host(backend, name)
    refused: set[Any] = set()

    def call(*args: Any) -> Raw:
        dtype = _array(backend, args).dtype
        if dtype not in refused:
            try:
                return own(*args)
            except Exception as error:
                if not refuses(error):
                    raise
            refused.add(dtype)
        return host(*args)

    return call


def _array(backend: Backend, args: tuple[Any, ...]) -> Raw:
    """The first array."""
    return next(x for x in (args[0] if isinstance(args[0], list) else args) if isinstance(x, backend.array_types))
