"""Who becomes a Tensor, and where: the backend that arguments decide, and what is made of them there."""

from __future__ import annotations

import array
import math
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import at_trace, backend_of, current_backend
from unigrad.base import dtypes
from unigrad.base.arguments import listed
from unigrad.base.casting import to_integers
from unigrad.base.errors import ArgumentError, BackendMismatchError, DtypeError
from unigrad.base.tracing import trace
from unigrad.table import OPERATIONS
from unigrad.tensor.tensor import Tensor, type_on

NUMBERS = (bool, int, float, complex)


def backend_for(args: Sequence[Any]) -> Backend:
    """The backend of the first Tensor among ``args``, else of the first framework array, else the current one."""
    if not isinstance(args, (list, tuple)):
        args = listed(args, "arrays")
    for arg in args:
        if isinstance(arg, Tensor):
            return at_trace(arg.backend)
    for arg in args:
        if not isinstance(arg, (*NUMBERS, list, tuple, np.ndarray, np.generic)):
            backend = backend_of(arg)
            if backend is not None:
                return at_trace(backend)
    return current_backend()


def bound_for(args: Sequence[Any]) -> Any:
    """The bound primitives of :func:`backend_for`."""
    return type_on(backend_for(args))._bound


def tensors(args: Sequence[Any], whole: bool = False) -> list[Tensor]:
    """All of ``args`` as Tensors of one backend, each in its own dtype.

    Python's floating and complex numbers take that of the arrays beside them, of whose digits they would lose half
    otherwise, and integers likewise if ``whole``: they are not always numbers to compute with.
    """
    if type(args) is not tuple:
        args = listed(args, "arrays")
    if args and trace() is None and isinstance(args[0], Tensor):
        kind = type(args[0])
        for arg in args:
            if type(arg) is not kind:
                break
        else:
            return list(args)
    backend = backend_for(args)
    weak = (int, float, complex) if whole else (float, complex)
    found = [None if type(arg) in weak else tensor(arg, backend, args) for arg in args]
    arrays = [array for array in found if array is not None]
    if len(arrays) == len(found):
        return arrays
    if not arrays:
        return [tensor(arg, backend) for arg in args]
    beside = reduce(dtypes.promote, [array._dtype for array in arrays])
    return [_beside(arg, beside, arrays) if array is None else array for array, arg in zip(found, args, strict=True)]


def _beside(number: complex, dtype: dtypes.DType, arrays: list[Tensor]) -> Tensor:
    """A Python number beside arrays of which ``dtype`` is the common one."""
    wanted = dtypes.promote_scalar(dtype, number)
    values = one_number(number, wanted if type(number) is complex else dtypes.real_of(wanted))
    like = arrays[0]
    return type_on(like.backend).of(like.backend.from_numpy(values, like.device), None)


def tensor(arg: Any, backend: Backend, beside: Sequence[Any] = ()) -> Tensor:
    """``arg`` as a Tensor of ``backend``, numbers on the device of the first Tensor ``beside`` them;
    BackendMismatchError if it is another backend's."""
    if isinstance(arg, Tensor):
        if arg.backend is not backend:
            if backend.adopts(arg.backend):
                return backend.adopted(arg)
            raise mismatch(backend.name, arg.backend.name)
        return arg
    # NumPy's arrays are data as lists and numbers are, and copied also by NumPy's backend: whoever fills a buffer again
    # before backward gets one gradient everywhere. All other libraries' stay where they are.
    if isinstance(arg, backend.array_types) and not isinstance(arg, np.ndarray):
        return admitted(arg, backend)
    other = None if isinstance(arg, (*NUMBERS, list, tuple, np.ndarray, np.generic)) else backend_of(arg)
    if other is not None and other is not backend:
        if backend.adopts(other):
            return admitted(arg, other)
        raise mismatch(backend.name, other.name)
    rows = collected(arg)
    if rows is not None:
        return tensor(rows, backend)
    values = as_numpy(arg, None)
    backend.raw_dtype(values.dtype)  # an UnsupportedError is clearer than the framework's
    device = next((other.device for other in beside if isinstance(other, Tensor) and other.backend is backend), None)
    return type_on(backend).of(backend.from_numpy(values, device), None)


