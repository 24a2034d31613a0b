"""Conditions and loops as functions: the same program where values are known and where a framework traces it.

Where values are known they are Python's own ``if``, ``while`` and ``for``, recorded and differentiated as every other
program is, arrays that the functions close over included. Where a condition has no one value, since a framework traces
or ``vmap`` maps the program, both sides are computed and :func:`unigrad.where` chooses. What a framework traces it
compiles, turn by turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad.base.arguments import whole_number
from unigrad.base.errors import ArgumentError, ShapeError, UnsupportedError
from unigrad.base.recording import pause
from unigrad.base.tracing import trace
from unigrad.base.tree import flatten, unflatten
from unigrad.operations.arranging import unstack
from unigrad.operations.creation import asarray, zeros
from unigrad.operations.elementwise import where
from unigrad.operations.shapes import stack
from unigrad.tensor.coercion import short
from unigrad.tensor.levels import beneath, is_known, values_of_all
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import called, check_function, constants, matched
from unigrad.transforms.containers import tree_map


def cond(condition: Any, if_true: Callable[..., Any], if_false: Callable[..., Any], *operands: Any) -> Any:
    """``if_true(*operands)`` if the condition, a truth value or a 0-dimensional array, is true, else ``if_false``.

    Where its value is not known, while a framework traces or if it differs along a ``vmap``, both functions run and
    their results, which must then be of one structure, are chosen from by element: as with ``ug.where``, the derivative
    of the side that is not chosen must be finite there. Raw arrays among the operands become Tensors.

    ShapeError for a condition that has axes, ArgumentError for results of different structures.
    """
    check_function(if_true, "cond")
    check_function(if_false, "cond")
    given = [constants(operand) for operand in operands]
    if not isinstance(condition, Tensor):
        condition = asarray(condition)
    if condition.ndim:
        raise ShapeError(f"cond takes one truth value, and this array has shape {condition.shape}; use ug.where")
    if is_known(condition) and not _is_mapped(condition):
        return (if_true if _truth(condition) else if_false)(*given)
    return _chosen(condition, if_true(*given), if_false(*given), f"the result of {called(if_false)}")


def while_loop(condition: Callable[[Any], Any], body: Callable[[Any], Any], state: Any) -> Any:
    """``state = body(state)`` as long as ``condition(state)`` is true; the last state.

    The state is an array or a container of them, and keeps its structure. Under ``vmap`` it goes on until the condition
    is false for every element of the batch, and each element keeps the state in which its own became false. All turns
    are recorded: memory for a gradient grows with their number (:func:`unigrad.checkpoint` of the body keeps less).

    ArgumentError if ``body`` changes the structure, UnsupportedError where a framework traces, which cannot know how
    many turns there are.
    """
    check_function(condition, "while_loop")
    check_function(body, "while_loop")
    state = constants(state)
    while True:
        going = asarray(condition(state))
        if going.ndim:
            raise ShapeError(f"{called(condition)} must return one truth value, and it returned shape {going.shape}")
        if not is_known(going):
            traced, other = (
                ("the framework traces the program that it is in", "the framework's own loop by ug.wrap_native")
                if trace() is None
                else ("a compiled function has values only when it runs", "call while_loop outside of it")
            )
            raise UnsupportedError(
                f"backend {going.backend.name!r}: while_loop needs the value of {called(condition)}, and {traced}; use "
                f"ug.scan with a number of turns and ug.where inside, or {other}"
            )
        if not _truth(going):
            return state
        new = body(state)
        state = _chosen(going, new, state, "the state") if _is_mapped(going) else _like(new, state, called(body))


def scan(
    f: Callable[[Any, Any], Any], state: Any, xs: Any = None, length: int | None = None, reverse: bool = False
) -> tuple[Any, Any]:
    """``state, y = f(state, x)`` for each ``x`` along the first axis of ``xs``; the last state, and all ``y`` stacked.

    ``xs`` and ``y`` are arrays or containers of them; ``xs`` may be None if there is a ``length``, and ``y`` may be
    None. ``reverse`` begins with the last ``x``, and leaves the ``y`` in the order of ``xs``. Of no turns the ``y``
    have no elements; ``f`` is then called once for zeros, to learn their shapes. All turns are recorded, as in
    :func:`while_loop`, and where a framework traces it sees them one by one.

    ArgumentError if ``f`` returns no pair or changes the structure of the state, or if there is no ``length``;
    ShapeError if the first axes differ.
    """
    check_function(f, "scan")
    state = constants(state)
    leaves, layout = flatten(constants(xs))
    sizes = {_first(leaf) for leaf in leaves} | (set() if length is None else {whole_number(length, "length")})
    if len(sizes) != 1:
        if not sizes:
            raise ArgumentError("scan needs arrays to go along, or the number of turns: ug.scan(f, state, length=3)")
        raise ShapeError(f"scan goes along first axes of one length, and these differ: {sorted(sizes)}")
    (turns,) = sizes
    if turns < 0:
        raise ArgumentError(f"length={turns} is negative; use a number of turns from 0 up")
    if turns > sys.maxsize:
        raise ArgumentError(f"length={turns} is more than an array can have rows; use at most {sys.maxsize}")
    if not turns:
        with pause():
            nothing = [zeros(leaf.shape[1:], leaf.dtype, like=leaf) for leaf in leaves]
            _, y = _turn(f, state, unflatten(layout, nothing))
        return state, tree_map(
            lambda leaf: zeros((0, *asarray(leaf).shape), asarray(leaf).dtype, like=asarray(leaf)), y
        )
    rows = list(zip(*map(unstack, leaves), strict=True)) or [()] * turns
    found = []
    for row in reversed(rows) if reverse else rows:
        new, y = _turn(f, state, unflatten(layout, row))
        state = _like(new, state, called(f))
        found.append(y)
    if reverse:
        found.reverse()
    first, *others = found
    return state, tree_map(lambda *each: stack(list(each)), first, *others)


def _turn(f: Callable[[Any, Any], Any], state: Any, x: Any) -> tuple[Any, Any]:
    result = f(state, x)
    if not (isinstance(result, tuple) and len(result) == 2):
        raise ArgumentError(f"{called(f)} must return a pair (state, y) to ug.scan, not {short(result)}")
    return result


def _first(leaf: Any) -> int:
    if not isinstance(leaf, Tensor) or not leaf.ndim:
        raise ShapeError(f"scan goes along the first axis of arrays, and {short(leaf)} has none")
    return leaf.shape[0]


def _like(new: Any, old: Any, name: str) -> Any:
    """The new state, which must have the structure of the old one."""
    matched(new, old, f"the state that {name} returns", "the one that it was given")
    return constants(new)


def _chosen(condition: Tensor, first: Any, second: Any, what: str) -> Any:
    others = matched(second, first, what, "the other")
    leaves, layout = flatten(first)
    return unflatten(layout, [where(condition, x, y) for x, y in zip(leaves, others, strict=True)])


def _is_mapped(x: Tensor) -> bool:
    """Whether it differs along a ``vmap``."""
    return beneath(x).ndim != x.ndim


def _truth(x: Tensor) -> bool:
    """Whether it is true, for any element of a batch."""
    return bool(np.any(values_of_all(x)))
