"""The runner and its checks can fail: strangers that are right, wrong, crash or hang, and known deviations."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from strange_adapter import SOURCE, install
from unigrad_conformance import catalogue, compare, deviations, progress, report, runner
from unigrad_conformance import kept as kept_module
from unigrad_conformance.case import Limit
from unigrad_conformance.command import Conform
from unigrad_conformance.kept import Kept, clear_hashes
from unigrad_conformance.lowering import share_contexts

from unigrad.cli import main

Judge = Callable[..., runner.Column]


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Installs the stranger as a package with an entry point would be, and runs cases on it."""
    install(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def run(*patterns: str, fault: str = "", of: str = "sin", **how: Any) -> runner.Column:
        monkeypatch.setenv("FAULTS", f"{of}={fault}" if fault else "")
        found = runner.run_cases(["stranger"], catalogue.chosen(patterns), ["stranger"], **how)
        assert found.reference_problems == []
        assert found.ok == (not any(verdict.fails for verdict in found.columns[0].verdicts.values()))
        return found.columns[0]

    return run


def _statuses(column: runner.Column, *names: str) -> list[str]:
    return [column.verdicts[name].status for name in names]


def test_a_stranger_with_array_functions_alone_passes(stranger: Judge) -> None:
    column = stranger("seeds", "recording", "kinks", "operator.getitem.*.float32", "matmul.*.float32", "flip.*")
    problems = {name: verdict.problems for name, verdict in column.verdicts.items() if verdict.fails}
    assert problems == {}
    assert column.unavailable is None
    assert column.engine == "nothing"


def test_what_is_declared_missing_is_no_failure(stranger: Judge) -> None:
    column = stranger("argsort.*", "flip.*")
    assert column.verdicts["argsort.stable.float32"].status == "missing"
    assert column.verdicts["flip.all.float32"].status == "agrees"


@pytest.mark.parametrize("fault", ["crash", "exit"])
def test_a_crash_is_a_result_and_the_rest_still_runs(stranger: Judge, fault: str) -> None:
    names = ("exp.matrix.float32", "sin.matrix.float32", "tan.matrix.float32")
    column = stranger(*names, fault=fault)
    assert _statuses(column, *names) == ["agrees", "crashed", "agrees"]
    expected = "SIGABRT" if fault == "crash" else "exit status 3"
    assert expected in column.verdicts["sin.matrix.float32"].problems[0]


@pytest.mark.parametrize("hangs", ["exp", "sin"])  # of these the first also loads what the others find loaded
def test_a_case_that_hangs_is_ended(stranger: Judge, hangs: str) -> None:
    names = ("exp.matrix.float32", "sin.matrix.float32", "tan.matrix.float32")
    column = stranger(*names, fault="hang", of=hangs, case_seconds=3.0)
    statuses = {name: column.verdicts[name].status for name in names}
    assert statuses == {**dict.fromkeys(names, "agrees"), f"{hangs}.matrix.float32": "crashed"}
    assert "no answer within 3 s" in column.verdicts[f"{hangs}.matrix.float32"].problems[0]


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("value", "differs", "ULP, allowed 8"),
        ("dtype", "differs", "float64 of shape (2, 3) instead of float32"),
        ("shape", "differs", "(1, 2, 3)"),
        ("raise", "raised", "cannot"),
        ("print", "agrees", ""),
        ("options", "differs", "it changed NumPy's print options: precision"),
        ("environment", "differs", "it changed the environment: STRANGE"),
    ],
)
def test_a_wrong_backend_is_caught(stranger: Judge, fault: str, status: str, said: str) -> None:
    verdict = stranger("sin.matrix.float32", fault=fault).verdicts["sin.matrix.float32"]
    assert verdict.status == status
    assert said in " ".join(verdict.problems)


