"""From a graph to a picture: its nodes in order, what is known of them, and what a pass brings them."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from unigrad.base.errors import UnigradError
from unigrad.base.recording import Switch
from unigrad.base.words import Raw
from unigrad.engine.moving import Crossing
from unigrad.engine.passes import pulled_to
from unigrad.engine.within import Pass
from unigrad.looking.folding import folds
from unigrad.looking.local import Pull, derivatives, pull_of_call, pull_of_node, pushed, shown
from unigrad.looking.naming import Names
from unigrad.looking.parts import Edge, Forward, Vertex
from unigrad.looking.picture import Picture
from unigrad.looking.watching import Seen, Watched
from unigrad.looking.writing import SMALL, numbers, settings
from unigrad.table import PRIMITIVES, SCALAR_TYPES
from unigrad.tape import RELEASED, BareManyNode, BareNode, Leaf, Node
from unigrad.tensor.joints import Maybe, Part
from unigrad.tensor.tensor import Tensor, retained

DIRECTIONS = 6
"""Forward mode is shown along so many leaves."""


def _parents(node: Node) -> list[Node | None]:
    """The operands' nodes, None for one that is not tracked. The result of a step has those of the step."""
    if node.number == RELEASED:
        return []
    if isinstance(node, Part):
        return list(node.p1.more) if node.p1 is not None else []
    row = PRIMITIVES.get(node.operation)
    found = list(node.more or (node.p1, node.p2))
    if row is not None and not row.variadic and not any(found[len(row.arrays) :]):
        return found[: len(row.arrays)]  # an adapter may count indices among the operands
    return found if node.more else [parent for parent in found if parent is not None]


def _operation(node: Node) -> str:
    if isinstance(node, Part) and node.p1 is not None:
        joint: Any = node.p1
        return str(joint.operation) + (f", result {node.position}" if joint.count > 1 else "")
    return node.operation


