"""Backward: the one algorithm that walks the graph, whatever framework is below.

``backward`` and ``gradients`` find what the heads depend on, check that none of it was released, have the
cotangents pulled back (by the framework's engine or by rules), and only then write buffers and
release the graph: all or nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from unigrad.backend import Pull
from unigrad.batching import batched, unbatched
from unigrad.errors import (
    ArgumentError,
    DtypeError,
    NotRecordedError,
    ShapeError,
    UnsupportedError,
)
from unigrad.graph import (
    BareManyNode,
    BareNode,
    ConstantNode,
    Cotangents,
    Crossing,
    GradientBuffer,
    Leaf,
    Node,
    PulledNode,
    accumulate,
    below,
    conjugated,
    release,
    retained,
)
from unigrad.levels import next_level
from unigrad.recording import Switch, is_training
from unigrad.tensor import Tensor

if TYPE_CHECKING:
    from unigrad.backend import Backend, Raw

_node = operator.attrgetter("_node")
_number = operator.attrgetter("number")
_raw = operator.attrgetter("_raw")


# --- pulling back by rules -----------------------------------------------------------------------------


def pull_by_rules(
    backend: Backend, seeds: Sequence[tuple[Node, Any]], nodes: Sequence[Node], wanted: set[Node], create_graph: bool
) -> dict[Node, Tensor]:
    """The cotangents that arrive at ``wanted``, by the neutral rules.

    ``nodes`` are all below the seeds, or those to pull through: what is wanted and not among them is an end.
    """
    tensor_type = backend.tensor_type
    # By creation, newest first: each node has all its contributions when its turn comes.
    nodes = sorted(nodes, key=_number, reverse=True)
    if create_graph:
        with Switch(True, is_training()):
            return _conjugated(backend, _pull_lifted(tensor_type, _transposed(backend, seeds), nodes, wanted))
    raw_functions = backend.raw_functions
    # Rules over an adapter's arrays go through its Tensors, with recording off.
    with Switch(False, is_training()):
        seeds = _transposed(backend, seeds)
        if raw_functions is None or any(g._is_wrapped for _, g in seeds):
            return _conjugated(backend, _pull_lifted(tensor_type, seeds, nodes, wanted))
        with backend.raw_pass():
            pulled = _pull_raw(raw_functions, [(node, g._raw) for node, g in seeds], nodes, wanted)
        return _conjugated(backend, {node: tensor_type.of(raw, None) for node, raw in pulled.items()})


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
    return _with_rest(arrived, cotangents, wanted)


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
    return _with_rest(arrived, cotangents, wanted)


def _with_rest(arrived: dict[Node, Any], cotangents: dict[Node, Any], wanted: set[Node]) -> dict[Node, Any]:
    """With what has arrived at wanted nodes just below those that were pulled through."""
    return arrived if len(arrived) == len(wanted) else arrived | {n: g for n, g in cotangents.items() if n in wanted}


def _pull_by_framework(backend: Backend, pull: Pull) -> dict[Node, Tensor] | None:
    create_graph = pull.create_graph
    if backend.delegates == "nothing" or (create_graph and backend.delegates != "all orders"):
        return None
    for head in pull.heads:
        if type(head._node) is ConstantNode:
            pull = _without_constants(pull)
            break
    if not pull.inputs or not pull.heads:
        return {}
    pulled = backend.pullback(pull)
    if pulled is None:
        return None
    made = backend.tensor_type.of
    found = {target: made(raw, None) for target, raw in zip(pull.inputs, pulled, strict=True) if raw is not None}
    if create_graph:
        for grad in found.values():
            grad._node = PulledNode([_node_of(head) for head in pull.heads] + [g._node for g in pull.cotangents])
    return found


def _without_constants(pull: Pull) -> Pull:
    """The same without heads that are constant gradients: the framework knows nothing of those, nor is there
    anything below one."""
    known = [
        (head, g) for head, g in zip(pull.heads, pull.cotangents, strict=True) if type(head._node) is not ConstantNode
    ]
    return replace(
        pull,
        heads=[head for head, _ in known],
        cotangents=[g for _, g in known],
        nodes=[node for node in pull.nodes if type(node) is not ConstantNode],
        starts=[node for node in pull.starts if type(node) is not ConstantNode],
    )


# --- what users call -----------------------------------------------------------------------------------------


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

    The graph may lie on several backends (``x.to_backend``), and so may the heads.

    Raises NotRecordedError, GraphFreedError, ShapeError, DtypeError or BackendMismatchError (of a head and its
    gradient), and then has changed no gradient and released nothing.
    """
    plain = head_grads is None and not create_graph and isinstance(heads, Tensor)
    if not (plain and backward_plainly(heads, retain_graph)):  # type: ignore[arg-type]
        backward_fully(heads, head_grads, retain_graph, create_graph)


