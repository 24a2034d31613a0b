"""A function that runs in another framework (``unigrad.bridge``) as one node of PyTorch's graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from unigrad.extend import Bridged


class Point:
    """Where the function was computed: what :meth:`Bridged.recorded` leaves for the way back."""

    pull: Bridged


class Bridge(torch.autograd.Function):
    """The call; its backward calls the pull, which is bridged likewise."""

    @staticmethod
    def forward(call: Bridged, point: Point, *raws: Any) -> Any:
        results, point.pull = call.recorded(raws)
        return tuple(results)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        _, ctx.point, *raws = inputs
        ctx.floating = [_is_floating(y) for y in output]
        ctx.save_for_backward(*raws)
        ctx.mark_non_differentiable(*[y for y, marked in zip(output, ctx.floating, strict=True) if not marked])

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raws = ctx.saved_tensors
        gs = [g for g, marked in zip(grads, ctx.floating, strict=True) if marked]
        found = iter(bridged(ctx.point.pull, [*raws, *gs]))
        return (None, None, *[next(found) if _is_floating(raw) else None for raw in raws])

    @staticmethod
    def vmap(info: Any, in_dims: Any, call: Bridged, point: Point, *raws: Any) -> Any:
        """One element after the other."""
        point.pull = call.pull(len(raws))
        axes = in_dims[2:]
        rows = [
            bridged(
                call, [raw if axis is None else raw.select(axis, row) for raw, axis in zip(raws, axes, strict=True)]
            )
            for row in range(info.batch_size)
        ]
        results = tuple([torch.stack(column) for column in zip(*rows, strict=True)])
        return results, (0,) * len(results)


def bridged(call: Bridged, raws: Sequence[Any]) -> Sequence[Any]:
    """The results of ``call``; PyTorch's engine goes through it where it records."""
    if (torch.is_grad_enabled() and any(raw.requires_grad for raw in raws)) or _is_mapped(raws):
        found: Sequence[Any] = Bridge.apply(call, Point(), *raws)
        return found
    return call.value(raws)


def _is_floating(raw: Any) -> bool:
    return bool(raw.is_floating_point() or raw.is_complex())


def _is_mapped(raws: Sequence[Any]) -> bool:
    """Whether any is at work in a transform of torch.func, and has no values of its own."""
    return any(torch._C._functorch.is_functorch_wrapped_tensor(raw) for raw in raws)
