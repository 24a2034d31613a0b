"""Keys of indexing, apart: a layout that a function is compiled for, and numbers that it is called with.

So ``x[3]`` and ``x[4]``, and two minibatches of one size, share one compiled function.
"""

from __future__ import annotations

import math
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from unigrad.extend import EVERYTHING, Key

Layout = tuple[Any, ...]
"""One entry for each of the key's: None and a full slice stand for themselves (``None`` and ``":"``),
``"i"`` for an integer, ``"a"`` for an array, and ``(length, step)`` for a slice."""


def split(key: Key) -> tuple[Layout, list[np.ndarray[Any, Any]]]:
    """The layout of a canonical key, and its numbers: one array of integers and starts, then its index arrays."""
    layout: list[Any] = []
    numbers: list[int] = []
    arrays: list[Any] = []
    for entry in key:
        if entry is None:
            layout.append(None)
        elif isinstance(entry, int):
            layout.append("i")
            numbers.append(entry)
        elif not isinstance(entry, slice):
            layout.append("a")
            arrays.append(entry)
        elif entry == EVERYTHING:
            layout.append(":")
        else:
            stop = -1 if entry.stop is None else entry.stop
            length = len(range(entry.start, stop, entry.step))
            layout.append((length, entry.step))
            # Of the elements that it spans, the first in memory.
            numbers.append(min(entry.start, entry.start + (length - 1) * entry.step) if length else 0)
    return tuple(layout), [np.array(numbers, np.int64), *arrays]


def select(x: Any, layout: Layout, numbers: Any, *arrays: Any) -> Any:
    """x[key], for a key of that layout."""
    given = {"i": iter(numbers), "a": iter(arrays)}
    axes = iter(range(x.ndim))
    key: list[Any] = []
    for entry in layout:
        if entry is None:
            key.append(None)
            continue
        axis = next(axes)
        if entry == ":":
            key.append(EVERYTHING)
        elif entry in given:
            key.append(next(given[entry]))
        else:
            length, step = entry
            span = (length - 1) * abs(step) + 1 if length else 0
            x = lax.dynamic_slice_in_dim(x, next(given["i"]), span, axis)
            key.append(slice(None, None, step))
    # The core has checked the bounds and counted from the front; JAX would do both again.
    return x.at[tuple(key)].get(mode="promise_in_bounds", wrap_negative_indices=False)


def positions(shape: tuple[int, ...], layout: Layout, *numbers: Any) -> Any:
    """Where in a flattened array of that shape the elements of x[key] are."""
    return select(jnp.arange(math.prod(shape)).reshape(shape), layout, *numbers)
