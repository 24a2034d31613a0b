"""The functional transforms: what goes in, what comes out, how they nest, and the laws that they obey."""

from __future__ import annotations

import functools
import gc
import tracemalloc
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import unigrad as ug
from unigrad.tape import Node

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
        (lambda: ug.jvp(lambda x: x, 1.0, 1.0), ug.ArgumentError),
        (lambda: ug.hvp(lambda x: x, ug.ones(2), ug.ones(2)), ug.ArgumentError),
    ],
)
def test_bad_input(call, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()
    assert not ug.is_recording()


# --- laws, at random ------------------------------------------------------------------------------------------

_STEPS = {
    "sin": lambda x, c: ug.sin(x),
    "tanh": lambda x, c: ug.tanh(x),
    "scale": lambda x, c: x * c,
    "shift": lambda x, c: x + c,
    "square": lambda x, c: x * x,
    "ratio": lambda x, c: x / (x * x + 2.0),
    "sum": lambda x, c: x + x.sum(),
    "turn": lambda x, c: ug.flip(x) * x,
    "matrix": lambda x, c: ug.asarray(np.linspace(-1.0, 1.0, x.size**2).reshape(x.size, x.size)) @ x,
    "choose": lambda x, c: ug.where(x > 0.1, ug.exp(-x * x), x),
    "write": lambda x, c: _written(x, c),
    "join": lambda x, c: ug.concat([x[1:], x[:1] * c]),
}


def _written(x, c):
    y = x * 1.0
    y[0] = y[-1] * c
    return y


_numbers = st.floats(-1.5, 1.5).map(lambda number: round(number, 3))
_vectors = st.lists(_numbers, min_size=4, max_size=4).map(np.array)
_programs = st.lists(st.tuples(st.sampled_from(sorted(_STEPS)), _numbers), min_size=1, max_size=5)


def _composed(program):
    def f(x):
        for name, c in program:
            x = _STEPS[name](x, c)
        return x

    return f


def _bounded(f, x) -> bool:
    return bool(np.all(np.abs(ug.asarray(f(ug.asarray(x))).numpy()) < 1e3))


@settings(max_examples=60, deadline=None)
@given(_programs, _vectors, _vectors, _vectors)
def test_inner_products_of_jvp_and_vjp(program, x, t, c) -> None:
    f = _composed(program)
    assume(_bounded(f, x))
    _, pushed = ug.jvp(f, (x,), (t,))
    (pulled,) = ug.vjp(f, x)[1](c)
    assert np.vdot(c, pushed) == pytest.approx(np.vdot(pulled, t), rel=1e-9, abs=1e-9 * (1 + np.abs(pulled).max()))


@settings(max_examples=40, deadline=None)
@given(_programs, _vectors)
def test_modes_of_jacobian_agree(program, x) -> None:
    f = _composed(program)
    assume(_bounded(f, x))
    rows, columns = ug.jacobian(f, "reverse")(x), ug.jacobian(f, "forward")(x)
    np.testing.assert_allclose(rows, columns, rtol=1e-9, atol=1e-9 * (1 + np.abs(rows).max()))


@settings(max_examples=30, deadline=None)
@given(_programs, _vectors, _vectors)
def test_hessians_are_symmetric_and_hvp_multiplies_by_them(program, x, t) -> None:
    f = _composed(program)
    assume(_bounded(f, x))

    def value(x):
        return (f(x) * ug.asarray(np.arange(4.0))).sum()

    matrix = ug.hessian(value)(x)
    size = 1e-9 * (1 + np.abs(matrix).max())
    np.testing.assert_allclose(matrix, matrix.T, atol=size)
    np.testing.assert_allclose(ug.hvp(value, (x,), (t,))[0], matrix @ t, rtol=1e-9, atol=4 * size)
    np.testing.assert_allclose(ug.jvp(ug.grad(value), (x,), (t,))[1], matrix @ t, rtol=1e-9, atol=4 * size)


# --- what surrounds a call ------------------------------------------------------------------------------------


def test_the_name_and_the_docstring_are_the_function_s() -> None:
    def f(x, y=2.0):
        """The square."""
        return (x * x).sum()

    for made in (ug.grad(f), ug.value_and_grad(f), ug.jacobian(f), ug.hessian(f), ug.vmap(f)):
        assert made.__name__ == "f"
        assert made.__doc__ == "The square."
        assert made.__wrapped__ is not None
    partial = functools.partial(f, y=1.0)
    assert ug.grad(partial)(3.0) == 6


@pytest.mark.parametrize(
    "call",
    [
        lambda f, x: ug.grad(f)(x),
        lambda f, x: ug.vjp(f, x)[1](ug.asarray(1.0, dtype=ug.float64)),
        lambda f, x: ug.jvp(f, (x,), (x,)),
        lambda f, x: ug.hvp(f, (x,), (x,)),
        lambda f, x: ug.jacobian(f)(x),
        lambda f, x: ug.jacobian(f, "forward")(x),
        lambda f, x: ug.hessian(f)(x),
    ],
)
def test_calls_leave_nothing_behind(call) -> None:
    x = ug.asarray(np.linspace(0.0, 1.0, 4))

    def f(x):
        return (ug.sin(x) * x).sum()

    def alive() -> int:
        gc.collect()
        return sum(isinstance(each, (ug.Tensor, Node)) for each in gc.get_objects())

    call(f, x)
    before = alive()
    gc.disable()
    try:
        for _ in range(20):
            call(f, x)
        left = sum(isinstance(each, (ug.Tensor, Node)) for each in gc.get_objects())
    finally:
        gc.enable()
    assert left <= before  # freed at once, not by the collector of cycles
    assert alive() <= before


def test_memory_of_forward_mode_does_not_grow_with_the_program() -> None:
    x = ug.ones(50_000, dtype=ug.float64)

    def chain(length):
        def f(x):
            for _ in range(length):
                x = ug.sin(x) * 1.01
            return x.sum()

        tracemalloc.start()
        ug.jvp(f, (x,), (x,))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    chain(2)
    assert chain(60) < 1.2 * chain(6)


def test_a_pull_can_be_called_again_and_keeps_only_what_it_needs() -> None:
    x = ug.asarray([1.0, 2.0])
    _, pull = ug.vjp(lambda x: x * x, x)
    c = ug.asarray([1.0, 1.0])
    results = [pull(c)[0] for _ in range(3)]
    results[0] += 1.0
    assert [result.tolist() for result in results] == [[3, 5], [2, 4], [2, 4]]
    assert c.tolist() == [1, 1]


def test_numbers_and_numpy_arrays_follow_the_other_arguments() -> None:
    torch = pytest.importorskip("torch")
    weights = torch.ones(3, dtype=torch.float64)

    def f(w, data, s, *, scale):
        assert w.backend is data.backend is scale.backend
        return (w * data * s * scale).sum()

    dw, ds = ug.grad(f, argnums=(0, 2))(weights, np.arange(3.0), 0.1, scale=np.ones(3))
    assert dw.tolist() == pytest.approx([0, 0.1, 0.2], rel=1e-15)
    assert isinstance(ds, torch.Tensor)
    assert ds.dtype == torch.float64
    assert not dw.requires_grad
    with ug.record():
        inside = ug.grad(f)(weights, np.arange(3.0), 0.1, scale=np.ones(3))
    assert not inside.requires_grad


def test_inside_a_recording_only_what_something_outside_follows_stays_a_tensor() -> None:
    x, outer = np.ones(3), ug.ones(3, dtype=ug.float64)
    outer.attach_grad()
    kept = []

    def attached(x):
        weights = ug.ones(3, dtype=ug.float64)
        weights.attach_grad()
        return (weights * x).sum(), weights

    def remembered(x):
        y, weights = attached(x)
        kept.append(weights)
        return y

    private = (
        lambda x: (x * x).sum(),
        lambda x: (ug.grad(lambda v: (v**3).sum())(x) * x).sum(),
        lambda x: attached(x)[0],
    )
    with ug.record():
        for f in private:
            assert not any(isinstance(y, ug.Tensor) for y in ug.jvp(f, (x,), (x,)))
            assert not any(isinstance(y, ug.Tensor) for y in ug.value_and_grad(f)(x))
        for f in (lambda x: (x * outer).sum(), remembered):
            value, gradient = ug.value_and_grad(f)(x)
            assert isinstance(value, ug.Tensor)
            assert isinstance(gradient, ug.Tensor)


def test_a_loss_that_is_a_python_number_is_constant() -> None:
    x = ug.ones(2)
    for f in (lambda x: 0, lambda x: sum([]), lambda x: x.size, lambda x: 1.5, lambda x: True):
        assert ug.grad(f)(x).tolist() == [0, 0]
    assert ug.value_and_grad(lambda x: 3)(x)[0].item() == 3
    assert ug.hessian(lambda x: 0)(x).tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ug.DtypeError, match="only floating values have a gradient"):
        ug.grad(lambda x: (x > 0).sum())(x)


