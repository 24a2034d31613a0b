"""Calls that are one step to the graph: their arrays apart from all else, and a call that can be made again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import BackendMismatchError
from unigrad.base.tree import Layout, flatten, paths, unflatten
from unigrad.base.words import Raw
from unigrad.interpreters.batches import Batched, batched, mapped, unbatched
from unigrad.interpreters.duals import Dual, dual
from unigrad.operations.shapes import moveaxis
from unigrad.random import logged, replayed
from unigrad.tensor.coercion import traced
from unigrad.tensor.levels import is_wrapped
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import constant


class Slot:
    """The place of an array in a container."""

    __slots__ = ("number", "where")

    def __init__(self, number: int, where: str) -> None:
        self.number = number
        """Its position in the list of all arrays."""
        self.where = where
        """How an error names it."""


class Operands:
    """The arguments of a call: their arrays as Tensors of one backend, and what puts others in their places."""

    def __init__(self, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        leaves, self._layout = flatten((tuple(args), dict(kwargs)))
        where = [f"argument {place}{path}" for place, arg in enumerate(args) for path in paths(arg)]
        where += [f"argument {key}{path}" for key, arg in kwargs.items() for path in paths(arg)]
        self._leaves = leaves
        self._places: list[int] = []
        self._tensors: list[Tensor] = []
        for place, leaf in enumerate(leaves):
            x = leaf if isinstance(leaf, np.generic) else constant(leaf)
            if isinstance(x, Tensor):
                x = traced(x)
                # The places alone are kept: the graph may hold these, and a Tensor may hold a gradient with a graph.
                leaves[place] = Slot(len(self._tensors), where[place])
                self._places.append(place)
                self._tensors.append(x)
                if x.backend is not self._tensors[0].backend:
                    raise BackendMismatchError(
                        f"{name} is one step on one backend: {where[self._places[0]]} is on "
                        f"{self._tensors[0].backend.name!r} and {where[place]} on {x.backend.name!r}; convert with "
                        f".to_backend(...) before the call"
                    )

    def taken(self) -> list[Tensor]:
        """The Tensors, which are not kept here any longer."""
        tensors, self._tensors = self._tensors, []
        return tensors

    def slots(self) -> tuple[Any, ...]:
        """The arguments with slots in place of the arrays."""
        args: tuple[Any, ...] = unflatten(self._layout, self._leaves)[0]
        return args

    def rebuilt(self, tensors: Iterable[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments and the keyword arguments with these for the arrays."""
        return self._filled(list(self._leaves), tensors)

    def alone(self, tensors: Iterable[Any]) -> tuple[Any, ...]:
        """The arguments with these for the arrays and None for all else."""
        return self._filled([None] * len(self._leaves), tensors)[0]

    def _filled(self, leaves: list[Any], tensors: Iterable[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for place, x in zip(self._places, tensors, strict=True):
            leaves[place] = x
        found: tuple[tuple[Any, ...], dict[str, Any]] = unflatten(self._layout, leaves)
        return found


class Repeatable:
    """What a call needs to be made again as if it were then: in the same modes and with the same random numbers.

    The function is given each time, since it may be a method of who holds this.
    """

    __slots__ = ("_called", "_context", "_draws")

    def __init__(self) -> None:
        self._called = False
        self._draws: list[Any] = []
        self._context = copy_context()

    def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        """The first time as it comes; later in the surroundings, and with the draws, of the first time."""
        if not self._called:
            self._called = True
            with logged(self._draws):
                return function(*args)
        return self._context.copy().run(self._again, function, args)

    def _again(self, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        with replayed(self._draws):
            return function(*args)


# --- what transforms wrap around arrays ---------------------------------------------------------------------------


def unwrapped(x: Tensor) -> tuple[list[Tensor], Layout]:
    """The plain Tensors that ``x`` is made of, and what makes it of others."""
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        (values, of_value), (tangents, of_tangent) = unwrapped(value), unwrapped(tangent)
        return values + tangents, lambda supply: dual(of_value(supply), of_tangent(supply), level)
    if isinstance(x, Batched):
        inner, level, _ = x._parts
        parts, of_inner = unwrapped(inner)
        return parts, lambda supply: batched(of_inner(supply), level)
    return [x], next


@contextmanager
def levels_below(level: int, size: int | None = None) -> Iterator[None]:
    """While only what ``vmap`` maps at levels below this one is mapped, and with ``size`` that of this level."""
    own = () if size is None else ((level, size),)
    token = mapped.set((*[entry for entry in mapped.get() if entry[0] < level], *own))
    try:
        yield
    finally:
        mapped.reset(token)


def put_under(x: Tensor, level: int) -> Tensor:
    """The batch along the first axis of ``x`` as one of this level, beneath a batch of a higher level."""
    if not is_wrapped(x) or x._parts.level < level:
        return batched(x, level)
    assert isinstance(x, Batched)
    return batched(put_under(moveaxis(x._parts.value, 1, 0), level), x._parts.level)


def taken_out(x: Tensor, level: int, size: int) -> Tensor:
    """The inverse of :func:`put_under`; of what has no batch of this level ``size`` times the same."""
    if not is_wrapped(x) or x._parts.level <= level:
        return unbatched(x, level, size)
    assert isinstance(x, Batched)
    return batched(moveaxis(taken_out(x._parts.value, level, size), 0, 1), x._parts.level)


def floating_alone(backend: Backend, gs: Sequence[Raw | None]) -> list[Raw | None]:
    """The cotangents that a framework's engine brings, without what it has for results that are integers."""
    return [g if g is not None and has_gradients(backend.dtype(g)) else None for g in gs]


def placed(positions: Sequence[int], found: Sequence[Any], count: int) -> list[Any]:
    """A list of ``count`` entries with what was found at these positions, and None at all others."""
    entries: list[Any] = [None] * count
    for position, x in zip(positions, found, strict=True):
        entries[position] = x
    return entries
