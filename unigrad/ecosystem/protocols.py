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

from unigrad.base.errors import UnsupportedError
from unigrad.base.tree import flatten
from unigrad.ecosystem import ufuncs  # noqa: F401
from unigrad.ecosystem.forms import FORMS, POSITIONS
from unigrad.ecosystem.names import MANNER, call, in_our_words, is_stranger, no_out, operation, parameters, unsupported
from unigrad.table import OPERATIONS
from unigrad.tensor.coercion import holds_tensor
from unigrad.tensor.levels import check_places
from unigrad.tensor.tensor import Tensor, tensor_method

OUTLINE = frozenset({"can_cast", "common_type", "iscomplexobj", "isrealobj", "ndim", "result_type", "shape", "size"})
"""Questions that shape and dtype answer."""
ANSWERS = frozenset({
    "allclose", "array2string", "array_equal", "array_equiv", "array_repr", "array_str", "einsum_path",
    "may_share_memory", "min_scalar_type", "save", "savetxt", "savez", "savez_compressed", "shares_memory",
})  # fmt: skip
"""Questions that the values answer with a bool or text, and what writes them to a file."""

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
    "asanyarray": lambda a, dtype=None, order=None, *, device=None, copy=None: None,
    "ascontiguousarray": lambda a, dtype=None: None,
    "asfortranarray": lambda a, dtype=None: None,
    "can_cast": lambda from_, to, casting="safe": None,
    "result_type": lambda *arrays_and_dtypes: None,
    "bincount": lambda x, /, weights=None, minlength=0: None,
    "copyto": lambda dst, src, casting="same_kind", where=True: None,
    "putmask": lambda a, /, mask, values: None,
    "empty_like": lambda prototype, /, dtype=None, order="K", subok=True, shape=None, *, device=None: None,
    "zeros": lambda shape, dtype=float, order="C", *, device=None: None,
    "empty": lambda shape, dtype=float, order="C", *, device=None: None,
}

FROM_NUMBERS = frozenset({"arange", "empty", "eye", "full", "identity", "ones", "tri", "zeros"})
"""Functions that make arrays of numbers, which NumPy sends here for ``like=x`` alone."""


@tensor_method("__array_function__")
def _array_function(
    self: Tensor, function: Callable[..., Any], types: Iterable[type], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """NEP 18: ``function`` on Tensors; NotImplemented beside another library's arrays."""
    if any(is_stranger(kind, "__array_function__") for kind in types):
        return NotImplemented
    name = f"{function.__module__}.{function.__name__}".removeprefix("numpy.")
    if name in OUTLINE:
        return function(*_replaced(args, _outline), **_replaced(kwargs, _outline))
    if name in ANSWERS:
        return function(*_replaced(args, _values), **_replaced(kwargs, _values))
    if name in POSITIONS:
        check_places(self, *flatten(args)[0])
        with in_our_words(f"np.{name}"):
            return _placed(function(*_replaced(args, _values), **_replaced(kwargs, _values)), self)
    found = FORMS.get(name) or operation(name)
    if found is None:
        raise unsupported(name)
    positional, given = _translated(name, function, found, args, kwargs)
    if "like" in parameters(found):
        # np.arange(3, like=x) comes without its like.
        if name in FROM_NUMBERS and holds_tensor([*positional, *given.values()]):
            raise UnsupportedError(f"np.{name} takes numbers, not Tensors: the gradient of these would be lost")
        given["like"] = self
    return call(name, found, positional, given)


@functools.cache
def _signature(name: str, function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(_SIGNED_HERE.get(name, function))


def _translated(
    name: str, function: Callable[..., Any], found: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call of NumPy's as those of the operation: positional ones, and by name."""
    signature, known = _signature(name, function), parameters(found)
    bound = signature.bind(*args, **kwargs).arguments
    leading = sum(parameter.kind is parameter.POSITIONAL_ONLY for parameter in known.values())
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
            given["correction" if argument == "ddof" and "ddof" not in known else argument] = value
    if given.pop("out", None) is not None:
        raise no_out(name)
    if name in FLATTENING and bound.get("axis", signature.parameters["axis"].default) is None:
        positional[0] = OPERATIONS["reshape"](positional[0], -1)
        given["axis"] = 0
    return positional, {
        argument: value for argument, value in given.items() if argument not in MANNER or argument in known
    }


def _is_default(value: Any, default: Any) -> bool:
    return value is default or (
        isinstance(default, (bool, int, float, str)) and type(value) is type(default) and value == default
    )


def _outline(x: Tensor) -> Any:
    """An array of x's shape and dtype that takes no memory."""
    return np.broadcast_to(np.empty((), x.dtype), x.shape)


def _values(x: Tensor) -> Any:
    return x.numpy()


def _placed(found: Any, like: Tensor) -> Any:
    """What NumPy found, as Tensors where ``like`` is."""
    if isinstance(found, tuple):
        return tuple([_placed(item, like) for item in found])
    return OPERATIONS["asarray"](found, like=like)


def _replaced(args: Any, change: Callable[[Tensor], Any]) -> Any:
    if isinstance(args, Tensor):
        return change(args)
    if isinstance(args, (list, tuple)):
        return [_replaced(item, change) for item in args]
    if isinstance(args, dict):
        return {key: _replaced(item, change) for key, item in args.items()}
    return args
