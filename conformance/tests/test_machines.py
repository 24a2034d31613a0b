"""The examples of ``notebooks/machines``: one training loop wherever arrays lie, and PyTorch's modules in processes."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
from processes import finished, last_lines

FOLDER = Path(__file__).parents[2] / "notebooks" / "machines"
LOOP, MODULES = str(FOLDER / "loop.py"), str(FOLDER / "modules.py")


def _losses(line: str) -> list[float]:
    return [float(loss) for loss in line.split()]


def _alone(*command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def of_one() -> list[float]:
    """The losses of one process on NumPy."""
    return _losses(_alone(LOOP))


def test_the_loop_learns(of_one: list[float]) -> None:
    assert len(of_one) == 20
    assert of_one[-1] < 0.6 * of_one[0]


def test_sharded_jax_trains_alike(of_one: list[float]) -> None:
    pytest.importorskip("jax")
    flags = "--xla_force_host_platform_device_count=4"
    assert _losses(_alone(LOOP, "jax", XLA_FLAGS=flags, JAX_PLATFORMS="cpu")) == pytest.approx(of_one, abs=2e-5)


def test_processes_of_pytorch_train_alike(of_one: list[float]) -> None:
    pytest.importorskip("torch")
    for line in last_lines([LOOP, "torch"], 2):
        assert _losses(line) == pytest.approx(of_one, abs=2e-5)


def test_dask_trains_alike(of_one: list[float]) -> None:
    pytest.importorskip("dask")
    assert _losses(_alone(LOOP, "dask")) == pytest.approx(of_one, abs=2e-5)


def test_modules_in_processes_have_the_gradient_of_one() -> None:
    pytest.importorskip("torch")
    for line in last_lines([MODULES], 2):
        found = ast.literal_eval(line)
        assert set(found) == {"DDP", "FSDP2"}
        assert max(found.values()) < 1e-14


TOGETHER = """
import datetime, os
import torch, torch.distributed as dist
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
import unigrad as ug

dist.init_process_group("gloo", timeout=datetime.timedelta(seconds=20))
mesh = init_device_mesh("cpu", (2,))
x, other = (ug.asarray(distribute_tensor(torch.ones(4, 2), mesh, [Shard(axis)])) for axis in (0, 1))
x.attach_grad()
with ug.record():
    y = (ug.nn.softmax(x, axis=0) * x).sum()
print(float(x.sum()))
dist.barrier()

def tried():
    calls = {
        "values": lambda: float(x.sum()), "moved": lambda: x.to_device(other.device), "gradient": y.backward,
        "step": lambda: ug.sort(x, axis=0), "product": lambda: (x.T @ x).tolist(), "grad": lambda: ug.grad(ug.max)(x),
    }
    for name, call in calls.items():
        try:
            call()
        except ug.UnigradError as error:
            print(name, type(error).__name__, "did not come together" in str(error), type(error.__cause__).__name__)
    print(repr(x)[:6])
"""
LOST = """
if os.environ["RANK"] == "1":
    os._exit(7)
tried()
os._exit(0)
"""
GONE = """
dist.destroy_process_group()
tried()
"""
NAMED = [
    "8.0",
    *[
        f"{name} OperationError True RuntimeError"
        for name in ("values", "moved", "gradient", "step", "product", "grad")
    ],
    "Tensor",
]


def test_a_worker_that_dies_is_an_error_and_no_wait(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    program = tmp_path / "lost.py"
    program.write_text(TOGETHER + LOST)
    (first, said, errors), (second, _, _) = finished([str(program)], 2, 120)
    assert (first, second) == (0, 7), errors[-2000:]
    assert said.splitlines() == NAMED


def test_a_process_group_that_is_gone_is_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    program = tmp_path / "gone.py"
    program.write_text(TOGETHER + GONE)
    for status, said, errors in finished([str(program)], 2, 120):
        assert status == 0, errors[-2000:]
        assert said.splitlines() == NAMED
