"""The derivative of one recorded operation by itself: pulled back, pushed forward, and written out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from unigrad.base.recording import Switch
from unigrad.base.words import Shape, Values
from unigrad.binding.nodes import rule_node
from unigrad.engine.passes import gradients
from unigrad.looking.watching import Seen
from unigrad.tape import Node
from unigrad.tensor.joints import Gathered, Maybe, Part
from unigrad.tensor.levels import is_at_hand
from unigrad.tensor.tensor import Tensor, conjugated

Pull = Callable[[Tensor], list[Maybe]]
"""From the cotangent of the result to that of each tracked operand, None for zero."""


def pull_of_call(seen: Seen, parents: Sequence[Node | None], out: Tensor) -> Pull:
    """By the neutral rules, of a call whose operands and result are known."""
    # Nodes of its own: what it pulls ends at them.
    ends = [None if parent is None else Node() for parent in parents]
    backend = out.backend
    node = rule_node(backend, seen.row, ends, seen.raws, seen.statics, out._raw)
    return _pull(node, [end for end in ends if end is not None], type(out), conjugate=True)


def pull_of_node(node: Node, parents: Sequence[Node], tensor_type: type[Tensor]) -> Pull | None:
    """By what the graph keeps for it; None where a framework's engine alone knows."""
    inner: Node = node.p1 if isinstance(node, Part) and node.p1 is not None else node
    if type(inner).lifted_pull is Node.lifted_pull:
        return None
    return _pull(node, parents, tensor_type, conjugate=not tensor_type.backend.engine.conjugate_pulls)


def _pull(node: Node, parents: Sequence[Node], tensor_type: type[Tensor], conjugate: bool) -> Pull:
    inner: Node = node.p1 if isinstance(node, Part) and node.p1 is not None else node
    # What the rules read is a constant here.
    constants: Any = SimpleNamespace(of=lambda raw, parent: tensor_type.of(raw, None), backend=tensor_type.backend)
    turned = conjugated if conjugate else (lambda g: g)

    def pull(g: Tensor) -> list[Maybe]:
        found: list[Maybe] = [None] * len(parents)
        filled: set[int] = set()

        def add(parent: Node | None, share: Maybe) -> None:
            # Of an operand that was given twice the shares come in the order of its places.
            place = next(n for n, each in enumerate(parents) if each is parent and n not in filled)
            filled.add(place)
            found[place] = None if share is None else turned(share)

        given: Any = turned(g)
        if isinstance(node, Part):
            given = Gathered({node.position: given})
        inner.lifted_pull(tensor_type._bound, given, add, constants)
        return found

    return pull


def pushed(pull: Pull, tangents: Sequence[Maybe], out: Tensor) -> list[Maybe]:
    """What the tangent of each tracked operand contributes to that of the result: the transpose of the pull, which is
    linear in the cotangent."""
    found: list[Maybe] = [None] * len(tangents)
    probe = out.detach().ones_like()._free_leaf()
    with Switch(True, None):
        shares = pull(probe)
    for place, (share, tangent) in enumerate(zip(shares, tangents, strict=True)):
        if share is not None and share._node is not None and tangent is not None:
            with Switch(False, None):
                part = gradients(share, probe, tangent, retain_graph=True, unused="none")
            found[place] = part
    return found


def derivatives(
    pull: Pull, elementwise: bool, out: Tensor, shapes: Sequence[Shape | None], small: int
) -> list[tuple[Values, bool] | None]:
    """For each tracked operand of this shape the local derivative, and whether it is one for each element; None where
    that takes more than ``small`` numbers or than a matrix, is complex, is not computed yet, or the shape is not
    known."""
    if out.dtype.kind not in "fV" or not is_at_hand(out):
        return [None] * len(shapes)
    if elementwise and all(shape in (out.shape, None) for shape in shapes):
        found = pull(out.detach().ones_like())
        zeros = np.zeros(out.shape)
        return [
            None if shape is None else (zeros if share is None else shown(share), True)
            for shape, share in zip(shapes, found, strict=True)
        ]
    fits = [
        shape is not None and (elementwise or (out.ndim + len(shape) <= 2 and out.size * math.prod(shape) <= small))
        for shape in shapes
    ]
    if not 0 < out.size <= small or not any(fits):
        return [None] * len(shapes)
    rows = []
    for place in range(out.size):
        basis = np.zeros(out.size, dtype=np.float32)
        basis[place] = 1
        rows.append(pull(out.detach().asarray_like(basis.reshape(out.shape))))
    result: list[tuple[Values, bool] | None] = []
    for n, (shape, fit) in enumerate(zip(shapes, fits, strict=True)):
        if shape is None or not fit:
            result.append(None)
            continue
        parts = [np.zeros(shape) if share is None else shown(share) for share in (row[n] for row in rows)]
        whole = np.stack(parts)
        if elementwise:
            # Each element of the result comes from one of the operand, so that the others add zeros.
            result.append((whole.reshape(out.size, -1).sum(axis=1).reshape(out.shape), True))
        else:
            result.append((whole.reshape(out.shape + shape), False))
    return result


def shown(x: Tensor) -> Values:
    """The values as NumPy has them; of no numbers where there are none to be had."""
    found = x._shown_values()
    return np.empty(0) if found is None else found
