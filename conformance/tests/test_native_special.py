"""The native engine's own special functions: how exact they are, at whatever size, and at their hard points."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
import warnings

import mpmath
import numpy as np
import pytest

import unigrad as ug
from unigrad.adapters.registry import get_backend_object
from unigrad.native import from_scipy
from unigrad.native.from_scipy import FUNCTIONS
from unigrad.native.special import error_function
from unigrad.table import PRIMITIVES

erf = error_function(np)


@pytest.mark.parametrize(("dtype", "limit"), [("float64", 1.1), ("float32", 2.2), ("float16", 0.6)])
def test_erf_is_as_exact_as_stated(dtype: str, limit: float) -> None:
    numbers = np.random.default_rng(3)
    spread = [numbers.normal(0, 1.2, 900), numbers.uniform(-6.5, 6.5, 600), np.arange(-80, 80) / 512]
    x = np.concatenate([*spread, 10 ** numbers.uniform(-7, 0, 600)]).astype(dtype)
    found = erf(x)
    assert found.dtype == dtype
    for at, value in zip(x.tolist(), found.tolist(), strict=True):
        due = mpmath.mp.erf(at)
        assert abs(value - due) <= limit * float(np.spacing(np.asarray(abs(float(due)), dtype=dtype))), at


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16"])
def test_erf_at_hard_points(dtype: str) -> None:
    x = np.array([0.0, -0.0, math.inf, -math.inf, math.nan, 7.0, -7.0, np.finfo(dtype).max], dtype=dtype)
    found = erf(x)
    np.testing.assert_array_equal(found, [0.0, -0.0, 1.0, -1.0, math.nan, 1.0, -1.0, 1.0])
    assert np.signbit(found[:2]).tolist() == [False, True]
    least = np.finfo(dtype).smallest_subnormal
    assert erf(np.array([least]))[0] == least


def test_erf_of_large_arrays_is_that_of_their_parts() -> None:
    x = np.random.default_rng(5).normal(size=(3, 20_001))
    whole = erf(x)
    assert whole.shape == x.shape
    np.testing.assert_array_equal(whole[1, 7:9], erf(x[1, 7:9]))
    assert erf(x[:0]).shape == (0, 20_001)
    assert np.shape(erf(np.float64(0.5))) == ()


# --- SciPy's functions beside the compositions --------------------------------------------------------------------

_LINE = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    1.0,
    -1.0,
    2.0,
    -2.0,
    0.5,
    -0.5,
    1.5,
    -2.5,
    1e-20,
    30.0,
    170.5,
    -26.5,
]
_STATICS = {
    "bessel_i": [(0,), (1,), (2,)],
    "bessel_ie": [(0,), (1,), (2,)],
    "bessel_j": [(0,), (1,), (2,)],
    "bessel_y": [(0,), (1,), (2,)],
    "elliptic": [(0, False), (0, True), (1, False)],
    "modified": [(False,), (True,)],
    "scaled_erfc": [(0,), (1,)],
}
# By how much the two may differ, of the value, or of 1 where it is a difference: most of it is SciPy's.
_APART = {"modified": 1e-12, "beta": 1e-12, "betainc": 3e-12, "betaincc": 3e-12, "gammainc": 1e-12, "gammaincc": 1e-12}


_INVERSES = ("gammaincinv", "gammainccinv", "betaincinv", "betainccinv", "student_inverse")


_APART |= dict.fromkeys(_INVERSES, 1e-12)


def _inputs(name: str) -> list[np.ndarray]:
    """Hard points in all combinations, and random ones."""
    count = len(PRIMITIVES[name].arrays)
    numbers = np.random.default_rng(2)
    columns = [_LINE] * count
    if name in _INVERSES:  # of parameters that are no numbers to speak of they are apart
        columns = [[0.0, -1.0, math.nan, 0.5, 1.0, 2.0, 30.0]] * (count - 1) + [[0.0, 1.0, 2.0, -1.0, math.nan, 0.25]]
    hard = np.array(list(itertools.product(*columns))).T
    spread = [np.concatenate([numbers.uniform(-6, 6, 200), 10 ** numbers.uniform(-3, 2, 800)]) for _ in range(count)]
    if name in _INVERSES:
        spread = [10 ** numbers.uniform(-1, 2, 1000) for _ in range(count)]
    if name in _INVERSES or (name.startswith("beta") and count == 3):
        spread[-1] = numbers.uniform(0, 1, 1000)
    return [np.concatenate(pair) for pair in zip(hard, spread, strict=True)]


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_scipys_functions_are_the_compositions(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("scipy", minversion="1.11")
    function = get_backend_object("numpy").function(name)
    for statics in _STATICS.get(name, [()]):
        arrays = [column.astype(dtype) for column in _inputs(name)]
        found = function(*arrays, *statics)
        with monkeypatch.context() as patch:
            patch.setattr(from_scipy, "_scipy", lambda: None)
            due = function(*arrays, *statics)
        assert found.dtype == due.dtype == dtype
        limit = max(_APART.get(name, 4e-13), 3e-7 if dtype == "float32" else 0.0)
        np.testing.assert_allclose(found, due, rtol=limit, atol=limit * 1e-2)
        assert function(arrays[0][0], *[array[0] for array in arrays[1:]], *statics).shape == ()


def test_scipy_is_imported_by_the_first_function_that_wants_it() -> None:
    program = (
        "import sys, unigrad as ug; x = ug.asarray([0.5]); ug.sin(x); assert 'scipy' not in sys.modules; "
        "ug.special.i0(x); print(ug.special.i0(x).item())"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_nothing_is_said_of_what_is_made_on_the_way() -> None:
    x = ug.asarray(np.array([np.inf, 0.0, 5e-324, 1e300, -1e300]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ug.special.digamma(x).numpy()[3] == pytest.approx(690.7755278982137)
        assert (ug.special.xlogy(ug.zeros(2), ug.asarray([0.0, -1.0])).numpy() == 0).all()
