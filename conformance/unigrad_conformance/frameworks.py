"""One framework's own answers at the hard points, without unigrad: what the conventions are compared with.

``python -m unigrad_conformance.frameworks NAME [ID ...]`` prints a JSON object for each point as it goes.
Everything is float64 and eager. :func:`measure` runs it in a process of its own, since one framework's
settings, and its crashes, are no concern of another's.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from unigrad_conformance.points import TITLES, Point, derivatives, points, shown
from unigrad_conformance.reproducing import body

Numpy = Callable[[Any], Any]


def _torch() -> Numpy:
    import torch

    return lambda array: array.numpy(force=True) if isinstance(array, torch.Tensor) else array


def _tensorflow() -> Numpy:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    return lambda array: tf.convert_to_tensor(array).numpy() if tf.is_tensor(array) else array


def _jax() -> Numpy:
    import jax

    return lambda array: np.asarray(array) if isinstance(array, jax.Array) else array


def _mxnet() -> Numpy:
    from unigrad_mxnet.importing import import_mxnet

    mx = import_mxnet()
    mx.util._set_np_shape_logged = mx.util._set_np_array_logged = True  # else it writes to the root logger
    return lambda array: array.asnumpy() if isinstance(array, mx.nd.NDArray) else array


def _mygrad() -> Numpy:
    import mygrad

    return lambda array: array.data if isinstance(array, mygrad.Tensor) else array


def _casadi() -> Numpy:
    import casadi

    def numpy(array: Any) -> Any:
        if not isinstance(array, casadi.DM):
            return array
        found = array.full()
        return (
            found[:, 0] if found.shape[1] == 1 and found.size > 1 else found.reshape(()) if found.size == 1 else found
        )

    return numpy


def _mlx() -> Numpy:
    import mlx.core as mx

    return lambda array: np.asarray(array.tolist()) if isinstance(array, mx.array) else array


def _paddle() -> Numpy:
    import paddle

    return lambda array: array.numpy() if isinstance(array, paddle.Tensor) else array


def _mindspore() -> Numpy:
    import mindspore

    mindspore.runtime.launch_blocking()  # else an error shows at a later point
    return lambda array: array.asnumpy() if isinstance(array, mindspore.Tensor) else array


def _as_they_are() -> Numpy:
    return lambda array: array


READY: dict[str, Callable[[], Numpy]] = {
    "torch": _torch,
    "tensorflow": _tensorflow,
    "jax": _jax,
    "mxnet": _mxnet,
    "autograd": _as_they_are,
    "mygrad": _mygrad,
    "pytensor": _as_they_are,
    "casadi": _casadi,
    "mlx": _mlx,
    "paddle": _paddle,
    "mindspore": _mindspore,
    "tinygrad": _as_they_are,
}
"""Imports a framework, and returns how its arrays become NumPy's; everything else is left as it is."""


def asked(name: str, ids: Sequence[str] = ()) -> list[str]:
    """The points, of those given or of all, that a framework has something for."""
    wanted = [point for point in points() if name in point.own and (not ids or point.id in ids)]
    return [point.id for point in wanted if point.own[name].call is not None]


def answer(name: str, numpy: Numpy, point: Point) -> str:
    """What the framework gives, in one line."""
    call = point.own[name].call
    assert call is not None
    scope: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(body(name, point, call), scope)  # noqa: S102
        return _of_program(numpy, scope["results"]) if not point.inputs else _of_expression(numpy, scope, point)
    except Exception as error:
        if os.environ.get("UNIGRAD_SHOW_ERRORS"):
            print(f"{point.id}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
        return "raises"


def _of_program(numpy: Numpy, results: Any) -> str:
    return "; ".join(shown(numpy(found)) for found in (results if isinstance(results, (tuple, list)) else [results]))


def _of_expression(numpy: Numpy, scope: Mapping[str, Any], point: Point) -> str:
    hessian = None
    if point.hessian is not None:
        hessian = [np.concatenate([np.ravel(numpy(part)) for part in row]) for row in scope["second"]]
    text = derivatives([numpy(found) for found in scope["gradient"]], hessian)
    found = shown(numpy(scope["value"]))
    return text if found == shown(point.value) else f"{text} (value {found})"


def version(name: str) -> str:
    """The version of a framework that is installed, whatever it was built for."""
    return importlib.metadata.version(importlib.metadata.packages_distributions()[name][0]).partition("+")[0]


def main(name: str, ids: Sequence[str]) -> None:
    """Print the framework's answers, one line each, on what was standard output; it may print as it likes."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    numpy = READY[name]()
    with np.errstate(all="ignore"):
        known = asked(name, ids)
        for point in points():
            if point.id in known:
                print(json.dumps([point.id, answer(name, numpy, point)]), file=channel)


def measure(name: str, ids: Sequence[str] = ()) -> dict[str, str]:
    """The framework's answers by id, from a process of its own; ``crashes`` for a point that ends the process.

    Raises ImportError if the framework cannot be imported.
    """
    found: dict[str, str] = {}
    left = asked(name, ids)
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    while left:
        done = subprocess.run(
            [sys.executable, "-m", "unigrad_conformance.frameworks", name, *left],
            capture_output=True, text=True, env=environment,
        )  # fmt: skip
        answers = dict(json.loads(line) for line in done.stdout.splitlines())
        if done.returncode and not found and not answers and "Error" in done.stderr:
            raise ImportError(f"{TITLES[name]} cannot be asked: {done.stderr.strip().splitlines()[-1]}")
        found |= answers
        left = left[len(answers) :]
        if left:
            found[left.pop(0)] = "crashes"
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
