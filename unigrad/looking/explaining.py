"""Why rows of a comparison differ: by rounding, by dtype, or by a convention that is documented."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from unigrad.adapters.registry import use_backend
from unigrad.base.errors import UnigradError
from unigrad.base.words import Values
from unigrad.looking.comparison import Comparison, Difference, Row
from unigrad.looking.conventions import Point, Points, Precision, points, precision
from unigrad.looking.distances import Distance
from unigrad.looking.running import on_variables
from unigrad.looking.watching import watched
from unigrad.operations.creation import asarray
from unigrad.transforms.reverse import recorded

NAMED = 3
"""So many conventions are named for one difference."""


class Call(NamedTuple):
    """A primitive, the arrays that it was given, and what else it was told in numbers and words."""

    operation: str
    arrays: Sequence[Values]
    told: Sequence[Any]


def explained(f: Callable[..., Any], held: Sequence[Any], found: Comparison) -> list[Difference]:
    """Every difference from the reference, with its reason; the differences of a row that are rounding as one."""
    first = found[found.reference]
    others = [row for row in found.answered if row is not first]
    calls = _calls(f, held, first.backend) if any(row.ulp for row in others) else []
    exact = precision() if calls else None
    differences: list[Difference] = []
    for row in others:
        differences += _of_form(row, first)
        far = {where: each for where, each in row.distances.items() if not each.is_rounding}
        differences += [_unlike(row, where, each, calls, exact) for where, each in far.items()]
        if not far:
            differences += _of_rounding(row, calls, exact)
    return differences


def _of_form(row: Row, first: Row) -> Iterator[Difference]:
    if row.answers.keys() != first.answers.keys():
        has, other = ", ".join(row.answers) or "nothing", ", ".join(first.answers) or "nothing"
        yield Difference(row.name, "structure", np.inf, "structure", f"it has {has}, where {first.name} has {other}")
    for where, array in row.answers.items():
        other_array = first.answers.get(where)
        if other_array is not None and array.shape != other_array.shape:
            text = f"its shape is {array.shape}, where {first.name} has {other_array.shape}"
            yield Difference(row.name, where, np.inf, "shape", text)
        elif other_array is not None and array.dtype != other_array.dtype:
            text = f"it is computed in another precision: {array.dtype}, where {first.name} has {other_array.dtype}"
            yield Difference(row.name, where, row.distances[where].ulp, "dtype", text)


def _of_rounding(row: Row, calls: Sequence[Call], exact: Precision | None) -> Iterator[Difference]:
    ulp, where, each = max(
        ((each.ulp, where, each) for where, each in row.distances.items()),
        key=lambda found: found[0],
        default=(0.0, "", Distance()),
    )
    if not ulp:
        return
    if each.subnormal:
        kind, text = "subnormal", "numbers below the smallest normal one, which some frameworks take for zero"
    elif each.cancels:
        kind = "cancellation"
        text = (
            f"up to {ulp:.3g} ULP in elements that are small beside the largest, of which it is {each.of_largest:.3g} "
            f"ULP: digits that cancelled"
        )
    else:
        kind, text = "rounding", f"up to {ulp:.3g} ULP, which is rounding"
        known = [] if row.is_native else [each for each in _documented(row, where, calls, exact) if not each[2]]
        if known:
            error, operation, _ = max(known)
            text += f"; least exact there is {operation}, documented to be within {error:.2g} ULP"
    yield Difference(row.name, where, ulp, kind, text)


def _documented(
    row: Row, where: str, calls: Sequence[Call], exact: Precision | None
) -> Iterator[tuple[float, str, str]]:
    """The documented error of each operation that was met, with its name and what was decided about it."""
    if exact is None:
        return
    for operation in dict.fromkeys(call.operation for call in calls):
        found = exact.documented(operation, str(row.answers[where].dtype), row.backend)
        if found is not None:
            value, gradient, decided = found
            yield value if where.startswith("value") else max(value, gradient), operation, decided


def _unlike(row: Row, where: str, each: Distance, calls: Sequence[Call], exact: Precision | None) -> Difference:
    """A difference that is more than rounding."""
    table = points() if row.is_native else None
    met = [] if table is None else list(_met(row, calls, table))
    if met:
        words = [
            f"{point.id} ({point.call}: unigrad {point.answer}, {row.backend} by itself {gives}; {point.why})"
            for point, gives in met[:NAMED]
        ]
        text = f"the convention {', or '.join(words)}"
        return Difference(row.name, where, each.ulp, "convention", text, met[0][0].id)
    for error, operation, decided in _documented(row, where, calls, exact):
        if decided and each.ulp <= error:
            text = f"{each.ulp:.3g} ULP apart, by the documented precision of {operation} on {row.backend}: {decided}"
            return Difference(row.name, where, each.ulp, "precision", text)
    whose = "its code computes something else" if row.is_native else "a fault of an adapter, which is worth a report"
    text = f"{each.ulp:.3g} ULP apart, which neither rounding nor a documented convention explains: {whose}"
    return Difference(row.name, where, each.ulp, "unexplained", text)


# --- which conventions are met -------------------------------------------------------------------------------------


def _calls(f: Callable[..., Any], args: Sequence[Any], backend: str) -> list[Call]:
    """The primitives that are recorded when ``f`` runs, and what they are given."""
    with use_backend(backend), np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is to be said of them was said when they were compared
        arguments = on_variables(args)
        try:
            _, seen = watched(lambda: recorded(f, arguments), None, ())
        except Exception:  # then nothing is known of it
            return []
        return [
            Call(call.row.name, [asarray(raw).detach().numpy() for raw in call.raws],
                 [each for each in call.statics if type(each) in (int, float, complex, str)])
            for call in seen.calls.values()
        ]  # fmt: skip


def _met(row: Row, calls: Sequence[Call], table: Points) -> Iterator[tuple[Point, str]]:
    """The points at which the framework by itself answers otherwise, and which these calls meet: of those with another
    value too, if the values differ."""
    values_agree = all(each.is_rounding for where, each in row.distances.items() if where.startswith("value"))
    for point in table.points():
        own = point.own.get(row.backend)
        if own is None or own.gives == "absent" or not point.inputs or table.agrees(point, own.gives):
            continue
        if values_agree == ("(value" in own.gives) or _first(own.gives) == _first(point.answer):
            continue
        inputs = [
            np.asarray(value, np.float64 if not np.iscomplexobj(value) else None) for value in point.inputs.values()
        ]
        try:
            needed = _calls(table.function(point), inputs, "numpy")
        except UnigradError:
            continue
        if needed and all(any(_meets(call, each) for call in calls) for each in needed):
            yield point, own.gives


def _first(answer: str) -> str:
    """Of an answer with second derivatives the first ones."""
    return answer.partition(" / ")[0]


def _meets(call: Call, point: Call) -> bool:
    """Whether a call does what a point is about: the same primitive, of scalars at the same values in some element, of
    arrays with the same kinds of special values."""
    if (call.operation, len(call.arrays), call.told) != (point.operation, len(point.arrays), point.told):
        return False
    if all(x.size == 1 for x in point.arrays):
        try:
            arrays = np.broadcast_arrays(*call.arrays)
        except ValueError:
            return False
        there = [(x == p.item()) | ((x != x) & (p != p)) for x, p in zip(arrays, point.arrays, strict=True)]
        return bool(np.logical_and.reduce(there).any())
    special = [_special(x) for x in point.arrays]
    return any(special) and all(needs <= _special(x) for needs, x in zip(special, call.arrays, strict=True))


def _special(x: Values) -> set[str]:
    """What may make an array a hard point."""
    flat = x.ravel()
    finite = flat[np.isfinite(flat)]
    kinds = {"zero": (flat == 0).any(), "nan": np.isnan(flat).any(), "infinite": np.isinf(flat).any(),
             "equal": np.unique(finite).size < finite.size, "empty": not flat.size}  # fmt: skip
    return {kind for kind, is_there in kinds.items() if is_there}
