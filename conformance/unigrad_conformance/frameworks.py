"""One framework's own answers at the hard points, without unigrad: what the conventions are compared with.

``python -m unigrad_conformance.frameworks NAME [ID ...]`` prints a JSON object for each point as it goes.
Everything is float64 and eager. :func:`measure` runs it in a process of its own, since one framework's
settings, and its crashes, are no concern of another's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad_conformance.operations import compiled
from unigrad_conformance.points import FRAMEWORKS, Point, derivatives, points, shown

Head = Callable[..., Any]
"""From the inputs to the value and the sum of the weighted value, in the framework's arrays."""


def _is_complex(value: Any) -> bool:
    return bool(np.iscomplexobj(value))


class Torch:
    """PyTorch."""

    def __init__(self) -> None:
        import torch

        self.names = {"torch": torch}
        self._torch = torch

    def array(self, value: Any) -> Any:
        return self._torch.tensor(value, dtype=self._torch.complex128 if _is_complex(value) else self._torch.float64)

    def numpy(self, array: Any) -> Any:
        return array.numpy(force=True) if isinstance(array, self._torch.Tensor) else array

    def first(self, head: Head, inputs: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        leaves = [x.requires_grad_() for x in inputs]
        value, total = head(*leaves)
        return value, self._torch.autograd.grad(total, leaves, self._torch.ones_like(total), allow_unused=True)

    def second(self, head: Head, inputs: Sequence[Any]) -> list[Any]:
        leaves = [x.requires_grad_() for x in inputs]
        total = head(*leaves)[1]
        firsts = self._torch.autograd.grad(total, leaves, create_graph=True)
        rows = []
        for element in self._torch.cat([g.reshape(-1) for g in firsts]):
            found: Sequence[Any] = [None] * len(leaves)
            if element.requires_grad:
                found = self._torch.autograd.grad(element, leaves, retain_graph=True, allow_unused=True)
            rows.append([self._torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)])
        return rows


