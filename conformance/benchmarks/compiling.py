"""``ug.compile`` beside the tape, beside compilers written by hand, and beside PyTorch; part of ``make bench``."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from adbench import PROBLEMS, unigrad_namespace
from measuring import Program, Row, fastest
from networks import block_data, in_torch, torch_block, unigrad_block

import unigrad as ug

TRIPLES = 333


def chain(tanh: Callable[[Any], Any], x: Any, scale: Any, shift: Any) -> Any:
    """The sum of 333 times multiply, add and tanh."""
    for _ in range(TRIPLES):
        x = tanh(x * scale + shift)
    return x.sum()


def chain_data(elements: int) -> list[np.ndarray[Any, Any]]:
    """Three float64 vectors."""
    return list(np.random.default_rng(0).normal(size=(3, elements)))


def taped(f: Callable[..., Any], arrays: list[Any], count: int) -> Program:
    """Forward and backward of f by the tape, the gradients of the first arrays."""

    def program() -> Any:
        for array in arrays[:count]:
            array.attach_grad()
        with ug.record():
            y = f(*arrays)
        y.backward()
        return [array.grad for array in arrays[:count]]

    return program


def compiled(f: Callable[..., Any], arrays: list[Any], count: int, **options: Any) -> Program:
    """The same, compiled."""
    step = ug.compile(ug.value_and_grad(f, argnums=tuple(range(count))), **options)
    return lambda: step(*arrays)[1]


# --- rows -------------------------------------------------------------------------------------------------------------


def chain_rows() -> Iterator[Row]:
    """The chain of 999, three gradients."""
    for elements, limit in ((10, 0.32), (1000, 0.45), (30_000, 0.58)):
        arrays = [ug.asarray(values) for values in chain_data(elements)]
        programs = {"tape": taped(_ours, arrays, 3), "compiled": compiled(_ours, arrays, 3)}
        _agree(programs)
        best = fastest(programs)
        yield Row(
            f"native compiled / native tape, chain of 999, {elements} elements", best["compiled"] / best["tape"], limit
        )


def _ours(*arrays: Any) -> Any:
    return chain(ug.tanh, *arrays)


def _agree(programs: dict[str, Program]) -> None:
    first, *others = [[np.asarray(x) for x in program()] for program in programs.values()]
    for other in others:
        for x, y in zip(first, other, strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-4, atol=1e-5)


def jax_rows() -> Iterator[Row]:
    """Beside ``jax.jit`` written by hand: the native engine, and JAX through ``ug.compile``."""
    import jax
    import jax.numpy as jnp

    with jax.enable_x64(True):
        for elements, limit in ((1000, 1.0), (30_000, 0.5)):
            values = chain_data(elements)
            raws = [jnp.asarray(each) for each in values]
            by_hand = jax.jit(jax.value_and_grad(lambda *xs: chain(jnp.tanh, *xs), argnums=(0, 1, 2)))
            start = time.perf_counter()
            jax.block_until_ready(by_hand(*raws))
            compiling = time.perf_counter() - start
            native = [ug.asarray(each) for each in values]
            start = time.perf_counter()
            program = compiled(_ours, native, 3)
            program()
            first = time.perf_counter() - start
            programs = {"jax": lambda f=by_hand, xs=raws: jax.block_until_ready(f(*xs)[1]), "native": program}
            _agree(programs)
            best = fastest(programs)
            yield Row(
                f"native compiled / jax.jit, chain of 999, {elements} elements", best["native"] / best["jax"], limit
            )
            yield Row(
                f"first call: native compile / jax.jit, chain of 999, {elements} elements", first / compiling, 0.05
            )
        arrays = [jnp.asarray(each) for each in chain_data(10_000)]
        short = jax.jit(jax.value_and_grad(lambda *xs: _short(jnp.sin, *xs), argnums=(0, 1, 2)))
        ours = compiled(lambda *xs: _short(ug.sin, *xs), arrays, 3)
        programs = {
            "hand": lambda: jax.block_until_ready(short(*arrays)[1]),
            "ours": lambda: jax.block_until_ready(ours()),
        }
        _agree(programs)
        best = fastest(programs)
        yield Row("JAX: compiled / jax.jit by hand, chain of 30, 10,000 elements", best["ours"] / best["hand"], 1.02)


def _short(sin: Callable[[Any], Any], x: Any, scale: Any, shift: Any) -> Any:
    """The sum of 10 times multiply, add and sine, whose derivative all have by one formula."""
    for _ in range(10):
        x = sin(x * scale + shift)
    return x.sum()


def tensorflow_rows() -> Iterator[Row]:
    """Beside ``tf.function`` written by hand."""
    import tensorflow as tf

    raws = [tf.constant(each) for each in chain_data(10_000)]

    @tf.function
    def by_hand(*xs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(xs)
            y = tf.reduce_sum(_short_tensor(*xs))
        return tape.gradient(y, xs)

    def _short_tensor(x: Any, scale: Any, shift: Any) -> Any:
        for _ in range(10):
            x = tf.sin(x * scale + shift)
        return x

    programs = {"hand": lambda: by_hand(*raws), "ours": compiled(lambda *xs: _short(ug.sin, *xs), raws, 3)}
    _agree(programs)
    best = fastest(programs)
    yield Row(
        "TensorFlow: compiled / tf.function by hand, chain of 30, 10,000 elements", best["ours"] / best["hand"], 1.05
    )


def torch_rows() -> Iterator[Row]:
    """Beside ``torch.compile`` written by hand, whose forward and backward are one compiled program each."""
    import torch

    raws = [torch.tensor(each) for each in chain_data(10_000)]
    forward = torch.compile(lambda *xs: _short(torch.sin, *xs))

    def by_hand() -> Any:
        leaves = [raw.detach().requires_grad_() for raw in raws]
        return torch.autograd.grad(forward(*leaves), leaves)

    programs = {"hand": by_hand, "ours": compiled(lambda *xs: _short(ug.sin, *xs), raws, 3, engine="inductor")}
    _agree(programs)
    best = fastest(programs)
    yield Row(
        "PyTorch: compiled by inductor / torch.compile by hand, chain of 30, 10,000 elements",
        best["ours"] / best["hand"],
        1.05,
    )


def _bound(objective: Callable[..., Any], constants: list[Any]) -> Callable[..., Any]:
    xp = unigrad_namespace()
    return lambda *leaves: objective(xp, *leaves, *constants)


def program_rows() -> Iterator[Row]:
    """Programs that somebody may have: three of ADBench's, and a transformer block."""
    for name, limit in (("LSTM", 0.35), ("Hand", 0.35), ("GMM", 0.75)):
        objective, data = PROBLEMS[name]
        parameters, given = data()
        leaves = [ug.asarray(values) for values in parameters]
        constants = [values if values.dtype.kind == "i" else ug.asarray(values) for values in given]
        bound = _bound(objective, constants)
        programs = {"tape": taped(bound, leaves, len(leaves)), "compiled": compiled(bound, leaves, len(leaves))}
        _agree(programs)
        best = fastest(programs)
        yield Row(f"native compiled / native tape, ADBench's {name}", best["compiled"] / best["tape"], limit)
    inputs, parameters = block_data()
    block = [ug.asarray(values) for values in (*inputs, *parameters)]
    step = ug.compile(ug.value_and_grad(unigrad_block, argnums=tuple(range(2, len(block)))))
    programs = {"PyTorch": in_torch(torch_block, inputs, parameters), "native": lambda: step(*block)[1]}
    _agree(programs)
    best = fastest(programs, 8.0)
    yield Row("native compiled / PyTorch eager, transformer block", best["native"] / best["PyTorch"], 1.0)


