"""The reference: a backend whose arrays hold real and complex numbers to 60 digits.

It supplies array functions only, over NumPy object arrays of mpmath numbers, and leaves every derivative
to unigrad's neutral rules. So any program over the public API runs on it, and its results are exact for
every purpose here. That the rules themselves are right is shown apart, by central differences of
this backend's forward values (``central_gradient``).

An array carries the dtype that it stands for. Casting to it rounds, and Python scalars are rounded to the
dtype of the array that they meet, since that is what the contract says; nothing else ever is. There is no
negative zero.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import backend_names, register_backend
from unigrad.base import dtypes
from unigrad.native.functions import primitives
from unigrad.native.linalg import composed
from unigrad.table import PRIMITIVES
from unigrad_conformance.exact_linalg import linear_algebra
from unigrad_conformance.exact_special import special_functions
from unigrad_conformance.programs.integers import truncated

NAME = "mpmath"
DIGITS = 60
Values = np.ndarray[Any, Any]
Axes = tuple[int, ...]


class Exact:
    """An array of exact numbers and the dtype that it stands for; integers and booleans are NumPy's own."""

    __slots__ = ("dtype", "values")

    def __init__(self, values: Any, dtype: np.dtype[Any]) -> None:
        self.values = values if isinstance(values, np.ndarray) else _zero_dimensional(values)
        self.dtype = dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes of the axes."""
        return self.values.shape


def _zero_dimensional(value: Any) -> Values:
    if isinstance(value, np.generic):
        return np.asarray(value)
    array = np.empty((), dtype=object)
    array[()] = value
    return array


class Oracle(Backend):
    """Arrays of mpmath numbers. Registered by the suite, under a name that users never see listed."""

    name = NAME
    framework = distribution = "mpmath"
    install = "pip install 'unigrad[conformance]'"

    def load(self) -> None:
        import mpmath

        self.context = mpmath.MPContext()
        self.context.dps = DIGITS
        self.raw_dtypes = {dtype: dtype for dtype in dtypes.everything()}
        self.array_types = (Exact,)
        self.functions = _functions(self.context)

    def from_numpy(self, array: Values, device: Any = None) -> Exact:
        array = np.array(array)
        return Exact(_numbers(self.context, array) if array.dtype.kind in dtypes.FLOATING else array, array.dtype)

    def to_numpy(self, raw: Exact) -> Values:
        if raw.dtype.kind not in dtypes.FLOATING:
            return raw.values
        with np.errstate(over="ignore"):
            return _rounded(raw.values, raw.dtype)

    def copied(self, raw: Exact) -> Exact:
        return raw  # nothing ever writes into one, and by way of NumPy it would be rounded

    def parts(self, raw: Exact) -> tuple[Values, Values]:
        """Each number as the sum of two float64, which hold its first 32 digits; a complex one is two numbers."""
        values = raw.values
        if raw.dtype.kind == "c":
            values = np.stack([_each(lambda z: z.real, values), _each(lambda z: z.imag, values)], axis=-1)
        high = values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            return high, np.where(np.isfinite(high), values - _numbers(self.context, high), 0).astype(np.float64)


def register() -> None:
    """Make the oracle usable in this process as the backend ``mpmath``."""
    if NAME not in backend_names():
        register_backend(Oracle())


def _numbers(context: Any, array: Values) -> Values:
    if array.dtype.kind == "c":
        return _each(lambda value: context.mpc(complex(value)), array)
    return _each(lambda value: context.mpf(float(value)), array)


def _rounded(values: Values, dtype: np.dtype[Any]) -> Values:
    wide = _each(complex, values).astype(np.complex128) if dtype.kind == "c" else values.astype(np.float64)
    return wide.astype(dtype)


def _each(function: Callable[..., Any], *arrays: Any) -> Values:
    """``function`` of every element, with broadcasting."""
    found = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return found if isinstance(found, np.ndarray) else _zero_dimensional(found)


def _scalar_functions(mp: Any) -> dict[str, Callable[..., Any]]:
    """Functions of single numbers, with the special values of IEEE 754 where mpmath raises or goes complex."""
    nan, inf, zero, one = mp.nan, mp.inf, mp.mpf(0), mp.mpf(1)

    def either(of_real: Callable[..., Any], of_complex: Callable[..., Any]) -> Callable[..., Any]:
        # Functions that have less to say of real numbers: mpmath would answer with complex ones.
        return lambda *xs: (of_complex if any(isinstance(x, mp.mpc) for x in xs) else of_real)(*xs)

    def within(low: Any, high: Any, function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return either(lambda x: function(x) if low <= x <= high else nan, function)

    def divide(x: Any, y: Any) -> Any:
        if y == 0:
            return nan if x == 0 or mp.isnan(x) or isinstance(x, mp.mpc) else mp.sign(x) * inf
        return x / y

    def power(x: Any, y: Any) -> Any:
        if y == 0:
            return one
        if isinstance(x, mp.mpc):
            return x**y if x != 0 else zero if y.real > 0 else nan
        if x == 1 or mp.isnan(x) or mp.isnan(y):
            return one if x == 1 else nan
        if x == 0:
            return zero if y > 0 else inf
        if mp.isinf(y):
            return one if x == -1 else inf if (abs(x) > 1) == (y > 0) else zero
        if mp.isinf(x):
            size = inf if y > 0 else zero
            return -size if x < 0 and y % 2 == 1 else size
        if x < 0 and y != mp.floor(y):
            return nan
        return x**y

    def on(low: Any, function: Callable[[Any], Any], at_low: Any) -> Callable[[Any], Any]:
        # A function of the numbers above ``low``; -inf or a finite value there, NaN below.
        return either(
            lambda x: nan if mp.isnan(x) or x < low else at_low if x == low else inf if x == inf else function(x),
            function,
        )

    def whole(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: function(x) if mp.isfinite(x) else x

    scalar_log = on(zero, mp.log, -inf)

    # Of infinities as Python has it: x == (x // y) * y + x % y wherever both are finite.
    def floor_divide(x: Any, y: Any) -> Any:
        if mp.isinf(x) and y != 0:
            return nan
        if mp.isinf(y):
            return nan if mp.isnan(x) else zero if x == 0 or (x > 0) == (y > 0) else -one
        return whole(mp.floor)(divide(x, y))

    def remainder(x: Any, y: Any) -> Any:
        if mp.isinf(y) and mp.isfinite(x):
            return x if x == 0 or (x > 0) == (y > 0) else y
        return nan if y == 0 or not mp.isfinite(x) else x - mp.floor(x / y) * y

    def fmod(x: Any, y: Any) -> Any:
        if mp.isinf(y) and mp.isfinite(x):
            return x
        return nan if y == 0 or not mp.isfinite(x) else x - truncated(x / y) * y

    def truncated(x: Any) -> Any:
        return mp.floor(x) if x >= 0 else mp.ceil(x)

    def atan2(y: Any, x: Any) -> Any:
        if mp.isnan(x) or mp.isnan(y):
            return nan
        if mp.isinf(x) and mp.isinf(y):
            x, y = mp.sign(x), mp.sign(y)
        elif mp.isinf(x):
            return zero if x > 0 else -mp.pi if y < 0 else +mp.pi
        elif mp.isinf(y):
            return mp.sign(y) * mp.pi / 2
        # There is no negative zero.
        return mp.atan2(y, x) if x != 0 or y != 0 else zero

    def direction(z: Any) -> Any:
        far = mp.isinf(z.real), mp.isinf(z.imag)
        if all(far):
            return mp.mpc(nan, nan)
        if any(far):
            return mp.mpc(mp.sign(z.real), 0) if far[0] else mp.mpc(0, mp.sign(z.imag))
        return z / abs(z) if z != 0 else z

    def logaddexp(x: Any, y: Any) -> Any:
        if mp.isnan(x) or mp.isnan(y) or x == y:
            return x + y if x != y or mp.isinf(x) else x + mp.log(2)
        return max(x, y) + (mp.log1p(mp.exp(-abs(x - y))) if mp.isfinite(x - y) else 0)

    def gammaln(x: Any) -> Any:
        if x <= 0 and x == mp.floor(x):
            return inf
        return mp.log(abs(mp.gamma(x))) if mp.isfinite(x) else abs(x)

    def hypot(x: Any, y: Any) -> Any:
        return inf if mp.isinf(x) or mp.isinf(y) else mp.sqrt(x * x + y * y)

    def maximum(x: Any, y: Any) -> Any:
        return x + y if mp.isnan(x) or mp.isnan(y) else x if x >= y else y

    def minimum(x: Any, y: Any) -> Any:
        return x + y if mp.isnan(x) or mp.isnan(y) else x if x <= y else y

    return {
        "add": lambda x, y: x + y,
        "subtract": lambda x, y: x - y,
        "multiply": lambda x, y: x * y,
        "divide": divide,
        "floor_divide": floor_divide,
        "remainder": remainder,
        "power": power,
        "negative": lambda x: -x,
        "abs": abs,
        "square": lambda x: x * x,
        "sign": either(lambda x: x if mp.isnan(x) else mp.mpf(mp.sign(x)), direction),
        "real": lambda x: x.real,
        "imag": either(lambda x: zero, lambda z: z.imag),
        "conj": mp.conj,
        "reciprocal": lambda x: divide(one, x),
        "fmod": fmod,
        "exp": mp.exp,
        "expm1": mp.expm1,
        "log": on(zero, mp.log, -inf),
        "log1p": on(-one, mp.log1p, -inf),
        "sqrt": on(zero, mp.sqrt, zero),
        "log2": on(zero, lambda x: mp.log(x) / mp.log(2), -inf),
        "log10": on(zero, lambda x: mp.log(x) / mp.log(10), -inf),
        "logaddexp": logaddexp,
        "xlogy": lambda x, y: zero if x == 0 and not mp.isnan(y) else x * scalar_log(y),
        "cbrt": lambda x: mp.sign(x) * mp.cbrt(abs(x)) if mp.isfinite(x) else x,
        "hypot": hypot,
        "asin": within(-1, 1, mp.asin),
        "acos": within(-1, 1, mp.acos),
        "atan": mp.atan,
        "atan2": atan2,
        "sinh": mp.sinh,
        "cosh": mp.cosh,
        "asinh": lambda x: mp.asinh(x) if mp.isfinite(x) else x,
        "acosh": on(one, mp.acosh, zero),
        "atanh": within(-1, 1, lambda x: mp.atanh(x) if abs(x) != 1 else x * inf),
        "gammaln": gammaln,
        "copysign": lambda x, y: -abs(x) if y < 0 else abs(x),
        "sin": mp.sin,
        "cos": mp.cos,
        "tan": mp.tan,
        "tanh": mp.tanh,
        "floor": whole(mp.floor),
        "ceil": whole(mp.ceil),
        "round": either(whole(mp.nint), lambda z: mp.mpc(mp.nint(z.real), mp.nint(z.imag))),
        "trunc": whole(truncated),
        "maximum": maximum,
        "minimum": minimum,
        "clip": lambda x, low, high: minimum(maximum(x, low), high),
        "relu": lambda x: maximum(x, zero),
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: x if x == inf else mp.log1p(mp.exp(x)),
        "erf": mp.erf,
        "over_cosh_squared": lambda x, y: x * 0 if mp.isinf(y) else x / mp.cosh(y) ** 2,
        "gaussian": lambda x: mp.exp(-x * x),
        "lower_power": lambda x, y: power(x, y - 1),
    }


def _comparisons(mp: Any) -> dict[str, Callable[..., bool]]:
    return {
        "equal": lambda x, y: x == y,
        "not_equal": lambda x, y: x != y,
        "less": lambda x, y: x < y,
        "less_equal": lambda x, y: x <= y,
        "greater": lambda x, y: x > y,
        "greater_equal": lambda x, y: x >= y,
        "logical_and": lambda x, y: x != 0 and y != 0,
        "logical_or": lambda x, y: x != 0 or y != 0,
        "logical_xor": lambda x, y: (x != 0) != (y != 0),
        "logical_not": lambda x: x == 0,
        "isnan": mp.isnan,
        "isinf": mp.isinf,
        "isfinite": mp.isfinite,
        # There is no negative zero.
        "signbit": lambda x: x < 0,
    }


# These move elements and never look at them, so NumPy's own functions serve.
_MOVING = [
    "reshape",
    "permute_dims",
    "broadcast_to",
    "flip",
    "concat",
    "stack",
    "getitem",
    "take_along_axis",
    "scatter_along_axis",
    "where",
    "matmul",
    "einsum",
]
# Of integers and booleans alone, which are NumPy's own.
_OF_INTEGERS = [
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_right_shift",
]


def _functions(mp: Any) -> dict[str, Callable[..., Exact]]:
    host = primitives(np, np.vectorize(mp.erf))
    exact = _array_functions(mp) | linear_algebra(mp)
    elementwise = {
        **{name: (function, None) for name, function in _scalar_functions(mp).items()},
        **{name: (function, np.dtype(bool)) for name, function in _comparisons(mp).items()},
    }

    def on_numbers(name: str, arrays: Sequence[Any], dtype: np.dtype[Any], statics: Sequence[Any]) -> Exact:
        result = PRIMITIVES[name].result
        dtype = (
            dtypes.real_of(dtype) if result == "real" else dtypes.complex_of(dtype) if result == "complex" else dtype
        )
        # NumPy's zeros and empty sums are integers in an object array, and complex numbers may have become real.
        number = mp.mpc if dtype.kind == "c" else mp.mpf
        if name in elementwise:
            function, result = elementwise[name]
            found = _each(function, *arrays)
            if result is None:
                return Exact(_each(number, found) if dtype.kind == "c" else found, dtype)
            return Exact(found.astype(result), result)
        if name in exact:
            found = exact[name](*arrays, *statics)
            if not _holds_numbers(found):
                return Exact(found, np.asarray(found).dtype)
            return Exact(_each(number, found) if dtype.kind == "c" else found, dtype)
        variadic = name in ("concat", "stack", "einsum")
        found = host[name](list(arrays), *statics) if variadic else host[name](*arrays, *statics)
        return Exact(_each(number, found) if name in _FILLING or dtype.kind == "c" else found, dtype)

    def function(name: str) -> Callable[..., Exact]:
        def call(*args: Any) -> Exact:
            arrays, statics = _split(name, args)
            dtype = next((a.dtype for a in arrays if isinstance(a, Exact) and a.dtype.kind in dtypes.FLOATING), None)
            if dtype is None:
                host_arrays = [a.values if isinstance(a, Exact) else a for a in arrays]
                variadic = name in ("concat", "stack", "einsum")
                with np.errstate(all="ignore"):
                    found = host[name](host_arrays, *statics) if variadic else host[name](*host_arrays, *statics)
                return Exact(found, np.asarray(found).dtype)
            numbers = [a.values if isinstance(a, Exact) else _numbers(mp, np.asarray(a, dtype))[()] for a in arrays]
            return on_numbers(name, numbers, dtype, statics)

        return call

    def astype(x: Exact, dtype: np.dtype[Any]) -> Exact:
        if x.dtype.kind in dtypes.FLOATING and dtype.kind in dtypes.FLOATING:
            if dtypes.promote(*map(dtypes.real_of, (dtype, x.dtype))) != dtypes.real_of(dtype):
                return Exact(_numbers(mp, _rounded(x.values, dtype)), dtype)
            return Exact(_each(mp.mpc, x.values) if dtype.kind == "c" else x.values, dtype)
        if x.dtype.kind in dtypes.FLOATING:
            plain = _each(lambda v: v != 0 if dtype.kind == "b" else truncated(v, str(dtype)), x.values)
            return Exact(plain.astype(dtype), dtype)
        values = x.values.astype(dtype)
        return Exact(_numbers(mp, values) if dtype.kind in dtypes.FLOATING else values, dtype)

    def polygamma(x: Exact, order: int) -> Exact:
        def psi(value: Any) -> Any:
            if value == mp.inf:
                return value if order == 0 else mp.mpf(0)
            pole = not mp.isfinite(value) or (value <= 0 and value == mp.floor(value))
            return mp.nan if pole else mp.psi(order, value)

        return Exact(_each(psi, x.values), x.dtype)

    def nextafter(x: Exact, y: Exact) -> Exact:
        with np.errstate(all="ignore"):
            return Exact(_numbers(mp, np.nextafter(_rounded(x.values, x.dtype), _rounded(y.values, x.dtype))), x.dtype)

    def with_statics(name: str, scalar: Callable[..., Any]) -> Callable[..., Exact]:
        def call(*args: Any) -> Exact:
            arrays, statics = _split(name, args)
            dtype = next(array.dtype for array in arrays if isinstance(array, Exact))
            numbers = [array.values if isinstance(array, Exact) else mp.mpf(array) for array in arrays]
            return Exact(_each(lambda *xs: mp.mpf(mp.re(scalar(*xs, *statics))), *numbers), dtype)

        return call

    names = (*elementwise, *exact, *_MOVING, *_OF_INTEGERS)
    special = {"astype": astype, "polygamma": polygamma, "nextafter": nextafter}
    table = {**{name: function(name) for name in names}, **special}
    table |= {name: with_statics(name, found) for name, found in special_functions(mp).items()}
    return table | composed(table)


_FILLING = ("scatter_along_axis", "matmul", "einsum")


def _holds_numbers(values: Any) -> bool:
    return not isinstance(values, (np.ndarray, np.generic)) or values.dtype == object


def _split(name: str, args: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    """The array arguments of a primitive and the static ones."""
    row = PRIMITIVES[name]
    if row.variadic:
        return list(args[0]), list(args[1:])
    return list(args[: len(row.arrays)]), list(args[len(row.arrays) :])


def _array_functions(mp: Any) -> dict[str, Callable[..., Any]]:
    """Functions over whole object arrays that need more than an element at a time."""
    scalar = _scalar_functions(mp)
    zero, one = mp.mpf(0), mp.mpf(1)

    def folded(function: Callable[..., Any]) -> Callable[..., Any]:
        fold = np.frompyfunc(function, 2, 1)

        def reduce(x: Values, axes: Axes, keepdims: bool) -> Any:
            for axis in sorted(axes, reverse=True):
                x = fold.reduce(x, axis=axis, keepdims=keepdims)
            return x

        return reduce

    def sum_(x: Values, axes: Axes, keepdims: bool) -> Any:
        return np.add.reduce(x, axis=axes, keepdims=keepdims, initial=zero)

    def logsumexp(x: Values, axes: Axes, keepdims: bool) -> Any:
        return _each(scalar["log"], sum_(_each(mp.exp, x), axes, keepdims))

    def vector_norm(x: Values, axes: Axes, keepdims: bool, order: float) -> Any:
        powers = _each(lambda v: scalar["power"](abs(v), mp.mpf(order)), x)
        return _each(lambda v: scalar["power"](v, one / mp.mpf(order)), sum_(powers, axes, keepdims))

    def along(function: Callable[[list[Any]], Any], x: Values, axis: int, keepdims: bool) -> Values:
        return (
            np.apply_along_axis(lambda row: function(list(row)), axis, x, **{})
            .astype(np.int64)
            .reshape(tuple(1 if i == axis else n for i, n in enumerate(x.shape) if keepdims or i != axis))
        )

    def position(better: Callable[[Any, Any], bool]) -> Callable[..., Any]:
        def first(row: list[Any]) -> int:
            for number, value in enumerate(row):
                if mp.isnan(value):
                    return number
            return functools.reduce(lambda best, n: n if better(row[n], row[best]) else best, range(len(row)))

        return lambda x, axis, keepdims: along(first, x, axis, keepdims)

    def argsort(x: Values, axis: int, descending: bool) -> Values:
        def order(row: list[Any]) -> Values:
            def key(number: int) -> tuple[bool, Any]:
                value = row[number]
                return (True, zero) if mp.isnan(value) else (False, -value if descending else value)

            return np.array(sorted(range(len(row)), key=key), dtype=np.int64)

        if not x.size:
            return np.zeros(x.shape, dtype=np.int64)
        return np.apply_along_axis(lambda row: order(list(row)), axis, x).astype(np.int64)

    def scatter(x: Values, key: tuple[Any, ...], shape: tuple[int, ...]) -> Values:
        zeros = np.full(shape, zero, dtype=object)
        if any(isinstance(entry, np.ndarray) for entry in key):
            np.add.at(zeros, key, x)
        else:
            zeros[key] = x[()]
        return zeros

    def setitem(x: Values, value: Values, key: tuple[Any, ...]) -> Values:
        changed = x.copy()
        changed[key] = value[()]
        return changed

    def searchsorted(x1: Values, x2: Values, right: bool) -> Values:
        # NaN, which compares with nothing, as the largest number of all.
        keys, wanted = (_each(lambda v: mp.inf if mp.isnan(v) else v, x) for x in (x1, x2))
        numbers = int(np.sum(_each(mp.isnan, x1) == 0))
        found = np.minimum(np.searchsorted(keys, wanted, side="right" if right else "left"), numbers)
        return np.where(_each(mp.isnan, x2), len(x1) if right else numbers, found)

    def fft(x: Values, axis: int, inverse: bool) -> Values:
        size = x.shape[axis]
        sign = 2 if inverse else -2
        roots = [mp.expjpi(mp.mpf(sign * number) / size) for number in range(size)]
        turns = np.array([[roots[j * k % size] for k in range(size)] for j in range(size)], dtype=object)
        return np.moveaxis(np.tensordot(x, turns, axes=(axis, 0)), -1, axis)

    def rfft(x: Values, axis: int) -> Values:
        return np.take(fft(x, axis, False), range(x.shape[axis] // 2 + 1), axis)

    def irfft(x: Values, axis: int, n: int) -> Values:
        rest = np.conj(np.take(x, [n - k for k in range(n // 2 + 1, n)], axis))
        return _each(lambda value: mp.mpc(value).real, fft(np.concatenate([x, rest], axis), axis, True))

    def embedding_back(x: Values, indices: Values, rows: int) -> Values:
        return scatter(x, (indices,), (rows, *x.shape[indices.ndim :]))

    return {
        "fft": fft,
        "rfft": rfft,
        "irfft": irfft,
        "embedding": lambda weight, indices: weight[indices],
        "embedding_back": embedding_back,
        "scatter": scatter,
        "searchsorted": searchsorted,
        "setitem": setitem,
        "sum": sum_,
        "prod": lambda x, axes, keepdims: np.multiply.reduce(x, axis=axes, keepdims=keepdims, initial=one),
        "max": folded(scalar["maximum"]),
        "min": folded(scalar["minimum"]),
        "any": lambda x, axes, keepdims: np.any(x != 0, axis=axes, keepdims=keepdims),
        "all": lambda x, axes, keepdims: np.all(x != 0, axis=axes, keepdims=keepdims),
        "argmax": position(lambda new, best: new > best),
        "argmin": position(lambda new, best: new < best),
        "argsort": argsort,
        "logsumexp": logsumexp,
        "log_softmax": lambda x, axis: x - logsumexp(x, (axis,), True),
        "vector_norm": vector_norm,
        "cumulative_sum": lambda x, axis: np.add.accumulate(x, axis=axis),
        "cumulative_prod": lambda x, axis: np.multiply.accumulate(x, axis=axis),
    }
