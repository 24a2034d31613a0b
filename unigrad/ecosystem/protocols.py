"""NumPy's functions on Tensors: what ``np.sin(x)`` and ``np.concatenate([x, y])`` become.

NumPy asks its arguments before it computes (NEP 13 for ufuncs, NEP 18 for all others). A function of NumPy
is carried out by the operation of the same name, found in the table of operations, so that it is recorded,
follows its arguments' backend and has unigrad's dtypes. Only what NumPy names or signs otherwise is
listed here.

Nothing leaves the backend on the way: a function without counterpart raises UnsupportedError, recorded or not,
rather than convert its arguments and answer with a NumPy array. Questions whose answer is no array
(``np.shape``, ``np.allclose``) have no gradient to lose, and NumPy answers them from the values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.adapters.registry import is_array_type
from unigrad.base.errors import UnsupportedError
from unigrad.table import OPERATIONS
from unigrad.tensor.coercion import holds_tensor
from unigrad.tensor.tensor import Tensor, tensor_method

# --- names -------------------------------------------------------------------------------------------

OTHER_NAMES = {
    "absolute": "abs", "amax": "max", "amin": "min", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin",
    "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "array": "asarray",
    "concatenate": "concat", "conjugate": "conj", "cross": "linalg.cross", "cumprod": "cumulative_prod",
    "cumsum": "cumulative_sum", "expit": "nn.sigmoid", "fabs": "abs", "fix": "trunc", "invert": "bitwise_invert",
    "left_shift": "bitwise_left_shift", "right_shift": "bitwise_right_shift", "rint": "round",
    "transpose": "permute_dims",
}  # fmt: skip
"""NumPy's names, and SciPy's of ufuncs, where unigrad has the Array API's or its own."""

OUTLINE = frozenset({"can_cast", "common_type", "iscomplexobj", "isrealobj", "ndim", "result_type", "shape", "size"})
"""Questions that shape and dtype answer."""
ANSWERS = frozenset({
    "allclose", "array2string", "array_equal", "array_equiv", "array_repr", "array_str", "may_share_memory",
    "save", "savetxt", "savez", "savez_compressed", "shares_memory",
})  # fmt: skip
"""Questions that the values answer with a bool or text, and what writes them to a file."""

MANNER = frozenset({"casting", "kind", "optimize", "overwrite_input", "subok"})
"""Arguments that say how NumPy shall compute, not what."""
RENAMED = {"ddof": "correction"}
FLATTENING = frozenset({"argsort", "cumprod", "cumsum", "repeat", "sort", "take", "take_along_axis"})
"""Functions that take the flattened array where ``axis`` is None."""
# Some of NumPy's functions written in C tell their parameters only from NumPy 2.4 on.
_SIGNED_HERE: dict[str, Callable[..., Any]] = {
    "concatenate": lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": None,
    "dot": lambda a, b, out=None: None,
    "inner": lambda a, b, /: None,
    "vdot": lambda a, b, /: None,
    "where": lambda condition, x=None, y=None, /: None,
    "arange": lambda start, /, stop=None, step=1, *, dtype=None, device=None: None,
    "array": lambda object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0: None,
    "asarray": lambda a, dtype=None, order=None, *, device=None, copy=None: None,
    "zeros": lambda shape, dtype=float, order="C", *, device=None: None,
    "empty": lambda shape, dtype=float, order="C", *, device=None: None,
}

REDUCTIONS = {
    "add": "sum", "multiply": "prod", "maximum": "max", "minimum": "min", "logical_and": "all", "logical_or": "any",
    "logaddexp": "nn.logsumexp",
}  # fmt: skip
ACCUMULATIONS = {"add": "cumulative_sum", "multiply": "cumulative_prod", "logaddexp": "cumulative_logsumexp"}


def _operation(name: str) -> Callable[..., Any] | None:
    """The operation that does what NumPy's function of this dotted name does, or None."""
    return OPERATIONS.get(OTHER_NAMES.get(name, name))


def _unsupported(name: str) -> UnsupportedError:
    full = f"np.{name}" if hasattr(np, name.partition(".")[0]) else name  # ufuncs may be another library's
    return UnsupportedError(
        f"{full} has no counterpart in unigrad; compose it of ug's functions, or, where no gradient is "
        f"wanted, call {full} on x.numpy() and bring the result back with ug.asarray"
    )


def _is_stranger(kind: type, protocol: str) -> bool:
    """Whether a type has such a protocol of its own and no backend knows it, so that it has to be asked itself."""
    theirs = getattr(kind, protocol, None)
    return theirs not in (None, getattr(np.ndarray, protocol), getattr(Tensor, protocol)) and not is_array_type(kind)


def _no_out(name: str) -> UnsupportedError:
    return UnsupportedError(f"np.{name} cannot write into out=: a Tensor is a value; use the result, y = np.{name}(x)")


# --- ufuncs --------------------------------------------------------------------------------------------


