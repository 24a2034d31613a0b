"""What a run found, as one page of HTML that needs nothing besides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from unigrad_conformance import report
from unigrad_conformance.case import Case
from unigrad_conformance.runner import Column, Run

_STYLE = """\
:root { color-scheme: light dark; }
body { font: 1rem/1.45 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 0 1rem 3rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem; text-align: right; border-bottom: 1px solid #8886; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: Canvas; }
thead th { border-bottom: 2px solid; } tfoot td { border-top: 2px solid; font-weight: bold; }
.fails { font-weight: bold; outline: 2px solid; outline-offset: -2px; white-space: nowrap; }
summary { cursor: pointer; padding: .2rem 0; }
li, dd, p { overflow-wrap: anywhere; }
dt { font-weight: bold; overflow-wrap: anywhere; } dd { margin-left: 1rem; }
@media (max-width: 40rem) { th, td { padding: .2rem .4rem; } }
"""


def as_html(run: Run) -> str:
    """The table of families by backends, each family's operations, what does not agree, and what was not run."""
    present = report.usable(run)
    families = report.families(run)
    total = [(name, [case for each in groups.values() for case in each]) for name, groups in families.items()]
    head = "".join(f"<th scope=col>{escape(column.backend)}<br>{escape(column.version)}</th>" for column in present)
    found = {column.backend: report.notable(column, run.cases) for column in present}
    ways = [f'<a href="#{escape(name)}">{escape(name)}: {len(rows)}</a>' for name, rows in found.items() if rows]
    parts = [
        f"<h1>{escape(report.verdict_line(run))}</h1>",
        f"<p>{escape(report.title(run))}. {escape(report.LEGEND)}</p>",
        f"<p>What does not agree: {', '.join(ways)}</p>" if ways else "",
        _table(head, total, present, ("all", run.cases)),
    ]
    for name, rows in found.items():
        if rows:
            parts.append(f'<h2 id="{escape(name)}">{escape(name)}: what does not agree</h2>')
        for case, verdict in rows:
            told = "".join(f"<dd>{escape(text)}</dd>" for text in (case.why, *verdict.problems))
            parts.append(f"<dl><dt>{escape(case.name)}: {escape(verdict.status)}</dt>{told}</dl>")
    parts += _section("The reference contradicts what is known", _items(run.reference_problems))
    parts += _section("Not run", _items(report.not_run(run)))
    parts.append("<h2>Every operation and chapter</h2>")
    for name, groups in families.items():
        failing = any("FAIL" in report.cell(column, cases) for column in present for cases in groups.values())
        said = f"{escape(name)}: {len(groups)}{', where something fails' * failing}"
        parts.append(f"<details><summary>{said}</summary>{_table(head, groups.items(), present)}</details>")
    parts += _section("What a backend cannot do, and says so", _items(report.missing(present)))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>unigrad conform: {escape(', '.join(column.backend for column in run.columns))}</title>\n"
        f"<style>\n{_STYLE}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _table(
    head: str, rows: Iterable[tuple[str, Sequence[Case]]], present: Sequence[Column],
    last: tuple[str, Sequence[Case]] | None = None,
) -> str:  # fmt: skip
    body = "\n".join(_row(name, cases, present) for name, cases in rows)
    foot = "" if last is None else f"\n<tfoot>{_row(*last, present)}</tfoot>"
    top = f"<thead><tr><th></th><th scope=col>cases</th>{head}</tr></thead>"
    return f"<div class=wide><table>\n{top}\n<tbody>\n{body}\n</tbody>{foot}\n</table></div>"


def _row(name: str, cases: Sequence[Case], present: Sequence[Column]) -> str:
    cells = [report.cell(column, cases) for column in present]
    marked = "".join(f"<td{' class=fails' * ('FAIL' in cell)}>{escape(cell)}</td>" for cell in cells)
    return f"<tr><td>{escape(name)}</td><td>{len(cases)}</td>{marked}</tr>"


def _items(lines: Sequence[str]) -> list[str]:
    return ["<ul>", *(f"<li>{escape(line)}</li>" for line in lines), "</ul>"] if lines else []


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return [f"<h2>{escape(title)}</h2>", *lines] if lines else []
