"""The code that is written for six primitives, beside what a reviewer has read: the files in ``generated``.

They are for an engine that leaves it to the rules, one that records by itself, and one with a ``record`` of its own.
After a change that is meant, ``python conformance/tests/test_generated.py`` writes them anew.
"""

from __future__ import annotations

import linecache
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.adapters.registry import loaded
from unigrad.binding import functions
from unigrad.binding.nodes import node_type
from unigrad.binding.source import source
from unigrad.binding.tangents import tangent_of
from unigrad.cli import main
from unigrad.extend import PRIMITIVES, Engine
from unigrad.native.backend import NumpyBackend
from unigrad.tensor.tensor import type_on

READ = Path(__file__).parent / "generated"
NAMES = ("concat", "matmul", "multiply", "sum", "tanh", "where")


class Bare(Engine):
    inline_nodes = "bare"
    orders = 1

    def leaf(self, raw: Any) -> Any:
        return raw

    def detached(self, raw: Any) -> Any:
        return raw

    def pullback(self, pull: Any) -> None:
        return None


class BareBackend(NumpyBackend):
    name = "bare"
    engine = Bare()


class OwnBackend(NumpyBackend):
    name = "own"
    engine = Engine()


def texts() -> dict[str, str]:
    """What is written in a process that has done nothing else."""
    numpy, bare, own = loaded(ug.asarray(0.0).backend), loaded(BareBackend()), loaded(OwnBackend())
    found = {}
    for name in NAMES:
        row = PRIMITIVES[name]
        node_type(row)
        tangent_of(row)
        shared = source(row, numpy)
        # Of the others the function itself, which comes first: the rest is the same.
        others = [source(row, backend, shared=False).partition("\n\n\n")[0] + "\n" for backend in (bare, own)]
        found[name] = "\n\n".join([shared, *others])
    return found


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    subprocess.run([sys.executable, __file__, str(folder)], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_was_read(name: str, written: Path) -> None:
    assert (written / f"{name}.txt").read_text() == (READ / f"{name}.txt").read_text()


def test_tracebacks_show_the_lines() -> None:
    with pytest.raises(ug.ShapeError) as raised:
        ug.matmul(ug.ones((2, 3)), ug.ones((2, 3)))
    shown = "".join(traceback.format_exception(raised.value))
    assert "unigrad matmul: function on numpy" in shown
    assert "raise explain(backend, row, error" in shown


def test_what_could_not_be_written_says_so_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fresh(NumpyBackend):
        name = "fresh"

    def fails(*args: Any, **how: Any) -> Any:
        raise ug.UnigradError("cannot be written")

    x = type_on(loaded(Fresh())).of(np.ones(2), None)
    with monkeypatch.context() as broken:
        broken.setattr(functions, "execute", fails)
        for _ in range(2):
            with pytest.raises(ug.UnigradError, match="cannot be written"):
                x * x
    assert (x * x).tolist() == [1.0, 1.0]


def test_the_command_line_shows_what_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["source", "multiply"]) == 0
    text = capsys.readouterr().out
    assert "def multiply(x1, x2):" in text
    assert "class multiply(Node):" in text
    file = "<unigrad multiply: function on numpy>"
    assert "".join(linecache.getlines(file)) in text
    assert main(["source", "mutliply"]) == 2
    assert "did you mean multiply" in capsys.readouterr().err
    assert main(["source", "multiply", "--backend", "nothing"]) == 2


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else READ
    for name, text in texts().items():
        (folder / f"{name}.txt").write_text(text)
