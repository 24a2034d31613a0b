"""Forward mode: Jacobian-vector products, and Hessian-vector products by way of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from unigrad.base.errors import ArgumentError
from unigrad.base.tree import flatten, unflatten
from unigrad.engine.within import Pass
from unigrad.interpreters.duals import dual, take_apart
from unigrad.tensor.levels import next_level
from unigrad.tensor.tensor import Tensor
from unigrad.transforms.calling import (
    Argnums,
    Arguments,
    Outputs,
    Where,
    check_function,
    check_unused,
    direction,
    floating,
    matched,
    positions,
    variable,
    with_aux,
)
from unigrad.transforms.pulling import reached
from unigrad.transforms.reverse import recorded, scalar


def jvp(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    argnums: Argnums | None = None,
    has_aux: bool = False,
    unused: str = "zeros",
    **kwargs: Any,
) -> Any:
    """``(f(*primals), tangent)``: the value, and its derivative in the direction ``tangents``.

    ``primals`` is a sequence with one entry for each argument: an array, a Python float, or a container of
    them; ``tangents`` has the same structure, and each array in it the shape and dtype of its primal. With ``argnums``
    only these primals move, and ``tangents`` has one entry for each of them. ``f`` may
    return an array or a container; the tangent has the structure of the output, and where an output does not depend
    on the primals that move, zeros, None or an ArgumentError, as ``unused`` (``"zeros"``, ``"none"``, ``"error"``)
    says. With ``has_aux`` ``f`` returns ``(output, aux)`` and the result is ``(output, tangent, aux)``. Keyword
    arguments go to ``f``.

    Computed in forward mode: memory does not grow with the length of ``f``. ``pause()`` inside ``f`` suspends
    recording only; ``stop_gradient`` stops tangents as it stops gradients. What comes back is of the kind that
    :func:`value_and_grad` says.

    Raises ArgumentError if the structures differ, ShapeError or DtypeError if an array's do.
    """
    check_function(f, "jvp")
    check_unused(unused)
    level, arguments = _opened("jvp", floating, primals, tangents, argnums, kwargs)
    result, aux = with_aux(f, arguments.passed_to(f), has_aux)
    outputs = Outputs(f, result, arguments.home)
    outputs.check_floating(f)
    values, pushed = [], []
    for number, output in enumerate(outputs.tensors):
        value, tangent = take_apart(output, level)
        if tangent is None and unused == "error":
            raise ArgumentError(
                f"the {outputs.name(number)} of shape {value.shape} does not depend on the primals; "
                f"pass unused='zeros' or 'none' if that is meant"
            )
        if tangent is None and unused == "zeros":
            arguments.warn_if_cut("the primals")
            tangent = value.zeros_like()
        values.append(arguments.shown(value))
        pushed.append(arguments.shown(tangent))
    shown = outputs.rebuilt(values), outputs.rebuilt(pushed)
    return (*shown, arguments.shown_tree(values_of(aux, level))) if has_aux else shown


def _opened(
    what: str,
    array: Callable[[Any, Where], Tensor],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    argnums: Argnums | None,
    kwargs: Mapping[str, Any],
) -> tuple[int, Arguments]:
    """A new level, and the arguments as duals of it: each leaf that moves is made an ``array``."""
    level = next_level()
    chosen, supply = _moves(primals, tangents, argnums, what)

    def moving(leaf: Any, where: Where) -> Tensor:
        value = array(leaf, where)
        return dual(value, direction(value, next(supply), lambda: f"the tangent of {where()}", "primal"), level)

    return level, Arguments(primals, chosen, moving, kwargs)


def _moves(
    primals: Sequence[Any], tangents: Sequence[Any], argnums: Argnums | None, what: str
) -> tuple[list[int], Iterator[Any]]:
    """Which primals move, and the leaves of their tangents in the order of these primals' leaves."""
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise ArgumentError(
            f"{what} takes primals and tangents as tuples, one entry for each argument: {what}(f, (x,), (t,))"
        )
    chosen = positions(argnums, len(primals))
    if len(chosen) != len(tangents):
        raise ArgumentError(
            f"{what} needs one tangent for each primal: {len(chosen)} primals, {len(tangents)} tangents"
        )
    found = [
        move
        for position, tangent in zip(chosen, tangents, strict=True)
        for move in matched(tangent, primals[position], f"tangent {position}", f"primal {position}")
    ]
    return chosen, iter(found)


def values_of(tree: Any, level: int) -> Any:
    """A container without the tangents of one level."""
    leaves, layout = flatten(tree)
    return unflatten(layout, [take_apart(leaf, level)[0] for leaf in leaves])


def hvp(
    f: Callable[..., Any],
    primals: Sequence[Any],
    tangents: Sequence[Any],
    argnums: Argnums | None = None,
    has_aux: bool = False,
    unused: str = "zeros",
    **kwargs: Any,
) -> Any:
    """The Hessian of a scalar function times ``tangents``: a tuple with one entry for each primal, of its structure.

    Arguments are as for :func:`jvp`, and ``f`` returns a scalar array. With ``argnums`` only these primals count, and
    the tuple has one entry for each of them. ``unused`` says what an array gets that the value does not depend on:
    zeros, None or an ArgumentError. With ``has_aux`` ``f`` returns ``(value, aux)`` and the result is
    ``(product, aux)``. Of complex primals it is the derivative of the gradient, in its conjugate form, along
    ``tangents``. The Hessian is never formed: this is one reverse pass through the recorded
    tangent (Pearlmutter, Fast exact multiplication by the Hessian, 1994).

    Raises what :func:`jvp` raises, and ShapeError if the value is not a scalar.
    """
    check_function(f, "hvp")
    check_unused(unused)
    level, arguments = _opened("hvp", variable, primals, tangents, argnums, kwargs)
    result, aux = with_aux(f, recorded(f, arguments), has_aux)
    value, tangent = take_apart(scalar(f, result, arguments), level)
    inner = [take_apart(x, level)[0] for x in arguments.variables]
    nested = arguments.notice([value if tangent is None else tangent])
    grads: list[Tensor | None] = [None] * len(inner)
    used = reached([value], inner) if unused != "zeros" else []
    if tangent is not None:
        grads = arguments.pulled(Pass([tangent], [tangent.ones_like()], nested, nested), inner)
    # What the value depends on linearly has a product, and it is zero.
    for number, (x, reaches) in enumerate(zip(inner, used, strict=False)):
        if reaches and grads[number] is None:
            grads[number] = x.zeros_like()
    product = tuple(arguments.rebuilt(arguments.completed(grads, unused)))
    return (product, arguments.shown_tree(values_of(aux, level))) if has_aux else product
