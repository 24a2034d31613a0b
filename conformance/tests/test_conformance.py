"""Every everyday case on every installed backend, and all cases on the quick ones, by the same code as ``unigrad
conform``. On the others all of them take half an hour: ``make conform-all``.

The native engine takes part three times: over NumPy; over a stand-in for CuPy, with all cases, so that no function of
NumPy slips in unnoticed; and under dask, with small chunks. One run has them all, since the reference takes as long as
a backend.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from unigrad_conformance import catalogue, oracle, report, runner

from unigrad.adapters.registry import backend_names

BACKENDS = [name for name in backend_names() if name not in (oracle.NAME, *runner.APART)]
FAMILIES = catalogue.by_family(catalogue.all_cases().values())
STAND_IN = "device"
DASK = runner.APART
SLOW = (*runner.SLOW, *DASK)


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> runner.Run:
    """One run of everything; each test looks at its part. What it needs of the environment ends with it."""
    package = tmp_path_factory.mktemp("stand_in")
    shutil.copy(Path(__file__).parent / "device_module.py", package)
    info = package / "device-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: device\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[unigrad.backends]\ndevice = device_module:backend\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(package), prepend=os.pathsep)
        patch.setenv("DASK_ARRAY__CHUNK_SIZE", "64B")
        patch.setenv("DASK_SCHEDULER", "synchronous")
        columns = [*BACKENDS, STAND_IN, *DASK]
        return runner.run_cases(columns, catalogue.chosen([]), everyday_on=SLOW, quick=SLOW)


def test_there_are_enough_checks(everything: runner.Run) -> None:
    """A suite that lost most of its cases would pass just as well."""
    checks = {
        column.backend: sum(verdict.checks for verdict in column.verdicts.values())
        for column in everything.columns
        if column.unavailable is None
    }
    assert min(checks.values()) > 3000, checks
    assert sum(checks.values()) >= 20_000, checks


def test_the_reference_agrees_with_every_literal(everything: runner.Run) -> None:
    assert everything.reference_problems == []


def test_every_known_deviation_is_still_a_case(everything: runner.Run) -> None:
    assert everything.unused_deviations == []


def test_the_report_is_written_out(everything: runner.Run) -> None:
    text = report.as_text(everything, verbose=False)
    assert max(len(line) for line in text.splitlines()) <= 8 * 13 + 40
    assert "numpy" in text


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("backend", [*BACKENDS, STAND_IN, *DASK])
def test_agrees(everything: runner.Run, backend: str, family: str) -> None:
    column = next(column for column in everything.columns if column.backend == backend)
    if column.unavailable is not None:
        assert backend not in ("numpy", STAND_IN)
        pytest.skip(column.unavailable)
    names = [case.name for case in FAMILIES[family]]
    found = [(name, column.verdicts[name]) for name in names if name in column.verdicts]
    problems = [f"{name}: {verdict.status}: {'; '.join(verdict.problems)}" for name, verdict in found if verdict.fails]
    assert not problems, "\n".join(problems)
