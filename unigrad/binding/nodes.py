"""The nodes of the graph: for each primitive one generated class, shared by all backends.

Its slots are the parents and the residuals that the rules name; its methods call the rules.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.contract import Backend
from unigrad.binding.source import execute, fill
from unigrad.table import PRIMITIVES, SCALAR_TYPES, Primitive, residuals_of
from unigrad.tape import RELEASED, Node, accumulate, next_number
from unigrad.tensor.tensor import conjugated, type_on

NODE = """
class {name}(Node):
    __slots__ = {fields}
    operation = {operation}
    def filled(self, {arguments}):
        self.number = next_number()
        {filled}
        return self
    def pull(self, xp, g, cotangents, owned):
        {pulls}
    def lifted_pull(self, xp, g, add, tensor_type):
        {lifted_pulls}
    def release(self):
        self.number = {released}
        {emptied}
"""

# One array's share of the cotangent for its node, if it has one.
FOR_PARENT = """
p = {parent}
if p is not None:
    {give}
"""

FOR_EACH_PARENT = """
for index, p in enumerate(self.more):
    if p is not None:
        {give}
"""

# The first share to arrive, which most are, is handed over without a call.
GIVE = """
c = {share}
if p in cotangents:
    accumulate(cotangents, owned, p, c)
else:
    cotangents[p] = c
"""

# To what is there and of this pass alone, a share that is mostly zeros is added where it is not.
GIVE_INTO = """
if p not in owned or not into(xp, cotangents[p], g, owned, p, {statics}):
    {give}
