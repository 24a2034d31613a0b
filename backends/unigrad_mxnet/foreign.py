"""MXNet's own functions inside unigrad, and unigrad inside MXNet's graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from unigrad.extend import Foreign, Moving, Raw, RawFunction, RawPull, UnsupportedError, not_plain
from unigrad_mxnet.engine import shares
from unigrad_mxnet.functions import has_empty
from unigrad_mxnet.steps import followed
from unigrad_mxnet.switches import within


class MXNetForeign(Foreign):
    """By MXNet's autograd, once."""

    twice = False
    followed = staticmethod(followed)

    def call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        found: list[Raw] = within(function)(raws)
        return found

    def vjp(self, function: Moving) -> tuple[Sequence[Raw], RawPull]:
        if has_empty(function.raws):
            raise UnsupportedError("backend 'mxnet' cannot differentiate its own functions of arrays without elements")
        function = function._replace(raws=[raw.detach() for raw in function.raws])
        primals = [self.backend.engine.leaf(raw) for raw in function.primals]
        floating, outs = within(function, True)(*primals)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            known = [(y, g) for y, g in zip(floating, gs, strict=True) if g is not None]
            return shares([y for y, _ in known], [g for _, g in known], primals)

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
