"""The command line."""

from __future__ import annotations

import json

import pytest

from unigrad.cli import main


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    text = capsys.readouterr().out
    for word in ("unigrad backends", "unigrad conform", "attach_grad", "conform --train"):
        assert word in text


def test_backends(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backends"]) == 0
    text = capsys.readouterr().out
    for name in ("numpy", "cupy", "torch", "tensorflow", "mxnet", "jax", "float64"):
        assert name in text
    assert main(["backends", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert next(row for row in rows if row["name"] == "numpy")["installed"] is True


def test_a_wrong_argument_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["conform", "--nonsense"])
    assert raised.value.code == 2
