"""PyTorch's functions of DTensors, put right: what each process has of a result is joined where PyTorch would go on
with the shares, and cotangents are brought to where PyTorch's derivatives can take them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import torch

from unigrad.extend import PRIMITIVES, Backend, DType, Raw, RawFunction, neutral_vjp
from unigrad_torch.spread import (
    is_spread,
    of_parts,
    one_mesh,
    own_whole,
    replicate,
    whole_on,
    without_elements,
)


class Brought(torch.autograd.Function):
    """A DTensor brought to other placements, or left where it is, whose cotangent is brought there as well. PyTorch's
    own brings it to where the DTensor came from, which may be a share of a norm, and takes no plain cotangent."""

    @staticmethod
    def forward(ctx: Any, raw: Raw, placements: Sequence[Any]) -> Raw:
        ctx.mesh, ctx.placements = raw.device_mesh, placements
        return raw.redistribute(raw.device_mesh, placements)

    @staticmethod
    def backward(ctx: Any, g: Raw) -> Any:
        g = g if is_spread(g) else whole_on(ctx.mesh, g)
        return brought(g, [replicate() if each.is_partial() else each for each in ctx.placements]), None


def brought(raw: Raw, placements: Sequence[Any]) -> Raw:
    """The DTensor placed so."""
    if raw.requires_grad and torch.is_grad_enabled():
        found: Raw = Brought.apply(raw, placements)
        return found
    return raw.redistribute(raw.device_mesh, placements)


def settled(raw: Raw, sums: bool = False) -> Raw:
    """A DTensor of which no process holds a mere share. With ``sums``, but for sums and means in float32 and wider.

    PyTorch adds up those when they are needed. With other shares it goes on as if they were the values: it adds 1 to an
    integer sum once in each process, casts ``any`` to numbers before it is joined, and adds up norms."""
    if not is_spread(raw) or not any(each.is_partial() for each in raw.placements):
        return raw
    from torch.distributed.tensor import Partial

    sums = sums and (raw.is_floating_point() or raw.is_complex()) and raw.dtype.itemsize > 2
    placements = [
        replicate()
        if each.is_partial() and not (sums and type(each) is Partial and each.reduce_op in ("sum", "avg"))
        else each
        for each in raw.placements
    ]
    return raw if placements == list(raw.placements) else brought(raw, placements)


def settling(backend: Backend, name: str, function: RawFunction) -> RawFunction:
    """A primitive's raw function as it is once there are DTensors: of results that are :func:`settled`, and called as
    PyTorch's does them right."""
    if name not in _RIGHT and name not in _UNTOLD and PRIMITIVES[name].kind in ("elementwise", "comparison"):
        return function  # of what is settled it leaves no other shares, and two meshes PyTorch refuses
    run = _RIGHT[name](backend, function) if name in _RIGHT else function

    @functools.wraps(function)
    def call(*args: Any) -> Raw:
        one_mesh(args)  # of two some of PyTorch's functions make wrong values, and do not say so
        mesh = without_elements(args)
        if mesh is not None:
            return whole_on(mesh, function(*map(own_whole, args)))
        found = run(*args)
        return found if type(found) is torch.Tensor else settled(found, sums=True)

    return call


def _in_float32(backend: Backend, function: RawFunction) -> RawFunction:
    """What adds up halves: each process's share of a sum may be out of their range, or have lost its digits."""

    def run(x: Any, *args: Any) -> Raw:
        several = isinstance(x, (list, tuple))
        first = x[0] if several else x
        if not is_spread(first) or first.dtype not in (torch.float16, torch.bfloat16):
            return function(x, *args)
        wide = [each.float() for each in x] if several else x.float()
        rest = [each.float() if isinstance(each, torch.Tensor) else each for each in args]
        return settled(function(wide, *rest)).to(first.dtype)

    return run


def _of_values(backend: Backend, function: RawFunction) -> RawFunction:
    """A cast: of a sum, not of what each process has of it. PyTorch's derivative of one to complex numbers takes no
    array without axes."""

    def run(x: Raw, dtype: DType) -> Raw:
        if not is_spread(x):
            return function(x, dtype)
        x = settled(x)
        return function(x, dtype) if x.ndim or dtype.kind != "c" else function(x[None], dtype)[0]

    return run


