"""Every array of a case spread over several devices, as a program's are that has outgrown one.

JAX makes several devices of one processor. The cases stay as they are: each array that a backend is given lies over a
mesh of two by two, its axes of even length divided, and whole on each device where there is none.
"""

from __future__ import annotations

import os
from typing import Any

PLACEMENTS = {"sharded": "jax"}
"""What there is to ask for, and the backend that can do it."""


def prepare() -> None:
    """Have JAX see four devices, before it is imported."""
    flags = os.environ.get("XLA_FLAGS", "")
    os.environ["XLA_FLAGS"] = f"{flags} --xla_force_host_platform_device_count=4".strip()


def spread(backend: Any) -> None:
    """Have the backend make its arrays over all four."""
    import jax
    from jax.sharding import AxisType, NamedSharding, PartitionSpec

    mesh = jax.make_mesh((2, 2), ("first", "second"), axis_types=(AxisType.Auto, AxisType.Auto))
    from_numpy = backend.from_numpy

    def spread_from_numpy(array: Any, device: Any = None) -> Any:
        if device is not None:
            return from_numpy(array, device)
        names = iter(("first", "second"))
        spec = [next(names, None) if size and size % 2 == 0 else None for size in array.shape]
        return from_numpy(array, backend.spread(NamedSharding(mesh, PartitionSpec(*spec))))

    backend.from_numpy = spread_from_numpy
