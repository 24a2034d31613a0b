"""A picture as SVG, and that as PNG."""

from __future__ import annotations

import importlib.util
import itertools
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from unigrad.base.errors import BackendError
from unigrad.looking.layout import Layout, Point, Size, laid_out
from unigrad.looking.parts import Edge, Parts, Vertex
from unigrad.looking.writing import cotangent, lines, local, plain

MARGIN, PADDING, LINE, LETTER = 14.0, 9.0, 17.0, 7.3
"""In units of the drawing: around it, inside a box, from line to line, and the width of a letter of 12 units."""
LONGEST = 46
"""Longer lines are broken."""
FAR = 5
"""Through how many layers a line from a leaf or a constant may go."""

STYLE = """
text { font: 12px "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #111; }
.title { font-weight: bold; }
.box { fill: #fff; stroke: #333; stroke-width: 1.2; }
.leaf .box { fill: #e8f1fb; }
.constant .box { fill: none; stroke: #999; stroke-dasharray: 1 3; }
.again .box { fill: #f7fafd; stroke: #999; }
.detached .box, .released .box { fill: #f4f4f4; stroke-dasharray: 6 4; }
.folded .box { fill: #f6f0e2; }
.crossing .box { fill: #efe6f7; }
.head .box { stroke-width: 2.6; }
.edge { fill: none; stroke: #444; stroke-width: 1.2; }
.cut { stroke-dasharray: 5 4; stroke: #888; }
.local { font-size: 10.5px; fill: #333; }
.behind { fill: #fff; }
.cotangent { fill: #8a2500; }
.note { font-style: italic; fill: #444; }
"""


def svg(picture: Parts, room: Sequence[Sequence[str]] | None = None) -> str:
    """The drawing. ``room``: for each vertex lines of blanks to be filled in, in place of its cotangent."""
    vertices, edges = _with_repeats(picture.vertices, picture.edges)
    known = [broken(lines(vertex)) for vertex in vertices]
    later = [broken([text] if (text := cotangent(vertex)) else []) for vertex in vertices]
    if room is not None:
        later[: len(room)] = [list(blanks) for blanks in room]
    texts = [[*first, *then] for first, then in zip(known, later, strict=True)]
    sizes = [_size(text) for text in texts]
    number = {vertex: n for n, vertex in enumerate(vertices)}
    layout = laid_out(sizes, [(number[e.source], number[e.target]) for e in edges], _layers(vertices, edges))
    notes = [line for note in picture.notes for line in broken([plain(note)], 90)]
    width = max([layout.size[0], *(len(note) * LETTER for note in notes)]) + 2 * MARGIN
    height = layout.size[1] + 2 * MARGIN + len(notes) * LINE
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-label="The graph of a computation">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
        'markerUnits="userSpaceOnUse" '
        'orient="auto"><path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
        f'<g transform="translate({MARGIN:.0f} {MARGIN:.0f})">',
    ]
    for n, (edge, curve) in enumerate(zip(edges, layout.curves, strict=True)):
        rows.append(f'<path id="edge{n}" class="edge{" cut" if edge.is_cut else ""}" d="{_path(curve)}" '
                    'marker-end="url(#tip)"/>')  # fmt: skip
    for n, (vertex, box, size, centre) in enumerate(zip(vertices, texts, sizes, layout.centres, strict=True)):
        rows += _box(n, vertex, box, size, centre, len(known[n]))
    rows += _labels(edges, layout, sizes)
    rows += [f'<text class="note" x="0" y="{layout.size[1] + LINE * (n + 1):.0f}">{escape(note)}</text>'
             for n, note in enumerate(notes)]  # fmt: skip
    return "\n".join([*rows, "</g></svg>"]) + "\n"


def png(drawing: str) -> bytes:
    """A drawing as PNG, twice as large. BackendError says what to install."""
    try:
        resvg = importlib.import_module("resvg_py")
    except ImportError as error:
        raise BackendError(
            f"to make a PNG of a drawing needs resvg-py ({error}); install it with: pip install 'unigrad[teach]'. "
            f"SVG and HTML need nothing"
        ) from error
    # A machine may have no fonts; matplotlib brings the one that the drawing is made for.
    found = importlib.util.find_spec("matplotlib")
    fonts = [f"{place}/mpl-data/fonts/ttf" for place in (found and found.submodule_search_locations) or ()]
    return bytes(resvg.svg_to_bytes(svg_string=drawing, zoom=2, background="white", font_dirs=fonts))


