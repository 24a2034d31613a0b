"""``unigrad accuracy``: how exact each elementwise operation and its gradient are, on every backend.

Every operation is evaluated, with its gradient, at a fixed set of points over its domain, and compared with
60 digits of mpmath: the value by mpmath's function, the gradient by central differences of that function, so
that no derivative rule is trusted. An error is counted in units of the last place (ULP) of the exact result in
the dtype; below the smallest normal number, in the smallest subnormal one. The largest is what counts.

The measured figures are in ``accuracy.toml``, each that is above :data:`LARGE` with a decision. The points
are float32 numbers; in float64 they get the digits that float32 has not. None is where an operation is not smooth.
"""

from __future__ import annotations

import argparse
import functools
import json
import math
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import mpmath
import numpy as np

from unigrad.adapters.registry import backend_names, get_backend_object
from unigrad.base.errors import BackendError
from unigrad_conformance import oracle
from unigrad_conformance.exact_special import special_functions
from unigrad_conformance.runner import APART
from unigrad_conformance.worker import private_output

FILE = Path(__file__).with_name("accuracy.toml")
DTYPES = ("float32", "float64")
VALUE, GRADIENT = 2.0, 4.0
"""The most that the native engine may err, in ULP."""
LARGE = 16.0
"""An error above this needs a decision."""
ANSWER, ABSENT = "--answer", 3

# --- the points ---------------------------------------------------------------------------------------------

Points = tuple[float, ...]


def line(low: float, high: float, count: int = 60) -> Points:
    """Numbers at equal distances."""
    return tuple(np.linspace(low, high, count).astype(np.float32).tolist())


def scales(low: int, high: int, count: int = 60) -> Points:
    """Numbers at equal ratios, more or less, from 2 ** low to 2 ** high, with full mantissas."""
    exponents = np.linspace(low, high, count)
    whole = np.floor(exponents)
    return tuple(np.ldexp(1 + (exponents - whole), whole.astype(int)).astype(np.float32).tolist())


def minus(points: Points) -> Points:
    """The same below zero."""
    return tuple(-x for x in points)


def both(points: Points) -> Points:
    """The same on both sides of zero."""
    return points + minus(points)


def single(*points: float) -> Points:
    """The nearest float32 numbers."""
    return tuple(np.array(points, dtype=np.float32).tolist())


def pairs(first: Points, second: Points) -> tuple[Points, Points]:
    """Every number of the first with every one of the second."""
    return single(*(x for x in first for _ in second)), single(*(second * len(first)))


def points(operation: str, dtype: str) -> tuple[Points, ...]:
    """The points of an operation, one tuple per argument."""
    columns = POINTS[operation]
    if dtype == "float32":
        return columns
    # A float32 has an exact square in float64, and would hide what rounding it costs.
    return tuple(tuple(x if x == round(x) else x * (1 + 2.0**-31 / 3) for x in column) for column in columns)


_NEAR_ZERO = both(scales(-40, -2, 40))
_NEAR_ONE = tuple(1 - 2.0**-k for k in range(2, 24))
_ABOVE_ONE = tuple(1 + 2.0**-k for k in range(2, 23))
_ANGLES = both(line(0.1, 12.7, 120)) + _NEAR_ZERO + both(scales(4, 12, 24))
_EXPONENTS = both(line(0.05, 20, 100)) + _NEAR_ZERO + both(line(21, 120, 40)) + both(line(130, 740, 24))
_POSITIVE = line(0.02, 4, 120) + scales(-100, 100, 80) + _NEAR_ONE + _ABOVE_ONE
_UNIT = both(line(0.01, 0.99, 60)) + _NEAR_ZERO + both(_NEAR_ONE)
_ALL = both(line(0.05, 6, 100)) + _NEAR_ZERO + both(scales(3, 100, 40))
_SIGNED = both((0.0078125, 0.3, 0.7, 1.0, 1.9, 3.3, 41.0, 1e4))
_PAIRS = pairs(_SIGNED, both((0.001, 0.4, 0.8, 1.1, 2.7, 13.0, 3e5)))

