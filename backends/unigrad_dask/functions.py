"""The primitives over dask arrays: the native engine's on chunks, and dask's own where chunks are put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import dask.array as da
import numpy as np

from unigrad.extend import PRIMITIVES, Backend, DType, Primitive, Raw, Shape
from unigrad_dask.chunks import OnChunks, alone, blocked, is_whole, named
from unigrad_dask.indexing import indexing
from unigrad_dask.linalg import linear_algebra

Function = Callable[..., Raw]

ELEMENTWISE = ("elementwise", "comparison", "cast")
"""The kinds of primitives that go element by element."""


def result_dtype(row: Primitive, arrays: Sequence[Raw], statics: Sequence[Any]) -> DType:
    """What a primitive's result has for a dtype."""
    if row.result in row.statics:
        return np.dtype(statics[row.statics.index(row.result)])
    if row.result in ("bool", "int64"):
        return np.dtype(row.result)
    promoted = [x for name, x in zip(row.arrays, arrays, strict=False) if name in row.promoted] or arrays
    dtype: DType = next(x.dtype for x in promoted if isinstance(x, da.Array))
    if row.result == "real":
        return np.empty(0, dtype).real.dtype
    if row.result == "complex":
        return np.result_type(dtype, np.complex64)
    return dtype


def elementwise(row: Primitive) -> Function:
    """The native raw function on chunks that lie in one place."""
    count = len(row.arrays)

    def call(*args: Any) -> Raw:
        arrays, statics = args[:count], args[count:]
        ndim = max([x.ndim for x in arrays if isinstance(x, da.Array)])
        # Broadcasting lines axes up from the last.
        pairs = [(x, tuple(range(ndim - x.ndim, ndim)) if isinstance(x, da.Array) else None) for x in arrays]
        # An array first, since what comes out is of its kind.
        function = OnChunks(row.name, statics)
        return blocked(function, tuple(range(ndim)), *pairs, dtype=result_dtype(row, arrays, statics))

    return call


# --- reductions --------------------------------------------------------------------------------------------------


def over_axes(name: str, dtype: DType | None, otherwise: Function) -> Function:
    """A reduction: of chunks alone where none is beside another along the axes."""

    def call(x: Raw, axes: Shape, keepdims: bool, *statics: Any) -> Raw:
        if not is_whole(x, axes):
            return otherwise(x, axes, keepdims, *statics)
        letters = named(x)
        found = np.empty(0, x.dtype).real.dtype if name == "vector_norm" else dtype or x.dtype
        function = OnChunks(name, (axes, keepdims, *statics))
        if keepdims:
            return blocked(function, letters, (x, letters), dtype=found, single=axes)
        return blocked(function, tuple(axis for axis in letters if axis not in axes), (x, letters), dtype=found)

    return call


def tree(function: Callable[..., Raw], typed: bool) -> Function:
    """A reduction of dask's: of each chunk first, then of what these gave."""

    def call(x: Raw, axes: Shape, keepdims: bool) -> Raw:
        return function(x, axis=axes, keepdims=keepdims, **({"dtype": x.dtype} if typed else {}))

    return call


def logsumexp(x: Raw, axes: Shape, keepdims: bool) -> Raw:
    """log(sum(exp(x))), without overflow: the largest first, then the sum."""
    f = FUNCTIONS
    top = f["max"](x, axes, True)
    top = f["where"](f["isfinite"](top), top, 0.0)
    sums = f["add"](f["log"](f["sum"](f["exp"](f["subtract"](x, top)), axes, True)), top)
    return sums if keepdims else da.squeeze(sums, axis=axes)


def vector_norm(x: Raw, axes: Shape, keepdims: bool, order: float) -> Raw:
    """sum(abs(x) ** order) ** (1 / order)."""
    f = FUNCTIONS
    size = f["abs"](x)
    if order == 2:
        return f["sqrt"](f["sum"](f["square"](size), axes, keepdims))
    return f["power"](f["sum"](f["power"](size, float(order)), axes, keepdims), 1 / order)


def position(name: str, otherwise: Callable[..., Raw]) -> Function:
    """Where the largest or smallest element is along one axis."""

    def call(x: Raw, axis: int, keepdims: bool) -> Raw:
        if not is_whole(x, (axis,)):
            return otherwise(x, axis=axis, keepdims=keepdims).astype("int64")
        letters = named(x)
        function = OnChunks(name, (axis, keepdims))
        if keepdims:
            return blocked(function, letters, (x, letters), dtype=np.dtype("int64"), single=(axis,))
        return blocked(function, letters[:axis] + letters[axis + 1 :], (x, letters), dtype=np.dtype("int64"))

    return call


