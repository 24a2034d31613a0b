"""Questions about numbers whose answers count subnormal ones, which XLA takes for zero on a CPU: by their bits.

What comes out is a boolean, a position, a whole number, a sign or an angle. Narrow floats are computed as float32,
whose normal numbers their subnormal ones are.
"""

from __future__ import annotations

from collections.abc import Callable

import jax.numpy as jnp
from jax import jit, lax

from unigrad.extend import Raw


def by_bits(x: Raw) -> bool:
    """Whether an array has subnormal numbers that XLA does not see."""
    return bool(jnp.issubdtype(x.dtype, jnp.floating)) and x.dtype.itemsize >= 4


def key(x: Raw) -> Raw:
    """Integers in the order of the numbers, 0 for both zeros. Those of NaN are beyond those of infinity."""
    bits = lax.bitcast_convert_type(x, f"int{8 * x.dtype.itemsize}")
    # Below zero the bits but for the sign's grow with the size.
    return jnp.where(bits < 0, jnp.iinfo(bits.dtype).min - bits, bits)


def sortable(x: Raw, nan: str = "max") -> Raw:
    """What sorts as x does, with NaN as the largest of all (``"max"``) or the smallest (``"min"``)."""
    if not by_bits(x):
        return x
    found = key(x)
    return jnp.where(jnp.isnan(x), getattr(jnp.iinfo(found.dtype), nan), found)


def truth(x: Raw) -> Raw:
    """What is not 0."""
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        return truth(x.real) | truth(x.imag)
    return key(x) != 0 if by_bits(x) else x != 0


def logic(function: Callable[..., Raw]) -> Callable[..., Raw]:
    """A logical function of what is not 0."""
    return lambda *arrays: function(*map(truth, arrays))


def comparison(function: Callable[[Raw, Raw], Raw], of_nan: bool = False) -> Callable[[Raw, Raw], Raw]:
    """A comparison, whose answer is ``of_nan`` where one of the two is NaN."""

    def compare(x1: Raw, x2: Raw) -> Raw:
        dtype = jnp.result_type(x1, x2)
        x1, x2 = jnp.asarray(x1, dtype), jnp.asarray(x2, dtype)
        if jnp.issubdtype(dtype, jnp.complexfloating):
            both = jnp.logical_or if of_nan else jnp.logical_and
            return both(compare(x1.real, x2.real), compare(x1.imag, x2.imag))
        if not by_bits(x1):
            return function(x1, x2)
        unordered = jnp.isnan(x1) | jnp.isnan(x2)
        found = function(key(x1), key(x2))
        return found | unordered if of_nan else found & ~unordered

    return compare


def sign(x: Raw) -> Raw:
    found = jnp.sign(x)
    if jnp.issubdtype(x.dtype, jnp.complexfloating):
        # With an infinite part it is the sign of this part, and NaN if both are.
        far = jnp.isinf(x.real), jnp.isinf(x.imag)
        parts = (jnp.where(one, jnp.sign(part), 0.0) for one, part in zip(far, (x.real, x.imag), strict=True))
        return jnp.where(far[0] | far[1], jnp.where(far[0] & far[1], complex("nan+nanj"), lax.complex(*parts)), found)
    return jnp.where(found == 0, jnp.sign(key(x)).astype(x.dtype), found) if by_bits(x) else found


def floor(x: Raw) -> Raw:
    return jnp.where((x == 0) & (key(x) < 0), -1, jnp.floor(x)) if by_bits(x) else jnp.floor(x)


def ceil(x: Raw) -> Raw:
    return jnp.where((x == 0) & (key(x) > 0), 1, jnp.ceil(x)) if by_bits(x) else jnp.ceil(x)


@jit
def atan2(x1: Raw, x2: Raw) -> Raw:
    """XLA's is NaN for subnormal numbers of float32, and of float64 at the wrong end of the cut."""
    dtype = jnp.result_type(x1, x2)
    x1, x2 = jnp.asarray(x1, dtype), jnp.asarray(x2, dtype)
    if not by_bits(x1):
        return jnp.arctan2(x1, x2)
    # Where both are small they are enlarged alike; beside a larger one a subnormal number is a zero with its sign.
    power = 60 if x1.dtype.itemsize == 4 else 200
    small = (jnp.abs(x1) < 2.0**-power) & (jnp.abs(x2) < 2.0**-power)
    (large1, zero1), (large2, zero2) = _enlarged(x1, power), _enlarged(x2, power)
    return jnp.arctan2(jnp.where(small, large1, zero1), jnp.where(small, large2, zero2))


def _enlarged(x: Raw, power: int) -> tuple[Raw, Raw]:
    """``x * 2.0**power`` for small x, and x with zeros for subnormal numbers."""
    information = jnp.finfo(x.dtype)
    size = lax.bitcast_convert_type(jnp.abs(x), f"int{information.bits}")
    is_tiny = size < 2**information.nmant
    # The bits of a subnormal number are a whole number of the smallest ones.
    units = size.astype(x.dtype) * 2.0 ** (power + information.minexp - information.nmant)
    large = jnp.where(is_tiny, units, jnp.abs(x) * 2.0**power)
    return jnp.copysign(large, x), jnp.where(is_tiny, jnp.copysign(0.0, x).astype(x.dtype), x)
