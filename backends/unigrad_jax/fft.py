"""Fourier transforms over JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp

from unigrad.extend import Raw


def fft(x: Raw, axis: int, inverse: bool) -> Raw:
    """Of the norm ``"forward"`` an inverse is not divided."""
    return jnp.fft.ifft(x, axis=axis, norm="forward") if inverse else jnp.fft.fft(x, axis=axis)


def rfft(x: Raw, axis: int) -> Raw:
    """Of float16 and bfloat16, which JAX does not transform, to complex64."""
    return jnp.fft.rfft(x.astype("float32") if x.dtype.itemsize == 2 else x, axis=axis)


FOURIER: dict[str, Callable[..., Raw]] = {
    "fft": fft,
    "rfft": rfft,
    "irfft": lambda x, axis, n: jnp.fft.irfft(x, n, axis=axis, norm="forward"),
}