def running(name: str, otherwise: Callable[..., Raw] | None) -> Function:
    """Sums and the like so far, along one axis."""

    def call(x: Raw, axis: int) -> Raw:
        if otherwise is not None and not is_whole(x, (axis,)):
            return otherwise(x, axis=axis, dtype=x.dtype)
        return along(name)(x, axis)

    return call


def along(name: str) -> Function:
    """A function along one axis that keeps the shape, or along several."""

    def call(x: Raw, axis: Any, *statics: Any) -> Raw:
        letters = named(x)
        dtype = np.dtype("int64") if name == "argsort" else x.dtype
        whole = axis if isinstance(axis, tuple) else (axis,)
        return blocked(OnChunks(name, (axis, *statics)), letters, (x, letters), dtype=dtype, whole=whole)

    return call


def log_softmax(x: Raw, axis: int) -> Raw:
    """x - log(sum(exp(x))) along one axis."""
    if is_whole(x, (axis,)):
        return along("log_softmax")(x, axis)
    f = FUNCTIONS
    shifted = f["subtract"](x, f["max"](x, (axis,), True))
    return f["subtract"](shifted, f["log"](f["sum"](f["exp"](shifted), (axis,), True)))


def resized(name: str, real: bool) -> Function:
    """A Fourier transform that changes the size of its axis."""

    def call(x: Raw, axis: int, *statics: Any) -> Raw:
        letters = named(x)
        size = statics[0] if statics else x.shape[axis] // 2 + 1
        dtype = np.empty(0, x.dtype).real.dtype if real else np.result_type(x.dtype, np.complex64)
        function = OnChunks(name, (axis, *statics))
        out = (*letters[:axis], "new", *letters[axis + 1 :])
        return blocked(function, out, (x, letters), dtype=dtype, whole=(axis,), sizes={"new": size})

    return call


# --- contractions ------------------------------------------------------------------------------------------------


def matmul(x1: Raw, x2: Raw) -> Raw:
    """The products of the chunks, added up where there are several along the axis that goes."""
    last, first = x1.ndim - 1, max(x2.ndim - 2, 0)
    if not (is_whole(x1, (last,)) and is_whole(x2, (first,))):
        return da.matmul(x1, x2)
    ndim = max(x1.ndim, x2.ndim) - 2
    batch1, batch2 = max(x1.ndim - 2, 0), max(x2.ndim - 2, 0)
    rows, columns = ("rows",) * (x1.ndim > 1), ("columns",) * (x2.ndim > 1)
    letters1 = (*range(ndim - batch1, ndim), *rows, "terms")
    letters2 = (*range(ndim - batch2, ndim), "terms", *columns)
    out = (*range(max(batch1, batch2)), *rows, *columns)
    if max(batch1, batch2) != max(ndim, 0):
        out = (*range(ndim), *rows, *columns)
    return blocked(OnChunks("matmul"), out, (x1, letters1), (x2, letters2), dtype=x1.dtype)


def einsum(operands: Sequence[Raw], subscripts: str) -> Raw:
    """Sums of products over the letters of the subscripts: of chunks first, then of what these gave."""
    before, _, after = subscripts.partition("->")
    terms = before.split(",")
    gone = tuple(dict.fromkeys(letter for term in terms for letter in term if letter not in after))
    pairs = [(x, tuple(term)) for x, term in zip(operands, terms, strict=True)]
    kept = all(is_whole(x, [axis for axis, letter in enumerate(term) if letter in gone]) for x, term in pairs)
    dtype = operands[0].dtype
    if kept:
        return blocked(OnChunks("einsum", (subscripts,), True), tuple(after), *pairs, dtype=dtype)
    function = OnChunks("einsum", (subscripts,), True)
    parts = blocked(Padded(function, len(gone)), (*gone, *after), *pairs, dtype=dtype, single=gone)
    return FUNCTIONS["sum"](parts, tuple(range(len(gone))), False)


