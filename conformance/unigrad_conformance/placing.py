"""Every array of a case spread over several devices or processes, as a program's are that has outgrown one.

The cases stay as they are: each array that a backend is given is divided along its axes of even length, and whole in
each place where there is none. JAX makes four devices of one processor, a mesh of two by two (``sharded``); PyTorch's
DTensors (``dtensor``) lie in two processes over gloo on loopback, of which the second runs the same cases and is
heard only where it fails. On a machine with a GPU all may lie on it (``cuda-0``).
"""

from __future__ import annotations

import datetime
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

ON_A_GPU = tuple(f"cuda-{number}" for number in range(8))
PLACEMENTS: dict[str | None, tuple[str, ...]] = {
    "sharded": ("jax",), "dtensor": ("torch",), **dict.fromkeys(ON_A_GPU, ("cupy", "torch", "jax")),
}  # fmt: skip
"""What there is to ask for, and the backends that can do it."""
TOGETHER = "dtensor"
"""Where several processes run each case: one that fails may have left them at different points, where the next would
wait for one another in vain."""
PROCESSES = 2
COLLECTIVE_SECONDS = 30
"""How long one process waits for the other."""


def prepare(orders: dict[str, Any], names: Iterable[str]) -> Iterable[str]:
    """What must be done before the framework is imported: have JAX see four devices, or start the other process.

    Returns the ``names`` of the cases, each of which the other process is told before it is given here.
    """
    if orders["placement"] == "sharded":
        flags = os.environ.get("XLA_FLAGS", "")
        os.environ["XLA_FLAGS"] = f"{flags} --xla_force_host_platform_device_count=4".strip()
    elif orders["placement"] == TOGETHER and "rank" not in orders:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            os.environ["GLOO_SOCKET_IFNAME"] = "lo"
            orders |= {"rank": 0, "port": free.getsockname()[1]}
        # In the worker's group of processes, with which it is ended.
        other = subprocess.Popen(
            [sys.executable, "-m", "unigrad_conformance.worker", "torch"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert other.stdin is not None
        _tell(other.stdin, {**{key: value for key, value in orders.items() if key != "cases"}, "rank": 1})
        return _told(names, other.stdin)
    return names


def _tell(other: IO[str], message: object) -> None:
    other.write(json.dumps(message) + "\n")
    other.flush()


def _told(names: Iterable[str], other: IO[str]) -> Iterator[str]:
    for name in names:
        _tell(other, name)
        yield name


def spread(backend: Any, orders: dict[str, Any]) -> None:
    """Have the backend make its arrays in all places."""
    if orders["placement"] == "sharded":
        placed = _over_devices(backend)
    elif orders["placement"] in ON_A_GPU:
        device = orders["placement"].replace("-", ":")

        def placed(raw: Any) -> Any:
            return backend.to_device(raw, device)
    else:
        over = _over_processes(orders["rank"], orders["port"])

        def placed(raw: Any) -> Any:
            return backend.admit(over(raw))  # as one that the user gives

    from_numpy = backend.from_numpy

    def spread_from_numpy(array: Any, device: Any = None) -> Any:
        return from_numpy(array, device) if device is not None else placed(from_numpy(array))

    backend.from_numpy = spread_from_numpy


def _over_devices(backend: Any) -> Any:
    import jax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((2, 2), ("first", "second"), axis_types=(AxisType.Auto, AxisType.Auto))

    def placed(raw: Any) -> Any:
        names = iter(("first", "second"))
        spec = [next(names, None) if size and size % 2 == 0 else None for size in raw.shape]
        return backend.to_device(raw, backend.spread(NamedSharding(mesh, PartitionSpec(*spec))))

    return placed


def _over_processes(rank: int, port: int) -> Any:
    import torch.distributed as dist
    from torch.distributed.tensor import DTensor, Replicate, Shard, init_device_mesh

    dist.init_process_group(
        "gloo", f"tcp://127.0.0.1:{port}", datetime.timedelta(seconds=COLLECTIVE_SECONDS), PROCESSES, rank
    )
    mesh = init_device_mesh("cpu", (PROCESSES,))

    def placed(raw: Any) -> Any:
        even = next((axis for axis, size in enumerate(raw.shape) if size and size % PROCESSES == 0), None)
        whole = DTensor.from_local(raw, mesh, [Replicate()], run_check=False)
        return whole if even is None else whole.redistribute(mesh, [Shard(even)])

    return placed
