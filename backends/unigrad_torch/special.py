"""PyTorch's own special functions, where they have the digits and are infinite or NaN where ours are.

Only values: the derivatives are the primitives' rules. What has less than float64 is computed in float64 and rounded
once, but for those that have all digits as they are. Measured against mpmath over all magnitudes, in units of the last
place of float64: ``i0`` 3, ``i0e`` and ``i1e`` 6, ``i1`` 7, ``erfc`` and ``erfinv`` 1, ``ndtri`` and ``erfcinv`` 3,
``entr`` and ``xlog1py`` 2, ``erfcx`` 7 from 0 on, ``log_ndtr`` as ours, ``zeta`` 3. ``gammainc``, ``gammaincc`` and
``logit`` have enough for float32 alone, Bessel's own functions and ``ndtr`` for neither: there the compositions stay.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from unigrad.extend import Backend, Raw, but_in, by_order, composition_of

_ROOT = math.sqrt(0.5)


def special(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The raw functions."""
    functions = torch.special

    def wide(function: Callable[..., Raw]) -> Callable[..., Raw]:
        def call(*arrays: Raw) -> Raw:
            dtype = arrays[0].dtype
            if dtype is torch.float64:
                return function(*arrays)
            found = function(*[array.double() for array in arrays])
            return found.float() if dtype is torch.float32 else found.to(dtype)  # which takes twice as long

        return call

    def narrow(name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
        """In float64 as composed."""
        return but_in(torch.float64, backend, name, wide(function))

    def floating(function: Callable[..., Raw]) -> Callable[..., Raw]:
        """In float32 as it is."""
        by_double = wide(function)
        return lambda *arrays: (function if arrays[0].dtype is torch.float32 else by_double)(*arrays)

    def bounded(function: Callable[[Raw], Raw], scaled: Callable[[Raw], Raw]) -> Callable[[Raw], Raw]:
        """Infinite at infinity, and not before: PyTorch multiplies by exp(x), which is so from 709.8 on."""

        def call(x: Raw) -> Raw:
            x = torch.clamp(x, -1e4, 1e4)
            root = torch.exp(torch.abs(x) * 0.5)
            return torch.where(torch.abs(x) > 700, scaled(x) * root * root, function(x))

        return call

    def of_gamma(function: Callable[[Raw, Raw], Raw]) -> Callable[[Raw, Raw], Raw]:
        def call(a: Raw, x: Raw) -> Raw:
            a = torch.clamp(a, max=1e30)
            found = torch.where(a == a, function(a, x), a)
            return torch.where((a == 1e30) & torch.isinf(x), math.nan, found)

        return call

    def upper_gamma(a: Raw, x: Raw) -> Raw:
        """PyTorch's of a tiny a is 1 less something near 1: it is a multiple of a there."""
        tiny = (a < 1e-8) & (a > 0) & (x > 0)
        found = functions.gammaincc(torch.where(tiny, 1e-8, a), x)
        return torch.where(tiny, found * (a * 1e8), found)

    def zeta(s: Raw, q: Raw) -> Raw:
        found = functions.zeta(torch.clamp(s, max=1e4), q)
        # Where q ** -s underflows and PyTorch loses the rest, there is nothing but the integral.
        found = torch.where((q > 1e300) & (s > 1), torch.pow(q, 1.0 - s) / (s - 1.0), found)
        return torch.where((q >= 0) & (s >= 1), found, math.nan)

    gaussian, derived_erfc = (composition_of(backend, name) for name in ("gaussian", "scaled_erfc"))
    rounded_erfcx = wide(functions.erfcx)

    def erfcx(x: Raw) -> Raw:
        """Below 0 PyTorch squares and loses digits of float64."""
        if x.dtype is not torch.float64:
            return rounded_erfcx(x)
        positive = functions.erfcx(torch.abs(x))
        return torch.where(x < 0, 2.0 / gaussian(x) - positive, positive)

    scaled = (functions.i0e, functions.i1e)
    plain = [bounded(*pair) for pair in zip((functions.i0, functions.i1), scaled, strict=True)]
    return {
        "bessel_i": by_order(backend, "bessel_i", map(wide, plain)),
        "bessel_ie": by_order(backend, "bessel_ie", map(wide, scaled)),
        "entr": floating(functions.entr),
        "erfc": floating(functions.erfc),
        "erfcinv": wide(lambda x: functions.ndtri(x * 0.5) * -_ROOT),
        "erfinv": floating(functions.erfinv),
        "gammainc": narrow("gammainc", of_gamma(functions.gammainc)),
        "gammaincc": narrow("gammaincc", of_gamma(upper_gamma)),
        "log_ndtr": wide(functions.log_ndtr),
        "logit": narrow("logit", functions.logit),
        "ndtr": narrow("ndtr", lambda x: functions.erfc(x * -_ROOT) * 0.5),
        "ndtri": wide(functions.ndtri),
        "scaled_erfc": lambda x, order: derived_erfc(x, order) if order else erfcx(x),
        "xlog1py": floating(functions.xlog1py),
        "zeta": wide(zeta),
    }
