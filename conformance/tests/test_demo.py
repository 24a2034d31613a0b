"""``unigrad demo``: every step runs on every backend, prints what is said of it, and waits on a terminal alone."""

import builtins
import sys

import pytest

import unigrad as ug
from unigrad.cli import main
from unigrad.teaching.demo import STEPS


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "mxnet", "jax"])
def test_runs_through_without_a_terminal(backend, capsys):
    with ug.use_backend(backend):
        assert main(["demo"]) == 0
    text = capsys.readouterr().out
    for printed in (
        f"\n{backend}\n", "[ 0.  4.  8. 12.]", "retain_graph=True", "[1. 1. 1. 1.]", "[0. 1. 4. 9.]", "[256. 256.]",
        "\n12.0\n", "not yet: the inner derivative is missing", "right: every element agrees", "What to read next",
    ):  # fmt: skip
        assert printed in text, printed
    assert all(said.split()[0] in text for said, _ in STEPS)


@pytest.mark.parametrize(
    ("arguments", "stops", "asked"), [([], False, len(STEPS)), (["--all"], False, 0), ([], True, 1)]
)
def test_waits_for_enter_on_a_terminal_alone(arguments, stops, asked, capsys, monkeypatch):
    prompts = []

    def answered(prompt):
        prompts.append(prompt)
        if stops:
            raise KeyboardInterrupt
        return ""

    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(builtins, "input", answered)
    assert main(["demo", *arguments]) == 0
    assert len(prompts) == asked
    assert ("What to read next" in capsys.readouterr().out) is not stops
