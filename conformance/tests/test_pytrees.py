"""Tensors that are given to a framework's own functions, or returned to them: containers of one array to each."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import unigrad as ug

VALUES = [1.0, 2.0, 3.0]


def doubled(x: Any) -> ug.Tensor:
    return ug.asarray(x) * 2


def squares(x: Any) -> ug.Tensor:
    x = ug.asarray(x)
    return (x * x).sum()


def same(found: Any, expected: Any) -> None:
    assert isinstance(found, ug.Tensor)
    np.testing.assert_array_equal(found.numpy(), expected)


@pytest.fixture(params=["raw", "tensor"])
def given(request: Any) -> Any:
    return (lambda raw: raw) if request.param == "raw" else ug.asarray


def test_jax(given: Any) -> None:
    jax = pytest.importorskip("jax")
    x = given(jax.numpy.asarray(VALUES))
    for transform in (jax.jit, jax.vmap, jax.checkpoint, lambda f: lambda x: jax.linearize(f, x)[0]):
        same(transform(doubled)(x), [2, 4, 6])
    for transform in (jax.jacrev, jax.jacfwd):
        same(transform(doubled)(x), 2 * np.eye(3))
    same(jax.hessian(squares)(x), 2 * np.eye(3))
    same(jax.jvp(doubled, (x,), (x,))[1], [2, 4, 6])
    carried, rows = jax.lax.scan(lambda total, row: (ug.asarray(total) + row, ug.asarray(row) * 2), ug.asarray(x)[0], x)
    same(carried, 7)
    same(rows, [2, 4, 6])
    assert jax.tree.leaves({"w": ug.asarray(x)})[0].shape == (3,)
    assert jax.tree.map(float, {"w": squares(x)}) == {"w": 14.0}
    with pytest.raises(ug.UnsupportedError, match=r"x\.raw"):
        jax.grad(squares)(x)
    same(ug.asarray(jax.grad(lambda x: squares(x).raw)(ug.asarray(x).raw)), [2, 4, 6])


def test_jax_takes_tensors_apart_in_an_optimisers_manner() -> None:
    jax = pytest.importorskip("jax")
    with ug.use_backend("jax"):
        weights = {"w": ug.asarray(VALUES), "b": [ug.zeros(2)]}
    slopes = ug.grad(lambda weights: (weights["w"] ** 2).sum() + weights["b"][0].sum())(weights)
    moved = jax.jit(lambda ws, gs: jax.tree.map(lambda w, g: w - 0.5 * g, ws, gs))(weights, slopes)
    same(moved["w"], [0, 0, 0])
    same(moved["b"][0], [-0.5, -0.5])


def test_what_jax_takes_apart_inside_a_transform_is_noted() -> None:
    jax = pytest.importorskip("jax")
    x = ug.asarray(jax.numpy.asarray(VALUES))
    with pytest.warns(ug.DisconnectedWarning, match=r"x\.raw"):
        ug.grad(lambda x: jax.tree.map(lambda a: a * a, x).sum())(x)


SHARDED = """
import jax, jax.numpy as jnp, numpy as np, unigrad as ug
from jax.sharding import AxisType, PartitionSpec as P

def cubes(x): return (x**3).sum()
def taped(x):
    x = ug.asarray(x); x.attach_grad()
    with ug.record(): y = cubes(x)
    y.backward(); return x.grad.raw
total = ug.wrap_native(lambda a: jax.lax.psum(a, "a"))
x = jnp.arange(1.0, 5.0)
rows = {
    "grad": (ug.grad(cubes), P("a")),
    "value_and_grad": (lambda x: ug.value_and_grad(lambda x: total(cubes(x)))(x), (P(), P("a"))),
    "tape": (taped, P("a")),
    "vmap": (ug.vmap(ug.grad(lambda a: a**3)), P("a")),
    "vjp": (lambda x: ug.vjp(lambda a: a**3, x)[1](jnp.ones(2))[0], P("a")),
    "jvp": (lambda x: ug.jvp(lambda a: a**3, (x,), (jnp.ones(2),))[1], P("a")),
    "hessian": (lambda x: jnp.diagonal(ug.hessian(cubes)(x)) * x / 2, P("a")),
    "tensor": (lambda x: ug.asarray(x)**2 * 3, P("a")),
}
for axis_type in (AxisType.Auto, AxisType.Explicit):
    mesh = jax.make_mesh((2,), ("a",), axis_types=(axis_type,))
    with jax.set_mesh(mesh):
        there = jax.device_put(x, jax.NamedSharding(mesh, P("a")))
        for name, (f, specs) in rows.items():
            run = jax.shard_map(f, in_specs=P("a"), out_specs=specs)
            for compiled in (run, jax.jit(run)):
                found = compiled(there)
                if name == "value_and_grad":
                    assert float(found[0]) == 100, found
                    found = found[1]
                np.testing.assert_array_equal(np.asarray(found), [3, 12, 27, 48], name)
        run = jax.shard_map(ug.grad(cubes), in_specs=P("a"), out_specs=P("a"), check_vma=False)
        np.testing.assert_array_equal(np.asarray(run(there)), [3, 12, 27, 48])
