"""Calls with a derivative of their own as one node of PyTorch's graph: those that unigrad records, and those that
PyTorch follows by itself."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import torch

from unigrad.extend import Followed, Raw, StepPull, Switch
from unigrad_torch.batches import Batches, note, refuse


class Step(torch.autograd.Function):
    """Results that were computed beforehand, tied to their inputs."""

    @staticmethod
    def forward(ctx: Any, results: Sequence[Raw], pull_back: StepPull, *raws: Raw) -> Any:
        ctx.pull_back = pull_back
        ctx.set_materialize_grads(False)
        return tuple([y.detach() for y in results])

    @staticmethod
    def backward(ctx: Any, *grads: Raw | None) -> Any:
        # Under create_graph PyTorch records the pass, and so what the derivative computes.
        tracked = None
        if torch.is_grad_enabled():
            note(grads)
            tracked = [g is not None and g.requires_grad for g in grads]
        return (None, None, *ctx.pull_back(grads, tracked))


def joined(inputs: Sequence[Raw], results: Sequence[Raw], pull_back: StepPull) -> Sequence[Raw] | None:
    """``results`` as those of one node of PyTorch's graph, unless a transform of torch.func is at work."""
    if torch._C._are_functorch_transforms_active():
        return None
    if Batches.met:
        refuse(inputs)
    found: Sequence[Raw] = Step.apply(results, pull_back, *inputs)
    return found


class FollowedStep(torch.autograd.Function):
    """A step in the form that ``torch.func`` takes, which PyTorch calls at a greater cost. Its ``point`` keeps what the
    forward leaves for the way back."""

    @staticmethod
    def forward(step: Followed, point: Any, *raws: Raw) -> Any:
        results, point.pull = step.recorded(raws)
        return tuple([y.detach() for y in results])

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, ctx.point, *raws = inputs
        ctx.save_for_backward(*raws)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        # What unigrad computes on the way is recorded where PyTorch records the pass, whatever its caller does.
        note(grads)
        with Switch(torch.is_grad_enabled(), None):
            return (None, None, *ctx.point.pull(ctx.saved_tensors, grads))

    @staticmethod
    def vmap(info: Any, in_dims: Any, step: Followed, point: Any, *raws: Raw) -> Any:
        """One element after the other."""
        point.pull = step.pull
        axes = in_dims[2:]
        rows = [
            followed(step, [x if axis is None else x.select(axis, row) for x, axis in zip(raws, axes, strict=True)])
            for row in range(info.batch_size)
        ]
        results = tuple([torch.stack(column) for column in zip(*rows, strict=True)])
        return results, (0,) * len(results)


def followed(step: Followed, raws: Sequence[Raw]) -> list[Raw]:
    """The results of ``step``; PyTorch's engine goes through it where it records."""
    mapped = any(map(torch._C._functorch.is_functorch_wrapped_tensor, raws))
    if mapped or (torch.is_grad_enabled() and any(raw.requires_grad for raw in raws)):
        if Batches.met:
            refuse(raws)
        return list(FollowedStep.apply(step, SimpleNamespace(), *raws))
    return step.value(raws)
