"""The graph: how long it lives, what a failure leaves behind, and that depth is no limit."""

from __future__ import annotations

import gc
import tracemalloc
import weakref

import numpy as np
import pytest

import unigrad as ug
from unigrad.adapters.registry import bound
from unigrad.tape import below
from unigrad.tensor.tensor import GradientBuffer


def leaf(values: object = (1.0, 2.0)) -> ug.Tensor:
    x = ug.asarray(values)
    x.attach_grad()
    return x


@pytest.fixture
def no_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_dropped_graph_is_gone_without_the_collector(no_collector: None) -> None:
    x = leaf()
    with ug.record():
        y = ug.sin(x * 2)
    ghost = weakref.ref(y._node.p1.p1.buffer())
    assert ghost() is not None
    y.backward()
    del x, y
    assert ghost() is None


def test_a_recorded_gradient_makes_no_cycle(no_collector: None) -> None:
    x = leaf()
    with ug.record():
        y = (x * x * x).sum()
    y.backward(create_graph=True)
    assert x.grad._node is not None
    ghost = weakref.ref(x)
    del x, y
    assert ghost() is None


def test_memory_is_constant_over_training_steps() -> None:
    x = leaf(np.zeros(100))
    target = ug.ones(100)

    def step() -> None:
        nonlocal x
        with ug.record():
            loss = ((x - target) ** 2).sum()
        loss.backward()
        x -= 0.1 * x.grad

    for _ in range(50):
        step()
    tracemalloc.start()
    step()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(300):
        step()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 20_000


def test_an_activation_that_no_rule_needs_is_freed_at_once() -> None:
    x = leaf(np.ones(10))
    with ug.record():
        y = x + 1
        ghost = weakref.ref(y._raw)
        z = y + 1
        del y
        assert ghost() is None
    z.backward()
    assert x.grad.tolist() == [1] * 10


def test_depth_is_no_limit() -> None:
    x = leaf()
    with ug.record():
        y = x
        for _ in range(200_000):
            y = y + 1
    y.backward()
    assert x.grad.tolist() == [1, 1]
    with ug.record():
        y = x
        for _ in range(200_000):
            y = y + 1
    del y  # dropping a deep graph does not recurse either


def test_a_failed_backward_changes_no_gradient_and_releases_nothing() -> None:
    x = leaf()
    with ug.record():
        y = x * 3
    before = x.grad.tolist()
    for head_grad, error in (
        (ug.ones(3), ug.ShapeError),
        (ug.ones(2, dtype="float64"), ug.DtypeError),
        (np.ones((1, 2), dtype="float32"), ug.ShapeError),
    ):
        with pytest.raises(error):
            y.backward(head_grad)
        assert x.grad.tolist() == before
    y.backward()
    assert x.grad.tolist() == [3, 3]


def test_a_rule_that_raises_leaves_everything_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = leaf(), leaf()
    with ug.record():
        y = ug.sin(a) + b
    functions = bound[ug.ones(1).backend].raw_functions
    monkeypatch.setattr(functions, "cos", lambda x: (_ for _ in ()).throw(MemoryError("no room")))
    with pytest.raises(MemoryError):
        y.backward()
    assert a.grad.tolist() == b.grad.tolist() == [0, 0]
    monkeypatch.undo()
    y.backward()
    assert b.grad.tolist() == [1, 1]


def test_a_sum_of_gradients_that_fails_changes_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = leaf(), leaf()
    a.attach_grad("add")
    b.attach_grad("add")
    with ug.record():
        y = a * 2 + b * 3
    added, calls = GradientBuffer.sum, []

    def second_fails(buffer: GradientBuffer, grad: ug.Tensor) -> ug.Tensor:
        calls.append(buffer)
        if len(calls) == 2:
            raise MemoryError("no room")
        return added(buffer, grad)

    monkeypatch.setattr(GradientBuffer, "sum", second_fails)
    with pytest.raises(MemoryError):
        y.backward()
    assert a.grad.tolist() == b.grad.tolist() == [0, 0]
    monkeypatch.undo()
    y.backward()
    assert (a.grad.tolist(), b.grad.tolist()) == ([2, 2], [3, 3])