POINTS: dict[str, tuple[Points, ...]] = {
    "add": _PAIRS,
    "subtract": _PAIRS,
    "multiply": _PAIRS,
    "divide": _PAIRS,
    "remainder": pairs(_SIGNED, both((0.4, 1.1, 2.7, 13.0))),
    "power": pairs((1e-3, 0.07, 0.4, 0.9, 0.999, 1.001, 1.2, 2.6, 17.0, 900.0), both((0.05, 0.5, 1.7, 2.0, 3.0, 9.3))),
    "maximum": _PAIRS,
    "minimum": _PAIRS,
    "hypot": _PAIRS,
    "atan2": _PAIRS,
    "logaddexp": pairs(both((0.01, 0.7, 3.0, 12.0, 90.0)), both((0.02, 1.1, 5.0, 30.0, 85.0))),
    "xlogy": pairs(_SIGNED, (1e-4, 0.02, 0.4, 0.97, 1.03, 1.9, 7.0, 2e3)),
    "copysign": _PAIRS,
    "negative": (_ALL,),
    "abs": (_ALL,),
    "square": (both(line(0.05, 6, 60)) + both(scales(-60, 60, 60)),),
    "reciprocal": (_ALL,),
    "sqrt": (_POSITIVE,),
    "rsqrt": (_POSITIVE,),
    "cbrt": (both(_POSITIVE),),
    "exp": (_EXPONENTS,),
    "exp2": (_EXPONENTS,),
    "expm1": (_EXPONENTS,),
    "log": (_POSITIVE,),
    "log2": (_POSITIVE,),
    "log10": (_POSITIVE,),
    "log1p": (line(-0.98, 4, 120) + scales(2, 100, 40) + _NEAR_ZERO + minus(_NEAR_ONE),),
    "sin": (_ANGLES,),
    "cos": (_ANGLES,),
    "tan": (_ANGLES + both(single(1.5, 1.57, 1.5707, 1.5708, 4.7123, 4.7124)),),
    "asin": (_UNIT,),
    "acos": (_UNIT,),
    "atan": (_ALL,),
    "sinh": (_EXPONENTS,),
    "cosh": (_EXPONENTS,),
    "tanh": (_EXPONENTS,),
    "asinh": (_ALL,),
    "acosh": (line(1.05, 8, 120) + scales(3, 100, 40) + _ABOVE_ONE,),
    "atanh": (_UNIT,),
    "erf": (both(line(0.02, 6, 120)) + _NEAR_ZERO + both(line(6.5, 27, 24)),),
    "gammaln": (line(0.05, 12, 120) + scales(4, 60, 40) + scales(-40, -5, 30),),
    "digamma": (line(0.05, 12, 120) + scales(4, 60, 40) + scales(-40, -5, 30),),
    "sinc": (both(line(0.03, 6.1, 100)) + _NEAR_ZERO,),
    "relu": (_ALL,),
    "sigmoid": (_EXPONENTS,),
    "softplus": (_EXPONENTS,),
    "nn.gelu": (both(line(0.02, 6, 120)) + _NEAR_ZERO + line(7, 100, 24),),
    "nn.silu": (_EXPONENTS,),
    "nn.elu": (_EXPONENTS,),
    "nn.leaky_relu": (_ALL,),
}
"""Where each operation is measured: one tuple of points per argument."""

EXCUSED = {
    **dict.fromkeys(("floor_divide", "sign", "floor", "ceil", "round", "trunc"), "exact, and constant between jumps"),
    **dict.fromkeys(("where", "clip"), "they choose among their arguments and compute nothing"),
    **dict.fromkeys(("real", "imag", "conj", "angle", "complex"), "for complex numbers"),
    "over_cosh_squared": "the derivative of tanh, measured as such",
    **{name: f"measured as nn.{name}" for name in ("gelu", "elu", "leaky_relu")},
    "hard_tanh": "it chooses among its arguments and computes nothing",
    "silu": "measured as nn.silu",
    "gaussian": "the derivative of erf, measured as such",
    "lower_power": "the derivative of power, measured as such",
    "polygamma": "the derivative of gammaln and digamma, measured as such",
    **dict.fromkeys(special_functions(mpmath), "measured in test_special.py, with limits of its own"),
    "fmod": "exact, and its derivative is an integer",
    "nextafter": "exact, and its derivative is 1",
}
"""Differentiable elementwise primitives that have no points, and why."""

TO_ONE = {
    "nn.gelu": "the sum of a half and erf / 2 cancels below 0, and the gradient has a zero",
    "nn.silu": "the gradient has a zero",
    "gammaln": "the value has two zeros, and the gradient one",
    "digamma": "it has a zero",
    "sinc": "the value and the gradient have zeros",
    "xlogy": "the logarithm is rounded before it is multiplied",
    "add": "sums cancel",
    "subtract": "differences cancel",
    "logaddexp": "the value has a line of zeros",
}
"""Operations whose results come near zero by cancellation: where less than 1 is due, errors are in ULP of 1."""

