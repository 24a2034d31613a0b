"""What the programs of ``test_sharded.py`` and ``test_dtensor.py`` do alike, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import unigrad as ug

Loss = Callable[[Any], Any]


def by_tape(loss: Loss, x: Any) -> Any:
    """The gradient by a recording."""
    variable = ug.asarray(x, copy=True)
    variable.attach_grad()
    with ug.record():
        y = loss(variable)
    y.backward()
    return variable.grad


def gradients(losses: Mapping[str, Loss], plain: Any, spread: Any, where: Callable[[Any], Any]) -> dict[str, Any]:
    """Of each loss by two ways: whether the gradient by ``spread`` is that by ``plain``, of the same values in one
    place, and whether it lies where ``spread`` does."""
    found = {}
    for name, loss in losses.items():
        expected = ug.grad(loss)(ug.asarray(plain)).numpy()
        for how, derive in {"tape": by_tape, "grad": lambda loss, x: ug.grad(loss)(ug.asarray(x))}.items():
            got = derive(loss, spread)
            near = bool(np.allclose(got.numpy(), expected, rtol=1e-12))
            found[f"{name} by {how}"] = [near, where(got.raw) == where(spread)]
    return found
