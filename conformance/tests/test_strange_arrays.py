"""Arrays of frameworks that are not what most are: each works, or raises ours where it becomes a Tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import unigrad as ug


def square(x: Any) -> Any:
    return (x * x).sum()


# --- variables --------------------------------------------------------------------------------------------------


@pytest.fixture(params=["tensorflow", "jax"])
def variable(request: pytest.FixtureRequest) -> Any:
    """A framework's variable that holds 1 and 2, and the name of its backend."""
    if request.param == "tensorflow":
        tf = pytest.importorskip("tensorflow")
        return tf.Variable([1.0, 2.0]), "tensorflow"
    jax = pytest.importorskip("jax")
    if not hasattr(jax, "Ref"):
        pytest.skip("this JAX has no Refs")
    return jax.new_ref(jax.numpy.asarray([1.0, 2.0])), "jax"


def test_a_variable_is_the_array_that_it_holds(variable: Any) -> None:
    held, name = variable
    x = ug.asarray(held)
    assert (x.backend.name, x.tolist(), repr(x)) == (name, [1, 2], f"Tensor([1., 2.], dtype=float32, backend={name!r})")
    assert ug.sin(held).backend.name == name
    assert (x + held).tolist() == [2, 4]
    assert ug.asarray([held, held], like=x).tolist() == [[1, 2], [1, 2]]
    value, gradient = ug.value_and_grad(square)(held)
    for found, right in ((value, 5), (gradient, [2, 4])):
        assert ug.asarray(found).backend.name == name
        assert ug.asarray(found).tolist() == right
    assert not isinstance(gradient, ug.Tensor)


def test_a_variable_inside_what_is_differentiated_is_a_constant(variable: Any) -> None:
    held, name = variable
    with ug.use_backend(name):
        x = ug.asarray([3.0, 4.0])
    assert ug.grad(lambda y: (y * held).sum())(x).tolist() == [1, 2]


def test_tensorflow_left_of_a_tensor_leaves_the_operation_to_it() -> None:
    tf = pytest.importorskip("tensorflow")
    with ug.use_backend("tensorflow"):
        x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    for left in (tf.Variable([3.0, 4.0]), tf.constant([3.0, 4.0])):
        for recording in (False, True):
            with ug.record() if recording else ug.pause():
                found = [left + x, left - x, left * x, left / x, left**x, left @ x]
            assert all(isinstance(y, ug.Tensor) for y in found)
            assert [y.tolist() for y in found[:3]] == [[4, 6], [2, 2], [3, 8]]
        found[2].backward()
        assert x.grad.tolist() == [3, 4]
    for function in (
        tf.sin,
        tf.convert_to_tensor,
        lambda x: tf.constant([1.0]) * x.to_backend("numpy"),
        lambda x: tf.constant([1.0]) < x,
    ):
        with pytest.raises(ug.DtypeError, match=r"x\.raw"):
            function(x)


# --- PyTorch ----------------------------------------------------------------------------------------------------


def strange() -> list[Any]:
    torch = pytest.importorskip("torch")
    eye = torch.eye(2)
    rows = [torch.ones(2), torch.ones(3)]
    return [
        eye.to_sparse(), eye.to_sparse_csr(), eye.to_mkldnn(), torch.nested.nested_tensor(rows),
        torch.nested.nested_tensor(rows, layout=torch.jagged), torch.quantize_per_tensor(eye, 0.1, 0, torch.qint8),
    ]  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_arrays_of_other_layouts_are_refused_where_they_come_in() -> None:
    ways = ("to_dense()", "to_padded_tensor(", "dequantize()")
    for raw in strange():
        for use in (ug.asarray, ug.sin, lambda raw: ug.grad(square)(raw), lambda raw: ug.ones(2) * raw):
            with pytest.raises(ug.UnigradError) as caught:
                use(raw)
            assert any(way in str(caught.value) for way in ways) or isinstance(caught.value, ug.BackendMismatchError)


def test_meta_arrays_have_shapes_and_no_values() -> None:
    torch = pytest.importorskip("torch")
    x = ug.asarray(torch.ones(2, 3, device="meta"))
    y = ug.sum(ug.exp(x) * 2 + x @ x.T @ x, axis=0)
    assert (y.shape, y.dtype, y.device) == ((3,), ug.float32, "meta")
    for text in (repr(y), str(y), f"{y}", f"{y.sum():.2f}", y._repr_html_()):
        assert "without values" in text
    assert "(3,)" in repr(y)
    gradient = ug.grad(square)(x)
    assert (gradient.shape, gradient.device) == ((2, 3), "meta")
    for ask in (float, bool, ug.Tensor.tolist, ug.Tensor.numpy):
        with pytest.raises(ug.UnsupportedError, match="no values"):
            ask(y.sum())