FLUSHED = {
    ("jax", "*"): "XLA computes no subnormal numbers",
    ("tensorflow", "*"): "TensorFlow computes no subnormal numbers",
    **dict.fromkeys(
        [(backend, name) for backend in ("torch", "mxnet") for name in ("sigmoid", "softplus", "nn.silu")],
        "exp(-x) overflows a little before 1 / (1 + exp(-x)) underflows",
    ),
    ("*", "atan"): "the square of x overflows a little before its reciprocal underflows",
    ("*", "tanh"): "the square of cosh overflows a little before its reciprocal underflows",
}
"""Where results below the smallest normal number may be any such number, 0 for one; by backend and operation."""


# --- the reference ------------------------------------------------------------------------------------------

Pair = tuple[list[float], list[float]]
"""Numbers as two float64 each, which hold their first 32 digits."""


def _public(mp: Any) -> dict[str, Callable[..., Any]]:
    """The functions that are no primitives."""
    return {
        "exp2": lambda x: mp.mpf(2) ** x,
        "digamma": lambda x: mp.psi(0, x),
        "sinc": lambda x: mp.sincpi(x),
        "deg2rad": lambda x: x * mp.pi / 180,
        "rad2deg": lambda x: x * 180 / mp.pi,
        "nn.gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
        "nn.silu": lambda x: x / (1 + mp.exp(-x)),
        "nn.elu": lambda x: x if x > 0 else mp.expm1(x),
        "nn.leaky_relu": lambda x: x if x > 0 else x * mp.mpf("0.01"),
    }


@functools.cache
def reference(operation: str, dtype: str) -> list[Pair]:
    """The exact value at every point, and the derivative for each argument."""
    import mpmath

    mp = mpmath.MPContext()
    function = {**oracle._scalar_functions(mp), **_public(mp)}[operation]
    exact = []
    for point in zip(*points(operation, dtype), strict=True):
        mp.dps = oracle.DIGITS
        at = [mp.mpf(x) for x in point]
        exact.append([function(*at), *(_slope(mp, function, at, position) for position in range(len(at)))])
    return [_pair(column) for column in zip(*exact, strict=True)]


def _slope(mp: Any, function: Callable[..., Any], at: Sequence[Any], position: int) -> Any:
    """The central difference, with so many digits that 30 are left of the difference itself."""
    # 10 ** -25 of x, so that it never reaches a branch point or another scale of the function.
    for digits in (60, 120, 240, 480, 960):
        mp.dps = digits
        step = mp.mpf(10) ** -25 * min(1, abs(at[position]))
        up, down = (
            function(*(x + sign * step if place == position else x for place, x in enumerate(at))) for sign in (1, -1)
        )
        difference = up - down
        if abs(difference) > max(abs(up), abs(down)) * mp.mpf(10) ** (30 - digits):
            break
    return difference / (2 * step)


def _pair(numbers: Sequence[Any]) -> Pair:
    high = [float(number) for number in numbers]
    low = [float(number - first) if np.isfinite(first) else 0.0 for number, first in zip(numbers, high, strict=True)]
    return high, low


def errors(got: Sequence[float], exact: Pair, dtype: str, to_one: bool = False, flushed: bool = False) -> Any:
    """The error of every number in ULP. Beyond the largest number of the dtype infinity is what is due."""
    info = np.finfo(dtype)
    beyond = 2.0 * 2.0 ** (info.maxexp - 1) if dtype == "float32" else np.inf
    values = np.asarray(got, dtype=np.float64)
    high, low = (np.asarray(part, dtype=np.float64) for part in exact)
    with np.errstate(all="ignore"):
        rounded = high.astype(dtype)
        # The largest power of two stands for what is above it, whose own spacing overflows.
        size = np.minimum(np.abs(rounded), 2.0 ** (info.maxexp - 1))
        size = np.maximum(size, 1) if to_one else size
        unit = np.spacing(size.astype(dtype)).astype(np.float64)
        infinite = np.isinf(values) & np.isfinite(high)
        found = np.abs((np.where(infinite, np.copysign(beyond, values), values) - high) - low) / unit
    same = (values == rounded) | (np.isnan(values) & np.isnan(high))
    if flushed:
        same |= (np.abs(values) <= info.tiny) & (np.abs(high) < info.tiny)
    return np.where(same, 0.0, np.where(np.isnan(found), np.inf, found))


# --- one backend --------------------------------------------------------------------------------------------


def measured() -> list[str]:
    """The operations that exist, of those that have points."""
    import unigrad  # noqa: F401
    from unigrad.table import OPERATIONS, PRIMITIVES

    return [name for name in POINTS if name in PRIMITIVES or name in OPERATIONS]


