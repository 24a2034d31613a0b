"""What ``ug.plot`` returns: the numbers, and matplotlib's drawing of them."""

from __future__ import annotations

import importlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from unigrad.base.errors import ArgumentError, BackendError
from unigrad.base.words import Values
from unigrad.looking.writing import plain

LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (8, 2)),
    (0, (5, 1, 1, 1, 1, 1)),
    (0, (1, 4)),
    (0, (10, 3, 2, 3)),
    (0, (3, 6)),
)
"""One for each order of derivative, so that they are told apart without colour."""
MARKERS = ("o", "s", "^", "x", "D", "v", "+", "P")
"""One for each backend."""
MARKS = 12
"""So many markers stand along a line."""
ARROWS = 15
"""So many arrows stand along a side of a field."""
FAR = 8.0
"""What is so many times as high as the middle nine tenths of all values is not drawn to its end."""
WIDE = 84
"""So many small letters are in a line."""
NAME = 30
"""Longer names are cut."""


@dataclass(frozen=True)
class Curves:
    """A function of one variable, on each backend."""

    name: str
    variables: Sequence[str]
    points: Values
    values: Mapping[str, tuple[Values, ...]]
    tangents: Sequence[tuple[float, float, float]]
    """Points with the value and the slope there."""


@dataclass(frozen=True)
class Field:
    """A function of two variables, on each backend: its values, and the two parts of its gradient."""

    name: str
    variables: Sequence[str]
    across: Values
    up: Values
    values: Mapping[str, tuple[Values, ...]]
    place: tuple[float, float] | None
    at: tuple[float, ...] | None
    """The value and the gradient at ``place``."""


class Plot:
    """A drawing by matplotlib, and the numbers that it shows. In a notebook it draws itself."""

    def __init__(self, axes: Any, points: Any, values: Mapping[str, tuple[Values, ...]], notes: Sequence[str]) -> None:
        self.axes = axes
        """matplotlib's axes, to draw more into or to set a title."""
        self.figure = axes.figure
        """matplotlib's figure."""
        self.points = points
        """Where the function was computed: an array, or of a field a pair of them, the grid's sides."""
        self.values = values
        """By backend: the function at the points, and then each derivative (of a field: by each variable)."""
        self.notes = list(notes)
        """What the drawing does not show, in words."""

    def save(self, path: str | Path) -> None:
        """Write it to a file in the form that its name ends with, of those that matplotlib has: ``.png``, ``.svg``,
        ``.pdf``, ...; ArgumentError for all else."""
        path = Path(path)
        known = self.figure.canvas.get_supported_filetypes()
        if path.suffix.lower().removeprefix(".") not in known:
            raise ArgumentError(f"{str(path)!r} ends in none of {', '.join(f'.{each}' for each in sorted(known))}")
        with _style():
            self.figure.savefig(path, dpi=160)

    def svg(self) -> str:
        """The drawing as SVG."""
        written = io.StringIO()
        with _style():
            self.figure.savefig(written, format="svg", metadata={"Date": None})
        return written.getvalue()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}

    def __repr__(self) -> str:
        shown = f"a drawing on {', '.join(self.values)}; .save('plot.png') writes it, .axes and .values have it"
        return "\n".join([shown, *self.notes])


def _matplotlib(module: str) -> Any:
    try:
        return importlib.import_module(f"matplotlib.{module}")
    except ImportError as error:
        raise BackendError(
            f"ug.plot draws with matplotlib, which cannot be imported ({error}); install it with: "
            f"pip install 'unigrad[teach]'"
        ) from error


def _style() -> Any:
    """Ids in a drawing are the same each time, so that a notebook that is run again does not change."""
    return importlib.import_module("matplotlib").rc_context({"svg.hashsalt": "unigrad"})


