"""The primitives over MXNet's arrays.

MXNet's own functions wherever they give what NumPy gives, for every value and dtype; compositions of them
where it lacks one. Some are computed by NumPy on a copy of the values (:data:`HOST`; integers and booleans where
MXNet has no kernel for them or a wrong one; arrays without elements): only what MXNet's engine is never asked
to differentiate.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from unigrad.extend import Backend, Key, Raw, Shape, on_host
from unigrad_mxnet import linalg
from unigrad_mxnet.networks import networks

Function = Callable[..., Raw]

HOST = {
    "floor_divide": "MXNet has none",
    "copysign": "MXNet's takes the sign of NaN for negative",
    "fmod": "MXNet has none",
    "nextafter": "MXNet has none",
    "signbit": "MXNet has none",
    "remainder": "MXNet's gives 0 where the divisor is 0 or NaN, and other signs of zero",
    "round": "MXNet rounds halves away from zero",
    **dict.fromkeys(("cumulative_prod", "cumulative_max", "cumulative_min"), "MXNet has none"),
    "argsort": "MXNet's is not stable and puts NaN anywhere",
    "searchsorted": "MXNet has none",
    "argmax": "MXNet's takes no booleans and no several dimensions without elements",
    "argmin": "as argmax",
    **dict.fromkeys(linalg.NAMES, "MXNet's answers of singular matrices, and many of its derivatives, are wrong"),
}
"""What NumPy computes for every dtype, and why."""

HOST_INTEGERS = {
    "power": "MXNet's raises nothing for a negative exponent",
    "matmul": "MXNet multiplies matrices of floating dtypes only",
    "einsum": "as matmul",
    "scatter": "MXNet adds up at indices in few integer dtypes",
    "scatter_along_axis": "as scatter",
}
"""What NumPy computes for integers and booleans, and why. None of these has a derivative there."""

HOST_BITS = {
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert"), "MXNet's take few dtypes"),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), "MXNet has none"),
}
"""What NumPy computes for integers, and why; of booleans it is logic, where it is anything."""

HOST_BOOLEANS = {
    "sum": "MXNet's answers in int64",
    "prod": "as sum",
    "cumulative_sum": "as sum",
    "max": "as sum",
    "min": "as sum",
}
"""What NumPy computes for booleans, and why. It also does whatever MXNet refuses for them, which is much."""


def primitives(mxnet: Any, backend: Backend) -> tuple[dict[str, Function], dict[str, Function]]:
    """Two tables of raw functions: for floating arrays that have elements, and for all arrays.

    Where there are no elements MXNet may crash or return what happens to be in memory, so NumPy takes over.
    All expect MXNet's shapes to be as NumPy's.
    """
    np, npx, npi = mxnet.np, mxnet.npx, mxnet.nd.numpy._internal
    scatter_nd = mxnet.nd._internal._backward_gather_nd

    def from_numpy(values: numpy.ndarray[Any, Any]) -> Raw:
        return np.array(values, dtype=values.dtype)

    # --- elementwise -----------------------------------------------------------------------------------

    def arithmetic(array: Function, right: Function, left: Function) -> Function:
        """A function of two arrays, of an array and a number, and of a number and an array, as one."""

        def call(x1: Raw, x2: Raw) -> Raw:
            # MXNet's reader of numbers refuses subnormal ones, and infinity where the C library has met one before.
            if type(x2) is float:
                try:
                    return right(x1, x2)
                except mxnet.MXNetError:
                    return array(x1, number(x2, x1))
            if type(x1) is float:
                try:
                    return left(x2, x1)
                except mxnet.MXNetError:
                    return array(number(x1, x2), x2)
            # MXNet takes numbers as float64, which has not every integer.
            if type(x2) is int:
                return right(x1, float(x2)) if x1.dtype.kind == "f" else array(x1, number(x2, x1))
            if type(x1) is int:
                return left(x2, float(x1)) if x2.dtype.kind == "f" else array(number(x1, x2), x2)
            return array(x1, x2)

        return call

    def number(value: float, like: Raw) -> Raw:
        return from_numpy(numpy.asarray(value, like.dtype))

    def sign(x: Raw) -> Raw:
        # MXNet's is 0 for NaN. What it is compared with is NaN or not the larger; where takes five times as long.
        return np.maximum(np.sign(x), np.minimum(x, -1.0)) if x.dtype.kind == "f" else np.sign(x)

    def where(condition: Raw, x1: Raw, x2: Raw) -> Raw:
        if type(x1) is float:
            x1 = number(x1, x2)
        elif type(x2) is float:
            x2 = number(x2, x1)
        return npi.where(condition, x1, x2)

    def clip(x: Raw, low: Raw, high: Raw) -> Raw:
        # MXNet's clip takes numbers only and rounds them to float32.
        return minimum(maximum(x, low), high)

    maximum = arithmetic(npi.maximum, npi.maximum_scalar, npi.maximum_scalar)
    minimum = arithmetic(npi.minimum, npi.minimum_scalar, npi.minimum_scalar)

    def softplus(x: Raw) -> Raw:
        return npx.relu(x) + np.log1p(np.exp(-np.abs(x)))

    def logical(function: Function) -> Function:
        # Of integers: MXNet's bitwise functions do not broadcast booleans.
        return lambda x1, x2: function((x1 != 0).astype("uint8"), (x2 != 0).astype("uint8")) != 0

    def rounded(function: Function) -> Function:
        return lambda x: function(x) if x.dtype.kind == "f" else x.copy()

    # --- reductions ------------------------------------------------------------------------------------

    def reduced(function: Function) -> Function:
        def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
            return function(x, axis=axes, keepdims=keepdims) if axes else x.copy()

        return reduce

    def sum(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        if not axes:
            return x.copy()
        found = np.sum(x, axis=axes, keepdims=keepdims)
        # MXNet corrects its sums for rounding, which turns an infinite one into NaN.
        values = found.asnumpy()
        if values.dtype.kind == "f" and numpy.isnan(values).any():
            with numpy.errstate(all="ignore"):
                found._sync_copyfrom(numpy.sum(x.asnumpy(), axis=axes, keepdims=keepdims))
        return found

    def truth(function: Function) -> Function:
        def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
            x = x != 0
            return function(x, axis=axes, keepdims=keepdims) if axes else x

        return reduce

    def peak(x: Raw, axes: Shape) -> Raw:
        """The largest elements over axes, outside the graph: subtracting them takes no part in a derivative."""
        return np.max(x.detach(), axis=axes, keepdims=True) if axes else x.detach()

    def logsumexp(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        top = peak(x, axes)
        # An infinite maximum would make infinity minus infinity.
        top = np.where(np.isfinite(top), top, np.zeros_like(top))
        sums = np.log(sum(np.exp(x - top), axes, True)) + top
        shape = tuple(size for axis, size in enumerate(sums.shape) if axis not in axes)
        return sums if keepdims or not axes else np.reshape(sums, shape)

    def log_softmax(x: Raw, axis: int) -> Raw:
        # MXNet's own is off by 1e-5 in float32, and hides NaN.
        shifted = x - peak(x, (axis,))
        return shifted - np.log(sum(np.exp(shifted), (axis,), True))

    def cross_entropy(logits: Raw, labels: Raw) -> Raw:
        rows = logits.shape[0]
        return sum(take_along_axis(log_softmax(logits, 1), np.reshape(labels, (rows, 1)), 1), (0, 1), False) / -rows

    def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
        if order == 2:
            return np.sqrt(sum(x * x, axes, keepdims))
        return sum(np.abs(x) ** order, axes, keepdims) ** (1 / order)

    # --- contractions ----------------------------------------------------------------------------------

    def matmul(x1: Raw, x2: Raw) -> Raw:
        if x1.ndim == 0 or x2.ndim == 0 or x1.shape[-1] != x2.shape[-2 if x2.ndim > 1 else 0]:
            raise ValueError("matmul: the shapes do not fit")
        if x1.dtype == numpy.float16:  # MXNet has no kernel for it
            return matmul(x1.astype("float32"), x2.astype("float32")).astype("float16")
        if x1.ndim > 2 or x2.ndim > 2:
            if x1.ndim == 1:
                row = matmul(np.reshape(x1, (1, -1)), x2)
                return np.reshape(row, (*row.shape[:-2], row.shape[-1]))
            if x2.ndim == 1:
                column = matmul(x1, np.reshape(x2, (-1, 1)))
                return np.reshape(column, column.shape[:-1])
            # MXNet's derivative is wrong where it stretches an axis itself.
            batch = numpy.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
            x1 = broadcast_to(x1, batch + x1.shape[-2:])
            x2 = broadcast_to(x2, batch + x2.shape[-2:])
        return np.matmul(x1, x2)

    def einsum(operands: Sequence[Raw], subscripts: str) -> Raw:
        if not any(operand.ndim for operand in operands):  # MXNet reads a shape that is not there
            return functools.reduce(np.multiply, operands)
        if operands[0].dtype == numpy.float16:
            wide = [operand.astype("float32") for operand in operands]
            return einsum(wide, subscripts).astype("float16")
        inputs, _, output = subscripts.partition("->")
        terms = inputs.split(",")
        # MXNet permutes six axes.
        if len(terms) == 2 and len(output) <= 6 and not any(0 in x.shape or x.ndim > 6 for x in operands):
            return product(operands, terms, output)
        return np.einsum(subscripts, *operands, optimize=1)

    def product(operands: Sequence[Raw], terms: Sequence[str], output: str) -> Raw:
        """Of two operands, by one matrix product: MXNet's einsum takes some fifty times as long."""
        known = [set(output).union(other) for other in reversed(terms)]
        alone = [
            tuple(i for i, letter in enumerate(term) if letter not in held)
            for term, held in zip(terms, known, strict=True)
        ]
        operands = [sum(x, axes, False) for x, axes in zip(operands, alone, strict=True)]
        first, second = ("".join(c for c in term if c in held) for term, held in zip(terms, known, strict=True))
        sizes = dict(zip(first + second, (*operands[0].shape, *operands[1].shape), strict=True))
        stack = "".join(letter for letter in first if letter in second and letter in output)
        inner = "".join(letter for letter in first if letter in second and letter not in output)
        rows, columns = ("".join(c for c in one if c not in other) for one, other in ((first, second), (second, first)))

        def arranged(x: Raw, term: str, groups: Sequence[str]) -> Raw:
            x = permute_dims(x, tuple(term.index(letter) for letter in "".join(groups)))
            return np.reshape(x, [math.prod(sizes[letter] for letter in group) for group in groups])

        x1, x2 = (
            arranged(operands[0], first, (stack, rows, inner)),
            arranged(operands[1], second, (stack, inner, columns)),
        )
        found = np.reshape(matmul(x1, x2), [sizes[letter] for letter in stack + rows + columns])
        return permute_dims(found, tuple((stack + rows + columns).index(letter) for letter in output))

    # --- shapes and indexing -----------------------------------------------------------------------------

    def empty(shape: Shape, dtype: Any) -> Raw:
        return from_numpy(numpy.empty(shape, dtype))

    def broadcast_to(x: Raw, shape: Shape) -> Raw:
        if 0 in shape:
            return empty(shape, x.dtype)
        return np.broadcast_to(x, shape) if tuple(x.shape) != tuple(shape) else x.copy()

    def permute_dims(x: Raw, axes: Shape) -> Raw:
        return np.transpose(x, axes) if x.ndim > 1 else x.copy()

    def flip(x: Raw, axes: Shape) -> Raw:
        return np.flip(x, axes) if axes else x.copy()

    def flat(x: Raw) -> Raw:
        return np.reshape(x, (-1,))

    def added_up(function: Function) -> Function:
        """A function that adds up its first argument: float16 in float32."""
        return lambda x, *how: (
            function(x, *how) if x.dtype != "float16" else (function(x.astype("float32"), *how).astype("float16"))
        )

    @added_up
    def taken(x: Raw, positions: numpy.ndarray[Any, Any]) -> Raw:
        """The elements at these positions of the flattened array, in their shape."""
        return np.take(flat(x), from_numpy(positions), mode="clip")

    def getitem(x: Raw, key: Key) -> Raw:
        key = _on_host(key)
        shape = _selected_shape(key, x.shape)
        if 0 in shape:
            return empty(shape, x.dtype)
        if any(isinstance(entry, numpy.ndarray) for entry in key):
            return taken(x, _positions(key, x.shape))
        spans = [_span(entry) for entry in key if entry is not None]
        if not spans:
            return np.reshape(x, shape)
        begin, end, step = zip(*spans, strict=True)
        return np.reshape(npi.slice(x, begin=begin, end=end, step=step), shape)

    @added_up
    def added_at(x: Raw, positions: numpy.ndarray[Any, Any], shape: Shape) -> Raw:
        """Zeros of ``shape`` with x added at these positions of the flattened array."""
        where = from_numpy(positions.reshape(1, -1)).as_nd_ndarray()
        sums = scatter_nd(flat(x).as_nd_ndarray(), where, shape=(math.prod(shape),))
        return np.reshape(sums.as_np_ndarray(), shape)

    def scatter(x: Raw, key: Key, shape: Shape) -> Raw:
        return added_at(x, _positions(_on_host(key), shape), shape)

    def setitem(x: Raw, value: Raw, key: Key) -> Raw:
        values = x.asnumpy()
        values[_on_host(key)] = value.asnumpy()
        return from_numpy(values)

    def along(indices: Raw, axis: int, shape: Shape) -> numpy.ndarray[Any, Any]:
        grids = list(numpy.ogrid[tuple(slice(size) for size in indices.shape)])
        grids[axis] = indices.asnumpy()
        return _positions(tuple(grids), shape)

    def take_along_axis(x: Raw, indices: Raw, axis: int) -> Raw:
        return taken(x, along(indices, axis, x.shape))

    def scatter_along_axis(x: Raw, indices: Raw, axis: int, shape: Shape) -> Raw:
        return added_at(x, along(indices, axis, shape), shape)

    table: dict[str, Function] = {
        "add": arithmetic(npi.add, npi.add_scalar, npi.add_scalar),
        "subtract": arithmetic(npi.subtract, npi.subtract_scalar, npi.rsubtract_scalar),
        "multiply": arithmetic(npi.multiply, npi.multiply_scalar, npi.multiply_scalar),
        "divide": arithmetic(npi.true_divide, npi.true_divide_scalar, npi.rtrue_divide_scalar),
        "reciprocal": npi.reciprocal,
        "power": arithmetic(npi.power, npi.power_scalar, npi.rpower_scalar),
        "equal": arithmetic(npi.equal, npi.equal_scalar, npi.equal_scalar),
        "not_equal": arithmetic(npi.not_equal, npi.not_equal_scalar, npi.not_equal_scalar),
        "less": arithmetic(npi.less, npi.less_scalar, npi.greater_scalar),
        "less_equal": arithmetic(npi.less_equal, npi.less_equal_scalar, npi.greater_equal_scalar),
        "greater": arithmetic(npi.greater, npi.greater_scalar, npi.less_scalar),
        "greater_equal": arithmetic(npi.greater_equal, npi.greater_equal_scalar, npi.less_equal_scalar),
        **{
            name: getattr(npi, name)
            for name in (
                *("negative", "abs", "square", "exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "tanh"),
                *("log2", "log10", "sinh", "cosh", "hypot", "cbrt"),
                *("isnan", "isinf", "isfinite"),
            )
        },
        "maximum": maximum,
        "minimum": minimum,
        **{name: rounded(getattr(npi, name)) for name in ("floor", "ceil", "trunc")},
        "where": where,
        **{name.replace("arc", "a"): getattr(npi, name) for name in ("arcsin", "arccos", "arctan", "arctan2")},
        **{name.replace("arc", "a"): getattr(npi, name) for name in ("arcsinh", "arccosh", "arctanh")},
        "gammaln": npx.gammaln,
        "sign": sign,
        "real": lambda x: x.copy(),
        "imag": lambda x: np.zeros_like(x),
        "conj": lambda x: x.copy(),
        "clip": clip,
        "logical_and": logical(np.bitwise_and),
        "logical_or": logical(np.bitwise_or),
        "logical_xor": logical(np.bitwise_xor),
        "logical_not": lambda x: x == 0,
        "relu": npx.relu,
        "sigmoid": npx.sigmoid,
        "softplus": softplus,
        "erf": npx.erf,
        "astype": lambda x, dtype: x.astype(dtype),
        "sum": sum,
        "prod": reduced(np.prod),
        "max": reduced(np.max),
        "min": reduced(np.min),
        "any": truth(np.any),
        "all": truth(np.all),
        "logsumexp": logsumexp,
        "log_softmax": log_softmax,
        "cross_entropy": cross_entropy,
        "vector_norm": vector_norm,
        "cumulative_sum": added_up(lambda x, axis: np.cumsum(x, axis=axis)),
        "matmul": matmul,
        "einsum": einsum,
        "reshape": lambda x, shape: np.reshape(x, shape),
        "permute_dims": permute_dims,
        "broadcast_to": broadcast_to,
        "flip": flip,
        "concat": lambda arrays, axis: np.concatenate(arrays, axis=axis),
        "stack": lambda arrays, axis: np.stack(arrays, axis=axis),
        "getitem": getitem,
        "scatter": scatter,
        "setitem": setitem,
        "take_along_axis": take_along_axis,
        "scatter_along_axis": scatter_along_axis,
        **networks(mxnet, getitem, scatter),
    }

    # --- on the host -------------------------------------------------------------------------------------

    def unless(kinds: str, name: str, function: Function | None = None) -> Function:
        """The function over MXNet's arrays, but NumPy's where they are of these kinds of dtype."""
        function, host = function or table[name], on_host(backend, name)

        def call(*args: Any) -> Raw:
            return (host if kind(args) in kinds else function)(*args)

        return call

    def kind(args: Sequence[Any]) -> str:
        arrays = args[0] if type(args[0]) is list else args
        # The last array: the first one of where() is its condition.
        found: str = next(array for array in reversed(arrays) if isinstance(array, np.ndarray)).dtype.kind
        return found

    def safe(name: str) -> Function:
        function, host = table[name], on_host(backend, name)

        def call(*args: Any) -> Raw:
            if has_empty(args):
                return host(*args)
            try:
                return function(*args)
            except mxnet.MXNetError:
                if kind(args) != "b":
                    raise
                return host(*args)

        return call

    table |= {name: on_host(backend, name) for name in HOST}
    table |= {name: unless("iub", name) for name in HOST_INTEGERS}
    for name in HOST_BITS:
        logic = table.get(name.replace("bitwise", "logical").replace("invert", "not"))
        table[name] = on_host(backend, name) if logic is None else unless("iu", name, logic)
    table |= {name: unless("b", name) for name in HOST_BOOLEANS}
    to_integers, cast = on_host(backend, "astype"), table["astype"]
    table["astype"] = lambda x, dtype: (to_integers if dtype.kind in "iu" else cast)(x, dtype)
    return table, {name: safe(name) for name in table}


def has_empty(args: Sequence[Any]) -> bool:
    """Whether one of the arrays has no elements."""
    for array in args[0] if type(args[0]) is list else args:
        shape = getattr(array, "shape", None)
        if shape and 0 in shape:
            return True
    return False


def _on_host(key: Key) -> Key:
    """The key with the values of those index arrays that a compiled program has computed."""
    return tuple([entry.asnumpy() if hasattr(entry, "asnumpy") else entry for entry in key])


def _selected_shape(key: Key, shape: Shape) -> Shape:
    return numpy.broadcast_to(numpy.empty((), numpy.bool_), shape)[key].shape


def _positions(key: Key, shape: Shape) -> numpy.ndarray[Any, Any]:
    """Where in the flattened array the elements are that a key selects."""
    return numpy.arange(math.prod(shape)).reshape(shape)[key]


def _span(entry: Any) -> tuple[Any, Any, int]:
    """An integer or a slice of a canonical key as MXNet's begin, end and step."""
    if isinstance(entry, slice):
        return entry.start, entry.stop, 1 if entry.step is None else entry.step
    return entry, entry + 1, 1
