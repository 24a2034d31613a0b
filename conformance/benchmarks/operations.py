"""What a call through unigrad costs beside the framework's own, operation by operation: part of ``make bench``.

Recording is off and inputs are float32. Each cell is a ratio of times, at 10 and at 100,000 elements; a dash
stands where the framework has no function of its own for it. Arguments select backends.
"""

from __future__ import annotations

import importlib
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from measuring import Row, fastest

import unigrad as ug

SIZES = (10, 100_000)
LIMITS = {10: 1.3, 100_000: 1.03}
"""Of the median over all operations and backends."""
SECONDS = 0.12
"""How long the two sides of one cell take turns."""


@dataclass(frozen=True)
class Framework:
    """Where a framework keeps its functions, and how it says that a result is there."""

    module: str
    renamed: dict[str, str | None]
    """The standard's name to the framework's; None where it has none."""
    finish: Callable[[Any], Any] = lambda raw: raw


_TENSORFLOW_MATH = (
    "acosh",
    "asinh",
    "atan2",
    "atanh",
    "ceil",
    "cosh",
    "expm1",
    "floor",
    "log",
    "log1p",
    "sign",
    "sinh",
)

FRAMEWORKS = {
    "numpy": Framework("numpy", {}),
    "torch": Framework("torch", {"concat": "cat", "equal": "eq"}),
    "tensorflow": Framework(
        "tensorflow",
        {name: f"math.{name}" for name in _TENSORFLOW_MATH}
        | {name: f"reduce_{name}" for name in ("sum", "max", "mean")}
        | {"isnan": "math.is_nan", "isfinite": "math.is_finite", "remainder": "math.floormod"}
        | dict.fromkeys(("log2", "log10", "hypot", "trunc", "matmul")),  # matmul: none of vectors
    ),
    "mxnet": Framework(
        "mxnet.numpy",
        {name: f"arc{name[1:]}" for name in ("asin", "acos", "atan", "asinh", "acosh", "atanh", "atan2")}
        | {"concat": "concatenate", "pow": "power"},
        lambda raw: raw.wait_to_read(),
    ),
    "jax": Framework("jax.numpy", {}, lambda raw: raw.block_until_ready()),
}

UNARY = (
    "exp", "expm1", "log", "log1p", "log2", "log10", "sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh", "asinh", "atanh", "abs", "negative", "square", "floor", "ceil", "trunc", "round", "sign", "isnan",
    "isfinite",
)  # fmt: skip
BINARY = (
    "add", "subtract", "multiply", "divide", "pow", "remainder", "maximum", "minimum", "atan2", "hypot", "less",
    "equal",
)  # fmt: skip
WHOLE = {
    "sum": lambda xp, x, y: xp.sum(x),
    "max": lambda xp, x, y: xp.max(x),
    "mean": lambda xp, x, y: xp.mean(x),
    "matmul": lambda xp, x, y: xp.matmul(x, y),
    "concat": lambda xp, x, y: xp.concat([x, y], axis=0),
    "where": lambda xp, x, y: xp.where(x < y, x, y),
}
"""Calls that are more than a name."""


class _Own:
    """A framework's functions under the standard's names."""

    def __init__(self, framework: Framework) -> None:
        self._module: Any = importlib.import_module(framework.module)
        self._renamed = framework.renamed

    def __getattr__(self, name: str) -> Any:
        found: Any = self._module
        renamed = self._renamed.get(name, name)
        if renamed is None:
            raise AttributeError(name)
        for part in renamed.split("."):
            found = getattr(found, part)
        setattr(self, name, found)  # from now on it is found as in the framework's own module
        return found


def calls() -> Iterator[tuple[str, Callable[[Any, Any, Any], Any]]]:
    """Every operation that is measured, as a function of a namespace and two arrays."""
    for name in UNARY:
        yield name, lambda xp, x, y, name=name: getattr(xp, name)(x)
    for name in BINARY:
        yield name, lambda xp, x, y, name=name: getattr(xp, name)(x, y)
    yield from WHOLE.items()


def ratio(backend: str, call: Callable[[Any, Any, Any], Any], elements: int) -> float | None:
    """The time of a call through unigrad as a multiple of the framework's own; None where it has none."""
    framework = FRAMEWORKS[backend]
    namespace = ug.namespace(backend)  # first: MXNet is imported through its adapter alone
    own = _Own(framework)
    rng = np.random.default_rng(0)
    x, y = (namespace.asarray(rng.uniform(0.2, 0.9, size=elements).astype("float32")) for _ in range(2))
    raw_x, raw_y = x.raw, y.raw
    finish = framework.finish
    try:
        call(own, raw_x, raw_y)
    except (AttributeError, TypeError, ValueError):
        return None
    best = fastest(
        {
            "unigrad": lambda: finish(call(ug, x, y).raw),
            "framework": lambda: finish(call(own, raw_x, raw_y)),
        },
        SECONDS,
    )
    return best["unigrad"] / best["framework"]


def operation_rows(backends: tuple[str, ...] = tuple(FRAMEWORKS)) -> Iterator[Row]:
    """Print the table; the medians over all of it are the rows with limits."""
    print(f"\n{'unigrad / framework, recording off':<36}" + "".join(f"{backend:>18}" for backend in backends))
    print(f"{'operation':<36}" + f"{'10':>9}{'100,000':>9}" * len(backends))
    found: dict[tuple[str, int], list[float]] = {(backend, size): [] for backend in backends for size in SIZES}
    for name, call in calls():
        cells = ""
        for backend in backends:
            for size in SIZES:
                value = ratio(backend, call, size)
                cells += f"{'-':>9}" if value is None else f"{value:>9.2f}"
                if value is not None:
                    found[backend, size].append(value)
        print(f"{name:<36}{cells}", flush=True)
    medians = "".join(f"{statistics.median(found[backend, size]):>9.2f}" for backend in backends for size in SIZES)
    print(f"{'median':<36}{medians}\n")
    for size in SIZES:
        everything = [value for backend in backends for value in found[backend, size]]
        name = f"a call through unigrad / the framework's own, {size:,} elements, median"
        yield Row(name, statistics.median(everything), LIMITS[size])


if __name__ == "__main__":
    for row in operation_rows(tuple(sys.argv[1:]) or tuple(FRAMEWORKS)):
        print(row)
