"""Levels: several transforms at work on one computation, told apart.

``jvp`` and ``vmap`` compute with *wrapped* Tensors: duals, which carry a tangent, and batched ones, which stand for one
element of a batch (``unigrad.interpreters``). Each use of a transform is a level of its own, a later one a higher
level. An operation takes its arguments of the highest level apart, whichever transform that is, and leaves all others
as they are: to that transform they are constants, or the same for the whole batch. What it then computes with may be
wrapped at lower levels, and comes here again.

Operations meet a wrapped Tensor where they meet everything uncommon, off the hot path.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.base.errors import UnsupportedError
from unigrad.table import Primitive
from unigrad.tensor.tensor import Tensor

Interpret = Callable[[Primitive, Sequence[Any], Sequence[Any], Tensor], Tensor]
"""A primitive of arrays of which the highest, given last, and those of its level are wrapped."""


class Interpreter(NamedTuple):
    """A way to run primitives on wrapped Tensors."""

    attribute: str
    """The attribute of a backend's class of Tensors that holds the class of its wrapped ones."""
    base: type[Tensor]
    """What these classes have in common."""
    prefix: str
    """What their names begin with."""
    interpret: Interpret
    quick: Callable[[Primitive, type[Tensor], Callable[..., Any]], Callable[..., Any]] | None = None
    """For speed: from a primitive of one or two arrays, the class of the backend's Tensors and the bound primitive to
    the common case of :attr:`interpret`, a function of its arguments that returns None for all else."""


INTERPRETERS: list[Interpreter] = []
"""Each registers itself, and every backend gets a class for each."""


def wrapped_types(tensor_type: type[Tensor]) -> set[type[Tensor]]:
    """A backend's classes of wrapped Tensors, with those of roots beside them (``unigrad.tensor.roots``)."""
    made = [getattr(tensor_type, kind.attribute) for kind in INTERPRETERS]
    return {*made, *[kind._rooted for kind in made if kind.__dict__.get("_rooted")]}


next_level = itertools.count(1).__next__


def is_wrapped(x: Any) -> bool:
    """Whether ``x`` is a Tensor at work in a ``jvp`` or ``vmap``."""
    return getattr(type(x), "_is_wrapped", False)


def top(tensors: Iterable[Any]) -> Tensor | None:
    """The one of highest level among those that are wrapped, or None."""
    highest = None
    for x in tensors:
        if getattr(type(x), "_is_wrapped", False) and (highest is None or x._parts.level > highest._parts.level):
            highest = x
    return highest


def at_level(x: Any, level: int) -> bool:
    """Whether ``x`` is wrapped, and at this level outermost."""
    return is_wrapped(x) and x._parts.level == level


def beneath(x: Tensor) -> Tensor:
    """The Tensor that holds the values, of all elements of the batches that ``x`` is of along its first axes."""
    while is_wrapped(x):
        x = x._parts.value
    return x


def is_known(x: Tensor) -> bool:
    """Whether there are values to look at, as there are unless a framework traces the program."""
    return x.backend.is_known(beneath(x)._raw)


def is_at_hand(x: Tensor) -> bool:
    """Whether there are values to look at for a check alone, for which nothing has to be computed."""
    return x.backend.is_at_hand(beneath(x)._raw)


def check_places(x: Tensor, *others: Any) -> None:
    """OperationError for arrays of x's backend among ``others`` that lie where no operation takes them with x: for who
    looks at the values of one of them, where no framework is asked to bring them together."""
    backend = x.backend
    raws = [beneath(other)._raw for other in others if isinstance(other, Tensor) and other.backend is backend]
    raws += [other for other in others if isinstance(other, backend.array_types)]
    if raws:
        backend.in_one_place([beneath(x)._raw, *raws])


def values_of(x: Tensor) -> np.ndarray[Any, Any]:
    """The values as a NumPy array, to find the shape of a result; UnsupportedError if they differ along a batch."""
    if beneath(x).ndim != x.ndim:
        raise UnsupportedError(
            "inside vmap the shape of a result cannot depend on values that differ along the batch; choose with "
            "ug.where(condition, x, other), or compute this outside"
        )
    return values_of_all(x)


def values_of_all(x: Tensor) -> np.ndarray[Any, Any]:
    """The values as a NumPy array, to check them: of all elements of the batches that x is of, along its first axes.
    bfloat16 comes as float32, since some of NumPy's functions put its NaN in no order."""
    held = beneath(x)
    found = np.asarray(held.backend.to_numpy(held._raw))
    return found.astype(np.float32) if found.dtype.kind == "V" else found


def interpret(row: Primitive, arrays: Sequence[Any], statics: Sequence[Any]) -> Tensor:
    """A primitive of arrays of one backend, promoted as it wants them, of which at least one is wrapped; or all are of
    the trace at work."""
    highest = top(arrays)
    if highest is None:
        found: Tensor = call(arrays[0]._bound, row, arrays, statics)
        return found
    result: Tensor = type(highest)._interpret(row, arrays, statics, highest)
    return result


def call(bound: Any, row: Primitive, arrays: Sequence[Any], statics: Sequence[Any]) -> Any:
    """A bound primitive of arrays given as a sequence."""
    function = getattr(bound, row.name)
    return function(list(arrays), *statics) if row.variadic else function(*arrays, *statics)