found = jax.pmap(ug.value_and_grad(cubes))(x.reshape(2, 2))
np.testing.assert_array_equal(np.asarray(found[0]), [9, 91])
np.testing.assert_array_equal(np.asarray(found[1]), [[3, 12], [27, 48]])
np.testing.assert_array_equal(np.asarray(jax.pmap(taped)(x.reshape(2, 2))), [[3, 12], [27, 48]])
"""


def test_inside_shard_map_and_pmap() -> None:
    pytest.importorskip("jax")
    # In a process of its own, whose JAX sees two devices.
    two = f"import os; os.environ['XLA_FLAGS'] = '--xla_force_host_platform_device_count=2'\n{SHARDED}"
    done = subprocess.run([sys.executable, "-c", two], timeout=300, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_pytorch(given: Any) -> None:
    torch = pytest.importorskip("torch")
    x = given(torch.tensor(VALUES))
    func = torch.func
    same(func.vmap(doubled)(x), [2, 4, 6])
    same(func.functionalize(doubled)(x), [2, 4, 6])
    for transform in (func.jacrev, func.jacfwd):
        same(transform(doubled)(x), 2 * np.eye(3))
    same(func.hessian(squares)(x), 2 * np.eye(3))
    same(func.jvp(doubled, (x,), (x,))[1], [2, 4, 6])
    value, pull = func.vjp(doubled, x)
    assert isinstance(ug.asarray(pull(value)[0]), ug.Tensor)
    with pytest.raises(RuntimeError, match=r"x\.raw"):
        func.grad(squares)(x)
    same(ug.asarray(func.grad(lambda x: squares(x).raw)(ug.asarray(x).raw)), [2, 4, 6])


def test_tensorflow(given: Any) -> None:
    tf = pytest.importorskip("tensorflow")
    x = given(tf.constant(VALUES))
    for options in ({}, {"autograph": False}, {"jit_compile": True}):
        run = tf.function(doubled, **options)
        same(run(x), [2, 4, 6])
        same(run(x), [2, 4, 6])
    found = tf.function(lambda x: {"twice": doubled(x), "rest": (squares(x), 1)})(x)
    same(found["rest"][0], 14)
    same(tf.nest.map_structure(lambda a: a + 1, {"w": ug.asarray(x)})["w"], [2, 3, 4])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = squares(x)
    np.testing.assert_array_equal(np.asarray(tape.gradient(y, x)), [2, 4, 6])
    same(tf.recompute_grad(doubled)(x), [2, 4, 6])
    with pytest.raises(ug.DtypeError, match=r"x\.raw"):
        tf.sin(doubled(x))


def test_data_sets_of_tensorflow(given: Any) -> None:
    tf = pytest.importorskip("tensorflow")
    rows = tf.data.Dataset.from_tensor_slices(given(tf.constant(VALUES)))
    same(next(iter(rows.map(doubled).batch(3))), [2, 4, 6])
    pairs = rows.map(lambda x: {"x": x, "y": doubled(x)}).repeat(2).batch(6).prefetch(1)
    same(next(iter(pairs))["y"], [2, 4, 6, 2, 4, 6])
    assert "shape=()" in repr(rows.map(doubled))
    assert float(rows.reduce(given(tf.constant(0.0)), lambda total, x: ug.asarray(total) + x)) == 6


def test_tensorflows_loops_take_tensors_to_tensors() -> None:
    tf = pytest.importorskip("tensorflow")
    x = tf.constant(VALUES)
    same(tf.map_fn(doubled, ug.asarray(x)), [2, 4, 6])
    same(tf.scan(lambda total, row: total + row, ug.asarray(x)), [1, 3, 6])
    for call in (
        lambda: tf.map_fn(doubled, x),
        lambda: tf.scan(lambda total, row: ug.asarray(total) + row, x),
        lambda: tf.while_loop(lambda i: i < 3, lambda i: (ug.asarray(i) + 1,), (tf.constant(0),)),
    ):
        with pytest.raises(ug.DtypeError, match=r"return x\.raw from the function"):
            call()
