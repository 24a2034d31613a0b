"""Python numbers beside arrays, and NumPy's arrays as data: what a dtype does not hold, and who owns the memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from unigrad_conformance.case import Limit, Program, Results, raised
from unigrad_conformance.oracle import Oracle

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
        "less": [True, True], "an integer": [True, True], "asarray": [inf, inf], "norm": 3, "least": 1,
        "norm of NaN": math.nan, "nan_to_num": [inf, 3],
    },
)  # fmt: skip
def beyond_float32(ug: Any) -> Results:
    x = ug.asarray([1.0, 3.0])
    return {
        "where": ug.where(x > 2, x, -1e39), "clip": ug.clip(x, -1e39, 1e39), "maximum": ug.maximum(x, 1e39),
        "full": ug.full((2,), 1e39), "hypot": ug.hypot(x, 1e39), "pad": ug.pad(x, 1, constant_values=-1e39)[:2],
        "add": x + 1e39, "floor_divide": x // 1e39, "remainder": x % 1e39, "power": x**1e39, "less": x < 1e39,
        "an integer": x < 2**64, "asarray": ug.asarray([1e39, 1e39]), "norm": ug.linalg.vector_norm(x, ord=1e39),
        "nan_to_num": ug.nan_to_num(ug.where(x > 2, x, math.nan), nan=1e39),
        "least": ug.linalg.vector_norm(x, ord=-1e39), "norm of NaN": ug.linalg.vector_norm(x * math.nan, ord=1e39),
    }  # fmt: skip


@case(
    "of float16 as well, whose numbers are rounded to it",
    **{"full_like": [-inf, -inf], "power": [1, inf], "floor_divide": [10, 30], "multiply": [inf, inf]},
)
def beyond_float16(ug: Any) -> Results:
    x = ug.asarray(np.array([1.0, 3.0], np.float16))
    return {"full_like": ug.full_like(x, -1e9), "power": x**70000, "floor_divide": x // 0.1, "multiply": x * 1e-3 * 1e9}


nan = math.nan
LITTLE = 1.0 * float(np.float32(1e-9))


@case(
    "a nearly whole exponent is whole where the dtype says so, and else its power has no slope where it is NaN",
    **{
        "whole": [4, 0, 4], "from below": [4, 0, 4], "over": [0.25, inf, 0.25],
        "slope of whole": [-4, 0, 4], "one": [-2, 0, 2], "slope of one": [1, 1, 1],
        "least": [nan, 0, 1], "slope of least": [nan, inf, LITTLE / 2], "by an array": [nan, inf, LITTLE / 2],
        "below 0": [nan, inf, 1], "slope below 0": [nan, -inf, -LITTLE / 2],
        "second": [nan, -inf, -LITTLE / 4],
    },
)  # fmt: skip
def nearly_whole_exponents(ug: Any) -> Results:
    x = ug.asarray([-2.0, 0.0, 2.0])
    slope = {
        e: ug.grad(lambda x, e=e: (x**e).sum())(x) for e in (2.0000000001, 1.000000001, 1e-9, -1e-9)
    }  # fmt: skip
    return {
        "whole": x**2.0000000001, "from below": x**1.9999999999, "over": x**-2.0000000001,
        "slope of whole": slope[2.0000000001], "one": x**1.000000001,
        "slope of one": slope[1.000000001], "least": x**1e-9, "slope of least": slope[1e-9],
        "by an array": ug.grad(lambda x: (x ** ug.asarray(1e-9)).sum())(x), "below 0": x**-1e-9,
        "slope below 0": slope[-1e-9],
        "second": ug.grad(lambda x: ug.grad(lambda x: (x**1e-9).sum())(x).sum())(x),
    }  # fmt: skip


@case(
    "an odd exponent beyond the digits of the dtype is even there",
    **{"float32": [1, 1, 1, 1], "float64": [1, 1, 1, 1], "float16": [1, 1], "bfloat16": [1, 1, -1]},
)
def odd_exponents(ug: Any) -> Results:
    def powers(dtype: str, *exponents: float) -> Any:
        try:
            x = ug.asarray(-1.0, dtype=dtype)
        except ug.UnsupportedError:  # bfloat16, where there is none
            return ug.asarray([1.0, 1.0, -1.0])
        return ug.stack([(x**exponent).astype("float32") for exponent in exponents])

    return {
        "float32": powers("float32", 2**24 + 1, 2.0**24 + 1, -(2**24) - 1, 2**40 + 1),
        "float64": powers("float64", 2**53 + 1, 2.0**53 + 1, -(2**53) - 1, 2**60 + 1),
        "float16": powers("float16", 2049, 2049.0),
        "bfloat16": powers("bfloat16", 257, 257.0, 2.999),
    }


@case(
    "in float64 as well",
    dtype="float64",
    **{"value": [nan, 0, 1], "slope": [nan, inf, 5e-40], "by an array": [nan, inf, 5e-40]},
)
def nearly_whole_exponents_of_float64(ug: Any) -> Results:
    x = ug.asarray(np.array([-2.0, 0.0, 2.0]))
    return {
        "value": x**1e-39,
        "slope": ug.grad(lambda x: (x**1e-39).sum())(x),
        "by an array": ug.grad(lambda x: (x ** ug.asarray(1e-39, like=x, dtype=x.dtype)).sum())(x),
    }


def _second(ug: Any, f: Any, *values: float) -> Any:
    return ug.grad(lambda x: ug.grad(lambda x: f(x).sum())(x).sum())(ug.asarray(np.array(values)))


@case(
    "far out second derivatives keep their digits, and values are infinite no sooner than the dtype is",
    dtype="float64",
    limit=Limit(16, "largest", "Bessel's functions have some units, and what is 0 is so exactly"),
    **{
        "softplus": [2.061153613941849e-09, 4.248354255291589e-18, 9.357622968838423e-14],
        "log_sigmoid": [-2.061153613941849e-09, -4.248354255291589e-18],
        "erfc": [0, 0], "i0": [3.345334558619656e306], "i1": [2.4666770135246153e307],
    },
)  # fmt: skip
def far_out(ug: Any) -> Results:
    special = ug.special
    return {
        "softplus": _second(ug, ug.nn.softplus, 20.0, 40.0, -30.0),
        "log_sigmoid": _second(ug, lambda x: -ug.nn.softplus(-x), -20.0, -40.0),
        "erfc": _second(ug, special.erfc, inf, -inf),
        "i0": special.i0(ug.asarray(np.array([710.0]))),
        "i1": special.i1(ug.asarray(np.array([712.0]))),
    }  # fmt: skip


@case(
    "scaled functions are 0 at infinity, as are their slopes",
    dtype="float64",
    **{"erfcx": [0], "slope of erfcx": [0], "i0e": [0, 0], "slope of i0e": [0, 0], "i1e": [0, 0], "ive": [0, 0]},
)
def scaled_at_infinity(ug: Any) -> Results:
    special, ends = ug.special, ug.asarray(np.array([inf, -inf]))
    return {
        "erfcx": special.erfcx(ends[:1]), "slope of erfcx": ug.grad(lambda x: special.erfcx(x).sum())(ends[:1]),
        "i0e": special.i0e(ends), "slope of i0e": ug.grad(lambda x: special.i0e(x).sum())(ends),
        "i1e": special.i1e(ends), "ive": special.ive(ug.asarray(np.array([0.5, 3.0])), ends[0]),
    }  # fmt: skip


@case(
    "quotients whose squares under- or overflow have slopes that do not",
    **{
        "atan2": [5e24, 6.0 / 13 * 0.5e-25], "atan2 in x2": [-5e24, -4.0 / 13 * 0.5e-25], "angle": [0, 0],
        "divide": [-1e25, -2.0 / 9 * 1e-25], "compiled": [1e25, 2.0 / 9 * 1e-25],
    },
    limit=Limit(16, "largest", "of the larger element"),
)  # fmt: skip
def quotients(ug: Any) -> Results:
    x, y = ug.asarray([1e-25, 2e25]), ug.asarray([1e-25, 3e25])
    first, second = ug.grad(lambda x, y: ug.atan2(x, y).sum(), argnums=(0, 1))(x, y)
    return {
        "atan2": first, "atan2 in x2": second, "angle": ug.grad(lambda x: ug.angle(x).sum())(x),
        "divide": ug.grad(lambda y: (x / y).sum())(y),
        "compiled": ug.compile(lambda x, y: x / y / y)(x, y),
    }  # fmt: skip


def _subtracted_at(x: Any) -> Any:
    written = x.copy()
    np.subtract.at(written, 0, 0.1)
    return written


# Each with its value for x = [-1, 2].
_OF_NUMBERS: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "fmax": (lambda ug, x: ug.fmax(x, 0.1), [0.1, 2.0]),
    "fmin": (lambda ug, x: ug.fmin(0.1, x), [-1.0, 0.1]),
    "heaviside": (lambda ug, x: ug.heaviside(x, 0.1), [0, 1]),
    "heaviside at 0": (lambda ug, x: ug.heaviside(x[0] + 1, 0.1), 0.1),
    "interp": (lambda ug, x: ug.interp(0.1, x * 0 + [0, 1], x * 0 + [0, 2]), 0.2),
    "logaddexp": (lambda ug, x: ug.logaddexp(x, 0.1), np.logaddexp([-1.0, 2.0], 0.1).tolist()),
    "diff": (lambda ug, x: ug.diff(x, prepend=0.1), [-1.1, 3.0]),
    "append": (lambda ug, x: ug.append(x, 0.1), [-1.0, 2.0, 0.1]),
    "stack": (lambda ug, x: ug.stack([x[1], 0.1]), [2.0, 0.1]),
    "hstack": (lambda ug, x: ug.hstack([0.1, x]), [0.1, -1.0, 2.0]),
    "choose": (lambda ug, x: ug.choose([0, 1], [x, 0.1]), [-1.0, 0.1]),
    "linear": (lambda ug, x: ug.nn.linear(x[None], ug.asarray(np.array([[0.0, 1.0]])), 0.1), [[2.1]]),
    "subtract": (lambda ug, x: x.at[0].subtract(0.1), [-1.1, 2.0]),
    "subtract.at": (lambda ug, x: _subtracted_at(x), [-1.1, 2.0]),
    "outer": (lambda ug, x: ug.outer(x, 0.1), [[-0.1], [0.2]]),
    "polyval": (lambda ug, x: ug.polyval([1.0, x[1] * 0 + 0.1], x), [-0.9, 2.1]),
    "allclose": (lambda ug, x: ug.allclose(x[:1] * -0.1, 0.1, rtol=1e-12), True),
    "rel_entr": (lambda ug, x: ug.special.rel_entr(x[1], 0.1), 2 * math.log(20.0)),
    "gradient of fmax": (
        lambda ug, x: ug.grad(lambda x: ug.sum(ug.fmax(x, 0.1) ** 2 / 2))(x) + ug.asarray(np.array([0.1, 0.0])),
        [0.1, 2.0],
    ),
}


@case(
    "a number keeps its digits beside arrays of float64, also where it stands for an array",
    dtype="float64",
    **{name: value for name, (_, value) in _OF_NUMBERS.items()},
)
def digits_of_numbers(ug: Any, names: Collection[str] = tuple(_OF_NUMBERS)) -> Results:
    return {name: _OF_NUMBERS[name][0](ug, ug.asarray(np.array([-1.0, 2.0]))) for name in names}


_WIDE = np.array([0.25, 0.7, 0.45])
_PARTS = np.array([0.3, 0.5, 0.2], np.float32).astype(np.float64)


def _narrow(ug: Any) -> Any:
    return ug.asarray(_PARTS.astype(np.float32))


# Each with its value for x = _WIDE.
_BESIDE_FLOAT64: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "interp": (
        lambda ug, x: ug.interp(x, [0.0, 0.375, 1.125], [0.0, 1.0, 2.0]),
        np.interp(_WIDE, [0, 0.375, 1.125], [0, 1, 2]),
    ),
    "average": (lambda ug, x: ug.average(x * 0 + 1, weights=_narrow(ug)), 1.0),
    "polyfit": (lambda ug, x: ug.polyfit([1.0, 3.0, 4.0], x, 1), [5 / 56, 8 / 35]),
    "lstsq": (
        lambda ug, x: np.linalg.lstsq(ug.asarray(np.array([[1, 1], [3, 1], [4, 1]])), x)[0],
        [5 / 56, 8 / 35],
    ),
    "percentile": (lambda ug, x: ug.percentile(x, ug.asarray([10, 70])), np.percentile(_WIDE, [10, 70])),
    "logaddexp2": (lambda ug, x: ug.logaddexp2(ug.asarray([1, 2, 3]), x), np.logaddexp2([1, 2, 3], _WIDE)),
    "cosine": (
        lambda ug, x: ug.nn.cosine_similarity(x, [1.0, 2.0, 3.0], axis=0),
        float(_WIDE @ [1, 2, 3] / np.linalg.norm(_WIDE) / 14**0.5),
    ),
    "gradient": (
        lambda ug, x: np.gradient(x, [0.0, 1.0, 3.0], edge_order=2),
        np.gradient(_WIDE, [0, 1, 3], edge_order=2),
    ),
    "trapezoid": (lambda ug, x: ug.trapezoid(_narrow(ug), x), float(np.trapezoid(_PARTS, _WIDE))),
    "kl_div": (
        lambda ug, x: ug.nn.kl_div(ug.log(x), _narrow(ug), reduction="none"),
        _PARTS * (np.log(_PARTS) - np.log(_WIDE)),
    ),
    "probabilities": (
        lambda ug, x: ug.nn.cross_entropy(_narrow(ug)[None], x[None]),
        float(-(_WIDE @ np.log(np.exp(_PARTS) / np.exp(_PARTS).sum()))),
    ),
    "binom": (lambda ug, x: ug.special.binom(ug.asarray(4), x[:1] * 0 + 2)[0] * 5 / 9, 10 / 3),
    "weights": (
        lambda ug, x: ug.nn.cross_entropy(x[None], [0], weights=[0.3, 0.5, 0.2]),
        float(-np.log(np.exp(_WIDE[0]) / np.exp(_WIDE).sum())),
    ),
}


@case(
    "lists, integers and arrays of float32 beside float64 are computed with no fewer digits",
    dtype="float64",
    limit=Limit(ulp=16, of="one"),
    **{name: value for name, (_, value) in _BESIDE_FLOAT64.items()},
)
def digits_beside_float64(ug: Any, names: Collection[str] = tuple(_BESIDE_FLOAT64)) -> Results:
    return {name: _BESIDE_FLOAT64[name][0](ug, ug.asarray(_WIDE)) for name in names}


NARROW = ("fmax", "fmin", "heaviside", "logaddexp", "logaddexp2", "float_power")


@case("numbers leave float16 what it is", **dict.fromkeys(NARROW, ["float16"] * 4), rel_entr="float16", binom="float16")
def numbers_beside_float16(ug: Any, names: Collection[str] = NARROW) -> Results:
    x = ug.asarray(np.array([0.5, 1.0], np.float16))
    functions = {name: getattr(ug, name) for name in names}
    pairs = ((x, 0.5), (0.5, x), (x, 2), (2, x))
    found = {name: [str(f(*pair).dtype) for pair in pairs] for name, f in functions.items()}
    special = {"rel_entr": ug.special.rel_entr(x, 2), "binom": ug.special.binom(3, x)}
    return found | {name: str(made.dtype) for name, made in special.items()}


@case(
    "a power by a number that is 0 in the dtype is 1, and constant; a base that is 0 or infinite there is one",
    **{
        "power": [1] * 5, "slope": [0] * 5, "number as array": [0] * 5, "float16": [1] * 5, "slope, float16": [0] * 5,
        "of 0": [0, 0, 1], "slope of 0": [0, 0, 0], "of infinity": [inf, inf, 1], "slope of infinity": [inf, inf, inf],
    },
)  # fmt: skip
def powers_by_vanishing_numbers(ug: Any) -> Results:
    x, y = ug.asarray([0.5, -1.0, 0.0, inf, -3.0]), ug.asarray([0.5, 2.0, 0.0])
    half = x.astype("float16")

    def slope(f: Any, at: Any) -> Any:
        return ug.grad(lambda x: ug.sum(f(x)))(at)

    return {
        "power": x**1e-320, "slope": slope(lambda x: x**1e-46, x), "float16": half**1e-9,
        "number as array": slope(lambda x: x ** ug.asarray(0.0), x), "slope, float16": slope(lambda x: x**1e-9, half),
        "of 0": 1e-320**y, "slope of 0": slope(lambda y: 1e-320**y, y),
        "of infinity": 1e300**y, "slope of infinity": slope(lambda y: 1e300**y, y),
    }  # fmt: skip


@case(
    "clip takes a number and an array for its bounds, in each place",
    **{
        "low": [0, 1.5, 2], "high": [-1, 0.5, 0.5], "number": [0.5, 1.5, 1.5], "mask": [0, 2],
        "slope of x": [0, 0, 1], "slope of y": [1, 1, 0], "slope of high": [1, 0, 0],
    },
)  # fmt: skip
def bounds_of_clip(ug: Any) -> Results:
    x, y = ug.asarray([-1.0, 1.5, 2.0]), ug.asarray([-2.0, 1.0, 3.0])
    slopes = ug.grad(lambda x, y: ug.sum(ug.clip(x, 0, y)), argnums=(0, 1))(x, y)
    return {
        "low": ug.clip(x, 0.0, ug.asarray([1.0, 1.5, 3.0])), "high": ug.clip(x, ug.asarray([-2.0, -2.0, 1.0]), 0.5),
        "number": ug.clip(1.5, None, ug.asarray([0.5, 2.0, 3.0])), "mask": ug.clip(ug.asarray([False, True]), 0, 2) * 2,
        "slope of x": slopes[0], "slope of y": slopes[1],
        "slope of high": ug.grad(lambda y: ug.sum(ug.clip(0.5, 0.25, y)))(y),
    }  # fmt: skip


@case("numbers chosen by a floating condition have the slope 0, and what is chosen by it has its own",
      value=[0.5, 2.0], slope=[0, 0], twice=[0, 0], kept=[3, 0], left=[0, 4], of_kept=[1, 0],
      of_left=[0, 1])  # fmt: skip
def numbers_chosen(ug: Any) -> Results:
    x = ug.asarray([1.0, 0.0])

    def slope(x: Any) -> Any:
        return ug.grad(lambda x: ug.sum(ug.where(x, 0.5, 2.0)))(x)

    y = ug.asarray([3.0, 4.0])
    return {
        "value": ug.where(x, 0.5, 2.0), "slope": slope(x), "twice": ug.grad(lambda x: ug.sum(slope(x)))(x),
        "kept": ug.where(x, y, 0.0), "left": ug.where(x, 0.0, y),
        "of_kept": ug.grad(lambda y: ug.sum(ug.where(x, y, 0.0)))(y),
        "of_left": ug.grad(lambda y: ug.sum(ug.where(x, 0.0, y)))(y),
    }  # fmt: skip


TOO_LARGE = {
    "asarray": lambda ug, x: ug.asarray(2**63),
    "int8": lambda ug, x: ug.asarray(300, dtype="int8"),
    "add": lambda ug, x: x + 2**63,
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
    "subnormal numbers are not zero where a truth value, a position, a whole number, a sign or an angle is asked for",
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
            "angle of two": (ug.round(ug.atan2(x, y) * (8 / math.pi)), [4, -2, 8, 3, 4]),
            "side of the cut": (ug.atan2(x, -1.0) > 0, [1, 0, 1, 1, 1]),
            "nonzero": (ug.nonzero(x)[0], [0, 1, 3, 4]),
            "searchsorted": (ug.searchsorted(ug.sort(x), x), [2, 0, 1, 3, 4]),
            "array_equal": (ug.array_equal(x, x * 0), False),
            "isclose": (ug.isclose(x, y, rtol=0.0, atol=0.0), [0, 0, 0, 0, 0]),
            "allclose": (ug.allclose(x, x, rtol=0.0, atol=0.0), True),
        }
        found[dtype] = ", ".join(name for name, (value, right) in answers.items() if value.tolist() != right)
    return found


ODD = (
    "sin",
    "tan",
    "asin",
    "atan",
    "sinh",
    "tanh",
    "asinh",
    "atanh",
    "expm1",
    "log1p",
    "erf",
    "cbrt",
    "trunc",
    "round",
)


@case("odd functions keep the sign of 0, as sums with 0 do not", **{name: [True, False] for name in ODD},
      add=[False, False])  # fmt: skip
def signs_of_zero(ug: Any, names: Collection[str] = ODD) -> Results:
    x = ug.asarray([-0.0, 0.0])
    if isinstance(x.backend, Oracle):  # whose zero has no sign
        return {name: [True, False] for name in names} | {"add": [False, False]}
    found = {name: getattr(ug, name)(x) for name in names} | {"add": x + 0.0}
    return {name: ug.signbit(y).tolist() for name, y in found.items()}


@case("the share of a piece is added to 0 elsewhere, and -0 and 0 are 0", below=[False, False])
def signs_of_shares(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    if isinstance(x.backend, Oracle):  # whose zero has no sign
        return {"below": [False, False]}
    slope = ug.grad(lambda x: x[1:].sum() * 2 + (x[:1] * -0.0).sum() + (x[:1] * -0.0).sum())(x)
    return {"below": ug.signbit(slope).tolist()}


@case("the imaginary part of a real number is 0, of NaN and infinity as well", value=[0, 0, 0], grad=[0, 0, 0])
def imaginary_part_of_nan(ug: Any) -> Results:
    x = ug.asarray([math.nan, inf, -2.0])
    x.attach_grad()
    with ug.record():
        y = ug.imag(x)
    y.backward()
    return {"value": y, "grad": x.grad}


@case(
    "what is added up of parts that lie in several places is one number from then on",
    **{
        "sum and 1": [6, 9], "divided": [2, 2], "any": [1, 1], "any and 1": 2, "norms": 10, "norm and minus": [5, -5],
        "mean as half": 0.5, "mean of halves": 6e4, "truncated": [1, 3], "as complex": 1 + 0j,
        "cotangent": [2, 4],
    },
)  # fmt: skip
def added_up_of_parts(ug: Any) -> Results:
    integers, x = ug.asarray(np.array([[1, 4], [4, 4]])), ug.asarray([[3.0, 3.0], [4.0, 4.0]])
    y = ug.asarray([1.0, 2.0])
    y.attach_grad()
    with ug.record():
        squares = y**2
    squares.backward(ug.ones(2))
    sums, norms = ug.sum(integers, axis=0), ug.linalg.vector_norm(x, axis=0)
    return {
        "sum and 1": sums + 1,
        "divided": ug.asarray([10.0, 16.0]) / sums,
        "any": ug.any(integers > 3, axis=0).astype("int32"),
        "any and 1": ug.any(integers > 0) + 1,
        "norms": ug.sum(norms),
        "norm and minus": ug.stack([norms, -norms])[:, 0],
        "mean as half": ug.mean(ug.asarray([0.25, 0.75])).astype("float16").astype("float32"),
        "mean of halves": ug.mean(ug.asarray(np.full(4, 60000, np.float16))).astype("float32"),
        "truncated": ug.sum(ug.asarray([[0.5, 1.5], [0.5, 1.5]]), axis=0).astype("int64"),
        "as complex": ug.sum(ug.asarray([0.5, 0.5])).astype("complex64"),
        "cotangent": y.grad,
    }


@case(
    "a list with Tensors and numbers in it has one dtype, recorded or not",
    **{"numbers": [1.5, 2, 3], "recorded": [1.5, 2, 3], "of whole numbers": [2, 3], "half": [1.5, 0.25],
       "rows": [[1.5, 2], [1, 0.5]], "chosen": [1.5, 0.5], "dtypes": True, "grad": [4, 1]},
)  # fmt: skip
def lists_with_arrays(ug: Any) -> Results:
    x, i = ug.asarray([1.5, 2.0]), ug.asarray(np.array([2, 3], np.int8))
    found = {
        "numbers": ug.asarray([x[0], 2, 3.0]), "rows": ug.asarray([x, (1, 0.5)]),
        "half": ug.asarray([x[0].astype("float16"), 0.25]), "of whole numbers": ug.asarray([i[0], 3]),
        "chosen": ug.where(ug.asarray([True, False]), x, [x[0], 0.5]),
    }  # fmt: skip
    dtypes = [y.dtype for y in found.values()] == [ug.float32, ug.float32, ug.float16, ug.int64, ug.float32]
    x.attach_grad()
    with ug.record():
        recorded = ug.asarray([x[0], 2, 3.0])
        y = ug.sum(recorded + ug.asarray([[x[0], 0.0, x[1]], [x[0], 1, 1]]))
    y.backward()
    found |= {"recorded": recorded, "grad": x.grad}
    return found | {"half": found["half"].astype("float32"), "dtypes": dtypes and recorded.dtype == ug.float32}


_MIXED: dict[str, Any] = {
    "layer_norm": lambda ug, x, w: ug.nn.layer_norm(x, w, w),
    "rms_norm": lambda ug, x, w: ug.nn.rms_norm(x, w),
    "group_norm": lambda ug, x, w: ug.nn.group_norm(x, 3, w, w),
    "batch_norm": lambda ug, x, w: ug.nn.batch_norm(x, w, w, training=True),
    "prelu": lambda ug, x, w: ug.nn.prelu(x, w),
    "linear": lambda ug, x, w: ug.nn.linear(x, w[None], w[:1]),
    "average": lambda ug, x, w: ug.average(x, axis=1, weights=w),
    "cov": lambda ug, x, w: ug.cov(x, aweights=w),
    "trapezoid": lambda ug, x, w: ug.trapezoid(x, w),
    "cross_entropy": lambda ug, x, w: ug.nn.cross_entropy(x, ug.stack([w, w])),
    "cross_entropy with weights": lambda ug, x, w: ug.nn.cross_entropy(x, ug.asarray([0, 1], like=x), weights=w),
    "nll_loss with weights": lambda ug, x, w: ug.nn.nll_loss(x, ug.asarray([0, 1], like=x), weights=w),
    "mse_loss": lambda ug, x, w: ug.nn.mse_loss(x, ug.stack([w, w])),
    "cosine_similarity": lambda ug, x, w: ug.nn.cosine_similarity(x, w),
    "convolve": lambda ug, x, w: ug.convolve(x[0], w),
    "matmul": lambda ug, x, w: x @ w,
    "einsum": lambda ug, x, w: ug.einsum("ij,j->i", x, w),
    "hypot": lambda ug, x, w: ug.hypot(x, w),
    "polyval": lambda ug, x, w: ug.polyval(w, x),
    "interp": lambda ug, x, w: ug.interp(x, w, w),
}
_PAIRS = (("float32", "float64"), ("float64", "float32"), ("float16", "float32"), ("float32", "float16"))


@case("a quotient rounded down that is zero has the sign of the quotient", below=[True, True, False, False, False])
def zero_quotients(ug: Any) -> Results:
    x, y = ug.asarray([-0.0, 0.0, 0.0, -0.0, 1.0]), ug.asarray([3.0, -3.0, 3.0, -3.0, 3.0])
    if isinstance(x.backend, Oracle):  # whose zero has no sign
        return {"below": [True, True, False, False, False]}
    return {"below": ug.signbit(ug.floor_divide(x, y)).tolist()}


@case(
    "data and weights of two dtypes make the dtype of both, whichever is the wider",
    **{name: ["float64", "float64", "float32", "float32"] for name in _MIXED},
)
def dtypes_of_weights(ug: Any, names: Collection[str] = tuple(_MIXED)) -> Results:
    def made(name: str, dtypes: tuple[str, str]) -> str:
        x = ug.asarray(np.array([[1.0, 2.0, 4.0], [3.0, 1.0, 2.0]], dtypes[0]))
        return str(_MIXED[name](ug, x, ug.asarray(np.array([0.5, 1.0, 2.0], dtypes[1]))).dtype)

    return {name: [made(name, pair) for pair in _PAIRS] for name in names}


NUMBERS.quickly(signs_of_zero, ("cbrt", "expm1"), ODD)
NUMBERS.quickly(dtypes_of_weights, ("average", "cov", "trapezoid", "nll_loss with weights"), _MIXED)
# Which dtype a number, a list or a mask has is decided before a backend is asked.
NUMBERS.quickly(numbers_beside_float16, ("fmax", "float_power"), NARROW)
NUMBERS.quickly(digits_of_numbers, ("fmax", "heaviside", "interp", "subtract.at", "outer", "polyval"), _OF_NUMBERS)
NUMBERS.quickly(digits_beside_float64, ("average", "percentile", "kl_div", "weights"), _BESIDE_FLOAT64)
