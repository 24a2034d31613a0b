"""The same network, trained on every installed backend."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from unigrad_conformance import oracle, training

import unigrad as ug
from unigrad.adapters.registry import backend_names
from unigrad.cli import main

STEPS = 40


@pytest.mark.parametrize(("dtype", "activation"), [("float32", "tanh"), ("float64", "relu")])
def test_losses_agree_at_every_step(dtype: str, activation: str) -> None:
    names = [name for name in backend_names() if name != oracle.NAME]
    found = training.run(names, STEPS, dtype, activation, lambda backend, message: None)
    ran = [one for one in found if one.unavailable is None]
    assert "numpy" in [one.backend for one in ran]
    for one in ran:
        assert one.problem is None, one
        assert len(one.losses) == STEPS
        assert training.agrees(one), (one.backend, one.largest)
        assert one.losses[-1] < one.losses[0] / 2


def test_the_network_learns() -> None:
    *_, (_, accuracy) = training.train(ug, training.digits(), steps=300)
    assert accuracy > 0.95


def test_a_loss_that_is_off_is_seen() -> None:
    one = training.Trained("numpy", errors=[1.0, training.limit(2) + 1], losses=[2.0, 1.0], times=[0.1, 0.1])
    assert not training.agrees(one)
    assert "FAIL" in training.as_text([one], 2, "float32", "tanh")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "train.json"
    assert main(["conform", "--train", "--steps", "5", "--backend", "numpy", "--report", str(path)]) == 0
    assert "agree at every step" in capsys.readouterr().out
    found = json.loads(path.read_text())
    assert len(found["backends"][0]["losses"]) == 5
    assert np.isfinite(found["backends"][0]["largest_ulp"])
