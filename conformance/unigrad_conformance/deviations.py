"""Cases that are known to fail on some backend, each with its reason.

Rows are strict: one whose case agrees fails the run until it is removed, one that matches nothing is warned
about. A row is for what an adapter cannot put right; whatever it can, it does.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from unigrad.base.errors import ArgumentError


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


_LATER = "dask computes nothing until values are asked for, and raises then what its chunks raise"
_FORWARD = "PyTorch's forward mode knows no arrays that lie in several processes"
DEVIATIONS: tuple[Deviation, ...] = (
    *(
        Deviation("jax", case, "DLPack knows one device", "an InterchangeError that says so", "sharded")
        for case in ("memory.read_only", "numpy_users.dlpack")
    ),
    Deviation("torch", "wrap_native.own_twice", _FORWARD, "an OperationError that says so", "dtensor"),
    *(
        Deviation("dask", case, _LATER, "no error before that")
        for case in (
            "kinks.cholesky_of_semidefinite",
            "kinks.inv_singular",
            "kinks.solve_singular",
            "mapping.unknown_values",
            "matrices.not_finite",
            "matrices.not_finite_at_work",
            "matrices.not_finite_complex",
            "mistakes.indices",
            "mistakes.labels",
            "mistakes.labels_elsewhere",
            "mistakes.no_answer",
            "mistakes.searched",
            "numbers.negative_powers",
        )
    ),
    *(
        Deviation(
            backend,
            "mistakes.not_given_away",
            "it always copies what DLPack brings",
            "an InterchangeError where the copy is forbidden",
        )
        for backend in ("dask", "mlx", "paddle")
    ),
    Deviation("dask", "newcomers.notebook", "printing would compute all values", "dtype, shape and chunks alone"),
)


def for_placement(placement: str | None) -> list[Deviation]:
    """The rows that count where arrays lie so."""
    return [row for row in DEVIATIONS if row.placement in (None, placement)]


def matches(row: Deviation, backend: str, case: str) -> bool:
    """Whether a row is about a case on a backend."""
    return row.backend == backend and fnmatchcase(case, row.case)


def known_deviation(rows: Iterable[Deviation], backend: str, case: str) -> Deviation | None:
    """The row for a case on a backend, or None."""
    return next((row for row in rows if matches(row, backend, case)), None)


def read(path: Path, backend: str, cases: Collection[str]) -> list[Deviation]:
    """The rows of a file, which has a table ``fails`` of patterns of cases with the reason of each::

        [fails]
        "sin.far_out.*" = "its sine loses digits beyond 2**20"

    Raises ArgumentError where it has anything else, or a pattern matches none of ``cases``.
    """
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{path}: {error}") from error
    fails = found.pop("fails", {})
    if found or not isinstance(fails, dict):
        raise ArgumentError(
            f'{path}: {", ".join(found) or fails!r} is no table of it; write [fails], and "pattern" = "reason" below'
        )
    rows = []
    for pattern, reason in fails.items():
        if not isinstance(reason, str) or not reason.strip():
            raise ArgumentError(f'{path}: {pattern!r} has no reason; write "{pattern}" = "why it fails"')
        if not any(fnmatchcase(case, pattern) for case in cases):
            raise ArgumentError(f"{path}: no case matches {pattern!r}; remove it, or write what it is called now")
        rows.append(Deviation(backend, pattern, reason, str(path)))
    return rows
