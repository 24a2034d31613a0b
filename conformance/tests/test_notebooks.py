"""The notebooks run from the first cell to the last on every backend, and print the same everywhere."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import unigrad as ug

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
BACKENDS = [row.name for row in ug.available_backends() if row.installed]


@cache
def printed(path: Path, backend: str) -> tuple[str, ...]:
    """What each code cell prints, with numbers rounded to five digits, and whether it shows a picture."""
    notebook = nbformat.read(path, as_version=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNIGRAD_BACKEND", backend)
        NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    shown = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            text = "".join(output.text for output in cell.outputs if output.get("name") == "stdout")
            pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
            shown.append(re.sub(r"-?\d+\.\d+(e[+-]?\d+)?", _rounded, text) + f" [{pictures} pictures]")
    return tuple(shown)


def _rounded(match: re.Match[str]) -> str:
    return f"{float(match.group()):.4g}"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path, backend: str) -> None:
    reference = printed(path, "numpy")
    assert printed(path, backend) == reference
    assert any("[1 pictures]" in cell for cell in reference)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs"), "clear the outputs: they are made by running it"
