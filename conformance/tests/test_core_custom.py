"""custom_gradient, checkpoint and wrap_native on the native engine: memory, threads, the life of the graph."""

from __future__ import annotations

import gc
import threading
import tracemalloc
import weakref
from collections import namedtuple
from dataclasses import dataclass

import numpy as np
import pytest

import unigrad as ug

Pair = namedtuple("Pair", "w b")


@dataclass
class Layer:
    w: object
    name: str = "layer"


def attached(*values):
    arrays = [ug.asarray(np.asarray(value, dtype="float64")) for value in values]
    for x in arrays:
        x.attach_grad()
    return arrays


@ug.custom_gradient
def scaled(x, factor=1.0):
    """x times a factor."""
    return x * factor, lambda g: g * factor


# --- custom_gradient ----------------------------------------------------------------------------------------------


def test_it_keeps_name_and_docstring() -> None:
    assert scaled.__name__ == "scaled"
    assert scaled.__doc__ == "x times a factor."


def test_raw_arrays_become_tensors() -> None:
    assert isinstance(scaled(np.ones(2)), ug.Tensor)
    assert ug.grad(lambda x: scaled(x, 3.0).sum())(np.ones(2)).tolist() == [3, 3]
    assert float(ug.grad(scaled)(2.0)) == 1


@pytest.mark.parametrize("returned", [lambda g, x: g, lambda g, x: (g,), lambda g, x: (g, None)])
def test_an_only_cotangent_comes_alone_or_in_a_tuple(returned) -> None:
    f = ug.custom_gradient(lambda x, factor: (x * factor, lambda g: returned(g * factor, x)))
    assert ug.grad(lambda x: f(x, 4.0).sum())(np.ones(2)).tolist() == [4, 4]


@pytest.mark.parametrize("container", [lambda a, b: (a, b), lambda a, b: [a, b], Pair, lambda a, b: {"w": a, "b": b}])
def test_cotangents_of_a_container_are_a_container(container) -> None:
    def parts(tree):
        return tuple(tree.values()) if isinstance(tree, dict) else tuple(tree)

    @ug.custom_gradient
    def f(tree):
        a, b = parts(tree)
        return a * b, lambda g: container(g * b, g * a)

    found = parts(ug.grad(lambda tree: f(tree).sum())(container(np.ones(2), np.full(2, 5.0))))
    assert [part.tolist() for part in found] == [[5, 5], [1, 1]]


def test_dataclasses_with_other_fields() -> None:
    @ug.custom_gradient
    def f(layer, x):
        return Layer(layer.w * x, "out"), lambda g: (Layer(g.w * x), None)

    with pytest.raises(ug.ArgumentError, match="name is str"):
        f(Layer(np.ones(2)), np.ones(2))

    @ug.custom_gradient
    def g(layer, x):
        return layer.w * x, lambda g: (Layer(g * x), None)

    (w,) = attached([1.0, 2.0])
    with ug.record():
        y = g(Layer(w), ug.asarray([3.0, 4.0], dtype="float64"))
    y.backward()
    assert w.grad.tolist() == [3, 4]


def test_integer_outputs_have_no_cotangent() -> None:
    seen = []

    @ug.custom_gradient
    def f(x):
        return (x * 2, ug.argmax(x)), lambda g: seen.append(g[1]) or g[0] * 2

    (x,) = attached([1.0, 2.0])
    with ug.record():
        y, where = f(x)
    y.backward()
    assert seen == [None]
    assert int(where) == 1
    assert x.grad.tolist() == [2, 2]


def test_an_integer_argument_takes_none() -> None:
    f = ug.custom_gradient(lambda x, n: (x * n, lambda g: (g * 2, g)))
    (x,) = attached([1.0])
    with ug.record():
        y = f(x, ug.asarray([2]))
    with pytest.raises(ug.DtypeError, match=r"argument 1 .*None"):
        y.backward()


def test_training_mode_is_that_of_the_call() -> None:
    modes = []

    @ug.custom_gradient
    def f(x):
        modes.append(ug.is_training())
        return x * x, lambda g: g * 2 * x

    (x,) = attached([1.0])
    with ug.record():
        y = f(x)
        with ug.predict_mode():
            ug.gradients(y, x, create_graph=True)
    assert modes == [True, True]


def test_arguments_of_two_backends_are_refused() -> None:
    f = ug.custom_gradient(lambda x, y: (x, lambda g: (g, g)))
    torch = pytest.importorskip("torch")
    for step in (f, ug.checkpoint(lambda x, y: x), ug.wrap_native(lambda x, y: x)):
        with ug.record(), pytest.raises(ug.BackendMismatchError, match="argument 1"):
            step(ug.ones(2), torch.ones(2))


