"""Backward: the one algorithm that walks the graph, whatever framework is below.

``backward`` and ``gradients`` find what the heads depend on, check that none of it was released, have the
cotangents pulled back (by the framework's engine or by rules), and only then write buffers and
release the graph: all or nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

from unigrad.adapters.registry import any_attached
from unigrad.base.arguments import listed
from unigrad.base.elsewhere import misnamed
from unigrad.base.errors import ArgumentError, DtypeError, NotRecordedError, ShapeError, UnsupportedError
from unigrad.base.words import Raw
from unigrad.engine.across import crosses, pull_across
from unigrad.engine.moving import Crossing
from unigrad.engine.within import Pass, Pulled, pull_by_framework, pull_by_rules, pull_on_one
from unigrad.tape import BareManyNode, BareNode, ConstantNode, Leaf, Node, below, release, starts_of
from unigrad.tensor.coercion import tensor
from unigrad.tensor.levels import check_places, is_wrapped
from unigrad.tensor.tensor import GradientBuffer, Tensor, retained, tensor_method

_node = operator.attrgetter("_node")


# --- into buffers ----------------------------------------------------------------------------------------------


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
    if not (plain and _at_once(heads, retain_graph)):  # type: ignore[arg-type]
        many = _as_heads(heads)
        _in_full(Pass(many, _seeds(heads, many, head_grads), retain_graph, create_graph))


@tensor_method("backward")
def _backward(
    self: Tensor, head_grad: Any = None, retain_graph: bool = False, create_graph: bool = False, **elsewhere: Any
) -> None:
    """Write the gradients of this array (of its sum) into everything attached that it depends on.

    ``head_grad``, of exactly this shape and dtype, makes it the vector-Jacobian product. See
    :func:`unigrad.backward`.
    """
    if elsewhere:
        raise misnamed("backward", elsewhere, (), ("head_grad", "retain_graph", "create_graph"))
    if head_grad is not None or create_graph or not _at_once(self, retain_graph):
        many = _as_heads(self)
        _in_full(Pass(many, _seeds(self, many, head_grad), retain_graph, create_graph))


def _in_full(this: Pass) -> None:
    """:func:`backward`, whatever there is to it."""
    nodes, starts = below(map(_node, this.heads))
    buffers = _buffers(nodes, starts)
    found = _pull(this, nodes, starts, {node: tracked for node, (_, tracked) in buffers.items()})
    totals: dict[GradientBuffer, Tensor] = {}
    held = {id(g._raw) for g in this.cotangents}
    for node, grad in found.items():
        buffer, _ = buffers[node]
        grad = _of_its_own(grad, held)
        # A leaf that was written to between recordings is several nodes with one buffer.
        totals[buffer] = totals[buffer] + grad if buffer in totals else grad
    totals = {buffer: buffer.sum(grad) if buffer.request == "add" else grad for buffer, grad in totals.items()}
    # All that may fail comes before the first buffer changes.
    for buffer, grad in totals.items():
        buffer.grad = grad
    if not this.keeps_graph:
        release(nodes)


def _buffers(nodes: Sequence[Node], starts: Sequence[Node]) -> dict[Node, tuple[GradientBuffer, Raw]]:
    """Of attached leaves and retained intermediates: where the gradient goes, and the array that the framework knows
    them by."""
    found: dict[Node, tuple[GradientBuffer, Raw]] = {}
    for node in starts:
        if type(node) is Leaf:
            owner = node.buffer()
            if owner is not None:
                found[node] = owner, node.raw
    if retained:
        for node in nodes:
            kept = retained.get(node)
            if kept is not None:
                found[node] = kept, kept.raw
    return found


def _of_its_own(grad: Tensor, held: set[int]) -> Tensor:
    """A gradient whose array is no other buffer's as well, nor a head gradient, nor part of something larger."""
    if grad._node is not None:
        return grad
    is_view = grad.backend.engine.is_view
    if id(grad._raw) in held or (is_view is not None and is_view(grad._raw)):
        grad = grad.copy()
    held.add(id(grad._raw))
    return grad


