"""The primitives of linear algebra over an array module that follows NumPy, as ``functions.py`` does the others."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

from numpy.linalg import LinAlgError

from unigrad.base.words import Raw
from unigrad.operations.decompositions import refusal
from unigrad.table import PRIMITIVES


def linear_algebra(xp: Any, others: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. ``others`` are those that two compositions are made of."""
    linalg = xp.linalg

    def flat(x: Raw) -> Raw:
        return xp.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))

    def slogdet(x: Raw) -> Raw:
        sign, logarithm = linalg.slogdet(x)
        return xp.stack([xp.asarray(sign), xp.asarray(logarithm).astype(x.dtype)], axis=-1)

    def eigh(x: Raw) -> Raw:
        values, vectors = linalg.eigh(x)
        return xp.concatenate([values[..., None].astype(x.dtype), vectors], axis=-1)

    def eig(x: Raw) -> Raw:
        # Of real matrices NumPy's results are real if all eigenvalues are.
        values, vectors = linalg.eig(complex_(x))
        return xp.concatenate([values[..., None], vectors], axis=-1)

    def complex_(x: Raw) -> Raw:
        return x if x.dtype.kind == "c" else x.astype("complex64" if x.dtype.itemsize == 4 else "complex128")

    def svd(x: Raw, full: bool) -> Raw:
        u, s, vh = linalg.svd(x, full_matrices=full)
        return xp.concatenate([flat(u), s.astype(x.dtype), flat(vh)], axis=-1)

    def qr(x: Raw, complete: bool) -> Raw:
        q, r = linalg.qr(x, mode="complete" if complete else "reduced")
        return xp.concatenate([flat(q), flat(r[..., : x.shape[-1], :])], axis=-1)

    def finite(*arrays: Raw) -> bool:
        return all(bool(xp.all(xp.isfinite(array))) for array in arrays)

    def answered(name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
        """The function, with LinAlgError also where the module answers infinities and NaN, as CuPy does."""

        def call(*args: Any) -> Raw:
            try:
                found = function(*args)
            except LinAlgError:
                raise refusal(name) from None
            arrays = [arg for arg in args if hasattr(arg, "shape")]
            if name in ("inv", "solve", "cholesky") and not finite(found) and finite(*arrays):
                raise refusal(name)
            return found

        return call

    table: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "det": linalg.det,
        "slogdet": slogdet,
        "eigh": eigh,
        "eigvalsh": linalg.eigvalsh,
        "svd": svd,
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
        "qr": qr,
    }
    if hasattr(linalg, "eig"):  # CuPy has it from version 14 on
        table |= {"eig": eig, "eigvals": lambda x: linalg.eigvals(complex_(x))}
    table = {name: answered(name, function) for name, function in table.items()}
    return table | composed(others | table)


def composed(table: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The primitives that no framework has, made of these raw functions."""
    namespace = types.SimpleNamespace(**table)
    made: dict[str, Callable[..., Raw]] = {}
    for name in ("cofactors", "pinv"):
        composition = PRIMITIVES[name].composition
        assert composition is not None
        made[name] = functools.partial(composition, namespace)
    return made
