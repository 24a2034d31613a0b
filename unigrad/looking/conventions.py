"""The documented answers at hard points, as the package that has their table tells them.

It is the package that brings the command ``unigrad conventions``: what it registers in the entry-point group
``unigrad.commands`` under this name also has ``points()``, the rows of the table, and ``function(point)``, the
expression of one as a function of its inputs.
"""

from __future__ import annotations

import difflib
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from unigrad.base.errors import ArgumentError, BackendError
from unigrad.looking.tables import Table, html_of, text_of


class Own(Protocol):
    """What a framework does by itself."""

    @property
    def gives(self) -> str: ...
    @property
    def call(self) -> str | None: ...


class Point(Protocol):
    """One row of the table."""

    @property
    def id(self) -> str: ...
    @property
    def call(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def answer(self) -> str: ...
    @property
    def inputs(self) -> Mapping[str, Any]: ...
    @property
    def own(self) -> Mapping[str, Own]: ...


class Told(Protocol):
    """What the package registers."""

    def points(self) -> Sequence[Point]: ...
    def function(self, point: Any) -> Callable[..., Any]: ...
    def agrees(self, point: Any, gives: str) -> bool: ...


def told() -> Told | None:
    """The package's table; None where it is not installed."""
    for entry in importlib.metadata.entry_points(group="unigrad.commands", name="conventions"):
        try:
            found: Told = entry.load()
        except ImportError:
            continue
        return found
    return None


@dataclass(frozen=True)
class Answer:
    """What one framework does by itself at a hard point."""

    gives: str
    """Its derivatives (of a program: its results) in one line; ``raises``, or ``absent`` where it has no such thing."""
    call: str | None
    """What it was asked, in its own names."""
    agrees: bool
    """Whether that is unigrad's answer."""


@dataclass(frozen=True)
class Convention:
    """What is answered at a hard point. It shows itself as a table."""

    id: str
    call: str
    """What unigrad is asked."""
    inputs: Mapping[str, Any]
    answer: str
    """What unigrad answers on every backend: the gradients, ``;`` between inputs and ``,`` between rows; behind a slash
    second derivatives."""
    why: str
    """The part of the rule that decides."""
    frameworks: Mapping[str, Answer]

    def _table(self) -> Table:
        at = ", ".join(f"{name} = {value}" for name, value in self.inputs.items())
        rows = [["unigrad, every backend", self.answer, "", self.call]]
        for name, own in self.frameworks.items():
            same = "" if own.gives == "absent" else "the same" if own.agrees else "differs"
            rows.append([f"{name} by itself", own.gives, same, own.call or ""])
        return Table(
            f"{self.id}: {self.call}" + (f" at {at}" if at else ""),
            ["", "gradient" if self.inputs else "result", "", "asked"], rows, [self.why],
        )  # fmt: skip

    def __str__(self) -> str:
        return text_of(self._table())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_of(self._table())


def convention(name: str) -> Convention:
    """The row of that name. ArgumentError if there is none, BackendError where the table is not installed."""
    table = told()
    if table is None:
        raise BackendError(
            "the table of conventions comes with the conformance suite, which is not installed; install it with: "
            "pip install 'unigrad[conformance]'"
        )
    points = {point.id: point for point in table.points()}
    if name not in points:
        word = str(name).lower()
        near = [id for id in points if word in id or word in points[id].call] if word else []
        near = near or difflib.get_close_matches(word, points, 6, 0.5)
        hint = f"near are {', '.join(near[:12])}" if near else "'unigrad conventions' prints all"
        raise ArgumentError(f"there is no convention {name!r}; {hint}")
    point = points[name]
    own = {key: Answer(each.gives, each.call, table.agrees(point, each.gives)) for key, each in point.own.items()}
    return Convention(point.id, point.call, point.inputs, point.answer, point.why, own)