def _pairs(ufunc: Callable[..., Any], x1: Any, x2: Any) -> Any:
    """``ufunc.outer``: every element of x1 with every element of x2."""
    ones = (1,) * np.ndim(x2)
    return ufunc(OPERATIONS["reshape"](x1, (*np.shape(x1), *ones)), x2)


_COMPOSED: dict[str, Callable[..., Any]] = {
    "deg2rad": lambda x: x * (np.pi / 180),
    "degrees": lambda x: x * (180 / np.pi),
    "divmod": lambda x1, x2: (np.floor_divide(x1, x2), np.remainder(x1, x2)),
    "exp2": lambda x: OPERATIONS["power"](2.0, x),
    "positive": lambda x: +x,
    "rad2deg": lambda x: x * (180 / np.pi),
    "radians": lambda x: x * (np.pi / 180),
    "reciprocal": lambda x: OPERATIONS["divide"](1, x),
    "atleast_1d": lambda *arrays: _each(lambda a: a if a.ndim else a.reshape((1,)), np.atleast_1d, arrays),
    "copy": lambda a, /: _tensor(a).copy(),
    "inner": lambda a, b, /: (
        OPERATIONS["multiply"](a, b)
        if not (np.ndim(a) and np.ndim(b))
        else OPERATIONS["tensordot"](a, b, axes=((-1,), (-1,)))
    ),
    "ravel": lambda a, /: OPERATIONS["reshape"](a, -1),
    "swapaxes": lambda a, axis1, axis2, /: OPERATIONS["moveaxis"](a, (axis1, axis2), (axis2, axis1)),
    "vdot": lambda a, b, /: OPERATIONS["vecdot"](OPERATIONS["reshape"](a, -1), OPERATIONS["reshape"](b, -1)),
}
"""Functions that are one line over others. An operation of that name, where there is one, comes first."""


def _each(change: Callable[[Tensor], Tensor], otherwise: Callable[[Any], Any], arrays: Sequence[Any]) -> Any:
    """Every Tensor changed, and all else by NumPy; one alone is no tuple."""
    found = tuple(change(a) if isinstance(a, Tensor) else otherwise(a) for a in arrays)
    return found if len(found) > 1 else found[0]


def _tensor(x: Any) -> Tensor:
    return OPERATIONS["asarray"](x)


