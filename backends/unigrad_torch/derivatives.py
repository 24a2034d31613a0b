"""Where PyTorch's own derivative is not unigrad's: ours in its place, for these primitives only."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import torch

from unigrad.backend import Backend, Raw
from unigrad.operations.nodes import neutral_vjp
from unigrad.operations.table import PRIMITIVES
from unigrad.operations.tangents import neutral_jvp

REPLACED = {
    "abs": "PyTorch's is 0 at NaN, which hides it",
    "acos": "PyTorch's is by 1 - x * x, which has few correct digits near 1",
    "acosh": "as acos",
    "asin": "as acos",
    "asinh": "PyTorch's is by x * x + 1, which overflows",
    "atan2": "PyTorch's is 0 at the origin, where there is none, and squares its arguments, which overflows",
    "atanh": "as acos",
    "cbrt": "a composition whose derivative at 0 is NaN",
    "clip": "PyTorch's is 0 at NaN, and differs where the bounds are the wrong way round",
    "copysign": "PyTorch's is by x / abs(x)",
    "cumulative_max": "PyTorch's gives a tie to the last",
    "cumulative_min": "as cumulative_max",
    "expm1": "PyTorch's is expm1(x) + 1, which has no correct digits far below 0",
    "fmod": "PyTorch's takes the quotient from a division, which may round up to the next integer",
    "gammaln": "PyTorch's digamma has few correct digits near its root",
    "hypot": "PyTorch's is NaN at the origin",
    "logaddexp": "PyTorch's is by the difference from the result, which has few correct digits of a large one",
    "logsumexp": "PyTorch's is exp(x - out), which is 1 and 1 for two equal large numbers",
    "lower_power": "a composition whose derivative at 0 is NaN",
    "maximum": "PyTorch's is 1 and 1 at NaN, which hides it",
    "minimum": "PyTorch's is 1 and 1 at NaN, which hides it",
    "nextafter": "PyTorch has none",
    "polygamma": "PyTorch's own has half the digits of a float64",
    "power": "PyTorch's second derivative is NaN where the base is 0",
    "remainder": "a composition, for the sign of zero",
    "sigmoid": "PyTorch's has 1 - out, which has no correct digits far above 0",
    "vector_norm": "PyTorch's second derivative is NaN where the norm is 0",
    "xlogy": "a composition whose derivatives at x1 = 0 are 0",
    "det": "PyTorch's is 0 at a singular matrix",
    "cofactors": "a composition through singular vectors, which have no derivative where values repeat",
    "pinv": "as cofactors",
    "slogdet": "PyTorch's is infinite at a singular matrix",
    "eigh": "of the eigenvalues too it is NaN where they repeat",
    "eig": "as eigh",
    "svd": "as eigh, for singular values; and PyTorch has none of a completed U or V",
    "qr": "PyTorch has none of a completed Q",
}
"""The primitives and the reasons."""


def replaced(backend: Backend, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """``function``, a primitive's, with the neutral rule of that primitive as its derivative."""
    row = PRIMITIVES[name]
    count = len(row.arrays)
    others = (None,) * len(row.statics)

    class Replaced(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Raw:
            out = function(*args)
            ctx.save_for_backward(out, *args[:count])
            ctx.statics = args[count:]
            return out

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            out, *raws = ctx.saved_tensors
            return (*neutral_vjp(backend, row, raws, ctx.statics, out, g), *others)

    Replaced.__name__ = Replaced.__qualname__ = name
    apply = Replaced.apply
    transformed = functools.lru_cache(_transformed)
    active = torch._C._are_functorch_transforms_active

    def call(*args: Any) -> Raw:
        return transformed(backend, name, function, args[count:])(*args[:count]) if active() else apply(*args)

    return call


def _transformed(
    backend: Backend, name: str, function: Callable[..., Raw], statics: tuple[Any, ...]
) -> Callable[..., Raw]:
    """The same in the form that torch.func takes, which PyTorch calls at a greater cost: with forward mode and vmap."""
    row = PRIMITIVES[name]

    class Transformed(torch.autograd.Function):
        generate_vmap_rule = True

        @staticmethod
        def forward(*raws: Raw) -> Raw:
            return function(*raws, *statics)

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Raw, ...], output: Raw) -> None:
            ctx.save_for_backward(output, *inputs)
            ctx.save_for_forward(output, *inputs)
            ctx.set_materialize_grads(False)

        @staticmethod
        def backward(ctx: Any, g: Raw) -> Any:
            out, *raws = ctx.saved_tensors
            return tuple(neutral_vjp(backend, row, raws, statics, out, g))

        @staticmethod
        def jvp(ctx: Any, *tangents: Raw | None) -> Raw:
            out, *raws = ctx.saved_tensors
            return neutral_jvp(backend, row, raws, tangents, statics, out)

    Transformed.__name__ = Transformed.__qualname__ = name
    apply: Callable[..., Raw] = Transformed.apply
    return apply