def test_what_vmap_or_jvp_follow_through_the_closure_raises() -> None:
    def inner(a):
        f = ug.custom_gradient(lambda x: (x * a, lambda g: g))
        return f(ug.ones(2))

    with pytest.raises(ug.ArgumentError, match="closure"):
        ug.vmap(inner)(np.ones(3))
    with pytest.raises(ug.ArgumentError, match="closure"):
        ug.jvp(inner, (np.ones(()),), (np.ones(()),))


def test_forward_mode_needs_a_rule_that_is_made_of_operations() -> None:
    f = ug.custom_gradient(lambda x: (x * 2, lambda g: ug.asarray(g.numpy() * 2)))
    with pytest.raises(ug.UnsupportedError, match="forward= rule"):
        ug.jvp(f, (np.ones(2),), (np.ones(2),))
    zero = ug.custom_gradient(lambda x: (x * 2, lambda g: None))
    assert ug.jvp(zero, (np.ones(2),), (np.ones(2),))[1].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("tangent", "error"),
    [
        (lambda t: t[:1], ug.ShapeError),
        (lambda t: t.astype("float32"), ug.DtypeError),
        (lambda t: (t,), ug.ArgumentError),
    ],
)
def test_a_wrong_forward_rule(tangent, error) -> None:
    f = ug.custom_gradient(lambda x: (x, lambda g: g), forward=lambda primals, tangents: tangent(tangents[0]))
    with pytest.raises(error, match="forward rule"):
        ug.jvp(f, (np.ones(2),), (np.ones(2),))


def test_complex_cotangents_are_in_the_conjugate_form() -> None:
    f = ug.custom_gradient(lambda z: (z * z, lambda g: g * 2 * ug.conj(z)))
    z = np.array([1 + 2j, -0.5j])
    ours = ug.grad(lambda z: ug.real(f(z) * (1 + 1j)).sum())(z)
    plain = ug.grad(lambda z: ug.real(z * z * (1 + 1j)).sum())(z)
    np.testing.assert_allclose(ours, plain)
    t = np.array([0.5 - 1j, 2.0])
    np.testing.assert_allclose(ug.jvp(f, (z,), (t,))[1], 2 * z * t)


def test_the_input_may_change_afterwards() -> None:
    (x,) = attached([1.0, 2.0])
    f = ug.custom_gradient(lambda x: (x * x, lambda g: g * 2 * x))
    with ug.record():
        h = x * 1
        y = f(h)
        h[0] = 100.0
        first = ug.gradients(y, x, create_graph=True)
    assert first.detach().tolist() == [2, 4]
    assert ug.gradients(first, x).tolist() == [2, 2]


@pytest.mark.parametrize("step", [scaled, ug.checkpoint(lambda x: ug.tanh(x) * 2)])
def test_the_graph_makes_no_reference_cycle(step) -> None:
    gc.collect()
    gc.disable()
    try:
        (x,) = attached([1.0, 2.0])
        with ug.record():
            y = step(x * 3)
            y.backward(create_graph=True)
        node = weakref.ref(x.grad)
        del y, x
        assert node() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("attach", [False, True])
@pytest.mark.parametrize("held", [lambda x: x, lambda x: [{"x": x}], lambda x: Pair(x, x), Layer])
def test_a_step_outlives_none_of_its_arguments(attach, held) -> None:
    step = ug.custom_gradient(lambda tree: (ug.ones(2) * 2, lambda g: None))
    gc.collect()
    gc.disable()
    try:
        x = ug.asarray([1.0, 2.0])
        if attach:
            x.attach_grad()
        with ug.record():
            y = step(held(x))
        ghost = weakref.ref(x)
        del x
        assert ghost() is None
        assert y.shape == (2,)
    finally:
        gc.enable()


def test_rules_run_in_several_threads() -> None:
    f = ug.custom_gradient(lambda x: (ug.nn.dropout(x * x, 0.5), lambda g: g * 2 * x))
    failures = []

    def work(number: int) -> None:
        noisy = ug.checkpoint(lambda x: ug.nn.dropout(x * x, 0.5) * ug.nn.dropout(x, 0.2))
        for _ in range(30):
            (x,) = attached(np.arange(1.0, 30.0))
            with ug.record():
                y, z = f(x), noisy(x)
            kept = z.numpy() != 0
            y.backward()
            if x.grad.tolist() != (2 * np.arange(1.0, 30.0)).tolist():
                failures.append("rule")
            if ((ug.gradients(z, x).numpy() != 0) != kept).any():
                failures.append("mask")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_one_checkpoint_is_pulled_back_in_two_threads_at_once() -> None:
    both = threading.Barrier(2)
    calls = []

    def square(x):
        if calls:
            both.wait(timeout=10)
        calls.append(x.shape)
        return x * x

    (x,) = attached([1.0, 2.0])
    with ug.record():
        y = ug.checkpoint(square)(x).sum()
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(ug.gradients(y, x, retain_graph=True).tolist())) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[2.0, 4.0]] * 2


# --- checkpoint ---------------------------------------------------------------------------------------------------


