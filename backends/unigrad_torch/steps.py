"""Calls with a derivative of their own as one node of PyTorch's graph: those that unigrad records, and those that
PyTorch follows by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from unigrad.extend import BareManyNode, Followed, Node, Parents, Raw, StepBack, StepPull, Switch
from unigrad_torch.batches import Batches, note, refuse


class StepNode(BareManyNode):
    """The node of a step, which lets go of all that its derivative keeps when it is released."""

    __slots__ = ("held",)

    def release(self) -> None:
        super().release()
        self.held.clear()

    @property
    def may_fail(self) -> bool:
        """Whether its derivative is a user's that was never seen to work: then a pass must not release PyTorch's
        graph on its way, since it may have to be run again."""
        return any(pull_back.may_fail for pull_back in self.held)


def may_fail(node: Node) -> bool:
    """Whether a pass through the node may have to be run again."""
    return type(node) is StepNode and node.may_fail


class Step(torch.autograd.Function):
    """Results that were computed beforehand, tied to their inputs."""

    @staticmethod
    def forward(ctx: Any, results: Sequence[Raw], held: Sequence[StepPull], *raws: Raw) -> Any:
        ctx.held = held
        ctx.set_materialize_grads(False)
        return tuple([y.detach() for y in results])

    @staticmethod
    def backward(ctx: Any, *grads: Raw | None) -> Any:
        # Under create_graph PyTorch records the pass, and so what the derivative computes.
        tracked = None
        if torch.is_grad_enabled():
            note(grads)
            tracked = [g is not None and g.requires_grad for g in grads]
        (pull_back,) = ctx.held
        return (None, None, *pull_back(grads, tracked))


def joined(
    operation: str, parents: Parents, inputs: Sequence[Raw], results: Sequence[Raw], pull_back: StepPull
) -> tuple[Sequence[Raw], StepNode] | None:
    """``results`` as those of one node of PyTorch's graph, unless a transform of torch.func is at work."""
    if torch._C._are_functorch_transforms_active():
        return None
    if Batches.met:
        refuse(inputs)
    held = [pull_back]
    raws = Step.apply(results, held, *inputs)
    node = StepNode()
    node.number, node.operation, node.more, node.held = 0, operation, tuple(parents), held
    return raws, node


class Point:
    """Where a step was computed: what its forward leaves for the way back."""

    pull: StepBack


class FollowedStep(torch.autograd.Function):
    """A step in the form that ``torch.func`` takes, which PyTorch calls at a greater cost."""

    @staticmethod
    def forward(step: Followed, point: Point, *raws: Raw) -> Any:
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
    def vmap(info: Any, in_dims: Any, step: Followed, point: Point, *raws: Raw) -> Any:
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
        return list(FollowedStep.apply(step, Point(), *raws))
    return step.value(raws)
