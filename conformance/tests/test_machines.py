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


def test_modules_in_processes_have_the_gradient_of_one() -> None:
    pytest.importorskip("torch")
    for line in last_lines([MODULES], 2):
        found = ast.literal_eval(line)
        assert set(found) == {"DDP", "FSDP2"}
        assert max(found.values()) < 1e-14


LOST = """
import datetime, os
import torch, torch.distributed as dist
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
import unigrad as ug

dist.init_process_group("gloo", timeout=datetime.timedelta(seconds=20))
x = ug.asarray(distribute_tensor(torch.ones(4), init_device_mesh("cpu", (2,)), [Shard(0)]))
x.attach_grad()
print(float(x.sum()))
if os.environ["RANK"] == "1":
    os._exit(7)
with ug.record():
    y = (x * x).sum()
try:
    y.backward()
    print(float(y))
except ug.UnigradError as error:
    print(type(error).__name__, type(error.__cause__).__name__)
os._exit(0)
"""


def test_a_worker_that_dies_is_an_error_and_no_wait(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    program = tmp_path / "lost.py"
    program.write_text(LOST)
    (first, said, errors), (second, _, _) = finished([str(program)], 2, 120)
    assert (first, second) == (0, 7), errors[-2000:]
    assert said.splitlines() == ["4.0", "OperationError RuntimeError"]


GONE = """
import torch, torch.distributed as dist
from torch.distributed.tensor import Shard, distribute_tensor, init_device_mesh
import unigrad as ug

dist.init_process_group("gloo")
x = ug.asarray(distribute_tensor(torch.ones(4), init_device_mesh("cpu", (2,)), [Shard(0)]))
dist.barrier()
dist.destroy_process_group()
try:
    print(float(x.sum()))
except ug.UnigradError as error:
    print(type(error).__name__, error)
"""


def test_a_process_group_that_is_gone_is_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    program = tmp_path / "gone.py"
    program.write_text(GONE)
    for line in last_lines([str(program)], 2, 120):
        assert line.startswith("OperationError")
        assert "process group" in line
