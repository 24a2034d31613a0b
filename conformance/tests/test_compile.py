"""``ug.compile``: what it returns is what the function returns, and what it cannot do it says."""

from __future__ import annotations

import itertools
import shutil
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.base.tree import flatten
from unigrad.compiling.program import Program, Step

BACKENDS = ["numpy", "torch", "tensorflow", "mxnet", "jax"]
RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 3)).astype(np.float32)
X = RNG.normal(size=(5, 4)).astype(np.float32)
LABELS = RNG.integers(0, 3, 5)


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Any:
    with ug.use_backend(request.param):
        yield request.param


def loss(w: Any, x: Any) -> Any:
    return (ug.tanh(x @ w) ** 2).sum()


def by_tape(w: Any, x: Any) -> Any:
    w.attach_grad()
    with ug.record():
        y = loss(w, x)
    y.backward()
    return y, w.grad


def by_scan(x: Any) -> Any:
    return ug.scan(lambda state, row: (ug.tanh(state + row), state), ug.zeros(4), x)[0].sum()


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "value_and_grad": (ug.value_and_grad(loss), (W, X)),
    "containers": (lambda p, x: {"y": (x @ p["w"] + p["b"], 3), "none": None}, ({"w": W, "b": W[0]}, X)),
    "hessian": (ug.hessian(loss), (W[:2, :2], X[:, :2])),
    "vmap of grad": (ug.vmap(ug.grad(loss), in_axes=(None, 0)), (W, X)),
    "jvp": (lambda w, x: ug.jvp(lambda w: loss(w, x), (w,), (w,)), (W, X)),
    "labels": (ug.grad(lambda w, x, labels: ug.nn.cross_entropy(x @ w, labels)), (W, X, LABELS)),
    "indices": (ug.grad(lambda w, i: (w[i] ** 2).sum()), (W, np.array([0, 2, 2]))),
    "solve": (lambda a: ug.linalg.inv(a @ a.T + ug.eye(5)), (X,)),
    "sort": (lambda a: (ug.sort(a, axis=0), ug.argsort(a, axis=1)), (X,)),
    "checkpoint": (ug.grad(lambda w, x: ug.checkpoint(loss)(w, x)), (W, X)),
    "tape": (by_tape, (W, X)),
    "convolution": (ug.grad(lambda k, x: ug.nn.conv2d(x, k).sum()), (W.reshape(3, 1, 2, 2), X.reshape(1, 1, 5, 4))),
    "scan": (ug.grad(by_scan), (X,)),
    "layers": (
        ug.grad(lambda w, x: ug.nn.softplus(ug.nn.sigmoid(ug.nn.relu(x @ w)) * ug.abs(x @ w)).mean()),
        (W, X),
    ),
}


def leaves(tree: Any) -> list[np.ndarray[Any, Any]]:
    return [leaf.numpy() if isinstance(leaf, ug.Tensor) else np.asarray(leaf) for leaf in flatten(tree)[0]]


def tensors(tree: Any) -> Any:
    return ug.tree_map(ug.asarray, tree)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_as_uncompiled(backend: str, name: str) -> None:
    f, args = PROGRAMS[name]
    compiled = ug.compile(f)
    right = f(*tensors(args))
    for _ in range(3):
        found = compiled(*tensors(args))
        assert ug.tree_paths(found) == ug.tree_paths(right)
        for one, other in zip(leaves(found), leaves(right), strict=True):
            assert (one.shape, one.dtype) == (other.shape, other.dtype)
            if backend == "numpy":
                assert one.tobytes() == other.tobytes()
            else:
                np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-6)
    assert compiled.cache_info()[:2] == (2, 1)
    compiled.program.check()


def test_python_runs_once_for_each_signature(backend: str) -> None:
    seen: list[Any] = []

    @ug.compile(static_argnames="power")
    def f(x: Any, n: int, power: float = 2.0) -> Any:
        seen.append((x.shape, n, power, ug.is_training()))
        return x**power * n

    x = ug.asarray(W)
    for _ in range(2):
        f(x, 1)
        f(x, 2)
        f(x, 1, power=3.0)
        f(x[:2], 1)
        with ug.train_mode():
            f(x, 1)
    assert len(seen) == 5 == f.cache_info().currsize
    assert f.cache_info() == (5, 5, f.cache_info().maxsize, 5)
    f.clear_cache()
    assert f.cache_info()[:2] == (0, 0)
    f(x, 1)
    assert len(seen) == 6


