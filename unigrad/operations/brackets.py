"""Arrays written between brackets, as NumPy's ``r_`` and ``c_``: ``ug.r_[x, 0.0, y]``."""

from __future__ import annotations

from typing import Any

from unigrad.base.errors import ArgumentError
from unigrad.operations.arranging import atleast_1d
from unigrad.operations.creation import arange
from unigrad.operations.shapes import concat, reshape
from unigrad.operations.spacing import linspace
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = ["c_", "r_"]


def _range(part: slice) -> Tensor:
    """What a slice means: numbers in steps, or as many as an imaginary step says, the last one too."""
    start, step = 0 if part.start is None else part.start, 1 if part.step is None else part.step
    if part.stop is None:
        raise ArgumentError("a range between brackets needs an end: ug.r_[0:5]")
    if isinstance(step, complex):
        return linspace(start, part.stop, int(abs(step)))
    return arange(start, part.stop, step)


class Brackets:
    """What makes one array of what stands between its brackets: arrays, numbers and ranges.

    ArgumentError for NumPy's directives in a string, for which there are ``concat`` and ``stack``.
    """

    def __init__(self, columns: bool) -> None:
        self._columns = columns

    def __getitem__(self, key: Any) -> Tensor:
        entries = key if isinstance(key, tuple) else (key,)
        directive = next((entry for entry in entries if isinstance(entry, str)), None)
        if directive is not None:
            raise ArgumentError(f"no directive such as {directive!r} is known; use ug.concat or ug.stack with an axis")
        parts = tensors([_range(entry) if isinstance(entry, slice) else entry for entry in entries])
        found: list[Tensor] = [atleast_1d(part) for part in parts]
        if self._columns:
            found = [reshape(part, (-1, 1)) if part.ndim == 1 else part for part in found]
        return concat(found, axis=-1 if self._columns else 0)

    def __repr__(self) -> str:
        return f"<what stands between brackets, {'column by column' if self._columns else 'one after the other'}>"


r_ = Brackets(columns=False)
"""One array of arrays, numbers and ranges along the first axis: ``ug.r_[x, 0.0, 1:4]``."""
c_ = Brackets(columns=True)
"""The same along the last axis, vectors as columns."""
