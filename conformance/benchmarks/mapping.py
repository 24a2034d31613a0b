"""How much all rows of a Jacobian cost at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from measuring import Row, fastest

import unigrad as ug

SIZE = 100


def mapping_rows() -> Iterator[Row]:
    """The Jacobian of two layers of SIZE by SIZE, natively, against one vector-Jacobian product for each row."""
    numbers = np.random.default_rng(0).normal(size=(SIZE + 1, SIZE)) / SIZE**0.5
    with ug.use_backend("numpy"):
        w, x = ug.asarray(numbers[1:]), ug.asarray(numbers[0])
        rows = [ug.asarray(row) for row in np.eye(SIZE)]

        def f(x: Any) -> Any:
            return ug.tanh(w @ ug.tanh(w @ x))

        def one_by_one() -> Any:
            return [ug.vjp(f, x)[1](row)[0] for row in rows]

        programs = {"jacobian": lambda: ug.jacobian(f, mode="reverse")(x), "one by one": one_by_one}
        found, expected = (program() for program in programs.values())
        np.testing.assert_allclose(found.numpy(), np.stack([row.numpy() for row in expected]), rtol=1e-9, atol=1e-12)
        best = fastest(programs)
    name = f"Jacobian of a {SIZE}-to-{SIZE} map / {SIZE} vjp calls, native"
    yield Row(name, best["jacobian"] / best["one by one"], 0.2)
