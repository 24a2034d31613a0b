"""A call with a derivative of its own (``unigrad.joints``) as one node of PyTorch's graph."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import torch

from unigrad.backend import RawStep
from unigrad.graph import BareManyNode, PulledNode
from unigrad.joints import PullBack
from unigrad.recording import Switch, is_training
from unigrad.tensor import Tensor

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
        return any(getattr(pull_back, "may_fail", False) for pull_back in self.held)


class Step(torch.autograd.Function):
    """Results that were computed beforehand, tied to their inputs."""

    @staticmethod
    def forward(ctx: Any, results: Sequence[Tensor], held: Sequence[PullBack], *raws: Any) -> Any:
        ctx.held = held
        ctx.tensor_type = type(results[0])
        ctx.set_materialize_grads(False)
        return tuple([y.raw.detach() for y in results])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        # Under create_graph PyTorch records the pass, and so what the derivative computes.
        again = torch.is_grad_enabled()
        made = ctx.tensor_type
        given = [
            None if g is None else made.of(g, PulledNode(()) if again and g.requires_grad else None) for g in grads
        ]
        (pull_back,) = ctx.held
        token = under_way.set(True)
        try:
            with Switch(again, is_training()):
                found = pull_back(given)
        finally:
            under_way.reset(token)
        return (None, None, *[None if share is None else share.raw for share in found])


def joined(operation: str, inputs: Sequence[Tensor], results: Sequence[Tensor], pull_back: PullBack) -> list[Tensor]:
    """``results`` as those of one node of PyTorch's graph."""
    held = [pull_back]
    raws = Step.apply(results, held, *[x.raw for x in inputs])
    node = StepNode()
    node.number, node.operation, node.more, node.held = 0, operation, tuple([x._node for x in inputs]), held
    return [type(y).of(raw, node) for y, raw in zip(results, raws, strict=True)]


def followed(made: type[Tensor], function: RawStep, raws: Sequence[Any]) -> list[Any]:
    """The results of ``function(raws)``, in a graph that is PyTorch's alone."""
    outs, pull = function([raw.detach() for raw in raws])

    def pull_back(gs: list[Tensor | None]) -> Sequence[Tensor | None]:
        own = function(raws)[1] if torch.is_grad_enabled() else pull
        shares = own([None if g is None else g.raw for g in gs])
        return [None if share is None else made.of(share, None) for share in shares]

    return list(Step.apply([made.of(out.detach(), None) for out in outs], [pull_back], *raws))
