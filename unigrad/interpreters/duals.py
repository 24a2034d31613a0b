"""Forward mode: dual Tensors, which carry the tangent of their value with them.

A *dual* is a Tensor of a class of its own, one beside each backend's. Operations meet it where they meet
everything uncommon, off the hot path, and come here: the primitive runs on the values, its forward rule on the
tangents, and the result is a dual again. Nothing is kept of what was computed before, so memory does not
grow with the length of a program. Values and tangents are Tensors, recorded like any others: so forward mode can
be differentiated in reverse.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from unigrad.binding.tangents import quick_push, tangent_of
from unigrad.table import SCALAR_TYPES, Primitive
from unigrad.tensor.levels import INTERPRETERS, Interpreter, at_level, call
from unigrad.tensor.tensor import DualParts, Tensor


class Dual(Tensor):
    """What the classes of duals have in common: to look at a dual is to look at its value."""

    __slots__ = ()
    _parts: DualParts


_LEAVING = {"numpy": "x.numpy()", "item": "float(x), x.item() or the like", "tolist": "x.tolist()"}


def _asked(name: str) -> Any:
    def method(self: Dual, *args: Any) -> Any:
        if name in _LEAVING:
            self._note_leaving(_LEAVING[name])
        return getattr(self._parts.value, name)(*args)

    method.__name__, method.__qualname__ = name, f"Dual.{name}"
    method.__doc__ = getattr(Tensor, name).__doc__
    return method


for _name in ("shape", "ndim", "size", "device"):
    setattr(Dual, _name, property(operator.attrgetter(f"_parts.value.{_name}"), doc=getattr(Tensor, _name).__doc__))
for _name in ("__repr__", "__str__", "_shown_values", "detach", "numpy", "item", "tolist", "zeros_like", "ones_like"):
    setattr(Dual, _name, _asked(_name))


def dual(value: Tensor, tangent: Tensor, level: int) -> Tensor:
    """``value`` with a tangent of its shape and dtype."""
    made = value._dual()  # type: ignore[attr-defined]
    made._raw, made._node, made._dtype = value._raw, value._node, value._dtype
    made._parts = DualParts(value, tangent, level)
    return made


def take_apart(x: Any, level: int) -> tuple[Any, Tensor | None]:
    """The value and tangent of a dual of this level; anything else and None."""
    if at_level(x, level):
        return x._parts.value, x._parts.tangent
    return x, None


def push(row: Primitive, arrays: Sequence[Any], statics: Sequence[Any], highest: Tensor) -> Tensor:
    """A primitive of arrays of which ``highest`` and those of its level are duals; see :func:`~.levels.interpret`."""
    level = highest._parts.level
    values, tangents = [], []
    for x in arrays:
        tangent = None
        if type(x) not in SCALAR_TYPES and x._is_wrapped and x._parts.level == level:
            x, tangent, _ = x._parts
        values.append(x)
        tangents.append(tangent)
    bound = highest._bound
    if row.differentiable and not any(map(_at_work, tangents)) and not any(map(_at_work, values)):
        pushed = _push_by_framework(highest._plain, row, values, tangents, statics)
        if pushed is not None:
            return dual(*pushed, level)
    out: Tensor = call(bound, row, values, statics)
    if not row.differentiable:
        return out
    tangent = tangent_of(row)(bound, values, tangents, statics, out)
    if tangent is None:
        return out
    # That of one array has the result's shape, if the operation is by element.
    if (len(arrays) > 1 or row.kind != "elementwise") and tangent.shape != out.shape:
        tangent = bound.broadcast_to(tangent, out.shape)
    return dual(out, tangent, level)


def _at_work(x: Any) -> bool:
    """Whether a value or tangent is recorded, or at work at another level; not so numbers, and None."""
    return isinstance(x, Tensor) and (x._node is not None or x._is_wrapped)


def _push_by_framework(
    tensor_type: type[Tensor],
    row: Primitive,
    values: Sequence[Any],
    tangents: Sequence[Tensor | None],
    statics: Sequence[Any],
) -> tuple[Tensor, Tensor] | None:
    """By the framework's own forward mode, which no graph and no other level must look into."""
    pushed = tensor_type.backend.engine.pushforward(
        row,
        [x if type(x) in SCALAR_TYPES else x._raw for x in values],
        [None if t is None else t._raw for t in tangents],
        statics,
    )
    return None if pushed is None else (tensor_type.of(pushed[0], None), tensor_type.of(pushed[1], None))


INTERPRETERS.append(Interpreter("_dual", Dual, "Dual", push, quick_push))
