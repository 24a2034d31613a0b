"""Every case on every installed backend, by the same code as ``unigrad conform``."""

from __future__ import annotations

import pytest
from unigrad_conformance import catalogue, oracle, report, runner

from unigrad.backend import backend_names

BACKENDS = [name for name in backend_names() if name != oracle.NAME]
COMPILING = ("jax",)
"""Backends that compile each new shape and dtype: here they run the everyday cases only."""
GROUPS: dict[str, list[str]] = {}
for _case in catalogue.all_cases().values():
    GROUPS.setdefault(_case.group, []).append(_case.name)


@pytest.fixture(scope="session")
def runs() -> list[runner.Run]:
    """Everything run once, in two runs; each test looks at its part."""
    quick = [name for name in BACKENDS if name not in COMPILING]
    return [
        runner.run_cases(quick, catalogue.chosen([])),
        runner.run_cases(COMPILING, catalogue.chosen([], everyday=True), required=()),
    ]


@pytest.fixture(scope="session")
def columns(runs: list[runner.Run]) -> dict[str, runner.Column]:
    return {column.backend: column for run in runs for column in run.columns}


def test_there_are_enough_checks(columns: dict[str, runner.Column]) -> None:
    """A suite that lost most of its cases would pass just as well."""
    assert sum(verdict.checks for column in columns.values() for verdict in column.verdicts.values()) >= 20_000


def test_the_reference_agrees_with_every_literal(runs: list[runner.Run]) -> None:
    assert [problem for run in runs for problem in run.reference_problems] == []


def test_every_known_deviation_is_still_a_case(runs: list[runner.Run]) -> None:
    assert runs[0].unused_deviations == []


def test_the_report_is_written_out(runs: list[runner.Run]) -> None:
    for run in runs:
        text = report.as_text(run, verbose=False)
        assert max(len(line) for line in text.splitlines()) <= 6 * 13 + 40
        assert run.columns[0].backend in text


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_agrees(columns: dict[str, runner.Column], backend: str, group: str) -> None:
    column = columns[backend]
    if column.unavailable is not None:
        assert backend != "numpy"
        pytest.skip(column.unavailable)
    found = [(name, column.verdicts[name]) for name in GROUPS[group] if name in column.verdicts]
    problems = [f"{name}: {verdict.status}: {'; '.join(verdict.problems)}" for name, verdict in found if verdict.fails]
    assert not problems, "\n".join(problems)
