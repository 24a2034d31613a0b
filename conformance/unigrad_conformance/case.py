"""What a case is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

Results = dict[str, Any]
"""Named results of a program: Tensors, or plain Python values (numbers, booleans, names of errors)."""


@dataclass(frozen=True)
class Limit:
    """How far a result may be from the reference."""

    ulp: float = 8.0
    """In units of the last place of the reference, in the result's dtype."""
    of: str = "element"
    """``element``: of each element (of the largest one where the reference is zero); ``largest``: of the
    largest element of the result, as befits sums, whose terms may cancel; ``one``: likewise, and never less
    than of 1, about the size of the terms where all inputs are."""
    reason: str = ""
    """Why it is not the default, with the measured error."""


@dataclass(frozen=True, eq=False)
class Case:
    """A program, its inputs and what is allowed. ``run`` is called with the unigrad module and the inputs
    while the backend under test is the current one, and makes its arrays there with ``ug.asarray``."""

    name: str
    """Dotted, and unique: ``multiply.broadcast.float32``."""
    family: str
    """The row of the report that the case counts towards."""
    group: str
    """What it is about: an operation, or a chapter of programs."""
    run: Callable[..., Results]
    why: str
    """One line: what it shows."""
    inputs: tuple[np.ndarray[Any, Any], ...] = ()
    dtype: str = "float32"
    limit: Limit = field(default_factory=Limit)
    needs: str | None = None
    """A dtype that a backend may lack. Where one declares it missing, the case shows that it says so."""
    everyday: bool = True
    """False for further samples of an operation and further dtypes, and for programs that take long: left out in a
    hurry. Every operation has an everyday case (:func:`~unigrad_conformance.catalogue.all_cases`)."""
    quick: Callable[..., Results] | None = None
    """``run`` without the results that ``quick_without`` names, for a backend that takes long; None where that would
    leave something untested that no other case has."""
    quick_without: tuple[str, ...] = ()
    """The patterns of the names of results that ``quick`` leaves out."""
    compilable: Callable[..., Results] | None = None
    """``run`` without what asks for values, of Tensors in place of the inputs, for ``ug.compile``; None where nothing
    is left then."""
    expected: Mapping[str, Any] = field(default_factory=dict)
    """Results known by other means, as literals; the reference itself is held against them."""

    def quickly_has(self, result: str) -> bool:
        """Whether the quick form has the result of that name."""
        return not any(fnmatchcase(result, pattern) for pattern in self.quick_without)


class Program:
    """Collects the cases of a chapter of hand-written programs::

    @chapter.case("the gradient of 2 x.x is 4 x", grad=[0, 4, 8, 12])
    def dot_gradient(ug): ...
    """

    def __init__(self, family: str) -> None:
        self.family = family
        self.cases: list[Case] = []

    def case(
        self, why: str, *, limit: Limit | None = None, dtype: str = "float32", everyday: bool = True, **expected: Any
    ) -> Callable[[Callable[..., Results]], Callable[..., Results]]:
        """Add the decorated program under its own name."""

        def add(run: Callable[..., Results]) -> Callable[..., Results]:
            name = f"{self.family}.{run.__name__}"
            chosen = limit or Limit(16, "largest", "a chain of operations")
            self.cases.append(
                Case(name, self.family, name, run, why, (), dtype, chosen, everyday=everyday, expected=expected)
            )
            return run

        return add

    def quickly(self, run: Callable[..., Results], names: Collection[str], table: Collection[str]) -> None:
        """Give the case of ``run`` a quick form: ``run(ug, names=names)``, of all that ``table`` names, whose other
        entries follow the same rules. It has their results, ``NAME: ...`` and ``NAME, ...`` included."""
        place = next(place for place, case in enumerate(self.cases) if case.run is run)
        without = tuple(
            pattern for name in table if name not in names for pattern in (name, f"{name}: *", f"{name}, *")
        )
        quick = functools.partial(run, names=names)
        self.cases[place] = replace(self.cases[place], quick=quick, quick_without=without)


def raised(function: Callable[[], Any]) -> str:
    """The name of the class of the error that ``function`` raises, or "nothing"."""
    try:
        function()
    except Exception as error:
        return type(error).__name__
    return "nothing"


def message(function: Callable[[], Any]) -> str:
    """The text of the error that ``function`` raises, or nothing."""
    try:
        function()
    except Exception as error:
        return str(error)
    return ""
