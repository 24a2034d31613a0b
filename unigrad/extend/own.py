"""A framework's own functions in place of compositions, as far as they serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from unigrad.adapters.contract import Backend
from unigrad.base.words import Raw


def composition_of(backend: Backend, name: str) -> Callable[..., Raw]:
    """The raw function that a primitive is composed as on the backend."""
    found = backend.composed(name)
    assert found is not None, name
    return found


def but_in(dtype: Any, backend: Backend, name: str, own: Callable[..., Raw]) -> Callable[..., Raw]:
    """``own``, but the composition of the primitive for first arrays of this raw dtype."""
    exact = composition_of(backend, name)
    return lambda *arrays: (exact if arrays[0].dtype is dtype else own)(*arrays)


def by_order(backend: Backend, name: str, own: Iterable[Callable[[Raw], Raw]]) -> Callable[[Raw, int], Raw]:
    """Of the orders 0, 1, ... those that have a function of their own; the others as the primitive is composed."""
    functions, rest = tuple(own), composition_of(backend, name)

    def call(x: Raw, order: int) -> Raw:
        return functions[order](x) if order < len(functions) else rest(x, order)

    return call
