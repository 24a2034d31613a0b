"""The graph that recording leaves behind, and the one algorithm that walks it backwards.

While recording, each operation leaves a :class:`Node`: its creation number, its parents and, where the
backend differentiates by rules, what the rules need. Nodes point from results to inputs only, so that
a graph lives as long as one of its results. A :class:`Leaf` is where the walk ends: an attached array.

``backward`` and ``gradients`` find what the heads depend on, check that none of it was released, have the
cotangents pulled back (by the framework's engine or by rules), and only then write buffers and
release the graph: all or nothing.
"""

from __future__ import annotations

import itertools
import operator
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from unigrad.dtypes import has_gradients
from unigrad.errors import (
    ArgumentError,
    BackendMismatchError,
    DtypeError,
    GraphFreedError,
    NotRecordedError,
    ShapeError,
)
from unigrad.recording import Scope, is_training

if TYPE_CHECKING:
    from unigrad.backend import Backend, Raw
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

    def __init__(self, raw: Any, buffer: GradientBuffer) -> None:
        self.number = next_number()
        self.buffer = weakref.ref(buffer)
        self.raw = raw

    def pull(self, xp: Any, g: Any, cotangents: Cotangents, owned: set[Node]) -> None:
        """The walk ends here."""

    def lifted_pull(self, xp: Any, g: Any, add: Add, tensor_type: Any) -> None:
        """The walk ends here."""

    def release(self) -> None:
        """A leaf outlives every backward."""


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


def below(heads: Sequence[Node]) -> list[Node]:
    """All nodes that the heads depend on, themselves included, in no particular order.

    GraphFreedError if an earlier backward released one. No recursion: a chain of a million is fine.
    """
    seen = set(heads)
    found = list(seen)
    mark, keep = seen.add, found.append
    for node in found:  # which grows as it goes
        if node.number == RELEASED:
            raise GraphFreedError(
                f"the graph below was released by an earlier backward (reached a freed {node.operation!r}); "
                f"pass retain_graph=True to that backward, or record the computation again"
            )
        parent = node.p1
        if parent is None:  # a leaf, an untracked first operand, or many parents
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
    return found


_number = operator.attrgetter("number")


# --- pulling back by rules -----------------------------------------------------------------------------


def pull_by_rules(
    backend: Backend, seeds: Sequence[tuple[Node, Any]], nodes: Sequence[Node], wanted: set[Node], create_graph: bool
) -> dict[Node, Tensor]:
    """The cotangents that arrive at ``wanted``, by the neutral rules; ``nodes`` are all below the seeds."""
    tensor_type = backend.tensor_type
    # By creation, newest first: each node has all its contributions when its turn comes.
    nodes = sorted(nodes, key=_number, reverse=True)
    if create_graph:
        with Scope(True, is_training()):
            return _conjugated(backend, _pull_lifted(tensor_type, _transposed(backend, seeds), nodes, wanted))
    raw_functions = backend.raw_functions
    # Rules over an adapter's arrays go through its Tensors, with recording off.
    with Scope(False, is_training()):
        seeds = _transposed(backend, seeds)
        if raw_functions is None:
            return _conjugated(backend, _pull_lifted(tensor_type, seeds, nodes, wanted))
        with backend.raw_pass():
            pulled = _pull_raw(raw_functions, [(node, g._raw) for node, g in seeds], nodes, wanted)
        return _conjugated(backend, {node: tensor_type(raw, None) for node, raw in pulled.items()})


def conjugated(g: Tensor) -> Tensor:
    """From a gradient as users have it, in the conjugate form, to one as the rules have it, and back."""
    return g._bound.conj(g) if g._dtype.kind == "c" else g


def _transposed(backend: Backend, seeds: Sequence[tuple[Node, Tensor]]) -> Sequence[tuple[Node, Tensor]]:
    return seeds if backend.conjugate_pulls else [(node, conjugated(g)) for node, g in seeds]


