"""Nodes of calls that an adapter pulls back through by its framework."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from unigrad.base.words import Raw
from unigrad.binding.nodes import rule_node
from unigrad.engine.placing import placed_node
from unigrad.table import Primitive
from unigrad.tape import RELEASED, Add, Node, next_number
from unigrad.tensor.tensor import conjugated


class CallNode(Node):
    """One recorded call of a primitive: what it was given, and what came out.

    A subclass has ``pull``, over raw arrays, and its engine says ``pulls_raw``. A pass that is recorded itself, or has
    many rows of cotangents, goes by the neutral rules.
    """

    __slots__ = ("more", "operation", "out", "primitive", "raws", "statics")

    place: Callable[[Raw, Raw], Raw] | None = None
    """Lays out a parent's share as its array lies (:func:`~unigrad.engine.placing.placed_node`), if that is needed."""

    def __init__(
        self,
        primitive: Primitive,
        parents: Sequence[Node | None],
        raws: Sequence[Raw],
        statics: Sequence[Any],
        out: Raw,
    ) -> None:
        self.number = next_number()
        self.operation = primitive.name
        self.primitive = primitive
        self.more = parents
        self.raws = raws
        self.statics = statics
        self.out = out

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        backend = tensor_type.backend
        node = rule_node(backend, self.primitive, self.more, self.raws, self.statics, self.out)
        if self.place is not None:
            places: dict[Any, Raw] = dict(zip(self.more, self.raws, strict=True))
            node = placed_node(node, places, self.place)
        # What came out is this node's, of which the graph knows.
        own: Any = SimpleNamespace(of=lambda raw, parent: tensor_type.of(raw, self if parent is node else parent))
        if backend.engine.conjugate_pulls:
            given = add

            def add(parent: Node, share: Any) -> None:
                given(parent, None if share is None else conjugated(share))

            g = conjugated(g)
        node.lifted_pull(xp, g, add, own)

    def release(self) -> None:
        self.number = RELEASED
        self.more = self.raws = self.statics = ()
        self.out = None
