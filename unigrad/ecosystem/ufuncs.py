"""NumPy's ufuncs on Tensors (NEP 13), and their methods: reduce, accumulate, reduceat, outer, at."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.base.arguments import many_axes, one_axis
from unigrad.base.errors import DtypeError, IndexRangeError, ShapeError, UnsupportedError
from unigrad.ecosystem.masked import reduction
from unigrad.ecosystem.names import MANNER, call, in_our_words, is_stranger, no_out, operation, tensor, unsupported
from unigrad.operations.indexing import become
from unigrad.operations.scattering import combined, extreme, scatter_add
from unigrad.table import OPERATIONS
from unigrad.tensor.coercion import NUMBERS, tensors
from unigrad.tensor.levels import check_places
from unigrad.tensor.tensor import Tensor, tensor_method

REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
    "logaddexp": "nn.logsumexp",
}  # fmt: skip
"""Ufuncs whose ``reduce`` is an operation."""
ACCUMULATIONS = {
    "add": "cumulative_sum", "multiply": "cumulative_prod", "logaddexp": "cumulative_logsumexp",
    "maximum": "cumulative_max", "minimum": "cumulative_min",
}  # fmt: skip
"""Ufuncs whose ``accumulate`` is an operation."""

COMPOSED: dict[str, Callable[..., Any]] = {
    "divmod": lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)),
}
"""Ufuncs that are one line over others."""
INTEGERS = frozenset({"bitwise_count", "gcd", "lcm", "spacing"})
"""Ufuncs whose results have no derivative and that NumPy finds from the values; they come back where the Tensor is."""


@tensor_method("__array_ufunc__")
def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """NEP 13: ``ufunc`` or one of its methods on Tensors; NotImplemented beside another library's arrays."""
    if any(is_stranger(type(item), "__array_ufunc__") for item in inputs):
        return NotImplemented
    name = ufunc.__name__
    given = {option: value for option, value in options.items() if option not in MANNER}
    if given.pop("out", None) is not None:
        raise no_out(name)
    if method == "__call__":
        return _called(self, ufunc, list(inputs), {key: value for key, value in given.items() if value is not None})
    if method == "outer":
        return _pairs(ufunc, *inputs, **given)
    if method == "reduce":
        return _reduced(ufunc, *inputs, **given)
    if method == "accumulate":
        return _accumulated(ufunc, *inputs, **given)
    if method == "reduceat":
        return _reduced_at(ufunc, *inputs, **given)
    if method == "at":
        return _changed_at(ufunc, *inputs, **given)
    raise unsupported(f"{name}.{method}")


def _called(self: Tensor, ufunc: np.ufunc, inputs: list[Any], given: dict[str, Any]) -> Any:
    name = ufunc.__name__
    if given.pop("where", True) is not True:
        raise UnsupportedError(f"np.{name} takes no where= here; choose with ug.where(condition, np.{name}(x), other)")
    dtype = given.pop("dtype", None)
    if dtype is not None:
        inputs = [item.astype(dtype) if isinstance(item, Tensor) else item for item in inputs]
    found = operation(name) or COMPOSED.get(name)
    if found is not None:
        return call(name, found, inputs, given)
    if name in INTEGERS and not given:
        check_places(self, *inputs)
        values = [item.numpy() if isinstance(item, Tensor) else item for item in inputs]
        with in_our_words(f"np.{name}"):
            return OPERATIONS["asarray"](ufunc(*values), like=self)
    raise unsupported(name)


def _pairs(ufunc: np.ufunc, x1: Any, x2: Any, **given: Any) -> Any:
    """Every element of x1 with every element of x2."""
    ones = (1,) * np.ndim(x2)
    return ufunc(OPERATIONS["reshape"](x1, (*np.shape(x1), *ones)), x2, **given)


def _parts(x: Tensor, axis: int) -> list[Tensor]:
    return list(OPERATIONS["unstack"](x, axis=axis))


