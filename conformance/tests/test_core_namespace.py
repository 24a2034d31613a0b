"""The namespaces of the Array API standard: what its own suite does not ask, on every backend that is installed."""

from __future__ import annotations

import array
import inspect

import numpy as np
import pytest

import unigrad as ug
from unigrad.ecosystem import forms, names, protocols
from unigrad.table import OPERATIONS

BACKENDS = [row.name for row in ug.available_backends() if row.installed]


@pytest.fixture(params=BACKENDS)
def xp(request: pytest.FixtureRequest) -> ug.namespaces.Namespace:
    return ug.namespace(request.param)


def test_new_arrays_are_made_there_whatever_is_current(xp: ug.namespaces.Namespace) -> None:
    name = xp.ones(1).backend.name
    assert xp is ug.namespace(name) is xp.ones(1).__array_namespace__()
    other = next((one for one in BACKENDS if one != name), None)
    if other is None:
        pytest.skip("no other backend is installed")
    with ug.use_backend(other):
        for made in (xp.asarray([1, 2]), xp.zeros(2), xp.arange(3), xp.eye(2), xp.add(1, 2), xp.stack([[1], [2]]),
                     xp.concatenate([[1.0], [2.0]]), xp.linalg.norm([3.0, 4.0]), xp.nn.relu([1.0, -1.0]),
                     xp.random.normal(size=2, seed=1), xp.from_dlpack(np.ones(2))):  # fmt: skip
            assert made.backend.name == name
        assert ug.get_backend() == other
    assert type(xp.sum(ug.namespace(other).ones(2))) is type(ug.namespace(other).ones(2))


def test_versions(xp: ug.namespaces.Namespace) -> None:
    x = xp.ones(1)
    assert x.__array_namespace__(api_version="2025.12").__array_api_version__ == "2025.12"
    with pytest.raises(ug.ArgumentError, match=r"2031\.12"):
        x.__array_namespace__(api_version="2031.12")


def test_names_of_the_namespace_are_those_of_unigrad(xp: ug.namespaces.Namespace) -> None:
    for name in ("result_type", "finfo", "iinfo", "isdtype", "can_cast", "from_dlpack", "concatenate", "pow", "pi"):
        assert hasattr(xp, name)
        assert hasattr(ug, name)
    assert inspect.signature(xp.asarray) == inspect.signature(ug.asarray)
    assert xp.linalg.__name__.endswith(".linalg")
    assert xp.newaxis is None
    public = {id(function) for function in OPERATIONS.values()}
    names = [name for name in ug.__all__ if id(getattr(ug, name)) in public]
    assert {"arccos", "degrees", "concat"} <= set(names)
    # SciPy takes one that is there for NumPy's, which changes its argument.
    assert [name for name in names if not hasattr(xp, name)] == ["put_along_axis"]


def test_inspection_is_honest(xp: ug.namespaces.Namespace) -> None:
    info = xp.__array_namespace_info__()
    assert info.default_device() == info.devices()[0]
    found = info.dtypes()
    for dtype in ("bool", "int16", "uint32", "float64", "complex64"):
        assert (dtype in found) is hasattr(xp, dtype)
        if dtype in found:
            assert xp.zeros(1, dtype=found[dtype]).dtype == dtype
        else:
            with pytest.raises(AttributeError, match=dtype):
                getattr(xp, dtype)
            with pytest.raises(ug.UnsupportedError, match=dtype):
                xp.zeros(1, dtype=dtype)
    assert set(info.dtypes(kind="real floating")) == {"float32", "float64"}
    assert set(info.dtypes(kind=("bool", "real floating"))) == {"bool", "float32", "float64"}
    assert info.default_dtypes()["real floating"] == ug.float32
    with pytest.raises(ug.ArgumentError, match="kind"):
        info.dtypes(kind="imaginary")
    with pytest.raises(ug.ArgumentError, match="device"):
        info.default_dtypes(device="abacus:0")


