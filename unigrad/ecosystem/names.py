"""What NumPy's functions are called in the table of operations, and how one is called with NumPy's arguments."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from unigrad.adapters.registry import is_array_type
from unigrad.base.errors import ArgumentError, DtypeError, IndexRangeError, UnigradError, UnsupportedError
from unigrad.table import ALIASES, OPERATIONS
from unigrad.tensor.tensor import Tensor

OTHER_NAMES = {
    "absolute": "abs", "amax": "max", "amin": "min", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin",
    "arcsinh": "asinh", "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "array": "asarray",
    "asanyarray": "asarray", "ascontiguousarray": "asarray", "asfortranarray": "asarray", "concatenate": "concat",
    "conjugate": "conj", "cross": "linalg.cross", "cumprod": "cumulative_prod", "cumsum": "cumulative_sum",
    "expit": "nn.sigmoid", "fabs": "abs", "fix": "trunc", "identity": "eye", "invert": "bitwise_invert", "jv": "jn",
    "left_shift": "bitwise_left_shift", "matvec": "linalg.matvec", "right_shift": "bitwise_right_shift",
    "psi": "digamma", "rint": "round", "transpose": "permute_dims", "vecmat": "linalg.vecmat", "yv": "yn",
}  # fmt: skip
"""NumPy's names, and SciPy's of ufuncs, where unigrad has the Array API's or its own."""

MANNER = frozenset({"casting", "kind", "optimize", "order", "overwrite_input", "subok"})
"""Arguments that say how NumPy shall compute and lay out memory, not what; ``order`` unless a function knows it."""


def operation(name: str) -> Callable[..., Any] | None:
    """The operation that does what NumPy's function of this dotted name does, or SciPy's ufunc; or None."""
    own = OTHER_NAMES.get(name, name)
    return OPERATIONS.get(own) or ALIASES.get(name) or OPERATIONS.get(f"special.{own}")


def unsupported(name: str) -> UnsupportedError:
    """The error for a function of NumPy's that has no counterpart."""
    full = f"np.{name}" if hasattr(np, name.partition(".")[0]) else name  # ufuncs may be another library's
    return UnsupportedError(
        f"{full} has no counterpart in unigrad; compose it of ug's functions, or, where no gradient is "
        f"wanted, call {full} on x.numpy() and bring the result back with ug.asarray"
    )


def no_out(name: str) -> UnsupportedError:
    """The error for ``out=``."""
    return UnsupportedError(f"np.{name} cannot write into out=: a Tensor is a value; use the result, y = np.{name}(x)")


def is_stranger(kind: type, protocol: str) -> bool:
    """Whether a type has such a protocol of its own and no backend knows it, so that it has to be asked itself."""
    theirs = getattr(kind, protocol, None)
    return theirs not in (None, getattr(np.ndarray, protocol), getattr(Tensor, protocol)) and not is_array_type(kind)


@functools.cache
def parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """A function's parameters by name, without those that it takes to say what they are called here."""
    return {name: each for name, each in inspect.signature(function).parameters.items() if name != "elsewhere"}


def call(name: str, found: Callable[..., Any], positional: list[Any], given: dict[str, Any]) -> Any:
    """Call the operation; UnsupportedError if it does not know an argument that NumPy's function has."""
    strange = [argument for argument in given if argument not in parameters(found)]
    if strange and not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters(found).values()):
        raise UnsupportedError(
            f"np.{name} with {strange[0]}={given[strange[0]]!r} has no counterpart in unigrad; leave it out"
        )
    return found(*positional, **given)


@contextlib.contextmanager
def in_our_words(name: str) -> Iterator[None]:
    """What NumPy itself raises for an argument, as the error of ours that is the same built-in."""
    try:
        yield
    except UnigradError:
        raise
    except (TypeError, ValueError, IndexError) as error:
        kind = DtypeError if isinstance(error, TypeError) else ArgumentError if isinstance(error, ValueError) else None
        raise (kind or IndexRangeError)(f"{name}: {error}") from error


def tensor(x: Any) -> Tensor:
    """x as a Tensor."""
    found: Tensor = OPERATIONS["asarray"](x)
    return found
