"""Windows and convolutions over PyTorch tensors."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import torch
from torch.nn import functional

from unigrad.extend import Backend, Raw, Shape, pooled_shape, window_slices
from unigrad_torch.batches import Batches, refuse
from unigrad_torch.spread import any_spread

# What torch.nn.functional has, without a call in between.
_gelu = torch._C._nn.gelu
_silu = torch._C._nn.silu
linear = torch._C._nn.linear

_transforming = torch._C._are_functorch_transforms_active
_unwrap = torch._C._functorch.unwrap_if_dead


def windows(x: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """PyTorch slides over one axis at a time, and knows no dilation."""
    first = x.ndim - len(sizes)
    for axis, (size, stride, step) in enumerate(zip(sizes, strides, dilations, strict=True), first):
        x = x.unfold(axis, step * (size - 1) + 1, stride)
    return x[(..., *(slice(None, None, step) for step in dilations))].clone()


def convolution(
    x: Raw, w: Raw, strides: Shape, padding: tuple[tuple[int, int], ...], dilations: Shape, groups: int
) -> Raw:
    """PyTorch pads both ends of an axis alike."""
    pads = tuple(low for low, _ in padding)
    if any(low != high for low, high in padding):
        x = functional.pad(x, [size for pair in reversed(padding) for size in pair])
        pads = (0,) * len(pads)
    if not w.numel():  # as in derivatives of no batch: PyTorch's has no outputs where there are no channels
        padded = [size + 2 * pad for size, pad in zip(x.shape[2:], pads, strict=True)]
        shape = (x.shape[0], w.shape[0], *padded)
        return x.new_zeros((*shape[:2], *pooled_shape(shape, tuple(w.shape[2:]), strides, dilations)[2:]))
    return torch.convolution(x, w, None, strides, pads, dilations, False, (0,) * len(pads), groups)


def gelu(backend: Backend, x: Raw) -> Raw:
    """PyTorch's, but as it is defined where numbers are not finite: on the host PyTorch's is NaN at infinity."""
    if x.dtype is not torch.float32:
        return _gelu(x)
    if backend.is_known(x) and math.isfinite((found := _gelu(x)).detach().sum()):
        return found
    return x * ((torch.erf(x * math.sqrt(0.5)) + 1.0) * 0.5)


def silu(x: Raw) -> Raw:
    """PyTorch's own is for real numbers."""
    return x * torch.sigmoid(x) if x.is_complex() else _silu(x)


