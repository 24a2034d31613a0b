"""A rule of one's own inside a framework's own gradient, where nothing of unigrad records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from unigrad_conformance.programs.custom import WITHIN, transforms_within

import unigrad as ug

X = np.float32([1.0, 2.0])
FIRST, SECOND = [100, 200], [200, 400]
"""The gradient of the sum by the rule, and of the sum of gradient times x."""


@ug.custom_gradient
def odd(x: Any, scale: float) -> Any:
    return {"y": x * x * scale, "positive": x > 0}, lambda g: g["y"] * x * 100


def total(raw: Any) -> Any:
    return odd(raw, 1.0)["y"].sum().raw


def test_pytorch() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor(X, requires_grad=True)
    (first,) = torch.autograd.grad(total(x), x, create_graph=True)
    (second,) = torch.autograd.grad((first * x).sum(), x)
    assert first.tolist() == FIRST
    assert second.tolist() == SECOND
    with torch.no_grad():
        assert not total(x).requires_grad
    ours = ug.asarray(torch.tensor(X))
    ours.attach_grad()
    assert not total(ours).requires_grad


@pytest.mark.parametrize("outside", [ug.pause, ug.record])
def test_what_a_rule_computes_follows_pytorchs_pass_and_not_its_caller(outside: Any) -> None:
    torch = pytest.importorskip("torch")
    with ug.use_backend("torch"):
        w = ug.asarray([2.0, 3.0])
    w.attach_grad()
    recorded = []

    @ug.custom_gradient
    def cube(x: Any) -> Any:
        def rule(g: Any) -> Any:
            recorded.append(ug.is_recording())
            return g * (w * x)  # an operation on an attached array is one that unigrad could cut off

        return x**3, rule

    x = torch.tensor([0.5, 1.0], requires_grad=True)
    with outside():
        (first,) = torch.autograd.grad(cube(x).raw.sum(), x, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), x)
        (again,) = torch.autograd.grad(cube(x).raw.sum(), x)
    assert first.tolist() == again.tolist() == [1, 3]
    assert second.tolist() == [2, 3]
    assert recorded == [True, False]


def test_a_native_function_outside_a_recording() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor(X, requires_grad=True)
    y = ug.wrap_native(torch.square)(x)
    assert torch.autograd.grad(y.raw.sum(), x)[0].tolist() == [2, 4]


def test_tensorflow() -> None:
    tf = pytest.importorskip("tensorflow")
    x = tf.constant(X)

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = total(x)
        return tape.gradient(y, x)

    with tf.GradientTape() as tape:
        tape.watch(x)
        first = gradient(x)
        z = tf.reduce_sum(first * x)
    assert first.numpy().tolist() == FIRST
    assert tape.gradient(z, x).numpy().tolist() == SECOND
    assert tf.function(gradient)(x).numpy().tolist() == FIRST


def test_jax() -> None:
    jax = pytest.importorskip("jax")
    x = jax.numpy.asarray(X)
    gradient = jax.grad(total)
    assert gradient(x).tolist() == FIRST
    assert jax.jit(gradient)(x).tolist() == FIRST
    assert jax.grad(lambda x: (gradient(x) * x).sum())(x).tolist() == SECOND
    assert jax.vmap(gradient)(x[:, None]).ravel().tolist() == FIRST
    assert jax.jit(ug.grad(lambda x: odd(x, 1.0)["y"].sum()))(x).tolist() == FIRST


def test_inside_torch_func() -> None:
    torch = pytest.importorskip("torch")
    x = torch.tensor(X)
    ours = ug.grad(lambda x: odd(x, 1.0)["y"].sum())
    assert torch.func.vmap(ours)(x[:, None]).ravel().tolist() == FIRST
    assert torch.func.grad(lambda x: ours(x).sum())(x).tolist() == [100, 100]
    gradient = torch.func.grad(total)
    assert gradient(x).tolist() == FIRST
    assert torch.func.grad(lambda x: (gradient(x) * x).sum())(x).tolist() == SECOND
    assert torch.func.vmap(gradient)(x[:, None]).ravel().tolist() == FIRST

    def written(x: Any) -> Any:
        y = ug.asarray(x) * 1
        y[1:] = ug.asarray(torch.tensor([[7.0, 8.0]]))
        return y.raw

    assert torch.func.vmap(written)(torch.ones(3, 2, 2)).tolist() == [[[1, 1], [7, 8]]] * 3
    none, w = ug.zeros((0, 2, 6, 5)).to_backend("torch"), torch.ones(3, 2, 2, 3)
    slope = ug.grad(lambda w: ug.nn.conv2d(none, w, stride=(2, 1), padding=(1, 0)).sum())
    assert torch.func.grad(lambda w: slope(w).sum())(w).tolist() == torch.zeros(3, 2, 2, 3).tolist()
    assert (
        torch.func.grad(lambda x: (ug.asarray(x) * float(ug.asarray(x).numpy()[0])).raw.sum())(x).tolist() == [X[0]] * 2
    )
    row = ug.asarray(torch.tensor([[1.0, 2.0]]))
    assert torch.func.vmap(lambda place: row[ug.asarray(place)].raw)(torch.tensor([0, 0])).tolist() == [[1, 2]] * 2


def test_a_recorded_batch_of_gradients_that_would_be_lost_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr("unigrad_torch.batches.Batches.met", False)
    inner = ug.custom_gradient(lambda g, x: (g * x, lambda h: (h * x, h * g)))
    outer = ug.custom_gradient(lambda x: (x * x, lambda g: inner(g, x) * 2))
    x, rows = torch.ones(2, requires_grad=True), torch.eye(2)
    y = outer(ug.asarray(x)).raw
    with pytest.raises(RuntimeError, match="one by one"):
        torch.autograd.grad(y, x, rows, is_grads_batched=True, create_graph=True)


def _closing_over(name: str) -> Any:
    """The sum of squares, by a transform of NumPy's arrays inside, which sees the framework's array in its closure."""
    f = transforms_within(ug)[name]
    return lambda raw: f(ug.asarray(raw)).raw


@pytest.mark.parametrize("name", WITHIN)
def test_pytorchs_transforms_follow_what_ours_close_over(name: str) -> None:
    torch = pytest.importorskip("torch")
    f, x, direction = _closing_over(name), torch.tensor([3.0, 4.0]), torch.tensor([1.0, 0.0])
    with ug.use_backend("torch"):
        assert torch.func.grad(f)(x).tolist() == [6, 8]
        assert torch.func.jvp(f, (x,), (direction,))[1].item() == 6
        assert torch.func.vmap(f)(torch.stack([x, direction])).tolist() == [25, 1]


@pytest.mark.parametrize("name", WITHIN)
def test_jaxs_transforms_follow_what_ours_close_over(name: str) -> None:
    jax = pytest.importorskip("jax")
    f, x, direction = _closing_over(name), jax.numpy.array([3.0, 4.0]), jax.numpy.array([1.0, 0.0])
    with ug.use_backend("jax"):
        assert jax.grad(f)(x).tolist() == jax.jit(jax.grad(f))(x).tolist() == [6, 8]
        assert jax.jvp(f, (x,), (direction,))[1].item() == 6
        assert jax.vmap(f)(jax.numpy.stack([x, direction])).tolist() == [25, 1]


@pytest.mark.parametrize("name", WITHIN)
def test_tensorflows_tape_follows_what_ours_close_over(name: str) -> None:
    tf = pytest.importorskip("tensorflow")
    f, x = _closing_over(name), tf.constant([3.0, 4.0])

    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        return tape.gradient(y, x)

    with ug.use_backend("tensorflow"):
        assert gradient(x).numpy().tolist() == tf.function(gradient)(x).numpy().tolist() == [6, 8]


def test_a_compiled_function_of_numpys_arrays_is_followed_by_what_it_closes_over() -> None:
    torch, jax = pytest.importorskip("torch"), pytest.importorskip("jax")

    def f(raw: Any) -> Any:
        z = ug.asarray(raw)
        return ug.compile(lambda y: (y * z * z).sum())(np.ones(2, np.float32)).raw

    with ug.use_backend("torch"):
        assert torch.func.grad(f)(torch.tensor([3.0, 4.0])).tolist() == [6, 8]
        x = torch.tensor([3.0, 4.0], requires_grad=True)
        assert torch.autograd.grad(f(x), x)[0].tolist() == [6, 8]
    with ug.use_backend("jax"):
        assert jax.jit(jax.grad(f))(jax.numpy.array([3.0, 4.0])).tolist() == [6, 8]
