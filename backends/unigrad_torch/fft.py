"""Fourier transforms over PyTorch tensors.

Of no elements PyTorch's raise. Here the result then is anything of the right shape that PyTorch has recorded.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

from unigrad.extend import Raw


def fft(x: Raw, axis: int, inverse: bool) -> Raw:
    """Of the norm ``"forward"`` an inverse is not divided."""
    if not x.numel():
        return x.clone()
    return torch.fft.ifft(x, dim=axis, norm="forward") if inverse else torch.fft.fft(x, dim=axis)


def rfft(x: Raw, axis: int) -> Raw:
    """To complex numbers: of float16 and bfloat16, which PyTorch does not transform, to complex64."""
    if x.dtype in (torch.float16, torch.bfloat16):
        x = x.float()
    if not x.numel():
        return torch.narrow(x, axis, 0, x.shape[axis] // 2 + 1) * 1j
    return torch.fft.rfft(x, dim=axis)


def irfft(x: Raw, axis: int, n: int) -> Raw:
    """From complex numbers."""
    if not x.numel():
        return torch.narrow(torch.cat([x.real, x.real], axis), axis, 0, n)
    return torch.fft.irfft(x, n, dim=axis, norm="forward")


FOURIER: dict[str, Callable[..., Raw]] = {"fft": fft, "rfft": rfft, "irfft": irfft}
