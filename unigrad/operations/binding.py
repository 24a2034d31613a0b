"""From a row of the table and an adapter to a function over that backend's Tensors.

For every primitive and backend one function is generated, as ``dataclasses`` does it: argument checks
that the common call passes in a few type tests, the raw call, and the node. What is uncommon (other
dtypes, scalars that need converting, arrays of strangers) leaves through :func:`prepare`. For each
primitive there is one class of nodes, shared by all backends, with the residuals of its rules as slots.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

from unigrad import dtypes
from unigrad.backend import Backend
from unigrad.errors import (
    AxisError,
    DtypeError,
    OperationError,
    ShapeError,
    UnigradError,
)
from unigrad.graph import RELEASED, BareManyNode, BareNode, Node, accumulate, next_number
from unigrad.operations.arguments import broadcast_shapes
from unigrad.operations.dispatch import tensor
from unigrad.operations.shapes import unbroadcast
from unigrad.operations.table import PRIMITIVES, Primitive, residuals_of
from unigrad.recording import is_recording
from unigrad.tensor import OPERATORS, Tensor

Source = list[str]


def _execute(name: str, source: str, scope: dict[str, Any]) -> Any:
    exec(compile(source, f"<unigrad {name}>", "exec"), scope)  # noqa: S102
    return scope[name]


# --- nodes -------------------------------------------------------------------------------------------

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
        def __init__(self, p1, p2, x2, x1): ...
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
        f"    def __init__(self, {', '.join(fields)}):",
        "        self.number = next_number()",
        *(f"        self.{name} = {name}" for name in fields),
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
    made: type[Node] = _execute(row.name, "\n".join(lines), scope)
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
    return raw if type(raw) in _SCALAR_TYPES else tensor_type(raw, parent)


def _unbroadcast_to(xp: Any, contribution: Any, g: Any, shape: tuple[int, ...] | None) -> Any:
    if shape is None or contribution is None:
        return contribution
    return unbroadcast(xp, contribution, tuple(g.shape), shape)


_SCALAR_TYPES = frozenset({bool, int, float, complex})


def rule_node(
    backend: Backend,
    row: Primitive,
    parents: Sequence[Node | None],
    raws: Sequence[Any],
    statics: Sequence[Any],
    out: Any,
) -> Node:
    """The node of one recorded call, keeping exactly what the rules of its tracked inputs name."""
    shapes = [None if type(raw) in _SCALAR_TYPES else tuple(raw.shape) for raw in raws]
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
    node: Node = node_type(row, bool(stretched))(*links, *saved, *stretched)
    return node


def _record(
    self: Backend,
    primitive: Primitive,
    parents: tuple[Node | None, ...],
    raws: tuple[Any, ...],
    statics: tuple[Any, ...],
) -> tuple[Any, Node]:
    function = self.function(primitive.name)
    out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
    return out, rule_node(self, primitive, parents, raws, statics, out)


_record.__doc__ = Backend.record.__doc__
Backend.record = _record  # type: ignore[method-assign]


# --- bound functions -------------------------------------------------------------------------------------


def bind(backend: Backend) -> None:
    """Make the backend's Tensor class and give it every primitive and operator."""
    bound = types.SimpleNamespace()
    name = f"{backend.name.capitalize()}Tensor"
    tensor_type = type(name, (Tensor,), {"__slots__": (), "backend": backend, "_bound": bound, "__module__": "unigrad"})
    backend.tensor_type = tensor_type
    backend.raw_functions = None
    if backend.inline_nodes == "rules" or backend.pulls_raw:
        backend.raw_functions = types.SimpleNamespace(
            **{row.name: backend.function(row.name) for row in PRIMITIVES.values()}
        )
    for row in PRIMITIVES.values():
        setattr(bound, row.name, _bound_function(backend, row, tensor_type))
    for method, (primitive_name, swapped) in OPERATORS.items():
        function = getattr(bound, primitive_name)
        setattr(tensor_type, method, _swapped(function) if swapped else function)


def _swapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def reflected(self: Any, other: Any) -> Any:
        return function(other, self)

    return reflected


def _bound_function(backend: Backend, row: Primitive, tensor_type: type[Tensor]) -> Callable[..., Any]:
    function = backend.function(row.name)
    untracked = backend.untracked(function)
    scope: dict[str, Any] = {
        "T": tensor_type,
        "row": row,
        "backend": backend,
        "function": function,
        "untracked": untracked,
        "is_recording": is_recording,
        "prepare": prepare,
        "explain": explain,
        "weak": weak,
        "weak_float": weak_float,
        "floating": backend.floating,
        "rule_node": rule_node,
        "NotTensor": NotTensor,
        "new": object.__new__,
        "next_number": next_number,
    }
    count = len(row.arrays)
    if row.variadic:
        lines = _variadic_source(row)
    elif count == 1:
        lines = _unary_source(row)
    elif count == 2:
        lines = _binary_source(row)
    else:
        lines = _general_source(row)
    lines += _call_source(backend, row, scope)
    made: Callable[..., Any] = _execute(row.name, "\n".join(lines), scope)
    made.__doc__ = row.doc
    return made


