"""On an NVIDIA GPU, with CuPy, PyTorch and JAX as far as they are there: ``make test-gpu`` says which are."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
from unigrad_conformance import gpu

import unigrad as ug

marked = pytest.mark.gpu
PRESENT, WHY_NOT = gpu.count()


@pytest.fixture(params=gpu.FRAMEWORKS)
def places(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """A backend, and the GPUs that it reaches."""
    if not PRESENT:
        pytest.skip(WHY_NOT)
    found, why = gpu.devices(request.param)
    if not found:
        pytest.skip(why)
    return request.param, found


@pytest.mark.skipif(bool(PRESENT), reason="there is a GPU")
def test_without_a_gpu_that_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main() == gpu.NOTHING_TESTED
    said = capsys.readouterr().out
    assert said.startswith("No GPU is present, so nothing was tested: NVIDIA's driver")


def on(name: str, values: Any, device: str) -> ug.Tensor:
    with ug.use_backend(name):
        return ug.asarray(np.asarray(values, np.float32)).to_device(device)


@marked
def test_arrays_are_made_and_moved_where_told(places: tuple[str, list[str]]) -> None:
    name, devices = places
    for device in devices:
        with ug.use_backend(name):
            made = ug.ones((2, 3), device=device)
        assert (made.device, ug.zeros_like(made).device, ug.arange(3.0, like=made).device) == (device,) * 3
        for other in devices:
            moved = made.to_device(other)
            assert (moved.device, moved.tolist()) == (other, made.tolist())


@marked
def test_seeds_constants_and_gradients_follow(places: tuple[str, list[str]]) -> None:
    name, devices = places
    values = np.linspace(0.5, 2.0, 12).reshape(4, 3)

    def loss(x: ug.Tensor) -> ug.Tensor:
        y = ug.where(x > 1, x * [1.0, 2.0, 3.0], 0.5) + ug.nn.softmax(x) @ ug.eye(3, like=x)
        return ug.nn.cross_entropy(y, [0, 1, 2, 0]) + (x[1:] ** 2).sum() + ug.max(x)

    expected = ug.grad(loss)(ug.asarray(values.astype(np.float32))).numpy()
    for device in devices:
        x = on(name, values, device)
        x.attach_grad()
        with ug.record():
            y = loss(x)
        y.backward()
        assert (x.grad.device, y.device) == (device, device)
        np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-5, atol=1e-6)
        assert ug.jvp(loss, (x,), (x,))[1].device == device
        assert ug.hvp(loss, (x,), (x,))[0].device == device


@marked
def test_arrays_in_two_places_are_both_named(places: tuple[str, list[str]]) -> None:
    name, devices = places
    others = devices[1:] or (["cpu"] if name != "cupy" else [])
    if not others:
        pytest.skip("CuPy sees one GPU, and has no arrays elsewhere")
    with pytest.raises(ug.UnigradError) as caught:
        on(name, np.ones(3), devices[0]) * on(name, np.ones(3), others[0])
    assert devices[0] in str(caught.value)
    assert others[0] in str(caught.value)


@marked
def test_dlpack_shares_memory_of_the_gpu() -> None:
    able = [name for name in gpu.FRAMEWORKS if PRESENT and gpu.devices(name)[0]]
    if len(able) < 2:
        pytest.skip(WHY_NOT or f"of the frameworks only {able} use the GPU")
    for source, target in permutations(able, 2):
        x = on(source, [1.0, 2.0, 3.0], "cuda:0")
        with ug.use_backend(target):
            shared = ug.from_dlpack(x)
        assert (shared.device, shared.tolist()) == ("cuda:0", [1.0, 2.0, 3.0])
        assert _pointer(shared.raw) == _pointer(x.raw), (source, target)


@marked
def test_one_gradient_through_all_frameworks_stays_on_the_gpu() -> None:
    able = [name for name in ("torch", "cupy", "jax") if PRESENT and gpu.devices(name)[0]]
    if len(able) < 2:
        pytest.skip(WHY_NOT or f"of the frameworks only {able} use the GPU")
    x = on(able[0], [0.5, 1.0, 1.5], "cuda:0")
    x.attach_grad()
    with ug.record():
        y = x * x
        for name in able[1:]:
            y = ug.tanh(y.to_backend(name)) * 2
        y = y.sum()
    y.backward()
    assert (y.backend.name, y.device, x.grad.device) == (able[-1], "cuda:0", "cuda:0")

    def plain(x: ug.Tensor) -> ug.Tensor:
        y = x * x
        for _ in able[1:]:
            y = ug.tanh(y) * 2
        return y.sum()

    expected = ug.grad(plain)(ug.asarray(np.asarray([0.5, 1.0, 1.5], np.float32)))
    np.testing.assert_allclose(x.grad.numpy(), expected.numpy(), rtol=1e-5)


def _pointer(raw: Any) -> int:
    if hasattr(raw, "data_ptr"):
        return int(raw.data_ptr())
    return int(raw.data.ptr) if hasattr(raw.data, "ptr") else int(raw.unsafe_buffer_pointer())
