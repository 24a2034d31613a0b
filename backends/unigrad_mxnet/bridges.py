"""A function that runs in another framework (``unigrad.bridge``) as one operation to MXNet's autograd."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np

from unigrad.extend import Bridged, UnigradWarning, has_gradients


class Bridge(mx.autograd.Function):
    """The call, as MXNet sees it: a vector with all floating arrays one after the other, to vectors.

    One vector, since MXNet drops the gradients of all that follow an input without one. MXNet calls back in a thread
    of its own, in which arrays without axes are unknown. It has no derivative of a derivative.
    """

    def __init__(self, call: Bridged, raws: Sequence[Any]) -> None:
        super().__init__()
        self.call = call
        self.raws = raws

    def forward(self, packed: Any) -> Any:
        self.results, pull = self.call.recorded(self.raws)
        self.pull = pull
        return tuple([y.reshape((-1,)) for y in self.results])

    def backward(self, *grads: Any) -> Any:
        try:
            shaped = [
                g.asnumpy().reshape(y.shape) for g, y in zip(grads, self.results, strict=True) if has_gradients(y.dtype)
            ]
            found = self.pull.value([*self.raws, *[mx.np.array(g, dtype=g.dtype) for g in shaped]])
            packed = np.concatenate([_flat(share.asnumpy()) for share in found])
        except Exception as error:
            # MXNet would print it, and go on with zeros.
            warnings.warn(f"the gradient of {self.call.name} is NaN, as it failed: {error}", UnigradWarning, 2)
            packed = np.full(sum(raw.size for raw in self.raws if has_gradients(np.dtype(raw.dtype))), np.nan)
        return mx.nd.array(packed, dtype="float64")


def bridged(call: Bridged, raws: Sequence[Any]) -> Sequence[Any]:
    """The results of ``call``; MXNet's engine goes through it where it records."""
    floating = [raw for raw in raws if has_gradients(np.dtype(raw.dtype))]
    if not mx.autograd.is_recording() or not floating:
        return call.value(raws)
    packed = mx.np.concatenate([raw.reshape((-1,)).astype("float64") for raw in floating])
    function = Bridge(call, [raw.detach() for raw in raws])
    # Not even MXNet's second derivative of this identity exists, so that it raises an error when asked for one;
    # through its Function alone it would give zeros.
    vectors = function(mx.npx.leaky_relu(packed, act_type="leaky", slope=1.0))
    return [vector.reshape(y.shape) for vector, y in zip(vectors, function.results, strict=True)]


def _flat(values: Any) -> Any:
    return values.reshape(-1).astype("float64")
