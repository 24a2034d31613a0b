#!/usr/bin/env bash
# jaxopt 0.8.5: projection_l2_ball leaves every point of the ball where it is, and its Jacobian there is the identity; at the centre, the point where iterations start, it is NaN. prox_group_lasso, which is 0 for all points that are shorter
# than its threshold, is NaN there likewise, and right at a distance of 1e-150. Each divides by a norm behind a condition that comes too late for the derivative. So a gradient through an unrolled projected or proximal step from zeros is NaN.
# Seen, Jacobians at [0, 0]: NaN for both; at [0, 1e-150]: the identity and zeros.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 jaxopt==0.8.5 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import jax
import jax.numpy as jnp
import numpy as np
from jaxopt import projection, prox

jax.config.update("jax_enable_x64", True)


def project(x):
    return projection.projection_l2_ball(x, 1.0)


def shrink(x):
    return prox.prox_group_lasso(x, 1.0)


for start, expected in (([0.0, 0.0], (np.nan, np.nan)), ([0.0, 1e-150], (np.eye(2), np.zeros((2, 2))))):
    point = jnp.array(start)
    for function, jacobian, value in ((project, expected[0], point), (shrink, expected[1], jnp.zeros(2))):
        found = jax.jacobian(function)(point)
        print(function.__name__, start, found.tolist())
        np.testing.assert_array_equal(function(point), value)
        np.testing.assert_allclose(found, np.broadcast_to(jacobian, (2, 2)))


def step(x):
    return ((project(x - 0.1 * jax.grad(lambda x: ((x - 1) ** 2).sum())(x)) - 0.5) ** 2).sum()


np.testing.assert_allclose(jax.grad(lambda scale: step(project(jnp.zeros(2) * scale)))(1.0), np.nan)
PROGRAM
echo "as described"
