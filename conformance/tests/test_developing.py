"""The house: its floors, its door, and the page for who carries it on (``conformance/DEVELOPING.md``).

Parts of the page are made from the code, so that they are true. ``python conformance/tests/test_developing.py`` writes
them anew.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import unigrad as ug
from unigrad import extend
from unigrad.adapters import contract
from unigrad.table import OPERATIONS, PRIMITIVES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "conformance" / "DEVELOPING.md"
PACKAGE = Path(ug.__file__).parent
BACKENDS = [row.name for row in ug.available_backends() if row.installed]


# --- what the page is made of ------------------------------------------------------------------------------------


def floors() -> str:
    """The linter's layers, from the top, each room with the sentence of its own docstring."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    lines = []
    for number, layer in zip(range(len(layers), 0, -1), layers, strict=True):
        for room in layer.split(" | "):
            file = PACKAGE / room / "__init__.py" if (PACKAGE / room).is_dir() else PACKAGE / f"{room}.py"
            sentence = _sentence(ast.get_docstring(ast.parse(file.read_text())))
            first = f"{number:>2}  {room:<13}"
            lines += textwrap.wrap(sentence, 110, initial_indent=first, subsequent_indent=" " * len(first))
            number = 0  # rooms of one floor
    return "```\n" + "\n".join(lines).replace(" 0  ", "    ") + "\n```"


def walk(do: Callable[[], Any]) -> str:
    """What Python runs of unigrad, in order, each function once with how often."""
    seen: dict[str, int] = {}

    def note(frame: Any, event: str, argument: Any) -> None:
        file = frame.f_code.co_filename
        name = frame.f_code.co_name
        if event == "call" and "unigrad" in file and not name.startswith("<") and file != __file__:
            place = f"{Path(file).relative_to(PACKAGE.parent)}: {name}" if not file.startswith("<") else file[1:-1]
            seen[place] = seen.get(place, 0) + 1

    sys.setprofile(note)
    try:
        do()
    finally:
        sys.setprofile(None)
    return "```\n" + "\n".join(place if count == 1 else f"{place} x {count}" for place, count in seen.items()) + "\n```"


def walks() -> tuple[str, str]:
    """Of ``tanh(x * w + b)`` on NumPy, warm, and of its backward."""
    with ug.use_backend("numpy"):
        arrays = [ug.asarray([1.0, 2.0]) for _ in range(3)]
    x, w, b = arrays
    for each in arrays:
        each.attach_grad()
    for _ in range(2):
        with ug.record():
            heads: list[Any] = []
            forward = walk(lambda heads=heads: heads.append(ug.tanh(x * w + b)))
        backward = walk(heads[0].backward)
    return forward, backward


def members(kind: type) -> Iterator[tuple[str, str]]:
    """The members of a class of the contract, each with the first sentence of its documentation."""
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    for statement, following in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(statement, ast.FunctionDef) and not statement.name.startswith("_"):
            yield statement.name, _sentence(ast.get_docstring(statement))
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            assert isinstance(following, ast.Expr), statement.target.id
            yield statement.target.id, _sentence(ast.literal_eval(following.value))


def contract_table() -> str:
    lines = []
    for kind in (contract.Backend, contract.Engine, contract.Foreign):
        lines += ["", f"**`{kind.__name__}`**: {_sentence(kind.__doc__)}", "", "| member | what it says |", "|---|---|"]
        lines += [f"| `{name}` | {text.replace('|', chr(92) + '|')} |" for name, text in members(kind)]
    return "\n".join(lines[1:])


def _sentence(text: str | None) -> str:
    assert text, "without documentation"
    flat = " ".join(text.split())
    flat = re.sub(r":\w+:`~?(?:[\w.]*\.)?([\w.]+)`", r"`\1`", flat).replace("``", "`")
    return re.split(r"(?<=[.:])\s+(?=[A-Z])|(?<=\.)$", flat)[0].removesuffix(":").removesuffix(".") + "."


def primitives() -> str:
    """How many primitives there are, and the names of those that are composed of others."""
    free = sorted(name for name, row in PRIMITIVES.items() if row.composition is not None)
    text = (
        f"Of {len(PRIMITIVES)} primitives an adapter supplies {len(PRIMITIVES) - len(free)}; {len(free)} are composed "
        f"of others where it does not: {', '.join(f'`{name}`' for name in free)}."
    )
    return "\n".join(textwrap.wrap(text, 180, break_on_hyphens=False))


