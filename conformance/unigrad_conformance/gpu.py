"""What runs on a GPU: the marked tests, the everyday cases on every framework there, and a benchmark.

    python -m unigrad_conformance.gpu

``make test-gpu``. Exit status 0: all agree; 1: something does not; 3: there is no GPU, or no framework that uses one,
so that nothing was tested, and why.
"""

from __future__ import annotations

import ctypes
import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from unigrad_conformance.placing import ON_A_GPU

NOTHING_TESTED = 3
FRAMEWORKS = ("cupy", "torch", "jax")
"""The backends that are held to it."""


def count() -> tuple[int, str]:
    """How many GPUs NVIDIA's driver knows; and why there are none, or nothing."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError as error:
        return 0, f"NVIDIA's driver is not installed: {error}"
    status = driver.cuInit(0)
    found = ctypes.c_int(0)
    if status or driver.cuDeviceGetCount(ctypes.byref(found)):
        return 0, f"NVIDIA's driver finds no device (cuInit gave {status})"
    return found.value, "" if found.value else "NVIDIA's driver knows no device"


def devices(name: str) -> tuple[list[str], str]:
    """The GPUs that a backend reaches; and why there are none, or nothing."""
    if importlib.util.find_spec(name) is None:
        return [], f"{name} is not installed: pip install 'unigrad[{name}]'"
    from unigrad.extend import get_backend_object

    try:
        found = [str(device) for device in get_backend_object(name).devices() if str(device).startswith("cuda")]
    except Exception as error:  # a framework built for another CUDA, or broken
        return [], f"{name} cannot be used: {error}"
    return found, "" if found else f"{name} is installed without CUDA, or sees no GPU"


def main() -> int:
    """Run all of it."""
    number, reason = count()
    if not number:
        print(f"No GPU is present, so nothing was tested: {reason}")
        return NOTHING_TESTED
    able = {}
    for name in FRAMEWORKS:
        able[name], why = devices(name)
        print(f"{name}: {', '.join(able[name]) or why}")
    names = [name for name, found in able.items() if found]
    if not names:
        print("No framework here uses the GPU, so nothing was tested")
        return NOTHING_TESTED
    tests = Path(__file__).parents[1] / "tests"
    commands = [[sys.executable, "-m", "pytest", "-q", "-m", "gpu", str(tests)]]
    command = [sys.executable, "-c", "import sys; from unigrad.cli import main; sys.exit(main())", "conform"]
    commands += [
        [*command, "--everyday", "--placement", device.replace(":", "-"), "--backend", name]
        for name in names
        for device in able[name][: len(ON_A_GPU)]
    ]
    failed = [" ".join(run[-4:]) for run in commands if subprocess.run(run, check=False).returncode]
    for name in ("torch", "jax"):
        if name in names:
            print(benchmark(name))
    print(f"FAILED: {'; '.join(failed)}" if failed else "All agree.")
    return 1 if failed else 0


def benchmark(name: str, repeats: int = 30) -> str:
    """A recorded step of a network on the GPU beside the framework's own, as the ratio of the least of many times."""
    import numpy as np

    import unigrad as ug

    draw = np.random.default_rng(0)
    arrays = [draw.normal(size=shape).astype(np.float32) / 16 for shape in ((1024, 1024), (1024, 1024), (1024, 256))]
    with ug.use_backend(name):
        x, first, second = (ug.asarray(array).to_device("cuda:0") for array in arrays)
    first.attach_grad()
    second.attach_grad()

    def ours() -> Any:
        with ug.record():
            y = ((ug.tanh(x @ first) @ second) ** 2).mean()
        y.backward()
        return first.grad.raw

    times = {"ours": _least(name, ours, repeats), "theirs": _least(name, _theirs(name, x, first, second), repeats)}
    return f"{name}: a recorded step on the GPU takes {times['ours'] / times['theirs']:.3f} of the framework's own"


def _theirs(name: str, *tensors: Any) -> Callable[[], Any]:
    x, first, second = (tensor.detach().raw for tensor in tensors)
    if name == "torch":
        import torch

        leaves = [first.clone().requires_grad_(), second.clone().requires_grad_()]
        return lambda: torch.autograd.grad(((torch.tanh(x @ leaves[0]) @ leaves[1]) ** 2).mean(), leaves)[0]
    import jax
    import jax.numpy as jnp

    derived = jax.value_and_grad(lambda first, second: jnp.mean((jnp.tanh(x @ first) @ second) ** 2), (0, 1))
    return lambda: derived(first, second)[1][0]


def _least(name: str, step: Callable[[], Any], repeats: int) -> float:
    def finished() -> None:
        found = step()
        if name == "torch":
            import torch

            torch.cuda.synchronize()
        else:
            found.block_until_ready()

    finished()
    taken = []
    for _ in range(repeats):
        before = time.perf_counter()
        finished()
        taken.append(time.perf_counter() - before)
    return min(taken)


if __name__ == "__main__":
    sys.exit(main())
