"""From a row of the table and an adapter to a function over that backend's Tensors.

For every primitive and backend one function is generated, as ``dataclasses`` does it: argument checks
that the common call passes in a few type tests, the raw call, and the node. What is uncommon (other
dtypes, scalars that need converting, duals, arrays of strangers) leaves through :func:`~.operands.uncommon`.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

from unigrad import dtypes
from unigrad.backend import Backend
from unigrad.batching import Batched, batch
from unigrad.errors import UnigradError
from unigrad.forward import Dual, push
from unigrad.graph import BareManyNode, BareNode, next_number, spare
from unigrad.levels import interpret
from unigrad.operations.dispatch import method_name
from unigrad.operations.nodes import Source, execute, node_type, rule_node
from unigrad.operations.operands import NotTensor, explain, plain, prepare, uncommon, weak, weak_float
from unigrad.operations.table import PRIMITIVES, Primitive
from unigrad.operations.tangents import quick_push
from unigrad.recording import recording_mode
from unigrad.tensor import IN_PLACE, OPERATORS, REFLECTED, Tensor, in_place


def bind(backend: Backend) -> None:
    """Make the backend's Tensor class and give it every primitive and operator."""
    bound = types.SimpleNamespace(checks_labels="cross_entropy" in backend.bounds_checked)
    name = f"{backend.name.capitalize()}Tensor"
    tensor_type = type(name, (Tensor,), {"__slots__": (), "backend": backend, "_bound": bound, "__module__": "unigrad"})
    backend.tensor_type = tensor_type
    wrapped = {"__slots__": (), "_is_wrapped": True, "__module__": "unigrad"}
    backend.dual_type = type(f"Dual{name}", (Dual, tensor_type), wrapped | {"_interpret": staticmethod(push)})
    backend.batched_type = type(f"Batched{name}", (Batched, tensor_type), wrapped | {"_interpret": staticmethod(batch)})
    backend.raw_functions = None
    backend.scopes = []
    if backend.inline_nodes == "rules" or backend.pulls_raw:
        backend.raw_functions = types.SimpleNamespace(
            **{row.name: backend.function(row.name) for row in PRIMITIVES.values()}
        )
    for row in PRIMITIVES.values():
        function = _bound_function(backend, row, tensor_type)
        setattr(bound, row.name, function)
        if not row.variadic:
            setattr(tensor_type, method_name(row), function)
    for method, (primitive_name, swapped) in OPERATORS.items():
        function = getattr(bound, primitive_name)
        setattr(tensor_type, method, function.reflected if swapped else function)
    for method, primitive_name in IN_PLACE.items():
        raw_function = None
        if PRIMITIVES[primitive_name].dtypes in ("numeric", "float"):  # which floats of one dtype need no check for
            raw_function = backend.untracked(backend.function(primitive_name))
        setattr(tensor_type, method, in_place(getattr(bound, primitive_name), raw_function, backend))


def _bound_function(backend: Backend, row: Primitive, tensor_type: type[Tensor]) -> Callable[..., Any]:
    function = backend.function(row.name)
    untracked = backend.untracked(function)
    scope: dict[str, Any] = {
        "T": tensor_type,
        "wrapped": {backend.dual_type, backend.batched_type},
        "row": row,
        "backend": backend,
        "function": function,
        "untracked": untracked,
        "recording_mode": recording_mode,
        "plain": plain,
        "prepare": prepare,
        "uncommon": uncommon,
        "interpret": interpret,
        "explain": explain,
        "weak": weak,
        "weak_float": weak_float,
        "bool_": dtypes.bool_,
        "int64": dtypes.int64,
        "float32": dtypes.float32,
        "float64": dtypes.float64,
        "real_of": dtypes.real_of,
        "complex_of": dtypes.complex_of,
        "rule_node": rule_node,
        "by_rules": backend.by_rules,
        "met_rules": backend.met_rules,
        "NotTensor": NotTensor,
        "next_number": next_number,
    }
    numbers = backend.numbers(row.name, scope[_weak(row)]) if row.scalars else None
    if numbers is not None:
        scope["numbers"] = numbers
    backend.scopes.append(scope)
    count = len(row.arrays)
    if row.variadic:
        lines = _variadic_source(row)
    elif count == 1:
        lines = _unary_source(row)
    elif count == 2:
        lines = _binary_source(row, numbers is not None)
    else:
        lines = _general_source(row)
    lines += _call_source(backend, row, scope)
    made: Callable[..., Any] = execute(row.name, "\n".join(lines), scope)
    made.__doc__ = row.doc
    if not row.variadic and count <= 2:
        scope["quick"] = quick_push(row, backend, made)
    if row.name in REFLECTED:
        # As a reflected operator has it. Written once more, since a call in between takes as long as all checks.
        lines[0] = f"def {row.name}(x2, x1{_statics(row)}):"
        made.reflected = execute(row.name, "\n".join(lines), scope)  # type: ignore[attr-defined]
        scope[row.name] = made
    return made


