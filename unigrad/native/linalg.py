"""The primitives of linear algebra over an array module that follows NumPy, as ``functions.py`` does the others."""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import partial
from typing import Any

from numpy.linalg import LinAlgError

from unigrad.base.words import Raw
from unigrad.operations.decompositions import refusal
from unigrad.table import PRIMITIVES


def flat(xp: Any, x: Raw) -> Raw:
    """Matrices as rows."""
    return xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def slogdet(xp: Any, x: Raw) -> Raw:
    """Both along a new last axis."""
    sign, logarithm = xp.linalg.slogdet(x)
    return xp.stack([xp.asarray(sign), xp.asarray(logarithm).astype(x.dtype)], axis=-1)


def eigh(xp: Any, x: Raw) -> Raw:
    """The values as a column before the vectors."""
    values, vectors = xp.linalg.eigh(x)
    return xp.concatenate([values[..., None].astype(x.dtype), vectors], axis=-1)


def eig(xp: Any, x: Raw) -> Raw:
    """As :func:`eigh`, complex."""
    # Of real matrices NumPy's results are real if all eigenvalues are.
    values, vectors = xp.linalg.eig(complex_(x))
    return xp.concatenate([values[..., None], vectors], axis=-1)


def complex_(x: Raw) -> Raw:
    """x in the complex dtype over its own."""
    return x if x.dtype.kind == "c" else x.astype("complex64" if x.dtype.itemsize == 4 else "complex128")


def svd(xp: Any, x: Raw, full: bool) -> Raw:
    """All three flattened."""
    u, s, vh = xp.linalg.svd(x, full_matrices=full)
    return xp.concatenate([flat(xp, u), s.astype(x.dtype), flat(xp, vh)], axis=-1)


def qr(xp: Any, x: Raw, complete: bool) -> Raw:
    """Both flattened."""
    q, r = xp.linalg.qr(x, mode="complete" if complete else "reduced")
    return xp.concatenate([flat(xp, q), flat(xp, r[..., : x.shape[-1], :])], axis=-1)


def finite(xp: Any, *arrays: Raw) -> bool:
    """Whether no element is infinite or NaN."""
    return all(bool(xp.all(xp.isfinite(array))) for array in arrays)


def answered(xp: Any, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """The function, with LinAlgError also where the module answers infinities and NaN, as CuPy does."""

    def call(*args: Any) -> Raw:
        try:
            found = function(*args)
        except LinAlgError:
            raise refusal(name) from None
        arrays = [arg for arg in args if hasattr(arg, "shape")]
        if name in ("inv", "solve", "cholesky") and not finite(xp, found) and finite(xp, *arrays):
            raise refusal(name)
        return found

    return call


def linear_algebra(xp: Any, others: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. ``others`` are those that two compositions are made of."""
    linalg = xp.linalg
    table: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "det": linalg.det,
        "slogdet": partial(slogdet, xp),
        "eigh": partial(eigh, xp),
        "eigvalsh": linalg.eigvalsh,
        "svd": partial(svd, xp),
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
        "qr": partial(qr, xp),
    }
    if hasattr(linalg, "eig"):  # CuPy has it from version 14 on
        table |= {"eig": partial(eig, xp), "eigvals": lambda x: linalg.eigvals(complex_(x))}
    table = {name: answered(xp, name, function) for name, function in table.items()}
    return table | composed(others | table)


def composed(table: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The primitives that no framework has, made of these raw functions."""
    namespace = types.SimpleNamespace(**table)
    made: dict[str, Callable[..., Raw]] = {}
    for name in ("cofactors", "pinv"):
        composition = PRIMITIVES[name].composition
        assert composition is not None
        made[name] = partial(composition, namespace)
    return made
