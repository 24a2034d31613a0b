"""Optimisers of others train what unigrad differentiates, as the README shows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unigrad as ug

X = np.random.default_rng(0).normal(size=(64, 3)).astype(np.float32)
W, B = np.array([1.0, -2.0, 0.5], np.float32), 0.25
Y = X @ W + B


def loss(parameters: Any, x: Any, y: Any) -> Any:
    return ug.mean((x @ parameters["w"] + parameters["b"] - y) ** 2)


def test_optax_with_jax() -> None:
    optax, jnp = pytest.importorskip("optax"), pytest.importorskip("jax.numpy")
    parameters = {"w": jnp.zeros(3), "b": jnp.zeros(())}
    optimiser = optax.adam(0.1)
    state = optimiser.init(parameters)
    for _ in range(200):
        _, gradients = ug.value_and_grad(loss)(parameters, X, Y)
        updates, state = optimiser.update(gradients, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
    np.testing.assert_allclose(parameters["w"], W, atol=1e-2)


def test_torch_optim() -> None:
    torch = pytest.importorskip("torch")
    parameters = {"w": torch.zeros(3), "b": torch.zeros(())}
    optimiser = torch.optim.Adam(parameters.values(), lr=0.1)
    for _ in range(200):
        _, gradients = ug.value_and_grad(loss)(parameters, X, Y)
        for name, parameter in parameters.items():
            parameter.grad = gradients[name]
        optimiser.step()
    np.testing.assert_allclose(parameters["w"], W, atol=1e-2)


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_scipy_optimize(backend: str) -> None:
    optimize = pytest.importorskip("scipy.optimize")

    def f(w: Any) -> Any:
        return ug.mean((X.astype(np.float64) @ w[:3] + w[3] - Y.astype(np.float64)) ** 2)

    with ug.use_backend(backend):
        found = optimize.minimize(ug.value_and_grad(f), np.zeros(4), jac=True, method="L-BFGS-B")
    np.testing.assert_allclose(found.x, [*W, B], atol=1e-3)


def test_gradient_descent_by_hand_over_containers() -> None:
    parameters = {"w": ug.zeros(3), "b": ug.zeros(())}
    for _ in range(200):
        gradients = ug.grad(loss)(parameters, X, Y)
        parameters = ug.tree_map(lambda w, g: w - 0.1 * g, parameters, gradients)
    np.testing.assert_allclose(parameters["w"].numpy(), W, atol=1e-2)
