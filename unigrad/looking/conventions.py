"""What is documented of answers at hard points and of precision, as the package that has the tables tells it.

It is the package that brings the commands ``unigrad conventions`` and ``unigrad accuracy``: what it registers in the
entry-point group ``unigrad.commands`` under these names can also be asked, as :class:`Points` and :class:`Precision`
say.
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


class Points(Protocol):
    """What ``unigrad conventions`` is registered as."""

    def points(self) -> Sequence[Point]:
        """The rows of the table."""
        ...

    def function(self, point: Any) -> Callable[..., Any]:
        """What a row asks of unigrad, as a function of its inputs."""
        ...

    def agrees(self, point: Any, gives: str) -> bool:
        """Whether a framework's answer is ours."""
        ...


class Precision(Protocol):
    """What ``unigrad accuracy`` is registered as."""

    def documented(self, operation: str, dtype: str, backend: str) -> tuple[float, float, str] | None:
        """The largest errors of its value and its gradient in ULP, and what was decided about a large one."""
        ...


def points() -> Points | None:
    """The table of conventions; None where it is not installed."""
    found: Points | None = _registered("conventions")
    return found


def precision() -> Precision | None:
    """The table of precision; None where it is not installed."""
    found: Precision | None = _registered("accuracy")
    return found


def _registered(name: str) -> Any:
    for entry in importlib.metadata.entry_points(group="unigrad.commands", name=name):
        try:
            return entry.load()
        except ImportError:
            continue
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
    table = points()
    if table is None:
        raise BackendError(
            "the table of conventions comes with the conformance suite, which is not installed; install it with: "
            "pip install 'unigrad[conformance]'"
        )
    rows = {point.id: point for point in table.points()}
    if name not in rows:
        word = str(name).lower()
        near = [id for id in rows if word in id or word in rows[id].call] if word else []
        near = near or difflib.get_close_matches(word, rows, 6, 0.5)
        hint = f"near are {', '.join(near[:12])}" if near else "'unigrad conventions' prints all"
        raise ArgumentError(f"there is no convention {name!r}; {hint}")
    point = rows[name]
    own = {key: Answer(each.gives, each.call, table.agrees(point, each.gives)) for key, each in point.own.items()}
    return Convention(point.id, point.call, point.inputs, point.answer, point.why, own)
