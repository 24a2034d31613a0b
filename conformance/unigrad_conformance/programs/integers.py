"""Integers where C, and so most frameworks, leaves the answer open: divided by zero, shifted too far, made of floats
that they do not hold. Held against Python's integers, which know no limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unigrad_conformance.case import Case, Results

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
EVERYDAY = frozenset({"int8", "int64", "uint8"})


def wrapped(number: int, dtype: str) -> int:
    """The low bits of a number, as the dtype reads them."""
    bits = np.iinfo(dtype).bits
    number &= (1 << bits) - 1
    return number - (1 << bits) if dtype[0] == "i" and number >> (bits - 1) else number


def truncated(number: float, dtype: str) -> int:
    """A float as an integer of the dtype, by the rule of ``astype``."""
    wide = 32 if np.iinfo(dtype).bits < 32 or dtype == "int32" else 64
    least = -(1 << (wide - 1))
    whole = int(number) if math.isfinite(number) else None
    if dtype == "uint64" and whole is not None and 1 << 63 <= whole < 1 << 64:
        return whole
    if whole is None or not least <= number < -least:
        whole = least
    return wrapped(whole, dtype)


def _pairs(firsts: set[int], seconds: set[int], dtype: str) -> tuple[Any, Any]:
    grid = np.meshgrid(np.array(sorted(firsts), dtype), np.array(sorted(seconds), dtype))
    return grid[0].ravel(), grid[1].ravel()


def _firsts(dtype: str) -> set[int]:
    limits = np.iinfo(dtype)
    return {limits.min, limits.min + 1, limits.max, 0, 1, 3, -7 if limits.min else 7}


def _agrees(found: Any, rule: Callable[[int, int], int], x: Any, y: Any) -> str:
    """The first pair that has another answer than the rule's, in words; nothing if there is none."""
    for first, second, value in zip(x.tolist(), y.tolist(), found.numpy().tolist(), strict=True):
        if value != rule(first, second):
            return f"{value} of {first} and {second}, not {rule(first, second)}"
    return ""


def _division(dtype: str) -> Callable[[Any], Results]:
    limits = np.iinfo(dtype)
    x, y = _pairs(_firsts(dtype), {0, 1, 2, 3, limits.max, *((-1, -2, -3, limits.min) if limits.min else ())}, dtype)
    rules: dict[str, Callable[[int, int], int]] = {
        "floor_divide": lambda a, b: wrapped(a // b, dtype) if b else 0,
        "remainder": lambda a, b: a % b if b else 0,
        "fmod": lambda a, b: (abs(a) % abs(b)) * (-1 if a < 0 else 1) if b else 0,
    }

    def run(ug: Any) -> Results:
        first, second = ug.asarray(x), ug.asarray(y)
        return {name: _agrees(getattr(ug, name)(first, second), rule, x, y) for name, rule in rules.items()}

    return run


def _shifts(dtype: str) -> Callable[[Any], Results]:
    limits = np.iinfo(dtype)
    bits = limits.bits
    x, y = _pairs(_firsts(dtype), {0, 1, bits - 1, bits, bits + 1, 100, *((-1, -bits) if limits.min else ())}, dtype)

    def left(a: int, by: int) -> int:
        return wrapped(a << by, dtype) if 0 <= by < bits else 0

    def right(a: int, by: int) -> int:
        return a >> by if 0 <= by < bits else -1 if a < 0 else 0

    def run(ug: Any) -> Results:
        first, second = ug.asarray(x), ug.asarray(y)
        return {"left": _agrees(first << second, left, x, y), "right": _agrees(first >> second, right, x, y)}

    return run


_EDGES = [
    *(math.nan, math.inf, -math.inf, 1e20, -1e20, 1e300, 3e9, -3e9, 5e9, 300.0, -1.0, 2.7, -2.7, -0.5, 70000.0, -129.0),
    *(2.0**31, 2.0**31 - 1, -(2.0**31), 2.0**32, 2.0**63, 1.5 * 2.0**63, 2.0**64, -(2.0**63), 32768.0, 65535.0, 127.0),
]


def _casts(dtype: str) -> Callable[[Any], Results]:
    def run(ug: Any) -> Results:
        results: Results = {}
        for source in FLOATS:
            with np.errstate(all="ignore"):
                # As many as a framework's loop over many elements begins with, which may answer otherwise.
                values = np.array(_EDGES * 5).astype(source)
            expected = [truncated(value, dtype) for value in values.astype(np.float64).tolist()]
            x = ug.asarray(values)
            results[source] = bool(x.astype(dtype).numpy().tolist() == expected)
            results[f"{source} one by one"] = all(
                int(x[position].astype(dtype)) == expected[position] for position in range(4)
            )
        results["asarray"] = bool(ug.asarray(values, dtype=dtype).numpy().tolist() == expected)
        return results

    return run


def cases() -> Iterator[Case]:
    """Each rule in each integer dtype."""
    words = dict.fromkeys(("floor_divide", "remainder", "fmod"), "")
    flags = {name: True for source in FLOATS for name in (source, f"{source} one by one")} | {"asarray": True}
    for dtype in INTEGERS:
        for rule, run, why, expected in (
            ("division", _division(dtype), "divided by 0 an integer is 0, and the least one by -1 itself", words),
            ("shifts", _shifts(dtype), "shifted by the width or more, or a negative number, the sign is left", {}),
            ("casts", _casts(dtype), "one integer for NaN, infinity and floats that the dtype does not hold", flags),
        ):
            yield Case(
                name=f"integers.{rule}.{dtype}",
                family="integers",
                group=f"integers.{rule}",
                run=run,
                why=why,
                dtype=dtype,
                needs=dtype,
                everyday=dtype in EVERYDAY,
                expected=expected or {"left": "", "right": ""},
            )
