"""The graph that recording leaves behind.

While recording, each operation leaves a :class:`Node`: its creation number, its parents and, where the
backend differentiates by rules, what the rules need. Nodes point from results to inputs only, so that
a graph lives as long as one of its results. A :class:`Leaf` is where the walk ends: an attached array.
:mod:`unigrad.engine` walks it backwards.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Sequence
from sys import getrefcount
from typing import Any

from unigrad.base.errors import GraphFreedError
from unigrad.base.words import Raw

next_number = itertools.count(1).__next__
"""Creation numbers: a node's is larger than those of all its parents."""

RELEASED = -1
"""The number of a node that has let go of its parents."""

Add = Callable[["Node", Any], None]
Cotangents = dict["Node", Any]
Owned = dict["Node", bool]
"""Whose sum is this pass's own, to be changed in place; and whether it is known to hold no -0, to which 0 was added."""


class Node:
    """One recorded operation. Subclasses, generated per primitive, add parents and residuals as slots."""

    __slots__ = ("number",)

    number: int
    """The creation number (0 where only the framework's engine walks the graph), or RELEASED."""
    operation: str = ""
    """The name of the operation."""
    p1: Node | None = None
    """The parents: at most two by name, as most operations have it, and the rest in ``more``."""
    p2: Node | None = None
    more: Sequence[Node | None] = ()

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: Owned) -> None:
        """Give each parent its share of the cotangent ``g``, by rules over raw arrays.

        A share is put into ``cotangents``, or given to :func:`accumulate` where one is there already.
        """
        raise NotImplementedError(
            f"{type(self).__name__} lacks pull(), which gives the parents of a {self.operation!r} their shares of a "
            f"raw cotangent; an engine whose record() makes such nodes must have it where it says pulls_raw"
        )

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The same over Tensors, so that the computation is recorded itself; ``add(parent, share)`` takes it."""
        raise NotImplementedError(
            f"the rules cannot pull through a {self.operation!r} that the framework's own engine recorded; its "
            f"adapter's pullback answered None for a graph that only that engine knows"
        )

    def release(self) -> None:
        """Let go of parents and residuals."""
        raise NotImplementedError(
            f"{type(self).__name__} lacks release(), which sets its number to RELEASED and lets go of its parents and "
            f"of all that it keeps, after a backward without retain_graph"
        )


class BareNode(Node):
    """A recorded operation of one or two arrays on a backend whose framework keeps all that is needed.

    One class for all operations, so that the walk over them reads attributes at one speed: a class per
    operation makes it a third slower. :func:`release` lets go of what they hold.
    """

    __slots__ = ("operation", "p1", "p2")


class BareManyNode(Node):
    """The same for any number of arrays."""

    __slots__ = ("more", "operation")

    def release(self) -> None:
        self.number = RELEASED
        self.more = ()


class Leaf(Node):
    """An attached array, or an intermediate that attaching cut off: gradients flow to it and stop."""

    __slots__ = ("buffer", "raw")

    operation = "leaf"
    buffer: weakref.ref[Any]
    """Where the cotangent goes. The Tensor owns it: a leaf that nobody can ask any more needs none."""
    raw: Raw
    """The array as the framework tracks it; None where its engine differentiates nothing."""

    def filled(self, raw: Any, buffer: weakref.ref[Any]) -> Leaf:
        """This new leaf with what it holds."""
        self.number = next_number()
        self.buffer = buffer
        self.raw = raw
        return self

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: Owned) -> None:
        """The walk ends here."""

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The walk ends here."""

    def release(self) -> None:
        """A leaf outlives every backward."""


def below(heads: Iterable[Node]) -> tuple[list[Node], list[Node]]:
    """All nodes that the heads depend on, themselves included, in no particular order; and those without ``p1``.

    The second are few, and all leaves, gradients and steps are among them. GraphFreedError if an earlier backward
    released a node. No recursion: a chain of a million is fine.
    """
    seen = set(heads)
    found = list(seen)
    starts: list[Node] = []
    mark, keep = seen.add, found.append
    for node in found:  # which grows as it goes
        if node.number == RELEASED:
            raise GraphFreedError(
                f"the graph below was released by an earlier backward (reached a freed {node.operation!r}); "
                f"pass retain_graph=True to that backward, or record the computation again"
            )
        parent = node.p1
        if parent is None:  # a leaf, an untracked first operand, or many parents
            starts.append(node)
            for parent in node.more:
                if parent is not None and parent not in seen:
                    mark(parent)
                    keep(parent)
        elif parent not in seen:
            mark(parent)
            keep(parent)
        parent = node.p2
        if parent is not None and parent not in seen:
            mark(parent)
            keep(parent)
    return found, starts


