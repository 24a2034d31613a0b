"""Whole matrices of derivatives: Jacobians and Hessians, all rows or columns in one pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.base import dtypes
from unigrad.base.errors import ArgumentError, DtypeError
from unigrad.base.tree import flatten, unflatten
from unigrad.engine.within import Pass
from unigrad.interpreters.batches import batched, unbatched
from unigrad.interpreters.duals import dual, take_apart
from unigrad.operations.shapes import moveaxis
from unigrad.tensor.levels import at_level, next_level
from unigrad.tensor.tensor import Tensor, conjugated
from unigrad.transforms.calling import (
    Argnums,
    Arguments,
    Outputs,
    check_function,
    check_unused,
    floating,
    positions,
    several,
    variable,
    with_aux,
)
from unigrad.transforms.forward import values_of
from unigrad.transforms.mapping import mapping
from unigrad.transforms.reverse import grad, recorded

MODES = ("auto", "reverse", "forward")


def jacobian(
    f: Callable[..., Any], mode: str = "auto", argnums: Argnums = 0, has_aux: bool = False, unused: str = "zeros"
) -> Callable[..., Any]:
    """A function that returns the Jacobian of ``f``, or ``(jacobian, aux)`` with ``has_aux``.

    Where ``f`` takes an array of shape ``(n, ...)`` to one of shape ``(m, ...)`` this is an array of shape
    ``(m, ..., n, ...)``, of the dtype of the argument (the complex one where only the result is complex) and on its
    backend.
    Containers give containers of blocks: the structure of the output, with in place of each array
    the structure of the argument (a tuple of several with several ``argnums``), and in place of each of its arrays the
    block. Keyword arguments are passed on to ``f``.

    ``mode``: ``"reverse"`` records ``f`` once and pulls all rows back together; ``"forward"`` pushes all
    columns forward together; ``"auto"`` records, and turns to forward mode, which calls ``f`` once more, if there are
    fewer inputs than outputs. Complex: of a holomorphic function the complex derivative.

    ``unused``: zeros, None or an ArgumentError for the blocks of an array that no output depends on. All but
    ``"zeros"`` needs reverse mode, which ``"auto"`` then takes. What comes back is of the kind that
    :func:`value_and_grad` says.

    Raises what :func:`unigrad.vjp` raises, and DtypeError for complex arguments of a real result, and for a result that
    is not floating.
    """
    check_function(f, "jacobian")
    check_unused(unused)
    if mode not in MODES:
        raise ArgumentError(f"mode={mode!r} is unknown; use 'reverse', 'forward' or 'auto'")
    if mode == "forward" and unused != "zeros":
        raise ArgumentError(f"unused={unused!r} needs mode='reverse', which finds out what the outputs depend on")
    return _jacobian(f, mode, argnums, has_aux, unused, hessian=False)


def _jacobian(
    f: Callable[..., Any], mode: str, argnums: Argnums, has_aux: bool, unused: str, hessian: bool
) -> Callable[..., Any]:
    """``hessian``: whether ``f`` is a gradient, which may hold no array at all."""

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        call = _Call(f, args, positions(argnums, len(args)), has_aux, kwargs, hessian)
        found = None if mode == "forward" else _by_rows(call, unused, mode == "auto")
        arguments, outputs, blocks, aux = found or _by_columns(call)
        matrix = outputs.rebuilt([_row(arguments, row, argnums) for row in blocks])
        return (matrix, arguments.shown_tree(aux)) if has_aux else matrix

    return differentiated


class _Call(NamedTuple):
    f: Callable[..., Any]
    args: Sequence[Any]
    chosen: Sequence[int]
    has_aux: bool
    kwargs: dict[str, Any]
    hessian: bool


Found = tuple[Arguments, Outputs, list[list[Tensor | None]], Any]


def _row(arguments: Arguments, blocks: Sequence[Tensor | None], argnums: Argnums) -> Any:
    """The blocks of one output, in the structure of the arguments."""
    parts = arguments.rebuilt(blocks)
    return tuple(parts) if several(argnums) else parts[0]


def _by_rows(call: _Call, unused: str, auto: bool) -> Found | None:
    """In reverse mode; None if ``auto`` and forward mode is better, or alone can do it."""
    f, args, chosen, has_aux, kwargs, hessian = call
    arguments = Arguments(args, chosen, variable, kwargs)
    result, aux = with_aux(f, recorded(f, arguments), has_aux)
    outputs = Outputs(f, result, arguments.home, hessian)
    outputs.check_floating(f, every=True)
    inputs, heads = arguments.variables, outputs.tensors
    if hessian and any(x.dtype.kind == "c" for x in inputs):
        raise DtypeError(
            "the Hessian of a function of complex arguments is no complex matrix; "
            "use ug.hvp for its products, or split the arguments with ug.real and ug.imag"
        )
    _check_complex(inputs, heads)
    rows, columns = sum(y.size for y in heads), sum(x.size for x in inputs)
    if auto and 0 < columns < rows and unused == "zeros":
        return None
    if any(y.dtype.kind == "c" for y in heads) and any(x.dtype.kind != "c" for x in inputs):
        if auto and unused == "zeros":
            return None
        raise DtypeError("the Jacobian of complex results by real arguments takes mode='forward'")
    grads = arguments.pulled(Pass(heads, _unit(heads), False, arguments.notice(heads), rows))
    if unused != "none":
        arguments.completed(grads, unused)
    blocks: list[list[Tensor | None]] = []
    start = 0
    for y in heads:
        parts: list[Tensor | None] = []
        for g, x in zip(grads, inputs, strict=True):
            shape = (*y.shape, *x.shape)
            if g is not None:
                parts.append(conjugated(g[start : start + y.size].reshape(shape)))
            else:
                parts.append(None if unused == "none" else x.asarray_like(np.zeros(shape, x.dtype)))
        blocks.append(parts)
        start += y.size
    return arguments, outputs, blocks, aux


def _by_columns(call: _Call) -> Found:
    """In forward mode, with a batch of tangents."""
    f, args, chosen, has_aux, kwargs, hessian = call
    inputs = Arguments(args, chosen, floating).variables
    columns = sum(x.size for x in inputs)
    if not columns:  # nothing to push
        found = _by_rows(call, "zeros", False)
        assert found is not None
        return found
    batch, level = next_level(), next_level()
    duals = iter([dual(x, batched(unit, batch), level) for x, unit in zip(inputs, _unit(inputs), strict=True)])
    arguments = Arguments(args, chosen, lambda leaf, where: next(duals), kwargs)
    with mapping(batch, columns):
        result, aux = with_aux(f, arguments.passed_to(f), has_aux)
    outputs = Outputs(f, result, arguments.home, hessian)
    outputs.check_floating(f, every=True)
    _check_complex(inputs, outputs.tensors)
    blocks: list[list[Tensor | None]] = []
    for output in outputs.tensors:
        value, tangent = take_apart(output, level)
        if tangent is None:
            arguments.warn_if_cut("the arguments")
        moved = moveaxis(unbatched(value.zeros_like() if tangent is None else tangent, batch, columns), 0, -1)
        start = 0
        columns_of: list[Tensor | None] = []
        for x in inputs:
            part = moved[..., start : start + x.size].reshape((*value.shape, *x.shape))
            wanted = dtypes.complex_of(x.dtype) if value.dtype.kind == "c" else x.dtype
            part = part if part.backend is x.backend else part.to_backend(x.backend.name)
            columns_of.append(part if part.dtype == wanted else part.astype(wanted))
            start += x.size
        blocks.append(columns_of)
    leaves, layout = flatten(values_of(aux, level))
    # What was differentiated inside was so for each column, with the same value for all.
    aux = unflatten(layout, [unbatched(x, batch, columns)[0] if at_level(x, batch) else x for x in leaves])
    return arguments, outputs, blocks, aux


def _unit(arrays: Sequence[Tensor]) -> list[Tensor]:
    """For each array the rows that are 1 at one element of all arrays together, of shape (total, *shape)."""
    total = sum(x.size for x in arrays)
    start, found = 0, []
    for x in arrays:
        unit = np.zeros((total, x.size), x.dtype)
        unit[start : start + x.size] = np.eye(x.size, dtype=x.dtype)
        found.append(x.asarray_like(unit.reshape((total, *x.shape))))
        start += x.size
    return found


def _check_complex(inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> None:
    if any(x.dtype.kind == "c" for x in inputs) and any(y.dtype.kind != "c" for y in outputs):
        raise DtypeError(
            "a real function of complex arguments has no complex derivative, so no Jacobian; "
            "use ug.grad for its gradient, or split the arguments with ug.real and ug.imag"
        )


def hessian(
    f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, unused: str = "zeros"
) -> Callable[..., Any]:
    """A function that returns the Hessian of a scalar function, or ``(hessian, aux)`` with ``has_aux``.

    Of an argument of shape ``(n, ...)`` an array of shape ``(n, ..., n, ...)``; containers, and several ``argnums``,
    give blocks: the structure of the arguments, with in place of each array that structure again. With
    ``unused="none"`` an array that the value does not depend on has None in place of its row of blocks,
    with ``"error"`` it is an ArgumentError. Keyword arguments are passed on to ``f``.

    Raises what :func:`unigrad.grad` raises, and DtypeError for complex arguments: the Hessian of a real function of
    those is more than one complex matrix, and :func:`unigrad.hvp` multiplies by it.
    """
    check_function(f, "hessian")
    return _jacobian(grad(f, argnums, has_aux, unused), "auto", argnums, has_aux, "zeros", hessian=True)
