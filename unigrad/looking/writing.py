"""A picture as text: for a terminal, in DOT and for Mermaid; and the words that all forms share.

What users name things may hold anything: each form escapes it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from unigrad.base.words import Values
from unigrad.looking.parts import Edge, Parts, Vertex
from unigrad.table import Primitive

SMALL = 12
"""Up to so many numbers are written out."""
LONG = 24
"""Parameters that take more letters are left out."""


# --- words ---------------------------------------------------------------------------------------------------------


def numbers(values: Values, most: int = SMALL) -> str:
    """An array in one line: its numbers if they are few, else its shape and the least and the greatest of them."""
    if values.size <= most:
        return _nested(values.tolist())
    shape = f"{values.shape}: "
    if values.dtype.kind == "c":
        return f"{shape}magnitude up to {_number(np.abs(values).max())}"
    return f"{shape}{_number(values.min())} to {_number(values.max())}"


def _nested(values: object) -> str:
    return f"[{', '.join(map(_nested, values))}]" if isinstance(values, list) else _number(values)


def _number(value: object) -> str:
    if isinstance(value, (float, complex, np.floating)):
        return f"{value:.5g}"
    return str(value)


def plain(text: str) -> str:
    """Text in one line that can be shown: other characters are written as Python has them."""
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def title(vertex: Vertex) -> str:
    """What a vertex is, in one line."""
    if vertex.kind == "operation":
        return f"{vertex.label} = {vertex.operation} {vertex.settings}".rstrip()
    if vertex.kind == "constant" and vertex.label == vertex.operation:
        return vertex.label
    return f"{vertex.label}: {vertex.operation}" if vertex.operation else vertex.label


def described(vertex: Vertex) -> str:
    """Its dtype and shape, as far as they are known, and the backend where there are several."""
    shape = "" if vertex.shape is None else str(vertex.shape) if vertex.shape else "scalar"
    return " ".join(filter(None, [vertex.dtype, shape, vertex.backend and f"on {vertex.backend}"]))


def settings(row: Primitive, statics: Sequence[Any]) -> str:
    """The static parameters of a call that say something, in words."""
    told = [(name, _setting(value)) for name, value in zip(row.statics, statics, strict=True)
            if value is not None and value is not False]  # fmt: skip
    return ", ".join(f"{name}={words}" for name, words in told if len(words) <= LONG)


def _setting(value: Any) -> str:
    if isinstance(value, slice):
        step = "" if value.step in (None, 1) else f":{value.step}"
        return ":".join("" if end is None else str(end) for end in (value.start, value.stop)) + step
    if isinstance(value, tuple):
        return f"({', '.join(map(_setting, value))}{',' if len(value) == 1 else ''})"
    return str(value)


def lines(vertex: Vertex) -> list[str]:
    """All that is said of a vertex but its cotangent."""
    found = [title(vertex)]
    if vertex.value is not None and not (vertex.kind == "constant" and vertex.label == numbers(vertex.value)):
        found.append(f"value {numbers(vertex.value)}")
    if vertex.kind != "constant" or vertex.shape:
        found.append(described(vertex))
    return [plain(line) for line in found if line]


def cotangent(vertex: Vertex) -> str:
    """What arrived at it, in words."""
    return "" if vertex.cotangent is None else f"cotangent {numbers(vertex.cotangent)}"


def local(edge: Edge) -> str:
    """The local derivative along an edge, as short as a drawing needs it."""
    if edge.is_plain or edge.is_cut or edge.target.kind == "folded" or edge.source.kind == "folded":
        return ""
    if edge.derivative is None:
        return "" if edge.target.kind in ("crossing", "released") else plain(f"vjp of {edge.target.operation}")
    return numbers(edge.derivative)


# --- a terminal ----------------------------------------------------------------------------------------------------

_MARKS = {"leaf": "*", "constant": "-", "detached": "x", "crossing": ">", "released": "!", "folded": "+"}


def text(picture: Parts) -> str:
    """One line for each vertex, with what it was computed from and the local derivatives."""
    rows = []
    for vertex in picture.vertices:
        into = [edge for edge in picture.edges if edge.target is vertex]
        known, *rest = lines(vertex)
        operands = ", ".join(edge.source.label for edge in into)
        if vertex.kind == "operation":
            known = plain(f"{vertex.label} = {vertex.operation}({operands}) {vertex.settings}".rstrip())
        elif into:
            known += plain(f" of {operands}")
        cell = "; ".join(filter(None, [*rest, cotangent(vertex)]))
        derivatives = ", ".join(f"d/d {plain(edge.source.label)} = {local(edge)}" for edge in into if local(edge))
        rows.append((f"{_MARKS.get(vertex.kind, ' ')} {known}", cell, derivatives))
    width = min(48, max((len(row[0]) for row in rows), default=0))
    drawn = [f"{known:{width}}  {cell}{f'; {found}' if found else ''}".rstrip() for known, cell, found in rows]
    used = {vertex.kind for vertex in picture.vertices}
    marks = ", ".join(f"{mark} {kind}" for kind, mark in _MARKS.items() if kind in used)
    return "\n".join([*drawn, *([f"({marks})"] if marks else []), *picture.notes])


# --- DOT and Mermaid -------------------------------------------------------------------------------------------------

_DOT_SHAPES = {"leaf": "ellipse", "constant": "plaintext", "crossing": "cds", "folded": "box3d"}
_MERMAID_BRACKETS = {"leaf": ("([", "])"), "constant": ("[/", "/]"), "crossing": (">", "]"), "folded": ("[[", "]]")}


def keys(vertices: Sequence[Vertex]) -> dict[Vertex, str]:
    """What vertices are called inside a format, which is never what users call them."""
    return {vertex: f"n{number}" for number, vertex in enumerate(vertices)}


def all_lines(vertex: Vertex) -> list[str]:
    """All that is said of a vertex, with its cotangent."""
    return [*lines(vertex), *filter(None, [cotangent(vertex)])]


def dot(picture: Parts) -> str:
    """In Graphviz's language."""
    names = keys(picture.vertices)

    def quoted(parts: Sequence[str]) -> str:
        escaped = [part.replace("\\", "\\\\").replace('"', '\\"') for part in parts]
        return '"' + "\\n".join(escaped) + '"'

    rows = ["digraph {", "  node [shape=box fontname=sans]; edge [fontname=sans fontsize=10];"]
    for vertex, name in names.items():
        style = " style=dashed" if vertex.kind in ("released", "detached") else " style=bold" if vertex.is_head else ""
        shape = f" shape={_DOT_SHAPES[vertex.kind]}" if vertex.kind in _DOT_SHAPES else ""
        rows.append(f"  {name} [label={quoted(all_lines(vertex))}{shape}{style}];")
    for edge in picture.edges:
        style = " style=dashed" if edge.is_cut else ""
        rows.append(f"  {names[edge.source]} -> {names[edge.target]} [label={quoted([local(edge)])}{style}];")
    if picture.notes:
        rows.append(f"  label={quoted([plain(note) for note in picture.notes])};")
    return "\n".join([*rows, "}"]) + "\n"


def mermaid(picture: Parts) -> str:
    """In Mermaid's language."""
    names = keys(picture.vertices)

    def quoted(parts: Sequence[str]) -> str:
        # Numbers of characters are the one escape that Mermaid knows.
        escaped = [re.sub(r"[^\w .,:=()*+-]", lambda found: f"#{ord(found[0])};", part) for part in parts]
        return f'"{"<br/>".join(escaped)}"'

    rows = ["flowchart TD"]
    for vertex, name in names.items():
        opening, closing = _MERMAID_BRACKETS.get(vertex.kind, ("[", "]"))
        rows.append(f"  {name}{opening}{quoted(all_lines(vertex))}{closing}")
    for edge in picture.edges:
        label = f"|{quoted([local(edge)])}|" if local(edge) else ""
        rows.append(f"  {names[edge.source]} {'-.->' if edge.is_cut else '-->'}{label} {names[edge.target]}")
    rows += [f"  %% {re.sub(r'[^ -~]', '?', note)}" for note in map(plain, picture.notes)]
    return "\n".join(rows) + "\n"
