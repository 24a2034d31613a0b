"""expm1, log1p and tanh of complex numbers with an infinite part, a NaN or a signed zero: as the standard says."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from unigrad_conformance.programs.complex_rules import STANDARD

import unigrad as ug

PARTS = (0.0, -0.0, 1.0, -2.5, np.inf, -np.inf, np.nan)
POINTS = np.array([complex(*parts) for parts in itertools.product(PARTS, [0.0, *PARTS[2:]])])
Inf, Nan = np.inf, np.nan
# Of C's table (ISO C, annex G.6), which the standard repeats; beside what the suite asks of every backend.
TABLE = {
    "expm1": {
        **STANDARD["expm1"],
        complex(Inf, Inf): complex(Inf, Nan),
        complex(Inf, Nan): complex(Inf, Nan),
        complex(1, Inf): complex(Nan, Nan),
        complex(-0.0, 0): 0,
        complex(Inf, 1): complex(Inf, Inf),
    },
    "log1p": {
        **STANDARD["log1p"],
        complex(Inf, Inf): complex(Inf, np.pi / 4),
        complex(1, Inf): complex(Inf, np.pi / 2),
        complex(1, Nan): complex(Nan, Nan),
    },
    "tanh": {
        complex(0, Inf): complex(0, Nan),
        complex(0, Nan): complex(0, Nan),
        complex(1, Inf): complex(Nan, Nan),
        complex(Inf, 1): 1,
        complex(Nan, 0): complex(Nan, 0),
        complex(Nan, 1): complex(Nan, Nan),
    },
}


backends = pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])


def values(backend: str, name: str, points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    with ug.use_backend(backend):
        found: ug.Tensor = getattr(ug, name)(ug.asarray(points))
    return found.numpy()


@backends
@pytest.mark.parametrize("name", TABLE)
def test_they_are_those_of_the_standard(backend: str, name: str) -> None:
    points, wanted = np.array([*TABLE[name]]), np.array([*TABLE[name].values()], dtype=complex)
    found = values(backend, name, points)
    np.testing.assert_allclose(found.real, wanted.real, rtol=1e-15)
    np.testing.assert_allclose(found.imag, wanted.imag, rtol=1e-15)


@backends
@pytest.mark.parametrize("name", TABLE)
def test_all_backends_agree(backend: str, name: str) -> None:
    found, native = values(backend, name, POINTS), values("numpy", name, POINTS)
    np.testing.assert_allclose(found.real, native.real, rtol=1e-14)
    np.testing.assert_allclose(found.imag, native.imag, rtol=1e-14)


@backends
@pytest.mark.parametrize("name", TABLE)
def test_slopes_of_finite_numbers_stay(backend: str, name: str) -> None:
    slopes = {"expm1": np.exp, "log1p": lambda z: 1 / (1 + z), "tanh": lambda z: 1 - np.tanh(z) ** 2}[name]
    points = np.array([0, 0.5, 1 - 2j, -0.25j])
    with ug.use_backend(backend):
        found = ug.grad(lambda z: ug.real(getattr(ug, name)(z)).sum())(ug.asarray(points))
    np.testing.assert_allclose(found.numpy(), np.conj(slopes(points)), rtol=1e-13)
