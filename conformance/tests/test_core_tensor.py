"""The Tensor as a value and as a citizen of Python."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import unigrad as ug


def test_repr_names_values_dtype_and_backend() -> None:
    assert repr(ug.asarray([1.0, 2.0])) == "Tensor([1., 2.], dtype=float32, backend='numpy')"
    assert repr(ug.zeros((0, 3))) == "Tensor([], shape=(0, 3), dtype=float32, backend='numpy')"
    assert repr(ug.zeros(0)) == "Tensor([], dtype=float32, backend='numpy')"
    assert f"{ug.asarray(1.5):.2f}" == "1.50"


@pytest.mark.parametrize("request_", ["write", "add"])
def test_a_variable_comes_back_from_pickle_as_one(request_: str) -> None:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad(request_)
    with ug.record():
        y = (x * x).sum()
    y.backward()
    back = pickle.loads(pickle.dumps(x))
    assert back.grad.tolist() == [2, 4]
    with ug.record():
        y = (back * 3.0).sum()
    y.backward()
    assert back.grad.tolist() == ([3, 3] if request_ == "write" else [5, 7])
    assert x.grad.tolist() == [2, 4]


def test_pickle_and_copy() -> None:
    x = ug.asarray([1.0, 2.0], dtype="float64")
    x.attach_grad("add")
    twin = pickle.loads(pickle.dumps(x))
    assert twin.tolist() == [1, 2]
    assert twin.dtype == ug.float64
    deep = copy.deepcopy(x)
    deep[0] = 5.0
    assert x.tolist() == [1, 2]
    assert deep.grad.tolist() == [0, 0]


def test_a_deep_copy_cuts_nothing() -> None:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        y = x * 2
        with pytest.raises(ug.UnsupportedError, match="detach"):
            copy.deepcopy(y)
        z = copy.copy(y) + copy.deepcopy(y.detach())
        twin = copy.deepcopy(x)  # a variable's is a variable of its own
        w = z * twin
    w.backward()
    assert x.grad.tolist() == [2, 2]
    assert twin.grad.tolist() == [4, 4]
    assert copy.deepcopy(y).tolist() == [2, 2]


def test_slices_are_values() -> None:
    x = ug.arange(4.0)
    y = x[1:3]
    y[0] = 10.0
    y.raw[1] = 20.0
    assert x.tolist() == [0, 1, 2, 3]


def test_python_protocols() -> None:
    x = ug.asarray([1, 2, 3])
    assert len(x) == 3
    assert [int(value) for value in x] == [1, 2, 3]
    assert sum(x).item() == 6
    assert 2 in x
    assert [10, 20, 30][x[1]] == 30
    assert bool(ug.asarray(1.0))
    assert float(ug.asarray([[2.5]])) == 2.5
    assert (x == None) is False  # noqa: E711
    assert {x: 1}[x] == 1
    with pytest.raises(ug.ShapeError):
        bool(x)
    with pytest.raises(TypeError):
        len(ug.asarray(1.0))
    with pytest.raises(TypeError):
        [1][ug.asarray(0.0)]


def test_writes_to_a_leaf() -> None:
    x = ug.ones(3)
    x.attach_grad()
    x[0] = 4.0
    x += 1
    assert x.tolist() == [5, 2, 2]
    assert x.grad.tolist() == [0, 0, 0]
    with ug.record():
        for write in (lambda: x.__setitem__(0, 1.0), lambda: x.__iadd__(1), lambda: x.__imul__(2)):
            with pytest.raises(ug.LeafWriteError, match="pause"):
                write()
        with ug.pause():
            x *= 2
        y = x * x
    assert x.tolist() == [10, 4, 4]
    y.backward()
    assert x.grad.tolist() == [20, 8, 8]


def test_writes_to_an_intermediate_are_differentiable() -> None:
    x, v = ug.ones(3), ug.asarray(2.0)
    x.attach_grad()
    v.attach_grad()
    with ug.record():
        y = x * 3
        y[1] = v * v
        y += x
        z = (y * y).sum()
    z.backward()
    assert x.grad.tolist() == [32, 10, 32]
    assert v.grad.item() == 40


def test_in_place_refuses_what_it_cannot_hold() -> None:
    x = ug.ones(3)
    with pytest.raises(ug.ShapeError):
        x += ug.ones((2, 3))
    n = ug.arange(3)
    with pytest.raises(ug.DtypeError):
        n += 0.5
    assert n.tolist() == [0, 1, 2]


def test_numpy_conversion_copies_and_asarray_is_read_only() -> None:
    x = ug.arange(3.0)
    values = x.numpy()
    values[0] = 9
    assert x.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        np.asarray(x)[0] = 1
    x.attach_grad()
    with ug.record():
        y = x * 2
        with pytest.raises(ug.UnsupportedError, match="detach"):
            np.asarray(y)


def test_numpy_operands_on_either_side() -> None:
    x = ug.arange(3.0)
    assert type(np.float32(2) * x) is type(x)
    assert (np.ones(3, dtype="float32") + x).tolist() == [1, 2, 3]
    assert (x * np.float64(2)).dtype == ug.float64


@pytest.mark.parametrize("obj", [object(), "abc", [1, [2, 3]], ["a"], {1: 2}])
def test_what_is_no_array(obj: object) -> None:
    with pytest.raises((ug.ArgumentError, ug.DtypeError)):
        ug.asarray(obj)


def test_defaults() -> None:
    assert ug.asarray([1.0]).dtype == ug.zeros(2).dtype == ug.linspace(0, 1, 3).dtype == ug.float32
    assert ug.asarray([1]).dtype == ug.arange(3).dtype == ug.int64
    assert ug.asarray(True).dtype == ug.bool
    assert ug.asarray(np.ones(1)).dtype == ug.float64
    assert ug.ones(2, dtype=float).dtype == ug.float32


def test_a_dtype_that_is_equal_but_another_object() -> None:
    other = np.dtype("float32", metadata={"unit": "m"})
    assert other is not np.dtype("float32")
    x = ug.asarray(np.ones(2, dtype=other))
    x.attach_grad()
    with ug.record():
        y = x * ug.ones(2) + np.ones(2, dtype=other)
    y.backward()
    assert x.grad.dtype == ug.float32


def test_numbers_in_the_other_order_of_bytes_come_in_as_the_same_numbers() -> None:
    swapped = np.asarray([1.0, 2.5], dtype=np.dtype("float32").newbyteorder())
    x = ug.asarray(swapped)
    assert x.raw.dtype.isnative
    assert x.tolist() == [1.0, 2.5]
    assert x.dtype == ug.float32
    assert ug.ones(2, dtype=swapped.dtype).raw.dtype.isnative
    assert (x + swapped).tolist() == [2.0, 5.0]
    with pytest.raises(ug.DtypeError, match="convert"):
        ug.asarray(swapped, copy=False)
