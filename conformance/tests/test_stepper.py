"""The stepper, run in a real browser: what it shows at every step is what unigrad computes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import CHROMIUM, noted
from unigrad_conformance.runner import APART

import unigrad as ug

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="the stepper runs in a browser: install chromium")
# Not those that compute nothing by themselves: these tests look at values.
BACKENDS = [row.name for row in ug.available_backends() if row.installed and row.name not in APART]

# Goes through all passes by the keys that users press, and notes what is to be seen after each.
HARNESS = """
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  const seen = () => ({
    title: by("title").textContent,
    lines: [...document.querySelectorAll("#lines p")].map((line) => line.textContent),
    rows: [...document.querySelectorAll("tbody tr")].map((row) =>
      [row.cells[0].textContent, row.cells[2].textContent, row.cells[3].textContent]),
    boxes: [...document.querySelectorAll(".drawing g[id^=box]")].map((box) =>
      [...box.querySelectorAll("text.cotangent")].map((line) => line.textContent.trim()).join(" ").trim()),
    marks: [...document.querySelectorAll(".mark")].map((mark) => mark.textContent),
    thick: [...document.querySelectorAll("g.now")].map((box) => box.id),
  });
  const told = [];
  for (let n = 0; n < passes.length; n++) {
    const steps = [seen()];
    while (!by("next").disabled) { press("ArrowRight"); steps.push(seen()); }
    press("ArrowLeft");
    const back = seen();
    press("Home");
    const first = seen();
    by("last").click();
    told.push({ name: by("mode").selectedOptions[0].textContent, steps, back, first, last: seen() });
    press("m");
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  note({ told, wide, alarmed: window.alarmed });
"""


def run(page: str, folder: Path) -> Any:
    """What the harness saw."""
    return noted(page, HARNESS, folder)


def value(text: str) -> Any:
    return np.asarray(json.loads(text))


PARTS: dict[str, Callable[[Any, Any], Any]] = {
    "x": lambda x, y: x,
    "y": lambda x, y: y,
    "a": lambda x, y: x * y,
    "b": lambda x, y: ug.sin(x),
    "c": lambda x, y: x * y + ug.sin(x),
    "d": lambda x, y: (x * y + ug.sin(x)) * y,
    "e": lambda x, y: ((x * y + ug.sin(x)) * y).sum(),
}
"""Each variable of the program below as a function of its arguments."""


def program(x: Any, y: Any) -> Any:
    a = x * y
    b = ug.sin(x)
    c = a + b
    d = c * y
    e = d.sum()
    return e


@pytest.mark.parametrize("backend", BACKENDS)
def test_every_step_shows_what_unigrad_computes(backend: str, tmp_path: Path) -> None:
    with ug.use_backend(backend):
        x, y = ug.asarray([1.0, 2.0]), ug.asarray(3.0)
        seen = run(ug.graph(program, x, y).html(), tmp_path)
        reverse, along_x, along_y = seen["told"]
        names = [row[0].split(" ")[0].rstrip(":") for row in reverse["steps"][0]["rows"]]
        assert sorted(names) == sorted(PARTS)

        x.attach_grad()
        y.attach_grad()
        with ug.record():
            a, b = x * y, ug.sin(x)
            c = a + b
            d = c * y
            e = d.sum()
        held = {"x": x, "y": y, "a": a, "b": b, "c": c, "d": d, "e": e}
        cotangents = dict(zip(held, ug.gradients(e, list(held.values())), strict=True))

        assert reverse["name"] == "Reverse mode"
        passed = []
        for step in reverse["steps"]:
            at = step["title"].split(" ")[0].rstrip(":")
            shown = {name: row[2] for name, row in zip(names, step["rows"], strict=True)}
            # All that can arrive has arrived when a step begins there.
            np.testing.assert_allclose(value(shown[at]), cotangents[at].numpy(), rtol=1e-4)
            passed.append(at)
            for line in step["lines"]:
                *_, product, result = line.split(" = ") if step is not reverse["steps"][0] else ("1", "1")
                factors = re.sub(r", summed over.*", "", product)
                if "·" in factors:
                    one, other = map(value, factors.split(" · "))
                    np.testing.assert_allclose(np.sum(one * other), np.sum(value(result)), rtol=1e-3)
        assert passed == ["e", "e", "d", "c", "b", "a"]
        _check_end(reverse, names, {name: g.numpy() for name, g in cotangents.items()})

        for forward, moves in ((along_x, (x.ones_like(), y.zeros_like())), (along_y, (x.zeros_like(), y.ones_like()))):
            tangents = {name: ug.jvp(part, (x.detach(), y.detach()), moves)[1].numpy() for name, part in PARTS.items()}
            still = "y" if forward is along_x else "x"
            without = [still, "b"] if still == "x" else [still]
            for step in forward["steps"]:
                at = step["title"].split(" ")[0].rstrip(":")
                shown = {name: row[2] for name, row in zip(names, step["rows"], strict=True)}
                np.testing.assert_allclose(value(shown[at]), tangents[at], rtol=1e-4)
            _check_end(forward, names, {name: t for name, t in tangents.items() if name not in without})


def _check_end(told: Any, names: list[str], expected: dict[str, Any]) -> None:
    """The last step has all numbers, in the table and in the boxes; keys and buttons go where they say."""
    last = told["steps"][-1]
    for name, row, box in zip(names, last["rows"], last["boxes"], strict=True):
        if name in expected:
            np.testing.assert_allclose(value(row[2]), expected[name], rtol=1e-4)
            assert box.split(" ", 1)[1] == row[2]
        else:
            assert (row[2], box) == ("", "")
    assert told["last"] == last
    assert told["first"] == told["steps"][0]
    assert told["back"] == told["steps"][-2]
    for step in told["steps"]:
        assert step["marks"].count("▶") == len(step["thick"]) == 1


def test_a_graph_with_folds_is_stepped_through_to_the_same_end(tmp_path: Path) -> None:
    w = ug.asarray([0.4, -0.2])

    def f(x: Any, w: Any) -> Any:
        for _ in range(60):
            x = ug.tanh(x * w + x)
        return x.sum()

    x = ug.asarray([0.1, 0.2])
    seen = run(ug.graph(f, x, w, most=20).html(), tmp_path)
    assert seen["wide"] <= 0, "the page is no wider than the screen"
    last = {row[0].split(":")[0]: row[2] for row in seen["told"][0]["steps"][-1]["rows"]}
    for name, g in zip(("x", "w"), ug.grad(f, argnums=(0, 1))(x, w), strict=True):
        np.testing.assert_allclose(value(last[name]), g.numpy(), rtol=1e-3)


def test_no_name_becomes_code(tmp_path: Path) -> None:
    name = '</script><script>window.alarmed = true</script><img src=x onerror="window.alarmed = true">'
    x = ug.asarray(2.0)
    x.attach_grad()
    with ug.record():
        y = x * x
    seen = run(ug.graph(y, names={name: x, "y": y}).html(), tmp_path)
    assert "alarmed" not in seen
    assert any(name in row[0] for row in seen["told"][0]["steps"][0]["rows"])