def results(backend: str, operations: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What a backend answers: for each operation and dtype the values and the gradients, or why there are none."""
    import unigrad as ug
    from unigrad.base.errors import UnsupportedError
    from unigrad.table import OPERATIONS

    for name in operations:
        for dtype in DTYPES:
            row: dict[str, Any] = {"operation": name, "dtype": dtype}
            with ug.use_backend(backend), np.errstate(all="ignore"):
                arrays = [ug.asarray(np.array(column, dtype=dtype)) for column in points(name, dtype)]
                function = OPERATIONS.get(name) or getattr(arrays[0]._bound, name)
                for array in arrays:
                    array.attach_grad()
                try:
                    with ug.record():
                        y = function(*arrays)
                    y.backward()
                except UnsupportedError as error:
                    yield row | {"unsupported": str(error)}
                    continue
            yield row | {"found": [part.numpy().tolist() for part in (y, *(array.grad for array in arrays))]}


def _ask(backend: str, operations: Sequence[str]) -> list[dict[str, Any]]:
    """:func:`results` from a process of its own."""
    command = [sys.executable, "-m", "unigrad_conformance.accuracy", ANSWER, backend]
    run = subprocess.run(command, input=json.dumps(list(operations)), capture_output=True, text=True)
    if run.returncode == ABSENT:
        raise BackendError(run.stderr.strip())
    if run.returncode:
        raise RuntimeError(f"the process of backend {backend!r} failed:\n{run.stderr}")
    return [json.loads(row) for row in run.stdout.splitlines()]


def _answer(backend: str) -> int:
    """What that process does: operations from its input, a line for each result on its output."""
    send = private_output()
    try:
        get_backend_object(backend)
    except BackendError as error:
        print(error, file=sys.stderr)
        return ABSENT
    for row in results(backend, json.load(sys.stdin)):
        send(row)
    return 0


Figures = dict[tuple[str, str, str], tuple[float, float]]
"""By operation, dtype and backend: the largest error of the value and of the gradient."""


def measure(backend: str, operations: Sequence[str]) -> Figures:
    """The largest errors of a backend. Raises BackendError if it is not installed."""
    figures: Figures = {}
    for row in _ask(backend, operations):
        if "found" in row:
            name, dtype = row["operation"], row["dtype"]
            worst = [float(found.max()) for found in judged(backend, name, dtype, row["found"])]
            figures[name, dtype, backend] = (worst[0], max(worst[1:]))
    return figures


def judged(backend: str, operation: str, dtype: str, found: Sequence[Sequence[float]]) -> list[Any]:
    """The errors of the value and of each gradient at every point."""
    flushed = any(where in FLUSHED for where in ((backend, "*"), ("*", operation), (backend, operation)))
    return [
        errors(got, exact, dtype, operation in TO_ONE, flushed)
        for got, exact in zip(found, reference(operation, dtype), strict=True)
    ]


# --- the record ---------------------------------------------------------------------------------------------

Decisions = dict[tuple[str, str], str]
"""By operation and backend: what was decided about a figure above :data:`LARGE`."""


def recorded() -> tuple[Figures, Decisions]:
    """What ``accuracy.toml`` holds."""
    content = tomllib.loads(FILE.read_text())
    figures = {
        (operation, dtype, backend): (float(value), float(gradient))
        for operation, rows in content["figures"].items()
        for dtype, row in rows.items()
        for backend, (value, gradient) in row.items()
    }
    decisions = {
        (operation, backend): text for operation, row in content["decisions"].items() for backend, text in row.items()
    }
    return figures, decisions


def write(figures: Figures, decisions: Decisions) -> None:
    """Write ``accuracy.toml``: figures rounded up to two digits, and the decisions that are still needed."""
    lines = [
        "# Written by `unigrad accuracy --write`, but for the decisions.",
        "# Per backend the largest error in ULP of [value, gradient].",
    ]
    for operation in dict.fromkeys(name for name, _, _ in figures):
        lines += ["", f'[figures."{operation}"]']
        for dtype in DTYPES:
            row = {where: found for (name, kind, where), found in figures.items() if (name, kind) == (operation, dtype)}
            cells = [f"{where} = [{_rounded(value)}, {_rounded(gradient)}]" for where, (value, gradient) in row.items()]
            lines.append(f"{dtype} = {{ {', '.join(cells)} }}")
    needed = {(name, where) for (name, _, where), found in figures.items() if max(found) > LARGE}
    kept = {key: text for key, text in decisions.items() if key in needed}
    lines += ["", "# What was decided about each figure above 16.", "[decisions]"]
    for operation in dict.fromkeys(name for name, _ in kept):
        lines += ["", f'[decisions."{operation}"]']
        lines += [f"{where} = {json.dumps(text)}" for (name, where), text in kept.items() if name == operation]
    FILE.write_text("\n".join(lines) + "\n")


def _rounded(figure: float) -> str:
    if figure == 0 or figure == float("inf"):
        return "0" if figure == 0 else "inf"
    digits = 1 - math.floor(math.log10(figure))
    up = math.ceil(round(figure * 10.0**digits, 6)) / 10.0**digits
    return f"{up:.{max(digits, 0)}f}" if up < 1e6 else f"{up:.1e}"


# --- the command --------------------------------------------------------------------------------------------


class Accuracy:
    """Measure how exact every elementwise operation and its gradient are.

    The largest error in units of the last place (ULP), of the value / of the gradient, over some hundred points,
    against mpmath with 60 digits. What is known stands in accuracy.toml, beside this module; the exit status
    is 1 if a figure above 16 has no decision there.

    unigrad accuracy                        every installed backend
    unigrad accuracy --backend numpy        one backend (repeat it for more)
    unigrad accuracy --operation tanh       one operation (repeat it for more)
    unigrad accuracy --write                keep the figures in accuracy.toml
    """

    def documented(self, operation: str, dtype: str, backend: str) -> tuple[float, float, str] | None:
        """What is known of an operation, for who asks in Python, as ``ug.compare`` does: the largest errors of its
        value and its gradient in ULP, and what was decided about a large one; None if it is not measured."""
        figures, decisions = recorded()
        found = figures.get((operation, dtype, backend))
        return None if found is None else (*found, decisions.get((operation, backend), ""))

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--backend", action="append", default=[], metavar="NAME", help="only this one (repeatable)")
        parser.add_argument(
            "--operation", action="append", default=[], metavar="NAME", help="only this one (repeatable)"
        )
        parser.add_argument("--write", action="store_true", help="keep the figures in accuracy.toml")

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit status: 0 all is well, 1 a figure needs a decision, 2 a wrong argument."""
        known = [name for name in backend_names() if name != oracle.NAME]
        for given, names, what in ((args.backend, known, "backend"), (args.operation, measured(), "operation")):
            for name in given:
                if name not in names:
                    print(
                        f"unigrad accuracy: there is no {what} {name!r}; choose from {', '.join(names)}",
                        file=sys.stderr,
                    )
                    return 2
        operations = args.operation or measured()
        figures, decisions = recorded() if FILE.exists() else ({}, {})
        fresh: Figures = {}
        for backend in args.backend or [name for name in known if name not in APART]:
            try:
                fresh |= measure(backend, operations)
            except BackendError as error:
                print(f"{backend}: {error}")
        print(as_text(fresh))
        if args.write:
            merged = {key: figures.get(key) for key in _order(figures | fresh)} | fresh
            write(merged, decisions)
        undecided = sorted(
            {(name, where) for (name, _, where), found in fresh.items() if max(found) > LARGE} - set(decisions)
        )
        for name, where in undecided:
            print(f"{name} on {where} is above {LARGE:g} ULP without a decision in {FILE.name}")
        return 1 if undecided else 0


def _order(figures: Figures) -> list[tuple[str, str, str]]:
    places = {name: place for place, name in enumerate(POINTS)}
    backends = backend_names()
    return sorted(figures, key=lambda key: (places[key[0]], key[1], backends.index(key[2])))


def as_text(figures: Figures) -> str:
    """A table: a row for each operation and dtype, a column for each backend."""
    backends = list(dict.fromkeys(where for _, _, where in figures))
    lines = ["value / gradient in ULP".ljust(28) + "".join(f"{where:>20}" for where in backends)]
    for name, dtype in dict.fromkeys((name, dtype) for name, dtype, _ in figures):
        cells = []
        for where in backends:
            found = figures.get((name, dtype, where))
            cells.append("missing" if found is None else f"{found[0]:.3g} / {found[1]:.3g}")
        lines.append(f"{name:<18}{dtype:<10}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


accuracy = Accuracy()


def main(arguments: Sequence[str]) -> int:
    """The command as a module, and the process of one backend."""
    if arguments[:1] == [ANSWER]:
        return _answer(arguments[1])
    parser = argparse.ArgumentParser(prog="unigrad accuracy")
    accuracy.add_arguments(parser)
    return accuracy.run(parser.parse_args(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
