"""What unigrad asks of TensorFlow beyond array functions: conversion, recording, and the backward pass."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from unigrad.extend import (
    HOST,
    Backend,
    DType,
    Raw,
    RawFunction,
    UnsupportedError,
    everything,
    exported,
    from_host,
    load_triton,
    quietly,
    ruled,
    values_unknown,
)
from unigrad_tensorflow.replaced import REPLACED

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
OWN_MODULES = ("unigrad", "unigrad_tensorflow")


class TensorFlowBackend(Backend):
    """TensorFlow."""

    name = framework = distribution = "tensorflow"
    install = "pip install 'unigrad[tensorflow]'"
    differentiates = "each operation"
    immutable = keeps_read_only = True
    max_ndim = 8
    replaced: ClassVar = REPLACED | ruled()

    def load(self) -> None:
        load_triton(pytorch=False)
        # TensorFlow prints its first messages before it reads the level.
        with quietly(LEVEL, os.environ.get(LEVEL, "3")):
            import tensorflow as tf

            tf.constant(0)  # what it has to say about the machine comes with the first operation
        from tensorflow.python.autograph.core import config

        from unigrad_tensorflow import tape
        from unigrad_tensorflow.foreign import NOT_PLAIN, TensorFlowForeign
        from unigrad_tensorflow.functions import primitives

        self.tf = tf
        self._looks_on = tape.looks_on
        self.raw_dtypes = {dtype: getattr(tf, str(dtype)) for dtype in everything()}
        self.array_types = (tf.Tensor,)
        self.variable_types = (tf.Variable, *NOT_PLAIN)
        self.functions = primitives(self)
        self.engine = tape.TensorFlowEngine(self)
        self.foreign = TensorFlowForeign(self)
        self._is_symbolic = tf.is_symbolic_tensor
        # AutoGraph rewrites what a tf.function calls. There is nothing in here for it to rewrite, and it fails at some.
        config.CONVERSION_RULES = tuple(map(config.DoNotConvert, OWN_MODULES)) + tuple(config.CONVERSION_RULES)

    def admit(self, raw: Raw) -> Raw:
        super().admit(raw)
        if self._is_symbolic(raw) and not raw.shape.is_fully_defined():
            raise UnsupportedError(
                f"backend 'tensorflow' needs all sizes of an array, and tf.function traces this one with the shape "
                f"{raw.shape}; call it without an input_signature that leaves sizes open, and batch a dataset with "
                f"drop_remainder=True"
            )
        return raw

    def is_known(self, raw: Raw) -> bool:
        return not self._is_symbolic(raw)

    def version(self) -> str:
        return str(self.tf.__version__)  # the distribution may be tensorflow-cpu

    def from_numpy(self, array: np.ndarray[Any, Any], device: Any = None) -> Raw:
        if device is None or not self.tf.executing_eagerly():  # there the user's own scopes place it
            return self.tf.constant(array)
        with self.tf.device(device):
            return self.tf.constant(array)

    def to_numpy(self, raw: Raw) -> np.ndarray[Any, Any]:
        if self._is_symbolic(raw):
            raise values_unknown(self.name)
        return np.asarray(raw.numpy())

    def copied(self, raw: Raw) -> Raw:
        return self.tf.identity(raw) if self._looks_on() else super().copied(raw)

    def compiled(self, function: RawFunction, engine: str | None) -> RawFunction:
        tf, called = self.tf, super().compiled(function, engine)
        made: Any = None

        def run(raws: Sequence[Raw]) -> list[Raw]:
            nonlocal made
            if made is None:
                whole = tf.function(lambda *given: called(given), autograph=False)
                # The one that there is: a tf.function looks for it at each call.
                made = whole.get_concrete_function(*[tf.TensorSpec(raw.shape, raw.dtype) for raw in raws])
            return list(made(*raws))

        return run

    def signature(self, raw: Raw, dtype: DType) -> Any:
        return (raw.shape, dtype, raw.device)

    def device(self, raw: Raw) -> Any:
        return _short(raw.device) if raw.device else self.devices()[0]  # in a tf.function it is nowhere yet

    def devices(self) -> Sequence[Any]:
        # TensorFlow's default is the last kind that it lists.
        return tuple(reversed([_short(device.name) for device in self.tf.config.list_logical_devices()]))

    def to_device(self, raw: Raw, device: Any) -> Raw:
        with self.tf.device(device):
            return self.tf.identity(raw)

    def together(self, primitive: str, raws: Sequence[Any]) -> None:
        """TensorFlow itself copies what lies elsewhere, so that something else was wrong."""

    def to_dlpack(self, raw: Raw, copy: bool | None, max_version: tuple[int, int] | None, **where: Any) -> Any:
        def own(raw: Raw) -> Any:
            return self.tf.experimental.dlpack.to_dlpack(self.tf.raw_ops.DeepCopy(x=raw) if copy else raw)

        return exported(self, raw, copy, max_version, where.get("dl_device"), own)

    def from_dlpack(self, source: Any, copy: bool | None) -> Raw:
        share = self.tf.experimental.dlpack.from_dlpack
        if tuple(source.__dlpack_device__()) != HOST:
            shared = share(source.__dlpack__())
            return self.tf.raw_ops.DeepCopy(x=shared) if copy else shared
        return from_host(source, copy, lambda memory: share(memory.__dlpack__()), self.from_numpy, self.immutable)


def _short(device: str) -> str:
    kind, _, number = device.rpartition("device:")[2].lower().partition(":")
    return kind if kind == "cpu" else f"{kind}:{number}"
