"""What arrays in several places cost: memory per device, and time, beside the frameworks' own on the same arrays.

    python conformance/benchmarks/places.py memory   peak memory per device of a stack of 12 transformer blocks
    python conformance/benchmarks/places.py speed    tape and jit on four virtual devices of JAX
    python conformance/benchmarks/places.py dtensor  tape on PyTorch's DTensors, in two processes over gloo

Without a word all three. Memory is what XLA's plan of the compiled step takes: arguments, results and temporaries of
one device, less what they share. Exit status 1 if a limit is passed.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from measuring import Row, fastest

import unigrad as ug

LAYERS, BATCH, LENGTH, WIDTH, HEADS = 12, 16, 64, 64, 4
OPERATIONS = 180
PROCESSES = 2

Values = np.ndarray[Any, Any]
Layer = Callable[[Any, Sequence[Any]], Any]


# --- memory ----------------------------------------------------------------------------------------------------


def weights(generator: np.random.Generator) -> list[list[Values]]:
    """Of each layer: queries, keys and values, output, up, down."""

    def drawn(*shape: int) -> Values:
        return (generator.normal(size=shape) / math.sqrt(shape[-2])).astype(np.float32)

    return [
        [*(drawn(WIDTH, WIDTH) for _ in range(4)), drawn(WIDTH, 4 * WIDTH), drawn(4 * WIDTH, WIDTH)]
        for _ in range(LAYERS)
    ]


def ours(x: Any, parameters: Sequence[Any]) -> Any:
    """A block of unigrad's operations."""
    wq, wk, wv, wo, wu, wd = parameters
    batch, length, width = x.shape

    def heads(y: Any) -> Any:
        return ug.permute_dims(y.reshape((batch, length, HEADS, width // HEADS)), (0, 2, 1, 3))

    y = ug.nn.layer_norm(x, axis=-1)
    seen = ug.nn.scaled_dot_product_attention(heads(y @ wq), heads(y @ wk), heads(y @ wv), is_causal=True)
    x = x + ug.permute_dims(seen, (0, 2, 1, 3)).reshape((batch, length, width)) @ wo
    return x + ug.nn.gelu(ug.nn.layer_norm(x, axis=-1) @ wu) @ wd


def by_hand(x: Any, parameters: Sequence[Any]) -> Any:
    """The same in JAX."""
    import jax
    import jax.numpy as jnp

    wq, wk, wv, wo, wu, wd = parameters
    batch, length, width = x.shape

    def heads(y: Any) -> Any:
        return jnp.transpose(y.reshape((batch, length, HEADS, width // HEADS)), (0, 2, 1, 3))

    def norm(y: Any) -> Any:
        mean = y.mean(-1, keepdims=True)
        return (y - mean) * jax.lax.rsqrt(((y - mean) ** 2).mean(-1, keepdims=True) + 1e-5)

    y = norm(x)
    scores = heads(y @ wq) @ jnp.swapaxes(heads(y @ wk), -1, -2) / math.sqrt(width // HEADS)
    seen = jnp.tril(jnp.ones((length, length), bool))
    shares = jax.nn.softmax(jnp.where(seen, scores, -jnp.inf), -1) @ heads(y @ wv)
    x = x + jnp.transpose(shares, (0, 2, 1, 3)).reshape((batch, length, width)) @ wo
    return x + jax.nn.gelu(norm(x) @ wu, approximate=False) @ wd


def stack(layer: Layer) -> Callable[[Any, Any], Any]:
    """The loss of all layers, one after the other."""

    def loss(parameters: Any, x: Any) -> Any:
        for own in parameters:
            x = layer(x, own)
        return (x**2).mean()

    return loss


def in_parts(derived: Callable[[Any, Any], Any], parts: int) -> Callable[[Any, Any], Any]:
    """Loss and gradient of a batch in micro-batches, whose gradients are added up one after the other."""
    import jax

    def step(parameters: Any, x: Any) -> Any:
        def add(total: Any, piece: Any) -> tuple[Any, None]:
            return jax.tree.map(lambda a, b: a + b / parts, total, derived(parameters, piece)), None

        nothing = (x.sum() * 0, jax.tree.map(lambda w: w * 0, parameters))
        # Rows that lie apart: each device has as many of each micro-batch.
        pieces = x.reshape((x.shape[0] // parts, parts, *x.shape[1:])).swapaxes(0, 1)
        return jax.lax.scan(add, nothing, pieces)[0]

    return step


def memory() -> Iterator[Row]:
    """The table: kilobytes per device, unigrad's and JAX's."""
    import jax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((2, 2), ("data", "model"), axis_types=(AxisType.Auto, AxisType.Auto))

    def put(array: Values, *names: Any) -> Any:
        return jax.device_put(array, NamedSharding(mesh, PartitionSpec(*names)))

    generator = np.random.default_rng(0)
    x, parameters = generator.normal(size=(BATCH, LENGTH, WIDTH)).astype(np.float32), weights(generator)
    both = ("data", "model")
    placements = {"data parallel": (both, None), "tensor parallel": (None, both), "both": ("data", "model")}
    steps = {
        "step": lambda grad, keep, layer: grad(stack(layer)),
        "checkpoint of each block": lambda grad, keep, layer: grad(stack(keep(layer))),
        "4 micro-batches": lambda grad, keep, layer: in_parts(grad(stack(layer)), 4),
    }
    print(f"{'kB per device, ' + str(LAYERS) + ' blocks on 4 devices':<54}{'unigrad':>10}{'JAX':>10}")
    for place, (rows, columns) in placements.items():
        batch = put(x, rows)
        # Columns of what begins a pair of products, rows of what ends it.
        axes = [(None, columns)] * 3 + [(columns, None), (None, columns), (columns, None)]
        placed = [[put(w, *axis) for w, axis in zip(own, axes, strict=True)] for own in parameters]
        for how, make in steps.items():
            kilobytes = [
                taken(make(grad, keep, layer), placed, batch) / 1024
                for grad, keep, layer in (
                    (ug.value_and_grad, ug.checkpoint, ours),
                    (jax.value_and_grad, jax.checkpoint, by_hand),
                )
            ]
            print(f"{place + ', ' + how:<54}{kilobytes[0]:>10.0f}{kilobytes[1]:>10.0f}")
            yield Row(f"memory per device, {place}, {how}, unigrad / JAX", kilobytes[0] / kilobytes[1], 1.05)


def taken(step: Callable[[Any, Any], Any], parameters: Any, x: Any) -> int:
    """Bytes of one device in the compiled step."""
    import jax

    plan = jax.jit(step).lower(parameters, x).compile().memory_analysis()
    whole = plan.argument_size_in_bytes + plan.output_size_in_bytes + plan.temp_size_in_bytes
    return int(whole - plan.alias_size_in_bytes)


# --- time --------------------------------------------------------------------------------------------------------


def chain(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A loss of 180 small operations, every third of them ``function``."""

    def loss(x: Any) -> Any:
        y = x
        for _ in range(OPERATIONS // 3):
            y = function(y * x + 0.5)
        return y.sum()

    return loss


def by_tape(loss: Callable[[Any], Any], x: Any) -> Callable[[], Any]:
    """A recorded gradient."""
    variable = ug.asarray(x)
    variable.attach_grad()

    def run() -> Any:
        with ug.record():
            y = loss(variable)
        y.backward()
        return variable.grad.raw

    return run


def speed() -> Iterator[Row]:
    """Eager and compiled gradients on four devices."""
    import jax
    import jax.numpy as jnp
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((4,), ("rows",), axis_types=(AxisType.Auto,))
    x = jax.device_put(np.linspace(0.1, 0.9, 64, dtype=np.float32), NamedSharding(mesh, PartitionSpec("rows")))
    recorded, theirs = by_tape(chain(ug.tanh), x), jax.value_and_grad(chain(jnp.tanh))
    best = fastest(
        {"tape": lambda: recorded().block_until_ready(), "eager": lambda: theirs(x)[1].block_until_ready()},
        20.0,
        run=0.0,
    )
    yield Row(
        f"tape / eager jax.value_and_grad, {OPERATIONS} operations on 4 devices", best["tape"] / best["eager"], 0.15
    )
    # JAX takes the slope of tanh from its value, which has no correct digits far out; ours takes an exponential more.
    for name, ours, own, limit in (("sine", ug.sin, jnp.sin, 1.02), ("tanh", ug.tanh, jnp.tanh, 1.2)):
        compiled, by_jax = jax.jit(ug.value_and_grad(chain(ours))), jax.jit(jax.value_and_grad(chain(own)))
        best = fastest(
            {
                "jit": lambda run=compiled: run(x)[1].block_until_ready(),
                "JAX": lambda run=by_jax: run(x)[1].block_until_ready(),
            },
            10.0,
            run=0.0,
        )
        yield Row(f"jax.jit of unigrad / jax.jit of JAX, the same of {name}", best["jit"] / best["JAX"], limit)


def of_dtensors() -> None:
    """One process of two: print the ratio of the least of many times, the two taking turns."""
    import time

    import torch
    import torch.distributed as dist
    from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh

    dist.init_process_group("gloo")
    x = distribute_tensor(torch.linspace(0.1, 0.9, 64), init_device_mesh("cpu", (PROCESSES,)), [Shard(0)])
    recorded, own = by_tape(chain(ug.tanh), x), x.detach().clone().requires_grad_()

    def theirs() -> Any:
        own.grad = None
        chain(torch.tanh)(own).backward()
        # Which leaves the gradient where the variable is, as unigrad does.
        return own.grad.redistribute(own.device_mesh, own.placements)

    best = {recorded: math.inf, theirs: math.inf}
    for _ in range(40):
        for program in best:
            dist.barrier()
            before = time.perf_counter()
            program()
            best[program] = min(best[program], time.perf_counter() - before)
    print(best[recorded] / best[theirs])
    dist.destroy_process_group()


def dtensor() -> Iterator[Row]:
    """The tape on DTensors."""
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517", "WORLD_SIZE": str(PROCESSES)}
    workers = [
        subprocess.Popen(
            [sys.executable, __file__, "worker"],
            env={**os.environ, **place, "RANK": str(rank), "GLOO_SOCKET_IFNAME": "lo"}, stdout=subprocess.PIPE,
        )
        for rank in range(PROCESSES)
    ]  # fmt: skip
    try:
        ratios = [float(worker.communicate(timeout=300)[0].split()[-1]) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    yield Row(f"tape / PyTorch's own on DTensors, {OPERATIONS} operations", min(ratios), 1.05)


def main(names: Sequence[str]) -> int:
    """Print the rows; the exit status."""
    if list(names) == ["worker"]:
        of_dtensors()
        return 0
    parts = {"memory": memory, "speed": speed, "dtensor": dtensor}
    rows = []
    for name in names or parts:
        for row in parts[name]():
            print(row, flush=True)
            rows.append(row)
    return int(any(row.value > row.limit for row in rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
