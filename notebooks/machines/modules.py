"""PyTorch's modules in several processes, by data parallelism as of DDP and with weights that are divided as by FSDP2.

    torchrun --nproc-per-node 2 modules.py

``torch.func.functional_call`` runs a module with the weights that it is given, and ``ug.wrap_native`` makes of that a
function of Tensors. DDP and FSDP2 average in hooks on the module's own parameters, which take no part here: so
``shared`` averages for the one, and DTensors do for the other. Both gradients are those that one process finds of the
whole batch.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Shard, init_device_mesh
from torch.func import functional_call
from torch.nn.parallel import DistributedDataParallel

import unigrad as ug

Weights = dict[str, torch.Tensor]


def network() -> torch.nn.Module:
    """The same network in all processes."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3)).double()


@ug.custom_gradient
def shared(w: ug.Tensor) -> Any:
    """Weights that all processes have alike: their gradient is the mean of all processes'."""

    def mean(g: ug.Tensor) -> ug.Tensor:
        total = g.raw.clone()
        dist.all_reduce(total)
        return ug.asarray(total / dist.get_world_size())

    return w, mean


def gradient(module: torch.nn.Module, weights: Weights, x: Any, y: Any, average: bool = False) -> Weights:
    """That of the cross-entropy."""
    run = ug.wrap_native(lambda weights, x: functional_call(module, weights, (x,)))

    def loss(weights: dict[str, ug.Tensor], x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
        if average:
            weights = {name: shared(w) for name, w in weights.items()}
        return ug.nn.cross_entropy(run(weights, x), y)

    found: Weights = ug.grad(loss)(weights, x, y)
    return found


def detached(module: torch.nn.Module) -> Weights:
    """The weights of a module by name."""
    return {name: w.detach() for name, w in module.named_parameters()}


def main() -> dict[str, float]:
    """The largest difference from the gradient of one process, for both."""
    dist.init_process_group("gloo")  # "nccl" on GPUs
    rank, count = dist.get_rank(), dist.get_world_size()
    mesh = init_device_mesh("cpu", (count,))
    torch.manual_seed(1)
    x, y = torch.randn(8, 4, dtype=torch.float64), torch.randint(0, 3, (8,))
    own_x, own_y = x.chunk(count)[rank], y.chunk(count)[rank]
    expected = gradient(network(), detached(network()), x, y)

    parallel = DistributedDataParallel(network())
    averaged = gradient(parallel.module, detached(parallel.module), own_x, own_y, average=True)

    # FSDP2 keeps the weights, a part in each process; without its hooks DTensors gather and reduce them.
    divided = fully_shard(network(), mesh=mesh)
    batch = [DTensor.from_local(own, mesh, [Shard(0)]) for own in (own_x, own_y)]
    parts = gradient(network(), detached(divided), *batch)
    assert all(parts[name].placements == w.placements for name, w in divided.named_parameters())

    def largest(found: Weights) -> float:
        return max(float((found[name] - expected[name]).abs().max()) for name in expected)

    differences = {"DDP": largest(averaged), "FSDP2": largest({name: w.full_tensor() for name, w in parts.items()})}
    dist.destroy_process_group()
    return differences


if __name__ == "__main__":
    print(main())
