"""How a primitive is declared, and the function that finds the backend which does the work: that of its arguments."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from unigrad.base.errors import DtypeError, UnigradError
from unigrad.binding.source import NAME, execute_alike, fill, tuple_of
from unigrad.table import OPERATIONS, PRIMITIVES, F, Primitive, parameters, row_of
from unigrad.tensor.coercion import bound_for
from unigrad.tensor.tensor import Tensor


def primitive(
    kind: str,
    *,
    dtypes: str = "numeric",
    promoted: tuple[str, ...] | None = None,
    scalars: bool = False,
    result: str = "same",
    public: bool = False,
) -> Callable[[F], F]:
    """Declare a primitive by a stub; see ``unigrad.table``. Returns the function that dispatches to backends."""

    def declare(stub: F) -> F:
        names = parameters(stub)
        arrays = tuple(name for name in names if stub.__annotations__[name] in ("Array", "Arrays"))
        row = Primitive(
            name=stub.__name__.rstrip("_"),
            kind=kind,
            arrays=arrays,
            variadic="Arrays" in stub.__annotations__.values(),
            statics=tuple(name for name in names if name not in arrays),
            dtypes=dtypes,
            promoted=arrays if promoted is None else promoted,
            scalars=scalars,
            result="bool" if kind == "comparison" else result,
            forward="transpose" if kind == "elementwise" else "",
            batching="aligned" if kind in ("elementwise", "comparison") else None,
            doc=inspect.getdoc(stub) or "",
        )
        if row.name in PRIMITIVES:
            raise UnigradError(f"primitive {row.name!r} is declared twice")
        PRIMITIVES[row.name] = row
        function = dispatcher(row, stub)
        row_of[function] = row
        if public:
            OPERATIONS[row.name] = function
        return function

    return declare


# By a method of the first Tensor among the arrays, else by way of the backend that all of them decide.
CALL = """
def {name}({names}{slash}):
    {branches}
    return {call}
"""

BRANCH = """
if isinstance({array}, Tensor):
    return {call}
"""


def dispatcher(row: Primitive, stub: F) -> F:
    """The function that users call for a primitive. It finds the backend and calls its bound primitive.

    Generated, so that the common call is one type check and the call of a method, which each backend's Tensors have
    for each primitive (:func:`method_name`): to go by ``_bound`` takes two look-ups that Python does not remember.
    """
    source = _source(row.arrays, row.statics, row.variadic, row.scalars, bool(stub.__code__.co_posonlyargcount))
    scope: dict[str, Any] = {"Tensor": Tensor, "bound_for": bound_for, "declined": _declined}
    function: F = execute_alike(stub.__name__, source, scope, of=row.name, what="call")
    function.__doc__ = stub.__doc__
    function.__module__ = stub.__module__
    # No __wrapped__: who unwraps the function, as AutoGraph does, must not get the stub.
    function.__annotations__ = stub.__annotations__
    return function


@functools.cache
def _source(arrays: tuple[str, ...], statics: tuple[str, ...], variadic: bool, scalars: bool, slash: bool) -> str:
    names = ", ".join((*arrays, *statics))
    rest = ", ".join((*arrays[1:], *statics))
    # As operators these may decline; a function call may not.
    call = (
        "found if (found := {}) is not NotImplemented else declined(x1, x2)" if scalars and len(arrays) == 2 else "{}"
    )
    branches = [f"{arrays[0]}._{NAME}_({rest})", *[f"{x}._bound.{NAME}({names})" for x in arrays[1:]]]
    return fill(
        CALL,
        name=NAME,
        names=names,
        slash=", /" if slash else "",
        branches="\n".join(
            fill(BRANCH, array=array, call=call.format(branch))
            for array, branch in zip(arrays, branches, strict=True)
            if not variadic
        ),
        call=call.format(f"bound_for({arrays[0] if variadic else tuple_of(arrays)}).{NAME}({names})"),
    )


def method_name(row: Primitive) -> str:
    """The method of a primitive on the Tensors of a backend, over its arrays and parameters in their order."""
    return f"_{row.name}_"


def _declined(x1: Any, x2: Any) -> Any:
    raise DtypeError(f"no arithmetic between {type(x1).__name__} and {type(x2).__name__}; pass arrays or numbers")
