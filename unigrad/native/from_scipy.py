"""Special functions of NumPy's arrays by SciPy's compiled ones, where SciPy is installed.

Written over whole arrays such a function takes some hundred calls of NumPy, each of a microsecond; SciPy's is one loop
in C. SciPy is no requirement and is imported by the first call that wants it. Without it, and where its digits are
fewer, the compositions of ``unigrad.special`` serve: only values come from here, derivatives are the primitives' rules.
The rules of ``unigrad.special`` say where a value is infinite or NaN; ``conformance/tests/test_native_special.py``
holds the two together.
"""

from __future__ import annotations

import functools
import importlib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from unigrad.base.words import Raw
from unigrad.native.bfloat16 import held

Function = Callable[..., Any]
"""Of float64 arrays of one shape and static parameters. None in place of an answer: it has none for those."""


def _upper(lower: str, upper: str) -> Function:
    """An upper tail by the lower one, where that leaves digits: it has more of them."""

    def call(special: Any, *arrays: Raw) -> Raw:
        below = getattr(special, lower)(*arrays)
        return np.where(below < 0.9, 1.0 - below, getattr(special, upper)(*arrays))

    return call


def _scaled_erfc(special: Any, x: Raw, order: int) -> Raw | None:
    """Below 0 the square needs all its digits."""
    if order:
        return None
    positive = special.erfcx(np.abs(x))
    if not (x < 0).any():
        return positive
    low_end = np.clip(x, -30.0, 0.0)
    high = np.round(low_end * 1048576.0) / 1048576.0  # whose square is exact
    square = np.exp(high * high) * np.exp((low_end - high) * (low_end + high))
    return np.where(x < 0, square + square - positive, positive)


def _by_order(*names: str) -> Function:
    """Of the orders 0, 1, ... those that have a function of their own."""

    def call(special: Any, x: Raw, order: int) -> Raw | None:
        return getattr(special, names[order])(x) if order < len(names) else None

    return call


def _bessel_i(special: Any, x: Raw, order: int) -> Raw:
    if order < 2:
        return (special.i0, special.i1)[order](x)
    found = special.iv(order, np.abs(x))
    return np.where(x < 0, -found, found) if order % 2 else found


def _bessel_ie(special: Any, x: Raw, order: int) -> Raw:
    """``ive`` has fewer digits than ``iv``."""
    return (special.i0e, special.i1e)[order](x) if order < 2 else _bessel_i(special, x, order) * np.exp(-np.abs(x))


def _modified(special: Any, v: Raw, x: Raw, scaled: bool) -> Raw:
    found = special.iv(v, x)
    return found * np.exp(-x) if scaled else found


def _elliptic(special: Any, p: Raw, order: int, second: bool) -> Raw | None:
    if order:
        return None
    return special.ellipe(1.0 - p) if second else special.ellipkm1(p)


def _erfc(special: Any, x: Raw) -> Raw:
    """The C library's: SciPy's has few digits far out."""
    return np.asarray(_ERFC(x)).astype("float64")


_ERFC = np.frompyfunc(math.erfc, 1, 1)

FUNCTIONS: Mapping[str, Function] = {
    "bessel_i": _bessel_i,
    "bessel_ie": _bessel_ie,
    "bessel_j": _by_order("j0", "j1"),
    "bessel_y": _by_order("y0", "y1"),
    "beta": lambda special, a, b: special.beta(a, b),
    "betainc": lambda special, a, b, x: special.betainc(a, b, x),
    "betaincc": _upper("betainc", "betaincc"),
    "betainccinv": lambda special, a, b, q: special.betainccinv(a, b, q),
    "betaincinv": lambda special, a, b, p: special.betaincinv(a, b, p),
    "elliptic": _elliptic,
    "entr": lambda special, x: special.entr(x),
    "erfc": _erfc,
    "erfcinv": lambda special, x: special.erfcinv(x),
    "erfinv": lambda special, x: special.erfinv(x),
    "expi": lambda special, x: special.expi(x),
    "gamma": lambda special, x: special.gamma(x),
    "gammainc": lambda special, a, x: special.gammainc(a, x),
    "gammaincc": _upper("gammainc", "gammaincc"),
    "gammainccinv": lambda special, a, q: special.gammainccinv(a, q),
    "gammaincinv": lambda special, a, p: special.gammaincinv(a, p),
    "log_ndtr": lambda special, x: special.log_ndtr(x),
    "logit": lambda special, p: special.logit(p),
    "modified": _modified,
    "ndtri": lambda special, p: special.ndtri(p),
    "rgamma": lambda special, x: special.rgamma(x),
    "scaled_erfc": _scaled_erfc,
    "student_inverse": lambda special, df, p: special.stdtrit(df, p),
    "xlog1py": lambda special, x, y: special.xlog1py(x, y),
    "zeta": lambda special, s, q: special.zeta(s, q),
}
"""By primitive: ``function(scipy.special, *arrays, *statics)``."""

