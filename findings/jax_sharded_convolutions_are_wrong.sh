#!/usr/bin/env bash
# JAX 0.10.2: convolutions of arrays that are divided over a mesh of two axes have wrong values: some elements are added up twice.
# jnp.convolve, jnp.correlate and lax.conv_general_dilated, eager and under jit, with the axis of the windows divided; and the gradient for the kernels of a grouped
# convolution whose batch is divided. On one device, and over a mesh of one axis, the same calls are right. Nothing is said. On virtual devices of one processor.
# Seen for convolve(arange(8), ones(4), "valid") over the first axis of a 2 x 2 mesh: [12, 20, 28, 36, 44] instead of [6, 10, 14, 18, 22].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import os

os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

mesh = jax.make_mesh((2, 2), ("a", "b"), axis_types=(AxisType.Auto, AxisType.Auto))


def put(array, *names):
    return jax.device_put(array, NamedSharding(mesh, PartitionSpec(*names)))


x, w = jnp.arange(8.0), jnp.ones(4)
right = jnp.convolve(x, w, "valid")
divided = [jnp.convolve(put(x, "a"), put(w, name), "valid") for name in ("a", "b")]
print("one device", np.asarray(right), "divided", *map(np.asarray, divided))
assert not any(np.array_equal(found, right) for found in divided)


@jax.jit
def pulled(g, x, w):
    pads = [(1, 1), (1, 1)]
    return jax.vjp(lambda w: jax.lax.conv_general_dilated(x, w, (1, 1), pads, feature_group_count=2), w)[1](g)[0]


images, kernels = jnp.cos(jnp.arange(128.0)).reshape(2, 4, 4, 4), jnp.sin(jnp.arange(32.0)).reshape(4, 2, 2, 2)
cotangent = jnp.sin(jnp.arange(200.0)).reshape(2, 4, 5, 5)
slope, of_parts = pulled(cotangent, images, kernels), pulled(put(cotangent, "a"), put(images, "a"), put(kernels))
difference = np.abs(np.asarray(slope) - np.asarray(of_parts)).max()
print("gradient for the kernels: largest difference", difference)
assert difference > 5
PROGRAM
echo "as described"
