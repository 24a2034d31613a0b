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

import functools
import importlib
from math import e, inf, nan, pi
from types import ModuleType
from typing import TYPE_CHECKING, Any

from unigrad import nn, random, special
from unigrad.adapters import registry
from unigrad.adapters.contract import Backend
from unigrad.adapters.registry import (
    BackendInfo,
    available_backends,
    get_backend,
    register_backend,
    set_backend,
    use_backend,
)
from unigrad.base.dtypes import (
    LATE,
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
    late,
    uint8,
    uint16,
    uint32,
    uint64,
)
from unigrad.base.elsewhere import FUNCTIONS, ROOMS, missing
from unigrad.base.errors import (
    ArgumentError,
    AxisError,
    BackendError,
    BackendMismatchError,
    CallError,
    DisconnectedWarning,
    DtypeError,
    GradientError,
    GraphFreedError,
    IndexRangeError,
    InterchangeError,
    LeafWriteError,
    LinAlgError,
    MissingNameError,
    NotRecordedError,
    OperationError,
    ProtocolError,
    ShapeError,
    UnigradError,
    UnigradWarning,
    UnsupportedError,
)
from unigrad.base.recording import is_training, pause, predict_mode, record, train_mode
from unigrad.base.tracing import is_recording
from unigrad.binding.functions import bind
from unigrad.ecosystem import namespaces, neighbours, protocols  # noqa: F401
from unigrad.ecosystem.namespaces import __array_api_version__, __array_namespace_info__, namespace
from unigrad.engine.passes import backward, gradients
from unigrad.native import cupy_backend, numpy_backend
from unigrad.operations import FLAT, fft, linalg
from unigrad.operations.applying import *
from unigrad.operations.arranging import *
from unigrad.operations.assembling import *
from unigrad.operations.brackets import *
from unigrad.operations.calculus import *
from unigrad.operations.choosing import *
from unigrad.operations.comparing import *
from unigrad.operations.contractions import *
from unigrad.operations.convolving import *
from unigrad.operations.creation import *
from unigrad.operations.datatypes import *
from unigrad.operations.elementwise import *
from unigrad.operations.floating_parts import *
from unigrad.operations.indexing import *
from unigrad.operations.linalg import cross, diagonal, trace
from unigrad.operations.moments import *
from unigrad.operations.padding import *
from unigrad.operations.polynomials import *
from unigrad.operations.reductions import *
from unigrad.operations.relations import *
from unigrad.operations.scattering import *
from unigrad.operations.searching import *
from unigrad.operations.sequences import *
from unigrad.operations.sets import *
from unigrad.operations.shapes import *
from unigrad.operations.spacing import *
from unigrad.operations.statistics import *
from unigrad.operations.triangles import *
from unigrad.operations.without_nan import *
from unigrad.special import beta, betainc, erfc, erfinv, gamma, gammainc, i0e, log_ndtr, logit
from unigrad.table import OPERATIONS
from unigrad.tensor.computing import compute
from unigrad.tensor.tensor import Tensor
from unigrad.transforms import (
    bridge,
    checkpoint,
    cond,
    custom_gradient,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    scan,
    tree_flatten,
    tree_leaves,
    tree_map,
    tree_paths,
    tree_unflatten,
    value_and_grad,
    vjp,
    vmap,
    while_loop,
    wrap_native,
)

__version__ = "0.1.0"

bool = bool_
newaxis = None

if TYPE_CHECKING:
    from unigrad.checking.checking import check_gradients
    from unigrad.compiling.compiled import compile
    from unigrad.looking.compare import compare
    from unigrad.looking.graph import graph
    from unigrad.looking.plot import plot
    from unigrad.teaching.exercises import exercises

# Imported when they are first asked for: they take a good part of the time of all else, and few programs use them.
_LATER = {
    "check_gradients": "unigrad.checking.checking",
    "compare": "unigrad.looking.compare",
    "compile": "unigrad.compiling.compiled",
    "exercises": "unigrad.teaching.exercises",
    "graph": "unigrad.looking.graph",
    "plot": "unigrad.looking.plot",
}


