"""``unigrad conform --placement``: the cases as they are, with every array spread over devices or processes."""

from __future__ import annotations

import pytest

from unigrad.cli import main


@pytest.mark.parametrize(("placement", "backend"), [("sharded", "jax"), ("dtensor", "torch")])
def test_cases_agree_of_arrays_in_several_places(
    placement: str, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(backend)
    cases = ["sum.all.float32", "max.all.float32", "seeds.dot_gradient"]
    told = ["conform", "--quick", "--placement", placement, "--backend", backend, "--case", *cases]
    assert main(told) == 0
    assert "All agree. 3 agrees" in capsys.readouterr().out
