"""Where the boxes of a drawing go: by Graphviz where its ``dot`` is found, else in layers, by Sugiyama's method.

igraph has that method too, and was tried: importing it imports matplotlib's pyplot, which takes longer than drawings
do, and places for boxes of different widths are to be found all the same.
"""

from __future__ import annotations

import bisect
import itertools
import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Size = tuple[float, float]

BETWEEN = 28.0
"""The least distance of two boxes beside each other."""
LAYERS = 66.0
"""The distance of one layer from the next, with room for what is written on edges."""
BEND = 10.0
"""The width that an edge takes where it passes through a layer."""
TURNS = 12
"""How often rows are put in order."""
SWEEPS = 3
"""How often boxes move towards what they are connected with, downwards and upwards."""


@dataclass
class Layout:
    """The size of the drawing, the centres of its boxes, and each edge as Bézier curves end to end."""

    size: Size
    centres: list[Point]
    curves: list[list[Point]]
    """A starting point, and three points for each curve: two of control, and its end."""


def laid_out(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], layers: Sequence[int]) -> Layout:
    """Boxes of these sizes and edges between them (from, to), each box in the layer given."""
    if shutil.which("dot"):
        return _by_graphviz(sizes, edges)
    return _by_layers(sizes, edges, layers)


# --- Graphviz --------------------------------------------------------------------------------------------------------


def _by_graphviz(sizes: Sequence[Size], edges: Sequence[tuple[int, int]]) -> Layout:
    # Graphviz counts in inches and from below.
    rows = [f'digraph {{ ranksep={LAYERS / 72}; nodesep={BETWEEN / 72}; node [shape=box fixedsize=true label=""];']
    rows += [f"{n} [width={width / 72} height={height / 72}];" for n, (width, height) in enumerate(sizes)]
    rows += [f"{source} -> {target} [id={n}];" for n, (source, target) in enumerate(edges)]
    told = subprocess.run(
        ["dot", "-Tjson"], input="\n".join([*rows, "}"]), capture_output=True, text=True, check=True, timeout=120
    )
    found = json.loads(told.stdout)
    width, height = map(float, found["bb"].split(",")[2:])
    # By their names: Graphviz lists nodes and edges in an order of its own.
    centres = dict.fromkeys(range(len(sizes)), (0.0, 0.0))
    for node in found.get("objects", ()):
        x, y = map(float, node["pos"].split(","))
        centres[int(node["name"])] = (x, height - y)
    curves: dict[int, list[Point]] = {}
    for edge in found.get("edges", ()):
        end, *points = [
            (float(x), height - float(y))
            for x, y in (part.removeprefix("e,").split(",") for part in edge["pos"].split())
        ]
        curves[int(edge["id"])] = [*points[:-1], end]
    return Layout((width, height), list(centres.values()), [curves[n] for n in range(len(edges))])


# --- layers ----------------------------------------------------------------------------------------------------------


def _by_layers(sizes: Sequence[Size], edges: Sequence[tuple[int, int]], layers: Sequence[int]) -> Layout:
    # Where an edge passes through a layer it takes its place there like a box, a narrow one.
    rows, widths = list(layers), [width for width, _ in sizes]
    chains: list[list[int]] = []
    for source, target in edges:
        passed = range(layers[source] + 1, layers[target])
        chains.append([source, *range(len(rows), len(rows) + len(passed)), target])
        rows += passed
        widths += [BEND] * len(passed)
    net = _Net(rows, widths, chains)
    net.order()
    xs = net.straighten()
    tops, bottoms = _bounds(sizes, layers)
    centres = [(xs[n], (tops[layer] + bottoms[layer]) / 2) for n, layer in enumerate(layers)]
    starts, ends = _ports(sizes, edges, xs)
    curves = []
    for n, (source, *bends, target) in enumerate(chains):
        through = [(xs[bend], side) for bend in bends for side in (tops[rows[bend]], bottoms[rows[bend]])]
        start = (starts[n], centres[source][1] + sizes[source][1] / 2)
        end = (ends[n], centres[target][1] - sizes[target][1] / 2)
        curves.append(_curve([start, *through, end]))
    right = max((x + width / 2 for x, width in zip(xs, widths, strict=True)), default=0.0)
    return Layout((right, max(bottoms.values(), default=0.0)), centres, curves)


