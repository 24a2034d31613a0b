"""Speed and memory beside their limits: ``make bench``.

One process and one thread. The two sides of a ratio take turns, and each is represented by its fastest
run, since on a shared machine noise only ever adds. Arguments select rows by a part of their name.
Exit status 1 if a row is over its limit.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from adbench import adbench_rows
from compiling import compiling_rows
from lazy import lazy_rows
from measuring import Program, Row, fastest
from network import step_data
from networks import compiled_rows, network_rows
from operations import operation_rows
from transforms import transform_rows

import unigrad as ug


def chain(tanh: Callable[[Any], Any], x: Any, scale: Any, shift: Any, triples: int) -> Any:
    """``triples`` times multiply, add and tanh."""
    for _ in range(triples):
        x = tanh(x * scale + shift)
    return x


def inputs(elements: int) -> list[np.ndarray[Any, Any]]:
    """Three float64 vectors."""
    return list(np.random.default_rng(0).normal(size=(3, elements)))


# --- the chain in every library --------------------------------------------------------------------------


def unigrad_chain(backend: str, elements: int, triples: int, dtype: str = "float64") -> Program:
    """Forward and backward through unigrad, gradients for all three inputs."""
    namespace = ug.namespace(backend)
    arrays = [namespace.asarray(values.astype(dtype)) for values in inputs(elements)]

    def program() -> Any:
        for array in arrays:
            array.attach_grad()
        with ug.record():
            y = chain(ug.tanh, *arrays, triples)
        y.backward()
        return [array.grad.numpy() for array in arrays]

    return program


def torch_chain(elements: int, triples: int) -> Program:
    """The same in PyTorch's eager engine."""
    import torch

    torch.set_num_threads(1)
    arrays = [torch.tensor(values) for values in inputs(elements)]

    def program() -> Any:
        variables = [array.detach().requires_grad_() for array in arrays]
        y = chain(torch.tanh, *variables, triples)
        y.backward(torch.ones_like(y))
        return [variable.grad.numpy() for variable in variables]

    return program


def hips_chain(elements: int, triples: int) -> Program:
    """The same in HIPS autograd."""
    import autograd
    import autograd.numpy as anp

    arrays = inputs(elements)
    gradient = autograd.grad(lambda x, a, b: anp.sum(chain(anp.tanh, x, a, b, triples)), (0, 1, 2))
    return lambda: gradient(*arrays)


def mygrad_chain(elements: int, triples: int) -> Program:
    """The same in MyGrad."""
    import mygrad

    arrays = inputs(elements)

    def program() -> Any:
        variables = [mygrad.tensor(values) for values in arrays]
        chain(mygrad.tanh, *variables, triples).sum().backward()
        return [variable.grad for variable in variables]

    return program


def tensorflow_chain(elements: int, triples: int) -> Program:
    """The same in TensorFlow's eager engine."""
    import tensorflow as tf

    arrays = [tf.constant(values) for values in inputs(elements)]

    def program() -> Any:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for array in arrays:
                tape.watch(array)
            y = chain(tf.tanh, *arrays, triples)
        return [gradient.numpy() for gradient in tape.gradient(y, arrays)]

    return program


def jax_chain(elements: int, triples: int) -> Program:
    """The same in JAX's eager mode."""
    import jax
    import jax.numpy as jnp

    arrays = [jnp.asarray(values, dtype="float32") for values in inputs(elements)]
    gradient = jax.value_and_grad(lambda x, a, b: jnp.sum(chain(jnp.tanh, x, a, b, triples)), (0, 1, 2))
    return lambda: [np.asarray(part) for part in gradient(*arrays)[1]]


def agree(programs: dict[str, Program], tolerance: float) -> None:
    """Fail unless all programs compute the same gradients: a fast wrong answer is no answer."""
    results = {name: program() for name, program in programs.items()}
    reference = next(iter(results.values()))
    for name, result in results.items():
        for ours, theirs in zip(reference, result, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance, err_msg=name)


# --- one training step --------------------------------------------------------------------------------------

RATE = 0.1


def unigrad_step(backend: str) -> Program:
    """Loss, backward and a gradient descent update of a 64-256-10 network through unigrad."""
    namespace = ug.namespace(backend)
    start, x, labels = step_data()
    x, labels = namespace.asarray(x), namespace.asarray(labels)
    parameters = [namespace.asarray(values) for values in start]
    for parameter in parameters:
        parameter.attach_grad()

    def program() -> Any:
        w1, b1, w2, b2 = parameters
        with ug.record():
            loss = ug.nn.cross_entropy(ug.nn.relu(x @ w1 + b1) @ w2 + b2, labels)
        loss.backward()
        for parameter in parameters:
            parameter -= RATE * parameter.grad
        return loss

    return program


