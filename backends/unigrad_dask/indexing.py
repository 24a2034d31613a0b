"""Selecting elements of dask arrays, and putting them back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from unigrad.extend import EVERYTHING, Key, Raw, Shape, is_array
from unigrad_dask.chunks import OnChunks, alone, blocked, named

Function = Callable[..., Raw]


class Parts(NamedTuple):
    """A key in two steps: slices, new axes and single elements, and then arrays of indices."""

    slices: Key
    """Of all that is no array."""
    shape: Shape
    """What is left after the slices."""
    indices: tuple[Any, ...]
    """For each axis after the slices an array of indices, an integer or None, where all is selected."""
    in_front: bool
    """Whether the axes of the arrays come before all others."""
    place: int
    """Where they come otherwise."""


def parts_of(key: Key, shape: Shape) -> Parts:
    """Integers stay with the arrays where there are some: they decide with them where the axes of the arrays go."""
    arrays = [place for place, entry in enumerate(key) if is_array(entry) or isinstance(entry, int)]
    slices, indices, left = [], [], []
    axis = 0
    for entry in (*key, *[EVERYTHING] * (len(shape) - sum(entry is not None for entry in key))):
        if entry is None:
            slices.append(None)
            indices.append(None)
            left.append(1)
            continue
        size = shape[axis]
        axis += 1
        if is_array(entry) or isinstance(entry, int):
            slices.append(EVERYTHING)
            indices.append(entry)
            left.append(size)
        else:
            slices.append(entry)
            indices.append(None)
            left.append(len(range(*entry.indices(size))))
    place = sum(index is None for index in indices[: next(i for i, x in enumerate(indices) if x is not None)])
    in_front = arrays[-1] - arrays[0] >= len(arrays)
    return Parts(tuple(slices), tuple(left), tuple(indices), in_front, place)


def has_arrays(key: Key) -> bool:
    return any(map(is_array, key))


def as_array(index: Any) -> Raw:
    """Indices as a dask array of one chunk; those that dask computes later as they are."""
    return index if isinstance(index, da.Array) else da.from_array(np.asarray(index), chunks=-1, name=False)


class Choosing(NamedTuple):
    """Indices along some axes of a chunk."""

    ndim: int
    axes: tuple[int, ...]
    """Those of them that have an index; all others are selected whole."""
    sizes: tuple[int, ...] = ()
    """Of a whole array along these, where a chunk is put back."""
    positions: tuple[int, ...] = ()
    """Which axes of the chunk the indices have, where it is put back."""

    def key(self, indices: Any) -> Key:
        entries: list[Any] = [EVERYTHING] * self.ndim
        for axis, index in zip(self.axes, indices, strict=True):
            entries[axis] = alone(index)
        return tuple(entries)


class Get(Choosing):
    def __call__(self, x: Any, *indices: Any) -> Any:
        return OnChunks("getitem", (self.key(indices),))(x)


class Put(Choosing):
    """The share of one chunk of what is put, in a whole array along the axes with indices."""

    def __call__(self, x: Any, *indices: Any) -> Any:
        x = alone(x)
        key = self.key(indices)
        spread = max(key[axis].ndim for axis in self.axes)
        others = iter([size for place, size in enumerate(x.shape) if place not in self.positions])
        shape = []
        sizes = iter(self.sizes)
        for axis in range(self.ndim):
            shape.append(next(sizes) if axis in self.axes else next(others))
        found = OnChunks("scatter", (key, tuple(shape)))(x)
        return found.reshape((1,) * spread + found.shape)


def laid_out(parts: Parts) -> tuple[list[Any], list[tuple[int, Raw]], tuple[Any, ...], int]:
    """The letters of the axes after the slices, the indices by axis as arrays, the letters of the result, and how many
    axes the indices have."""
    letters = [("axis", axis) for axis in range(len(parts.shape))]
    chosen = [(axis, as_array(index)) for axis, index in enumerate(parts.indices) if index is not None]
    count = max(index.ndim for _, index in chosen)
    spread = tuple(("index", axis) for axis in range(count))
    kept = tuple(letter for letter, index in zip(letters, parts.indices, strict=True) if index is None)
    place = 0 if parts.in_front else parts.place
    return letters, chosen, (*kept[:place], *spread, *kept[place:]), count


def with_letters(chosen: list[tuple[int, Raw]], count: int) -> list[tuple[Raw, tuple[Any, ...]]]:
    """The index arrays with the letters of their axes, which line up from the last."""
    return [(index, tuple(("index", axis) for axis in range(count - index.ndim, count))) for _, index in chosen]


def getitem(x: Raw, key: Key) -> Raw:
    """The elements that the key selects."""
    if not has_arrays(key):
        return x[key]
    arrays = [entry for entry in key if is_array(entry)]
    alone_there = len(arrays) == 1 and all(entry is arrays[0] or isinstance(entry, slice) for entry in key)
    plain = isinstance(arrays[0], np.ndarray) and isinstance(x._meta, np.ndarray)
    if alone_there and plain and arrays[0].ndim == 1:
        return x[key]  # which dask does chunk by chunk
    parts = parts_of(key, x.shape)
    sliced = x[parts.slices]
    letters, chosen, out, count = laid_out(parts)
    axes = tuple(axis for axis, _ in chosen)
    function = Get(len(letters), axes)
    whole = [letters[axis] for axis in axes]
    return blocked(function, out, (sliced, tuple(letters)), *with_letters(chosen, count), dtype=x.dtype, whole=whole)


def scatter(x: Raw, key: Key, shape: Shape) -> Raw:
    """x in an array of zeros, where the key selects; what index arrays bring to one place is added up."""
    if not has_arrays(key):
        return placed(x, key, shape)
    parts = parts_of(key, shape)
    letters, chosen, given, count = laid_out(parts)
    axes = tuple(axis for axis, _ in chosen)
    spread = tuple(("index", axis) for axis in range(count))
    positions = tuple(given.index(letter) for letter in spread)
    sizes = {letters[axis]: parts.shape[axis] for axis in axes}
    function = Put(len(letters), axes, tuple(sizes.values()), positions)
    shares = blocked(
        function,
        (*spread, *letters),
        (x, given),
        *with_letters(chosen, count),
        dtype=x.dtype,
        sizes=sizes,
        single=spread,
    )
    total = da.sum(shares, axis=tuple(range(count)), dtype=x.dtype) if count else shares
    return placed(total, parts.slices, shape)


def placed(x: Raw, key: Key, shape: Shape) -> Raw:
    """x in zeros, at a key of integers, slices and new axes: with zeros around it, axis by axis, so that no chunk is
    larger than it would be anyway."""
    entries: list[Any] = []
    first: list[Any] = []
    for entry in key:
        if entry is None:
            first.append(0)  # an axis of one element
        elif isinstance(entry, int):
            first.append(None)
            entries.append(slice(entry, entry + 1, 1))
        else:
            first.append(EVERYTHING)
            entries.append(entry)
    x = x[tuple(first)]
    # Axes that a key does not reach are whole.
    for axis, (entry, size) in enumerate(zip(entries, shape, strict=False)):
        x = along_one(x, axis, range(*entry.indices(size)), size)
    return x


def along_one(x: Raw, axis: int, places: range, size: int) -> Raw:
    """x in zeros along one axis."""
    if len(places) == size and places.step == 1:
        return x
    if not places:
        return zeros(x, axis, size)
    if places.step < 0:
        places = places[::-1]
        x = da.flip(x, axis)
    if places.step > 1:
        # Between two elements step - 1 zeros: of a further axis, of which the elements are the first.
        wide = da.concatenate(
            [da.expand_dims(x, axis + 1), zeros(x, axis + 1, places.step - 1, expand=True)], axis=axis + 1
        )
        x = da.reshape(wide, (*x.shape[:axis], len(places) * places.step, *x.shape[axis + 1 :]))
        x = x[(EVERYTHING,) * axis + (slice(0, min(x.shape[axis], size - places[0])),)]
    behind = size - places[0] - x.shape[axis]
    around = [zeros(x, axis, places[0]), x, zeros(x, axis, behind)]
    return da.concatenate([part for part in around if part.shape[axis]], axis=axis)


def zeros(x: Raw, axis: int, size: int, expand: bool = False) -> Raw:
    """So many along one axis beside x, or along a further one."""
    chunks = (*x.chunks[:axis], "auto" if size else 0, *x.chunks[axis if expand else axis + 1 :])
    shape = (*x.shape[:axis], size, *x.shape[axis if expand else axis + 1 :])
    # dask cannot say how to divide what has no elements.
    return da.zeros_like(x, shape=shape, chunks=shape if 0 in shape else chunks)


def setitem(x: Raw, value: Raw, key: Key) -> Raw:
    """A copy of x with the value, which has the shape of ``x[key]``, where the key selects.

    Axes of which all is selected are divided as x is; all others are whole.
    """
    letters = named(x)
    indices = [as_array(entry) for entry in key if is_array(entry)]
    count = max((index.ndim for index in indices), default=0)
    spread = [("index", axis) for axis in range(count)]
    # Integers go with the arrays, if there are any, and their axes come in front unless they stand together.
    joining = [place for place, entry in enumerate(key) if is_array(entry) or (indices and isinstance(entry, int))]
    in_front = bool(joining) and joining[-1] - joining[0] >= len(joining)
    given: list[Any] = list(spread) if in_front else []
    whole: list[Any] = []
    axis = 0
    for place, entry in enumerate(key):
        if entry is None:
            given.append(("new", place))
            continue
        if not (isinstance(entry, slice) and entry == EVERYTHING):
            whole.append(axis)
        if isinstance(entry, slice):
            given.append(axis if entry == EVERYTHING else ("cut", axis))
        elif joining and place == joining[0] and not in_front:
            given += spread
        axis += 1
    whole += [letter for letter in given if isinstance(letter, tuple)]
    pairs = [(index, tuple(spread[count - index.ndim :])) for index in indices]
    function = Assigning(key_template(key))
    return blocked(function, letters, (x, letters), (value, tuple(given)), *pairs, dtype=x.dtype, whole=whole)


class Assigning(NamedTuple):
    """``setitem`` with index arrays that come as chunks."""

    template: tuple[Any, ...]
    """The key, with "array" for each array and slices as tuples."""

    def __call__(self, x: Any, value: Any, *indices: Any) -> Any:
        supply = iter(map(alone, indices))
        key = tuple(
            next(supply) if entry == "array" else slice(*entry) if isinstance(entry, tuple) else entry
            for entry in self.template
        )
        return OnChunks("setitem", (key,))(x, value)


def key_template(key: Key) -> tuple[Any, ...]:
    return tuple(
        "array" if is_array(entry) else (entry.start, entry.stop, entry.step) if isinstance(entry, slice) else entry
        for entry in key
    )


def take_along_axis(x: Raw, indices: Raw, axis: int) -> Raw:
    """The elements of x at indices along one axis."""
    letters = named(x)
    within = (*letters[:axis], "within", *letters[axis + 1 :])
    function = OnChunks("take_along_axis", (axis,))
    return blocked(function, letters, (x, within), (indices, letters), dtype=x.dtype, whole=("within",))


def scatter_along_axis(x: Raw, indices: Raw, axis: int, shape: Shape) -> Raw:
    """x added up in an array of zeros, at positions along one axis."""
    letters = named(x)
    out = (*letters[:axis], "new", *letters[axis + 1 :])
    function = Along(axis, shape[axis])
    sizes = {"new": shape[axis]}
    return blocked(function, out, (x, letters), (indices, letters), dtype=x.dtype, whole=(axis,), sizes=sizes)


class Along(NamedTuple):
    """``scatter_along_axis`` of a chunk, which is shorter than the array along other axes."""

    axis: int
    size: int

    def __call__(self, x: Any, indices: Any) -> Any:
        x, indices = alone(x), alone(indices)
        shape = (*x.shape[: self.axis], self.size, *x.shape[self.axis + 1 :])
        return OnChunks("scatter_along_axis", (self.axis, shape))(x, indices)


def embedding(weight: Raw, indices: Raw) -> Raw:
    """The rows of the weight at the indices."""
    return getitem(weight, (indices, *(EVERYTHING,) * (weight.ndim - 1)))


def embedding_back(change: Raw, indices: Raw, rows: int) -> Raw:
    """Rows, each the sum of what belongs to one index."""
    row = change.shape[indices.ndim :]
    return scatter(change, (indices, *(EVERYTHING,) * len(row)), (rows, *row))


def indexing() -> dict[str, Function]:
    """The table of raw functions."""
    named_so = (
        getitem, scatter, setitem, take_along_axis, scatter_along_axis, embedding, embedding_back,
    )  # fmt: skip
    return {function.__name__: function for function in named_so}
