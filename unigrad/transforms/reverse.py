"""Reverse mode: gradients and vector-Jacobian products."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.engine import checked_cotangent
from unigrad.errors import ArgumentError, ShapeError
from unigrad.recording import Scope, is_recording, is_training
from unigrad.tensor import Tensor
from unigrad.transforms.calling import (
    Argnums,
    Arguments,
    Outputs,
    called,
    check_unused,
    matched,
    positions,
    variable,
    with_aux,
)
from unigrad.transforms.pulling import pull_back


def recorded(f: Callable[..., Any], arguments: Arguments, kwargs: dict[str, Any]) -> Any:
    """What ``f`` returns when it is recorded; training mode stays as it is inside a recording, else it is off."""
    with Scope(True, is_training() if is_recording() else False):
        return f(*arguments.values, **kwargs)


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, unused: str = "zeros"
) -> Callable[..., Any]:
    """A function that returns ``(f(...), gradient)``, or ``((f(...), aux), gradient)`` with ``has_aux``.

    ``f`` returns a scalar array (with ``has_aux``: a tuple of that and anything else). ``argnums`` is the position of
    the argument to differentiate, or several: then the gradient is a tuple. An argument may be an array,
    a Python float or a container of them (tuple, list, dict, named tuple, dataclass), and its gradient
    has the same structure. An array that the value does not depend on gets zeros, None or an ArgumentError, as
    ``unused`` (``"zeros"``, ``"none"``, ``"error"``) says. Keyword arguments are passed on to ``f``.

    Raises ArgumentError for a position that is not there or a result that is no array, DtypeError for integers,
    ShapeError if the value is not a scalar.
    """
    check_unused(unused)

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments(args, positions(argnums, len(args)), variable)
        result, aux = with_aux(f, recorded(f, arguments, kwargs), has_aux)
        value = scalar(f, result)
        nested = is_recording()
        grads = pull_back([value], [value.ones_like()], arguments.variables, nested, nested, unused)
        pieces = arguments.rebuilt(grads)
        first = arguments.shown(value)
        if has_aux:
            first = (first, arguments.shown_tree(aux))
        return first, pieces[0] if isinstance(argnums, int) else tuple(pieces)

    return differentiated


def scalar(f: Callable[..., Any], result: Any) -> Tensor:
    """What ``f`` returned, which must be one scalar array."""
    value = Outputs(f, result).tensors[0]
    if not isinstance(result, (Tensor, int, float)):
        raise ArgumentError(
            f"grad needs {called(f)} to return one array, not {type(result).__name__}; "
            f"with has_aux=True it may return (value, anything)"
        )
    if value.shape != ():
        raise ShapeError(
            f"grad needs a scalar value, and {called(f)} returned shape {value.shape}; reduce it, as .sum() does, "
            f"or use ug.vjp or ug.jacobian"
        )
    return value.astype(float) if value.dtype.kind in "biu" else value


def grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, unused: str = "zeros"
) -> Callable[..., Any]:
    """A function that returns the gradient of ``f``, or ``(gradient, aux)`` with ``has_aux``.

    See :func:`value_and_grad`.
    """
    both = value_and_grad(f, argnums, has_aux, unused)

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def vjp(
    f: Callable[..., Any],
    *primals: Any,
    argnums: Argnums | None = None,
    has_aux: bool = False,
    unused: str = "zeros",
    **kwargs: Any,
) -> Any:
    """``(f(*primals), pull)``: the value, and a function from a cotangent of it to the cotangents of the primals.

    Each primal is an array, a Python float or a container of them. ``pull`` takes a cotangent of the output's
    structure, shapes and dtypes and returns a tuple with one entry for each primal, of its structure. It can be called
    any number of times, also inside ``vmap``, and keeps alive what ``f`` recorded. With ``argnums`` only these
    primals are differentiated, and ``pull`` returns as many; with ``has_aux`` ``f`` returns ``(output, aux)``
    and so does vjp: ``(output, pull, aux)``. ``unused`` is as in :func:`value_and_grad`; keyword arguments go to ``f``.

    Raises ArgumentError if the structures differ, ShapeError or DtypeError if an array's do.
    """
    check_unused(unused)
    arguments = Arguments(primals, positions(argnums, len(primals)), variable)
    result, aux = with_aux(f, recorded(f, arguments, kwargs), has_aux)
    outputs = Outputs(f, result)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        seeds = checked_all(outputs.tensors, matched(cotangent, result, "the cotangent", "the output"), "the cotangent")
        grads = pull_back(outputs.tensors, seeds, arguments.variables, True, is_recording(), unused)
        return tuple(arguments.rebuilt(grads))

    shown = outputs.rebuilt([arguments.shown(output) for output in outputs.tensors])
    return (shown, pull, arguments.shown_tree(aux)) if has_aux else (shown, pull)


def checked_all(outputs: Sequence[Tensor], given: Sequence[Any], what: str) -> list[Tensor]:
    """A cotangent for each output as a Tensor; ShapeError or DtypeError unless each has its shape and dtype."""
    return [checked_cotangent(output, g, what, "output") for output, g in zip(outputs, given, strict=True)]
