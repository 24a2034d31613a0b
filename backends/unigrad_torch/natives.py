"""PyTorch's own functions inside a recording (``ug.wrap_native``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from unigrad.backend import Backend, RawFunction
from unigrad.graph import BareManyNode
from unigrad.tensor import Tensor


def recorded(backend: Backend, name: str, function: RawFunction, inputs: Sequence[Tensor]) -> list[Tensor]:
    """The results as PyTorch recorded them."""
    raws = function([x.raw for x in inputs])
    node = BareManyNode()
    node.number, node.operation, node.more = 0, name, tuple([x._node for x in inputs])
    found = []
    for raw in raws:
        backend.admit(raw)  # which notes that there may be leaves of the user's own, such as a module's parameters
        found.append(backend.tensor_type.of(raw, node if raw.requires_grad else None))
    return found


def pushed(function: RawFunction, moving: Sequence[bool]) -> RawFunction:
    """By PyTorch's forward mode."""

    def run(raws: Sequence[Any]) -> list[Any]:
        own, tangents = raws[: len(moving)], raws[len(moving) :]
        integers: list[bool] = []

        def of_moving(*moved: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
            supply = iter(moved)
            outs = function([next(supply) if marked else raw for raw, marked in zip(own, moving, strict=True)])
            integers[:] = [not (raw.is_floating_point() or raw.is_complex()) for raw in outs]
            return tuple([raw for raw, other in zip(outs, integers, strict=True) if not other]), tuple(outs)

        primals = tuple([raw for raw, marked in zip(own, moving, strict=True) if marked])
        _, pushed, outs = torch.func.jvp(of_moving, primals, tuple(tangents), has_aux=True)
        supply = iter(pushed)
        return [*outs, *[out if other else next(supply) for out, other in zip(outs, integers, strict=True)]]

    return run


def mapped(function: RawFunction, marks: Sequence[bool]) -> RawFunction:
    """By PyTorch's vmap."""
    of_batch = torch.func.vmap(
        lambda *raws: tuple(function(raws)), tuple([0 if marked else None for marked in marks]), randomness="different"
    )
    return lambda raws: list(of_batch(*raws))
