"""PyTorch's DTensors: two processes on one machine hold an array together, and a program of unigrad runs unchanged.

Each process runs the program below; both must see the same, and gradients lie where their variables do.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import Any

import pytest

PROCESSES = 2


@pytest.fixture(scope="module")
def seen() -> list[dict[str, Any]]:
    """What each process printed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    found = []
    workers = [
        subprocess.Popen(
            [sys.executable, __file__],
            env={
                **os.environ, "RANK": str(rank), "WORLD_SIZE": str(PROCESSES), "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo",
            },
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(PROCESSES)
    ]  # fmt: skip
    try:
        for worker in workers:
            out, errors = worker.communicate(timeout=300)
            assert worker.returncode == 0, errors[-2000:]
            found.append(json.loads(out.splitlines()[-1]))
    finally:
        for worker in workers:
            worker.kill()
    return found


def test_all_processes_see_the_same(seen: list[dict[str, Any]]) -> None:
    assert len(seen) == PROCESSES
    assert seen[0] == seen[1]


def test_gradients_lie_where_their_variables_do(seen: list[dict[str, Any]]) -> None:
    assert len(seen[0]["gradients"]) == 2 * 10
    assert {name: found for name, found in seen[0]["gradients"].items() if found != [True, True]} == {}


def test_values_are_gathered_where_they_are_asked_for(seen: list[dict[str, Any]]) -> None:
    values = seen[0]["values"]
    assert values["numpy"] == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert values["item"] == values["float"] == 36.0
    assert values["bool"] is True
    assert values["repr"].startswith("Tensor([[1., 2.],")
    assert values["device"] == "cpu in 2 processes as (Shard(dim=0),)"


def test_what_is_made_beside_one_is_one(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["made"] == {
        "zeros_like": "(Shard(dim=0),)", "of another shape": "(Replicate(),)", "numpy": "(Shard(dim=0),)",
        "list": "(Replicate(),)", "moved": "(Shard(dim=0),)", "in place": "(Shard(dim=0),)",
    }  # fmt: skip


def test_derivatives_of_other_kinds(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["jvp"] == [True, "(Shard(dim=0),)"]
    assert seen[0]["hessian"] == [[6 * (row == column) for column in range(4)] for row in range(4)]


def main() -> None:
    """The program of each process."""
    import numpy as np
    import torch
    import torch.distributed as dist
    from spreading import gradients
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor, init_device_mesh

    import unigrad as ug

    dist.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (PROCESSES,))
    values = torch.arange(8.0, dtype=torch.float64).reshape(4, 2) + 1
    x = distribute_tensor(values, mesh, [Shard(0)])
    weights = distribute_tensor(torch.ones(2, 3, dtype=torch.float64), mesh, [Replicate()])
    tensor = ug.asarray(x)

    def placements(found: Any) -> str:
        return str(tuple(found.raw.placements))

    def like(x: Any, plain: Any) -> Any:
        return plain if not hasattr(x.raw, "device_mesh") else ug.asarray(plain).to_device(x.device)

    losses = {
        "doubled": lambda x: (2 * x).sum(),  # of which PyTorch's own gradient lies otherwise
        "elementwise": lambda x: (ug.tanh(x) * x).sum(),
        "reductions": lambda x: ug.max(x) + ug.mean(x) + ug.std(x),
        "softmax": lambda x: (ug.nn.softmax(x, axis=1) * x).sum(),
        "norm": lambda x: (ug.nn.layer_norm(x, axis=-1) * x).sum(),
        "gelu": lambda x: ug.nn.gelu(x).sum(),
        "matrices": lambda x: ug.tanh(x @ like(x, torch.ones(2, 3, dtype=torch.float64))).sum(),
        "labels": lambda x: ug.nn.cross_entropy(x, ug.asarray([0, 1, 1, 0], like=x)),
        "where": lambda x: ug.where(x > 3, x * x, 0.0).sum(),
        "checkpoint": lambda x: ug.checkpoint(lambda x: ug.exp(x / 8) * x)(x).sum(),
    }
    found = gradients(losses, values, x, lambda raw: tuple(raw.placements))

    changed = tensor * 1
    changed[1:3] = 7.0
    total = tensor.sum()
    _, tangent = ug.jvp(lambda x: x * x, (tensor,), (tensor,))
    ones = ug.asarray(distribute_tensor(torch.ones(4, dtype=torch.float64), mesh, [Shard(0)]))
    print(
        json.dumps(
            {
                "gradients": found,
                "values": {
                    "numpy": tensor.numpy().tolist(), "item": total.item(), "float": float(total),
                    "bool": bool(total > 0), "repr": repr(tensor), "device": str(tensor.device),
                },
                "made": {
                    "zeros_like": placements(ug.zeros_like(tensor)),
                    "of another shape": placements(ug.ones((3,), like=tensor)),
                    "numpy": placements(tensor * np.ones((4, 2))),
                    "list": placements(ug.asarray(weights) + [1.0, 2.0, 3.0]),
                    "moved": placements(ug.asarray(values).to_device(tensor.device)),
                    "in place": placements(changed),
                },
                "jvp": [bool(np.allclose(tangent.numpy(), 2 * values.numpy() ** 2)), placements(tangent)],
                "hessian": ug.hessian(lambda x: (x**3).sum())(ones).numpy().tolist(),
            }
        )
    )  # fmt: skip
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
