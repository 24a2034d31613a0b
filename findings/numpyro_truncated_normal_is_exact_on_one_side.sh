#!/usr/bin/env bash
# NumPyro 0.22.0: a normal distribution truncated to [a, b] and its mirror image on [-b, -a] have mirrored densities. Far out, on [-41, -40], the lower tail's log density is right; the upper tail's, on [40, 41], is plus
# infinity, a likelihood that nothing can beat. On both sides cdf is NaN and every quantile the same number, which lies outside of the support, with slope 0, and no error. In double precision.
# Seen on [40, 41] at 40.02: log density inf, where its mirror at -40.02 and mpmath have 2.889; icdf(0.5) and icdf(0.9) 37.519 (right: 40.017 and 40.057).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet numpyro==0.22.0 jax==0.10.2 numpy==2.4.6 mpmath==1.3.0
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import jax
import mpmath
import numpy as np
import numpyro.distributions as dist

jax.config.update("jax_enable_x64", True)
mpmath.mp.dps = 50
upper = dist.TruncatedNormal(0.0, 1.0, low=40.0, high=41.0)
lower = dist.TruncatedNormal(0.0, 1.0, low=-41.0, high=-40.0)
mass = mpmath.ncdf(-40) - mpmath.ncdf(-41)
right = float(mpmath.log(mpmath.npdf(40.02) / mass))
quantile = -float(mpmath.findroot(lambda x: (mpmath.ncdf(x) - mpmath.ncdf(-41)) / mass - 0.5, -40.017))
seen = [float(upper.log_prob(40.02)), float(lower.log_prob(-40.02))]
print("right", right, "seen", seen, "quantile", float(upper.icdf(0.5)), "right", quantile)
assert seen[0] == np.inf and np.isnan(upper.cdf(40.5)) and np.isnan(lower.cdf(-40.5))
np.testing.assert_allclose(seen[1], right, rtol=1e-9)
assert 37 < upper.icdf(0.5) == upper.icdf(0.9) == -lower.icdf(0.5) < 38 < 40.01 < quantile < 40.02
assert jax.grad(upper.icdf)(0.5) == 0.0
PROGRAM
echo "as described"
