"""One training loop, unchanged, on one process, on sharded JAX, under torchrun and on dask.

    python loop.py numpy
    XLA_FLAGS=--xla_force_host_platform_device_count=4 python loop.py jax
    torchrun --nproc-per-node 2 loop.py torch
    python loop.py dask

Only ``placed`` knows where arrays lie. All print the same losses.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

import unigrad as ug

Place = Callable[[np.ndarray[Any, Any]], Any]


def train(x: ug.Tensor, y: ug.Tensor, weights: list[ug.Tensor], steps: int = 20, rate: float = 0.1) -> list[float]:
    """The loop: the loss of each step."""
    losses = []
    for w in weights:
        w.attach_grad()
    for _ in range(steps):
        with ug.record():
            hidden, out = weights
            loss = ug.mean((ug.tanh(x @ hidden) @ out - y) ** 2)
        loss.backward()
        for w in weights:
            w -= rate * w.grad
        losses.append(float(loss))
    return losses


@contextmanager
def placed(name: str) -> Iterator[tuple[Place, Place]]:
    """How a batch is placed, of which each device or process has its rows, and how weights are, which all have."""
    if name == "jax":
        import jax
        from jax.sharding import NamedSharding, PartitionSpec

        mesh = jax.make_mesh((len(jax.devices()),), ("rows",), axis_types=(jax.sharding.AxisType.Auto,))
        rows, whole = NamedSharding(mesh, PartitionSpec("rows")), NamedSharding(mesh, PartitionSpec())
        yield lambda array: jax.device_put(array, rows), lambda array: jax.device_put(array, whole)
    elif name == "torch":
        import torch
        import torch.distributed as dist
        from torch.distributed.tensor import Replicate, Shard, distribute_tensor, init_device_mesh

        dist.init_process_group("gloo")  # "nccl" on GPUs
        over = init_device_mesh("cpu", (dist.get_world_size(),))
        yield (
            lambda array: distribute_tensor(torch.from_numpy(array), over, [Shard(0)]),
            lambda array: distribute_tensor(torch.from_numpy(array), over, [Replicate()]),
        )
        dist.destroy_process_group()
    elif name == "dask":
        import dask.array

        yield lambda array: dask.array.from_array(array, (16, -1)), lambda array: dask.array.from_array(array, -1)
    else:
        yield np.asarray, np.asarray


def main(name: str) -> list[float]:
    """Train where ``name`` says."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(64, 8)).astype(np.float32)
    y = np.sin(x.sum(axis=1, keepdims=True))
    first, second = (draw.normal(size=shape).astype(np.float32) / 3 for shape in ((8, 16), (16, 1)))
    with ug.use_backend(name), placed(name) as (batch, weight):
        tensors = [ug.asarray(batch(x)), ug.asarray(batch(y))]
        return train(*tensors, [ug.asarray(weight(first)), ug.asarray(weight(second))])


if __name__ == "__main__":
    print(" ".join(f"{loss:.5f}" for loss in main(sys.argv[1] if len(sys.argv) > 1 else "numpy")))
