"""The benchmark of operations sees all of them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from unigrad.table import OPERATIONS
from unigrad.tensor.everyday import Everyday

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
commonest = pytest.importorskip("commonest")


def test_every_operation_and_method_is_measured() -> None:
    rows = {call.name: call.source for call in commonest.calls(commonest.SMALL)}
    assert not set(OPERATIONS) - set(rows) - commonest.NO_ARRAYS
    methods = {name for name in vars(Everyday) if not name.startswith("_")} - commonest.NO_ARRAYS
    assert not methods - {name.removeprefix("method.") for name in rows if name.startswith("method.")}


def test_each_row_of_another_framework_is_a_row() -> None:
    rows = {call.name for call in commonest.calls(commonest.SMALL)}
    assert set(commonest.EVERYDAY) <= rows
    for name, calls in commonest.THEIRS.items():
        assert not set(calls) - rows, name
