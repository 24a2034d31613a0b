"""Windows and convolutions over an array module that follows NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unigrad.base.words import Raw, Shape


def networks(xp: Any) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. A convolution is composed, over these windows."""

    def windows(x: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
        axes = tuple(range(x.ndim - len(sizes), x.ndim))
        reach = tuple(step * (size - 1) + 1 for size, step in zip(sizes, dilations, strict=True))
        view = xp.lib.stride_tricks.sliding_window_view(x, reach, axis=axes)
        key = [slice(None)] * (x.ndim - len(sizes)) + [slice(None, None, step) for step in (*strides, *dilations)]
        # A view of overlapping elements: a Tensor is a value, so that writing to one's raw array is safe.
        return view[tuple(key)].copy()

    return {"windows": windows}
