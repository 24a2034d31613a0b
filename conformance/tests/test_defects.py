"""The catalogue of upstream defects: each is wrong by the rule, and the page is what it generates."""

from __future__ import annotations

from collections import Counter

import pytest
from unigrad_conformance import atlas, defects
from unigrad_conformance.conventions import agrees
from unigrad_conformance.points import Point

EVERY = list(defects.entries())


@pytest.mark.parametrize(("name", "point", "known"), EVERY, ids=[f"{name}-{point.id}" for name, point, _ in EVERY])
def test_a_defect_is_wrong_where_one_answer_is_right(name: str, point: Point, known: str) -> None:
    own = point.own[name]
    assert own.gives not in ("absent", "raises", "crashes", "none")
    assert not agrees(point, own.gives), "it has been mended: remove the entry"
    assert set(atlas.rules_of(point)) <= {"smooth", "continuity"}
    assert known == "" or known.startswith("https://")


def test_the_page_is_what_the_file_generates() -> None:
    assert defects.PAGE.read_text() == defects.page(), "type: unigrad defects --write"


def test_there_are_defects_of_every_framework() -> None:
    assert min(Counter(name for name, *_ in EVERY).values()) >= 4
