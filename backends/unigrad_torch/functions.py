"""The primitives over PyTorch tensors, as plain as PyTorch has them: each call is on somebody's hot path."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from unigrad.extend import (
    EVERYTHING,
    ArgumentError,
    Backend,
    DType,
    Key,
    Raw,
    Shape,
    is_array,
    to_integers,
    with_replaced,
)
from unigrad_torch.autocast import all_steady
from unigrad_torch.derivatives import replaced
from unigrad_torch.fft import FOURIER
from unigrad_torch.linalg import linear_algebra
from unigrad_torch.networks import NETWORKS, added_up, attention, gelu
from unigrad_torch.searching import searching
from unigrad_torch.special import special
from unigrad_torch.spread import any_spread, assigned, is_spread, whole_on

# No label means "ignore this row" here, as -100 does by default in PyTorch.
NO_LABEL = torch.iinfo(torch.int64).min
# From here on log(1 + exp(x)) is x and its derivative 1, to the last bit of a float64.
SOFTPLUS_IS_LINEAR = 37.0

SAME_NAME = (
    "exp", "log", "log2", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin",
    "acos", "atan", "asinh", "acosh", "atanh", "atan2", "hypot", "logaddexp", "copysign",
    "nextafter", "floor", "ceil", "trunc", "maximum", "minimum", "logical_and", "logical_or", "logical_xor",
    "logical_not", "isnan", "isinf", "isfinite", "signbit",
)  # fmt: skip


# What torch.nn.functional.cross_entropy calls, without what it looks for first: 3 microseconds of 39 for 128 rows.
_cross_entropy = torch._C._nn.cross_entropy_loss


def cross_entropy(logits: Raw, labels: Raw) -> Raw:
    return _cross_entropy(logits, labels, None, 1, NO_LABEL, 0.0)


def primitives(backend: Backend) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions."""
    table: dict[str, Callable[..., Raw]] = {
        # Not operator.add and so on, which take half a microsecond longer.
        "add": torch.add,
        "subtract": torch.sub,
        "multiply": torch.mul,
        "divide": torch.div,
        "floor_divide": floor_divide,
        "remainder": remainder,
        "fmod": fmod,
        "power": power_of_arrays,
        "reciprocal": reciprocal,
        "negative": torch.neg,
        "abs": torch.abs,
        "square": torch.square,
        "sign": sign,
        "real": lambda x: torch.real(x).clone(),
        "imag": imag,
        "conj": torch.conj_physical,
        "equal": operator.eq,
        "not_equal": operator.ne,
        "less": operator.lt,
        "less_equal": operator.le,
        "greater": operator.gt,
        "greater_equal": operator.ge,
        "where": where,
        "clip": clip,
        "relu": torch.relu,
        "leaky_relu": torch._C._nn.leaky_relu,
        "elu": torch._C._nn.elu,
        "hard_tanh": torch._C._nn.hardtanh,
        "exp2": torch.exp2,
        "triangle": functools.partial(triangle, backend),
        "sigmoid": torch.sigmoid,
        "softplus": lambda x: functional.softplus(x, 1.0, SOFTPLUS_IS_LINEAR),
        "gelu": functools.partial(gelu, backend),
        "attention": functools.partial(attention, backend),
        "expm1": expm1,
        "log1p": log1p,
        "erf": torch.erf,
        "gammaln": torch.lgamma,
        "round": round_,
        "bitwise_and": operator.and_,
        "bitwise_or": operator.or_,
        "bitwise_xor": operator.xor,
        "bitwise_invert": torch.bitwise_not,
        "bitwise_left_shift": shift(torch.bitwise_left_shift),
        "bitwise_right_shift": shift(torch.bitwise_right_shift),
        "astype": functools.partial(astype, backend),
        "sum": sum_,
        "mean": over_axes(torch.mean),
        "variance": functools.partial(variance, backend.composed("variance")),
        "prod": prod,
        "max": over_axes(torch.amax),
        "min": over_axes(torch.amin),
        "any": over_axes(torch.any, booleans=True),
        "all": over_axes(torch.all, booleans=True),
        "argmax": torch.argmax,
        "argmin": torch.argmin,
        "logsumexp": over_axes(torch.logsumexp),
        "log_softmax": torch.log_softmax,
        "cross_entropy": cross_entropy,
        "vector_norm": vector_norm,
        "cumulative_sum": lambda x, axis: torch.cumsum(x, axis, dtype=x.dtype),
        "cumulative_prod": lambda x, axis: torch.cumprod(x, axis, dtype=x.dtype),
        "matmul": torch.matmul,
        "einsum": lambda operands, subscripts: torch.einsum(subscripts, *operands),
        "reshape": torch.reshape,
        "permute_dims": torch.permute,
        "broadcast_to": torch.broadcast_to,
        "flip": torch.flip,
        "concat": torch.cat,
        "stack": torch.stack,
        "getitem": getitem,
        "scatter": scatter,
        "setitem": setitem,
        "take_along_axis": lambda x, indices, axis: torch.gather(x, axis, indices),
        "scatter_along_axis": scatter_along_axis,
        "argsort": argsort,
    }
    table |= {name: getattr(torch, name) for name in SAME_NAME} | searching() | FOURIER | NETWORKS
    table |= linear_algebra(table) | special(backend)
    table = with_replaced(backend, table, replaced)
    table["power"] = power(backend, table["power"])
    table |= {name: beside_scalars(table[name]) for name in ("floor_divide", "remainder")}
    return all_steady(table)


