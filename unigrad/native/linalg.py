"""The primitives of linear algebra over an array module that follows NumPy, as ``functions.py`` does the others."""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from numpy.linalg import LinAlgError

from unigrad.base.words import Raw, Shape
from unigrad.operations.decompositions import refusal
from unigrad.table import PRIMITIVES


def complex_(x: Raw) -> Raw:
    """x in the complex dtype over its own."""
    return x if x.dtype.kind == "c" else x.astype("complex64" if x.dtype.itemsize == 4 else "complex128")


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
        "eigvalsh": linalg.eigvalsh,
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
    }
    several: dict[str, Callable[..., Sequence[Raw]]] = {
        "slogdet": lambda x: [xp.asarray(part) for part in linalg.slogdet(x)],
        "eigh": linalg.eigh,
        "svd": linalg.svd,
        "qr": linalg.qr,
    }
    if hasattr(linalg, "eig"):  # CuPy has it from version 14 on
        # Of real matrices NumPy's results are real if all eigenvalues are.
        several["eig"] = lambda x: linalg.eig(complex_(x))
        table["eigvals"] = lambda x: linalg.eigvals(complex_(x))
    table |= packed(several, xp.concatenate, xp.stack, xp.reshape, lambda x, dtype: x.astype(dtype))
    table = {name: answered(xp, name, function) for name, function in table.items()}
    return table | composed(others | table)


def packed(
    several: Mapping[str, Callable[..., Sequence[Raw]]],
    concat: Callable[[list[Raw], int], Raw],
    stack: Callable[[list[Raw], int], Raw],
    reshape: Callable[[Raw, Shape], Raw],
    cast: Callable[[Raw, Any], Raw],
) -> dict[str, Callable[..., Raw]]:
    """The primitives slogdet, eigh, eig, svd and qr, each with one array for a result, of a framework's functions with
    ``several``: sign and logarithm, values and vectors, u, s and vh, q and r. ``qr`` is told "complete" or "reduced";
    ``cast`` takes the framework's dtype."""

    def flat(x: Raw) -> Raw:
        *others, rows, columns = x.shape
        return reshape(x, (*others, rows * columns))

    def slogdet(x: Raw) -> Raw:
        sign, logarithm = several["slogdet"](x)
        return stack([sign, cast(logarithm, sign.dtype)], -1)

    def eigen(name: str, x: Raw) -> Raw:
        values, vectors = several[name](x)
        return concat([cast(values, vectors.dtype)[..., None], vectors], -1)

    def svd(x: Raw, full: bool) -> Raw:
        u, s, vh = several["svd"](x, full)
        return concat([flat(u), cast(s, u.dtype), flat(vh)], -1)

    def qr(x: Raw, complete: bool) -> Raw:
        q, r = several["qr"](x, "complete" if complete else "reduced")
        return concat([flat(q), flat(r[..., : x.shape[-1], :])], -1)

    made: dict[str, Callable[..., Raw]] = {"slogdet": slogdet, "svd": svd, "qr": qr}
    made |= {name: partial(eigen, name) for name in ("eigh", "eig")}
    return {name: made[name] for name in several}


def composed(table: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The primitives that no framework has, made of these raw functions."""
    namespace = types.SimpleNamespace(**table)
    return {name: PRIMITIVES[name].made_of(namespace) for name in ("cofactors", "cofactors_along", "pinv")}