def _by_parts(backend: Backend, function: RawFunction) -> RawFunction:
    """An elementwise function of one array, of which PyTorch has no derivative for DTensors: each process does its own
    part."""

    def run(x: Raw, *statics: Any) -> Raw:
        if not is_spread(x):
            return function(x, *statics)
        x = settled(x)
        found = function(x.to_local(), *statics)
        return of_parts(found, x.device_mesh, x.placements, shape=x.shape, stride=x.stride())

    return run


def _back_from_there(backend: Backend, function: RawFunction) -> RawFunction:
    """What PyTorch's derivative takes apart again, which it cannot where the cotangent is divided otherwise."""

    def run(*args: Any) -> Raw:
        found = function(*args)
        return brought(found, found.placements) if is_spread(found) and found.requires_grad else found

    return run


def _by_examples(backend: Backend, function: RawFunction) -> RawFunction:
    """A convolution, which PyTorch does of divided batches alone: of divided channels, kernels and axes it has another
    shape, or an error on its way back. Of its derivative PyTorch has none there: the neutral rules have."""
    row = PRIMITIVES["convolution"]

    class Convolution(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Raw, w: Raw, how: Sequence[Any]) -> Raw:
            with torch.enable_grad():
                needed = ctx.needs_input_grad[:2]
                inner = [raw.detach().requires_grad_(moves) for raw, moves in zip((x, w), needed, strict=True)]
                out = function(*inner, *how)
            ctx.inner, ctx.out, ctx.how = [raw for raw in inner if raw.requires_grad], out, how
            ctx.save_for_backward(x, w)
            return out.detach()

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            x, w = ctx.saved_tensors
            if torch.is_grad_enabled():
                return (*neutral_vjp(backend, row, (x, w), ctx.how, ctx.out.detach(), g, ctx.needs_input_grad), None)
            found = iter(torch.autograd.grad(ctx.out, ctx.inner, g, retain_graph=True))
            return (*[next(found) if moves else None for moves in ctx.needs_input_grad[:2]], None)

    def run(x: Raw, w: Raw, *how: Any) -> Raw:
        if not (is_spread(x) and is_spread(w)):
            return function(x, w, *how)
        batches = [each if each.is_shard(0) else replicate() for each in x.placements]
        x, w = brought(x, batches), brought(w, [replicate()] * len(batches))
        if not torch.is_grad_enabled() or not (x.requires_grad or w.requires_grad):
            return function(x, w, *how)
        found: Raw = Convolution.apply(x, w, how)
        return brought(found, found.placements)

    return run


def _by_channels(backend: Backend, function: RawFunction) -> RawFunction:
    """What looks at windows over the last axes: each process does its own parts of the others, with all elements of
    these. PyTorch has no windows of DTensors, and would bring the elements together for each place in a window."""

    def run(*args: Any) -> Raw:
        raws = [arg for arg in args if isinstance(arg, torch.Tensor)]
        first = next(filter(is_spread, raws), None)
        if first is None:
            return function(*args)
        mesh, sizes = first.device_mesh, args[len(raws)]
        kept = first.ndim - len(sizes)
        placements = [each if any(map(each.is_shard, range(kept))) else replicate() for each in first.placements]
        own = [brought(raw if is_spread(raw) else whole_on(mesh, raw), placements).to_local() for raw in raws]
        found = function(*own, *args[len(raws) :])
        shape = torch.Size((*first.shape[:kept], *found.shape[kept:]))
        stride = torch.empty(shape, device="meta").stride()
        return of_parts(found.contiguous(), mesh, placements, shape=shape, stride=stride)

    return run


_UNTOLD = ("floor_divide", "searchsorted")
"""Elementwise functions that PyTorch computes of arrays on two meshes without a word."""
_RIGHT: dict[str, Callable[[Backend, RawFunction], RawFunction]] = {
    "astype": _of_values,
    "convolution": _by_examples,
    "hard_tanh": _by_parts,
    **dict.fromkeys(("reshape", "stack"), _back_from_there),
    **dict.fromkeys(("windows", "max_pool", "max_pool_back", "max_pool_along", "sum_pool"), _by_channels),
    **dict.fromkeys(
        ("sum", "mean", "variance", "prod", "logsumexp", "vector_norm", "matmul", "einsum", "linear"), _in_float32
    ),
}
