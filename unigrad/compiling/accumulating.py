"""Sums of scattered parts: what the gradient of an array is that was read in pieces, as ``w[0]`` and ``w[1]``.

Each piece gives an array of zeros around its part, and these are added up. To add each part in its own place of one
array is the same, to the last bit: adding 0 changes nothing but -0, and no sum here is -0 where two pieces lie apart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from unigrad.base.words import Raw, Shape
from unigrad.compiling.program import Program, Step, Variable


class Part(NamedTuple):
    """One term of a sum."""

    x: Variable
    key: tuple[Any, ...]
    """Where it goes."""
    is_first: bool
    """Whether the addition names it before the sum so far, as it matters to NaN."""


def accumulations(program: Program) -> tuple[dict[Step, list[Part]], set[Step]]:
    """The additions that are the last of such a sum, with its parts in order; and the steps that need not run then."""
    uses = Counter(x for step in program.steps for x in step.inputs) + Counter(program.outputs)
    open_: dict[Variable, tuple[list[Part], list[Step]]] = {}
    for step in program.steps:
        out = step.out
        if step.name == "scatter" and out.example is not None and out.dtype.kind in "fc" and _is_basic(step.args[1]):
            open_[out] = [Part(step.args[0], step.args[1], False)], [step]
        elif step.name == "add" and all(x in open_ and uses[x] == 1 for x in step.args):
            (parts, steps), (others, rest) = (open_[x] for x in step.args)
            if len(others) == 1:
                joined = [*parts, *others]
            elif len(parts) == 1:
                joined = [*others, parts[0]._replace(is_first=True)]
            else:
                continue
            open_[out] = joined, [*steps, *rest, step]
            for x in step.args:
                del open_[x]
    whole = {
        steps[-1]: (parts, steps[:-1])
        for out, (parts, steps) in open_.items()
        if any(_apart(parts[0].key, other.key, out.shape) for other in parts[1:])
    }
    return {step: parts for step, (parts, _) in whole.items()}, {each for _, steps in whole.values() for each in steps}


def _is_basic(key: tuple[Any, ...]) -> bool:
    return all(entry is None or entry is Ellipsis or type(entry) in (int, slice) for entry in key)


def _apart(key: tuple[Any, ...], other: tuple[Any, ...], shape: Shape) -> bool:
    """Whether one axis tells that two keys select nothing in common."""
    if any(entry is None or entry is Ellipsis for entry in (*key, *other)):
        return False
    return any(_ends(one, size)[1] <= _ends(two, size)[0] or _ends(two, size)[1] <= _ends(one, size)[0]
               for one, two, size in zip(key, other, shape, strict=False))  # fmt: skip


def _ends(entry: int | slice, size: int) -> tuple[int, int]:
    """The first place that an entry selects, and the one behind the last."""
    if isinstance(entry, slice):
        places = range(*entry.indices(size))
        return (min(places[0], places[-1]), max(places[0], places[-1]) + 1) if places else (0, 0)
    place = entry % size
    return place, place + 1


def accumulated(xp: Any, parts: Sequence[Part], shape: Shape, dtype: Any) -> Callable[..., Raw]:
    """A function of the parts that adds them up, in ``out`` if it is given."""
    keys = [part.key if Ellipsis in part.key else (*part.key, ...) for part in parts]  # which is a view of one element
    places = [(key, part.is_first) for key, part in zip(keys, parts, strict=True)]
    add, empty = xp.add, xp.empty

    def run(*xs: Raw, out: Raw | None = None) -> Raw:
        total = empty(shape, dtype) if out is None else out
        total.fill(0)
        for (key, is_first), x in zip(places, xs, strict=True):
            place = total[key]
            if is_first:
                add(x, place, place)
            else:
                add(place, x, place)
        return total

    return run