def newer(heads: Sequence[Node], number: int) -> tuple[list[Node], list[Node]]:
    """What the heads depend on, as far as it was recorded after ``number``, and what that in turn depends on."""
    seen = dict.fromkeys(heads)
    queue = list(seen)
    inner, ends = [], []
    for node in queue:  # which grows as it goes
        if node.number <= number:
            ends.append(node)
            continue
        inner.append(node)
        for parent in parents_of(node):
            if parent not in seen:
                seen[parent] = None
                queue.append(parent)
    return inner, ends


def starts_of(nodes: Iterable[Node]) -> list[Node]:
    """Those without a ``p1``."""
    return [node for node in nodes if node.p1 is None]


def parents_of(node: Node) -> list[Node]:
    """Its parents, as far as they are tracked."""
    return [parent for parent in (node.p1, node.p2, *node.more) if parent is not None]


spare: list[BareNode] = []
"""Released nodes that nobody holds, to be used again: new ones would have Python's garbage collector look through the
graph every 700 operations, which takes as long as making them."""
MOST_SPARE = 4096


def release(nodes: list[Node]) -> None:
    """Have all of them let go of parents and residuals."""
    room = len(spare) < MOST_SPARE
    for node in nodes:
        if type(node) is BareNode:
            # Most are, where they are at all; a call takes as long as the rest of the loop.
            node.number = RELEASED
            node.p1 = node.p2 = None
            if room and getrefcount(node) == UNHELD:
                spare.append(node)
        else:
            node.release()


def _references() -> int:
    """How many references there are to a node that nobody holds, inside the loop of :func:`release`."""
    for node in [BareNode()]:
        return getrefcount(node)
    raise AssertionError


UNHELD = _references()


class PulledNode(Node):
    """A gradient that the framework's engine computed so that it can be differentiated again."""

    __slots__ = ("more",)

    operation = "gradient"

    def __init__(self, parents: Sequence[Node | None]) -> None:
        self.number = next_number()
        self.more = tuple(dict.fromkeys(parents))

    def release(self) -> None:
        self.number = RELEASED
        self.more = ()


class ConstantNode(Node):
    """A gradient that depends on nothing. Under ``create_graph`` it counts as recorded all the same, so that
    its own derivative is zero, whether or not a framework's engine would have recorded it."""

    __slots__ = ()

    operation = "gradient"

    def __init__(self) -> None:
        self.number = next_number()

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: Owned) -> None:
        """The walk ends here."""

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The walk ends here."""

    def release(self) -> None:
        self.number = RELEASED


def accumulate(cotangents: Cotangents, owned: Owned, parent: Node, contribution: Any) -> None:
    """Add to what has arrived at ``parent``.

    The first contribution is adopted, the second added out of place, later ones into that sum, which
    belongs to this pass alone (``owned``).
    """
    held = cotangents.get(parent)
    if held is None:
        cotangents[parent] = contribution
    elif contribution is None:
        return
    elif parent in owned:
        held += contribution
        cotangents[parent] = held
    else:
        cotangents[parent] = held + contribution
        owned[parent] = False


def pull_through(
    xp: Any, nodes: Iterable[Node], cotangents: Cotangents, owned: Owned, wanted: set[Node]
) -> dict[Node, Raw]:
    """Pull what has arrived at ``nodes``, of which the newest come first, back to their parents, one after the other.

    Returns what has arrived at those of them that are ``wanted``; ``cotangents`` then hold what is below.
    """
    arrived = {}
    for node in nodes:
        g = cotangents.pop(node, None)
        if g is None:
            continue
        if node in wanted:
            arrived[node] = g
        node.pull(xp, g, cotangents, owned)
    return arrived
