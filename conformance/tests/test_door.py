"""What a stranger's adapter meets: the suite as tests of pytest, and whatever the adapter may do to it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as ElementTree
from importlib import import_module
from pathlib import Path

import pytest
from strange_adapter import install
from unigrad_conformance import catalogue, deviations, processes, report, runner
from unigrad_conformance.command import known_backends

import unigrad as ug
from unigrad.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where packages are installed, for this process and those that it starts."""
    installed = tmp_path / "installed"
    installed.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(installed), prepend=os.pathsep)
    monkeypatch.syspath_prepend(str(installed))
    return installed


def test_an_adapter_that_cannot_be_imported_is_a_row_and_the_others_go_on(folder: Path) -> None:
    faults = {
        "raises": "raise ValueError('half installed')",
        "leaves": "import sys\nsys.exit('no license')",
        "ends": "import os\nos.write(2, b'out of luck')\nos._exit(7)",
        "none": "backend = 3",
    }
    for name, source in faults.items():
        install(folder, name, f"print('not for you')\n{source}\n")
    assert {*faults, "numpy"} <= set(known_backends())  # and none was imported for it
    found = runner.run_cases(["numpy", *faults], catalogue.chosen(["exp.matrix.float32"]))
    said = {column.backend: str(column.unavailable) for column in found.columns}
    assert [verdict.status for verdict in found.columns[0].verdicts.values()] == ["agrees"]
    assert "ValueError: half installed" in said["raises"]
    assert "SystemExit: no license" in said["leaves"]
    assert "exit status 7: out of luck" in said["ends"]
    assert "is 3, and no instance" in said["none"]
    assert not found.ok
    text = report.as_text(found, verbose=False)
    assert all(re.search(rf"^  {name}: ", text, re.MULTILINE) for name in faults)


def test_a_worker_that_hangs_is_ended_with_what_it_started(folder: Path, tmp_path: Path) -> None:
    number = tmp_path / "number"
    source = f"import os, time\nchild = os.fork()\nif child: open({str(number)!r}, 'w').write(str(child))\n"
    install(folder, "hangs", source + "time.sleep(100)\n")
    began = time.perf_counter()
    (message,) = processes.work("hangs", {"cases": []}, lambda message: 4.0)
    assert message == {"kind": "crashed", "why": "no answer within 4 s"}
    assert time.perf_counter() - began < 60
    if number.exists():  # where it got that far in time
        assert not Path(f"/proc/{number.read_text()}/exe").exists()


