"""Speed and memory of the transforms beside their limits: part of ``make bench``."""

from __future__ import annotations

import itertools
import math
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from measuring import Program, Row, fastest
from network import step_data

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


# --- a network's gradient ------------------------------------------------------------------------------------


def loss(parameters: Any, x: Any, labels: Any) -> Any:
    """Of the 64-256-10 network, through unigrad."""
    w1, b1, w2, b2 = parameters
    return ug.nn.cross_entropy(ug.nn.relu(x @ w1 + b1) @ w2 + b2, labels)


def same(programs: dict[str, Program]) -> None:
    """Fail unless all programs return the same value and gradients."""
    results = [program() for program in programs.values()]
    for (value, gradients), (other_value, other_gradients) in itertools.pairwise(results):
        np.testing.assert_allclose(float(value), float(other_value), rtol=1e-5)
        for one, other in zip(gradients, other_gradients, strict=True):
            np.testing.assert_allclose(np.asarray(one), np.asarray(other), rtol=1e-3, atol=1e-6)


def torch_row() -> Row:
    """On raw PyTorch arrays, beside torch.func, which returns the gradients first."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    start, x, labels = step_data()
    given = ([torch.tensor(values) for values in start], torch.tensor(x), torch.tensor(labels))

    def theirs(parameters: Any, x: Any, labels: Any) -> Any:
        w1, b1, w2, b2 = parameters
        return functional.cross_entropy(functional.relu(x @ w1 + b1) @ w2 + b2, labels)

    ours, grad_and_value = ug.value_and_grad(loss), torch.func.grad_and_value(theirs)
    programs = {"unigrad": lambda: ours(*given), "PyTorch": lambda: grad_and_value(*given)[::-1]}
    same(programs)
    best = fastest(programs)
    name = "ug.value_and_grad / torch.func.grad_and_value, 64-256-10"
    return Row(name, best["unigrad"] / best["PyTorch"], 1.0)


def jax_row() -> Row:
    """Compiled by JAX, beside JAX's own gradient of the same network."""
    import jax
    import jax.numpy as jnp

    start, x, labels = step_data()
    given = ([jnp.asarray(values) for values in start], jnp.asarray(x), jnp.asarray(labels))

    def theirs(parameters: Any, x: Any, labels: Any) -> Any:
        w1, b1, w2, b2 = parameters
        scores = jax.nn.log_softmax(jax.nn.relu(x @ w1 + b1) @ w2 + b2)
        return -jnp.take_along_axis(scores, labels[:, None], 1).mean()

    ours, own = jax.jit(ug.value_and_grad(loss)), jax.jit(jax.value_and_grad(theirs))
    programs = {
        "unigrad": lambda: jax.block_until_ready(ours(*given)),
        "JAX": lambda: jax.block_until_ready(own(*given)),
    }
    same(programs)
    best = fastest(programs, 10.0)
    return Row(
        "jax.jit(ug.value_and_grad) / jax.jit(jax.value_and_grad), 64-256-10", best["unigrad"] / best["JAX"], 1.02
    )


# --- second derivatives and matrices -----------------------------------------------------------------------


def hvp_row() -> Row:
    """A Hessian-vector product of a chain of 300 operations, natively, beside HIPS autograd's."""
    import autograd
    import autograd.numpy as anp

    def chain(sin: Callable[[Any], Any], x: Any) -> Any:
        for _ in range(100):
            x = sin(x) * 1.01 + 0.1
        return x

    x, v = np.linspace(0.1, 1, 10), np.ones(10)
    theirs = autograd.hessian_vector_product(lambda x: anp.sum(chain(anp.sin, x)))
    with ug.use_backend("numpy"):
        tx, tv = ug.asarray(x), ug.asarray(v)
        programs = {
            "native": lambda: ug.hvp(lambda x: ug.sum(chain(ug.sin, x)), (tx,), (tv,))[0].numpy(),
            "HIPS autograd": lambda: theirs(x, v),
        }
        found, expected = (program() for program in programs.values())
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        best = fastest(programs)
    name = "ug.hvp native / HIPS autograd, chain of 300 at 10 elements"
    return Row(name, best["native"] / best["HIPS autograd"], 0.25)


SIZE = 100


def jacobian_row() -> Row:
    """The Jacobian of two layers of SIZE by SIZE, natively, beside one vector-Jacobian product for each row."""
    numbers = np.random.default_rng(0).normal(size=(SIZE + 1, SIZE)) / SIZE**0.5
    with ug.use_backend("numpy"):
        w, x = ug.asarray(numbers[1:]), ug.asarray(numbers[0])
        rows = [ug.asarray(row) for row in np.eye(SIZE)]

        def f(x: Any) -> Any:
            return ug.tanh(w @ ug.tanh(w @ x))

        def one_by_one() -> Any:
            return [ug.vjp(f, x)[1](row)[0] for row in rows]

        programs = {"jacobian": lambda: ug.jacobian(f, mode="reverse")(x), "one by one": one_by_one}
        found, expected = (program() for program in programs.values())
        np.testing.assert_allclose(found.numpy(), np.stack([row.numpy() for row in expected]), rtol=1e-9, atol=1e-12)
        best = fastest(programs)
    name = f"Jacobian of a {SIZE}-to-{SIZE} map / {SIZE} vjp calls, native"
    return Row(name, best["jacobian"] / best["one by one"], 0.2)


def transform_rows() -> Iterator[Row]:
    """The rows of this page."""
    yield torch_row()
    yield jax_row()
    yield hvp_row()
    yield jacobian_row()
    yield checkpoint_row()
