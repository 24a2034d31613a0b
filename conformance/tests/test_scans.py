"""Running products and extremes: their derivatives while a framework traces, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug

FRAMEWORKS = ("numpy", "torch", "tensorflow", "mxnet", "jax")
CUMPROD = ug.grad(lambda x: (ug.cumulative_prod(x) * ug.asarray([1.0, 2.0, 4.0, 8.0], like=x)).sum())
GIVEN = np.array([2.0, 0.0, 3.0, 0.5], np.float32)
EXPECTED = np.array([1.0, 2 * 2 + 4 * 6 + 8 * 3, 0.0, 0.0])


def _by_torch(values: Any) -> Any:
    import torch

    return torch.func.vmap(CUMPROD)(torch.tensor(values[None]))[0].numpy()


def _by_tensorflow(values: Any) -> Any:
    import tensorflow as tf

    return tf.function(CUMPROD, autograph=False)(tf.constant(values)).numpy()


def _by_jax(values: Any) -> Any:
    import jax

    return np.asarray(jax.jit(CUMPROD)(values))


@pytest.mark.parametrize("traced", [_by_torch, _by_tensorflow, _by_jax])
def test_running_products_while_traced(traced: Callable[[Any], Any]) -> None:
    with ug.use_backend(traced.__name__.removeprefix("_by_")):
        np.testing.assert_allclose(traced(GIVEN), EXPECTED, rtol=1e-6)


@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_running_products_beyond_the_range(backend: str) -> None:
    """Where a product is 0 or infinite although no element is, nothing can be divided by."""
    with ug.use_backend(backend):
        slope = ug.grad(lambda x: ug.cumulative_prod(x).sum())
        tiny, large = np.array([1e-200, 1e-200, 1e300]), np.array([1e200, 1e200, 1e-300])
        np.testing.assert_allclose(slope(ug.asarray(tiny)).numpy(), [1 + 1e-200 + 1e100, 1e-200 + 1e100, 0], rtol=1e-12)
        np.testing.assert_allclose(slope(ug.asarray(large)).numpy()[:1], [1 + 1e200 + 1e-100], rtol=1e-12)


@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_a_zero_among_many_costs_little(backend: str) -> None:
    """Not an operation for each element: a thousand took a second."""
    with ug.use_backend(backend):
        values = np.full(2000, 1.001)
        values[3] = 0
        x = ug.asarray(values)
        slope = ug.grad(lambda x: ug.cumulative_prod(x).sum())
        slope(x).numpy()
        start = time.perf_counter()
        slope(x).numpy()
        assert time.perf_counter() - start < 1.0
