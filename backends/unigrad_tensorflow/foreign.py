"""TensorFlow's own functions inside unigrad, and unigrad inside TensorFlow's tapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf
from tensorflow.core.function.trace_type import from_value
from tensorflow.core.function.trace_type.custom_nest_trace_type import CustomNestTraceType

from unigrad.extend import DtypeError, Elsewhere, Followed, Foreign, Moving, Raw, RawPull, not_plain
from unigrad_tensorflow.tape import (
    UNCONNECTED,
    close_tape,
    dense,
    differentiate,
    looks_on,
    open_tape,
    told_apart,
    watch,
)

NOT_PLAIN = {
    tf.SparseTensor: "tf.sparse.to_dense(raw)",
    tf.RaggedTensor: "raw.to_tensor()",
    tf.IndexedSlices: "tf.convert_to_tensor(raw)",
}
"""What stands for an array in TensorFlow and is none, and how it becomes one."""


class TensorFlowForeign(Foreign):
    """By TensorFlow's tapes, forward accumulators, vectorized map and custom gradients."""

    def vjp(self, function: Moving) -> tuple[Sequence[Raw], RawPull]:
        function = function._replace(raws=told_apart(function.raws))
        primals = function.primals
        tape = open_tape(True, False)
        try:
            for raw in primals:
                watch(tape, raw)
            floating, outs = function(*primals)
        finally:
            close_tape(tape)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            known = [(y, g) for y, g in zip(floating, gs, strict=True) if g is not None]
            if not known:
                return [None] * len(primals)
            heads, given = zip(*known, strict=True)
            found = differentiate(tape, list(heads), primals, list(given), None, UNCONNECTED)
            return [None if share is None else dense(share) for share in found]

        return outs, pull

    def jvp(self, function: Moving, tangents: Sequence[Raw]) -> tuple[Sequence[Raw], Sequence[Raw]]:
        function = function._replace(raws=told_apart(function.raws))
        primals = function.primals
        with tf.autodiff.ForwardAccumulator(primals, list(tangents)) as accumulator:
            floating, outs = function(*primals)
        pushed = [accumulator.jvp(y) for y in floating]
        return outs, [tf.zeros_like(y) if t is None else t for y, t in zip(floating, pushed, strict=True)]

    def vmap(self, function: Moving) -> Sequence[Raw]:
        def of_batch(*batches: Raw) -> list[Raw]:
            return list(tf.vectorized_map(lambda elements: list(function.results(*elements)), list(batches)))

        # As one graph: called by itself, vectorized_map warns that it makes a new one each time, as it must.
        graph = tf.function(of_batch, autograph=False)
        return list(graph.get_concrete_function(*map(tf.TensorSpec.from_tensor, function.primals))(*function.primals))

    def follows(self, raw: Raw) -> bool:
        return looks_on()

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw]:
        if not looks_on():
            return step.value(raws)

        @tf.custom_gradient
        def run(*given: Raw) -> tuple[tuple[Raw, ...], Callable[..., list[Raw | None]]]:
            results, pull = step.recorded(given)
            return tuple(results), lambda *grads: list(pull(given, grads))

        return tf.nest.flatten(run(*raws))

    def later(self, call: Elsewhere, raws: Sequence[Raw]) -> list[Raw]:
        shapes = [raw.shape.as_list() for raw in raws]
        described = call.described([[1 if length is None else length for length in shape] for shape in shapes], raws)
        found = tf.numpy_function(call.on_host, list(raws), [tf.as_dtype(dtype) for _, dtype in described])
        for y, (shape, _) in zip(found, described, strict=True):
            y.set_shape([None] * len(shape) if any(None in given for given in shapes) else shape)
        return list(found)

    def array_in(self, holder: Any) -> Raw | None:
        if type(holder) in NOT_PLAIN:
            raise not_plain(self.backend, f"a {type(holder).__name__}", NOT_PLAIN[type(holder)])
        return tf.convert_to_tensor(holder) if isinstance(holder, tf.Variable) else None

    def contain(self, kind: type, array_of: Callable[[Any], Raw], with_array: Callable[[Any], Any]) -> None:
        kind.__tf_flatten__ = lambda container: ((), (array_of(container),))  # type: ignore[attr-defined]
        kind.__tf_unflatten__ = staticmethod(lambda _, parts: _held(kind, with_array, parts[0]))  # type: ignore[attr-defined]
        kind.__tf_tracing_type__ = lambda container, context: CustomNestTraceType(  # type: ignore[attr-defined]
            kind, (), (from_value(array_of(container), context),)
        )


def _held(kind: Any, with_array: Callable[[Any], Any], part: Any) -> Any:
    """What stands in place of a Tensor for what stands in place of its array, in a structure of TensorFlow's."""
    if isinstance(part, tf.TensorSpec):
        # The structure of a data set's elements, which has a Tensor for each.
        return kind.of(part, None)
    if type(part).__name__ == "_DotString":
        # It writes two structures into an error, since they are not alike: one has arrays where the other has Tensors.
        raise DtypeError(
            "TensorFlow was given its own arrays and got Tensors back, or the other way round, which are two "
            "structures to it: return x.raw from the function, or give it Tensors, ug.asarray(x)"
        )
    return with_array(part)
