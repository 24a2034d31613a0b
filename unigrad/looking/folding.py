"""Which nodes of a large graph are drawn as one: calls of functions, repeats, and at last whatever is in the middle.

All are intervals of one order in which each node comes behind its parents, so that what is between two folded nodes is
folded with them, and no circle can come of it.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_LONGEST = 64
"""The longest sequence of operations whose repeats are looked for."""
_REPEATS = 12
"""After so many runs of repeats the middle is folded, whatever it is."""


class Fold(NamedTuple):
    """Nodes ``start`` to ``stop`` (not included) of an order, and what to say of them."""

    start: int
    stop: int
    words: str


def folds(operations: Sequence[str], calls: Sequence[tuple[str, int] | None], most: int) -> list[Fold]:
    """What to fold so that at most ``most`` nodes are drawn, in order. ``calls`` says which call of a function that is
    to be folded each node belongs to."""
    found = _calls(calls)
    tries = 0
    while len(drawn := _drawn(operations, found)) > most:
        more = (_repeat(drawn) if tries < _REPEATS else None) or _middle(operations, drawn, most)
        found = sorted([*[fold for fold in found if not more.start <= fold.start < more.stop], more])
        tries += 1
    return found


def _drawn(operations: Sequence[str], found: Sequence[Fold]) -> list[Fold]:
    """What is drawn: folds, and each other node by itself."""
    drawn, at = [], 0
    for fold in [*found, Fold(len(operations), len(operations), "")]:
        drawn += [Fold(place, place + 1, operations[place]) for place in range(at, fold.start)]
        if fold.stop > fold.start:
            drawn.append(fold)
        at = fold.stop
    return drawn


def _calls(calls: Sequence[tuple[str, int] | None]) -> list[Fold]:
    """An interval for each call; several if others stand between its nodes."""
    found: list[Fold] = []
    at = 0
    for call, group in itertools.groupby(calls):
        stop = at + len(list(group))
        if call is not None:
            found.append(Fold(at, stop, f"{call[0]}: {_nodes(stop - at)}"))
        at = stop
    return found


def _nodes(count: int) -> str:
    return "1 node" if count == 1 else f"{count} nodes"


def _repeat(drawn: Sequence[Fold]) -> Fold | None:
    """The longest run of repeats of one sequence, but for its first and its last."""
    names = [fold.words for fold in drawn]
    numbers = np.unique(names, return_inverse=True)[1]
    best = (0, 0, 0)
    for period in range(1, min(_LONGEST, len(numbers) // 4) + 1):
        equal = np.concatenate([[False], numbers[:-period] == numbers[period:], [False]])
        edges = np.flatnonzero(equal[1:] != equal[:-1]).reshape(-1, 2)
        if len(edges):
            start, stop = edges[np.argmax(edges[:, 1] - edges[:, 0])]
            repeats = (stop - start) // period + 1
            # A multiple of a period is one too: the shortest will do, unless another covers clearly more.
            if repeats >= 4 and repeats * period > best[0] * best[1] * 1.2:
                best = (int(repeats), period, int(start))
    repeats, period, first = best
    if not repeats:
        return None
    inside = drawn[first + period : first + (repeats - 1) * period]
    words = ", ".join(names[first : first + period][:6]) + (", ..." if period > 6 else "")
    start, stop = inside[0].start, inside[-1].stop
    return Fold(start, stop, f"{repeats - 2} more times ({words}): {_nodes(stop - start)}")


def _middle(operations: Sequence[str], drawn: Sequence[Fold], most: int) -> Fold:
    """All but as many as shall be drawn, from the first on and to the last."""
    inside = drawn[most // 2 : len(drawn) - (most - most // 2 - 1)]
    start, stop = inside[0].start, inside[-1].stop
    counted = Counter(operations[start:stop]).most_common(5)
    words = ", ".join([*[f"{count} {name}" for name, count in counted[:4]], *["..."][: len(counted) // 5]])
    return Fold(start, stop, f"{_nodes(stop - start)} ({words})")