def astype(backend: Backend, x: Raw, dtype: DType) -> Raw:
    """A copy in another dtype."""

    def cast(x: Raw, dtype: DType) -> Raw:
        return x.to(backend.raw_dtypes[dtype], copy=True)

    if dtype.kind not in "iu" or not x.is_floating_point():
        return cast(x, dtype)
    return to_integers(x.float() if x.dtype.itemsize < 4 else x, dtype, cast, torch.where)


def reciprocal(x: Raw) -> Raw:
    """PyTorch's derivative squares it, which overflows in float16."""
    return torch.reciprocal(x) if x.dtype is not torch.float16 else torch.reciprocal(x.float()).to(x.dtype)


def integers(x: Raw) -> bool:
    """Whether x holds integers or booleans."""
    return not (x.is_floating_point() or x.is_complex())


def power_of_arrays(x1: Raw, x2: Raw) -> Raw:
    """PyTorch has no power of a complex zero by an array of zeros; by the number it is 1."""
    found = torch.pow(x1, x2)
    return torch.where(x2 == 0, 1, found) if found.is_complex() and isinstance(x2, torch.Tensor) else found


NO_POWERS = "integers have no negative integer powers; convert the base with .astype(ug.float32)"


def power(backend: Backend, of_arrays: Callable[[Raw, Raw], Raw]) -> Callable[[Any, Any], Raw]:
    """Between floating arrays as given; beside a scalar, but for a base of 0, PyTorch's own derivative is right."""

    def power(x1: Any, x2: Any) -> Raw:
        if isinstance(x1, torch.Tensor):
            if isinstance(x2, torch.Tensor):
                if x2.is_floating_point() or x2.is_complex():
                    return of_arrays(x1, x2)
            elif 0 < abs(x2) < 1e-15 and x1.is_floating_point():
                # PyTorch subtracts 1, which leaves -1, and has a slope where the power is NaN.
                return of_arrays(x1, x1.new_full((), held(x2, x1)))
        elif not LEAST <= abs(x1) <= MOST and (x2.is_floating_point() or x2.is_complex()):
            x1 = held(x1, x2)
            if x1 in (0, math.inf):
                return of_arrays(x2.new_full((), x1), x2)
        if isinstance(x2, torch.Tensor) and integers(x2) and backend.is_known(x2) and (x2 < 0).any():
            # PyTorch would answer 0.
            raise ArgumentError(NO_POWERS)
        return x1**x2 if isinstance(x1, torch.Tensor) and isinstance(x2, torch.Tensor) else beside(x1, x2)

    return power


# Numbers between these are neither 0 nor infinite in float32.
LEAST, MOST = 1e-38, 1e38


def beside(x1: Any, x2: Any) -> Raw:
    """A power with a number in it, as the array's dtype holds it: PyTorch computes narrow floats with all the digits of
    the number, and raises for one beyond the dtype."""
    array = x1 if isinstance(x1, torch.Tensor) else x2
    if array is x1 and array.dtype is torch.float32 and held_otherwise(x2):
        x2 = held(x2, x1)
    if array.dtype is not torch.float16 and not 0 < abs(x2 if array is x1 else x1) < LEAST:
        try:
            return x1**x2
        except (RuntimeError, OverflowError):
            if array is x1 and x2 < 0 and integers(x1):
                raise ArgumentError(NO_POWERS) from None
            if not array.is_floating_point():
                raise
    return x1 ** held(x2, x1) if array is x1 else held(x1, x2) ** x2


