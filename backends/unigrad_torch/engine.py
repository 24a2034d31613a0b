"""PyTorch's own engine: what it tracks, and the backward pass as one call of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch.autograd.graph import _engine_run_backward as run_backward

from unigrad.extend import ALL_ORDERS, Backend, Engine, OperationError, Pull, Raw, meet_rules, with_plain_numbers
from unigrad_torch.autocast import steady, surrounded
from unigrad_torch.spread import any_spread, beside, beside_constants, placed, rows
from unigrad_torch.steps import joined

# PyTorch's own: whether one of its functional transforms is at work.
transforming = torch._C._are_functorch_transforms_active


def _recording() -> AbstractContextManager[None]:
    """What makes PyTorch record where the user told it not to; unigrad's own scope decides."""
    return torch.inference_mode(False) if torch.is_inference_mode_enabled() else torch.enable_grad()


class TorchEngine(Engine):
    """Operations on tracked arrays are recorded by PyTorch as they run."""

    orders = ALL_ORDERS
    inline_nodes = "bare"
    by_rules = transforming
    scope = (torch.is_grad_enabled, torch.is_inference_mode_enabled, _recording)
    joined = staticmethod(joined)

    def __init__(self, backend: Backend) -> None:
        super().__init__(backend)
        self._met_rules = False
        self.met_history = False
        """Whether an array ever came in that PyTorch itself tracks, so that what is computed of it may have a history
        beyond unigrad's."""
        self.met_spread = False
        """Whether there was ever a DTensor, whose gradients may have to be brought where it lies."""
        with torch.inference_mode(False):
            self._ones = {dtype: torch.ones((), dtype=dtype, device="cpu") for dtype in (torch.float32, torch.float64)}

    def meets_rules(self) -> bool:
        """Whether a functional transform of PyTorch's is at work. From the first one on all operations ask."""
        if not transforming():
            return False
        self._met_rules = True
        meet_rules(self.backend)
        return True

    # --- what is tracked ------------------------------------------------------------------------------------------

    def leaf(self, raw: Raw) -> Raw:
        if self.meets_rules():
            return raw
        if raw.is_inference():
            # PyTorch does not differentiate what was made in inference mode; a copy made outside is fine.
            with torch.inference_mode(False):
                return self.fresh_leaf(raw.clone())
        return self.fresh_leaf(raw.detach())

    def fresh_leaf(self, raw: Raw) -> Raw:
        if raw.is_inference() or transforming():
            return self.leaf(raw)
        found = raw.requires_grad_()
        found.unigrad_leaf = True
        return found

    def reaches_further(self, raw: Raw) -> bool:
        if not self.met_history or transforming() or not torch.is_grad_enabled():
            return False
        queue = [] if raw.grad_fn is None else [raw.grad_fn]
        seen = set(queue)
        for step in queue:  # which grows as it goes
            leaf = getattr(step, "variable", None)
            if leaf is not None and not hasattr(leaf, "unigrad_leaf"):
                return True
            new = [before for before, _ in step.next_functions if before is not None and before not in seen]
            seen.update(new)
            queue += new
        return False

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

    def checkpointed(self, run: Callable[[], Any]) -> Any:
        from torch.utils.checkpoint import checkpoint

        # To stop early it raises an error out of some operation, which unigrad would explain.
        return checkpoint(with_plain_numbers, run, use_reentrant=False, early_stop=False)

    # --- backward -------------------------------------------------------------------------------------------------

    def pull_leaves(self, head: Raw, leaves: tuple[Raw, ...], retain_graph: bool) -> Sequence[Raw | None] | None:
        if self.met_spread or transforming() or type(head) is not torch.Tensor:
            return None
        seed = self._ones.get(head.dtype) if head.ndim == 0 and head.is_cpu else None
        if seed is None or seed._version:  # which somebody's hook has written to
            seed = self.backend.filled_like(head, 1)
        run = steady(run_backward) if surrounded() else run_backward
        pulled = run((head,), (seed,), retain_graph, False, leaves, True, False)
        return _apart(pulled, (seed,), torch.Tensor.data_ptr)

    def pullback(self, pull: Pull) -> Sequence[Raw | None] | None:
        if transforming():
            return None
        pulled = _pulled(pull)
        if not pull.create_graph:
            return _apart(pulled, pull.cotangents, _memory())
        # PyTorch does not track a constant gradient; as a leaf it can be a head or a variable nevertheless.
        return [raw if raw is None or raw.requires_grad else self.leaf(raw) for raw in pulled]


@steady
def _pulled(pull: Pull) -> Sequence[Raw | None]:
    if pull.rows is not None:
        return _by_rows(pull)
    return placed(_gradients(pull, pull.cotangents, pull.retain_graph), tuple(pull.inputs.values()))


def _gradients(pull: Pull, cotangents: Sequence[Raw], retain_graph: bool) -> Sequence[Raw | None]:
    inputs = tuple(pull.inputs.values())
    with beside_constants((*pull.raws, *inputs)):
        found: Sequence[Raw | None] = run_backward(
            tuple(pull.raws), tuple(beside(cotangents, pull.raws)), retain_graph, pull.create_graph, inputs, True, False
        )
    return found


def _by_rows(pull: Pull) -> Sequence[Raw | None]:
    leaves = tuple(pull.inputs.values())
    # PyTorch has no batches of what DTensors and some of our own derivatives do: row by row then.
    with contextlib.suppress(RuntimeError, OperationError):
        if not any_spread(pull.raws):
            found: Sequence[Raw | None] = torch.autograd.grad(
                pull.raws, leaves, pull.cotangents, True, pull.create_graph, allow_unused=True, is_grads_batched=True
            )
            return found
    each = zip(*map(rows, pull.cotangents), strict=True)
    columns = zip(*[placed(_gradients(pull, row, retain_graph=True), leaves) for row in each], strict=True)
    return [None if column[0] is None else torch.stack(column) for column in columns]


def _memory() -> Callable[[Raw], int]:
    """What tells where an array lies."""
    if torch._C._len_torch_dispatch_stack():
        # While PyTorch works on fake arrays, which lie nowhere, the objects that stand for memory do.
        return lambda raw: int(raw.untyped_storage()._cdata)
    return torch.Tensor.data_ptr


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
