"""Windows and convolutions over PyTorch tensors."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.nn import functional

from unigrad.extend import Raw, Shape


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
    return torch.convolution(x, w, None, strides, pads, dilations, False, (0,) * len(pads), groups)


NETWORKS: dict[str, Callable[..., Raw]] = {"windows": windows, "convolution": convolution}
