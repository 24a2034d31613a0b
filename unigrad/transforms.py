"""Functional transforms: functions to functions.

The function always sees Tensors. What comes back is of the kind that went in: a framework's own arrays
for its own arrays, NumPy arrays for NumPy arrays, Tensors for Tensors.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.dtypes import has_gradients
from unigrad.errors import ArgumentError, DtypeError, ShapeError
from unigrad.forward import dual, next_level, take_apart
from unigrad.graph import checked_cotangent, gradients
from unigrad.operations.creation import asarray
from unigrad.recording import Scope, is_recording, is_training
from unigrad.tensor import Tensor
from unigrad.tree import flatten, unflatten


def value_and_grad(
    f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that returns ``(f(...), gradient)``, or ``((f(...), aux), gradient)`` with ``has_aux``.

    ``f`` returns a scalar array (with ``has_aux``: and anything else). ``argnums`` is the position of the
    argument to differentiate, or several: then the gradient is a tuple. An argument may be an array,
    a Python float or a container of them (tuple, list, dict, named tuple, dataclass), and its gradient
    has the same structure. An argument that the value does not depend on gets zeros.

    Raises ArgumentError for a position that is not there, DtypeError for integers, ShapeError if the
    value is not a scalar.
    """
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        chosen = _positions(positions, len(args))
        flat = [flatten(arg) for arg in args]
        given = [
            [_variable(leaf, position) if position in chosen else _constant(leaf) for leaf in leaves]
            for position, (leaves, _) in enumerate(flat)
        ]
        call = [unflatten(layout, leaves) for (_, layout), leaves in zip(flat, given, strict=True)]
        inputs = [leaf for position in chosen for leaf in given[position]]
        originals = [leaf for position in chosen for leaf in flat[position][0]]
        nested = is_recording()
        with Scope(True, is_training() if nested else False):
            result = f(*call, **kwargs)
        value, aux = _split(result, has_aux)
        grads = (
            gradients(value, inputs, retain_graph=nested, create_graph=nested)
            if value._node is not None
            else [leaf.zeros_like() for leaf in inputs]
        )
        shown = iter([_like_input(grad, original) for grad, original in zip(grads, originals, strict=True)])
        pieces = [flat[position][1](shown) for position in chosen]
        outside = not any(isinstance(leaf, Tensor) for leaves, _ in flat for leaf in leaves)
        kind = originals[0] if originals else None
        first = _shown(value, kind, outside, nested)
        if has_aux:
            leaves, layout = flatten(aux)
            first = (first, unflatten(layout, [_shown(leaf, kind, outside, nested) for leaf in leaves]))
        return first, pieces[0] if isinstance(argnums, int) else tuple(pieces)

    return differentiated