def test_without_recording_it_is_the_function_itself() -> None:
    calls = []
    f = ug.checkpoint(lambda x: calls.append(ug.is_recording()) or x * 2)
    assert f(ug.ones(2)).tolist() == [2, 2]
    assert calls == [False]


def test_it_runs_twice_and_keeps_nothing() -> None:
    calls = []

    @ug.checkpoint
    def f(x):
        calls.append(1)
        for _ in range(50):
            x = ug.tanh(x) * 1.5
        return x

    (x,) = attached(np.ones(20_000))
    tracemalloc.start()
    with ug.record():
        y = f(x)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 3 * x.numpy().nbytes
    y.backward()
    assert len(calls) == 2


def test_a_function_that_does_something_else_the_second_time() -> None:
    (x, w) = attached([1.0, 2.0], [3.0, 4.0])
    seen = []

    @ug.checkpoint
    def f(x):
        seen.append(1)
        return x * w if len(seen) > 1 else x * 2

    with ug.record():
        y = f(x)
    with pytest.raises(ug.ArgumentError, match="first time"):
        y.backward()
    assert x.grad.tolist() == [0, 0]

    @ug.checkpoint
    def more(x):
        seen.append(1)
        for _ in range(len(seen)):
            x = ug.nn.dropout(x, 0.5)
        return x

    with ug.record():
        y = more(x)
    with pytest.raises(ug.ArgumentError, match="drew more random numbers"):
        y.backward()


def test_seeding_inside_seeds_once() -> None:
    def f(x):
        ug.random.seed(4)
        return ug.nn.dropout(x, 0.5)

    (x,) = attached(np.ones(20))
    with ug.record():
        y = ug.checkpoint(f)(x)
    ug.random.seed(5)
    first = ug.gradients(y, x)
    assert (first.numpy() == y.numpy()).all()
    drawn = ug.random.uniform(size=3).tolist()
    ug.random.seed(5)
    assert drawn == ug.random.uniform(size=3).tolist()


def test_the_backend_is_that_of_the_call() -> None:
    torch = pytest.importorskip("torch")
    x = ug.asarray(torch.ones(3))
    x.attach_grad()
    numpy = ug.ones(3)
    numpy.attach_grad()
    with ug.record(), ug.use_backend("torch"):
        y = ug.checkpoint(lambda x: (x * ug.full((3,), 2.0)).sum())(x)
    y.backward()
    assert x.grad.tolist() == [2, 2, 2]


def test_passing_to_another_backend_inside_is_refused() -> None:
    pytest.importorskip("torch")
    (x,) = attached([1.0, 2.0])
    with ug.record(), pytest.raises(ug.BackendMismatchError, match="result"):
        ug.checkpoint(lambda x: x.to_backend("torch"))(x)
    with ug.record():
        y = ug.checkpoint(lambda x: (x.to_backend("torch") * 2).to_backend("numpy"))(x)
    with pytest.raises(ug.UnsupportedError, match="checkpoint each part"):
        y.backward()


# --- wrap_native --------------------------------------------------------------------------------------------------


def test_parameters_of_a_module_are_constants_and_their_gradients_left_alone() -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Linear(3, 2)
    module.weight.grad = torch.ones(2, 3)
    x = ug.asarray(torch.tensor([1.0, 2.0, 3.0]))
    x.attach_grad()
    with ug.record():
        y = (ug.wrap_native(module)(x) ** 2).sum()
        untracked = ug.wrap_native(module)(x.detach())
    y.backward()
    assert not untracked.raw.requires_grad
    raw = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (expected,) = torch.autograd.grad((module(raw) ** 2).sum(), raw)
    assert torch.equal(x.grad.raw, expected)
    assert module.weight.grad.tolist() == [[1, 1, 1], [1, 1, 1]]
    assert module.bias.grad is None

    def call(parameters, x):
        return torch.func.functional_call(module, parameters, (x,))

    parameters = {name: ug.asarray(value.detach().clone()) for name, value in module.named_parameters()}
    found = ug.grad(lambda p: (ug.wrap_native(call)(p, x.detach()) ** 2).sum())(parameters)
    named = dict(module.named_parameters())
    expected = torch.autograd.grad((module(raw) ** 2).sum(), list(named.values()))
    for name, grad in zip(named, expected, strict=True):
        torch.testing.assert_close(found[name].raw, grad)


def test_a_native_function_of_no_array() -> None:
    assert ug.wrap_native(np.ones)(3).tolist() == [1, 1, 1]
    with pytest.raises(ug.ArgumentError, match="is str"):
        ug.wrap_native(lambda: "text")()


def test_errors_of_the_function_come_through() -> None:
    def fails(x):
        raise KeyError("mine")

    with ug.record(), pytest.raises(KeyError, match="mine"):
        ug.wrap_native(fails)(ug.ones(2))
    assert not ug.is_recording()
