"""The stepper: one page, needing nothing else, on which reverse and forward mode run node by node.

All numbers are computed here; the page only shows them, one step after the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import numpy as np

from unigrad.base.words import Values
from unigrad.looking.drawing import broken, svg
from unigrad.looking.parts import Edge, Forward, Parts, Vertex
from unigrad.looking.writing import described, numbers, plain, title

_HERE = Path(__file__).parent


@dataclass
class Step:
    """What happens at one vertex: the chain rule in words, and what has arrived where after it."""

    at: Vertex
    lines: list[str] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    arrived: dict[Vertex, Values] = field(default_factory=dict)


@dataclass
class Mode:
    """One pass."""

    name: str
    word: str
    """What arrives: cotangents or tangents."""
    steps: list[Step]


def modes(picture: Parts) -> list[Mode]:
    """Reverse mode, and forward mode along each of the first leaves."""
    found = []
    if any(vertex.is_head and vertex.cotangent is not None for vertex in picture.vertices):
        found.append(Mode("Reverse mode", "cotangent", list(_reverse(picture))))
    for forward in picture.forwards:
        name = f"Forward mode along {plain(forward.leaf.label)}"
        found.append(Mode(name, "tangent", list(_forward(picture, forward))))
    return found


# --- the steps -------------------------------------------------------------------------------------------------------


def _reverse(picture: Parts) -> Iterator[Step]:
    into, away = _ends(picture.edges, lambda edge: edge.target), _ends(picture.edges, lambda edge: edge.source)
    arrived: dict[Vertex, Values] = {}
    for head in [vertex for vertex in picture.vertices if vertex.is_head]:
        if head.cotangent is not None:
            arrived[head] = np.ones(head.shape or ())
            name = plain(head.label)
            yield Step(head, [f"cotangent of {name} = 1: the derivative of {name} by itself"
                              + (" (ones: of its sum)" if head.shape else "")], [], {head: arrived[head]})  # fmt: skip
    for vertex in reversed(picture.vertices):
        step = Step(vertex)
        for edge in into.get(vertex, []):
            source, share = edge.source, edge.share
            if edge.is_cut or source.cotangent is None:
                continue
            name = plain(source.label)
            if share is not None:
                said = _product(edge, vertex.cotangent, f"cotangent of {plain(vertex.label)}", "vjp")
                summed = ", summed over what was broadcast," if edge.elementwise and share.shape != vertex.shape else ""
                line = f"cotangent of {name} += {said}{summed} = {numbers(share)}"
            else:
                # Of what is folded or not taken apart: what is missing when all else has come.
                others = away[source]
                if any(e.share is None and e.target is not vertex and e.source in arrived for e in others):
                    continue
                known = [e.share for e in others if e.share is not None]
                share = source.cotangent - sum(known[1:], known[0]) if known else source.cotangent
                line = f"cotangent of {name} += what comes through {plain(title(vertex))} = {numbers(share)}"
            arrived[source] = arrived[source] + share if source in arrived else share
            step.lines.append(line)
            step.edges.append(edge)
            step.arrived[source] = arrived[source]
        if step.lines:
            yield step


def _forward(picture: Parts, forward: Forward) -> Iterator[Step]:
    name = plain(forward.leaf.label)
    into = _ends(picture.edges, lambda edge: edge.target)
    yield Step(forward.leaf, [f"tangent of {name} = 1: {name} moves, and no other leaf does"], [],
               {forward.leaf: forward.tangents[forward.leaf]})  # fmt: skip
    for vertex in picture.vertices:
        moved = [edge for edge in into.get(vertex, []) if edge in forward.shares]
        if moved:
            step = Step(vertex, [], moved, {vertex: forward.tangents[vertex]})
            for edge in moved:
                said = _product(edge, forward.tangents[edge.source], f"tangent of {plain(edge.source.label)}", "jvp")
                step.lines.append(f"tangent of {plain(vertex.label)} += {said} = {numbers(forward.shares[edge])}")
            yield step
        elif any(edge.source in forward.tangents and not edge.is_cut for edge in into.get(vertex, [])):
            yield Step(vertex, [f"forward mode ends here: {plain(title(vertex))} is not taken apart"])


def _ends(edges: Sequence[Edge], end: Callable[[Edge], Vertex]) -> dict[Vertex, list[Edge]]:
    found: dict[Vertex, list[Edge]] = {}
    for edge in edges:
        found.setdefault(end(edge), []).append(edge)
    return found


def _product(edge: Edge, along: Values | None, word: str, rule: str) -> str:
    """The chain rule along one edge: a product where the local derivative is written out, else the rule's name."""
    if edge.derivative is None or along is None:
        return f"{rule} of {plain(edge.target.operation)} ({word})"
    derivative = f"∂{plain(edge.target.label)}/∂{plain(edge.source.label)}"
    times = "·" if edge.elementwise else "@"
    return f"{word} {times} {derivative} = {numbers(along)} {times} {numbers(edge.derivative)}"


