"""Every primitive in every dtype: NumPy's answer, or the one DtypeError that the table declares.

No combination is left out: a primitive without arguments here is refused by a test, and what a backend lacks is what
it declares missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from unigrad.base.dtypes import DType, as_dtype, real_of, to_float
from unigrad.table import PRIMITIVES, Primitive, takes
from unigrad_conformance.case import Case, Limit, Results

TOGETHER: tuple[tuple[str, ...], ...] = (
    ("bool", "int8", "int32", "int64", "uint8", "float16", "float32", "float64"),
    ("int16",),
    ("uint16", "uint32", "uint64"),
    ("complex64", "complex128"),
    ("bfloat16",),
)
"""The dtypes of one case: those that a framework has, or lacks, together."""
QUICKLY = ("bool", "int32", "float16", "float64")
"""Of the first of them, one of each kind, for a backend that takes long. All samples have float32."""

LIMIT = Limit(64, "largest", "that there is an answer is the matter here; samples say how accurate it is")

_ROWS = np.array([[2, 1, 3], [1, 0, 2]])
_OTHER = np.array([[1, 2, 3], [3, 1, 1]])
_SQUARE = np.array([[3, 1], [1, 2]])
_SORTED = np.array([0, 1, 1, 3])
_EVERYTHING = slice(None, None, None)

# The parameters, where there are any.
STATICS: dict[str, tuple[Any, ...]] = {
    "astype": (np.dtype("float32"),),
    "polygamma": (0,),
    "reshape": ((3, 2),),
    "permute_dims": ((1, 0),),
    "broadcast_to": ((2, 2, 3),),
    "flip": ((1,),),
    "concat": (0,),
    "stack": (0,),
    "getitem": ((_EVERYTHING, slice(0, 2, 1)),),
    "scatter": ((_EVERYTHING, np.array([1, 1, 0])), (2, 4)),
    "setitem": ((_EVERYTHING, slice(0, 2, 1)),),
    "take_along_axis": (1,),
    "scatter_along_axis": (1, (2, 4)),
    "argsort": (1, False),
    **dict.fromkeys(("sum", "prod", "max", "min", "any", "all", "logsumexp", "mean"), ((1,), False)),
    "variance": ((1,), False, 0.0),
    **dict.fromkeys(("argmax", "argmin"), (1, False)),
    "vector_norm": ((1,), False, 2.0),
    **dict.fromkeys(("cumulative_sum", "cumulative_prod", "cumulative_max", "cumulative_min", "log_softmax"), (1,)),
    "einsum": ("ij,ij->i",),
    "svd": (False,),
    "qr": (False,),
    "fft": (1, False),
    "rfft": (1,),
    "irfft": (1, 4),
    "windows": ((2,), (1,), (1,)),
    "convolution": ((1,), ((0, 0),), (1,), 1),
    "searchsorted": (False,),
    "softmax": (1,),
    "standardised": ((1,), 0.125),
    "normalised": ((1,), 0.125),
    "embedding_back": (3,),
    "triangle": (0, True, 0.0),
    "leaky_relu": (0.25,),
    "elu": (0.75,),
    "hard_tanh": (0.25, 0.5),
    "attention": (0.5, True),
    **dict.fromkeys(("max_pool", "max_pool_back", "max_pool_along"), ((2,), (1,), (1,))),
    "sum_pool": ((2,), (1,)),
    "convolve": (False,),
    **dict.fromkeys(("bessel_j", "bessel_y", "bessel_i", "bessel_ie", "exprel", "log1prel", "scaled_erfc"), (1,)),
    **dict.fromkeys(("modified", "macdonald"), (False,)),
    "expn": (1,),
    "gamma_moment": (1, False),
    "beta_moment": (1, 0),
    "elliptic": (1, False),
}


# What makes complex numbers of real ones, and fractions from 0 to 1, where most functions are defined.
_PHASE = 0.8 + 0.6j


def _of(values: Any, dtype: DType) -> Any:
    if dtype.kind in "fVc":
        values = (values + 0.25) / 8
    return (values * _PHASE if dtype.kind == "c" else values).astype(dtype)


def _rows(dtype: DType) -> list[Any]:
    return [_of(_ROWS, dtype), _of(_OTHER, dtype), _of(_ROWS + _OTHER, dtype)]


def _positions(values: Any) -> Callable[[DType], list[Any]]:
    return lambda dtype: [_of(_ROWS, dtype), np.asarray(values)]


def _matrix(dtype: DType) -> list[Any]:
    square = _SQUARE > 1 if dtype.kind == "b" else _SQUARE
    return [square.astype(dtype), np.array([[1, 2], [0, 1]]).astype(dtype)]


def _pooled(dtype: DType, change: Any) -> list[Any]:
    """A change, the array and the largest of each pair of neighbours in it."""
    top = np.maximum(_ROWS[:, 1:], _ROWS[:, :-1])
    return [_of(values, dtype)[None] for values in (change, _ROWS, top)]


# The arrays, where others are needed than one to three of shape (2, 3) in the dtype.
ARRAYS: dict[str, Callable[[DType], list[Any]]] = {
    "where": lambda dtype: [np.array([True, False, True]), *_rows(dtype)[:2]],
    "setitem": lambda dtype: [_of(_ROWS, dtype), _of(np.eye(2), dtype)],
    "take_along_axis": _positions([[0, 2], [1, 1]]),
    "scatter_along_axis": _positions([[0, 2, 0], [1, 1, 3]]),
    "cross_entropy": _positions([2, 0]),
    "embedding": _positions([1, 0]),
    "embedding_back": _positions([2, 0]),
    "linear": lambda dtype: [*_rows(dtype)[:2], _of(_ROWS[0, :2], dtype)],
    **dict.fromkeys(("max_pool", "sum_pool"), lambda dtype: [_of(_ROWS, dtype)[None]]),
    "max_pool_back": lambda dtype: _pooled(dtype, _OTHER[:, :2]),
    "max_pool_along": lambda dtype: _pooled(dtype, _OTHER),
    "matmul": lambda dtype: [_of(_ROWS, dtype), _of(_OTHER.T, dtype)],
    **dict.fromkeys(
        ("inv", "solve", "cholesky", "det", "cofactors", "slogdet", "eigh", "eigvalsh", "eig", "eigvals", "svd",
         "svdvals", "qr"), _matrix,
    ),
    "cofactors_along": lambda dtype: [*_matrix(dtype), *_matrix(dtype)],
    "pinv": lambda dtype: [_matrix(dtype)[0], np.array(1e-3, real_of(to_float(dtype)))],
    "convolution": lambda dtype: [_of(_ROWS, dtype)[None], _of(_OTHER, dtype)[None]],
    "searchsorted": lambda dtype: [_of(_SORTED, dtype), _of(_ROWS, dtype)],
    "convolve": lambda dtype: [row[0] for row in _rows(dtype)],
    # Without 0, which is no number of degrees of freedom, and a pole of the beta function.
    **dict.fromkeys(
        ("betaln", "student", "beta_moment"),
        lambda dtype: [_of(_ROWS + 1, dtype), _of(_OTHER, dtype), _of(_ROWS, dtype)],
    ),
}  # fmt: skip


def arguments(row: Primitive, dtype: DType) -> tuple[list[Any], tuple[Any, ...]]:
    """The arrays of one call, and the parameters."""
    arrays = ARRAYS.get(row.name, _rows)(dtype)
    statics = STATICS.get(row.name, ())
    if row.name == "astype" and dtype.kind == "c":
        statics = (np.dtype("complex128"),)
    return arrays[: 2 if row.variadic else len(row.arrays)], statics


FREE = frozenset({"eigh", "eig", "eigvals", "svd"})
"""Those whose vectors have any sign and phase, or whose values any order: compared without."""


def _answer(ug: Any, row: Primitive, arrays: list[Any], statics: tuple[Any, ...]) -> tuple[Any, str]:
    """The value, or None, and what is to be said of it: the error that refused it, or a dtype that is not its own."""
    function = getattr(arrays[0]._bound, row.name)
    try:
        found = function(arrays, *statics) if row.variadic else function(*arrays, *statics)
    except ug.DtypeError:
        return None, REFUSED
    if found.dtype != found.numpy().dtype:
        return found, f"says {found.dtype} and holds {found.numpy().dtype}"
    return (ug.sort(ug.abs(found).reshape(-1)) if row.name in FREE else found), ""


REFUSED = "DtypeError"


def _program(row: Primitive, names: tuple[str, ...]) -> Callable[..., Results]:
    def run(ug: Any) -> Results:
        results: Results = {}
        for name in names:
            arrays, statics = arguments(row, as_dtype(name))
            value, said = _answer(ug, row, [ug.asarray(array) for array in arrays], statics)
            results |= {name: value, f"{name} is": said}
        return results

    return run


def cases() -> Iterator[Case]:
    """Every primitive, in every dtype."""
    for row in PRIMITIVES.values():
        for names in TOGETHER:
            expected = {f"{name} is": "" if takes(row.dtypes, as_dtype(name)) else REFUSED for name in names}
            yield Case(
                name=f"dtypes.{row.name}.{names[0]}",
                family="dtypes",
                group="dtypes",
                run=_program(row, names),
                why=f"{row.name} of {', '.join(names)}",
                dtype=names[-1],
                limit=LIMIT,
                needs=names[0],
                everyday=names is TOGETHER[0] and not row.ruled,
                quick=_program(row, QUICKLY) if names is TOGETHER[0] else None,
                quick_without=tuple(f"{name}*" for name in names if name not in QUICKLY),
                expected=expected,
            )
