#!/usr/bin/env bash
# NumPyro 0.22.0: the Laplace distribution's cdf and icdf are written with the sign of the distance from the centre, so in the centre itself both have the slope 0, in either mode. True are the density there, 1 / (2 b), and its
# inverse, 2 b (both functions have a continuous derivative). Truncated Laplace distributions inherit it. The logistic distribution, of the same shape, is right.
# Seen for b = 1: cdf at 0 slope 0 (right: 0.5; at 1e-6: 0.5), icdf at 0.5 slope 0 (right: 2; at 0.5 + 1e-6: 2); the density itself is right, 0.5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet numpyro==0.22.0 jax==0.10.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import jax
import numpy as np
import numpyro.distributions as dist

jax.config.update("jax_enable_x64", True)


def slopes(function, at):
    return [float(mode(function)(at)) for mode in (jax.grad, jax.jacfwd)]


laplace, logistic = dist.Laplace(0.0, 1.0), dist.Logistic(0.0, 1.0)
truncated = dist.LeftTruncatedDistribution(laplace, low=-1.0)
cdf = [slopes(laplace.cdf, at) for at in (0.0, 1e-6)]
icdf = [slopes(laplace.icdf, at) for at in (0.5, 0.5 + 1e-6)]
print("cdf", cdf, "icdf", icdf, "truncated", slopes(truncated.cdf, 0.0))
assert cdf[0] == icdf[0] == slopes(truncated.cdf, 0.0) == [0.0, 0.0]
np.testing.assert_allclose([cdf[1], icdf[1]], [[0.5, 0.5], [2.0, 2.0]], rtol=1e-5)
np.testing.assert_allclose(np.exp(laplace.log_prob(0.0)), 0.5)
np.testing.assert_allclose([slopes(logistic.cdf, 0.0), slopes(logistic.icdf, 0.5)], [[0.25, 0.25], [4.0, 4.0]])
PROGRAM
echo "as described"
