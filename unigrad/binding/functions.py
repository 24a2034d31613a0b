"""From a row of the table and an adapter to a function over that backend's Tensors.

For every primitive and backend one function is generated, as ``dataclasses`` does it: argument checks that the common
call passes in a few type tests, the raw call, and the node. What is uncommon (other dtypes, scalars that need
converting, wrapped Tensors, arrays of strangers) leaves through :func:`~.operands.uncommon`.

A function is two templates: how the arguments are taken, by the number of arrays (:data:`UNARY`, :data:`BINARY`, ...),
and how the primitive is run, by the way the engine records (:data:`UNRECORDED`, :data:`ANYHOW`, :data:`BARE`,
:data:`RULES`). ``unigrad source multiply --backend torch`` shows the result.
"""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from unigrad.adapters.contract import Backend, Parents, neutral
from unigrad.adapters.registry import Bound
from unigrad.base import dtypes
from unigrad.base.errors import UnigradError
from unigrad.base.recording import framework_scopes, recording_mode
from unigrad.base.words import Raw
from unigrad.binding.declaring import method_name
from unigrad.binding.nodes import node_type, raw_functions, rule_node
from unigrad.binding.operands import (
    LARGEST_FLOAT32,
    NotTensor,
    prepare,
    refused,
    uncommon,
    weak,
    weak_float,
    with_numbers,
)
from unigrad.binding.source import execute, fill, tuple_of
from unigrad.table import PRIMITIVES, Primitive
from unigrad.tape import BareManyNode, BareNode, Node, next_number, spare
from unigrad.tensor.levels import INTERPRETERS, interpret, wrapped_types
from unigrad.tensor.operators import IN_PLACE, OPERATORS, REFLECTED, in_place
from unigrad.tensor.roots import sized
from unigrad.tensor.tensor import Tensor

# --- a backend ---------------------------------------------------------------------------------------------------


def bind(backend: Backend) -> Bound:
    """Make the backend's Tensor class and give it every primitive and operator."""
    engine = backend.engine
    primitives = types.SimpleNamespace()
    name = f"{backend.name.capitalize()}Tensor"
    own = {"backend": backend, "_bound": primitives, "_neutral": neutral(backend)}
    members = {"__slots__": (), "__module__": "unigrad", "__init__": object.__init__, **own}
    # A framework that refuses a Tensor often shows no more of it than its class.
    members["__qualname__"] = f"{name} (x.raw is the framework's own array)"
    tensor_type: Any = type(name, (Tensor,), members)
    tensor_type._plain = tensor_type
    for kind in INTERPRETERS:
        members = {"_is_wrapped": True, "_interpret": staticmethod(kind.interpret)}
        wrapped = type(
            kind.prefix + name, (kind.base, tensor_type), {"__slots__": (), "__module__": "unigrad", **members}
        )
        setattr(tensor_type, kind.attribute, wrapped)
    for made in (tensor_type, *wrapped_types(tensor_type)):
        made._rootless = made
        made._rooted = type(made.__name__, (made,), {"__slots__": (), "__module__": "unigrad", "_is_root": True})
    bound = Bound(tensor_type)
    bound.wrapped = wrapped_types(tensor_type)
    if engine.inline_nodes == "rules" or engine.pulls_raw:
        bound.raw_functions = raw_functions(backend)
    bound.made = functools.partial(_make, backend, bound)
    for row in PRIMITIVES.values():
        for owner, name, _ in _places(row, tensor_type):
            setattr(owner, name, _unmade(bound, row, owner, name))
    if engine.scope is not None:
        framework_scopes.append(engine.scope)
    for kind in (tensor_type, tensor_type._rooted):
        backend.foreign.contain(kind, attrgetter("raw"), functools.partial(_as_given, tensor_type))
    return bound


