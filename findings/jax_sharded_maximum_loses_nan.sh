#!/usr/bin/env bash
# JAX 0.10.2: jnp.max and jnp.min of an array that is sharded over several devices lose a NaN: each device finds it in its part, and where the parts are joined it is dropped.
# The same call on one device gives NaN, and so do sort, argmax and cummax of the sharded array. So a check for NaN by the maximum of a loss or of gradients
# passes as soon as the program is spread. On virtual devices of one processor, as JAX's documentation has them for tests.
# Seen for [nan, 1] over two of four devices: 1.0 eager and under jit, for max and for min; nan on one device; the gradient of the maximum is [0, 1].
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
whole = jnp.array([jnp.nan, 1.0])
sharded = jax.device_put(whole, NamedSharding(mesh, PartitionSpec("a")))
answers = [float(f(sharded)) for f in (jnp.max, jnp.min, jax.jit(jnp.max))]
gradient = np.asarray(jax.grad(jnp.max)(sharded)).tolist()
print("sharded", answers, "on one device", float(jnp.max(whole)), "gradient", gradient)
assert answers == [1.0, 1.0, 1.0]
assert np.isnan(jnp.max(whole)) and np.isnan(jnp.sort(sharded)).any()
assert gradient == [0.0, 1.0]
PROGRAM
echo "as described"
