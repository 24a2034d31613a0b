"""dask: nothing is computed but where values are asked for, chunks are kept, and values are the native engine's. The
everyday cases are in ``test_conformance.py``."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug

dask = pytest.importorskip("dask", reason="dask is not installed: pip install 'unigrad[dask]'")
da = pytest.importorskip("dask.array", reason="dask.array is not installed: pip install 'unigrad[dask]'")

Program = Callable[[Any], Any]


def refused(*args: Any, **options: Any) -> Any:
    raise AssertionError("it was computed")


@pytest.fixture
def lazily() -> Iterator[None]:
    """A scope in which nothing may be computed."""
    with dask.config.set(scheduler=refused):
        yield


VALUES = np.random.default_rng(0).random((20, 4))
LABELS = np.arange(20) % 4
PLACES = np.array([1, 3, -2, 3])


def chunked() -> ug.Tensor:
    """VALUES in five chunks."""
    return ug.asarray(da.from_array(VALUES, chunks=(4, 4)))


def beside(values: Any, x: Any) -> Any:
    """An array of several chunks where x is one of several."""
    if x.backend.name != "dask":
        return ug.asarray(values, like=x)
    return ug.asarray(da.from_array(values, chunks=2))


def writing(x: Any) -> Any:
    y = x * 1.0
    y[2:5] = 7.0
    y[:, 1] += x[:, 0]
    y[0] = x[1]
    y[::-3, None, ::2] = 0.5
    y *= 2
    return (y * y).sum()


@ug.custom_gradient
def doubled(x: Any) -> Any:
    return x * 2.0, lambda g: g * 3.0


PROGRAMS: dict[str, Program] = {
    "slices": lambda x: (x[3:, ::2] ** 2).sum() + x[..., 1].mean() + x[:, None, 0].sum() + x[::-2][3].sum(),
    "steps": lambda x: (x[1:18:5] * x[2:6]).sum() + (x[-1:0:-4] ** 2).sum(),
    "indices": lambda x: (x[beside(PLACES, x)] ** 2).sum() + x[beside(PLACES, x), beside(LABELS[:4], x)].sum(),
    "known indices": lambda x: (
        (x[PLACES] ** 2).sum() + x[PLACES, 1:][:, ::2].sum() + (x[2, None, [1, 1, 3]] ** 2).sum()
    ),
    "take": lambda x: ug.take(x, beside(PLACES, x), axis=0).sum() + ug.take_along_axis(x, x[:2].argsort(0), 0).sum(),
    "choosing": lambda x: ug.where(x > 0.5, x * x, 0.0).sum() + ug.max(x) + ug.min(x, axis=0).sum(),
    "cross entropy": lambda x: ug.nn.cross_entropy(x, beside(LABELS, x)),
    "softmax": lambda x: (ug.nn.softmax(x, 0) * ug.nn.log_softmax(x, 1)).sum() + ug.nn.logsumexp(x),
    "statistics": lambda x: x.mean() + x.var() + x.std(axis=0).sum() + ug.median(x) + ug.quantile(x, 0.3, axis=0).sum(),
    "order": lambda x: (ug.sort(x, axis=0) * x).sum() + ug.cumulative_sum(x * x, axis=0).sum() + ug.prod(x),
    "matrices": lambda x: ug.linalg.solve(x.T @ x, x.T @ x[:, 0]).sum() + ug.linalg.det(x.T @ x) + ug.linalg.norm(x),
    "decompositions": lambda x: (
        (ug.linalg.qr(x)[1] ** 2).sum() + ug.linalg.svdvals(x).sum() + ug.linalg.cholesky(x.T @ x).sum()
    ),
    "tall": lambda x: abs(ug.linalg.qr(x)[0]).sum() + (abs(ug.linalg.svd(x, full_matrices=False)[0]) ** 3).sum(),
    "fourier": lambda x: abs(ug.fft.fft(x, axis=0)).sum() + ug.fft.irfft(ug.fft.rfft(x, axis=0) ** 2, axis=0).sum(),
    "products": lambda x: ug.einsum("ij,ik->jk", x, x).sum() + ug.tensordot(x, x, 2) + ug.outer(x[:, 0], x[0]).sum(),
    "shapes": lambda x: (
        (x.reshape(-1) * ug.arange(80, like=x)).sum() + ug.concat([x, x * x]).sum() + ug.roll(x, 3, 0)[0].sum()
    ),
    "repeated": lambda x: (ug.tile(x, (2, 1)) ** 2).sum() + ug.pad(x, 1).sum() + ug.repeat(x * x, 2, axis=0).sum(),
    "networks": lambda x: (
        ug.nn.gelu(ug.nn.linear(x, x[:3], x[:3, 0])).sum() + ug.nn.layer_norm(x, x[0], x[1])[:, 0].sum()
    ),
    "convolution": lambda x: (
        ug.nn.conv1d(x[:, None], x[None, :2, :2].reshape(2, 1, 2)).sum() + ug.convolve(x[:, 0], x[:3, 1]).sum()
    ),
    "kinks": lambda x: abs(x - VALUES[0, 0]).sum() + ug.clip(x, 0.2, 0.7).sum() + ug.maximum(x, x[0]).sum(),
    "broadcast": lambda x: (-(x.sum(0) + x[:, :1])).sum() + ug.broadcast_to(x[0], (6, 4)).sum(),
    "writing": writing,
    "checkpoint": lambda x: ug.checkpoint(lambda x: ug.sin(x) * x)(x).sum(),
    "own rule": lambda x: doubled(x * x).sum(),
    "mapped": lambda x: ug.vmap(lambda row: (row * row).sum() + ug.exp(row)[0])(x).sum(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_are_the_native_ones_lie_as_their_variables_and_nothing_is_computed(name: str, lazily: None) -> None:
    program, x = PROGRAMS[name], chunked()
    plain = ug.asarray(VALUES, like=ug.namespace("numpy").zeros(1))
    value, gradient = ug.value_and_grad(program)(x)
    assert gradient.raw.chunks == x.raw.chunks
    x.attach_grad()
    with ug.record():
        y = program(x)
    y.backward()
    assert x.grad.raw.chunks == x.raw.chunks
    pushed = None if name == "own rule" else ug.jvp(program, (x.detach(),), (x.detach().ones_like(),))[1]
    with dask.config.set(scheduler="synchronous"):
        value, gradient, taped, pushed = ug.compute(value, gradient, x.grad, pushed)
    expected = ug.value_and_grad(program)(plain)
    np.testing.assert_allclose(value, expected[0].numpy(), rtol=1e-9)
    np.testing.assert_allclose(gradient, expected[1].numpy(), rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(gradient, taped)
    if pushed is not None:
        np.testing.assert_allclose(pushed, expected[1].numpy().sum(), rtol=1e-8, atol=1e-12)


def test_second_derivatives(lazily: None) -> None:
    x = chunked()
    w = ug.asarray(np.linspace(-1, 1, 4), like=x)
    hessian = ug.hessian(lambda w: ug.exp(x @ w).sum())(w)
    product = ug.hvp(lambda w: ug.exp(x @ w).sum(), (w,), (w,))
    with dask.config.set(scheduler="synchronous"):
        hessian, product, point = ug.compute(hessian, product, w)
    expected = (VALUES.T * np.exp(VALUES @ point)) @ VALUES
    np.testing.assert_allclose(hessian, expected, rtol=1e-12)
    np.testing.assert_allclose(product[0], expected @ point, rtol=1e-12)


# --- values ------------------------------------------------------------------------------------------------------


def test_several_are_computed_at_once_and_what_they_share_once() -> None:
    counted: list[int] = []

    def counting(chunk: Any) -> Any:
        counted.append(len(chunk))
        return chunk + 1

    x = ug.asarray(da.ones(6, chunks=2).map_blocks(counting, meta=np.empty(0)))
    x.attach_grad()
    with ug.record():
        loss = (x * x).sum()
    loss.backward()
    plain = ug.ones(2, like=ug.namespace("numpy").zeros(1))
    found = ug.compute({"loss": loss, "gradient": x.grad}, plain, "text")
    assert counted == [2, 2, 2]
    assert found[0]["loss"] == 24
    assert found[0]["gradient"].tolist() == [4.0] * 6
    assert found[1].tolist() == [1, 1]
    assert found[2] == "text"
    assert ug.compute(loss) == 24
    assert type(ug.compute(x)) is np.ndarray


def test_tensors_are_collections_of_dask() -> None:
    x = chunked()
    assert dask.is_dask_collection(x)
    assert not dask.is_dask_collection(ug.namespace("numpy").zeros(1))
    total, raw = dask.compute(x.sum(), x.raw)
    np.testing.assert_allclose(total, VALUES.sum())
    np.testing.assert_array_equal(raw, VALUES)
    (kept,) = dask.persist(x * 2)
    assert isinstance(kept, ug.Tensor)
    assert kept.raw.chunks == x.raw.chunks
    assert len(kept.raw.__dask_graph__()) == 5
    np.testing.assert_array_equal(kept.numpy(), VALUES * 2)
    assert dask.tokenize.tokenize(x) == dask.tokenize.tokenize(chunked())


def test_printing_computes_nothing_and_asking_does(lazily: None) -> None:
    x = chunked()
    for text in (repr(x), str(x), f"{x}", x._repr_html_()):
        assert "not computed" in text
        assert "chunks" in text
    assert len(repr(ug.asarray(da.ones(10**9, chunks=10**5)))) < 200
    for ask in (bool, float, int, lambda x: x.item(), lambda x: f"{x:.3f}", lambda x: x.numpy(), lambda x: x.tolist()):
        with pytest.raises(AssertionError, match="it was computed"):
            ask(x.sum())
    with dask.config.set(scheduler="synchronous"):
        assert f"{x.sum():.3f}" == f"{VALUES.sum():.3f}"
        assert bool(x.sum() > 0)
        assert x[x > 0.5].shape == (np.count_nonzero(VALUES > 0.5),)  # a shape that depends on values asks for them


def test_a_graph_is_drawn_without_values(lazily: None) -> None:
    x = chunked()
    x.attach_grad()
    with ug.record():
        y = ug.exp(x[:2, :2] * 2).sum()
    assert "exp" in ug.graph(y).svg()


# --- what is refused ---------------------------------------------------------------------------------------------


def test_an_unknown_shape_says_the_way_round() -> None:
    raw = da.from_array(VALUES[:, 0], chunks=5)
    unknown = raw[raw > 0.5]
    with pytest.raises(ug.ShapeError, match=r"compute_chunk_sizes\(\)"):
        ug.asarray(unknown)
    assert ug.asarray(unknown.compute_chunk_sizes()).shape == (np.count_nonzero(VALUES[:, 0] > 0.5),)


def test_chunks_of_another_kind_are_refused() -> None:
    with pytest.raises(ug.DtypeError, match="MaskedArray"):
        ug.asarray(da.ma.masked_array(da.ones(4, chunks=2), mask=[True, False, True, False]))


@pytest.mark.parametrize("name", [row.name for row in ug.available_backends() if row.installed and row.name != "dask"])
def test_no_other_backend_computes_silently(name: str, lazily: None) -> None:
    raw = da.ones(4, chunks=2)
    with ug.use_backend(name):
        other = ug.ones(4)
        assert ug.asarray(raw).backend.name == "dask"
        mixed: list[Callable[[], Any]] = [
            lambda: other + raw,
            lambda: raw + other,
            lambda: other + ug.asarray(raw),
            lambda: ug.asarray(raw, like=other),
        ]
        for mixing in mixed:
            with pytest.raises(ug.BackendMismatchError, match=rf"(?s)dask.*{name}|{name}.*dask"):
                mixing()


def test_moved_where_it_is_asked_for() -> None:
    x = chunked()
    x.attach_grad()
    with ug.record():
        y = (x.to_backend("numpy") ** 2).sum()
    y.backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * VALUES)


def test_what_is_wrong_with_values_is_raised_as_they_are_computed() -> None:
    x = chunked()
    for label in (9, -1):
        labels = beside(np.full(20, label), x)
        for wrong in (
            ug.nn.cross_entropy(x, labels),
            ug.nn.one_hot(labels, 3).sum(),
            ug.nn.embedding(labels, x[:3]).sum(),
            ug.nn.nll_loss(ug.nn.log_softmax(x), labels),
        ):
            with pytest.raises(ug.IndexRangeError, match=f"label {label} is not from 0 to"):
                float(wrong)
    singular = ug.linalg.inv(ug.zeros((2, 2), like=x))
    with pytest.raises(ug.LinAlgError):
        singular.numpy()


def test_what_the_native_engine_refuses_at_once_is_refused_at_once(lazily: None) -> None:
    x = chunked()
    for wrong in (lambda: x @ x, lambda: x[99], lambda: x.reshape(7, 7), lambda: x + ug.ones(3, like=x)):
        with pytest.raises(ug.UnigradError):
            wrong()


# --- graphs ------------------------------------------------------------------------------------------------------


def test_graphs_grow_as_programs_do() -> None:
    """Neither a backward nor a second use writes anything twice."""

    def tasks(length: int) -> int:
        x = ug.asarray(da.ones(40, chunks=4))
        x.attach_grad()
        with ug.record():
            y = x
            for _ in range(length):
                y = ug.tanh(y * x + y)
        y.backward()
        return len(dict(x.grad.raw.__dask_graph__()))

    first, second, third = tasks(10), tasks(20), tasks(30)
    assert third - second == second - first


def test_graphs_do_not_grow_with_elements(lazily: None) -> None:
    """What is put together of shifted parts, again and again, stays in as many chunks as it was."""

    def tasks(size: int) -> int:
        x = ug.asarray(da.ones(5 * size, chunks=size))
        return len(dict(ug.grad(lambda x: ug.cumulative_max(x)[-1])(x).raw.__dask_graph__()))

    assert tasks(400) < 3 * tasks(40)
    joined = ug.concat([chunked(), chunked()[:1], chunked()[1:2]])
    assert joined.raw.chunks[0] == (4, 4, 4, 4, 4, 2)


def test_whatever_needs_a_whole_axis_keeps_chunks_small() -> None:
    with dask.config.set({"array.chunk-size": "8kB"}):
        x = ug.asarray(da.ones((1000, 64), chunks=(16, 64)))
        for found in (ug.sort(x, axis=0), abs(ug.fft.fft(x, axis=0)), ug.cumulative_max(x, axis=0)):
            assert max(found.raw.chunksize[0] * found.raw.chunksize[1], 1) * 8 <= 16_000


def test_a_tall_matrix_is_decomposed_by_its_chunks() -> None:
    x = ug.asarray(da.from_array(np.random.default_rng(1).random((60, 3)), chunks=(10, 3)))
    q, r = ug.linalg.qr(x)
    u, s, vh = ug.linalg.svd(x, full_matrices=False)
    q, r, u, s, vh, values = ug.compute(q, r, u, s, vh, x)
    np.testing.assert_allclose(q @ r, values, rtol=1e-12)
    np.testing.assert_allclose((u * s) @ vh, values, rtol=1e-12)
    np.testing.assert_allclose(q.T @ q, np.eye(3), atol=1e-12)


# --- two processes -----------------------------------------------------------------------------------------------


@pytest.fixture
def client() -> Iterator[Any]:
    distributed = pytest.importorskip(
        "distributed", reason="dask.distributed is not installed: pip install distributed"
    )
    settings = {"distributed.scheduler.allowed-failures": 0, "distributed.comm.timeouts.connect": "60s"}
    with (
        warnings.catch_warnings(),
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster, timeout=60) as client,
    ):
        yield client


def ending(chunk: Any) -> Any:
    """Ends the process that computes it."""
    os._exit(1)


def test_two_processes(client: Any) -> None:
    x = chunked()
    w = ug.asarray(np.full(4, 0.1), like=x)
    futures = client.compute(list(ug.value_and_grad(lambda w: ug.nn.softplus(x @ w).mean())(w)))
    loss, gradient = [future.result(timeout=120) for future in futures]
    z = VALUES @ np.full(4, 0.1)
    np.testing.assert_allclose(loss, np.log1p(np.exp(z)).mean(), rtol=1e-12)
    np.testing.assert_allclose(gradient, VALUES.T @ (1 / (1 + np.exp(-z))) / 20, rtol=1e-12)
    # The processes that do the work are others.
    where = client.compute(x.raw.map_blocks(lambda chunk: np.full(chunk.shape, os.getpid())))
    assert os.getpid() not in where.result(timeout=60)
    lost = ug.asarray(x.raw.map_blocks(ending, meta=np.empty((0, 0)))).sum()
    error = client.compute(lost.raw).exception(timeout=120)
    assert type(error).__name__ == "KilledWorker"
