"""Convolutions of more products than are added up at a time: values, gradients, and the memory that they take."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

import unigrad as ug

FIRST, SECOND = np.random.default_rng(0).normal(size=(2, 900))
BACKENDS = ("numpy", "torch", "tensorflow", "mxnet", "jax")


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("width", [3, 400, 899])
def test_many_blocks_are_one_convolution(backend: str, width: int) -> None:
    second = SECOND[:width]
    with ug.use_backend(backend):
        x, y = ug.asarray(FIRST), ug.asarray(second)
    for mode in ("full", "same", "valid"):
        value, gradients = ug.value_and_grad(lambda x, y, mode=mode: (ug.convolve(x, y, mode) ** 2).sum(), (0, 1))(x, y)
        found = np.convolve(FIRST, second, mode)
        np.testing.assert_allclose(float(value), (found**2).sum(), rtol=1e-12)
        start = {"full": 0, "same": (width - 1) // 2, "valid": width - 1}[mode]
        back = np.zeros(FIRST.size + width - 1)
        back[start : start + found.size] = 2 * found
        wanted = np.correlate(back, second, "valid"), np.correlate(back, FIRST, "valid")
        for one, other in zip(gradients, wanted, strict=True):
            np.testing.assert_allclose(one.numpy(), other, rtol=1e-9, atol=1e-9)
        counted = ug.convolve(x.astype(ug.int64), y.astype(ug.int64), mode)
        assert counted.tolist() == np.convolve(FIRST.astype(int), second.astype(int), mode).tolist()


def test_memory_grows_with_the_vectors_and_not_with_their_product() -> None:
    x, y = ug.ones(20_000), ug.ones(2_000)
    tracemalloc.start()
    ug.grad(lambda x: ug.convolve(x, y).sum())(x)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 20 * (x.nbytes + y.nbytes)


@pytest.mark.parametrize("backend", BACKENDS)
def test_infinity_meets_elements_alone(backend: str) -> None:
    x, y = np.array([1.0, -2.0, 3.0]), np.array([np.inf, 1.0])
    with ug.use_backend(backend):
        for first, second in ((x, y), (y, x)):
            found = ug.convolve(ug.asarray(first), ug.asarray(second)).numpy()
            np.testing.assert_array_equal(found, np.convolve(first, second))
