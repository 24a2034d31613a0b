"""A compiled function in a recording: its derivative is that of the function, which its program alone does not tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import unigrad as ug

BACKENDS = ["numpy", "torch", "tensorflow", "mxnet", "jax"]
V = np.linspace(-1, 1, 6).astype(np.float32)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    with ug.use_backend(request.param):
        yield request.param


@ug.custom_gradient
def tenfold(x: Any) -> Any:
    return x * x, lambda g: g * 10


def paused(x: Any) -> Any:
    with ug.pause():
        y = x * 3
    return y * x


def seeded(x: Any) -> Any:
    ug.random.seed(3)
    return x * ug.random.normal(size=6)


def dropped(x: Any) -> Any:
    return ug.nn.dropout(x, 0.5) * x


def dropped_again(x: Any) -> Any:
    def inner(x: Any) -> Any:
        return ug.nn.dropout(x * x, 0.5)

    return ug.checkpoint(lambda x: ug.checkpoint(inner)(x) * x)(x)


PROGRAMS = {
    "detached": lambda x: x.detach() * x,
    "paused": paused,
    "a rule of its own": lambda x: tenfold(x) * x,
    "seeded": seeded,
    "dropout": dropped,
    "dropout in checkpoints": dropped_again,
}


def by_tape(f: Callable[..., Any], x: Any) -> list[Any]:
    """The value, the gradient, and the next random number."""
    ug.random.seed(1)
    x.attach_grad()
    with ug.record():
        y = f(x)
    y.backward()
    return [y.numpy(), x.grad.numpy(), ug.random.normal().numpy()]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_derivative_is_that_of_the_function(backend: str, name: str) -> None:
    f = PROGRAMS[name]
    compiled = ug.compile(f)
    x = ug.asarray(V)
    right = by_tape(f, x)
    for _ in range(3):
        for one, other in zip(by_tape(compiled, x), right, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


@pytest.mark.parametrize("name", ["detached", "paused", "a rule of its own"])
def test_higher_and_batched_derivatives(backend: str, name: str) -> None:
    f = PROGRAMS[name]
    compiled = ug.compile(f)
    x = ug.asarray(V)
    for derived in (
        ug.jacobian,
        lambda f: ug.hessian(lambda x: f(x).sum()),
        lambda f: ug.grad(lambda x: ug.grad(lambda x: (f(x) * x).sum())(x).sum()),
        lambda f: ug.compile(ug.grad(lambda x: (f(x) * x).sum())),
        lambda f: lambda x: ug.jvp(f, (x,), (x,)),
    ):
        found, right = derived(compiled)(x), derived(f)(x)
        for one, other in zip(*[part if isinstance(part, tuple) else (part,) for part in (found, right)], strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, w: x * w,
        lambda x, w: x * (w * 2),
        lambda x, w: x * ug.tanh(w) * w,
        lambda x, w: (w * 3).sum() + x,
    ],
)
def test_gradients_of_arrays_from_outside(backend: str, f: Callable[..., Any]) -> None:
    w, x = ug.asarray(V), ug.asarray(V)

    def program(x: Any) -> Any:
        return f(x, w)

    compiled = ug.compile(program)
    for _ in range(2):
        found = []
        for each in (program, compiled):
            w.attach_grad()
            x.attach_grad()
            with ug.record():
                y = each(x)
            y.backward()
            found.append((w.grad.numpy(), x.grad.numpy()))
        for one, other in zip(*found, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-6)


def test_what_is_written_before_backward_changes_nothing(backend: str) -> None:
    w, x = ug.asarray(V), ug.asarray(V)
    f = ug.compile(lambda x, y: (x * y * w).sum())
    y = ug.asarray(V)
    x.attach_grad()
    with ug.record():
        z = f(x, y)
    w += 100
    y += 100
    z.backward()
    np.testing.assert_allclose(x.grad.numpy(), V * V, rtol=1e-6)


def test_the_derivative_is_of_the_mode_and_the_statics_of_the_call(backend: str) -> None:
    f = ug.compile(lambda n, x, *, k: x * n * k * (2.0 if ug.is_training() else 3.0), static_argnums=0,
                   static_argnames="k")  # fmt: skip
    x = ug.asarray(V)
    x.attach_grad()
    with ug.record(train_mode=False):
        y = f(5, x, k=7)
    with ug.train_mode():
        y.backward()
    assert x.grad.tolist() == [105.0] * 6


def test_a_plan_in_a_plan_beside_arrays_from_outside(backend: str) -> None:
    inner = ug.compile(lambda w, x: (ug.tanh(x * w) ** 2).sum())
    w, x = ug.asarray(V), ug.asarray(V)
    gradient = ug.grad(lambda w: inner(w, x) * 2)
    outer = ug.compile(gradient)
    for _ in range(2):
        np.testing.assert_allclose(outer(w).numpy(), gradient(w).numpy(), rtol=1e-5)
        x += 1


@pytest.mark.parametrize(
    "f",
    [
        lambda x: x[x > 0],
        lambda x: ug.nonzero(x),
        lambda x: ug.grad(lambda x: x[x > 0].sum())(x),
        lambda x: ug.frexp(x),
        lambda x: x.to_backend("mxnet" if ug.get_backend() != "mxnet" else "numpy"),
    ],
)
def test_an_error_while_tracing_names_the_line(backend: str, f: Callable[..., Any]) -> None:
    with pytest.raises(ug.UnsupportedError, match=r"test_compile_recorded\.py:\d+: "):
        ug.compile(f)(ug.asarray(V))


def test_what_fails_when_it_runs_says_so_as_uncompiled(backend: str) -> None:
    inverse, chosen = ug.compile(ug.linalg.inv), ug.compile(lambda x, i: x[i])
    x = ug.asarray(V)
    inverse(ug.eye(3))
    chosen(x, ug.asarray([1, 2]))
    if backend == "jax":
        pytest.skip("what JAX compiles raises nothing")
    with pytest.raises(ug.LinAlgError):
        inverse(ug.zeros((3, 3)))
    with pytest.raises((IndexError, ug.OperationError)):
        chosen(x, ug.asarray([1, 99]))
    np.testing.assert_allclose(inverse(2 * ug.eye(3)).numpy(), np.eye(3) / 2)
    np.testing.assert_array_equal(chosen(x, ug.asarray([3, 4])).numpy(), V[3:5])


def test_the_gradient_of_an_array_from_outside_is_read_anew(backend: str) -> None:
    w = ug.asarray(V)
    w.attach_grad()
    programs = [
        lambda rate: w - rate * w.grad,
        lambda rate: w - 0.1 * w.grad + 0 * rate,
        lambda rate: {"w": w * rate, "grad": w.grad},
    ]
    compiled = [ug.compile(program) for program in programs]
    for factor in (1.0, 2.0, 3.0):
        with ug.record():
            y = (w * w * factor).sum()
        y.backward()
        for one, other in zip(compiled, programs, strict=True):
            for found, right in zip(ug.tree_leaves(one(ug.asarray(0.1))), ug.tree_leaves(other(0.1)), strict=True):
                np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-6)
    w.grad *= 0.5
    w.zero_grad()
    for one, other in zip(compiled, programs, strict=True):
        for found, right in zip(ug.tree_leaves(one(ug.asarray(0.1))), ug.tree_leaves(other(0.1)), strict=True):
            np.testing.assert_allclose(found.numpy(), right.numpy(), rtol=1e-6)


def test_the_derivative_is_beside_the_gradient_that_was_read(backend: str) -> None:
    w, x = ug.asarray(V), ug.asarray(V)
    w.attach_grad()
    f = ug.compile(lambda x: (x * x * w.grad).sum())
    for factor in (1.0, 2.0):
        with ug.record():
            y = (w * factor).sum()
        y.backward()
        x.attach_grad()
        with ug.record():
            z = f(x)
        w.zero_grad()
        z.backward()
        np.testing.assert_allclose(x.grad.numpy(), 2 * V * factor, rtol=1e-6)


def test_the_gradient_of_an_argument_is_no_part_of_it(backend: str) -> None:
    w = ug.asarray(V)
    w.attach_grad()
    with pytest.raises(ug.UnsupportedError, match=r"test_compile_recorded\.py:\d+: .*pass x\.grad as an argument too"):
        ug.compile(lambda w: w - 0.1 * w.grad)(w)
    np.testing.assert_array_equal(ug.compile(lambda w, g: w - g)(w, w.grad).numpy(), V)


def test_a_gradient_that_is_attached_later(backend: str) -> None:
    w = ug.asarray(V)
    f = ug.compile(lambda: (w * w).sum())
    f()
    w.attach_grad()
    with ug.record():
        y = f()
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), 2 * V, rtol=1e-6)


def test_who_asks_whether_it_is_recorded_gets_the_answer(backend: str) -> None:
    f = ug.compile(lambda x: x * 2 if ug.is_recording() else x * 3)
    x = ug.asarray(V)
    x.attach_grad()
    assert f(x).tolist() == (x * 3).tolist()
    with ug.record(train_mode=False):
        y = f(x)
    y.backward()
    assert y.tolist() == (x * 2).tolist()
    assert x.grad.tolist() == [2.0] * 6


def test_a_list_of_arrays_is_an_array_that_is_traced(backend: str) -> None:
    w = ug.asarray(V)
    f = lambda x: (ug.asarray([x[0], x[1] * 2, 1.0]), ug.add([x[0], w[1]], [w[0], 1]), x[:6] * ug.asarray([w, w]))  # noqa: E731
    compiled, x = ug.compile(f), ug.asarray(V)
    for _ in range(3):
        for found, right in zip(compiled(x), f(x), strict=True):
            assert found.dtype == right.dtype
            np.testing.assert_array_equal(found.numpy(), right.numpy())
        w += 1


def test_a_frameworks_own_array_from_outside(backend: str) -> None:
    w, x = ug.asarray(V), ug.asarray(V)
    raw = w.raw
    programs = [lambda x: x * raw, lambda x: ug.add(raw, x * 0) * x, lambda x: ug.asarray(raw) * x]
    compiled = [ug.compile(program) for program in programs]
    for f in (*compiled, *compiled):
        np.testing.assert_allclose(f(x).numpy(), V * V, rtol=1e-6)
        x.attach_grad()
        with ug.record():
            y = f(x)
        y.backward()
        np.testing.assert_allclose(x.grad.numpy(), V, rtol=1e-6)
