"""unigrad: write gradient code once and run it on every framework.

>>> import unigrad as ug
>>> x = ug.arange(4.0)
>>> x.attach_grad()
>>> with ug.record():
...     y = 2 * ug.dot(x, x)
>>> y.backward()
>>> print(x.grad)
[ 0.  4.  8. 12.]
"""

from math import e, inf, nan, pi

from unigrad import nn, random
from unigrad.backend import (
    Backend,
    BackendInfo,
    available_backends,
    get_backend,
    register_backend,
    set_backend,
    use_backend,
)
from unigrad.dtypes import (
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from unigrad.errors import (
    ArgumentError,
    AxisError,
    BackendError,
    BackendMismatchError,
    DtypeError,
    GraphFreedError,
    IndexRangeError,
    LeafWriteError,
    NotRecordedError,
    OperationError,
    ShapeError,
    UnigradError,
    UnsupportedError,
)
from unigrad.graph import backward, gradients
from unigrad.namespaces import namespace
from unigrad.operations import linalg
from unigrad.operations.contractions import dot, einsum, matmul, outer, tensordot, vecdot
from unigrad.operations.creation import (
    arange,
    asarray,
    astype,
    empty,
    empty_like,
    eye,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from unigrad.operations.elementwise import (
    abs,
    add,
    ceil,
    clip,
    cos,
    divide,
    equal,
    exp,
    expm1,
    floor,
    floor_divide,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    log,
    log1p,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    remainder,
    round,
    sign,
    sin,
    sqrt,
    square,
    subtract,
    tan,
    tanh,
    trunc,
    where,
)
from unigrad.operations.elementwise import power as pow
from unigrad.operations.indexing import argsort, sort, take, take_along_axis
from unigrad.operations.reductions import (
    all,
    any,
    argmax,
    argmin,
    count_nonzero,
    cumulative_prod,
    cumulative_sum,
    max,
    mean,
    min,
    prod,
    std,
    sum,
    var,
)
from unigrad.operations.shapes import (
    broadcast_arrays,
    broadcast_to,
    concat,
    expand_dims,
    flip,
    matrix_transpose,
    moveaxis,
    permute_dims,
    reshape,
    squeeze,
    stack,
)
from unigrad.recording import is_recording, is_training, pause, predict_mode, record, train_mode
from unigrad.tensor import Tensor
from unigrad.transforms import grad, value_and_grad

__version__ = "0.1.0"

# NumPy's and the standard's other names.
bool = bool_
power = pow
array = asarray
concatenate = concat
transpose = permute_dims
cumsum = cumulative_sum
cumprod = cumulative_prod
newaxis = None


def attach_grad(x: Tensor, grad_req: str = "write") -> None:
    """``x.attach_grad(grad_req)``."""
    x.attach_grad(grad_req)


def detach(x: Tensor) -> Tensor:
    """``x.detach()``: the same values without history."""
    return x.detach()


def stop_gradient(x: Tensor) -> Tensor:
    """The same values without history, as :func:`detach`; anything that is no Tensor is made one."""
    return asarray(x).detach()


__all__ = [
    "ArgumentError",
    "AxisError",
    "Backend",
    "BackendError",
    "BackendInfo",
    "BackendMismatchError",
    "DtypeError",
    "GraphFreedError",
    "IndexRangeError",
    "LeafWriteError",
    "NotRecordedError",
    "OperationError",
    "ShapeError",
    "Tensor",
    "UnigradError",
    "UnsupportedError",
    "abs",
    "add",
    "all",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "array",
    "asarray",
    "astype",
    "attach_grad",
    "available_backends",
    "backward",
    "bool",
    "bool_",
    "broadcast_arrays",
    "broadcast_to",
    "ceil",
    "clip",
    "complex128",
    "complex64",
    "concat",
    "concatenate",
    "cos",
    "count_nonzero",
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "detach",
    "divide",
    "dot",
    "e",
    "einsum",
    "empty",
    "empty_like",
    "equal",
    "exp",
    "expand_dims",
    "expm1",
    "eye",
    "flip",
    "float16",
    "float32",
    "float64",
    "floor",
    "floor_divide",
    "full",
    "full_like",
    "get_backend",
    "grad",
    "gradients",
    "greater",
    "greater_equal",
    "inf",
    "int16",
    "int32",
    "int64",
    "int8",
    "is_recording",
    "is_training",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "linalg",
    "linspace",
    "log",
    "log1p",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "namespace",
    "nan",
    "negative",
    "newaxis",
    "nn",
    "not_equal",
    "ones",
    "ones_like",
    "outer",
    "pause",
    "permute_dims",
    "pi",
    "pow",
    "power",
    "predict_mode",
    "prod",
    "random",
    "record",
    "register_backend",
    "remainder",
    "reshape",
    "round",
    "set_backend",
    "sign",
    "sin",
    "sort",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "train_mode",
    "transpose",
    "trunc",
    "uint16",
    "uint32",
    "uint64",
    "uint8",
    "use_backend",
    "value_and_grad",
    "var",
    "vecdot",
    "where",
    "zeros",
    "zeros_like",
]
