"""The nodes of the graph: for each primitive one generated class, shared by all backends.

Its slots are the parents and the residuals that the rules name; its methods call the rules.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unigrad.graph import RELEASED, Node, accumulate, conjugated, next_number
from unigrad.operations.shapes import unbroadcast
from unigrad.operations.table import SCALAR_TYPES, Primitive, residuals_of

if TYPE_CHECKING:
    from unigrad.backend import Backend

Source = list[str]


def execute(name: str, source: str, scope: dict[str, Any]) -> Any:
    """Compile generated source and return what it defines under ``name``."""
    exec(compile(source, f"<unigrad {name}>", "exec"), scope)  # noqa: S102
    return scope[name]


_node_types: dict[tuple[str, bool], type[Node]] = {}


def node_type(row: Primitive, broadcast: bool = False) -> type[Node]:
    """The class of a primitive's nodes. With ``broadcast`` they keep the inputs' shapes as well."""
    found = _node_types.get((row.name, broadcast))
    if found is None:
        found = _node_types[row.name, broadcast] = _make_node_type(row, broadcast)
    return found


def _make_node_type(row: Primitive, broadcast: bool) -> type[Node]:
    """Write the class. For ``multiply`` of equal shapes, for example::

    class multiply(Node):
        __slots__ = ("p1", "p2", "x2", "x1")
        def filled(self, p1, p2, x2, x1): ...
        def pull(self, xp, g, cotangents, owned):
            p = self.p1
            if p is not None:
                c = rule0(xp, g, self.x2)
                if p in cotangents: accumulate(cotangents, owned, p, c)
                else: cotangents[p] = c
            ...
    """
    parents = ["more"] if row.variadic or len(row.arrays) > 2 else ["p1", "p2"][: len(row.arrays)]
    saved = [name for name in row.residuals if name != "index"]
    shapes = [f"{array}_shape_" for array in row.arrays] if broadcast else []
    fields = [*parents, *saved, *shapes]
    scope: dict[str, Any] = {"Node": Node, "next_number": next_number, "accumulate": accumulate, "lift": lift}
    lines = [
        f"class {row.name}(Node):",
        f"    __slots__ = {tuple(fields)!r}",
        f"    operation = {row.name!r}",
        f"    def filled(self, {', '.join(fields)}):",
        "        self.number = next_number()",
        *(f"        self.{name} = {name}" for name in fields),
        "        return self",
    ]
    for lifted in (False, True):
        lines.append(
            "    def lifted_pull(self, xp, g, add, tensor_type):"
            if lifted
            else "    def pull(self, xp, g, cotangents, owned):"
        )
        if row.variadic:
            rule = row.rules[0]
            scope["rule0"] = rule
            lines += [
                "        for index, p in enumerate(self.more):",
                "            if p is not None:",
                *_give(f"rule0({_rule_arguments(row, rule, lifted)})", lifted, "                "),
            ]
            continue
        for position, rule in enumerate(row.rules):
            scope[f"rule{position}"] = rule
            call = f"rule{position}({_rule_arguments(row, rule, lifted)})"
            if broadcast:
                call = f"unbroadcast_to(xp, {call}, g, self.{row.arrays[position]}_shape_)"
                scope["unbroadcast_to"] = _unbroadcast_to
            source = f"self.{parents[position]}" if parents != ["more"] else f"self.more[{position}]"
            lines += [f"        p = {source}", "        if p is not None:", *_give(call, lifted, " " * 12)]
    lines += [
        "    def release(self):",
        f"        self.number = {RELEASED}",
        *(f"        self.{name} = {'()' if name == 'more' else None}" for name in fields),
    ]
    made: type[Node] = execute(row.name, "\n".join(lines), scope)
    return made


def _give(call: str, lifted: bool, indent: str) -> Source:
    """Hand a share of the cotangent to the parent ``p``; the first one, which is most, without a call."""
    if lifted:
        return [f"{indent}add(p, {call})"]
    return [
        f"{indent}c = {call}",
        f"{indent}if p in cotangents:",
        f"{indent}    accumulate(cotangents, owned, p, c)",
        f"{indent}else:",
        f"{indent}    cotangents[p] = c",
    ]


def _rule_arguments(row: Primitive, rule: Callable[..., Any], lifted: bool) -> str:
    """The arguments of a rule. Lifted, array residuals become Tensors that know where they came from."""
    arguments = ["xp", "g"]
    for name in residuals_of(rule):
        if name == "index":
            arguments.append("index")
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


def rule_node(
    backend: Backend,
    row: Primitive,
    parents: Sequence[Node | None],
    raws: Sequence[Any],
    statics: Sequence[Any],
    out: Any,
) -> Node:
    """The node of one recorded call, keeping exactly what the rules of its tracked inputs name."""
    shapes = [None if type(raw) in SCALAR_TYPES else tuple(raw.shape) for raw in raws]
    stretched: list[Any] = []
    if row.kind == "elementwise" and len(raws) > 1:
        shape = tuple(out.shape)
        if any(own is not None and own != shape for own in shapes):
            stretched = [None if own == shape else own for own in shapes]
    needed = (
        row.residuals
        if row.variadic
        else frozenset().union(*(names for names, parent in zip(row.needs, parents, strict=True) if parent is not None))
    )
    values: dict[str, Any] = dict(zip(row.statics, statics, strict=True))
    values["out"] = out
    if row.variadic:
        name = row.arrays[0]
        values |= {name: tuple(raws), f"{name}_shape": shapes}
    else:
        for name, raw, own in zip(row.arrays, raws, shapes, strict=True):
            values |= {name: raw, f"{name}_shape": own}
            if f"{name}_dtype" in needed and own is not None:
                values[f"{name}_dtype"] = backend.dtype(raw)
    if "x1_dtype" in needed and "x1_dtype" not in values:
        values["x1_dtype"] = backend.dtype(out)
    saved = [values[name] if name in needed else None for name in row.residuals if name != "index"]
    links = [tuple(parents)] if row.variadic or len(parents) > 2 else list(parents)
    made: Any = node_type(row, bool(stretched))()
    node: Node = made.filled(*links, *saved, *stretched)
    return node


def neutral_vjp(
    backend: Backend, row: Primitive, raws: Sequence[Any], statics: Sequence[Any], out: Any, g: Any
) -> list[Any]:
    """The cotangents of every array input by the neutral rules, raw in and raw out, unrecorded.

    For an adapter that puts our derivative in place of its framework's: made of the adapter's own
    functions, so that the framework can differentiate it again. Cotangents of complex arrays are in the
    conjugate form. None stands for zero.
    """
    tensor_type = backend.tensor_type
    parents = [Node() for _ in raws]
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
