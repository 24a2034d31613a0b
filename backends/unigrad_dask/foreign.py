"""dask's own functions on Tensors: ``dask.compute``, ``dask.persist`` and whatever else takes collections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dask.array as da

from unigrad.extend import Followed, Foreign, Raw


class DaskForeign(Foreign):
    """dask differentiates nothing, and takes Tensors as collections."""

    def followed(self, step: Followed, raws: Sequence[Raw]) -> list[Raw]:
        return step.value(raws)

    def contain(self, kind: type, array_of: Callable[[Any], Raw], with_array: Callable[[Any], Any]) -> None:
        """Give ``kind`` the protocol of dask's collections, each method as its array has it."""

        def forwarded(name: str) -> Callable[[Any], Any]:
            return lambda x: getattr(array_of(x), name)()

        for name in ("graph", "keys", "layers", "postcompute", "tokenize"):
            method = f"__dask_{name}__"
            setattr(kind, method, forwarded(method))

        def persisted(x: Any) -> Any:
            rebuild, arguments = array_of(x).__dask_postpersist__()
            return _rebuilt, (with_array, rebuild, arguments)

        kind.__dask_postpersist__ = persisted  # type: ignore[attr-defined]
        kind.__dask_optimize__ = staticmethod(da.Array.__dask_optimize__)  # type: ignore[attr-defined]
        kind.__dask_scheduler__ = staticmethod(da.Array.__dask_scheduler__)  # type: ignore[attr-defined]


def _rebuilt(graph: Any, with_array: Any, rebuild: Any, arguments: Any, **options: Any) -> Any:
    return with_array(rebuild(graph, *arguments, **options))
