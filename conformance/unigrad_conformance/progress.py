"""How far a run is: done and all of each backend, and the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

WIDTH = 100
SECONDS_BETWEEN = 20.0
"""Between lines that go to no terminal."""
_GUESSED_FROM = 0.02
"""The share of the work that must be done before the time left is told."""


class Progress:
    """Called with a backend's name at each step: one line of a terminal, and elsewhere a line now and then."""

    def __init__(self, totals: Mapping[str, int], cost: Callable[[str], float] = lambda name: 1.0) -> None:
        self._totals = totals
        self._work = {name: cost(name) * total for name, total in totals.items()}
        self._done = dict.fromkeys(totals, 0)
        self._began = time.monotonic()
        self._shown = -SECONDS_BETWEEN
        self._live = sys.stderr.isatty()

    def __call__(self, backend: str, message: Any = None) -> None:
        """One step of a backend is done."""
        self._done[backend] += 1
        now = time.monotonic()
        if self._live:
            print(f"\r{self._line(now):<{WIDTH - 1}.{WIDTH - 1}}", end="", file=sys.stderr, flush=True)
        elif now - self._shown >= SECONDS_BETWEEN:
            self._shown = now
            print(self._line(now), file=sys.stderr, flush=True)

    def wipe(self) -> None:
        """Clear the line of the terminal."""
        if self._live:
            print(f"\r{'':<{WIDTH - 1}}\r", end="", file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        open_ones = {name: total for name, total in self._totals.items() if 0 < self._done[name] < total}
        counts = [f"{name} {self._done[name]}/{total}" for name, total in open_ones.items()]
        share = sum(self._work[name] * self._done[name] / total for name, total in self._totals.items() if total) / sum(
            self._work.values()
        )
        if share < _GUESSED_FROM:
            return "  ".join(counts)
        return "  ".join([*counts, _about((now - self._began) * (1 - share) / share)])


def _about(seconds: float) -> str:
    return f"{seconds / 60:.0f} min left" if seconds >= 90 else f"{seconds:.0f} s left"
