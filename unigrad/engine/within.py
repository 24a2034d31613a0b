"""How cotangents come back through the graph of one backend: by its framework's engine, or by the rules."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from unigrad.adapters.contract import ALL_ORDERS, Engine, Pull
from unigrad.adapters.registry import bound
from unigrad.base.recording import Switch
from unigrad.base.words import Raw
from unigrad.interpreters.batches import batched, unbatched
from unigrad.tape import ConstantNode, Cotangents, Node, Owned, PulledNode, accumulate, pull_through
from unigrad.tensor.joints import StepNode
from unigrad.tensor.levels import next_level
from unigrad.tensor.tensor import Tensor, conjugated

Pulled = dict[Node, Tensor]
"""What has arrived at nodes."""


class Pass(NamedTuple):
    """One pass backwards: which cotangents are pulled back from which heads, and how."""

    heads: Sequence[Tensor]
    cotangents: Sequence[Tensor]
    """One for each head, of its shape and dtype."""
    retain_graph: bool = False
    """Whether the graph must be there for another pass, as it must for ``create_graph`` in any case."""
    create_graph: bool = False
    """Whether the pass is recorded itself, so that what it brings can be differentiated."""
    rows: int | None = None
    """How many cotangents of each head come along a first axis of their own, as what they bring then has it: several
    passes in one. None for one without that axis."""

    @property
    def keeps_graph(self) -> bool:
        """Whether the graph must be there afterwards."""
        return self.retain_graph or self.create_graph

    def seeds(self) -> list[tuple[Node, Tensor]]:
        """The nodes of the heads and their cotangents."""
        return [(node_of(head), g) for head, g in zip(self.heads, self.cotangents, strict=True)]


def node_of(head: Tensor) -> Node:
    """The node of a recorded Tensor."""
    assert head._node is not None
    return head._node


def pull_on_one(this: Pass, nodes: Sequence[Node], starts: Sequence[Node], inputs: Mapping[Node, Raw]) -> Pulled:
    """What arrives at the ``inputs``, through ``nodes`` of one backend (see :class:`~unigrad.adapters.contract.Pull`);
    ``starts`` are those without a ``p1``, as all leaves, gradients and steps are."""
    found = pull_by_framework(this, nodes, starts, inputs)
    return pull_by_rules(this, nodes, set(inputs)) if found is None else found


# --- by the framework's engine -----------------------------------------------------------------------------------


def pull_by_framework(
    this: Pass, nodes: Sequence[Node], starts: Sequence[Node], inputs: Mapping[Node, Raw]
) -> Pulled | None:
    """:func:`pull_on_one` by the framework's own engine, or None where it cannot do it."""
    tensor_type = this.heads[0]._plain
    engine = tensor_type.backend.engine
    if engine.orders < (ALL_ORDERS if this.create_graph else 1):
        return None
    seeds = this.seeds()
    if any(type(node) is ConstantNode for node, _ in seeds):
        # A constant gradient, of which the framework knows nothing, and below which is nothing.
        kept = [place for place, (node, _) in enumerate(seeds) if type(node) is not ConstantNode]
        this = this._replace(
            heads=[this.heads[place] for place in kept], cotangents=[this.cotangents[place] for place in kept]
        )
        nodes = [node for node in nodes if type(node) is not ConstantNode]
        starts = [node for node in starts if type(node) is not ConstantNode]
        seeds = this.seeds()
    if not inputs or not seeds:
        return {}
    may_fail = any(type(node) is StepNode and node.may_fail for node in starts)
    pulled = engine.pullback(
        Pull(
            [node for node, _ in seeds],
            [head._raw for head in this.heads],
            [g._raw for g in this.cotangents],
            nodes,
            inputs,
            this.keeps_graph or may_fail,
            this.create_graph,
            this.rows,
        )
    )
    if pulled is None:
        return None
    found = {node: tensor_type.of(raw, None) for node, raw in zip(inputs, pulled, strict=True) if raw is not None}
    if this.create_graph:
        for grad in found.values():
            grad._node = PulledNode([node for node, _ in seeds] + [g._node for g in this.cotangents])
    return found


# --- by the rules ------------------------------------------------------------------------------------------------


def pull_by_rules(this: Pass, nodes: Sequence[Node], wanted: set[Node]) -> Pulled:
    """:func:`pull_on_one` by the neutral rules.

    ``nodes`` are all below the heads, or those to pull through: what is wanted and not among them is an end.
    """
    if this.rows is None:
        return _pulled(this, this.seeds(), nodes, wanted)
    level = next_level()
    found = _pulled(this, [(node, batched(g, level)) for node, g in this.seeds()], nodes, wanted)
    return {node: unbatched(grad, level, this.rows) for node, grad in found.items()}


def _pulled(this: Pass, seeds: Sequence[tuple[Node, Tensor]], nodes: Sequence[Node], wanted: set[Node]) -> Pulled:
    tensor_type = this.heads[0]._plain
    backend = tensor_type.backend
    # What enters and leaves is in the conjugate form, as users see it, and the rules have the transpose's.
    conjugate = (lambda g: g) if backend.engine.conjugate_pulls else conjugated
    # By creation, newest first: each node has all its contributions when its turn comes.
    nodes = sorted(nodes, key=operator.attrgetter("number"), reverse=True)
    # Rules over an adapter's arrays go through its Tensors, with recording off.
    with Switch(this.create_graph, None):
        seeds = [(node, conjugate(g)) for node, g in seeds]
        raw_functions = bound[backend].raw_functions
        if this.create_graph or raw_functions is None or any(g._is_wrapped for _, g in seeds):
            found = _pull_lifted(tensor_type, seeds, nodes, wanted)
        else:
            with backend.engine.raw_pass():
                raws = _pull_raw(backend.engine, raw_functions, [(node, g._raw) for node, g in seeds], nodes, wanted)
            found = {node: tensor_type.of(raw, None) for node, raw in raws.items()}
        return {node: conjugate(g) for node, g in found.items()}


def _pull_raw(
    engine: Engine, xp: Any, seeds: Sequence[tuple[Node, Raw]], nodes: Sequence[Node], wanted: set[Node]
) -> dict[Node, Raw]:
    cotangents: Cotangents = {}
    owned: Owned = {}
    for node, g in seeds:
        accumulate(cotangents, owned, node, g)
    arrived = (engine.pull_through or pull_through)(xp, nodes, cotangents, owned, wanted)
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
