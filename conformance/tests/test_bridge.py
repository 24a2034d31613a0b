"""One gradient through several frameworks: to_backend inside a recording, and bridge under a framework's own engine."""

from __future__ import annotations

import gc
import itertools
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.base.dtypes import ALL

NAMES = ["numpy", "torch", "tensorflow", "mxnet", "jax"]
USABLE = {info.name for info in ug.available_backends() if info.installed}


def _pairs(names: list[str]) -> Any:
    missing = {name: pytest.mark.skipif(name not in USABLE, reason=f"{name} is not installed") for name in NAMES}
    return [pytest.param(a, b, marks=[missing[a], missing[b]]) for a, b in itertools.permutations(names, 2)]


pairs = pytest.mark.parametrize(("first", "second"), _pairs(NAMES))
VALUES = np.array([0.5, 1.5, 2.5])


def _array(name: str, values: Any = VALUES, attached: bool = True) -> ug.Tensor:
    with ug.use_backend(name):
        x = ug.asarray(np.asarray(values))
    if attached:
        x.attach_grad()
    return x


def _stays(x: ug.Tensor, name: str) -> ug.Tensor:
    return x


def _goes(x: ug.Tensor, name: str) -> ug.Tensor:
    return x.to_backend(name)


# --- to_backend: values and memory -----------------------------------------------------------------------------


@pairs
def test_values_dtypes_and_shapes_arrive(first: str, second: str) -> None:
    for dtype in ALL:
        for shape in [(), (0, 3), (3, 4)]:
            values = np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2
            values = (values * (1 + 1j) if dtype.kind == "c" else values).astype(dtype)
            try:
                x = _array(first, values, attached=False)
            except ug.UnsupportedError:
                continue
            try:
                y = x.to_backend(second)
            except ug.UnsupportedError as error:
                assert str(dtype) in str(error)  # noqa: PT017
                continue
            assert (y.backend.name, y.dtype, y.shape, y.device) == (second, dtype, shape, "cpu")
            assert np.array_equal(y.numpy(), values)
    turned = _array(first, np.arange(12.0).reshape(3, 4), attached=False)[:, ::-1].T
    assert np.array_equal(turned.to_backend(second).numpy(), np.arange(12.0).reshape(3, 4)[:, ::-1].T)


def _write(x: ug.Tensor) -> bool:
    """In place, into the framework's own array; whether it let itself be written to."""
    try:
        if x.backend.name == "torch":
            x.raw.fill_(-1)
        else:
            x.raw[...] = -1
    except (TypeError, ValueError):
        return False
    return True


@pairs
def test_a_write_on_either_side_changes_the_other_never(first: str, second: str) -> None:
    values = np.arange(1.0, 1025)
    for written in (0, 1):
        both = [_array(first, values.copy(), attached=False)]
        both.append(both[0].to_backend(second))
        changed = _write(both[written])
        assert np.array_equal(both[1 - written].numpy(), values)
        assert changed == (both[written].numpy()[0] == -1)
    x = _array(first, values)
    with ug.record():
        y = x.to_backend(second)
        y.retain_grad()
    seed = _array(second, values, attached=False)
    y.backward(seed)
    _write(x.grad)
    assert np.array_equal(seed.numpy(), values)
    assert np.array_equal(y.grad.numpy(), values)


@pytest.mark.parametrize(("first", "second"), _pairs(["tensorflow", "jax"]))
def test_immutable_arrays_share_memory(first: str, second: str) -> None:
    x = _array(first, np.arange(1024.0), attached=False)
    y = x.to_backend(second)
    here, there, read = (np.from_dlpack(a).ctypes.data for a in (x, y, y.to_backend("numpy")))
    assert here == there == read
    assert not y.to_backend("numpy").raw.flags.writeable


# --- to_backend: gradients -------------------------------------------------------------------------------------


