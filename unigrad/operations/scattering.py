"""Changing selected elements, of which one may be selected again and again: ``scatter_add`` and ``x.at[key]``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unigrad.base.arguments import broadcast_shapes
from unigrad.base.dtypes import REAL_FLOATING, DType
from unigrad.base.errors import MissingNameError, ShapeError, UnsupportedError
from unigrad.operations.creation import asarray, full
from unigrad.operations.elementwise import add, divide, multiply, power
from unigrad.operations.indexing import (
    canonical_key,
    check_arrays,
    getitem,
    getitem_,
    is_array,
    positions_of,
    scatter_,
    scatter_along_axis_,
    selected_shape,
    setitem,
    setitem_,
)
from unigrad.operations.reductions import max_, min_
from unigrad.operations.shapes import broadcast_to, reshape, stack_
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor, tensor_method

__all__ = ["scatter_add"]


@operation
def scatter_add(x: Array, key: Any, values: Array, /) -> Tensor:
    """x with ``values``, cast to its dtype, added at ``x[key]``; an element that is selected twice gets both.

    ``key`` is what could stand between brackets, and values broadcast to the shape of ``x[key]``: what ``np.add.at``
    does to x itself, ``scatter_add`` does to a copy. Differentiable in x and values. IndexRangeError for a position
    that x does not have, ShapeError for values that do not fit.
    """
    x = asarray(x)
    values = asarray(values, dtype=x.dtype, like=x)
    canonical, shape = canonical_key(key, x.shape, x)
    if check_arrays(canonical):
        positions = positions_of(canonical, shape)
        flat = reshape(_fitting(values, positions.shape), -1)
        added = scatter_along_axis_(flat, reshape(positions, -1), 0, (x.size,))
        return add(x, reshape(added, x.shape))
    added = scatter_(_fitting(values, selected_shape(canonical, shape)), canonical, shape)
    return add(x, reshape(added, x.shape))


def _fitting(values: Tensor, shape: tuple[int, ...]) -> Tensor:
    if broadcast_shapes([values.shape, shape]) != shape:
        raise ShapeError(f"values of shape {values.shape} do not fit a selection of shape {shape}")
    return broadcast_to(values, shape)


def combined(function: Callable[[Tensor, Tensor], Tensor], x: Tensor, key: Any, values: Array | None) -> Tensor:
    """x in which ``x[key]`` is ``function(x[key], values)``, once for each time that an element is selected, in order.

    In rounds in which no element is selected twice. ``values`` None: the function has one argument.
    """
    flat, places, given = _apart(x, key, values)
    for chosen in _rounds(places):
        key = (places[chosen],)
        before = getitem_(flat, key)
        after = function(before) if given is None else function(before, getitem(given, chosen))  # type: ignore[call-arg]
        flat = setitem_(flat, asarray(after, dtype=x.dtype, like=x), key)
    return reshape(flat, x.shape)


def extreme(largest: bool, x: Tensor, key: Any, values: Array) -> Tensor:
    """x in which each selected element is the largest (or smallest) of itself and all values for it, which share its
    gradient where several are equal."""
    flat, places, given = _apart(x, key, values)
    assert given is not None
    empty = full((x.size,), _never_chosen(x.dtype, largest), dtype=x.dtype, like=x)
    layers = [setitem_(empty, getitem(given, chosen), (places[chosen],)) for chosen in _rounds(places)]
    return reshape((max_ if largest else min_)(stack_([flat, *layers], 0), (0,), False), x.shape)


def _never_chosen(dtype: DType, largest: bool) -> Any:
    """What is chosen as the largest (or smallest) only where all are that."""
    if dtype.kind in REAL_FLOATING:
        return -math.inf if largest else math.inf
    if dtype.kind in "iu":
        return int(np.iinfo(dtype).min if largest else np.iinfo(dtype).max)
    return not largest


def _apart(x: Tensor, key: Any, values: Array | None) -> tuple[Tensor, np.ndarray[Any, Any], Tensor | None]:
    """The flattened array, where in it the selected elements are, and the value for each of them."""
    canonical, shape = canonical_key(key, x.shape, x)
    if check_arrays(canonical) or any(is_array(entry) and not isinstance(entry, np.ndarray) for entry in canonical):
        raise UnsupportedError(
            "which elements are selected twice is not known while positions differ along a vmap or are traced by the "
            "framework (jit, vmap, tf.function, ug.compile); scatter_add works there, as does ug.where"
        )
    places = np.arange(x.size).reshape(shape)[canonical]
    if values is not None:
        values = reshape(_fitting(asarray(values, dtype=x.dtype, like=x), places.shape), -1)
    return reshape(x, -1), places.reshape(-1), values


def _rounds(places: np.ndarray[Any, Any]) -> Iterator[np.ndarray[Any, Any]]:
    """The first occurrences of all places, then all second ones, and so on."""
    if not places.size:
        return
    order = np.argsort(places, kind="stable")
    ordered = places[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    occurrence = np.arange(places.size) - np.repeat(starts, np.diff(np.append(starts, places.size)))
    for number in range(int(occurrence.max()) + 1):
        yield order[occurrence == number]


class At:
    """``x.at``: what is written after the brackets gives a changed copy, as JAX has it."""

    __slots__ = ("_x",)

    def __init__(self, x: Tensor) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> Selection:
        return Selection(self._x, key)

    def __getattr__(self, name: str) -> Any:
        raise MissingNameError(f"x.at has no {name!r}: what is changed stands in brackets, x.at[key].add(values)")


class Selection:
    """``x.at[key]``: copies of x in which the selected elements are others. x itself is left as it is.

    Values broadcast to the selection and are cast to x's dtype; an element that is selected twice is changed twice, and
    of those set the last stays. Differentiable in x and the values. IndexRangeError for positions that x does not have.
    """

    __slots__ = ("_key", "_x")

    def __init__(self, x: Tensor, key: Any) -> None:
        self._x, self._key = x, key

    def get(self) -> Tensor:
        """``x[key]``."""
        return getitem(self._x, self._key)

    def set(self, values: Array) -> Tensor:
        """x with ``values`` there."""
        return setitem(self._x, self._key, values)

    def add(self, values: Array) -> Tensor:
        """x with ``values`` added there; see :func:`scatter_add`."""
        return scatter_add(self._x, self._key, values)

    def subtract(self, values: Array) -> Tensor:
        """x with ``values`` subtracted there."""
        return scatter_add(self._x, self._key, -tensors((self._x, values))[1])

    def multiply(self, values: Array) -> Tensor:
        """x multiplied by ``values`` there."""
        return combined(multiply, self._x, self._key, values)

    def divide(self, values: Array) -> Tensor:
        """x divided by ``values`` there."""
        return combined(divide, self._x, self._key, values)

    def power(self, values: Array) -> Tensor:
        """x to the power of ``values`` there."""
        return combined(power, self._x, self._key, values)

    def min(self, values: Array) -> Tensor:
        """The smaller of x and ``values`` there."""
        return extreme(False, self._x, self._key, values)

    def max(self, values: Array) -> Tensor:
        """The larger of x and ``values`` there."""
        return extreme(True, self._x, self._key, values)

    def apply(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """x with an elementwise ``function`` of it there."""
        return combined(function, self._x, self._key, None)  # type: ignore[arg-type]

    mul, sub = multiply, subtract


@tensor_method("_at")
def _at(self: Tensor) -> At:
    return At(self)
