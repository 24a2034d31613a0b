"""MXNet's own functions inside unigrad, and unigrad inside MXNet's graph."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from typing import Any

import mxnet as mx
import numpy as np

from unigrad.extend import Followed, Foreign, Moving, Raw, RawFunction, UnigradWarning, UnsupportedError, not_plain
from unigrad_mxnet.functions import has_empty
from unigrad_mxnet.library import within

_UNREACHED = re.compile("unreachable from the outputs|not in a computational graph")


@within
def marked(raws: Sequence[Raw]) -> list[Raw]:
    """The arrays as variables of MXNet's autograd, which share their memory."""
    variables = [raw.detach() for raw in raws]
    # Each must have a gradient; autograd.grad() neither reads nor writes it.
    mx.autograd.mark_variables(variables, [mx.nd.zeros((1,))] * len(variables))
    return variables


@within
def gradients(heads: Sequence[Raw], gs: Sequence[Raw], variables: Sequence[Raw]) -> list[Raw | None]:
    """What MXNet pulls back to marked variables, None where no head depends on one: there it raises an error."""
    try:
        found = mx.autograd.grad(heads, variables, gs, retain_graph=True)
        return [grad.as_np_ndarray() for grad in found]
    except mx.base.MXNetError as error:
        if not _UNREACHED.search(str(error)):
            raise
    if len(heads) == len(variables) == 1:
        return [None]
    found = []
    for variable in variables:
        shares = [gradients([head], [g], [variable])[0] for head, g in zip(heads, gs, strict=True)]
        reached = [share for share in shares if share is not None]
        found.append(sum(reached[1:], reached[0]) if reached else None)
    return found


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
            packed = np.full(sum(raw.size for raw in self.raws if raw.dtype.kind == "f"), np.nan)
        return mx.nd.array(packed, dtype="float64")


class MXNetForeign(Foreign):
    """By MXNet's autograd, once."""

    twice = False

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw]:
        """The results of ``step``; MXNet's engine goes through it where it records."""
        floating = [raw for raw in raws if raw.dtype.kind == "f"]
        if not mx.autograd.is_recording() or not floating:
            return step.value(raws)
        packed = mx.np.concatenate([raw.reshape((-1,)).astype("float64") for raw in floating])
        function = Step(step, [raw.detach() for raw in raws])
        # Not even MXNet's second derivative of this identity exists, so that it raises an error when asked for one;
        # through its Function alone it would give zeros.
        vectors = function(mx.npx.leaky_relu(packed, act_type="leaky", slope=1.0))
        return [vector.reshape(y.shape) for vector, y in zip(vectors, function.results, strict=True)]

    def call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        found: list[Raw] = within(function)(raws)
        return found

    def vjp(self, function: Moving) -> tuple[Sequence[Raw], Any]:
        if has_empty(function.raws):
            raise UnsupportedError("backend 'mxnet' cannot differentiate its own functions of arrays without elements")
        function = function._replace(raws=[raw.detach() for raw in function.raws])
        primals = marked(function.primals)
        floating, outs = within(function, True)(*primals)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            known = [(y, g) for y, g in zip(floating, gs, strict=True) if g is not None]
            return gradients([y for y, _ in known], [g for _, g in known], primals)

        return [out.detach() for out in outs], pull

    def array_in(self, holder: Any) -> Raw | None:
        """Of the older kind, ``mx.nd``, the same memory as an array of ``mx.np``."""
        if hasattr(holder, "list_data"):
            raise not_plain(self.backend, "a Parameter of Gluon's", "raw.data()")
        if not hasattr(holder, "stype"):
            return None
        if holder.stype != "default":
            raise not_plain(self.backend, holder.stype, "raw.tostype('default')")
        return holder.as_np_ndarray()
