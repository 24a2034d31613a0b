"""``unigrad conform --placement``: the cases as they are, with every array spread over devices or processes."""

from __future__ import annotations

from typing import Any

import pytest
from unigrad_conformance import runner
from unigrad_conformance.runner import Asked, Column, Orders

from unigrad.cli import main


@pytest.mark.parametrize(("placement", "backend"), [("sharded", "jax"), ("dtensor", "torch")])
def test_cases_agree_of_arrays_in_several_places(
    placement: str, backend: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(backend)
    cases = [
        "sum.all.float32", "max.all.float32", "seeds.dot_gradient", "nn.conv1d.plain.float32", "nn.fold.plain.float32",
        "ravel.numpys_order.float32", "kinks.where_norm.float32", "numbers.added_up_of_parts", "mapping.layers",
        "custom.complex_cotangents", "mapping.jacobian_by_vmap", "dtypes.convolution.bool",
        "linalg.slogdet.matrix.float32",
    ]  # fmt: skip
    told = ["conform", "--quick", "--placement", placement, "--backend", backend, "--case", *cases]
    assert main(told) == 0
    assert f"All agree. {len(cases)} agrees" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "started"), [({"error": "RuntimeError"}, 2), ({"error": "UnsupportedError"}, 1), ({"results": {}}, 1)]
)
def test_a_case_that_fails_leaves_no_other_waiting(
    error: dict[str, Any], started: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    workers = []

    class Worker:
        def __init__(self, *orders: Any) -> None:
            workers.append(self)

        def tell(self, line: str) -> None: ...
        def close(self) -> None: ...
        def message(self, seconds: float) -> dict[str, Any]:
            return {"kind": "case", **error}

    monkeypatch.setattr(runner, "Worker", Worker)
    asked = Asked(Column("torch"), Orders(lambda *_: None, 1.0, (), {}, placement="dtensor"))
    for name in ("one", "other"):
        asked.ask(name)
        assert asked.outcome() == {"kind": "case", **error}
    assert len(workers) == started