MEMORY = """
import sys, tracemalloc
import numpy as np
import unigrad as ug

rng = np.random.default_rng(0)
weights = [ug.asarray(rng.normal(size=(256, 256)).astype("float32") / 16) for _ in range(20)]
x = ug.asarray(rng.normal(size=(512, 256)).astype("float32"))

def loss(weights, x):
    for w in weights:
        x = ug.tanh(x @ w)
    return (x * x).mean()

def tape():
    for w in weights:
        w.attach_grad()
    with ug.record():
        y = loss(weights, x)
    y.backward()
    for w in weights:
        w -= 0.1 * w.grad

step = ug.compile(ug.grad(loss))

def compiled():
    for w, g in zip(weights, step(weights, x)):
        w -= 0.1 * g

run = {"tape": tape, "compiled": compiled}[sys.argv[1]]
run()
if sys.argv[1] == "compiled":
    step._last()._plan._spare.clear()
tracemalloc.start()
run()
print(tracemalloc.get_traced_memory()[1])
"""


def memory_rows() -> Iterator[Row]:
    """The peak of one training step, the plan's buffers included."""
    peaks = []
    for side in ("compiled", "tape"):
        output = subprocess.run([sys.executable, "-c", MEMORY, side], check=True, capture_output=True, text=True).stdout
        peaks.append(float(output))
    yield Row("peak memory of a training step, 20 layers: native compiled / tape", peaks[0] / peaks[1], 0.8)


def compiling_rows() -> Iterator[Row]:
    """All of this page."""
    for rows in (chain_rows, program_rows, memory_rows, tensorflow_rows, torch_rows, jax_rows):
        yield from rows()