def _places(row: Primitive, tensor_type: Any) -> Iterator[tuple[Any, str, str]]:
    """Where a primitive's functions are: what has one, under which name, and which of them: the ``function`` itself,
    with its operands ``reflected``, or the ``assignment``."""
    yield tensor_type._bound, row.name, "function"
    if not row.variadic:
        yield tensor_type, method_name(row), "function"
    for method, (name, swapped) in OPERATORS.items():
        if name == row.name:
            yield tensor_type, method, "reflected" if swapped else "function"
    for method, name in IN_PLACE.items():
        if name == row.name:
            yield tensor_type, method, "assignment"


def _unmade(bound: Bound, row: Primitive, owner: Any, name: str) -> Callable[..., Any]:
    """What stands in a function's place until it is first called. To write all of them takes longer than to import
    NumPy, and a program needs a few."""

    def first(*args: Any, **named: Any) -> Any:
        bound.made(row)
        return getattr(owner, name)(*args, **named)

    first.__doc__ = row.doc
    return first


def _make(backend: Backend, bound: Bound, row: Primitive) -> None:
    """Write a primitive's functions and put them in their places, unless they are there."""
    with bound.lock:
        if row.name in bound.scopes:
            return
        function: Any = _bound_function(backend, row, bound)
        for owner, name, which in _places(row, bound.tensor_type):
            if which == "assignment":
                setattr(owner, name, _assignment(backend, row, function))
            else:
                setattr(owner, name, function.reflected if which == "reflected" else function)


def _assignment(backend: Backend, row: Primitive, function: Callable[..., Any]) -> Callable[..., Any]:
    raw_function = None
    # Which floats of one dtype need no check for.
    if row.dtypes in ("any", "numeric", "float"):
        raw_function = backend.engine.untracked(backend.function(row.name))
    return in_place(function, raw_function, backend.engine)


def _as_given(tensor_type: type[Tensor], value: Any) -> Any:
    """A framework's own array as a Tensor; all else as it is."""
    backend = tensor_type.backend
    return tensor_type.of(backend.admit(value), None) if isinstance(value, backend.array_types) else value


def recorded(
    backend: Backend, primitive: Primitive, parents: Parents, raws: Sequence[Raw], statics: Sequence[Any]
) -> tuple[Raw, Node]:
    """:attr:`Engine.record <unigrad.adapters.contract.Engine.record>` where the engine has none: the value, and a node
    with what the neutral rules need."""
    function = backend.function(primitive.name)
    out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
    return out, rule_node(backend, primitive, parents, raws, statics, out)


# --- templates: how the arguments are taken -------------------------------------------------------------------------

UNARY = """
def {name}(x{statics}):
    if type(x) is not T{unfit}:
        return found if (found := quick(x{statics})) is not None else uncommon({name}, T, row, (x,), {static_tuple})
    r1 = x._raw
    n1 = x._node
    own = x._dtype
    {run}
"""

# Both arrays are Tensors of one dtype; all else is uncommon.
BINARY = """
def {name}({operands}{statics}):
    if type(x1) is T:
        r1 = x1._raw
        n1 = x1._node
        own = x1._dtype
        if type(x2) is T:
            r2 = x2._raw
            n2 = x2._node
            if {unfit}:
                {again}
        else:
            {again}
    else:
        {again}
    {run}
"""

# Or one is a scalar that fits the other. An operator answers NotImplemented for what is no number and no array (None,
# a string, another library's object), so that Python can ask the other side.
BINARY_WITH_SCALARS = """
def {name}({operands}{statics}):
    if type(x1) is T:
        r1 = x1._raw
        n1 = x1._node
        own = x1._dtype
        if type(x2) is T:
            r2 = x2._raw
            n2 = x2._node
            if {unfit}:
                {again}
        else:
            r2 = {scalar2}
            n2 = None
            if r2 is None{unfit_beside}:
                try:
                    {again}
                except NotTensor:
                    return NotImplemented
    elif type(x2) is T:
        r2 = x2._raw
        n2 = x2._node
        own = x2._dtype
        r1 = {scalar1}
        n1 = None
        if r1 is None{unfit_beside}:
            {again}
    else:
        {again}
    {run}
"""

