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
    placement: str | None = None
    """Where its arrays must lie for it (:mod:`unigrad_conformance.placing`)."""


_HIDDEN = "JAX's maximum of an array whose elements lie on several processors loses NaN where the parts are joined"
DEVIATIONS: tuple[Deviation, ...] = (
    Deviation("jax", "kinks.max_nan.float32", _HIDDEN, "1.0 of [NaN, 1], also by jax.numpy alone", "sharded"),
    Deviation("jax", "kinks.max_pool_nan.float32", _HIDDEN, "likewise", "sharded"),
)


def for_placement(placement: str | None) -> list[Deviation]:
    """The rows that count where arrays lie so."""
    return [row for row in DEVIATIONS if row.placement in (None, placement)]


def known(backend: str, case: str, placement: str | None = None) -> Deviation | None:
    """The row for a case on a backend, or None."""
    rows = for_placement(placement)
    return next((row for row in rows if row.backend == backend and fnmatchcase(case, row.case)), None)
