"""What importing unigrad may and may not do."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import unigrad

FRAMEWORKS = ("torch", "tensorflow", "jax", "jaxlib", "mxnet", "cupy")
PACKAGE = Path(unigrad.__file__).parent

BLOCKED = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FRAMEWORKS!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocker())
import unigrad as ug

x = ug.arange(4.0)
x.attach_grad()
with ug.record():
    y = 2 * ug.dot(x, x)
y.backward()
assert x.grad.tolist() == [0, 4, 8, 12]
rows = {{row.name: row for row in ug.available_backends()}}
assert rows["numpy"].installed
for name in ("torch", "tensorflow", "jax", "mxnet", "cupy"):
    assert not rows[name].installed and rows[name].why_not, name
    try:
        ug.set_backend(name)
    except ug.BackendError as error:
        assert "pip install" in str(error), error
    else:
        raise AssertionError(name)
assert ug.get_backend() == "numpy"
"""


def run(source: str) -> None:
    subprocess.run([sys.executable, "-c", source], check=True, timeout=120)


def test_everything_native_works_where_no_framework_can_be_imported() -> None:
    run(BLOCKED)


def test_import_loads_no_framework_and_no_adapter() -> None:
    run(
        "import sys, unigrad\n"
        f"bad = [name for name in {FRAMEWORKS!r} if name in sys.modules]\n"
        "bad += [name for name in sys.modules if name.startswith('unigrad_')]\n"
        "assert not bad, bad"
    )


def test_one_framework_at_a_time() -> None:
    pytest.importorskip("torch")
    run(
        "import sys\nimport unigrad as ug\n"
        "ug.set_backend('torch'); assert ug.ones(2).backend.name == 'torch'\n"
        "bad = [name for name in ('tensorflow', 'jax', 'mxnet') if name in sys.modules]\n"
        "assert not bad, bad"
    )


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_the_core_imports_numpy_and_the_standard_library_only(path: Path) -> None:
    allowed = {"unigrad", "numpy", "__future__", *sys.stdlib_module_names}
    if path.name == "backend.py" and path.parent.name == "native":
        allowed |= {"cupy", "cupyx"}  # inside the methods that load CuPy
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            assert name.partition(".")[0] in allowed, f"{path}:{node.lineno} imports {name}"
