"""The faults: for a place in a syntax tree, what could stand there by mistake."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Change = tuple[str, ast.AST]
"""What kind of a fault, and what stands there then."""

SWAPPED_NAMES = {
    "sin": "cos", "cos": "sin", "sinh": "cosh", "cosh": "sinh", "tan": "tanh", "tanh": "tan", "exp": "expm1",
    "expm1": "exp", "log": "log1p", "log1p": "log", "maximum": "minimum", "minimum": "maximum", "max": "min",
    "min": "max", "floor": "ceil", "ceil": "floor", "real": "imag", "imag": "real", "tril": "triu", "triu": "tril",
    "argmax": "argmin", "argmin": "argmax", "zeros_like": "ones_like", "ones_like": "zeros_like",
    "floor_divide": "divide", "logical_and": "logical_or", "logical_or": "logical_and",
    "less": "greater", "greater": "less",
}  # fmt: skip
"""Functions that are mistaken for each other."""
CONJUGATES = ("conj", "conjugated", "conjugate", "conj_physical")
REDUCTIONS = ("sum", "mean", "prod")
REARRANGING = (
    "reshape", "flip", "astype", "transpose", "permute_dims", "swapaxes", "moveaxis", "expand_dims", "squeeze",
    "broadcast_to", "tril", "triu", "roll", "copy", "detach", "matrix_transpose", "abs", "sign", "negative",
)  # fmt: skip
"""What may be forgotten around its first argument."""
COMMUTATIVE = ("add", "multiply", "maximum", "minimum", "equal", "not_equal", "logical_and", "logical_or", "hypot")
_SIDES = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
_OPPOSITES = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn}
_OTHER = {"x1": "x2", "x2": "x1", "a": "b", "b": "a"}
_MODULES = (
    "xp",
    "np",
    "ug",
    "torch",
    "functional",
    "bound",
    "reductions",
    "values",
    "shapes",
    "module",
    "math",
    "builtins",
)
_RULED = ("vjp", "jvp")
"""The calls that take rules."""


@dataclass(frozen=True)
class Place:
    """Somewhere in a module, and one fault there."""

    operator: str
    within: str
    """The function, or the call that a lambda is given to."""
    before: str
    after: str
    first: int
    last: int
    """Lines of which one runs where the place does."""
    put: Callable[[], Callable[[], None]]
    """Puts the fault into the tree, and returns what takes it out."""


def places(tree: ast.Module) -> Iterator[Place]:
    """Every fault that functions of a module can be given. What raises errors is left alone, and what words them."""
    for statement in tree.body:
        yield from _Walk().statement(statement)


class _Walk:
    """What is known on the way down."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.parameters: list[tuple[str, ...]] = []
        self.rule = False
        self.lines = (0, 0)

    def statement(self, node: ast.AST) -> Iterator[Place]:
        """Faults in a statement of the module."""
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                self.names.append(node.name)
                yield from self.statement(inner)
                self.names.pop()
        elif isinstance(node, ast.FunctionDef):
            yield from self._function(node)
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from self._lambdas(node)

    def _lambdas(self, node: ast.AST) -> Iterator[Place]:
        """Faults in the lambdas of a statement that itself runs once."""
        if isinstance(node, ast.Lambda):
            yield from self._function(node)
            return
        name, rule = _called(node), self.rule
        if name is not None:
            self.rule = name in _RULED
            first = node.args[0] if isinstance(node, ast.Call) and node.args else None
            self.names.append(f"{name}({first.id})" if isinstance(first, ast.Name) else name)
        for child in ast.iter_child_nodes(node):
            yield from self._lambdas(child)
        if name is not None:
            self.names.pop()
            self.rule = rule

    def _function(self, node: ast.FunctionDef | ast.Lambda) -> Iterator[Place]:
        rule, lines = self.rule, self.lines
        if isinstance(node, ast.FunctionDef):
            self.names.append(node.name)
            self.rule = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args)][:2] == ["xp", "g"]
            self.parameters.append(tuple(arg.arg for arg in (*node.args.posonlyargs, *node.args.args)))
            yield from self._children(node, node.body[1:] if ast.get_docstring(node) else node.body)
            self.names.pop()
        else:
            self.parameters.append(tuple(arg.arg for arg in node.args.args))
            self.lines = (node.body.lineno, node.body.end_lineno or node.body.lineno)
            if self.rule:
                yield from self._results(node, "body")
            yield from self._node(node, "body", None)
        self.parameters.pop()
        self.rule, self.lines = rule, lines

    def _children(self, node: ast.AST, only: list[ast.stmt] | None = None) -> Iterator[Place]:
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns", "decorator_list", "args", "type_comment") and only is not None:
                continue
            if field == "annotation":
                continue
            if isinstance(value, list):
                for index, child in enumerate(value):
                    if isinstance(child, ast.AST) and (only is None or child in only):
                        yield from self._node(node, field, index)
            elif isinstance(value, ast.AST) and only is None:
                yield from self._node(node, field, None)

    def _node(self, parent: ast.AST, field: str, index: int | None) -> Iterator[Place]:
        """Faults in place of one node, and below it."""
        node = getattr(parent, field) if index is None else getattr(parent, field)[index]
        if isinstance(
            node, (ast.Raise, ast.Assert, ast.JoinedStr, ast.Global, ast.Nonlocal, ast.Import, ast.ImportFrom)
        ):
            return
        if isinstance(node, ast.If) and all(isinstance(inner, ast.Raise) for inner in node.body) and not node.orelse:
            return
        if isinstance(node, (ast.FunctionDef, ast.Lambda)):
            yield from self._function(node)
            return
        lines = self.lines
        if isinstance(node, ast.stmt):
            self.lines = _lines(node)
        for operator, after in self._changes(node, parent, field):
            yield self._place(operator, node, after, parent, field, index)
        if isinstance(node, ast.Return) and self.rule and node.value is not None:
            yield from self._results(node, "value")
        yield from self._children(node)
        self.lines = lines

    def _results(self, node: ast.Return | ast.Lambda, field: str) -> Iterator[Place]:
        """Faults of all that a rule returns."""
        value = getattr(node, field)
        if isinstance(value, (ast.Constant, ast.Tuple, ast.List, ast.ListComp, ast.IfExp)):
            return
        yield self._place("sign", value, ast.UnaryOp(ast.USub(), copy.deepcopy(value)), node, field, None)
        yield self._place("factor", value, _binary(value, ast.Mult(), ast.Constant(2)), node, field, None)
        if self.parameters[-1][:1] == ("xp",):
            same = ast.Compare(copy.deepcopy(value), [ast.Eq()], [copy.deepcopy(value)])
            where = ast.Attribute(ast.Name("xp", ast.Load()), "where", ast.Load())
            hidden = ast.Call(where, [same, copy.deepcopy(value), ast.Constant(0.0)], [])
            yield self._place("zero for NaN", value, hidden, node, field, None, "0.0 where it is NaN")

    def _place(
        self,
        operator: str,
        node: ast.AST,
        after: ast.AST,
        parent: ast.AST,
        field: str,
        index: int | None,
        text: str | None = None,
    ) -> Place:
        after = copy.deepcopy(after)
        for inner in ast.walk(after):
            ast.copy_location(inner, node)

        def put() -> Callable[[], None]:
            _set(parent, field, index, after)
            return lambda: _set(parent, field, index, node)

        return Place(operator, ".".join(self.names), _text(node), text or _text(after), *self.lines, put)

    def _changes(self, node: ast.AST, parent: ast.AST, field: str) -> Iterator[Change]:
        method = getattr(self, f"_of_{type(node).__name__}", None)
        if method is not None:
            yield from method(node, parent, field)

    def _of_UnaryOp(self, node: ast.UnaryOp, parent: ast.AST, field: str) -> Iterator[Change]:
        if isinstance(node.op, ast.USub):
            yield "sign", node.operand
        elif isinstance(node.op, ast.Not):
            yield "condition", node.operand

    def _of_BinOp(self, node: ast.BinOp, parent: ast.AST, field: str) -> Iterator[Change]:
        if any(
            isinstance(side, (ast.JoinedStr, ast.List, ast.Tuple)) or _is_text(side) for side in (node.left, node.right)
        ):
            return
        swapped = ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.Add):
            yield "sign", ast.BinOp(node.left, ast.Sub(), node.right)
            yield "term forgotten", node.left
            yield "term forgotten", node.right
        elif isinstance(node.op, ast.Sub):
            yield "sign", ast.BinOp(node.left, ast.Add(), node.right)
            yield "operands swapped", swapped
        elif isinstance(node.op, ast.Mult):
            yield "factor", node.left
            yield "factor", node.right
        elif isinstance(node.op, ast.Div):
            yield "factor", node.left
            yield "operands swapped", swapped
        elif isinstance(node.op, (ast.MatMult, ast.Pow)):
            yield "operands swapped", swapped

    def _of_Compare(self, node: ast.Compare, parent: ast.AST, field: str) -> Iterator[Change]:
        kind = type(node.ops[0])
        if kind in _SIDES:
            yield "tie to one side", ast.Compare(node.left, [_SIDES[kind](), *node.ops[1:]], node.comparators)
        elif kind in _OPPOSITES:
            yield "condition", ast.Compare(node.left, [_OPPOSITES[kind](), *node.ops[1:]], node.comparators)

    def _of_BoolOp(self, node: ast.BoolOp, parent: ast.AST, field: str) -> Iterator[Change]:
        yield "condition", ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        for index in range(len(node.values)):
            rest = node.values[:index] + node.values[index + 1 :]
            yield "condition", rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)

    def _of_IfExp(self, node: ast.IfExp, parent: ast.AST, field: str) -> Iterator[Change]:
        yield "guard left out", node.body
        yield "guard left out", node.orelse

    def _of_If(self, node: ast.If, parent: ast.AST, field: str) -> Iterator[Change]:
        yield "guard left out", ast.If(ast.Constant(False), node.body, node.orelse)
        yield "condition", ast.If(ast.UnaryOp(ast.Not(), node.test), node.body, node.orelse)

    def _of_Constant(self, node: ast.Constant, parent: ast.AST, field: str) -> Iterator[Change]:
        value = node.value
        if isinstance(value, bool):
            if getattr(parent, "arg", None) != "strict":  # of zip, which holds nothing that users could bring about
                yield "flag", ast.Constant(not value)
        elif value == 0.5 and isinstance(value, float):
            yield "tie to one side", ast.Constant(1.0)
        elif isinstance(value, (int, float, complex)):
            if isinstance(parent, (ast.Subscript, ast.Slice, ast.Tuple)) or getattr(parent, "arg", None) == "axis":
                if isinstance(value, int):
                    yield "axis off by one", ast.Constant(value + 1)
            else:
                yield "factor", ast.Constant(value * 2 if value else 1)

    def _of_Name(self, node: ast.Name, parent: ast.AST, field: str) -> Iterator[Change]:
        if not isinstance(node.ctx, ast.Load) or not self.parameters:
            return
        if node.id == "axis" and isinstance(parent, (ast.Call, ast.Subscript, ast.keyword)):
            yield "axis off by one", _binary(node, ast.Sub(), ast.Constant(1))
        elif node.id == "axes" and isinstance(parent, ast.Call):
            yield "axis off by one", ast.Subscript(node, ast.Slice(ast.Constant(1), None, None), ast.Load())
        elif node.id in _OTHER and {node.id, _OTHER[node.id]} <= set(self.parameters[-1]):
            yield "operands swapped", ast.Name(_OTHER[node.id], ast.Load())

    def _of_Call(self, node: ast.Call, parent: ast.AST, field: str) -> Iterator[Change]:
        name = _called(node)
        arguments = node.args
        if name is None or any(isinstance(each, ast.Starred) for each in arguments):
            return
        if name in SWAPPED_NAMES and not (isinstance(node.func, ast.Name) and name in ("max", "min")):
            func = copy.deepcopy(node.func)
            setattr(func, "attr" if isinstance(func, ast.Attribute) else "id", SWAPPED_NAMES[name])
            if isinstance(func, ast.Attribute):
                yield "another function", ast.Call(func, arguments, node.keywords)
        whole = arguments[0] if arguments else None
        if isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", None) not in _MODULES:
            whole = node.func.value  # x.copy()
        elif isinstance(node.func, ast.Attribute) and node.func.value.id == "math":  # type: ignore[attr-defined]
            whole = None
        if whole is not None:
            if name in CONJUGATES:
                yield "conjugate forgotten", whole
            elif name in REDUCTIONS:
                yield "sum forgotten", whole
            elif name in REARRANGING:
                yield "step forgotten", whole
        if name == "where" and len(arguments) == 3:
            yield "operands swapped", ast.Call(node.func, [arguments[0], arguments[2], arguments[1]], node.keywords)
            yield "guard left out", arguments[1]
            yield "guard left out", arguments[2]
        elif len(arguments) >= 2 and name not in COMMUTATIVE and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in ("xp", "ug", "np", "torch"):
                both = all(isinstance(each, (ast.Name, ast.Call, ast.BinOp)) for each in arguments[:2])
                if both and ast.dump(arguments[0]) != ast.dump(arguments[1]):
                    changed = [arguments[1], arguments[0], *arguments[2:]]
                    yield "operands swapped", ast.Call(node.func, changed, node.keywords)

    def _of_AugAssign(self, node: ast.AugAssign, parent: ast.AST, field: str) -> Iterator[Change]:
        yield "accumulate forgotten", ast.Assign([node.target], node.value)
        yield "statement forgotten", ast.Pass()

    def _of_Assign(self, node: ast.Assign, parent: ast.AST, field: str) -> Iterator[Change]:
        if all(isinstance(target, (ast.Attribute, ast.Subscript)) for target in node.targets):
            yield "statement forgotten", ast.Pass()

    def _of_Expr(self, node: ast.Expr, parent: ast.AST, field: str) -> Iterator[Change]:
        if isinstance(node.value, ast.Call):
            yield "statement forgotten", ast.Pass()


def _called(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call):
        return None
    return getattr(node.func, "attr", getattr(node.func, "id", None))


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _binary(left: ast.AST, operator: ast.operator, right: ast.AST) -> ast.BinOp:
    assert isinstance(left, ast.expr)
    assert isinstance(right, ast.expr)
    return ast.BinOp(copy.deepcopy(left), operator, right)


def _lines(node: ast.stmt) -> tuple[int, int]:
    """Of a statement without those inside it."""
    body = getattr(node, "body", None)
    if not isinstance(body, list):
        return node.lineno, node.end_lineno or node.lineno
    return node.lineno, max(node.lineno, body[0].lineno - 1)


def _set(parent: ast.AST, field: str, index: int | None, node: ast.AST) -> None:
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _text(node: ast.AST) -> str:
    """One line of it: of a compound statement its head."""
    return ast.unparse(node).partition("\n")[0]
