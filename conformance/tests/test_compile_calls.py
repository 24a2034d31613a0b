"""How a compiled function is called: static arguments by position and by name, no arguments, and what warnings say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unigrad_conformance.programs.custom import WITHIN, transforms_within

import unigrad as ug

BACKENDS = ["numpy", "torch", "tensorflow", "mxnet", "jax"]


def power(x: Any, n: Any = 2.0, *, shift: Any = 0.0) -> Any:
    assert isinstance(n, float)  # a traced number would be a Tensor
    return x**n + shift


@pytest.mark.parametrize("static", [{"static_argnums": 1}, {"static_argnames": "n"}, {"static_argnums": (-1,)}])
def test_a_static_argument_is_one_however_it_is_given(static: Any) -> None:
    f = ug.compile(power, **static)
    for x in ([1.0, 2.0], [3.0, 4.0]):
        given = ug.asarray(x)
        assert f(given).tolist() == f(given, 2.0).tolist() == f(given, n=2.0).tolist() == [each**2 for each in x]
    assert f.cache_info().currsize == 3
    assert f(given, 3.0).tolist() == [27.0, 64.0]


def test_static_arguments_that_there_are_not() -> None:
    with pytest.raises(
        ug.ArgumentError, match=r"static_argnums=2 is no position: power has the parameters x, n, shift"
    ):
        ug.compile(power, static_argnums=2)
    with pytest.raises(ug.ArgumentError, match=r"static_argnames='m' is no name"):
        ug.compile(power, static_argnames=("n", "m"))
    ug.compile(lambda *xs, **options: xs[0], static_argnums=4, static_argnames="anything")
    with pytest.raises(ug.ArgumentError, match="a static argument is an array"):
        ug.compile(power, static_argnums=1)(ug.ones(2), ug.ones(2))
    with pytest.raises(ug.ArgumentError, match="a static argument, of type list, is not hashable"):
        ug.compile(power, static_argnums=1)(ug.ones(2), [2])


@pytest.mark.parametrize("backend", BACKENDS)
def test_without_arguments_results_are_tensors(backend: str) -> None:
    with ug.use_backend(backend):
        w = ug.asarray([1.0, 2.0])
        f = ug.compile(lambda: (w * w, ug.ones(2)))
        for value in (1.0, 5.0):
            w[0] = value
            squares, ones = f()
            assert isinstance(squares, ug.Tensor)
            assert isinstance(ones, ug.Tensor)
            assert (squares.tolist(), ones.tolist()) == ([value**2, 4.0], [1.0, 1.0])
        assert isinstance(ug.compile(lambda x: x * 2)(np.ones(2)), np.ndarray)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_warning_of_many_signatures_says_what_changes(backend: str) -> None:
    with ug.use_backend(backend):
        f = ug.compile(lambda x, n: x + n)
        for size in range(1, 9):
            f(ug.ones(size), 1)
        with pytest.warns(ug.UnigradWarning, match=r"traced for the 9th time.*float32\[9\] after float32\[8\]\. Give"):
            f(ug.ones(9), 1)
        f.clear_cache()
        for n in range(8):
            f(ug.ones(2), n)
        with pytest.warns(ug.UnigradWarning, match=r"What changed last: int 8 after int 7\."):
            f(ug.ones(2), 8)


@pytest.mark.parametrize("name", WITHIN)
@pytest.mark.parametrize("backend", BACKENDS)
def test_transforms_inside_of_numpys_arrays(backend: str, name: str) -> None:
    with ug.use_backend(backend):
        f = ug.compile(transforms_within(ug)[name])
        assert float(f(ug.asarray([3.0, 4.0]))) == 25.0
        assert f(ug.asarray([1.0, 2.0])).tolist() == 5.0
        assert ug.grad(f)(ug.asarray([3.0, 4.0])).tolist() == [6.0, 8.0]