def backward_fully(heads: Tensor | Sequence[Tensor], head_grads: Any, retain_graph: bool, create_graph: bool) -> None:
    """:func:`backward`, whatever there is to it."""
    many = _as_heads(heads)
    seeds = _seeds(heads, many, head_grads)
    nodes, starts = below(map(_node, many))
    keep = retain_graph or create_graph
    inputs: dict[Node, Any] = {}
    buffers: dict[Node, GradientBuffer] = {}
    for node in starts:
        if type(node) is Leaf:
            owner = node.buffer()
            if owner is not None:
                buffers[node] = owner
                inputs[node] = node.raw
    if retained:
        for node in nodes:
            kept = retained.get(node)
            if kept is not None:
                buffers[node] = kept
                inputs[node] = kept.raw
    found = _pull(Pull(many, seeds, nodes, starts, inputs, keep, create_graph))
    totals: dict[GradientBuffer, Tensor] = {}
    held = set(map(id, map(_raw, seeds)))
    adding = False
    for node, grad in found.items():
        if grad._node is None:
            # No buffer holds an array that is another's as well, a head gradient or part of something larger.
            is_view = grad.backend.is_view
            if id(grad._raw) in held or (is_view is not None and is_view(grad._raw)):
                grad = grad.copy()
            held.add(id(grad._raw))
        buffer = buffers[node]
        # A leaf that was written to between recordings is several nodes with one buffer.
        totals[buffer] = totals[buffer] + grad if buffer in totals else grad
        adding = adding or buffer.request == "add"
    if adding:
        totals = {buffer: buffer.updated(grad) for buffer, grad in totals.items()}
    # All that may fail comes before the first buffer changes.
    for buffer, grad in totals.items():
        buffer.grad = grad
    if not keep:
        release(nodes)


def backward_plainly(head: Tensor, retain_graph: bool) -> bool:
    """:func:`backward` from one head to nothing but leaves, where the framework does that at once; else False.

    What is left out costs a training step of a small network on PyTorch a tenth of its time: the framework's code
    leaves none of the interpreter's in the processor's caches, so that each function more takes microseconds.
    """
    backend, top = head.backend, head._node
    pull_leaves = backend.pull_leaves
    if pull_leaves is None or top is None or head._is_wrapped or retained or Crossing.exist:
        return False
    nodes, starts = below((top,))
    leaves: dict[GradientBuffer, Raw] = {}
    for node in starts:
        kind = type(node)
        if kind is Leaf:
            buffer = node.buffer()  # type: ignore[attr-defined]
            if buffer is None or buffer.request != "write" or buffer in leaves:
                return False
            leaves[buffer] = node.raw  # type: ignore[attr-defined]
        elif kind is not BareNode and kind is not BareManyNode:
            return False
    found = pull_leaves(head._raw, tuple(leaves.values()), len(nodes), retain_graph) if leaves else None
    if found is None:
        return False
    tensor_type, neutral = backend.tensor_type, backend._neutral
    for buffer, raw in zip(leaves, found, strict=True):
        if raw is not None:
            buffer.grad = grad = tensor_type()
            grad._raw = raw
            grad._node = None
            grad._dtype = neutral[raw.dtype]
    if not retain_graph:
        release(nodes)
    return True


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
    targets = [variables] if isinstance(variables, Tensor) else list(variables)
    for position, target in enumerate(targets):
        if not isinstance(target, Tensor) or target._node is None:
            raise NotRecordedError(
                f"variable {position} is neither attached nor recorded; call x.attach_grad() before recording"
            )
    seeds = _seeds(heads, many, head_grads)
    found = pulled_to(many, seeds, targets, retain_graph, create_graph, unused)
    result = []
    for target, grad in zip(targets, found, strict=True):
        if grad is None and unused == "zeros":
            grad = _recorded(target.zeros_like()) if create_graph else target.zeros_like()
        result.append(grad)
    return result[0] if isinstance(variables, Tensor) else result