class TensorFlow:
    """TensorFlow, not compiled."""

    def __init__(self) -> None:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        import tensorflow as tf

        self.names = {"tf": tf}
        self._tf = tf

    def array(self, value: Any) -> Any:
        return self._tf.constant(value, dtype=self._tf.complex128 if _is_complex(value) else self._tf.float64)

    def numpy(self, array: Any) -> Any:
        return self._tf.convert_to_tensor(array).numpy() if self._tf.is_tensor(array) else array

    def first(self, head: Head, inputs: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        with self._tf.GradientTape() as tape:
            tape.watch(inputs)
            value, total = head(*inputs)
        return value, tape.gradient(total, inputs)

    def second(self, head: Head, inputs: Sequence[Any]) -> list[Any]:
        tf = self._tf
        with tf.GradientTape(persistent=True) as outer:
            outer.watch(inputs)
            with tf.GradientTape() as inner:
                inner.watch(inputs)
                total = head(*inputs)[1]
            firsts = inner.gradient(total, inputs)
            elements = [element for g in firsts for element in tf.unstack(tf.reshape(g, [-1]))]
        return [outer.gradient(e, inputs, unconnected_gradients="zero") for e in elements]


class Jax:
    """JAX in 64 bit, not compiled."""

    def __init__(self) -> None:
        import jax

        jax.config.update("jax_enable_x64", True)
        self.names = {"jax": jax, "jnp": jax.numpy}
        self._jax = jax

    def array(self, value: Any) -> Any:
        return self._jax.numpy.asarray(np.asarray(value, np.complex128 if _is_complex(value) else np.float64))

    def numpy(self, array: Any) -> Any:
        return np.asarray(array) if isinstance(array, self._jax.Array) else array

    def first(self, head: Head, inputs: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        total, pull, value = self._jax.vjp(lambda *xs: head(*xs)[::-1], *inputs, has_aux=True)
        return value, pull(self._jax.numpy.ones_like(total))

    def second(self, head: Head, inputs: Sequence[Any]) -> list[Any]:
        jnp, positions = self._jax.numpy, range(len(inputs))

        def firsts(*xs: Any) -> Any:
            gradient = self._jax.grad(lambda *xs: head(*xs)[1], positions)(*xs)
            return jnp.concatenate([g.reshape(-1) for g in gradient])

        found, pull = self._jax.vjp(firsts, *inputs)
        return [pull(row) for row in jnp.eye(found.size)]


class MXNet:
    """MXNet's own recorder, in the NumPy-like interface."""

    def __init__(self) -> None:
        from unigrad_mxnet.importing import import_mxnet

        mx = import_mxnet()
        mx.util._set_np_shape_logged = mx.util._set_np_array_logged = True  # else it writes to the root logger
        mx.npx.set_np()
        self.names = {"mx": mx}
        self._mx = mx

    def array(self, value: Any) -> Any:
        return self._mx.np.array(value, dtype="float64")

    def numpy(self, array: Any) -> Any:
        return array.asnumpy() if isinstance(array, self._mx.nd.NDArray) else array

    def first(self, head: Head, inputs: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        for x in inputs:
            x.attach_grad()
        with self._mx.autograd.record():
            value, total = head(*inputs)
        total.backward()
        return value, [x.grad for x in inputs]

    def second(self, head: Head, inputs: Sequence[Any]) -> list[Any]:
        gradient = self._mx.autograd.grad
        for x in inputs:
            x.attach_grad()
        with self._mx.autograd.record():
            total = head(*inputs)[1]
            firsts = gradient(total, list(inputs), create_graph=True, retain_graph=True)
            elements = [g.as_np_ndarray().reshape(-1)[i] for g in firsts for i in range(g.size)]
        return [[g.as_np_ndarray() for g in gradient(e, list(inputs), retain_graph=True)] for e in elements]


DRIVERS = {"torch": Torch, "tensorflow": TensorFlow, "jax": Jax, "mxnet": MXNet}


def answer(framework: Any, call: str, point: Point) -> str:
    """What the framework gives, in one line."""
    try:
        return (_of_expression if point.inputs else _of_program)(framework, compiled(call), point)
    except Exception as error:
        if os.environ.get("UNIGRAD_SHOW_ERRORS"):
            print(f"{point.id}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
        return "raises"


def _of_program(framework: Any, call: Callable[..., Any], point: Point) -> str:
    return "; ".join(shown(framework.numpy(found)) for found in call(None, framework.names))


def _of_expression(framework: Any, call: Callable[..., Any], point: Point) -> str:
    def head(*xs: Any) -> tuple[Any, Any]:
        (value,) = call(None, framework.names | dict(zip(point.inputs, xs, strict=True)))
        weighted = value if point.weights is None else value * framework.array(point.weights)
        return value, framework.names["tf"].reduce_sum(weighted) if "tf" in framework.names else weighted.sum()

    def inputs() -> list[Any]:
        return [framework.array(value) for value in point.inputs.values()]

    value, gradient = framework.first(head, inputs())
    hessian = None
    if point.hessian is not None:
        rows = framework.second(head, inputs())
        hessian = [np.concatenate([np.ravel(framework.numpy(part)) for part in row]) for row in rows]
    text = derivatives([None if g is None else framework.numpy(g) for g in gradient], hessian)
    found = shown(framework.numpy(value))
    return text if found == shown(point.value) else f"{text} (value {found})"


def main(name: str, ids: Sequence[str]) -> None:
    """Print the framework's answers, one line each, on what was standard output; it may print as it likes."""
    channel = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    framework = DRIVERS[name]()
    with np.errstate(all="ignore"):
        for point in points():
            call = point.own[name].call
            if call is not None and (not ids or point.id in ids):
                print(json.dumps([point.id, answer(framework, call, point)]), file=channel)


def measure(name: str, ids: Sequence[str] = ()) -> dict[str, str]:
    """The framework's answers by id, from a process of its own; ``crashes`` for a point that ends the process.

    Raises ImportError if the framework cannot be imported.
    """
    found: dict[str, str] = {}
    left = [p.id for p in points() if p.own[name].call is not None and (not ids or p.id in ids)]
    environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    while left:
        done = subprocess.run(
            [sys.executable, "-m", "unigrad_conformance.frameworks", name, *left],
            capture_output=True, text=True, env=environment,
        )  # fmt: skip
        answers = dict(json.loads(line) for line in done.stdout.splitlines())
        if done.returncode and not found and not answers and "Error" in done.stderr:
            raise ImportError(f"{FRAMEWORKS[name]} cannot be asked: {done.stderr.strip().splitlines()[-1]}")
        found |= answers
        left = left[len(answers) :]
        if left:
            found[left.pop(0)] = "crashes"
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
