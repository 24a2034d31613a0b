"""Python's numbers beside JAX's arrays, which become arrays when they are met again (those of PyTorch: test_torch)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unigrad as ug

jax = pytest.importorskip("jax")


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize("number", [0.1, -3, 7.25, 0, 0.0, -0.0, 2**60, 10**40, 1e40, float("inf"), float("nan")])
def test_a_number_is_what_numpy_makes_of_it_each_time(dtype: str, number: float) -> None:
    values = np.array([0.5, -2.0, 3.0], dtype)
    with np.errstate(all="ignore"):
        right = [function(values, number) for function in (np.add, np.multiply, np.equal)]
    x = _on_jax(values)
    for _ in range(3):  # the number itself, an array made of it, that array again
        for found, expected in zip([x + number, number * x, x == number], right, strict=True):
            assert str(found.dtype) == str(expected.dtype)
            np.testing.assert_array_equal(found.numpy(), expected)


def test_a_number_that_is_met_again_compiles_nothing_and_has_the_same_derivatives() -> None:
    compiled: list[str] = []
    jax.monitoring.register_event_duration_secs_listener(lambda event, *_, **__: compiled.append(event))
    x = _on_jax(np.array([1.0, 2.0], "float32").reshape((1, 1, 1, 2, 1)))  # of a shape that no other test compiles for
    found = []
    try:
        for _ in range(4):
            x.attach_grad()
            with ug.record():
                slope = ug.gradients(x * 0.8125 * x, x, create_graph=True)
            slope.backward()
            found.append(
                (
                    slope.numpy().ravel().tolist(),
                    x.grad.numpy().ravel().tolist(),
                    sum("backend_compile" in e for e in compiled),
                )
            )
    finally:
        jax.monitoring.clear_event_listeners()
    assert found[0][2] > 0
    assert found[1:] == found[:1] * 3
    assert found[0][:2] == ([1.625, 3.25], [1.625, 1.625])


def _on_jax(values: np.ndarray[Any, Any]) -> Any:
    with ug.use_backend("jax"):
        return ug.asarray(values)