def _statics(row: Primitive) -> str:
    return "".join(f", {name}" for name in row.statics)


def _static_tuple(row: Primitive) -> str:
    return f"({', '.join(row.statics)}{',' if row.statics else ''})"


def _uncommon(dtype: str, row: Primitive) -> str:
    """What else sends a call to prepare: a dtype that the operation does not take as it is."""
    if row.dtypes == "float":
        # The usual two by identity, which takes a third of the time.
        return f' or ({dtype} is not float32 and {dtype} is not float64 and {dtype}.kind not in "fc")'
    kinds = {
        "real_float": '!= "f"',
        "real": '== "c"',
        "integer": 'in "fc"',
        "whole": 'not in "iu"',
    }.get(row.dtypes)
    return f" or {dtype}.kind {kinds}" if kinds else ""


def _unary_source(row: Primitive) -> Source:
    check = "type(x) is not T" + _uncommon("x._dtype", row)
    return [
        f"def {row.name}(x{_statics(row)}):",
        f"    if {check}:",
        f"        return found if (found := quick(x{_statics(row)})) is not None else "
        f"uncommon({row.name}, T, row, (x,), {_static_tuple(row)})",
        "    r1 = x._raw",
        "    n1 = x._node",
        "    own = x._dtype",
    ]


def _binary_source(row: Primitive, numbers: bool) -> Source:
    """Both arrays are Tensors of one dtype, or one is a scalar that fits the other; else prepare."""
    again = (
        f"return found if (found := quick(x1, x2{_statics(row)})) is not None else "
        f"uncommon({row.name}, T, row, (x1, x2), {_static_tuple(row)})"
    )
    fits = ("own is not x2._dtype" if len(row.promoted) == 2 else "False") + _uncommon("own", row)
    lines = [
        f"def {row.name}(x1, x2{_statics(row)}):",
        "    if type(x1) is T:",
        "        r1 = x1._raw",
        "        n1 = x1._node",
        "        own = x1._dtype",
        "        if type(x2) is T:",
        "            r2 = x2._raw",
        "            n2 = x2._node",
        f"            if {fits}:",
        f"                {again}",
    ]
    if row.scalars:
        unless = "" if row.dtypes == "float" else _uncommon("own", row)
        lines += [
            "        else:",
            f"            r2 = {_operand('x2', row, numbers)}",
            "            n2 = None",
            f"            if r2 is None{unless}:",
            *_unless_foreign(again),
            "    elif type(x2) is T:",
            "        r2 = x2._raw",
            "        n2 = x2._node",
            "        own = x2._dtype",
            f"        r1 = {_operand('x1', row, numbers)}",
            "        n1 = None",
            f"        if r1 is None{unless}:",
            f"            {again}",
            "    else:",
            f"        {again}",
        ]
    else:
        lines += ["        else:", f"            {again}", "    else:", f"        {again}"]
    return lines


def _weak(row: Primitive) -> str:
    return "weak_float" if "float" in row.dtypes else "weak"


def _operand(scalar: str, row: Primitive, numbers: bool) -> str:
    """What a scalar is beside an array of dtype ``own``."""
    if numbers:
        return f"numbers({scalar}, own)"
    # Most are floats beside floats: told here, without a call.
    return f'{scalar} if type({scalar}) is float and own.kind == "f" else {_weak(row)}({scalar}, own)'


def _unless_foreign(again: str) -> Source:
    # An operator answers NotImplemented for what is no number and no array (None, a string, another
    # library's object), so that Python can ask the other side.
    return [
        "                try:",
        f"                    {again}",
        "                except NotTensor:",
        "                    return NotImplemented",
    ]


def _general_source(row: Primitive) -> Source:
    """Any number of arrays by name, of which Tensors of one dtype are taken as they are."""
    names = ", ".join(row.arrays)
    decisive = f"{(row.promoted or row.arrays)[0]}._dtype"
    checks = [
        *(f"type({array}) is not T" for array in row.arrays),
        *(f"{array}._dtype is not {decisive}" for array in row.promoted[1:]),
    ]
    lines = [
        f"def {row.name}({names}{_statics(row)}):",
        f"    if {' or '.join(checks)}{_uncommon(decisive, row) if row.promoted else ''}:",
        f"        {names} = prepare(T, row, ({names}))",
        f"        if not wrapped.isdisjoint(map(type, ({names}))):",
        f"            return interpret(row, ({names}), {_static_tuple(row)})",
    ]
    for position, array in enumerate(row.arrays):
        lines += [f"    r{position + 1} = {array}._raw", f"    n{position + 1} = {array}._node"]
    return [*lines, f"    own = {decisive}"]


