"""What ``ug.compare`` returns: a row for each backend, how far they are apart, and the table of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from unigrad.base.errors import ArgumentError
from unigrad.base.words import Values
from unigrad.looking.distances import Distance, distance
from unigrad.looking.tables import Table, html_of, text_of
from unigrad.looking.writing import numbers

FEW = 6
"""Up to so many numbers are written out."""
GRADIENTS = 3
"""So many gradients have a column of their own."""


@dataclass
class Row:
    """What one backend answers, or a framework by its own code."""

    backend: str
    is_native: bool = False
    """Whether it is the framework's own code."""
    version: str | None = None
    value: Any = None
    """What the function returned, with NumPy's arrays."""
    values: dict[str, Values] = field(default_factory=dict)
    """Its arrays by where they are in it; a lone one under ""."""
    gradients: dict[str, Values] = field(default_factory=dict)
    """By the names of the floating arguments."""
    distances: dict[str, Distance] = field(default_factory=dict)
    """By "value" or "gradient of x": how far it is from the first row that answered."""
    forward: float | None = None
    """Seconds; of a program that differentiates by itself those of the whole."""
    backward: float | None = None
    """Seconds."""
    memory: int | None = None
    """By how many bytes the process grew at its peak; None where the system does not tell."""
    error: str | None = None
    """Why there is no answer, or no gradient."""
    source: str | None = None
    """Of a framework's own code."""

    @property
    def name(self) -> str:
        """``"torch"``, or ``"torch native"`` for the framework's own code."""
        return f"{self.backend} native" if self.is_native else self.backend

    @property
    def ulp(self) -> float:
        """The largest difference from the first row that answered, in units in the last place."""
        return max((each.ulp for each in self.distances.values()), default=0.0)

    @property
    def answers(self) -> dict[str, Values]:
        """All arrays by what they are."""
        values = {f"value{path}": array for path, array in self.values.items()}
        return values | {f"gradient of {name}": array for name, array in self.gradients.items()}


@dataclass(frozen=True)
class Difference:
    """One way in which a row differs from the reference, and what explains it."""

    row: str
    where: str
    """``"value"`` or ``"gradient of x"``."""
    ulp: float
    kind: str
    """``rounding``, ``cancellation``, ``subnormal``, ``precision``, ``dtype``, ``shape``, ``structure``, ``convention``
    or ``unexplained``."""
    text: str
    convention: str | None = None
    """The id of the row in the table of conventions."""

    def __str__(self) -> str:
        return f"{self.row}, {self.where}: {self.text}"


