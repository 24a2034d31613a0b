"""Programs of unigrad inside the frameworks' own compilers and transforms, against the plain call.

``PROGRAMS`` are small functions of everything that unigrad has; ``WAYS`` are ways to compile or transform one. Each
pair must give the value and the gradients of ``ug.value_and_grad(program)``, in their dtypes, or is in ``CANNOT``.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import unigrad as ug
from unigrad.base.errors import BackendError, UnsupportedError
from unigrad.base.tree import flatten, unflatten


class Program(NamedTuple):
    function: Callable[..., Any]
    args: tuple[Any, ...]
    argnums: Any


PROGRAMS: dict[str, Program] = {}
_generator = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return _generator.normal(size=shape).astype(np.float32)


def program(*args: Any, argnums: Any = 0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        PROGRAMS[function.__name__] = Program(function, args, argnums)
        return function

    return register


@program(numbers(4, 3))
def arithmetic(x: Any) -> Any:
    y = ug.tanh(x) * x - 2 * x / (1 + x * x) + x**3 - ug.abs(x) + 0.5**x
    return ug.sum(y + ug.maximum(x, 0.1) + ug.remainder(x, 0.7) + x // 2 + (x >= 1) * x)


@program(numbers(4, 3))
def elementary(x: Any) -> Any:
    y = ug.exp(x) + ug.log(1 + x * x) + ug.asinh(x) + ug.expm1(x) + ug.hypot(x, ug.ones_like(x)) + ug.clip(x, -1, 1)
    return ug.sum(y + ug.nn.sigmoid(x) + ug.nn.gelu(x) + ug.nn.relu(x) + ug.nn.softplus(x) + ug.atan2(x, 2 + x * x))


@program(numbers(4, 3))
def reductions(x: Any) -> Any:
    y = ug.max(x) + ug.mean(x, axis=0).sum() + ug.std(x) + ug.prod(x, axis=1).sum() + ug.var(x, axis=1).sum()
    return y + ug.linalg.vector_norm(x) + ug.nn.logsumexp(x) + ug.cumulative_sum(x, axis=1).max()


@program(numbers(4, 3), numbers(3, 5), argnums=(0, 1))
def contractions(x: Any, w: Any) -> Any:
    return ug.sum((x @ w) ** 2) + ug.einsum("ij,jk->", x, w) + ug.tensordot(x, w, axes=1).sum()


@program(numbers(4, 3))
def static_indices(x: Any) -> Any:
    return ug.sum(x[1:3, ::-1] ** 2) + x[0, -1] * x[:, None, 2].sum() + x[..., 0].max()


@program(numbers(5, 3))
def constant_indices(x: Any) -> Any:
    y = ug.sum(x[np.array([0, 2, 2])] ** 2) + ug.sum(x[[0, 1], [2, 2]])
    y = y + ug.sum(ug.take(x, ug.asarray([1, 1], like=x), axis=1))
    return y + ug.sum(x[np.array([True, False, True, False, True])] ** 3)


@program(numbers(5, 3), np.array([0, 2, -2]))
def indices(x: Any, i: Any) -> Any:
    return ug.sum(x[i] ** 2) + ug.sum(ug.take(x, i, axis=0) ** 3) + ug.sum(x[1:, i] ** 2) + ug.sum(x[i, i[:, None]])


@program(numbers(5, 3), np.array(3))
def one_index(x: Any, i: Any) -> Any:
    y = x * 2
    y[i] = 1.0
    return ug.sum(x[i] ** 2) + x[i, 1] + ug.sum(y**2)


@program(numbers(5, 3), np.array([[0, 2, 1], [1, 1, -1]]))
def indices_along_an_axis(x: Any, i: Any) -> Any:
    return ug.sum(ug.take_along_axis(x, i, axis=0) ** 2)


@program(numbers(5, 3))
def order(x: Any) -> Any:
    y = ug.sum(ug.sort(x, axis=0) * ug.arange(5.0, like=x).reshape(5, 1)) + ug.median(x, axis=0).sum()
    return y + ug.sum(x[ug.argmax(x, axis=0), ug.arange(3, like=x)] ** 2) + ug.quantile(x, 0.3)


@program(numbers(5, 3))
def choices(x: Any) -> Any:
    return ug.sum(ug.where(x > 0, x**2, -x))


@program(numbers(5, 3))
def writing(x: Any) -> Any:
    y = x * 1.0
    y[1:3] = y[0] * 2
    y[:, 1] = 3.0
    y += x
    return ug.sum(y**2) + ug.sum(ug.pad(x, 1) ** 2)


@program(numbers(5, 3))
def writing_by_masks(x: Any) -> Any:
    y = x * 1.0
    y[x > 0] = 0.5
    y[(x[:, 0] < 0,)] = x[0]
    z = x * 2
    z[x.sum() < 100] = x[1]
    return ug.sum(y**2) + ug.sum(z * x)


@program(numbers(5, 3))
def lists(x: Any) -> Any:
    y = ug.asarray([x[0, 0] * 2, x[1, 1], 3.0]) * ug.asarray([[x[0, 0], 1.0, x[0, 1]], [2, x[2, 2], x[0, 0]]])
    return ug.sum(y * [x[3, 0], x[3, 1], x[3, 2]]) + ug.sum([x[0, 0], x[0, 1]])


@program(numbers(5, 3))
def shapes(x: Any) -> Any:
    y = ug.sum(ug.concat([x, x.T.reshape(5, 3)], axis=1) ** 2) + ug.sum(ug.stack([x, x])[0] * ug.flip(x, axis=0))
    return y + ug.sum(ug.repeat(x, 2, axis=0) ** 2) + ug.sum(ug.roll(x, 1) * x) + ug.sum(ug.tile(x, (2, 1)) ** 2)


@program(
    numbers(6, 4), np.array([0, 1, 2, 2, 1, 0]), {"b": numbers(5), "v": numbers(4, 5), "w": numbers(5, 3)}, argnums=2
)
def network(x: Any, labels: Any, p: Any) -> Any:
    return ug.nn.cross_entropy(ug.tanh(x @ p["v"] + p["b"]) @ p["w"], labels)


@program(numbers(6, 4), np.array([0, 1, 2, 2, 1, 0]), (numbers(4, 5), [numbers(5), numbers(5, 3)]), argnums=2)
def other_network(x: Any, labels: Any, p: Any) -> Any:
    v, (b, w) = p
    outputs = ug.nn.gelu(x @ v + b) @ w
    hot = ug.nn.one_hot(labels, 3, dtype=ug.float32)
    return ug.nn.nll_loss(ug.nn.log_softmax(outputs), labels) + ug.mean(hot * ug.nn.softmax(outputs))


@program(np.array([0, 2, 2]), numbers(4, 5), argnums=1)
def embedding(i: Any, w: Any) -> Any:
    return ug.sum(ug.nn.embedding(i, w) ** 2)


@program(numbers(6, 4))
def chance(x: Any) -> Any:
    with ug.train_mode():
        kept = ug.nn.dropout(x, 0.5, seed=3)
    noise = ug.asarray(np.random.default_rng(1).normal(size=(6, 4)).astype(np.float32), like=x)
    return ug.sum(kept * x) + ug.sum(noise * x)


@program(numbers(6, 4))
def losses(x: Any) -> Any:
    y = ug.zeros_like(x)
    found = ug.nn.mse_loss(x, y) + ug.nn.huber_loss(x, y) + ug.nn.kl_div(x, y + 0.2)
    return found + ug.nn.binary_cross_entropy_with_logits(x, y + 0.5)


@program(numbers(2, 3, 8, 8), numbers(4, 3, 3, 3), argnums=(0, 1))
def convolution(x: Any, w: Any) -> Any:
    return ug.sum(ug.nn.max_pool2d(ug.nn.conv2d(x, w, padding=1), 2) ** 2) + ug.sum(ug.nn.avg_pool2d(x, 2))


@program(numbers(3, 3))
def matrices(x: Any) -> Any:
    s = x @ x.T + 3 * ug.eye(3, like=x)
    return ug.sum(ug.linalg.inv(s)) + ug.sum(ug.linalg.cholesky(s)) + ug.sum(ug.linalg.solve(s, x))


@program(numbers(3, 3))
def determinants(x: Any) -> Any:
    s = x @ x.T + 3 * ug.eye(3, like=x)
    y = ug.sum(ug.linalg.qr(s)[1] ** 2) + ug.sum(ug.linalg.pinv(s)) + ug.sum(ug.linalg.eigvalsh(s) ** 2)
    return y + ug.linalg.det(s) + ug.linalg.slogdet(s)[1] + ug.sum(ug.linalg.svdvals(x))


@program(numbers(3, 3))
def decompositions(x: Any) -> Any:
    s = x @ x.T + 3 * ug.eye(3, like=x)
    return ug.sum(ug.linalg.eigh(s)[0] ** 2) + ug.sum(ug.linalg.svd(x)[1])


@program(numbers(8))
def fourier(x: Any) -> Any:
    return ug.sum(ug.abs(ug.fft.fft(x)) ** 2) + ug.sum(ug.real(ug.fft.ifft(ug.fft.fft(x) * 2)))


@program(numbers(4, 3))
def recorded_inside(x: Any) -> Any:
    y = x.detach()
    y.attach_grad()
    with ug.record():
        z = ug.sum(y**3)
    z.backward()
    return ug.sum(x * y.grad)


@program(numbers(4, 3))
def gradient_inside(x: Any) -> Any:
    return ug.sum(ug.grad(lambda y: ug.sum(y**3))(x) * x)


@program(numbers(4, 3))
def second_order(x: Any) -> Any:
    first = ug.grad(lambda z: ug.sum(ug.tanh(z) ** 2))
    return ug.sum(ug.grad(lambda y: ug.sum(first(y) * y))(x))


@program(numbers(4, 3))
def forward_inside(x: Any) -> Any:
    return ug.sum(ug.jvp(lambda y: y**3, (x,), (ug.ones_like(x),))[1] * x)


@program(numbers(4, 3))
def casts(x: Any) -> Any:
    return ug.astype(ug.sum(ug.astype(x, ug.float16) ** 2), ug.float32) + ug.sum(ug.round(x)) + ug.sum((x > 0) * x)


@program(numbers(5, 3))
def searching(x: Any) -> Any:
    places = ug.searchsorted(ug.sort(x[:, 0]), x[:, 1])
    return ug.sum(ug.astype(places, ug.float32) * x[:, 2]) + ug.astype(ug.count_nonzero(x), ug.float32) * x.sum()


# --- the ways ---------------------------------------------------------------------------------------------

Way = Callable[[Program, Any], Any]
WAYS: dict[tuple[str, str], Way] = {}


def way(backend: str) -> Callable[[Way], Way]:
    def register(function: Way) -> Way:
        WAYS[backend, function.__name__] = function
        return function

    return register


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    leaves, layout = flatten(tree)
    return unflatten(layout, [function(leaf) for leaf in leaves])


def both(p: Program) -> Callable[..., Any]:
    return ug.value_and_grad(p.function, p.argnums)


def raw(p: Program) -> Callable[..., Any]:
    """The program over the framework's own arrays."""
    return lambda *args: p.function(*mapped(ug.asarray, args)).raw


