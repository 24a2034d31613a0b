"""Element by element from several arrays, by conditions or by numbers, and to positions along an axis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import broadcast_shapes, listed, one_axis
from unigrad.base.errors import ArgumentError, DtypeError, IndexRangeError, ShapeError
from unigrad.operations.arranging import lined_up
from unigrad.operations.creation import asarray, astype, full
from unigrad.operations.datatypes import result_type
from unigrad.operations.elementwise import logical_not, where
from unigrad.operations.indexing import argsort as sorted_positions
from unigrad.operations.indexing import counted_round, getitem, setitem, sort, take_along_axis_
from unigrad.operations.reductions import any as any_over
from unigrad.operations.searching import nonzero
from unigrad.operations.shapes import broadcast_arrays, broadcast_to, reshape, stack
from unigrad.table import Array, operation
from unigrad.tensor.coercion import plain_numbers, tensor, tensors
from unigrad.tensor.levels import values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = [
    "argpartition", "choose", "ix_", "partition", "piecewise", "put_along_axis", "select",
]  # fmt: skip


# --- by conditions ---------------------------------------------------------------------------------------


@operation
def select(condlist: Sequence[Array], choicelist: Sequence[Array], /, default: Array = 0) -> Tensor:
    """Of each element the choice whose condition is the first to hold, or ``default``; all broadcast together.

    ArgumentError unless there are as many choices as conditions, one at least; DtypeError for conditions that are no
    truth values.
    """
    condlist, choicelist = listed(condlist, "condlist"), listed(choicelist, "choicelist")
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ArgumentError(f"select needs as many choices as conditions, not {len(choicelist)} and {len(condlist)}")
    found = tensors([*condlist, *choicelist])
    conditions = found[: len(condlist)]
    for condition in conditions:
        if condition.dtype != dtypes.bool_:
            raise DtypeError(f"select: a condition is an array of truth values, not of {condition.dtype}")
    # Python's numbers among the choices stay what they are, and take the dtype of the others.
    numbers = isinstance(default, (bool, int, float, complex))
    chosen: Any = default if numbers else tensor(default, found[0].backend)
    choices = [
        given if isinstance(given, (bool, int, float, complex)) else array
        for given, array in zip(choicelist, found[len(condlist) :], strict=True)
    ]
    arrays = [choice for choice in [*choices, chosen] if isinstance(choice, Tensor)]
    wanted = result_type(*choices, chosen) if arrays else found[-1].dtype
    for condition, choice in zip(reversed(conditions), reversed(choices), strict=True):
        chosen = where(condition, _of(choice, wanted, condition), _of(chosen, wanted, condition))
    result: Tensor = chosen
    return broadcast_to(result, broadcast_shapes([array.shape for array in [*found, result]]))


def _of(x: Any, dtype: Any, like: Tensor) -> Tensor:
    return asarray(x, dtype=dtype, like=like)


@operation
def piecewise(x: Array, condlist: Any, funclist: Sequence[Any], /, *args: Any, **kw: Any) -> Tensor:
    """Functions of x by parts of it: where a condition is the last to hold, its function's value, and else 0.

    A function is called with the elements of its part, a vector, and with ``args`` and ``kw``; a number stands for
    itself. One more function than conditions is for where none holds. The result has x's dtype. The conditions'
    values decide shapes, so they are read. ArgumentError for another number of functions.
    """
    x = asarray(x)
    if isinstance(condlist, (list, tuple)) and not (len(condlist) and np.ndim(condlist[0]) == 0 and x.ndim):
        conditions = list(condlist)
    else:
        conditions = [condlist]
    conditions = [astype(condition, dtypes.bool_, copy=False) for condition in tensors([x, *conditions])[1:]]
    functions = listed(funclist, "funclist")
    if len(functions) == len(conditions) + 1:
        conditions.append(logical_not(any_over(stack(broadcast_arrays(*conditions)), axis=0)))
    if len(functions) != len(conditions):
        raise ArgumentError(f"piecewise needs {len(conditions)} or one more functions, not {len(functions)}")
    result = full(x.shape, 0, dtype=x.dtype, like=x)
    for condition, function in zip(conditions, functions, strict=True):
        condition = broadcast_to(condition, x.shape)
        part = function(getitem(x, condition), *args, **kw) if callable(function) else function
        result = setitem(result, condition, part)
    return result


# --- by numbers -----------------------------------------------------------------------------------------


@operation
def choose(a: Array, choices: Any, /, mode: str = "raise") -> Tensor:
    """Of each element the choice of the number that stands in ``a``; all broadcast together.

    ``choices`` is a sequence of arrays, or an array along its first axis. A number beyond them is an IndexRangeError,
    counts round (``mode="wrap"``) or means the nearest (``"clip"``).
    """
    given = listed(choices, "choices")
    if not given:
        raise ArgumentError("choose needs at least one choice")
    a, *found = tensors([a, *given])
    if a.dtype.kind not in "biu":
        raise DtypeError(f"choose takes the numbers of choices, integers, and not {a.dtype}")
    shape = broadcast_shapes([a.shape, *[array.shape for array in found]])
    numbers = broadcast_to(astype(a, dtypes.int64, copy=False), shape)
    if mode == "raise":
        _refuse_beyond(numbers, len(found))
    numbers = counted_round(numbers, len(found), mode)
    wanted = result_type(*found)
    rows = stack([broadcast_to(astype(array, wanted, copy=False), shape) for array in found])
    return take_along_axis_(rows, reshape(numbers, (1, *shape)), 0)[0]


def _refuse_beyond(numbers: Tensor, count: int) -> None:
    values = values_of_all(numbers)
    wrong = values[(values < 0) | (values >= count)]
    if wrong.size:
        raise IndexRangeError(f"choose: there is no choice {wrong[0]} among {count}; choices count from 0")


@operation
def ix_(*args: Array) -> tuple[Tensor, ...]:
    """Vectors of positions, each along an axis of its own, so that ``x[ug.ix_(rows, columns)]`` is a part of a matrix.

    Truth values stand for the positions where they hold.
    """
    found = []
    for position, vector in enumerate(tensors(args) if args else []):
        if vector.ndim != 1:
            raise ShapeError(f"ix_ takes vectors, not shape {vector.shape}")
        if vector.dtype == dtypes.bool_:
            (vector,) = nonzero(vector)
        elif not vector.size:
            vector = astype(vector, dtypes.int64, copy=False)
        found.append(reshape(vector, tuple(vector.size if other == position else 1 for other in range(len(args)))))
    return tuple(found)


@operation
def put_along_axis(x: Array, indices: Array, /, values: Array, axis: int | None = -1) -> Tensor:
    """x in which the elements at ``indices`` along ``axis`` (None: of the flattened array) are ``values``.

    The reverse of :func:`take_along_axis`, and as there all other axes broadcast. Of an element that is named twice the
    last value stays. A new array: x is left as it is (``np.put_along_axis(x, ...)`` changes x itself).
    """
    x = asarray(x)
    if axis is None:
        flat = put_along_axis(reshape(x, -1), reshape(tensor(indices, x.backend), -1), values, 0)
        return reshape(flat, x.shape)
    number = one_axis(axis, x.ndim)
    indices = tensor(indices, x.backend)
    if indices.ndim != x.ndim:
        raise ShapeError(f"indices of shape {indices.shape} need as many dimensions as x, whose shape is {x.shape}")
    key: list[Any] = []
    for other, size in enumerate(x.shape):
        places = np.arange(size).reshape(tuple(size if axis == other else 1 for axis in range(x.ndim)))
        key.append(indices if other == number else places)
    return setitem(x, tuple(key), values)


# --- partly in order --------------------------------------------------------------------------------------


def _checked_kth(kth: Any, size: int) -> None:
    found = plain_numbers(kth, "kth")
    if found.dtype.kind not in "iu":
        raise DtypeError(f"kth is an integer or several, not {kth!r}")
    wrong = found[(found < -size) | (found >= size)]
    if wrong.size:
        raise IndexRangeError(f"kth={wrong.ravel()[0]} is out of range for an axis of size {size}")


@operation
def partition(x: Array, kth: int | Sequence[int], /, axis: int | None = -1) -> Tensor:
    """x so that what stands at ``kth`` along ``axis`` (None: flattened) is in order, no smaller one behind it: sorted.

    NumPy leaves open in which order the others stand; here they are in order, the same on every backend.
    """
    x, number = lined_up(x, axis)
    _checked_kth(kth, x.shape[number])
    return sort(x, axis=number)


@operation
def argpartition(x: Array, kth: int | Sequence[int], /, axis: int | None = -1) -> Tensor:
    """The positions, int64, that bring x into the order of :func:`partition`."""
    x, number = lined_up(x, axis)
    _checked_kth(kth, x.shape[number])
    return sorted_positions(x, axis=number)
