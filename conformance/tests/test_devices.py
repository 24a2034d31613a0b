"""Where an array lives is kept: by stand-ins for GPUs that every machine has. On a GPU ``test_gpu.py`` does the same.

PyTorch's device ``meta`` has arrays without values, and refuses beside them what lies elsewhere; JAX's virtual
devices are in ``test_sharded.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import unigrad as ug


@pytest.fixture
def x() -> ug.Tensor:
    """An array that is not on the host."""
    torch = pytest.importorskip("torch")
    return ug.asarray(torch.ones((4, 3), device="meta"))


def assigned(x: ug.Tensor) -> ug.Tensor:
    y = x * 1
    y[0] = 2.0
    return (y * x).sum()


LOSSES: dict[str, Callable[[ug.Tensor], Any]] = {
    "numbers": lambda x: (x * 2 + 1 - x**3).sum(),
    "lists": lambda x: (x * [1.0, 2.0, 3.0]).sum(),
    "where": lambda x: ug.where(x > 0, x * x, 0.0).sum(),
    "labels": lambda x: ug.nn.cross_entropy(x, [0, 1, 2, 0]),
    "take": lambda x: (ug.take(x, [0, 2], axis=0) ** 2).sum(),
    "index": lambda x: (x[1:3] * x[0]).sum(),
    "assigned": assigned,
    "dropout": lambda x: ug.nn.dropout(x, 0.5).sum(),
    "layers": lambda x: (ug.nn.layer_norm(x, axis=-1) * ug.nn.softmax(ug.nn.gelu(x))).sum(),
    "sorted": lambda x: (ug.sort(x) * ug.cumulative_sum(x, axis=0)).sum(),
    "checkpoint": lambda x: ug.checkpoint(lambda x: ug.exp(x) * x)(x).sum(),
    "made beside": lambda x: (x @ ug.eye(3, like=x) + ug.arange(3.0, like=x)).sum(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_seeds_constants_and_gradients_follow(x: ug.Tensor, name: str) -> None:
    loss = LOSSES[name]
    x.attach_grad()
    assert x.grad.device == "meta"
    with ug.record(train_mode=True):
        y = loss(x)
    y.backward()
    assert (y.device, x.grad.device, x.grad.shape) == ("meta", "meta", (4, 3))
    value, tangent = ug.jvp(loss, (x,), (ug.ones_like(x),))
    assert (value.device, tangent.device) == ("meta", "meta")
    assert ug.grad(lambda x: (ug.grad(loss)(x) * x).sum(), unused="zeros")(x).device == "meta"


def test_arrays_in_two_places_are_both_named(x: ug.Tensor) -> None:
    with ug.use_backend("torch"):
        here = ug.ones((4, 3))
    for meet in (lambda: x + here, lambda: ug.maximum(here, x), lambda: ug.where(here > 0, x, here)):
        with pytest.raises(ug.OperationError, match=r"arrays on (meta and on cpu|cpu and on meta) met"):
            meet()


READING: dict[str, Callable[[ug.Tensor, ug.Tensor], Any]] = {
    "insert": lambda x, n: ug.insert(x, n, 1.0, axis=1),
    "delete": lambda x, n: ug.delete(x, n, axis=1),
    "repeat": lambda x, n: ug.repeat(x, n, axis=1),
    "compress": lambda x, n: ug.compress(n, x, axis=1),
    "extract": lambda x, n: ug.extract(n > 0, x[0]),
    "getitem": lambda x, n: x[:, n],
    "quantile": lambda x, n: ug.quantile(x, n * 0.25),
    "histogram": lambda x, n: ug.histogram(x, n * 1.0),
    "histogramdd": lambda x, n: ug.histogramdd(x, 2, weights=ug.ones(4, like=n * 1.0)),
    "bincount": lambda x, n: ug.bincount(n, x[0]),
    "intersect1d": lambda x, n: ug.intersect1d(x[0], n),
    "head_grad": lambda x, n: ug.vjp(lambda x: x[0] * 2, x)[1](n * 1.0),
}


@pytest.mark.parametrize("name", READING)
def test_what_is_read_by_value_must_lie_there_too(x: ug.Tensor, name: str) -> None:
    with ug.use_backend("torch"):
        n = ug.asarray([0, 1, 2])
    with pytest.raises(ug.OperationError, match=r"arrays on (meta and on cpu|cpu and on meta) met"):
        READING[name](x, n)


def test_an_unknown_device_names_those_that_there_are() -> None:
    pytest.importorskip("torch")
    with ug.use_backend("torch"), pytest.raises(ug.ArgumentError, match="no device 'cuda:7'; it has cpu"):
        ug.ones(3, device="cuda:7")
