"""Mutants: the same ones by a seed, each puts one fault in and is found or not, and what is said of them is true."""

from __future__ import annotations

import argparse
import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest
from unigrad_conformance.mutation import faults
from unigrad_conformance.mutation.command import Mutate
from unigrad_conformance.mutation.operators import places

SOURCE = '''
vjp(multiply, lambda xp, g, x1, x2: g * x2, lambda xp, g, x1: xp.conj(g) * x1)


def accumulated(total, parts, axis):
    """Words."""
    if not parts:
        raise ValueError("none, of 3")
    for part in parts:
        total += part if part < 0.5 else -part
    return total[axis], bound.sum(total, axis)
'''


def _changes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for place in places(ast.parse(SOURCE)):
        found.setdefault(place.operator, []).append(f"{place.within}: {place.before} -> {place.after}")
    return found


def test_every_kind_of_fault_at_its_place() -> None:
    found = _changes()
    assert "vjp(multiply): g * x2 -> -(g * x2)" in found["sign"]
    assert "vjp(multiply): g * x2 -> 0.0 where it is NaN" in found["zero for NaN"]
    assert "vjp(multiply): x2 -> x1" in found["operands swapped"]
    assert found["conjugate forgotten"] == ["vjp(multiply): xp.conj(g) -> g"]
    assert (
        "accumulated: total += part if part < 0.5 else -part -> total = part if part < 0.5 else -part"
        in (found["accumulate forgotten"])
    )
    assert found["tie to one side"] == ["accumulated: part < 0.5 -> part <= 0.5", "accumulated: 0.5 -> 1.0"]
    assert found["axis off by one"] == ["accumulated: axis -> axis - 1", "accumulated: axis -> axis - 1"]
    assert found["sum forgotten"] == ["accumulated: bound.sum(total, axis) -> total"]
    assert not any("none, of 3" in text or "Words" in text for texts in found.values() for text in texts)


def test_a_fault_is_put_in_and_taken_out() -> None:
    tree = ast.parse(SOURCE)
    whole = ast.unparse(tree)
    for place in list(places(tree)):
        undo = place.put()
        assert ast.unparse(tree) != whole or place.operator == "factor"
        undo()
        assert ast.unparse(tree) == whole


def test_a_seed_chooses_the_same_and_the_reasons_are_for_mutants_that_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = [mutant.name for mutant in faults.chosen("numpy", 30, 5)]
    assert first == [mutant.name for mutant in faults.chosen("numpy", 30, 5)]
    assert len(set(first)) == 30
    some = faults.mutants("numpy")[::2]
    monkeypatch.setattr(faults, "mutants", lambda backend: some)
    fewer = [mutant.name for mutant in faults.chosen("numpy", 30, 5)]
    assert len(set(first) & set(fewer)) >= 10  # those of the 30 that are among them, or nearly
    monkeypatch.undo()
    names = {mutant.name for backend in ("numpy", "torch") for mutant in faults.mutants(backend)}
    assert len(names) > 10_000
    reasons = {name for backend in ("numpy", "torch") for name in faults.equivalent(backend)}
    assert sorted(reasons - names) == []
    starts = {start for backend in ("numpy", "torch") for start in faults.elsewhere(backend)}
    assert [start for start in sorted(starts) if not any(name.startswith(start) for name in names)] == []


def _ran(*arguments: str) -> subprocess.CompletedProcess[str]:
    script = """
import argparse, sys
from unigrad_conformance.mutation.command import Mutate
parser = argparse.ArgumentParser()
Mutate().add_arguments(parser)
sys.exit(Mutate().run(parser.parse_args(sys.argv[1:])))
"""
    # In a process of its own, which is forked.
    return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=300)


def test_mutants_of_a_rule_are_found_by_its_cases(tmp_path: Path) -> None:
    found = _ran("--only", "vjp(tanh)", "--case", "tanh*", "--programs", "0", "--json", str(tmp_path / "found.json"))
    assert found.returncode == 0, found.stdout + found.stderr
    data = json.loads((tmp_path / "found.json").read_text())
    assert data["share"] >= 0.98
    assert {row["fault"] for row in data["mutants"]} >= {"sign", "factor", "zero for NaN"}
    assert all(row["tier"] and "tanh" in row["found"]["suite"] for row in data["mutants"] if not row["equivalent"])


def test_mutants_of_crossings_between_backends_are_found_by_their_cases() -> None:
    found = _ran("--only", "pull_across.arrive", "--case", "crossing.*", "--programs", "0")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "finds 100.0 %" in found.stdout


def test_what_no_case_goes_through_is_a_gap() -> None:
    found = _ran("--only", "vjp(sinh)", "--case", "tanh*", "--programs", "0")
    assert found.returncode == 1
    assert "no case goes there" in found.stdout


def test_a_crossing_of_an_earlier_case_hides_no_mutant() -> None:
    cases = ("seeds.dot_gradient", "crossing.both_orders")
    found = _ran(
        "--backend", "torch", "--only", "_at_once: statement forgotten: grad._raw", "--case", *cases, "--programs", "0"
    )
    assert "finds 100.0 %" in found.stdout, found.stdout + found.stderr


def test_what_the_backend_never_runs_is_no_gap_and_says_where_it_runs() -> None:
    found = _ran("--only", "_at_once: flag", "--case", "tanh*", "--programs", "0")
    assert found.returncode == 0, found.stdout + found.stderr
    assert "never run: `unigrad/engine/passes.py: _at_once" in found.stdout
    assert "where the framework records: --backend torch" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--backend", "jax"), "cannot be forked"),
        (("--mutants", "0"), "must be above 0"),
        (("--case", "tnah"), "no case matches 'tnah'"),
        (("--only", "nothing at all"), "no mutant has 'nothing at all'"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    Mutate().add_arguments(parser)
    assert Mutate().run(parser.parse_args(arguments)) == 2
    assert said in capsys.readouterr().err
