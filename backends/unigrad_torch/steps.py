"""A call with a derivative of its own as one node of PyTorch's graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any

import torch

from unigrad.extend import BareManyNode, Node, Parents, Raw, StepPull

PullBack = Callable[[Sequence[Raw | None], Sequence[bool] | None], Sequence[Raw | None]]
"""A :class:`StepPull`, or a function that is called like one."""

under_way: ContextVar[bool] = ContextVar("unigrad_torch_step", default=False)
"""Whether PyTorch's engine is just calling a step here: a pass inside it must not wait for the pass around it."""


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
    def forward(ctx: Any, results: Sequence[Raw], held: Sequence[PullBack], *raws: Raw) -> Any:
        ctx.held = held
        ctx.set_materialize_grads(False)
        return tuple([y.detach() for y in results])

    @staticmethod
    def backward(ctx: Any, *grads: Raw | None) -> Any:
        # Under create_graph PyTorch records the pass, and so what the derivative computes.
        tracked = [g is not None and g.requires_grad for g in grads] if torch.is_grad_enabled() else None
        (pull_back,) = ctx.held
        token = under_way.set(True)
        try:
            return (None, None, *pull_back(grads, tracked))
        finally:
            under_way.reset(token)


def joined(
    operation: str, parents: Parents, inputs: Sequence[Raw], results: Sequence[Raw], pull_back: StepPull
) -> tuple[Sequence[Raw], StepNode]:
    """``results`` as those of one node of PyTorch's graph."""
    held = [pull_back]
    raws = Step.apply(results, held, *inputs)
    node = StepNode()
    node.number, node.operation, node.more, node.held = 0, operation, tuple(parents), held
    return raws, node