class Drawn:
    """The graph below some heads, on its way to a picture."""

    def __init__(self, heads: Sequence[Tensor], seen: Watched, names: Names, most: int) -> None:
        self._heads = heads
        self._seen = seen
        self._names = names
        self._most = most
        self._types: dict[Node, type[Tensor]] = {}
        self._tops = [node for x in heads if (node := seen.told_apart(x._node, x._raw)) is not None]
        self._order = self._ordered()
        self._raws = self._kept()
        # As the framework knows them: what is computed again is not in its graph.
        self._own = dict(self._raws)
        self._shown: dict[Node, Vertex] = {}
        self._tracked: dict[Node, list[Edge]] = {}
        self._pulls: dict[Node, Pull] = {}
        self._cotangents: dict[Node, Tensor] = {}
        self._shares: dict[Edge, Tensor] = {}
        self._labels: set[str] = set()
        self.vertices: list[Vertex] = []
        self.edges: list[Edge] = []
        self.notes: list[str] = []
        operations = [_operation(node) for node in self._order]
        self._folds = folds(operations, [seen.folded.get(node) for node in self._order], most)

    # --- which nodes, in which order ---

    def _parents(self, node: Node) -> list[Node | None]:
        """The operands' nodes, as :func:`_parents` has them, results of steps told apart."""
        found = _parents(node)
        if self._seen.steps and node in self._seen.calls:
            raws = self._seen.calls[node].raws
            found = [self._seen.told_apart(parent, raw) for parent, raw in zip(found, raws, strict=True)]
        return found

    def _ordered(self) -> list[Node]:
        """All nodes, each behind its parents; leaves just before what first uses them, or the folded call of it."""
        order: list[Node] = []
        entered: set[Node] = set()
        stack: list[tuple[Node, bool]] = []
        for head, node in zip(self._heads[::-1], self._tops[::-1], strict=True):
            self._types[node] = head._plain
            stack.append((node, False))
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in entered:
                entered.add(node)
                stack.append((node, True))
                beneath = (
                    node.origin._plain if type(node) is Crossing and node.number != RELEASED else self._types[node]
                )
                for parent in reversed(self._parents(node)):
                    if parent is not None and parent not in entered:
                        self._types.setdefault(parent, beneath)
                        stack.append((parent, False))
        if self._seen.folded:  # as it was computed, so that calls are in one piece
            time: dict[Node, int] = {node: n for n, node in enumerate(self._seen.values)}
            for node in order:  # what was not seen comes with its parents
                time.setdefault(node, max((time[p] for p in self._parents(node) if p is not None), default=-1))
            started: dict[tuple[str, int], int] = {}
            for node, call in self._seen.folded.items():
                started.setdefault(call, time[node])
            when = {node: (time[node], 1) for node in order}
            leaves = [node for node in order if not any(self._parents(node))]
            first = dict.fromkeys(leaves, (len(time), 0))
            for node in order:
                inside = self._seen.folded.get(node)
                start = started[inside] if inside is not None else when[node][0]
                for parent in self._parents(node):
                    if parent in first:
                        first[parent] = min(first[parent], (start, 0))
            order.sort(key=lambda node: first.get(node) or when[node])
        return order

    # --- what is known of them ---

    def _kept(self) -> dict[Node, Raw]:
        """The raw arrays that are at hand: of what was watched, of variables, of leaves, and what nodes keep."""
        found = dict(self._seen.values)
        for x in [*self._heads, *self._names.tensors.values()]:
            if x._node is not None:
                found.setdefault(x._node, x._raw)
        for node in self._order:
            if isinstance(node, Leaf) and node.number != RELEASED and node.raw is not None:
                found.setdefault(node, node.raw)
            out = _attribute(node, "out")
            if out is not None:
                found.setdefault(node, out)
            for parent, raw in zip(self._parents(node), self._residuals(node), strict=True):
                if parent is not None and raw is not None:
                    found.setdefault(parent, raw)
        return found

    def _residuals(self, node: Node) -> list[Raw]:
        """What a node keeps of its operands, None where it keeps nothing."""
        parents = self._parents(node)
        whole = _attribute(node, "raws") or _attribute(node, "inputs")
        row = PRIMITIVES.get(node.operation)
        if whole is None and row is not None:
            whole = _attribute(node, row.arrays[0]) if row.variadic else [_attribute(node, name) for name in row.arrays]
        return list(whole) if whole is not None and len(whole) == len(parents) else [None] * len(parents)

    def _call(self, node: Node) -> Seen | None:
        """The call that a node came from, if all that it was given is known."""
        if node in self._seen.calls:
            return self._seen.calls[node]
        row = PRIMITIVES.get(node.operation)
        parents = self._parents(node)
        if row is None or not row.differentiable or (len(parents) != len(row.arrays) and not row.variadic):
            return None
        kept = self._residuals(node)
        raws = [raw if raw is not None else self._raws.get(parent) if parent is not None else None
                for parent, raw in zip(parents, kept, strict=True)]  # fmt: skip
        statics = [_attribute(node, name) for name in row.statics]
        if not raws or any(raw is None for raw in raws) or any(static is None for static in statics):
            return None
        return Seen(row, raws, statics)

    # --- the picture ---

    def picture(self) -> Picture:
        starts = {fold.start: fold for fold in self._folds}
        inside: dict[Node, Vertex] = {}
        stop = 0
        for place, node in enumerate(self._order):
            fold = starts.get(place)
            if fold is not None:
                stop = fold.stop
                box = Vertex(self._label(""), "folded", fold.words)
                self.vertices.append(box)
            if place < stop:
                inside[node] = box
                self._link_folded(node, box, inside)
            else:
                self._add(node, inside)
        self._pull_back()
        self._take_apart()
        self._tell()
        return Picture(self.vertices, self.edges, self.notes, self._forwards)

    def _label(self, name: str) -> str:
        label, count = name or f"v{len(self.vertices) + 1}", 1
        while label in self._labels:  # two variables of one name, in two places
            count += 1
            label = f"{name}#{count}" if name else f"v{len(self.vertices) + count}"
        self._labels.add(label)
        return label

    def _link_folded(self, node: Node, box: Vertex, inside: Mapping[Node, Vertex]) -> None:
        for parent in self._parents(node):
            source = None if parent is None else self._shown.get(parent) or inside.get(parent)
            if source not in (None, box) and not any(e.source is source and e.target is box for e in self.edges[-64:]):
                self.edges.append(Edge(source, box))

    def _add(self, node: Node, inside: Mapping[Node, Vertex]) -> None:
        """One node, behind the constants that it was given."""
        parents, released = self._parents(node), node.number == RELEASED
        call = None if released else self._call(node)
        tensor_type = self._types[node]
        if node not in self._raws and call is not None:
            arrays = list(call.raws)
            function = tensor_type.backend.engine.untracked(tensor_type.backend.function(call.row.name))
            try:
                self._raws[node] = (
                    function(arrays, *call.statics) if call.row.variadic else function(*arrays, *call.statics)
                )
            except Exception:  # a residual that is no longer what it was; then the value is not known
                call = None
        raws = call.raws if call is not None else self._residuals(node)
        sources: list[Vertex] = []
        for parent, raw in zip(parents, raws, strict=True):
            if parent is not None:
                sources.append(self._shown.get(parent) or inside[parent])
            else:
                sources.append(self._constant(raw, tensor_type))
        if type(node) is Leaf:
            vertex = Vertex(self._label(self._names.of_node(node)), "leaf", "leaf")
        elif released:
            vertex = Vertex(self._label(self._names.of_node(node)), "released", f"{_operation(node)}, released")
        elif type(node) is Crossing:
            vertex = Vertex(self._label(self._names.of_node(node)), "crossing",
                            f"to_backend from {node.origin.backend.name} to {tensor_type.backend.name}")  # fmt: skip
        else:
            vertex = Vertex(
                self._label(self._names.of_node(node)),
                "operation",
                _operation(node),
                settings(call.row, call.statics) if call is not None else "",
            )
        vertex.is_head = node in self._tops
        if node in self._raws:
            self._describe(vertex, tensor_type.of(self._raws[node], None))
        self._shown[node] = vertex
        self.vertices.append(vertex)
        edges = [Edge(source, vertex) for source in sources]
        self.edges += edges
        self._tracked[node] = [edge for edge, parent in zip(edges, parents, strict=True) if parent is not None]
        if not released and type(node) is not Leaf and type(node) is not Crossing:
            pull = None
            if call is not None and node in self._raws:
                pull = pull_of_call(call, parents, tensor_type.of(self._raws[node], None))
            else:
                pull = pull_of_node(node, [parent for parent in parents if parent is not None], tensor_type)
            if pull is not None:
                self._pulls[node] = pull

    def _constant(self, raw: Raw, tensor_type: type[Tensor]) -> Vertex:
        """What no gradient goes to: a number, an array, or detached values."""
        if raw is None:
            vertex = Vertex(self._label(""), "constant", "constant, not kept")
        elif type(raw) in SCALAR_TYPES:
            vertex = Vertex(
                numbers(np.asarray(raw)), "constant", numbers(np.asarray(raw)), shape=(), value=np.asarray(raw)
            )
        else:
            origin = self._seen.detached.get(id(raw))
            name = self._names.of_raw(raw)
            vertex = Vertex(self._label(name), "constant" if origin is None else "detached", "constant")
            self._describe(vertex, tensor_type.of(raw, None))
            if origin is not None:
                vertex.operation = "detached"
                source = self._shown.get(origin._node) if origin._node is not None else None
                if source is not None:
                    self.edges.append(Edge(source, vertex))
            elif not name and vertex.value is not None and vertex.value.size == 1:
                vertex.label = vertex.operation = numbers(vertex.value)
        self.vertices.append(vertex)
        return vertex

    def _describe(self, vertex: Vertex, x: Tensor) -> None:
        vertex.shape, vertex.dtype = x.shape, str(x.dtype)
        vertex.value = x._shown_values()
        if Crossing.exist and len({kind.backend for kind in self._types.values()}) > 1:
            vertex.backend = x.backend.name

    # --- derivatives ---

    def _pull_back(self) -> None:
        """The cotangents of all that is drawn, by the pass that a backward is; or what the last one left."""
        if any(node.number == RELEASED for node in self._order):
            for node, vertex in self._shown.items():
                buffer = node.buffer() if type(node) is Leaf else retained.get(node)
                if buffer is not None and buffer.grad is not None:
                    vertex.cotangent = shown(buffer.grad)
            return
        # PyTorch knows only its arrays; where the rules pull, nodes will do.
        targets = [_target(self._types[node], self._own.get(node), node) for node in self._shown
                   if node in self._own or not isinstance(node, (BareNode, BareManyNode))]  # fmt: skip
        seeds = [head.ones_like() for head in self._heads]
        try:
            found = pulled_to(Pass(self._heads, seeds, retain_graph=True), targets)
        except UnigradError as error:
            self.notes.append(f"The cotangents are not shown: {error}")
            return
        for target, g in zip(targets, found, strict=True):
            if g is not None and target._node is not None:
                self._cotangents[target._node] = g
                vertex = self._shown[target._node]
                vertex.cotangent = shown(g)
                vertex.shape, vertex.dtype = g.shape, str(g.dtype)

    def _take_apart(self) -> None:
        """The local derivatives, and what each result contributes to its operands' cotangents."""
        away: dict[Vertex, list[Edge]] = {}
        for edge in self.edges:
            if not edge.is_cut:
                away.setdefault(edge.source, []).append(edge)
        for node, pull in reversed(self._pulls.items()):
            edges = self._tracked[node]
            row = PRIMITIVES.get(_operation(node))
            g = self._cotangents.get(node)
            if g is None:
                g = self._sum(node, away.get(self._shown[node], ()))
            out = g if node not in self._raws else self._types[node].of(self._raws[node], None)
            if out is None or not edges:
                continue
            shapes = [edge.source.shape for edge in edges]
            try:
                if g is not None:
                    for edge, share in zip(edges, pull(g), strict=True):
                        if share is not None:
                            self._shares[edge] = share
                            edge.share = shown(share)
                elementwise = row is not None and row.kind == "elementwise"
                for edge, each in zip(edges, derivatives(pull, elementwise, out, shapes, SMALL), strict=True):
                    if each is not None:
                        edge.derivative, edge.elementwise = each
            except UnigradError as error:
                self.notes.append(f"{self._shown[node].label} could not be taken apart: {error}")
        for node, vertex in self._shown.items():
            if type(node) is Crossing and vertex.cotangent is not None:
                self._tracked[node][0].share = vertex.cotangent

    def _sum(self, node: Node, edges: Sequence[Edge]) -> Tensor | None:
        """The cotangent of what a framework's engine does not know: the sum of what comes along the edges."""
        if not all(edge in self._shares for edge in edges):
            return None
        parts = [head.ones_like() for head, top in zip(self._heads, self._tops, strict=True) if top is node]
        parts += [self._shares[edge] for edge in edges]
        if not parts:
            return None
        g = functools.reduce(operator.add, parts)
        self._shown[node].cotangent = shown(g)
        return g

    def _forwards(self) -> list[Forward]:
        """Forward mode along each of the first leaves."""
        found: list[Forward] = []
        with Switch(False, None):
            for node, vertex in self._shown.items():
                if vertex.kind == "leaf" and vertex.value is not None and len(found) < DIRECTIONS:
                    found.append(self._forward(node, vertex))
        return found

    def _forward(self, leaf: Node, vertex: Vertex) -> Forward:
        made = Forward(vertex)
        tangents: dict[Node, Tensor] = {leaf: self._types[leaf].of(self._raws[leaf], None).detach().ones_like()}
        for node in self._shown:
            parents = [parent for parent in self._parents(node) if parent is not None]
            given: list[Maybe] = [tangents.get(parent) for parent in parents]
            if node not in self._pulls or not any(t is not None for t in given) or node not in self._raws:
                continue
            out = self._types[node].of(self._raws[node], None)
            parts = pushed(self._pulls[node], given, out)
            for edge, part in zip(self._tracked[node], parts, strict=True):
                if part is not None:
                    made.shares[edge] = shown(part)
                    tangents[node] = part if node not in tangents else tangents[node] + part
        made.tangents = {self._shown[node]: shown(t) for node, t in tangents.items()}
        return made

    # --- what is left out ---

    def _tell(self) -> None:
        total, drawn = len(self._order), len(self._shown)
        if self._folds:
            how = f"most={total} draws all of them" if len(self._order) > self._most else "without fold= all are drawn"
            self.notes.append(f"{total - drawn} of {total} nodes are folded into {len(self._folds)}; {how}.")
        if any(node.number == RELEASED for node in self._order):
            self.notes.append(
                "A backward released the graph below what is marked so, and this is what is left: draw before it, or "
                "call backward(retain_graph=True). Cotangents are those that the last backward left."
            )
        for node, vertex in self._shown.items():
            if vertex.kind == "operation" and node not in self._pulls and node.number != RELEASED:
                self.notes.append(
                    f"{vertex.label} ({_operation(node)}) is not taken apart: only the framework's own engine knows "
                    f"its derivative."
                )
        if drawn and any(v.value is None and v.kind in ("operation", "leaf") for v in self.vertices):
            self.notes.append(
                "Values that the graph does not keep are left out; ug.graph(f, *args) runs a function and shows all."
            )


def _target(tensor_type: type[Tensor], raw: Raw, node: Node) -> Tensor:
    made = tensor_type()
    made._raw, made._node = raw, node
    return made


def _attribute(node: Node, name: str) -> Any:
    """What a node keeps under this name, None if nothing."""
    return None if node.number == RELEASED else getattr(node, name, None)
