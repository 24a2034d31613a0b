"""Random numbers: NumPy's generator on every backend, so that one seed gives the same numbers everywhere.

``seed`` starts the generator of this process; without it the numbers differ from run to run. Every function
also takes ``seed=`` for numbers that depend on nothing else. No framework's own generator is touched.

Numbers are drawn in Python, so inside what a framework compiles (``jax.jit``, ``tf.function``) they are drawn once,
when the program is traced, and stay the same in all its calls. For new ones at each call draw them outside and pass
them in as arguments, or compile by ``ug.compile``, which draws them anew each time.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from unigrad.base import dtypes
from unigrad.base.arguments import broadcast_shapes, new_shape, one_axis, whole_number
from unigrad.base.errors import ArgumentError, ShapeError, UnigradError
from unigrad.base.tracing import trace
from unigrad.operations.creation import asarray
from unigrad.table import Array
from unigrad.tensor.coercion import plain_numbers
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
    if _replayed.get() is not None:  # what is replayed has had its effect on others before
        return
    at_work = trace()
    if at_work is not None:
        at_work.effect(lambda: seed(value))
    _generator = _generator_of(value)


def _generator_of(seed: Any) -> np.random.Generator:
    try:
        return np.random.default_rng(seed)
    except (TypeError, ValueError) as error:
        raise ArgumentError(f"seed={seed!r} is no integer from 0 up: {error}") from error


def get_state() -> dict[str, Any]:
    """The state of the shared generator, for :func:`set_state`: NumPy's own description of it, which is plain data."""
    with _lock:
        return copy.deepcopy(dict(_source().bit_generator.state))


def set_state(state: dict[str, Any]) -> None:
    """Go on where the shared generator was when :func:`get_state` returned ``state``. ArgumentError if it is none."""
    global _generator
    made = np.random.default_rng(0)
    try:
        made.bit_generator.state = copy.deepcopy(state)
    except (TypeError, ValueError, KeyError) as error:
        raise ArgumentError(
            f"this is no state of the generator: {error}; give what ug.random.get_state() returned"
        ) from error
    if _replayed.get() is None:
        _generator = made


def drawn(draw: Callable[[np.random.Generator], Any], seed: int | None = None) -> Any:
    """What ``draw`` takes from the shared generator, or from a fresh one for ``seed``; one thread at a time."""
    with _lock:
        if seed is not None:
            return draw(_generator_of(seed))
        generator = _source()
        if _logs.get():
            note(generator.bit_generator.state)
        return draw(generator)


def note(state: State) -> None:
    """Numbers are drawn from the shared generator in this state, as all who log that are to know."""
    for log in _logs.get():
        log.append(state)


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
    return broadcast_shapes([np.shape(arg) if not isinstance(arg, Tensor) else arg.shape for arg in parameters])


def _dtype(dtype: Any, like: Tensor | None) -> Any:
    if dtype is not None:
        return dtypes.as_dtype(dtype)
    return like.dtype if like is not None and like.dtype.kind in dtypes.REAL_FLOATING else dtypes.default_float


def _constant(parameter: Array, what: str) -> np.ndarray[Any, Any]:
    """The values of a parameter by which nothing is differentiated."""
    if isinstance(parameter, Tensor):
        parameter.refuse_if_recorded(f"draw numbers with it as {what}", "x.detach()")
        return parameter.numpy()
    return np.asarray(parameter)


def _positive(values: np.ndarray[Any, Any], name: str) -> None:
    if not np.all(values > 0):
        raise ArgumentError(f"{name}={values.tolist()} is not above 0")


def _not_negative(parameter: Array, name: str) -> None:
    if not isinstance(parameter, Tensor) and np.any(np.asarray(parameter) < 0):
        raise ArgumentError(f"{name}={parameter!r} is negative")


def tensor_drawn(
    draw: Callable[[np.random.Generator], Any], seed: int | None, dtype: Any, like: Tensor | None = None
) -> Tensor:
    """:func:`drawn` numbers in a dtype, where ``like`` is; while a trace is at work, drawn at each run of it."""

    def values() -> np.ndarray[Any, Any]:
        return np.asarray(drawn(draw, seed)).astype(dtype)

    at_work = trace()
    if at_work is None:
        return asarray(values(), like=like)
    found: Tensor = at_work.drawn(values, None if seed is not None else _replayed.get())
    return found


def state_key(state: State) -> Any:
    """What tells the states of a generator apart."""
    return repr(state)