def differentiated(p: Program, args: Any) -> list[Any]:
    return flatten([args[p.argnums]] if isinstance(p.argnums, int) else [args[number] for number in p.argnums])[0]


def numpy_of(array: Any) -> np.ndarray[Any, Any]:
    return np.asarray(array.detach() if hasattr(array, "detach") else array)


@way("jax")
def jit(p: Program, args: Any) -> Any:
    import jax

    return jax.jit(both(p))(*args)


@way("jax")
def jit_of_its_own_grad(p: Program, args: Any) -> Any:
    import jax

    return jax.jit(jax.value_and_grad(jax.checkpoint(raw(p)), p.argnums))(*args)


@way("jax")
def vmap(p: Program, args: Any) -> Any:
    import jax
    import jax.numpy as jnp

    found = jax.vmap(both(p))(*mapped(lambda leaf: jnp.stack([leaf * 0, leaf]), args))
    return mapped(lambda leaf: leaf[1], found)


@way("jax")
def jit_of_jacfwd(p: Program, args: Any) -> Any:
    import jax

    return jax.jit(lambda *given: (raw(p)(*given), jax.jacfwd(raw(p), p.argnums)(*given)))(*args)


@way("tensorflow")
def function(p: Program, args: Any) -> Any:
    import tensorflow as tf

    return tf.function(both(p))(*args)


