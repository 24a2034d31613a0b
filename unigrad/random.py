"""Random numbers: NumPy's generator on every backend, so that one seed gives the same numbers everywhere.

``seed`` starts the generator of this process; without it the numbers differ from run to run. Every function
also takes ``seed=`` for numbers that depend on nothing else. No framework's own generator is touched.

Numbers are drawn in Python, so inside what a framework compiles (``jax.jit``, ``tf.function``) they are drawn once,
when the program is traced, and stay the same in all its calls. For new ones at each call draw them outside and pass
them in as arguments.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import new_shape
from unigrad.base.errors import ArgumentError
from unigrad.operations.creation import asarray
from unigrad.table import Array
from unigrad.tensor.tensor import Tensor

__all__ = ["choice", "integers", "normal", "permutation", "seed", "uniform"]

Size = int | Sequence[int] | None

# Made at the first draw: importing numpy.random takes longer than importing unigrad may.
_generator: np.random.Generator | None = None
_lock = threading.Lock()

State = Any
"""What a generator is at one moment."""
_logs: ContextVar[tuple[list[State], ...]] = ContextVar("unigrad_draws", default=())
_replayed: ContextVar[Iterator[State] | None] = ContextVar("unigrad_replayed", default=None)


def seed(value: int | None = None) -> None:
    """Start the shared generator from ``value``; None starts it from the system's entropy."""
    global _generator
    if _replayed.get() is None:  # what is replayed has had its effect on others before
        _generator = np.random.default_rng(value)


def drawn(draw: Callable[[np.random.Generator], Any], seed: int | None = None) -> Any:
    """What ``draw`` takes from the shared generator, or from a fresh one for ``seed``; one thread at a time."""
    with _lock:
        if seed is not None:
            return draw(np.random.default_rng(seed))
        generator = _source()
        logs = _logs.get()
        if logs:
            state = generator.bit_generator.state
            for log in logs:
                log.append(state)
        return draw(generator)


def _source() -> np.random.Generator:
    global _generator
    states = _replayed.get()
    if states is not None:
        generator = np.random.default_rng(0)
        try:
            generator.bit_generator.state = next(states)
        except StopIteration:
            raise ArgumentError(
                "a function that is run again for its derivative drew more random numbers than the first time; "
                "it must do the same each time it is called"
            ) from None
        return generator
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator


@contextmanager
def logged(log: list[State]) -> Iterator[None]:
    """While what is drawn here from the shared generator is noted in ``log``, whatever others draw in between."""
    token = _logs.set((*_logs.get(), log))
    try:
        yield
    finally:
        _logs.reset(token)


@contextmanager
def replayed(log: Sequence[State]) -> Iterator[None]:
    """While the draws of :func:`logged` are drawn once more. The shared generator stays as it is."""
    tokens = _replayed.set(iter(log)), _logs.set(())
    try:
        yield
    finally:
        _replayed.reset(tokens[0])
        _logs.reset(tokens[1])


def _like(*args: Any) -> Tensor | None:
    return next((arg for arg in args if isinstance(arg, Tensor)), None)


def _shape(size: Size, *parameters: Any) -> tuple[int, ...]:
    if size is not None:
        return new_shape(size)
    return np.broadcast_shapes(*(np.shape(arg) if not isinstance(arg, Tensor) else arg.shape for arg in parameters))


def _dtype(dtype: Any, like: Tensor | None) -> Any:
    if dtype is not None:
        return dtypes.as_dtype(dtype)
    return like.dtype if like is not None and like.dtype.kind == "f" else dtypes.default_float


def normal(
    loc: Array = 0.0, scale: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None
) -> Tensor:
    """Normal numbers of mean ``loc`` and standard deviation ``scale``, which may be Tensors and are differentiated.

    Shape ``size``, or that of loc and scale; float32 unless told otherwise.
    """
    like = _like(loc, scale)
    if not isinstance(scale, Tensor) and np.any(np.asarray(scale) < 0):
        raise ArgumentError(f"scale={scale!r} is negative")
    shape = _shape(size, loc, scale)
    values = drawn(lambda rng: rng.standard_normal(shape), seed)
    noise = asarray(np.asarray(values).astype(_dtype(dtype, like)), like=like)
    if like is None:
        return asarray(np.asarray(values * scale + loc).astype(_dtype(dtype, like)))
    return noise * scale + loc


def uniform(
    low: Array = 0.0, high: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None
) -> Tensor:
    """Uniform numbers from ``low`` up to ``high``, which may be Tensors and are differentiated."""
    like = _like(low, high)
    shape = _shape(size, low, high)
    values = drawn(lambda rng: rng.random(shape), seed)
    if like is None:
        return asarray(np.asarray(values * (np.asarray(high) - low) + low).astype(_dtype(dtype, like)))
    return asarray(np.asarray(values).astype(_dtype(dtype, like)), like=like) * (high - low) + low


def integers(
    low: int, high: int | None = None, size: Size = None, *, seed: int | None = None, dtype: Any = None
) -> Tensor:
    """Integers from ``low`` (0 if only one bound is given) up to, not including, ``high``, as int64."""
    if high is None:
        low, high = 0, low
    if high <= low:
        raise ArgumentError(f"there is no integer from {low} up to, not including, {high}")
    shape = new_shape(() if size is None else size)
    values = drawn(lambda rng: rng.integers(low, high, shape), seed)
    return asarray(np.asarray(values).astype(dtypes.as_dtype(int if dtype is None else dtype)))


def permutation(x: int | Array, *, seed: int | None = None) -> Tensor:
    """The integers below ``x`` in random order, or an array's slices along its first axis in random order."""
    count = x if isinstance(x, int) else len(x)
    order = drawn(lambda rng: rng.permutation(count), seed)
    return asarray(order.astype(np.int64)) if isinstance(x, int) else asarray(x)[order]


def choice(
    x: int | Array, size: Size = None, replace: bool = True, p: Any = None, *, seed: int | None = None
) -> Tensor:
    """Random elements of an array along its first axis (of the integers below ``x``), with or without replacement."""
    count = x if isinstance(x, int) else len(x)
    weights = None if p is None else np.asarray(p.numpy() if isinstance(p, Tensor) else p, dtype=np.float64)
    shape = new_shape(() if size is None else size)
    try:
        positions = drawn(lambda rng: rng.choice(count, shape, replace, weights), seed)
    except ValueError as error:
        raise ArgumentError(f"choice of {shape} from {count}: {error}") from error
    found = np.asarray(positions, dtype=np.int64)
    return asarray(found) if isinstance(x, int) else asarray(x)[found]