def held_otherwise(number: Any) -> bool:
    """Whether an exponent is not whole, and may be so as a float32; or may be odd, and is even as a float32."""
    part = number % 1
    return abs(number) > 2**24 or (bool(part) and min(part, 1 - part) <= 1e-7 * abs(number))


def held(number: Any, like: Raw) -> Any:
    """A number as an array's floating dtype holds it."""
    return (
        torch.tensor(float(number), dtype=torch.float64).to(like.dtype).item() if like.is_floating_point() else number
    )


class FloorDivide(torch.autograd.Function):
    """PyTorch has no derivative for it, and raises; ours is zero."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x1: Raw, x2: Raw) -> Raw:
        return x1 // x2

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Raw, Raw], output: Raw) -> None:
        ctx.save_for_backward(output, *inputs)
        ctx.save_for_forward(output, *inputs)

    @staticmethod
    def backward(ctx: Any, g: Raw) -> Any:
        return tuple(map(torch.zeros_like, ctx.saved_tensors[1:]))

    @staticmethod
    def jvp(ctx: Any, *tangents: Raw | None) -> Raw:
        return torch.zeros_like(ctx.saved_tensors[0])


def divisor(x2: Raw) -> tuple[Raw, Raw, Raw]:
    """Integers to divide by, with 1 in place of 0, at which PyTorch raises, and of -1: the least number divided by that
    is out of range, for which the processor ends the process. And where these were."""
    zero, minus = x2 == 0, x2 == -1 if x2.dtype.is_signed else torch.zeros_like(x2, dtype=torch.bool)
    return x2.masked_fill(zero | minus, 1), zero, minus


def floor_divide(x1: Raw, x2: Raw) -> Raw:
    """Of integers 0 where they are divided by 0."""
    if not integers(x2):
        return FloorDivide.apply(x1, x2)
    x2, zero, minus = divisor(x2)
    return torch.where(minus, -x1, torch.where(zero, 0, x1 // x2))


def remainder(x1: Raw, x2: Raw) -> Raw:
    """PyTorch's has a zero of either sign; it is to have that of x2, as all other results have. Of integers 0 where
    they are divided by 0."""
    if not integers(x2):
        return torch.copysign(x1 % x2, x2)
    x2, zero, _ = divisor(x2)
    return torch.where(zero, 0, x1 % x2)


def fmod(x1: Raw, x2: Raw) -> Raw:
    """Of integers 0 where they are divided by 0."""
    if not integers(x2):
        return torch.fmod(x1, x2)
    x2, zero, _ = divisor(x2)
    return torch.where(zero, 0, torch.fmod(x1, x2))


def beside_scalars(of_arrays: Callable[[Raw, Raw], Raw]) -> Callable[[Any, Any], Raw]:
    """A function of two arrays, also of an array and a number."""

    def call(x1: Any, x2: Any) -> Raw:
        if not isinstance(x1, torch.Tensor):
            x1 = x2.new_full((), held(x1, x2))
        elif not isinstance(x2, torch.Tensor):
            x2 = x1.new_full((), held(x2, x1))
        return of_arrays(x1, x2)

    return call


def triangle(backend: Backend, x: Raw, k: int, lower: bool, fill: float) -> Raw:
    """PyTorch's has zeros on the other side."""
    if fill:
        return backend.composed("triangle")(x, k, lower, fill)
    return torch.tril(x, k) if lower else torch.triu(x, k)


def clip(x: Any, low: Any, high: Any) -> Raw:
    """PyTorch's takes arrays on all sides, or numbers on both."""
    given = (x, low, high)
    like = next(array for array in given if isinstance(array, torch.Tensor))
    if like is not x or isinstance(low, torch.Tensor) is not isinstance(high, torch.Tensor):
        x, low, high = (
            array if isinstance(array, torch.Tensor) else like.new_full((), held(array, like)) for array in given
        )
    return torch.clamp(x, low, high)


def expm1(x: Raw) -> Raw:
    """PyTorch's spreads a NaN or infinite part of a complex number to both, where its exp does not."""
    found = torch.expm1(x)
    return torch.where(x.isfinite() & (x != 0), found, x.exp() - 1) if x.is_complex() else found


def log1p(x: Raw) -> Raw:
    """As expm1."""
    found = torch.log1p(x)
    return torch.where(x.isfinite(), found, (x + 1).log()) if x.is_complex() else found


