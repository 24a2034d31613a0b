"""Whole matrices of derivatives: Jacobians and Hessians, all rows or columns in one pass."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.batching import batched, unbatched
from unigrad.errors import ArgumentError, DtypeError
from unigrad.forward import dual, take_apart
from unigrad.graph import conjugated
from unigrad.levels import next_level
from unigrad.operations.shapes import moveaxis
from unigrad.recording import is_recording
from unigrad.tensor import Tensor
from unigrad.transforms.calling import Argnums, Arguments, Outputs, floating, positions, variable, with_aux
from unigrad.transforms.mapping import mapping
from unigrad.transforms.pulling import pull_rows
from unigrad.transforms.reverse import grad, recorded

MODES = ("auto", "reverse", "forward")


def jacobian(
    f: Callable[..., Any], mode: str = "auto", argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns the Jacobian of ``f``, or ``(jacobian, aux)`` with ``has_aux``.

    Where ``f`` takes an array of shape ``(n, ...)`` to one of shape ``(m, ...)`` this is an array of shape
    ``(m, ..., n, ...)``. Containers give containers of blocks: the structure of the output, with in place of each array
    the structure of the argument (a tuple of several with several ``argnums``), and in place of each of its arrays the
    block. Keyword arguments are passed on to ``f``.

    ``mode``: ``"reverse"`` records ``f`` once and pulls all rows back together; ``"forward"`` pushes all
    columns forward together; ``"auto"`` records, and turns to forward mode, which calls ``f`` once more, if there are
    fewer inputs than outputs. Complex: of a holomorphic function the complex derivative.

    Raises what :func:`unigrad.vjp` raises, and DtypeError for complex arguments of a real result.
    """
    if mode not in MODES:
        raise ArgumentError(f"mode={mode!r} is unknown; use 'reverse', 'forward' or 'auto'")

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        chosen = positions(argnums, len(args))
        found = None if mode == "forward" else _by_rows(f, args, chosen, has_aux, mode == "auto", kwargs)
        arguments, outputs, blocks, aux = found or _by_columns(f, args, chosen, has_aux, kwargs)
        matrix = outputs.rebuilt([_row(arguments, row, argnums) for row in blocks])
        return (matrix, arguments.shown_tree(aux)) if has_aux else matrix

    return differentiated


Found = tuple[Arguments, Outputs, list[list[Tensor]], Any]


def _row(arguments: Arguments, blocks: Sequence[Tensor], argnums: Argnums) -> Any:
    """The blocks of one output, in the structure of the arguments."""
    parts = arguments.rebuilt(blocks)
    return parts[0] if isinstance(argnums, int) else tuple(parts)


def _by_rows(
    f: Callable[..., Any], args: Sequence[Any], chosen: Sequence[int], has_aux: bool, auto: bool, kwargs: dict[str, Any]
) -> Found | None:
    """In reverse mode; None if ``auto`` and forward mode takes fewer passes."""
    arguments = Arguments(args, chosen, variable)
    result, aux = with_aux(f, recorded(f, arguments, kwargs), has_aux)
    outputs = Outputs(f, result)
    inputs, heads = arguments.variables, outputs.tensors
    _check_complex(inputs, heads)
    rows = sum(y.size for y in heads)
    if auto and sum(x.size for x in inputs) < rows:
        return None
    if any(y.dtype.kind == "c" for y in heads) and any(x.dtype.kind != "c" for x in inputs):
        if auto:
            return None
        raise DtypeError("the Jacobian of complex results by real arguments takes mode='forward'")
    grads = pull_rows(heads, _unit(heads), inputs, rows, is_recording())
    blocks = []
    start = 0
    for y in heads:
        parts = [g[start : start + y.size].reshape((*y.shape, *x.shape)) for g, x in zip(grads, inputs, strict=True)]
        blocks.append([conjugated(part) for part in parts])
        start += y.size
    return arguments, outputs, blocks, aux


def _by_columns(
    f: Callable[..., Any], args: Sequence[Any], chosen: Sequence[int], has_aux: bool, kwargs: dict[str, Any]
) -> Found:
    """In forward mode, with a batch of tangents."""
    inputs = Arguments(args, chosen, floating).variables
    columns = sum(x.size for x in inputs)
    batch, level = next_level(), next_level()
    duals = iter([dual(x, batched(unit, batch), level) for x, unit in zip(inputs, _unit(inputs), strict=True)])
    arguments = Arguments(args, chosen, lambda leaf, where: next(duals))
    with mapping(batch, columns):
        result, aux = with_aux(f, f(*arguments.values, **kwargs), has_aux)
    outputs = Outputs(f, result)
    _check_complex(inputs, outputs.tensors)
    blocks = []
    for output in outputs.tensors:
        value, tangent = take_apart(output, level)
        moved = moveaxis(unbatched(value.zeros_like() if tangent is None else tangent, batch, columns), 0, -1)
        start, parts = 0, []
        for x in inputs:
            parts.append(moved[..., start : start + x.size].reshape((*value.shape, *x.shape)))
            start += x.size
        blocks.append(parts)
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


def hessian(f: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the Hessian of a scalar function, or ``(hessian, aux)`` with ``has_aux``.

    Of an argument of shape ``(n, ...)`` an array of shape ``(n, ..., n, ...)``; containers, and several ``argnums``,
    give blocks: the structure of the arguments, with in place of each array that structure again. Keyword
    arguments are passed on to ``f``.

    Raises what :func:`unigrad.grad` raises.
    """
    return jacobian(grad(f, argnums, has_aux), "auto", argnums, has_aux)