def admitted(raw: Any, backend: Backend) -> Tensor:
    """A raw array of the user's, or what a variable holds now, as a Tensor; DtypeError if it cannot be used."""
    if isinstance(raw, backend.variable_types):
        raw = backend.foreign.array_in(raw)
    return traced(type_on(backend).of(backend.admit(raw), None))


def traced(x: Tensor) -> Tensor:
    """A Tensor, taken over by the trace at work if there is one that does."""
    backend = at_trace(x.backend)
    return x if backend is x.backend else backend.adopted(x)


def tracing_type(tensor_type: type[Tensor], args: Sequence[Any]) -> type[Tensor] | None:
    """The class of those Tensors among the arguments that a trace takes ``tensor_type``'s over for; None for none."""
    if trace() is not None:
        for arg in args:
            if isinstance(arg, Tensor) and arg.backend.adopts(tensor_type.backend):
                return arg._plain
    return None


def mismatch(first: str, second: str) -> BackendMismatchError:
    """The error for arrays of the backends of these names in one operation."""
    if first == second:
        return BackendMismatchError(
            "an array that was made while ug.compile traced a function met one from outside: it was kept in a list, a "
            "global or an attribute; return it instead"
        )
    return BackendMismatchError(
        f"arrays of backends {first!r} and {second!r} met in one operation; move one with x.to_backend({first!r}), or "
        f"make it beside an array of the other from the start: ug.arange(3.0, like=x)"
    )


def as_numpy(obj: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """Numbers, NumPy's arrays, buffers and nested sequences of all as a NumPy array, of ``dtype`` if that is not None.

    Python's floats are float32 and its integers int64. ArgumentError or DtypeError for what holds no numbers, or
    numbers that the dtype does not hold.
    """
    wanted = None if dtype is None else dtypes.as_dtype(dtype)
    check_whole(obj)
    if isinstance(obj, (np.ndarray, np.generic)):
        return _cast(np.asarray(obj), dtypes.as_dtype(obj.dtype) if wanted is None else wanted)
    if isinstance(obj, (memoryview, bytes, bytearray, array.array)):
        return as_numpy(np.asarray(memoryview(obj)), dtype)
    if isinstance(obj, NUMBERS):
        return one_number(obj, dtypes.as_dtype(type(obj)) if wanted is None else wanted)
    obj = _plain(obj)
    try:
        with np.errstate(all="ignore"):
            values = np.asarray(obj, dtype=wanted)
    except (ValueError, TypeError, OverflowError) as error:
        raise ArgumentError(f"no array can be made of {type(obj).__name__} {short(obj)}: {error}") from error
    if values.dtype.kind not in "biu" + dtypes.FLOATING:
        raise DtypeError(f"no array can be made of {type(obj).__name__} {short(obj)}: its elements are no numbers")
    if values.dtype.kind == "V":
        dtypes.as_dtype(values.dtype)
    if wanted is None and values.dtype.kind in "fic" and not _holds_arrays(obj):
        values = values.astype(dtypes.as_dtype({"f": float, "i": int, "c": complex}[values.dtype.kind]))
    return values


def check_whole(obj: Any) -> None:
    """ArgumentError for an array that would silently become another: without its mask, filled up with zeros, or
    computed as a whole."""
    if type(obj) is np.ndarray:
        return
    if isinstance(obj, np.ndarray) and np.any(getattr(obj, "mask", False)):
        raise ArgumentError(
            "a masked array would lose its mask here; pass x.filled(value), or x.compressed() for those that are left"
        )
    if hasattr(obj, "todense"):
        raise ArgumentError(f"{type(obj).__name__} is sparse, and Tensors are dense arrays; pass x.todense()")
    if hasattr(obj, "__dask_graph__"):
        raise ArgumentError(
            f"{type(obj).__name__} of dask is not computed yet, and all of it would be here; say so with x.compute()"
        )


def plain_numbers(values: Any, name: str) -> np.ndarray[Any, Any]:
    """Numbers that say how, and are no operand: NumPy's array of them, floats as float64; ArgumentError for anything
    else."""
    try:
        found = np.asarray(values.numpy() if isinstance(values, Tensor) else values)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"{name} must be a number or numbers, not {short(values)}: {error}") from error
    if found.dtype.kind not in "biufc":
        raise ArgumentError(f"{name} must be a number or numbers, not {short(values)}")
    return found


