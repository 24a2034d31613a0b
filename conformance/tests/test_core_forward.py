"""Forward mode: what it holds in memory, that nothing is recorded, and what PyTorch's modes make of it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unigrad as ug

BACKENDS = [row.name for row in ug.available_backends() if row.installed]
MEMORY = Path("/proc/self/statm")
SIZE = 10_000


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest):
    with ug.use_backend(request.param):
        yield request.param


def held() -> int:
    """The memory of this process in bytes, that of the framework's own allocator included."""
    return int(MEMORY.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def chain(length: int, at_the_end: list[int]) -> Callable[[ug.Tensor], ug.Tensor]:
    def f(x: ug.Tensor) -> ug.Tensor:
        for _ in range(length):
            x = ug.sin(x)
        x.detach().numpy()  # what is still to be computed is computed
        at_the_end.append(held())
        return x

    return f


@pytest.mark.skipif(not MEMORY.exists(), reason="this system does not say how much memory a process has")
def test_memory_does_not_grow_with_the_length_of_the_program(backend: str) -> None:
    x, t = ug.linspace(0.0, 1.0, SIZE, dtype=ug.float64), ug.ones(SIZE, dtype=ug.float64)
    at_the_end: list[int] = []
    for length in (20, 200, 2000):
        ug.jvp(chain(length, at_the_end), (x,), (t,))
    _, short, long = at_the_end
    # One array of each further operation, be it the value or the tangent, would be 144 MB; dask keeps some 10 KB of it.
    assert long - short < 1800 * SIZE * 8 / 5


def test_nothing_is_recorded(backend: str) -> None:
    x, t = ug.asarray([0.5, 2.0]), ug.asarray([1.0, -1.0])
    seen = []

    def f(x: ug.Tensor) -> ug.Tensor:
        y = ug.tanh(ug.sin(x) * x + 2.0).sum()
        seen.append(y)
        return y

    value, tangent = ug.jvp(f, (x,), (t,))
    with ug.record():
        inside = ug.jvp(f, (x,), (t,))
    assert all(y._node is None for y in (*seen, value, tangent, *inside))
    assert float(inside[1]) == float(tangent)
    if backend == "torch":
        assert not value.raw.requires_grad
        assert not tangent.raw.requires_grad


def program(x: ug.Tensor, y: ug.Tensor) -> ug.Tensor:
    """Functions, a product, a division by a number and a sum."""
    return (ug.tanh(x) + ug.exp(y) * x / 3.0).sum()


X, Y = np.array([0.1, -0.7, 2.0]), np.array([1.0, 0.3, -2.0])
EXPECTED = ug.jvp(program, (X, Y), (Y, X))[1]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def inputs(torch: Any) -> tuple[Any, Any]:
    return torch.from_numpy(X), torch.from_numpy(Y)


def tangent(x: Any, y: Any) -> Any:
    return ug.jvp(program, (x, y), (y, x))[1]


def test_zeros_beside_an_infinite_constant_stay_out() -> None:
    x, w = ug.asarray([[1.0, 2.0]]), ug.asarray([[np.inf], [1.0]])
    for name in BACKENDS:
        with ug.use_backend(name):
            a, b = x.to_backend(name), w.to_backend(name)
            assert ug.jvp(lambda v, a=a: a @ v, (b,), (b.ones_like(),))[1].tolist() == [[3.0]], name


@pytest.mark.parametrize("mode", ["no_grad", "inference_mode", "level"])
def test_inside_pytorchs_modes(mode: str, torch: Any, inputs: tuple[Any, Any]) -> None:
    scope = torch.autograd.forward_ad.dual_level() if mode == "level" else getattr(torch, mode)()
    with scope:
        assert torch.allclose(tangent(*inputs), torch.tensor(EXPECTED))
    made_inside = contextlib.nullcontext() if mode == "level" else getattr(torch, mode)()
    with made_inside:
        copies = [raw.clone() for raw in inputs]
    assert torch.allclose(tangent(*copies), torch.tensor(EXPECTED))


def test_inside_pytorchs_transforms(torch: Any, inputs: tuple[Any, Any]) -> None:
    x, y = inputs
    assert torch.allclose(torch.func.vmap(tangent)(x[None], y[None])[0], torch.tensor(EXPECTED))
    second = ug.grad(lambda x: ug.jvp(program, (x, ug.asarray(y)), (y, x))[1])(x)
    assert torch.allclose(torch.func.grad(lambda x: tangent(x, y))(x), second)
    assert torch.allclose(torch.func.jvp(lambda x: tangent(x, y), (x,), (y,))[1], (second * y).sum())


def test_inside_pytorchs_compiler(torch: Any, inputs: tuple[Any, Any]) -> None:
    compiled = torch.compile(tangent, backend="eager")
    assert torch.allclose(compiled(*inputs), torch.tensor(EXPECTED))


def test_threads(torch: Any) -> None:
    x = ug.linspace(0.0, 1.0, 100_000, dtype=ug.float64).to_backend("torch")
    expected = ug.jvp(ug.tanh, (x,), (x,))[1].numpy()
    agree = []

    def work() -> None:
        for _ in range(20):
            agree.append(np.array_equal(ug.jvp(ug.tanh, (x,), (x,))[1].numpy(), expected))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert agree == [True] * 80
