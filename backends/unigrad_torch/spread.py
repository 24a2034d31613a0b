"""DTensors: arrays that several processes hold together, each its part or a copy, as their placements say.

All processes run the same program, so whatever needs values (``item``, printing, a decision) gathers them in all
processes at once: a program that prints in one alone waits for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from unigrad.extend import Raw, Spread


def is_spread(raw: Raw) -> bool:
    """Whether it is a DTensor. PyTorch's module for these is loaded by who makes one."""
    return type(raw) is not torch.Tensor and hasattr(raw, "device_mesh")


def place(raw: Raw) -> Spread:
    """Where a DTensor is."""
    mesh, placements = raw.device_mesh, tuple(raw.placements)
    return Spread(f"{raw.device} in {mesh.size()} processes as {placements}", (mesh, placements), tuple(raw.shape))


def whole(raw: Raw) -> Raw:
    """All values in each process, or the array itself if it is no DTensor."""
    return raw.full_tensor() if is_spread(raw) else raw


def put(raw: Raw, where: Spread) -> Raw:
    """An array, the same in all processes, as another lies; one of another shape whole in each."""
    from torch.distributed.tensor import DTensor, Replicate

    mesh, placements = where.own
    if not is_spread(raw):
        raw = DTensor.from_local(raw.to(mesh.device_type), mesh, [Replicate()] * mesh.ndim, run_check=False)
    alike = where.shape in (None, tuple(raw.shape)) and not any(each.is_partial() for each in placements)
    return raw.redistribute(mesh, placements if alike else [Replicate()] * mesh.ndim)


def placed(gradients: Sequence[Raw | None], leaves: Sequence[Raw]) -> list[Raw | None]:
    """Gradients of DTensors as these lie, where PyTorch leaves them otherwise; what is partial is added up."""
    return [
        gradient.redistribute(leaf.device_mesh, leaf.placements)
        if gradient is not None and is_spread(gradient) and is_spread(leaf)
        else gradient
        for gradient, leaf in zip(gradients, leaves, strict=True)
    ]


def any_spread(raws: Sequence[Any]) -> bool:
    """Whether one of them is a DTensor."""
    return any(map(is_spread, raws))
