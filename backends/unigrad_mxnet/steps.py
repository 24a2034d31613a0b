"""A function that runs elsewhere as one operation to MXNet's autograd."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np

from unigrad.extend import Followed, Raw, UnigradWarning, has_gradients


class Step(mx.autograd.Function):
    """The step, as MXNet sees it: a vector with all floating arrays one after the other, to vectors.

    One vector, since MXNet drops the gradients of all that follow an input without one. MXNet calls back in a thread
    of its own, in which arrays without axes are unknown. It has no derivative of a derivative.
    """

    def __init__(self, step: Followed, raws: Sequence[Raw]) -> None:
        super().__init__()
        self.step = step
        self.raws = raws

    def forward(self, packed: Raw) -> Any:
        self.results, self.pull = self.step.recorded(self.raws)
        return tuple([y.reshape((-1,)) for y in self.results])

    def backward(self, *grads: Raw) -> Raw:
        try:
            gs = [
                mx.np.array(g.asnumpy().reshape(y.shape), dtype=y.dtype)
                for g, y in zip(grads, self.results, strict=True)
            ]
            shares = [share for share in self.pull(self.raws, gs) if share is not None]
            packed = np.concatenate([share.asnumpy().reshape(-1).astype("float64") for share in shares])
        except Exception as error:
            # MXNet would print it, and go on with zeros.
            warnings.warn(f"the gradient of {self.step.name} is NaN, as it failed: {error}", UnigradWarning, 2)
            packed = np.full(sum(raw.size for raw in self.raws if has_gradients(np.dtype(raw.dtype))), np.nan)
        return mx.nd.array(packed, dtype="float64")


def followed(step: Followed, raws: Sequence[Raw]) -> list[Raw]:
    """The results of ``step``; MXNet's engine goes through it where it records."""
    floating = [raw for raw in raws if has_gradients(np.dtype(raw.dtype))]
    if not mx.autograd.is_recording() or not floating:
        return step.value(raws)
    packed = mx.np.concatenate([raw.reshape((-1,)).astype("float64") for raw in floating])
    function = Step(step, [raw.detach() for raw in raws])
    # Not even MXNet's second derivative of this identity exists, so that it raises an error when asked for one;
    # through its Function alone it would give zeros.
    vectors = function(mx.npx.leaky_relu(packed, act_type="leaky", slope=1.0))
    return [vector.reshape(y.shape) for vector, y in zip(vectors, function.results, strict=True)]
