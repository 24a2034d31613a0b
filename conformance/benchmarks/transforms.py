"""Speed and memory of the transforms beside their limits: part of ``make bench``."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from measuring import Row

import unigrad as ug

LAYERS = 1_000
WIDTH = 2_000


def layer(x: Any, scale: Any, shift: Any) -> Any:
    """One of many layers: three operations, of which two keep what they computed."""
    return ug.tanh(x * scale + shift)


def whole(x: Any, scale: Any, shift: Any) -> Any:
    """All layers, recorded as they are."""
    for _ in range(LAYERS):
        x = layer(x, scale, shift)
    return x


def in_segments(x: Any, scale: Any, shift: Any) -> Any:
    """The same with a checkpoint after each of about sqrt(LAYERS) segments."""
    length = math.isqrt(LAYERS)

    for start in range(0, LAYERS, length):
        count = min(length, LAYERS - start)

        @ug.checkpoint
        def segment(x: Any, count: int = count) -> Any:
            for _ in range(count):
                x = layer(x, scale, shift)
            return x

        x = segment(x)
    return x


def peak(program: Callable[..., Any]) -> tuple[int, list[np.ndarray[Any, Any]]]:
    """The most memory that arrays and graph take at once, forward and backward, and the gradients."""
    arrays = [ug.asarray(values) for values in np.random.default_rng(0).normal(size=(3, WIDTH))]
    for array in arrays:
        array.attach_grad()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        with ug.record():
            y = program(*arrays)
        y.backward()
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return most - before, [array.grad.numpy() for array in arrays]


def checkpoint_row() -> Row:
    """Memory with checkpoints over memory without, on the native engine."""
    with ug.use_backend("numpy"):
        (without, expected), (with_them, found) = peak(whole), peak(in_segments)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    name = f"peak memory, {LAYERS:,} layers in sqrt(n) checkpoints / without"
    return Row(name, with_them / without, 0.25)


def transform_rows() -> Iterator[Row]:
    """The rows of this page."""
    yield checkpoint_row()