def test_dlpack_both_ways(xp: ug.namespaces.Namespace) -> None:
    for dtype in ("float32", "int64", "bool"):
        x = xp.asarray([[1, 0], [1, 1]], dtype=dtype)
        assert np.array_equal(np.from_dlpack(x), x.numpy())
        for source in (x, x.numpy(), x.numpy()[:, ::-1], x.to_backend("numpy")):
            made = xp.from_dlpack(source)
            assert made.backend.name == x.backend.name
            assert made.dtype == dtype
            assert made.tolist() == np.asarray(source).tolist()
    empty = xp.zeros((0, 3))
    assert np.from_dlpack(empty).shape == xp.from_dlpack(np.zeros((0, 3))).shape == (0, 3)
    assert np.from_dlpack(xp.asarray(2.0)).shape == xp.from_dlpack(xp.asarray(2.0)).shape == ()
    kind, number = x.__dlpack_device__()
    assert (type(kind), type(number)) == (int, int)


def test_copies_through_dlpack_alias_nothing(xp: ug.namespaces.Namespace) -> None:
    # Aligned, so that every framework could share it.
    memory = np.zeros(128, dtype="float32")
    start = -memory.ctypes.data % 64 // 4
    values = memory[start : start + 4]
    kept = [xp.from_dlpack(values, copy=True), xp.asarray(values.copy(), copy=True)]
    values[:] = 7
    assert [x.tolist() for x in kept] == [[0] * 4] * 2

    x = xp.asarray([1.0, 2.0])
    assert not np.shares_memory(np.from_dlpack(x, copy=True), np.from_dlpack(x))
    assert not np.shares_memory(np.from_dlpack(xp.from_dlpack(x, copy=True)), np.from_dlpack(x))


def test_dlpack_of_a_recorded_array_raises_while_recording(xp: ug.namespaces.Namespace) -> None:
    x = xp.ones(2)
    x.attach_grad()
    assert np.from_dlpack(x).tolist() == [1, 1]
    with ug.record():
        y = x * 2
        with pytest.raises(ug.UnsupportedError, match="detach"):
            y.__dlpack__()
        with pytest.raises(ug.UnsupportedError, match="detach"):
            xp.from_dlpack(y)
        assert np.from_dlpack(y.detach()).tolist() == [2, 2]


def test_objects_without_dlpack(xp: ug.namespaces.Namespace) -> None:
    with pytest.raises(AttributeError, match="asarray"):
        xp.from_dlpack([1.0])


def test_asarray_takes_buffers_and_strangers(xp: ug.namespaces.Namespace) -> None:
    class Stranger:
        def __init__(self, values: np.ndarray) -> None:
            self.values = values

        def __dlpack__(self, **options: object) -> object:
            return self.values.__dlpack__(**options)

        def __dlpack_device__(self) -> tuple[int, int]:
            return self.values.__dlpack_device__()

    assert xp.asarray(array.array("d", [1.0, 2.0])).dtype == ug.float64
    assert xp.asarray(memoryview(b"ab")).tolist() == [97, 98]
    assert xp.asarray(Stranger(np.arange(3, dtype="int32"))).dtype == ug.int32
    assert xp.asarray(Stranger(np.arange(3, dtype="int32")), dtype=ug.float32, copy=True).dtype == ug.float32
    x = xp.ones(2)
    assert xp.asarray(x, copy=False) is x
    for obj, options in (([1.0], {}), (1.0, {}), (x, {"dtype": ug.float64})):
        with pytest.raises(ValueError, match="copy"):
            xp.asarray(obj, copy=False, **options)


