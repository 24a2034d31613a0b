"""grad and value_and_grad: what goes in, what comes out, and how they nest."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import unigrad as ug

Pair = namedtuple("Pair", "w b")


@dataclass
class Layer:
    w: object
    name: str | None = None


def test_kinds_come_back_as_they_went_in() -> None:
    def f(x):
        assert isinstance(x, ug.Tensor)
        return (x * x).sum()

    value, gradient = ug.value_and_grad(f)(np.array([1.0, 2.0]))
    assert type(value) is np.ndarray
    assert gradient.tolist() == [2, 4]
    value, gradient = ug.value_and_grad(f)(ug.asarray([1.0, 2.0]))
    assert isinstance(value, ug.Tensor)
    assert isinstance(gradient, ug.Tensor)
    assert float(ug.grad(f)(3.0)) == 6


def test_argnums_and_aux_and_keywords() -> None:
    def f(x, y, *, factor):
        return (x * y).sum() * factor, {"sum": x + y, "text": "hi"}

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (value, aux), (dx, dy) = ug.value_and_grad(f, argnums=(0, -1), has_aux=True)(x, y, factor=2)
    assert float(value) == 22
    assert aux["text"] == "hi"
    assert aux["sum"].tolist() == [4, 6]
    assert dx.tolist() == [6, 8]
    assert dy.tolist() == [2, 4]
    gradient, aux = ug.grad(f, argnums=1, has_aux=True)(x, y, factor=1)
    assert gradient.tolist() == [1, 2]


def test_containers_keep_their_structure() -> None:
    def f(tree):
        return (tree["pair"].w * tree["list"][0]).sum() + tree["layer"].w.sum()

    tree = {"pair": Pair(np.ones(2), np.ones(1)), "list": [np.full(2, 3.0)], "layer": Layer(np.ones(3))}
    gradient = ug.grad(f)(tree)
    assert isinstance(gradient["pair"], Pair)
    assert gradient["pair"].w.tolist() == [3, 3]
    assert gradient["pair"].b.tolist() == [0]  # unused: zeros
    assert gradient["list"][0].tolist() == [1, 1]
    assert gradient["layer"].w.tolist() == [1, 1, 1]


def test_the_same_array_twice_is_two_variables() -> None:
    t = ug.asarray([2.0, 3.0])
    assert ug.grad(lambda x, y: (x * x * y).sum())(t, t).tolist() == [8, 18]


def test_nesting() -> None:
    def cube(x):
        return (x * x * x).sum()

    first = ug.grad(cube)
    second = ug.grad(lambda x: first(x).sum())
    third = ug.grad(lambda x: second(x).sum())
    x = np.array([1.0, 2.0])
    assert first(x).tolist() == [3, 12]
    assert second(x).tolist() == [6, 12]
    assert third(x).tolist() == [6, 6]


def test_inside_record_the_gradient_is_differentiable() -> None:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        y = ug.grad(lambda z: (z**3).sum())(x).sum()
    y.backward()
    assert x.grad.tolist() == [6, 12]


def test_constants_and_outer_state_are_left_alone() -> None:
    x = ug.asarray([1.0])
    x.attach_grad()
    x.grad  # noqa: B018
    assert ug.grad(lambda z: ug.asarray(5.0))(x).tolist() == [0]
    assert ug.grad(lambda z: (z * x).sum())(ug.asarray([3.0])).tolist() == [1]
    assert x.grad.tolist() == [0]
    assert not ug.is_recording()


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ug.grad(lambda x: x)(np.ones(2)), ug.ShapeError),
        (lambda: ug.grad(lambda x: "no")(np.ones(2)), ug.ArgumentError),
        (lambda: ug.grad(lambda x: x.sum())(np.arange(2)), ug.DtypeError),
        (lambda: ug.grad(lambda x: x.sum(), argnums=1)(np.ones(2)), ug.ArgumentError),
        (lambda: ug.grad(lambda x: x.sum(), has_aux=True)(np.ones(2)), ug.ArgumentError),
    ],
)
def test_bad_input(call, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()
    assert not ug.is_recording()
