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

from unigrad import neighbours, nn, random
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
from unigrad.engine import backward, gradients
from unigrad.errors import (
    ArgumentError,
    AxisError,
    BackendError,
    BackendMismatchError,
    DtypeError,
    GradientError,
    GraphFreedError,
    IndexRangeError,
    InterchangeError,
    LeafWriteError,
    LinAlgError,
    NotRecordedError,
    OperationError,
    ProtocolError,
    ShapeError,
    UnigradError,
    UnigradWarning,
    UnsupportedError,
)
from unigrad.namespaces import __array_api_version__, __array_namespace_info__, namespace
from unigrad.operations import (
    arranging,
    comparing,
    contractions,
    creation,
    datatypes,
    elementwise,
    fft,
    indexing,
    linalg,
    padding,
    reductions,
    searching,
    sequences,
    sets,
    shapes,
    statistics,
    triangles,
)
from unigrad.operations.arranging import *
from unigrad.operations.comparing import *
from unigrad.operations.contractions import *
from unigrad.operations.creation import *
from unigrad.operations.datatypes import *
from unigrad.operations.elementwise import *
from unigrad.operations.indexing import *
from unigrad.operations.linalg import cross, diagonal, trace
from unigrad.operations.padding import *
from unigrad.operations.reductions import *
from unigrad.operations.searching import *
from unigrad.operations.sequences import *
from unigrad.operations.sets import *
from unigrad.operations.shapes import *
from unigrad.operations.statistics import *
from unigrad.operations.triangles import *
from unigrad.recording import is_recording, is_training, pause, predict_mode, record, train_mode
from unigrad.tensor import Tensor
from unigrad.transforms import (
    bridge,
    check_gradients,
    checkpoint,
    custom_gradient,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    value_and_grad,
    vjp,
    vmap,
    wrap_native,
)

__version__ = "0.1.0"

# NumPy's and the standard's other names.
bool = bool_
array = asarray
concatenate = concat
transpose = permute_dims
cumsum = cumulative_sum
cumprod = cumulative_prod
cummax = cumulative_max
cummin = cumulative_min
newaxis = None


neighbours.greet()


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
    "ArgumentError", "AxisError", "Backend", "BackendError", "BackendInfo", "BackendMismatchError", "DtypeError",
    "GradientError", "GraphFreedError", "IndexRangeError", "InterchangeError", "LeafWriteError", "LinAlgError",
    "NotRecordedError", "OperationError", "ProtocolError", "ShapeError", "Tensor", "UnigradError", "UnigradWarning",
    "UnsupportedError", "__array_api_version__", "__array_namespace_info__", "array", "attach_grad",
    "available_backends", "backward", "bool", "bool_", "bridge", "check_gradients", "complex128", "complex64",
    "concatenate", "cross", "cummax", "cummin", "cumprod", "cumsum", "detach", "diagonal", "e", "fft", "float16",
    "float32", "float64", "get_backend", "grad", "gradients", "hessian", "hvp", "inf", "int16", "int32", "int64",
    "int8", "is_recording", "is_training", "jacobian", "jvp", "linalg", "namespace", "nan", "newaxis", "nn", "pause",
    "pi", "predict_mode", "random", "record", "register_backend", "set_backend", "stop_gradient", "trace", "train_mode",
    "transpose", "uint16", "uint32", "uint64", "uint8", "use_backend", "value_and_grad", "vjp", "vmap",
    "checkpoint", "custom_gradient", "wrap_native",
]  # fmt: skip
__all__ += contractions.__all__ + creation.__all__ + datatypes.__all__ + elementwise.__all__ + indexing.__all__
__all__ += reductions.__all__ + shapes.__all__
__all__ += arranging.__all__ + comparing.__all__ + padding.__all__ + searching.__all__ + sequences.__all__
__all__ += sets.__all__ + statistics.__all__ + triangles.__all__
