"""MXNet's own functions inside unigrad, and unigrad inside MXNet's graph."""

from __future__ import annotations

from collections.abc import Sequence

from unigrad.extend import Bridged, Engine, Foreign, Raw, RawFunction, RawPull, UnsupportedError
from unigrad_mxnet.bridges import bridged
from unigrad_mxnet.engine import shares
from unigrad_mxnet.functions import has_empty
from unigrad_mxnet.switches import within


class MXNetForeign(Foreign):
    """By MXNet's autograd, once."""

    twice = False

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def call(self, function: RawFunction, raws: Sequence[Raw]) -> list[Raw]:
        found: list[Raw] = within(function)(raws)
        return found

    def vjp(self, function: RawFunction, raws: Sequence[Raw], moving: Sequence[bool]) -> tuple[list[Raw], RawPull]:
        if has_empty(raws):
            raise UnsupportedError("backend 'mxnet' cannot differentiate its own functions of arrays without elements")
        own = [self._engine.leaf(raw) if marked else raw.detach() for raw, marked in zip(raws, moving, strict=True)]
        variables = [raw for raw, marked in zip(own, moving, strict=True) if marked]
        outs = within(function, True)(own)

        def pull(gs: Sequence[Raw | None]) -> Sequence[Raw | None]:
            known = [(out, g) for out, g in zip(outs, gs, strict=True) if g is not None]
            return shares([out for out, _ in known], [g for _, g in known], variables)

        return [out.detach() for out in outs], pull

    def bridged(self, call: Bridged, raws: Sequence[Raw]) -> Sequence[Raw]:
        return bridged(call, raws)