def under_a_tape(p: Program, args: Any) -> Any:
    import tensorflow as tf

    leaves = differentiated(p, args)
    with tf.GradientTape() as tape:
        for leaf in leaves:
            tape.watch(leaf)
        value = raw(p)(*args)
    grads = tape.gradient(value, leaves, unconnected_gradients="zero")
    return value, [tf.convert_to_tensor(grad) for grad in grads]


@way("tensorflow")
def tape(p: Program, args: Any) -> Any:
    return under_a_tape(p, args)


@way("tensorflow")
def function_with_a_tape(p: Program, args: Any) -> Any:
    import tensorflow as tf

    return tf.function(lambda *given: under_a_tape(p, given))(*args)


@way("torch")
def func_grad(p: Program, args: Any) -> Any:
    import torch

    return torch.func.grad_and_value(raw(p), p.argnums)(*args)[::-1]


@way("torch")
def func_vmap(p: Program, args: Any) -> Any:
    import torch

    found = torch.func.vmap(both(p))(*mapped(lambda leaf: torch.stack([leaf * 0, leaf]), args))
    return mapped(lambda leaf: leaf[1], found)


@way("torch")
def func_vmap_of_its_own_grad(p: Program, args: Any) -> Any:
    import torch

    each = torch.func.vmap(torch.func.grad_and_value(raw(p), p.argnums))
    found = each(*mapped(lambda leaf: torch.stack([leaf * 0, leaf]), args))
    return mapped(lambda leaf: leaf[1], found[::-1])


