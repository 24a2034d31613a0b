"""Shapes, axes, keys and dtypes against NumPy's, for any input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import unigrad as ug
from unigrad.base import dtypes
from unigrad.base.arguments import broadcast_shapes, fill_shape, many_axes
from unigrad.operations.indexing import canonical_key

shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


@given(st.lists(shapes, min_size=1, max_size=3))
def test_broadcast_shapes(found: list[tuple[int, ...]]) -> None:
    try:
        expected = np.broadcast_shapes(*found)
    except ValueError:
        with pytest.raises(ug.ShapeError) as raised:
            broadcast_shapes(found)
        assert all(str(shape) in str(raised.value) for shape in found)
    else:
        assert broadcast_shapes(found) == expected


@given(shapes, st.lists(st.integers(-1, 6), max_size=4).map(tuple))
def test_reshape_targets(old: tuple[int, ...], new: tuple[int, ...]) -> None:
    array = np.zeros(old)
    try:
        expected = array.reshape(new).shape
    except ValueError:
        with pytest.raises(ug.ShapeError):
            fill_shape(new, array.size, old)
    else:
        assert fill_shape(new, array.size, old) == expected


@given(st.integers(1, 4), st.one_of(st.none(), st.integers(-6, 6), st.lists(st.integers(-6, 6), max_size=3)))
def test_axes(ndim: int, axis: object) -> None:
    array = np.zeros((1,) * ndim)
    try:
        array.sum(axis=tuple(axis) if isinstance(axis, list) else axis)
    except (ValueError, IndexError):
        with pytest.raises(ug.AxisError):
            many_axes(axis, ndim)
    else:
        axes = many_axes(axis, ndim)
        assert axes == tuple(sorted(axes))
        assert all(0 <= number < ndim for number in axes)


@settings(max_examples=300)
@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
def test_keys_select_what_numpy_selects(data: st.DataObject, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype("float64")
    key = data.draw(
        st.one_of(
            hnp.basic_indices(shape, allow_newaxis=True),
            hnp.integer_array_indices(shape),
            hnp.arrays(bool, shape),
        )
    )
    expected = array[key]
    canonical, _ = canonical_key(key, shape)
    assert np.array_equal(array[canonical], expected)
    assert np.array_equal(ug.asarray(array)[key].numpy(), expected)
    for entry in canonical:
        if isinstance(entry, (int, np.ndarray)):
            assert np.all(np.asarray(entry) >= 0)


@given(st.data(), hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4))
def test_assignment_is_numpys(data: st.DataObject, shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape).astype("float64")
    key = data.draw(st.one_of(hnp.basic_indices(shape), hnp.integer_array_indices(shape), hnp.arrays(bool, shape)))
    value = data.draw(st.sampled_from([-1.0, np.arange(array[key].size).reshape(array[key].shape) - 50.0]))
    x = ug.asarray(array.copy())
    x[key] = value
    array[key] = value
    assert np.array_equal(x.numpy(), array)


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (3, ug.IndexRangeError),
        (-4, ug.IndexRangeError),
        ((0, 0, 0), ug.IndexRangeError),
        ([0, 3], ug.IndexRangeError),
        (np.array([True]), ug.IndexRangeError),
        ("a", ug.DtypeError),
        (1.5, ug.DtypeError),
        ((..., ...), ug.ArgumentError),
        (slice(None, None, 0), ug.ArgumentError),
        (([0, 1], [0, 1, 1]), ug.ShapeError),
    ],
)
def test_bad_keys(key: object, error: type[Exception]) -> None:
    x = ug.ones((3, 2))
    with pytest.raises(error):
        x[key]
    with pytest.raises(error):
        x[key] = 0


REAL = [dtype for dtype in dtypes.ALL if dtype.kind != "c"]


@given(st.sampled_from(dtypes.ALL), st.sampled_from(dtypes.ALL))
def test_promotion(first: dtypes.DType, second: dtypes.DType) -> None:
    try:
        found = dtypes.promote(first, second)
    except ug.DtypeError:
        assert {first.kind, second.kind} == {"i", "u"}
        assert "uint64" in {str(first), str(second)}
        return
    assert found == dtypes.promote(second, first)
    if dtypes.kind(first) == dtypes.kind(second):
        assert found == np.promote_types(first, second)
    elif {first.kind, second.kind} <= {"f", "i", "u", "b"}:
        assert found == (first if dtypes.kind(first) > dtypes.kind(second) else second)


@pytest.mark.parametrize("dtype", REAL, ids=str)
@pytest.mark.parametrize("scalar", [True, 2, 2.5])
def test_python_scalars_are_weak(dtype: dtypes.DType, scalar: float) -> None:
    expected = dtypes.promote_scalar(dtype, scalar)
    array = ug.ones(2, dtype=dtype)
    assert (array * scalar).dtype == (scalar * array).dtype == expected
    assert (array / scalar).dtype == dtypes.to_float(expected)


@pytest.mark.parametrize(
    ("subscripts", "shapes_"),
    [
        ("ij,jk->ik", [(2, 3), (3, 4)]),
        ("ij,jk", [(2, 3), (3, 4)]),
        ("ii", [(3, 3)]),
        ("ii->i", [(3, 3)]),
        ("ij->ji", [(2, 3)]),
        ("ij->", [(2, 3)]),
        ("i,i,i->i", [(3,), (3,), (3,)]),
        ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)]),
        ("i...,i->...", [(3, 2, 2), (3,)]),
        ("bij,bj->bi", [(2, 3, 4), (2, 4)]),
        ("ij,kl->", [(2, 3), (4, 2)]),
        ("iij,jk->ik", [(2, 2, 3), (3, 4)]),
        ("ij,ij->ij", [(1, 3), (2, 3)]),
    ],
)
def test_einsum_is_numpys(subscripts: str, shapes_: list[tuple[int, ...]]) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in shapes_]
    tensors = [ug.asarray(array) for array in arrays]
    for tensor in tensors:
        tensor.attach_grad()
    with ug.record():
        y = ug.einsum(subscripts, *tensors)
    expected = np.einsum(subscripts, *arrays)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-13, atol=1e-13)
    seed = rng.normal(size=expected.shape)
    y.backward(ug.asarray(seed))
    # The function is linear in each operand: its gradient is found by unit vectors, exactly.
    for position, (array, tensor) in enumerate(zip(arrays, tensors, strict=True)):
        for index in np.ndindex(array.shape):
            unit = np.zeros_like(array)
            unit[index] = 1
            changed = [unit if other == position else value for other, value in enumerate(arrays)]
            slope = float(np.sum(seed * np.einsum(subscripts, *changed)))
            assert abs(float(tensor.grad[index]) - slope) < 1e-12


@pytest.mark.parametrize("subscripts", ["ij,jk->iz", "ij->ijj", "i,j", "ij,jk->ik->", "i1,1j"])
def test_bad_einsum(subscripts: str) -> None:
    with pytest.raises((ug.ArgumentError, ug.ShapeError), match="einsum"):
        ug.einsum(subscripts, ug.ones((2, 3)))


@pytest.mark.parametrize(
    ("call", "arguments"),
    [(name, (1,)) for name in ("sum", "mean", "max", "argmax", "cumsum", "sort", "std", "flip", "median", "logsumexp")]
    + [(name, (1,)) for name in ("nn.softmax", "tril", "trace", "linalg.diagonal", "fft.fftshift", "unstack")]
    + [("take", ([0, 1], 1)), ("roll", (1, 0)), ("repeat", (2, 0)), ("quantile", (0.5, 0)), ("top_k", (2, 0))],
)
def test_what_numpy_takes_by_position(call: str, arguments: tuple[object, ...]) -> None:
    function = ug
    for part in call.split("."):
        function = getattr(function, part)
    x = ug.asarray([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    last = {"tril": "k", "trace": "offset", "linalg.diagonal": "offset", "fft.fftshift": "axes"}.get(call, "axis")
    by_name = function(x, *arguments[:-1], **{last: arguments[-1]})
    by_position = function(x, *arguments)
    if isinstance(by_name, ug.Tensor):
        by_position, by_name = [by_position], [by_name]
    assert [found.tolist() for found in by_position] == [found.tolist() for found in by_name]


def test_lists_and_dtypes_by_position() -> None:
    x = ug.ones((2, 3))
    assert ug.concat([x, x], 1).shape == (2, 6)
    assert ug.stack([x, x], 2).shape == (2, 3, 2)
    assert ug.zeros((2,), "float64").dtype == ug.float64
    assert ug.full((2,), 1, ug.float16).dtype == ug.float16
    for forgotten in (lambda: ug.concat(x, x), lambda: ug.stack(x, x), lambda: ug.max(x, x)):
        with pytest.raises(ug.AxisError, match=r"not an array; .* one list .* maximum\(x, y\)"):
            forgotten()