class Comparison:
    """Rows that can be read, iterated and tested; it shows itself as a table in a terminal and a notebook."""

    def __init__(self, title: str, rows: Sequence[Row], source: str | None) -> None:
        self.title = title
        self.rows = list(rows)
        self.source = source
        """Of the function that was compared."""
        self.differences: list[Difference] = []
        """What differs from the reference, and what explains it; of rounding the largest of each row alone."""
        answered = [row for row in self.rows if row.error is None]
        first = next((row for row in answered if not row.is_native), answered[0])
        self.reference = first.name
        """The name of the first row that answered, which the others are held against."""
        for row in answered:
            if row is not first:
                row.distances = {
                    where: distance(array, first.answers[where])
                    for where, array in row.answers.items()
                    if where in first.answers and array.shape == first.answers[where].shape
                }

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, key: str | int) -> Row:
        if isinstance(key, int):
            return self.rows[key]
        for row in self.rows:
            if row.name == key:
                return row
        raise ArgumentError(f"there is no row {key!r}; there are {', '.join(row.name for row in self.rows)}")

    @property
    def answered(self) -> list[Row]:
        """The rows without an error."""
        return [row for row in self.rows if row.error is None]

    @property
    def failed(self) -> list[Row]:
        """The rows with an error."""
        return [row for row in self.rows if row.error is not None]

    @property
    def ulp(self) -> float:
        """The largest difference from the reference, in units in the last place."""
        return max(row.ulp for row in self.answered)

    @property
    def agree(self) -> bool:
        """Whether all rows that answered have the same structure, shapes and dtypes, and values and gradients that are
        equal up to rounding."""
        first = self[self.reference].answers
        return all(
            row.answers.keys() == first.keys()
            and all(x.dtype == first[where].dtype and x.shape == first[where].shape for where, x in row.answers.items())
            and all(each.is_rounding for each in row.distances.values())
            for row in self.answered
        )

    # --- as a table ---

    def _table(self) -> Table:
        first = self[self.reference]
        shown = [where for where in first.answers if not where.startswith("gradient")]
        gradients = [where for where in first.answers if where.startswith("gradient")]
        shown += gradients[:GRADIENTS]
        kinds = {where: {_kind(row.answers[where]) for row in self.answered if where in row.answers} for where in shown}
        heads = [f"{where}\n{next(iter(kinds[where]))}" if len(kinds[where]) == 1 else where for where in shown]
        rows = [self._cells(row, shown, kinds) for row in self.rows]
        several = len(self.answered) > 1
        who = "those that answered" if self.failed else "they"
        verdict = f"{who} agree" if self.agree else f"{who} do not all agree"
        verdict = verdict if several else "the only answer"
        notes = [str(each) for each in self.differences]
        if len(gradients) > GRADIENTS:
            notes.append(f"{len(gradients) - GRADIENTS} more gradients are compared, and in the rows' gradients.")
        if several:
            largest = _number(self.ulp)
            notes.append(f"The largest difference from {self.reference} is {largest} ULP (units in the last place).")
        return Table(
            f"{self.title} on {len(self.rows)} backends: {verdict}" if not self._natives()
            else f"{self.title}, and the frameworks' own code: {verdict}",
            ["", *heads, "ULP", "forward", "backward", "memory"], rows, notes, self._columns(),
        )  # fmt: skip

    def _cells(self, row: Row, shown: Sequence[str], kinds: dict[str, set[str]]) -> list[str]:
        answers = row.answers
        if row.error is not None:
            known = [_shown(answers[where], kinds[where]) for where in shown if where in answers]
            return [row.name, *known, row.error]
        cells = [_shown(answers[where], kinds[where]) if where in answers else "" for where in shown]
        apart = "" if row.name == self.reference else _number(row.ulp)
        forward = _seconds(row.forward) + (" in all" if row.backward is None else "")
        return [row.name, *cells, apart, forward, _seconds(row.backward), _bytes(row.memory)]

    def _natives(self) -> list[Row]:
        return [row for row in self.rows if row.is_native]

    def _columns(self) -> list[tuple[str, str]]:
        natives = self._natives()
        if not natives:
            return []
        own = [row for row in self.rows if not row.is_native]
        first = next((row for row in own if row.error is None), own[0])
        return [_column("unigrad", self.source, first), *(_column(row.name, row.source, row) for row in natives)]

    def __str__(self) -> str:
        return text_of(self._table(), shutil.get_terminal_size((120, 24)).columns)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_of(self._table())


def _column(title: str, source: str | None, row: Row) -> tuple[str, str]:
    """Code, and what came of it."""
    lines = [source or "(the source cannot be found)", ""]
    lines += [f"{where}: {numbers(array, FEW)}" for where, array in row.answers.items()]
    times = {"time" if row.backward is None else "forward": row.forward, "backward": row.backward}
    lines += [f"{what}: {_seconds(seconds)}" for what, seconds in times.items() if seconds is not None]
    return title, "\n".join([*lines, *([row.error] if row.error else [])])


def _kind(array: Values) -> str:
    return f"{array.dtype} {array.shape or 'scalar'}"


def _shown(array: Values, kinds: set[str]) -> str:
    """Its numbers; with the dtype and shape where these are not everybody's."""
    text = numbers(array, FEW)
    return text if len(kinds) == 1 else f"{text} {_kind(array)}"


def _number(ulp: float) -> str:
    return f"{ulp:.3g}"


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return next(f"{seconds * size:.3g} {unit}" for size, unit in _UNITS if seconds * size < 1000)


_UNITS = ((1e6, "µs"), (1e3, "ms"), (1.0, "s"), (1 / 1e6, "Ms"))


def _bytes(size: int | None) -> str:
    if size is None:
        return ""
    return "< 0.1 MB" if size < 1e5 else f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"
