"""How exact the special functions and their derivatives are, natively, against mpmath; and SciPy's own on Tensors."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest

import unigrad as ug

_numbers = np.random.default_rng(7)
_LINE = _numbers.uniform(-6, 6, 12)
_POSITIVE = 10 ** _numbers.uniform(-2, 1.5, 12)
_UNIT = _numbers.uniform(0.02, 0.98, 12)
_SHAPES = 10 ** _numbers.uniform(-1, 1.3, 12)

mp = mpmath.MPContext()
mp.dps = 70


def _gamma_inverse(a: Any, p: Any) -> Any:
    """From the value that is tested: a root that is none would not be found from it."""
    start = ug.special.gammaincinv(*[ug.asarray(float(x), dtype="float64") for x in (a, p)]).item()
    return mp.findroot(lambda x: mp.log(mp.gammainc(a, 0, x, regularized=True) / p), start)


def _beta_inverse(a: Any, b: Any, p: Any) -> Any:
    start = ug.special.betaincinv(*[ug.asarray(float(x), dtype="float64") for x in (a, b, p)]).item()
    return mp.findroot(lambda x: mp.log(mp.betainc(a, b, 0, x, regularized=True) / p), start)


# Of each function: how it is called, what it is, where, and how far value and derivatives may be off, in ULP:
# about twice what was measured over ten times as many points.
FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], Sequence[Any], float]] = {
    "erfc": (ug.special.erfc, mp.erfc, (_LINE,), 4),
    "erfcx": (ug.special.erfcx, lambda x: mp.exp(x * x) * mp.erfc(x), (_LINE,), 10),
    "erfinv": (ug.special.erfinv, mp.erfinv, (2 * _UNIT - 1,), 20),
    "ndtr": (ug.special.ndtr, mp.ncdf, (_LINE,), 8),
    "log_ndtr": (ug.special.log_ndtr, lambda x: mp.log(mp.ncdf(x)), (_LINE,), 40),
    "gamma": (ug.special.gamma, mp.gamma, (_POSITIVE,), 200),
    "rgamma": (ug.special.rgamma, mp.rgamma, (_LINE,), 200),
    "gammainc": (ug.special.gammainc, lambda a, x: mp.gammainc(a, 0, x, regularized=True), (_SHAPES, _POSITIVE), 300),
    "betainc": (
        ug.special.betainc,
        lambda a, b, x: mp.betainc(a, b, 0, x, regularized=True),
        (_SHAPES, _POSITIVE, _UNIT),
        600,
    ),
    "gammaincinv": (ug.special.gammaincinv, _gamma_inverse, (_SHAPES, _UNIT), 300),
    "betaincinv": (ug.special.betaincinv, _beta_inverse, (_SHAPES, _SHAPES[::-1], _UNIT), 600),
    "j0": (ug.special.j0, lambda x: mp.besselj(0, x), (_POSITIVE,), 200),
    "y1": (ug.special.y1, lambda x: mp.bessely(1, x), (_POSITIVE,), 200),
    "i0": (ug.special.i0, lambda x: mp.besseli(0, x), (_POSITIVE,), 24),
    "k1": (ug.special.k1, lambda x: mp.besselk(1, x), (_POSITIVE,), 24),
    "expn": (lambda x: ug.special.expn(3, x), lambda x: mp.expint(3, x), (_POSITIVE,), 10),
    "expi": (ug.special.expi, mp.ei, (_LINE,), 20),
    "logit": (ug.special.logit, lambda p: mp.log(p) - mp.log1p(-p), (_UNIT,), 4),
    "exprel": (ug.special.exprel, lambda x: mp.expm1(x) / x, (_LINE,), 16),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_and_derivatives_are_as_exact_as_stated(name: str) -> None:
    function, exact, columns, limit = FUNCTIONS[name]
    with ug.use_backend("numpy"):
        arrays = [ug.asarray(column) for column in columns]
        for array in arrays:
            array.attach_grad()
        with ug.record():
            y = function(*arrays)
        y.backward()
    for place, point in enumerate(zip(*columns, strict=True)):
        at = [mp.mpf(float(x)) for x in point]
        assert _error(y, place, exact(*at)) <= limit, ("value", point)
        for position, array in enumerate(arrays):
            step = mp.mpf(10) ** -25 * abs(at[position])
            up, down = (
                exact(*(x + sign * step if other == position else x for other, x in enumerate(at))) for sign in (1, -1)
            )
            assert _error(array.grad, place, (up - down) / (2 * step)) <= limit, (position, point)


def _error(found: ug.Tensor, place: int, due: Any) -> float:
    due = mp.re(due)
    return float(abs(mp.mpf(float(found.numpy()[place])) - due) / float(np.spacing(abs(float(due)))))


# At the ends, poles and branch points: the value, and the slope.
HARD = {
    "erfinv": [(1.0, math.inf, math.inf), (-1.0, -math.inf, math.inf), (1.5, math.nan, math.nan)],
    "erfcinv": [(0.0, math.inf, -math.inf), (2.0, -math.inf, -math.inf)],
    "ndtri": [(0.0, -math.inf, math.inf), (1.0, math.inf, math.inf)],
    "logit": [(0.0, -math.inf, math.inf), (1.0, math.inf, math.inf)],
    "entr": [(0.0, 0.0, math.inf), (-1.0, -math.inf, 0.0), (1.0, 0.0, -1.0)],
    "gamma": [(0.0, math.inf, math.nan), (-1.0, math.nan, math.nan)],
    "rgamma": [(0.0, 0.0, 1.0), (-1.0, 0.0, -1.0), (-2.0, 0.0, 2.0)],
    "exp1": [(0.0, math.inf, -math.inf)],
    "expi": [(0.0, -math.inf, math.inf)],
    "sinc": [(0.0, 1.0, 0.0)],
    "exprel": [(0.0, 1.0, 0.5)],
    "y0": [(0.0, -math.inf, math.inf)],
}


@pytest.mark.parametrize("backend", ["numpy", "torch"])
@pytest.mark.parametrize("name", HARD)
def test_values_and_slopes_at_hard_points(name: str, backend: str) -> None:
    points, values, slopes = (np.array(column) for column in zip(*HARD[name], strict=True))
    with ug.use_backend(backend), np.errstate(all="ignore"):
        x = ug.asarray(points)
        x.attach_grad()
        with ug.record():
            y = getattr(ug.special, name)(x)
        y.backward()
    np.testing.assert_allclose(y.numpy(), values, rtol=1e-14)
    np.testing.assert_allclose(x.grad.numpy(), slopes, rtol=1e-14)


def test_the_names_are_public_and_in_every_namespace() -> None:
    assert dir(ug.special) == sorted(ug.special.__all__)
    special = ug.namespace("numpy").special
    assert all(hasattr(special, name) for name in ug.special.__all__)


def test_a_parameter_without_derivative_says_nan_and_leaves_the_others_alone() -> None:
    v, x = ug.asarray([1.5], dtype="float64"), ug.asarray([2.0], dtype="float64")
    by_order, by_argument = ug.grad(lambda v, x: ug.special.iv(v, x).sum(), argnums=(0, 1))(v, x)
    assert np.isnan(by_order.numpy()).all()
    assert np.isfinite(by_argument.numpy()).all()


def test_an_order_that_is_no_whole_number_is_refused_in_words() -> None:
    with pytest.raises(ug.ArgumentError, match="whole number"):
        ug.special.jn(1.5, ug.ones(2))
    with pytest.raises(ug.ArgumentError, match="dimension d"):
        ug.special.multigammaln(ug.ones(2), 0)


# Run apart, since SciPy reads its switch when it is imported.
SCIPY = """
import numpy as np, scipy.special, unigrad as ug
from scipy.special._support_alternative_backends import _special_funcs
from unigrad.special import __all__ as ours

