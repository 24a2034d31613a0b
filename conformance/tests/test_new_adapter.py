"""``unigrad new-adapter``: what it writes runs, and it says what is missing next."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from unigrad_conformance import catalogue, next_step, runner
from unigrad_conformance.new_adapter import FILES, new_adapter

ROOT = Path(__file__).parents[2]

# A framework that follows NumPy and is not whole.
FRAMEWORK = """
from device_module import DeviceArray as ndarray, DeviceModule

def asnumpy(x):
    return x._host

def sin(x):
    return DeviceModule().sin(x) * 2

def __getattr__(name):
    if name in ("arcsinh", "hypot"):
        raise AttributeError(name)
    return getattr(DeviceModule(), name)
"""


def _ran(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    new_adapter.add_arguments(parser)
    return new_adapter.run(parser.parse_args(arguments))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_it_writes_is_whole(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ran("my_array", "--module", "arrays.cpu", "--distribution", "arrays-cpu") == 0
    said = capsys.readouterr().out
    assert "The module arrays is not installed here; the package asks for arrays-cpu." in said
    assert "unigrad new-adapter my_array --next" in said
    folder = here / "unigrad-my-array"
    written = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}
    assert {*written} == {target.replace("$name", "my_array") for target in FILES.values()}
    assert all(path in said for path in written)
    for text in written.values():
        assert not re.search(r"\$(?!\{\{|GITHUB| )", text), text
    project = tomllib.loads(written["pyproject.toml"])
    assert project["project"]["entry-points"]["unigrad.backends"] == {"my_array": "unigrad_my_array:backend"}
    assert project["project"]["dependencies"] == ["unigrad", "arrays-cpu"]
    assert tomllib.loads(written["known.toml"]) == {"fails": {}}
    adapter = written["unigrad_my_array/__init__.py"]
    assert len(adapter.partition("class Adapter")[2].partition("\nbackend")[0].strip().splitlines()) <= 25
    assert re.findall(r"(?:from|import) (\S+)", adapter) == ["math", "unigrad.extend", "NativeBackend,", "arrays.cpu"]
    subprocess.run([sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,W,B,UP", folder], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "--check", folder], check=True)


# One whose functions are not as NumPy's, and whose dtypes are its own.
UNLIKE = """
import numpy

float32, float64, int64, bool = "unlike.float32", "unlike.float64", "unlike.int64", "unlike.bool"

class array:
    def __init__(self, values, dtype):
        self.values, self.dtype = numpy.array(values), dtype

    shape = property(lambda self: self.values.shape)
    __array__ = lambda self, dtype=None, copy=None: self.values.copy()

def add(x, y):
    return array(x.values + (y.values if isinstance(y, array) else y), x.dtype)

def exp(x):
    return array(numpy.exp(x.values), x.dtype)
"""


def test_an_adapter_of_a_framework_unlike_numpy_runs_from_the_beginning(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _ran("other", "--module", "unlike", "--distribution", "numpy", "--into", "package", "--unlike-numpy") == 0
    adapter = here / "package" / "unigrad_other" / "__init__.py"
    subprocess.run([sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,W,B,UP", adapter], check=True)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--isolated", "--check", adapter], check=True)
    (here / "package" / "unlike.py").write_text(UNLIKE)
    info = here / "package" / "unigrad_other-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unigrad-other\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[unigrad.backends]\nother = unigrad_other:backend\n")
    monkeypatch.setenv("PYTHONPATH", str(here / "package"), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(here / "package"))
    cases = catalogue.chosen(["seeds.dot_gradient", "exp.*", "linalg.inv.*"], everyday=True)
    found = runner.run_cases(["other"], cases)
    statuses = {verdict.status for verdict in found.columns[0].verdicts.values()}
    assert found.columns[0].unavailable is None
    assert statuses == {"agrees"}, found.columns[0].verdicts


def test_the_page_shows_the_workflow_that_is_written(here: Path) -> None:
    assert _ran("mine") == 0
    workflow = (here / "unigrad-mine" / ".github" / "workflows" / "conform.yml").read_text()
    page = (ROOT / "conformance" / "ADAPTERS.md").read_text()
    assert f"```yaml\n{workflow}```" in page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["torch"], "there is a backend 'torch'"),
        (["my-array"], "'my-array' is no name for a backend"),
        (["class"], "'class' is no name"),
        (["mine", "--module", "a-b"], "'a-b' is no name of a module"),
        (["numpi", "--next"], "there is no backend 'numpi' (did you mean 'numpy'?)"),
        (["mine", "--into", "taken"], "taken is there already, and nothing in it is overwritten"),
        (["mine", "--into", "taken/file"], "choose another folder with --into"),
    ],
)
def test_wrong_arguments_say_what_to_type(
    here: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "taken").mkdir()
    (here / "taken" / "file").write_text("precious")
    assert _ran(*arguments) == 2
    assert said in capsys.readouterr().err
    assert [str(path.relative_to(here)) for path in here.rglob("*")] == ["taken", "taken/file"]
    assert (here / "taken" / "file").read_text() == "precious"


def test_it_says_what_is_missing_next(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _ran("mine", "--module", "mine_arrays", "--distribution", "numpy", "--into", "package") == 0
    info = here / "package" / "unigrad_mine-0.1.0.dist-info"  # as pip would install it
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unigrad-mine\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[unigrad.backends]\nmine = unigrad_mine:backend\n")
    monkeypatch.setenv(
        "PYTHONPATH", f"{here / 'package'}{os.pathsep}{ROOT / 'conformance' / 'tests'}", prepend=os.pathsep
    )
    monkeypatch.syspath_prepend(str(here / "package"))
    capsys.readouterr()
    assert _ran("mine", "--next") == 1
    said = capsys.readouterr().out
    assert "NEXT  loads" in said
    assert "needs mine_arrays, which is not installed; install it with: pip install numpy" in said
    (here / "package" / "mine_arrays.py").write_text(FRAMEWORK)
    monkeypatch.setattr(next_step, "PRIMITIVES", ("add", "asinh", "sin"))  # not all, which takes long
    assert _ran("mine", "--next") == 1
    said = capsys.readouterr().out
    assert "ok    loads" in said
    assert "asinh: " in said
    assert re.search(r"^ +sin: sin\(", said, re.MULTILINE)
    assert re.search(r"NEXT  seeds: \d of \d+ cases fail", said)
    assert "unigrad conform --raw asinh --backend mine" in said
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider", "tests"],
        cwd=here / "package", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
