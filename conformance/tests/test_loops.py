"""Conditions and loops inside what frameworks trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug


def program(x: Any) -> Any:
    scaled = ug.cond(x.sum() > 0, lambda x: x * x, lambda x: -x, x)
    last, sums = ug.scan(lambda state, row: (state * 0.5 + row, state * row), scaled[0] * 0.0, scaled)
    return last * sums.sum()


def traced(name: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    framework = pytest.importorskip(name)
    if name == "jax":
        return framework.jit
    if name == "tensorflow":
        return lambda f: framework.function(f, autograph=False)
    return lambda f: lambda x: tuple(y[0] for y in framework.func.vmap(f)(x[None]))


@pytest.mark.parametrize("name", ["jax", "tensorflow", "torch"])
@pytest.mark.parametrize("values", [[1.0, 2.0, -0.5], [-1.0, -2.0, 0.5]])
def test_the_same_as_untraced(name: str, values: list[float]) -> None:
    with ug.use_backend(name):
        raw = ug.asarray(values).raw
    value, gradient = traced(name)(ug.value_and_grad(program))(raw)
    right = ug.value_and_grad(program)(np.asarray(values, np.float32))
    np.testing.assert_allclose(value, right[0], rtol=1e-5)
    np.testing.assert_allclose(gradient, right[1], rtol=1e-5)


@pytest.mark.parametrize("length", [-1, 2**63, 10**40, 2.5, "3"])
def test_a_length_that_is_none(length: Any) -> None:
    with pytest.raises(ug.ArgumentError, match="length"):
        ug.scan(lambda state, _: (state, None), ug.asarray(1.0), length=length)


@pytest.mark.parametrize("name", ["jax", "tensorflow"])
def test_a_loop_of_unknown_length_says_what_to_use(name: str) -> None:
    with ug.use_backend(name):
        raw = ug.asarray(1.0).raw
    with pytest.raises(ug.UnsupportedError, match=r"ug\.scan"):
        traced(name)(lambda raw: ug.while_loop(lambda x: x < 9, lambda x: x * 2, raw).raw)(raw)