# --- the page --------------------------------------------------------------------------------------------------------


def html(picture: Parts) -> str:
    """The page."""
    found = modes(picture)
    place = {vertex: n for n, vertex in enumerate(picture.vertices)}
    edges = {edge: n for n, edge in enumerate(picture.edges)}
    room: list[list[str]] = [[] for _ in picture.vertices]
    told = []
    for mode in found:
        steps = []
        for step in mode.steps:
            arrived = {}
            for vertex, values in step.arrived.items():
                text = broken([f"{mode.word} {numbers(values)}"])
                arrived[place[vertex]] = text
                room[place[vertex]] = _larger(room[place[vertex]], text)
            steps.append({"at": place[step.at], "title": plain(title(step.at)), "lines": step.lines,
                          "edges": [edges[edge] for edge in step.edges], "arrived": arrived})  # fmt: skip
        told.append({"name": mode.name, "word": mode.word, "steps": steps})
    return _TEMPLATE.format(
        style=(_HERE / "stepper.css").read_text(encoding="utf-8"),
        script=(_HERE / "stepper.js").read_text(encoding="utf-8"),
        drawing=svg(picture, room),
        rows="\n".join(map(_row, range(len(place)), picture.vertices)),
        passes="\n".join(_written(mode) for mode in found),
        # A script ends at its closing tag, wherever that stands.
        told=json.dumps(told).replace("<", "\\u003c"),
        notes="".join(f"<p>{escape(plain(note))}</p>" for note in picture.notes),
    )


def _larger(lines: Sequence[str], others: Sequence[str]) -> list[str]:
    """Blanks that take as much room as either of the two."""
    width = max(map(len, [*lines, *others]))
    return [" " * width] * max(len(lines), len(others))


def _row(number: int, vertex: Vertex) -> str:
    value = "" if vertex.value is None else numbers(vertex.value)
    cells = [plain(title(vertex)), described(vertex), value]
    return "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + f'<td id="row{number}"></td></tr>'


def _written(mode: Mode) -> str:
    """All steps of a pass, to be read and printed."""
    steps = "\n".join(
        f"<li><b>{escape(plain(title(step.at)))}</b><br>{'<br>'.join(map(escape, step.lines))}</li>"
        for step in mode.steps
    )
    return f"<h3>{escape(mode.name)}</h3>\n<ol>\n{steps}\n</ol>"


_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>A graph, step by step</title>
<style>{style}</style>
</head>
<body>
<header>
<div class="controls">
<label>Pass <select id="mode"></select></label>
<button id="first" type="button" title="Key: Home">First</button>
<button id="back" type="button" title="Key: left arrow">Back</button>
<button id="next" type="button" title="Key: right arrow or space">Next</button>
<button id="last" type="button" title="Key: End">Last</button>
<span id="count"></span>
</div>
<div id="now" aria-live="polite"><h2 id="title"></h2><div id="lines"></div></div>
</header>
<main>
<div class="drawing" tabindex="0" aria-label="drawing">{drawing}</div>
<p class="keys">Keys: right and left arrow, Home, End; m for the next pass. A thick box with ▶ is the step
being made, one with ✓ was made.</p>
{notes}
<h2>Numbers</h2>
<div class="wide"><table>
<thead><tr><th>array</th><th>kind</th><th>value</th><th id="word"></th></tr></thead>
<tbody>
{rows}
</tbody></table></div>
<button id="all" type="button">All steps</button>
<section id="passes">
<h2>All steps</h2>
{passes}
</section>
</main>
<script type="application/json" id="told">{told}</script>
<script>{script}</script>
</body>
</html>
"""
