"""Choosing backends, and what happens where one is missing, broken or foreign."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import types
from typing import ClassVar

import numpy as np
import pytest
from device_module import DeviceArray, DeviceBackend

import unigrad as ug
from unigrad.adapters import registry
from unigrad.table import OPERATIONS, PRIMITIVES


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch):
    registry.backend_names()
    monkeypatch.setattr(registry, "_backends", dict(registry._backends))
    monkeypatch.setattr(registry, "_by_type", {})
    ug.register_backend(DeviceBackend())
    return "device"


def test_unknown_backends_are_named_with_the_known_ones() -> None:
    with pytest.raises(ug.BackendError, match=r"no backend 'torhc'.*torch"):
        ug.set_backend("torhc")
    assert ug.get_backend() == "numpy"


def test_the_environment_chooses_the_first_backend() -> None:
    pytest.importorskip("torch")
    source = "import unigrad as ug; print(ug.get_backend())"
    for name, expected in (("torch", "torch"), ("", "numpy")):
        done = subprocess.run(
            [sys.executable, "-c", source],
            env={**os.environ, "UNIGRAD_BACKEND": name},
            check=True,
            capture_output=True,
            text=True,
        )
        assert done.stdout.strip() == expected


def test_use_backend_is_for_this_thread_only(device: str) -> None:
    seen = []
    with ug.use_backend(device):
        assert ug.ones(2).backend.name == device
        thread = threading.Thread(target=lambda: seen.append(ug.get_backend()))
        thread.start()
        thread.join()
    assert seen == ["numpy"]
    assert ug.ones(2).backend.name == "numpy"


def test_operations_follow_their_arguments_and_do_not_mix(device: str) -> None:
    with ug.use_backend(device):
        x = ug.ones(2)
    assert ug.sin(x).backend.name == device
    for mixed in (lambda: x + ug.ones(2), lambda: ug.concat([x, ug.ones(2)])):
        with pytest.raises(ug.BackendMismatchError, match="to_backend"):
            mixed()
    assert (x * np.ones(2)).backend.name == device  # NumPy's arrays are data, as lists are
    assert x.to_backend("numpy").backend.name == "numpy"
    assert ug.asarray(DeviceArray(np.ones(3))).backend.name == device


def test_raw_arrays_find_their_backend(device: str) -> None:
    value, gradient = ug.value_and_grad(lambda x: (x * x).sum())(DeviceArray(np.array([1.0, 2.0])))
    assert isinstance(value, DeviceArray)
    assert isinstance(gradient, DeviceArray)
    assert gradient._host.tolist() == [2, 4]


def test_an_adapter_that_does_not_import_breaks_only_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    class Entry:
        name, value = "broken", "no_such_package:backend"

        def load(self) -> None:
            raise ImportError("no_such_package")

    class Class(Entry):
        name, value = "class", "package:ItsBackend"

        def load(self) -> type:
            return DeviceBackend

    monkeypatch.setattr(registry, "_backends", {})
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [Entry(), Class()])
    assert ug.ones(2).tolist() == [1, 1]
    rows = {row.name: row for row in ug.available_backends()}
    assert not rows["broken"].installed
    assert "no_such_package" in rows["broken"].why_not
    with pytest.raises(ug.BackendError, match=r"'broken'.*no_such_package:backend.*ImportError"):
        ug.set_backend("broken")
    with pytest.raises(ug.BackendError, match=r"package:ItsBackend.*no instance of a subclass of Backend"):
        ug.set_backend("class")


def test_what_is_no_adapter_is_not_registered() -> None:
    with pytest.raises(ug.ArgumentError, match="takes an instance of a subclass of Backend"):
        ug.register_backend(DeviceBackend)  # type: ignore[arg-type]


def test_an_adapter_that_loads_badly_hears_what_it_did(device: str) -> None:
    class Raising(DeviceBackend):
        name = "raising"

        def load(self) -> None:
            raise TypeError("no such flag")

    class Forgetful(DeviceBackend):
        name = "forgetful"

        def load(self) -> None:
            super().load()
            del self.array_types

    class Inventive(DeviceBackend):
        name = "inventive"

        def load(self) -> None:
            super().load()
            self.functions["sine"] = self.functions["sin"]

    for made, said in (
        (Raising(), r"Raising.load\(\) failed, TypeError: no such flag"),
        (Forgetful(), r"Forgetful.load\(\) did not set array_types"),
        (Inventive(), "sine in its functions are no primitives"),
    ):
        ug.register_backend(made)
        with pytest.raises(ug.BackendError, match=said):
            ug.set_backend(made.name)


def test_an_array_of_a_framework_that_cannot_be_used_is_no_data(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Unusable(DeviceBackend):
        name, framework = "unusable", "unusable_module"

        def load(self) -> None:
            raise ImportError("its compiled half")

    def as_numpy(self: object) -> object:
        return np.ones(2)

    kind = type("Array", (), {"__module__": "unusable_module", "__array__": as_numpy})
    monkeypatch.setitem(sys.modules, "unusable_module", types.ModuleType("unusable_module"))
    ug.register_backend(Unusable())
    for given in (kind(), [kind()]):
        with pytest.raises(ug.BackendError, match=r"unusable_module, which failed to import.*its compiled half"):
            ug.asarray(given)


@pytest.mark.filterwarnings("ignore:backends 'device' and 'twin' both claim")
def test_of_two_that_claim_a_type_the_current_one_has_it(device: str) -> None:
    class Twin(DeviceBackend):
        name = "twin"

    ug.register_backend(Twin())
    raw = DeviceArray(np.ones(2))
    for name in (device, "twin", device):
        with ug.use_backend(name):
            assert ug.asarray(raw).backend.name == name
            assert ug.sin(raw).backend.name == name


def test_what_an_adapter_does_not_supply_says_so(device: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Poor(DeviceBackend):
        name = "poor"
        missing: ClassVar = {"sin": "its hardware knows no angles", "int8": "it is too narrow"}

        def load(self) -> None:
            super().load()
            del self.functions["sin"]
            del self.raw_dtypes[ug.int8]

    ug.register_backend(Poor())
    with ug.use_backend("poor"):
        x = ug.ones(2)
        with pytest.raises(ug.UnsupportedError, match=r"'poor'.*'sin'.*no angles.*to_backend"):
            ug.sin(x)
        with pytest.raises(ug.UnsupportedError, match="too narrow"):
            ug.ones(2, dtype="int8")
        assert ug.cos(ug.zeros(2)).tolist() == [1, 1]


def test_a_frameworks_error_is_the_cause() -> None:
    with pytest.raises(ug.ShapeError) as raised:
        ug.ones((2, 3)) @ ug.ones((2, 3))
    assert isinstance(raised.value.__cause__, ValueError)
    assert "(2, 3) and (2, 3)" in str(raised.value)


def test_the_table_is_whole() -> None:
    for row in PRIMITIVES.values():
        assert row.doc, row.name
        assert not row.rules or len(row.rules) == len(row.arrays), row.name
    for name, function in OPERATIONS.items():
        assert function.__doc__, name
        group, _, short = name.rpartition(".")
        assert hasattr(getattr(ug, group) if group else ug, short), name


def test_a_namespace_makes_its_arrays_on_its_backend(device: str) -> None:
    namespace = ug.namespace("numpy")
    with ug.use_backend(device):
        assert namespace.ones(2).backend.name == "numpy"
        assert namespace.sin(ug.ones(2)).backend.name == device
        assert ug.ones(2).__array_namespace__().zeros(3).backend.name == device
