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
from typing import TYPE_CHECKING, Any, ClassVar

from unigrad.dtypes import has_gradients
from unigrad.errors import ArgumentError, DtypeError, GraphFreedError, NotRecordedError, UnsupportedError

if TYPE_CHECKING:
    from unigrad.backend import Raw
    from unigrad.tensor import Tensor

next_number = itertools.count(1).__next__
"""Creation numbers: a node's is larger than those of all its parents."""

RELEASED = -1

Add = Callable[["Node", Any], None]
Cotangents = dict["Node", Any]


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

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: set[Node]) -> None:
        """Give each parent its share of the cotangent ``g``, by rules over raw arrays.

        A share is put into ``cotangents``, or given to :func:`accumulate` where one is there already.
        """
        raise NotImplementedError

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The same over Tensors, so that the computation is recorded itself; ``add(parent, share)`` takes it."""
        raise NotImplementedError

    def release(self) -> None:
        """Let go of parents and residuals."""
        raise NotImplementedError


class BareNode(Node):
    """A recorded operation of one or two arrays on a backend whose framework keeps all that is needed.

    One class for all operations, so that the walk over them reads attributes at one speed: a class per
    operation makes it a third slower.
    """

    __slots__ = ("operation", "p1", "p2")

    def release(self) -> None:
        self.number = RELEASED
        self.p1 = self.p2 = None


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
    buffer: weakref.ref[GradientBuffer]
    """Where the cotangent goes. The Tensor owns it: a leaf that nobody can ask any more needs none."""
    raw: Any
    """The raw array as the framework tracks it; None where the backend does not delegate."""

    def filled(self, raw: Any, buffer: weakref.ref[GradientBuffer]) -> Leaf:
        """This new leaf with what it holds."""
        self.number = next_number()
        self.buffer = buffer
        self.raw = raw
        return self

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: set[Node]) -> None:
        """The walk ends here."""

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The walk ends here."""

    def release(self) -> None:
        """A leaf outlives every backward."""


class Crossing(Leaf):
    """Where an array came over from another backend: a leaf to its own framework, with a way on to the other."""

    __slots__ = ("origin", "p1")

    operation = "to_backend"
    origin: Tensor
    """The array on the other backend, as a Tensor that nobody else holds."""
    exist: ClassVar[bool] = False
    """Whether any was ever made: a backward looks for them only then."""

    def __init__(self, raw: Any, origin: Tensor) -> None:
        self.number = next_number()
        self.raw = raw
        self.p1 = origin._node
        self.origin = origin
        Crossing.exist = True

    def release(self) -> None:
        self.number = RELEASED
        self.p1 = self.raw = None
        del self.origin


class GradientBuffer:
    """A gradient, and how a backward writes it. Held by the Tensor that it belongs to, not by the graph:
    a gradient that was itself recorded (``create_graph``) then makes no reference cycle."""

    __slots__ = ("__weakref__", "grad", "request")

    def __init__(self, grad: Tensor | None, request: str) -> None:
        self.grad = grad
        self.request = request

    def updated(self, grad: Tensor) -> Tensor:
        """What the buffer is to hold after a backward that brought ``grad``: that, or the sum if it was asked for."""
        if self.request == "add" and self.grad is not None:
            return self.grad + grad if grad._node is not None else self.grad.detach() + grad
        return grad


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

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: set[Node]) -> None:
        """The walk ends here."""

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The walk ends here."""

    def release(self) -> None:
        self.number = RELEASED


def conjugated(g: Tensor) -> Tensor:
    """From a gradient as users have it, in the conjugate form, to one as the rules have it, and back."""
    return g._bound.conj(g) if g._dtype.kind == "c" else g


def accumulate(cotangents: Cotangents, owned: set[Node], parent: Node, contribution: Any) -> None:
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
        owned.add(parent)


# --- attaching ------------------------------------------------------------------------------------------------

REQUESTS = ("write", "add", "null")


def attach(x: Tensor, grad_req: str) -> None:
    """Make ``x`` a leaf with a gradient of zeros; see ``Tensor.attach_grad``."""
    if grad_req not in REQUESTS:
        raise ArgumentError(f"grad_req={grad_req!r} is unknown; use 'write', 'add' or 'null'")
    if not has_gradients(x.dtype):
        raise DtypeError(
            f"only floating arrays have gradients, and this one is {x.dtype}; "
            f"convert it first: x = x.astype(ug.float32)"
        )
    if x._is_wrapped:
        raise UnsupportedError(
            "inside jvp and vmap no gradient can be attached; use ug.grad or ug.vjp there instead of attach_grad and "
            "backward"
        )
    backend = x.backend
    raw = backend.constant(x._raw) if x._node is not None else x._raw
    if grad_req == "null":
        x._raw, x._node, x._buffer = raw, None, GradientBuffer(None, grad_req)
        return
    buffer = GradientBuffer(x.zeros_like(), grad_req)
    become_leaf(x, backend.leaf(raw), buffer)


def become_leaf(x: Tensor, tracked: Raw, buffer: GradientBuffer) -> None:
    """Make ``x`` hold an array that its framework tracks, as a leaf whose gradient goes to ``buffer``."""
    x._raw = tracked
    x._node = Leaf().filled(None if x.backend.delegates == "nothing" else tracked, weakref.ref(buffer))
    x._buffer = buffer


def free_leaf(x: Tensor) -> Tensor:
    """The values of ``x`` as a leaf that has no buffer, and that its holder may write to: for :func:`gradients`."""
    backend = x.backend
    tracked = backend.leaf(backend.detached(x._raw) if x._node is not None else x._raw)
    leaf = Leaf().filled(None if backend.delegates == "nothing" else tracked, weakref.ref(GradientBuffer(None, "null")))
    return type(x).of(tracked, leaf)


def retain(x: Tensor) -> None:
    """Have the gradient of a recorded intermediate kept; see ``Tensor.retain_grad``."""
    node = x._node
    if node is None:
        raise NotRecordedError(
            "retain_grad() keeps the gradient of a recorded intermediate, and this array was not recorded; "
            "compute it inside 'with ug.record():', or call x.attach_grad()"
        )
    if node.number == RELEASED:
        raise GraphFreedError("this intermediate's graph was released by a backward; record it again")
    if node not in retained and type(node) is not Leaf:
        x._buffer = retained[node] = RetainedBuffer(None, "write", x._raw)


class RetainedBuffer(GradientBuffer):
    """The buffer of an intermediate, with the raw array that a framework's engine knows it by."""

    __slots__ = ("raw",)

    def __init__(self, grad: Tensor | None, request: str, raw: Raw) -> None:
        super().__init__(grad, request)
        self.raw = raw


retained: weakref.WeakValueDictionary[Node, RetainedBuffer] = weakref.WeakValueDictionary()
"""The buffers of retained intermediates, which their Tensors own. Kept beside the graph, since few nodes have one
and every node would pay for a slot."""
