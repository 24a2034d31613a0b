"""Running extremes and sorted search over PyTorch tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch

from unigrad.extend import Raw


def searching() -> dict[str, Callable[..., Raw]]:
    """These functions by primitive."""
    return {
        "cumulative_max": lambda x, axis: torch.cummax(x, axis).values,
        "cumulative_min": lambda x, axis: torch.cummin(x, axis).values,
        "searchsorted": searchsorted,
    }


def searchsorted(x1: Raw, x2: Raw, right: bool) -> Raw:
    """NaN, which to PyTorch is in no order, behind all numbers, as in a sorted array."""
    found = torch.searchsorted(x1.contiguous(), x2.contiguous(), right=right)
    if not x1.is_floating_point():
        return found
    numbers = (~x1.isnan()).sum()
    found = torch.searchsorted(torch.where(x1.isnan(), torch.inf, x1), x2.contiguous(), right=right).clamp(max=numbers)
    return torch.where(x2.isnan(), len(x1) if right else numbers, found)
