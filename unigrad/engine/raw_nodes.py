"""Nodes of an adapter's own making, which know raw arrays alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.base.words import Raw
from unigrad.interpreters.batches import batched
from unigrad.tape import RELEASED, Add, Node, next_number


class RawNode(Node):
    """An operation that an adapter recorded, and pulls back through by its framework.

    Besides ``release`` a subclass has ``pull`` if the engine says ``pulls_raw``, parents in ``more``, and:
    """

    __slots__ = ()

    def recorded_share(self, position: int, g: Raw, node: Node | None, rows: bool) -> tuple[Raw, Node]:
        """The share of the parent at ``position`` in the cotangent ``g``, which ``node`` recorded, and a node for it.

        With ``rows`` there are many cotangents along a first axis, and as many shares.
        """
        raise NotImplementedError(
            f"{type(self).__name__} lacks recorded_share(), which derivatives of derivatives need"
        )

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        level = g._parts.level if g._is_wrapped else None
        if level is not None:
            g = g._parts.value
        for position, parent in enumerate(self.more):
            if parent is not None:
                share = tensor_type.of(*self.recorded_share(position, g._raw, g._node, level is not None))
                add(parent, share if level is None else batched(share, level))


class CallNode(RawNode):
    """One recorded call of a function of arrays, which can be run again: what it was given, and what gave it that."""

    __slots__ = ("function", "more", "operation", "raws")

    def __init__(self, operation: str, function: Any, parents: Sequence[Node | None], raws: Sequence[Raw]) -> None:
        self.number = next_number()
        self.operation = operation
        self.function = function
        self.more = parents
        self.raws = raws

    def release(self) -> None:
        self.number = RELEASED
        self.more = self.raws = ()
        self.function = None
