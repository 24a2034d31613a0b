"""Results as they travel between processes, and how far one is from another.

A result is a dict: an array with its dtype, shape and flat values (from the oracle, each as the sum of two
float64; of complex numbers the real and the imaginary part in turn), or a plain Python value. Distances are in
units of the last place (ULP) of the reference in the dtype of the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad.base import dtypes
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
        if parts is not None and dtypes.has_gradients(result.dtype):
            high, low = parts(result.raw)
            return found | {"values": high.ravel().tolist(), "rest": low.ravel().tolist()}
        return found | {"values": _flat(result.numpy())}
    if result is None or isinstance(result, (bool, int, float, str)):
        return {"value": result}
    if isinstance(result, (tuple, list)) and all(isinstance(item, (int, str)) for item in result):
        return {"value": list(result)}
    raise TypeError(f"a program may return Tensors and plain values, not {type(result).__name__}")


def _flat(values: np.ndarray[Any, Any]) -> list[Any]:
    values = values.ravel()
    if values.dtype.kind == "c":
        values = np.stack([values.real, values.imag], axis=-1).ravel()
    found: list[Any] = values.tolist()
    return found


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
    dtype = dtypes.as_dtype(got["dtype"])
    if not dtypes.has_gradients(dtype):
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
    """The error of each element. That of a complex number is the distance, and its size the absolute value."""
    parts = 2 if dtype.kind == "c" else 1
    real = dtypes.real_of(dtype)
    values = np.asarray(got["values"], dtype=np.float64).reshape(-1, parts)
    high = np.asarray(reference["values"], dtype=np.float64).reshape(-1, parts)
    low = np.asarray(reference.get("rest", np.zeros_like(high)), dtype=np.float64).reshape(-1, parts)
    high = np.where(np.abs(high) < _NOTHING, 0.0, high)
    with np.errstate(all="ignore"):
        rounded = high.astype(real).astype(np.float64)  # beyond the largest number it is infinite
        same = ((values == rounded) | (np.isnan(values) & np.isnan(rounded))).all(axis=1)
        finite = (np.isfinite(values) & np.isfinite(rounded)).all(axis=1)
        size = np.where(finite, np.hypot(rounded[:, 0], rounded[:, -1] * (parts - 1)), 0.0)
        largest = size.max(initial=0.0) or 1.0
        largest = max(largest, 1.0) if of == "one" else largest
        size = np.where((size == 0) | (of != "element"), largest, size)
        unit = np.spacing(size.astype(real)).astype(np.float64)
        apart = np.abs((values - high) - low)
        errors = np.hypot(apart[:, 0], apart[:, -1] * (parts - 1)) / unit
    return np.where(finite, errors, np.where(same, 0.0, np.inf))


def _kind(encoded: Encoded) -> str:
    if "value" in encoded:
        return repr(encoded["value"])
    return f"{encoded['dtype']} of shape {tuple(encoded['shape'])}"


def _at(position: int, got: Encoded, reference: Encoded) -> str:
    parts = 2 if got["dtype"].startswith("c") else 1
    alone = len(got["values"]) == parts
    where = "" if alone else f" at {np.unravel_index(position, got['shape'])}".replace("np.int64", "")
    found, expected = (
        each["values"][position] if parts == 1 else complex(*each["values"][2 * position : 2 * position + 2])
        for each in (got, reference)
    )
    return f"{found!r} instead of {expected!r}{where}"


def literal_problem(encoded: Encoded, literal: Any) -> str | None:
    """What is wrong with a result of the reference, held against a literal of the case; None if nothing is."""
    if "value" in encoded:
        return None if encoded["value"] == literal else f"{encoded['value']!r} instead of {literal!r}"
    kind = dtypes.as_dtype(encoded["dtype"]).kind
    expected = np.asarray(literal, dtype={"f": np.float64, "V": np.float64, "c": np.complex128}.get(kind))
    if list(expected.shape) != encoded["shape"]:
        return f"shape {tuple(encoded['shape'])} instead of {expected.shape}"
    values: Encoded = {
        "dtype": encoded["dtype"],
        "shape": encoded["shape"],
        "values": _flat(expected),
    }
    # Two units: the constants of a rule are numbers of the dtype, which may be squared.
    return difference(encoded, values, Limit(2.0)).problem
