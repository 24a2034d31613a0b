"""From a call of a public function to the backend that does the work: that of its arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from unigrad.errors import DtypeError

if TYPE_CHECKING:
    from unigrad.backend import Backend
    from unigrad.operations.table import F, Primitive
    from unigrad.tensor import Tensor


def dispatcher(row: Primitive, stub: F) -> F:
    """The function that users call for a primitive. It finds the backend and calls its bound primitive.

    Generated, so that the common call is one type check and the call of a method, which each backend's Tensors have
    for each primitive (:func:`method_name`): to go by ``_bound`` takes two look-ups that Python does not remember.
    """
    name = row.name
    names = ", ".join((*row.arrays, *row.statics))
    if row.variadic:
        body = f"    return bound_for({row.arrays[0]}).{name}({names})\n"
    else:
        body = "".join(
            f"    if isinstance({array}, Tensor):\n        return {_call(row, array, names)}\n" for array in row.arrays
        )
        body += f"    return bound_for(({', '.join(row.arrays)},)).{name}({names})\n"
        if row.scalars:
            # As operators these may decline; a function call may not.
            body = re.sub("return (.*)", r"return accepted(\1, x1, x2)", body)
    slash = ", /" if stub.__code__.co_posonlyargcount else ""
    from unigrad.tensor import Tensor

    scope: dict[str, Any] = {"Tensor": Tensor, "bound_for": bound_for, "accepted": _accepted}
    exec(f"def {stub.__name__}({names}{slash}):\n{body}", scope)  # noqa: S102
    function: F = scope[stub.__name__]
    function.__doc__ = stub.__doc__
    function.__module__ = stub.__module__
    # No __wrapped__: who unwraps the function, as AutoGraph does, must not get the stub.
    function.__annotations__ = stub.__annotations__
    return function


def method_name(row: Primitive) -> str:
    """The method of a primitive on the Tensors of a backend, over its arrays and parameters in their order."""
    return f"_{row.name}_"


def _call(row: Primitive, array: str, names: str) -> str:
    if array == row.arrays[0]:
        return f"{array}.{method_name(row)}({names.removeprefix(array).removeprefix(', ')})"
    return f"{array}._bound.{row.name}({names})"


def _accepted(result: Any, x1: Any, x2: Any) -> Any:
    if result is NotImplemented:
        raise DtypeError(f"no arithmetic between {type(x1).__name__} and {type(x2).__name__}; pass arrays or numbers")
    return result


def backend_for(args: Sequence[Any]) -> Backend:
    """The backend of the first Tensor among ``args``, else of the first framework array, else the current one."""
    from unigrad.backend import backend_of, current_backend
    from unigrad.tensor import Tensor

    for arg in args:
        if isinstance(arg, Tensor):
            return arg.backend
    for arg in args:
        if not isinstance(arg, (bool, int, float, complex, list, tuple, np.ndarray, np.generic)):
            backend = backend_of(arg)
            if backend is not None:
                return backend
    return current_backend()


def bound_for(args: Sequence[Any]) -> Any:
    """The bound primitives of :func:`backend_for`."""
    return backend_for(args).tensor_type._bound


def tensors(args: Sequence[Any]) -> list[Tensor]:
    """All of ``args`` as Tensors of one backend, each in its own dtype."""
    backend = backend_for(args)
    return [tensor(arg, backend) for arg in args]


def tensor(arg: Any, backend: Backend) -> Tensor:
    """``arg`` as a Tensor of ``backend``; BackendMismatchError if it is another backend's."""
    from unigrad.backend import backend_of
    from unigrad.operations import creation
    from unigrad.tensor import Tensor

    if isinstance(arg, Tensor):
        if arg.backend is not backend:
            raise creation.mismatch(backend, arg.backend)
        return arg
    if isinstance(arg, np.ndarray) and not isinstance(arg, backend.array_types):
        raise creation.mismatch(backend, _numpy_backend())
    if isinstance(arg, backend.array_types):
        backend.admit(arg)
        return backend.tensor_type.of(arg, None)
    other = None if isinstance(arg, (bool, int, float, complex, list, tuple, np.generic)) else backend_of(arg)
    if other is not None and other is not backend:
        raise creation.mismatch(backend, other)
    values = creation._as_numpy(arg, None)
    return backend.tensor_type.of(backend.from_numpy(values), None)


def _numpy_backend() -> Backend:
    from unigrad.native import numpy_backend

    return numpy_backend
