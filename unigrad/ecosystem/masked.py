"""NumPy's reductions with ``where=``, ``initial=`` and ``mean=``: each made of the plain one, with what is left out
replaced by what changes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from unigrad.base import dtypes
from unigrad.base.arguments import many_axes
from unigrad.base.errors import ArgumentError
from unigrad.ecosystem.names import tensor
from unigrad.operations.reductions import narrow, squared_size
from unigrad.table import OPERATIONS
from unigrad.tensor.tensor import Tensor

NEUTRAL: dict[str, Any] = {"sum": 0, "prod": 1, "any": False, "all": True}
"""What an element that is left out is replaced by."""
TOGETHER = {
    "sum": "add", "nansum": "add", "prod": "multiply", "nanprod": "multiply", "max": "maximum", "nanmax": "fmax",
    "min": "minimum", "nanmin": "fmin",
}  # fmt: skip
"""How ``initial`` and the rest come together."""


def reduction(name: str) -> Callable[..., Any]:
    """The reduction of this name with NumPy's further arguments."""
    plain = OPERATIONS[name]

    def reduce(
        a: Any,
        /,
        *,
        axis: Any = None,
        dtype: Any = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = True,
        **further: Any,
    ) -> Any:
        x = tensor(a)
        given = {"axis": axis, "keepdims": keepdims, **further}
        if dtype is not None:
            if "dtype" in dtypes_taken:
                given["dtype"] = dtype
            else:
                x = x.astype(dtype)
        if name in MOMENTS and (where is not True or "mean" in further):
            return _moment(name, x, where, **given)
        if where is not True:
            x = _left_out(name, x, where, initial)
        if initial is None:
            return plain(x, **given)
        together = OPERATIONS[TOGETHER[name]]
        if not x.size:
            # Of no elements a sum is 0, which gives the shape.
            return together(OPERATIONS["sum"](x, axis=axis, keepdims=keepdims), initial)
        return together(plain(x, **given), initial)

    dtypes_taken = plain.__code__.co_varnames[: plain.__code__.co_argcount + plain.__code__.co_kwonlyargcount]
    reduce.__name__ = name
    return reduce


def _left_out(name: str, x: Tensor, where: Any, initial: Any) -> Tensor:
    if name.startswith("nan"):
        neutral: Any = math.nan
        x = x if dtypes.has_gradients(x.dtype) else x.astype(dtypes.to_float(x.dtype))
    elif name in NEUTRAL:
        neutral = NEUTRAL[name]
    elif initial is None:
        raise ArgumentError(f"np.{name} with where= needs initial=, for where nothing is left to choose from")
    else:
        neutral = initial
    return OPERATIONS["where"](where, x, OPERATIONS["asarray"](neutral, dtype=x.dtype, like=x))


MOMENTS = frozenset({"mean", "var", "std"})


def _moment(
    name: str,
    x: Tensor,
    where: Any,
    axis: Any,
    keepdims: bool,
    mean: Any = None,
    correction: float = 0.0,
    ddof: Any = None,
) -> Any:
    """The mean, variance or standard deviation of those elements where ``where`` holds."""
    x = x if dtypes.has_gradients(x.dtype) else x.astype(dtypes.to_float(x.dtype))
    if narrow(x):
        wide = None if mean is None else tensor(mean).astype("float32")
        found = _moment(name, x.astype("float32"), where, axis, keepdims, wide, correction, ddof)
        return found.astype(x.dtype)
    sums, choose = OPERATIONS["sum"], OPERATIONS["where"]
    real = dtypes.real_of(x.dtype)
    there = OPERATIONS["broadcast_to"](OPERATIONS["asarray"](where, like=x), x.shape)
    count = sums(there, axis=axis, keepdims=True).astype(real)
    if mean is None:
        mean = sums(choose(there, x, 0), axis=axis, keepdims=True) / count
    if name == "mean":
        return _without_axes(mean, axis, keepdims)
    distances = choose(there, x - mean, 0)
    freedom = OPERATIONS["maximum"](count - (correction if ddof is None else ddof), 0)
    norm = OPERATIONS["linalg.vector_norm"](distances, axis=axis, keepdims=True)
    squares = sums(squared_size(distances), axis=axis, keepdims=True)
    return _without_axes(norm / freedom**0.5 if name == "std" else squares / freedom, axis, keepdims)


def _without_axes(x: Tensor, axis: Any, keepdims: bool) -> Tensor:
    return x if keepdims else OPERATIONS["squeeze"](x, axis=many_axes(axis, x.ndim))
