"""Batches of cotangents (``is_grads_batched``). Where PyTorch records such a pass, it loses what a function with a
derivative of its own makes of them, and says nothing: what comes out has no history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch

_batched = torch._C._functorch.is_legacy_batchedtensor


class Batches:
    """Whether a recorded pass ever had one: from then on all functions that lose them ask."""

    met = False


def note(cotangents: Iterable[Any]) -> None:
    """Look for a batch among the cotangents of a pass that is recorded."""
    if any(isinstance(g, torch.Tensor) and _batched(g) for g in cotangents):
        Batches.met = True


def refuse(args: Iterable[Any]) -> None:
    """RuntimeError, upon which the engine pulls row by row, if one of the arguments is a batch."""
    if any(isinstance(arg, torch.Tensor) and _batched(arg) for arg in args):
        raise RuntimeError(
            "PyTorch records nothing of a batch of gradients in a function with a derivative of its own; "
            "pull them one by one, without is_grads_batched=True"
        )
