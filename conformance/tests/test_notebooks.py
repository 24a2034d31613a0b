"""The notebooks run from the first cell to the last on every backend, and print the same everywhere.

Here cells are executed in this process: a kernel for each notebook and backend would import frameworks for minutes.
`make notebooks` runs them in Jupyter, and one of them is run so here.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot as plt
from unigrad_conformance.runner import APART

import unigrad as ug
from notebooks import INDEX, NOTEBOOKS, cleared, executed, index, page

# Not those that compute nothing by themselves: these tests look at values.
BACKENDS = [row.name for row in ug.available_backends() if row.installed and row.name not in APART]
BY_NAME = {path.stem: path for path in NOTEBOOKS}
ON_ALL = ("five_frameworks",)
"""Notebooks that set all frameworks side by side, and measure each, whichever backend is chosen."""
RUNS = [(path, backend) for path in NOTEBOOKS for backend in (("numpy",) if path.stem in ON_ALL else BACKENDS)]


@contextlib.contextmanager
def surroundings(path: Path, backend: str) -> Iterator[None]:
    """What notebooks set for their process is set back."""
    with (
        pytest.MonkeyPatch.context() as patch,
        ug.use_backend(backend),
        matplotlib.rc_context(),
        np.errstate(),
        contextlib.chdir(path.parent),
    ):
        matplotlib.use("agg")
        patch.setenv("UNIGRAD_BACKEND", backend)
        patch.setattr(plt, "show", lambda: None)
        yield
    plt.close("all")


def ran(source: str, names: dict[str, Any]) -> Any:
    """Runs a cell; what its last line is, if that is an expression."""
    body = ast.parse(source).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "<cell>", "exec"), names)  # noqa: S102 - the notebooks are ours
    return None if last is None else eval(compile(ast.Expression(last.value), "<cell>", "eval"), names)


@cache
def printed(path: Path, backend: str) -> tuple[str, ...]:
    """What each code cell prints, with numbers rounded to four digits, and how many pictures it shows."""
    names: dict[str, Any] = {"__name__": "__main__"}
    shown = []
    with surroundings(path, backend):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] != "code":
                continue
            with contextlib.redirect_stdout(io.StringIO()) as out:
                value = ran("".join(cell["source"]), names)
            pictures = len(plt.get_fignums()) + ("image/svg+xml" in bundle(value))
            plt.close("all")
            shown.append(re.sub(r"-?\d+\.\d+(e[+-]?\d+)?", _rounded, out.getvalue()) + f" [{pictures} pictures]")
    return tuple(shown)


def bundle(value: Any) -> dict[str, str]:
    return value._repr_mimebundle_() if hasattr(value, "_repr_mimebundle_") else {}


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match.group()):.4g}"


@pytest.mark.usefixtures("chooses_backend")
@pytest.mark.parametrize(("path", "backend"), RUNS, ids=lambda part: getattr(part, "stem", part))
def test_notebook(path: Path, backend: str) -> None:
    reference = printed(path, "numpy")
    assert printed(path, backend) == reference
    assert any("[1 pictures]" in cell for cell in reference)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_kept_cleared(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text == cleared(text), "run: python conformance/notebooks.py clear"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_says_where_the_backend_is_chosen(path: Path) -> None:
    first = next(cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == "code")
    assert 'ug.set_backend(os.environ.get("UNIGRAD_BACKEND", "numpy"))' in "".join(first["source"])


def test_index_has_each_notebook_once_with_minutes() -> None:
    rows = re.findall(
        r"^\| \[[^\]]+\]\((\w+)\.ipynb\) \|.+\| (\d+) \|", INDEX.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(name for name, _ in rows) == [path.stem for path in NOTEBOOKS]


def test_pages_show_outputs_and_lead_to_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNIGRAD_BACKEND", "numpy")
    shown = page(executed(BY_NAME["eight_exercises"]), "eight exercises")
    assert "data:image/svg+xml" in shown
    solutions = re.findall("<details>.*?</details>", shown, re.DOTALL)
    assert len(solutions) == 8
    assert all("<p>" in solution for solution in solutions), "what is to be folded stands outside"
    assert not re.search(r'href="[^"]+\.ipynb', shown)
    listed = index()
    assert all(f'href="{name}.html"' in listed for name in BY_NAME)
