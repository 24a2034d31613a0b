"""The file of conventions is whole, the page is what it generates, and the frameworks answer as it says."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from unigrad_conformance import conventions, frameworks, points
from unigrad_conformance.points import FRAMEWORKS, OTHERS, TITLES, derivatives, shown

sys.path.insert(0, str(Path(__file__).parents[1]))
import answers

POINTS = points.points()
# JAX compiles for each point; `unigrad conventions --measure` asks for all.
EVERY = {"jax": 8}


def test_ids_are_unique() -> None:
    assert [id for id, count in Counter(point.id for point in POINTS).items() if count > 1] == []


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.id)
def test_a_point_is_whole(point: points.Point) -> None:
    assert point.why
    assert point.group in points.groups()
    assert list(point.own)[: len(FRAMEWORKS)] == list(FRAMEWORKS)
    for own in point.own.values():
        assert own.gives
        assert (own.gives == "absent") == (own.call is None)
    assert (point.value is not None and set(point.gradient) == set(point.inputs)) if point.inputs else point.results


def test_the_page_is_what_the_file_generates() -> None:
    assert conventions.PAGE.read_text() == conventions.page(), "type: unigrad conventions --write"


@pytest.mark.parametrize("name", OTHERS)
def test_the_answers_of_a_further_framework_are_whole(name: str) -> None:
    found = points.answers(name)
    assert set(found["points"]) <= {point.id for point in POINTS}
    assert all(each["gives"] and each["call"] for each in found["points"].values())
    assert f"=={found['version']}" in answers.PINNED[name][0], "type: python conformance/answers.py"


@pytest.mark.parametrize("name", TITLES)
def test_a_framework_answers_as_recorded(name: str) -> None:
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{TITLES[name]} is not installed")
    asked = frameworks.asked(name)[:: EVERY.get(name, 1)]
    known = points.releases().get(name, {}).get(frameworks.version(name), {})
    found = {id: gives for id, (_, gives) in conventions.changes(name, asked).items()}
    assert found == {id: gives for id, gives in known.items() if id in asked}


def test_answers_in_one_line() -> None:
    assert shown([0.0, -0.0, 1 / 3, float("nan"), float("-inf")]) == "0 0 0.333333 nan -inf"
    assert shown([[1, 2], [3, 4]]) == "1 2, 3 4"
    assert [shown(found) for found in (None, True, "raises", 1 - 2j)] == ["none", "true", "raises", "1-2j"]
    assert derivatives([1, None], [[0.0, 2.0]]) == "1; none / 0 2"


def test_answers_of_a_further_framework_are_written_into_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(points.answers_file("mygrad"), tmp_path))
    monkeypatch.setattr(conventions, "answers_file", lambda name: copy)
    before = tomllib.loads(copy.read_text())
    conventions.write("mygrad", {"abs_zero": "7"}, "0.1")
    before["version"] = "0.1"
    before["points"]["abs_zero"]["gives"] = "7"
    assert tomllib.loads(copy.read_text()) == before


def test_what_another_release_answers_is_whole() -> None:
    recorded = {(name, point.id): own.gives for point in POINTS for name, own in point.own.items()}
    asked = [f"{name}=={version}" for name, found in points.releases().items() for version in found]
    assert asked == list(answers.RELEASES)
    for name, found in points.releases().items():
        for version, changed in found.items():
            assert version != points.versions()[name]
            assert [id for id, gives in changed.items() if recorded[name, id] in (gives, "absent")] == []


def test_what_another_release_answers_is_written_beside_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(points.RELEASES, tmp_path))
    monkeypatch.setattr(conventions, "RELEASES", copy)
    before = tomllib.loads(copy.read_text())
    for name in before:
        for version, changed in before[name].items():
            conventions.write_release(name, changed, version)
    assert copy.read_text() == points.RELEASES.read_text()
    conventions.write_release("jax", {"abs_zero": "7"}, "0.1")
    before["jax"]["0.1"] = {"abs_zero": "7"}
    assert tomllib.loads(copy.read_text()) == before


def test_answers_are_written_into_the_file_and_nothing_else_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = Path(shutil.copy(points.FILE, tmp_path))
    monkeypatch.setattr(conventions, "FILE", copy)
    before = copy.read_text().splitlines()
    conventions.write("torch", {POINTS[0].id: "7 8 9"}, "0.1")
    changed = [(old, new) for old, new in zip(before, copy.read_text().splitlines(), strict=True) if old != new]
    of_version, pair = changed
    assert of_version == (f'torch = "{points.versions()["torch"]}"', 'torch = "0.1"')
    assert pair[1] == pair[0].replace(f'"{POINTS[0].own["torch"].gives}"', '"7 8 9"')


def test_a_point_that_ends_the_process_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    first, deadly, last = (point.id for point in POINTS[:3])

    def run(command: Sequence[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked = command[4:]
        answered = asked[: asked.index(deadly)] if deadly in asked else asked
        lines = [json.dumps([id, "0"]) + "\n" for id in answered]
        return subprocess.CompletedProcess(command, 0 if answered == asked else -11, "".join(lines), "")

    monkeypatch.setattr(subprocess, "run", run)
    assert frameworks.measure("torch", [first, deadly, last]) == {first: "0", deadly: "crashes", last: "0"}


def test_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert conventions.main([]) == 0
    assert capsys.readouterr().out == conventions.page()
    assert conventions.main(["--measure", "--point", "nonsense"]) == 2
    assert conventions.main(["--write", "--release", "--point", "max_ties"]) == 2
    assert "leave --point out" in capsys.readouterr().err
    arguments = ["--measure", "--framework", "torch", "--point", "max_ties"]
    monkeypatch.setattr(frameworks, "measure", lambda name, ids: {ids[0]: "0 0.5 0.5"})
    assert conventions.main(arguments) == 0
    monkeypatch.setattr(frameworks, "measure", lambda name, ids: {ids[0]: "0 1 1"})
    assert conventions.main(arguments) == 1
    assert "PyTorch, max_ties: the file has '0 0.5 0.5', it gives '0 1 1'" in capsys.readouterr().out
