"""Whether arrays are equal, exactly or nearly. The results are boolean arrays and have no derivative."""

from __future__ import annotations

from unigrad.base import dtypes
from unigrad.base.arguments import real_number
from unigrad.operations.creation import astype, full
from unigrad.operations.elementwise import abs as absolute
from unigrad.operations.elementwise import equal, greater, isfinite, isnan, less_equal, logical_and, logical_or
from unigrad.operations.reductions import all as all_over
from unigrad.table import Array, operation
from unigrad.tensor.coercion import tensors
from unigrad.tensor.tensor import Tensor

__all__ = ["allclose", "array_equal", "isclose"]


@operation
def isclose(x1: Array, x2: Array, /, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether each ``abs(x1 - x2) <= atol + rtol * abs(x2)``; infinities are close to themselves, NaN to nothing
    (to NaN if ``equal_nan``). Integers are compared as float64."""
    rtol, atol = real_number(rtol, "rtol"), real_number(atol, "atol")
    x1, x2 = (
        array.detach() if dtypes.has_gradients(array.dtype) else astype(array, dtypes.float64)
        for array in tensors((x1, x2))
    )
    limit = absolute(x2) * rtol + atol
    # Without one only equals are close: a difference may be subnormal, which some frameworks take for zero.
    near = logical_and(less_equal(absolute(x1 - x2), limit), logical_and(greater(limit, 0), isfinite(x2)))
    found = logical_or(near, equal(x1, x2))
    return logical_or(found, logical_and(isnan(x1), isnan(x2))) if equal_nan else found


@operation
def allclose(x1: Array, x2: Array, /, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Tensor:
    """Whether all elements are close (:func:`isclose`), as a 0-dimensional boolean array."""
    return all_over(isclose(x1, x2, rtol, atol, equal_nan))


@operation
def array_equal(x1: Array, x2: Array, /, equal_nan: bool = False) -> Tensor:
    """Whether two arrays have one shape and equal elements, as a 0-dimensional boolean array."""
    x1, x2 = tensors((x1, x2))
    if x1.shape != x2.shape:
        return full((), False, dtype=dtypes.bool_, like=x1)
    same = equal(x1, x2)
    if equal_nan and dtypes.has_gradients(x1.dtype) and dtypes.has_gradients(x2.dtype):
        same = logical_or(same, logical_and(isnan(x1), isnan(x2)))
    return all_over(same)
