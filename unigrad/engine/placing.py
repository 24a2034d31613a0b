"""Cotangents laid out as their arrays are, for a framework that lays out each result as it comes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from unigrad.base.words import Raw
from unigrad.interpreters.batches import Batched, batched
from unigrad.interpreters.duals import Dual, dual
from unigrad.tape import Add, Node


def placed_node(node: Node, places: Mapping[Node, Any], place: Callable[[Raw, Any], Raw]) -> Node:
    """A node of one recorded call, whose parents' shares are placed by ``place(raw, places[parent])``.

    ``place`` keeps values, shape and dtype; arrays may have further axes in front, of a batch.
    """
    kind: Any = type(node)  # generated, with slots for all that it holds
    made: Any = _placed_type(kind)()
    for name in ("number", *kind.__slots__):
        setattr(made, name, getattr(node, name))
    made.places, made.place = places, place
    found: Node = made
    return found


@functools.cache
def _placed_type(kind: Any) -> type[Node]:
    pull, release = kind.lifted_pull, kind.release

    def lifted_pull(self: Any, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        def placed(parent: Node, share: Any) -> None:
            add(parent, None if share is None else _moved(share, lambda raw: self.place(raw, self.places[parent])))

        pull(self, xp, g, placed, tensor_type)

    def released(self: Any) -> None:
        release(self)
        self.places = {}

    members = {"__slots__": ("place", "places"), "lifted_pull": lifted_pull, "release": released}
    found: type[Node] = type(kind.__name__, (kind,), members)
    return found


def _moved(x: Any, move: Callable[[Raw], Raw]) -> Any:
    """A Tensor of the same values and history that lies elsewhere."""
    if isinstance(x, Batched):
        return batched(_moved(x._parts.value, move), x._parts.level)
    if isinstance(x, Dual):
        value, tangent, level = x._parts
        return dual(_moved(value, move), _moved(tangent, move), level)
    raw = move(x._raw)
    return x if raw is x._raw else x._plain.of(raw, x._node)
