"""The primitives of linear algebra over PyTorch tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from unigrad.extend import Raw, composed, packed, refusal


def linear_algebra(others: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. ``others`` are those that two compositions are made of."""
    linalg = torch.linalg
    table: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "det": linalg.det,
        "eigvalsh": linalg.eigvalsh,
        "eigvals": linalg.eigvals,
        "svdvals": linalg.svdvals,
    }
    several = {name: getattr(linalg, name) for name in ("slogdet", "eigh", "eig", "svd", "qr")}
    table |= packed(several, torch.cat, torch.stack, torch.reshape, torch.Tensor.to)
    table = {name: answered(name, function) for name, function in table.items()}
    return table | composed(others | table)


def answered(name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """The function, with unigrad's error for a matrix that has no answer."""

    def call(*args: Any) -> Raw:
        try:
            return function(*args)
        except torch.linalg.LinAlgError:
            raise refusal(name) from None

    return call
