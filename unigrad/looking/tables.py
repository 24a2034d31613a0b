"""A table of text, for a terminal and for a notebook. What users name things is escaped in both."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import zip_longest

from unigrad.looking.writing import plain

WIDEST = 48
"""A longer cell is cut in a terminal."""
LONGEST = 160
"""So is one that takes the place of several."""


@dataclass(frozen=True)
class Table:
    """A title, rows of cells below their heads, what is to be said of them, and texts side by side."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    """A shorter row's last cell takes the place of all that are left."""
    notes: Sequence[str] = ()
    columns: Sequence[tuple[str, str]] = field(default_factory=tuple)
    """Titles and texts of several lines."""


def text_of(table: Table, width: int = 120) -> str:
    """For a terminal of so many letters."""
    heads = [[plain(line) for line in head.split("\n")] for head in table.heads]
    rows = [[plain(cell) for cell in row] for row in table.rows]
    above = [list(row) for row in zip_longest(*heads, fillvalue="")]
    whole = [[_cut(cell, WIDEST) for cell in row] for row in (*above, *rows) if len(row) == len(heads)]
    widths = [max(len(row[place]) for row in whole) for place in range(len(heads))]
    widths[0] = max([widths[0], *(len(row[0]) for row in rows)])
    lines = [plain(table.title), ""]
    for row in [*above, ["-" * size for size in widths], *rows]:
        most = [WIDEST] * len(row) if len(row) == len(heads) else [WIDEST] * (len(row) - 1) + [LONGEST]
        cells = [_cut(cell, limit) for cell, limit in zip(row, most, strict=True)]
        lines.append("  ".join(f"{cell:{size}}" for cell, size in zip(cells, widths, strict=False)).rstrip())
    for note in table.notes:
        lines += ["", *textwrap.wrap(plain(note), max(width - 2, 40), subsequent_indent="  ")]
    if table.columns:
        lines += ["", *_side_by_side(table.columns, width)]
    return "\n".join(lines)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def _side_by_side(columns: Sequence[tuple[str, str]], width: int) -> list[str]:
    """As many beside each other as fit."""
    blocks = []
    for title, text in columns:
        lines = [plain(title), "-" * len(plain(title)), *(plain(line) for line in text.expandtabs(4).split("\n"))]
        blocks.append((max(map(len, lines)), lines))
    found: list[str] = []
    while blocks:
        count, used = 1, blocks[0][0]
        while count < len(blocks) and used + 3 + blocks[count][0] <= width:
            used += 3 + blocks[count][0]
            count += 1
        for row in zip_longest(*(lines for _, lines in blocks[:count]), fillvalue=""):
            found.append("   ".join(f"{part:{size}}" for part, (size, _) in zip(row, blocks, strict=False)).rstrip())
        found.append("")
        blocks = blocks[count:]
    return found[:-1]


_CELL = 'style="text-align:left;vertical-align:top;padding:2px 14px 2px 0"'


def html_of(table: Table) -> str:
    """For a notebook."""
    parts = [f"<p><strong>{_escaped(table.title)}</strong></p>", "<table><thead><tr>"]
    for head in table.heads:
        lines = "<br>".join(map(_escaped, head.split("\n")))
        parts.append(f'<th scope="col" {_CELL}>{lines}</th>')
    parts.append("</tr></thead><tbody>")
    for row in table.rows:
        parts.append(f'<tr><th scope="row" {_CELL}>{_escaped(row[0])}</th>')
        for place, cell in enumerate(row[1:], 1):
            rest = len(table.heads) - place if place == len(row) - 1 else 1
            wide = f' colspan="{rest}"' if rest > 1 else ""
            parts.append(f"<td {_CELL}{wide}>{_escaped(cell)}</td>")
        parts.append("</tr>")
    parts.append("</tbody></table>")
    if table.notes:
        parts += ["<ul>", *(f"<li>{_escaped(note)}</li>" for note in table.notes), "</ul>"]
    if table.columns:
        parts.append('<div style="display:flex;flex-wrap:wrap;gap:1em">')
        for title, text in table.columns:
            lines = "\n".join(map(_escaped, text.expandtabs(4).split("\n")))
            parts.append(
                f'<div><p><strong>{_escaped(title)}</strong></p><pre style="text-align:left">{lines}</pre></div>'
            )
        parts.append("</div>")
    return "\n".join(parts)


def _escaped(text: str) -> str:
    return escape(plain(text))
