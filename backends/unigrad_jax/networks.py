"""Convolutions over JAX's arrays."""

from __future__ import annotations

from collections.abc import Callable

from jax import lax

from unigrad.extend import Raw, Shape


def convolution(
    x: Raw, w: Raw, strides: Shape, padding: tuple[tuple[int, int], ...], dilations: Shape, groups: int
) -> Raw:
    """In full precision also where JAX would by default take less, as on a GPU."""
    return lax.conv_general_dilated(
        x,
        w,
        strides,
        padding,
        rhs_dilation=dilations,
        feature_group_count=groups,
        precision=lax.Precision.HIGHEST,
    )


NETWORKS: dict[str, Callable[..., Raw]] = {"convolution": convolution}
