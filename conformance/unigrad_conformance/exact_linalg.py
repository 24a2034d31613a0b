"""The primitives of linear algebra over NumPy object arrays of mpmath's numbers, one matrix after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.operations.decompositions import refusal

Values = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def linear_algebra(mp: Any) -> dict[str, Callable[..., Any]]:
    """The table of functions."""

    def matrix(x: Values) -> Any:
        return mp.matrix(x.tolist())

    def plain(found: Any) -> Values:
        values = np.empty((found.rows, found.cols), dtype=object)
        for row in range(found.rows):
            for column in range(found.cols):
                values[row, column] = found[row, column]
        return values

    def vector(numbers: Sequence[Any]) -> Values:
        values = np.empty(len(numbers), dtype=object)
        values[:] = list(numbers)
        return values

    def eigh(x: Values) -> Values:
        values, vectors = mp.eigh(matrix(x))
        return np.concatenate([vector(values)[:, None], plain(vectors)], axis=1)

    def svd(x: Values, full: bool) -> Values:
        u, s, vh = mp.svd(matrix(x), full_matrices=full)
        return np.concatenate([plain(u).ravel(), vector(s), plain(vh).ravel()])

    def qr(x: Values, complete: bool) -> Values:
        q, r = mp.qr(matrix(x), mode="full" if complete else "skinny")
        return np.concatenate([plain(q).ravel(), plain(r)[: x.shape[1]].ravel()])

    def det(x: Values) -> Any:
        try:
            return mp.det(matrix(x))
        except TypeError:  # mpmath finds no pivot in a column of zeros
            return mp.mpf(0)

    def slogdet(x: Values) -> Values:
        found = det(x)
        return vector([found / abs(found) if found else found, mp.log(abs(found)) if found else -mp.inf])

    def eig(x: Values) -> Values:
        values, vectors = mp.eig(matrix(x))
        columns = plain(vectors)
        norms = [mp.sqrt(mp.fsum(abs(value) ** 2 for value in column)) for column in columns.T]
        return np.concatenate([vector(values)[:, None], columns / vector(norms)], axis=1)

    def size(shape: Shape) -> int:
        return min(shape)

    # The function of one matrix, and the shape of its result.
    table: dict[str, tuple[Callable[..., Any], Callable[..., Shape]]] = {
        "inv": (lambda x: plain(mp.inverse(matrix(x))), lambda shape: shape),
        "cholesky": (lambda x: plain(mp.cholesky(matrix(x))), lambda shape: shape),
        "det": (det, lambda shape: ()),
        "slogdet": (slogdet, lambda shape: (2,)),
        "eigh": (eigh, lambda shape: (shape[0], shape[0] + 1)),
        "eig": (eig, lambda shape: (shape[0], shape[0] + 1)),
        "eigvals": (lambda x: vector(mp.eig(matrix(x), left=False, right=False)), lambda shape: shape[:1]),
        "eigvalsh": (lambda x: vector(mp.eigh(matrix(x), eigvals_only=True)), lambda shape: shape[:1]),
        "svd": (
            svd,
            lambda shape, full: (
                shape[0] ** 2 + size(shape) + shape[1] ** 2 if full else size(shape) * (1 + sum(shape)),
            ),
        ),
        "svdvals": (lambda x: vector(mp.svd(matrix(x), compute_uv=False)), lambda shape: (size(shape),)),
        "qr": (qr, lambda shape, complete: (shape[0] * (shape[0] if complete else shape[1]) + shape[1] ** 2,)),
    }

    def of_nothing(name: str, shape: Shape, rows: int) -> Values:
        """Of matrices without elements: determinants of 1, and an identity where a factor is completed."""
        values = np.full(shape, mp.mpf(1 if name == "det" else 0), dtype=object)
        if name == "slogdet":
            values[0] = mp.mpf(1)
        if name in ("svd", "qr") and shape[0]:
            values[:] = np.eye(round(shape[0] ** 0.5), dtype=int).ravel() * mp.mpf(1)
        return values

    def stacked(name: str) -> Callable[..., Any]:
        function, result = table[name]

        def call(x: Values, *statics: Any) -> Any:
            batch, inner = x.shape[:-2], x.shape[-2:]
            shape = result(inner, *statics)
            found = np.empty((*batch, *shape), dtype=object)
            for index in np.ndindex(batch):
                try:
                    found[index] = (
                        function(x[index], *statics) if 0 not in inner else of_nothing(name, shape, inner[0])[()]
                    )
                except (ZeroDivisionError, ValueError):
                    raise refusal(name) from None
            return found[()]

        return call

    def solve(x1: Values, x2: Values) -> Values:
        found = np.empty(x2.shape, dtype=object)
        for index in np.ndindex(x1.shape[:-2] if x2.size else (0,)):
            for column in range(x2.shape[-1]):
                try:
                    one = mp.lu_solve(matrix(x1[index]), matrix(x2[(*index, slice(None), slice(column, column + 1))]))
                except ZeroDivisionError:
                    raise refusal("solve") from None
                found[(*index, slice(None), column)] = plain(one)[:, 0]
        return found

    return {**{name: stacked(name) for name in table}, "solve": solve}
