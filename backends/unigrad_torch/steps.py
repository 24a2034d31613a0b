"""A call with a derivative of its own (``unigrad.joints``) as one node of PyTorch's graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from unigrad.graph import BareManyNode
from unigrad.joints import PullBack
from unigrad.recording import Scope, is_training
from unigrad.tensor import Tensor


class Step(torch.autograd.Function):
    """Results that were computed beforehand, tied to their inputs."""

    @staticmethod
    def forward(ctx: Any, results: Sequence[Tensor], pull_back: PullBack, *raws: Any) -> Any:
        ctx.pull_back = pull_back
        ctx.tensor_type = type(results[0])
        ctx.set_materialize_grads(False)
        return tuple([y.raw.detach() for y in results])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        # Under create_graph PyTorch records the pass, and so what the rule computes.
        with Scope(torch.is_grad_enabled(), is_training()):
            found = ctx.pull_back([None if g is None else ctx.tensor_type(g, None) for g in grads])
        return (None, None, *[None if share is None else share.raw for share in found])


def joined(operation: str, inputs: Sequence[Tensor], results: Sequence[Tensor], pull_back: PullBack) -> list[Tensor]:
    """``results`` as those of one node of PyTorch's graph."""
    raws = Step.apply(results, pull_back, *[x.raw for x in inputs])
    node = BareManyNode()
    node.number, node.operation, node.more = 0, operation, tuple([x._node for x in inputs])
    return [type(y)(raw, node) for y, raw in zip(results, raws, strict=True)]