x, p = np.array([0.3, 0.7, 2.4]), np.array([0.2, 0.6, 0.9])
a, k, n = np.array([1.5, 3.0, 5.5]), np.array([1.0, 2.0, 3.0]), np.array([3.0, 4.0, 9.0])
INPUTS = {name: (p,) for name in ("erfinv", "logit", "ndtri")}
INPUTS |= {name: (a, x, p) for name in ("betainc", "betaincc")}
INPUTS |= {name: (k, n, p) for name in ("bdtr", "bdtrc", "nbdtr", "nbdtrc")}
right = []
for info in _special_funcs:
    name, count = info.name, info.n_args
    columns = INPUTS.get(name, (x,) if count == 1 else (a, x) if count == 2 else (a, n, x))
    whole = {"expn": 2, "yn": 2, "polygamma": 1}.get(name)
    if name == "multigammaln":
        columns, rest = (a + 2,), (2,)
    else:
        rest = ()
    function = getattr(scipy.special, name)
    call = (lambda *v: function(whole, v[-1])) if whole else (lambda *v: function(*v, *rest))
    columns = columns[-1:] if whole else columns
    if name == "zeta":
        columns = (a, x)
    try:
        tensors = [ug.asarray(column) for column in columns]
        for tensor in tensors:
            tensor.attach_grad()
        with ug.record():
            y = call(*tensors)
        expected = info.func(*([np.array(whole)] if whole else []), *columns, *rest)
        good = isinstance(y, ug.Tensor) and np.allclose(y.numpy(), expected, rtol=1e-10)
        y.backward()
        step = 1e-6
        above, below = (
            info.func(*([np.array(whole)] if whole else []), *columns[:-1], columns[-1] + sign * step, *rest)
            for sign in (1, -1)
        )
        slope = (above - below) / (2 * step)
        good = good and np.allclose(tensors[-1].grad.numpy(), slope, rtol=1e-5, atol=1e-7)
    except Exception as error:
        good = False
    if good:
        right.append(name)