"""

GIVE_LIFTED = "add(p, {share})"

_node_types: dict[tuple[str, bool], type[Node]] = {}


def node_type(row: Primitive, broadcast: bool = False) -> type[Node]:
    """The class of a primitive's nodes. With ``broadcast`` they keep the inputs' shapes as well."""
    found = _node_types.get((row.name, broadcast))
    if found is None:
        found = _node_types[row.name, broadcast] = _make_node_type(row, broadcast)
    return found


def _make_node_type(row: Primitive, broadcast: bool) -> type[Node]:
    parents = ["more"] if row.variadic or len(row.arrays) > 2 else ["p1", "p2"][: len(row.arrays)]
    saved = [name for name in row.residuals if name != "index"]
    shapes = [f"{array}_shape_" for array in row.arrays] if broadcast else []
    fields = [*parents, *saved, *shapes]
    scope: dict[str, Any] = {"Node": Node, "next_number": next_number, "accumulate": accumulate, "lift": lift}
    scope |= {f"rule{position}": rule for position, rule in enumerate(row.rules)}
    scope |= {"shared_rule": row.shared, "into": row.into}
    if broadcast:
        scope["unbroadcast_to"] = _unbroadcast_to
    source = fill(
        NODE,
        name=row.name,
        fields=repr(tuple(fields)),
        operation=repr(row.name),
        arguments=", ".join(fields),
        filled="\n".join(f"self.{name} = {name}" for name in fields),
        pulls=_pulls(row, parents, broadcast, lifted=False),
        lifted_pulls=_pulls(row, parents, broadcast, lifted=True),
        released=str(RELEASED),
        emptied="\n".join(f"self.{name} = {'()' if name == 'more' else None}" for name in fields),
    )
    what = "node of inputs that broadcast" if broadcast else "node"
    made: type[Node] = execute(row.name, source, scope, of=row.name, what=what)
    return made


def _pulls(row: Primitive, parents: Sequence[str], broadcast: bool, lifted: bool) -> str:
    """What each parent is given."""
    give = GIVE_LIFTED if lifted else GIVE
    if row.variadic:
        share = f"rule0({_rule_arguments(row, row.rules[0], lifted)})"
        return fill(FOR_EACH_PARENT, give=fill(give, share=share))
    found = []
    if row.shared is not None:
        users = [position for position, rule in enumerate(row.rules) if "shared" in residuals_of(rule)]
        asked = " or ".join([f"{_parent(parents, position)} is not None" for position in users])
        found.append(f"shared = shared_rule({_rule_arguments(row, row.shared, lifted)}) if {asked} else None")
    for position, rule in enumerate(row.rules):
        share = f"rule{position}({_rule_arguments(row, rule, lifted)})"
        if broadcast:
            share = f"unbroadcast_to(xp, {share}, g, self.{row.arrays[position]}_shape_)"
        given = fill(give, share=share)
        if row.into is not None and not lifted:
            given = fill(GIVE_INTO, statics=", ".join(f"self.{name}" for name in row.statics), give=given)
        found.append(fill(FOR_PARENT, parent=_parent(parents, position), give=given))
    return "\n".join(found)


def _parent(parents: Sequence[str], position: int) -> str:
    return f"self.more[{position}]" if parents == ["more"] else f"self.{parents[position]}"


def _rule_arguments(row: Primitive, rule: Callable[..., Any], lifted: bool) -> str:
    """The arguments of a rule. Lifted, array residuals become Tensors that know where they came from."""
    arguments = ["xp", "g"]
    for name in residuals_of(rule):
        if name in ("index", "shared"):
            arguments.append(name)
        elif not lifted or (name != "out" and name not in row.arrays):
            arguments.append(f"self.{name}")
        elif name == "out":
            arguments.append("lift(tensor_type, self.out, self)")
        elif row.variadic:
            arguments.append(f"[lift(tensor_type, r, p) for r, p in zip(self.{name}, self.more)]")
        else:
            position = row.arrays.index(name)
            parent = f"self.more[{position}]" if len(row.arrays) > 2 else f"self.p{position + 1}"
            arguments.append(f"lift(tensor_type, self.{name}, {parent})")
    return ", ".join(arguments)


def lift(tensor_type: Any, raw: Any, parent: Node | None) -> Any:
    """A residual as the Tensor that it was; Python scalars stay what they are."""
    return raw if type(raw) in SCALAR_TYPES else tensor_type.of(raw, parent)


def _unbroadcast_to(xp: Any, contribution: Any, g: Any, shape: tuple[int, ...] | None) -> Any:
    if shape is None or contribution is None:
        return contribution
    return unbroadcast(xp, contribution, tuple(g.shape), shape)


def unbroadcast(xp: Any, g: Any, shape: tuple[int, ...], target: tuple[int, ...]) -> Any:
    """The cotangent ``g``, of ``shape``, summed down to the shape that was broadcast to it."""
    extra = len(shape) - len(target)
    axes = tuple(axis for axis, size in enumerate(shape) if axis < extra or (target[axis - extra] == 1 and size != 1))
    return xp.reshape(xp.sum(g, axes, False), target) if axes else g


def rule_node(
    backend: Backend,
    row: Primitive,
    parents: Sequence[Node | None],
    raws: Sequence[Any],
    statics: Sequence[Any],
    out: Any,
) -> Node:
    """The node of one recorded call, keeping exactly what the rules of its tracked inputs name."""
    stretched: list[Any] = []
    if row.kind == "elementwise" and len(raws) > 1:
        shape = tuple(out.shape)
        shapes = [None if type(raw) in SCALAR_TYPES else tuple(raw.shape) for raw in raws]
        if any(own is not None and own != shape for own in shapes):
            stretched = [None if own == shape else own for own in shapes]
    needed = _needed(row, tuple([parent is not None for parent in parents]))
    saved = [
        _value(kind, position, backend, raws, statics, out) if name in needed else None
        for name, kind, position in _residuals(row)
    ]
    links = [tuple(parents)] if row.variadic or len(parents) > 2 else parents
    made: Any = node_type(row, bool(stretched))()
    node: Node = made.filled(*links, *saved, *stretched)
    return node


@functools.cache
def _needed(row: Primitive, tracked: tuple[bool, ...]) -> frozenset[str]:
    """The residuals that the rules of the tracked inputs name."""
    if row.variadic:
        return frozenset(row.residuals)
    return frozenset().union(*[names for names, moves in zip(row.needs, tracked, strict=True) if moves])


@functools.cache
def _residuals(row: Primitive) -> list[tuple[str, str, int]]:
    """What a node keeps of a call: by what name, what it is, and of which array or parameter."""
    known: dict[str, tuple[str, int]] = {"out": ("out", 0)}
    known |= {name: ("static", position) for position, name in enumerate(row.statics)}
    for position, name in enumerate(row.arrays):
        known |= {
            name: ("arrays" if row.variadic else "array", position),
            f"{name}_shape": ("shapes" if row.variadic else "shape", position),
            f"{name}_dtype": ("dtype", position),
        }
    return [(name, *known[name]) for name in row.residuals if name != "index"]


def _value(kind: str, position: int, backend: Backend, raws: Sequence[Any], statics: Sequence[Any], out: Any) -> Any:
    """One of the residuals of a call (:func:`_residuals`)."""
    if kind == "array":
        return raws[position]
    if kind == "out":
        return out
    if kind == "static":
        return statics[position]
    if kind == "arrays":
        return tuple(raws)
    if kind == "shapes":
        return [tuple(raw.shape) for raw in raws]
    scalar = type(raws[position]) in SCALAR_TYPES
    if kind == "shape":
        return None if scalar else tuple(raws[position].shape)
    return backend.dtype(out if scalar else raws[position])


def neutral_vjp(
    backend: Backend,
    row: Primitive,
    raws: Sequence[Any],
    statics: Sequence[Any],
    out: Any,
    g: Any,
    needed: Sequence[bool] | None = None,
) -> list[Any]:
    """The cotangents of every array input by the neutral rules, or of those that are ``needed``, raw in and raw out,
    unrecorded.

    For an adapter that puts our derivative in place of its framework's: made of the adapter's own
    functions, so that the framework can differentiate it again. Cotangents of complex arrays are in the
    conjugate form. None stands for zero.
    """
    tensor_type = type_on(backend)
    parents = _movers(raws, needed)
    pulled: dict[int, Any] = {}
    node = rule_node(backend, row, parents, raws, statics, out)
    node.lifted_pull(
        tensor_type._bound,
        conjugated(tensor_type.of(g, None)),
        lambda parent, contribution: pulled.update({id(parent): contribution}),
        types.SimpleNamespace(of=lambda raw, parent: tensor_type.of(raw, None)),
    )
    found = [pulled.get(id(parent)) for parent in parents]
    return [None if share is None else conjugated(share)._raw for share in found]


def raw_vjp(
    backend: Backend,
    row: Primitive,
    raws: Sequence[Any],
    statics: Sequence[Any],
    out: Any,
    g: Any,
    needed: Sequence[bool] | None = None,
) -> list[Any]:
    """:func:`neutral_vjp` of real numbers, by rules over the raw arrays themselves: in half the time. For rules that
    ask nothing of an array but what the framework's own arrays answer as NumPy's do, and where nobody differentiates
    the result."""
    parents = _movers(raws, needed)
    pulled: dict[Node, Any] = {}
    rule_node(backend, row, parents, raws, statics, out).pull(raw_functions(backend), g, pulled, {})
    return [None if parent is None else pulled.get(parent) for parent in parents]


def raw_rule(backend: Backend, row: Primitive) -> Callable[..., Any]:
    """:func:`raw_vjp` for the first array alone, where no other is an array: ``share(raws, statics, out, g)``.

    Without a node, which takes as long as two or three small operations of a framework.
    """
    rule, xp = row.rules[0], raw_functions(backend)
    known = {name: (kind, position) for name, kind, position in _residuals(row)}
    kept = [known[name] for name in residuals_of(rule)]

    def share(raws: Sequence[Any], statics: Sequence[Any], out: Any, g: Any) -> Any:
        return rule(xp, g, *[_value(kind, position, backend, raws, statics, out) for kind, position in kept])

    return share


def _movers(raws: Sequence[Any], needed: Sequence[bool] | None) -> list[Node | None]:
    """A node for each array whose cotangent is asked for."""
    return [Node() if needed is None or needed[position] else None for position in range(len(raws))]


@functools.cache
def raw_functions(backend: Backend) -> types.SimpleNamespace:
    """The raw functions of all primitives, as rules over raw arrays want them, and the writing of its own arrays."""
    return types.SimpleNamespace(**{name: backend.function(name) for name in PRIMITIVES}, added_at=backend.added_at)
