"""Convolutions and embeddings over MXNet's arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy

from unigrad.extend import EVERYTHING, Raw, Shape


def networks(mxnet: Any, getitem: Callable[..., Raw], scatter: Callable[..., Raw]) -> dict[str, Callable[..., Raw]]:
    """The table of raw functions."""
    np, npx = mxnet.np, mxnet.npx

    def padded(x: Raw, padding: tuple[tuple[int, int], ...]) -> Raw:
        for axis, pair in enumerate(padding, 2):
            borders = [np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), dtype=x.dtype) for size in pair if size]
            first = borders[: bool(pair[0])]
            x = np.concatenate([*first, x, *borders[len(first) :]], axis=axis) if borders else x
        return x

    def convolution(
        x: Raw, w: Raw, strides: Shape, padding: tuple[tuple[int, int], ...], dilations: Shape, groups: int
    ) -> Raw:
        if x.dtype == numpy.float16:  # MXNet has no kernel for it
            wide = convolution(x.astype("float32"), w.astype("float32"), strides, padding, dilations, groups)
            return wide.astype("float16")
        if any(low != high for low, high in padding):  # MXNet pads both ends of an axis alike
            x, padding = padded(x, padding), ((0, 0),) * len(padding)
        return npx.convolution(
            x,
            w,
            kernel=w.shape[2:],
            stride=strides,
            dilate=dilations,
            pad=tuple(low for low, _ in padding),
            num_filter=w.shape[0],
            num_group=groups,
            no_bias=True,
        )

    # An index array in a key is NumPy's.
    def embedding(weight: Raw, indices: Raw) -> Raw:
        return getitem(weight, (indices.asnumpy(), *(EVERYTHING,) * (weight.ndim - 1)))

    def embedding_back(change: Raw, indices: Raw, rows: int) -> Raw:
        if change.dtype.kind in "biu" and change.dtype.itemsize == 1:  # of which MXNet adds up none
            return embedding_back(change.astype("int32"), indices, rows).astype(change.dtype)
        row = change.shape[indices.ndim :]
        return scatter(change, (indices.asnumpy(), *(EVERYTHING,) * len(row)), (rows, *row))

    return {"convolution": convolution, "embedding": embedding, "embedding_back": embedding_back}