def torch_step() -> Program:
    """The same in plain PyTorch, as its users write it."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    start, x, labels = step_data()
    x, labels = torch.tensor(x), torch.tensor(labels)
    parameters = [torch.tensor(values, requires_grad=True) for values in start]

    def program() -> Any:
        w1, b1, w2, b2 = parameters
        loss = functional.cross_entropy(functional.relu(x @ w1 + b1) @ w2 + b2, labels)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= RATE * parameter.grad
        return loss

    return program


# --- rows ------------------------------------------------------------------------------------------------------


def native_rows() -> Iterator[Row]:
    programs = {
        "native": unigrad_chain("numpy", 10, 333),
        "HIPS autograd": hips_chain(10, 333),
        "MyGrad": mygrad_chain(10, 333),
        "PyTorch": torch_chain(10, 333),
    }
    agree(programs, 1e-9)
    best = fastest(programs, 10.0)
    for other, limit in (("HIPS autograd", 0.22), ("MyGrad", 0.20), ("PyTorch", 0.5)):
        yield Row(f"native engine / {other}, chain of 999 at 10 elements", best["native"] / best[other], limit)
    programs = {"native": unigrad_chain("numpy", 30_000, 333), "PyTorch": torch_chain(30_000, 333)}
    best = fastest(programs)
    yield Row("native engine / PyTorch, chain of 999 at 30,000 elements", best["native"] / best["PyTorch"], 1.25)


def torch_rows() -> Iterator[Row]:
    for elements, limit in ((10, 1.2), (1_000, 1.1), (100_000, 1.03)):
        programs = {"unigrad": unigrad_chain("torch", elements, 333), "PyTorch": torch_chain(elements, 333)}
        agree(programs, 1e-9)
        best = fastest(programs, 10.0)
        yield Row(
            f"PyTorch through unigrad / PyTorch, chain of 999 at {elements:,} elements",
            best["unigrad"] / best["PyTorch"],
            limit,
        )


def step_rows() -> Iterator[Row]:
    programs = {"torch": unigrad_step("torch"), "native": unigrad_step("numpy"), "PyTorch": torch_step()}
    losses = [float(program().detach()) for program in programs.values()]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-5)
    best = fastest(programs, 8.0)
    name = "training step, 64-256-10, batch 128"
    yield Row(f"PyTorch through unigrad / PyTorch, {name}", best["torch"] / best["PyTorch"], 1.05)
    yield Row(f"native engine / PyTorch, {name}", best["native"] / best["PyTorch"], 1.2)


def tensorflow_rows() -> Iterator[Row]:
    programs = {"unigrad": unigrad_chain("tensorflow", 10, 60), "TensorFlow": tensorflow_chain(10, 60)}
    agree(programs, 1e-9)
    best = fastest(programs)
    yield Row("TensorFlow through unigrad / TensorFlow, chain of 180", best["unigrad"] / best["TensorFlow"], 1.15)


def jax_rows() -> Iterator[Row]:
    # In float32, which is all that JAX has unless it is told otherwise.
    programs = {"unigrad": unigrad_chain("jax", 10, 60, "float32"), "JAX": jax_chain(10, 60)}
    agree(programs, 1e-4)
    best = fastest(programs)
    yield Row("JAX tape through unigrad / eager jax.value_and_grad, chain of 180", best["unigrad"] / best["JAX"], 0.12)


LONG = """
import resource, time
import numpy as np
import unigrad as ug

def run(operations):
    x, a, b = (ug.asarray(values) for values in np.random.default_rng(0).normal(size=(3, 10)))
    for array in (x, a, b):
        array.attach_grad()
    start = time.perf_counter()
    with ug.record():
        y = x
        for _ in range(operations // 3):
            y = ug.tanh(y * a + b)
    y.backward()
    del y
    return (time.perf_counter() - start) / operations

short = min(run(10_000) for _ in range(20))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
long = run(1_000_000)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(long / short, (after - before) * 1024 / 1_000_000)
"""


def long_rows() -> Iterator[Row]:
    # In a process of its own, since the peak of memory is the process's.
    output = subprocess.run([sys.executable, "-c", LONG], check=True, capture_output=True, text=True).stdout
    ratio, size = map(float, output.split())
    yield Row("time per operation, chain of 1,000,000 / chain of 10,000", ratio, 2.5)
    yield Row("peak memory per operation of 10 float64, chain of 1,000,000", size, 420, "bytes")


IMPORT = """
import sys, time
import numpy
start = time.perf_counter()
import unigrad
print(time.perf_counter() - start)
print(*[name for name in ("torch", "tensorflow", "jax", "mxnet", "cupy") if name in sys.modules])
"""


def import_rows() -> Iterator[Row]:
    best = float("inf")
    # As an installed package has it: compiled to bytecode, by the first of these runs if need be.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    for _ in range(10):
        command = [sys.executable, "-c", IMPORT]
        output = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        seconds, _, imported = output.partition("\n")
        if imported.strip():
            raise SystemExit(f"import unigrad imported {imported.strip()}")
        best = min(best, float(seconds))
    yield Row("import unigrad beyond import numpy, no framework imported", best * 1000, 60, "ms")


GROUPS = {
    "import": import_rows,
    "long": long_rows,
    "native": native_rows,
    "torch": torch_rows,
    "step": step_rows,
    "tensorflow": tensorflow_rows,
    "jax": jax_rows,
    "networks": network_rows,
    "compiled": compiled_rows,
    "adbench": adbench_rows,
    "operations": operation_rows,
    "transforms": transform_rows,
    "compiling": compiling_rows,
    "dask": lazy_rows,
}


def main(chosen: list[str]) -> int:
    unknown = set(chosen) - set(GROUPS)
    if unknown:
        print(f"no rows {', '.join(sorted(unknown))}; choose from {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    print(f"{'what':<74}{'value':>8}{'limit':>8}")
    over = 0
    for name, rows in GROUPS.items():
        if chosen and name not in chosen:
            continue
        for row in rows():
            print(row, flush=True)
            over += row.value > row.limit
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
