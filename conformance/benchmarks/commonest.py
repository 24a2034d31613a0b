"""Each public operation and method in its commonest call, as data: what ``make bench-operations`` measures.

A call is source over ``ug`` and inputs by name, of which :func:`inputs` makes small ones (14 x 14, or 56 in a row) and
large ones (100,000 elements). What is no row of :data:`CALLS` and no elementwise operation of the samples is measured
by its first sample, as it stands, so that no operation is unseen; ``conformance/tests/test_benchmarks.py`` holds it to
that. A framework's own call is the same source over its own functions, unless :data:`THEIRS` has another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from unigrad_conformance.catalogue import FAMILIES
from unigrad_conformance.samples.generated import ROWS

from unigrad.table import OPERATIONS

Inputs = dict[str, np.ndarray[Any, Any]]
SMALL, LARGE = "small", "large"
SHAPES = {SMALL: ((14, 14), (56,)), LARGE: ((250, 400), (100_000,))}


def inputs(size: str) -> Inputs:
    """What the rows below are calls of: matrices x and y, vectors v and w, one row b of a matrix, a mask m, indices n,
    a positive definite matrix a and a complex matrix z. Floats are float32."""
    matrix, vector = SHAPES[size]
    rng = np.random.default_rng(0)
    found: Inputs = {name: rng.uniform(0.2, 0.9, matrix).astype("float32") for name in "xy"}
    found |= {name: rng.uniform(0.2, 0.9, vector).astype("float32") for name in "vw"}
    found["b"] = found["y"][0]
    found["m"] = found["x"] > 0.5
    found["n"] = np.arange(0, matrix[0], 2)
    order = min(matrix[0], 64)
    square = rng.normal(size=(order, order)).astype("float32")
    found["a"] = square @ square.T + order * np.eye(order, dtype="float32")
    found["z"] = (found["x"] + 1j * found["y"]).astype("complex64")
    return found


CALLS = {
    "clip": "ug.clip(x, 0.3, 0.7)",
    "convolve": "ug.convolve(v, w[:50])",
    "where": "ug.where(m, x, y)",
    "take": "ug.take(x, n, axis=0)",
    "reshape": "ug.reshape(x, (-1,))",
    "permute_dims": "ug.permute_dims(x, (1, 0))",
    "matrix_transpose": "ug.matrix_transpose(x)",
    "moveaxis": "ug.moveaxis(x, 0, 1)",
    "swapaxes": "ug.swapaxes(x, 0, 1)",
    "expand_dims": "ug.expand_dims(x, axis=0)",
    "squeeze": "ug.squeeze(x[None], 0)",
    "broadcast_to": "ug.broadcast_to(b, x.shape)",
    "ravel": "ug.ravel(x)",
    "flip": "ug.flip(x, axis=0)",
    "roll": "ug.roll(x, 1, 0)",
    "concat": "ug.concat([x, y, x, y], axis=0)",
    "stack": "ug.stack([x, y, x, y], axis=0)",
    "hstack": "ug.hstack([x, y])",
    "vstack": "ug.vstack([x, y])",
    "split": "ug.split(x, 2)",
    "unstack": "ug.unstack(x)" ,
    "tril": "ug.tril(x)",
    "triu": "ug.triu(x)",
    "tile": "ug.tile(b, (2,))",
    "repeat": "ug.repeat(v, 2)",
    "sum": "ug.sum(x, axis=1)",
    "prod": "ug.prod(x, axis=1)",
    "max": "ug.max(x, axis=1)",
    "min": "ug.min(x, axis=1)",
    "mean": "ug.mean(x, axis=1)",
    "var": "ug.var(x, axis=1)",
    "std": "ug.std(x, axis=1)",
    "logsumexp": "ug.logsumexp(x, axis=1)",
    "any": "ug.any(m)",
    "all": "ug.all(m)",
    "argmax": "ug.argmax(x, axis=1)",
    "argmin": "ug.argmin(x, axis=1)",
    "argsort": "ug.argsort(x)",
    "sort": "ug.sort(x)",
    "cumulative_sum": "ug.cumulative_sum(x, axis=1)",
    "cumulative_prod": "ug.cumulative_prod(x, axis=1)",
    "diff": "ug.diff(v)",
    "matmul": "ug.matmul(a, a)",
    "dot": "ug.dot(v, w)",
    "outer": "ug.outer(b, b)",
    "tensordot": "ug.tensordot(a, a, axes=1)",
    "vecdot": "ug.vecdot(x, y)",
    "einsum": "ug.einsum('ij,jk->ik', a, a)",
    "power": "ug.power(x, y)",
    "from_dlpack": "ug.from_dlpack(x.detach())",
    "zeros_like": "ug.zeros_like(x)",
    "ones_like": "ug.ones_like(x)",
    "astype": "ug.astype(x, ug.float64)",
    "linalg.norm": "ug.linalg.norm(x)",
    "linalg.inv": "ug.linalg.inv(a)",
    "linalg.solve": "ug.linalg.solve(a, a)",
    "linalg.cholesky": "ug.linalg.cholesky(a)",
    "linalg.det": "ug.linalg.det(a / 32)",
    "fft.fft": "ug.fft.fft(z)",
    "fft.rfft": "ug.fft.rfft(x)",
    "nn.softmax": "ug.nn.softmax(x, axis=-1)",
    "nn.log_softmax": "ug.nn.log_softmax(x, axis=-1)",
    "nn.layer_norm": "ug.nn.layer_norm(x)",
    "nn.rms_norm": "ug.nn.rms_norm(x)",
    "nn.linear": "ug.nn.linear(x, y, y[:, 0])",
    "nn.mse_loss": "ug.nn.mse_loss(x, y)",
    "nn.l1_loss": "ug.nn.l1_loss(x, y)",
}  # fmt: skip
"""By the name of an operation."""

METHODS = {
    "x[1]": "x[1]",
    "x[:, 1]": "x[:, 1]",
    "x[:7]": "x[:7]",
    "x[None]": "x[None]",
    "x[n]": "x[n]",
    "x[m]": "x[m]",
    "+": "x + y",
    "-": "x - y",
    "*": "x * y",
    "/": "x / y",
    "@": "a @ a",
    "** 2": "x ** 2",
    "* 2.5": "x * 2.5",
    "-x": "-x",
    "T": "x.T",
    "mT": "x.mT",
    "real": "z.real",
    "imag": "z.imag",
    "conj": "z.conj()",
    "at": "x.at[0].set(1.0)",
    "sum": "x.sum()",
    "prod": "x.prod()",
    "mean": "x.mean()",
    "var": "x.var()",
    "std": "x.std()",
    "max": "x.max()",
    "min": "x.min()",
    "any": "m.any()",
    "all": "m.all()",
    "argmax": "x.argmax()",
    "argmin": "x.argmin()",
    "cumsum": "x.cumsum(0)",
    "cumprod": "x.cumprod(0)",
    "dot": "v.dot(w)",
    "reshape": "x.reshape(-1)",
    "ravel": "x.ravel()",
    "flatten": "x.flatten()",
    "transpose": "x.transpose(1, 0)",
    "squeeze": "x[None].squeeze(0)",
    "astype": "x.astype('float64')",
    "clip": "x.clip(0.3, 0.7)",
    "round": "x.round()",
    "take": "x.take(n, 0)",
    "choose": "(n * 0).choose([n, n])",
    "argsort": "x.argsort()",
    "argpartition": "v.argpartition(3)",
    "diagonal": "x.diagonal()",
    "trace": "x.trace()",
    "repeat": "v.repeat(2)",
    "swapaxes": "x.swapaxes(0, 1)",
    "nonzero": "x.nonzero()",
    "compress": "x.compress(m[0], 1)",
    "searchsorted": "n.searchsorted(n)",
    "ptp": "x.ptp()",
    "norm": "x.norm()",
    "conjugate": "z.conjugate()",
}
"""What users write after an array, and between two."""

EVERYDAY = (
    "nn.layer_norm", "clip", "method.x[1]", "take", "method.x[None]", "concat", "method.x[:, 1]", "var", "nn.sigmoid",
    "method.x[:7]", "permute_dims", "stack", "nn.softmax", "einsum", "logsumexp", "reshape", "where", "nn.gelu",
    "method.** 2", "sum", "mean", "max", "multiply", "matmul", "tanh",
)  # fmt: skip
"""The rows that a median of their own stands for."""

NO_ARRAYS = {"finfo", "iinfo", "isdtype", "result_type", "can_cast", "itemsize", "nbytes"}
"""Operations and methods that answer with no array."""

_TORCH = {
    "take": "torch.index_select(x, 0, n)",
    "permute_dims": "torch.permute(x, (1, 0))",
    "matrix_transpose": "x.mT",
    "expand_dims": "torch.unsqueeze(x, 0)",
    "flip": "torch.flip(x, (0,))",
    "concat": "torch.cat([x, y, x, y], 0)",
    "split": "torch.split(x, x.shape[0] // 2)",
    "unstack": "torch.unbind(x)",
    "repeat": "torch.repeat_interleave(v, 2)",
    "max": "torch.amax(x, 1)",
    "min": "torch.amin(x, 1)",
    "var": "torch.var(x, 1, correction=0)",
    "std": "torch.std(x, 1, correction=0)",
    "sort": "torch.sort(x, stable=True).values",
    "convolve": "F.conv1d(v[None, None], w[:50].flip(0)[None, None], padding=49)",
    "cumulative_sum": "torch.cumsum(x, 1)",
    "cumulative_prod": "torch.cumprod(x, 1)",
    "outer": "torch.outer(b, b)",
    "vecdot": "torch.linalg.vecdot(x, y)",
    "astype": "x.to(torch.float64)",
    "argwhere": "torch.argwhere(x)",
    "gammaln": "torch.lgamma(x)",
    "bitwise_invert": "torch.bitwise_not(x)",
    "equal": "torch.eq(x, y)",
    "nn.softmax": "F.softmax(x, -1)",
    "nn.log_softmax": "F.log_softmax(x, -1)",
    "nn.layer_norm": "F.layer_norm(x, x.shape[-1:])",
    "nn.rms_norm": "F.rms_norm(x, x.shape[-1:])",
    "nn.log_sigmoid": "F.logsigmoid(x)",
    "nn.hard_tanh": "F.hardtanh(x)",
    "nn.hard_sigmoid": "F.hardsigmoid(x)",
    "nn.conv_transpose1d": "F.conv_transpose1d(x, w)",
    "nn.huber_loss": "F.huber_loss(x, y)",
    "method.astype": "x.to(torch.float64)",
    "method.take": "torch.index_select(x, 0, n)",
    "method.repeat": "torch.repeat_interleave(v, 2)",
    "method.max": "torch.amax(x)",
    "method.min": "torch.amin(x)",
    "method.var": "torch.var(x, correction=0)",
    "method.std": "torch.std(x, correction=0)",
    "method.argsort": "torch.argsort(x, stable=True)",
    "method.conj": "torch.conj_physical(z)",
}
_TENSORFLOW = {
    "clip": "tf.clip_by_value(x, 0.3, 0.7)",
    "take": "tf.gather(x, n, axis=0)",
    "permute_dims": "tf.transpose(x, (1, 0))",
    "matrix_transpose": "tf.linalg.matrix_transpose(x)",
    "swapaxes": "tf.transpose(x, (1, 0))",
    "ravel": "tf.reshape(x, (-1,))",
    "flip": "tf.reverse(x, (0,))",
    "concat": "tf.concat([x, y, x, y], 0)",
    "unstack": "tf.unstack(x)",
    "repeat": "tf.repeat(v, 2)",
    "sum": "tf.reduce_sum(x, 1)",
    "prod": "tf.reduce_prod(x, 1)",
    "max": "tf.reduce_max(x, 1)",
    "min": "tf.reduce_min(x, 1)",
    "mean": "tf.reduce_mean(x, 1)",
    "var": "tf.math.reduce_variance(x, 1)",
    "std": "tf.math.reduce_std(x, 1)",
    "logsumexp": "tf.reduce_logsumexp(x, 1)",
    "any": "tf.reduce_any(m)",
    "all": "tf.reduce_all(m)",
    "argmax": "tf.argmax(x, 1)",
    "argmin": "tf.argmin(x, 1)",
    "cumulative_sum": "tf.cumsum(x, 1)",
    "cumulative_prod": "tf.math.cumprod(x, 1)",
    "matmul": "tf.matmul(a, a)",
    "tensordot": "tf.tensordot(a, a, 1)",
    "astype": "tf.cast(x, tf.float64)",
    "nn.softmax": "tf.nn.softmax(x, -1)",
    "nn.log_softmax": "tf.nn.log_softmax(x, -1)",
    "method.sum": "tf.reduce_sum(x)",
    "method.mean": "tf.reduce_mean(x)",
    "method.max": "tf.reduce_max(x)",
    "method.min": "tf.reduce_min(x)",
    "method.var": "tf.math.reduce_variance(x)",
    "method.std": "tf.math.reduce_std(x)",
    "method.prod": "tf.reduce_prod(x)",
    "method.T": "tf.transpose(x)",
    "method.mT": "tf.linalg.matrix_transpose(x)",
    "method.reshape": "tf.reshape(x, (-1,))",
    "method.transpose": "tf.transpose(x, (1, 0))",
    "method.clip": "tf.clip_by_value(x, 0.3, 0.7)",
    "method.astype": "tf.cast(x, tf.float64)",
    "method.x[n]": "tf.gather(x, n)",
    "method.x[m]": "tf.boolean_mask(x, m)",
    "linalg.inv": "tf.linalg.inv(a)",
}
_MXNET = {
    "matrix_transpose": "np.swapaxes(x, -1, -2)",
    "permute_dims": "np.transpose(x, (1, 0))",
    "concat": "np.concatenate([x, y, x, y], axis=0)",
    "cumulative_sum": "np.cumsum(x, axis=1)",
    "astype": "x.astype('float64')",
    "nn.softmax": "npx.softmax(x, axis=-1)",
    "nn.log_softmax": "npx.log_softmax(x, axis=-1)",
    "nn.relu": "npx.relu(x)",
    "nn.sigmoid": "npx.sigmoid(x)",
}
_JAX = {
    "astype": "x.astype('float32')",
    "logsumexp": "jax.scipy.special.logsumexp(x, axis=1)",
    "gammaln": "jax.scipy.special.gammaln(x)",
    "erf": "jax.scipy.special.erf(x)",
}
THEIRS = {"torch": _TORCH, "tensorflow": _TENSORFLOW, "mxnet": _MXNET, "jax": _JAX}
"""By framework and name: its own call, where it is written in another way than ours."""


@dataclass(frozen=True)
class Call:
    """One row of the benchmark."""

    name: str
    """The operation's name, or ``method.`` and what is written after an array."""
    source: str
    inputs: Inputs