def test_known_deviations_are_strict(stranger: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (
        deviations.Deviation("stranger", "sin.*", "it is off on purpose", "1.00001 times the sine"),
        deviations.Deviation("stranger", "nothing.*", "matches no case", ""),
        deviations.Deviation("elsewhere", "nothing.*", "is not about a backend that ran", ""),
    )
    monkeypatch.setattr(deviations, "DEVIATIONS", rows)
    monkeypatch.setenv("FAULTS", "sin=value")
    cases = catalogue.chosen(["sin.matrix.float*"])
    found = runner.run_cases(["stranger"], cases, ["stranger"])
    assert found.ok
    assert {verdict.status for verdict in found.columns[0].verdicts.values()} == {"deviates"}
    assert found.unused_deviations == [str(rows[1])]
    monkeypatch.setenv("FAULTS", "")
    found = runner.run_cases(["stranger"], cases, ["stranger"])
    assert not found.ok
    assert {verdict.status for verdict in found.columns[0].verdicts.values()} == {"fixed"}
    assert "must go" in report.as_text(found, verbose=False)


def test_a_literal_that_the_reference_contradicts_is_reported() -> None:
    (case,) = catalogue.chosen(["seeds.dot_gradient"])
    column, outcome = runner.Column("mpmath"), {"results": {"y": {"dtype": "float32", "shape": [], "values": [27.0]}}}
    problems = runner.reference_problems(column, [case], {case.name: outcome})
    assert any("27.0 instead of 28.0" in problem for problem in problems)


# --- the command line ---------------------------------------------------------------------------------------


def test_the_command_agrees_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    assert main(["conform", "--backend", "numpy", "--case", "seeds", "--case", "sin.*", "--report", str(path)]) == 0
    text = capsys.readouterr().out
    assert "All agree." in text
    found = json.loads(path.read_text())
    assert found["ok"] is True
    assert {case["backends"]["numpy"]["status"] for case in found["cases"]} == {"agrees"}
    assert found["backends"][0]["version"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--backend", "trch"], "did you mean 'torch'?"),
        (["--backend", "mpmath"], "the known ones are numpy"),
        (["--case", "sed"], "did you mean 'seeds'?"),
        (["--case", "nothing.like.it"], "the families are seeds"),
    ],
)
def test_unknown_names_list_the_known_ones(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("given", [["numpy,mxnet"], ["numpy", "mxnet"], ["numpy,mxnet", "numpy"]])
def test_several_backends_are_given_together(given: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ran = []

    def note(self: Conform, args: argparse.Namespace, backends: list[str]) -> int:
        ran.extend(backends)
        return 0

    monkeypatch.setattr(Conform, "_run", note)
    assert main(["conform", "--backend", *given, "--case", "seeds", "sin.*"]) == 0
    assert ran == ["numpy", "mxnet"]


def test_progress_is_a_line_now_and_then_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = iter([0.0, 0.0, 1.0, progress.SECONDS_BETWEEN + 1, progress.SECONDS_BETWEEN + 2])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(now))
    show = progress.Progress({"numpy": 90, "torch": 9}, {"numpy": 1.0, "torch": 30.0}.__getitem__)
    for backend in ("numpy", "numpy", "torch", "torch"):
        show(backend)
    show.wipe()
    # Two of NumPy's and one of nine that take thirty times as long are 8 % of the work.
    assert capsys.readouterr().err == "numpy 1/90\nnumpy 2/90  torch 1/9  4 min left\n"


def test_a_backend_asked_for_must_be_there(capsys: pytest.CaptureFixture[str]) -> None:
    if importlib.util.find_spec("cupy") is not None:
        pytest.skip("CuPy is installed here")
    assert main(["conform", "--backend", "cupy", "--case", "sin.matrix.*"]) == 1
    assert "could not be used" in capsys.readouterr().out


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert report.written(str(path), "old")
    with pytest.raises(UnicodeEncodeError):
        report.written(str(path), "new\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_that_cannot_be_written_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nowhere" / "report.json"
    assert main(["conform", "--backend", "numpy", "--case", "sin.matrix.*", "--report", str(path)]) == 3
    said = capsys.readouterr()
    assert f"{path} could not be written" in said.err
    assert json.loads(said.out[said.out.index("\n{") :])["ok"] is True


# --- parts of a run -----------------------------------------------------------------------------------------


def test_every_operation_has_an_everyday_case() -> None:
    cases = [case for case in catalogue.all_cases().values() if case.group != case.name]
    assert {case.group for case in cases} == {case.group for case in cases if case.everyday}


def test_a_quick_run_leaves_out_transforms_of_composed_operations_and_forward_mode_of_hard_points(
    stranger: Judge,
) -> None:
    left_out = {"sin.matrix.float32": 0, "nn.mish.both_signs.float32": 6, "kinks.abs_zero.float32": 1}
    whole = stranger(*left_out, quick=("another",))
    quick = stranger(*left_out, quick=("stranger",))
    assert _statuses(quick, *left_out) == ["agrees"] * 3
    for name, count in left_out.items():
        assert quick.verdicts[name].checks == whole.verdicts[name].checks - count


def test_what_agreed_is_kept_until_something_changes(
    stranger: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("exp.matrix.float32", "sin.matrix.float32")

    def kept(fault: str = "") -> list[bool]:
        clear_hashes()
        column = stranger(*names, fault=fault, kept=Kept(str(tmp_path / "kept")))
        return [column.verdicts[name].kept for name in names]

    monkeypatch.syspath_prepend(str(tmp_path))
    assert kept(fault="value") == [False, False]
    assert kept() == [True, False]  # what differed is run again
    assert kept() == [True, True]
    (tmp_path / "stranger.py").write_text(SOURCE + "# changed\n")
    assert kept() == [False, False]
    (tmp_path / "kept" / kept_module.FILE).write_text("cut o")
    assert kept() == [False, False]


def test_programs_of_one_thread_share_what_jax_makes_for_each() -> None:
    jax = pytest.importorskip("jax")
    share_contexts()
    found = []

    def lower() -> None:
        found.extend(jax.jit(lambda x, k=k: x + k).lower(1.0).compiler_ir().context for k in range(2))

    lower()
    thread = threading.Thread(target=lower)
    thread.start()
    thread.join()
    assert found[0] is found[1]
    assert found[2] is found[3]
    assert found[0] is not found[2]


def test_a_seed_makes_an_order_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "AT_ONCE", 1)  # else two processes have a half of the cases each
    cases = catalogue.chosen(["exp.*", "sin.*"])
    names = [case.name for case in cases]

    def order(seed: int | None) -> list[str]:
        ran: list[str] = []
        found = runner.run_cases(
            ["numpy"], cases, shuffle=seed, progress=lambda backend, message: ran.append(backend + message["case"])
        )
        assert list(found.columns[0].verdicts) == names  # the report has them as ever
        return [one.removeprefix("numpy") for one in ran if one.startswith("numpy")]

    assert order(None) == names
    assert order(3) == order(3) != names
    assert sorted(order(3)) == sorted(names)


def test_an_interrupted_run_reports_what_was_done() -> None:
    done: list[str] = []

    def interrupt(backend: str, message: Any) -> None:
        if backend == "numpy":
            done.append(message["case"])
            if len(done) == 1:  # as the keyboard does: a signal, which ends what the main thread waits for
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            time.sleep(0.2)

    found = runner.run_cases(["numpy"], catalogue.chosen(["kinks"]), ["numpy"], interrupt)
    assert found.interrupted
    assert not found.ok
    assert 0 < len(found.columns[0].verdicts) < len(found.cases)
    assert not any(verdict.fails for verdict in found.columns[0].verdicts.values())
    assert "INTERRUPTED" in report.as_text(found, verbose=False)
    assert json.loads(report.json_text(report.as_json(found)))["interrupted"] is True


def _children(process: int) -> set[int]:
    listed = Path(f"/proc/{process}/task").glob("*/children")
    return {int(child) for of_thread in listed for child in of_thread.read_text().split()}


def _within(seconds: float, holds: Callable[[], object]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_workers_end_with_a_runner_that_was_killed(tmp_path: Path) -> None:
    install(tmp_path)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "FAULTS": "sin=hang"}
    command = [sys.executable, "-m", "unigrad.cli", "conform", "--backend", "stranger", "--case", "sin.matrix.float32"]
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert _within(60, lambda: len(_children(run.pid)) == 2)  # the stranger's, and the reference's,
        assert _within(60, lambda: len(_children(run.pid)) == 1)  # which has done its part while the other hangs
        workers = _children(run.pid)
    finally:
        run.kill()
        run.communicate()
    assert _within(10, lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def test_an_adapter_that_is_installed_and_cannot_be_used_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stranger: Judge
) -> None:
    (tmp_path / "stranger.py").write_text("print('loading')\nraise ValueError('half installed')\n")
    found = runner.run_cases(["stranger"], catalogue.chosen(["sin.matrix.float32"]))
    assert not found.ok
    assert "half installed" in str(found.columns[0].unavailable)
    assert "FAILED: stranger could not be used" in report.as_text(found, verbose=False)


# --- distances --------------------------------------------------------------------------------------------


def _array(values: list[Any], dtype: str = "float32", **more: Any) -> compare.Encoded:
    return {"dtype": dtype, "shape": [len(values)], "values": values, **more}


@pytest.mark.parametrize(
    ("got", "reference", "limit", "ulp"),
    [
        (_array([1.0 + 2**-22]), _array([1.0]), Limit(), 2.0),
        (_array([1.0 + 2**-51], "float64"), _array([1.0], "float64", rest=[2**-54]), Limit(), 1.75),
        (_array([4.0, 2**-21]), _array([4.0, 0.0]), Limit(), 1.0),
        (_array([4.0, 1.0 + 2**-21]), _array([4.0, 1.0]), Limit(8, "largest"), 1.0),
        (_array([float("nan"), float("inf")]), _array([float("nan"), float("inf")]), Limit(), 0.0),
        (_array([float("inf")]), _array([1e39]), Limit(), 0.0),
        (_array([]), _array([]), Limit(), 0.0),
    ],
)
def test_distances(got: Any, reference: Any, limit: Limit, ulp: float) -> None:
    found = compare.difference(got, reference, limit)
    assert found.problem is None
    assert found.ulp == pytest.approx(ulp)


@pytest.mark.parametrize(
    ("got", "reference"),
    [
        (_array([1.0 + 2**-19]), _array([1.0])),
        (_array([float("nan")]), _array([1.0])),
        (_array([1.0]), _array([float("nan")])),
        (_array([float("inf")]), _array([float("-inf")])),
        (_array([1.0], "float64"), _array([1.0])),
        (_array([1.0]), _array([1.0, 1.0])),
        (_array([1], "int64"), _array([2], "int64")),
        ({"value": True}, {"value": False}),
        ({"value": "ShapeError"}, {"value": "ValueError"}),
        (_array([1.0]), {"value": 1.0}),
        ({"value": None}, _array([1.0])),
    ],
)
def test_differences_are_seen(got: Any, reference: Any) -> None:
    assert compare.difference(got, reference, Limit()).problem is not None
