"""``torch.autocast`` regions, which change the dtypes of PyTorch's functions: they change nothing in unigrad's.

A Tensor's dtype is told by what it was computed from, on every backend; so operations that PyTorch would compute in
another one leave the region while they run, and so does a backward pass.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from unigrad.extend import DECOMPOSITIONS, Raw, RawFunction
from unigrad_torch.spread import any_spread

# PyTorch's own; of all devices but two that have few users.
surrounded: Callable[[], bool] = torch._C._is_any_autocast_enabled
"""Whether a region is open."""

_ON_THE_HOST = {
    "matmul", "einsum", "linear", "attention", "cross_entropy", "prod", "concat", "stack", "fft", "rfft", "irfft",
    *DECOMPOSITIONS,
}  # fmt: skip
"""The primitives in which there is something that PyTorch computes in another dtype there. On accelerators there are
many more."""


@contextmanager
def outside() -> Iterator[None]:
    """As if there were no region."""
    opened = [device for device in torch._C._autocast_supported_devices() if torch.is_autocast_enabled(device)]
    for device in opened:
        torch.set_autocast_enabled(device, False)
    try:
        yield
    finally:
        for device in opened:
            torch.set_autocast_enabled(device, True)


def steady(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, called outside of any region."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        if not surrounded():
            return function(*args)
        with outside():
            return function(*args)

    return call


def matmul(x1: Raw, x2: Raw) -> Raw:
    """Of two matrices by what is for these alone, which saves what it takes to ask."""
    if surrounded():
        with outside():
            return torch.matmul(x1, x2)
    if x1.ndim == 2 == x2.ndim:
        return torch.mm(x1, x2)
    if x1.ndim == 1 < x2.ndim and any_spread((x1, x2)):
        # Of a vector that is divided PyTorch's own has an axis of length 1 too many, by what it says of its shape.
        return torch.matmul(x1[None], x2)[..., 0, :]
    return torch.matmul(x1, x2)


def all_steady(table: dict[str, RawFunction]) -> dict[str, RawFunction]:
    """The table of raw functions with those made steady that PyTorch might compute in another dtype."""
    names = table if torch.accelerator.is_available() else _ON_THE_HOST & table.keys()
    return {**table, **{name: steady(table[name]) for name in names}, "matmul": matmul}
