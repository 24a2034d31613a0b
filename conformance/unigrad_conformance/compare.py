"""Results as they travel between processes, and how far one is from another.

A result is a dict: an array with its dtype, shape and flat values (from the oracle, each as the sum of two
float64), or a plain Python value. Distances are in units of the last place (ULP) of the reference in the
dtype of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad.tensor import Tensor
from unigrad_conformance.case import Limit

Encoded = dict[str, Any]
# Where 60 digits cancel completely this much may be left over.
_NOTHING = 1e-50


def encode(result: Any) -> Encoded:
    """A result of a program as a dict that JSON can hold."""
    if isinstance(result, Tensor):
        # What the framework has, not what the Tensor says of it.
        found: Encoded = {"dtype": str(result.backend.dtype(result.raw)), "shape": list(result.shape)}
        parts = getattr(result.backend, "parts", None)
        if parts is not None and result.dtype.kind == "f":
            high, low = parts(result.raw)
            return found | {"values": high.ravel().tolist(), "rest": low.ravel().tolist()}
        return found | {"values": result.numpy().ravel().tolist()}
    if result is None or isinstance(result, (bool, int, float, str)):
        return {"value": result}
    if isinstance(result, (tuple, list)) and all(isinstance(item, (int, str)) for item in result):
        return {"value": list(result)}
    raise TypeError(f"a program may return Tensors and plain values, not {type(result).__name__}")


@dataclass(frozen=True)
class Difference:
    """How one result differs from the reference."""

    ulp: float = 0.0
    """The largest error, 0 for exact ones."""
    problem: str | None = None
    """What is wrong, or None if it is within the limit."""


def difference(got: Encoded, reference: Encoded, limit: Limit) -> Difference:
    """The distance of a result from the reference, and whether it is too large."""
    for key in ("value", "dtype", "shape"):
        if got.get(key) != reference.get(key) or (key in got) != (key in reference):
            return Difference(problem=f"{_kind(got)} instead of {_kind(reference)}")
    if "value" in got:
        return Difference()
    dtype = np.dtype(got["dtype"])
    if dtype.kind != "f":
        wrong = [
            number
            for number, pair in enumerate(zip(got["values"], reference["values"], strict=True))
            if pair[0] != pair[1]
        ]
        return Difference(problem=_at(wrong[0], got, reference) if wrong else None)
    errors = _errors(got, reference, dtype, limit.of)
    if not errors.size:
        return Difference()
    worst = int(np.argmax(errors))
    ulp = float(errors[worst])
    if ulp <= limit.ulp:
        return Difference(ulp)
    return Difference(ulp, f"{_at(worst, got, reference)}: {ulp:.3g} ULP, allowed {limit.ulp:g}")


def _errors(got: Encoded, reference: Encoded, dtype: np.dtype[Any], of: str) -> np.ndarray[Any, Any]:
    values = np.asarray(got["values"], dtype=np.float64)
    high = np.asarray(reference["values"], dtype=np.float64)
    low = np.asarray(reference.get("rest", np.zeros_like(high)), dtype=np.float64)
    high = np.where(np.abs(high) < _NOTHING, 0.0, high)
    with np.errstate(all="ignore"):
        rounded = high.astype(dtype).astype(np.float64)  # beyond the largest number it is infinite
        same = (values == rounded) | (np.isnan(values) & np.isnan(rounded))
        size = np.where(np.isfinite(rounded), np.abs(rounded), 0.0)
        largest = size.max(initial=0.0) or 1.0
        largest = max(largest, 1.0) if of == "one" else largest
        size = np.where((size == 0) | (of != "element"), largest, size)
        unit = np.spacing(size.astype(dtype)).astype(np.float64)
        errors = np.abs((values - high) - low) / unit
    errors = np.where(np.isfinite(values) & np.isfinite(rounded), errors, np.where(same, 0.0, np.inf))
    return errors


def _kind(encoded: Encoded) -> str:
    if "value" in encoded:
        return repr(encoded["value"])
    return f"{encoded['dtype']} of shape {tuple(encoded['shape'])}"


def _at(position: int, got: Encoded, reference: Encoded) -> str:
    where = "" if len(got["values"]) == 1 else f" at {np.unravel_index(position, got['shape'])}".replace("np.int64", "")
    return f"{got['values'][position]!r} instead of {reference['values'][position]!r}{where}"


def literal_problem(encoded: Encoded, literal: Any) -> str | None:
    """What is wrong with a result of the reference, held against a literal of the case; None if nothing is."""
    if "value" in encoded:
        return None if encoded["value"] == literal else f"{encoded['value']!r} instead of {literal!r}"
    expected = np.asarray(literal, dtype=np.float64 if encoded["dtype"].startswith("f") else None)
    if list(expected.shape) != encoded["shape"]:
        return f"shape {tuple(encoded['shape'])} instead of {expected.shape}"
    values: Encoded = {
        "dtype": encoded["dtype"],
        "shape": encoded["shape"],
        "values": expected.ravel().tolist(),
    }
    return difference(encoded, values, Limit(1.0)).problem