def test_constants_that_are_no_numbers_are_handed_through() -> None:
    words, settings_of = np.array(["a", "b"]), {"depth": 3}

    def f(x, words, settings_of, other):
        assert words is given[1]
        assert settings_of is given[2]
        assert isinstance(other["x"], ug.Tensor)
        return x * settings_of["depth"]

    given = (2.0, words, settings_of, {"x": np.ones(1), "y": "text"})
    assert ug.grad(f)(*given) == 3
    assert ug.jvp(f, given, (1.0,), argnums=0)[1] == 3


def test_methods_and_decorated_functions() -> None:
    class Model:
        def __init__(self, w):
            self.w = w

        def loss(self, x):
            return (self.w * x).sum()

    model = Model(np.array([1.0, 2.0]))
    assert ug.grad(model.loss)(np.ones(2)).tolist() == [1, 2]

    @ug.value_and_grad
    def cube(x):
        return x**3

    assert cube(2.0) == (8, 12)


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "mxnet", "jax"])
def test_a_second_derivative_of_no_elements_says_nothing_of_later_ones(backend: str) -> None:
    pytest.importorskip({"numpy": "numpy"}.get(backend, f"unigrad_{backend}"))
    with ug.use_backend(backend):
        first = ug.grad(lambda x: ug.linalg.svdvals(x).sum())
        second = ug.grad(lambda x: first(x).sum())
        assert second(ug.zeros((0, 2))).shape == (0, 2)
        found = second(ug.asarray([[1.0, 2.0], [3.0, 5.0]])).numpy()
    np.testing.assert_allclose(found, [[0.152365, 0.121892], [0.121892, -0.152365]], atol=1e-5)
