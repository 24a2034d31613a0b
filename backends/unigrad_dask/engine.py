"""Where cotangents lie: each has the chunks of its array.

The rules know shapes alone, and dask lays out each result as it comes: the cotangent of a sum is one number broadcast
to one chunk of all elements. With the chunks of what it belongs to, whatever is computed with both goes chunk by
chunk, and a gradient has the chunks of its variable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dask.array as da

from unigrad.extend import Engine, Node, Parents, Primitive, Raw, placed_node, rule_node

Chunks = tuple[tuple[int, ...], ...]


def with_chunks(raw: Raw, chunks: Chunks) -> Raw:
    """The array in these chunks; axes that it has in front of them stay as they are."""
    extra = raw.ndim - len(chunks)
    return raw if raw.chunks[extra:] == chunks else raw.rechunk((*raw.chunks[:extra], *chunks))


class DaskEngine(Engine):
    """None but unigrad's rules, with the places of cotangents."""

    stops_at_inputs = True

    def record(
        self, primitive: Primitive, parents: Parents, raws: Sequence[Raw], statics: Sequence[Any]
    ) -> tuple[Raw, Node]:
        function = self.backend.function(primitive.name)
        out = function(list(raws), *statics) if primitive.variadic else function(*raws, *statics)
        node = rule_node(self.backend, primitive, parents, raws, statics, out)
        places = {
            parent: raw.chunks
            for parent, raw in zip(parents, raws, strict=True)
            if parent is not None and isinstance(raw, da.Array)
        }
        return out, placed_node(node, places, with_chunks)
