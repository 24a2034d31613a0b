"""The native engine over CuPy: every case. Over a stand-in for it, ``test_conformance.py`` has them."""

from __future__ import annotations

import pytest
from unigrad_conformance import catalogue, runner


@pytest.mark.gpu
def test_every_case_agrees_on_cupy() -> None:
    pytest.importorskip("cupy", reason="needs an NVIDIA GPU and CuPy")
    found = runner.run_cases(["cupy"], list(catalogue.all_cases().values()), ["cupy"])
    assert {name: verdict.problems for name, verdict in found.columns[0].verdicts.items() if verdict.fails} == {}
