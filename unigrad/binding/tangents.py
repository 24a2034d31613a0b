"""The forward rules of each primitive as one generated function, from tangents of its arrays to that of its result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.contract import Backend, Engine
from unigrad.base.dtypes import float32, float64, has_gradients
from unigrad.base.errors import UnsupportedError
from unigrad.binding.source import execute, fill
from unigrad.table import SCALAR_TYPES, Primitive, residuals_of
from unigrad.tensor.levels import call
from unigrad.tensor.tensor import DualParts, type_on

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
    tensor_type = type_on(backend)
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
    return _generated(row, rules)


TANGENT = """
def {name}(bound, values, tangents, statics, out):
    {arrays}, = values
    {moves}, = tangents
    {statics}
    {total}
    return total
"""

# The sum of what each tangent t0, t1, ... brings; None where all is zero.
TOTAL = """
total = None
{shares}
"""

SHARE = """
if {move} is not None:
    share = {share}
    if share is not None:
        total = share if total is None else total + share
"""

QUICK = """
def {name}({arguments}):
    {taken}
    if {unfit}:
        return None
    {unless_tracked}
    out = function({arguments})
    {total}
    if total is None:
        return out
    {stretched}
    made = Dual()
    made._raw = out._raw
    made._node = out._node
    made._dtype = out._dtype
    made._parts = DualParts(out, total, level)
    return made
"""

UNLESS_TRACKED = """
if not ({tracked}):
    return None
"""

STRETCHED = """
if total.shape != out.shape:
    total = bound.broadcast_to(total, out.shape)
"""

TAKEN_ONE = """
if type({x}) is not Dual:
    return None
own = {x}._dtype
{x}, t0, level = {x}._parts
"""

# Two arrays taken apart, of which one at least is a dual.
TAKEN_TWO = """
t0 = t1 = None
if type({x1}) is Dual:
    own = {x1}._dtype
    {x1}, t0, level = {x1}._parts
    kind = type({x2})
    if kind is T or kind is Dual:
        if {x2}._dtype is not own:
            return None
    elif {no_number}:
        return None
    if kind is Dual:
        if {x2}._parts.level != level:
            return None
        {x2}, t1, level = {x2}._parts
elif type({x2}) is Dual:
    own = {x2}._dtype
    {x2}, t1, level = {x2}._parts
    kind = type({x1})
    if kind is T or kind is Dual:
        if {x1}._dtype is not own:
            return None
    elif {no_number}:
        return None
else:
    return None
"""


def _generated(row: Primitive, rules: Sequence[Callable[..., Any]]) -> Tangent:
    """Written out, as nodes are: looking residuals up by name takes longer than a small operation."""
    source = fill(
        TANGENT,
        name=row.name,
        arrays=", ".join(row.arrays),
        moves=", ".join(f"t{number}" for number in range(len(rules))),
        statics=f"{', '.join(row.statics)}, = statics" if row.statics else "",
        total=_total_source(row, rules),
    )
    made: Tangent = execute(row.name, source, _scope(rules), of=row.name, what="tangent")
    return made


def _scope(rules: Sequence[Callable[..., Any]]) -> dict[str, Any]:
    return {"SCALAR_TYPES": SCALAR_TYPES} | {f"rule{position}": rule for position, rule in enumerate(rules)}


def _total_source(row: Primitive, rules: Sequence[Callable[..., Any]]) -> str:
    shares = []
    for position, rule in enumerate(rules):
        residuals = ", ".join(["bound", f"t{position}", *(_residual(row, name) for name in residuals_of(rule))])
        shares.append(fill(SHARE, move=f"t{position}", share=f"rule{position}({residuals})"))
    return fill(TOTAL, shares="\n".join(shares))


def quick_push(row: Primitive, tensor_type: Any, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, a bound primitive of one or two arrays, of duals: the common case written out.

    All is of one level and one real dtype, but for numbers, and goes by rules. Of anything else it returns None, and
    :func:`unigrad.interpreters.duals.push` has to do. A Hessian-vector product of a chain of small operations takes a
    fifth less time this way.
    """
    rules = row.rules if row.forward == "transpose" else row.forward
    if isinstance(rules, str) or not rules or row.promoted != row.arrays or row.dtypes in ("integer", "whole"):
        return lambda *args: None
    scope = _scope(rules) | {
        "T": tensor_type,
        "Dual": tensor_type._dual,
        "DualParts": DualParts,
        "bound": tensor_type._bound,
        "function": function,
        "float32": float32,
        "float64": float64,
    }
    backend = tensor_type.backend
    two = len(row.arrays) == 2
    unless_tracked = ""
    if pushes_forward(backend.engine):
        given = [x for position, array in enumerate(row.arrays) for x in (array, f"t{position}")]
        tracked = " or ".join([f"getattr({x}, '_node', None) is not None" for x in given])
        unless_tracked = fill(UNLESS_TRACKED, tracked=tracked)
    no_number = "kind is not float and kind is not int" if row.scalars else "True"
    source = fill(
        QUICK,
        name=row.name,
        arguments=", ".join((*row.arrays, *row.statics)),
        taken=fill(
            TAKEN_TWO if two else TAKEN_ONE,
            **dict(zip(("x1", "x2") if two else ("x",), row.arrays, strict=True)),
            no_number=no_number,
        ),
        # Halves of what is rounded once are widened before.
        unfit='own.kind not in "fV"' if row.dtypes != "rounded_float" else "own is not float32 and own is not float64",
        unless_tracked=unless_tracked,
        total=_total_source(row, rules),
        stretched=fill(STRETCHED) if two else "",
    )
    made: Callable[..., Any] = execute(row.name, source, scope, of=row.name, what="function of duals", on=backend.label)
    return made


def pushes_forward(engine: Engine) -> bool:
    """Whether its forward mode may give anything but None."""
    return type(engine).pushforward is not Engine.pushforward


def _residual(row: Primitive, name: str) -> str:
    array = name.removesuffix("_shape").removesuffix("_dtype")
    if name == array or name in row.statics:
        return name
    scalar = f"type({array}) in SCALAR_TYPES"
    return (
        f"(() if {scalar} else {array}.shape)" if name.endswith("_shape") else f"(out if {scalar} else {array}).dtype"
    )


def _moving_or_zero(value: Any, tangent: Any) -> Any:
    """The tangent of an input of a linear primitive: zeros of a constant, but positions stay what they are."""
    if tangent is not None:
        return tangent
    return value.zeros_like() if has_gradients(value.dtype) else value


def _total(shares: Sequence[Any]) -> Any:
    total = None
    for share in shares:
        total = share if total is None else total + share
    return total