def grad(f: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that returns the gradient of ``f``, or ``(gradient, aux)`` with ``has_aux``.

    See :func:`value_and_grad`.
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def differentiated(*args: Any, **kwargs: Any) -> Any:
        value, gradient = both(*args, **kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return differentiated


def vjp(f: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[[Any], tuple[Any, ...]]]:
    """``(f(*primals), pull)``: the value, and a function from a cotangent of it to the cotangents of the primals.

    Each primal is an array, a Python float or a container of them. ``pull`` takes a cotangent of the output's
    structure, shapes and dtypes and returns a tuple with one entry for each primal, of its structure; zeros where the
    output does not depend on it. It can be called any number of times, and keeps alive what ``f`` recorded.

    Raises ArgumentError if the structures differ, ShapeError or DtypeError if an array's do.
    """
    flat = [flatten(primal) for primal in primals]
    given = [[_variable(leaf, position) for leaf in leaves] for position, (leaves, _) in enumerate(flat)]
    variables = [variable for leaves in given for variable in leaves]
    originals = [leaf for leaves, _ in flat for leaf in leaves]
    outside = not any(isinstance(leaf, Tensor) for leaf in originals)
    kind = originals[0] if originals else None
    nested = is_recording()
    with Scope(True, is_training() if nested else False):
        results, output_layout = flatten(
            f(*[unflatten(layout, part) for (_, layout), part in zip(flat, given, strict=True)])
        )
    outputs = [_output(result, number) for number, result in enumerate(results)]

    def pull(cotangent: Any) -> tuple[Any, ...]:
        moves, _ = flatten(cotangent)
        if len(moves) != len(outputs):
            raise ArgumentError(f"the cotangent has {len(moves)} arrays and the output {len(outputs)}")
        seeds = [checked_cotangent(output, move) for output, move in zip(outputs, moves, strict=True)]
        recorded = [(output, seed) for output, seed in zip(outputs, seeds, strict=True) if output._node is not None]
        found: Any = [None] * len(variables)
        if recorded:
            heads, grads = zip(*recorded, strict=True)
            found = gradients(heads, variables, grads, retain_graph=True, create_graph=is_recording())
        shares = [v.zeros_like() if share is None else share for v, share in zip(variables, found, strict=True)]
        shown = iter([_like_input(share, original) for share, original in zip(shares, originals, strict=True)])
        return tuple([layout(shown) for _, layout in flat])

    return unflatten(output_layout, [_shown(output, kind, outside, nested) for output in outputs]), pull


def _output(result: Any, number: int) -> Tensor:
    if not isinstance(result, (Tensor, int, float, complex)):
        raise ArgumentError(f"the function must return arrays, and output {number} is {type(result).__name__}")
    return asarray(result)


def jvp(f: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """``(f(*primals), tangent)``: the value, and its derivative in the direction ``tangents``.

    ``primals`` is a sequence with one entry for each argument: an array, a Python float, or a container of
    them; ``tangents`` has the same structure, and each array in it the shape and dtype of its primal. ``f`` may
    return an array or a container; the tangent has the structure of the output, and zeros where
    the output does not depend on the primals. Computed in forward mode: memory does not grow with the length of ``f``.

    Raises ArgumentError if the structures differ, ShapeError or DtypeError if an array's do.
    """
    if len(primals) != len(tangents):
        raise ArgumentError(f"jvp needs one tangent for each primal: {len(primals)} primals, {len(tangents)} tangents")
    level = next_level()
    call, outside, kind = [], True, None
    for position, (primal, tangent) in enumerate(zip(primals, tangents, strict=True)):
        leaves, layout = flatten(primal)
        moves, _ = flatten(tangent)
        if len(leaves) != len(moves):
            raise ArgumentError(
                f"tangent {position} has {len(moves)} arrays and its primal {len(leaves)}; give them one structure"
            )
        duals = []
        for leaf, move in zip(leaves, moves, strict=True):
            value = _moving(leaf, position)
            duals.append(dual(value, checked_cotangent(value, move, f"tangent {position}", "primal"), level))
            outside = outside and not isinstance(leaf, Tensor) and not isinstance(move, Tensor)
            kind = leaf if kind is None else kind
        call.append(unflatten(layout, duals))
    results, layout = flatten(f(*call))
    nested = is_recording()
    outputs, pushed = [], []
    for number, result in enumerate(results):
        value, tangent = take_apart(_output(result, number), level)
        tangent = value.zeros_like() if tangent is None else tangent
        outputs.append(_shown(value, kind, outside, nested or value._is_dual))
        pushed.append(_shown(tangent, kind, outside, nested or tangent._is_dual))
    return unflatten(layout, outputs), unflatten(layout, pushed)


def _moving(leaf: Any, position: int) -> Tensor:
    """A leaf of a primal as a Tensor; it must be floating."""
    found = asarray(leaf)
    if not has_gradients(found.dtype):
        raise DtypeError(
            f"primal {position} holds {found.dtype}, and only floating arrays have tangents; "
            f"convert it with .astype(ug.float32)"
        )
    return found


def _positions(positions: tuple[int, ...], count: int) -> list[int]:
    for position in positions:
        if not isinstance(position, int) or not -count <= position < count:
            raise ArgumentError(f"argnums={position!r} is out of range: the function was called with {count} arguments")
    return [position % count for position in positions]


def _variable(leaf: Any, position: int) -> Tensor:
    """A leaf of an argument as a fresh variable: the same array given twice is two variables."""
    found = asarray(leaf)
    if not has_gradients(found.dtype):
        raise DtypeError(
            f"argument {position} holds {found.dtype}, and only floating arrays have gradients; "
            f"convert it with .astype(ug.float32) or leave it out of argnums"
        )
    if found._node is not None and is_recording():
        return found + 0  # inside an outer recording it stays connected, so that gradients nest
    fresh = found.detach()
    fresh.attach_grad()
    return fresh


def _constant(leaf: Any) -> Any:
    """A leaf of an argument that is not differentiated: arrays become Tensors, all else stays."""
    from unigrad.backend import backend_of

    if isinstance(leaf, (Tensor, bool, int, float, complex, str, bytes)) or leaf is None:
        return leaf
    return asarray(leaf) if isinstance(leaf, np.ndarray) or backend_of(leaf) is not None else leaf


def _split(result: Any, has_aux: bool) -> tuple[Tensor, Any]:
    if has_aux:
        if not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(f"with has_aux=True the function must return (value, aux), not {type(result).__name__}")
        value, aux = result
    else:
        value, aux = result, None
    if not isinstance(value, Tensor):
        if isinstance(value, (int, float)):
            return asarray(float(value)), aux
        raise ArgumentError(f"the function must return an array, not {type(value).__name__}; use has_aux=True for more")
    if value.shape != ():
        raise ShapeError(
            f"grad needs a scalar value, and the function returned shape {value.shape}; reduce it, as .sum() does"
        )
    return value, aux


def _like_input(x: Tensor, original: Any) -> Any:
    if isinstance(original, Tensor):
        return x
    if isinstance(original, (np.ndarray, np.generic, bool, int, float)):
        return x.numpy()
    return x.raw


def _shown(x: Any, kind: Any, outside: bool, nested: bool) -> Any:
    """A result as the caller sees it: unwrapped if no Tensor was given, detached if nothing records outside."""
    if not isinstance(x, Tensor):
        return x
    x = x if nested else x.detach()
    return _like_input(x, kind) if outside else x
