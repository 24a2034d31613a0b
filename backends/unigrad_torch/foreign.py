"""PyTorch's own functions inside unigrad, and unigrad inside PyTorch's graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch.utils._pytree import register_pytree_node

from unigrad.extend import Foreign, Moving, Raw, RawFunction
from unigrad_torch.spread import ANY, any_spread, explained
from unigrad_torch.steps import followed


def _of_spread(function: Moving, what: str) -> AbstractContextManager[None]:
    return explained(what, ANY) if any_spread(function.primals) else nullcontext()


class TorchForeign(Foreign):
    """PyTorch records its functions by itself."""

    followed = staticmethod(followed)

    def recorded(self, function: RawFunction, raws: Sequence[Raw]) -> list[tuple[Raw, bool]]:
        return [(raw, raw.requires_grad) for raw in function(raws)]

    def jvp(self, function: Moving, tangents: Sequence[Raw]) -> tuple[Sequence[Raw], Sequence[Raw]]:
        with _of_spread(function, "forward mode"):
            _, pushed, outs = torch.func.jvp(function, tuple(function.primals), tuple(tangents), has_aux=True)
        return outs, pushed

    def vmap(self, function: Moving) -> Sequence[Raw]:
        with _of_spread(function, "torch.func.vmap"):
            found: tuple[Raw, ...] = torch.func.vmap(function.results, randomness="different")(*function.primals)
        return found

    def follows(self, raw: Raw) -> bool:
        return bool(raw.requires_grad) and torch.is_grad_enabled()

    def contain(self, kind: type, array_of: Callable[[Any], Raw], with_array: Callable[[Any], Any]) -> None:
        register_pytree_node(
            kind, lambda container: ([array_of(container)], None), lambda parts, _: with_array(next(iter(parts)))
        )