def pulled_to(
    heads: Sequence[Tensor],
    seeds: Sequence[Tensor],
    targets: Sequence[Tensor],
    retain_graph: bool,
    create_graph: bool,
    unused: str = "none",
    rows: int | None = None,
) -> list[Tensor | None]:
    """The cotangents that arrive at recorded ``targets``, None where a head does not depend on one.

    ``seeds`` are cotangents of the heads, already checked. With ``rows`` each has as many of them along
    a first axis of its own, and so has what arrives: several passes in one. ArgumentError if ``unused`` is "error".
    """
    nodes, starts = below(map(_node, heads))
    reached = set(nodes)
    inputs = {
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
    keep = retain_graph or create_graph
    found = _pull(Pull(heads, seeds, nodes, starts, inputs, keep, create_graph, rows))
    if not keep:
        release(nodes)
    return [None if target._node is None else found.get(target._node) for target in targets]


def _node_of(head: Tensor) -> Node:
    assert head._node is not None
    return head._node


def _pull(pull: Pull) -> dict[Node, Tensor]:
    found = _pull_across(pull) if Crossing.exist and _crosses(pull) else _pull_on_one(pull)
    return {node: _recorded(grad) for node, grad in found.items()} if pull.create_graph else found


def _crosses(pull: Pull) -> bool:
    return any(type(node) is Crossing for node in pull.nodes) or any(
        y.backend is not pull.heads[0].backend for y in pull.heads
    )


def _pull_on_one(pull: Pull) -> dict[Node, Tensor]:
    """Through the nodes of one backend, by its framework's engine or by rules."""
    backend = pull.heads[0].backend
    found = _pull_by_framework(backend, pull)
    if found is None:
        seeds = [(_node_of(head), g) for head, g in zip(pull.heads, pull.cotangents, strict=True)]
        wanted, rows = set(pull.inputs), pull.rows
        if rows is None:
            found = pull_by_rules(backend, seeds, pull.nodes, wanted, pull.create_graph)
        else:
            level = next_level()
            seeds = [(node, batched(g, level)) for node, g in seeds]
            found = pull_by_rules(backend, seeds, pull.nodes, wanted, pull.create_graph)
            found = {node: unbatched(grad, level, rows) for node, grad in found.items()}
    return found


def newer(heads: Sequence[Node], number: int) -> tuple[list[Node], list[Node]]:
    """What the heads depend on, as far as it was recorded after ``number``, and what that in turn depends on."""
    seen = dict.fromkeys(heads)
    queue = list(seen)
    inner, ends = [], []
    for node in queue:
        if node.number <= number:
            ends.append(node)
            continue
        inner.append(node)
        for parent in (node.p1, node.p2, *node.more):
            if parent is not None and parent not in seen:
                seen[parent] = None
                queue.append(parent)
    return inner, ends


def pulled_through(
    heads: Sequence[Tensor], seeds: Sequence[Tensor], inner: Sequence[Node], ends: Sequence[Node], create_graph: bool
) -> list[Tensor | None]:
    """The cotangents that arrive at ``ends``, the inner nodes' parents: nothing is pulled back further.

    For backends whose graph unigrad walks.
    """
    backend = heads[0].backend
    inputs = {node: node.raw if isinstance(node, Leaf) else None for node in ends}
    found = None
    if not any(seed._is_wrapped for seed in seeds):
        found = _pull_by_framework(backend, Pull(heads, seeds, inner, _starts(inner), inputs, True, create_graph))
    if found is None:
        given = [(_node_of(head), seed) for head, seed in zip(heads, seeds, strict=True)]
        found = pull_by_rules(backend, given, inner, set(inputs), create_graph)
    return [found.get(node) for node in ends]


# --- across backends ---------------------------------------------------------------------------------------


def _pull_across(whole: Pull) -> dict[Node, Tensor]:
    """Through a graph that lies on several backends.

    It is pulled in pieces, each on one backend: from *points*, which are the heads and the origins of crossings, as
    far as the crossings next below. Crossings that cannot send each other anything go together, when all has arrived
    that can. Where the backend's pull stops at points as well, these wait likewise, and no piece is pulled twice.
    """
    crossings = [node for node in whole.nodes if type(node) is Crossing]
    points = {_node_of(y): y for y in (*whole.heads, *[node.origin for node in crossings])}
    ends: dict[Node, Any] = {node: y._raw for node, y in points.items() if y.backend.stops_at_inputs}
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
            targets = {node: whole.inputs[node] for node in piece if node in whole.inputs}
            inputs = targets | {node: ends[node] for node in reached}
            ys, gs = [points[node] for node in start], [waiting.pop(node) for node in start]
            # Released is what lies below all heads, and only when all of it has succeeded.
            found = _pull_on_one(Pull(ys, gs, piece, _starts(piece), inputs, True, whole.create_graph, whole.rows))
            for node, g in found.items():
                arrive(arrived if node in targets else waiting, node, g)

    with Switch(whole.create_graph, is_training()):
        for y, g in zip(whole.heads, whole.cotangents, strict=True):
            arrive(waiting, _node_of(y), g)
        pull([node for node in waiting if node not in ends])
        for stage in _stages(whole.nodes, ends):
            starts: dict[Node, None] = {}
            for node in stage:
                if type(node) is Crossing and node in waiting:
                    g = waiting.pop(node)
                    if node in whole.inputs:
                        arrive(arrived, node, g)
                    origin = _node_of(node.origin)
                    arrive(waiting, origin, _sent_back(g, node.origin))
                    if origin not in ends:
                        starts[origin] = None
                elif node in waiting:
                    starts[node] = None
            pull(starts)
    return arrived


def _sent_back(g: Tensor, origin: Tensor) -> Tensor:
    from unigrad.interchange import carried

    return carried(g, origin.backend, origin.device)


def _stages(nodes: Sequence[Node], ends: dict[Node, Any]) -> list[list[Node]]:
    """The ends, by how many others a cotangent meets at most on its way to them. No recursion, and linear time."""
    consumers = dict.fromkeys(nodes, 0)
    for node in nodes:
        for parent in _parents(node):
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
        for parent in _parents(node):
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
        for parent in _parents(node):
            if parent not in seen:
                seen.add(parent)
                (reached if parent in ends else piece).append(parent)
    return piece, reached


def _starts(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.p1 is None]


def _parents(node: Node) -> list[Node]:
    return [parent for parent in (node.p1, node.p2, *node.more) if parent is not None]


def _recorded(grad: Tensor) -> Tensor:
    return grad if grad._node is not None else type(grad).of(grad._raw, ConstantNode())


def _as_heads(heads: Any) -> list[Tensor]:
    many = [heads] if isinstance(heads, Tensor) else list(heads)
    if not many:
        raise ArgumentError("backward needs at least one head")
    for head in many:
        if not isinstance(head, Tensor):
            raise NotRecordedError(f"a head must be a Tensor computed inside record(), not {type(head).__name__}")
        if head._is_wrapped:
            raise UnsupportedError(
                "inside jvp and vmap there is no backward; use ug.grad or ug.vjp there, or call backward outside"
            )
        if head._node is None:
            raise NotRecordedError(
                f"this head (shape {head.shape}, dtype {head.dtype}) was not recorded: compute it inside "
                f"'with ug.record():' from an array on which x.attach_grad() was called"
            )
    return many


def _seeds(heads: Any, many: Sequence[Tensor], head_grads: Any) -> list[Tensor]:
    if head_grads is None:
        return [head.ones_like() for head in many]
    if isinstance(heads, Tensor):
        return [checked_cotangent(heads, head_grads)]
    if isinstance(head_grads, Tensor) or not isinstance(head_grads, Sequence):
        raise ArgumentError(f"{len(many)} heads need a sequence of as many head_grads, not one array")
    if len(head_grads) != len(many):
        raise ArgumentError(f"{len(many)} heads need as many head_grads, not {len(head_grads)}")
    return [
        head.ones_like() if given is None else checked_cotangent(head, given)
        for head, given in zip(many, head_grads, strict=True)
    ]


def checked_cotangent(
    head: Tensor, given: Any, what: Callable[[], str] = lambda: "the head gradient", of: str = "head"
) -> Tensor:
    """A cotangent (or tangent) for ``head`` as a Tensor; it must have exactly its shape and dtype.

    ``what`` names it, and is called only to tell of a mistake.
    """
    from unigrad.operations.dispatch import tensor

    if isinstance(given, (bool, int, float, complex)) or (
        isinstance(given, (list, tuple)) and all(isinstance(item, (int, float, complex, list, tuple)) for item in given)
    ):
        grad = head.asarray_like(given)
    else:
        grad = tensor(given, head.backend)
    if grad.shape != head.shape:
        raise ShapeError(f"{what()} has shape {grad.shape}, but the {of} has shape {head.shape}; they must be equal")
    if grad.dtype != head.dtype:
        raise DtypeError(
            f"{what()} has dtype {grad.dtype}, but the {of} has {head.dtype}; "
            f"convert it with .astype({str(head.dtype)!r})"
        )
    return grad
