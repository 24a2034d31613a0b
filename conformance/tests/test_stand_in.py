"""The native engine over a stand-in for CuPy: every case, so that no NumPy function slips in unnoticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from unigrad_conformance import catalogue, runner


def test_every_case_agrees_on_a_module_that_refuses_numpy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(Path(__file__).parent / "device_module.py", tmp_path)
    info = tmp_path / "device-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: device\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[unigrad.backends]\ndevice = device_module:backend\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    found = runner.run_cases(["device"], list(catalogue.all_cases().values()), ["device"])
    assert found.columns[0].unavailable is None
    problems = {name: verdict.problems for name, verdict in found.columns[0].verdicts.items() if verdict.fails}
    assert problems == {}


@pytest.mark.gpu
def test_every_case_agrees_on_cupy() -> None:
    pytest.importorskip("cupy", reason="needs an NVIDIA GPU and CuPy")
    found = runner.run_cases(["cupy"], list(catalogue.all_cases().values()), ["cupy"])
    assert {name: verdict.problems for name, verdict in found.columns[0].verdicts.items() if verdict.fails} == {}
