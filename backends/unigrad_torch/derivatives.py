"""Where PyTorch's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from unigrad.extend import PRIMITIVES, Backend, Raw, neutral_jvp, neutral_vjp


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
    apply = Replaced.apply
    transformed = functools.lru_cache(_transformed)
    active = torch._C._are_functorch_transforms_active

    def call(*args: Any) -> Raw:
        return transformed(backend, name, function, args[count:])(*args[:count]) if active() else apply(*args)

    return call


def _transformed(
    backend: Backend, name: str, function: Callable[..., Raw], statics: tuple[Any, ...]
) -> Callable[..., Raw]:
    """The same in the form that torch.func takes, which PyTorch calls at a greater cost: with forward mode and vmap."""
    row = PRIMITIVES[name]

    class Transformed(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*raws: Raw) -> Raw:
            return function(*raws, *statics)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Raw, ...], output: Raw) -> None:
            ctx.save_for_backward(output, *inputs)
            ctx.save_for_forward(output, *inputs)
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            out, *raws = ctx.saved_tensors
            return tuple(neutral_vjp(backend, row, raws, statics, out, g))

        @staticmethod
        def jvp(ctx: Any, *tangents: Raw | None) -> Raw:
            out, *raws = ctx.saved_tensors
            return neutral_jvp(backend, row, raws, tangents, statics, out)

    Transformed.__name__ = Transformed.__qualname__ = name
    apply: Callable[..., Raw] = Transformed.apply
    return apply
