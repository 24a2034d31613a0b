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
    values = [tensor_type.of(raw, None) for raw in raws]
    moves = [None if tangent is None else tensor_type.of(tangent, None) for tangent in tangents]
    value = tensor_type.of(out, None)
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
    lines: Source = [
        f"def {row.name}(bound, values, tangents, statics, out):",
        f"    {', '.join(row.arrays)}, = values",
        f"    {', '.join(f't{number}' for number in range(len(rules)))}, = tangents",
        *([f"    {', '.join(row.statics)}, = statics"] if row.statics else []),
        *_total_source(row, rules),
        "    return total",
    ]
    made: Tangent = execute(row.name, "\n".join(lines), _scope(rules))
    return made


def _scope(rules: Sequence[Callable[..., Any]]) -> dict[str, Any]:
    return {"SCALAR_TYPES": SCALAR_TYPES} | {f"rule{position}": rule for position, rule in enumerate(rules)}


def _total_source(row: Primitive, rules: Sequence[Callable[..., Any]]) -> Source:
    """The sum of what each tangent ``t0``, ``t1``, ... brings; None where all is zero."""
    lines = ["    total = None"]
    for position, rule in enumerate(rules):
        residuals = ", ".join(["bound", f"t{position}", *(_residual(row, name) for name in residuals_of(rule))])
        lines += [
            f"    if t{position} is not None:",
            f"        share = rule{position}({residuals})",
            "        if share is not None:",
            "            total = share if total is None else total + share",
        ]
    return lines


def quick_push(row: Primitive, backend: Backend, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, a bound primitive of one or two arrays, of duals: the common case written out.

    All is of one level and one real dtype, but for numbers, and goes by rules. Of anything else it returns None, and
    :func:`unigrad.forward.push` has to do. A Hessian-vector product of a chain of small operations takes a fifth
    less time this way.
    """
    from unigrad.forward import DualParts

    rules = row.rules if row.forward == "transpose" else row.forward
    if isinstance(rules, str) or not rules or row.promoted != row.arrays or row.dtypes in ("integer", "whole"):
        return lambda *args: None
    scope = _scope(rules) | {
        "T": backend.tensor_type,
        "Dual": backend.dual_type,
        "DualParts": DualParts,
        "bound": backend.tensor_type._bound,
        "function": function,
    }
    arguments = ", ".join((*row.arrays, *row.statics))
    lines = [f"def {row.name}({arguments}):", *(_taken_source(row) if len(row.arrays) == 2 else _taken_one(row))]
    lines.append('    if own.kind != "f":')
    lines.append("        return None")
    if backend.pushes_forward:
        given = [x for position, array in enumerate(row.arrays) for x in (array, f"t{position}")]
        tracked = " or ".join([f"getattr({x}, '_node', None) is not None" for x in given])
        lines += [f"    if not ({tracked}):", "        return None"]
    lines += [
        f"    out = function({arguments})",
        *_total_source(row, rules),
        "    if total is None:",
        "        return out",
    ]
    if len(row.arrays) == 2:
        lines += ["    if total.shape != out.shape:", "        total = bound.broadcast_to(total, out.shape)"]
    lines += [
        "    made = Dual()",
        "    made._raw = out._raw",
        "    made._node = out._node",
        "    made._dtype = out._dtype",
        "    made._parts = DualParts(out, total, level)",
        "    return made",
    ]
    made: Callable[..., Any] = execute(row.name, "\n".join(lines), scope)
    return made


def _taken_one(row: Primitive) -> Source:
    (x,) = row.arrays
    return [
        f"    if type({x}) is not Dual:",
        "        return None",
        f"    own = {x}._dtype",
        f"    {x}, t0, level = {x}._parts",
    ]


def _taken_source(row: Primitive) -> Source:
    """Two arrays taken apart, of which one at least is a dual."""
    x1, x2 = row.arrays
    number = "kind is not float and kind is not int" if row.scalars else "True"
    lines = ["    t0 = t1 = None"]
    for word, x, other, t in (("if", x1, x2, "t0"), ("elif", x2, x1, "t1")):
        lines += [
            f"    {word} type({x}) is Dual:",
            f"        own = {x}._dtype",
            f"        {x}, {t}, level = {x}._parts",
            f"        kind = type({other})",
            "        if kind is T or kind is Dual:",
            f"            if {other}._dtype is not own:",
            "                return None",
            f"        elif {number}:",
            "            return None",
        ]
        if x is x1:
            lines += [
                "        if kind is Dual:",
                f"            if {x2}._parts.level != level:",
                "                return None",
                f"            {x2}, t1, level = {x2}._parts",
            ]
    return [*lines, "    else:", "        return None"]


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
