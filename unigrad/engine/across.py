"""How cotangents come back through a graph that lies on several backends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from unigrad.adapters.contract import Backend
from unigrad.base.recording import Switch
from unigrad.base.words import Raw
from unigrad.engine.moving import Crossing, returned
from unigrad.engine.within import Pass, Pulled, node_of, pull_on_one
from unigrad.tape import Node, parents_of, starts_of
from unigrad.tensor.tensor import Tensor


def crosses(this: Pass, nodes: Sequence[Node]) -> bool:
    """Whether the graph lies on several backends."""
    return Crossing.exist and (
        any(type(node) is Crossing for node in nodes) or any(y.backend is not this.heads[0].backend for y in this.heads)
    )


def pull_across(whole: Pass, nodes: Sequence[Node], wanted: Mapping[Node, Raw]) -> Pulled:
    """Through a graph that lies on several backends.

    It is pulled in pieces, each on one backend: from *points*, which are the heads and the origins of crossings, as
    far as the crossings next below. Crossings that cannot send each other anything go together, when all has arrived
    that can. Where the backend's pull stops at points as well, these wait likewise, and no piece is pulled twice.
    """
    crossings = [node for node in nodes if type(node) is Crossing]
    points = {node_of(y): y for y in (*whole.heads, *[node.origin for node in crossings])}
    ends: dict[Node, Any] = {node: y._raw for node, y in points.items() if y.backend.engine.stops_at_inputs}
    ends |= {node: node.raw for node in crossings}
    arrived: dict[Node, Tensor] = {}
    waiting: dict[Node, Tensor] = {}

    def arrive(at: dict[Node, Tensor], node: Node, g: Tensor) -> None:
        at[node] = at[node] + g if node in at else g

    def pull(starts: Iterable[Node]) -> None:
        together: dict[Backend, list[Node]] = {}
        for node in starts:
            together.setdefault(points[node].backend, []).append(node)
        for start in together.values():
            piece, reached = _piece(start, ends)
            targets = {node: wanted[node] for node in piece if node in wanted}
            inputs = targets | {node: ends[node] for node in reached}
            ys, gs = [points[node] for node in start], [waiting.pop(node) for node in start]
            # Released is what lies below all heads, and only when all of it has succeeded.
            this = whole._replace(heads=ys, cotangents=gs, retain_graph=True)
            found = pull_on_one(this, piece, starts_of(piece), inputs)
            for node, g in found.items():
                arrive(arrived if node in targets else waiting, node, g)

    with Switch(whole.create_graph, None):
        for y, g in zip(whole.heads, whole.cotangents, strict=True):
            arrive(waiting, node_of(y), g)
        pull([node for node in waiting if node not in ends])
        for stage in _stages(nodes, ends):
            starts: dict[Node, None] = {}
            for node in stage:
                if type(node) is Crossing and node in waiting:
                    g = waiting.pop(node)
                    if node in wanted:
                        arrive(arrived, node, g)
                    origin = node_of(node.origin)
                    arrive(waiting, origin, returned(g, node.origin))
                    if origin not in ends:
                        starts[origin] = None
                elif node in waiting:
                    starts[node] = None
            pull(starts)
    return arrived


def _stages(nodes: Sequence[Node], ends: dict[Node, Any]) -> list[list[Node]]:
    """The ends, by how many others a cotangent meets at most on its way to them. No recursion, and linear time."""
    consumers = dict.fromkeys(nodes, 0)
    for node in nodes:
        for parent in parents_of(node):
            consumers[parent] += 1
    passed = dict.fromkeys(nodes, 0)
    ready = [node for node, count in consumers.items() if not count]
    stages: list[list[Node]] = []
    for node in ready:  # which grows as it goes
        count = passed[node]
        if node in ends:
            stages.extend([] for _ in range(count + 1 - len(stages)))
            stages[count].append(node)
            count += 1
        for parent in parents_of(node):
            passed[parent] = max(passed[parent], count)
            consumers[parent] -= 1
            if not consumers[parent]:
                ready.append(parent)
    return stages


def _piece(start: Sequence[Node], ends: dict[Node, Any]) -> tuple[list[Node], list[Node]]:
    """What is below the nodes where a pull starts, themselves included, as far as the next ends; and these."""
    piece = list(start)
    reached: list[Node] = []
    seen = set(start)
    for node in piece:  # which grows as it goes
        for parent in parents_of(node):
            if parent not in seen:
                seen.add(parent)
                (reached if parent in ends else piece).append(parent)
    return piece, reached
