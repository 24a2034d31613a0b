"""Forward mode: Jacobian-vector products, and Hessian-vector products by way of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unigrad.engine import checked_cotangent
from unigrad.errors import ArgumentError
from unigrad.forward import dual, take_apart
from unigrad.levels import next_level
from unigrad.recording import is_recording
from unigrad.tensor import Tensor
from unigrad.transforms.calling import (
    Argnums,
    Arguments,
    Outputs,
    floating,
    matched,
    positions,
    variable,
    with_aux,
)
from unigrad.transforms.pulling import pull_back
from unigrad.transforms.reverse import recorded, scalar
from unigrad.tree import flatten, unflatten


def jvp(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    argnums: Argnums | None = None,
    has_aux: bool = False,
    **kwargs: Any,
) -> Any:
    """``(f(*primals), tangent)``: the value, and its derivative in the direction ``tangents``.

    ``primals`` is a sequence with one entry for each argument: an array, a Python float, or a container of
    them; ``tangents`` has the same structure, and each array in it the shape and dtype of its primal. With ``argnums``
    only these primals move, and ``tangents`` has one entry for each of them. ``f`` may
    return an array or a container; the tangent has the structure of the output, and zeros where
    the output does not depend on the primals. With ``has_aux`` ``f`` returns ``(output, aux)`` and the result is
    ``(output, tangent, aux)``. Keyword arguments go to ``f``. Computed in forward mode: memory does not grow
    with the length of ``f``.

    Raises ArgumentError if the structures differ, ShapeError or DtypeError if an array's do.
    """
    level = next_level()
    chosen = positions(argnums, len(primals))
    moves = _moves(primals, tangents, chosen, "jvp")
    supply = iter(moves)
    arguments = Arguments(
        primals, chosen, lambda leaf, where: _moving(floating(leaf, where), next(supply), level, where)
    )
    result, aux = with_aux(f, f(*arguments.values, **kwargs), has_aux)
    outputs = Outputs(f, result)
    parts = [take_apart(output, level) for output in outputs.tensors]
    values = outputs.rebuilt([arguments.shown(value) for value, _ in parts])
    pushed = outputs.rebuilt(
        [arguments.shown(value.zeros_like() if tangent is None else tangent) for value, tangent in parts]
    )
    if not has_aux:
        return values, pushed
    return values, pushed, arguments.shown_tree(_values_of(aux, level))


def _moves(primals: Sequence[Any], tangents: Sequence[Any], chosen: Sequence[int], what: str) -> list[Any]:
    """The leaves of the tangents, in the order of the primals' leaves."""
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ArgumentError(
            f"{what} takes primals and tangents as tuples, one entry for each argument: {what}(f, (x,), (t,))"
        )
    if len(chosen) != len(tangents):
        raise ArgumentError(
            f"{what} needs one tangent for each primal: {len(chosen)} primals, {len(tangents)} tangents"
        )
    return [
        move
        for position, tangent in zip(chosen, tangents, strict=True)
        for move in matched(tangent, primals[position], f"tangent {position}", f"primal {position}")
    ]


def _moving(value: Tensor, move: Any, level: int, where: Callable[[], str]) -> Tensor:
    return dual(value, checked_cotangent(value, move, f"the tangent of {where()}", "primal"), level)


def _values_of(tree: Any, level: int) -> Any:
    leaves, layout = flatten(tree)
    return unflatten(layout, [take_apart(leaf, level)[0] for leaf in leaves])


def hvp(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    argnums: Argnums | None = None,
    has_aux: bool = False,
    **kwargs: Any,
) -> Any:
    """The Hessian of a scalar function times ``tangents``: a tuple with one entry for each primal, of its structure.

    Arguments are as for :func:`jvp`, and ``f`` returns a scalar array. With ``has_aux`` ``f`` returns ``(value, aux)``
    and the result is ``(product, aux)``. The Hessian is never formed: this is one reverse pass through the recorded
    tangent (Pearlmutter, Fast exact multiplication by the Hessian, 1994).

    Raises what :func:`jvp` raises, and ShapeError if the value is not a scalar.
    """
    level = next_level()
    chosen = positions(argnums, len(primals))
    supply = iter(_moves(primals, tangents, chosen, "hvp"))
    arguments = Arguments(
        primals, chosen, lambda leaf, where: _moving(variable(leaf, where), next(supply), level, where)
    )
    result, aux = with_aux(f, recorded(f, arguments, kwargs), has_aux)
    _, tangent = take_apart(scalar(f, result), level)
    inner = [take_apart(x, level)[0] for x in arguments.variables]
    nested = is_recording()
    if tangent is None:
        grads: Any = [x.zeros_like() for x in inner]
    else:
        grads = pull_back([tangent], [tangent.ones_like()], inner, nested, nested, "zeros")
    product = tuple(arguments.rebuilt(grads))
    return (product, arguments.shown_tree(_values_of(aux, level))) if has_aux else product