def _statics(row: Primitive) -> str:
    return "".join(f", {name}" for name in row.statics)


def _unary_source(row: Primitive) -> Source:
    check = "type(x) is not T"
    if row.dtypes == "float":
        check += " or x._raw.dtype not in floating"
    return [
        f"def {row.name}(x{_statics(row)}):",
        f"    if {check}:",
        f"        return {row.name}(*prepare(T, row, (x,)){_statics(row)})",
        "    r1 = x._raw",
        "    n1 = x._node",
    ]


def _binary_source(row: Primitive) -> Source:
    """Both arrays are Tensors of one dtype, or one is a scalar that fits the other; else prepare."""
    again = f"return {row.name}(*prepare(T, row, (x1, x2)){_statics(row)})"
    fits = "r1.dtype is not r2.dtype" if len(row.promoted) == 2 else "False"
    if row.dtypes == "float":
        fits += " or r1.dtype not in floating"
    lines = [
        f"def {row.name}(x1, x2{_statics(row)}):",
        "    if type(x1) is T:",
        "        r1 = x1._raw",
        "        n1 = x1._node",
        "        if type(x2) is T:",
        "            r2 = x2._raw",
        "            n2 = x2._node",
        f"            if {fits}:",
        f"                {again}",
    ]
    if row.scalars:
        weak_name = "weak_float" if row.dtypes == "float" else "weak"
        lines += [
            "        else:",
            f"            r2 = {weak_name}(x2, r1, floating)",
            "            n2 = None",
            "            if r2 is None:",
            *_unless_foreign(row, "x2", again),
            "    elif type(x2) is T:",
            "        r2 = x2._raw",
            "        n2 = x2._node",
            f"        r1 = {weak_name}(x1, r2, floating)",
            "        n1 = None",
            "        if r1 is None:",
            f"            {again}",
            "    else:",
            f"        {again}",
        ]
    else:
        lines += ["        else:", f"            {again}", "    else:", f"        {again}"]
    return lines


def _unless_foreign(row: Primitive, operand: str, again: str) -> Source:
    # An operator answers NotImplemented for what is no number and no array (None, a string, another
    # library's object), so that Python can ask the other side.
    return [
        "                try:",
        f"                    {again}",
        "                except NotTensor:",
        "                    return NotImplemented",
    ]


def _general_source(row: Primitive) -> Source:
    names = ", ".join(row.arrays)
    lines = [
        f"def {row.name}({names}{_statics(row)}):",
        f"    {names} = prepare(T, row, ({names}))",
    ]
    for position, array in enumerate(row.arrays):
        lines += [f"    r{position + 1} = {array}._raw", f"    n{position + 1} = {array}._node"]
    return lines


def _variadic_source(row: Primitive) -> Source:
    name = row.arrays[0]
    return [
        f"def {row.name}({name}{_statics(row)}):",
        f"    {name} = prepare(T, row, tuple({name}))",
        f"    raws = [x._raw for x in {name}]",
        f"    nodes = tuple([x._node for x in {name}])",
    ]


def _call_source(backend: Backend, row: Primitive, scope: dict[str, Any]) -> Source:
    """The raw call and, where an input is tracked and recording is on, the node."""
    if row.variadic:
        raws, raw_tuple, nodes, tracked = "raws", "raws", "nodes", "nodes.count(None) != len(nodes)"
        call_arguments = "raws"
    else:
        numbers = range(1, len(row.arrays) + 1)
        raws = ", ".join(f"r{number}" for number in numbers)
        raw_tuple = f"({raws},)"
        nodes = f"({', '.join(f'n{number}' for number in numbers)},)"
        tracked = " or ".join(f"n{number} is not None" for number in numbers)
        call_arguments = raws
    statics = _statics(row)
    static_tuple = f"({', '.join(row.statics)}{',' if row.statics else ''})"
    inline = backend.inline_nodes
    plain = f"function({call_arguments}{statics})"
    safe = f"untracked({call_arguments}{statics})"
    lines = ["    try:"]
    if not row.differentiable:
        lines += _returning(safe, "None", 8)
    elif inline is None:
        lines += [
            f"        if {tracked}:",
            "            if is_recording():",
            f"                out, node = backend.record(row, {nodes}, tuple({raw_tuple}), {static_tuple})",
            *_returning("out", "node", 16),
            *_returning(safe, "None", 12),
            *_returning(plain, "None", 8),
        ]
    else:
        lines += [
            f"        if not ({tracked}):",
            *_returning(plain, "None", 12),
            "        if not is_recording():",
            *_returning(safe, "None", 12),
            f"        out = {plain}",
        ]
    lines += [
        "    except Exception as error:",
        f"        raise explain(backend, row, error, {raw_tuple}, {static_tuple}) from error",
    ]
    if row.differentiable and inline == "bare":
        lines += _bare_node_source(row, nodes, scope)
    elif row.differentiable and inline == "rules":
        lines += _rule_node_source(row, nodes, raw_tuple, static_tuple, scope)
    return lines