def _axes(given: Any) -> Any:
    if given is None:
        figure = _matplotlib("figure").Figure(figsize=(6.4, 4.2), layout="constrained")
        return figure.add_subplot()
    if not hasattr(given, "plot") or not hasattr(given, "figure"):
        raise ArgumentError(f"axes={given!r} must be matplotlib's axes, as plt.subplots() returns them")
    return given


def _short(text: str) -> str:
    return text if len(text) <= NAME else text[: NAME - 3] + "..."


def _primed(name: str, order: int) -> str:
    return name + ("'" * order if order < 4 else f"^({order})")


def _legend(axes: Any, handles: Sequence[Any], labels: Sequence[str], own: bool) -> None:
    """Beside the drawing, not on it. Names are written as they are: one may begin with ``_`` or hold ``$``."""
    columns = max(1, min(4, len(labels), WIDE // (max(map(len, labels)) + 8)))
    numbers = [str(number) for number in range(len(labels))]
    kept: dict[str, Any] = {"ncols": columns, "frameon": False, "handlelength": 3.2, "fontsize": "small"}
    if own:
        found = axes.figure.legend(handles, numbers, loc="outside upper center", **kept)
    else:
        found = axes.legend(handles, numbers, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, **kept)
    for text, label in zip(found.get_texts(), labels, strict=True):
        text.set_parse_math(False)
        text.set_text(label)


def _labelled(axes: Any, across: str, up: str, notes: Sequence[str]) -> None:
    """What is along the axes, and the notes below it."""
    below = [plain(note) if len(note) <= WIDE else f"{plain(note)[:WIDE]}..." for note in notes]
    for text, label in ((axes.xaxis.label, "\n".join([_short(across), *below])), (axes.yaxis.label, _short(up))):
        text.set_parse_math(False)
        text.set_text(label)


def _broken(points: Values, values: Values) -> tuple[Values, Values]:
    """The points of a line, with a gap where it jumps: a step that is ten times as high as those beside it."""
    values = np.where(np.isfinite(values), values, np.nan)
    steps = np.nan_to_num(np.abs(np.diff(values)))
    beside = np.maximum(np.append(0.0, steps[:-1]), np.append(steps[1:], 0.0))
    jumps = np.flatnonzero((steps > 10 * beside) & (steps > 0.01 * (np.nanmax(values) - np.nanmin(values)))) + 1
    return np.insert(points, jumps, points[jumps]), np.insert(values, jumps, np.nan)


def drawn_curves(curves: Curves, notes: Sequence[str], axes: Any) -> Plot:
    """The lines of a function of one variable and its derivatives."""
    own = axes is None
    axes = _axes(axes)
    lines = _matplotlib("lines")
    several = len(curves.values) > 1
    handles, labels = [], []
    for place, (backend, orders) in enumerate(curves.values.items()):
        for order, values in enumerate(orders):
            start = (order * 3 + place * len(curves.points) // (MARKS * len(curves.values))) % len(curves.points)
            axes.plot(
                *_broken(curves.points, values), linestyle=LINES[order],
                color=f"C{order}", linewidth=2.0 if order == 0 else 1.6,
                marker=MARKERS[place % len(MARKERS)] if several else None, markersize=5, fillstyle="none",
                markevery=(start, max(1, len(curves.points) // MARKS)),
            )  # fmt: skip
            if place == 0:
                handles.append(lines.Line2D([], [], linestyle=LINES[order], color=f"C{order}"))
                labels.append(_primed(_short(curves.name), order))
        if several:
            handles.append(
                lines.Line2D([], [], linestyle="", marker=MARKERS[place % len(MARKERS)], color="0.2", fillstyle="none")
            )
            labels.append(backend)
    low, high, cut = _limits([values for orders in curves.values.values() for values in orders])
    for x, value, slope in curves.tangents:
        axes.plot(curves.points, value + slope * (curves.points - x), color="0.25", linewidth=1.0)
        axes.plot([x], [value], marker="o", color="0.1", markersize=6)
        handles.append(lines.Line2D([], [], color="0.25", linewidth=1.0, marker="o"))
        labels.append(f"tangent at {curves.variables[0]} = {x:.4g}: slope {slope:.4g}")
    if low < high:
        axes.set_ylim(low, high)
    axes.axhline(0.0, color="0.75", linewidth=0.8, zorder=0)
    axes.grid(color="0.92")
    axes.set_xlim(curves.points[0], curves.points[-1])
    notes = [*notes, *(["Far values are cut off."] if cut else [])]
    _labelled(axes, curves.variables[0], "", notes)
    _legend(axes, handles, labels, own)
    return Plot(axes, curves.points, curves.values, notes)


def _limits(lines: Sequence[Values]) -> tuple[float, float, bool]:
    """Between which heights is drawn, and whether that leaves something out: near a pole nothing else would be seen."""
    found = np.concatenate([values[np.isfinite(values)] for values in lines])
    if not found.size:
        return 0.0, 0.0, False
    low, high = float(found.min()), float(found.max())
    inner_low, inner_high = (float(each) for each in np.quantile(found, [0.05, 0.95]))
    cut = high - low > FAR * (inner_high - inner_low) > 0
    if cut:
        low, high = max(low, inner_low), min(high, inner_high)
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin, cut


def drawn_field(field: Field, notes: Sequence[str], axes: Any) -> Plot:
    """The level lines of a function of two variables, and its gradients as arrows."""
    own = axes is None
    axes = _axes(axes)
    lines = _matplotlib("lines")
    first, *_ = field.values.values()
    values = np.where(np.isfinite(first[0]), first[0], np.nan)
    filled = axes.contourf(field.across, field.up, values, levels=12, cmap="Blues", alpha=0.75)
    axes.contour(field.across, field.up, values, levels=filled.levels, colors="0.45", linewidths=0.6)
    bar = axes.figure.colorbar(filled, ax=axes)
    bar.ax.yaxis.label.set_parse_math(False)
    bar.ax.yaxis.label.set_text(_short(field.name))
    handles, labels = [], []
    step = max(1, len(field.across) // ARROWS)
    some = slice(step // 2, None, step)
    for place, (backend, parts) in enumerate(field.values.items()):
        if len(parts) == 3:
            wide = 0.009 * 0.55**place if len(field.values) > 1 else 0.0042
            color = f"{0.65 - 0.65 * place / (len(field.values) - 1):.2f}" if len(field.values) > 1 else "black"
            by_x, by_y = (np.where(np.isfinite(part), part, 0.0)[some, some] for part in parts[1:])
            axes.quiver(field.across[some], field.up[some], by_x, by_y, width=wide, color=color, angles="xy")
            handles.append(lines.Line2D([], [], color=color, linewidth=wide * 300, marker=">", markevery=[1]))
            labels.append("gradient" + (f" on {backend}" if len(field.values) > 1 else ""))
    if field.place is not None and field.at is not None:
        value, *slope = field.at
        axes.plot(*([x] for x in field.place), marker="o", color="C3", markersize=7)
        scale = 0.2 * min(float(side[-1] - side[0]) for side in (field.across, field.up)) / (math.hypot(*slope) or 1.0)
        axes.annotate(
            "", [x + scale * s for x, s in zip(field.place, slope, strict=True)], field.place,
            arrowprops={"arrowstyle": "-|>", "color": "C3", "linewidth": 2.2},
        )  # fmt: skip
        handles.append(lines.Line2D([], [], color="C3", marker="o"))
        there = ", ".join(f"{x:.4g}" for x in field.place)
        labels.append(f"at ({there}): {value:.4g}, gradient ({', '.join(f'{s:.4g}' for s in slope)})")
    _labelled(axes, field.variables[0], field.variables[1], notes)
    if handles:
        _legend(axes, handles, labels, own)
    return Plot(axes, (field.across, field.up), field.values, notes)
