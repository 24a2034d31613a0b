"""Random programs: they agree, a wrong rule is found and made small, and a seed gives the same program again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from unigrad_conformance.fuzzing.checking import failures, reference
from unigrad_conformance.fuzzing.command import Fuzz, checked, corpus, explained
from unigrad_conformance.fuzzing.drawing import draw
from unigrad_conformance.fuzzing.program import FormatError, Program, Step, from_data

from unigrad.binding import nodes
from unigrad.table import PRIMITIVES


def _ran(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    Fuzz().add_arguments(parser)
    return Fuzz().run(parser.parse_args(arguments))


def test_a_hundred_programs_agree() -> None:
    assert _ran("--programs", "100", "--backend", "numpy", "torch") == 0


def test_a_seed_gives_the_same_program_and_data_give_it_back() -> None:
    program = draw(7, 8)
    again = from_data(json.loads(json.dumps(draw(7, 8).as_data())))
    assert again.steps == program.steps
    assert all(np.array_equal(x, program.inputs[name]) for name, x in again.inputs.items())
    assert len({str(draw(seed, 8).steps) for seed in range(20)}) == 20


def test_what_is_moved_two_ways_and_cancels_by_chance_is_no_failure() -> None:
    program = draw(1068, 8)  # digamma near a pole, of a difference of two numbers that are nearly equal
    assert "ug.gammaln(t4)" in str(program.steps)
    assert checked(program, ["numpy"]) == []


def test_numbers_that_are_equal_once_rounded_may_be() -> None:
    steps = Step("t0", "ug.asinh(a0)", False), Step("t1", "ug.where(a0 == t0, a0, 0.0)", True)
    program = Program({"a0": np.asarray([1e-5, 0.0, 0.5], dtype="float32")}, steps)
    assert checked(program, ["numpy"]) == []


def test_what_a_number_divided_by_itself_hands_back_cancels_by_rounding_alone() -> None:
    steps = Step("t0", "a0 / a0", False), Step("t1", "ug.nn.silu(a0)", False), Step("t2", "ug.rad2deg(t0)", False)
    program = Program({"a0": np.asarray([-0.015625, 0.0], dtype="float32")}, steps)
    assert checked(program, ["numpy"]) == []


@pytest.mark.parametrize("seed", [15597, 17033, 18481, 24402])
def test_what_rounding_makes_whole_or_narrow_is_no_failure(seed: int) -> None:
    assert checked(draw(seed, 8), ["numpy", "torch"]) == []


def test_digits_that_a_framework_is_known_to_lose_are_no_failure() -> None:
    step = Step("t0", "ug.jvp(lambda v: v * ug.tanh(v), (a0,), (b0,))[1]", False)
    program = Program({"a0": np.asarray([7.0, 16.0]), "b0": np.asarray([1e3, 1e3])}, (step,))
    assert checked(program, ["numpy", "torch"]) == []
    expected = reference(program)
    assert expected is not None
    assert {failure.backend for failure in failures(program, ["numpy", "torch"], expected)} == {"torch"}


@pytest.mark.usefixtures("chooses_backend")
def test_a_wrong_rule_is_found_and_the_program_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.asarray([[0.5, 1.25], [-0.75, 0.375]])
    steps = [("t0", "ug.sin(a0)"), ("t1", "ug.tanh(t0)"), ("t2", "t1.reshape(-1)"), ("t3", "ug.exp(b0)")]
    program = Program({"a0": matrix, "b0": matrix}, tuple(Step(name, source, False) for name, source in steps))
    assert checked(program, ["numpy"]) == []
    monkeypatch.setattr(PRIMITIVES["sin"], "rules", (lambda xp, g, x: g * xp.cos(x) * 1.0001,))
    monkeypatch.setattr(nodes, "_node_types", {})
    # The reference and the native engine share the rule; PyTorch derives by itself.
    found = checked(program, ["torch"])
    assert found
    text = explained(program, found, ["torch"])
    assert "ug.sin(a0)" in text
    assert "ug.exp" not in text
    assert "tanh" not in text
    namespace: dict[str, Any] = {}
    exec(text, namespace)  # noqa: S102
    assert namespace["a0"].grad is not None


def test_what_failed_once_fails_where_it_is_known_to() -> None:
    assert _ran("--corpus", "--backend", "numpy", "torch") == 0


def test_a_corpus_of_another_format_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "old.json"
    path.write_text(json.dumps([{"why": "", "fails": [], "program": {"format": 0}}]))
    with pytest.raises(FormatError, match="has the format 0"):
        corpus(str(path))
    assert _ran("--corpus", str(path)) == 2
    path.write_text('{"no": "list"}')
    assert _ran("--corpus", str(path)) == 2
    assert "no list of programs" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--backend", "trch"), "there is no backend 'trch'"), (("--programs", "0"), "use 1 or more")],
)
def test_wrong_arguments(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _ran(*arguments) == 2
    assert said in capsys.readouterr().err
