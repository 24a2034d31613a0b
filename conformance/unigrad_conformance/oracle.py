"""The reference: a backend whose arrays hold real numbers to 60 digits.

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
from typing import Any, ClassVar

import numpy as np

from unigrad import dtypes
from unigrad.backend import Backend, backend_names, register_backend
from unigrad.forward import dual, is_dual
from unigrad.native.functions import primitives
from unigrad.native.linalg import composed
from unigrad.tensor import Tensor
from unigrad_conformance.exact_linalg import linear_algebra

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
    missing: ClassVar[dict[str, str]] = {
        "complex64": "the reference is over the real numbers",
        "complex128": "the reference is over the real numbers",
        "eig": "the reference is over the real numbers",
        "eigvals": "the reference is over the real numbers",
    }

    def load(self) -> None:
        import mpmath

        self.context = mpmath.MPContext()
        self.context.dps = DIGITS
        self.raw_dtypes = {dtype: dtype for dtype in dtypes.ALL if dtype.kind != "c"}
        self.array_types = (Exact,)
        self.functions = _functions(self.context)

    def ensure_loaded(self) -> Backend:
        fresh = not hasattr(self, "tensor_type")
        super().ensure_loaded()
        if fresh:
            # Nothing ever writes into an Exact, so a copy may share it. The usual copy, by way of NumPy, would round.
            self.tensor_type.copy = _copy  # type: ignore[method-assign]
        return self

    def from_numpy(self, array: Values, device: Any = None) -> Exact:
        array = np.array(array)
        return Exact(_numbers(self.context, array) if array.dtype.kind == "f" else array, array.dtype)

    def to_numpy(self, raw: Exact) -> Values:
        if raw.dtype.kind != "f":
            return raw.values
        with np.errstate(over="ignore"):
            return raw.values.astype(np.float64).astype(raw.dtype)

    def parts(self, raw: Exact) -> tuple[Values, Values]:
        """Each number as the sum of two float64, which hold its first 32 digits."""
        high = raw.values.astype(np.float64)
        with np.errstate(invalid="ignore"):
            return high, np.where(np.isfinite(high), raw.values - _numbers(self.context, high), 0).astype(np.float64)


def _copy(x: Tensor) -> Tensor:
    return dual(*x._dual) if is_dual(x) else type(x)(x.raw, x._node)


def register() -> None:
    """Make the oracle usable in this process as the backend ``mpmath``."""
    if NAME not in backend_names():
        register_backend(Oracle())


def _numbers(context: Any, array: Values) -> Values:
    return _each(lambda value: context.mpf(float(value)), array)


def _each(function: Callable[..., Any], *arrays: Any) -> Values:
    """``function`` of every element, with broadcasting."""
    found = np.frompyfunc(function, len(arrays), 1)(*arrays)
    return found if isinstance(found, np.ndarray) else _zero_dimensional(found)


def _scalar_functions(mp: Any) -> dict[str, Callable[..., Any]]:
    """Functions of single numbers, with the special values of IEEE 754 where mpmath raises or goes complex."""
    nan, inf, zero, one = mp.nan, mp.inf, mp.mpf(0), mp.mpf(1)

    def divide(x: Any, y: Any) -> Any:
        if y == 0:
            return nan if x == 0 or mp.isnan(x) else mp.sign(x) * inf
        return x / y

    def power(x: Any, y: Any) -> Any:
        if y == 0:
            return one
        if x == 0:
            return nan if mp.isnan(y) else zero if y > 0 else inf
        if x < 0 and mp.isfinite(y) and y != mp.floor(y):
            return nan
        return x**y

    def on(low: Any, function: Callable[[Any], Any], at_low: Any) -> Callable[[Any], Any]:
        # A function of the numbers above ``low``; -inf or a finite value there, NaN below.
        return lambda x: nan if mp.isnan(x) or x < low else at_low if x == low else inf if x == inf else function(x)

    def whole(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda x: function(x) if mp.isfinite(x) else x

    def floor_divide(x: Any, y: Any) -> Any:
        return whole(mp.floor)(divide(x, y))

    def remainder(x: Any, y: Any) -> Any:
        return nan if y == 0 or not mp.isfinite(x) else x - mp.floor(x / y) * y

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
        "sign": lambda x: x if mp.isnan(x) else mp.mpf(mp.sign(x)),
        "exp": mp.exp,
        "expm1": mp.expm1,
        "log": on(zero, mp.log, -inf),
        "log1p": on(-one, mp.log1p, -inf),
        "sqrt": on(zero, mp.sqrt, zero),
        "sin": mp.sin,
        "cos": mp.cos,
        "tan": mp.tan,
        "tanh": mp.tanh,
        "floor": whole(mp.floor),
        "ceil": whole(mp.ceil),
        "round": whole(mp.nint),
        "trunc": whole(lambda x: mp.floor(x) if x >= 0 else mp.ceil(x)),
        "maximum": maximum,
        "minimum": minimum,
        "clip": lambda x, low, high: minimum(maximum(x, low), high),
        "relu": lambda x: maximum(x, zero),
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "softplus": lambda x: x if x == inf else mp.log1p(mp.exp(x)),
        "erf": mp.erf,
        "conj": lambda x: x,
        "real": lambda x: x,
        "imag": lambda x: zero,
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


def _functions(mp: Any) -> dict[str, Callable[..., Exact]]:
    host = primitives(np, np.vectorize(mp.erf))
    exact = _array_functions(mp) | linear_algebra(mp)
    elementwise = {
        **{name: (function, None) for name, function in _scalar_functions(mp).items()},
        **{name: (function, np.dtype(bool)) for name, function in _comparisons(mp).items()},
    }

    def on_numbers(name: str, arrays: Sequence[Any], dtype: np.dtype[Any], statics: Sequence[Any]) -> Exact:
        if name in elementwise:
            function, result = elementwise[name]
            found = _each(function, *arrays)
            return Exact(found if result is None else found.astype(result), result or dtype)
        if name in exact:
            found = exact[name](*arrays, *statics)
            return Exact(found, dtype if _holds_numbers(found) else np.asarray(found).dtype)
        variadic = name in ("concat", "stack", "einsum")
        found = host[name](list(arrays), *statics) if variadic else host[name](*arrays, *statics)
        # NumPy's zeros and empty sums are integers in an object array.
        return Exact(_each(mp.mpf, found) if name in _FILLING else found, dtype)

    def function(name: str) -> Callable[..., Exact]:
        def call(*args: Any) -> Exact:
            arrays, statics = _split(name, args)
            dtype = next((a.dtype for a in arrays if isinstance(a, Exact) and a.dtype.kind == "f"), None)
            if dtype is None:
                host_arrays = [a.values if isinstance(a, Exact) else a for a in arrays]
                variadic = name in ("concat", "stack", "einsum")
                with np.errstate(all="ignore"):
                    found = host[name](host_arrays, *statics) if variadic else host[name](*host_arrays, *statics)
                return Exact(found, np.asarray(found).dtype)
            numbers = [a.values if isinstance(a, Exact) else mp.mpf(float(dtype.type(a))) for a in arrays]
            return on_numbers(name, numbers, dtype, statics)

        return call

    def astype(x: Exact, dtype: np.dtype[Any]) -> Exact:
        if x.dtype.kind == "f" and dtype.kind == "f":
            if dtype.itemsize >= x.dtype.itemsize:
                return Exact(x.values, dtype)
            return Exact(_numbers(mp, x.values.astype(np.float64).astype(dtype)), dtype)
        if x.dtype.kind == "f":
            plain = _each(lambda v: v != 0 if dtype.kind == "b" else int(v), x.values)
            return Exact(plain.astype(dtype), dtype)
        values = x.values.astype(dtype)
        return Exact(_numbers(mp, values) if dtype.kind == "f" else values, dtype)

    names = (*elementwise, *exact, *_MOVING)
    table = {**{name: function(name) for name in names}, "astype": astype}
    return table | composed(table)


_FILLING = ("scatter_along_axis", "matmul", "einsum")


def _holds_numbers(values: Any) -> bool:
    return not isinstance(values, (np.ndarray, np.generic)) or values.dtype == object


def _split(name: str, args: tuple[Any, ...]) -> tuple[list[Any], list[Any]]:
    """The array arguments of a primitive and the static ones."""
    from unigrad.operations.table import PRIMITIVES

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

    return {
        "scatter": scatter,
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
