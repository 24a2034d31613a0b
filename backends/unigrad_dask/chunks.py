"""The native engine's raw functions on the chunks of dask arrays."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from unigrad.extend import DType, Raw, get_backend_object

Letters = tuple[Any, ...]
"""A name for each axis of an array: axes of one name are divided alike."""


class OnChunks(NamedTuple):
    """A raw function of the native engine, by its name, so that it can be sent to other processes."""

    name: str
    statics: tuple[Any, ...] = ()
    variadic: bool = False

    def __call__(self, *chunks: Any) -> Any:
        chunks = tuple(map(alone, chunks))
        with np.errstate(all="ignore"):
            function = _native(chunks).function(self.name)
            return function(list(chunks), *self.statics) if self.variadic else function(*chunks, *self.statics)


def alone(chunk: Any) -> Any:
    """The one chunk along axes that the result has not, which come as nested lists."""
    while type(chunk) is list:
        (chunk,) = chunk
    return chunk


def _native(chunks: Sequence[Any]) -> Any:
    cupys = any(type(chunk).__module__.startswith("cupy") for chunk in chunks)
    return get_backend_object("cupy" if cupys else "numpy")


def blocked(
    function: Callable[..., Any],
    out: Letters,
    *pairs: tuple[Any, Letters | None],
    dtype: DType,
    whole: Collection[Any] = (),
    sizes: Mapping[Any, int] = types.MappingProxyType({}),
    single: Collection[Any] = (),
) -> Raw:
    """``function`` of the chunks that lie in one place.

    ``pairs`` are arrays with their letters, and other arguments with None. Axes named in ``whole`` are made one chunk
    first; those of the result that no array has are of these ``sizes``; those in ``single`` have 1 element for each
    chunk.
    """
    numbers: dict[Any, int] = {}  # since dask sorts letters

    def numbered(letters: Letters) -> tuple[int, ...]:
        return tuple([numbers.setdefault(letter, len(numbers)) for letter in letters])

    arguments: list[Any] = []
    for x, letters in pairs:
        if letters is not None:
            x = gathered(x, [axis for axis, letter in enumerate(letters) if letter in whole])
        arguments += [x, None if letters is None else numbered(letters)]
    like = next(x for x, letters in pairs if letters is not None)
    found: Raw = da.blockwise(
        function,
        numbered(out),
        *arguments,
        new_axes=dict(zip(numbered(tuple(sizes)), sizes.values(), strict=True)),
        adjust_chunks=dict.fromkeys(numbered(tuple(single)), 1) or None,
        meta=np.empty_like(like._meta, shape=(0,) * len(out), dtype=dtype),
        token=getattr(function, "name", type(function).__name__.lower()),
        concatenate=None,
    )
    return found


def gathered(x: Raw, axes: Collection[int]) -> Raw:
    """x with one chunk along these axes, and the others divided so that chunks stay as large as dask has them."""
    if all(len(x.chunks[axis]) == 1 for axis in axes):
        return x
    return x.rechunk({axis: -1 if axis in axes else "auto" for axis in range(x.ndim)})


def named(x: Raw, *prefix: Any) -> Letters:
    """Letters for the axes of an array."""
    return tuple((*prefix, axis) if prefix else axis for axis in range(x.ndim))


def is_whole(x: Raw, axes: Collection[int]) -> bool:
    """Whether there is one chunk along each of these axes."""
    return all(len(x.chunks[axis]) == 1 for axis in axes)