def test_dtype_functions() -> None:
    assert ug.result_type(ug.int8, ug.uint8) == ug.int16
    assert ug.result_type(ug.int64, ug.ones(1)) == ug.float32
    # The order makes no difference, though no integer dtype holds both of these.
    assert (
        ug.result_type(ug.int8, ug.uint64, ug.float32) == ug.result_type(ug.float32, ug.uint64, ug.int8) == ug.float32
    )
    assert ug.result_type(ug.float64, 1j) == ug.complex128
    assert ug.result_type(ug.int8, 1, True) == ug.int8
    with pytest.raises(ug.DtypeError):
        ug.result_type(ug.int64, ug.uint64)
    with pytest.raises(ug.ArgumentError):
        ug.result_type(1, 2.0)
    assert ug.can_cast(ug.int8, ug.int64)
    assert not ug.can_cast(ug.ones(1, dtype="float64"), ug.float32)
    assert not ug.can_cast(ug.int64, ug.uint64)
    limits = ug.finfo(ug.complex128)
    assert (limits.bits, limits.dtype, type(limits.eps)) == (64, ug.float64, float)
    assert ug.iinfo(ug.ones(1, dtype="uint8")).max == 255
    for wrong in (lambda: ug.finfo(ug.int8), lambda: ug.iinfo(ug.float32)):
        with pytest.raises(ug.DtypeError):
            wrong()
    assert ug.isdtype(ug.float16, "real floating")
    assert ug.isdtype(ug.int8, ("bool", ug.int8))
    assert not ug.isdtype(ug.bool, "numeric")
    with pytest.raises(ug.ArgumentError, match="integral"):
        ug.isdtype(ug.int8, "integer")


@pytest.mark.parametrize(
    "key",
    [True, False, np.True_, (True, None), (..., True), (slice(0, 2), False), (0, True), (True, 1),
     np.zeros((0,), bool), np.zeros((3, 0), bool), np.asarray([True, False, True])],
)  # fmt: skip
def test_booleans_index_as_in_numpy(xp: ug.namespaces.Namespace, key: object) -> None:
    values = np.arange(12.0).reshape(3, 4)
    x = xp.asarray(values)
    assert np.array_equal(x[key].numpy(), values[key])
    x[key] = 5.0
    values[key] = 5.0
    assert np.array_equal(x.numpy(), values)


def test_indices_may_be_tensors(xp: ug.namespaces.Namespace) -> None:
    values = np.arange(12.0).reshape(3, 4)
    x = xp.asarray(values)
    rows = np.asarray([0, -1])
    assert np.array_equal(x[xp.asarray(rows)].numpy(), values[rows])
    assert np.array_equal(x[xp.asarray(rows), ..., None].numpy(), values[rows, ..., None])
    assert np.array_equal(x[xp.asarray(1)].numpy(), values[1])
    assert np.array_equal(x[x > 5].numpy(), values[values > 5])
    x[xp.asarray(rows), xp.asarray([1, 2])] = xp.asarray([50.0, 60.0], dtype="float64")
    values[rows, [1, 2]] = [50, 60]
    x[xp.asarray(True)] = x + 1
    assert np.array_equal(x.numpy(), values + 1)
    zero = xp.asarray(1.0)
    zero[()] = 2.0
    zero[xp.asarray(False)] = 3.0
    assert zero[...].item() == 2


def test_counts_and_numbers_beyond_the_usual(xp: ug.namespaces.Namespace) -> None:
    assert xp.arange(2**62, 2**62 + 3).tolist() == [2**62, 2**62 + 1, 2**62 + 2]
    if hasattr(xp, "uint64"):
        assert xp.arange(2**64 - 1, 2**64 - 3, -1, dtype=ug.uint64).tolist() == [2**64 - 1, 2**64 - 2]
    if hasattr(xp, "complex64"):
        assert xp.linspace(0, 1j, 3).dtype == ug.complex64
    assert xp.eye(2, k=2**70).tolist() == [[0, 0], [0, 0]]


def test_the_parameters_of_each_function_of_numpys_are_known() -> None:
    """Those written in C tell theirs from NumPy 2.4 on alone."""
    for name, function in vars(np).items():
        if hasattr(function, "_implementation") and (name in forms.FORMS or names.operation(name) is not None):
            assert protocols._signature(function.__name__, function).parameters, name
