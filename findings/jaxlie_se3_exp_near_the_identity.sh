#!/usr/bin/env bash
# jaxlie 1.5.0: SE3.exp moves a point by V times the linear part of its tangent; for a rotation w V is 1 + [w]/2 + ... Below a threshold of the angle the Taylor branch takes the
# rotation matrix 1 + [w] + ... for it, so the term is twice too large: a value that jumps at the threshold, first derivatives wrong beside the identity, and second
# derivatives wrong in the identity itself, where every optimiser that linearises about a pose evaluates them. SO3, SE2 and SE3 above the threshold are right.
# Seen in float64: the entry of the second derivative of the translation that is 1/2 (a generator's product, [w] v / 2) is 1 at the identity and 0.5 beside it.
# In float32 the values, too: v = (1, 0, 0), w = (0, 0, 0.003) moves by y = 0.003 where 0.0015 is right; for w = 0.004 by the right 0.002.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jaxlie==1.5.0 jax==0.10.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np
from jaxlie import SE3


def moved(tangent):
    return SE3.exp(tangent).translation()


values = [float(moved(jnp.array([1, 0, 0, 0, 0, w], "float32"))[1]) for w in (0.003, 0.004)]
jax.config.update("jax_enable_x64", True)
second = jax.jacfwd(jax.jacrev(moved))
beside = jnp.zeros(6).at[5].set(1e-3)
entries = [float(second(at)[1, 0, 5]) for at in (jnp.zeros(6), beside)]
print("float32 values", values, "second derivatives", entries)
np.testing.assert_allclose(values, [0.003, 0.002], rtol=3e-3)
np.testing.assert_allclose(entries, [1.0, 0.5], rtol=1e-5)
PROGRAM
echo "as described"
