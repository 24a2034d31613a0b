"""Making arrays, and changing their dtype.

Values are computed by NumPy and then moved, so that they are the same to the last bit everywhere. New
arrays are made on the current backend; ``like=`` makes them on the backend and device of an array.
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import at_trace, backend_of, check_device, current_backend, current_place
from unigrad.base import dtypes
from unigrad.base.arguments import new_shape, real_number, whole_number
from unigrad.base.dtypes import DType
from unigrad.base.errors import (
    ArgumentError,
    DtypeError,
    InterchangeError,
    ProtocolError,
    UnigradError,
)
from unigrad.base.tracing import trace
from unigrad.binding.declaring import primitive
from unigrad.table import Array, alias, batched, jvp, operation, vjp
from unigrad.tensor.coercion import (
    NUMBERS,
    admitted,
    as_numpy,
    check_whole,
    collected,
    mismatch,
    one_number,
    plain_numbers,
    short,
    traced,
)
from unigrad.tensor.tensor import Tensor, type_on

__all__ = [
    "arange", "asarray", "astype", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like",
    "ones", "ones_like", "zeros", "zeros_like",
    "array", "tensor",
]  # fmt: skip

# The integers up to here are floating numbers as well.
_EXACT = 2**53


def _like(like: Any) -> Tensor:
    """A Tensor to make another like; ArgumentError for anything else."""
    if not isinstance(like, Tensor):
        raise ArgumentError(f"like={short(like)} must be a Tensor, to make one on its backend; ug.asarray makes it one")
    return like


def _place(like: Tensor | None, device: Any) -> tuple[Backend, Any]:
    backend, beside = current_place() if like is None else (at_trace(_like(like).backend), like.device)
    device = check_device(backend, device)
    return backend, beside if device is None else device


def made(values: np.ndarray[Any, Any], like: Tensor | None, device: Any) -> Tensor:
    """A new Tensor with these values where ``like`` is, or else on the current backend."""
    backend, device = _place(like, device)
    backend.raw_dtype(values.dtype)  # an UnsupportedError is clearer than the framework's
    return type_on(backend).of(backend.from_numpy(values, device), None)


@operation
def asarray(
    obj: Array, /, dtype: Any = None, *, device: Any = None, copy: bool | None = None, like: Tensor | None = None
) -> Tensor:
    """A Tensor from a Tensor, any library's array, a buffer, a scalar or a nested sequence.

    A Tensor or a framework's own array stays on its backend and shares its memory; what another library exports
    through DLPack shares its memory with the current backend (or that of ``like``) where that is possible; everything
    else is copied there, NumPy's arrays too, by NumPy's backend as by all others: a buffer may be filled again.
    A list with Tensors in it, ``[[c, -s], [s, c]]``, is what :func:`unigrad.stack` makes of it, recorded as that is.
    ``copy=True`` always copies, and False shares the memory also of NumPy's arrays; where it cannot be had it raises
    ArgumentError. Without ``dtype`` arrays keep theirs; Python floats become float32 and integers int64.

    DtypeError for an integer that the dtype does not hold; a float beyond a floating dtype is infinite there, and what
    becomes of floats that an integer dtype does not hold is the same on all backends (:func:`astype`).
    """
    if (
        isinstance(obj, Tensor)
        and dtype is None
        and device is None
        and not copy
        and (like is None or type(like) is type(obj))
    ):
        return obj if trace() is None else traced(obj)  # as every operation asks it
    if like is not None:
        _like(like)
    rows = traced(obj) if isinstance(obj, Tensor) else None if copy is False else collected(obj)
    if rows is not None:
        found = rows
    else:
        backend = None if isinstance(obj, (np.ndarray, np.generic, *NUMBERS, list, tuple)) else backend_of(obj)
        target = current_backend() if like is None else like.backend
        if backend is None:
            check_whole(obj)
        shared = not isinstance(obj, np.generic) and (copy is False or not isinstance(obj, np.ndarray))
        if backend is None and shared and isinstance(obj, target.array_types):
            backend = target
        if backend is not None:
            found = admitted(obj, backend)
        elif _exchanges(obj) or (copy is False and isinstance(obj, np.ndarray)):
            found = _imported(obj, target, copy)
            copy = None
        elif copy is False:
            raise ArgumentError(f"an array of {type(obj).__name__} {short(obj)} takes a copy; leave out copy=False")
        else:
            return made(as_numpy(obj, dtype), like, device)
    if like is not None and found.backend is not like.backend and not found.backend.adopts(like.backend):
        raise mismatch(like.backend.name, found.backend.name)
    return _converted(found, dtype, device, copy)


def _converted(x: Tensor, dtype: Any, device: Any, copy: bool | None) -> Tensor:
    """x in a dtype, on a device and in memory of its own, as far as these are asked for."""
    found = x
    if device is not None:
        found = found.to_device(device)
    if dtype is not None and found.dtype != dtypes.as_dtype(dtype):
        found = astype(found, dtype)
    if copy is False and found is not x:
        raise ArgumentError(
            f"from {x.dtype} on {x.device!r} to that dtype and device takes a copy; leave out copy=False"
        )
    return found.copy() if copy and found is x else found


def _exchanges(obj: Any) -> bool:
    """Whether it is another library's array, which knows DLPack."""
    return hasattr(obj, "__dlpack__") and not isinstance(obj, (np.ndarray, np.generic))


