"""Where arrays of JAX's are: on a device, or spread over several. JAX is loaded by who has such an array."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from unigrad.extend import Spread


class Loose(str):
    """The device of an array that nobody put there: JAX takes it to where the array beside it is."""


def spread_by(sharding: Any, shape: tuple[int, ...] | None) -> Spread:
    """What ``x.device`` is of an array of this sharding and shape; of any shape for None."""
    count = len(sharding.device_set)
    if count == 1:
        return Spread(label(*sharding.device_set), sharding, shape)
    if sharding.is_fully_replicated:
        return Spread(f"a copy on each of {count} devices", sharding, shape)
    return Spread(f"sharded over {count} devices by {getattr(sharding, 'spec', sharding)}", sharding, shape)


def put_loosely(array: Any, device: Any) -> Any:
    """A copy on a device to which JAX does not bind it, for which there is no way but through NumPy's arrays."""
    jax, array = sys.modules["jax"], np.asarray(array)
    made = jax.device_put(array)
    if made.device != device:
        with jax.default_device(device):
            made = jax.device_put(array)
    return made


def on_each(sharding: Any) -> Any:
    """Of another sharding's devices: a whole copy on each."""
    placing = sys.modules["jax"].sharding
    if isinstance(sharding, placing.NamedSharding):
        mesh = sharding.mesh
    else:
        mesh = placing.Mesh(np.array(in_order(sharding)), ("all",))
    return placing.NamedSharding(mesh, placing.PartitionSpec())


def in_order(sharding: Any) -> list[Any]:
    """The devices of a sharding, as its mesh has them."""
    if isinstance(sharding, sys.modules["jax"].sharding.NamedSharding):
        return list(sharding.mesh.devices.flat)
    return sorted(sharding.device_set, key=lambda device: device.id)


def label(device: Any) -> str:
    """What a device is called."""
    if device.platform == "cpu" and device.id == 0:
        return "cpu"
    return f"{'cuda' if device.platform == 'gpu' else device.platform}:{device.id}"  # as all others call it
