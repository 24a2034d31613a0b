"""The values of several arrays at once."""

from __future__ import annotations

from typing import Any

from unigrad.base.tree import flatten, unflatten
from unigrad.tensor.tensor import Tensor


def compute(*arrays: Any) -> Any:
    """The values as NumPy arrays: of one argument alone, of several as a tuple.

    Arguments are Tensors of any backends, or containers of them, and keep their structure; what is no Tensor in them
    stays as it is. It is ``x.numpy()`` of each, but where nothing was computed yet (dask) those of one backend are
    computed together, and what they share once. No gradient flows through it.

    >>> loss, gradient = ug.compute(loss, x.grad)
    """
    leaves, layout = flatten(arrays)
    of_backends: dict[Any, list[int]] = {}
    for place, leaf in enumerate(leaves):
        if isinstance(leaf, Tensor):
            leaf._note_leaving("ug.compute(x)")
            of_backends.setdefault(leaf.backend, []).append(place)
    for backend, places in of_backends.items():
        # Copies, since a NumPy array may share memory with the Tensor's.
        values = backend.all_to_numpy([leaves[place]._raw for place in places])
        for place, found in zip(places, values, strict=True):
            leaves[place] = found.copy()
    found = unflatten(layout, leaves)
    return found[0] if len(arrays) == 1 else found