# Any number of arrays by name, of which Tensors of one dtype are taken as they are, and beside them Python's floats
# where the primitive takes numbers.
GENERAL = """
def {name}({arrays}{statics}):
    if {unfit}:
        {arrays} = {prepared}(T, row, ({arrays}))
        if not wrapped.isdisjoint(map(type, ({arrays}))):
            return interpret(row, ({arrays}), {static_tuple})
    {taken}
    own = {decisive}
    {run}
"""

TAKEN = """
r{position} = {array}._raw
n{position} = {array}._node
"""

TAKEN_OR_NUMBER = """
if type({array}) is float:
    r{position} = {array}
    n{position} = None
else:
    r{position} = {array}._raw
    n{position} = {array}._node
"""

# One loop asks whether all are Tensors of one dtype, and takes them.
VARIADIC = """
def {name}({arrays}{statics}):
    {arrays} = tuple({arrays})
    raws = []
    nodes = []
    own = {arrays}[0]._dtype if {arrays} and type({arrays}[0]) is T else None
    for x in {arrays}:
        if type(x) is not T or x._dtype is not own:
            break
        raws.append(x._raw)
        nodes.append(x._node)
    if not raws or len(raws) != len({arrays}){unfit}:
        {arrays} = prepare(T, row, {arrays})
        if not wrapped.isdisjoint(map(type, {arrays})):
            return interpret(row, {arrays}, {static_tuple})
        raws = [x._raw for x in {arrays}]
        nodes = [x._node for x in {arrays}]
        own = {arrays}[0]._dtype
    nodes = tuple(nodes)
    {run}
"""

# --- templates: how the primitive is run ----------------------------------------------------------------------------

# Of a primitive without derivative nothing is recorded.
UNRECORDED = """
try:
    {safe}
except Exception as error:
    {refused}
"""

# By whatever the engine's record does.
ANYHOW = """
try:
    if {tracked}:
        if recording_mode():
            out, node = record(row, {nodes}, {raw_tuple}, {static_tuple})
            {result}
        {safe}
    {plain}
except Exception as error:
    {refused}
"""

# The framework keeps what its own engine needs, so that the node has none of it.
BARE = """
try:
    if not ({tracked}):
        {plain}
    if not recording_mode():
        {safe}
    out = {call}
except Exception as error:
    {refused}
if met_rules and by_rules():
    {ruled}
{node}
{result}
"""

# A released node is used again; another thread may be faster.
BARE_NODE = """
try:
    node = spare.pop() if spare else Bare()
except IndexError:
    node = Bare()
node.number = 0
node.operation = {operation}
node.p1 = n1
node.p2 = {second}
"""

BARE_MANY_NODE = """
node = Bare()
node.number = 0
node.operation = {operation}
node.more = {nodes}
"""

# The node keeps what the rules need: written out in the common case, which is six times as fast as calling rule_node.
RULES = """
try:
    if not ({tracked}):
        {plain}
    if not recording_mode():
        {safe}
    out = {call}
except Exception as error:
    {refused}
{stretched}
{node}
{result}
"""

RULE_NODE = """
node = {kind}()
node.number = next_number()
{fields}
"""

STRETCHED = """
if type(x1) is T and type(x2) is T and r1.shape != r2.shape:
    shape = out.shape
    {node}
    {result}
"""

GENERIC_NODE = "node = rule_node(backend, row, {nodes}, {raw_tuple}, {static_tuple}, out)"

# Objects are made by calling their class and filled in place: an __init__ would take as long as all else.
RESULT = """
result = T()
result._raw = {raw}
result._node = {node}
result._dtype = {dtype}
return {returned}
"""


# --- a function -----------------------------------------------------------------------------------------------------


