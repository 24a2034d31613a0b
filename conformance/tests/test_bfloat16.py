"""bfloat16 as it is met outside operations: interchange, copies, raw arrays, mixed dtypes, training, printing."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import unigrad as ug

ml_dtypes = pytest.importorskip("ml_dtypes")
BACKENDS = ("numpy", "torch", "tensorflow", "jax")
VALUES = np.asarray([1.0, -2.5, 0.125], dtype=ml_dtypes.bfloat16)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    try:
        with ug.use_backend(request.param):
            yield request.param
    except ug.BackendError as error:
        pytest.skip(str(error))


def values(x: ug.Tensor) -> list[float]:
    assert x.dtype == ug.bfloat16
    found: list[float] = x.astype(ug.float32).tolist()
    return found


@pytest.mark.parametrize("to", BACKENDS)
def test_it_goes_to_every_other_backend(backend: str, to: str) -> None:
    x = ug.asarray(VALUES)
    assert x.backend.name == backend
    with ug.use_backend(to):
        assert values(x.to_backend(to)) == VALUES.tolist()
        if to != "numpy":  # NumPy's own import knows no bfloat16
            assert values(ug.namespace(to).from_dlpack(x)) == VALUES.tolist()
    x.attach_grad()
    with ug.record():
        y = (x.to_backend(to) * 2).sum()
    y.backward()
    assert values(x.grad) == [2, 2, 2]


def test_it_is_copied_and_printed(backend: str) -> None:
    x = ug.asarray(VALUES)
    x.attach_grad()
    for made in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert values(made) == VALUES.tolist()
        assert made.backend.name == backend
        assert values(made.grad) == [0, 0, 0]
    assert "bfloat16" in repr(x)
    assert "-2.5" in repr(x)
    assert "-2.5" in str(x)
    assert f"{x[1]:.2f}" == "-2.50"
    assert float(x[2]) == 0.125
    assert x.tolist() == [1.0, -2.5, 0.125]
    assert x.numpy().dtype == ml_dtypes.bfloat16
    assert "bfloat16" in x._repr_html_()


def test_raw_arrays_are_taken_as_they_are(backend: str) -> None:
    raw = ug.asarray(VALUES).raw
    found = ug.grad(lambda x: (x * x).sum())(raw)
    assert type(found) is type(raw) or backend == "numpy"
    assert values(ug.asarray(found)) == [2, -5, 0.25]
    assert values(ug.asarray(raw)) == VALUES.tolist()
    assert ug.sin(raw).dtype == ug.bfloat16


def test_beside_other_dtypes(backend: str) -> None:
    x = ug.asarray(VALUES)
    assert (x + ug.ones(3)).dtype == ug.float32
    assert (x * 2.0).dtype == (x * 2).dtype == (x + ug.asarray([1, 2, 3])).dtype == ug.bfloat16
    assert (x * ug.ones(3, dtype=ug.float16)).dtype == ug.float32
    y = ug.ones(3)
    found = ug.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(x, y)
    assert [g.dtype for g in found] == [ug.bfloat16, ug.float32]
    assert found[1].tolist() == VALUES.tolist()


def test_a_network_learns(backend: str) -> None:
    generator = np.random.default_rng(0)

    def made(*shape: int) -> ug.Tensor:
        return ug.asarray(generator.normal(size=shape) * 0.5, dtype=ug.bfloat16)

    x, target = made(32, 4), made(32, 1)
    weights = [made(4, 16), made(16), made(16, 1)]

    def loss(weights: list[ug.Tensor]) -> ug.Tensor:
        inner = ug.tanh(x @ weights[0] + weights[1])
        return ug.nn.mse_loss(inner @ weights[2], target)

    losses = []
    for _ in range(20):
        value, slopes = ug.value_and_grad(loss)(weights)
        assert value.dtype == ug.bfloat16
        losses.append(float(value))
        weights = [w - 0.25 * slope for w, slope in zip(weights, slopes, strict=True)]
        assert {w.dtype for w in weights} == {np.dtype(ml_dtypes.bfloat16)}
    assert losses[-1] < 0.6 * losses[0]


@pytest.mark.parametrize("name", ["float8_e4m3fn", "float8_e5m2", "int4", "uint4"])
def test_its_relatives_are_refused(backend: str, name: str) -> None:
    array = np.asarray([1, 2], dtype=getattr(ml_dtypes, name))
    for function in (ug.asarray, ug.sin, lambda a: ug.ones(2) + a, lambda a: ug.zeros(2, dtype=a.dtype)):
        with pytest.raises(ug.DtypeError):
            function(array)


def test_without_the_package_it_is_said_what_to_install() -> None:
    source = (
        "import sys\nsys.modules['ml_dtypes'] = None\nimport unigrad as ug\n"
        "try: print(ug.ones(2, dtype='bfloat16'))\nexcept ug.UnigradError as error: print(error)\n"
        "try: print(ug.bfloat16)\nexcept ug.UnigradError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", source], check=True, timeout=120, capture_output=True, text=True)
    lines = done.stdout.strip().splitlines()
    assert len(lines) == 2
    assert all("ml_dtypes" in line for line in lines)
