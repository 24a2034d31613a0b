"""Samples that follow from what an operation is: the same kinds of inputs for every one of its kind.

A row says where an operation is smooth and which dtypes it takes. From it come inputs of every shape (zero-dimensional,
of one element, of none, broadcast), order in memory, dtype and special value. They are drawn from few shapes, since
a backend may compile each anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from unigrad.table import OPERATIONS
from unigrad_conformance.inputs import Array, backwards, real, spread, whole
from unigrad_conformance.samples import BOTH, HALVES, Family

Interval = tuple[float, float]

INTEGERS = ("int8", "uint8", "int32", "int64")
SPECIAL = (float("nan"), float("inf"), float("-inf"), 0.0, 1.0, -1.0)


@dataclass(frozen=True)
class Row:
    """An elementwise operation."""

    operation: str
    domains: tuple[Interval, ...]
    """For each array an interval in which the operation is smooth, away from where accuracy is lost."""
    takes: str = "f"
    """The kinds of dtypes: ``f`` real floating, ``i`` integers, ``b`` booleans."""
    flat: bool = False
    """True where there is no derivative to ask for."""
    special: bool = True
    """False where NaN, infinities and zero have cases of their own."""


def _row(names: str, *domains: Interval, **details: object) -> Iterator[Row]:
    return (Row(name, domains, **details) for name in names.split())  # type: ignore[arg-type]


ROWS = (
    *_row("exp expm1 sin cos tanh sinh cosh asinh atan erf exp2", (-1.2, 1.3), takes="fi"),
    *_row("tan", (0.2, 1.2), takes="fi"),
    *_row("log log2 log10 sqrt cbrt", (0.3, 4), takes="fi"),
    *_row("log1p", (-0.6, 4), takes="fi"),
    *_row("asin acos atanh", (-0.8, 0.8), takes="f"),
    *_row("acosh", (1.2, 4), takes="f"),
    *_row("gammaln digamma", (2.5, 6), takes="f", special=False),
    *_row("sinc", (0.2, 0.8), takes="f"),
    *_row("deg2rad rad2deg", (-2, 2), takes="f"),
    *_row("abs negative positive square", (0.5, 2.5), takes="fi"),
    *_row("reciprocal", (0.4, 3), takes="f"),
    *_row("floor ceil trunc round sign", (-2.9, 2.9), takes="fi"),
    *_row("nn.relu nn.sigmoid nn.softplus nn.gelu nn.silu nn.elu nn.leaky_relu", (-1.2, 1.3)),
    *_row("isnan isinf isfinite signbit", (-1, 1), takes="fi", flat=True),
    *_row("logical_not", (-1, 1), takes="fib", flat=True),
    *_row("bitwise_invert", (0, 1), takes="ib", flat=True),
    *_row("add subtract multiply", (0.5, 2.5), (1.2, 3), takes="fi"),
    *_row("divide", (0.5, 2.5), (1.2, 3), takes="fi"),
    *_row("pow", (0.5, 2.5), (1.2, 3)),
    *_row("floor_divide remainder fmod", (3.1, 3.9), (1.05, 1.5), takes="fi"),
    *_row("maximum minimum fmax fmin", (-2, 2), (-2, 2), takes="fi"),
    *_row("atan2 hypot logaddexp", (0.5, 2.5), (1.2, 3)),
    *_row("copysign", (0.5, 2.5), (-3, -1)),
    *_row("xlogy", (0.5, 2.5), (1.2, 3)),
    *_row("nextafter heaviside", (0.5, 2.5), (1.2, 3), flat=True, special=False),
    *_row("equal not_equal", (-1, 1), (-1, 1), takes="fib", flat=True),
    *_row("less less_equal greater greater_equal", (-1, 1), (-1, 1), takes="fi", flat=True),
    *_row("logical_and logical_or logical_xor", (-1, 1), (-1, 1), takes="fib", flat=True),
    *_row("bitwise_and bitwise_or bitwise_xor", (0, 1), (0, 1), takes="ib", flat=True),
    *_row("bitwise_left_shift bitwise_right_shift", (0, 1), (0, 1), takes="i", flat=True),
)
"""Every elementwise operation of the table."""


def _spread(row: Row, *shapes: tuple[int, ...]) -> dict[str, Array]:
    return {
        name: spread(low, high, *shape, start=number)
        for number, (name, (low, high), shape) in enumerate(zip("xy", row.domains, shapes, strict=False))
    }


def elementwise(family: Family, row: Row) -> None:
    """Add the samples of one operation to its family."""
    count = len(row.domains)
    call = f"ug.{row.operation}({', '.join('xy'[:count])})"
    matrix = (2, 3)

    def add(name: str, inputs: dict[str, Array], source: str = call, **details: object) -> None:
        family(row.operation, name, source, **({"flat": row.flat} | details), **inputs)

    if "f" in row.takes:
        for name, shapes in {
            "smooth": (matrix, matrix),
            "single": ((1,), (1,)),
            "scalar": ((), ()),
            "empty": ((0, 3), (0, 3)),
        }.items():
            add(name, _spread(row, *shapes[:count]), dtypes=BOTH if name == "smooth" else ("float32",))
        reverse = {name: backwards(value) for name, value in _spread(row, *[matrix] * count).items()}
        add("reversed", reverse, dtypes=("float64",))
        add("half", _spread(row, *[matrix] * count), dtypes=HALVES, second=False)
        if row.special:
            add("special", _special(count), second=False)
    if "f" in row.takes and count == 2:
        add("stretched", _spread(row, (2, 1), (1, 3)))
        add("with_scalar", _spread(row, matrix, ()), dtypes=("float32",))
        add("row", _spread(row, (3,), matrix), dtypes=("float64",))
        add("no_rows", _spread(row, (0, 3), (3,)), dtypes=("float32",))
        add("mixed", _spread(row, matrix, matrix), own={"x": "float32"}, dtypes=("float64",))
        for half in HALVES:
            add(f"{half}_and_single", _spread(row, matrix, matrix), own={"x": half}, dtypes=("float32",))
        add("of_two_halves", _spread(row, matrix, matrix), own={"x": "bfloat16"}, dtypes=("float16",), second=False)
        low, high = row.domains[1]
        number = round((low + high) / 2, 2)
        add(
            "with_number",
            {"x": _spread(row, matrix, ())["x"]},
            f"ug.{row.operation}(x, {number!r})",
            dtypes=("float32",),
        )
    for dtype in INTEGERS if "i" in row.takes else ():
        values = {"x": whole([[1, 2, 3], [4, 5, 7]], dtype), "y": whole([[3, 1, 2], [2, 1, 1]], dtype)}
        add(f"of_{dtype}", dict(list(values.items())[:count]), flat=True, dtypes=("float32",))
    if "i" in row.takes and "f" in row.takes and count == 2:
        values = {"x": _spread(row, matrix, matrix)["x"], "y": whole([[3, 1, 2], [2, 1, 1]])}
        add("float_with_integers", values, dtypes=("float32",))
    if "b" in row.takes:
        values = {"x": whole([[1, 0, 1], [0, 0, 1]], "bool"), "y": whole([[1, 1, 0], [0, 1, 0]], "bool")}
        add("of_booleans", dict(list(values.items())[:count]), flat=True, dtypes=("float32",))


def _special(count: int) -> dict[str, Array]:
    """All special values, or all pairs of them."""
    if count == 1:
        return {"x": real(SPECIAL).reshape(2, 3)}
    first, second = np.array(list(product(SPECIAL, SPECIAL))).T
    return {"x": first.reshape(6, 6), "y": second.reshape(6, 6)}


GENERATED = Family("generated", everyday=False)
for _one in ROWS:
    if _one.operation in OPERATIONS or _one.operation == "pow":
        elementwise(GENERATED, _one)
