"""Calls of every public operation, as data: one module for each family of operations.

From each sample ``unigrad_conformance.operations`` makes cases that check the value, the gradient, the
second derivative, dtypes and shapes, and that the inputs are left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from unigrad_conformance.case import Limit

BOTH = ("float32", "float64")
HALVES = ("float16", "bfloat16")


@dataclass(frozen=True, eq=False)
class Sample:
    """One call: statements over ``ug`` and the inputs, of which the last is an expression."""

    operation: str
    """The public operation that it is about: ``linalg.norm``, or ``operator.add`` for Python's operators."""
    name: str
    source: str
    inputs: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    """Floating inputs are taken in the dtype of the case, complex ones in the complex dtype over it, the rest as is."""
    flat: bool = False
    """True where there is no gradient to ask for: integers, comparisons, creation."""
    slow: bool = False
    """True where XLA takes seconds for the derivatives: the quick form has the value alone."""
    second: bool = True
    """False where there is no second derivative to ask for."""
    dtypes: tuple[str, ...] = BOTH
    own: Mapping[str, str] = field(default_factory=dict)
    """Inputs whose dtype is not that of the case."""
    complex: bool = False
    """True where complex numbers arise although no input is complex."""


class Family:
    """The samples of one family of operations, which is a row of the report."""

    def __init__(self, name: str, limit: Limit | None = None, everyday: bool = True, halves: bool = True) -> None:
        self.name = name
        self.halves = halves
        """Whether the operations take float16 and bfloat16."""
        self.everyday = everyday
        """False: of these, only what no other family has is an everyday case."""
        self.limit = limit or Limit()
        self.samples: list[Sample] = []

    def __call__(self, operation: str, name: str, source: str, **details: Any) -> None:
        """Add a sample; arrays among the keyword arguments are its inputs."""
        inputs = {key: value for key, value in details.items() if isinstance(value, np.ndarray)}
        rest = {key: value for key, value in details.items() if key not in inputs}
        self.samples.append(Sample(operation, name, source, inputs, **rest))