def sign(x: Raw) -> Raw:
    """PyTorch's is 0 at NaN, and NaN of a complex number with an infinite part."""
    if x.is_complex():
        far, direction = far_away(x)
        return torch.where(far, direction, torch.sgn(torch.where(far, 0.0, x)))
    if not x.is_floating_point():
        return x.sign()
    # The sign, or NaN: what it is compared with is never the larger. By isnan and where it takes four times as long.
    return torch.maximum(x.sign(), x.detach().clamp(max=-1.0))


def far_away(x: Raw) -> tuple[Raw, Raw]:
    """Which complex numbers have an infinite part, and their sign: that of this part, or NaN if both are infinite."""
    first, second = (part.detach() for part in (x.real, x.imag))
    real, imag = first.isinf(), second.isinf()
    direction = torch.complex(torch.where(real, first.sign(), 0.0), torch.where(imag, second.sign(), 0.0))
    # Not torch.where of a complex NaN, which torch.fx writes as a name.
    return real | imag, direction * torch.where(real & imag, math.nan, 1.0)


def imag(x: Raw) -> Raw:
    """Of real numbers zeros, of NaN and infinity as well, and in PyTorch's graph."""
    if x.is_complex():
        return torch.imag(x).clone()
    return torch.where(x < x, x, 0.0) if x.is_floating_point() else torch.zeros_like(x)


def round_(x: Raw) -> Raw:
    """Of complex numbers either part, where PyTorch has none."""
    return torch.complex(x.real.round(), x.imag.round()) if x.is_complex() else x.round()


def shift(function: Callable[[Any, Any], Raw]) -> Callable[[Any, Any], Raw]:
    """PyTorch takes no Python integer on the left of one of narrower dtype, and its operators shift no DTensor."""

    def shifted(x1: Any, x2: Any) -> Raw:
        return function(x1 if isinstance(x1, torch.Tensor) else x2.new_full((), x1), x2)

    return shifted


def where(condition: Raw, x1: Raw, x2: Raw) -> Raw:
    """Any condition: what is not 0 is true."""
    if condition.dtype is torch.bool:
        return torch.where(condition, x1, x2)
    found = torch.where(condition != 0, x1, x2)
    if not condition.requires_grad or found.requires_grad or integers(found):
        return found
    # In PyTorch's graph, as what came from a variable is: its slope is 0.
    part = condition.real if condition.is_complex() else condition
    return torch.where(torch.zeros_like(part, dtype=torch.bool), part.to(found.dtype), found)


def over_axes(function: Callable[..., Raw], booleans: bool = False) -> Callable[[Raw, Shape, bool], Raw]:
    """A reduction over a tuple of axes. To PyTorch an empty one means all; here it means none."""

    def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        if booleans:
            x = x != 0
        return function(x, axes, keepdims) if axes else function(x[None], (0,), False)

    return reduce


def sum_(x: Raw, axes: Shape, keepdims: bool) -> Raw:
    """In x's dtype, where PyTorch would add up narrow integers as int64."""
    return torch.sum(x, axes, keepdims, dtype=x.dtype) if axes else x.clone()


def variance(steps: Callable[..., Raw], x: Raw, axes: Shape, keepdims: bool, correction: float) -> Raw:
    """PyTorch's, but where too few elements are left to divide by, of which it warns: then in steps."""
    if axes and math.prod([x.shape[axis] for axis in axes]) > correction:
        return torch.var(x, axes, correction=correction, keepdim=keepdims)
    return steps(x, axes, keepdims, correction)


def prod(x: Raw, axes: Shape, keepdims: bool) -> Raw:
    """One axis at a time, as PyTorch has it; its derivatives are right at zeros."""
    if not axes:
        return x.clone()
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, axis, keepdims, dtype=x.dtype)
    return x


def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    """The norm over a tuple of axes, of which an empty one means none."""
    if not axes:
        return torch.abs(x)
    x = torch.abs(x) if x.is_complex() else x
    return torch.linalg.vector_norm(x, order, axes, keepdims)


def argsort(x: Raw, axis: int, descending: bool) -> Raw:
    """Stable, and NaN last also where descending: negated it still counts as the largest."""
    if descending and x.is_floating_point():
        return torch.argsort(-x, dim=axis, stable=True)
    return torch.argsort(x, dim=axis, descending=descending, stable=True)


# --- indexing ----------------------------------------------------------------------------------------


def forwards(key: Key, shape: Shape) -> tuple[Key, Shape]:
    """The key for an array flipped along the axes that are returned too: PyTorch has no negative steps."""
    entries = []
    flipped = []
    axis = 0
    for entry in key:
        if isinstance(entry, slice) and entry.step is not None and entry.step < 0:
            last = shape[axis] - 1
            entry = slice(last - entry.start, last + 1 if entry.stop is None else last - entry.stop, -entry.step)
            flipped.append(axis)
        entries.append(entry)
        axis += entry is not None
    return tuple(entries), tuple(flipped)


