"""What the benchmarks share: how a program is timed, and a line of the table."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Program = Callable[[], Any]


@dataclass
class Row:
    """One line of the table: a measured number and the most that it may be."""

    name: str
    value: float
    limit: float
    unit: str = "x"

    def __str__(self) -> str:
        verdict = "" if self.value <= self.limit else "   OVER"
        return f"{self.name:<74}{self.value:>8.3f}{self.limit:>8.3g} {self.unit}{verdict}"


def fastest(programs: dict[str, Program], seconds: float = 6.0, run: float = 0.01) -> dict[str, float]:
    """The fastest of many runs of each program, in seconds; the programs take turns for ``seconds`` in all.

    A run repeats its program until it takes ``run`` seconds, so that caches are as warm as in a training loop; 0 for
    programs of many threads, which a machine at work seldom leaves alone for so long.
    """
    repeats = {}
    for name, program in programs.items():
        program()
        start = time.perf_counter()
        program()
        repeats[name] = 1 + int(run / (time.perf_counter() - start))
    best = dict.fromkeys(programs, float("inf"))
    end = time.perf_counter() + seconds
    turn = 0
    while turn < 5 or time.perf_counter() < end:
        turn += 1
        for name, program in programs.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                program()
            best[name] = min(best[name], (time.perf_counter() - start) / repeats[name])
    return best