FEW_DIGITS: Mapping[str, Callable[..., Raw]] = {
    "beta": lambda found, a, b: (np.abs(a) > 60) | (np.abs(b) > 60),
    "bessel_ie": lambda found, x, order: np.abs(x) > (600 if order > 1 else math.inf),
    "bessel_j": lambda found, x, order: np.abs(x) > 25,
    "bessel_y": lambda found, x, order: x > 25,
    "betainc": lambda found, a, b, x: (np.minimum(a, b) <= 0) | (np.maximum(a, b) > 1e10),
    "betaincc": lambda found, a, b, x: (np.minimum(a, b) <= 0) | (np.maximum(a, b) > 1e10),
    # Beyond, those of SciPy 1.17 may be wrong in all digits, or the same for every p.
    "betainccinv": lambda found, a, b, q: (np.minimum(a, b) < 1e-2) | (np.maximum(a, b) > 100) | (found < 1e-10),
    "betaincinv": lambda found, a, b, p: (np.minimum(a, b) < 1e-2) | (np.maximum(a, b) > 100) | (found < 1e-10),
    "elliptic": lambda found, p, order, second: p < 1e-300,
    "gammainc": lambda found, a, x: found < 1e-40,
    "gammaincc": lambda found, a, x: (found < 1e-40) | (a < 1e-300),
    "gammainccinv": lambda found, a, q: (a <= 0) | (q < 0) | (q > 1),
    "gammaincinv": lambda found, a, p: (a <= 0) | (a > 1e5) | (p < 0) | (p > 1),
    "rgamma": lambda found, x: x == -math.inf,
    "student_inverse": lambda found, df, p: np.abs(found) > 1e40,
    "modified": lambda found, v, x, scaled: (v < 0) | (v > 60) | (x < 1e-290) | (x > 600),
    "zeta": lambda found, s, q: (s < 1) | (q < 0),
}
"""Where SciPy's have few digits, or another convention than ours: a mask by what was found and the arguments."""


@functools.cache
def _scipy() -> Any:
    """scipy.special, or None."""
    try:
        return importlib.import_module("scipy.special")
    except ImportError:
        return None


def from_scipy(name: str, composed: Function) -> Function:
    """The raw function of a primitive: SciPy's where there is one, else ``composed``."""
    function, few_digits = FUNCTIONS[name], FEW_DIGITS.get(name)

    def call(*args: Any) -> Raw:
        special = _scipy()
        if special is None:
            return composed(*args)
        arrays = [arg for arg in args if hasattr(arg, "dtype")]
        statics, dtype = args[len(arrays) :], arrays[0].dtype
        if dtype != "float64":
            arrays = [np.asarray(array).astype("float64") for array in arrays]
        found = function(special, *arrays, *statics)
        if found is None:
            return composed(*args)
        rest = ~np.isfinite(found)  # ends and poles are as ours
        if few_digits is not None:
            rest |= few_digits(found, *arrays, *statics)
        if rest.any():
            chosen = [np.broadcast_to(array, rest.shape)[rest] for array in arrays]
            found = np.array(found)
            found[rest] = composed(*chosen, *statics)
        return found if dtype == "float64" else held(found.astype(dtype))

    return call