def test_release_is_of_everything_below_the_head_and_nothing_else() -> None:
    x = leaf()
    with ug.record():
        shared = x * 2
        first, second = shared + 1, shared * 3
        other = x * 5
    first.backward()
    with pytest.raises(ug.GraphFreedError, match="retain_graph"):
        second.backward()
    with pytest.raises(ug.GraphFreedError):
        first.backward()
    other.backward()
    assert x.grad.tolist() == [5, 5]


def test_several_heads_run_as_one_pass() -> None:
    x = leaf()
    with ug.record():
        shared = x * 2
        heads = [shared + 1, shared * 3]
    ug.backward(heads, [None, ug.asarray([1.0, 10.0])])
    assert x.grad.tolist() == [2 + 6, 2 + 60]


def test_a_leaf_written_between_recordings_keeps_its_old_value_in_the_old_graph() -> None:
    x = leaf([3.0])
    with ug.record():
        y = x * x
    x[0] = 5.0
    with ug.record():
        z = x * x
    ug.backward([y, z])
    assert x.grad.tolist() == [6 + 10]


def test_gradients_are_not_aliases_of_each_other_or_of_the_head_gradient() -> None:
    a, b = leaf(), leaf()
    seed = ug.asarray([1.0, 2.0])
    with ug.record():
        y = a + b
    y.backward(seed)
    a.grad.raw[0] = 100.0
    assert b.grad.tolist() == seed.tolist() == [1, 2]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "complex64"])
def test_what_pieces_bring_is_added_in_their_places_to_the_last_bit(dtype: str) -> None:
    # A recorded pass adds up arrays as large as x, in the same order.
    rng = np.random.default_rng(0)
    pieces = (slice(None, None, -2), slice(1, 3))
    keys = [0, 2, (..., 1), slice(None, 2), (None, 1), (2, 3), np.array([0, 2, 0]), pieces]
    signs = np.array([0.0, -0.0, -1.7, np.inf, -np.inf, np.nan, 0.3])
    for shape in [(3, 4)] * 20 + [(5,)] * 5:
        chosen = [keys[place] for place in rng.integers(0, len(keys) if len(shape) == 2 else 2, 8)]
        x = ug.asarray(np.ones(shape, "float32")).astype(dtype)
        x.attach_grad()
        grads = []
        for create_graph in (False, True):
            factors = np.random.default_rng(1)
            with ug.record():
                parts = [x[key] for key in chosen]
                weights = [ug.asarray(factors.choice(signs, part.shape), like=part).astype(dtype) for part in parts]
                y = sum((part * weight).sum() for part, weight in zip(parts, weights, strict=True))
                ug.real(y).backward(create_graph=create_graph)
            grads.append(repr(x.grad.tolist()))  # which shows -0.0, and no sign of NaN
        assert grads[0] == grads[1], (chosen, shape)


def test_parents_have_smaller_creation_numbers() -> None:
    x = leaf()
    with ug.record():
        y = ug.sin(x) * ug.cos(x) + ug.stack([x[0], x[1]])
    nodes, _ = below([y._node])
    assert len(nodes) == 8
    for node in nodes:
        for parent in (node.p1, node.p2, *node.more):
            assert parent is None or parent.number < node.number


@pytest.mark.parametrize("unused", ["zeros", "none", "error"])
def test_gradients_of_an_unused_variable(unused: str) -> None:
    x, other = leaf(), leaf()
    with ug.record():
        y = x * 2
    if unused == "error":
        with pytest.raises(ug.ArgumentError, match="variable 1"):
            ug.gradients(y, [x, other], unused=unused)
        return
    first, second = ug.gradients(y, [x, other], unused=unused)
    assert first.tolist() == [2, 2]
    assert second is None if unused == "none" else second.tolist() == [0, 0]
    assert x.grad.tolist() == [0, 0]  # no buffer was written