def _reduced(
    ufunc: np.ufunc,
    a: Any,
    axis: Any = 0,
    dtype: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """``reduce``: by the operation that does it, else one element after the other."""
    x = tensor(a)
    name = ufunc.__name__
    initial = None if initial is np._NoValue else initial
    if name in REDUCTIONS:
        return reduction(REDUCTIONS[name])(x, axis=axis, dtype=dtype, keepdims=keepdims, initial=initial, where=where)
    if where is not True:
        raise UnsupportedError(
            f"np.{name}.reduce takes no where= here; choose with ug.where(condition, x, other) first"
        )
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise unsupported(f"{name}.reduce")
    x = x if dtype is None else x.astype(dtype)
    axes = many_axes(axis, x.ndim)
    found = x
    for number in reversed(axes):
        parts = _parts(found, number)
        parts = parts if initial is None else [OPERATIONS["asarray"](initial, dtype=x.dtype, like=x), *parts]
        if not parts and ufunc.identity is None:
            raise ShapeError(f"np.{name}.reduce of no elements: axis {number} of shape {found.shape} has size 0")
        rest = found.shape[:number] + found.shape[number + 1 :]
        empty = OPERATIONS["full"](rest, ufunc.identity, dtype=x.dtype, like=x) if not parts else None
        found = functools.reduce(ufunc, parts) if empty is None else empty
        found = OPERATIONS["broadcast_to"](found, rest)
        initial = None
    return OPERATIONS["expand_dims"](found, axis=axes) if keepdims and axes else found


def _accumulated(ufunc: np.ufunc, a: Any, axis: int = 0, dtype: Any = None) -> Any:
    """``accumulate``: likewise, with all that comes between."""
    x = tensor(a)
    name = ufunc.__name__
    if name in ACCUMULATIONS and (dtype is None or ACCUMULATIONS[name].endswith(("_sum", "_prod"))):
        given = {"axis": axis} if dtype is None else {"axis": axis, "dtype": dtype}
        return OPERATIONS[ACCUMULATIONS[name]](x, **given)
    if ufunc.nin != 2 or ufunc.nout != 1:
        raise unsupported(f"{name}.accumulate")
    x = x if dtype is None else x.astype(dtype)
    number = one_axis(axis, x.ndim)
    if not x.shape[number]:
        return x
    return OPERATIONS["stack"](list(itertools.accumulate(_parts(x, number), ufunc)), axis=number)


def _reduced_at(ufunc: np.ufunc, a: Any, indices: Any, axis: int = 0, dtype: Any = None) -> Any:
    """``reduceat``: reduced from each position to the next, or the element itself where that is not behind it."""
    x = tensor(a)
    number = one_axis(axis, x.ndim)
    size = x.shape[number]
    starts = [int(start) for start in np.asarray(indices)]
    wrong = [start for start in starts if not 0 <= start < size]
    if wrong:
        raise IndexRangeError(
            f"np.{ufunc.__name__}.reduceat: position {wrong[0]} is out of range for an axis of size {size}"
        )
    parts = []
    for start, stop in itertools.zip_longest(starts, starts[1:], fillvalue=size):
        key = (slice(None),) * number + (slice(start, max(stop, start + 1)),)
        parts.append(_reduced(ufunc, x[key], axis=number, dtype=dtype))
    return OPERATIONS["stack"](parts, axis=number)


def _changed_at(ufunc: np.ufunc, x: Any, indices: Any, values: Any = None) -> None:
    """``at``: x itself changed at positions, once for each time that one is named."""
    name = ufunc.__name__
    if not isinstance(x, Tensor):
        raise UnsupportedError(
            f"np.{name}.at writes into a NumPy array, which cannot hold Tensors; make it one first: x = ug.asarray(x)"
        )
    if ufunc.nin == 2:
        reached = OPERATIONS["result_type"](x, values if isinstance(values, NUMBERS) else tensor(values))
        if not np.can_cast(reached, x.dtype, "same_kind"):
            raise DtypeError(
                f"np.{name}.at cannot put {reached} into an array of {x.dtype}; convert x first: "
                f"x.astype({str(reached)!r})"
            )
    if name == "add":
        become(x, scatter_add(x, indices, values))
    elif name == "subtract":
        become(x, scatter_add(x, indices, -tensors((x, values))[1]))
    elif name in ("maximum", "minimum"):
        become(x, extreme(name == "maximum", x, indices, values))
    else:
        become(x, combined(ufunc, x, indices, values if ufunc.nin == 2 else None))