def _bound_function(backend: Backend, row: Primitive, bound: Bound) -> Callable[..., Any]:
    engine, tensor_type = backend.engine, bound.tensor_type
    function = backend.function(row.name)
    scope: dict[str, Any] = {
        "T": tensor_type,
        "wrapped": bound.wrapped,
        "row": row,
        "backend": backend,
        "function": function,
        "untracked": engine.untracked(function),
        "record": engine.record or functools.partial(recorded, backend),
        "recording_mode": recording_mode,
        "prepare": prepare,
        "with_numbers": with_numbers,
        "LARGEST": LARGEST_FLOAT32,
        "inf": math.inf,
        "uncommon": uncommon,
        "interpret": interpret,
        "refused": refused,
        "weak": weak,
        "weak_float": weak_float,
        "bool_": dtypes.bool_,
        "int64": dtypes.int64,
        "float32": dtypes.float32,
        "float64": dtypes.float64,
        "real_of": dtypes.real_of,
        "sized": sized,
        "complex_of": dtypes.complex_of,
        "rule_node": rule_node,
        "by_rules": engine.by_rules,
        "met_rules": bound.met_rules,
        "NotTensor": NotTensor,
        "next_number": next_number,
    }
    numbers = backend.numbers(row.name, scope[_weak(row)]) if row.scalars else None
    if numbers is not None:
        scope["numbers"] = numbers
    run = _run(row, engine.inline_nodes, scope)
    made: Callable[..., Any] = execute(
        row.name, _taken(row, run, numbers is not None), scope, of=row.name, what="function", on=backend.label
    )
    made.__doc__ = row.doc
    if not row.variadic and len(row.arrays) <= 2:
        quick = next(kind.quick for kind in INTERPRETERS if kind.quick is not None)
        scope["quick"] = quick(row, tensor_type, made)
    if row.name in REFLECTED:
        # As a reflected operator has it. Written once more, since a call in between takes as long as all checks.
        source = _taken(row, run, numbers is not None, "x2, x1")
        made.reflected = execute(  # type: ignore[attr-defined]
            row.name, source, scope, of=row.name, what="reflected function", on=backend.label
        )
        scope[row.name] = made
    bound.scopes[row.name] = scope  # last: what raised is tried again
    return made


def _taken(row: Primitive, run: str, numbers: bool, operands: str = "x1, x2") -> str:
    """The function, of the template for its arrays."""
    parts = {"name": row.name, "statics": _statics(row), "static_tuple": tuple_of(row.statics), "run": run}
    if row.variadic:
        arrays = row.arrays[0]
        return fill(VARIADIC, arrays=arrays, unfit=_or_unfit("own", row), **parts)
    if len(row.arrays) == 1:
        return fill(UNARY, unfit=_or_unfit("x._dtype", row), **parts)
    if len(row.arrays) == 2:
        again = (
            f"return found if (found := quick(x1, x2{_statics(row)})) is not None else "
            f"uncommon({row.name}, T, row, (x1, x2), {tuple_of(row.statics)})"
        )
        unfit = ("own is not x2._dtype" if len(row.promoted) == 2 else "False") + _or_unfit("own", row)
        if not row.scalars:
            return fill(BINARY, operands=operands, again=again, unfit=unfit, **parts)
        return fill(
            BINARY_WITH_SCALARS,
            operands=operands,
            again=again,
            unfit=unfit,
            unfit_beside="" if row.dtypes in ("numeric", "float") else _or_unfit("own", row),
            scalar1=_operand("x1", row, numbers),
            scalar2=_operand("x2", row, numbers),
            **parts,
        )
    decisive = f"{(row.promoted or row.arrays)[0]}._dtype"
    beside = row.promoted[1:] if row.scalars else ()
    checks = [f"type({array}) is not T" for array in row.arrays if array not in beside]
    checks += [f"{array}._dtype is not {decisive}" for array in row.promoted[1:] if array not in beside]
    if beside:
        # In this order: a Tensor is told from a float before either is asked for more.
        numbers_pass = f"({decisive} is float32 or {decisive} is float64)"
        checks += [
            f"({array}._dtype is not {decisive} if type({array}) is T else "
            f"type({array}) is not float or not {numbers_pass} or LARGEST < abs({array}) < inf)"
            for array in beside
        ]
    taken = [
        fill(TAKEN_OR_NUMBER if array in beside else TAKEN, array=array, position=str(position))
        for position, array in enumerate(row.arrays, 1)
    ]
    return fill(
        GENERAL,
        arrays=", ".join(row.arrays),
        unfit=" or ".join(checks) + (_or_unfit(decisive, row) if row.promoted else ""),
        taken="\n".join(taken),
        decisive=decisive,
        prepared="with_numbers" if row.scalars else "prepare",
        **parts,
    )