def _with_repeats(vertices: Sequence[Vertex], edges: Sequence[Edge]) -> tuple[list[Vertex], list[Edge]]:
    """With a small box beside what uses a leaf or a constant far below it, in place of a line all the way down."""
    layers = dict(zip(vertices, _layers(vertices, edges), strict=True))
    starts = {*vertices} - {edge.target for edge in edges}
    drawn, joined = list(vertices), []
    for edge in edges:
        if edge.source in starts and layers[edge.target] - layers[edge.source] > FAR:
            again = Vertex(edge.source.label, "again", f"as above, {edge.source.kind}")
            drawn.append(again)
            edge = replace(edge, source=again)
        joined.append(edge)
    return drawn, joined


def _layers(vertices: Sequence[Vertex], edges: Sequence[Edge]) -> list[int]:
    """Each below all that it comes from; what comes from nothing just above the first that uses it."""
    layer = dict.fromkeys(vertices, 0)
    into: dict[Vertex, list[Vertex]] = {}
    for edge in edges:
        into.setdefault(edge.target, []).append(edge.source)
    first: dict[Vertex, int] = {}
    for vertex in vertices:
        layer[vertex] = max((layer[source] + 1 for source in into.get(vertex, ())), default=0)
        for source in into.get(vertex, ()):
            first[source] = min(first.get(source, layer[vertex]), layer[vertex])
    return [first[v] - 1 if v in first and v not in into else layer[v] for v in vertices]


def broken(texts: Sequence[str], longest: int = LONGEST) -> list[str]:
    """Lines of at most so many letters, broken at a blank if there is one."""
    found = []
    for text in texts:
        while len(text) > longest:
            at = text.rfind(" ", longest // 2, longest) + 1 or longest
            found.append(text[:at].rstrip())
            text = "  " + text[at:]
        found.append(text)
    return found


def _size(text: Sequence[str]) -> Size:
    return max(map(_letters, text)) * LETTER + 2 * PADDING, len(text) * LINE + PADDING


def _letters(line: str) -> int:
    """How many letters wide it is: those of East Asia take two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in line)


def _box(n: int, vertex: Vertex, text: Sequence[str], size: Size, centre: Point, known: int) -> Iterator[str]:
    """A box with its text; lines after the ``known`` first are the cotangent's."""
    (width, height), (x, y) = size, (centre[0] - size[0] / 2, centre[1] - size[1] / 2)
    corner = height / 2 if vertex.kind == "leaf" else 3
    yield f'<g id="box{n}" class="{vertex.kind}{" head" if vertex.is_head else ""}">'
    if vertex.kind == "folded":
        yield _rectangle(x + 5, y + 5, width, height, 3)
    yield _rectangle(x, y, width, height, min(corner, 16))
    for place, line in enumerate(text):
        kind = ' class="title"' if place == 0 else ' class="cotangent"' if place >= known else ""
        yield (f'<text{kind} x="{x + PADDING:.1f}" y="{y + LINE * (place + 1) - 2:.1f}" '
               f'xml:space="preserve">{escape(line)}</text>')  # fmt: skip
    yield "</g>"


def _rectangle(x: float, y: float, width: float, height: float, corner: float) -> str:
    return f'<rect class="box" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="{corner:.0f}"/>'


def _path(curve: Sequence[Point]) -> str:
    (x, y), *rest = curve
    return f"M{x:.1f} {y:.1f}C" + " ".join(f"{a:.1f} {b:.1f}" for a, b in rest)


# --- what is written on edges ------------------------------------------------------------------------------------

_PLACES = (0.5, 0.35, 0.65, 0.22, 0.78, 0.1, 0.9)
"""Where along an edge its label is tried, one place after the other."""


def _labels(edges: Sequence[Edge], layout: Layout, sizes: Sequence[Size]) -> Iterator[str]:
    """The local derivatives, each where nothing else is written."""
    taken = [(x, y, width, height) for (x, y), (width, height) in zip(layout.centres, sizes, strict=True)]
    for edge, curve in zip(edges, layout.curves, strict=True):
        words = local(edge)
        if words:
            size = len(words) * LETTER * 0.88 + 4, 13.0
            tried = [(*_along(curve, place), *size) for place in _PLACES]
            box = next((each for each in tried if not any(_overlap(each, other) for other in taken)), tried[0])
            taken.append(box)
            left, top = box[0] - size[0] / 2, box[1] - size[1] / 2
            yield f'<rect class="behind" x="{left:.1f}" y="{top:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}"/>'
            at = f'x="{box[0]:.1f}" y="{box[1] + 4:.1f}"'
            yield f'<text class="local" text-anchor="middle" {at}>{escape(words)}</text>'


def _along(curve: Sequence[Point], place: float) -> Point:
    """A point of the first of the curves, ``place`` of the way along it (de Casteljau)."""
    points = list(curve[:4])
    while len(points) > 1:
        points = [(a + (c - a) * place, b + (d - b) * place) for (a, b), (c, d) in itertools.pairwise(points)]
    return points[0]


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return abs(a[0] - b[0]) < (a[2] + b[2]) / 2 and abs(a[1] - b[1]) < (a[3] + b[3]) / 2
