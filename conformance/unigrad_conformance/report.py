"""What a run found, as text for a terminal of 100 columns and as JSON (``report.schema.json`` says what that has)."""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import unigrad
from unigrad_conformance.case import Case
from unigrad_conformance.progress import WIDTH
from unigrad_conformance.runner import Column, Run, Verdict

FORMAT = 1
"""Of the JSON: another number where something is no longer as the schema has it."""
LEGEND = "Each cell has the largest error in units of the last place (ULP), or how many cases fail."
_SHOWN_FAILURES = 12
_CELL = 13
_SLOWEST = 8


def as_text(run: Run, verbose: bool) -> str:
    """The matrix of cases by backends, then every failure, what is missing, and the totals."""
    present = usable(run)
    lines = [
        title(run),
        "",
        LEGEND,
        "",
        *_matrix(run, present, verbose),
    ]
    for column in present:
        lines += _failures(column, run.cases, verbose)
    lines += _section("The reference contradicts what is known", run.reference_problems)
    lines += _section("Rows of known deviations that match no case", run.unused_deviations)
    lines += _section("Not run", not_run(run))
    lines += _section("What loading a backend changed in its process", _changed(present))
    lines += _section("What a backend cannot do, and says so", missing(present))
    lines += _section("The slowest", _slowest(present))
    return "\n".join([*lines, "", verdict_line(run)])


def title(run: Run) -> str:
    """What was run."""
    count = len(usable(run))
    return (
        f"unigrad {unigrad.__version__}: {len(run.cases)} cases on {count} backend{'s' * (count != 1)}, "
        "held against arithmetic of 60 digits"
    )


def usable(run: Run) -> list[Column]:
    """The backends that could be used."""
    return [column for column in run.columns if column.unavailable is None]


def not_run(run: Run) -> list[str]:
    """What was not run, and why."""
    present = usable(run)
    found = [f"{column.backend}: {column.unavailable}" for column in run.columns if column.unavailable]
    found += [
        f"{column.backend}: {column.left_out} cases that are no everyday ones" for column in present if column.left_out
    ]
    if run.interrupted:
        found += [
            f"{column.backend}: {left} cases, since the run was interrupted"
            for column in present
            if (left := len(run.cases) - column.left_out - len(column.verdicts))
        ]
    kept = {column.backend: sum(verdict.kept for verdict in column.verdicts.values()) for column in present}
    return found + [f"{name}: {count} cases, unchanged since they agreed" for name, count in kept.items() if count]


def missing(present: Sequence[Column]) -> list[str]:
    """What the backends declare that they cannot do."""
    return [f"{column.backend}: {name}: {why}" for column in present for name, why in column.missing.items()]


def _changed(present: Sequence[Column]) -> list[str]:
    return [f"{column.backend}: {change}" for column in present for change in column.changed]


def _slowest(present: Sequence[Column]) -> list[str]:
    """The cases that took longest, and how long of their backend's time."""
    took = [(verdict.seconds, column, name) for column in present for name, verdict in column.verdicts.items()]
    took.sort(key=lambda each: -each[0])
    return [
        f"{seconds:.1f} s of {column.seconds:.0f}  {column.backend}: {name}"
        for seconds, column, name in took[:_SLOWEST]
        if seconds >= 0.05
    ]


def families(run: Run) -> dict[str, dict[str, list[Case]]]:
    """The cases by family and operation or chapter."""
    found: dict[str, dict[str, list[Case]]] = {}
    for case in run.cases:
        found.setdefault(case.family, {}).setdefault(case.group, []).append(case)
    return found


def _matrix(run: Run, present: Sequence[Column], verbose: bool) -> list[str]:
    rows = [_row("", "cases", [column.backend for column in present])]
    rows.append(_row("version", "", [column.version for column in present]))
    rows.append("-" * len(rows[0]))
    for family, groups in families(run).items():
        everything = [case for cases in groups.values() for case in cases]
        rows.append(_row(family, len(everything), [cell(column, everything) for column in present]))
        if len(groups) == 1:
            continue
        for group, cases in groups.items():
            failing = any(verdict.fails for column in present for verdict in _verdicts(column, cases).values())
            if verbose or failing:
                rows.append(_row(f"  {group}", len(cases), [cell(column, cases) for column in present]))
    rows.append("-" * len(rows[0]))
    rows.append(_row("all", len(run.cases), [cell(column, run.cases) for column in present]))
    checks = [sum(verdict.checks for verdict in column.verdicts.values()) for column in present]
    rows.append(_row("checks", "", checks))
    rows.append(_row("seconds", "", [f"{column.seconds:.1f}" for column in present]))
    return rows


def _row(name: str, count: Any, cells: Iterable[Any]) -> str:
    return f"{name:<30.30}{count!s:>6}" + "".join(f"{cell!s:>{_CELL}}" for cell in cells)


def _verdicts(column: Column, cases: Sequence[Case]) -> dict[str, Verdict]:
    """The verdicts on those of the cases that the backend was given."""
    return {case.name: column.verdicts[case.name] for case in cases if case.name in column.verdicts}


