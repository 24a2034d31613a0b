"""What the author of an adapter hears: of what is missing, promised and not there, or claimed by two."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import pytest
from device_module import DeviceArray, DeviceBackend
from unigrad_conformance import raw_functions

import unigrad as ug
from unigrad.adapters import registry
from unigrad.cli import main
from unigrad.extend import ALL_ORDERS, Backend, Engine, Node


@pytest.fixture(autouse=True)
def none_but_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone afterwards."""
    registry.backend_names()
    monkeypatch.setattr(registry, "_backends", dict(registry._backends))
    monkeypatch.setattr(registry, "_by_type", {})


def registered(**members: Any) -> Backend:
    """An adapter with these members, known."""
    backend = type("Mine", (DeviceBackend,), {"name": "mine", "__module__": __name__, **members})()
    ug.register_backend(backend)
    return backend


class Bare(Engine):
    inline_nodes = "bare"
    orders = 1

    def leaf(self, raw: Any) -> Any:
        return raw


class Tracking(Engine):
    def leaf(self, raw: Any) -> Any:
        return raw


class Differentiating(Engine):
    orders = ALL_ORDERS


class Raw(Engine):
    pulls_raw = True


class Conjugate(Engine):
    conjugate_pulls = True


class Unknown(Engine):
    inline_nodes = "bear"


class Forgetful(Bare):
    orders = 0

    def detached(self, raw: Any) -> Any:
        return raw

    def pullback(self, pull: Any) -> Any:
        return None


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (Bare, r"Bare has inline_nodes = 'bare', and therefore needs detached\(\) of its own: The raw array without"),
        (Tracking, r"Tracking has a leaf\(\) of its own, and therefore needs detached\(\)"),
        (
            Differentiating,
            r"orders = 2147483648, and therefore needs pullback\(\) of its own: Gradients for the inputs",
        ),
        (Raw, r"pulls_raw = True, and therefore needs record\(\) of its own: runs a primitive"),
        (Conjugate, r"conjugate_pulls = True, and therefore needs record\(\)"),
        (Unknown, r"Unknown.inline_nodes is 'bear'; it can be None, 'lifted', 'rules', 'bare'"),
        (Forgetful, r"inline_nodes = 'bare', which keeps nothing for the rules, and orders = 0; set orders"),
    ],
)
def test_a_flag_without_its_method_says_which_and_what_it_is_for(engine: type[Engine], said: str) -> None:
    registered(engine=engine())
    with pytest.raises(ug.BackendError, match=said):
        ug.set_backend("mine")
    assert ug.get_backend() == "numpy"


@pytest.mark.parametrize(
    "call",
    [
        lambda node: node.pull(None, None, {}, set()),
        Node.release,
        lambda node: node.lifted_pull(None, None, None, None),
    ],
)
def test_a_node_that_lacks_a_method_says_which(call: Callable[[Node], Any]) -> None:
    class Mine(Node):
        operation = "tanh"

    with pytest.raises(
        NotImplementedError, match=r"Mine lacks (pull|release)\(\)|'tanh' that the framework's own engine"
    ):
        call(Mine())


def test_a_refusal_of_linear_algebra_is_a_linalg_error_whoever_supplies_the_function() -> None:
    def refuse(*args: Any) -> Any:
        raise RuntimeError("(InvalidArgument) the 0-th matrix is singular")

    def load(self: Any) -> None:
        DeviceBackend.load(self)
        self.functions |= dict.fromkeys(("inv", "solve", "cholesky", "eigvalsh"), refuse)

    registered(load=load)
    with ug.use_backend("mine"):
        x = ug.ones((2, 2))
        for call, said in (
            (ug.linalg.inv, "inv: a matrix is singular; pinv"),
            (lambda x: ug.linalg.solve(x, x), "solve: .* lstsq"),
            (ug.linalg.cholesky, "not positive definite"),
            (ug.linalg.eigvalsh, "did not converge"),
        ):
            with pytest.raises(ug.LinAlgError, match=said) as raised:
                call(x)
            assert "(InvalidArgument)" in str(raised.value.__cause__)