def _variadic_source(row: Primitive) -> Source:
    name = row.arrays[0]
    return [
        f"def {row.name}({name}{_statics(row)}):",
        f"    {name} = tuple({name})",
        f"    if not plain(T, {name}){_uncommon(f'{name}[0]._dtype', row)}:",
        f"        {name} = prepare(T, row, {name})",
        f"        if not wrapped.isdisjoint(map(type, {name})):",
        f"            return interpret(row, {name}, {_static_tuple(row)})",
        f"    raws = [x._raw for x in {name}]",
        f"    nodes = tuple([x._node for x in {name}])",
        f"    own = {name}[0]._dtype",
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
    static_tuple = _static_tuple(row)
    inline = backend.inline_nodes
    plain = f"function({call_arguments}{statics})"
    safe = f"untracked({call_arguments}{statics})"
    lines = ["    try:"]
    if not row.differentiable:
        lines += _returning(row, safe, "None", 8)
    elif inline is None:
        lines += [
            f"        if {tracked}:",
            "            if recording_mode():",
            f"                out, node = backend.record(row, {nodes}, tuple({raw_tuple}), {static_tuple})",
            *_returning(row, "out", "node", 16),
            *_returning(row, safe, "None", 12),
            *_returning(row, plain, "None", 8),
        ]
    else:
        lines += [
            f"        if not ({tracked}):",
            *_returning(row, plain, "None", 12),
            "        if not recording_mode():",
            *_returning(row, safe, "None", 12),
            f"        out = {plain}",
        ]
    lines += [
        "    except Exception as error:",
        f"        raise explain(backend, row, error, {raw_tuple}, {static_tuple}) from error",
    ]
    if row.differentiable and inline == "bare":
        lines += [
            "    if met_rules and by_rules():",
            f"        return T.of(out, rule_node(backend, row, {nodes}, {raw_tuple}, {static_tuple}, out))",
        ]
        lines += _bare_node_source(row, nodes, scope)
    elif row.differentiable and inline == "rules":
        lines += _rule_node_source(row, nodes, raw_tuple, static_tuple, scope)
    return lines


# Objects are made by calling their class and filled in place: an __init__ would take as long as all else.


def _returning(row: Primitive, raw: str, node: str, indent: int) -> Source:
    """Return a Tensor of these two expressions, with the dtype that the row promises."""
    dtype = {
        "same": "own",
        "bool": "bool_",
        "real": 'own if own.kind != "c" else real_of(own)',
        "complex": "complex_of(own)",
    }.get(row.result, row.result)
    lines = ("result = T()", f"result._raw = {raw}", f"result._node = {node}", f"result._dtype = {dtype}")
    return [" " * indent + line for line in (*lines, "return result")]


def _bare_node_source(row: Primitive, nodes: str, scope: dict[str, Any]) -> Source:
    """Nodes without residuals: the framework keeps what its own engine needs."""
    few = not row.variadic and len(row.arrays) <= 2
    scope |= {"Bare": BareNode if few else BareManyNode, "spare": spare}
    if few:
        lines = [
            "    try:",
            "        node = spare.pop() if spare else Bare()",
            "    except IndexError:",  # another thread was faster
            "        node = Bare()",
        ]
    else:
        lines = ["    node = Bare()"]
    lines += ["    node.number = 0", f"    node.operation = {row.name!r}"]
    if few:
        lines += ["    node.p1 = n1", f"    node.p2 = {'n2' if len(row.arrays) == 2 else None}"]
    else:
        lines.append(f"    node.more = {nodes}")
    return [*lines, *_returning(row, "out", "node", 4)]


def _rule_node_source(row: Primitive, nodes: str, raw_tuple: str, static_tuple: str, scope: dict[str, Any]) -> Source:
    """:func:`rule_node` written out for the common case, which is six times as fast as calling it."""
    generic = f"    return T.of(out, rule_node(backend, row, {nodes}, {raw_tuple}, {static_tuple}, out))"
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
    made = _node_source(row, "Made", fields, 4)
    if len(row.arrays) == 1 or row.kind != "elementwise":
        return made
    scope["Stretched"] = node_type(row, broadcast=True)
    for position, array in enumerate(row.arrays):
        fields[f"{array}_shape_"] = f"None if r{position + 1}.shape == shape else r{position + 1}.shape"
    return [
        "    if type(x1) is T and type(x2) is T and r1.shape != r2.shape:",
        "        shape = out.shape",
        *_node_source(row, "Stretched", fields, 8),
        *made,
    ]


def _node_source(row: Primitive, kind: str, fields: dict[str, str], indent: int) -> Source:
    """Return a Tensor with a new node of these fields."""
    lines = [f"node = {kind}()", "node.number = next_number()"]
    lines += [f"node.{name} = {value}" for name, value in fields.items()]
    return [" " * indent + line for line in lines] + _returning(row, "out", "node", indent)


def _residual_source(row: Primitive, name: str) -> str:
    if name == "out" or name in row.statics:
        return name
    for position, array in enumerate(row.arrays):
        if name == array:
            return f"r{position + 1}"
        if name == f"{array}_shape":
            return f"r{position + 1}.shape"
        if name == f"{array}_dtype":
            return "own"
    raise UnigradError(f"a rule of primitive {row.name!r} names {name!r}, which is none of its residuals")