class Padded(tuple[Any, int]):
    """A function on chunks whose result gets some axes of size 1 in front."""

    def __new__(cls, function: OnChunks, count: int) -> Padded:
        return super().__new__(cls, (function, count))

    def __getnewargs__(self) -> Any:
        return tuple(self)

    def __call__(self, *chunks: Any) -> Any:
        function, count = self
        found = function(*chunks)
        return found.reshape((1,) * count + found.shape)


def convolve(x1: Raw, x2: Raw, valid: bool) -> Raw:
    """Of whole vectors."""
    size = x1.shape[0] - x2.shape[0] + 1 if valid else x1.shape[0] + x2.shape[0] - 1
    function = OnChunks("convolve", (valid,))
    return blocked(
        function, ("new",), (x1, "a"), (x2, "b"), dtype=x1.dtype, whole=("a", "b"), sizes={"new": max(size, 0)}
    )


def fit(size: int, kernel: int, stride: int, dilation: int) -> int:
    """How many windows fit."""
    return max((size - dilation * (kernel - 1) - 1) // stride + 1, 0)


def convolution(
    x: Raw, w: Raw, strides: Shape, padding: tuple[tuple[int, int], ...], dilations: Shape, groups: int
) -> Raw:
    """Of a part of the batch with all kernels."""
    counts = [
        fit(size + sum(pad), kernel, stride, dilation)
        for size, pad, kernel, stride, dilation in zip(
            x.shape[2:], padding, w.shape[2:], strides, dilations, strict=True
        )
    ]
    sizes = {"outputs": w.shape[0]} | {("new", axis): count for axis, count in enumerate(counts)}
    one, two = named(x, "x"), named(w, "w")
    function = OnChunks("convolution", (strides, padding, dilations, groups))
    return blocked(function, (one[0], *sizes), (x, one), (w, two), dtype=x.dtype, whole=(*one[1:], *two), sizes=sizes)


def windows(x: Raw, sizes: Shape, strides: Shape, dilations: Shape) -> Raw:
    """Of whole last axes."""
    letters = named(x)
    first = x.ndim - len(sizes)
    counts = [fit(*each) for each in zip(x.shape[first:], sizes, strides, dilations, strict=True)]
    new = {("new", axis): size for axis, size in enumerate((*counts, *sizes))}
    function = OnChunks("windows", (sizes, strides, dilations))
    return blocked(function, (*letters[:first], *new), (x, letters), dtype=x.dtype, whole=letters[first:], sizes=new)


def pooling(name: str) -> Function:
    """Pools of whole images: of the first array's dtype, and of the shape of the image or of the windows."""
    count = len(PRIMITIVES[name].arrays)

    def call(*args: Any) -> Raw:
        arrays, (sizes, strides, dilations) = args[:count], args[count:]
        x = arrays[0] if count == 1 else arrays[1]
        if name == "max_pool_back":
            ends = x.shape[2:]
        else:
            ends = [fit(*each) for each in zip(x.shape[2:], sizes, strides, dilations, strict=True)]
        new = {("new", axis): size for axis, size in enumerate(ends)}
        pairs = [(array, (0, 1, *named(array, place)[2:])) for place, array in enumerate(arrays)]
        whole = [letter for _, letters in pairs for letter in letters[2:]]
        return blocked(
            OnChunks(name, (sizes, strides, dilations)), (0, 1, *new), *pairs, dtype=x.dtype, whole=whole, sizes=new
        )

    return call


# --- shapes ------------------------------------------------------------------------------------------------------


class Reshaped(NamedTuple):
    """A chunk with its first axes as they are, and others behind them."""

    first: int
    rest: Shape

    def __call__(self, chunk: Any) -> Any:
        chunk = alone(chunk)
        return chunk.reshape(chunk.shape[: self.first] + self.rest)


def reshape(x: Raw, shape: Shape) -> Raw:
    """As dask does it; where it cannot, with the axes whole from the first one that changes."""
    if not x.size:
        return da.zeros_like(x, shape=shape, chunks=shape)  # as dask cannot
    try:
        return da.reshape(x, shape)
    except (NotImplementedError, ValueError):
        first = next(axis for axis, sizes in enumerate(zip(x.shape, shape, strict=False)) if sizes[0] != sizes[1])
        letters = named(x)
        sizes = {("new", axis): size for axis, size in enumerate(shape[first:])}
        function = Reshaped(first, tuple(shape[first:]))
        whole = letters[first:]
        return blocked(function, (*letters[:first], *sizes), (x, letters), dtype=x.dtype, whole=whole, sizes=sizes)


def flip(x: Raw, axes: Shape) -> Raw:
    """The elements in reverse order."""
    return x[tuple(slice(None, None, -1 if axis in axes else None) for axis in range(x.ndim))]


def triangle(x: Raw, k: int, lower: bool, fill: float) -> Raw:
    """The matrices on one side of a diagonal, with a number on the other."""
    below = da.tri(*x.shape[-2:], k if lower else k - 1, dtype=bool, chunks=x.chunks[-2:], like=x._meta)
    return FUNCTIONS["where"](below if lower else ~below, x, x.dtype.type(fill).item())


def searchsorted(x1: Raw, x2: Raw, right: bool) -> Raw:
    """Each chunk of x2 in all of x1."""
    function = OnChunks("searchsorted", (right,))
    letters = named(x2)
    return blocked(function, letters, (x1, ("all",)), (x2, letters), dtype=np.dtype("int64"), whole=("all",))


def concat(arrays: Sequence[Raw], axis: int) -> Raw:
    """Arrays one after the other. Neighbouring chunks are joined where they stay no larger than the largest: a program
    that shifts and joins again and again would else end with a chunk for each element."""
    # Which dask leaves out: it would have the dtypes and chunks of those without elements count.
    found = da.concatenate(list(arrays), axis=axis, allow_unknown_chunksizes=False)
    largest = max(found.chunks[axis], default=0)
    sizes: list[int] = []
    for size in found.chunks[axis]:
        if sizes and sizes[-1] + size <= largest:
            sizes[-1] += size
        else:
            sizes.append(size)
    return found.rechunk({axis: tuple(sizes)})


FUNCTIONS: dict[str, Function] = {}
"""The table of raw functions, of which some are made of others."""


def primitives(backend: Backend) -> dict[str, Function]:
    """The table of raw functions."""
    boolean = np.dtype(bool)
    table: dict[str, Function] = {name: elementwise(row) for name, row in PRIMITIVES.items() if row.kind in ELEMENTWISE}
    table |= {
        "sum": over_axes("sum", None, tree(da.sum, True)),
        "prod": over_axes("prod", None, tree(da.prod, True)),
        "max": over_axes("max", None, tree(da.max, False)),
        "min": over_axes("min", None, tree(da.min, False)),
        "any": over_axes("any", boolean, tree(da.any, False)),
        "all": over_axes("all", boolean, tree(da.all, False)),
        "logsumexp": over_axes("logsumexp", None, logsumexp),
        "vector_norm": over_axes("vector_norm", None, vector_norm),
        "argmax": position("argmax", da.argmax),
        "argmin": position("argmin", da.argmin),
        "cumulative_sum": running("cumulative_sum", da.cumsum),
        "cumulative_prod": running("cumulative_prod", da.cumprod),
        "cumulative_max": running("cumulative_max", None),
        "cumulative_min": running("cumulative_min", None),
        "log_softmax": log_softmax,
        "argsort": along("argsort"),
        "fft": along("fft"),
        "rfft": resized("rfft", real=False),
        "irfft": resized("irfft", real=True),
        "matmul": matmul,
        "einsum": einsum,
        "convolve": convolve,
        "convolution": convolution,
        "windows": windows,
        **{name: pooling(name) for name in ("max_pool", "max_pool_back", "max_pool_along")},
        "reshape": reshape,
        "permute_dims": lambda x, axes: da.transpose(x, axes),
        "broadcast_to": lambda x, shape: da.broadcast_to(x, shape),
        "flip": flip,
        "concat": concat,
        "stack": lambda arrays, axis: da.stack(list(arrays), axis=axis),
        "triangle": triangle,
        "searchsorted": searchsorted,
        **indexing(),
        **linear_algebra(),
    }
    FUNCTIONS.update(table)
    several = {name for name in table if PRIMITIVES[name].variadic or len(PRIMITIVES[name].arrays) > 1}
    return {name: beside(backend, name, table[name]) if name in several else table[name] for name in table}


def beside(backend: Backend, name: str, function: Function) -> Function:
    """A function of several arrays, whose chunks are of one kind: where they meet is too late to say so."""
    variadic = PRIMITIVES[name].variadic

    def call(*args: Any) -> Raw:
        backend.in_one_place(args[0] if variadic else args)
        return function(*args)

    return call