# Objects are made by __new__ and filled in place: calling the class, with its __init__, takes twice as long.


def _returning(raw: str, node: str, indent: int) -> Source:
    """Return a Tensor of these two expressions."""
    return [
        " " * indent + line
        for line in ("result = new(T)", f"result._raw = {raw}", f"result._node = {node}", "return result")
    ]


def _bare_node_source(row: Primitive, nodes: str, scope: dict[str, Any]) -> Source:
    """Nodes without residuals: the framework keeps what its own engine needs."""
    few = not row.variadic and len(row.arrays) <= 2
    scope["Bare"] = BareNode if few else BareManyNode
    lines = ["    node = new(Bare)", "    node.number = 0", f"    node.operation = {row.name!r}"]
    if few:
        lines += ["    node.p1 = n1", f"    node.p2 = {'n2' if len(row.arrays) == 2 else None}"]
    else:
        lines.append(f"    node.more = {nodes}")
    return [*lines, *_returning("out", "node", 4)]


def _rule_node_source(row: Primitive, nodes: str, raw_tuple: str, static_tuple: str, scope: dict[str, Any]) -> Source:
    """:func:`rule_node` written out for the common case, which is six times as fast as calling it."""
    generic = f"    return T(out, rule_node(backend, row, {nodes}, {raw_tuple}, {static_tuple}, out))"
    if row.variadic or len(row.arrays) > 2 or "x1_dtype" in row.residuals:
        return [generic]
    scope["Made"] = node_type(row)
    values = []
    for name in row.residuals:
        users = [f"n{position + 1} is not None" for position, names in enumerate(row.needs) if name in names]
        condition = "" if len(users) == len(row.rules) else f" if {' or '.join(users)} else None"
        values.append(_residual_source(row, name) + condition)
    parents = ["p1", "p2"][: len(row.arrays)]
    fields = dict(zip(parents, ["n1", "n2"], strict=False))
    fields |= dict(zip([name for name in row.residuals if name != "index"], values, strict=True))
    made = _node_source("Made", fields, 4)
    if len(row.arrays) == 1 or row.kind != "elementwise":
        return made
    scope["Stretched"] = node_type(row, broadcast=True)
    for position, array in enumerate(row.arrays):
        fields[f"{array}_shape_"] = f"None if r{position + 1}.shape == shape else r{position + 1}.shape"
    return [
        "    if type(x1) is T and type(x2) is T and r1.shape != r2.shape:",
        "        shape = out.shape",
        *_node_source("Stretched", fields, 8),
        *made,
    ]


def _node_source(kind: str, fields: dict[str, str], indent: int) -> Source:
    """Return a Tensor with a new node of these fields."""
    lines = [f"node = new({kind})", "node.number = next_number()"]
    lines += [f"node.{name} = {value}" for name, value in fields.items()]
    return [" " * indent + line for line in lines] + _returning("out", "node", indent)


def _residual_source(row: Primitive, name: str) -> str:
    if name == "out" or name in row.statics:
        return name
    for position, array in enumerate(row.arrays):
        if name == array:
            return f"r{position + 1}"
        if name == f"{array}_shape":
            return f"r{position + 1}.shape"
        if name == f"{array}_dtype":
            return f"r{position + 1}.dtype"
    raise UnigradError(f"a rule of primitive {row.name!r} names {name!r}, which is none of its residuals")


# --- the uncommon call -----------------------------------------------------------------------------------


class NotTensor(DtypeError):
    """An operand that is no array, no number and no sequence of numbers."""


def weak(scalar: Any, raw: Any, floating: frozenset[Any]) -> Any:
    """A Python scalar as the operand beside ``raw``, or None where it needs :func:`prepare`."""
    kind = type(scalar)
    if kind is int or (kind is float and raw.dtype in floating):
        return scalar if kind is float or raw.dtype in floating else _weak_integer(scalar, raw)
    return None


def weak_float(scalar: Any, raw: Any, floating: frozenset[Any]) -> Any:
    """:func:`weak` for operations that take integers as floats."""
    return scalar if raw.dtype in floating and type(scalar) in (int, float) else None


