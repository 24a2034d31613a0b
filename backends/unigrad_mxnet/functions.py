"""The primitives over MXNet's arrays.

MXNet's own functions wherever they give what NumPy gives, for every value and dtype; compositions of them
where it lacks one. Some are computed by NumPy on a copy of the values (:data:`HOST`; integers and booleans where
MXNet has no kernel for them or a wrong one; arrays without elements).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy

from unigrad.extend import Backend, Key, Raw, Shape, has_gradients, on_host
from unigrad_mxnet import linalg
from unigrad_mxnet.networks import networks

Function = Callable[..., Raw]

HOST = {
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_invert"), "MXNet's take few dtypes"),
    **dict.fromkeys(("bitwise_left_shift", "bitwise_right_shift"), "MXNet has none"),
    **dict.fromkeys(("logical_and", "logical_or", "logical_xor"), "MXNet has none that broadcast booleans"),
    "floor_divide": "MXNet has none",
    "copysign": "MXNet's takes the sign of NaN for negative",
    "fmod": "MXNet has none",
    "nextafter": "MXNet has none",
    "signbit": "MXNet has none",
    "remainder": "MXNet's gives 0 where the divisor is 0 or NaN, and other signs of zero",
    "round": "MXNet rounds halves away from zero",
    **dict.fromkeys(("cumulative_prod", "cumulative_max", "cumulative_min"), "MXNet has none"),
    "setitem": "MXNet's takes a copy as well, and few dtypes",
    "scatter": "MXNet adds up at indices in few integer dtypes",
    **dict.fromkeys(("take_along_axis", "scatter_along_axis"), "MXNet has none"),
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
}
"""What NumPy computes for integers and booleans, and why."""

HOST_BOOLEANS = {
    "sum": "MXNet's answers in int64",
    "prod": "as sum",
    "cumulative_sum": "as sum",
    "max": "as sum",
    "min": "as sum",
}
"""What NumPy computes for booleans, and why. It also does whatever MXNet refuses for them, which is much."""


def primitives(mxnet: Any, backend: Backend) -> dict[str, Function]:
    """Two tables of raw functions: for floating arrays that have elements, and for all arrays.

    Where there are no elements MXNet may crash or return what happens to be in memory, so NumPy takes over.
    All expect MXNet's shapes to be as NumPy's.
    """
    np, npx, npi, from_numpy = mxnet.np, mxnet.npx, mxnet.nd.numpy._internal, backend.from_numpy
    from unigrad_mxnet.library import dtype_of, seen

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
        if type(x1) is not float and type(x2) is not float:
            return npi.where(condition, x1, x2)
        functions = [functools.partial(f, condition) for f in (npi.where, npi.where_rscalar, npi.where_lscalar)]
        return arithmetic(*functions)(x1, x2)

    def clip(x: Raw, low: Raw, high: Raw) -> Raw:
        # MXNet's clip takes numbers only and rounds them to float32.
        return minimum(maximum(x, low), high)

    maximum = arithmetic(npi.maximum, npi.maximum_scalar, npi.maximum_scalar)
    minimum = arithmetic(npi.minimum, npi.minimum_scalar, npi.minimum_scalar)

    def softplus(x: Raw) -> Raw:
        return npx.relu(x) + np.log1p(np.exp(-np.abs(x)))

    def rounded(function: Function) -> Function:
        return lambda x: function(x) if x.dtype.kind == "f" else np.copy(x)

    # --- reductions ------------------------------------------------------------------------------------

    def reduced(function: Function) -> Function:
        def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
            return function(x, axis=axes, keepdims=keepdims) if axes else np.copy(x)

        return reduce

    def sum(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        if not axes:
            return np.copy(x)
        found = np.sum(x, axis=axes, keepdims=keepdims)
        if not has_nan(found):
            return found
        # MXNet corrects its sums for rounding, which turns an infinite one into NaN.
        with numpy.errstate(all="ignore"):
            return from_numpy(numpy.asarray(numpy.sum(seen(x), axis=axes, keepdims=keepdims)))

    def has_nan(x: Raw) -> bool:
        values = seen(x)
        return has_gradients(values.dtype) and bool(numpy.isnan(numpy.vdot(values, values)))  # squares make none

    def mean(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        return npi.true_divide_scalar(sum(x, axes, keepdims), math.prod(x.shape[axis] for axis in axes))

    def variance(x: Raw, axes: Shape, keepdims: bool, correction: float) -> Raw:
        if axes and correction == 0 and dtype_of(x).itemsize > 2:
            found = npi.var(x, axis=axes, keepdims=keepdims)
            if not has_nan(found):  # as in sum
                return found
        composition = backend.composed("variance")
        assert composition is not None
        return composition(x, axes, keepdims, correction)

    def truth(function: Function) -> Function:
        def reduce(x: Raw, axes: Shape, keepdims: bool) -> Raw:
            x = x != 0
            return function(x, axis=axes, keepdims=keepdims) if axes else x

        return reduce

    def peak(x: Raw, axes: Shape) -> Raw:
        """The largest elements over axes."""
        return np.max(x, axis=axes, keepdims=True) if axes else x

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

    def softmax(x: Raw, axis: int) -> Raw:
        # MXNet's own in float32 hides NaN and makes 0 of what is subnormal; of float16 it warns.
        if dtype_of(x).itemsize > 2:
            found = npx.softmax(x, axis=axis)
            if seen(found).min() > 0:
                return found
        return np.exp(log_softmax(x, axis))

    def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
        if order == 2:
            return np.sqrt(sum(x * x, axes, keepdims))
        return sum(np.abs(x) ** order, axes, keepdims) ** (1 / order)

    # --- contractions ----------------------------------------------------------------------------------

    def matmul(x1: Raw, x2: Raw) -> Raw:
        shape1, shape2 = x1.shape, x2.shape
        if not shape1 or not shape2 or shape1[-1] != shape2[-2 if len(shape2) > 1 else 0]:
            raise ValueError("matmul: the shapes do not fit")
        if dtype_of(x1).char == "e":  # MXNet has no kernel for it
            return matmul(x1.astype("float32"), x2.astype("float32")).astype("float16")
        if max(len(shape1), len(shape2)) > 2:
            if len(shape1) == 1:
                row = matmul(np.reshape(x1, (1, -1)), x2)
                return np.reshape(row, (*row.shape[:-2], row.shape[-1]))
            if len(shape2) == 1:
                column = matmul(x1, np.reshape(x2, (-1, 1)))
                return np.reshape(column, column.shape[:-1])
        return npi.matmul(x1, x2)

    def einsum(operands: Sequence[Raw], subscripts: str) -> Raw:
        if not any(operand.ndim for operand in operands):  # MXNet reads a shape that is not there
            return functools.reduce(np.multiply, operands)
        if dtype_of(operands[0]).char == "e":
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
        operands = [sum(x, axes, False) if axes else x for x, axes in zip(operands, alone, strict=True)]
        first, second = ("".join(c for c in term if c in held) for term, held in zip(terms, known, strict=True))
        sizes = dict(zip(first + second, (*operands[0].shape, *operands[1].shape), strict=True))
        stack = "".join(letter for letter in first if letter in second and letter in output)
        inner = "".join(letter for letter in first if letter in second and letter not in output)
        rows, columns = ("".join(c for c in one if c not in other) for one, other in ((first, second), (second, first)))

        plain = not stack and len(rows) == len(inner) == len(columns) == 1  # of matrices

        def arranged(x: Raw, term: str, groups: Sequence[str]) -> Raw:
            order = "".join(groups)
            if order != term:
                x = np.transpose(x, tuple(term.index(letter) for letter in order))
            return x if plain else np.reshape(x, [math.prod(sizes[letter] for letter in group) for group in groups])

        x1, x2 = (
            arranged(operands[0], first, (stack, rows, inner)),
            arranged(operands[1], second, (stack, inner, columns)),
        )
        found, order = matmul(x1, x2), stack + rows + columns
        if not plain:
            found = np.reshape(found, [sizes[letter] for letter in order])
        return found if order == output else np.transpose(found, tuple(map(order.index, output)))

    # --- shapes and indexing -----------------------------------------------------------------------------

    def empty(shape: Shape, dtype: Any) -> Raw:
        return from_numpy(numpy.empty(shape, dtype))

    def broadcast_to(x: Raw, shape: Shape) -> Raw:
        if 0 in shape:
            return empty(shape, x.dtype)
        return np.broadcast_to(x, shape) if tuple(x.shape) != tuple(shape) else np.copy(x)

    def permute_dims(x: Raw, axes: Shape) -> Raw:
        return np.transpose(x, axes) if x.ndim > 1 else np.copy(x)

    def flip(x: Raw, axes: Shape) -> Raw:
        return np.flip(x, axes) if axes else np.copy(x)

    def cumulative_sum(x: Raw, axis: int) -> Raw:
        # float16 is added up in float32
        wide = x.astype("float32") if x.dtype.char == "e" else x
        return np.cumsum(wide, axis=axis).astype(x.dtype)

    def getitem(x: Raw, key: Key) -> Raw:
        # From memory to memory: MXNet's functions read a key as text, and gather from positions that lie on it.
        return from_numpy(numpy.asarray(seen(x)[_on_host(key)]))

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
        "real": lambda x: np.copy(x),
        "imag": lambda x: np.zeros_like(x),
        "conj": lambda x: np.copy(x),
        "clip": clip,
        "logical_not": lambda x: x == 0,
        "relu": npx.relu,
        "sigmoid": npx.sigmoid,
        "softplus": softplus,
        "erf": npx.erf,
        "astype": lambda x, dtype: npi.cast(x, dtype=dtype),
        "sum": sum,
        "mean": mean,
        "variance": variance,
        "prod": reduced(np.prod),
        "max": reduced(np.max),
        "min": reduced(np.min),
        "any": truth(np.any),
        "all": truth(np.all),
        "logsumexp": logsumexp,
        "log_softmax": log_softmax,
        "softmax": softmax,
        "vector_norm": vector_norm,
        "cumulative_sum": cumulative_sum,
        "matmul": matmul,
        "einsum": einsum,
        "reshape": lambda x, shape: np.reshape(x, shape),
        "permute_dims": permute_dims,
        "broadcast_to": broadcast_to,
        "flip": flip,
        "concat": lambda arrays, axis: np.concatenate(arrays, axis=axis),
        "stack": lambda arrays, axis: np.stack(arrays, axis=axis),
        "getitem": getitem,
        **networks(mxnet, getitem, on_host(backend, "scatter")),
    }

    # --- on the host -------------------------------------------------------------------------------------

    def unless(kinds: str, name: str) -> Function:
        """The function over MXNet's arrays, but NumPy's where they are of these kinds of dtype."""
        function, host = table[name], on_host(backend, name)

        def call(*args: Any) -> Raw:
            return (host if kind(args) in kinds else function)(*args)

        return call

    def kind(args: Sequence[Any]) -> str:
        arrays = args[0] if type(args[0]) is list else args
        # The last array: the first one of where() is its condition.
        return dtype_of(next(array for array in reversed(arrays) if isinstance(array, np.ndarray))).kind

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
    table |= {name: unless("b", name) for name in HOST_BOOLEANS}
    to_integers, cast = on_host(backend, "astype"), table["astype"]
    table["astype"] = lambda x, dtype: (to_integers if dtype.kind in "iu" else cast)(x, dtype)
    return {name: safe(name) for name in table}


def has_empty(args: Sequence[Any]) -> bool:
    """Whether one of the arrays has no elements."""
    arrays = args[0] if type(args[0]) is list else args
    return any(0 in array.shape for array in arrays if hasattr(array, "shape"))


def _on_host(key: Key) -> Key:
    """The key with the values of those index arrays that a compiled program has computed."""
    return tuple([entry.asnumpy() if hasattr(entry, "asnumpy") else entry for entry in key])
