"""The command line."""

from __future__ import annotations

import json

import pytest

from unigrad import cli
from unigrad.adapters.registry import BackendInfo
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


def test_what_is_to_be_copied_is_on_a_line_of_its_own(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command = (
        "pip install 'a-package-of-a-long-name[and-an-extra]' && pip install --no-deps another-package==1.2.3 --more"
    )
    row = BackendInfo("far", False, None, f"needs a thing, {'far ' * 30}: {command}", (), {}, "nothing", {}, command)
    monkeypatch.setattr(cli, "available_backends", lambda: [row])
    assert main(["backends"]) == 0
    assert command in [line.strip() for line in capsys.readouterr().out.splitlines()]


def test_a_wrong_argument_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["conform", "--nonsense"])
    assert raised.value.code == 2


def test_primitives_by_name_tell_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["primitives", "solve", "power"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "power(x1, x2) needed." in text
    assert "Given: arrays x1, x2, of one dtype: x1, x2; one array may be a Python number." in text
    assert text.endswith("2 primitives: 2 needed")
    assert main(["primitives", "summ"]) == 2
    assert "did you mean sum" in capsys.readouterr().err


def test_source_names_the_adapters_function(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["source", "round"]) == 0
    assert "# function here: unigrad.native.functions.primitives.<locals>.<lambda> (" in capsys.readouterr().out