def _conjugated(backend: Backend, pulled: dict[Node, Tensor]) -> dict[Node, Tensor]:
    return pulled if backend.conjugate_pulls else {node: conjugated(g) for node, g in pulled.items()}


def _pull_raw(xp: Any, seeds: Sequence[tuple[Node, Raw]], nodes: Sequence[Node], wanted: set[Node]) -> dict[Node, Raw]:
    cotangents: Cotangents = {}
    owned: set[Node] = set()
    arrived: dict[Node, Raw] = {}
    for node, g in seeds:
        accumulate(cotangents, owned, node, g)
    for node in nodes:
        g = cotangents.pop(node, None)
        if g is None:
            continue
        if node in wanted:
            arrived[node] = g
        node.pull(xp, g, cotangents, owned)
    return arrived


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


def _pull_lifted(
    tensor_type: type[Tensor], seeds: Sequence[tuple[Node, Tensor]], nodes: Sequence[Node], wanted: set[Node]
) -> dict[Node, Tensor]:
    xp = tensor_type._bound
    cotangents: dict[Node, Tensor] = {}
    arrived: dict[Node, Tensor] = {}

    def add(parent: Node, contribution: Tensor | None) -> None:
        if contribution is not None:
            held = cotangents.get(parent)
            cotangents[parent] = contribution if held is None else held + contribution

    for node, g in seeds:
        add(node, g)
    for node in nodes:
        if node not in cotangents:
            continue
        g = cotangents.pop(node)
        if node in wanted:
            arrived[node] = g
        node.lifted_pull(xp, g, add, tensor_type)
    return arrived


# --- pulling back by the framework ----------------------------------------------------------------------


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


def _pull_by_framework(
    backend: Backend,
    heads: Sequence[Tensor],
    seeds: Sequence[tuple[Node, Tensor]],
    nodes: Sequence[Node],
    wanted: dict[Node, Any],
    retain_graph: bool,
    create_graph: bool,
) -> dict[Node, Tensor] | None:
    if backend.delegates == "nothing" or (create_graph and backend.delegates != "all orders"):
        return None
    # The framework knows nothing of a constant gradient, nor is there anything below one.
    known = [(head, seed) for head, seed in zip(heads, seeds, strict=True) if not isinstance(seed[0], ConstantNode)]
    inputs = list(wanted.items())
    if not inputs or not known:
        return {}
    pulled = backend.pullback(
        [(node, head._raw) for head, (node, _) in known],
        [g._raw for _, (_, g) in known],
        inputs,
        retain_graph or create_graph,
        create_graph,
        [node for node in nodes if not isinstance(node, ConstantNode)] if len(known) < len(seeds) else nodes,
    )
    if pulled is None:
        return None
    parents = [node for node, _ in seeds] + [g._node for _, g in seeds]
    found = {}
    for (node, _), raw in zip(inputs, pulled, strict=True):
        if raw is not None:
            found[node] = backend.tensor_type(raw, PulledNode(parents) if create_graph else None)
    return found


# --- the algorithm -------------------------------------------------------------------------------------------


def backward(
    heads: Tensor | Sequence[Tensor],
    head_grads: Any = None,
    retain_graph: bool = False,
    create_graph: bool = False,
) -> None:
    """Write the gradients of ``heads`` into the buffers of everything attached that they depend on.

    ``heads`` is one Tensor or a sequence, pulled back in one pass; ``head_grads`` a cotangent for each
    (of exactly its shape and dtype) or None for ones: the gradient of the sum. Buffers that the heads
    do not depend on keep what they hold. Afterwards the graph below the heads is released, unless
    ``retain_graph`` or ``create_graph``, which records the pass itself.

    Raises NotRecordedError, GraphFreedError, ShapeError, DtypeError or BackendMismatchError, and then
    has changed no gradient and released nothing.
    """
    many = _as_heads(heads)
    seeds = _seeds(many, _as_grads(heads, many, head_grads))
    nodes = below([node for node, _ in seeds])
    wanted: dict[Node, Any] = {}
    buffers: dict[Node, GradientBuffer] = {}
    for node in nodes:
        if type(node) is Leaf:
            owner = node.buffer()
            if owner is not None:
                buffers[node] = owner
                wanted[node] = node.raw
    if retained:
        for node in nodes:
            kept = retained.get(node)
            if kept is not None:
                buffers[node] = kept
                wanted[node] = kept.raw
    found = _pull(many, seeds, nodes, wanted, retain_graph, create_graph)
    # A leaf that was written to between recordings is several nodes with one buffer.
    totals: dict[int, tuple[GradientBuffer, Tensor]] = {}
    for node, buffer in buffers.items():
        if node in found:
            total = totals.get(id(buffer))
            totals[id(buffer)] = (buffer, found[node] if total is None else total[1] + found[node])
    written = _unshared(list(totals.values()), [g for _, g in seeds])
    # All that may fail comes before the first buffer changes.
    for buffer, grad in [(buffer, buffer.updated(grad)) for buffer, grad in written]:
        buffer.grad = grad
    if not (retain_graph or create_graph):
        for node in nodes:
            node.release()