def test_what_comes_back_is_of_the_kind_that_was_given(backend: str) -> None:
    f = ug.compile(ug.grad(loss))
    w, x = ug.asarray(W), ug.asarray(X)
    assert isinstance(f(w, x), type(w))
    assert isinstance(f(w.raw, x.raw), type(w.raw))
    assert isinstance(f(W, X), np.ndarray)
    assert isinstance(ug.compile(ug.grad(lambda x: x**3))(2.0), np.ndarray)
    np.testing.assert_allclose(f(W, X), ug.grad(loss)(W, X), rtol=1e-5)


def test_one_step_of_a_recording(backend: str) -> None:
    f = ug.compile(lambda w, x: loss(w, x))
    w, x = ug.asarray(W), ug.asarray(X)
    for _ in range(2):
        w.attach_grad()
        with ug.record():
            y = f(w * 1.5, x) * 2
        y.backward()
        right = ug.grad(lambda w: loss(w * 1.5, x) * 2)(w.detach())
        np.testing.assert_allclose(w.grad.numpy(), right.numpy(), rtol=1e-5)
    cube = ug.compile(lambda x: (x**3).sum())
    np.testing.assert_allclose(ug.grad(ug.grad(lambda t: cube(t)))(ug.asarray(2.0)).numpy(), 12.0)
    np.testing.assert_allclose(ug.hessian(cube)(ug.asarray([1.0, 2.0])).numpy(), [[6, 0], [0, 12]])


def test_inside_vmap_and_jvp(backend: str) -> None:
    f = ug.compile(lambda x: (x**3).sum())
    x = ug.asarray(W)
    np.testing.assert_allclose(ug.vmap(f)(x).numpy(), (W**3).sum(1), rtol=1e-5)
    value, tangent = ug.jvp(f, (x,), (x,))
    np.testing.assert_allclose(tangent.numpy(), 3 * value.numpy(), rtol=1e-5)


def test_random_numbers_are_those_of_the_uncompiled_function(backend: str) -> None:
    def f(x: Any) -> Any:
        return (
            ug.nn.dropout(x, 0.5),
            ug.random.normal(size=2),
            ug.random.uniform(x[0] * 0, x[0] + 1),
            ug.random.permutation(x),
            ug.random.choice(x, 3),
            ug.random.integers(0, 9),
            ug.checkpoint(lambda x: ug.nn.dropout(x * x, 0.5))(x),
            ug.grad(lambda x: ug.checkpoint(lambda x: ug.nn.dropout(x * x, 0.5))(x).sum())(x),
        )

    x = ug.asarray(X)
    ug.random.seed(3)
    with ug.train_mode():
        right = [leaves(f(x)) for _ in range(3)]
        after = ug.random.normal(size=3).numpy()
        ug.random.seed(3)
        compiled = ug.compile(f)
        found = [leaves(compiled(x)) for _ in range(3)]
    assert compiled.cache_info().misses == 1
    np.testing.assert_array_equal(ug.random.normal(size=3).numpy(), after)
    for one, other in zip(itertools.chain(*found), itertools.chain(*right), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_results_share_memory_with_nothing(backend: str) -> None:
    if backend in ("tensorflow", "jax"):
        pytest.skip("nobody can write to its arrays")
    f = ug.compile(lambda x: (x, x, x.T, x.reshape((-1,)), x * 2, ug.ones(2), ug.broadcast_to(x[0] + 1, (2, 3))))
    x = ug.asarray(W)
    first = f(x)
    values = [y.numpy().copy() for y in first]
    second = f(x)
    for number, y in enumerate(second):
        y.raw[...] = 7.0 + number
    for y, right in zip(first, values, strict=True):
        np.testing.assert_array_equal(y.numpy(), right)
    for number, y in enumerate(second):
        np.testing.assert_array_equal(y.numpy(), 7.0 + number)
    np.testing.assert_array_equal(x.numpy(), W)
    for y, right in zip(f(x), values, strict=True):
        np.testing.assert_array_equal(y.numpy(), right)


def test_arrays_from_outside_are_read_anew(backend: str) -> None:
    w = ug.asarray([1.0, 2.0, 3.0])
    f, g = ug.compile(lambda x: x * w), ug.compile(lambda x: x * (w * 2))
    x = ug.asarray([1.0, 1.0, 1.0])
    for _ in range(3):
        np.testing.assert_allclose(f(x).numpy(), w.numpy())
        np.testing.assert_allclose(g(x).numpy(), 2 * w.numpy())
        w += 1
    w.attach_grad()
    with ug.record():
        y = f(x).sum()
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), [1, 1, 1])