def one_number(number: complex, dtype: dtypes.DType) -> np.ndarray[Any, Any]:
    """A Python number as a 0-dimensional array: infinite where it is beyond a floating dtype.

    DtypeError if an integer dtype does not hold it, or a real one is to hold a complex number.
    """
    try:
        with np.errstate(all="ignore"):
            return np.asarray(number, dtype=dtype)
    except OverflowError:
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            raise DtypeError(
                f"{dtype} holds integers from {limits.min} to {limits.max}, and not {number}; "
                f"use another dtype, or a floating one"
            ) from None
        beyond = max(number.real, number.imag, key=abs)  # of a Python integer of more than three hundred digits
        return np.asarray(math.inf if beyond > 0 else -math.inf, dtype=dtype)
    except (ValueError, TypeError) as error:
        raise DtypeError(f"{dtype} does not hold {number}: {error}; use a floating or complex dtype") from error


def _cast(values: np.ndarray[Any, Any], dtype: dtypes.DType) -> np.ndarray[Any, Any]:
    if values.dtype.kind not in "biufc" and values.dtype.name not in dtypes.LATE:
        raise DtypeError(f"an array of {values.dtype} holds no numbers")
    if values.dtype.kind == "c" and dtype.kind in "iufV":
        raise DtypeError(f"a cast from {values.dtype} to {dtype} would lose a part; take x.real or abs(x) first")
    with np.errstate(all="ignore"):
        if values.dtype.kind in "fV" and dtype.kind in "iu":
            values = values if values.dtype.itemsize >= 4 else values.astype(np.float32)
            return np.asarray(to_integers(values, dtype, lambda x, wanted: x.astype(wanted), np.where))
        return values.astype(dtype, copy=False)


def _plain(obj: Any) -> Any:
    """A nested sequence with every Tensor or foreign array in it replaced by its NumPy values."""
    if isinstance(obj, (list, tuple, range)):
        return [_plain(item) for item in obj]
    if isinstance(obj, Tensor):
        obj.refuse_if_recorded("collect it in a list for asarray", "ug.stack([...])")
        return obj.numpy()
    backend = None if isinstance(obj, (np.ndarray, np.generic, *NUMBERS)) else backend_of(obj)
    return obj if backend is None else admitted(obj, backend).numpy()


def collected(obj: Any) -> Tensor | None:
    """A list with Tensors in it, however nested, as one of their stack's dtype, which is followed, mapped or traced as
    they are; None for all else, whose values are data."""
    if isinstance(obj, (list, tuple)) and holds_tensor(obj):
        found: Tensor = OPERATIONS["stack"](obj)
        return found
    return None


def holds_tensor(obj: Any) -> bool:
    """Whether it is a Tensor, or a list or tuple, however nested, with one in it."""
    if isinstance(obj, (list, tuple)):
        return any(holds_tensor(item) for item in obj)
    return isinstance(obj, Tensor)


def _holds_arrays(obj: Any) -> bool:
    if isinstance(obj, (list, tuple)):
        return any(_holds_arrays(item) for item in obj)
    return isinstance(obj, (np.ndarray, np.generic))


def short(obj: Any) -> str:
    """Its ``repr``, cut off for messages."""
    text = repr(obj)
    return text if len(text) <= 60 else text[:57] + "..."
