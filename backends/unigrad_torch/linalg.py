"""The primitives of linear algebra over PyTorch tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from unigrad.extend import Raw, composed, refusal


def linear_algebra(others: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. ``others`` are those that two compositions are made of."""
    linalg = torch.linalg
    table: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "det": linalg.det,
        "slogdet": slogdet,
        "eigh": lambda x: eigen(x, *linalg.eigh(x)),
        "eigvalsh": linalg.eigvalsh,
        "eig": lambda x: eigen(x, *linalg.eig(x)),
        "eigvals": linalg.eigvals,
        "svd": svd,
        "svdvals": linalg.svdvals,
        "qr": qr,
    }
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


def slogdet(x: Raw) -> Raw:
    """Both along a new last axis."""
    sign, logarithm = torch.linalg.slogdet(x)
    return torch.stack([sign, logarithm.to(x.dtype)], -1)


def eigen(x: Raw, values: Raw, vectors: Raw) -> Raw:
    """The values as a column before the vectors."""
    return torch.cat([values[..., None].to(vectors.dtype), vectors], -1)


def svd(x: Raw, full: bool) -> Raw:
    """All three flattened."""
    u, s, vh = torch.linalg.svd(x, full_matrices=full)
    return torch.cat([u.flatten(-2), s.to(x.dtype), vh.flatten(-2)], -1)


def qr(x: Raw, complete: bool) -> Raw:
    """Both flattened."""
    q, r = torch.linalg.qr(x, "complete" if complete else "reduced")
    return torch.cat([q.flatten(-2), r[..., : x.shape[-1], :].flatten(-2)], -1)