def _imported(source: Any, backend: Backend, copy: bool | None) -> Tensor:
    """Another library's array, or another backend's Tensor, by DLPack."""
    try:
        raw = backend.from_dlpack(source, copy)
    except UnigradError:
        raise
    except (BufferError, ValueError, RuntimeError, TypeError) as error:
        kind = ArgumentError if copy is False and isinstance(error, ValueError) else InterchangeError
        raise kind(f"backend {backend.name!r} cannot take over {type(source).__name__} by DLPack: {error}") from error
    return type_on(backend).of(backend.admit(raw), None)


@operation
def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None, like: Tensor | None = None) -> Tensor:
    """An array on the current backend (or that of ``like``) from any object with ``__dlpack__``, a Tensor too.

    It shares x's memory where that is possible. ``copy=True`` always copies, and False raises InterchangeError or
    ArgumentError where it would have to. ProtocolError if x has no ``__dlpack__``.
    """
    if not (hasattr(x, "__dlpack__") and hasattr(x, "__dlpack_device__")):
        raise ProtocolError(
            f"{type(x).__name__} has no __dlpack__ and __dlpack_device__; use asarray for other objects"
        )
    backend, device = _place(like, device)
    if isinstance(x, Tensor) and x.backend is backend:
        x.refuse_if_recorded("export it through DLPack", "x.detach()")
        return _converted(type(x).of(backend.engine.detached(x._raw), None), None, device, copy)
    return _converted(_imported(x, backend, copy), None, device, False if copy is False else None)


@primitive("cast", dtypes="any", result="dtype")
def astype_(x: Array, dtype: Any, /) -> Tensor:
    """x in another dtype."""


def _uncast(xp: Any, g: Any, x_dtype: Any, dtype: Any) -> Any:
    return xp.astype(xp.real(g) if dtype.kind == "c" and x_dtype.kind != "c" else g, x_dtype)


vjp(astype_, _uncast)
jvp(astype_, lambda xp, t, dtype: xp.astype(t, dtype))
batched(astype_, "further")