def test_a_wrong_call_inside_linear_algebra_is_no_singular_matrix() -> None:
    def load(self: Any) -> None:
        DeviceBackend.load(self)
        self.functions["inv"] = lambda x: x.no_such_method()

    registered(load=load)
    with ug.use_backend("mine"), pytest.raises(ug.OperationError, match=r"refused inv of shapes \(2, 2\)"):
        ug.linalg.inv(ug.ones((2, 2)))


def test_a_missing_part_of_a_composition_names_both() -> None:
    def load(self: Any) -> None:
        DeviceBackend.load(self)
        del self.functions["log"]

    registered(load=load, missing={"log": "it has no logarithm"})
    with ug.use_backend("mine"):
        x = ug.ones(2)
        with pytest.raises(
            ug.UnsupportedError, match="'mine' cannot do 'log', which 'xlogy' is composed of: it has no"
        ):
            x._bound.xlogy(x, x)


def test_two_that_claim_a_type_are_noticed_once() -> None:
    class First(DeviceBackend):
        name = "first"

    ug.register_backend(First())
    registered()
    ug.ones(2)
    with pytest.warns(ug.UnigradWarning, match="'first' and 'mine' both claim .*DeviceArray: .* to 'first' otherwise"):
        assert ug.asarray(DeviceArray(np.ones(2))).backend.name == "first"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ug.asarray(DeviceArray(np.ones(2))).backend.name == "first"
        with ug.use_backend("mine"):
            assert ug.asarray(DeviceArray(np.ones(2))).backend.name == "mine"


def test_one_that_takes_the_place_of_another_of_its_name_is_no_rival() -> None:
    for _ in range(2):
        registered()
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with ug.use_backend("mine"):
                ug.ones(2)


def test_an_entry_point_of_another_name_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name, value = "my_device", "package:backend"
        load: ClassVar = DeviceBackend

    monkeypatch.setattr(registry, "_backends", {})
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Entry()])
    with pytest.raises(ug.BackendError, match=r"its name is 'device', and that of its entry point 'my_device'"):
        ug.set_backend("my_device")


def test_each_raw_function_is_held_against_the_native_engine_by_itself() -> None:
    def load(self: Any) -> None:
        DeviceBackend.load(self)
        native = dict(self.functions)
        self.functions |= {
            "sum": native["max"],
            "max": lambda x, axes, keepdims: x.reshape(-1).max(),
            "exp": lambda x: native["exp"](x).astype("float64"),
            "tanh": lambda x: x.no_such_method(),
        }
        del self.functions["sinh"], self.functions["cosh"]

    registered(load=load, missing={"cosh": "it has none"})
    backend = registry.get_backend_object("mine")
    names = ("sum", "max", "exp", "tanh", "sinh", "cosh", "log", "getitem", "concat")
    found = {name: (how, problems) for name, how, problems in raw_functions.checked(backend, names)}
    assert any("instead of [" in problem for problem in found["sum"][1])
    assert any(problem.startswith("max(float") and "the shape is ()" in problem for problem in found["max"][1])
    assert any("the dtype is float64 instead of float32" in problem for problem in found["exp"][1])
    assert found["tanh"][1]
    assert all("AttributeError" in problem for problem in found["tanh"][1])
    assert all("its adapter supplies no such function" in problem for problem in found["sinh"][1])
    assert found["cosh"] == ("it has none", [])
    for name in ("log", "getitem", "concat"):
        assert found[name][0].endswith(" agree"), name
        assert not found[name][1], name


def test_raw_functions_by_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--raw", "sum", "matmul", "--backend", "numpy"]) == 0
    assert "numpy: 2 raw functions, all agree" in capsys.readouterr().out
    assert main(["conform", "--raw", "summ", "--backend", "numpy"]) == 2
    assert "did you mean 'sum'" in capsys.readouterr().err
