"""Python numbers beside arrays, and NumPy's arrays as data: what a dtype does not hold, and who owns the memory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised

NUMBERS = Program("numbers")
case = NUMBERS.case
inf = math.inf


@case("a buffer that is filled again before backward: asarray has copied it", grad=[1.0, 2.0], raw=[1.0, 2.0])
def refilled_buffer(ug: Any) -> Results:
    results = {}
    for name, made in (("grad", ug.asarray), ("raw", lambda buffer: buffer)):
        buffer = np.array([1.0, 2.0], np.float32)
        w = ug.ones(2)
        w.attach_grad()
        with ug.record():
            y = (w * made(buffer)).sum()
        buffer[:] = 100.0
        y.backward()
        results[name] = w.grad
    return results


@case(
    "a number beyond a floating dtype is infinite in it, wherever it meets an array",
    **{
        "where": [-inf, 3], "clip": [1, 3], "maximum": [inf, inf], "full": [inf, inf], "hypot": [inf, inf],
        "pad": [-inf, 1], "add": [inf, inf], "floor_divide": [0, 0], "remainder": [1, 3], "power": [1, inf],
        "less": [True, True], "an integer": [True, True], "asarray": [inf, inf],
    },
)  # fmt: skip
def beyond_float32(ug: Any) -> Results:
    x = ug.asarray([1.0, 3.0])
    return {
        "where": ug.where(x > 2, x, -1e39), "clip": ug.clip(x, -1e39, 1e39), "maximum": ug.maximum(x, 1e39),
        "full": ug.full((2,), 1e39), "hypot": ug.hypot(x, 1e39), "pad": ug.pad(x, 1, constant_values=-1e39)[:2],
        "add": x + 1e39, "floor_divide": x // 1e39, "remainder": x % 1e39, "power": x**1e39, "less": x < 1e39,
        "an integer": x < 2**64, "asarray": ug.asarray([1e39, 1e39]),
    }  # fmt: skip


@case(
    "of float16 as well, whose numbers are rounded to it",
    **{"full_like": [-inf, -inf], "power": [1, inf], "floor_divide": [10, 30], "multiply": [inf, inf]},
)
def beyond_float16(ug: Any) -> Results:
    x = ug.asarray(np.array([1.0, 3.0], np.float16))
    return {"full_like": ug.full_like(x, -1e9), "power": x**70000, "floor_divide": x // 0.1, "multiply": x * 1e-3 * 1e9}


TOO_LARGE = {
    "asarray": lambda ug, x: ug.asarray(2**63),
    "int8": lambda ug, x: ug.asarray(300, dtype="int8"),
    "add": lambda ug, x: x + 2**63,
    "less": lambda ug, x: x < 2**63,
    "where": lambda ug, x: ug.where(x > 1, x, 2**64),
    "narrow": lambda ug, x: x.astype("uint8") - 300,
    "full": lambda ug, x: ug.full(2, 2**31, dtype="int32"),
    "nan": lambda ug, x: ug.full(2, math.nan, dtype="int32"),
    "complex": lambda ug, x: ug.full(2, 1j, dtype="float32"),
}


@case("an integer that an integer dtype does not hold is a DtypeError", **dict.fromkeys(TOO_LARGE, "DtypeError"))
def beyond_integers(ug: Any) -> Results:
    x = ug.asarray(np.array([1, 3]))
    return {name: raised(lambda call=call: call(ug, x)) for name, call in TOO_LARGE.items()}


@case("integers have no negative powers", array="ArgumentError", number="ArgumentError")
def negative_powers(ug: Any) -> Results:
    x = ug.asarray(np.array([1, 3]))
    return {"array": raised(lambda: x ** ug.asarray(np.array([-1, 2]))), "number": raised(lambda: x**-1)}


@case(
    "subnormal numbers are not zero where a truth value, a position, a whole number or a sign is asked for",
    **dict.fromkeys(("float32", "float64"), ""),
)
def subnormal_numbers(ug: Any) -> Results:
    found = {}
    for dtype, tiny in (("float32", 1e-40), ("float64", 1e-310)):
        values = np.array([tiny, -tiny, 0.0, 2 * tiny, 1.0], dtype)
        x, y = ug.asarray(values), ug.asarray(np.array([0.0, tiny, -tiny, tiny, 2 * tiny], dtype))
        answers = {
            "ceil": (ug.ceil(x), [1, 0, 0, 1, 1]),
            "floor": (ug.floor(x), [0, -1, 0, 0, 1]),
            "sign": (ug.sign(x), [1, -1, 0, 1, 1]),
            "equal": (x == y, [0, 0, 0, 0, 0]),
            "not_equal": (x != y, [1, 1, 1, 1, 1]),
            "less": (x < y, [0, 1, 0, 0, 0]),
            "less_equal": (x <= y, [0, 1, 0, 0, 0]),
            "greater": (x > y, [1, 0, 1, 1, 1]),
            "greater_equal": (x >= y, [1, 0, 1, 1, 1]),
            "beside a number": (x > 0, [1, 0, 0, 1, 1]),
            "not": (ug.logical_not(x), [0, 0, 1, 0, 0]),
            "and": (ug.logical_and(x, y), [0, 1, 0, 1, 1]),
            "or": (ug.logical_or(x, y), [1, 1, 1, 1, 1]),
            "xor": (ug.logical_xor(x, y), [1, 0, 1, 0, 0]),
            "bool": (x.astype("bool"), [1, 1, 0, 1, 1]),
            "where": (ug.where(x, 1, 2), [1, 1, 2, 1, 1]),
            "count": (ug.count_nonzero(x), 4),
            "any": (ug.any(x[:2]), True),
            "all": (ug.all(x[:2]), True),
            "argsort": (ug.argsort(x), [1, 2, 0, 3, 4]),
            "argmax": (ug.argmax(x[:4]), 3),
            "argmin": (ug.argmin(x[:4]), 1),
            "heaviside": (ug.heaviside(x, 0.5), [1, 0, 0.5, 1, 1]),
            "angle": (ug.angle(x) > 3, [0, 1, 0, 0, 0]),
            "nonzero": (ug.nonzero(x)[0], [0, 1, 3, 4]),
            "searchsorted": (ug.searchsorted(ug.sort(x), x), [2, 0, 1, 3, 4]),
            "array_equal": (ug.array_equal(x, x * 0), False),
        }
        found[dtype] = ", ".join(name for name, (value, right) in answers.items() if value.tolist() != right)
    return found


@case("the imaginary part of a real number is 0, of NaN and infinity as well", value=[0, 0, 0], grad=[0, 0, 0])
def imaginary_part_of_nan(ug: Any) -> Results:
    x = ug.asarray([math.nan, inf, -2.0])
    x.attach_grad()
    with ug.record():
        y = ug.imag(x)
    y.backward()
    return {"value": y, "grad": x.grad}