def calls(size: str) -> Iterator[Call]:
    """Every row; of the large ones those whose inputs have a size to choose."""
    common = inputs(size)
    rows = {row.operation: row for row in ROWS if row.operation in OPERATIONS}
    samples = {sample.operation: sample for family in reversed(FAMILIES) for sample in reversed(family.samples)}
    for name in OPERATIONS:
        if name in CALLS:
            yield Call(name, CALLS[name], _named(CALLS[name], common))
        elif name in rows:
            row = rows[name]
            rng = np.random.default_rng(0)
            made = {
                x: rng.uniform(low, high, SHAPES[size][0]) for x, (low, high) in zip("xy", row.domains, strict=False)
            }
            if "f" not in row.takes:
                made = {x: (value > 0.5).astype("int64") for x, value in made.items()}
            values = {x: value.astype("float32") if value.dtype.kind == "f" else value for x, value in made.items()}
            yield Call(name, f"ug.{name}({', '.join(values)})", values)
        elif size == SMALL and name in samples:
            sample = samples[name]
            values = {
                x: value.astype({"f": "float32", "c": "complex64"}.get(value.dtype.kind, value.dtype))
                for x, value in sample.inputs.items()
            }
            yield Call(name, sample.source, values)
    for name, source in METHODS.items():
        yield Call(f"method.{name}", source, _named(source, common))


def _named(source: str, common: Inputs) -> Inputs:
    """The inputs that a source names."""
    used = set(compile(source, "<call>", "eval").co_names)
    return {name: value for name, value in common.items() if name in used}
