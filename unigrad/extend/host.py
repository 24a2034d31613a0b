"""What NumPy computes, on a copy of the values, for what a framework lacks or answers otherwise."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend, values_unknown
from unigrad.adapters.registry import get_backend_object
from unigrad.base.dtypes import ALL, DType
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
    return by_numpy(backend, numpy.function(name), numpy.admit, placed=True)


def by_numpy(
    backend: Backend, function: Callable[..., Any], seen: Callable[[Any], Any] = np.asarray, placed: bool = False
) -> Callable[..., Raw]:
    """``function``, NumPy's, as one of the framework's arrays, among its arguments or in lists of them. The values of
    each go through ``seen``; ``placed``: the result is where the first array is.

    Where the framework traces a program it is called back as often as that runs (:meth:`Foreign.later`), with arrays
    that are arguments themselves.
    """

    def value(arg: Any) -> Any:
        if isinstance(arg, backend.array_types):
            return seen(backend.to_numpy(arg))
        return type(arg)([value(item) for item in arg]) if isinstance(arg, (list, tuple)) else arg

    def call(*args: Any) -> Raw:
        for arg in args:
            if isinstance(arg, backend.array_types) and not backend.is_known(arg):
                return _called_back(backend, function, args)
        with np.errstate(all="ignore"):
            found = np.asarray(function(*map(value, args)))
        return backend.from_numpy(found, backend.device(_array(backend, args)) if placed else None)

    return call


def _called_back(backend: Backend, function: Callable[..., Any], args: Sequence[Any]) -> Raw:
    raws = [arg for arg in args if isinstance(arg, backend.array_types)]
    found = backend.foreign.later(_Later(backend, function, args), raws)
    if found is None:
        raise values_unknown(backend.name)
    return found[0]


class _Later:
    """Such a call, whose arrays have no values yet, as the contract has it (``Elsewhere``)."""

    def __init__(self, backend: Backend, function: Callable[..., Any], args: Sequence[Any]) -> None:
        self.name = function.__name__
        self._backend = backend
        self._function = function
        self._args = args

    def on_host(self, *arrays: Any) -> list[np.ndarray[Any, Any]]:
        """The result for NumPy's arrays."""
        supply = iter(arrays)
        given = [next(supply) if isinstance(arg, self._backend.array_types) else arg for arg in self._args]
        with np.errstate(all="ignore"):
            return [np.asarray(self._function(*given))]

    def described(self, shapes: Sequence[Sequence[int]], raws: Sequence[Raw]) -> list[tuple[tuple[int, ...], DType]]:
        """Shape and dtype of the result: those for zeros."""
        dtypes = map(self._backend.dtype, raws)
        return [(y.shape, y.dtype) for y in self.on_host(*map(np.zeros, shapes, dtypes))]


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
