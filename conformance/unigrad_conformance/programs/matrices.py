"""Matrices without an answer, the triangle that NumPy's names read, and what depends on no choice of vectors."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_conformance.case import Limit, Program, Results, message, raised

MATRICES = Program("matrices")
case = MATRICES.case

GOOD = [[4.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 2.0]]
FACTORISING: dict[str, Callable[[Any, Any], Any]] = {
    "cholesky": lambda ug, x: ug.linalg.cholesky(x),
    "inv": lambda ug, x: ug.linalg.inv(x),
    "solve": lambda ug, x: ug.linalg.solve(x, ug.ones(3, like=x)),
    "solve_triangular": lambda ug, x: ug.linalg.solve_triangular(x, ug.ones(3, like=x), lower=True),
    "matrix_power": lambda ug, x: ug.linalg.matrix_power(x, -1),
    "expm": lambda ug, x: ug.linalg.expm(x),
    "det": lambda ug, x: ug.linalg.det(x),
    "slogdet": lambda ug, x: ug.linalg.slogdet(x),
    "logdet": lambda ug, x: ug.linalg.logdet(x),
    "eigh": lambda ug, x: ug.linalg.eigh(x),
    "eigvalsh": lambda ug, x: ug.linalg.eigvalsh(x),
    "svd": lambda ug, x: ug.linalg.svd(x),
    "svdvals": lambda ug, x: ug.linalg.svdvals(x),
    "qr": lambda ug, x: ug.linalg.qr(x),
    "pinv": lambda ug, x: ug.linalg.pinv(x),
    "matrix_rank": lambda ug, x: ug.linalg.matrix_rank(x),
    "lstsq": lambda ug, x: ug.linalg.lstsq(x, ug.ones(3, like=x)),
    "cond": lambda ug, x: ug.linalg.cond(x),
    "cond 1": lambda ug, x: ug.linalg.cond(x, 1),
    "norm 2": lambda ug, x: ug.linalg.norm(x, 2, axis=(-2, -1)),
    "nuc": lambda ug, x: ug.linalg.matrix_norm(x, ord="nuc"),
}


def _spoilt(ug: Any, number: float, stacked: bool) -> Any:
    values = np.array(GOOD)
    values[2, 0] = number
    return ug.asarray(np.stack([GOOD, values]) if stacked else values)


@case(
    "a matrix with NaN or infinity in it has no answer: LinAlgError before LAPACK is called, of a stack as well",
    names=True,
    **{f"{name} {number}": ["LinAlgError"] * 2 for name in FACTORISING for number in (math.nan, -math.inf)},
)
def not_finite(ug: Any) -> Results:
    found: Results = {
        f"{name} {number}": [
            raised(lambda call=call, stacked=stacked, number=number: call(ug, _spoilt(ug, number, stacked)))
            for stacked in (False, True)
        ]
        for name, call in FACTORISING.items()
        for number in (math.nan, -math.inf)
    }
    return found | {"names": "NaN or infinity" in message(lambda: ug.linalg.svd(_spoilt(ug, math.nan, False)))}


_SQUARE = ("cholesky", "inv", "solve", "solve_triangular", "matrix_power", "expm", "det", "slogdet", "eigh", "eigvalsh")


@case("a matrix that is to be square and is not", **dict.fromkeys(_SQUARE, "ShapeError"))
def not_square(ug: Any) -> Results:
    x = ug.asarray(np.ones((3, 2)))
    return {name: raised(lambda name=name: FACTORISING[name](ug, x)) for name in _SQUARE}


@case(
    "the same recorded, in vmap and in forward mode",
    **dict.fromkeys(("recorded", "mapped", "pushed"), "LinAlgError"),
)
def not_finite_at_work(ug: Any) -> Results:
    x, stack = _spoilt(ug, math.nan, False), _spoilt(ug, math.nan, True)

    def values(x: Any) -> Any:
        return ug.linalg.svdvals(x).sum()

    return {
        "recorded": raised(lambda: ug.grad(values)(x)),
        "mapped": raised(lambda: ug.vmap(values)(stack)),
        "pushed": raised(lambda: ug.jvp(values, (x,), (x,))),
    }


@case(
    "NaN on the right side of an equation, or in a triangle that is not read, stays where it is",
    **{
        "solve": [True, False], "lstsq": [True, False], "triangular": True, "numpy": True, "upper": True,
    },
)  # fmt: skip
def not_finite_elsewhere(ug: Any) -> Results:
    right = ug.asarray([[1.0, math.nan], [2.0, 1.0], [3.0, 1.0]])
    good = ug.asarray(GOOD)
    values = np.array(GOOD)
    values[0, 2] = math.nan
    x = ug.asarray(values)

    def finite(x: Any) -> list[bool]:
        return [bool(ug.isfinite(x[:, column]).all()) for column in range(2)]

    return {
        "solve": finite(ug.linalg.solve(good, right)),
        "lstsq": finite(ug.linalg.lstsq(good, right).solution),
        "triangular": bool(ug.isfinite(ug.linalg.solve_triangular(x, ug.ones(3), lower=True)).all()),
        "numpy": bool(ug.isfinite(np.linalg.eigvalsh(x)).all()),
        "upper": bool(ug.isfinite(np.linalg.cholesky(x.mT, upper=True)).all()),
    }


@case("of complex matrices as well", dtype="complex128", found=["LinAlgError"] * 3)
def not_finite_complex(ug: Any) -> Results:
    x = ug.asarray(np.array([[1.0, 2.0], [complex(0.0, math.nan), 3.0]]))
    return {"found": [raised(lambda f=f: f(x)) for f in (ug.linalg.eigvals, ug.linalg.inv, ug.linalg.eigvalsh)]}


LOWER = np.array([[4.0, 9.0, 7.0], [1.0, 3.0, 8.0], [0.5, 1.0, 2.0]])
"""A matrix that is not symmetric: the triangles are of different ones."""
_SYMMETRIC = np.tril(LOWER) + np.tril(LOWER, -1).T
_OTHER = np.triu(LOWER) + np.triu(LOWER, 1).T
_RECTANGLE = np.array([[1.0, 2.0], [3.0, 1.0], [0.5, 4.0]])


def _same(x: Any, values: Any) -> bool:
    return bool(np.allclose(x.numpy(), values, rtol=1e-9, atol=1e-12))


@case(
    "under NumPy's names one triangle of a Hermitian matrix is read, and the gradient is that of the value",
    dtype="float64",
    **dict.fromkeys(("eigvalsh", "eigvalsh U", "eigh", "eigh u", "cholesky", "cholesky upper"), True),
    **{"trace": np.eye(3), "squares": 2 * np.tril(LOWER) + 2 * np.tril(LOWER, -1), "mistake": "ArgumentError"},
)
def one_triangle(ug: Any) -> Results:
    x = ug.asarray(LOWER)
    of_lower, of_upper = np.linalg.eigvalsh(_SYMMETRIC), np.linalg.eigvalsh(_OTHER)
    factor = np.linalg.cholesky(_SYMMETRIC)
    return {
        "eigvalsh": _same(np.linalg.eigvalsh(x), of_lower),
        "eigvalsh U": _same(np.linalg.eigvalsh(x, UPLO="U"), of_upper),
        "eigh": _same(np.linalg.eigh(x).eigenvalues, of_lower),
        "eigh u": _same(np.linalg.eigh(x, "u")[0], of_upper),
        "cholesky": _same(np.linalg.cholesky(x), factor),
        "cholesky upper": _same(np.linalg.cholesky(x.mT, upper=True), factor.T),
        "trace": ug.grad(lambda x: np.linalg.eigvalsh(x).sum())(x),
        "squares": ug.grad(lambda x: (np.linalg.eigvalsh(x) ** 2).sum())(x),
        "mistake": raised(lambda: np.linalg.eigvalsh(x, UPLO="lower")),
    }


@case(
    "np.linalg with NumPy's own arguments",
    dtype="float64",
    **dict.fromkeys(("pinv rcond", "pinv hermitian", "svd hermitian", "qr r", "tensorinv", "tensorsolve"), True),
    **{"tol": 1, "hermitian": 3, "vector": 1, "raw": "UnsupportedError", "both": "ArgumentError"},
)
def numpys_arguments(ug: Any) -> Results:
    x, symmetric, low = ug.asarray(_RECTANGLE), ug.asarray(_SYMMETRIC), ug.asarray(LOWER)
    rows, known = symmetric.reshape(3, 1, 3), _SYMMETRIC.reshape(3, 1, 3)
    r = np.linalg.qr(x, mode="r")
    return {
        "pinv rcond": _same(np.linalg.pinv(x, rcond=0.7), np.linalg.pinv(_RECTANGLE, rcond=0.7)),
        "pinv hermitian": _same(np.linalg.pinv(low, hermitian=True), np.linalg.inv(_SYMMETRIC)),
        "svd hermitian": _same(np.linalg.svd(low, True, False, hermitian=True), np.linalg.svd(_SYMMETRIC)[1]),
        "qr r": _same(r.mT @ r, _RECTANGLE.T @ _RECTANGLE),
        "tensorinv": _same(np.linalg.tensorinv(rows, ind=1), np.linalg.tensorinv(known, ind=1)),
        "tensorsolve": _same(np.linalg.tensorsolve(rows, [1.0, 2.0, 3.0]), np.linalg.tensorsolve(known, [1, 2, 3])),
        "tol": np.linalg.matrix_rank(x, tol=3.0),
        "hermitian": np.linalg.matrix_rank(low, hermitian=True),
        "vector": np.linalg.matrix_rank(x[0]),
        "raw": raised(lambda: np.linalg.qr(x, mode="raw")),
        "both": raised(lambda: np.linalg.pinv(x, rcond=0.1, rtol=0.1)),
    }


@case(
    "fix_gauge: the first element that is about the largest is positive, in equal ones and against rounding",
    dtype="float64",
    signs=[[1, 1], [-1, 1]],
    upper=[[True, True], [True, True]],
    mistake="ArgumentError",
)
def chosen_signs(ug: Any) -> Results:
    x = ug.asarray([[2.0, 1.0], [1.0, 2.0]], dtype="float64")
    q, r = ug.linalg.fix_gauge(ug.linalg.qr(-x))
    return {
        "signs": ug.sign(ug.linalg.fix_gauge(ug.linalg.eigh(x)).eigenvectors),
        "upper": ug.abs(q @ r + x) < 1e-12,
        "mistake": raised(lambda: ug.linalg.fix_gauge(x)),
    }


@case(
    "pinv and lstsq that cut singular values, of more than float32, also in a tf.function",
    dtype="float64",
    found=[True] * 3,
)
def traced_when_cut(ug: Any) -> Results:
    x = ug.asarray(_RECTANGLE)
    functions = (
        lambda x: (ug.linalg.pinv(x, rtol=0.7) ** 2).sum(),
        lambda x: (ug.linalg.lstsq(x, ug.ones(3, like=x), 0.7).solution ** 2).sum(),
        lambda x: ug.linalg.det(x.mT @ x),
    )
    return {"found": [_same(_traced(ug, x, ug.grad(f)), ug.grad(f)(x).numpy()) for f in functions]}


def _traced(ug: Any, x: Any, function: Callable[[Any], Any]) -> Any:
    """What a function gives in a tf.function, whose numbers take no dtype from what is beside them; else as it is."""
    if x.backend.name == "tensorflow":
        tensorflow = importlib.import_module("tensorflow")
        return ug.asarray(tensorflow.function(function)(x.raw))
    return function(x)


@case("what singular values are cut off by has no gradient, and keeps what it holds", everyday=False, kept=[7])
def cut_by_a_variable(ug: Any) -> Results:
    x, rtol = ug.asarray([[1.0, 2.0]]), ug.asarray([1e-3])
    x.attach_grad()
    rtol.attach_grad()
    rtol.backward(ug.asarray([7.0]))
    with ug.record():
        y = ug.linalg.pinv(x, rtol=rtol[0])
    y.backward()
    return {"kept": rtol.grad, "grad": x.grad}


@case("who may ask for derivatives of the vectors of repeated values is warned", everyday=False, warned=[1, 1, 0, 0, 0])
def warned_of_repeated(ug: Any) -> Results:
    same, apart = ug.asarray(np.eye(2)), ug.asarray(np.diag([1.0, 2.0]))
    same.attach_grad()
    apart.attach_grad()

    def warned(name: str, x: Any, recorded: bool) -> int:
        with warnings.catch_warnings(record=True) as caught, ug.record() if recorded else ug.pause():
            warnings.simplefilter("always")
            getattr(ug.linalg, name)(x)
        return sum(issubclass(each.category, ug.UnigradWarning) for each in caught)

    calls = (
        ("eigh", same, True),
        ("svd", same, True),
        ("eigh", apart, True),
        ("svd", apart, True),
        ("svd", same, False),
    )
    return {"warned": [warned(*call) for call in calls]}


_WEIGHTS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 10.0]])
_EVEN_WEIGHTS = (_WEIGHTS + _WEIGHTS.T) / 2


@case("functions of a matrix with repeated values have the derivatives that they have, and no second ones",
      everyday=False,
      dtype="float64", exp=_EVEN_WEIGHTS * math.e, sqrt=_EVEN_WEIGHTS / 4, cube=_WEIGHTS * 4, beside=_EVEN_WEIGHTS,
      unknown=True, second=True, twice=True, alone=True,
      left=True, right=True)  # fmt: skip
def functions_of_repeated(ug: Any) -> Results:
    weights, eye = ug.asarray(_WEIGHTS), np.eye(3)

    def of(d: Callable[[Any], Any], weights: Any = weights) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            w, v = ug.linalg.eigh(x)
            return ((v * d(w)) @ v.T * weights).sum()

        return f

    def cube(x: Any) -> Any:
        u, s, vh = ug.linalg.svd(x, full_matrices=False)
        return ((u * s) @ vh * weights).sum() * 4

    def beside_values(x: Any, side: int) -> Any:
        parts = ug.linalg.svd(x, full_matrices=False)
        return parts[side][0, 0] ** 2 + parts[1].sum()

    def gradient(f: Callable[[Any], Any], x: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ug.grad(f)(ug.asarray(x))

    def undefined(f: Callable[[Any], Any], x: Any) -> bool:
        return bool(np.isnan(gradient(f, x).numpy()).any())

    def first(x: Any) -> Any:
        v = ug.linalg.eigh(x)[1][:, 0]
        return (v * v.detach()).sum()

    turned = np.linalg.qr(_WEIGHTS)[0]
    corner = ug.asarray(np.eye(3)[[1, 0, 2]] * np.array([0.0, 1.0, 0.0]))
    return {
        "exp": gradient(of(ug.exp), eye),
        "sqrt": gradient(of(ug.sqrt), 4 * eye),
        "cube": gradient(cube, np.diag([2.0, 2.0, 5.0])),
        "beside": gradient(of(lambda w: w), np.diag([2.0, 2.0, 3.0])),
        "nearly": gradient(of(lambda w: w), (turned @ np.diag([2.0, 2.0, 3.0])) @ turned.T),
        "small": gradient(of(ug.exp), turned @ np.diag([1e-9, 2.0, 2.0]) @ turned.T),
        "odd": undefined(of(lambda w: w), np.zeros((3, 3))),
        "unknown": undefined(of(lambda w: w * w, corner), 2 * eye),
        "second": undefined(lambda x: ug.grad(of(ug.exp))(x)[0, 1], eye),
        "twice": undefined(lambda x: (ug.linalg.eigh(x)[1] ** 2 * weights).sum(), eye),
        "alone": undefined(first, turned @ np.diag([2.0, 2.0, 5.0]) @ turned.T),
        "left": undefined(lambda x: beside_values(x, 0), np.eye(3, 2) * [1.0, 0.0]),
        "right": undefined(lambda x: beside_values(x, 2), np.eye(3, 2) * [1.0, 0.0]),
    }


_TURNED = np.array([[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [2.0, 0.0, 1.0]])
_COFACTORS = np.array([[1.0, 6.0, -2.0], [-2.0, 1.0, 4.0], [6.0, -3.0, 1.0]])
_REPEATED = {
    "identity": np.eye(3),
    "zeros": np.zeros((3, 3)),
    "rank one": np.ones((3, 3)),
    "large": np.full((3, 3), 1e6),
    "nearly nilpotent": np.triu(np.ones((3, 3)), 1) + 2.0**-13 * np.eye(3),
    "regular": _TURNED,
}


@case(
    "the third derivative of a determinant of three rows is the same everywhere: twice the cofactors of the direction",
    dtype="float64",
    limit=Limit(32, "largest", "through inverses; measured 21"),
    everyday=False,
    **dict.fromkeys(_REPEATED, 2 * _COFACTORS),
    **{f"{name}, forward": 6 * 13.0 for name in _REPEATED},
    **{f"{name}, fourth": np.zeros((3, 3)) for name in ("identity", "zeros")},
)
def third_of_det(ug: Any) -> Results:
    w = ug.asarray(_TURNED)

    def along(f: Any) -> Any:
        return lambda x: (ug.grad(f)(x) * w).sum()

    def pushed(f: Any) -> Any:
        return lambda x: ug.jvp(f, (x,), (w,))[1]

    results = {}
    for name, values in _REPEATED.items():
        x = ug.asarray(values)
        results[name] = ug.grad(along(along(ug.linalg.det)))(x)
        results[f"{name}, forward"] = pushed(pushed(pushed(ug.linalg.det)))(x)
    for name in ("identity", "zeros"):
        fourth = ug.grad(along(along(along(ug.linalg.det))))(ug.asarray(_REPEATED[name]))
        results[f"{name}, fourth"] = ug.round(fourth, 9) + 0.0
    return results


@case(
    "derivatives of a determinant of five rows in float32 are in float32, to every order",
    limit=Limit(64, "largest", "through inverses at four places"),
    everyday=False,
    second=160.0,
    third=240.0,
    reverse=32 * np.eye(5),
)
def orders_of_det(ug: Any) -> Results:
    one = ug.asarray(np.eye(5, dtype=np.float32))

    def pushed(f: Any) -> Any:
        return lambda x: ug.jvp(f, (x,), (one,))[1]

    first = pushed(ug.linalg.det)
    # The determinant of x + t is (2 + t) ** 5 for multiples t of the identity.
    return {
        "second": pushed(first)(2 * one),
        "third": pushed(pushed(first))(2 * one),
        "reverse": ug.grad(lambda x: (ug.grad(ug.linalg.det)(x) * one).sum())(2 * one),
    }