def _scaled(
    draw: Callable[[np.random.Generator], Any], seed: int | None, scale: Array, dtype: Any, *others: Array
) -> Tensor:
    """Standard numbers times ``scale``, on the backend of the parameters."""
    like = _like(scale, *others)
    wanted = _dtype(dtype, like)
    if isinstance(scale, Tensor):
        return tensor_drawn(draw, seed, wanted, like) * scale
    return tensor_drawn(lambda rng: draw(rng) * np.asarray(scale), seed, wanted, like)


def normal(
    loc: Array = 0.0, scale: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None
) -> Tensor:
    """Normal numbers of mean ``loc`` and standard deviation ``scale``, which may be Tensors and are differentiated.

    Shape ``size``, or that of loc and scale; float32 unless told otherwise.
    """
    like = _like(loc, scale)
    loc, scale = (each if isinstance(each, Tensor) else plain_numbers(each, "loc or scale") for each in (loc, scale))
    _not_negative(scale, "scale")
    shape = _shape(size, loc, scale)
    if like is None:
        return tensor_drawn(lambda rng: rng.standard_normal(shape) * scale + loc, seed, _dtype(dtype, like))
    return tensor_drawn(lambda rng: rng.standard_normal(shape), seed, _dtype(dtype, like), like) * scale + loc


def uniform(
    low: Array = 0.0, high: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None
) -> Tensor:
    """Uniform numbers from ``low`` up to ``high``, which may be Tensors and are differentiated."""
    like = _like(low, high)
    low, high = (each if isinstance(each, Tensor) else plain_numbers(each, "low or high") for each in (low, high))
    shape = _shape(size, low, high)
    if like is None:
        width = np.asarray(high) - low
        return tensor_drawn(lambda rng: rng.random(shape) * width + low, seed, _dtype(dtype, like))
    return tensor_drawn(lambda rng: rng.random(shape), seed, _dtype(dtype, like), like) * (high - low) + low


def exponential(scale: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None) -> Tensor:
    """Exponential numbers of mean ``scale``, which may be a Tensor and is differentiated."""
    _not_negative(scale, "scale")
    shape = _shape(size, scale)
    return _scaled(lambda rng: rng.standard_exponential(shape), seed, scale, dtype)


def gamma(shape: Array, scale: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None) -> Tensor:
    """Gamma-distributed numbers of that ``shape``, above 0, times ``scale``.

    The scale may be a Tensor and is differentiated; the shape is a constant: UnsupportedError if it is recorded.
    """
    alpha = _constant(shape, "gamma's shape")
    _positive(alpha, "shape")
    _not_negative(scale, "scale")
    found = _shape(size, alpha, scale)
    return _scaled(lambda rng: rng.standard_gamma(alpha, found), seed, scale, dtype, shape)


def beta(a: Array, b: Array, size: Size = None, *, seed: int | None = None, dtype: Any = None) -> Tensor:
    """Beta-distributed numbers, from 0 to 1.

    The parameters, above 0, are constants: UnsupportedError if one is recorded.
    """
    first, second = _constant(a, "beta's a"), _constant(b, "beta's b")
    _positive(first, "a")
    _positive(second, "b")
    shape = _shape(size, first, second)
    like = _like(a, b)
    return tensor_drawn(lambda rng: rng.beta(first, second, shape), seed, _dtype(dtype, like), like)


def poisson(lam: Array = 1.0, size: Size = None, *, seed: int | None = None, dtype: Any = None) -> Tensor:
    """How often what happens ``lam`` times on average happens, as int64. UnsupportedError if ``lam`` is recorded."""
    mean = _constant(lam, "poisson's lam")
    shape = _shape(size, mean)
    try:
        wanted = dtypes.as_dtype(int if dtype is None else dtype)
        return tensor_drawn(lambda rng: rng.poisson(mean, shape), seed, wanted, _like(lam))
    except ValueError as error:
        if isinstance(error, UnigradError):
            raise
        raise ArgumentError(f"lam={lam!r}: {error}") from error


def bernoulli(p: Array = 0.5, size: Size = None, *, seed: int | None = None, dtype: Any = None) -> Tensor:
    """True with probability ``p``, from 0 to 1, else False; 1 and 0 with a ``dtype`` of numbers.

    UnsupportedError if ``p`` is recorded: what is true or false has no derivative.
    """
    chance = _constant(p, "bernoulli's p")
    if not np.all((chance >= 0) & (chance <= 1)):
        raise ArgumentError(f"p={p!r} holds what is no probability from 0 to 1")
    shape = _shape(size, chance)
    wanted = dtypes.as_dtype(bool if dtype is None else dtype)
    return tensor_drawn(lambda rng: rng.random(shape) < chance, seed, wanted, _like(p))


