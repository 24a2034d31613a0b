"""Linear algebra where the suite's reference does not reach: complex numbers, warnings, names of results."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad import linalg
from unigrad.operations import decompositions

STEP = 1e-6


def _abs2(x: Any) -> Any:
    return ug.real(x * ug.conj(x))


def _h(x: Any) -> Any:
    return ug.conj(x.mT)


def _eigh(x: Any) -> Any:
    w, v = linalg.eigh(x)
    return (v * ug.exp(w)[..., None, :]) @ _h(v) + w[..., None]


def _svd(x: Any) -> Any:
    u, s, vh = linalg.svd(x, full_matrices=False)
    return (u * ug.exp(s)[..., None, :]) @ vh


def _slogdet(x: Any) -> Any:
    sign, logarithm = linalg.slogdet(x)
    return sign * logarithm


def _qr(x: Any) -> Any:
    return ug.concat(list(linalg.qr(x)), axis=-2)


def _completed(x: Any) -> Any:
    u, q = linalg.svd(x).U[..., 3:], linalg.qr(x, mode="complete").Q[..., 3:]
    return u @ _h(u) + 2 * q @ _h(q)


def _eig(x: Any) -> Any:
    w, v = linalg.eig(x)
    return (v * ug.exp(w)[..., None, :]) @ linalg.inv(v)


PROGRAMS: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "inv": (linalg.inv, (2, 3, 3)),
    "solve": (lambda x: linalg.solve(x, x @ x + x[0]), (2, 3, 3)),
    "matrix_power": (lambda x: linalg.matrix_power(x, 3) + linalg.matrix_power(x, -2), (3, 3)),
    "cholesky": (lambda x: linalg.cholesky(x @ _h(x)), (3, 3)),
    "det": (linalg.det, (2, 3, 3)),
    "cofactors": (decompositions.cofactors_, (2, 3, 3)),
    "cofactors_along": (lambda x: decompositions.cofactors_along_(x, x * x), (2, 4, 4)),
    "slogdet": (_slogdet, (2, 3, 3)),
    "eigvalsh": (linalg.eigvalsh, (2, 3, 3)),
    "eigh": (_eigh, (2, 3, 3)),
    "eigh_vectors": (lambda x: _abs2(linalg.eigh(x).eigenvectors), (3, 3)),
    "eigvals": (lambda x: ug.sum(linalg.eigvals(x) ** 3, axis=-1), (2, 3, 3)),
    "eig": (_eig, (2, 3, 3)),
    "eig_vectors": (lambda x: ug.sum(_abs2(linalg.eig(x).eigenvectors) * _abs2(linalg.eigvals(x)), axis=-1), (3, 3)),
    "svdvals": (linalg.svdvals, (2, 3, 4)),
    "svd": (_svd, (3, 3)),
    "svd_tall": (_svd, (2, 4, 3)),
    "svd_wide": (_svd, (3, 4)),
    "svd_left": (lambda x: _abs2(linalg.svd(x, full_matrices=False).U), (4, 3)),
    "svd_right": (lambda x: _abs2(linalg.svd(x, full_matrices=False).Vh), (3, 4)),
    "completed": (_completed, (5, 3)),
    "qr": (_qr, (4, 3)),
    "qr_wide": (lambda x: ug.concat(list(linalg.qr(x)), axis=-1), (3, 4)),
    "pinv": (linalg.pinv, (3, 4)),
    "pinv_rank_2": (lambda x: linalg.pinv(x[:, :2] @ x[:2, :]), (4, 4)),
    "lstsq": (lambda x: linalg.lstsq(x, x[:, :2] * x[:, 1:]).solution, (4, 3)),
    "vecdot": (lambda x: linalg.vecdot(x, x * x[0]), (3, 2)),
}


def _numbers(shape: tuple[int, ...], complex_: bool, seed: int) -> Any:
    generator = np.random.default_rng(seed)
    values = generator.normal(size=shape)
    return values + 1j * generator.normal(size=shape) if complex_ else values


@pytest.mark.parametrize("complex_", [False, True], ids=["real", "complex"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_reverse_forward_and_second_order_are_central_differences(name: str, complex_: bool) -> None:
    f, shape = PROGRAMS[name]
    x, direction, other = (_numbers(shape, complex_, seed) for seed in (1, 2, 3))
    y = f(ug.asarray(x))
    weights = _numbers(y.shape, y.dtype.kind == "c", 4)

    def objective(x: Any) -> Any:
        return ug.sum(ug.real(f(x) * ug.asarray(np.conj(weights))))

    def slope(x: Any) -> Any:
        return ug.sum(ug.real(ug.grad(objective)(x) * ug.asarray(np.conj(other))))

    def along(gradient: Any) -> float:
        return float(np.vdot(gradient.numpy(), direction).real)

    def difference(g: Callable[[Any], Any]) -> float:
        up, down = (g(ug.asarray(x + sign * STEP * direction)).item() for sign in (1, -1))
        return float(up - down) / (2 * STEP)

    expected = difference(objective)
    assert along(ug.grad(objective)(ug.asarray(x))) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    _, tangent = ug.jvp(f, (ug.asarray(x),), (ug.asarray(direction),))
    assert float(np.vdot(weights, tangent.numpy()).real) == pytest.approx(expected, rel=1e-5, abs=1e-5)
    assert along(ug.grad(slope)(ug.asarray(x))) == pytest.approx(difference(slope), rel=1e-4, abs=1e-4)


def test_results_have_the_names_and_dtypes_of_the_standard() -> None:
    x = ug.asarray(_numbers((3, 3), True, 1).astype(np.complex64))
    assert linalg.eigh(x)._fields == linalg.eig(x)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.svd(x)._fields == ("U", "S", "Vh")
    assert linalg.qr(x)._fields == ("Q", "R")
    assert linalg.slogdet(x)._fields == ("sign", "logabsdet")
    real = [linalg.eigh(x).eigenvalues, linalg.svd(x).S, linalg.svdvals(x), linalg.slogdet(x).logabsdet]
    assert {str(part.dtype) for part in real} == {"float32"}
    assert {str(part.dtype) for part in linalg.eig(ug.real(x))} == {"complex64"}
    assert str(linalg.matrix_rank(x).dtype) == "int64"
    assert str(linalg.det(ug.asarray([[1, 2], [3, 4]])).dtype) == "float32"


@pytest.mark.parametrize("function", [linalg.eigh, linalg.svd])
def test_repeated_values_warn_where_they_are_recorded(function: Any) -> None:
    x = ug.eye(2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        function(x)
        x.attach_grad()
        function(x)
        with ug.record():
            function(x + ug.asarray([[0.0, 0.0], [0.0, 1.0]]))
    with ug.record(), pytest.warns(ug.UnigradWarning, match="repeated values") as caught:
        function(x)
    assert caught[0].filename == __file__


def test_hessian_of_the_determinant_at_singular_and_degenerate_matrices() -> None:
    for values in (np.eye(3), np.zeros((3, 3)), np.diag([1.0, 0.0, 0.0]), np.diag([2.0, 2.0, 0.0])):
        found = ug.grad(lambda x: ug.grad(linalg.det)(x)[0, 0] * 1.0)(ug.asarray(values)).numpy()
        expected = np.zeros((3, 3))
        # The derivative of a22 a33 - a23 a32.
        expected[1, 1], expected[2, 2] = values[2, 2], values[1, 1]
        expected[1, 2], expected[2, 1] = -values[2, 1], -values[1, 2]
        assert found == pytest.approx(expected, abs=1e-12)