def gradients(
    heads: Tensor | Sequence[Tensor],
    variables: Tensor | Sequence[Tensor],
    head_grads: Any = None,
    retain_graph: bool = False,
    create_graph: bool = False,
    unused: str = "zeros",
) -> Any:
    """The gradients of ``heads`` for ``variables``, returned and not written to any buffer.

    ``variables`` are attached arrays or recorded intermediates: one Tensor gives one gradient, a sequence a
    list. A variable that the heads do not depend on gets zeros, None or an ArgumentError, as ``unused``
    (``"zeros"``, ``"none"``, ``"error"``) says. The rest is as in :func:`backward`.
    """
    if unused not in ("zeros", "none", "error"):
        raise ArgumentError(f"unused={unused!r} is unknown; use 'zeros', 'none' or 'error'")
    many = _as_heads(heads)
    from unigrad.tensor import Tensor

    targets = [variables] if isinstance(variables, Tensor) else list(variables)
    for position, target in enumerate(targets):
        if not isinstance(target, Tensor) or target._node is None:
            raise NotRecordedError(
                f"variable {position} is neither attached nor recorded; call x.attach_grad() before recording"
            )
    seeds = _seeds(many, _as_grads(heads, many, head_grads))
    nodes = below([node for node, _ in seeds])
    reached = set(nodes)
    wanted = {
        target._node: target._node.raw if isinstance(target._node, Leaf) else target._raw
        for target in targets
        if target._node in reached
    }
    if unused == "error":
        for position, target in enumerate(targets):
            if target._node not in reached:
                raise ArgumentError(
                    f"the heads do not depend on variable {position} of shape {target.shape}; "
                    f"pass unused='zeros' or 'none' if that is meant"
                )
    found = _pull(many, seeds, nodes, wanted, retain_graph, create_graph)
    if not (retain_graph or create_graph):
        for node in nodes:
            node.release()
    result: list[Tensor | None] = []
    for target in targets:
        grad = None if target._node is None else found.get(target._node)
        if grad is None and unused == "zeros":
            grad = _recorded(target.zeros_like()) if create_graph else target.zeros_like()
        result.append(grad)
    return result[0] if isinstance(variables, Tensor) else result


def _pull(
    heads: Sequence[Tensor],
    seeds: Sequence[tuple[Node, Tensor]],
    nodes: Sequence[Node],
    wanted: dict[Node, Any],
    retain_graph: bool,
    create_graph: bool,
) -> dict[Node, Tensor]:
    backend = heads[0].backend
    found = _pull_by_framework(backend, heads, seeds, nodes, wanted, retain_graph, create_graph)
    if found is None:
        found = pull_by_rules(backend, seeds, nodes, set(wanted), create_graph)
    return {node: _recorded(grad) for node, grad in found.items()} if create_graph else found


def _recorded(grad: Tensor) -> Tensor:
    return grad if grad._node is not None else type(grad)(grad._raw, ConstantNode())