def getitem(x: Raw, key: Key) -> Raw:
    """What the key selects: of integers and slices the same memory, as a reshaped array has it."""
    last = position = 0
    for entry in key:
        position += 1
        if entry is EVERYTHING:
            continue
        last = position
        if type(entry) is slice:
            if entry.step is not None and entry.step < 0:
                break
        elif type(entry) is not int and entry is not None:
            break
    else:
        # What PyTorch need not be told takes it a third of a microsecond to hear, and a tuple half of that.
        return x[key[0]] if last == 1 else x[key[:last]]
    if x.requires_grad and x.dtype in (torch.float16, torch.bfloat16) and any(map(is_array, key)):
        # The gradient of what is chosen often is added up in x's dtype, on the host.
        return getitem(x.float(), key).to(x.dtype)
    alone = _alone(key)
    if alone is not None:
        entry = key[alone]
        there = isinstance(entry, torch.Tensor) and not is_spread(x)
        return torch.index_select(x, alone, entry if there else _placed(entry, x))
    key, flipped = forwards(key, x.shape)
    if flipped:
        x = torch.flip(x, flipped)
    arrays = [entry for entry in key if is_array(entry)]
    if arrays:
        found = x[tuple([_index(entry, x) for entry in key])]
        if any(entry.ndim for entry in arrays):
            return found
        return found.reshape(x[tuple([0 if is_array(entry) else entry for entry in key])].shape)
    return x[key]


def _placed(indices: Any, x: Raw) -> Raw:
    """NumPy's indices, or plain ones beside a DTensor, where x is."""
    found = indices if isinstance(indices, torch.Tensor) else torch.from_numpy(indices)
    if is_spread(x):
        return found if is_spread(found) else whole_on(x.device_mesh, found)
    return found if x.is_cpu else found.to(x.device)


def _alone(key: Key) -> int | None:
    """The axis of which a vector of indices selects, where all of every other is taken; else None."""
    found = None
    for axis, entry in enumerate(key):
        if entry is not EVERYTHING:
            if found is not None or entry is None or isinstance(entry, (int, slice)) or entry.ndim != 1:
                return None
            found = axis
    return found


def _index(entry: Any, x: Raw) -> Any:
    # Beside arrays NumPy takes an integer as one of them, and PyTorch would not.
    if isinstance(entry, int):
        entry = np.array([entry])
    if isinstance(entry, np.ndarray):
        entry = torch.from_numpy(entry)
    if isinstance(entry, torch.Tensor) and is_spread(x):
        entry = _placed(entry, x)
    # Of one without axes PyTorch asks the value, which inside vmap is none.
    return entry[None] if isinstance(entry, torch.Tensor) and entry.ndim == 0 else entry


@added_up
def scatter(x: Raw, key: Key, shape: Shape) -> Raw:
    """Over flat positions, which NumPy knows for every kind of key."""
    return x.new_zeros(math.prod(shape)).index_add(0, positions(x, key, shape), x.reshape(-1)).reshape(shape)


@added_up
def scatter_along_axis(x: Raw, indices: Raw, axis: int, shape: Shape) -> Raw:
    """Added up in zeros."""
    return x.new_zeros(shape).scatter_add(axis, indices, x)


def positions(x: Raw, key: Key, shape: Shape) -> Raw:
    """The flat positions that a key selects, where x is."""
    size = math.prod(shape)
    if any(isinstance(entry, torch.Tensor) for entry in key):
        return getitem(_placed(torch.arange(size), x).reshape(shape), key).reshape(-1)
    found = np.arange(size).reshape(shape)[key].reshape(-1)
    return _placed(np.ascontiguousarray(found), x)


def setitem(x: Raw, value: Raw, key: Key) -> Raw:
    """Written into a copy, from back to front where a step is negative."""
    if any_spread((x, value)):
        return assigned(x, value, key)
    if torch._C._are_functorch_transforms_active() or any(isinstance(entry, torch.Tensor) for entry in key):
        # Inside vmap nothing can be written into an array that is not mapped over itself.
        places = positions(x, key, tuple(x.shape))
        return x.reshape(-1).index_put((places,), value.reshape(-1)).reshape(x.shape)
    key, flipped = forwards(key, x.shape)
    changed = torch.flip(x, flipped) if flipped else x.clone()
    changed[key] = value
    return torch.flip(changed, flipped) if flipped else changed
