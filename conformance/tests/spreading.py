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


def meeting(x: Any, there: Any) -> dict[str, Callable[[], Any]]:
    """Where a floating vector meets one that lies elsewhere, and where unigrad looks at the values of one of them."""
    positions, mask = ug.argsort(there), there > there.min()

    def assigned(key: Any, value: Any) -> None:
        y = x * 1
        y[key] = value

    return {
        "constant": lambda: x * there, "joined": lambda: ug.stack([x, there]), "product": lambda: x @ there,
        "rounded": lambda: ug.floor_divide(x, there), "where": lambda: ug.where(mask, x, 0.0),
        "index": lambda: x[positions], "index and slice": lambda: x[None, positions],
        "raw index": lambda: x[positions.raw],
        "mask": lambda: x[mask], "one index": lambda: x[positions[0]], "take": lambda: ug.take(x, positions),
        "along": lambda: ug.take_along_axis(x, positions),
        "assigned": lambda: assigned(slice(None), there), "assigned at": lambda: assigned(positions, 1.0),
        "added at": lambda: ug.scatter_add(x, positions, 1.0), "put": lambda: np.put_along_axis(x * 1, positions, x, 0),
        "repeated": lambda: ug.repeat(x, positions), "compressed": lambda: ug.compress(mask, x),
        "extracted": lambda: ug.extract(mask, x), "inserted": lambda: ug.insert(x, positions, 1.0),
        "deleted": lambda: ug.delete(x, positions[:2]), "counted": lambda: ug.bincount(positions, x),
        "found": lambda: ug.isin(x, there), "searched": lambda: ug.searchsorted(x, there),
        "shared": lambda: ug.intersect1d(x, there), "histogram": lambda: ug.histogram(x, 3, weights=there),
        "edges": lambda: ug.histogram(x, there), "histogram of two": lambda: ug.histogram2d(x, there, 2),
        "quantile": lambda: ug.quantile(x, there / 100), "convolved": lambda: ug.convolve(x, there[:3], "valid"),
        "ordered": lambda: np.lexsort((x, there)), "embedding": lambda: ug.nn.embedding(positions, x[:, None]),
        "labels": lambda: ug.nn.cross_entropy(ug.stack([x, x], axis=1), positions % 2),
        "vjp": lambda: ug.vjp(lambda x: x * x, x)[1](there), "jvp": lambda: ug.jvp(lambda x: x * x, (x,), (there,)),
        "mapped": lambda: ug.vmap(lambda row: row * there)(ug.stack([x, x])),
        "mapped index": lambda: ug.vmap(lambda i: x[i])(positions),
        "rule": lambda: by_tape(ug.custom_gradient(lambda x: ((x * x).sum(), lambda g: there)), x.raw),
    }  # fmt: skip


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
