"""``ug.plot``: the numbers that are drawn, on every backend, and what a drawing holds."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from typing import Any

import numpy as np
import pytest

import unigrad as ug

BACKENDS = [row.name for row in ug.available_backends() if row.installed]


def bent(x: Any) -> Any:
    if x > 0:
        return x * x
    return -x


def well(w: Any) -> Any:
    return (w * w).sum() / 2 + w[0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_numbers_are_those_of_the_derivatives(backend: str) -> None:
    drawn = ug.plot(ug.sin, (-2, 2), 2, backends=backend, at=0.5)
    value, first, second = drawn.values[backend]
    x = drawn.points
    for found, expected in ((value, np.sin(x)), (first, np.cos(x)), (second, -np.sin(x))):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert "slope 0.8776" in drawn.svg()
    assert ug.get_backend() == "numpy"


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_field_is_that_of_the_gradients(backend: str) -> None:
    drawn = ug.plot(well, ((-2, 1), (0, 3)), backends=backend, at=(0, 1))
    x, y = np.meshgrid(*drawn.points)
    for found, expected in zip(drawn.values[backend], ((x * x + y * y) / 2 + x, x + 1, y), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
    assert "w[0]" in drawn.svg()
    assert "gradient (1, 1)" in drawn.svg()


def test_a_field_is_of_two_scalars_or_of_one_array() -> None:
    sides = (-2, 1), (0, 3)
    found = [ug.plot(f, sides).values["numpy"] for f in (well, lambda a, b: well(ug.stack([a, b])))]
    np.testing.assert_allclose(*found)


def test_a_function_may_branch_and_loop() -> None:
    def long(x: Any) -> Any:
        while abs(x) < 10:
            x = 2 * x + 1
        return x

    drawn = ug.plot(bent, (-1, 1), at=[-0.5, 0.5])
    value, slope = drawn.values["numpy"]
    assert value[0] == 1.0
    assert slope[[0, 200, -1]].tolist() == [-1.0, -1.0, 2.0]
    assert "slope -1" in drawn.svg()
    assert ug.plot(long, (0, 1)).values["numpy"][1].tolist()[-1] == 8.0


def test_several_backends_are_drawn_over_each_other() -> None:
    drawn = ug.plot(ug.exp, (0, 1), 0, backends=["numpy", "torch"])
    np.testing.assert_allclose(drawn.values["numpy"], drawn.values["torch"], rtol=1e-15)
    markers = {line.get_marker() for line in drawn.axes.lines}
    assert {"o", "s"} <= markers


def test_lines_are_told_apart_without_colour() -> None:
    drawn = ug.plot(ug.sin, (0, 1), 8)
    assert len({str(line.get_linestyle()) + str(line._dash_pattern) for line in drawn.axes.lines[:9]}) == 9


def test_a_backend_that_fails_is_left_out_and_said_so() -> None:
    def f(x: Any) -> Any:
        if ug.get_backend() == "torch":
            raise ValueError("not $today$ <b>")
        return x

    drawn = ug.plot(f, (0, 1), backends=["torch", "numpy"])
    assert list(drawn.values) == ["numpy"]
    assert drawn.notes == ["torch is left out: ValueError: not $today$ <b>"]
    assert "not $today$ &lt;b&gt;" in drawn.svg()
    with pytest.raises(ValueError, match=r"not \$today"):
        ug.plot(f, (0, 1), backends="torch")


def test_what_is_not_finite_leaves_a_gap_and_what_is_far_is_cut_off() -> None:
    drawn = ug.plot(lambda x: 1 / x, (-1, 1))
    assert not np.isfinite(drawn.values["numpy"][0][200])
    assert drawn.notes == ["Far values are cut off."]
    assert np.all(np.abs(drawn.axes.get_ylim()) < 1000)
    step = ug.plot(ug.floor, (-1.5, 1.5), 0)
    assert np.isnan(step.axes.lines[0].get_ydata()).sum() == 3


def test_names_are_written_as_they_are() -> None:
    def _cost(x: Any) -> Any:
        return x

    assert "_cost'" in ug.plot(_cost, (0, 1)).svg()
    _cost.__name__ = "</svg>$x$"
    svg = ug.plot(_cost, (0, 1)).svg()
    assert ET.fromstring(svg).tag.endswith("svg")
    assert "x$" not in svg


def test_it_draws_itself_and_in_axes_of_ones_own(tmp_path: Any) -> None:
    from matplotlib.figure import Figure

    drawn = ug.plot(ug.tanh, (-1, 1))
    shown = drawn._repr_mimebundle_()
    assert ET.fromstring(shown["image/svg+xml"]).tag.endswith("svg")
    assert shown["image/svg+xml"] == ug.plot(ug.tanh, (-1, 1)).svg()
    assert "on numpy" in shown["text/plain"]
    drawn.save(tmp_path / "tanh.png")
    assert (tmp_path / "tanh.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ug.ArgumentError, match=r"\.png"):
        drawn.save(tmp_path / "tanh.xyz")
    axes = Figure().subplots(1, 2)
    assert ug.plot(ug.tanh, (-1, 1), axes=axes[1]).axes is axes[1]
    assert not axes[0].lines


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        ((3, (0, 1)), {}, "takes a function"),
        ((ug.sin, 3), {}, "low, high"),
        ((ug.sin, "01"), {}, "low, high"),
        ((ug.sin, (1, 0)), {}, "to a larger one"),
        ((ug.sin, (0, np.inf)), {}, "finite"),
        ((ug.sin, ((0, 1), (0, 1), (0, 1))), {}, "two variables"),
        ((ug.sin, (0, 1), -1), {}, "0 to 8"),
        ((ug.sin, (0, 1), 1.5), {}, "0 to 8"),
        ((ug.hypot, ((0, 1), (0, 1)), 2), {}, "ug.hessian"),
        ((ug.sin, (0, 1)), {"backends": "nonsense"}, "numpy"),
        ((ug.sin, (0, 1)), {"backends": []}, "numpy"),
        ((ug.sin, (0, 1)), {"at": 2}, "from 0 to 1"),
        ((ug.sin, (0, 1)), {"at": "x"}, "from 0 to 1"),
        ((ug.hypot, ((0, 1), (0, 1))), {"at": 0.5}, "pair"),
        ((ug.sin, (0, 1)), {"axes": 1}, "subplots"),
        ((lambda x: x + ug.ones(2), (0, 1)), {}, "shape"),
        ((lambda x: (x, x), (0, 1)), {}, "tuple"),
        ((lambda x: None, (0, 1)), {}, "NoneType"),
        ((lambda x: x * 1j, (0, 1)), {}, "complex"),
    ],
)
def test_wrong_arguments(arguments: Any, options: Any, match: str) -> None:
    with pytest.raises(ug.UnigradError, match=match):
        ug.plot(*arguments, **options)


def test_without_matplotlib_it_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ug.BackendError, match=r"pip install 'unigrad\[teach\]'"):
        ug.plot(ug.sin, (0, 1))