def _trunk(x: ug.Tensor, w: ug.Tensor, move: Any, first: str, second: str) -> ug.Tensor:
    """Crossings in a loop, a weight used everywhere, and skip connections over crossings."""
    kept, h = [x], x
    for _ in range(3):
        t = move(ug.tanh(h * w), second)
        h = h + move(ug.sin(t) * 1.5, first) * w
        kept.append(h)
    z = kept[0] * 0.1
    for h in kept:
        z = z * 0.9 + h * w * h
    return z.sum()


@pairs
def test_gradients_of_both_orders_are_those_of_one_framework(first: str, second: str) -> None:
    found = []
    for move in (_stays, _goes):
        x, w = _array(first), _array(first, VALUES * 0.3)
        with ug.record():
            z = _trunk(x, w, move, first, second)
        z.backward(retain_graph=True)
        with ug.record():
            dx, dw = ug.gradients(z, [x, w], create_graph=True)
            s = (dx * dw).sum()
        found.append([z, x.grad, w.grad, dx, dw, *ug.gradients(s, [x, w])])
        assert {g.backend.name for g in found[-1]} == {first}
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(two.numpy(), one.numpy(), rtol=1e-9)


@pytest.mark.parametrize(("first", "second"), _pairs(["numpy", "torch", "tensorflow", "jax"]))
def test_complex(first: str, second: str) -> None:
    found = []
    for move in (_stays, _goes):
        x = _array(first, np.array([1 + 2j, 0.5 - 1j], np.complex64))
        with ug.record():
            y = move(ug.exp(x) * x, second)
            w = move(y * y * (1 + 1j) + ug.conj(y), first)
            g = ug.gradients((ug.abs(w * x) ** 2).sum(), x, create_graph=True)
            s = ug.real(g * (2 - 1j)).sum()
        found.append([g.numpy(), ug.gradients(s, x).numpy()])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(two, one, rtol=2e-5)


@pairs
def test_the_imperative_style(first: str, second: str) -> None:
    x = _array(first)
    u = _array(second, attached=False)
    u.attach_grad("add")
    for _ in range(2):
        with ug.record():
            h = x * 2
            y = h.to_backend(second)
            y.retain_grad()
            z = (y * u).sum()
            back = (y * y).to_backend(first).sum()
        ug.backward([z, back])  # heads on two backends
    np.testing.assert_allclose(u.grad.numpy(), 4 * VALUES)
    np.testing.assert_allclose(y.grad.numpy(), VALUES + 4 * VALUES)
    np.testing.assert_allclose(x.grad.numpy(), 10 * VALUES)
    with pytest.raises(ug.GraphFreedError):
        back.backward()
    with ug.record():
        later = (y * 1).sum()
    with pytest.raises(ug.GraphFreedError):
        later.backward()
    with ug.record():
        y = x.to_backend(second)
        cut = y * 1
        cut.attach_grad()
        z = (cut * y).sum()
    dy, dx = ug.gradients(z, [y, x], retain_graph=True)
    assert (dy.backend.name, dx.backend.name) == (second, first)
    np.testing.assert_allclose(dx.numpy(), VALUES)
    z.backward()
    np.testing.assert_allclose(cut.grad.numpy(), VALUES)
    with ug.record():
        y = x.to_backend(second)
    y.backward()  # a crossing as the head
    np.testing.assert_allclose(x.grad.numpy(), np.ones(3))