def cell(column: Column, cases: Sequence[Case]) -> str:
    """The largest error of some cases, or how many fail; in brackets how many of them the backend cannot do."""
    verdicts = list(_verdicts(column, cases).values())
    if not verdicts:
        return "-"
    failing = sum(verdict.fails for verdict in verdicts)
    if failing:
        return f"{failing} FAIL"
    ran = [verdict for verdict in verdicts if verdict.status == "agrees"]
    if not ran:
        return verdicts[0].status
    lacking = len(verdicts) - len(ran)
    return number(max(verdict.ulp for verdict in ran)) + (f" (-{lacking})" if lacking else "")


def number(ulp: float) -> str:
    """An error in ULP, short."""
    return "0" if ulp == 0 else f"{ulp:.0f}" if 99 < ulp < 1e6 else f"{ulp:.2g}"


def notable(column: Column, cases: Sequence[Case]) -> list[tuple[Case, Verdict]]:
    """The cases with problems. What a backend declares that it cannot do has a section of its own."""
    found = [(case, column.verdicts[case.name]) for case in cases if case.name in column.verdicts]
    return [(case, verdict) for case, verdict in found if verdict.problems and verdict.status != "missing"]


def _failures(column: Column, cases: Sequence[Case], verbose: bool) -> list[str]:
    found = notable(column, cases)
    shown = found if verbose else found[:_SHOWN_FAILURES]
    lines = []
    for case, verdict in shown:
        lines.append(f"{column.backend}: {case.name}: {verdict.status}: {case.why}")
        lines += [f"    {problem}" for problem in verdict.problems]
    if len(found) > len(shown):
        lines.append(f"... and {len(found) - len(shown)} more on {column.backend}; see them with --verbose")
    return _section(f"{column.backend}: what does not agree", lines) if lines else []


def _section(title: str, lines: Sequence[str]) -> list[str]:
    wrapped = [
        part
        for line in lines
        for part in textwrap.wrap(
            line,
            WIDTH,
            subsequent_indent="      ",
            initial_indent="  ",
            replace_whitespace=True,
            break_on_hyphens=False,
        )
    ]
    return ["", f"{title}:", *wrapped] if lines else []


def verdict_line(run: Run) -> str:
    """Whether all agree, and the totals."""
    counts: dict[str, int] = {}
    for column in usable(run):
        for verdict in column.verdicts.values():
            counts[verdict.status] = counts.get(verdict.status, 0) + 1
    parts = ", ".join(f"{count} {status}" for status, count in sorted(counts.items(), key=lambda item: -item[1]))
    if run.interrupted:
        result = "INTERRUPTED: what is above is what was done by then."
    elif run.ok:
        result = "All agree."
    elif run.absent:
        result = f"FAILED: {', '.join(column.backend for column in run.absent)} could not be used."
    else:
        result = "FAILED."
    return f"{result} {parts or 'nothing ran'}; {run.seconds:.0f} s."


# --- JSON ------------------------------------------------------------------------------------------------


def as_json(run: Run) -> dict[str, Any]:
    """Everything that a run found, for programs to read."""
    return {
        "format": FORMAT,
        "unigrad": unigrad.__version__,
        "ok": run.ok,
        "interrupted": run.interrupted,
        "seconds": run.seconds,
        "reference_problems": run.reference_problems,
        "unused_deviations": run.unused_deviations,
        "backends": [_column(column) for column in run.columns],
        "cases": [
            {
                "name": case.name,
                "family": case.family,
                "group": case.group,
                "dtype": case.dtype,
                "why": case.why,
                "backends": {
                    column.backend: _as_dict(column.verdicts[case.name])
                    for column in run.columns
                    if case.name in column.verdicts
                },
            }
            for case in run.cases
        ],
    }


def _column(column: Column) -> dict[str, Any]:
    names = ("backend", "version", "engine", "missing", "changed", "unavailable", "seconds", "left_out")
    return {name: getattr(column, name) for name in names} | {
        "cases": len(column.verdicts),
        "failing": sum(verdict.fails for verdict in column.verdicts.values()),
        "largest_ulp": finite(max((verdict.ulp for verdict in column.verdicts.values()), default=0.0)),
    }


def _as_dict(verdict: Verdict) -> dict[str, Any]:
    return vars(verdict) | {"ulp": finite(verdict.ulp)}


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None


def json_text(content: Any) -> str:
    """JSON as files have it."""
    return json.dumps(content, indent=1, allow_nan=False) + "\n"


def written(path: str, text: str) -> bool:
    """Write a report; where that fails nothing is lost, since it is printed instead."""
    try:
        _write(path, text)
    except OSError as error:
        print(text)
        print(f"unigrad conform: {path} could not be written ({error}); its text is above", file=sys.stderr)
        return False
    return True


def _write(path: str, text: str) -> None:
    """The whole file or nothing."""
    target = Path(path)
    handle, name = tempfile.mkstemp(dir=target.parent or ".", prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise
