"""Arrays over several devices on JAX: what is made beside them lies where they do, and gradients where variables do.

JAX must see four devices before it is imported, so the program below runs in a process of its own.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from typing import Any

import pytest


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What the program printed."""
    flags = "--xla_force_host_platform_device_count=4 --xla_backend_optimization_level=0 "
    flags += "--xla_cpu_use_fusion_emitters=false"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, __file__], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_gradients_lie_where_their_variables_do(seen: dict[str, Any]) -> None:
    assert len(seen["gradients"]) == 2 * 16
    assert {name: found for name, found in seen["gradients"].items() if found != [True, True]} == {}


def test_cotangents_that_a_user_gives_are_brought_to_where_they_belong(seen: dict[str, Any]) -> None:
    assert len(seen["given"]) == 3 * 5
    assert {name: found for name, found in seen["given"].items() if found != [True, True]} == {}


def test_gradients_with_a_history_lie_where_their_variables_do(seen: dict[str, Any]) -> None:
    assert len(seen["history"]) == 5
    assert {name: found for name, found in seen["history"].items() if found != [True, True]} == {}


def test_what_jax_put_somewhere_by_itself_meets_arrays_on_several_devices(seen: dict[str, Any]) -> None:
    """So does what is made like it, and what is trained."""
    assert len(seen["anywhere"]) == 6
    assert {name: found for name, found in seen["anywhere"].items() if found != ["cpu", True]} == {}
    assert seen["elsewhere"] == ["cpu:1", "cpu:1", "cpu:1", False]


def test_functions_of_another_backend_take_sharded_arrays(seen: dict[str, Any]) -> None:
    assert seen["bridged"] == [True, True, True]


def test_gradients_are_on_the_device_that_their_variable_is_committed_to(seen: dict[str, Any]) -> None:
    assert len(seen["committed"]) == 2 * 16
    assert {name: found for name, found in seen["committed"].items() if found != [True, True]} == {}


def test_new_arrays_lie_where_the_one_beside_them_does(seen: dict[str, Any]) -> None:
    assert seen["made"] == {
        "zeros_like": True, "full of its shape": True, "of another shape": "a copy on each of 4 devices",
        "by its sharding": True, "moved": True, "to one": "cpu:2", "made on one": "cpu:2", "in place": True,
    }  # fmt: skip


def test_numbers_are_themselves(seen: dict[str, Any]) -> None:
    assert seen["negative"] == [False, True, False]


def test_gradients_come_back_from_where_an_array_was_moved_to(seen: dict[str, Any]) -> None:
    assert seen["moved back"] == dict.fromkeys(("tape", "grad", "jvp", "second", "sharded", "rows", "mapped"), True)


def test_what_is_said_of_them(seen: dict[str, Any]) -> None:
    assert seen["device"] == "sharded over 4 devices by P('d',)"
    assert "(6,) cannot be spread" in seen["uneven"]
    assert "arrays on cpu, cpu:1, cpu:2, cpu:3 and on cpu:2 met in one operation" in seen["mixed"]
    for said in seen["exported"]:
        assert "(float64, sharded over 4 devices by P('d',)) through DLPack" in said


def test_arrays_on_two_sets_of_devices_are_both_named(seen: dict[str, Any]) -> None:
    assert len(seen["apart"]) == len(seen["apart alone"]) == len(seen["apart in order"]) == 38
    for found, places in (
        ("apart", ("cpu, cpu:1", "cpu:2, cpu:3")),
        ("apart alone", ("cpu:1", "cpu:2")),
        ("apart in order", ("cpu, cpu:1", "cpu:1, cpu")),
    ):
        both = [f"arrays on {' and on '.join(order)} met in one operation" for order in (places, places[::-1])]
        wrong = {name: said for name, said in seen[found].items() if not any(each in said for each in both)}
        assert wrong == {}


def test_what_is_not_a_number_is_not_lost_where_parts_are_joined(seen: dict[str, Any]) -> None:
    assert seen["not a number"] == {name: [True, True] for name in ("max", "min", "norm")}


def test_convolutions_of_whatever_is_divided(seen: dict[str, Any]) -> None:
    assert len(seen["convolved"]) == 13
    assert {name: found for name, found in seen["convolved"].items() if found != [True] * 4} == {}


def test_gradients_that_come_again_are_pulled_in_runs_and_are_the_same(seen: dict[str, Any]) -> None:
    """A run of nodes is one program from the second time on: of several heads, of variables in the middle, of what is
    used often, and around what may be no part of one."""
    assert len(seen["again"]) == 2 * 7
    assert {name: found for name, found in seen["again"].items() if found != [True] * 3} == {}
    assert seen["runs"] == [True, True]


def test_training_is_that_of_one_device(seen: dict[str, Any]) -> None:
    for how in ("data", "tensor"):
        assert seen["training"][how] == pytest.approx(seen["training"]["one"], rel=1e-12)


def main() -> None:
    """The program."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    from jax.sharding import AxisType, NamedSharding, PartitionSpec
    from spreading import gradients, meeting
    from unigrad_jax import runs

    import unigrad as ug

    jax.config.update("jax_enable_x64", True)
    mesh = jax.make_mesh((4,), ("d",), axis_types=(AxisType.Auto,))
    rows, whole = NamedSharding(mesh, PartitionSpec("d")), NamedSharding(mesh, PartitionSpec())
    columns = NamedSharding(mesh, PartitionSpec(None, "d"))
    values = np.linspace(0.5, 2.0, 8)
    x = jax.device_put(values, rows)

    def in_place(x: Any) -> Any:
        y = x * 1
        y[2:4] = 7.0
        return y

    losses = {
        "elementwise": lambda x: (ug.tanh(x) * x).sum(),
        "uses": lambda x: ((x * x + x) * ug.exp(x) * x.reshape((1, 8))[0] - x).sum(),
        "reductions": lambda x: ug.max(x) + ug.mean(x) + ug.std(x) + ug.linalg.vector_norm(x),
        "sort": lambda x: (ug.sort(x) * x).sum(),
        "cumulative": lambda x: (ug.cumulative_sum(x) * ug.cumulative_prod(x)).sum(),
        "index": lambda x: (x[2:5] * x[1]).sum(),
        "take": lambda x: (ug.take(x, ug.asarray([1, 1, 3], like=x)) * 2).sum(),
        "concat": lambda x: (ug.concat([x, x * 2]) ** 2).sum(),
        "assignment": lambda x: (in_place(x) * x).sum(),
        "softmax": lambda x: (ug.nn.softmax(x, axis=0) * x).sum(),
        "where": lambda x: ug.where(x > 1, x * x, 0.0).sum(),
        "numbers": lambda x: ((x + 0.5) * 2 - x / 3.0 + 1.5**x + (x + x)).sum(),
        "constants": lambda x: (x * np.ones(8) + ug.ones(8, like=x)).sum(),
        "matrices": lambda x: (x.reshape((4, 2)) @ ug.ones((2, 3), like=x)).sum(),
        "fourier": lambda x: (ug.abs(ug.fft.fft(x)) ** 2).sum(),
        "checkpoint": lambda x: ug.checkpoint(lambda x: ug.exp(x) * x)(x).sum(),
    }
    found = gradients(losses, jnp.asarray(values), x, lambda raw: raw.sharding)

    plain_ones = {"NumPy's": np.ones, "JAX's": jnp.ones, "whole": lambda shape: jax.device_put(np.ones(shape), whole)}
    square = jax.device_put(values.reshape(4, 2), rows)
    ruled = ug.custom_gradient(lambda x: (x * 1, lambda g: ug.asarray(jnp.ones(g.shape))))
    pulled = {
        "alike": lambda x: x * 1, "shape": lambda x: x.reshape(8), "total": lambda x: ug.sum(x, axis=1),
        "sum": lambda x: x + 0.0 * x, "rule": lambda x: ruled(x * 2) * 1,
    }  # fmt: skip
    given = {}
    for kind, ones in plain_ones.items():
        for name, function in pulled.items():
            variable = ug.asarray(square)
            variable.attach_grad()
            with ug.record():
                y = function(variable)
            y.backward(ug.asarray(ones(y.shape), like=None if kind != "NumPy's" else y))
            (by_vjp,) = ug.vjp(function, square)[1](ones(y.shape))
            given[f"{name} of {kind}"] = [variable.grad.raw.sharding == rows, by_vjp.sharding == rows]

    def with_history(function: Any) -> list[bool]:
        variable = ug.asarray(square)
        variable.attach_grad()
        with ug.record():
            y = function(variable)
        y.backward(create_graph=True)
        return [variable.grad.raw.sharding == rows, ug.grad(function)(variable.detach()).raw.sharding == rows]

    history = {
        "total": with_history(ug.sum),
        "product": with_history(lambda x: (x @ ug.ones((2, 3), like=x)).sum()),
        "slices": with_history(lambda x: (x[1:3] ** 2).sum()),
        "native": with_history(ug.wrap_native(jnp.sum)),
        "checkpoint": with_history(lambda x: ug.checkpoint(lambda x: x * 2)(x).sum()),
    }

    # Committed to no device, as JAX's arrays are that nobody put somewhere.
    loose = ug.asarray(jnp.ones((2, 3)))
    weights = loose.copy()
    weights.attach_grad()
    for _ in range(2):
        with ug.record():
            loss = ((ug.asarray(square) @ weights) ** 2).sum()
        loss.backward()
        weights -= 0.1 * weights.grad
    made_like = {
        "zeros": ug.zeros_like(loose), "copy": loose.copy(), "made": ug.ones((2, 3), like=loose),
        "numbers": loose * [[1.0, 2.0, 3.0]], "gradient": weights.grad, "trained": weights,
    }  # fmt: skip
    anywhere = {
        name: [str(made.device), (ug.asarray(square) @ made).raw.sharding.num_devices == 4]
        for name, made in made_like.items()
    }
    with jax.default_device(jax.devices()[1]):
        loose = ug.asarray(jnp.ones(3))
    elsewhere_made = [str(each.device) for each in (loose, ug.zeros_like(loose), loose.copy())]

    def bridged_loss(x: Any) -> Any:
        return (x**3).sum()

    bridged = ug.bridge(bridged_loss, inner="numpy", outer="jax")
    by_bridge = jax.grad(bridged)(square)
    of_bridge = [
        float(bridged(square)) == float(bridged_loss(ug.asarray(square))),
        bool(jnp.allclose(by_bridge, 3 * square**2)), by_bridge.sharding == rows,
    ]  # fmt: skip

    # Committed to another device than the default one.
    away = jax.device_put(values, jax.devices()[2])
    committed = gradients(losses, jnp.asarray(values), away, lambda raw: raw.sharding)

    tensor = ug.asarray(x)
    made = {
        "zeros_like": ug.zeros_like(tensor).raw.sharding == rows,
        "full of its shape": ug.full((8,), 2.0, like=tensor).raw.sharding == rows,
        "of another shape": str(ug.zeros((3,), like=tensor).device),
        "by its sharding": ug.zeros((8, 4), device=columns, like=tensor).raw.sharding == columns,
        "moved": ug.asarray(jnp.asarray(values)).to_device(rows).raw.sharding == rows,
        "to one": str(tensor.to_device(away.sharding).device),
        "made on one": str(ug.zeros((3,), device=away.sharding, like=tensor).device),
        "in place": in_place(tensor).raw.sharding == rows,
    }

    def message(call: Any) -> str:
        try:
            call()
        except ug.UnigradError as error:
            return str(error)
        return "no error"

    def cubed(device: Any) -> Any:
        return lambda x: (x.to_device(device) ** 3).sum()

    plain = ug.asarray(jnp.asarray(values))
    variable = plain.copy()
    variable.attach_grad()
    with ug.record():
        loss = cubed("cpu:1")(variable) + (variable**3).sum().to_device("cpu:1")
    loss.backward()
    spread_again = ug.grad(cubed("cpu:1"))(tensor)
    pushed = ug.jvp(cubed("cpu:1"), (plain,), (ug.ones_like(plain),))[1]
    moved_back = {
        "tape": np.allclose(variable.grad.numpy(), 6 * values**2) and variable.grad.device == "cpu",
        "grad": np.allclose(ug.grad(cubed("cpu:1"))(plain).numpy(), 3 * values**2),
        "jvp": np.allclose(pushed.numpy(), (3 * values**2).sum()),
        "second": np.allclose(ug.hessian(cubed("cpu:1"))(plain).numpy(), np.diag(6 * values)),
        "sharded": np.allclose(spread_again.numpy(), 3 * values**2) and spread_again.raw.sharding == rows,
        "rows": np.allclose(ug.grad(cubed(rows))(plain).numpy(), 3 * values**2),
        "mapped": np.allclose(ug.vmap(ug.grad(cubed("cpu:1")))(plain.reshape((4, 2))).numpy().ravel(), 3 * values**2),
    }

    negative = [bool(np.signbit((tensor * zero).numpy()).any()) for zero in (0.0, -0.0, 0.0)]

    elsewhere = ug.asarray(jax.device_put(values, jax.devices()[2]))

    def pair(*chosen: int) -> Any:
        two = jax.sharding.Mesh(np.array([jax.devices()[number] for number in chosen]), ("d",))
        return ug.asarray(jax.device_put(np.arange(4.0) + 1, NamedSharding(two, PartitionSpec("d"))))

    said = {
        "device": str(tensor.device),
        "uneven": message(lambda: ug.ones(6, device=rows, like=tensor)),
        "mixed": message(lambda: tensor * elsewhere),
        "exported": [message(tensor.__dlpack__), message(tensor.__dlpack_device__)],
    }
    partly = ug.asarray(jax.device_put(np.array([1, np.nan, 2, 3]), rows))
    hidden = {"max": ug.max, "min": ug.min, "norm": lambda x: ug.linalg.vector_norm(x, ord=np.inf)}
    not_a_number = {
        name: [bool(ug.isnan(f(partly))), bool(jnp.isnan(jax.jit(lambda raw, f=f: f(ug.asarray(raw)).raw)(partly.raw)))]
        for name, f in hidden.items()
    }
    vector = np.arange(4.0) + 1
    alone = [ug.asarray(jax.device_put(vector, jax.devices()[number])) for number in (1, 2)]
    apart = {name: message(call) for name, call in meeting(pair(0, 1), pair(2, 3)).items()}
    apart_in_order = {name: message(call) for name, call in meeting(pair(0, 1), pair(1, 0)).items()}
    apart_alone = {name: message(call) for name, call in meeting(*alone).items()}

    grid = jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Auto, AxisType.Auto))
    convolved = {}

    def convolutions(function: Any, arrays: Any, placements: Any) -> None:
        def loss(x: Any, w: Any) -> Any:
            return (function(x, w) ** 2).sum()

        def found(x: Any, w: Any) -> list[Any]:
            slopes = ug.grad(loss, (0, 1))(x, w)
            return [function(x, w), *slopes, ug.jvp(function, (x, w), (w.sum() * x, x.sum() * w))[1], *ug.hvp(
                loss, (x, w), (x, w))]  # fmt: skip

        plain = found(*[ug.asarray(jnp.asarray(array)) for array in arrays])
        for names in placements:
            x, w = (
                ug.asarray(jax.device_put(array, NamedSharding(grid, PartitionSpec(*axes))))
                for array, axes in zip(arrays, names, strict=True)
            )
            got = found(x, w)
            near = [bool(np.allclose(one.numpy(), other.numpy())) for one, other in zip(got, plain, strict=True)]
            lies = got[1].raw.sharding == x.raw.sharding and got[2].raw.sharding == w.raw.sharding
            convolved[f"{len(convolved)}: {names}"] = [near[0], all(near[1:3]), all(near[3:]), lies]

    images, kernels, halves = (
        np.cos(np.arange(math.prod(shape))).reshape(shape) for shape in ((4, 4, 8), (4, 4, 4), (4, 2, 4))
    )
    divided_both = [
        (("a",), ()), (("a",), ("b",)), ((None, "a"), (None, None, "a")), ((None, "a"), ("b", None, "a")),
        ((None, None, "a"), (None, None, "b")), (("a", None, "b"), (None, "a", "b")),
    ]  # fmt: skip
    convolutions(lambda x, w: ug.nn.conv1d(x, w, padding=1), (images, kernels), divided_both)
    convolutions(lambda x, w: ug.nn.conv1d(x, w, groups=2), (images, halves), divided_both[:4])
    vectors = (images[0, 0], kernels[0, 0])
    convolutions(lambda x, w: ug.convolve(x, w, "valid"), vectors, [(("a",), ("a",)), (("b",), ()), (("a",), ("b",))])

    def chained(x: Any) -> Any:
        y = x
        for _ in range(12):  # which are more operations than one run has
            y = ug.sin(y * x + 0.5)
        return y

    def kept(x: Any) -> Any:
        middle = ug.exp(x) * x
        middle.retain_grad()
        return [middle * middle + chained(middle), middle]

    often = {
        "chain": lambda x: [chained(x)],
        "uses": lambda x: [x * x + (x + x) * ug.exp(x)],
        "heads": lambda x: [ug.sin(x) * x, chained(x), ug.sin(x).sum() * x],
        "kept": kept,
        "constants": lambda x: [(x * np.arange(8.0)).sum() * ug.ones(8, like=x) - x],
        "convolution": lambda x: [ug.convolve(ug.sin(x), x + 1, "same") * x],
        "elsewhere": lambda x: [chained(ug.checkpoint(lambda x: ug.exp(x) * x)(x) * x)],
    }

    def pulled_often(function: Any, x: Any, times: int) -> list[list[Any]]:
        """What arrived at the variable, and at what else asked for it, each time."""
        arrived = []
        for _ in range(times):
            variable = ug.asarray(x)
            variable.attach_grad()
            with ug.record():
                heads = function(variable)
            ug.backward([head for head in heads if head.ndim])
            arrived.append([variable.grad.raw, *(head.grad.raw for head in heads if head.grad is not None)])
        return arrived

    again, found_again = {}, []
    for kind in (AxisType.Auto, AxisType.Explicit):
        divided = NamedSharding(jax.make_mesh((4,), ("d",), axis_types=(kind,)), PartitionSpec("d"))
        before = runs._run.cache_info().hits
        for name, function in often.items():
            (plain,) = pulled_often(function, jnp.asarray(values), 1)
            arrived = pulled_often(function, jax.device_put(values, divided), 3)
            again[f"{name} {kind}"] = [
                len({len(plain), *map(len, arrived)}) == 1,
                all(np.allclose(g, own, rtol=1e-13) for some in arrived for g, own in zip(some, plain, strict=True)),
                all(g.sharding == divided for some in arrived for g in some),
            ]
        found_again.append(runs._run.cache_info().hits >= before + 2 * len(often))

    generator = np.random.default_rng(0)
    inputs, first, second = (generator.normal(size=shape) for shape in ((8, 4), (4, 8), (8, 1)))

    def trained(*placements: Any) -> list[float]:
        batch, *weights = [
            jax.device_put(array, place) for array, place in zip((inputs, first, second), placements, strict=True)
        ]
        losses = []
        for _ in range(3):
            step = ug.value_and_grad(lambda w1, w2: ug.mean((ug.tanh(ug.asarray(batch) @ w1) @ w2) ** 2), (0, 1))
            loss, slopes = step(*weights)
            losses.append(float(loss))
            weights = [w - 0.1 * g for w, g in zip(weights, slopes, strict=True)]
        return losses

    one = jax.devices()[0]
    training = {
        "one": trained(one, one, one),
        "data": trained(rows, whole, whole),
        "tensor": trained(whole, columns, rows),
    }
    print(
        json.dumps(
            {
                "given": given, "history": history, "anywhere": anywhere, "bridged": of_bridge,
                "elsewhere": [*elsewhere_made, loose.copy().raw.committed],
                "gradients": found, "committed": committed, "made": made, "negative": negative, **said,
                "apart": apart, "apart alone": apart_alone, "apart in order": apart_in_order,
                "moved back": {name: bool(found) for name, found in moved_back.items()},
                "training": training, "convolved": convolved, "again": again, "runs": found_again,
                "not a number": not_a_number,
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