@way("torch")
def func_jacfwd(p: Program, args: Any) -> Any:
    import torch

    # Whatever the program, PyTorch's tangents may be wider than its values inside vmap.
    found = torch.func.jacfwd(raw(p), p.argnums)(*args)
    return raw(p)(*args), mapped(lambda leaf: leaf.to(torch.float32), found)


@way("torch")
def autograd(p: Program, args: Any) -> Any:
    import torch

    leaves = differentiated(p, args)
    for leaf in leaves:
        leaf.requires_grad_()
    value = raw(p)(*args)
    return value, torch.autograd.grad(value, leaves)


@way("torch")
def make_fx(p: Program, args: Any) -> Any:
    """Traced with other numbers than it is called with."""
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    leaves, layout = flatten(args)
    other = [leaf * 0.5 if leaf.is_floating_point() else torch.zeros_like(leaf) for leaf in leaves]
    traced = make_fx(lambda *given: tuple(flatten(both(p)(*unflatten(layout, given)))[0]))(*other)
    return traced(*leaves)


@way("torch")
def compiled_with_breaks(p: Program, args: Any) -> Any:
    import torch

    torch._dynamo.reset()
    return torch.compile(both(p), backend="eager")(*args)


NO_FORWARD = (
    "the cotangents of vectors of repeated values must be 0 where nothing asks for them, which takes a custom_vjp, and "
    "JAX has no forward mode through one; ug.jvp has, and eigvalsh and svdvals have JAX's"
)
CUT = "what ug.grad returns has no history in PyTorch's own tape; ug.bridge(ug.grad(f), 'torch', 'torch') has"

