"""PyTorch's own engine: what it tracks, and the backward pass as one call of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.autograd.graph import _engine_run_backward as run_backward

from unigrad.extend import (
    ALL_ORDERS,
    Backend,
    Engine,
    Leaf,
    Node,
    OperationError,
    Parents,
    Pull,
    PulledNode,
    Raw,
    StepPull,
    meet_rules,
)
from unigrad_torch import steps
from unigrad_torch.scalars import plainly
from unigrad_torch.spread import any_spread, placed

MANY = 8
"""How many nodes of a graph to each of its leaves make it a long one (:meth:`TorchEngine._accumulated`)."""

# PyTorch's own: whether one of its functional transforms is at work.
transforming = torch._C._are_functorch_transforms_active


def _recording() -> AbstractContextManager[None]:
    """What makes PyTorch record where the user told it not to; unigrad's own scope decides."""
    return torch.inference_mode(False) if torch.is_inference_mode_enabled() else torch.enable_grad()


def _with_plain_numbers(run: Callable[[], Any]) -> Any:
    before, plainly.on = plainly.on, True
    try:
        return run()
    finally:
        plainly.on = before


class TorchEngine(Engine):
    """Operations on tracked arrays are recorded by PyTorch as they run."""

    orders = ALL_ORDERS
    inline_nodes = "bare"
    by_rules = transforming
    scope = (torch.is_grad_enabled, torch.is_inference_mode_enabled, _recording)

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._met_rules = False
        # Whether a graph may lead on into one of the user's own, whose leaves are not ours to write to.
        self._strange = False
        self._accumulating = threading.Lock()
        with torch.inference_mode(False):
            self._ones = {dtype: torch.ones((), dtype=dtype, device="cpu") for dtype in (torch.float32, torch.float64)}

    def look_at(self, raw: Raw) -> None:
        """Note what an array of the user's brings with it."""
        self._strange = self._strange or raw.requires_grad
        if not self._met_rules and transforming():
            self._meet_rules()

    def _meet_rules(self) -> None:
        self._met_rules = True
        meet_rules(self._backend)

    # --- what is tracked ------------------------------------------------------------------------------------------

    def leaf(self, raw: Raw) -> Raw:
        if transforming():
            self._meet_rules()
            return raw
        if raw.is_inference():
            # PyTorch does not differentiate what was made in inference mode; a copy made outside is fine.
            with torch.inference_mode(False):
                return raw.clone().requires_grad_()
        return raw.detach().requires_grad_()

    def fresh_leaf(self, raw: Raw) -> Raw:
        return self.leaf(raw) if raw.is_inference() or transforming() else raw.requires_grad_()

    def detached(self, raw: Raw) -> Raw:
        return raw if transforming() else raw.detach()

    within_step = detached

    def constant(self, raw: Raw) -> Raw:
        return raw.detach() if raw.requires_grad or transforming() else raw

    def untracked(self, function: Callable[..., Raw]) -> Callable[..., Raw]:
        # Not torch.no_grad(), which takes as long as a small operation.
        enabled, enable = torch.is_grad_enabled, torch._C._set_grad_enabled

        def run(*args: Any) -> Raw:
            # By rules nothing has unigrad's leaves, and torch.func may differentiate it.
            if (self._met_rules and transforming()) or not enabled():
                return function(*args)
            enable(False)
            try:
                return function(*args)
            finally:
                enable(True)

        return run

    # --- steps ----------------------------------------------------------------------------------------------------

    def joined(
        self, operation: str, parents: Parents, inputs: Sequence[Raw], results: Sequence[Raw], pull_back: StepPull
    ) -> tuple[Sequence[Raw], Node] | None:
        return None if transforming() else steps.joined(operation, parents, inputs, results, pull_back)

    def checkpointed(self, run: Callable[[], Any]) -> Any:
        from torch.utils.checkpoint import checkpoint

        # To stop early it raises an error out of some operation, which unigrad would explain.
        return checkpoint(_with_plain_numbers, run, use_reentrant=False, early_stop=False)

    # --- backward -------------------------------------------------------------------------------------------------

    def pull_leaves(
        self, head: Raw, leaves: tuple[Raw, ...], nodes: int, retain_graph: bool
    ) -> Sequence[Raw | None] | None:
        if transforming() or type(head) is not torch.Tensor:
            return None
        seed = self._ones.get(head.dtype) if head.ndim == 0 and head.is_cpu else None
        if seed is None or seed._version:  # which somebody's hook has written to
            seed = self._backend.filled_like(head, 1)
        if nodes > MANY * len(leaves) and self._may_accumulate():
            return self._accumulated((head,), (seed,), leaves, retain_graph)
        pulled = run_backward((head,), (seed,), retain_graph, False, leaves, True, False)
        return _apart(pulled, (seed,), torch.Tensor.data_ptr)

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        if transforming():
            return None
        if pull.rows is not None:
            return self._made(pull, self._by_rows(pull))
        if pull.create_graph:
            retain_graph = pull.retain_graph or any(map(steps.may_fail, pull.starts))
            pulled = _gradients(pull, pull.cotangents, retain_graph=retain_graph)
            return self._made(pull, placed(pulled, tuple(pull.inputs.values())))
        leaves = 0
        retain_graph = pull.retain_graph
        # A gradient may itself be a leaf to PyTorch, and one that nobody has asked for.
        alone = True
        for node in pull.starts:
            kind = type(node)
            if kind is Leaf:
                leaves += 1
                alone = alone and node in pull.inputs
            elif kind is PulledNode:
                alone = False
            elif kind is steps.StepNode:
                retain_graph = retain_graph or node.may_fail
        heads, cotangents, inputs = tuple(pull.raws), tuple(pull.cotangents), tuple(pull.inputs.values())
        many = len(pull.nodes) > MANY * leaves == MANY * len(inputs)
        if many and alone and self._may_accumulate() and not any_spread(inputs):
            return self._accumulated(heads, cotangents, inputs, retain_graph)
        pulled = run_backward(heads, cotangents, retain_graph, False, inputs, True, False)
        if any_spread(inputs):
            pulled = placed(pulled, inputs)
        return _apart(pulled, cotangents, _memory())

    def _by_rows(self, pull: Pull) -> Sequence[Raw | None]:
        # PyTorch has no batches of what DTensors and some of our own derivatives do: row by row then.
        with contextlib.suppress(RuntimeError, OperationError):
            if not any_spread(pull.raws):
                return _gradients(pull, pull.cotangents, retain_graph=True, is_grads_batched=True)
        rows = [_gradients(pull, row, retain_graph=True) for row in zip(*pull.cotangents, strict=True)]
        columns = zip(*rows, strict=True)
        return [None if column[0] is None else torch.stack(column) for column in columns]

    def _made(self, pull: Pull, pulled: Sequence[Raw | None]) -> Sequence[Raw | None]:
        if not pull.create_graph:
            return _apart(pulled, pull.cotangents, _memory())
        # PyTorch does not track a constant gradient; as a leaf it can be a head or a variable nevertheless.
        return [raw if raw is None or raw.requires_grad else self.leaf(raw) for raw in pulled]

    def _may_accumulate(self) -> bool:
        """Whether no leaf of the user's own can be in a graph, and no pass is under way that :meth:`_accumulated` would
        wait for."""
        return not self._strange and not steps.under_way.get()

    def _accumulated(
        self, heads: tuple[Raw, ...], cotangents: tuple[Raw, ...], leaves: tuple[Raw, ...], retain_graph: bool
    ) -> Sequence[Raw | None]:
        """Gradients for all leaves of a graph, by way of their raw ``.grad``, which is put back afterwards.

        Without a list of inputs PyTorch's engine need not plan which nodes to visit: a sixth less time on a long chain
        of small operations. But each leaf takes as long here as the planning for ``MANY`` nodes.
        """
        found = []
        # Another thread's pass over a shared leaf would add to the same .grad.
        with self._accumulating:
            before = [raw.grad for raw in leaves]
            for raw, grad in zip(leaves, before, strict=True):
                if grad is not None:
                    raw.grad = None
            try:
                run_backward(heads, cotangents, retain_graph, False, (), True, True)
            finally:
                for raw, grad in zip(leaves, before, strict=True):
                    found.append(raw.grad)
                    raw.grad = grad
        return _apart(map(_cut_out, found), cotangents, _memory())