def __getattr__(name: str) -> Any:
    if name in LATE:
        return late(name)
    if name in _LATER:
        return globals().setdefault(name, getattr(importlib.import_module(_LATER[name]), name))
    if name.startswith("_"):
        raise AttributeError(f"module 'unigrad' has no attribute {name!r}")
    raise missing("module 'unigrad'", name, FUNCTIONS, __all__, OPERATIONS)


def __dir__() -> list[str]:
    return sorted({*__all__, *LATE, *[name for name in globals() if name.startswith("__")]})


def attach_grad(x: Tensor, grad_req: str = "write") -> None:
    """``x.attach_grad(grad_req)``."""
    if not isinstance(x, Tensor):
        raise ArgumentError(f"a gradient is attached to a Tensor, not to {type(x).__name__}; ug.asarray makes one")
    x.attach_grad(grad_req)


def detach(x: Tensor) -> Tensor:
    """``x.detach()``: the same values without history."""
    if not isinstance(x, Tensor):
        raise ArgumentError(f"a Tensor is detached, not {type(x).__name__}; ug.stop_gradient takes anything")
    return x.detach()


def stop_gradient(x: Tensor) -> Tensor:
    """The same values without history, as :func:`detach`; anything that is no Tensor is made one."""
    return asarray(x).detach()


__all__ = [
    "ArgumentError", "AxisError", "Backend", "BackendError", "BackendInfo", "BackendMismatchError", "CallError",
    "DtypeError",
    "cond", "scan", "tree_flatten", "tree_leaves", "tree_map", "tree_paths", "tree_unflatten", "while_loop",
    "DisconnectedWarning", "MissingNameError",
    "GradientError", "GraphFreedError", "IndexRangeError", "InterchangeError", "LeafWriteError", "LinAlgError",
    "NotRecordedError", "OperationError", "ProtocolError", "ShapeError", "Tensor", "UnigradError", "UnigradWarning",
    "UnsupportedError", "__array_api_version__", "__array_namespace_info__", "attach_grad", "available_backends",
    "backward", "bool", "bool_", "bridge", "check_gradients", "checkpoint", "compare", "compile", "complex128",
    "compute",
    "complex64",
    "cross", "custom_gradient", "detach", "diagonal", "e", "exercises", "fft", "float16", "float32", "float64",
    "get_backend",
    "grad", "gradients", "graph", "hessian", "hvp", "inf", "int16", "int32", "int64", "int8", "is_recording",
    "is_training", "jacobian", "jvp", "linalg", "namespace", "nan", "newaxis", "nn", "pause", "pi", "plot",
    "predict_mode", "random", "record", "register_backend", "set_backend", "special", "stop_gradient", "trace",
    "train_mode", "uint16", "uint32", "uint64", "uint8", "use_backend", "value_and_grad", "vjp", "vmap", "wrap_native",
]  # fmt: skip
__all__ += [name for family in FLAT for name in family.__all__]
# Of the special functions those that PyTorch and JAX have at their top as well, or that are looked for there.
__all__ += ["beta", "betainc", "erfc", "erfinv", "gamma", "gammainc", "i0e", "log_ndtr", "logit"]


def _missing_in(module: ModuleType, room: str, name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
    raise missing(f"ug.{room}", name, ROOMS, module.__all__, OPERATIONS)


# Who lists a public module sees its public names alone, and who looks for another is told what to type.
for _room in [name for name in __all__ if isinstance(globals().get(name), ModuleType)]:
    _module = globals()[_room]
    _module.__dir__ = functools.partial(sorted, _module.__all__)
    _module.__getattr__ = functools.partial(_missing_in, _module, _room)
del _module, _room

# The floors are joined here: what lower ones must be told of upper ones.
registry.binders.append(bind)
registry.native_backends += [numpy_backend, cupy_backend]
namespaces.public.update({name: globals()[name] for name in __all__ if name in globals()})
namespaces.version = __version__
neighbours.greet()
