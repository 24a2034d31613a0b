"""Cases that are known to fail on some backend, each with its reason.

Rows are strict: one whose case agrees fails the run until it is removed, one that matches nothing is warned
about. A row is for what an adapter cannot put right; whatever it can, it does.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Deviation:
    """One row."""

    backend: str
    case: str
    """A pattern of case names, dtype included."""
    reason: str
    observed: str
    """What the backend gives instead."""


DEVIATIONS: tuple[Deviation, ...] = ()


def known(backend: str, case: str) -> Deviation | None:
    """The row for a case on a backend, or None."""
    return next((row for row in DEVIATIONS if row.backend == backend and fnmatchcase(case, row.case)), None)
