"""The native engine is exact to a few units in the last place, and no backend is worse than what is recorded of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from unigrad_conformance import accuracy, oracle, runner

from unigrad.adapters.registry import backend_names
from unigrad.base.errors import BackendError
from unigrad.table import PRIMITIVES

BACKENDS = [name for name in backend_names() if name not in (oracle.NAME, *runner.APART)]


def test_every_differentiable_elementwise_primitive_is_measured_or_excused() -> None:
    rows = {name for name, row in PRIMITIVES.items() if row.kind == "elementwise" and row.differentiable}
    assert rows - set(accuracy.POINTS) - set(accuracy.EXCUSED) == set()
    assert set(accuracy.POINTS) & set(accuracy.EXCUSED) == set()


@pytest.mark.parametrize("operation", accuracy.measured())
def test_the_record_is_complete(operation: str) -> None:
    figures, decisions = accuracy.recorded()
    # Measured where all of them are installed; CuPy needs a GPU.
    for backend in ("numpy", "torch", "tensorflow", "mxnet", "jax"):
        for dtype in accuracy.DTYPES:
            found = figures[operation, dtype, backend]
            assert max(found) <= accuracy.LARGE or (operation, backend) in decisions


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_backend_is_worse_than_recorded(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XLA_FLAGS", raising=False)  # with which the tests are quick, and JAX has fewer digits
    try:
        found = accuracy.measure(backend, accuracy.measured())
    except BackendError as error:
        assert backend != "numpy"
        pytest.skip(str(error))
    known, _ = accuracy.recorded()
    worse = []
    for (operation, dtype, _), figures in found.items():
        if backend in ("numpy", "cupy"):
            limits: tuple[float, ...] = (accuracy.VALUE, accuracy.GRADIENT)
        else:
            limits = tuple(map(_with_slack, known[operation, dtype, backend]))
        worse += [
            f"{operation} {dtype} {what}: {figure:.3g} ULP, allowed {limit:g}"
            for what, figure, limit in zip(("value", "gradient"), figures, limits, strict=True)
            if not figure <= limit
        ]
    assert not worse, "\n".join(worse)


def _with_slack(figure: float) -> float:
    # Another processor has other vector functions: up to the next power of two but one, and never below 2 ULP.
    return max(2.0, 2.0 ** (math.floor(math.log2(figure)) + 2)) if figure else 2.0


def test_the_reference_needs_no_rule() -> None:
    # tanh at 20: the derivative is 4 exp(-2x) but for one part in 10 ** 17.
    place = next(place for place, (x,) in enumerate(zip(*accuracy.POINTS["tanh"], strict=True)) if x > 20)
    x = accuracy.POINTS["tanh"][0][place]
    slope = accuracy.reference("tanh", "float32")[1][0][place]
    assert slope == pytest.approx(4 * math.exp(-2 * x), rel=1e-14)


@pytest.mark.parametrize("dtype", accuracy.DTYPES)
def test_errors_are_in_units_of_the_last_place(dtype: str) -> None:
    info = np.finfo(dtype)
    one, tiny, large = 1.0, float(info.smallest_subnormal), float(info.max)
    exact = ([one, 0.0, tiny, math.inf, large, math.nan, one], [0.0] * 7)
    got = [one + 2 * float(info.eps), 2 * tiny, 0.0, math.inf, math.inf, math.nan, math.nan]
    found = accuracy.errors(got, exact, dtype).tolist()
    assert found[:4] == [2.0, 2.0, 1.0, 0.0]
    assert found[4] == (1.0 if dtype == "float32" else math.inf)
    assert found[5:] == [0.0, math.inf]
    assert accuracy.errors(got, exact, dtype, flushed=True)[1:3].tolist() == [0.0, 0.0]