CANNOT: dict[tuple[str, str], tuple[str, str]] = {
    ("jit_of_jacfwd", "decompositions"): (NO_FORWARD, "custom_vjp"),
    ("autograd", "gradient_inside"): (CUT, ""),
    ("autograd", "second_order"): (CUT, ""),
}
"""Way and program to the reason, and what the error says."""


@functools.cache
def plain(backend: str, name: str) -> list[np.ndarray[Any, Any]]:
    p = PROGRAMS[name]
    return [numpy_of(leaf) for leaf in flatten(both(p)(*given(backend, p)))[0]]


def given(backend: str, p: Program) -> Any:
    return mapped(lambda values: ug.asarray(values, like=ug.zeros((), like=None)).raw, p.args)


@contextlib.contextmanager
def on(backend: str) -> Any:
    try:
        scope = ug.use_backend(backend)
        scope.__enter__()
    except BackendError as error:
        pytest.skip(str(error))
    try:
        yield
    finally:
        scope.__exit__(None, None, None)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize(("backend", "how"), WAYS)
def test_the_same_as_called_plainly(backend: str, how: str, name: str) -> None:
    p = PROGRAMS[name]
    with on(backend):
        wanted = plain(backend, name)
        call = lambda: [numpy_of(leaf) for leaf in flatten(WAYS[backend, how](p, given(backend, p)))[0]]  # noqa: E731
        # What cannot be fails, and a row that no longer does must go.
        reason, message = CANNOT.get((how, name), ("", ""))
        with pytest.raises(Exception, match=message) if reason else contextlib.nullcontext():
            found = call()
            assert [array.dtype for array in found] == [array.dtype for array in wanted]
            for one, other in zip(found, wanted, strict=True):
                np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-5)


def test_what_unigrad_differentiates_is_differentiated_again_by_pytorch_through_a_bridge() -> None:
    torch = pytest.importorskip("torch")
    gradient = ug.bridge(ug.grad(lambda x: (ug.sin(x) * x).sum()), inner="torch", outer="torch")
    x = torch.linspace(0.1, 1.0, 4, requires_grad=True)
    (found,) = torch.autograd.grad((gradient(x) ** 2).sum(), x)
    with torch.no_grad():
        wanted = 2 * (torch.cos(x) * x + torch.sin(x)) * (2 * torch.cos(x) - torch.sin(x) * x)
    torch.testing.assert_close(found, wanted)


# --- what compilers give, and what they refuse -------------------------------------------------------------


def parameters() -> dict[str, np.ndarray[Any, Any]]:
    return {"b1": numbers(256), "b2": numbers(10), "w1": numbers(64, 256) / 8, "w2": numbers(256, 10) / 16}


