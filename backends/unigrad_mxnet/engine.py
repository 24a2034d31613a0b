"""MXNet's autograd, at first order and for those operations whose derivative it has right."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mxnet
import numpy as np

from unigrad.extend import Backend, Engine, Leaf, Node, Parents, Primitive, Pull, Raw, rule_node
from unigrad_mxnet.functions import has_empty
from unigrad_mxnet.switches import within

_UNREACHED = re.compile("unreachable from the outputs|not in a computational graph")


@within
def gradients(heads: Sequence[Raw], variables: Sequence[Raw], gs: Sequence[Raw], retain_graph: bool = True) -> Any:
    """What MXNet pulls back to marked variables."""
    found = mxnet.autograd.grad(list(heads), list(variables), list(gs), retain_graph=retain_graph)
    return [grad.as_np_ndarray() for grad in found]


class MXNetEngine(Engine):
    """Each node also keeps what the neutral rules need: they serve all operations that MXNet is not asked for, and all
    higher orders, since most of MXNet's functions have no second derivative."""

    orders = 1
    stops_at_inputs = True  # what is no leaf is pulled to by the rules

    def __init__(self, backend: Backend, functions: Mapping[str, Callable[..., Raw]]) -> None:
        super().__init__(backend)
        self._delegated = frozenset(functions) - frozenset(backend.replaced)
        self._functions = {name: within(function, name in self._delegated) for name, function in functions.items()}
        # A marked variable must have a gradient; autograd.grad() neither reads nor writes it.
        self._unused = mxnet.nd.zeros((1,))

    def record(
        self, primitive: Primitive, parents: Parents, raws: Sequence[Raw], statics: Sequence[Any]
    ) -> tuple[Raw, Node]:
        # Where an array has no elements MXNet's engine returns what happened to be in memory, or crashes.
        empty = has_empty(raws)
        function = (None if empty else self._functions.get(primitive.name)) or self.backend.function(primitive.name)
        # MXNet makes each array that it records a part of the graph, which a backward takes apart: a constant that
        # several graphs share would go with the first.
        raws = tuple(
            raw.detach() if parent is None and isinstance(raw, mxnet.np.ndarray) else raw
            for raw, parent in zip(raws, parents, strict=True)
        )
        out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
        node = rule_node(self.backend, primitive, parents, raws, statics, out)
        if empty or 0 in out.shape:
            node.__class__ = _undelegated(type(node))
        return out, node

    @within
    def leaf(self, raw: Raw) -> Raw:
        variable = raw.detach()
        mxnet.autograd.mark_variables([variable], [self._unused])
        return variable

    def detached(self, raw: Raw) -> Raw:
        return raw.detach()

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        if pull.rows is not None or not all(map(self._delegable, pull.nodes)):
            return None
        # MXNet gives gradients for marked variables only, and takes each head once.
        if not all(isinstance(node, Leaf) for node in pull.inputs) or len(set(pull.heads)) < len(pull.heads):
            return None
        grads: list[Raw] = gradients(pull.raws, pull.inputs.values(), pull.cotangents, pull.retain_graph)
        # NaN may be MXNet's own: it adds infinities up to NaN, and has powers of zero wrong. The rules decide.
        return None if any(np.isnan(grad.asnumpy()).any() for grad in grads) else grads

    def _delegable(self, node: Node) -> bool:
        recorded = node.operation in self._delegated and not getattr(node, "undelegated", False)
        return recorded or isinstance(node, Leaf)


@functools.cache
def _undelegated(kind: type[Node]) -> type[Node]:
    """The same class of nodes, for those that MXNet has not recorded although it could have."""
    return type(kind.__name__, (kind,), {"__slots__": (), "undelegated": True})


def shares(heads: Sequence[Raw], gs: Sequence[Raw], variables: Sequence[Raw]) -> list[Raw | None]:
    """What MXNet pulls back, None where no head depends on a variable: there it raises an error."""
    try:
        return list(gradients(heads, variables, gs))
    except mxnet.base.MXNetError as error:
        if not _UNREACHED.search(str(error)):
            raise
    if len(heads) == len(variables) == 1:
        return [None]
    found = []
    for variable in variables:
        parts = [shares([head], [g], [variable])[0] for head, g in zip(heads, gs, strict=True)]
        reached = [part for part in parts if part is not None]
        found.append(sum(reached[1:], reached[0]) if reached else None)
    return found
