"""TensorFlow's own functions inside unigrad, and unigrad inside TensorFlow's tapes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from unigrad.extend import Bridged, Foreign, Raw, RawFunction, RawPull, RawStep
from unigrad_tensorflow.bridges import bridged
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


class TensorFlowForeign(Foreign):
    """By TensorFlow's tapes, forward accumulators, vectorized map and custom gradients."""

    def vjp(self, function: RawFunction, raws: Sequence[Raw], moving: Sequence[bool]) -> tuple[list[Raw], RawPull]:
        raws = told_apart(raws)
        moved = [raw for raw, marked in zip(raws, moving, strict=True) if marked]
        tape = open_tape(True, False)
        try:
            for raw in moved:
                watch(tape, raw)
            outs = function(raws)
        finally:
            close_tape(tape)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            known = [(out, g) for out, g in zip(outs, gs, strict=True) if g is not None]
            if not known:
                return [None] * len(moved)
            heads, given = zip(*known, strict=True)
            found = differentiate(tape, list(heads), moved, list(given), None, UNCONNECTED)
            return [None if share is None else dense(share) for share in found]

        return outs, pull

    def jvp(self, function: RawFunction, moving: Sequence[bool]) -> RawFunction:
        def run(raws: Sequence[Raw]) -> list[Raw]:
            own = told_apart(raws[: len(moving)])
            moved = [raw for raw, marked in zip(own, moving, strict=True) if marked]
            with tf.autodiff.ForwardAccumulator(moved, list(raws[len(moving) :])) as accumulator:
                outs = function(own)
            tangents = [accumulator.jvp(out) if out.dtype.is_floating or out.dtype.is_complex else None for out in outs]
            return [*outs, *[tf.zeros_like(out) if t is None else t for out, t in zip(outs, tangents, strict=True)]]

        return run

    def vmap(self, function: RawFunction, marks: Sequence[bool]) -> RawFunction:
        def of_batch(*raws: Raw) -> list[Raw]:
            def of_element(elements: Sequence[Raw]) -> list[Raw]:
                supply = iter(elements)
                return function([next(supply) if marked else raw for raw, marked in zip(raws, marks, strict=True)])

            found = tf.vectorized_map(of_element, [raw for raw, marked in zip(raws, marks, strict=True) if marked])
            return list(found)

        def run(raws: Sequence[Raw]) -> list[Raw]:
            # As one graph: called by itself, vectorized_map warns that it makes a new one each time, as it must.
            graph = tf.function(of_batch, autograph=False)
            return list(graph.get_concrete_function(*map(tf.TensorSpec.from_tensor, raws))(*raws))

        return run

    def follows(self, raw: Raw) -> bool:
        return looks_on()

    def followed(self, function: RawStep, raws: Sequence[Raw]) -> list[Raw]:
        @tf.custom_gradient
        def step(*raws: Raw) -> tuple[tuple[Raw, ...], Callable[..., list[Raw]]]:
            outs, _ = function(raws)

            def pull_back(*gs: Raw) -> list[Raw]:
                # Called again where TensorFlow sees it: what was computed inside the step it did not follow.
                outs, pull = function(raws)
                given = [
                    g if out.dtype.is_floating or out.dtype.is_complex else None
                    for g, out in zip(gs, outs, strict=True)
                ]
                return list(pull(given))

            return tuple(outs), pull_back

        return list(step(*raws))

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        return bridged(call, raws)

    def array_in(self, holder: Any) -> Raw | None:
        return tf.convert_to_tensor(holder) if isinstance(holder, tf.Variable) else None