def test_what_is_printed_before_the_worker_has_its_channel_is_passed_over(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("print('hello'); print(3); print('{\"kin', flush=True)\n")
    kinds = [message["kind"] for message in processes.work("numpy", {"cases": []}, lambda message: 60.0)]
    assert kinds == ["ready", "done"]


# --- pytest ------------------------------------------------------------------------------------------------


def _pytest(folder: Path, *arguments: str, faults: str = "") -> subprocess.CompletedProcess[str]:
    """Run pytest in a tree of somebody else's."""
    info = folder / "unigrad_here-1.0.dist-info"
    if not info.exists():  # as the wheel announces it; a second one of that name is passed over
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unigrad_here\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[pytest11]\nunigrad = unigrad_conformance.pytest_plugin\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", *arguments]
    environment = {**os.environ, "FAULTS": faults}
    return subprocess.run(
        command, cwd=folder.parent, env=environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_a_run_that_does_not_ask_for_it_pays_nothing(folder: Path) -> None:
    source = "import sys\ndef test_own():\n    assert not {'numpy', 'unigrad'} & set(sys.modules)\n"
    (folder.parent / "test_own.py").write_text(source)
    (folder.parent / "conftest.py").write_text(
        "import sys\nassert 'unigrad_conformance.pytest_plugin' in sys.modules\n"
    )
    done = _pytest(folder, "-q")
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_every_case_is_a_test_whatever_the_adapter_does(folder: Path) -> None:
    install(folder)
    (folder.parent / "test_own.py").write_text("def test_own(): pass\n")
    (folder.parent / "known.toml").write_text(
        '[fails]\n"cos.matrix.*" = "it is slow"\n"exp.matrix.*" = "it agrees"\n"log.matrix.*" = "it is off"\n'
    )
    (folder.parent / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --unigrad-backend stranger --unigrad-xfail known.toml\n"
    )
    names = ("sin", "cos", "tan", "exp", "log", "sinh", "argsort")
    ids = {case.name: f"unigrad/stranger/{case.family}::{case.name}" for case in catalogue.all_cases().values()}
    chosen = [ids[f"{name}.{'stable' if name == 'argsort' else 'matrix'}.float32"] for name in names]
    faults = "sin=exit cos=hang tan=print log=value sinh=options"
    arguments = ["--unigrad-case-seconds", "5", "--junitxml", "found.xml", "-rfE", "test_own.py", *chosen]
    done = _pytest(folder, *arguments, faults=faults)
    assert done.returncode == 1, done.stdout + done.stderr
    found: dict[str, str] = {}
    for row in ElementTree.parse(folder.parent / "found.xml").iter("testcase"):
        found[row.attrib["name"].partition(".")[0]] = " ".join(
            f"{child.tag} {child.get('message')} {child.text}" for child in row if child.tag != "system-out"
        )
    assert {*found} == {*names, "test_own"}
    assert found["tan"] == found["test_own"] == ""
    assert "exit status 3" in found["sin"]
    assert "unigrad conform --verbose --backend stranger --case sin.matrix.float32" in found["sin"]
    assert "it is slow" in found["cos"]
    assert found["cos"].startswith("skipped")
    assert found["log"].startswith("skipped")
    assert found["exp"].startswith("failure")
    assert "it agrees" in found["exp"]
    assert "it changed NumPy's print options" in found["sinh"]
    assert "left out on purpose" in found["argsort"]
    assert "Traceback" not in done.stdout
    assert f"FAILED {ids['sin.matrix.float32']}" in done.stdout


def test_a_backend_that_cannot_be_used_is_one_failure(folder: Path) -> None:
    install(folder, "ends", "import os\nos._exit(7)\n")
    rows = folder.parent / "known.toml"
    rows.write_text('[fails]\n"seeds.*" = "all"\n')
    of = ("-m", "unigrad_seeds and unigrad_everyday")
    done = _pytest(folder, "--unigrad-backend", "ends", "--unigrad-xfail", str(rows), *of)
    why = "its worker failed outside any case: the process ended with exit status 7"
    assert f"ends cannot be used: {why}" in done.stdout
    count = len(catalogue.chosen(["seeds"], everyday=True))
    assert f"1 failed, {count - 1} skipped" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--unigrad-backend", "numpi"], "there is no backend 'numpi' (did you mean 'numpy'?)"),
        (["--unigrad-backend", "numpy", "unigrad/numpy/sed"], "there is no case 'unigrad/numpy/sed'; did you mean"),
    ],
)
def test_wrong_arguments_say_what_to_type(folder: Path, arguments: list[str], said: str) -> None:
    done = _pytest(folder, *arguments)
    assert done.returncode == 4
    assert said in done.stderr


# --- what is known to fail -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[fails]\n"sinn.*" = "typo"', "no case matches 'sinn.*'"),
        ('[fails]\n"sin.*" = ""', "has no reason"),
        ('[fails]\n"sin.*" = 3', "has no reason"),
        ('[skips]\n"sin.*" = "slow"', "write [fails]"),
        ('fails = ["sin.*"]', "write [fails]"),
        ("[fails", "known.toml: "),
    ],
)
def test_a_wrong_file_of_what_fails_says_why(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(ug.ArgumentError, match=re.escape(said)):
        deviations.read(path, "numpy", catalogue.all_cases())


def test_the_command_takes_what_fails_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "known.toml"
    path.write_text('[fails]\n"sin.*" = "so we believed"\n')
    told = ["conform", "--case", "sin.matrix.float32", "--xfail", str(path)]
    assert main([*told, "--backend", "numpy"]) == 1
    assert "so we believed" in capsys.readouterr().out
    assert main(told) == 2
    assert "--xfail is for one backend" in capsys.readouterr().err


def test_what_the_package_announces_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for group in ("unigrad.commands", "pytest11"):
        for value in project["entry-points"][group].values():
            module, _, name = value.partition(":")
            assert hasattr(import_module(module), name or "pytest_addoption")


def test_no_extra_has_a_marker_on_another() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [one for wanted in extras.values() for one in wanted if one.startswith("unigrad[")]
    assert named
    assert [one for one in named if ";" in one] == [], "hatchling writes out the other extra, without the marker"