class _Net:
    """Boxes and bends in rows, each connected with some of the rows next to its own."""

    def __init__(self, rows: Sequence[int], widths: Sequence[float], chains: Sequence[Sequence[int]]) -> None:
        self._widths = widths
        self._above: list[list[int]] = [[] for _ in rows]
        self._below: list[list[int]] = [[] for _ in rows]
        for chain in chains:
            for one, other in itertools.pairwise(chain):
                self._above[other].append(one)
                self._below[one].append(other)
        self._rows: list[list[int]] = [[] for _ in range(max(rows, default=-1) + 1)]
        for item, row in enumerate(rows):
            self._rows[row].append(item)

    def order(self) -> None:
        """Order each row so that few lines cross: each goes to the mean place of what it is connected with, row by row
        downwards and upwards in turn (Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical
        system structures, 1981). The best order that was met counts."""
        best, least = [list(row) for row in self._rows], self._crossings()
        for turn in range(TURNS):
            if not least:
                break
            near, rows = (self._below, self._rows[::-1]) if turn % 2 else (self._above, self._rows)
            place = {item: float(at) for row in self._rows for at, item in enumerate(row)}
            for row in rows:
                row.sort(key=lambda item: _mean([place[other] for other in near[item]], place[item]))
                place.update({item: float(at) for at, item in enumerate(row)})
            crossings = self._crossings()
            if crossings < least:
                best, least = [list(row) for row in self._rows], crossings
        self._rows = best

    def _crossings(self) -> int:
        found = 0
        for upper, lower in itertools.pairwise(self._rows):
            place = {item: at for at, item in enumerate(lower)}
            met: list[int] = []
            for item in upper:
                ends = sorted(place[other] for other in self._below[item])
                found += sum(len(met) - bisect.bisect_right(met, end) for end in ends)
                for end in ends:
                    bisect.insort(met, end)
        return found

    def straighten(self) -> list[float]:
        """The centre of each: row by row, downwards and upwards in turn, each goes to the middle of what it is
        connected with. What comes from nothing gives way, so that a chain of operations is straight and its other
        operands stand beside it."""
        weights = [1.0 if above else 0.02 for above in self._above]
        xs = [0.0] * len(self._widths)
        for row in self._rows:
            for item, x in zip(
                row, _apart([0.0] * len(row), [self._widths[n] for n in row], [1.0] * len(row)), strict=True
            ):
                xs[item] = x
        for near, rows in ((self._above, self._rows), (self._below, self._rows[::-1])) * SWEEPS:
            for row in rows:
                wanted = [
                    _mean([xs[n] for n in near[item]], xs[item], [weights[n] for n in near[item]]) for item in row
                ]
                placed = _apart(wanted, [self._widths[n] for n in row], [weights[n] for n in row])
                for item, x in zip(row, placed, strict=True):
                    xs[item] = x
        left = min((x - width / 2 for x, width in zip(xs, self._widths, strict=True)), default=0.0)
        return [x - left for x in xs]


def _mean(values: Sequence[float], default: float, weights: Sequence[float] | None = None) -> float:
    if not values:
        return default
    weights = weights or [1.0] * len(values)
    return sum(x * weight for x, weight in zip(values, weights, strict=True)) / sum(weights)


def _apart(wanted: Sequence[float], widths: Sequence[float], weights: Sequence[float]) -> list[float]:
    """The centres of boxes in a row, in this order and without overlap, as near to where they are wanted as can be.

    That is the weighted least squares under an order, by the pool adjacent violators algorithm (Barlow et al.,
    Statistical inference under order restrictions, 1972): neighbours that would overlap are moved as one block.
    """
    offsets = [0.0]
    for left, right in itertools.pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + BETWEEN)
    blocks: list[tuple[float, float, int]] = []
    for x, offset, weight in zip(wanted, offsets, weights, strict=True):
        blocks.append((x - offset, weight, 1))
        while len(blocks) > 1 and blocks[-2][0] > blocks[-1][0]:
            (a, m, count), (b, n, more) = blocks.pop(-2), blocks.pop()
            blocks.append(((a * m + b * n) / (m + n), m + n, count + more))
    moved = [at for at, _, count in blocks for _ in range(count)]
    return [at + offset for at, offset in zip(moved, offsets, strict=True)]


def _bounds(sizes: Sequence[Size], layers: Sequence[int]) -> tuple[dict[int, float], dict[int, float]]:
    """Where each layer begins and ends."""
    tops, bottoms, at = {}, {}, 0.0
    for layer in range(max(layers, default=-1) + 1):
        height = max((size[1] for size, own in zip(sizes, layers, strict=True) if own == layer), default=0.0)
        tops[layer], bottoms[layer] = at, at + height
        at += height + LAYERS
    return tops, bottoms


def _ports(
    sizes: Sequence[Size], edges: Sequence[tuple[int, int]], xs: Sequence[float]
) -> tuple[list[float], list[float]]:
    """Where each edge leaves its source and enters its target: side by side, in the order of the other ends."""

    def shared(own: int, other: int) -> list[float]:
        at = [0.0] * len(edges)
        beside: dict[int, list[int]] = {}
        for n in sorted(range(len(edges)), key=lambda n: xs[edges[n][other]]):
            beside.setdefault(edges[n][own], []).append(n)
        for box, group in beside.items():
            room = min(sizes[box][0] * 0.8, 60.0 * len(group))
            for place, n in enumerate(group):
                at[n] = xs[box] + room * ((place + 0.5) / len(group) - 0.5)
        return at

    return shared(0, 1), shared(1, 0)


def _curve(points: Sequence[Point]) -> list[Point]:
    """Through these points, upright in each."""
    found = [points[0]]
    for (x, y), (to, down) in itertools.pairwise(points):
        middle = (y + down) / 2
        found += [(x, middle), (to, middle), (to, down)]
    return found
