"""The forward rules of each primitive as one generated function, from tangents of its arrays to that of its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unigrad.errors import UnsupportedError
from unigrad.levels import call
from unigrad.operations.nodes import Source, execute
from unigrad.operations.table import SCALAR_TYPES, Primitive, residuals_of

if TYPE_CHECKING:
    from unigrad.backend import Backend

Tangent = Callable[[Any, Sequence[Any], Sequence[Any], Sequence[Any], Any], Any]
"""``tangent(bound, values, tangents, statics, out)``: a tangent is None where an array does not move, and the result is
None where it is zero by definition."""

_made: dict[str, Tangent] = {}


def tangent_of(row: Primitive) -> Tangent:
    """The function of a primitive, shared by all backends. UnsupportedError if it has no forward rules."""
    found = _made.get(row.name)
    if found is None:
        found = _made[row.name] = _make(row)
    return found


def neutral_jvp(
    backend: Backend, row: Primitive, raws: Sequence[Any], tangents: Sequence[Any], statics: Sequence[Any], out: Any
) -> Any:
    """The tangent of a primitive's result by the neutral rules, raw in and raw out. None stands for zero."""
    tensor_type = backend.tensor_type
    values = [tensor_type(raw, None) for raw in raws]
    moves = [None if tangent is None else tensor_type(tangent, None) for tangent in tangents]
    value = tensor_type(out, None)
    found = tangent_of(row)(tensor_type._bound, values, moves, statics, value)
    if found is None:
        found = value.zeros_like()
    return found._raw if found.shape == value.shape else value._bound.broadcast_to(found, value.shape)._raw


def _make(row: Primitive) -> Tangent:
    if row.forward == "linear":
        return lambda bound, values, tangents, statics, out: call(
            bound, row, list(map(_moving_or_zero, values, tangents)), statics
        )
    if row.forward == "multilinear":
        return lambda bound, values, tangents, statics, out: _total(
            [
                call(bound, row, [*values[:position], tangent, *values[position + 1 :]], statics)
                for position, tangent in enumerate(tangents)
                if tangent is not None
            ]
        )
    rules = row.rules if row.forward == "transpose" else row.forward
    if isinstance(rules, str):
        raise UnsupportedError(
            f"primitive {row.name!r} has no forward rule; use reverse mode (ug.grad, ug.vjp) through it"
        )
    if row.variadic:
        return _variadic(row, rules[0])
    return _generated(row, rules)


def _generated(row: Primitive, rules: Sequence[Callable[..., Any]]) -> Tangent:
    """Written out, as nodes are: looking residuals up by name takes longer than a small operation."""
    scope: dict[str, Any] = {"SCALAR_TYPES": SCALAR_TYPES}
    lines: Source = [
        f"def {row.name}(bound, values, tangents, statics, out):",
        f"    {', '.join(row.arrays)}, = values",
        *([f"    {', '.join(row.statics)}, = statics"] if row.statics else []),
        "    total = None",
    ]
    for position, rule in enumerate(rules):
        scope[f"rule{position}"] = rule
        residuals = ", ".join(["bound", "t", *(_residual(row, name) for name in residuals_of(rule))])
        lines += [
            f"    t = tangents[{position}]",
            "    if t is not None:",
            f"        share = rule{position}({residuals})",
            "        if share is not None:",
            "            total = share if total is None else total + share",
        ]
    made: Tangent = execute(row.name, "\n".join([*lines, "    return total"]), scope)
    return made


def _residual(row: Primitive, name: str) -> str:
    array = name.removesuffix("_shape").removesuffix("_dtype")
    if name == array or name in row.statics:
        return name
    scalar = f"type({array}) in SCALAR_TYPES"
    return (
        f"(() if {scalar} else {array}.shape)" if name.endswith("_shape") else f"(out if {scalar} else {array}).dtype"
    )


def _variadic(row: Primitive, rule: Callable[..., Any]) -> Tangent:
    names = residuals_of(rule)

    def tangent(bound: Any, values: Sequence[Any], tangents: Sequence[Any], statics: Sequence[Any], out: Any) -> Any:
        known = dict(zip(row.statics, statics, strict=True))
        known |= {"out": out, row.arrays[0]: tuple(values), f"{row.arrays[0]}_shape": [x.shape for x in values]}
        shares = []
        for position, t in enumerate(tangents):
            if t is not None:
                shares.append(rule(bound, t, *[position if name == "index" else known[name] for name in names]))
        return _total([share for share in shares if share is not None])

    return tangent


def _moving_or_zero(value: Any, tangent: Any) -> Any:
    """The tangent of an input of a linear primitive: zeros of a constant, but positions stay what they are."""
    if tangent is not None:
        return tangent
    return value.zeros_like() if value.dtype.kind in "fc" else value


def _total(shares: Sequence[Any]) -> Any:
    total = None
    for share in shares:
        total = share if total is None else total + share
    return total
