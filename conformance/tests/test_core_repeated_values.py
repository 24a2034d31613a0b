"""Vectors where values repeat, are small or large, or are cut off: what still has a derivative, on every backend."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug

BACKENDS = [found.name for found in ug.available_backends() if found.installed]


@pytest.fixture(params=BACKENDS, autouse=True)
def backend(request: pytest.FixtureRequest) -> Iterator[None]:
    with ug.use_backend(request.param), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _gradient(f: Any, x: np.ndarray[Any, Any]) -> Any:
    return ug.grad(f)(ug.asarray(x)).numpy()


def _function(d: Any, weights: Any) -> Any:
    def f(x: Any) -> Any:
        w, v = ug.linalg.eigh(x)
        return ((v * d(w)) @ v.T * ug.asarray(weights)).sum()

    return f


WEIGHTS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]])
SYMMETRIC = (WEIGHTS + WEIGHTS.T) / 2


def test_a_simple_vector_beside_repeated_values() -> None:
    found = _gradient(lambda x: ug.linalg.eigh(x)[1][0, -1] * ug.linalg.eigh(x)[1][2, -1], np.diag([1.0, 1.0, 5.0]))
    expected = np.zeros((3, 3))
    expected[[0, 2], [2, 0]] = 1 / 8
    assert found == pytest.approx(expected)
    x = np.diag([4.0, 1.0, 1.0])[:, [1, 0, 2]]
    found = _gradient(lambda x: (lambda u, s, vh: u[1, 0] * u[0, 0] + 0 * s[0])(*ug.linalg.svd(x)), x)
    assert np.isfinite(found).all()
    assert np.abs(found).max() > 0.1


def test_functions_of_a_matrix_with_repeated_values() -> None:
    assert _gradient(_function(ug.exp, WEIGHTS), np.eye(3)) == pytest.approx(SYMMETRIC * np.e)
    assert _gradient(_function(ug.sqrt, WEIGHTS), 4 * np.eye(3)) == pytest.approx(SYMMETRIC / 4)
    # Values that are equal up to rounding.
    q = np.linalg.qr(WEIGHTS)[0]
    x = q @ np.diag([2.0, 2.0, 3.0]) @ q.T
    assert _gradient(_function(lambda w: w, WEIGHTS), (x + x.T) / 2) == pytest.approx(SYMMETRIC)


def test_any_of_equal_values_tells_which_function_it_is() -> None:
    element = np.zeros((3, 3))
    element[0, 1] = element[2, 2] = 1
    assert _gradient(_function(ug.exp, element), np.eye(3)) == pytest.approx((element + element.T) / 2 * np.e)
    # Nobody can tell: all of these send the same cotangents back, and have other derivatives.
    element[2, 2] = 0
    for d in (lambda w: w + 2, lambda w: w * w, lambda w: 2 * w):
        assert np.isnan(_gradient(_function(d, element), 2 * np.eye(3))).any()

    def two_of_one(x: Any) -> Any:
        w, v = ug.linalg.eigh(x)
        return ug.linalg.trace((v * ug.exp(w)) @ v.T) + ((v * w**2) @ v.T * ug.asarray(WEIGHTS)).sum()

    assert np.isnan(_gradient(two_of_one, np.eye(3))).any()


def test_singular_vectors_with_repeated_values() -> None:
    def f(x: Any) -> Any:
        u, s, vh = ug.linalg.svd(x, full_matrices=False)
        return ((u * s) @ vh * ug.asarray(WEIGHTS)).sum()

    # Real rotations of both sides leave the product as it is.
    assert _gradient(f, np.diag([2.0, 2.0, 5.0])) == pytest.approx(WEIGHTS)


def test_what_depends_on_the_choice_of_vectors_is_nan() -> None:
    assert np.isnan(_gradient(lambda x: (ug.linalg.eigh(x)[1] ** 2 * ug.asarray(WEIGHTS)).sum(), np.eye(3))).any()
    # So are the second derivatives of what does not: the first ones have only the limit.
    f = _function(ug.exp, WEIGHTS)
    assert np.isnan(_gradient(lambda x: ug.grad(f)(x)[0, 1] * 1.0, np.eye(3))).any()


@pytest.mark.parametrize("size", [1e-25, 1e20])
def test_float32_of_any_size(size: float) -> None:
    matrix = np.array([[1.0, 0.3], [0.1, 2.0]])

    def f(x: Any) -> Any:
        u, _, vh = ug.linalg.svd(x, full_matrices=False)
        return (u[:, :1] @ vh[:1] * ug.asarray([[1.0, 2.0], [5.0, 4.0]], dtype=x.dtype)).sum()

    found = _gradient(f, (matrix * size).astype(np.float32)) * size
    assert found == pytest.approx(_gradient(f, matrix), rel=1e-4, abs=1e-4)


def test_pinv_and_lstsq_that_cut_singular_values() -> None:
    rows, columns = np.linalg.qr(WEIGHTS)[0], np.linalg.qr(WEIGHTS.T + 1)[0]
    x, direction = rows @ np.diag([3.0, 2.0, 0.5]) @ columns, SYMMETRIC / 10
    b = np.array([1.0, -2.0, 0.5])
    for f in (
        lambda x: (ug.linalg.pinv(x, rtol=0.3) * ug.asarray(WEIGHTS)).sum(),
        lambda x: (ug.linalg.lstsq(x, ug.asarray(b), 0.3)[0] * ug.asarray(b[::-1].copy())).sum(),
    ):

        def slope(x: Any, f: Any = f) -> Any:
            return (ug.grad(f)(x) * ug.asarray(WEIGHTS)).sum()

        def difference(g: Any) -> float:
            up, down = (g(ug.asarray(x + step * direction)).item() for step in (1e-6, -1e-6))
            return float(up - down) / 2e-6

        first = difference(f)
        assert (_gradient(f, x) * direction).sum() == pytest.approx(first, rel=1e-6, abs=1e-7)
        tangent = ug.jvp(f, (ug.asarray(x),), (ug.asarray(direction),))[1]
        assert tangent.item() == pytest.approx(first, rel=1e-6, abs=1e-7)
        assert (_gradient(slope, x) * direction).sum() == pytest.approx(difference(slope), rel=1e-5, abs=1e-6)