def _gradients(pull: Pull, cotangents: Sequence[Raw], **options: Any) -> Sequence[Raw | None]:
    found: Sequence[Raw | None] = torch.autograd.grad(
        list(pull.raws),
        list(pull.inputs.values()),
        cotangents,
        create_graph=pull.create_graph,
        allow_unused=True,
        **options,
    )
    return found


def _memory() -> Callable[[Raw], int]:
    """What tells where an array lies."""
    # While PyTorch works on fake arrays, which lie nowhere, the objects that stand for memory do.
    return _storage if torch._C._len_torch_dispatch_stack() else torch.Tensor.data_ptr


def _apart(pulled: Iterable[Raw | None], cotangents: Sequence[Raw], memory: Callable[[Raw], int]) -> list[Raw | None]:
    """Gradients that share no ``memory`` with each other or the cotangents, and are no part of something larger.

    PyTorch's may be a cotangent, reshaped or stretched, or a part of one.
    """
    held = set(map(memory, cotangents))
    found = []
    for raw in pulled:
        if raw is not None:
            start = memory(raw)
            if start in held or (raw._is_view() and raw._base.numel() != raw.numel()):
                raw = raw.clone()
            held.add(start)
        found.append(raw)
    return found


def _storage(raw: Raw) -> int:
    found: int = raw.untyped_storage()._cdata
    return found


def _cut_out(raw: Raw | None) -> Raw | None:
    """Memory of its own for a part of something larger that PyTorch does not know as a view any more."""
    return raw if raw is None or raw.untyped_storage().nbytes() == raw.nbytes else raw.clone()