def added_up(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A function that adds up its first argument: halves in float32."""

    @functools.wraps(function)
    def run(x: Raw, *how: Any) -> Raw:
        if x.dtype not in (torch.float16, torch.bfloat16):
            return function(x, *how)
        return function(x.float(), *how).to(x.dtype)

    return run


def embedding(weight: Raw, indices: Raw) -> Raw:
    """PyTorch's own takes a matrix, and no DTensor of which the rows are divided."""
    if weight.requires_grad and weight.dtype in (torch.float16, torch.bfloat16):
        return embedding(weight.float(), indices).to(weight.dtype)  # as getitem does
    if any_spread((weight, indices)):
        return weight.index_select(0, indices.reshape(-1)).reshape(*indices.shape, *weight.shape[1:])
    if weight.ndim == 2:
        return torch.embedding(weight, indices)
    rows = weight.flatten(1) if weight.ndim > 2 else weight[:, None]
    return torch.embedding(rows, indices).reshape(*indices.shape, *weight.shape[1:])


@added_up
def embedding_back(change: Raw, indices: Raw, rows: int) -> Raw:
    """What belongs to one index, added up."""
    row = change.shape[indices.ndim :]
    return change.new_zeros((rows, *row)).index_add(0, indices.reshape(-1), change.reshape(indices.numel(), *row))


def normalised(x: Raw, weight: Raw, bias: Raw, axes: Shape, eps: float) -> Raw:
    """PyTorch has it over the last axes, and over all but the second."""
    sizes = _last(x, axes)
    if sizes is not None and weight.shape == bias.shape == sizes:
        return _step(x, weight, bias, sizes, eps)
    return standardised(x, axes, eps) * weight + bias


def standardised(x: Raw, axes: Shape, eps: float) -> Raw:
    """PyTorch has it over the last axes."""
    sizes = _last(x, axes)
    if sizes is not None:
        return _step(x, None, None, sizes, eps)
    variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def _last(x: Raw, axes: Shape) -> Shape | None:
    """The sizes of the axes, if they are the last ones of an array that PyTorch has a step for."""
    first = x.ndim - len(axes)
    suits = axes == tuple(range(first, x.ndim)) and type(x) is torch.Tensor and not _transforming()
    return x.shape[first:] if suits else None


def _step(x: Raw, weight: Raw | None, bias: Raw | None, sizes: Shape, eps: float) -> Raw:
    if not torch.is_grad_enabled():
        return torch.layer_norm(x, sizes, weight, bias, eps)
    if Batches.met:
        refuse((x, weight, bias))
    return _standardise(*[raw if raw is None else _unwrap(raw) for raw in (x, weight, bias)], sizes, eps)


class Standardised(torch.autograd.Function):
    """PyTorch's own step over the last axes, with or without parameters. Its second derivative takes mean and deviation
    for constants, so that the third is another function's (PyTorch 2.13)."""

    @staticmethod
    def forward(ctx: Any, x: Raw, weight: Raw | None, bias: Raw | None, sizes: Shape, eps: float) -> Raw:
        out, mean, scale = torch.native_layer_norm(x, sizes, weight, bias, eps)
        ctx.save_for_backward(x, weight, bias, mean, scale)
        ctx.manner = sizes, eps
        return out

    @staticmethod
    def backward(ctx: Any, g: Raw) -> Any:
        x, weight, bias, mean, scale = ctx.saved_tensors
        sizes, eps = ctx.manner
        moves = ctx.needs_input_grad[:3]
        if not torch.is_grad_enabled():
            return (*_standardise_back(g, x, sizes, mean, scale, weight, bias, moves), None, None)
        # To be differentiated again: the rule, by parts of which mean and variance are functions of x.
        axes = tuple(range(x.ndim - len(sizes), x.ndim))
        variance, mean = torch.var_mean(x, axes, correction=0, keepdim=True)
        moved, deviation = x - mean, torch.sqrt(variance + eps)
        change = (g if weight is None else g * weight) / deviation
        change = change - moved * ((change * moved).mean(axes, keepdim=True) / (variance + eps))
        of_weight = (g * (moved / deviation)).sum_to_size(sizes) if moves[1] else None
        of_bias = g.sum_to_size(sizes) if moves[2] else None
        return change - change.mean(axes, keepdim=True), of_weight, of_bias, None, None


# Not by way of Function.apply, in Python, which asks again what is asked here.
_standardise: Callable[..., Raw] = super(torch.autograd.Function, Standardised).apply
_standardise_back = torch.ops.aten.native_layer_norm_backward.default


# --- attention -------------------------------------------------------------------------------------------------


def _weights(query: Raw, key: Raw, scale: float, causal: bool) -> Raw:
    scores = (query * scale) @ key.mT
    if causal:
        unseen = torch.ones(scores.shape[-2:], dtype=torch.bool, device=scores.device).triu(1)
        scores = scores.masked_fill(unseen, -math.inf)
    return torch.softmax(scores, -1)


# PyTorch's own step: it keeps no weights, and skips those of keys that a query does not see.
_flash = torch._scaled_dot_product_flash_attention_for_cpu
_flash_back = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default


def _finite(x: Raw) -> bool:
    return math.isfinite(x.sum())


def _suits(query: Raw, key: Raw, value: Raw, causal: bool) -> bool:
    """Whether PyTorch has a step for arrays such as these; one in which each key is seen, so that none hides a NaN."""
    shape = query.shape
    return (
        type(query) is torch.Tensor
        and query.is_cpu
        and (query.dtype is torch.float32 or query.dtype is torch.float64)
        and len(shape) == 4
        and shape[3] == key.shape[3] == value.shape[3]
        and query.stride(3) == key.stride(3) == value.stride(3) == 1
        and (not causal or shape[2] >= key.shape[2])
        and 0 not in shape
        and 0 not in key.shape
    )


class Attention(torch.autograd.Function):
    """Attention as one step, PyTorch's own where all numbers are finite, which differentiates once only."""

    @staticmethod
    def forward(ctx: Any, known: bool, query: Raw, key: Raw, value: Raw, scale: float, causal: bool) -> Raw:
        ctx.manner = scale, causal
        if known and _suits(query, key, value, causal):
            out, total = _flash(query, key, value, 0.0, causal, scale=scale)
            # A total that is not finite is that of a query that weighs no key, or of a number that no dtype holds.
            if _finite(out) and _finite(total):
                ctx.save_for_backward(query, key, value, out, total)
                return out
        weights = _weights(query, key, scale, causal)
        ctx.save_for_backward(query, key, value, weights)
        return weights @ value

    @staticmethod
    def backward(ctx: Any, g: Raw) -> Any:
        query, key, value, *kept = ctx.saved_tensors
        scale, causal = ctx.manner
        if torch.is_grad_enabled():
            # To be differentiated again: PyTorch's own derivative of the parts.
            inputs = [x for x, moves in zip((query, key, value), ctx.needs_input_grad[1:], strict=False) if moves]
            found = iter(torch.autograd.grad(parts(query, key, value, scale, causal), inputs, g, create_graph=True))
            return (None, *[next(found) if moves else None for moves in ctx.needs_input_grad[1:4]], None, None)
        if len(kept) == 2 and not _transforming():  # as for a batch of cotangents
            # It reads the last axis as if it were in one piece; where the others lie costs nothing.
            shares = _flash_back(
                g if g.stride(3) == 1 else g.contiguous(), query, key, value, *kept, 0.0, causal, scale=scale
            )
            if _finite(shares[0]):
                return None, *shares, None, None
        weights = kept[0] if len(kept) == 1 else _weights(query, key, scale, causal)
        change = torch._softmax_backward_data(g @ value.mT, weights, -1, weights.dtype) * scale
        return None, change @ key, change.mT @ query, weights.mT @ g, None, None


# Not by way of Function.apply, in Python, which asks again what is asked here.
_attend: Callable[..., Raw] = super(torch.autograd.Function, Attention).apply


def parts(query: Raw, key: Raw, value: Raw, scale: float, causal: bool) -> Raw:
    """Attention as PyTorch's functional transforms take it."""
    return _weights(query, key, scale, causal) @ value


def attention(backend: Backend, query: Raw, key: Raw, value: Raw, scale: float, causal: bool) -> Raw:
    if _transforming():
        return parts(query, key, value, scale, causal)
    if Batches.met and torch.is_grad_enabled():
        refuse((query, key, value))
    return _attend(backend.is_known(query), *map(_unwrap, (query, key, value)), scale, causal)


# --- pooling ---------------------------------------------------------------------------------------------------


def max_pool(x: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """One element of all windows after the other: five times as fast as PyTorch's own over images."""
    counts = pooled_shape(tuple(x.shape), sizes, strides, dilations)[2:]
    first, *others = window_slices(counts, sizes, strides, dilations)
    found = x[first] if others else x[first].clone()
    for key in others:
        found = torch.maximum(found, x[key])
    return found


def sum_pool(x: Raw, sizes: Shape, strides: Shape) -> Raw:
    """As the mean of windows that are divided by 1, of which PyTorch has none without channels."""
    if not x.shape[1]:
        alone = (1,) * len(sizes)
        counts = pooled_shape(tuple(x.shape), sizes, strides, alone)[2:]
        return x[next(window_slices(counts, sizes, strides, alone))]
    if len(sizes) == 1:
        return torch._C._nn.avg_pool2d(x[:, :, None], (1, *sizes), (1, *strides), 0, False, True, 1)[:, :, 0]
    pool = torch._C._nn.avg_pool2d if len(sizes) == 2 else torch._C._nn.avg_pool3d
    return pool(x, sizes, strides, 0, False, True, 1)


def max_pool_back(change: Raw, x: Raw, top: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """Each window's share, in its largest elements."""
    keys = list(window_slices(tuple(top.shape[2:]), sizes, strides, dilations))
    hits = [x[key] == top for key in keys]
    share = change / _counted(hits)
    found = share.new_zeros(x.shape)  # of the share, which torch.func may have a batch of where it has one x
    apart = all(stride >= step * (size - 1) + 1 for size, stride, step in zip(sizes, strides, dilations, strict=True))
    for key, hit in zip(keys, hits, strict=True):
        if apart:
            found[key] = share * hit
        else:
            found[key] += share * hit
    return found


def max_pool_along(change: Raw, x: Raw, top: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """The mean over the largest elements of each window."""
    keys = list(window_slices(tuple(top.shape[2:]), sizes, strides, dilations))
    hits = [x[key] == top for key in keys]
    found = change[keys[0]] * hits[0]
    for key, hit in zip(keys[1:], hits[1:], strict=True):
        found = found + change[key] * hit
    return found / _counted(hits)


def _counted(hits: list[Raw]) -> Raw:
    """How many of the elements of each window are the largest."""
    count = hits[0].to(torch.int32)
    for hit in hits[1:]:
        count += hit
    return count


NETWORKS: dict[str, Callable[..., Raw]] = {
    "windows": windows,
    "convolution": convolution,
    "silu": silu,
    "softmax": torch.softmax,
    "linear": linear,
    "embedding": embedding,
    "embedding_back": embedding_back,
    "standardised": standardised,
    "normalised": normalised,
    "max_pool": max_pool,
    "sum_pool": sum_pool,
    "max_pool_back": max_pool_back,
    "max_pool_along": max_pool_along,
}
