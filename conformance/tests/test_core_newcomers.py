"""What is listed, what hints name, and where new arrays go that nobody placed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.adapters.registry import check_device
from unigrad.base.dtypes import LATE
from unigrad.base.elsewhere import ARGUMENTS, FUNCTIONS, METHODS, ROOMS
from unigrad.native.backend import NativeBackend
from unigrad.table import explaining


def public_modules() -> Iterator[ModuleType]:
    yield ug
    for name in ug.__all__:
        if isinstance(getattr(ug, name), ModuleType):
            yield getattr(ug, name)


@pytest.mark.parametrize("module", list(public_modules()), ids=lambda module: module.__name__)
def test_a_module_lists_its_public_names_alone(module: ModuleType) -> None:
    listed = {name for name in dir(module) if not name.startswith("__")}
    # Dtypes of another package are there when they are asked for.
    late = set(LATE) if module is ug else set()
    assert listed == {name for name in module.__all__ if not name.startswith("__")} | late
    listed -= late
    assert all(hasattr(module, name) for name in listed)
    assert {"Any", "np", "annotations", "binding", "tensors"}.isdisjoint(listed)
    for name in listed:
        assert not isinstance(getattr(module, name), ModuleType) or module is ug, name


def test_hints_name_what_there_is() -> None:
    x = ug.ones(2)
    assert not [name for name in METHODS if hasattr(x, name)]
    assert not [name for name in FUNCTIONS if hasattr(ug, name)]
    for hint in (*METHODS.values(), *FUNCTIONS.values(), *ROOMS.values()):
        for dotted in re.findall(r"ug\.([\w.]*\w)", hint):
            found: Any = ug
            for part in dotted.split("."):
                found = getattr(found, part)
        for name in re.findall(r"\bx\.(\w+)", hint):
            assert hasattr(x, name), name


@pytest.mark.parametrize(
    ("asked", "typed"),
    [
        (lambda x: x.tanh(), r"ug\.tanh\(x\)"),
        (lambda x: x.logsumexp(0), r"ug\.logsumexp\(x\)"),
        (lambda x: ug.svd(x), r"ug\.linalg\.svd\(x\)"),
        (lambda x: ug.relu(x), r"ug\.nn\.relu\(x\)"),
        (lambda x: ug.nn.Conv2d(3, 3), "'conv2d'"),
        (lambda x: ug.nn.MSELoss(), "'mse_loss'"),
        (lambda x: ug.linalg.inverse(x), r"ug\.linalg\.inv\(x\)"),
        (lambda x: ug.random.randn(3), r"ug\.random\.normal"),
    ],
)
def test_what_is_looked_for_in_the_wrong_place_is_named(asked: Any, typed: str) -> None:
    with pytest.raises(ug.MissingNameError, match=typed) as raised:
        asked(ug.ones((2, 2)))
    assert "_tanh_" not in str(raised.value)


REDUCTIONS = [
    *("sum", "prod", "mean", "max", "min", "any", "all", "argmax", "argmin", "count_nonzero", "logsumexp", "var"),
    *("std", "median"),
]
ALONG = [
    *("cumsum", "cumprod", "sort", "argsort", "flip", "squeeze", "nn.softmax", "nn.log_softmax", "concat", "stack"),
]


@pytest.mark.parametrize("name", [*REDUCTIONS, *ALONG])
def test_an_argument_of_another_library_is_named(name: str) -> None:
    function: Any = ug
    for part in name.split("."):
        function = getattr(function, part)
    x = ug.ones((1, 2))
    with pytest.raises(ug.CallError, match=r"'dim'; type axis=0"):
        function([x, x] if name in ("concat", "stack") else x, dim=0)
    if name in REDUCTIONS:
        with pytest.raises(TypeError, match=r"'keepdim'; type keepdims=True"):
            function(x, 0, keepdim=True)
    with pytest.raises(ug.CallError, match=r"has no argument 'sideways'$"):
        function([x, x] if name in ("concat", "stack") else x, sideways=0)


def test_an_argument_of_another_library_is_named_by_single_functions() -> None:
    x, image, nn = ug.ones((1, 2)), ug.ones((1, 1, 3, 3)), ug.nn
    calls: dict[str, Any] = {
        r"'weight'; type weights=\.\.\.": lambda: nn.cross_entropy(x, ug.asarray([0]), weight=ug.ones(2)),
        "dropout has no argument 'p'; type rate=0.5": lambda: nn.dropout(x, p=0.5),
        "normalize has no argument 'p'; type ord=2": lambda: nn.normalize(x, p=2),
        "'kernel_size'; type kernel=2": lambda: nn.max_pool2d(image, kernel_size=2),
        "'bias' by position": lambda: nn.conv2d(image, ug.ones((1, 1, 2, 2)), bias=ug.ones(1)),
        "'approximate'; it takes no names": lambda: nn.gelu(x, approximate="tanh"),
        "'size_average'; it takes reduction=": lambda: nn.mse_loss(x, x, size_average=True),
        "'dim'; type axis=1": lambda: ug.linalg.norm(x, dim=1),
        "roll has no argument 'shifts'; type shift=1": lambda: ug.roll(x, shifts=1),
        "take has no argument 'dim'; type axis=0": lambda: ug.take(x, [0], dim=0),
        "argmax has no argument 'dim'; type axis=0": lambda: x.argmax(dim=0),
        "'gradient'; type head_grad=": lambda: x.backward(gradient=x),
        "not given all that it needs": lambda: ug.diff(axis=0),
    }
    for message, call in calls.items():
        with pytest.raises(ug.CallError, match=message):
            call()


def test_a_type_error_from_inside_is_what_it_is() -> None:
    @explaining
    def f(x: Any, axis: int) -> Any:
        raise TypeError("from inside")

    with pytest.raises(TypeError, match="from inside"):
        f(1, axis=2)


def test_an_argument_of_another_library_is_named_by_methods() -> None:
    x = ug.ones((1, 2))
    for name in ("sum", "prod", "mean", "var", "std", "max", "min", "any", "all"):
        for given in ({"dim": 0}, {"keepdim": True}):
            with pytest.raises(ug.CallError, match="|".join(f"type {ARGUMENTS[each]}=" for each in given)):
                getattr(x, name)(**given)
    assert ug.sum(x, axis=0, keepdims=True).shape == (1, 2)


def test_who_asks_whether_a_name_is_there_is_told_no() -> None:
    x = ug.ones(2)
    assert not hasattr(x, "requires_grad")
    assert not hasattr(x, "__cuda_array_interface__")
    assert not hasattr(ug, "__wrapped__")
    assert getattr(ug, "set_printoptions", None) is None


class Devices(NativeBackend):
    name = "devices"

    def __init__(self, *names: str) -> None:
        self.names = names

    def devices(self) -> tuple[str, ...]:
        return self.names


@pytest.mark.parametrize(
    ("names", "asked", "found"),
    [
        (("cpu", "cuda:0", "cuda:1"), "cuda", "cuda:0"),
        (("cpu", "cuda:0", "cuda:1"), "cuda:1", "cuda:1"),
        (("gpu:0", "cpu"), "cpu:0", "cpu"),
        (("cpu",), "cpu", "cpu"),
        (("cpu",), None, None),
    ],
)
def test_a_kind_of_device_is_its_first_one(names: tuple[str, ...], asked: str | None, found: str | None) -> None:
    assert check_device(Devices(*names), asked) == found


def test_a_device_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ug.ArgumentError, match=r"no device 'cuda'; it has cpu, tpu:0"):
        check_device(Devices("cpu", "tpu:0"), "cuda")
    assert ug.ones(2).to_device("cpu:0").device == "cpu"


# --- where new arrays go ---------------------------------------------------------------------------------------


@pytest.fixture(params=["torch", "tensorflow", "mxnet", "jax"])
def x(request: pytest.FixtureRequest) -> ug.Tensor:
    """An array on another backend than the default one."""
    with ug.use_backend(request.param):
        return ug.asarray([1.0, 2.0, 4.0])


def constants(x: ug.Tensor) -> ug.Tensor:
    """A loss that makes arrays of its own, as a function of a library does."""
    y = x * ug.arange(3.0) + ug.zeros(3) + ug.asarray([1.0, 1.0, 1.0]) * ug.random.integers(1, 2, size=3)
    return (y * ug.eye(3)).sum()


GRADIENT = [0, 1, 2]


def test_in_a_transform_new_arrays_are_beside_its_arguments(x: ug.Tensor) -> None:
    for given in (x, x.raw):
        value, gradient = ug.value_and_grad(constants)(given)
        assert ug.asarray(gradient).backend is x.backend
        assert ug.asarray(gradient).tolist() == GRADIENT
        assert float(value) == 13.0
    assert ug.vjp(constants, x)[1](ug.ones((), like=x))[0].tolist() == GRADIENT
    assert ug.jvp(constants, (x,), (ug.ones_like(x),))[1].item() == 3
    assert ug.jacobian(constants)(x).tolist() == GRADIENT
    assert ug.vmap(lambda row: row * ug.arange(3.0))(ug.stack([x, x]))[1].tolist() == [0, 2, 8]
    assert ug.arange(3.0).backend.name == "numpy"


def test_in_a_transform_a_chosen_backend_stays_chosen(x: ug.Tensor) -> None:
    seen = []

    def f(y: ug.Tensor) -> ug.Tensor:
        with ug.use_backend("numpy"):
            seen.append(ug.arange(3.0).backend.name)
        return y.sum()

    ug.grad(f)(x)
    with ug.use_backend("numpy"), pytest.raises(ug.BackendMismatchError, match="like=x"):
        ug.grad(constants)(x)
    assert seen == ["numpy"]


def test_numbers_alone_stay_on_the_current_backend() -> None:
    with ug.use_backend("torch"):
        seen = []
        ug.grad(lambda y: [seen.append(ug.ones(()).backend.name), y * ug.ones(())][1])(2.0)
        assert seen == ["torch"]


def test_a_rule_makes_arrays_beside_its_cotangent(x: ug.Tensor) -> None:
    @ug.custom_gradient
    def scaled(y: ug.Tensor) -> Any:
        return y * 2.0, lambda g: g * ug.arange(3.0)

    assert ug.grad(lambda y: scaled(y).sum())(x).tolist() == GRADIENT
    x.attach_grad()
    with ug.record():
        y = scaled(x)
    y.backward()
    assert x.grad.tolist() == GRADIENT


def test_in_a_recording_new_arrays_are_there(x: ug.Tensor) -> None:
    x.attach_grad()
    with ug.record():
        y = constants(x)
        with ug.use_backend("numpy"):
            assert ug.arange(3.0).backend.name == "numpy"
    y.backward()
    assert x.grad.tolist() == GRADIENT
    assert ug.arange(3.0).backend.name == "numpy"


def test_in_a_recording_of_two_backends_they_are_where_an_array_was_attached_last(x: ug.Tensor) -> None:
    x.attach_grad()
    other = ug.asarray([1.0])
    other.attach_grad()
    with ug.record(), pytest.raises(ug.BackendMismatchError, match="like=x"):
        constants(x)
    with ug.record():
        assert (x * ug.arange(3.0, like=x)).sum().backend is x.backend


def test_another_thread_is_not_concerned(x: ug.Tensor) -> None:
    x.attach_grad()
    seen = []

    def work() -> None:
        with ug.record():
            seen.append(ug.ones(1).backend.name)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == ["numpy"]


def test_lists_and_numpy_arrays_go_along(x: ug.Tensor) -> None:
    assert ug.grad(lambda y: (y * ug.asarray(np.arange(3, dtype=np.float32))).sum())(x).tolist() == GRADIENT