def _run(row: Primitive, inline: str | None, scope: dict[str, Any]) -> str:
    """The raw call and, where an input is tracked and recording is on, the node."""
    if row.variadic:
        raws, raw_tuple, nodes, tracked = "raws", "raws", "nodes", "nodes.count(None) != len(nodes)"
    else:
        numbers = range(1, len(row.arrays) + 1)
        raws = ", ".join(f"r{number}" for number in numbers)
        raw_tuple = tuple_of([f"r{number}" for number in numbers])
        nodes = tuple_of([f"n{number}" for number in numbers])
        tracked = " or ".join(f"n{number} is not None" for number in numbers)
    call = f"function({raws}{_statics(row)})"
    parts = {
        "raw_tuple": raw_tuple,
        "static_tuple": tuple_of(row.statics),
        "nodes": nodes,
        "tracked": tracked,
        "call": call,
        "plain": _result(row, call, "None"),
        "safe": _result(row, f"untracked({raws}{_statics(row)})", "None"),
        "result": _result(row, "out", "node"),
    }
    parts["refused"] = f"return refused(T, row, error, {raw_tuple}, {nodes}, {tuple_of(row.statics)})"
    by_rule = fill("T.of(out, rule_node(backend, row, {nodes}, {raw_tuple}, {static_tuple}, out))", **parts)
    parts["ruled"] = f"return {_returned(row, by_rule)}"
    if not row.differentiable:
        return fill(UNRECORDED, **parts)
    if inline == "bare":
        return fill(BARE, node=_bare_node(row, nodes, scope), **parts)
    if inline in ("lifted", "rules"):
        if row.variadic:
            return fill(RULES, stretched="", node=_variadic_rule_node(row, scope), **parts)
        if len(row.arrays) > 2 or "x1_dtype" in row.residuals:
            return fill(RULES, stretched="", node=GENERIC_NODE.format_map(parts), **parts)
        stretched, node = _rule_nodes(row, parts["result"], scope)
        return fill(RULES, stretched=stretched, node=node, **parts)
    return fill(ANYHOW, **parts)


def _result(row: Primitive, raw: str, node: str) -> str:
    """Return a Tensor of these two expressions, with the dtype that the row promises."""
    dtype = {
        "same": "own",
        "bool": "bool_",
        "real": 'own if own.kind != "c" else real_of(own)',
        "complex": "complex_of(own)",
    }.get(row.result, row.result)
    return fill(RESULT, raw=raw, node=node, dtype=dtype, returned=_returned(row, "result"))


def _returned(row: Primitive, result: str) -> str:
    """The result, if it is a size of complex numbers as a root."""
    return result if row.radicand is None else f'{result} if own.kind != "c" else sized(row, {result}, x)'


def _bare_node(row: Primitive, nodes: str, scope: dict[str, Any]) -> str:
    if row.variadic or len(row.arrays) > 2:
        scope["Bare"] = BareManyNode
        return fill(BARE_MANY_NODE, operation=repr(row.name), nodes=nodes)
    scope |= {"Bare": BareNode, "spare": spare}
    return fill(BARE_NODE, operation=repr(row.name), second="n2" if len(row.arrays) == 2 else "None")


