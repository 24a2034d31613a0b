"""The primitives of linear algebra over TensorFlow's eager tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from unigrad.extend import Backend, Raw, by_numpy, composed, get_backend_object, refusal

MAY_REFUSE = ("inv", "solve", "cholesky")


def linear_algebra(backend: Backend, others: dict[str, Callable[..., Raw]]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions. ``others`` are those that two compositions are made of."""
    linalg = tf.linalg
    table: dict[str, Callable[..., Raw]] = {
        "inv": linalg.inv,
        "solve": linalg.solve,
        "cholesky": linalg.cholesky,
        "det": linalg.det,
        "slogdet": slogdet,
        "eigh": lambda x: eigen(*linalg.eigh(x)),
        "eigvalsh": lambda x: real(linalg.eigvalsh(x)),
        "eig": lambda x: eigen(*linalg.eig(x)),
        "eigvals": linalg.eigvals,
        "svd": svd,
        "svdvals": lambda x: linalg.svd(x, compute_uv=False),
        "qr": qr,
    }
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


def slogdet(x: Raw) -> Raw:
    """Both along a new last axis."""
    sign, logarithm = tf.linalg.slogdet(x)
    return tf.stack([sign, tf.cast(logarithm, x.dtype)], -1)


def eigen(values: Raw, vectors: Raw) -> Raw:
    """The values as a column before the vectors."""
    return tf.concat([tf.cast(values, vectors.dtype)[..., tf.newaxis], vectors], -1)


def flat(x: Raw) -> Raw:
    """Matrices as vectors."""
    return tf.reshape(x, (*x.shape[:-2], x.shape[-2] * x.shape[-1]))


def svd(x: Raw, full: bool) -> Raw:
    """All three flattened."""
    s, u, v = tf.linalg.svd(x, full_matrices=full)
    return tf.concat([flat(u), tf.cast(s, x.dtype), flat(tf.linalg.adjoint(v))], -1)


def qr(x: Raw, complete: bool) -> Raw:
    """Both flattened."""
    q, r = tf.linalg.qr(x, full_matrices=complete)
    return tf.concat([flat(q), flat(r[..., : x.shape[-1], :])], -1)
