"""PyTorch's DTensors: several processes on one machine hold an array together, and a program of unigrad runs unchanged.

Each process runs the program below; all must see the same, and gradients lie where their variables do.
"""

from __future__ import annotations

import itertools
import json
import os
import warnings
from typing import Any

import pytest
from processes import last_lines


@pytest.fixture(scope="module", params=[2, 4])
def seen(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    """What each process printed."""
    return [json.loads(line) for line in last_lines([__file__], request.param)]


def test_all_processes_see_the_same(seen: list[dict[str, Any]]) -> None:
    assert len(seen) == seen[0]["processes"]
    assert all(other == seen[0] for other in seen)


def test_gradients_lie_where_their_variables_do(seen: list[dict[str, Any]]) -> None:
    assert len(seen[0]["gradients"]) == 2 * 36
    assert {name: found for name, found in seen[0]["gradients"].items() if found != [True, True]} == {}


def test_values_are_gathered_where_they_are_asked_for(seen: list[dict[str, Any]]) -> None:
    values = seen[0]["values"]
    assert values["numpy"] == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert values["item"] == values["float"] == 36.0
    assert values["bool"] is True
    assert values["repr"].startswith("Tensor([[1., 2.],")
    assert values["device"] == f"cpu in {len(seen)} processes as (Shard(dim=0),)"


def test_others_get_all_values_by_dlpack(seen: list[dict[str, Any]]) -> None:
    *values, device, said = seen[0]["exported"]
    assert values == [[[1, 2], [3, 4], [5, 6], [7, 8]]] * 2
    assert device == [1, 0]
    assert "takes a copy" in said


def test_what_is_made_beside_one_is_one(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["made"] == {
        "zeros_like": "(Shard(dim=0),)", "of another shape": "(Replicate(),)", "numpy": "(Shard(dim=0),)",
        "list": "(Replicate(),)", "moved": "(Shard(dim=0),)", "in place": "(Shard(dim=0),)",
    }  # fmt: skip


def test_what_all_processes_share_has_one_gradient(seen: list[dict[str, Any]]) -> None:
    whole = [True, "(Replicate(),)"]
    assert seen[0]["shared"] == {"added": whole, "native": whole, "plain": [True, "Tensor"]}


def test_arrays_on_two_meshes_are_both_named(seen: list[dict[str, Any]]) -> None:
    assert len(seen[0]["apart"]) == 39
    wrong = {
        name: said for name, said in seen[0]["apart"].items() if said.count("DeviceMesh((") != 2 or "met in" not in said
    }
    assert wrong == {}
    assert seen[0]["moved over"] == [True] * 5


def test_what_cannot_be_is_said(seen: list[dict[str, Any]]) -> None:
    said = seen[0]["said"]
    assert seen[0]["by whole"] == [True, "(Shard(dim=0),)"]
    assert "other=" in said["two meshes"]
    assert "met in one operation" in said["two meshes"]
    assert said["two meshes"].count("DeviceMesh((") == 2
    assert "PyTorch does not reshape arrays that lie in several processes as (Shard(dim=0),)" in said["undivided"]
    assert said["traced"].startswith("UnsupportedError: backend 'torch': this array has no values yet")


def test_shares_are_joined_before_anything_is_made_of_them(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["joined"] == []


def test_convolutions_of_whatever_is_divided(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["convolved"] == [[True, True]] * 4


def test_forward_mode_of_native_functions_is_refused(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["said"]["native forward"].startswith("OperationError: backend 'torch': PyTorch's forward mode")


def test_derivatives_of_other_kinds(seen: list[dict[str, Any]]) -> None:
    assert seen[0]["jvp"] == [True, "(Shard(dim=0),)"]
    assert seen[0]["hessian"] == [[6 * (row == column) for column in range(4)] for row in range(4)]


def main() -> None:
    """The program of each process."""
    import numpy as np
    import torch
    import torch.distributed as dist
    from spreading import by_tape, gradients, meeting
    from torch.distributed.tensor import Replicate, Shard, distribute_tensor, init_device_mesh
    from torch.fx.experimental.proxy_tensor import make_fx

    import unigrad as ug

    dist.init_process_group("gloo")
    processes = int(os.environ["WORLD_SIZE"])
    mesh = init_device_mesh("cpu", (processes,))
    values = torch.arange(8.0, dtype=torch.float64).reshape(4, 2) + 1
    x = distribute_tensor(values, mesh, [Shard(0)])
    weights = distribute_tensor(torch.ones(2, 3, dtype=torch.float64), mesh, [Replicate()])
    tensor = ug.asarray(x)

    def placements(found: Any) -> str:
        return str(tuple(found.raw.placements))

    # The same in all processes, and no DTensors: constants, labels, masks and indices.
    plain = ug.asarray(values.flip(0) / 4 + 0.5)
    matrix, row = ug.asarray(torch.linspace(0.5, 1, 6, dtype=torch.float64).reshape(2, 3)), plain[0]
    labels, several = ug.asarray(torch.tensor([0, 1, 1, 0])), ug.asarray(torch.tensor([0, 2, 2]))
    columns = ug.asarray(torch.tensor([0, 1, 0]))

    divided_along_rows = distribute_tensor(torch.arange(32.0, dtype=torch.float64).reshape(4, 4, 2), mesh, [Shard(0)])

    def changed_by(key: Any, value: Any, x: Any) -> Any:
        y = x * 1
        y[key] = value
        return (y * x).sum()

    def added_to(x: Any) -> Any:
        y = x * 1
        y += plain
        return (y * x).sum()

    losses = {
        "doubled": lambda x: (2 * x).sum(),  # of which PyTorch's own gradient lies otherwise
        "elementwise": lambda x: (ug.tanh(x) * x).sum(),
        "reductions": lambda x: ug.max(x) + ug.mean(x) + ug.std(x),
        "softmax": lambda x: (ug.nn.softmax(x, axis=1) * x).sum(),
        "norm": lambda x: (ug.nn.layer_norm(x, axis=-1) * x).sum(),
        "gelu": lambda x: ug.nn.gelu(x).sum(),
        "matrices": lambda x: ug.tanh(x @ matrix / 8).sum(),
        "vector": lambda x: (x[:, 0] @ x)[1] * (x @ x[0])[1],
        "labels like": lambda x: ug.nn.cross_entropy(x, ug.asarray([0, 1, 1, 0], like=x)),
        "labels": lambda x: ug.nn.cross_entropy(x, labels),
        "labels of NumPy": lambda x: ug.nn.cross_entropy(x, labels.numpy()),
        "shares": lambda x: ug.nn.cross_entropy(x, ug.nn.softmax(plain, axis=1)),
        "constant": lambda x: (plain * x + plain).sum() * x[1, 1],
        "raw constant": lambda x: (x * plain.raw).sum(),
        "mask": lambda x: ug.where(plain > 1, x * x, plain).sum(),
        "maximum": lambda x: (ug.maximum(x, plain) * ug.clip(x, plain, plain + 2)).sum(),
        "joined": lambda x: (ug.concat([plain, x]) ** 2).sum() + (ug.stack([x, plain]) ** 2).sum(),
        "chosen": lambda x: (ug.take(x, several, axis=0) ** 2).sum() + (x[several, columns] ** 2).sum(),
        "along": lambda x: (ug.take_along_axis(x, ug.argsort(plain, axis=0), axis=0) * x).sum(),
        "slices": lambda x: (x[1:3] * x[::-1][1:3]).sum() + (x[3] ** 2).sum(),
        "assigned": lambda x: changed_by(slice(1, 3), 7.0, x) + changed_by((0, 1), x[3, 0] * x[2, 1], x),
        "assigned plain": lambda x: changed_by(slice(1, 3), plain[:2], x) + changed_by(several[:2], x[:2] ** 2, x),
        "added to": added_to,
        "linear": lambda x: ug.tanh(ug.nn.linear(x, matrix.T, matrix[0])).sum(),
        "norm of plain weights": lambda x: (ug.nn.layer_norm(x, row, row, axis=-1) * plain).sum(),
        "embedding": lambda x: (ug.nn.embedding(labels, x) ** 2).sum(),
        "attention": lambda x: (ug.nn.scaled_dot_product_attention(x[None], plain[None], x[None]) ** 2).sum(),
        "products": lambda x: ug.prod(x, axis=0).sum() / 100 + ug.cumulative_prod(x / 4, axis=0).sum(),
        "solved": lambda x: ug.linalg.solve(plain[:2] + ug.asarray(torch.eye(2)) * 9, x[:2]).sum(),
        "einsum": lambda x: (ug.einsum("ij,ij->i", x, plain) * x[:, 0]).sum(),
        "stacked": lambda x: (ug.stack([x, x * x, x, x]) * divided_along_rows).sum(),
        "pooled": lambda x: (ug.nn.max_pool1d(x.T[None], 3, stride=1) ** 2).sum(),
        "over its norm": lambda x: (x / ug.linalg.vector_norm(x) * x).sum(),
        "where": lambda x: ug.where(x > 3, x * x, 0.0).sum(),
        "edges": lambda x: (ug.nn.relu6(x) * x + ug.nn.hard_tanh(x.sum(axis=0) - 18)[0] * ug.nn.hard_sigmoid(x)).sum(),
        "checkpoint": lambda x: ug.checkpoint(lambda x: ug.exp(x / 8) * x)(x).sum(),
    }
    found = gradients(losses, values, x, lambda raw: tuple(raw.placements))

    # Whatever is left in shares, and what is made of it.
    halves = torch.tensor([60000, 60000, -60000, -30000], dtype=torch.float16)
    given = {
        "floats": values / 8 - 0.4, "integers": values.long(), "booleans": values > 3, "halves": halves,
        "bfloat16": values.bfloat16(),
    }  # fmt: skip
    leaving = {
        "sum": ug.sum, "mean": ug.mean, "max": ug.max, "min": ug.min, "prod": ug.prod, "any": ug.any, "all": ug.all,
        "norm": ug.linalg.vector_norm, "product": lambda x, axis: x.T @ x, "count": ug.count_nonzero,
        "chosen": lambda x, axis: ug.take_along_axis(x, ug.asarray(np.zeros((1, *x.shape[1:]), np.int64)), axis=0),
    }  # fmt: skip
    using = {
        "added": lambda x: x + 1, "taken from": lambda x: 1 - x, "doubled": lambda x: x * -2, "added up": ug.sum,
        "divided": lambda x: 1 / (x + 3), "floats": lambda x: x.astype("float32"),
        "integers": lambda x: x.astype("int64"), "halves": lambda x: x.astype("float16"),
        "complex": lambda x: x.astype("complex64"), "stacked": lambda x: ug.stack([x, -x]),
        "chosen": lambda x: ug.where(x > 0, x, 1), "root": lambda x: ug.sqrt(ug.abs(x)),
    }  # fmt: skip
    joined = []
    for (dtype, raw), (left, leave), (used, use) in itertools.product(given.items(), leaving.items(), using.items()):
        try:
            expected_of = use(leave(ug.asarray(raw), axis=0)).numpy()
        except ug.UnigradError:
            continue
        got_of = use(leave(ug.asarray(distribute_tensor(raw, mesh, [Shard(0)])), axis=0)).numpy()
        close = np.allclose(
            got_of.astype("complex"), expected_of.astype("complex"), rtol=1e-2 if raw.itemsize == 2 else 1e-6
        )
        if not close or got_of.dtype != expected_of.dtype:
            joined.append(f"{used} of {left} of {dtype}: {got_of.tolist()} instead of {expected_of.tolist()}")

    images, kernels = torch.arange(64.0).reshape(4, 4, 4).cos(), torch.arange(48.0).reshape(4, 4, 3).sin()
    convolved = []
    for axis, over in (0, Replicate()), (1, Replicate()), (2, Replicate()), (0, Shard(0)):
        filters = ug.asarray(distribute_tensor(kernels, mesh, [over]))
        got = ug.grad(lambda x, w=filters: (ug.nn.conv1d(x, w, padding=1) ** 2).sum())(
            ug.asarray(distribute_tensor(images, mesh, [Shard(axis)]))
        )
        want = ug.grad(lambda x: (ug.nn.conv1d(x, ug.asarray(kernels), padding=1) ** 2).sum())(ug.asarray(images))
        convolved.append(
            [bool(np.allclose(got.numpy(), want.numpy(), rtol=1e-4, atol=1e-4)), placements(got) == str((Shard(axis),))]
        )

    whole = [Replicate()]
    # Each process has a part of what belongs to weights that all hold: it is added up.
    added = by_tape(lambda w: ug.tanh(tensor @ w).sum(), distribute_tensor(matrix.raw / 8, mesh, whole))
    native = ug.wrap_native(lambda x, w: (x @ w).full_tensor().tanh().sum())
    by_native = by_tape(lambda w: native(tensor, w), distribute_tensor(matrix.raw / 8, mesh, whole))
    of_plain = by_tape(lambda w: ug.tanh(tensor @ w).sum(), matrix.raw / 8)
    by_one = by_tape(lambda w: ug.tanh(ug.asarray(values) @ w).sum(), matrix.raw / 8).numpy()

    def message(call: Any) -> str:
        try:
            call()
        except ug.UnigradError as error:
            return f"{type(error).__name__}: {error}"
        return "no error"

    other = init_device_mesh("cpu", (processes,), mesh_dim_names=("other",))
    divided = ug.asarray(distribute_tensor(torch.ones(12), mesh, [Shard(0)]))
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        by_whole = by_tape(lambda x: (x.reshape((3, 4)) * x.reshape((3, 4))[0]).sum(), divided.raw)
    expected = by_tape(lambda x: (x.reshape((3, 4)) * x.reshape((3, 4))[0]).sum(), torch.ones(12))
    there = ug.asarray(distribute_tensor(values, other, [Shard(0)]))

    def seeded() -> None:
        x = tensor * 1
        x.attach_grad()
        with ug.record():
            y = x * x
        y.backward(there)

    vectors = [ug.asarray(distribute_tensor(torch.arange(4.0) + 1, where, [Shard(0)])) for where in (mesh, other)]
    apart = {**meeting(*vectors), "seed": seeded}
    moved = tensor.to_device(there.device)
    here = tensor.to_device("cpu")
    here_loss = by_tape(lambda x: (x.to_device("cpu") ** 2).sum(), x)
    moved_loss = by_tape(lambda x: (x.to_device(there.device) * there).sum(), x)

    changed = tensor * 1
    changed[1:3] = 7.0
    total = tensor.sum()
    _, tangent = ug.jvp(lambda x: x * x, (tensor,), (tensor,))
    ones = ug.asarray(distribute_tensor(torch.ones(4, dtype=torch.float64), mesh, [Shard(0)]))
    print(
        json.dumps(
            {
                "processes": processes,
                "gradients": found,
                "joined": joined,
                "apart": {name: message(call) for name, call in apart.items()},
                "moved over": [
                    moved.raw.device_mesh == other, moved.tolist() == tensor.tolist(),
                    moved_loss.tolist() == values.tolist() and moved_loss.raw.device_mesh == mesh,
                    type(here.raw) is torch.Tensor and here.tolist() == tensor.tolist() and here.device == "cpu",
                    here_loss.tolist() == (2 * values).tolist() and placements(here_loss) == str((Shard(0),)),
                ],
                "convolved": convolved,
                "shared": {
                    "added": [bool(np.allclose(added.numpy(), by_one, rtol=1e-12)), placements(added)],
                    "native": [bool(np.allclose(by_native.numpy(), by_one, rtol=1e-12)), placements(by_native)],
                    "plain": [bool(np.allclose(of_plain.numpy(), by_one, rtol=1e-12)), type(of_plain.raw).__name__],
                },
                "by whole": [by_whole.tolist() == expected.tolist(), placements(by_whole)],
                "said": {
                    "two meshes": message(lambda: tensor * ug.asarray(distribute_tensor(values, other, [Shard(0)]))),
                    "native forward": message(lambda: ug.jvp(ug.wrap_native(torch.sin), (tensor,), (tensor,))),
                    "undivided": str(warned[0].message) if warned else "no warning",
                    "traced": message(lambda: make_fx(lambda raw: raw * float(ug.asarray(raw).sum()))(x)),
                },
                "exported": [
                    np.from_dlpack(tensor).tolist(), torch.from_dlpack(tensor).tolist(), tensor.__dlpack_device__(),
                    message(lambda: np.from_dlpack(tensor, copy=False)),
                ],
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