def _write(w: Any, x: Any) -> Any:
    w += x
    return w


def _assign(w: Any, x: Any) -> Any:
    w[0] = 5.0
    return x


def _backward(w: Any, x: Any) -> Any:
    with ug.record():
        y = (w * x).sum()
    y.backward()
    return y


@pytest.mark.parametrize(
    "change",
    [
        _write,
        _assign,
        _backward,
        lambda w, x: w.zero_grad(),
        lambda w, x: w.attach_grad(),
        lambda w, x: setattr(w, "grad", x),
    ],
)
def test_an_array_from_outside_cannot_be_changed(backend: str, change: Callable[..., Any]) -> None:
    w = ug.asarray([1.0, 2.0, 3.0])
    w.attach_grad()
    f = ug.compile(lambda x: change(w, x))
    with pytest.raises(ug.UnsupportedError, match="compiled function cannot"):
        f(ug.asarray([1.0, 1.0, 1.0]))
    np.testing.assert_array_equal(w.numpy(), [1, 2, 3])
    np.testing.assert_array_equal(w.grad.numpy(), [0, 0, 0])
    assert f.cache_info() == (0, 0, f.cache_info().maxsize, 0)


@pytest.mark.parametrize(
    "asks",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: x * float(x.sum()),
        lambda x: x.numpy(),
        lambda x: x.tolist(),
        lambda x: np.sin(x.raw),
        lambda x: [1, 2, 3][x.sum().astype(ug.int64)],
    ],
)
def test_values_are_for_nobody_to_ask(backend: str, asks: Callable[..., Any]) -> None:
    with pytest.raises(ug.UnsupportedError, match=r"test_compile\.py:\d+.*ug\.where"):
        ug.compile(asks)(ug.asarray([1.0, 2.0, 3.0]))


def test_a_mask_that_selects_is_told_apart(backend: str) -> None:
    with pytest.raises(ug.UnsupportedError, match=r"ug\.where"):
        ug.compile(lambda x: x[x > 0])(ug.asarray([1.0, -2.0]))


def test_what_was_kept_of_a_trace_is_of_no_use(backend: str) -> None:
    kept: list[Any] = []
    x = ug.asarray([1.0, 2.0])
    ug.compile(lambda x: (kept.append(x * 2), x)[1])(x)
    for use in (lambda: kept[0] + 1, lambda: ug.compile(lambda x: x + kept[0])(x), lambda: kept[0] + x):
        with pytest.raises(ug.UnigradError, match="return it instead"):
            use()


def test_wrong_arguments() -> None:
    x = ug.asarray([1.0])
    for wrong in ({"engine": "nope"}, {"static_argnums": "x"}, {"static_argnames": 3}):
        with pytest.raises(ug.ArgumentError):
            ug.compile(loss, **wrong)
    with pytest.raises(ug.ArgumentError, match="takes a function"):
        ug.compile(x)
    with pytest.raises(ug.ArgumentError, match="not hashable"):
        ug.compile(lambda x, s: x, static_argnums=1)(x, [1])
    with pytest.raises(ug.ArgumentError, match="no plan yet"):
        ug.compile(loss).source()
    other = ug.asarray([1.0]).to_backend("torch")
    with pytest.raises(ug.BackendMismatchError):
        ug.compile(lambda x, y: x + y)(x, other)


def test_recursion() -> None:
    @ug.compile
    def endless(x: Any) -> Any:
        return endless(x) + 1

    @ug.compile
    def counting(x: Any, n: int) -> Any:
        return x if n == 0 else counting(x * 2, n - 1)

    with pytest.raises(ug.ArgumentError, match="calls itself"):
        endless(ug.ones(2))
    assert counting(ug.ones(2), 3).tolist() == [8, 8]


def test_an_error_leaves_no_plan() -> None:
    @ug.compile
    def broken(x: Any) -> Any:
        raise KeyError("mine")

    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            broken(ug.ones(2))
    assert broken.cache_info().currsize == 0
    assert ug.ones(2).backend is ug.ones(2).backend