@operation
def astype(x: Array, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Tensor:
    """x in another dtype. Differentiable between floating dtypes; through any other the gradient is zero.

    From floating numbers to integers it is truncated towards zero. What the integers do not hold (NaN, infinity, too
    large) is the least number of int32 or int64, and in other dtypes the low bits of int32 (those of less than 32 bits)
    or int64 (uint32, uint64): ``nan`` is -2147483648 as int32, and 300.0 is 44 as uint8.

    DtypeError from complex to real numbers, of which only a choice is a cast: ``real(x)`` or ``abs(x)``.
    """
    x = asarray(x)
    wanted = dtypes.as_dtype(dtype)
    if device is not None:
        x = x.to_device(device)
    if x.dtype == wanted:
        return x if x._node is not None or not copy else x.copy()
    x.backend.raw_dtype(wanted)
    if x.dtype.kind == "c" and wanted.kind in "iu" + dtypes.REAL_FLOATING:
        raise DtypeError(f"a cast from {x.dtype} to {wanted} would lose a part; take ug.real(x) or ug.abs(x) first")
    # A cast to or from integers is piecewise constant, so nothing is recorded through it.
    return astype_(x if dtypes.has_gradients(wanted) else x.detach(), wanted)


@operation
def full(
    shape: int | Sequence[int],
    fill_value: complex,
    dtype: Any = None,
    *,
    device: Any = None,
    like: Tensor | None = None,
) -> Tensor:
    """An array filled with one value; its dtype is the value's default unless given."""
    backend, device = _place(like, device)
    if isinstance(fill_value, Tensor):
        fill_value.refuse_if_recorded("fill a new array with it", "ug.broadcast_to(x, shape)")
        dtype, fill_value = fill_value.dtype if dtype is None else dtype, fill_value.item()
    wanted = dtypes.as_dtype(type(fill_value) if dtype is None and isinstance(fill_value, NUMBERS) else dtype)
    backend.raw_dtype(wanted)
    if not isinstance(fill_value, NUMBERS):
        found = plain_numbers(fill_value, "fill_value")
        fill_value = found.item() if not found.ndim else _no_number(fill_value)
    value = one_number(fill_value, wanted).item()
    return type_on(backend).of(backend.full(new_shape(shape), value, wanted, device), None)


def _no_number(value: Any) -> complex:
    raise ArgumentError(
        f"an array is filled with one number, not {short(value)}; ug.broadcast_to(x, shape) repeats many"
    )


def _float_or(dtype: Any) -> DType:
    if type(dtype) is int:
        raise DtypeError(f"{dtype} is not a dtype; a shape is one argument: ug.zeros((3, 4))")
    return dtypes.default_float if dtype is None else dtypes.as_dtype(dtype)


@operation
def zeros(shape: int | Sequence[int], dtype: Any = None, *, device: Any = None, like: Tensor | None = None) -> Tensor:
    """Zeros, float32 unless told otherwise."""
    return full(shape, 0, dtype=_float_or(dtype), device=device, like=like)


@operation
def ones(shape: int | Sequence[int], dtype: Any = None, *, device: Any = None, like: Tensor | None = None) -> Tensor:
    """Ones, float32 unless told otherwise."""
    return full(shape, 1, dtype=_float_or(dtype), device=device, like=like)


@operation
def empty(shape: int | Sequence[int], dtype: Any = None, *, device: Any = None, like: Tensor | None = None) -> Tensor:
    """An array whose values mean nothing (they are zeros, the same on every backend)."""
    return zeros(shape, dtype=dtype, device=device, like=like)


@operation
def full_like(x: Array, /, fill_value: complex, dtype: Any = None, *, device: Any = None) -> Tensor:
    """An array of x's shape, dtype, backend and device, filled with one value."""
    x = asarray(x)
    return full(x.shape, fill_value, dtype=x.dtype if dtype is None else dtype, device=device, like=x)


@operation
def zeros_like(x: Array, /, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Zeros of x's shape, dtype, backend and device."""
    return full_like(x, 0, dtype=dtype, device=device)


@operation
def ones_like(x: Array, /, dtype: Any = None, *, device: Any = None) -> Tensor:
    """Ones of x's shape, dtype, backend and device."""
    return full_like(x, 1, dtype=dtype, device=device)


@operation
def empty_like(x: Array, /, dtype: Any = None, *, device: Any = None) -> Tensor:
    """An array of x's shape, dtype, backend and device whose values mean nothing (zeros)."""
    return full_like(x, 0, dtype=dtype, device=device)


@operation
def arange(
    start: float,
    /,
    stop: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: Any = None,
    like: Tensor | None = None,
) -> Tensor:
    """Numbers from ``start`` (0 if only one bound is given) up to, not including, ``stop``.

    int64 if all three are integers, else float32, unless told otherwise.
    """
    if stop is None:
        start, stop = 0, start
    for name, bound in (("start", start), ("stop", stop), ("step", step)):
        real_number(bound, f"{name} of arange")
    if step == 0:
        raise ArgumentError("arange cannot go in steps of 0")
    whole = builtins.all(isinstance(bound, int) for bound in (start, stop, step))
    wanted = dtypes.as_dtype((int if whole else float) if dtype is None else dtype)
    if whole and builtins.max(abs(start), abs(stop)) > _EXACT:
        # NumPy counts in floating numbers, and holds none of uint64's upper half in between.
        return made(np.asarray(range(int(start), int(stop), int(step)), dtype=wanted), like, device)
    try:
        values = np.arange(start, stop, step)
    except (ValueError, OverflowError, MemoryError) as error:
        raise ArgumentError(f"arange from {start} to {stop} in steps of {step}: {error}") from error
    return made(values.astype(wanted), like, device)


@operation
def eye(
    n_rows: int,
    n_cols: int | None = None,
    /,
    *,
    k: int = 0,
    dtype: Any = None,
    device: Any = None,
    like: Tensor | None = None,
) -> Tensor:
    """Ones on the diagonal ``k`` and zeros elsewhere, float32 unless told otherwise."""
    n_rows, k = whole_number(n_rows, "n_rows"), whole_number(k, "k")
    columns = n_rows if n_cols is None else whole_number(n_cols, "n_cols")
    new_shape((n_rows, columns))
    # NumPy takes no diagonal that is beyond its own integers.
    k = builtins.max(-n_rows, builtins.min(k, columns))
    return made(np.eye(n_rows, columns, k=k, dtype=_float_or(dtype)), like, device)


array = alias("array", asarray)


@operation
def tensor(data: Array, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """PyTorch's way to make one: :func:`asarray` with ``copy=True``, and with ``requires_grad`` ``attach_grad()``.

    float32 from Python floats and int64 from integers unless told otherwise. A recorded Tensor's copy has no history.
    """
    found = asarray(data.detach() if isinstance(data, Tensor) else data, dtype=dtype, device=device, copy=True)
    if requires_grad:
        found.attach_grad()
    return found