@tensor_method("__array_ufunc__")
def _array_ufunc(self: Tensor, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
    """NEP 13: ``ufunc`` or one of its methods on Tensors; NotImplemented beside another library's arrays."""
    if any(_is_stranger(type(item), "__array_ufunc__") for item in inputs):
        return NotImplemented
    name = ufunc.__name__
    given = dict(options)
    if given.pop("out", None) is not None:
        raise _no_out(name)
    if given.pop("where", True) is not True:
        raise UnsupportedError(f"np.{name} takes no where= here; choose with ug.where(condition, np.{name}(x), other)")
    given = {option: value for option, value in given.items() if option not in MANNER and value is not None}
    dtype = given.pop("dtype", None) if method == "__call__" else None
    if dtype is not None:
        inputs = tuple([item.astype(dtype) if isinstance(item, Tensor) else item for item in inputs])
    if method == "__call__":
        found = _operation(name) or _COMPOSED.get(name)
        if found is None:
            raise _unsupported(name)
        return _call(name, found, list(inputs), given)
    if method == "outer" and ufunc.nin == 2 and not given:
        return _pairs(ufunc, *inputs)
    table = {"reduce": REDUCTIONS, "accumulate": ACCUMULATIONS}.get(method, {})
    found = OPERATIONS.get(table.get(name, ""))
    if found is None:
        raise _unsupported(f"{name}.{method}")
    if method == "reduce" and "axis" in options and options["axis"] is None:
        return _call(f"{name}.reduce", found, list(inputs), given)
    return _call(f"{name}.{method}", found, list(inputs), {"axis": 0, **given})


# --- functions whose arguments are not the operation's -----------------------------------------------


def _clip(a: Any, /, *, a_min: Any = None, a_max: Any = None, min: Any = None, max: Any = None) -> Any:
    return OPERATIONS["clip"](a, a_min if min is None else min, a_max if max is None else max)


def _concatenated(name: str) -> Callable[..., Any]:
    def join(arrays: Any, /, *, axis: int | None = 0, dtype: Any = None) -> Any:
        joined = OPERATIONS[name](arrays, axis=axis)
        return joined if dtype is None else joined.astype(dtype)

    return join


def _mean(a: Any, /, *, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    return OPERATIONS["mean"](a if dtype is None else _tensor(a).astype(dtype), axis=axis, keepdims=keepdims)


def _round(a: Any, /, *, decimals: int = 0) -> Any:
    return OPERATIONS["round"](a) if decimals == 0 else OPERATIONS["round"](a * 10.0**decimals) / 10.0**decimals


def _svd(a: Any, /, *, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    return OPERATIONS["linalg.svd"](a, full_matrices=full_matrices) if compute_uv else OPERATIONS["linalg.svdvals"](a)


def _of_two_axes(name: str) -> Callable[..., Any]:
    """NumPy's ``trace`` and ``diagonal``, which take the first two axes where the standard's take the last."""

    def apply(a: Any, /, *, offset: int = 0, axis1: int = 0, axis2: int = 1, **dtype: Any) -> Any:
        return OPERATIONS[f"linalg.{name}"](OPERATIONS["moveaxis"](a, (axis1, axis2), (-2, -1)), offset=offset, **dtype)

    return apply


def _transpose(a: Any, /, *, axes: Any = None) -> Any:
    return _tensor(a).transpose(axes)


def _where(condition: Any, x: Any = None, y: Any = None, /) -> Any:
    return OPERATIONS["nonzero"](condition) if x is None and y is None else OPERATIONS["where"](condition, x, y)


_DIFFERENT: dict[str, tuple[Callable[..., Any], str]] = {
    "around": (_round, "round"),
    "clip": (_clip, "clip"),
    "concatenate": (_concatenated("concat"), "concat"),
    "diagonal": (_of_two_axes("diagonal"), "linalg.diagonal"),
    "linalg.svd": (_svd, "linalg.svd"),
    "mean": (_mean, "mean"),
    "round": (_round, "round"),
    "stack": (_concatenated("stack"), "stack"),
    "trace": (_of_two_axes("trace"), "linalg.trace"),
    "transpose": (_transpose, "permute_dims"),
    "where": (_where, "where"),
}
"""By NumPy's name: the function with NumPy's arguments, and the operation that it is made of."""


# --- all other functions -------------------------------------------------------------------------------


@tensor_method("__array_function__")
def _array_function(
    self: Tensor, function: Callable[..., Any], types: Iterable[type], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """NEP 18: ``function`` on Tensors; NotImplemented beside another library's arrays."""
    if any(_is_stranger(kind, "__array_function__") for kind in types):
        return NotImplemented
    name = f"{function.__module__}.{function.__name__}".removeprefix("numpy.")
    if name in OUTLINE:
        return function(*_replaced(args, _outline), **_replaced(kwargs, _outline))
    if name in ANSWERS:
        return function(*_replaced(args, _values), **_replaced(kwargs, _values))
    found, needed = _DIFFERENT.get(name, (_operation(name) or _COMPOSED.get(name), ""))
    if found is None or (needed and needed not in OPERATIONS):
        raise _unsupported(name)
    positional, given = _translated(name, function, found, args, kwargs)
    if "like" in _parameters(found) and "like" not in given and not name.endswith("_like"):
        # np.arange(3, like=x) comes without its like.
        if holds_tensor([*positional, *given.values()]) and name not in ("array", "asarray"):
            raise UnsupportedError(f"np.{name} takes numbers, not Tensors: the gradient of these would be lost")
        given["like"] = self
    return _call(name, found, positional, given)


@functools.cache
def _signature(name: str, function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(_SIGNED_HERE.get(name, function))


@functools.cache
def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


def _translated(
    name: str, function: Callable[..., Any], found: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call of NumPy's as those of the operation: positional ones, and by name."""
    signature = _signature(name, function)
    bound = signature.bind(*args, **kwargs).arguments
    leading = sum(parameter.kind is parameter.POSITIONAL_ONLY for parameter in _parameters(found).values())
    positional: list[Any] = []
    given: dict[str, Any] = {}
    for place, (argument, parameter) in enumerate(signature.parameters.items()):
        if argument not in bound:
            continue
        value = bound[argument]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional += value
        elif parameter.kind is parameter.VAR_KEYWORD:
            given |= value
        elif place < leading:
            positional.append(value)
        elif not _is_default(value, parameter.default):
            given[RENAMED.get(argument, argument)] = value
    if given.pop("out", None) is not None:
        raise _no_out(name)
    if name in FLATTENING and bound.get("axis", signature.parameters["axis"].default) is None:
        positional[0] = OPERATIONS["reshape"](positional[0], -1)
        given["axis"] = 0
    return positional, {argument: value for argument, value in given.items() if argument not in MANNER}


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (
        isinstance(default, (bool, int, float, str)) and type(value) is type(default) and value == default
    )


def _call(name: str, found: Callable[..., Any], positional: list[Any], given: dict[str, Any]) -> Any:
    """Call the operation; UnsupportedError if it does not know an argument that NumPy's function has."""
    strange = [argument for argument in given if argument not in _parameters(found)]
    if strange and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in _parameters(found).values()):
        raise UnsupportedError(
            f"np.{name} with {strange[0]}={given[strange[0]]!r} has no counterpart in unigrad; leave it out"
        )
    return found(*positional, **given)


def _outline(x: Tensor) -> Any:
    """An array of x's shape and dtype that takes no memory."""
    return np.broadcast_to(np.empty((), x.dtype), x.shape)


def _values(x: Tensor) -> Any:
    return x.numpy()


def _replaced(args: Any, change: Callable[[Tensor], Any]) -> Any:
    if isinstance(args, Tensor):
        return change(args)
    if isinstance(args, (list, tuple)):
        return [_replaced(item, change) for item in args]
    if isinstance(args, dict):
        return {key: _replaced(item, change) for key, item in args.items()}
    return args
