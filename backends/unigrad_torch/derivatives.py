"""Where PyTorch's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd import forward_ad

from unigrad.extend import PRIMITIVES, Backend, Raw, neutral_jvp, neutral_vjp, raw_rule, raw_vjp
from unigrad_torch.batches import Batches, note, refuse

OVER_RAW = {"elu", "sigmoid", "silu", "clip", "logsumexp", "maximum", "minimum", "softplus"}
"""Those whose rules ask of arrays only what PyTorch's answer as well, and which are used most."""

_active = torch._C._are_functorch_transforms_active
_enabled = torch.is_grad_enabled


def replaced(backend: Backend, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``function``, a primitive's, with the neutral rule of that primitive as its derivative."""
    row = PRIMITIVES[name]
    count = len(row.arrays)
    others = (None,) * len(row.statics)
    over_raw = name in OVER_RAW

    def plainly(g: Raw) -> bool:
        return over_raw and type(g) is torch.Tensor and not (g.is_complex() or _enabled() or _active())

    share_of_first = functools.cache(lambda: raw_rule(backend, row))  # not before the adapter has all its functions

    class Replaced(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Raw:
            out = function(*args)
            ctx.save_for_backward(out, *[arg for arg in args[:count] if isinstance(arg, torch.Tensor)])
            ctx.given = [None if isinstance(arg, torch.Tensor) else arg for arg in args]
            return out

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            out, *saved = ctx.saved_tensors
            held = iter(saved)
            raws = [next(held) if number is None else number for number in ctx.given[:count]]
            pulled = raw_vjp if plainly(g) else neutral_vjp
            if _enabled():
                note((g,))
            return (*pulled(backend, row, raws, ctx.given[count:], out, g, ctx.needs_input_grad), *others)

    class ReplacedFirst(Replaced):
        # Of one array and numbers, as most are: without lists, half of what PyTorch takes for the rest.
        @staticmethod
        def forward(ctx: Any, x: Raw, *rest: Any) -> Raw:
            out = function(x, *rest)
            ctx.save_for_backward(out, x)
            ctx.rest = rest
            return out

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            (out, x), rest = ctx.saved_tensors, ctx.rest
            raws, statics = (x, *rest[: count - 1]), rest[count - 1 :]
            if plainly(g):
                share = share_of_first()(raws, statics, out, g)
            else:
                if _enabled():
                    note((g,))
                share = neutral_vjp(backend, row, raws, statics, out, g, first)[0]
            return share if not rest else (share, *(None,) * len(rest))

    first = (True, *(False,) * (count - 1))
    for kind in (Replaced, ReplacedFirst):
        kind.__name__ = kind.__qualname__ = name
    # Not by way of Function.apply, in Python, which asks again what is asked here.
    apply: Callable[..., Raw] = super(torch.autograd.Function, Replaced).apply
    apply_first: Callable[..., Raw] = super(torch.autograd.Function, ReplacedFirst).apply
    transformed = functools.lru_cache(_transformed)
    unwrap = torch._C._functorch.unwrap_if_dead

    def call(*args: Any) -> Raw:
        if _active():
            raws = [_beside(arg, args) if isinstance(arg, float) else arg for arg in args[:count]]
            return transformed(backend, name, function, args[count:])(*raws)
        if not _enabled() and forward_ad._current_level < 0:
            return function(*args)  # which nobody differentiates
        if Batches.met:
            refuse(args)
        for arg in args[1:count]:
            if isinstance(arg, torch.Tensor):
                return apply(*[unwrap(arg) if isinstance(arg, torch.Tensor) else arg for arg in args])
        return apply_first(unwrap(args[0]), *args[1:])

    return call


def _beside(number: float, args: tuple[Any, ...]) -> Raw:
    """A number as an array of the dtype that it stands beside."""
    return next(arg for arg in args if isinstance(arg, torch.Tensor)).new_full((), number)


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
