"""Where PyTorch's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from unigrad.backend import Backend, Raw
from unigrad.operations.nodes import neutral_vjp
from unigrad.operations.table import PRIMITIVES

REPLACED = {
    "abs": "PyTorch's is 0 at NaN, which hides it",
    "clip": "PyTorch's is 0 at NaN, and differs where the bounds are the wrong way round",
    "expm1": "PyTorch's is expm1(x) + 1, which has no correct digits far below 0",
    "maximum": "PyTorch's is 1 and 1 at NaN, which hides it",
    "minimum": "PyTorch's is 1 and 1 at NaN, which hides it",
    "power": "PyTorch's second derivative is NaN where the base is 0",
    "relu": "PyTorch's is 1 at NaN, which hides it",
    "vector_norm": "PyTorch's second derivative is NaN where the norm is 0",
}
"""The primitives and the reasons."""


def replaced(backend: Backend, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``function``, a primitive's, with the neutral rule of that primitive as its derivative."""
    row = PRIMITIVES[name]
    count = len(row.arrays)
    others = (None,) * len(row.statics)

    class Replaced(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Raw:
            out = function(*args)
            ctx.save_for_backward(out, *args[:count])
            ctx.statics = args[count:]
            return out

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            out, *raws = ctx.saved_tensors
            return (*neutral_vjp(backend, row, raws, ctx.statics, out, g), *others)

    Replaced.__name__ = Replaced.__qualname__ = name
    return Replaced.apply
