"""What can be said of the adapters outside the default environment without their frameworks, and of NumPy in their
place. ``make conform-extra`` tries them with their frameworks."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unigrad.extend import ArgumentError, Backend, get_backend_object, on_host, unless_refused, with_host

ROOT = Path(__file__).parents[2]
ADAPTERS = {"mlx": "mlx", "paddle": "paddle"}
"""Backend to framework."""


@pytest.fixture
def numpy() -> Backend:
    return get_backend_object("numpy")


@pytest.mark.parametrize(("name", "framework"), ADAPTERS.items())
def test_importing_an_adapter_imports_no_framework(name: str, framework: str) -> None:
    source = f"import sys, unigrad_{name}\nassert {framework!r} not in sys.modules\nprint(unigrad_{name}.backend.name)"
    found = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert found.stdout.split() == [name]


@pytest.mark.parametrize("name", ADAPTERS)
def test_an_extra_adapter_is_declared_as_a_whole(name: str, numpy: Backend) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["unigrad.backends"][name] == f"unigrad_{name}:backend"
    backend = import_module(f"unigrad_{name}").backend
    assert backend.install == f"pip install 'unigrad[{name}]'"
    assert name in project["optional-dependencies"]
    assert all(len(reason) > 10 for reason in backend.missing.values())
    hosted = import_module(f"unigrad_{name}.hosted").HOSTED
    # Over NumPy's own functions, which are all there: with_host refuses what it does not know.
    assert {*hosted} <= {*with_host(numpy, numpy.functions, hosted)}


def doubled(x: Any) -> Any:
    return x * 2


def test_numpy_computes_the_dtypes_that_are_named(numpy: Backend) -> None:
    own: dict[str, Callable[..., Any]] = {
        "exp": doubled,
        "sum": lambda x, axes, keepdims: x,
        "where": lambda c, a, b: a,
    }
    table = with_host(
        numpy, own, {"exp": ("float64 int8", "why"), "sum": ("empty", "why"), "where": ("float32", "why"),
                     "log": ("any", "why")},
    )  # fmt: skip
    one = np.ones(2)
    assert np.array_equal(table["exp"](one), np.exp(one))
    assert np.array_equal(table["exp"](one.astype("float32")), doubled(one))
    assert table["sum"](one, (0,), False) is one
    assert table["sum"](one[:0], (0,), False) == 0
    # A number and an array, beside a condition whose dtype says nothing.
    condition = np.array([True, False])
    assert table["where"](condition, one, 0.0) is one
    assert table["where"](condition, 2.0, np.zeros(2, "float32")).tolist() == [2, 0]
    assert np.array_equal(table["log"](one), np.log(one))
    assert own["exp"] is doubled
    assert "log" not in own


@pytest.mark.parametrize(
    ("name", "declared"),
    [
        ("expo", ("any", "why")),
        ("exp", ("float63", "why")),
        ("exp", ("", "why")),
        ("exp", ("any", "")),
        ("log", ("float64", "why")),
    ],
)
def test_what_is_declared_wrongly_is_refused(name: str, declared: tuple[str, str], numpy: Backend) -> None:
    with pytest.raises(ArgumentError, match=name):
        with_host(numpy, {"exp": doubled}, {name: declared})


def test_what_a_framework_refuses_numpy_computes(numpy: Backend) -> None:
    asked: list[np.dtype[Any]] = []

    def own(x: Any) -> Any:
        asked.append(x.dtype)
        if x.dtype == "float16":
            raise RuntimeError("no kernel")
        if x.dtype == "float64":
            raise RuntimeError("broken")
        return doubled(x)

    exp = unless_refused(numpy, "exp", own, lambda error: "no kernel" in str(error))
    half = np.ones(2, "float16")
    for _ in range(3):
        assert np.array_equal(exp(half), np.exp(half))
    assert asked == ["float16"]  # it is not asked again
    assert exp(np.ones(2, "float32")).tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="broken"):
        exp(np.ones(2))


def test_of_several_arrays_and_keys_numpy_gets_the_values(numpy: Backend) -> None:
    assert on_host(numpy, "concat")([np.ones(1), np.zeros(1)], 0).tolist() == [1, 0]
    assert on_host(numpy, "getitem")(np.arange(4.0), (np.array([2, 0]),)).tolist() == [2, 0]
