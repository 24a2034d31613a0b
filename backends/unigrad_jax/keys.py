"""Keys of indexing, apart: a layout that a function is compiled for, and numbers that it is called with.

So ``x[3]`` and ``x[4]``, and two minibatches of one size, share one compiled function.
"""

from __future__ import annotations

from typing import Any

import numpy as np

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