def categorical(logits: Array, size: Size = None, *, axis: int = -1, seed: int | None = None) -> Tensor:
    """Classes, as int64, with probabilities softmax(logits) along ``axis`` (by the largest of logits + Gumbel noise;
    Gumbel, 1954).

    ``size`` is the shape of the result, which is otherwise that of the logits without that axis and must broadcast with
    it. UnsupportedError if the logits are recorded.
    """
    given = _constant(logits, "categorical's logits").astype(np.float64)
    if not given.ndim:
        raise ShapeError("categorical needs logits with an axis of classes, not a 0-dimensional array")
    given = np.moveaxis(given, one_axis(axis, given.ndim), -1)
    if not given.shape[-1] or not np.all(given.max(axis=-1, initial=-np.inf) > -np.inf):
        raise ArgumentError("categorical: no class has a probability above 0, or one is NaN; check the logits")
    shape = given.shape[:-1] if size is None else new_shape(size)
    try:
        given = np.broadcast_to(given, (*shape, given.shape[-1]))
    except ValueError:
        raise ShapeError(f"size={size!r} does not fit logits of shape {np.shape(logits)}") from None

    def positions(rng: np.random.Generator) -> Any:
        return np.argmax(given + rng.gumbel(size=given.shape), axis=-1)

    return tensor_drawn(positions, seed, np.dtype(np.int64), _like(logits))


def integers(
    low: int, high: int | None = None, size: Size = None, *, seed: int | None = None, dtype: Any = None
) -> Tensor:
    """Integers from ``low`` (0 if only one bound is given) up to, not including, ``high``, as int64."""
    if high is None:
        low, high = 0, low
    low, high = whole_number(low, "low"), whole_number(high, "high")
    if not -(2**63) <= low <= high <= 2**63:
        raise ArgumentError(f"integers are drawn from {-(2**63)} up to {2**63}, and not from {low} up to {high}")
    if high <= low:
        raise ArgumentError(f"there is no integer from {low} up to, not including, {high}")
    shape = new_shape(() if size is None else size)
    return tensor_drawn(
        lambda rng: rng.integers(low, high, shape), seed, dtypes.as_dtype(int if dtype is None else dtype)
    )


def _counted(x: Any) -> tuple[Any, int]:
    """An integer and itself, or an array and the length of its first axis."""
    if isinstance(x, int):
        return x, new_shape(x)[0]
    x = asarray(x)
    if not x.ndim:
        raise ShapeError("a 0-dimensional array has no slices to choose from; pass a Python integer or a vector")
    return x, x.shape[0]


def permutation(x: int | Array, *, seed: int | None = None) -> Tensor:
    """The integers below ``x`` in random order, or an array's slices along its first axis in random order."""
    x, count = _counted(x)
    if isinstance(x, int):
        return tensor_drawn(lambda rng: rng.permutation(count), seed, np.dtype(np.int64))
    return _chosen(x, lambda rng: rng.permutation(count), seed)


def _chosen(x: Tensor, draw: Callable[[np.random.Generator], Any], seed: int | None) -> Tensor:
    """The slices of an array along its first axis at the positions that are drawn."""
    if trace() is None:
        return x[np.asarray(drawn(draw, seed), dtype=np.int64)]  # which need no check of their bounds on a device
    return x[tensor_drawn(draw, seed, np.dtype(np.int64), x)]


def shuffle(x: Tensor, *, seed: int | None = None) -> None:
    """Put an array's slices along its first axis into random order, in place as ``x[...] = ...`` does.

    :func:`permutation` returns another array instead.
    """
    if not isinstance(x, Tensor):
        raise ArgumentError(f"shuffle changes a Tensor in place, and got {type(x).__name__}; use ug.random.permutation")
    x[...] = permutation(x, seed=seed)


def choice(
    x: int | Array, size: Size = None, replace: bool = True, p: Any = None, *, seed: int | None = None
) -> Tensor:
    """Random elements of an array along its first axis (of the integers below ``x``), with or without replacement."""
    x, count = _counted(x)
    weights = None if p is None else plain_numbers(p, "p").astype(np.float64)
    shape = new_shape(() if size is None else size)
    try:
        if isinstance(x, int):
            return tensor_drawn(lambda rng: rng.choice(count, shape, replace, weights), seed, np.dtype(np.int64))
        return _chosen(x, lambda rng: rng.choice(count, shape, replace, weights), seed)
    except ValueError as error:
        if isinstance(error, UnigradError):
            raise
        raise ArgumentError(f"choice of {shape} from {count}: {error}") from error
