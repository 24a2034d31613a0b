"""What things are called in other libraries, and what to type for them here: for who looks for what is not there."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence

from unigrad.base.errors import CallError, MissingNameError

# The name elsewhere, and what to type here.
METHODS: Mapping[str, str] = {
    "requires_grad": "x.attach_grad(), which gives x.grad",
    "requires_grad_": "x.attach_grad(), which gives x.grad",
    "is_leaf": "x.grad, which is None unless a gradient is attached",
    "grad_fn": "ug.record(), which keeps the graph of what is computed inside",
    "data": "x.detach(), or x.raw for the framework's own array",
    "cpu": "x.to_device('cpu'), or x.numpy() for NumPy's array",
    "cuda": "x.to_device('cuda:0')",
    "to": "x.to_device(device), x.astype(dtype) or x.to_backend(name)",
    "type": "x.astype(dtype)",
    "half": "x.astype(ug.float16)",
    "float": "x.astype(ug.float32)",
    "double": "x.astype(ug.float64)",
    "int": "x.astype(ug.int32)",
    "long": "x.astype(ug.int64)",
    "bool": "x.astype(ug.bool)",
    "clone": "x.copy()",
    "contiguous": "x itself, whose memory is the framework's business",
    "view": "x.reshape(shape)",
    "numel": "x.size",
    "dim": "x.ndim",
    "t": "x.T",
    "permute": "x.transpose(axes)",
    "unsqueeze": "ug.expand_dims(x, axis)",
    "expand": "ug.broadcast_to(x, shape)",
    "matmul": "x @ y",
    "mm": "x @ y",
    "exp": "ug.exp(x)",
    "log": "ug.log(x)",
    "sqrt": "ug.sqrt(x)",
    "abs": "abs(x)",
    "pow": "x ** y",
    "relu": "ug.nn.relu(x)",
    "softmax": "ug.nn.softmax(x, axis)",
    "zero_": "x[...] = 0, or x.zero_grad() for its gradient",
    "fill_": "x[...] = value",
    "add_": "x += y",
    "sub_": "x -= y",
    "mul_": "x *= y",
    "div_": "x /= y",
    "copy_": "x[...] = y",
    "assign": "x[...] = y",
    "assign_add": "x += y",
    "assign_sub": "x -= y",
    "detach_": "x = x.detach()",
    "item_": "x.item()",
    "chunk": "ug.split(x, sections, axis)",
    "unbind": "ug.unstack(x, axis)",
    "masked_fill": "ug.where(mask, value, x)",
    "gather": "ug.take_along_axis(x, indices, axis)",
    "index_select": "x.take(indices, axis)",
    "scatter_": "ug.put_along_axis(x, indices, values, axis)",
    "mul": "x * y",
    "sub": "x - y",
    "div": "x / y",
    "neg": "-x",
    "bmm": "x @ y",
    "mv": "x @ y",
    "cat": "ug.concat(arrays, axis)",
    "clamp": "x.clip(min, max)",
    "type_as": "x.astype(y.dtype)",
    "view_as": "x.reshape(y.shape)",
    "expand_as": "ug.broadcast_to(x, y.shape)",
    "new_zeros": "ug.zeros(shape, like=x)",
    "new_ones": "ug.ones(shape, like=x)",
    "new_tensor": "ug.asarray(values, like=x)",
    "is_cuda": "x.device",
    "topk": "ug.top_k(x, k)",
    "eval": "x.numpy()",
    "read_value": "x itself",
    "set_shape": "x.reshape(shape)",
    "get_shape": "x.shape",
    "is_compatible_with": "x.raw, TensorFlow's own array, in what is returned to its filter",
    "asnumpy": "x.numpy()",
    "asscalar": "x.item()",
    "as_in_context": "x.to_device(device)",
    "ctx": "x.device",
    "block_until_ready": "x.raw.block_until_ready()",
    "flat": "x.ravel(), a copy",
    "tobytes": "x.numpy().tobytes()",
    "strides": "x.numpy().strides; a Tensor is a value, whose memory is the framework's business",
    "flags": "x.numpy().flags; a Tensor is a value, whose memory is the framework's business",
    "base": "nothing: a Tensor is a value and never a view",
    "resize": "ug.resize(x, shape)",
    "byteswap": "x.numpy().byteswap()",
    "scatter_add": "ug.scatter_add(x, key, values)",
    "index_add": "ug.scatter_add(x, key, values)",
    "index_add_": "np.add.at(x, key, values)",
}

FUNCTIONS: Mapping[str, str] = {
    "set_printoptions": "np.set_printoptions(...) of NumPy: Tensors are printed as NumPy's arrays are",
    "get_printoptions": "np.get_printoptions() of NumPy: Tensors are printed as NumPy's arrays are",
    "no_grad": "ug.pause(); outside 'with ug.record():' nothing is recorded anyway",
    "inference_mode": "ug.pause(); outside 'with ug.record():' nothing is recorded anyway",
    "enable_grad": "ug.record()",
    "GradientTape": "ug.record()",
    "autograd": "ug.record(), ug.grad and ug.backward",
    "manual_seed": "ug.random.seed(value)",
    "as_tensor": "ug.asarray(values)",
    "from_numpy": "ug.asarray(values)",
    "convert_to_tensor": "ug.asarray(values)",
    "constant": "ug.asarray(values)",
    "Variable": "x = ug.asarray(values); x.attach_grad()",
    "Parameter": "x = ug.asarray(values); x.attach_grad()",
    "ndarray": "ug.Tensor for the type, ug.asarray(values) to make one",
    "cat": "ug.concat(arrays, axis)",
    "gather": "ug.take(x, indices, axis), or ug.take_along_axis(x, indices, axis)",
    "index_select": "ug.take(x, indices, axis)",
    "masked_fill": "ug.where(mask, value, x)",
    "masked_select": "x[mask]",
    "boolean_mask": "x[mask]",
    "chunk": "ug.split(x, sections, axis)",
    "unbind": "ug.unstack(x, axis)",
    "view": "ug.reshape(x, shape)",
    "expand": "ug.broadcast_to(x, shape)",
    "t": "x.T",
    "inverse": "ug.linalg.inv(x)",
    "reduce_prod": "ug.prod(x, axis)",
    "reduce_any": "ug.any(x, axis)",
    "reduce_all": "ug.all(x, axis)",
    "reduce_logsumexp": "ug.logsumexp(x, axis)",
    "math": "the function itself, ug.exp(x)",
    "numpy": "the function itself, ug.exp(x)",
    "lax": "the function itself: ug.exp(x), ug.scan, ug.cond, ug.while_loop",
    "function": "ug.compile(f)",
    "jacrev": "ug.jacobian(f, mode='reverse')",
    "jacfwd": "ug.jacobian(f, mode='forward')",
    "elementwise_grad": "ug.grad(lambda x: f(x).sum())",
    "is_tensor": "isinstance(x, ug.Tensor)",
    "is_grad_enabled": "ug.is_recording()",
    "set_grad_enabled": "ug.record() or ug.pause()",
    "set_default_dtype": "dtype= where an array is made: ug.zeros(shape, dtype=ug.float64)",
    "set_default_device": "device= where an array is made: ug.zeros(shape, device='cpu')",
    "device_put": "x.to_device(device)",
    "optim": "an optimiser of optax, PyTorch or SciPy, which serve here",
    "Module": "a plain class or dictionary that holds arrays, as ug.grad takes containers",
    "clamp": "ug.clip(x, min, max)",
    "permute": "ug.permute_dims(x, axes)",
    "unsqueeze": "ug.expand_dims(x, axis)",
    "mm": "ug.matmul(x, y)",
    "bmm": "ug.matmul(x, y)",
    "topk": "ug.top_k(x, k)",
    "cast": "ug.astype(x, dtype)",
    "index_add": "ug.scatter_add(x, key, values)",
    "segment_sum": "ug.scatter_add(ug.zeros((count, *x.shape[1:])), segments, x)",
    "reduce_sum": "ug.sum(x, axis)",
    "reduce_mean": "ug.mean(x, axis)",
    "reduce_max": "ug.max(x, axis)",
    "reduce_min": "ug.min(x, axis)",
    "rand": "ug.random.uniform(size=shape)",
    "randn": "ug.random.normal(size=shape)",
    "randint": "ug.random.integers(low, high, size)",
    "randperm": "ug.random.permutation(n)",
    "device": "the name of one: x.to_device('cuda:0'), ug.zeros(shape, device='cpu')",
    "jit": "ug.compile(f), or the framework's own around a unigrad function, jax.jit(f) or tf.function(f)",
    "lgamma": "ug.gammaln(x)",
    "func": "ug.grad, ug.vjp, ug.jvp and ug.vmap",
    "double": "ug.float64",
    "float": "ug.float32",
    "half": "ug.float16",
    "int": "ug.int32",
    "long": "ug.int64",
}

ROOMS: Mapping[str, str] = {
    "functional": "the function itself: ug.nn.relu(x)",
    "Sequential": "the functions one after the other",
    "default_rng": "ug.random.seed(value), and the functions of ug.random",
    "key": "ug.random.seed(value), or seed=value at a call",
    "PRNGKey": "ug.random.seed(value), or seed=value at a call",
} | {
    name: FUNCTIONS[name]
    for name in ("Module", "Parameter", "rand", "randn", "randint", "randperm", "manual_seed", "inverse")
}
"""What is looked for in ``ug.nn``, ``ug.linalg``, ``ug.random`` and the others."""


ARGUMENTS: Mapping[str, str] = {
    "dim": "axis",
    "dims": "axis",
    "axes": "axis",
    "reduction_indices": "axis",
    "keepdim": "keepdims",
    "keep_dims": "keepdims",
    "unbiased": "correction",
}
"""What arguments are called elsewhere, and here."""


def missing(
    owner: str, name: str, elsewhere: Mapping[str, str], names: Iterable[str], operations: Iterable[str] = ()
) -> MissingNameError:
    """The error for a name that ``owner`` has not: what to type instead, or the nearest of ``names``.

    ``operations`` are the dotted names of functions, one of which may be what is looked for in the wrong place.
    """
    function = next((dotted for dotted in operations if dotted.rpartition(".")[2] == name), None)
    if name in elsewhere:
        hint = f"; type {elsewhere[name]}"
    elif function is not None:
        hint = f"; type ug.{function}(x)"
    else:
        public = [other for other in names if not other.startswith("_")]
        # In lower case: what is a class elsewhere is a function here.
        close = difflib.get_close_matches(name, public, 1) or difflib.get_close_matches(name.lower(), public, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
    return MissingNameError(f"{owner} has no attribute {name!r}{hint}")


def unknown_argument(function: str, given: Mapping[str, object]) -> CallError:
    """The error for arguments that a function has not: what the first of them is called here."""
    name, value = next(iter(given.items()))
    hint = ""
    if name in ARGUMENTS:
        here = ARGUMENTS[name]
        hint = f"; type {here}={int(value) if name == 'unbiased' else value!r}"  # type: ignore[call-overload]
    return CallError(f"{function} has no argument {name!r}{hint}")


FURTHER: Mapping[str, tuple[str, ...]] = {
    "dim": ("axis", "axes"),
    "dims": ("axes", "axis"),
    "axes": ("axis",),
    "keepdim": ("keepdims",),
    "weight": ("weights",),
    "class_weight": ("weights",),
    "p": ("rate", "ord"),
    "prob": ("rate",),
    "size_average": ("reduction",),
    "reduce": ("reduction",),
    "kernel_size": ("kernel",),
    "pool_size": ("kernel",),
    "strides": ("stride",),
    "log_target": ("log_targets",),
    "shifts": ("shift",),
    "sections": ("indices_or_sections", "sections"),
    "epsilon": ("eps",),
    "momentum": ("running_mean",),
    "alpha": ("negative_slope",),
    "diagonal": ("k", "offset"),
    "gradient": ("head_grad",),
    "grad_tensors": ("head_grads", "head_grad"),
    "out_grad": ("head_grad",),
    "retain_grad": ("retain_graph",),
}
"""The same of single functions: the first of these that a function has."""


def misnamed(function: str, given: Mapping[str, object], alone: Collection[str], named: Collection[str]) -> CallError:
    """The error for arguments by name that a function has not so: ``alone`` are those that it takes by position alone,
    ``named`` those that it takes by name."""
    wrong = [name for name in given if name not in named]
    if not wrong:
        listed = ", ".join([*alone, *named])
        return CallError(f"{function} was not given all that it needs, or an argument twice; it takes {listed}")
    name = wrong[0]
    if name in alone:
        return CallError(f"{function} takes {name!r} by position: it takes {', '.join(alone)} and then names")
    here = next((other for other in FURTHER.get(name, ()) if other in named), None)
    if here is not None and here != "reduction":
        value = given[name]
        shown = repr(value) if isinstance(value, (int, float, str, tuple)) else "..."
        return CallError(f"{function} has no argument {name!r}; type {here}={shown}")
    listed = ", ".join(f"{other}=" for other in named) or "no names"
    return CallError(f"{function} has no argument {name!r}; it takes {listed}")


def beyond(function: str, given: Sequence[object], in_order: Sequence[str], named: Sequence[str]) -> CallError:
    """The error for arguments by position that a function takes by name alone: ``named``, after ``in_order``."""
    over = given[len(in_order) :]
    shown = [repr(value) if isinstance(value, (int, float, str, tuple)) else "..." for value in over]
    listed = ", ".join(f"{name}=" for name in named)
    hint = (
        f"type {named[0]}={shown[0]}" if len(named) == len(over) == 1 else f"name {', '.join(shown)}: it has {listed}"
    )
    return CallError(f"{function} takes {', '.join(in_order)} by position, and no more; {hint}")


def check_arguments(function: str, given: Mapping[str, object]) -> None:
    """CallError if one of the arguments is called so elsewhere alone."""
    for name in given:
        if name in ARGUMENTS:
            raise unknown_argument(function, {name: given[name]})
