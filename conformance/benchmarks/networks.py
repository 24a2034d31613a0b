"""What networks cost beside PyTorch's own functions: a transformer block and a small convolutional network, forward
and backward; part of ``make bench``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from measuring import Program, Row, fastest

import unigrad as ug

Values = np.ndarray[Any, Any]
Network = Callable[..., Any]
"""The loss, of an input, its labels and the parameters."""

WORDS, HEADS = 100, 4
BATCH, LENGTH, WIDTH = 4, 32, 64


def block_data() -> tuple[list[Values], list[Values]]:
    """Tokens and labels, and the parameters, float32."""
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> Values:
        return (rng.normal(size=shape) / math.sqrt(shape[-1])).astype("float32")

    def shift(size: int) -> Values:
        return rng.normal(size=size, scale=0.1).astype("float32")

    tokens, labels = rng.integers(0, WORDS, (2, BATCH, LENGTH))
    scale = (1 + shift(WIDTH), shift(WIDTH))
    parameters = [
        weight(WORDS, WIDTH), *scale, weight(3 * WIDTH, WIDTH), shift(3 * WIDTH), weight(WIDTH, WIDTH), shift(WIDTH),
        *scale, weight(4 * WIDTH, WIDTH), shift(4 * WIDTH), weight(WIDTH, 4 * WIDTH), shift(WIDTH),
        *scale, weight(WORDS, WIDTH), shift(WORDS),
    ]  # fmt: skip
    return [tokens, labels], [np.array(values) for values in parameters]


def unigrad_block(
    tokens: Any, labels: Any, words: Any, w1: Any, b1: Any, wi: Any, bi: Any, wo: Any, bo: Any, w2: Any, b2: Any,
    wu: Any, bu: Any, wd: Any, bd: Any, w3: Any, b3: Any, wl: Any, bl: Any,
) -> Any:  # fmt: skip
    """Embedding, causal attention and a multilayer perceptron, each behind a layer norm, and the words' logits."""
    x = ug.nn.embedding(tokens, words)
    parts = ug.nn.linear(ug.nn.layer_norm(x, w1, b1), wi, bi)
    heads = parts.reshape((BATCH, LENGTH, 3, HEADS, WIDTH // HEADS))
    q, k, v = (ug.permute_dims(heads[:, :, part], (0, 2, 1, 3)) for part in range(3))
    seen = ug.nn.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + ug.nn.linear(ug.permute_dims(seen, (0, 2, 1, 3)).reshape((BATCH, LENGTH, WIDTH)), wo, bo)
    x = x + ug.nn.linear(ug.nn.gelu(ug.nn.linear(ug.nn.layer_norm(x, w2, b2), wu, bu)), wd, bd)
    logits = ug.nn.linear(ug.nn.layer_norm(x, w3, b3), wl, bl)
    return ug.nn.cross_entropy(logits.reshape((BATCH * LENGTH, WORDS)), labels.reshape(-1))


def torch_block(
    tokens: Any, labels: Any, words: Any, w1: Any, b1: Any, wi: Any, bi: Any, wo: Any, bo: Any, w2: Any, b2: Any,
    wu: Any, bu: Any, wd: Any, bd: Any, w3: Any, b3: Any, wl: Any, bl: Any,
) -> Any:  # fmt: skip
    """The same in PyTorch's own functions."""
    from torch.nn import functional

    x = functional.embedding(tokens, words)
    parts = functional.linear(functional.layer_norm(x, (WIDTH,), w1, b1), wi, bi)
    heads = parts.reshape(BATCH, LENGTH, 3, HEADS, WIDTH // HEADS)
    q, k, v = (heads[:, :, part].permute(0, 2, 1, 3) for part in range(3))
    seen = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    x = x + functional.linear(seen.permute(0, 2, 1, 3).reshape(BATCH, LENGTH, WIDTH), wo, bo)
    x = x + functional.linear(
        functional.gelu(functional.linear(functional.layer_norm(x, (WIDTH,), w2, b2), wu, bu)), wd, bd
    )
    logits = functional.linear(functional.layer_norm(x, (WIDTH,), w3, b3), wl, bl)
    return functional.cross_entropy(logits.reshape(BATCH * LENGTH, WORDS), labels.reshape(-1))


def jax_block(
    tokens: Any, labels: Any, words: Any, w1: Any, b1: Any, wi: Any, bi: Any, wo: Any, bo: Any, w2: Any, b2: Any,
    wu: Any, bu: Any, wd: Any, bd: Any, w3: Any, b3: Any, wl: Any, bl: Any,
) -> Any:  # fmt: skip
    """The same written in JAX."""
    import jax
    import jax.numpy as jnp

    def norm(x: Any, weight: Any, bias: Any) -> Any:
        apart = x - jnp.mean(x, axis=-1, keepdims=True)
        return apart / jnp.sqrt(jnp.mean(apart * apart, axis=-1, keepdims=True) + 1e-5) * weight + bias

    x = words[tokens]
    parts = norm(x, w1, b1) @ wi.T + bi
    heads = parts.reshape(BATCH, LENGTH, 3, HEADS, WIDTH // HEADS)
    q, k, v = (jnp.transpose(heads[:, :, part], (0, 2, 1, 3)) for part in range(3))
    scores = (q / math.sqrt(WIDTH // HEADS)) @ jnp.swapaxes(k, -1, -2)
    scores = jnp.where(jnp.tri(LENGTH, dtype=bool), scores, -jnp.inf)
    seen = jax.nn.softmax(scores, axis=-1) @ v
    x = x + jnp.transpose(seen, (0, 2, 1, 3)).reshape(BATCH, LENGTH, WIDTH) @ wo.T + bo
    x = x + jax.nn.gelu(norm(x, w2, b2) @ wu.T + bu, approximate=False) @ wd.T + bd
    logits = jax.nn.log_softmax(norm(x, w3, b3) @ wl.T + bl, axis=-1)
    return -jnp.mean(jnp.take_along_axis(logits, labels[..., None], axis=-1))


def compiled(network: Network, inputs: list[Values], parameters: list[Values], through: bool) -> Program:
    """All gradients by ``jax.jit``: of a network in JAX or, ``through`` unigrad, of one in unigrad."""
    import jax
    import jax.numpy as jnp

    given, leaves = ([jnp.asarray(values) for values in arrays] for arrays in (inputs, parameters))
    numbers = tuple(range(len(leaves)))
    if through:
        gradient = ug.grad(lambda *leaves: network(*map(ug.asarray, given), *leaves), argnums=numbers)
    else:
        gradient = jax.grad(lambda *leaves: network(*given, *leaves), argnums=numbers)
    run = jax.jit(gradient)
    return lambda: jax.block_until_ready(run(*leaves))


def compiled_rows() -> Iterator[Row]:
    """The transformer block under ``jax.jit``."""
    given = block_data()
    programs = {
        "unigrad": compiled(unigrad_block, *given, through=True),
        "JAX": compiled(jax_block, *given, through=False),
    }
    for gradient, expected in zip(*[program() for program in programs.values()], strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5)
    best = fastest(programs, 8.0)
    yield Row("jax.jit of unigrad / jax.jit of JAX, transformer block", best["unigrad"] / best["JAX"], 1.03)


def cnn_data() -> tuple[list[Values], list[Values]]:
    """Images and labels, and the parameters, float32."""
    rng = np.random.default_rng(0)

    def weight(*shape: int) -> Values:
        return (rng.normal(size=shape) / math.sqrt(math.prod(shape[1:]))).astype("float32")

    def shift(size: int) -> Values:
        return rng.normal(size=size, scale=0.1).astype("float32")

    images = rng.normal(size=(32, 1, 28, 28)).astype("float32")
    parameters = [weight(8, 1, 3, 3), shift(8), weight(16, 8, 3, 3), shift(16), weight(10, 16 * 12 * 12), shift(10)]
    return [images, rng.integers(0, 10, 32)], parameters


def unigrad_cnn(images: Any, labels: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
    """Two convolutions, the largest of each four, and a layer."""
    x = ug.nn.relu(ug.nn.conv2d(images, w1, b1))
    x = ug.nn.max_pool2d(ug.nn.relu(ug.nn.conv2d(x, w2, b2)), 2)
    return ug.nn.cross_entropy(ug.nn.linear(x.reshape((x.shape[0], -1)), w3, b3), labels)


def torch_cnn(images: Any, labels: Any, w1: Any, b1: Any, w2: Any, b2: Any, w3: Any, b3: Any) -> Any:
    """The same in PyTorch's own functions."""
    from torch.nn import functional

    x = functional.relu(functional.conv2d(images, w1, b1))
    x = functional.max_pool2d(functional.relu(functional.conv2d(x, w2, b2)), 2)
    return functional.cross_entropy(functional.linear(x.reshape(x.shape[0], -1), w3, b3), labels)


def through_unigrad(backend: str, network: Network, inputs: list[Values], parameters: list[Values]) -> Program:
    """Loss and backward through unigrad; all gradients."""
    namespace = ug.namespace(backend)
    given, leaves = ([namespace.asarray(values) for values in arrays] for arrays in (inputs, parameters))
    for leaf in leaves:
        leaf.attach_grad()

    def program() -> Any:
        with ug.record():
            loss = network(*given, *leaves)
        loss.backward()
        return [leaf.grad for leaf in leaves]

    return program


def in_torch(network: Network, inputs: list[Values], parameters: list[Values]) -> Program:
    """The same in plain PyTorch, as its users write it."""
    import torch

    torch.set_num_threads(1)
    given = [torch.tensor(values) for values in inputs]
    leaves = [torch.tensor(values, requires_grad=True) for values in parameters]

    def program() -> Any:
        for leaf in leaves:
            leaf.grad = None
        network(*given, *leaves).backward()
        return [leaf.grad for leaf in leaves]

    return program


NETWORKS = {
    f"transformer block, {BATCH} x {LENGTH} x {WIDTH}": (block_data, unigrad_block, torch_block, 1.08, 1.5),
    "convolutional network, 32 of 28 x 28": (cnn_data, unigrad_cnn, torch_cnn, 1.05, 3.0),
}
"""The data, the network twice, and the limits of PyTorch through unigrad and of the native engine."""


def network_rows() -> Iterator[Row]:
    """All gradients of each network, beside plain PyTorch's."""
    for name, (data, ours, theirs, *limits) in NETWORKS.items():
        given = data()
        programs = {
            "PyTorch through unigrad": through_unigrad("torch", ours, *given),
            "native engine": through_unigrad("numpy", ours, *given),
            "PyTorch": in_torch(theirs, *given),
        }
        found = {side: [np.asarray(gradient) for gradient in program()] for side, program in programs.items()}
        for side in found:
            for gradient, expected in zip(found[side], found["PyTorch"], strict=True):
                np.testing.assert_allclose(gradient, expected, rtol=1e-4, atol=1e-5, err_msg=f"{name}: {side}")
        best = fastest(programs, 8.0)
        for side, limit in zip(("PyTorch through unigrad", "native engine"), limits, strict=True):
            yield Row(f"{side} / PyTorch, {name}", best[side] / best["PyTorch"], limit)
