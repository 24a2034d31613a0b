"""NumPy's functions and methods that change their argument: a Tensor holds another value afterwards.

As with ``x[i] = v``, what was recorded before keeps the values that it had, and on a recorded intermediate it is
differentiable.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base.errors import ShapeError, UnsupportedError
from unigrad.operations.indexing import become, counted_round, setitem
from unigrad.table import OPERATIONS
from unigrad.tensor.tensor import Tensor, tensor_method


def _changed(name: str, x: Any) -> Tensor:
    if not isinstance(x, Tensor):
        raise UnsupportedError(
            f"np.{name} writes into a NumPy array, which cannot hold Tensors; make it one first: x = ug.asarray(x)"
        )
    return x


def _flat(x: Tensor) -> Tensor:
    found: Tensor = OPERATIONS["reshape"](x, -1)
    return found


def _write(x: Tensor, key: Any, values: Any) -> None:
    """``x.reshape(-1)[key] = values``, into x itself."""
    become(x, OPERATIONS["reshape"](setitem(_flat(x), key, values), x.shape))


def _again(values: Any, count: int, like: Tensor) -> Tensor:
    """A vector of ``count`` values: those given, from the front again when they are used up."""
    return OPERATIONS["resize"](OPERATIONS["asarray"](values, dtype=like.dtype, like=like), count)


def put_along_axis(arr: Any, indices: Any, values: Any, axis: int | None) -> None:
    x = _changed("put_along_axis", arr)
    become(x, OPERATIONS["put_along_axis"](x, indices, values, axis=axis))


def put(a: Any, ind: Any, v: Any, /, *, mode: str = "raise") -> None:
    x = _changed("put", a)
    places = _flat(OPERATIONS["asarray"](counted_round(ind, x.size, mode), like=x))
    _write(x, places, _again(v, places.size, x))


def place(arr: Any, mask: Any, vals: Any, /) -> None:
    x = _changed("place", arr)
    places = OPERATIONS["flatnonzero"](OPERATIONS["asarray"](mask, like=x))
    if places.size and not np.size(vals):
        raise ShapeError("np.place has no values to put where the mask holds")
    _write(x, places, _again(vals, places.size, x) if places.size else 0)


def putmask(a: Any, mask: Any, values: Any, /) -> None:
    x = _changed("putmask", a)
    # Of values of another shape the one at the same flat place, counted round.
    wide = OPERATIONS["reshape"](_again(values, x.size, x), x.shape)
    become(x, OPERATIONS["where"](OPERATIONS["asarray"](mask, like=x), wide, x))


def copyto(dst: Any, src: Any, /, *, where: Any = True) -> None:
    x = _changed("copyto", dst)
    source = OPERATIONS["broadcast_to"](OPERATIONS["asarray"](src, dtype=x.dtype, like=x), x.shape)
    become(x, source.copy() if where is True else OPERATIONS["where"](OPERATIONS["asarray"](where, like=x), source, x))


def fill_diagonal(a: Any, val: Any, /, *, wrap: bool = False) -> None:
    x = _changed("fill_diagonal", a)
    if x.ndim < 2 or (x.ndim > 2 and len(set(x.shape)) != 1):
        raise ShapeError(f"np.fill_diagonal takes a matrix, or more axes of one size, not shape {x.shape}")
    step = x.shape[1] + 1 if x.ndim == 2 else sum(x.shape[0] ** power for power in range(x.ndim))
    stop = x.size if wrap or x.ndim > 2 else x.shape[1] * x.shape[1]
    places = np.arange(0, min(stop, x.size), step)
    _write(x, places, _again(val, places.size, x))


CHANGING = {function.__name__: function for function in (copyto, fill_diagonal, place, put, put_along_axis, putmask)}
"""By NumPy's name."""


@tensor_method("fill")
def _fill(self: Tensor, value: Any) -> None:
    """Every element set to one value."""
    self[...] = value


@tensor_method("put")
def _put(self: Tensor, indices: Any, values: Any, mode: str = "raise") -> None:
    """Elements of the flattened array set, as by ``np.put``."""
    put(self, indices, values, mode=mode)


@tensor_method("sort")
def _sort(self: Tensor, axis: int = -1, kind: str | None = None) -> None:
    """This array brought into order along an axis, as NumPy's method does; :func:`unigrad.sort` returns a new one."""
    become(self, OPERATIONS["sort"](self, axis=axis))


@tensor_method("partition")
def _partition(self: Tensor, kth: Any, axis: int = -1) -> None:
    """This array brought into the order of :func:`unigrad.partition`, which returns a new one."""
    become(self, OPERATIONS["partition"](self, kth, axis=axis))