def test_default_dtype_and_device_of_pytorch_change_nothing() -> None:
    torch = pytest.importorskip("torch")
    try:
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        with ug.use_backend("torch"):
            x = ug.asarray([1.0, 2.0])
            x.attach_grad()
            with ug.record():
                y = (ug.exp(x) * ug.ones(2) / 3 + 2.5 * ug.arange(2.0) + ug.random.uniform(size=2)).sum()
            y.backward()
            assert (x.dtype, y.dtype, x.grad.dtype, y.device) == (ug.float32, ug.float32, ug.float32, "cpu")
            np.testing.assert_allclose(x.grad.numpy(), np.exp([1, 2]) / 3, rtol=1e-6)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)


# --- TensorFlow, MXNet, JAX and SciPy -----------------------------------------------------------------------------


def _tensorflow() -> list[tuple[Any, str]]:
    tf = pytest.importorskip("tensorflow")
    row = tf.IndexedSlices(tf.ones((1, 2)), tf.constant([0]))
    return [
        (tf.sparse.eye(2), "tf.sparse.to_dense(raw)"),
        (tf.ragged.constant([[1.0], [1.0, 2.0]]), "raw.to_tensor()"),
        (row, "tf.convert_to_tensor(raw)"),
    ]


def _mxnet() -> list[tuple[Any, str]]:
    try:
        with ug.use_backend("mxnet"):
            ug.ones(1)  # MXNet itself cannot be imported beside NumPy 2
    except ug.BackendError as error:
        pytest.skip(str(error))
    import mxnet as mx

    found = [(mx.nd.sparse.zeros(kind, (2, 2)), "raw.tostype('default')") for kind in ("csr", "row_sparse")]
    return [*found, (mx.gluon.Parameter("w", shape=(2,)), "raw.data()")]


def _jax() -> list[tuple[Any, str]]:
    pytest.importorskip("jax")
    from jax.experimental import sparse

    return [(sparse.BCOO.fromdense(np.eye(2)), "x.todense()")]


def _numpy() -> list[tuple[Any, str]]:
    sparse = pytest.importorskip("scipy.sparse")
    return [(sparse.eye_array(2), "x.todense()"), (sparse.csr_matrix(np.eye(2)), "x.todense()")]


@pytest.mark.parametrize("backend", ["numpy", "tensorflow", "mxnet", "jax"])
def test_what_is_no_plain_array_says_how_it_becomes_one(backend: str) -> None:
    """Before anything goes through its elements, which for some never ends."""
    found = globals()[f"_{backend}"]()
    with ug.use_backend(backend):
        x = ug.ones((2, 2))
        for raw, way in found:
            for use in (ug.asarray, ug.sin, ug.grad(square), lambda raw: x * raw):
                with pytest.raises(ug.UnigradError) as caught:
                    use(raw)
                assert way in str(caught.value)


def test_mxnets_older_arrays_are_arrays() -> None:
    _mxnet()
    import mxnet as mx

    held = mx.nd.array([1.0, 2.0])
    x = ug.asarray(held)
    assert (x.backend.name, x.tolist()) == ("mxnet", [1, 2])
    held[:] = 3.0
    assert x.tolist() == [3, 3]
    assert (x * held).tolist() == [9, 9]
    assert ug.asarray(ug.grad(square)(held)).tolist() == [6, 6]


# --- NumPy's relatives ------------------------------------------------------------------------------------------


class Lazy:
    """What dask's arrays have, as far as it is asked."""

    dtype = np.dtype("float32")
    shape = (2,)

    def __dask_graph__(self) -> dict[str, Any]:
        return {}

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise AssertionError("it was computed")


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_what_would_become_something_else_is_refused(backend: str) -> None:
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with ug.use_backend(backend):
        x = ug.ones(2)
        for obj, way in ((masked, r"x\.filled"), (Lazy(), r"x\.compute\(\)")):
            for use in (ug.asarray, lambda obj: ug.asarray(obj, copy=False), lambda obj: x * obj, ug.sin):
                with pytest.raises(ug.ArgumentError, match=way):
                    use(obj)
        assert ug.asarray(np.ma.masked_array([1.0, 2.0])).tolist() == [1, 2]
        assert ug.asarray(np.asmatrix([[1.0, 2.0]])).shape == (1, 2)
        matrix, unmasked = np.asmatrix([[1.0, 2.0], [3.0, 4.0]]), np.ma.masked_array([1.0, 0.0])
        for copy in (None, False):  # theirs multiply as matrices, and mask what is not finite
            x, y = ug.asarray(matrix, copy=copy), ug.asarray(unmasked, copy=copy)
            assert (x * x).tolist() == [[1, 4], [9, 16]]
            assert (1 / y).tolist() == [1, np.inf]
