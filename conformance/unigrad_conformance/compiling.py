"""Cases run through ``ug.compile``."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance import oracle
from unigrad_conformance.case import Case, Results

BY_VALUES = "ByValues"
"""What the outcome of a case is called whose program no compiled function can be: it asks for values."""


CHOSEN_BY_VALUES = ("prod(", "cumulative_prod(")
"""Calls whose derivative is by one of two formulas: values decide which is better where they are known, and compiled
they are not."""


class ByValues(Exception):
    """The program of a case asks for values."""


def run_compiled(ug: Any, case: Case) -> Results:
    """The results of the second call of the compiled program; on the native engine they, and those of the first call,
    must be those of the program itself to the last bit. The reference computes them as they stand."""
    assert case.compilable is not None
    program = case.compilable
    if ug.get_backend() == oracle.NAME:
        return program(ug, *map(ug.asarray, case.inputs))
    compiled = ug.compile(lambda *tensors: program(ug, *tensors))
    try:
        first = compiled(*map(ug.asarray, case.inputs))
    except ug.UnsupportedError as error:
        if any(words in str(error) for words in ("compiled function", "while the framework", "framework traces")):
            raise ByValues(str(error)) from error
        raise
    found: Results = compiled(*map(ug.asarray, case.inputs))
    if ug.get_backend() == "numpy" and not any(call in case.why for call in CHOSEN_BY_VALUES):
        plain = program(ug, *map(ug.asarray, case.inputs))
        for name, right in plain.items():
            for call, other in (("first", first[name]), ("second", found[name])):
                if not _same_bits(right.numpy(), other.numpy()):
                    raise AssertionError(f"{name}: the {call} call gave {other}, and uncompiled it is {right}")
    return found


def _same_bits(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> bool:
    return (
        x.shape == y.shape
        and x.dtype == y.dtype
        and np.ascontiguousarray(x).tobytes() == np.ascontiguousarray(y).tobytes()
    )