def test_many_signatures_are_warned_of_once() -> None:
    f = ug.compile(lambda x: x + 1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for n in range(12):
            f(ug.zeros(n + 1))
    assert [str(each.message) for each in caught if "9th time" in str(each.message)] == [str(caught[0].message)]
    assert "float32[9] after float32[8]" in str(caught[0].message)


def test_threads_have_buffers_of_their_own() -> None:
    f = ug.value_and_grad(lambda x: (ug.tanh(x) * ug.exp(x)).sum())
    compiled = ug.compile(f)
    given = [ug.asarray(np.random.default_rng(n).normal(size=1000)) for n in range(6)]
    right = [f(x) for x in given]
    wrong: list[int] = []

    def run(n: int) -> None:
        for _ in range(60):
            value, gradient = compiled(given[n])
            if value.tolist() != right[n][0].tolist() or gradient.tolist() != right[n][1].tolist():
                wrong.append(n)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert compiled.cache_info().misses == 1


def test_sums_are_added_up_in_the_order_of_the_memory() -> None:
    def f(x: Any) -> Any:
        return ug.exp(x).sum(axis=0), (x.T * 2).sum(), (x + x.T).sum(axis=1)

    compiled = ug.compile(f)
    values = np.random.default_rng(0).normal(size=(37, 37)).astype(np.float32)
    for x in (values, np.asfortranarray(values), values[::-1], np.repeat(values, 2, axis=1)[:, ::2]):
        for one, other in zip(leaves(compiled(ug.asarray(x))), leaves(f(ug.asarray(x))), strict=True):
            assert one.tobytes() == other.tobytes()


def test_what_was_copied_on_the_way_is_no_part_of_a_buffer() -> None:
    f = ug.grad(lambda x: (ug.nn.avg_pool3d(x, (2, 1, 3)) ** 2).sum())
    x = ug.asarray(np.random.default_rng(0).normal(size=(2, 2, 4, 3, 7)))
    compiled = ug.compile(f)
    for scale in (1, 2):
        assert compiled(x * scale).tolist() == f(x * scale).tolist()


def test_scalars_are_rounded_as_uncompiled() -> None:
    f = ug.grad(lambda z: ug.real(ug.sin(z) * ug.tanh(z) * ug.sqrt(z)))
    for z in np.random.default_rng(0).normal(size=(20, 2)):
        x = ug.asarray(complex(*z), dtype=ug.complex128)
        assert ug.compile(f)(x).tolist() == f(x).tolist()


def test_numbers_in_what_tensorflow_compiles() -> None:
    x = ug.asarray([0.5, 1.5, 2.5]).to_backend("tensorflow")
    np.testing.assert_allclose(ug.compile(lambda x: ug.special.gamma(x))(x).numpy(), ug.special.gamma(x).numpy(), 1e-6)


def test_what_runs_can_be_read() -> None:
    f = ug.compile(ug.grad(loss))
    f(ug.asarray(W), ug.asarray(X))
    assert "matmul(a1, a0, b0)" in f.source()
    assert "# v1 = tanh(v0): float32[5, 3]" in f.source()
    assert "v1 = tanh(v0)" in str(f.program)


def test_a_method() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = ug.asarray(2.0)

        @ug.compile
        def __call__(self, x: Any) -> Any:
            return x * self.w

    model = Model()
    assert model(ug.asarray(3.0)).tolist() == 6
    model.w += 1
    assert model(ug.asarray(3.0)).tolist() == 9


@pytest.mark.parametrize("engine", BACKENDS)
def test_another_engine(engine: str) -> None:
    scale = ug.asarray(W[0])
    f = ug.compile(ug.value_and_grad(lambda w, x: loss(w * scale, x)), engine=engine)
    value, gradient = f(W, X)
    right = ug.value_and_grad(lambda w, x: loss(w * scale, x))(W, X)
    assert type(gradient) is np.ndarray
    np.testing.assert_allclose(value, right[0], rtol=1e-5)
    np.testing.assert_allclose(gradient, right[1], rtol=1e-5, atol=1e-6)
    found = f(ug.asarray(W), ug.asarray(X))[1]
    assert found.backend.name == "numpy"
    w = ug.asarray(W)
    w.attach_grad()
    with ug.record():
        y = ug.compile(loss, engine=engine)(w, ug.asarray(X))
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), ug.grad(loss)(W, X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("engine", BACKENDS)
def test_gradients_of_arrays_from_outside_through_another_engine(engine: str) -> None:
    w, x = ug.asarray(W), ug.asarray(X)
    f = ug.compile(lambda x: loss(w, x) + ug.random.normal(size=(4, 3)).sum() * 0, engine=engine)
    for array in (w, x):
        array.attach_grad()
    with ug.record():
        y = f(x)
    y.backward()
    np.testing.assert_allclose(w.grad.numpy(), ug.grad(loss)(W, X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(x.grad.numpy(), ug.grad(loss, 1)(W, X), rtol=1e-5, atol=1e-6)
    with ug.record():
        y = ug.vmap(lambda s: (ug.grad(lambda x: f(x * s))(x) * w[0, 0]).sum())(ug.asarray([1.0, 2.0])).sum()
    y.backward()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", ["relu", "sigmoid", "softplus", "tanh"])
def test_natively_what_is_several_functions_of_the_module_is_the_same_to_the_last_bit(name: str, dtype: str) -> None:
    function = ug.tanh if name == "tanh" else getattr(ug.nn, name)
    hard = [0.0, -0.0, np.inf, -np.inf, np.nan, -np.nan]
    x = np.concatenate([hard, *[RNG.normal(scale=scale, size=4000) for scale in (0.1, 1, 10, 100)]])
    x = ug.asarray(x.astype(dtype))
    for program in (lambda x: function(x) * 1, ug.grad(lambda x: function(x).astype("float64").sum())):
        assert ug.compile(program)(x).numpy().tobytes() == program(x).numpy().tobytes()


def test_a_program_is_drawn(backend: str, tmp_path: Path) -> None:
    f = ug.compile(ug.grad(lambda w, x: (ug.tanh(x @ w) ** 2).sum() + 3 * w[0, 1]))
    f(ug.asarray(W), ug.asarray(X))
    picture = ug.graph(f.program)
    drawn = {vertex.label for vertex in picture.vertices}
    assert {x.name for x in f.program.inputs} | {step.out.name for step in f.program.steps} <= drawn
    assert [vertex.label for vertex in picture.vertices if vertex.is_head] == [x.name for x in f.program.outputs]
    assert "v0 = matmul(a1, a0)" in str(picture)
    assert "v1 = tanh" in picture.svg()
    for ending in ("svg", "png", "html", "dot", "mmd", "txt"):
        picture.save(tmp_path / f"program.{ending}")
    assert '"v1 = tanh' in (tmp_path / "program.dot").read_text()
    with pytest.raises(ug.ArgumentError, match="draws what there is"):
        ug.graph(f.program, X)


def test_repeats_of_a_long_program_are_folded() -> None:
    def chain(x: Any) -> Any:
        for _ in range(100):
            x = ug.tanh(x * 2 + 1)
        return x

    f = ug.compile(chain)
    f(ug.asarray(0.5))
    picture = ug.graph(f.program, most=10)
    assert len(picture.vertices) < 16
    assert "98 more times (multiply, add, tanh)" in str(picture)
    assert "294 of 300 steps are folded" in picture.notes[0]
    assert len(ug.graph(f.program, most=300).vertices) == 501


def test_a_program_that_is_not_whole_is_told_apart() -> None:
    f = ug.compile(lambda x: ug.tanh(x * 2) + x)
    f(ug.asarray(0.5))
    program = f.program
    first, second, third = program.steps
    for steps, outputs, words in (
        ([second, first, third], [third.out], "before it is set"),
        ([first, first, second, third], [third.out], "a second time"),
        ([first, Step("nonsense", (first.out,), second.out)], [second.out], "no primitive of the table"),
        ([first, second], [third.out], "never set"),
    ):
        with pytest.raises(ug.UnigradError, match=words):
            Program(program.inputs, program.constants, steps, outputs).check()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64"])
def test_natively_gradients_of_pieces_are_added_in_their_places(dtype: str) -> None:
    hard = np.array([[0.0, -0.0, np.nan, -np.inf], [-0.0, -0.0, -np.nan, 1.5], [3.0, -0.0, np.inf, -2.5]])
    w = ug.asarray(hard.astype(dtype))

    def rows(w: Any) -> Any:
        return sum((w[row] * (w[row] + k)).sum() for k in range(3) for row in (0, 2, 1, 2))

    def slices(w: Any) -> Any:
        return (w[:, :2] * -1.0).sum() + (w[1, 3] * w[:, 2:]).sum() + (w[:, 0:4:2] * 0.0).sum() + w[-1, -1]

    def overlapping(w: Any) -> Any:
        return (w[:2] * -0.0).sum() + (w[1:] * -0.0).sum() + (w[None, ..., 1] * -0.0).sum()

    def apart(w: Any) -> Any:
        return (w[0] * -0.0).sum() + (w[1] * -0.0).sum() + (w[1] * w[0]).sum()

    for f in (rows, slices, overlapping, apart):
        gradient = ug.grad(lambda w, f=f: ug.real(f(w)))
        compiled = ug.compile(gradient)
        for _ in range(2):
            assert compiled(w).numpy().tobytes() == gradient(w).numpy().tobytes()
    assert "accumulated" in compiled.source()


def test_natively_a_product_with_ones_is_no_step() -> None:
    f = ug.compile(ug.grad(lambda x: (x * x).sum()))
    x = ug.asarray(RNG.normal(size=(3, 4)))
    for each in (x, x.T):
        assert f(each).tolist() == (each * 2).tolist()
    assert [step.name for step in f.program.steps] == ["add"]


def test_natively_what_several_steps_have_in_common_is_computed_once() -> None:
    gradient = ug.value_and_grad(lambda x: ug.nn.gelu(x).sum())
    f = ug.compile(gradient)
    x = ug.asarray(RNG.normal(size=(30, 4)).astype(np.float32))
    for one, other in zip(leaves(f(x)), leaves(gradient(x)), strict=True):
        assert one.tobytes() == other.tobytes()
    assert [step.name for step in f.program.steps].count("erf") == 1


def test_natively_layers_compute_activations_again_rather_than_keep_them() -> None:
    weights = [ug.asarray((RNG.normal(size=(256, 256)) / 16).astype(np.float32)) for _ in range(5)]
    x = ug.asarray(RNG.normal(size=(128, 256)).astype(np.float32))

    def layers(weights: Any, x: Any) -> Any:
        for w in weights:
            x = ug.tanh(x @ w)
        return x.sum()

    def elements(weights: Any, x: Any) -> Any:
        for w in weights:
            x = ug.tanh(x * w[:128])
        return x.sum()

    for f, again in ((layers, 3), (elements, 0)):
        gradient = ug.grad(f)
        compiled = ug.compile(gradient)
        for _ in range(2):
            for one, other in zip(leaves(compiled(weights, x)), leaves(gradient(weights, x)), strict=True):
                assert one.tobytes() == other.tobytes()
        assert compiled.source().count("_again = tanh") == again


@pytest.mark.skipif(shutil.which("g++") is None, reason="PyTorch's compiler needs one for C++")
def test_pytorchs_own_compiler() -> None:
    f = ug.compile(ug.value_and_grad(lambda x: (ug.tanh(x) * x).sum()), engine="inductor")
    for one, other in zip(f(W), ug.value_and_grad(lambda x: (ug.tanh(x) * x).sum())(W), strict=True):
        assert type(one) is type(other)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(shutil.which("g++") is None, reason="PyTorch's compiler needs one for C++")
def test_pytorchs_own_compiler_gets_the_whole_plan_where_it_was_used_before() -> None:
    torch = pytest.importorskip("torch")
    raw = torch.linspace(-1, 1, 8)
    torch.compile(lambda x: ug.sin(x), backend="eager")(raw)  # from here on it calls unigrad's functions as they stand
    torch._dynamo.utils.counters.clear()
    value, gradient = ug.compile(ug.value_and_grad(lambda x: (ug.nn.gelu(x) * x).sum()), engine="inductor")(raw)
    assert value.shape == ()
    assert gradient.shape == (8,)
    assert not torch._dynamo.utils.counters["graph_break"]
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


@pytest.mark.skipif(shutil.which("g++") is None, reason="PyTorch's compiler needs one for C++")
def test_pytorchs_own_compiler_takes_many_plans() -> None:
    torch = pytest.importorskip("torch")
    torch._dynamo.utils.counters.clear()
    count = torch._dynamo.config.recompile_limit + 2
    for number in range(count):
        f = ug.compile(lambda x, n: x * n, engine="inductor", static_argnums=1)
        np.testing.assert_array_equal(f(W, number), W * number)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == count
