#!/usr/bin/env bash
# flowjax 19.1.2: a RationalQuadraticSpline made as the identity (as it is when training starts) has at the two ends of its interval the slope 0.25 by jax.grad and by jax.jvp, where it has 1 on both sides and where its own
# transform_and_log_det says log 1 = 0 for the same point. The point is clipped to the interval twice, and JAX gives a half for each bound that is met. Sums of losses over points on a bound, as of data scaled to [-1, 1], take a
# quarter of their gradients.
# Seen, slope by jax.grad and exp of the log determinant at -2, just inside, and 2: 0.25 and 1, 1 and 1, 0.25 and 1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jax==0.10.2 flowjax==19.1.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import jax
import numpy as np
from flowjax.bijections import RationalQuadraticSpline

jax.config.update("jax_enable_x64", True)
spline = RationalQuadraticSpline(knots=4, interval=2.0)
points = np.array([-2.0, -2.0 + 1e-9, 0.3, 2.0 - 1e-9, 2.0])
values, log_slopes = jax.vmap(spline.transform_and_log_det)(points)
slopes = jax.vmap(jax.grad(lambda x: spline.transform(x)))(points)
print("slopes", slopes, "by the log determinant", np.exp(log_slopes))
np.testing.assert_allclose(values, points, atol=1e-12)
np.testing.assert_allclose(np.exp(log_slopes), 1.0, rtol=1e-6)
np.testing.assert_allclose(slopes, [0.25, 1.0, 1.0, 1.0, 0.25], rtol=1e-6)
_, pushed = jax.jvp(spline.transform, (points[4],), (1.0,))
np.testing.assert_allclose(pushed, 0.25, rtol=1e-6)
PROGRAM
echo "as described"
