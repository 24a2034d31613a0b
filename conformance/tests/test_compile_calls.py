"""How a compiled function is called: static arguments by position and by name, no arguments, and what warnings say."""

from __future__ import annotations

import copy
import pickle
import threading
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
        for kind, told in ((float, r"float 8\.0 after float 7\.0"), (np.int64, r"int64 .*8.* after int64 .*7"),
                           (np.float32, r"float32 .*8.* after float32 .*7"),
                           (lambda n: (n, "a"), r"tuple \(8, 'a'\) after tuple \(7, 'a'\)")):  # fmt: skip
            f = ug.compile(lambda x, n: x, static_argnums=1)
            for n in range(8):
                f(ug.ones(2), kind(n))
            with pytest.warns(ug.UnigradWarning, match=told):
                f(ug.ones(2), kind(8))


@pytest.mark.parametrize("name", WITHIN)
@pytest.mark.parametrize("backend", BACKENDS)
def test_transforms_inside_of_numpys_arrays(backend: str, name: str) -> None:
    with ug.use_backend(backend):
        f = ug.compile(transforms_within(ug)[name])
        assert float(f(ug.asarray([3.0, 4.0]))) == 25.0
        assert f(ug.asarray([1.0, 2.0])).tolist() == 5.0
        assert ug.grad(f)(ug.asarray([3.0, 4.0])).tolist() == [6.0, 8.0]


@pytest.mark.parametrize(
    "values",
    [
        [(2,), (2.0,), (True,)],
        [((1, (1,)),), ((1, (1.0,)),)],
        [frozenset({1}), frozenset({1.0})],
        [0.0, -0.0],
        [complex(0.0, 0.0), complex(0.0, -0.0)],
        [(0.0, 1), (-0.0, 1)],
        [np.float32(0.0), np.float32(-0.0), np.float64(0.0)],
    ],
)
def test_static_arguments_that_are_equal_and_not_the_same(values: list[Any]) -> None:
    f = ug.compile(lambda x, told: (x, repr(told)), static_argnums=1)
    for value in (*values, *values):
        assert f(ug.ones(2), value)[1] == repr(value)
    assert f.cache_info()[:2] == (len(values), len(values))


@ug.compile
def doubled(x: Any) -> Any:
    return x * 2


def tripled(x: Any, n: int) -> Any:
    return x * n


@pytest.mark.parametrize("backend", BACKENDS)
def test_compiled_functions_are_pickled_and_copied_as_functions_are(backend: str) -> None:
    with ug.use_backend(backend):
        x = ug.ones(2)
        other = ug.compile(tripled, static_argnums=1)
        assert (doubled(x).tolist(), other(x, 3).tolist()) == ([2, 2], [3, 3])
        assert pickle.loads(pickle.dumps(doubled)) is doubled is copy.deepcopy(doubled)
        for made in (pickle.loads(pickle.dumps(other)), copy.copy(other), copy.deepcopy({"step": other})["step"]):
            assert made.cache_info().currsize == 0
            assert made(x, 3).tolist() == [3, 3]
            made.clear_cache()
        assert other.cache_info().currsize == 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    "f", [lambda x: {x * 2}, lambda x: (row for row in [x]), lambda x: [map(ug.sin, [x])], lambda x: iter([x])]
)
def test_results_that_cannot_be_filled_again(backend: str, f: Any) -> None:
    with ug.use_backend(backend), pytest.raises(ug.UnsupportedError, match="return a tuple, a list or a dict"):
        ug.compile(f)(ug.ones(2))


def test_results_that_cannot_be_copied() -> None:
    lock = threading.Lock()
    f = ug.compile(lambda x: (x, lock, np, {1, 2}))
    for _ in range(2):
        assert f(ug.ones(2))[1:] == (lock, np, {1, 2})


def test_a_loop_that_values_end_says_what_to_do_instead() -> None:
    with pytest.raises(ug.UnsupportedError, match=r"ug\.scan with a number.*call while_loop outside of it"):
        ug.compile(lambda x: ug.while_loop(lambda x: x.sum() < 9, lambda x: x * 2, x))(ug.ones(2))