def digits_loss(p: Any, x: Any, labels: Any, activation: Any = ug.tanh) -> Any:
    return ug.nn.cross_entropy(activation(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"], labels)


# unigrad's derivative of tanh is by 1 / cosh(x)**2, which has digits where 1 - tanh(x)**2 has none, and takes more.
@pytest.mark.parametrize(("activation", "limit"), [("relu", 1.02), ("tanh", 1.05)])
def test_jax_compiles_no_more_than_its_own_gradient(activation: str, limit: float) -> None:
    ours_of = {"relu": ug.nn.relu, "tanh": ug.tanh}[activation]
    with on("jax"):
        import jax
        import jax.numpy as jnp

        def own(p: Any, x: Any, labels: Any) -> Any:
            logits = getattr(jax.nn, activation)(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1))

        args = mapped(jnp.asarray, (parameters(), numbers(32, 64), np.arange(32) % 10))
        step = ug.value_and_grad(functools.partial(digits_loss, activation=ours_of))
        ours, theirs = (jax.jit(f).lower(*args).compile() for f in (step, jax.value_and_grad(own)))
        costs = [compiled.cost_analysis() for compiled in (ours, theirs)]
        texts = [compiled.as_text() for compiled in (ours, theirs)]
    assert costs[0]["flops"] <= costs[1]["flops"] * limit
    assert costs[0]["bytes accessed"] <= costs[1]["bytes accessed"] * limit
    for kind in (" fusion(", " dot(", " custom-call("):
        assert texts[0].count(kind) <= texts[1].count(kind), kind


def test_a_tf_function_has_hardly_more_operations_than_its_own() -> None:
    with on("tensorflow"):
        import tensorflow as tf

        def own(p: Any, x: Any, labels: Any) -> Any:
            leaves = list(p.values())
            with tf.GradientTape() as tape:
                for leaf in leaves:
                    tape.watch(leaf)
                logits = tf.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
                value = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
            return value, tape.gradient(value, leaves)

        args = mapped(tf.constant, (parameters(), numbers(32, 64), np.arange(32) % 10))
        counts = [
            len(tf.function(f).get_concrete_function(*args).graph.get_operations())
            for f in (ug.value_and_grad(digits_loss), own)
        ]
    assert counts[0] <= counts[1] * 1.5, counts


@pytest.mark.filterwarnings("ignore")
def test_what_make_fx_writes_down_compiles_as_one_graph() -> None:
    with on("torch"):
        import torch
        from torch.fx.experimental.proxy_tensor import make_fx

        args = mapped(torch.from_numpy, (parameters(), numbers(32, 64), np.arange(32) % 10))
        step = ug.value_and_grad(lambda p, x, labels: digits_loss(p, x, labels))
        wanted = step(*args)
        torch._dynamo.reset()
        found = torch.compile(make_fx(step)(*args), backend="aot_eager", fullgraph=True)(*args)
    for one, other in zip(flatten(found)[0], flatten(wanted)[0], strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize(("backend", "compile_"), [("jax", "jit"), ("tensorflow", "function"), ("torch", "vmap")])
@pytest.mark.parametrize(
    "question", [float, bool, lambda x: x.numpy(), lambda x: x.tolist(), ug.nonzero, lambda x: x[x > 0]]
)
def test_a_question_about_values_gets_an_answer(backend: str, compile_: str, question: Any) -> None:
    with on(backend):
        if backend == "jax":
            import jax as framework
        elif backend == "tensorflow":
            import tensorflow as framework
        else:
            import torch

            framework = torch.func
        x = given(backend, Program(len, (numbers(3),), 0))[0]
        seen = []

        def ask(value: Any) -> Any:
            for show in (repr, str, "{:.2f}".format):
                assert "shape=" in show(ug.asarray(value))
            with pytest.raises(UnsupportedError, match=r"ug\.where"):
                question(ug.asarray(value)[..., 0:1] if question in (float, bool) else ug.asarray(value))
            seen.append(True)
            return value

        getattr(framework, compile_)(ask)(x[None])
    assert seen


def test_sizes_that_are_left_open_are_refused() -> None:
    with on("tensorflow"):
        import tensorflow as tf

        signature = [tf.TensorSpec((None, 3), tf.float32)]
        step = tf.function(lambda x: ug.sum(ug.asarray(x)).raw, input_signature=signature, autograph=False)
        with pytest.raises(UnsupportedError, match="drop_remainder"):
            step(tf.ones((2, 3)))


def test_a_detached_array_is_constant_to_the_framework_too() -> None:
    with on("jax"):
        import jax

        assert jax.grad(lambda r: (ug.asarray(r).detach() * ug.asarray(r)).raw)(3.0 * jax.numpy.ones(())) == 3.0
    with on("torch"):
        import torch

        x = torch.tensor(3.0, requires_grad=True)
        (ug.asarray(x).detach() * ug.asarray(x)).raw.backward()
        assert x.grad == 3.0
