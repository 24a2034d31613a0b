"""The atlas is made from the data: every point and every answer is on it, as text, and is found by filter and link."""

from __future__ import annotations

import html
import importlib.util
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browser import CHROMIUM, noted
from unigrad_conformance import atlas
from unigrad_conformance.points import TITLES, points, releases, shown, versions
from unigrad_conformance.reproducing import program

PAGE = atlas.page()
ARTICLES = dict(re.findall(r'(?s)<article id="(.*?)"(.*?)</article>', PAGE))
needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="filters run in a browser: install chromium")


def test_every_point_and_every_answer_is_on_the_page() -> None:
    assert list(ARTICLES) == [point.id for group in atlas.groups() for point in points() if point.group == group]
    assert len(ARTICLES) == len(points())
    for point in points():
        article = ARTICLES[point.id]
        for text in (point.call, point.why, *map(shown, point.inputs.values())):
            assert html.escape(text) in article
        for name, gives in {"unigrad": point.answer, **{name: own.gives for name, own in point.own.items()}}.items():
            title = "unigrad" if name == "unigrad" else f"{TITLES[name]} {versions()[name]}"
            row = re.search(rf"(?s)<tr><th[^>]*>{re.escape(title)}( ≠)?</th>(.*?)</tr>", article)
            assert row, (point.id, name)
            found = re.findall(r'<td class="answer(?: differs)?"[^>]*>(.*?)</td>', row[2])
            value, *derivatives = ["", *found] if len(found) == 1 else found
            text = html.unescape(" / ".join(derivatives))
            assert gives == (text if value in ("", shown(point.value)) else f"{text} (value {value})")
            assert bool(row[1]) == (name in atlas.marks(point))
        for name, own in point.own.items():
            if own.call is not None:
                assert html.escape(program(name, point, own.call)) in article


def test_another_release_has_a_row_where_it_answers_otherwise() -> None:
    for name, found in releases().items():
        for version, changed in found.items():
            title = f"{TITLES[name]} {version}"
            rows = {id: re.search(rf"(?s)<th[^>]*>{title}( ≠)?</th>(.*?)</tr>", a) for id, a in ARTICLES.items()}
            assert {id for id, row in rows.items() if row} == set(changed)
            for id, gives in changed.items():
                row = rows[id]
                assert row
                text = " / ".join(re.findall(r'<td class="answer[^>]*>(.*?)</td>', row[2]))
                slopes, _, value = gives.removesuffix(")").partition(" (value ")
                assert text.endswith(f"{value} / {slopes}" if value else gives)
            assert re.search(rf"<th[^>]*>{TITLES[name]}</th><td>{version}</td>", PAGE)
    (point,) = (point for point in points() if point.id == "clip_edges")
    assert "changed" in atlas.marks(point)


def test_the_page_needs_nothing_besides() -> None:
    assert re.findall(r"(?:src|href)=\"?[^#\"]|https?:|url\(|@import|<link", PAGE) == []


def test_what_decides_a_point() -> None:
    decides = {point.id: atlas.rules_of(point) for point in points()}
    assert decides["max_ties"] == ["convex"]
    assert decides["relu6_edges"] == ["convex", "concave"]
    assert decides["sqrt_zero"] == ["continuity"]
    assert decides["default_float"] == ["decision"]


def test_a_program_stands_alone() -> None:
    for point in points():
        for name, own in point.own.items():
            if own.call is not None:
                code = program(name, point, own.call)
                compile(code, point.id, "exec")
                assert not re.search(r"\b(unigrad|ug)\b", code)
    if importlib.util.find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    (point,) = (point for point in points() if point.id == "maximum_tie")
    code = program("torch", point, point.own["torch"].call or "")
    printed = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.count("0.5000") == 2


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "page.html"
    assert atlas.main(["--output", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == PAGE
    assert atlas.main(["--output", str(tmp_path / "none" / "page.html")]) == 2
    assert "cannot be written: No such file" in capsys.readouterr().err


FILTER = """
  const choose = (changes) => {
    for (const id of ["text", "family", "rule", "answers"]) by(id).value = changes[id] || "";
    by("text").dispatchEvent(new Event("input"));
    return { ids: points.filter((point) => point.offsetParent).map((point) => point.id),
      left: by("left").textContent, titles: [...document.querySelectorAll("h2")].filter((h) => h.offsetParent).length };
  };
  const seen = { all: choose({}), text: choose({ text: "ug.maximum NAN" }), family: choose({ family: "complex" }),
    rule: choose({ rule: "undefined" }), disagree: choose({ answers: "disagree" }), mxnet: choose({ answers: "mxnet" }),
    changed: choose({ answers: "changed" }),
    none: choose({ text: "no such point" }) };
  location.hash = "#clip_nan";
  setTimeout(() => {
    seen.followed = { left: by("left").textContent, top: Math.abs(by("clip_nan").getBoundingClientRect().top) };
    seen.wide = document.documentElement.scrollWidth - innerWidth;
    note(seen);
  }, 100);
"""


@needs_browser
def test_points_are_found_by_text_family_rule_and_answers(tmp_path: Path) -> None:
    seen = noted(PAGE, FILTER, tmp_path)
    every = [point.id for point in points()]
    assert sorted(seen["all"]["ids"]) == sorted(every)
    assert seen["text"]["ids"] == ["maximum_nan"]
    assert seen["family"]["ids"] == [point.id for point in points() if point.group == "complex"]
    assert seen["family"]["titles"] == 1
    for key, wanted in (("disagree", "disagree"), ("mxnet", "mxnet"), ("changed", "changed")):
        assert set(seen[key]["ids"]) == {point.id for point in points() if wanted in atlas.marks(point)}
    assert set(seen["rule"]["ids"]) == {point.id for point in points() if "undefined" in atlas.rules_of(point)}
    assert seen["none"] == {"ids": [], "left": f"0 of {len(every)} points", "titles": 0}
    assert seen["followed"]["left"] == f"{len(every)} of {len(every)} points", "a link shows its point, filtered or not"
    assert seen["followed"]["top"] < 300
    assert seen["wide"] <= 0, "the page is no wider than the screen"


@needs_browser
def test_a_link_leads_to_its_point(tmp_path: Path) -> None:
    script = "setTimeout(() => note([scrollY, document.querySelector('article:target').id]), 100);"
    down, target = noted(PAGE, script, tmp_path, "#second_of_det")
    assert target == "second_of_det"
    assert down > 1000


@needs_browser
def test_no_text_of_the_data_becomes_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = """'</script><img src=x onerror="window.alarmed = true">'"""
    first = points()[0]
    own: dict[str, Any] = {name: replace(each, call=bad, gives=bad) for name, each in first.own.items()}
    row = replace(first, call=bad, why=bad, own=own)
    monkeypatch.setattr(atlas, "points", lambda: (row,))
    script = "note([window.alarmed || false, points.length, document.querySelectorAll('img').length])"
    page = atlas.page()
    assert noted(page, script, tmp_path) == [False, 1, 0]
    assert Counter(re.findall("<img", page)) == Counter()