@pairs
def test_functional_forms(first: str, second: str) -> None:
    x, w = _array(first, attached=False), _array(second, attached=False)

    def mixed(p, q):
        return (p.to_backend(second) * q * q).sum()

    dp, dq = ug.grad(mixed, argnums=(0, 1))(x, w)
    assert (dp.backend.name, dq.backend.name) == (first, second)
    if "numpy" not in (first, second):  # whose arrays go where the others are
        value, (dp, dq) = ug.value_and_grad(mixed, argnums=(0, 1))(x.raw, w.raw)
        assert isinstance(dp, x.backend.array_types)
        assert isinstance(dq, w.backend.array_types)
        assert isinstance(value, w.backend.array_types)
    np.testing.assert_allclose(ug.asarray(dp).numpy(), VALUES**2)

    def there_and_back(p):
        return (ug.exp(p.to_backend(second)).to_backend(first) * p).sum()

    expected = np.diag((2 + VALUES) * np.exp(VALUES))
    np.testing.assert_allclose(ug.hessian(there_and_back)(x).numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(ug.hvp(there_and_back, (x,), (x,))[0].numpy(), expected @ VALUES, rtol=1e-9)
    _, tangent = ug.jvp(lambda p: p.to_backend(second) ** 2, (x,), (x,))
    np.testing.assert_allclose(tangent.numpy(), 2 * VALUES**2)
    for mode in ("reverse", "forward"):
        matrix = ug.jacobian(lambda p: ug.sin(p.to_backend(second)), mode=mode)(x)
        assert matrix.backend.name == first
        np.testing.assert_allclose(matrix.numpy(), np.diag(np.cos(VALUES)), rtol=1e-9, atol=1e-15)
    each = ug.vmap(ug.grad(lambda p: ug.sin(p.to_backend(second)).sum()))(ug.stack([x, x * 2]))
    np.testing.assert_allclose(each.numpy(), np.cos([VALUES, 2 * VALUES]), rtol=1e-9)
    _, pull = ug.vjp(lambda p: (p * 2, p.to_backend(second) * 3), x)  # outputs on two backends
    np.testing.assert_allclose(pull((x, w))[0].numpy(), 5 * VALUES)


@pytest.mark.skipif("torch" not in USABLE, reason="torch is not installed")
def test_a_crossing_keeps_nothing_alive_and_sees_the_value_that_it_moved() -> None:
    x = _array("numpy")
    gc.disable()
    try:
        with ug.record():
            h = x * 2
            y = h.to_backend("torch")
            h += 1  # what was moved is the value before
            z = (y * y).sum()
        z.backward()
        np.testing.assert_allclose(x.grad.numpy(), 8 * VALUES)
        with ug.record():
            y = x.to_backend("torch")
            z = (y**3).sum()
        origin = weakref.ref(y._node.origin)
        z.backward(create_graph=True)
        del y, z
        x.zero_grad()
        assert origin() is None
    finally:
        gc.enable()


@pytest.mark.skipif("torch" not in USABLE, reason="torch is not installed")
def test_many_crossings_and_threads() -> None:
    def chain(results: list[float]) -> None:
        x = _array("numpy")
        with ug.record():
            h = x
            for _ in range(1500):
                h = (h.to_backend("torch") * 1.001).to_backend("numpy") + h * 0.001
        h.backward()
        results.append(float(x.grad[0]))

    results: list[float] = []
    threads = [threading.Thread(target=chain, args=(results,)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_allclose(results, [1.002**1500] * 3, rtol=1e-9)


# --- bridge ----------------------------------------------------------------------------------------------------


def _inside(x, w, *, power=1):
    s = ug.sin(x * w["w"]) * x**power
    return {"sum": s.sum(), "where": ug.argmax(x).astype("int32"), "all": (s, 2.0)}


F32 = VALUES.astype(np.float32)
SLOPE = np.cos(F32 * F32) * F32 * F32**2 + np.sin(F32 * F32) * 2 * F32
CURVE = (2 - F32**4) * np.sin(F32 * F32) + 4 * F32**2 * np.cos(F32 * F32)


def _by_torch(call: Any) -> list[Any]:
    import torch

    x, w = torch.tensor(F32, requires_grad=True), {"w": torch.tensor(F32)}
    out = call(x, w, power=2)
    assert isinstance(out["all"][0], torch.Tensor)
    assert out["where"].dtype == torch.int32
    (slope,) = torch.autograd.grad(out["sum"], x, create_graph=True)
    (curve,) = torch.autograd.grad(slope.sum(), x)
    by_func = torch.func.grad(lambda x: call(x, w, power=2)["sum"])
    np.testing.assert_allclose(torch.func.vmap(by_func)(torch.tensor(np.stack([F32, F32])))[1], SLOPE, rtol=1e-5)
    return [slope.detach().numpy(), curve.numpy()]


def _by_tensorflow(call: Any) -> list[Any]:
    import tensorflow as tf

    x, w = tf.Variable(F32), {"w": tf.constant(F32)}

    def twice() -> Any:
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                out = call(x, w, power=2)["sum"]
            slope = inner.gradient(out, x)
        return slope, outer.gradient(slope, x)

    found = [g.numpy() for g in twice()]
    for eager, compiled in zip(found, tf.function(twice)(), strict=True):
        np.testing.assert_allclose(compiled, eager, rtol=1e-5)
    return found


def _by_jax(call: Any) -> list[Any]:
    import jax

    def scalar(x: Any) -> Any:
        return call(x, {"w": jax.numpy.asarray(F32)}, power=2)["sum"]

    slope = jax.grad(scalar)
    curve = jax.grad(lambda x: slope(x).sum())
    found = [np.asarray(g(jax.numpy.asarray(F32))) for g in (slope, curve)]
    for eager, g in zip(found, (slope, curve), strict=True):
        np.testing.assert_allclose(jax.jit(g)(jax.numpy.asarray(F32)), eager, rtol=1e-5)
    return found


def _by_mxnet(call: Any) -> list[Any]:
    import mxnet as mx

    with mx.util.np_shape(True):
        x, w = mx.np.array(F32), {"w": mx.np.array(F32)}
        x.attach_grad(grad_req="add")
        for _ in range(2):
            with mx.autograd.record():
                out = call(x, w, power=2)["sum"]
            out.backward()
        with mx.autograd.record():
            slope = mx.autograd.grad(call(x, w, power=2)["sum"], [x], create_graph=True)[0]
            total = (slope * slope).sum()
        with pytest.raises(mx.base.MXNetError):  # and no zeros
            total.backward()
        return [x.grad.asnumpy() / 2]


def _by_numpy(call: Any) -> list[Any]:
    assert isinstance(call(F32, {"w": F32})["sum"], (np.ndarray, np.generic))
    x, w = _array("numpy", F32), {"w": _array("numpy", F32, attached=False)}
    with ug.record():
        slope = ug.gradients(call(x, w, power=2)["sum"], x, create_graph=True)
        total = slope.sum()
    return [slope.numpy(), ug.gradients(total, x).numpy()]


@pairs
def test_a_bridged_function_under_the_outer_engine(first: str, second: str) -> None:
    with ug.use_backend(first):
        found = globals()[f"_by_{first}"](ug.bridge(_inside, inner=second, outer=first))
    for got, expected in zip(found, [SLOPE, CURVE], strict=False):
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)


@pairs
def test_a_bridged_function_of_tensors_is_recorded(first: str, second: str) -> None:
    x = _array(first)
    call = ug.bridge(lambda x: ug.exp(x).sum(), inner=second, outer=first)
    with ug.record():
        y = call(x * 2)
    assert y.backend.name == first
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * np.exp(2 * VALUES), rtol=1e-9)


@pytest.mark.skipif(not {"torch", "jax"} <= USABLE, reason="needs torch and jax")
def test_complex_bridges() -> None:
    import jax
    import torch

    def f(z):
        return (ug.abs(z * z * (1 + 2j)) ** 2 + ug.real(z) * 3).sum()

    values = np.array([1 + 2j, 0.5 - 1j], np.complex64)
    expected = ug.grad(f)(values)
    z = torch.tensor(values, requires_grad=True)
    ug.bridge(f, inner="tensorflow" if "tensorflow" in USABLE else "numpy", outer="torch")(z).backward()
    np.testing.assert_allclose(z.grad, expected, rtol=1e-5)
    by_jax = jax.grad(ug.bridge(f, inner="torch", outer="jax"))(jax.numpy.asarray(values))
    np.testing.assert_allclose(np.conj(by_jax), expected, rtol=1e-5)


@pytest.mark.skipif(not {"torch", "jax", "mxnet"} <= USABLE, reason="needs torch, jax and mxnet")
def test_bad_input_names_the_argument() -> None:
    import jax
    import torch

    call = ug.bridge(_inside, inner="mxnet", outer="torch")
    x = torch.ones(3)
    with pytest.raises(ug.BackendMismatchError, match=r"argument 1\['w'\] of _inside.*'jax'.*'torch'"):
        call(x, {"w": jax.numpy.ones(3)})
    with pytest.raises(ug.BackendMismatchError, match=r"argument 'power'.*'numpy'"):
        call(x, {"w": x}, power=np.ones(3))
    with pytest.raises(ug.UnsupportedError, match=r"argument 0 of _inside.*complex64"):
        call(x.to(torch.complex64), {"w": x})
    with pytest.raises(ug.BackendError, match="nothing"):
        ug.bridge(_inside, inner="nothing", outer="torch")(x, {"w": x})
    with pytest.raises(ug.ArgumentError, match="must return arrays"):
        ug.bridge(lambda x: "text", inner="numpy", outer="torch")(x)
    wide = ug.bridge(lambda x: x.astype("float64"), inner="numpy", outer="jax")
    with pytest.raises(ug.DtypeError, match=r"result 0.*float64.*jax_enable_x64"):
        jax.jit(wide)(jax.numpy.ones(3))
    singular = ug.bridge(ug.linalg.inv, inner="numpy", outer="jax")
    with pytest.raises(ug.UnsupportedError, match="shapes of its results"):
        jax.jit(singular)(jax.numpy.eye(2))


# --- training loops --------------------------------------------------------------------------------------------

FEATURES = np.random.default_rng(0).standard_normal((16, 4)).astype(np.float32)
TARGETS = (FEATURES @ np.array([1.0, -2.0, 0.5, 3.0], np.float32)).astype(np.float32)


def _loss(w, x, y):
    residual = ug.tanh(x @ w) - ug.tanh(y)
    return (residual * residual).mean()


def _trained_by_torch(loss: Any) -> float:
    import torch

    w = torch.nn.Parameter(torch.zeros(4))
    x, y = torch.tensor(FEATURES), torch.tensor(TARGETS)
    optimizer = torch.optim.Adam([w], lr=0.1)
    for _ in range(20):
        optimizer.zero_grad()
        value = loss(w, x, y)
        value.backward()
        optimizer.step()
    return float(value.detach())


def _trained_by_tensorflow(loss: Any) -> float:
    import tensorflow as tf

    w = tf.Variable(tf.zeros(4))
    x, y = tf.constant(FEATURES), tf.constant(TARGETS)
    for _ in range(20):
        with tf.GradientTape() as tape:
            value = loss(w, x, y)
        w.assign_sub(0.5 * tape.gradient(value, w))
    return float(value)


def _trained_by_jax(loss: Any) -> float:
    import jax

    @jax.jit
    def step(w: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(w, x, y)
        return w - 0.5 * gradient, value

    w = jax.numpy.zeros(4)
    for _ in range(20):
        w, value = step(w, jax.numpy.asarray(FEATURES), jax.numpy.asarray(TARGETS))
    return float(value)


def _pure(outer: str) -> Any:
    """The loss in the framework's own functions."""
    if outer == "torch":
        import torch

        return lambda w, x, y: ((torch.tanh(x @ w) - torch.tanh(y)) ** 2).mean()
    if outer == "tensorflow":
        import tensorflow as tf

        return lambda w, x, y: tf.reduce_mean((tf.tanh(tf.linalg.matvec(x, w)) - tf.tanh(y)) ** 2)
    import jax.numpy as jnp

    return lambda w, x, y: ((jnp.tanh(x @ w) - jnp.tanh(y)) ** 2).mean()


@pytest.mark.parametrize(
    ("outer", "inner"), [("torch", "jax"), ("torch", "numpy"), ("tensorflow", "torch"), ("jax", "torch")]
)
def test_a_training_loop_calls_another_framework(outer: str, inner: str) -> None:
    if not {outer, inner} <= USABLE:
        pytest.skip("not installed")
    train = globals()[f"_trained_by_{outer}"]
    bridged = train(ug.bridge(_loss, inner=inner, outer=outer))
    np.testing.assert_allclose(bridged, train(_pure(outer)), rtol=2e-5)
