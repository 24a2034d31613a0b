"""The native engine's own special functions: how exact they are, at whatever size, and at their hard points."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from unigrad.native.special import error_function

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
