"""What the generated functions leave aside: operands that need converting, and errors that need explaining."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.base import dtypes
from unigrad.base.arguments import broadcast_shapes
from unigrad.base.errors import ArgumentError, DtypeError, IndexRangeError, OperationError, ShapeError, UnigradError
from unigrad.table import SCALAR_TYPES, TAKEN, Primitive, takes
from unigrad.tape import Node
from unigrad.tensor.coercion import one_number, tensor, tracing_type
from unigrad.tensor.levels import is_wrapped, top
from unigrad.tensor.roots import of_roots, sized
from unigrad.tensor.tensor import Tensor


class NotTensor(DtypeError):
    """An operand that is no array, no number and no sequence of numbers."""


LARGEST = 2**63
"""The first integer that int64 does not hold."""


def weak(scalar: Any, dtype: dtypes.DType) -> Any:
    """A Python scalar as the operand beside an array of ``dtype``, or None where it needs :func:`prepare`."""
    kind = type(scalar)
    if dtype.kind in dtypes.REAL_FLOATING:
        return scalar if kind is float or kind is int else None
    if dtype.kind == "c":
        return scalar if kind in (float, int, complex) else None
    # Beside booleans and narrow or unsigned integers a Python int may need another dtype, or not fit.
    return scalar if kind is int and dtype is dtypes.int64 and -LARGEST <= scalar < LARGEST else None


def weak_float(scalar: Any, dtype: dtypes.DType) -> Any:
    """:func:`weak` for operations that take integers as floats."""
    return weak(scalar, dtype) if dtype.kind in dtypes.FLOATING else None


def uncommon(
    function: Callable[..., Tensor], tensor_type: type[Tensor], row: Primitive, args: tuple[Any, ...], statics: Any
) -> Tensor:
    """A bound primitive of one or two arrays that are not all plain Tensors of one dtype."""
    tracing = tracing_type(tensor_type, args)
    if tracing is not None:
        result: Tensor = getattr(tracing._bound, row.name)(*args, *statics)
        return result
    for arg in args:
        if getattr(type(arg), "_is_root", False):
            result = of_roots(function, row, args, statics)
            return result
    if row.dtypes == "rounded_float":
        args = tuple(prepare(tensor_type, row, args))
        half = args[0]._dtype
        if dtypes.is_half(half):
            result = function(*[x.astype(dtypes.float32) for x in args], *statics).astype(half)
            return result
    highest = top(args) if len(args) > 1 else args[0] if is_wrapped(args[0]) else None
    if highest is None:
        return function(*prepare(tensor_type, row, args), *statics)
    if not _alike(tensor_type, row, args, highest._dtype):
        args = tuple(prepare(tensor_type, row, args))
    result = highest._interpret(row, args, statics, highest)
    return result if row.radicand is None or highest._dtype.kind != "c" else sized(row, result, args[0])


def _alike(tensor_type: type[Tensor], row: Primitive, args: Sequence[Any], dtype: dtypes.DType) -> bool:
    """Whether arrays need no :func:`prepare`: all of one floating dtype that the row takes, but for scalars."""
    if dtype.kind not in dtypes.REAL_FLOATING or row.dtypes in ("integer", "whole") or len(row.promoted) != len(args):
        return False
    for arg in args:
        kind = type(arg)
        if kind is float or kind is int:
            if not row.scalars:
                return False
        elif not isinstance(arg, tensor_type) or arg._dtype is not dtype:
            return False
    return True


def prepare(tensor_type: type[Tensor], row: Primitive, args: tuple[Any, ...]) -> list[Tensor]:
    """The array arguments of a primitive as Tensors of one backend, promoted as the row says: that of the type, or of
    the trace that takes them over."""
    tensor_type = tracing_type(tensor_type, args) or tensor_type
    backend = tensor_type.backend
    found = [arg if type(arg) in SCALAR_TYPES else _tensor(arg, backend, args) for arg in args]
    names = row.arrays * len(args) if row.variadic else row.arrays
    together = [position for position, name in enumerate(names) if name in row.promoted]
    dtype = None
    for position in together:
        item = found[position]
        if isinstance(item, Tensor):
            dtype = item.dtype if dtype is None else dtypes.promote(dtype, item.dtype)
    for position in together:
        item = found[position]
        if not isinstance(item, Tensor):
            dtype = dtypes.as_dtype(type(item)) if dtype is None else dtypes.promote_scalar(dtype, item)
    if dtype is not None:
        if "float" in row.dtypes:
            dtype = dtypes.to_float(dtype)
        _check_kind(row, dtype)
        if row.kind == "comparison" and dtype.kind in "iu":
            found = _within(found, dtype)
    like = next((item for item in found if isinstance(item, Tensor)), None)
    result = []
    for position, item in enumerate(found):
        wanted = dtype if position in together else None
        if not isinstance(item, Tensor):
            wanted = dtypes.as_dtype(type(item)) if wanted is None else wanted
            device = None if like is None else like.device
            item = tensor_type.of(backend.full((), one_number(item, wanted).item(), wanted, device), None)
        elif wanted is not None and item.dtype != wanted:
            item = item.astype(wanted)
        result.append(item)
    return result


def _within(items: list[Any], dtype: dtypes.DType) -> list[Any]:
    """What is compared; for a number beyond the integers of ``dtype`` two numbers of which the other is as large."""
    limits = np.iinfo(dtype)
    for position, item in enumerate(items):
        if type(item) is int and not limits.min <= item <= limits.max:
            above = item > limits.max
            items = [(x * 0 if above else x * 0 + 1) if isinstance(x, Tensor) else x for x in items]
            items[position] = int(above)
            break
    return items


LARGEST_FLOAT32 = 3.4028234663852886e38


def _passes(number: Any) -> bool:
    """Whether a framework takes a number as it is beside float32: what is rounded to infinity there some refuse."""
    if type(number) is float:
        return not LARGEST_FLOAT32 < abs(number) < math.inf
    return type(number) is int and -LARGEST <= number < LARGEST


class Number:
    """A Python number where a Tensor of a dtype is asked for."""

    __slots__ = ("_dtype", "_node", "_raw")

    def __init__(self, number: float, dtype: dtypes.DType) -> None:
        self._raw = float(number)
        self._node = None
        self._dtype = dtype


def with_numbers(tensor_type: type[Tensor], row: Primitive, args: tuple[Any, ...]) -> Sequence[Any]:
    """:func:`prepare` of a primitive of three arrays and more whose raw function takes Python's numbers: beside floats
    of the usual two dtypes they stay what they are."""
    dtype = None
    for name, arg in zip(row.arrays, args, strict=True):
        kind = type(arg)
        if kind is tensor_type:
            if name in row.promoted:
                if dtype is not None and dtype is not arg._dtype:
                    return prepare(tensor_type, row, args)
                dtype = arg._dtype
        elif name not in row.promoted or not _passes(arg):
            return prepare(tensor_type, row, args)
    if dtype is not dtypes.float32 and dtype is not dtypes.float64:
        return prepare(tensor_type, row, args)
    return [arg if type(arg) is tensor_type else Number(arg, dtype) for arg in args]


_LOGIC = {"subtract": ", or use x ^ y (logical_xor)", "negative": ", or use ~x (logical_not)"}


def _check_kind(row: Primitive, dtype: dtypes.DType) -> None:
    """DtypeError if the row does not take arrays of this dtype at all."""
    if takes(row.dtypes, dtype):
        return
    taken = TAKEN[row.dtypes]
    if dtype.kind in dtypes.REAL_FLOATING and "f" in taken:
        raise DtypeError(
            f"{row.name} takes floats of 32 bits and more, since no framework does it in {dtype}; "
            f"convert with .astype(ug.float32)"
        )
    if taken == "c":
        raise DtypeError(f"{row.name} takes complex numbers, not {dtype}; convert with .astype(ug.complex64)")
    if "f" not in taken:
        kinds = "integers or booleans" if "b" in taken else "integers"
        raise DtypeError(f"{row.name} takes {kinds}, not {dtype}; convert with .astype(ug.int64)")
    if dtype.kind == "c":
        raise DtypeError(f"{row.name} takes real numbers, not {dtype}; pass real(x), imag(x) or abs(x)")
    raise DtypeError(f"{row.name} takes numbers, not {dtype}; convert with .astype(ug.int64){_LOGIC.get(row.name, '')}")


def _tensor(arg: Any, backend: Backend, beside: Sequence[Any]) -> Tensor:
    try:
        return tensor(arg, backend, beside)
    except UnigradError as error:
        if isinstance(error, (DtypeError, ValueError)) and not hasattr(arg, "dtype"):
            raise NotTensor(str(error)) from error
        raise


def refused(
    tensor_type: type[Tensor],
    row: Primitive,
    error: Exception,
    raws: Sequence[Any],
    nodes: Sequence[Node | None],
    statics: Sequence[Any],
) -> Tensor:
    """What a primitive that a framework refused is of arrays brought to one place, or of booleans; of all else the
    error, explained."""
    backend = tensor_type.backend
    if isinstance(error, UnigradError):
        raise error
    moved = backend.together(row.name, raws)
    if moved is not None:
        args = [
            raw if type(raw) in SCALAR_TYPES else tensor_type.of(raw, node)
            for raw, node in zip(moved[0], nodes, strict=True)
        ]
        result: Tensor = getattr(tensor_type._bound, row.name)(*([args] if row.variadic else args), *statics)
        # The framework records the move as a part of this step.
        return result if moved[1] is None else tensor_type.of(backend.to_device(result._raw, moved[1]), result._node)
    if row.booleans is None:
        raise explain(backend, row, error, raws, statics) from error
    # What is not brought to one dtype is indices beside the first array.
    names = row.arrays * len(raws) if row.variadic else row.arrays
    asked = [raw for name, raw in zip(names, raws, strict=True) if name in row.promoted] or raws[:1]
    if all(type(raw) not in SCALAR_TYPES and backend.dtype(raw) == dtypes.bool_ for raw in asked):
        composition = backend.of_booleans(row.name)
        try:
            raw = composition(list(raws), *statics) if row.variadic else composition(*raws, *statics)
            return tensor_type.of(raw, None)
        except Exception as again:
            error = again
    raise explain(backend, row, error, raws, statics) from error


_OWN_FAULTS = (LookupError, MemoryError, NameError, AttributeError, TypeError, NotImplementedError)
"""What says that a call was wrong or that there is none, and nothing of the numbers in a matrix."""


def explain(
    backend: Backend, row: Primitive, error: Exception, raws: Sequence[Any], statics: Sequence[Any]
) -> Exception:
    """What went wrong in a framework's call, as one of unigrad's errors. Costs nothing until then."""
    shapes = [() if type(raw) in SCALAR_TYPES else tuple(raw.shape) for raw in raws]
    what = f"{row.name} of shapes {' and '.join(map(str, shapes))}"
    if row.kind in ("elementwise", "comparison"):
        try:
            broadcast_shapes(shapes)
        except ShapeError as shape_error:
            return ShapeError(f"{row.name}: {shape_error}")
    found = None if row.explain is None else row.explain(*shapes)
    if found is not None:
        return found
    if row.name == "power" and isinstance(error, ValueError):
        return ArgumentError("integers have no negative integer powers; convert the base with .astype(ug.float32)")
    if row.name in backend.bounds_checked and isinstance(error, IndexError):
        return IndexRangeError(f"{what}: {error}")
    if row.refusal is not None and not isinstance(error, _OWN_FAULTS):
        return row.refusal()
    given = f" with {', '.join(map(repr, statics))}" if statics else ""
    return OperationError(f"backend {backend.name!r} refused {what}{given}: {error}")
