"""Convolutions over TensorFlow's tensors.

On a CPU its kernels take channels last, no groups where they are differentiated, and no dilation in three
dimensions: so the channels are moved, each group is a call of its own, and kernels are spread out in zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import tensorflow as tf

from unigrad.extend import Raw, Shape

# Left out, it is None to TensorFlow's second derivative, which cannot read that.
LAYOUTS = {1: "NWC", 2: "NHWC", 3: "NDHWC"}


def _spread(w: Raw, dilations: Shape) -> Raw:
    """Kernels, channels last, with their elements ``dilations`` apart in zeros."""
    for axis, step in enumerate(dilations):
        if step == 1:
            continue
        shape = list(w.shape)
        zeros = tf.zeros([*shape[: axis + 1], step - 1, *shape[axis + 1 :]], w.dtype)
        w = tf.concat([tf.expand_dims(w, axis + 1), zeros], axis + 1)
        w = tf.reshape(w, [*shape[:axis], shape[axis] * step, *shape[axis + 1 :]])
        w = tf.gather(w, tf.range((shape[axis] - 1) * step + 1), axis=axis)
    return w


def convolution(
    x: Raw, w: Raw, strides: Shape, padding: Sequence[tuple[int, int]], dilations: Shape, groups: int
) -> Raw:
    """The padding is added and the kernels are spread before the call."""
    ndim = len(strides)
    spatial = range(2, 2 + ndim)
    x = tf.transpose(tf.pad(x, [(0, 0), (0, 0), *padding]), [0, *spatial, 1])
    w = _spread(tf.transpose(w, [*spatial, 1, 0]), dilations)
    if 0 in x.shape:
        counts = [(x.shape[i + 1] - w.shape[i]) // strides[i] + 1 for i in range(ndim)]
        return tf.zeros([x.shape[0], w.shape[-1], *counts], x.dtype)
    parts = [
        tf.nn.convolution(part, kernels, list(strides), "VALID", LAYOUTS[ndim])
        for part, kernels in zip(tf.split(x, groups, -1), tf.split(w, groups, -1), strict=True)
    ]
    found = parts[0] if groups == 1 else tf.concat(parts, -1)
    return tf.transpose(found, [0, ndim + 1, *range(1, ndim + 1)])


NETWORKS: dict[str, Callable[..., Raw]] = {"convolution": convolution}
