"""What is constant between its jumps: the derivative is 0 whatever arrives at it, in either mode."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results

JUMPS = Program("jumps")

CONSTANT: dict[str, Callable[[Any, Any], Any]] = {
    "round": lambda ug, x: ug.round(x),
    "round to tenths": lambda ug, x: ug.round(x, 1),
    "floor": lambda ug, x: ug.floor(x),
    "ceil": lambda ug, x: ug.ceil(x),
    "trunc": lambda ug, x: ug.trunc(x),
    "sign": lambda ug, x: ug.sign(x),
    "heaviside": lambda ug, x: ug.heaviside(x, 0.5),
    "floor_divide": lambda ug, x: x // 0.5,
    "floor_divide by it": lambda ug, x: 7.0 // x,
    "imag": lambda ug, x: ug.imag(x),
    "copysign": lambda ug, x: ug.copysign(ug.ones(3), x),
    "nextafter": lambda ug, x: ug.nextafter(ug.ones(3), x),
    "power": lambda ug, x: x**0,
    "where": lambda ug, x: ug.where(ug.abs(x) > 9, x, 1.0),
    "clip": lambda ug, x: ug.clip(x, 8.0, 9.0),
    "greater": lambda ug, x: (x > 0).astype(ug.float32),
}
NONE = {f"{name} of {number}": [0.0] * 3 for name in CONSTANT for number in (math.nan, math.inf)}


def _zeros(ug: Any, derivative: Callable[..., Any]) -> Results:
    x = ug.asarray([-2.25, 0.25, 3.75])
    return {
        f"{name} of {number}": derivative(
            lambda y, call=call: call(ug, y), x, ug.asarray(np.full(3, number, np.float32))
        )
        for name, call in CONSTANT.items()
        for number in (math.nan, math.inf)
    }


@JUMPS.case("a cotangent of NaN or infinity becomes 0", **NONE)
def reverse(ug: Any) -> Results:
    return _zeros(ug, lambda f, x, g: ug.vjp(f, x)[1](g)[0])


@JUMPS.case("a tangent of NaN or infinity becomes 0", **NONE)
def forward(ug: Any) -> Results:
    return _zeros(ug, lambda f, x, t: ug.jvp(f, (x,), (t,))[1])