def page() -> str:
    """The page with its made parts as they are to be."""
    forward, backward = walks()
    parts = {
        "floors": floors(),
        "forward": forward,
        "backward": backward,
        "contract": contract_table(),
        "primitives": primitives(),
    }
    text = PAGE.read_text()
    for name, made in parts.items():
        pattern = rf"(<!-- made: {name} -->\n)(?:(?!<!-- end).)*"
        assert re.search(pattern, text), name
        text = re.sub(pattern, lambda found, made=made: f"{found[1]}{made}\n", text, flags=re.DOTALL)
    return text


# --- tests -------------------------------------------------------------------------------------------------------


def test_the_page_is_true() -> None:
    assert PAGE.read_text() == page()


def test_no_file_is_in_an_import_circle() -> None:
    """Whatever kind of import is counted: inside functions and for type checkers too, the root package included."""
    files = {}
    for file in PACKAGE.rglob("*.py"):
        parts = ("unigrad", *file.relative_to(PACKAGE).with_suffix("").parts)
        files[".".join(parts).removesuffix(".__init__")] = file
    imports: dict[str, set[str]] = {name: set() for name in files}
    for name, file in files.items():
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imports[name] |= {each.name for each in node.names} & set(files)
            elif isinstance(node, ast.ImportFrom) and node.module in files:
                found = {f"{node.module}.{each.name}" for each in node.names}
                imports[name] |= (found & set(files)) or {node.module}
    # Who imports nothing that is left is in no circle.
    while free := [name for name, needed in imports.items() if not needed & set(imports)]:
        for name in free:
            del imports[name]
    assert not imports


def test_all_that_the_door_offers_is_used_by_our_own_adapters_or_documented() -> None:
    used = {
        alias.name
        for file in (ROOT / "backends").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module == "unigrad.extend"
        for alias in node.names
    }
    # An array module like NumPy; a framework's own recording at first order; a stranger's package.
    for_others = {"BackendError", "Leaf", "NativeBackend", "by_element", "register_backend"}
    assert used | for_others == set(extend.__all__)
    assert all(hasattr(extend, name) for name in extend.__all__)


@pytest.mark.parametrize("name", BACKENDS)
def test_nothing_of_the_cores_is_set_on_an_adapter(name: str) -> None:
    from unigrad.adapters.registry import get_backend_object

    backend = get_backend_object(name)
    before = set(vars(backend))
    with ug.use_backend(name):
        x = ug.asarray([1.0, 2.0])
        x.attach_grad()
        with ug.record():
            y = ug.tanh(x * x).sum()
        y.backward()
        ug.hvp(lambda v: (v * v * v).sum(), (x.detach(),), (ug.ones(2),))
    assert set(vars(backend)) == before
    assert not {"tensor_type", "dual_type", "batched_type", "raw_functions", "scopes"} & set(dir(backend))


@pytest.mark.parametrize("name", BACKENDS)
def test_a_replaced_derivative_is_that_of_a_primitive_and_has_a_reason(name: str) -> None:
    replaced = next(row for row in ug.available_backends() if row.name == name).replaced
    assert bool(replaced) == (name not in ("numpy", "cupy", "mxnet", "dask"))
    for primitive, reason in replaced.items():
        assert PRIMITIVES[primitive].differentiable or primitive == "nextafter", primitive
        assert reason, primitive
        if reason.startswith("as "):
            assert reason.split()[1].rstrip(",") in replaced, primitive


def test_jax_has_a_rule_of_ours_where_it_says_so_and_nowhere_else() -> None:
    jax = pytest.importorskip("jax")
    from test_core_vmap import CALLS

    from unigrad.adapters.registry import get_backend_object

    backend = get_backend_object("jax")
    ruled = set()
    for name, row in PRIMITIVES.items():
        if row.differentiable:
            makes, statics = CALLS.get(name, [([lambda seed: 0.5] * len(row.arrays), (1,) * len(row.statics))])[0]
            arrays = [jax.numpy.asarray(make(1)) for make in makes]
            function, inputs = backend.functions[name].resolve(arrays, statics)
            if re.search("custom_[jv][vj]p", str(jax.make_jaxpr(function.plain)(*inputs))):
                ruled.add(name)
    assert ruled == set(backend.replaced)


def test_every_operation_is_public() -> None:
    for name in OPERATIONS:
        group, _, short = name.rpartition(".")
        assert short in (getattr(ug, group) if group else ug).__all__, name


if __name__ == "__main__":
    PAGE.write_text(page())