def _weak_integer(scalar: int, raw: Any) -> int | None:
    # Beside booleans and narrow or unsigned integers a Python int may need another dtype, or not fit.
    return scalar if str(raw.dtype).endswith("int64") and "u" not in str(raw.dtype) else None


def prepare(tensor_type: type[Tensor], row: Primitive, args: tuple[Any, ...]) -> list[Tensor]:
    """The array arguments of a primitive as Tensors of one backend, promoted as the row says."""
    backend = tensor_type.backend
    found = [arg if type(arg) in _SCALAR_TYPES else _tensor(arg, backend) for arg in args]
    names = row.arrays * len(args) if row.variadic else row.arrays
    together = [position for position, name in enumerate(names) if name in row.promoted]
    dtype = None
    for position in together:
        item = found[position]
        if isinstance(item, Tensor):
            dtype = item.dtype if dtype is None else dtypes.promote(dtype, item.dtype)
    for position in together:
        item = found[position]
        if not isinstance(item, Tensor):
            dtype = dtypes.as_dtype(type(item)) if dtype is None else dtypes.promote_scalar(dtype, item)
    if row.dtypes == "float" and dtype is not None:
        dtype = dtypes.to_float(dtype)
    like = next((item for item in found if isinstance(item, Tensor)), None)
    result = []
    for position, item in enumerate(found):
        wanted = dtype if position in together else None
        if not isinstance(item, Tensor):
            wanted = dtypes.as_dtype(type(item)) if wanted is None else wanted
            device = None if like is None else like.device
            item = tensor_type(backend.full((), _fitting(item, wanted), wanted, device), None)
        elif wanted is not None and item.dtype != wanted:
            item = item.astype(wanted)
        result.append(item)
    return result


def _fitting(scalar: complex, dtype: dtypes.DType) -> complex:
    if dtype.kind in "iu" and isinstance(scalar, int):
        import numpy as np

        limits = np.iinfo(dtype)
        if not limits.min <= scalar <= limits.max:
            raise DtypeError(
                f"the integer {scalar} does not fit the dtype {dtype}; convert the array with .astype(...)"
            )
    return scalar


def _tensor(arg: Any, backend: Backend) -> Tensor:
    try:
        return tensor(arg, backend)
    except UnigradError as error:
        if isinstance(error, (DtypeError, ValueError)) and not hasattr(arg, "dtype"):
            raise NotTensor(str(error)) from error
        raise


# --- errors ----------------------------------------------------------------------------------------------


def explain(
    backend: Backend, row: Primitive, error: Exception, raws: Sequence[Any], statics: Sequence[Any]
) -> Exception:
    """What went wrong in a framework's call, as one of unigrad's errors. Costs nothing until then."""
    if isinstance(error, UnigradError):
        return error
    shapes = [() if type(raw) in _SCALAR_TYPES else tuple(raw.shape) for raw in raws]
    what = f"{row.name} of shapes {' and '.join(map(str, shapes))}"
    if row.kind in ("elementwise", "comparison"):
        try:
            broadcast_shapes(shapes)
        except ShapeError as shape_error:
            return ShapeError(f"{row.name}: {shape_error}")
    if row.name == "matmul":
        return ShapeError(
            f"matmul cannot multiply shapes {shapes[0]} and {shapes[1]}: the last axis of the first and the "
            f"last but one of the second must have equal sizes, and neither may be 0-dimensional"
        )
    if isinstance(error, (AxisError, IndexError)):
        return AxisError(f"{what}: {error}")
    given = f" with {', '.join(map(repr, statics))}" if statics else ""
    return OperationError(f"backend {backend.name!r} refused {what}{given}: {error}")


# --- for adapters ------------------------------------------------------------------------------------------


def neutral_vjp(
    backend: Backend, row: Primitive, raws: Sequence[Any], statics: Sequence[Any], out: Any, g: Any
) -> list[Any]:
    """The cotangents of every array input by the neutral rules, raw in and raw out, unrecorded.

    For an adapter that puts our derivative in place of its framework's: made of the adapter's own
    functions, so that the framework can differentiate it again. None stands for zero.
    """
    tensor_type = backend.tensor_type
    parents = [Node() for _ in raws]
    pulled: dict[int, Any] = {}
    node = rule_node(backend, row, parents, raws, statics, out)
    node.lifted_pull(
        tensor_type._bound,
        tensor_type(g, None),
        lambda parent, contribution: pulled.update({id(parent): contribution}),
        lambda raw, parent: tensor_type(raw, None),
    )
    return [None if pulled.get(id(parent)) is None else pulled[id(parent)]._raw for parent in parents]
