"""Recorded operations, each with a TensorFlow tape of its own.

The tapes are used through TensorFlow's own low-level interface: a ``tf.GradientTape`` adds to each
operation a good part of what the operation itself costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tensorflow.python import pywrap_tfe
from tensorflow.python.ops import gen_math_ops

from unigrad.extend import CallNode, Engine, Node, Parents, Primitive, Raw
from unigrad_tensorflow.halves import half_of, in_float32

open_tape = pywrap_tfe.TFE_Py_TapeSetNew
close_tape = pywrap_tfe.TFE_Py_TapeSetRemove
watch = pywrap_tfe.TFE_Py_TapeWatch
differentiate = pywrap_tfe.TFE_Py_TapeGradient
add = gen_math_ops.add_v2

UNCONNECTED = "none"


def looks_on() -> bool:
    """Whether TensorFlow may be asked for a derivative of what is done now: in a tf.function, or under a tape."""
    return not (tf.executing_eagerly() and pywrap_tfe.TFE_Py_TapeSetIsEmpty())


class TapeNode(CallNode):
    """One operation, with what came out, and the tape of that run."""

    __slots__ = ("tape",)

    def pull(self, xp: Any, g: Raw, cotangents: dict[Node, Raw], owned: dict[Node, bool]) -> None:
        tracked = [(parent, raw) for parent, raw in zip(self.more, self.raws, strict=True) if parent is not None]
        parents, raws = zip(*tracked, strict=True)
        found = differentiate(self.tape, [self.out], raws, [g], None, UNCONNECTED)
        for parent, raw, part in zip(parents, raws, found, strict=True):
            # To TensorFlow a constant function is not connected to its input; its derivative is zero all the same.
            share = tf.zeros_like(raw) if part is None else dense(part)
            held = cotangents.get(parent)
            cotangents[parent] = share if held is None else add(held, share)

    def release(self) -> None:
        super().release()
        self.tape = None


def told_apart(raws: Sequence[Raw]) -> Sequence[Raw]:
    """A tape knows tensors by identity: of one given twice, each place would get the sum of both shares."""
    if len(raws) == 1 or (len(raws) == 2 and raws[0] is not raws[1]):
        return raws
    seen: set[int] = set()
    return [
        raw if isinstance(raw, float) else tf.identity(raw) if id(raw) in seen or seen.add(id(raw)) else raw
        for raw in raws
    ]


def dense(g: Any) -> Raw:
    """The gradient of a gather comes as rows and their numbers, to be added up, of halves in float32."""
    if not isinstance(g, tf.IndexedSlices):
        return g
    if g.dtype is not tf.float16 and g.dtype is not tf.bfloat16:
        return tf.convert_to_tensor(g)
    wide = tf.IndexedSlices(tf.cast(g.values, tf.float32), g.indices, g.dense_shape)
    return tf.cast(tf.convert_to_tensor(wide), g.dtype)


REPEATING = frozenset({"broadcast_to", "linear", "getitem", "take_along_axis", "embedding"})


def _repeats(primitive: Primitive, raws: Sequence[Raw]) -> bool:
    """Whether an element goes to several places, from where TensorFlow adds up its gradient in the element's own dtype:
    4,096 ones of float16 to 2,048."""
    if primitive.name in REPEATING:
        return True
    return primitive.kind == "elementwise" and len({tuple(raw.shape) for raw in raws if hasattr(raw, "shape")}) > 1


class TensorFlowEngine(Engine):
    """Each recorded operation has a tape of its own, and unigrad walks from tape to tape."""

    pulls_raw = True
    stops_at_inputs = True
    conjugate_pulls = True

    def record(
        self, primitive: Primitive, parents: Parents, raws: Sequence[Raw], statics: Sequence[Any]
    ) -> tuple[Raw, Node]:
        function = self.backend.function(primitive.name)
        if half_of(raws) is not None and _repeats(primitive, raws):
            function = in_float32(function)
        raws = told_apart(raws)
        tape = open_tape(True, False)
        try:
            for raw, parent in zip(raws, parents, strict=True):
                if parent is not None:
                    watch(tape, raw)
            out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
        finally:
            close_tape(tape)
        node = TapeNode(primitive, parents, raws, statics, out)
        node.tape = tape
        return out, node

    def constant(self, raw: Raw) -> Raw:
        return tf.stop_gradient(raw) if looks_on() else raw
