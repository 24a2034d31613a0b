"""What a run found, as Markdown: for the summary of a job, a pull request, a README."""

from __future__ import annotations

from collections.abc import Iterable

from unigrad_conformance import report
from unigrad_conformance.runner import Run

_SHOWN = 50
"""How many failures of a backend are listed: services refuse a summary that is too long."""


def as_markdown(run: Run) -> str:
    """The table of families by backends, what does not agree, and what was not run."""
    present = report.usable(run)
    lines = [
        f"# {report.verdict_line(run)}", "", f"{report.title(run)}. {report.LEGEND}", "",
        _row("", "cases", *(column.backend for column in present)),
        _row("---", "---:", *("---:" for _ in present)),
        _row("version", "", *(column.version for column in present)),
    ]  # fmt: skip
    for family, groups in report.families(run).items():
        cases = [case for each in groups.values() for case in each]
        lines.append(_row(family, len(cases), *(_marked(report.cell(column, cases)) for column in present)))
    total = [_marked(report.cell(column, run.cases)) for column in present]
    lines.append(_row("**all**", len(run.cases), *total))
    for column in present:
        found = report.notable(column, run.cases)
        told = []
        for case, verdict in found[:_SHOWN]:
            told.append(f"* `{case.name}`: **{verdict.status}**: {_plain(case.why)}")
            told += [f"  * {_plain(problem)}" for problem in verdict.problems]
        if len(found) > _SHOWN:
            told.append(f"* and {len(found) - _SHOWN} more")
        lines += _section(f"{column.backend}: what does not agree", told)
    lines += _section("The reference contradicts what is known", _bullets(run.reference_problems))
    lines += _section("Not run", _bullets(report.not_run(run)))
    lines += _section("What a backend cannot do, and says so", _bullets(report.missing(present)))
    return "\n".join(lines) + "\n"


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _marked(cell: str) -> str:
    return f"**{cell}**" if "FAIL" in cell else cell


def _plain(text: str) -> str:
    """One line, in which no sign means anything to Markdown or HTML."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|&~" else sign for sign in " ".join(text.split()))


def _bullets(lines: Iterable[str]) -> list[str]:
    return [f"* {_plain(line)}" for line in lines]


def _section(title: str, lines: list[str]) -> list[str]:
    return ["", f"## {title}", "", *lines] if lines else []
