"""Runs the notebooks in Jupyter's kernels, writes pages of them with all outputs, or clears what an editor left.

    python conformance/notebooks.py run [NAME ...]     # on $UNIGRAD_BACKEND, NumPy without it
    python conformance/notebooks.py html [NAME ...]    # likewise, and build/notebooks/index.html
    python conformance/notebooks.py clear

A notebook is kept as `cleared` writes it, so that a change of a cell is a change of its lines and of nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
INDEX = ROOT / "notebooks" / "README.md"
PAGES = ROOT / "build" / "notebooks"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def cleared(text: str) -> str:
    """A notebook without outputs, counts and what editors note about themselves; only tags of cells stay."""
    cells = []
    for number, cell in enumerate(json.loads(text)["cells"]):
        tags = cell["metadata"].get("tags")
        clean = {
            "cell_type": cell["cell_type"],
            "id": f"cell-{number:02d}",
            "metadata": {"tags": tags} if tags else {},
            "source": "".join(cell["source"]).splitlines(keepends=True),
        }
        if cell["cell_type"] == "code":
            clean |= {"execution_count": None, "outputs": []}
        cells.append(dict(sorted(clean.items())))
    notebook = {"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def executed(path: Path) -> NotebookNode:
    """The notebook with its outputs; an error in a cell is raised."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(path.parent)}}).execute()
    return notebook


def page(notebook: NotebookNode, title: str) -> str:
    """One HTML page: links to notebooks lead to their pages, and graphs are drawn and not left to Mermaid's script."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"\]\((\w+)\.ipynb\)", r"](\1.html)", cell.source).replace(
                "(README.md)", "(index.html)"
            )
        for output in cell.get("outputs", ()):
            if "image/svg+xml" in output.get("data", {}):
                output.data.pop("text/vnd.mermaid", None)
    # Without embed_images, which closes a <details> at the end of its first line.
    exporter = HTMLExporter(exclude_input_prompt=True, exclude_output_prompt=True)
    return exporter.from_notebook_node(notebook, {"metadata": {"name": title}})[0]


def index() -> str:
    """The page that lists the others."""
    cell = nbformat.v4.new_markdown_cell(INDEX.read_text(encoding="utf-8"))
    return page(nbformat.v4.new_notebook(cells=[cell]), "The notebooks")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("action", choices=["run", "html", "clear"])
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    if unknown := set(options.names) - {path.stem for path in NOTEBOOKS}:
        parser.error(
            f"no notebook is called {', '.join(sorted(unknown))}; there are {', '.join(p.stem for p in NOTEBOOKS)}"
        )
    chosen = [path for path in NOTEBOOKS if not options.names or path.stem in options.names]
    if options.action == "clear":
        for path in chosen:
            path.write_text(cleared(path.read_text(encoding="utf-8")), encoding="utf-8")
        return
    print(f"on {os.environ.get('UNIGRAD_BACKEND', 'numpy')}")
    for path in chosen:
        start = time.perf_counter()
        notebook = executed(path)
        print(f"{time.perf_counter() - start:6.1f} s  {path.stem}", flush=True)
        if options.action == "html":
            PAGES.mkdir(parents=True, exist_ok=True)
            (PAGES / f"{path.stem}.html").write_text(page(notebook, path.stem.replace("_", " ")), encoding="utf-8")
    if options.action == "html":
        (PAGES / "index.html").write_text(index(), encoding="utf-8")
        print(f"start at {PAGES / 'index.html'}")


if __name__ == "__main__":
    main()
