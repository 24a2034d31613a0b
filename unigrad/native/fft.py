"""Fourier transforms over an array module that follows NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.base.words import Raw


def fourier(xp: Any) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. With the norm ``"forward"`` an inverse is not divided."""

    def fft(x: Raw, axis: int, inverse: bool) -> Raw:
        return xp.fft.ifft(x, axis=axis, norm="forward") if inverse else xp.fft.fft(x, axis=axis)

    return {
        "fft": fft,
        "rfft": lambda x, axis: xp.fft.rfft(x, axis=axis),
        "irfft": lambda x, axis, n: xp.fft.irfft(x, n, axis=axis, norm="forward"),
    }