def _at_once(head: Tensor, retain_graph: bool) -> bool:
    """:func:`backward` from one head to nothing but leaves, where the framework does that at once; else False.

    What is left out costs a training step of a small network on PyTorch a tenth of its time: the framework's code
    leaves none of the interpreter's in the processor's caches, so that each function more takes microseconds.
    """
    pull_leaves, top = head.backend.engine.pull_leaves, head._node
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
    found = pull_leaves(head._raw, tuple(leaves.values()), retain_graph) if leaves else None
    if found is None:
        return False
    tensor_type, neutral = head._plain, head._neutral
    for buffer, raw in zip(leaves, found, strict=True):
        if raw is not None:
            buffer.grad = grad = tensor_type()
            grad._raw = raw
            grad._node = None
            grad._dtype = neutral[raw.dtype]
    if not retain_graph:
        release(nodes)
    return True


# --- returned --------------------------------------------------------------------------------------------------


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
    targets = [variables] if isinstance(variables, Tensor) else listed(variables, "variables")
    for position, target in enumerate(targets):
        if not isinstance(target, Tensor) or target._node is None:
            raise NotRecordedError(
                f"variable {position} is neither attached nor recorded; call x.attach_grad() before recording"
            )
    this = Pass(many, _seeds(heads, many, head_grads), retain_graph, create_graph)
    found = pulled_to(this, targets, unused)
    result = []
    for target, grad in zip(targets, found, strict=True):
        if grad is None and unused == "zeros":
            grad = _recorded(target.zeros_like()) if create_graph else target.zeros_like()
        result.append(grad)
    return result[0] if isinstance(variables, Tensor) else result


def pulled_to(this: Pass, targets: Sequence[Tensor], unused: str = "none") -> list[Tensor | None]:
    """The cotangents that arrive at recorded ``targets``, None where a head does not depend on one.

    ArgumentError if that is so and ``unused`` is "error".
    """
    nodes, starts = below(map(_node, this.heads))
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
    found = _pull(this, nodes, starts, inputs)
    if not this.keeps_graph:
        release(nodes)
    return [None if target._node is None else found.get(target._node) for target in targets]


def pulled_through(this: Pass, inner: Sequence[Node], ends: Sequence[Node]) -> list[Tensor | None]:
    """The cotangents that arrive at ``ends``, the inner nodes' parents: nothing is pulled back further.

    For backends whose graph unigrad walks.
    """
    inputs = {node: node.raw if isinstance(node, Leaf) else None for node in ends}
    found = None
    if not any(g._is_wrapped for g in this.cotangents):
        found = pull_by_framework(this, inner, starts_of(inner), inputs)
    if found is None:
        found = pull_by_rules(this, inner, set(inputs))
    return [found.get(node) for node in ends]


def _pull(this: Pass, nodes: Sequence[Node], starts: Sequence[Node], inputs: dict[Node, Raw]) -> Pulled:
    if crosses(this, nodes):
        found = pull_across(this, nodes, inputs)
    else:
        found = pull_on_one(this, nodes, starts, inputs)
    return {node: _recorded(grad) for node, grad in found.items()} if this.create_graph else found


def _recorded(grad: Tensor) -> Tensor:
    return grad if grad._node is not None else type(grad).of(grad._raw, ConstantNode())


# --- what is given ---------------------------------------------------------------------------------------------


def _as_heads(heads: Any) -> list[Tensor]:
    many = [heads] if isinstance(heads, Tensor) else listed(heads, "heads")
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
                f"'with ug.record():' from an array on which x.attach_grad() was called{_replaced()}"
            )
    return many


def _replaced() -> str:
    if not any_attached():
        return ""
    return (
        ". If that was done, the variable was replaced since: w = w - lr * w.grad makes a new array, without a "
        "gradient; change the one that is attached, by w -= lr * w.grad outside record() or w[...] = values"
    )


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
    """A cotangent (or tangent) for ``head`` as a Tensor; it must have exactly its shape and dtype, and lie
    where it can meet it.

    ``what`` names it, and is called only to tell of a mistake.
    """
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
    check_places(head, grad)
    return laid_like(head, grad)


def laid_like(x: Tensor, g: Tensor) -> Tensor:
    """A cotangent that lies where it can meet ``x``, exactly where that does."""
    return g if is_wrapped(x) or is_wrapped(g) or g.device == x.device else g.to_device(x.device)
