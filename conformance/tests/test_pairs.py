"""Two frameworks in one process, whichever comes first, each pair in a process of its own."""

from __future__ import annotations

import itertools
import subprocess
import sys
import types
import warnings
from pathlib import Path

import pytest

import unigrad as ug
from unigrad.extend import loading
from unigrad.extend.loading import loaded_before

KNOWN = ("torch", "tensorflow", "jax", "mxnet")
FRAMEWORKS = [row.name for row in ug.available_backends() if row.installed and row.name in KNOWN]

# What a framework loads late, as PyTorch its compiler for a checkpoint, comes after the other framework is there.
BOTH = """
import sys
import unigrad as ug

def gradient(name, f):
    with ug.use_backend(name):
        x = ug.asarray([1.0, 2.0])
        x.attach_grad()
        with ug.record():
            y = f(x).sum()
        y.backward()
        return [round(value, 4) for value in x.grad.tolist()]

cube = lambda x: x * x * x
names = sys.argv[1:]
for name in names:
    assert gradient(name, cube) == [3, 12], name
for name in names:
    assert gradient(name, ug.checkpoint(cube)) == [3, 12], name
for inner, outer in (names, names[::-1]):
    bridged = ug.bridge(cube, inner=inner, outer=outer)
    with ug.use_backend(outer):
        assert ug.asarray(bridged(ug.asarray([1.0, 2.0]).raw)).tolist() == [1, 8], (inner, outer)
    if outer != "mxnet":
        assert gradient(outer, ug.wrap_native(bridged)) == [3, 12], (inner, outer)
print("whole")
"""


@pytest.mark.parametrize("pair", list(itertools.permutations(FRAMEWORKS, 2)), ids="-".join)
def test_two_frameworks_live_in_one_process(pair: tuple[str, str]) -> None:
    done = subprocess.run([sys.executable, "-c", BOTH, *pair], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout.split()[-1:]) == (0, ["whole"]), done.stderr[-2000:]


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A package with a library: that of an extension module of Python's own."""
    import _ctypes

    package = tmp_path / "its_compiler"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "its_library.so").symlink_to(_ctypes.__file__)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loading, "_loaded", {})
    return package.name


def test_a_library_is_loaded_before_another_and_imports_nothing(compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded_before(compiler, "its_library.so", other="a_framework")
    assert compiler not in sys.modules
    monkeypatch.setitem(sys.modules, "a_framework", types.ModuleType("a_framework"))
    assert loaded_before(compiler, "its_library.so", other="a_framework")  # as it was


def test_a_library_that_comes_too_late_is_not_loaded(compiler: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "a_framework", types.ModuleType("a_framework"))
    assert not loaded_before(compiler, "its_library.so", other="a_framework")
    assert loaded_before(compiler, "no_library.so", other="a_framework")
    assert loaded_before("no_such_package", "its_library.so", other="a_framework")


def test_who_imported_tensorflow_first_hears_of_pytorchs_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    torch_backend = pytest.importorskip("unigrad_torch.backend")
    pytest.importorskip("torch")
    monkeypatch.setattr(loading, "loaded_before", lambda *names, other: False)
    with pytest.warns(ug.UnigradWarning, match="tensorflow was imported before .* put 'import triton' before"):
        torch_backend.TorchBackend().load()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(loading, "loaded_before", lambda *names, other: True)
        torch_backend.TorchBackend().load()