def _as_heads(heads: Any) -> list[Tensor]:
    from unigrad.tensor import Tensor

    many = [heads] if isinstance(heads, Tensor) else list(heads)
    if not many:
        raise ArgumentError("backward needs at least one head")
    for head in many:
        if not isinstance(head, Tensor):
            raise NotRecordedError(f"a head must be a Tensor computed inside record(), not {type(head).__name__}")
        if head._node is None:
            raise NotRecordedError(
                f"this head (shape {head.shape}, dtype {head.dtype}) was not recorded: compute it inside "
                f"'with ug.record():' from an array on which x.attach_grad() was called"
            )
        if head.backend is not many[0].backend:
            raise BackendMismatchError(
                f"the heads of one backward are on backends {many[0].backend.name!r} and {head.backend.name!r}; "
                f"run one backward for each"
            )
    return many


def _as_grads(heads: Any, many: Sequence[Tensor], head_grads: Any) -> list[Any]:
    from unigrad.tensor import Tensor

    if head_grads is None:
        return [None] * len(many)
    if isinstance(heads, Tensor):
        return [head_grads]
    if isinstance(head_grads, Tensor) or not isinstance(head_grads, Sequence):
        raise ArgumentError(f"{len(many)} heads need a sequence of as many head_grads, not one array")
    if len(head_grads) != len(many):
        raise ArgumentError(f"{len(many)} heads need as many head_grads, not {len(head_grads)}")
    return list(head_grads)


def _seeds(heads: Sequence[Tensor], head_grads: Sequence[Any]) -> list[tuple[Node, Tensor]]:
    seeds = []
    for head, given in zip(heads, head_grads, strict=True):
        assert head._node is not None
        seeds.append((head._node, head.ones_like() if given is None else checked_cotangent(head, given)))
    return seeds


def checked_cotangent(head: Tensor, given: Any, what: str = "the head gradient", of: str = "head") -> Tensor:
    """A cotangent (or tangent) for ``head`` as a Tensor; it must have exactly its shape and dtype."""
    from unigrad.operations.dispatch import tensor

    if isinstance(given, (bool, int, float, complex)) or (
        isinstance(given, (list, tuple)) and all(isinstance(item, (int, float, complex, list, tuple)) for item in given)
    ):
        grad = head.asarray_like(given)
    else:
        grad = tensor(given, head.backend)
    if grad.shape != head.shape:
        raise ShapeError(f"{what} has shape {grad.shape}, but the {of} has shape {head.shape}; they must be equal")
    if grad.dtype != head.dtype:
        raise DtypeError(
            f"{what} has dtype {grad.dtype}, but the {of} has {head.dtype}; "
            f"convert it with .astype({str(head.dtype)!r})"
        )
    return grad


def _unshared(
    written: list[tuple[GradientBuffer, Tensor]], seeds: Sequence[Tensor]
) -> list[tuple[GradientBuffer, Tensor]]:
    """The gradients, with those copied that alias another one, a head gradient or part of something larger."""
    held = {id(seed._raw) for seed in seeds}
    result = []
    for buffer, grad in written:
        raw = grad._raw
        if grad._node is None and (id(raw) in held or grad.backend.is_view(raw)):
            grad = grad.copy()
        held.add(id(raw))
        result.append((buffer, grad))
    return result


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
    backend = x.backend
    raw = backend.detached(x._raw) if x._node is not None else x._raw
    if grad_req == "null":
        x._raw, x._node, x._buffer = raw, None, GradientBuffer(None, grad_req)
        return
    buffer = GradientBuffer(x.zeros_like(), grad_req)
    become_leaf(x, backend.leaf(raw), buffer)


def become_leaf(x: Tensor, tracked: Raw, buffer: GradientBuffer) -> None:
    """Make ``x`` hold an array that its framework tracks, as a leaf whose gradient goes to ``buffer``."""
    x._raw = tracked
    x._node = Leaf(None if x.backend.delegates == "nothing" else tracked, buffer)
    x._buffer = buffer


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
    if node not in retained and not isinstance(node, Leaf):
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