print(len(right), len(_special_funcs), *sorted(info.name for info in _special_funcs if info.name not in right))
"""


def test_scipys_special_functions_of_tensors_are_right_and_differentiate() -> None:
    pytest.importorskip("scipy", minversion="1.17")
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    run = subprocess.run([sys.executable, "-c", SCIPY], capture_output=True, text=True, env=environment)
    assert run.returncode == 0, run.stderr
    right, _, *others = run.stdout.split()
    assert int(right) >= 60, others


# At large parameters and at small ones: of value and slopes the relative error that is allowed.
INCOMPLETE = {
    "gammainc": ((39142.5, 39212.1), 1e-14),
    "gammaincc": ((76599.6, 74987.8), 1e-14),
    "gammaincc small": ((1.639e-4, 0.1376), 1e-13),
    "betainc": ((170.126, 462.688, 0.268818), 1e-13),
    "betainc large": ((9767.0, 4015.0, 0.7048), 1e-12),
    "betainc small": ((1 / 32, 0.5, 0.1), 1e-14),
    "betaincc": ((1 / 32, 3.0, 0.5), 1e-13),
}


def _fraction(a: Any, b: Any, x: Any) -> Any:
    """betainc by DLMF 8.17.22, below the mean: mpmath's own does not end where parameters are large."""
    tail = mp.mpf(0)
    for m in range(int(250 + 14 * mp.sqrt(max(a, b))), 0, -1):
        even = x * (b - m) * m / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -x * (a + m) * (a + b + m) / ((a + 2 * m) * (a + 2 * m + 1))
        tail = even / (1 + odd / (1 + tail))
    whole = mp.exp(a * mp.log(x) + b * mp.log1p(-x) - mp.loggamma(a) - mp.loggamma(b) + mp.loggamma(a + b))
    return whole / a / (1 - x * (a + b) / (a + 1) / (1 + tail))


def _exact_betainc(a: Any, b: Any, x: Any) -> Any:
    return 1 - _fraction(b, a, 1 - x) if x * (a + b + 2) > a + 1 else _fraction(a, b, x)


@pytest.mark.parametrize("name", INCOMPLETE)
def test_incomplete_functions_at_large_and_small_parameters(name: str) -> None:
    point, limit = INCOMPLETE[name]
    function = name.split()[0]
    exact = {
        "gammainc": lambda a, x: mp.gammainc(a, 0, x, regularized=True),
        "gammaincc": lambda a, x: mp.gammainc(a, x, mp.inf, regularized=True),
        "betainc": _exact_betainc,
        "betaincc": lambda a, b, x: 1 - _exact_betainc(a, b, x),
    }[function]
    arrays = [ug.asarray(number, dtype="float64") for number in point]
    value, slopes = ug.value_and_grad(getattr(ug.special, function), argnums=tuple(range(len(arrays))))(*arrays)
    at = [mp.mpf(number) for number in point]
    assert abs(mp.mpf(value.item()) / exact(*at) - 1) < limit
    for position, slope in enumerate(slopes):
        step = at[position] * mp.mpf(10) ** -22
        up, down = (exact(*[x + sign * step * (i == position) for i, x in enumerate(at)]) for sign in (1, -1))
        assert abs(mp.mpf(slope.item()) / ((up - down) / (2 * step)) - 1) < limit, position
