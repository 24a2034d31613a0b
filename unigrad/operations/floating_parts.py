"""The parts of floating numbers: integer and fraction, mantissa and exponent."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad.base.dtypes import limits
from unigrad.base.errors import DtypeError, UnsupportedError
from unigrad.interpreters.batches import rewrapped
from unigrad.operations.creation import asarray
from unigrad.operations.elementwise import isinf, trunc, where
from unigrad.operations.reductions import floating
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.levels import beneath, is_known, is_wrapped, values_of_all
from unigrad.tensor.tensor import Tensor

__all__ = ["frexp", "ldexp", "modf"]


def _values(name: str, x: Tensor) -> np.ndarray[Any, Any]:
    if not is_known(x):
        raise UnsupportedError(
            f"backend {x.backend.name!r}: {name} reads the exponents, which are not known while the framework traces "
            f"the program (jit, tf.function); compute it outside, or use x * 2.0**n"
        )
    return values_of_all(x)


def _placed(found: np.ndarray[Any, Any], x: Tensor) -> Tensor:
    """What was read from x's values, where x is; of a whole batch it differs along that batch."""
    made = asarray(found, like=beneath(x))
    return rewrapped(made, x) if is_wrapped(x) else made


@operation
def modf(x: Array, /) -> tuple[Tensor, Tensor]:
    """The fraction, with x's sign, and the integer part, in x's dtype: it is their sum."""
    x = floating(x)
    whole = trunc(x)
    return where(isinf(x), 0.0, x - whole), whole


@operation
def frexp(x: Array, /) -> tuple[Tensor, Tensor]:
    """A mantissa from 1/2 to 1, or 0, and an exponent, int32: ``x = mantissa * 2**exponent``. x is real."""
    x = floating(x)
    if x.dtype.kind == "c":
        raise DtypeError(f"frexp takes real numbers, not {x.dtype}")
    exponents = np.frexp(_values("frexp", x))[1]
    return _scaled(x, -exponents), _placed(exponents.astype(np.int32), x)


@operation
def ldexp(x1: Array, x2: Array, /) -> Tensor:
    """``x1 * 2**x2`` for integers x2, exactly, also where the power alone would overflow. Differentiable in x1."""
    x1, x2 = tensors((x1, x2))
    x1 = floating(x1)
    if x2.dtype.kind not in "biu":
        raise DtypeError(f"ldexp takes integer exponents, not {x2.dtype}; for others use x * 2.0**n")
    return _scaled(x1, _values("ldexp", x2).astype(np.int64), x2)


def _scaled(x: Tensor, exponents: np.ndarray[Any, Any], source: Tensor | None = None) -> Tensor:
    """x times powers of two in three steps, none of which leaves the numbers that x's dtype has."""
    limit = 3 * (int(limits(x.dtype).maxexp) - 1)
    exponents = np.clip(exponents, -limit, limit)
    third = exponents // 3
    for part in (third, third, exponents - 2 * third):
        x = x * _placed(np.ldexp(np.ones((), np.float64), part).astype(x.dtype), x if source is None else source)
    return x