def _rule_nodes(row: Primitive, result: str, scope: dict[str, Any]) -> tuple[str, str]:
    """The node of inputs whose shapes differ, if the primitive broadcasts, and that of all others."""
    scope["Made"] = node_type(row)
    values = []
    for name in row.residuals:
        users = [f"n{position + 1} is not None" for position, names in enumerate(row.needs) if name in names]
        condition = "" if len(users) == len(row.rules) else f" if {' or '.join(users)} else None"
        values.append(_residual(row, name) + condition)
    fields = dict(zip(["p1", "p2"][: len(row.arrays)], ["n1", "n2"], strict=False))
    fields |= dict(zip([name for name in row.residuals if name != "index"], values, strict=True))
    made = _rule_node("Made", fields)
    if len(row.arrays) == 1 or row.kind != "elementwise":
        return "", made
    scope["Stretched"] = node_type(row, broadcast=True)
    for position, array in enumerate(row.arrays, 1):
        fields[f"{array}_shape_"] = f"None if r{position}.shape == shape else r{position}.shape"
    return fill(STRETCHED, node=_rule_node("Stretched", fields), result=result), made


def _variadic_rule_node(row: Primitive, scope: dict[str, Any]) -> str:
    scope["Made"] = node_type(row)
    (arrays,) = row.arrays
    all_of_them = {arrays: "tuple(raws)", f"{arrays}_shape": "[raw.shape for raw in raws]"}
    names = [name for name in row.residuals if name != "index"]
    return _rule_node("Made", {"more": "nodes"} | {name: all_of_them.get(name, name) for name in names})


def _rule_node(kind: str, fields: dict[str, str]) -> str:
    return fill(RULE_NODE, kind=kind, fields="\n".join(f"node.{name} = {value}" for name, value in fields.items()))


def _residual(row: Primitive, name: str) -> str:
    if name == "out" or name in row.statics:
        return name
    for position, array in enumerate(row.arrays, 1):
        if name == array:
            return f"r{position}"
        if name == f"{array}_shape":
            return f"r{position}.shape"
        if name == f"{array}_dtype":
            return "own"
    raise UnigradError(f"a rule of primitive {row.name!r} names {name!r}, which is none of its residuals")


def _statics(row: Primitive) -> str:
    return "".join(f", {name}" for name in row.statics)


def _or_unfit(dtype: str, row: Primitive) -> str:
    """What else sends a call to prepare: a dtype that the operation does not take as it is."""
    if "float" in row.dtypes:
        # The usual two by identity, which takes a third of the time.
        usual = f"{dtype} is not float32 and {dtype} is not float64"
        others = {"float": 'not in "fVc"', "real_float": 'not in "fV"', "wide_float": '!= "c"'}.get(row.dtypes)
        return f" or ({usual} and {dtype}.kind {others})" if others else f" or ({usual})"
    if row.dtypes == "numeric":
        return f" or {dtype} is bool_"
    kinds = {
        "real": '== "c"',
        "real_numeric": 'in "bc"',
        "integer": 'not in "biu"',
        "whole": 'not in "iu"',
        "complex": '!= "c"',
    }.get(row.dtypes)
    return f" or {dtype}.kind {kinds}" if kinds else ""


def _weak(row: Primitive) -> str:
    return "weak_float" if "float" in row.dtypes else "weak"


def _operand(scalar: str, row: Primitive, numbers: bool) -> str:
    """What a scalar is beside an array of dtype ``own``."""
    if numbers:
        return f"numbers({scalar}, own)"
    # Most are floats beside floats: told here, without a call.
    return f'{scalar} if type({scalar}) is float and own.kind == "f" else {_weak(row)}({scalar}, own)'
