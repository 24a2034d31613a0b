"""Every everyday case on every installed backend, and all cases on the quick ones, by the same code as ``unigrad
conform``. On the others all of them take half an hour: ``make conform-all``."""

from __future__ import annotations

import pytest
from unigrad_conformance import catalogue, oracle, report, runner

from unigrad.adapters.registry import backend_names

BACKENDS = [name for name in backend_names() if name not in (oracle.NAME, *runner.APART)]
GROUPS: dict[str, list[str]] = {}
for _case in catalogue.all_cases().values():
    GROUPS.setdefault(_case.group, []).append(_case.name)


@pytest.fixture(scope="session")
def everything() -> runner.Run:
    """One run of everything; each test looks at its part."""
    return runner.run_cases(BACKENDS, catalogue.chosen([]), everyday_on=runner.SLOW, quick=runner.SLOW)


def test_there_are_enough_checks(everything: runner.Run) -> None:
    """A suite that lost most of its cases would pass just as well."""
    assert sum(verdict.checks for column in everything.columns for verdict in column.verdicts.values()) >= 20_000


def test_the_reference_agrees_with_every_literal(everything: runner.Run) -> None:
    assert everything.reference_problems == []


def test_every_known_deviation_is_still_a_case(everything: runner.Run) -> None:
    assert everything.unused_deviations == []


def test_the_report_is_written_out(everything: runner.Run) -> None:
    text = report.as_text(everything, verbose=False)
    assert max(len(line) for line in text.splitlines()) <= 6 * 13 + 40
    assert "numpy" in text


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("backend", BACKENDS)
def test_agrees(everything: runner.Run, backend: str, group: str) -> None:
    column = next(column for column in everything.columns if column.backend == backend)
    if column.unavailable is not None:
        assert backend != "numpy"
        pytest.skip(column.unavailable)
    found = [(name, column.verdicts[name]) for name in GROUPS[group] if name in column.verdicts]
    problems = [f"{name}: {verdict.status}: {'; '.join(verdict.problems)}" for name, verdict in found if verdict.fails]
    assert not problems, "\n".join(problems)
