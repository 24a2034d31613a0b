"""Reverse mode: gradients and vector-Jacobian products."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

from unigrad.base.dtypes import has_gradients
from unigrad.base.errors import ArgumentError, DtypeError, ShapeError
from unigrad.base.recording import Switch, is_recording
from unigrad.base.tree import paths
from unigrad.engine.within import Pass
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import (
    Argnums,
    Arguments,
    Outputs,
    called,
    check_function,
    check_unused,
    direction,
    matched,
    positions,
    several,
    variable,
    with_aux,
)


def recorded(f: Callable[..., Any], arguments: Arguments) -> Any:
    """What ``f`` returns when it is recorded. Training mode stays as it is: off, unless somebody turned it on."""
    with Switch(True, None):
        return arguments.passed_to(f)


def value_and_grad(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, unused: str = "zeros"
) -> Callable[..., Any]:
    """A function that returns ``(f(...), gradient)``, or ``((f(...), aux), gradient)`` with ``has_aux``.

    ``f`` returns a scalar array (with ``has_aux``: a tuple of that and anything else). ``argnums`` is the position of
    the argument to differentiate, or several: then the gradient is a tuple. An argument may be an array,
    a Python float or a container of them (tuple, list, dict, named tuple, dataclass), and its gradient
    has the same structure. An array that the value does not depend on gets zeros, None or an ArgumentError, as
    ``unused`` (``"zeros"``, ``"none"``, ``"error"``) says. Keyword arguments are constants, passed on to ``f``.

    ``f`` sees Tensors, and may write to them as to its own. Tensors come back for Tensors, NumPy arrays for NumPy
    arrays and Python numbers, a framework's own arrays for such; a value or auxiliary array is a Tensor if any argument
    was, else a framework's own if any argument was. Inside ``record()`` and other transforms Tensors that come back are
    recorded; what was given as another kind comes back as a Tensor too where it depends on an array that is followed
    there, by way of what ``f`` closes over, and else has no history. A complex gradient is in the conjugate form; of a
    complex value it is the gradient of the real part.

    Raises ArgumentError for a position that is not there or a result that is no array, DtypeError for integers, given
    or returned, ShapeError if the value is not a scalar.
    """
    check_function(f, "grad")
    check_unused(unused)

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        arguments = Arguments(args, positions(argnums, len(args)), variable, kwargs)
        result, aux = with_aux(f, recorded(f, arguments), has_aux)
        value = scalar(f, result, arguments)
        nested = arguments.notice([value])
        grads = arguments.pulled(Pass([value], [value.ones_like()], nested, nested))
        pieces = arguments.rebuilt(arguments.completed(grads, unused))
        first = arguments.shown(value)
        if has_aux:
            first = (first, arguments.shown_tree(aux))
        return first, tuple(pieces) if several(argnums) else pieces[0]

    return differentiated


def scalar(f: Callable[..., Any], result: Any, arguments: Arguments) -> Tensor:
    """What ``f`` returned, which must be one scalar array."""
    outputs = Outputs(f, result, arguments.home)
    if paths(result) != [""]:
        raise ArgumentError(
            f"{called(f)} must return one array to have a gradient, not {type(result).__name__}; "
            f"with has_aux=True it may return (value, anything), and ug.vjp and ug.jacobian take containers"
        )
    (value,) = outputs.tensors
    if value.shape != ():
        raise ShapeError(
            f"{called(f)} must return a scalar to have a gradient, and it returned shape {value.shape}; "
            f"reduce it, as .sum() does, or use ug.vjp or ug.jacobian"
        )
    # A Python number is a constant that somebody wrote: the sum of no penalties is 0.
    if not (has_gradients(value.dtype) or isinstance(result, int)):
        raise DtypeError(
            f"{called(f)} returned {value.dtype}, and only floating values have a gradient; what counts or compares is "
            f"constant between its jumps: return what it is counted from, or convert it with .astype(ug.float32) if a "
            f"gradient of zeros is meant"
        )
    return value


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

    What comes back is of the kind that :func:`value_and_grad` says. Called inside ``record()`` both the value and
    what ``pull`` returns there are recorded.

    Raises ArgumentError if the structures differ, ShapeError or DtypeError if an array's do, and DtypeError if
    nothing that ``f`` returns is floating.
    """
    check_function(f, "vjp")
    check_unused(unused)
    arguments = Arguments(primals, positions(argnums, len(primals)), variable, kwargs)
    result, aux = with_aux(f, recorded(f, arguments), has_aux)
    outputs = Outputs(f, result, arguments.home)
    outputs.check_floating(f)

    def pull(cotangent: Any) -> tuple[Any, ...]:
        given = matched(cotangent, result, "the cotangent", "the output")
        seeds = [
            direction(output, g, partial(outputs.cotangent_name, number), "output")
            for number, (output, g) in enumerate(zip(outputs.tensors, given, strict=True))
        ]
        grads = arguments.pulled(Pass(outputs.tensors, seeds, True, arguments.keeps or is_recording()))
        return tuple(arguments.rebuilt(arguments.completed(grads, unused), beside=cotangent))

    arguments.notice(outputs.tensors)
    shown = outputs.rebuilt([arguments.shown(output) for output in outputs.tensors])
    return (shown, pull, arguments.shown_tree(aux)) if has_aux else (shown, pull)
