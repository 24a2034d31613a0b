"""The primitives of linear algebra over TensorFlow's eager tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad.extend import Backend, Raw, by_numpy, composed, get_backend_object, packed, refusal

MAY_REFUSE = ("inv", "solve", "cholesky")


def linear_algebra(backend: Backend, others: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. ``others`` are those that two compositions are made of."""
    linalg = tf.linalg
    table: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "det": linalg.det,
        "eigvalsh": lambda x: real(linalg.eigvalsh(x)),
        "eigvals": linalg.eigvals,
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
    }
    several = {name: getattr(linalg, name) for name in ("slogdet", "eigh", "eig")}
    several |= {"svd": svd, "qr": lambda x, mode: linalg.qr(x, mode == "complete")}
    table |= packed(several, tf.concat, tf.stack, tf.reshape, tf.cast)
    table = {name: answered(backend, name, function) for name, function in table.items()}
    return table | composed(others | table)


def answered(backend: Backend, name: str, function: Callable[..., Raw]) -> Callable[..., Raw]:
    """The function, with unigrad's error for a matrix that has no answer, and NumPy's where there are no elements."""
    host = by_numpy(backend, get_backend_object("numpy").functions[name])

    def call(*args: Any) -> Raw:
        if any(0 in arg.shape for arg in args if isinstance(arg, tf.Tensor)):
            return host(*args)
        try:
            found = function(*args)
        except tf.errors.InvalidArgumentError:
            raise refusal(name) from None
        # On a GPU TensorFlow answers infinities and NaN. A tf.function has no answer yet.
        if name in MAY_REFUSE and not tf.is_symbolic_tensor(found) and not finite(found) and all(map(finite, args)):
            raise refusal(name)
        return found

    return call


def finite(x: Raw) -> bool:
    """Whether all elements are finite."""
    if x.dtype.is_complex:
        return finite(tf.math.real(x)) and finite(tf.math.imag(x))
    return bool(tf.reduce_all(tf.math.is_finite(x)))


def real(x: Raw) -> Raw:
    """The real part."""
    return tf.math.real(x) if x.dtype.is_complex else x


def svd(x: Raw, full: bool) -> tuple[Raw, Raw, Raw]:
    """u, s and vh, where TensorFlow has s, u and v."""
    s, u, v = tf.linalg.svd(x, full_matrices=full)
    return u, s, tf.linalg.adjoint(v)
