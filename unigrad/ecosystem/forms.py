"""NumPy's functions whose arguments or results are not those of the operation that does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.base.errors import UnsupportedError
from unigrad.ecosystem.in_place import CHANGING
from unigrad.ecosystem.masked import reduction
from unigrad.ecosystem.matrices import MATRICES
from unigrad.ecosystem.names import tensor
from unigrad.table import OPERATIONS
from unigrad.tensor.coercion import NUMBERS
from unigrad.tensor.tensor import Tensor

# --- shapes and axes -----------------------------------------------------------------------------------


def _reversed(x: Any) -> Any:
    return OPERATIONS["permute_dims"](x, tuple(reversed(range(x.ndim))))


def _in_order(order: str, name: str) -> bool:
    """Whether ``order`` is Fortran's. A Tensor is a value, so that the order in memory ("A", "K") is always C's."""
    if order not in ("C", "F", "A", "K"):
        raise UnsupportedError(f"np.{name} with order={order!r}: use 'C' or 'F'")
    return order == "F"


def _reshape(a: Any, /, *, shape: Any, order: str = "C", copy: bool | None = None) -> Any:
    x = tensor(a)
    if not _in_order(order, "reshape"):
        return OPERATIONS["reshape"](x, shape, copy=copy)
    wanted = (shape,) if np.ndim(shape) == 0 else tuple(shape)
    return _reversed(OPERATIONS["reshape"](_reversed(x), wanted[::-1], copy=copy))


def _ravel(a: Any, /, *, order: str = "C") -> Any:
    return _reshape(a, shape=-1, order=order)


def _transpose(a: Any, /, *, axes: Any = None) -> Any:
    return tensor(a).transpose(axes)


def _of_two_axes(name: str) -> Callable[..., Any]:
    """NumPy's ``trace`` and ``diagonal``, which take the first two axes where the standard's take the last."""

    def apply(a: Any, /, *, offset: int = 0, axis1: int = 0, axis2: int = 1, **dtype: Any) -> Any:
        return OPERATIONS[f"linalg.{name}"](OPERATIONS["moveaxis"](a, (axis1, axis2), (-2, -1)), offset=offset, **dtype)

    return apply


def _cross(a: Any, b: Any, /, *, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    found = OPERATIONS["linalg.cross"](OPERATIONS["moveaxis"](a, axisa, -1), OPERATIONS["moveaxis"](b, axisb, -1))
    return OPERATIONS["moveaxis"](found, -1, axisc)


def _concatenated(name: str) -> Callable[..., Any]:
    def join(arrays: Any, /, *, axis: int | None = 0, dtype: Any = None) -> Any:
        joined = OPERATIONS[name](arrays, axis=axis)
        return joined if dtype is None else joined.astype(dtype)

    return join


def _listed(name: str) -> Callable[..., Any]:
    """The parts of an array as a list, as NumPy has them."""

    def split(ary: Any, indices_or_sections: Any, /, **axis: Any) -> Any:
        return list(OPERATIONS[name](ary, _sections(indices_or_sections), **axis))

    return split


def _sections(sections: Any) -> Any:
    return np.asarray(sections).tolist() if isinstance(sections, (Tensor, np.ndarray)) else sections


def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    if not sparse:
        return OPERATIONS["meshgrid"](*xi, indexing=indexing)
    grids = [OPERATIONS["reshape"](x, -1) for x in xi]
    places = list(range(len(grids)))
    if indexing == "xy" and len(grids) > 1:
        places[:2] = 1, 0
    return tuple(
        grid.reshape([-1 if other == place else 1 for other in range(len(grids))])
        for place, grid in zip(places, grids, strict=True)
    )


# --- values ----------------------------------------------------------------------------------------------


def _clip(
    a: Any, /, *, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None, dtype: Any = None
) -> Any:
    found = OPERATIONS["clip"](a, a_min if min is None else min, a_max if max is None else max)
    return found if dtype is None else found.astype(dtype)


def _angle(z: Any, /, *, deg: bool = False) -> Any:
    found = OPERATIONS["angle"](z)
    return found * (180 / np.pi) if deg else found


def _real_if_close(a: Any, /, *, tol: float = 100) -> Any:
    x = tensor(a)
    if x.dtype.kind != "c":
        return x
    limit = tol if tol <= 1 else tol * float(np.finfo(x.dtype).eps)
    return x.real if bool((abs(x.imag) < limit).all()) else x


def _average(
    a: Any, /, *, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    x = tensor(a)
    found = OPERATIONS["average"](x, axis=axis, weights=weights, keepdims=keepdims)
    if not returned:
        return found
    scale = OPERATIONS["ones_like"](x) if weights is None else OPERATIONS["asarray"](weights, like=x)
    if scale.shape != x.shape:
        scale = OPERATIONS["broadcast_to"](
            scale.reshape([-1 if place == axis % x.ndim else 1 for place in range(x.ndim)]), x.shape
        )
    total = OPERATIONS["sum"](scale, axis=axis, keepdims=keepdims).astype(found.dtype)
    return found, OPERATIONS["broadcast_to"](total, found.shape)


def _ediff1d(ary: Any, /, *, to_end: Any = None, to_begin: Any = None) -> Any:
    found = OPERATIONS["ediff1d"](ary)
    ends = [
        None if end is None else OPERATIONS["asarray"](end, dtype=found.dtype, like=found).reshape(-1)
        for end in (to_begin, to_end)
    ]
    parts = [part for part in (ends[0], found, ends[1]) if part is not None]
    return OPERATIONS["concat"](parts) if len(parts) > 1 else found


def _linspace(
    start: Any, stop: Any, /, *, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
    axis: int = 0,
) -> Any:  # fmt: skip
    found = OPERATIONS["linspace"](start, stop, num, endpoint=endpoint, dtype=dtype, axis=axis)
    steps = num - 1 if endpoint else num
    if not retstep:
        return found
    # Numbers are weak beside an array.
    first, last = (end if isinstance(end, NUMBERS) else tensor(end) for end in (start, stop))
    return found, tensor((last - first) / (steps or np.nan))


def _like(name: str) -> Callable[..., Any]:
    """``zeros_like`` and its like, also in another shape."""

    def make(a: Any, /, *, dtype: Any = None, shape: Any = None, device: Any = None, **value: Any) -> Any:
        x = tensor(a)
        if shape is None:
            return OPERATIONS[f"{name}_like"](x, dtype=dtype, device=device, **value)
        return OPERATIONS[name](shape, dtype=x.dtype if dtype is None else dtype, like=x, **value)

    return make


def _sort_complex(a: Any, /) -> Any:
    x = tensor(a)
    if x.dtype.kind != "c":
        found = OPERATIONS["sort"](x)
        return found.astype(np.result_type(x.dtype, np.complex64))
    order = np.argsort(x.numpy(), axis=-1, kind="stable")
    return OPERATIONS["take_along_axis"](x, order, axis=-1)


def _sliding_window_view(x: Any, window_shape: Any, /, *, axis: Any = None) -> Any:
    """All windows of x, copied: along each axis where they begin, and behind all others an axis of each window."""
    x = tensor(x)
    sizes = (window_shape,) if np.ndim(window_shape) == 0 else tuple(window_shape)
    axes = tuple(range(x.ndim)) if axis is None else ((axis,) if np.ndim(axis) == 0 else tuple(axis))
    for number, size in zip(axes, sizes, strict=True):
        number %= x.ndim if number < 0 else number + 1
        count = x.shape[number] - size + 1
        key = (slice(None),) * number + (np.arange(count)[:, None] + np.arange(size),)
        x = OPERATIONS["moveaxis"](x[key], number + 1, -1)
    return x


FORMS: dict[str, Callable[..., Any]] = {
    "angle": _angle,
    "around": lambda a, /, *, decimals=0: OPERATIONS["round"](a, decimals),
    "average": _average,
    "clip": _clip,
    "concatenate": _concatenated("concat"),
    "copy": lambda a, /: tensor(a).copy(),
    "cross": _cross,
    "diagonal": _of_two_axes("diagonal"),
    "ediff1d": _ediff1d,
    "full_like": _like("full"),
    "lib.stride_tricks.sliding_window_view": _sliding_window_view,
    "linspace": _linspace,
    "meshgrid": _meshgrid,
    "ravel": _ravel,
    "real_if_close": _real_if_close,
    "reshape": _reshape,
    "sort_complex": _sort_complex,
    "stack": _concatenated("stack"),
    "trace": _of_two_axes("trace"),
    "transpose": _transpose,
}
"""By NumPy's name: the function with NumPy's arguments."""
FORMS |= {name: _listed(name) for name in ("array_split", "dsplit", "hsplit", "split", "vsplit")}
FORMS |= {f"{name}_like": _like(name) for name in ("empty", "ones", "zeros")}
FORMS |= {name: reduction(name) for name in ("sum", "prod", "max", "min", "any", "all", "mean", "var", "std")}
FORMS |= {"amax": FORMS["max"], "amin": FORMS["min"]}
FORMS |= {name: reduction(name) for name in ("nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd")}
FORMS |= CHANGING
FORMS |= MATRICES

POSITIONS: Sequence[str] = (
    "diag_indices_from", "iscomplex", "isreal", "lexsort", "packbits", "ravel_multi_index", "tril_indices_from",
    "triu_indices_from", "unpackbits", "unravel_index",
)  # fmt: skip
"""Functions whose results are integers or truth values without a derivative, which NumPy finds from the values; they
come back where the Tensor is."""
