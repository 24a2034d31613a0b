"""Each raw function of an adapter by itself, held against the native engine's: shape, dtype and values.

For who writes an adapter, one primitive at a time, before any gradient works. What to call it with is not written down:
the everyday cases run on the native engine, which notes what its raw functions are given there.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.extend import DECOMPOSITIONS, PRIMITIVES, Backend, UnsupportedError
from unigrad.native.backend import NumpyBackend
from unigrad_conformance import catalogue
from unigrad_conformance.processes import LOADING_SECONDS, Message, work

NOTING = "noting"
CALLS = 8
"""How many calls of each primitive are noted at most, of different shapes, dtypes and parameters."""
UNITS = 1024
"""How far values may be apart, in units of the last place of the largest: a wrong function is farther off, and how
exact a right one is the cases measure."""


@dataclass
class Call:
    """One call of a raw function, and its result."""

    arrays: tuple[Any, ...]
    """Arrays, and Python numbers where the row has ``scalars``."""
    statics: tuple[Any, ...]
    result: Any

    def of(self, function: Callable[..., Any], variadic: bool, arrays: Sequence[Any]) -> Any:
        """The same call of another function, of other arrays."""
        return function(list(arrays), *self.statics) if variadic else function(*arrays, *self.statics)


class Noting(NumpyBackend):
    """The native engine, which notes what its raw functions are given."""

    name = NOTING

    def load(self) -> None:
        super().load()
        self.calls: dict[str, dict[str, Call]] = {}
        given = dict(self.functions)
        self.functions = {
            name: self._noting(name, given.get(name) or self.composed(name))
            for name in PRIMITIVES
            if name in given or self.composed(name) is not None
        }

    def _noting(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        row = PRIMITIVES[name]
        noted = self.calls.setdefault(name, {})

        def call(*args: Any) -> Any:
            found = function(*args)
            count = len(row.arrays)
            arrays = tuple(args[0]) if row.variadic else args[:count]
            kept = tuple(np.array(x) if isinstance(x, (np.ndarray, np.generic)) else x for x in arrays)
            what = str(([getattr(x, "dtype", type(x)) for x in kept], [np.shape(x) for x in kept], args[count:]))
            if len(noted) < CALLS and what not in noted:
                noted[what] = Call(kept, args[count:], np.array(found))
            return found

        return call


_LAST = "special"
"""The family of cases that takes four fifths of the time, and is for few primitives."""


def noted(names: Collection[str]) -> dict[str, list[Call]]:
    """What the everyday cases give each primitive on the native engine. Those of :data:`_LAST` are run only as long as
    one of ``names`` was not called by any."""
    backend = Noting()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two backends have NumPy's arrays now
        ug.register_backend(backend)
        with ug.use_backend(NOTING), np.errstate(all="ignore"):
            for case in sorted(catalogue.chosen([], everyday=True), key=lambda case: case.family == _LAST):
                if case.family == _LAST and all(map(backend.calls.get, names)):
                    break
                try:
                    case.run(ug, *case.inputs)
                except Exception:  # what a case is to raise is its own affair
                    continue
    for name, row in PRIMITIVES.items():  # no axis at all, as somebody may well ask for
        first = next(iter(backend.calls.get(name, {}).values()), None)
        if first is not None and "axes" in row.statics and row.kind == "reduction":
            none = tuple(() if key == "axes" else value for key, value in zip(row.statics, first.statics, strict=True))
            backend.functions[name](*first.arrays, *none)
    return {name: list(calls.values()) for name, calls in backend.calls.items()}


def checked(backend: Backend, names: Sequence[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Of each primitive: its name, how many calls agreed or why there was none, and what does not agree."""
    calls = noted(names)
    for name in names:
        row = PRIMITIVES[name]
        problems: list[str] = []
        agreed = 0
        for call in calls.get(name, ()):
            arrays = [x for x in call.arrays if isinstance(x, np.ndarray)]
            if any(str(x.dtype) not in map(str, backend.raw_dtypes) for x in (*arrays, call.result)):
                continue
            try:
                raws = [backend.from_numpy(x) if isinstance(x, np.ndarray) else x for x in call.arrays]
                with np.errstate(all="ignore"):
                    found = call.of(backend.function(name), row.variadic, raws)
                wrong = _difference(name, np.asarray(backend.to_numpy(found)), call.result)
                changed = [
                    number
                    for number, (raw, x) in enumerate(zip(raws, call.arrays, strict=True), 1)
                    if isinstance(x, np.ndarray) and not np.array_equal(backend.to_numpy(raw), x, x.dtype.kind in "fc")
                ]
                wrong = wrong or (f"array {changed[0]} is another afterwards" if changed else None)
            except UnsupportedError as error:
                if name not in backend.missing:
                    problems.append(str(error))
                break  # of whatever dtype
            except Exception as error:
                if all(x.dtype.kind == "b" for x in arrays):
                    continue  # which it may refuse: they are then taken as small integers (Backend.of_booleans)
                wrong = f"{type(error).__name__}: {error}"
            if wrong is None:
                agreed += 1
            else:
                shown = ", ".join(_shown(x) for x in (*call.arrays, *call.statics))
                problems.append(f"{name}({shown}): {wrong}")
        how = f"{agreed} agree" if agreed or problems else backend.missing.get(name, "never called in its dtypes")
        yield name, how, problems


def _shown(value: Any) -> str:
    return f"{value.dtype}{list(value.shape)}" if isinstance(value, np.ndarray) and value.ndim else str(value)


def _difference(name: str, found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> str | None:
    if found.shape != expected.shape:
        return f"the shape is {found.shape} instead of {expected.shape}"
    if found.dtype != expected.dtype:
        return f"the dtype is {found.dtype} instead of {expected.dtype}"
    if expected.dtype.kind not in "fc":
        return None if np.array_equal(found, expected) else f"{found.tolist()} instead of {expected.tolist()}"
    if name in DECOMPOSITIONS:  # whose vectors are free up to a sign or a phase
        found, expected = np.abs(found), np.abs(expected)
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=True):
        return f"{found.tolist()} instead of {expected.tolist()}"
    size = max(np.abs(expected[finite]).max(initial=0.0), np.finfo(expected.dtype).tiny)
    off = np.abs(found[finite].astype(np.complex128) - expected[finite].astype(np.complex128)).max(initial=0.0)
    if off <= UNITS * float(np.finfo(expected.dtype).eps) * float(size):
        return None
    return f"{found.tolist()} instead of {expected.tolist()}"


def run(backend: str, names: Sequence[str], say: Callable[[str], None]) -> bool:
    """Check these primitives of a backend, in a process of its own, and say what is found; whether all agree."""
    good, current, kind = True, "", ""
    left = list(names)
    while left and kind != "done":
        for message in work(backend, {"raw": left}, _patience):
            kind = message["kind"]
            if kind == "unavailable":
                say(message["why"])
                return False
            if kind == "start":
                current = message["primitive"]
            elif kind == "raw":
                say(f"{message['primitive']:<24}{message['how']}")
                for problem in message["problems"]:
                    say(f"    {problem[:400]}")
                good = good and not message["problems"]
                left.remove(message["primitive"])
            elif kind == "crashed":
                good = False
                say(f"{current:<24}{message['why']}")
                if current not in left:
                    return False
                left.remove(current)
    say(f"\n{backend}: {len(names)} raw functions, {'all agree' if good else 'not all agree'}\n")
    return good


def _patience(message: Message) -> float:
    return LOADING_SECONDS
