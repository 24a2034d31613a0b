#!/usr/bin/env bash
# SciPy 1.17.1: scipy.special.betaincinv(a, b, p), and scipy.stats.beta.ppf on it, are wrong without a word where both parameters are large and far apart. For a = 1000, b = 1e9
# the answer is 1.9031e-06 for every p from 1e-100 to 0.5, although SciPy's own betainc says that all of the distribution lies below it; half lies below 9.9967e-07.
# Whoever differentiates a sample by its quantile function (implicitly: 1 over the density there) gets a slope of a point that no sample is at.
# The complement, betainccinv, is wrong likewise.
# Seen: betaincinv(1000, 1e9, [1e-100, 0.01, 0.5]) = 1.903149e-06 three times; betainc there 1.0; by bisection of betainc the median is 9.996656e-07.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet scipy==1.17.1 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, betaincinv
from scipy.stats import beta

a, b, p = 1000.0, 1e9, np.array([1e-100, 0.01, 0.5])
found = betaincinv(a, b, p)
median = brentq(lambda x: betainc(a, b, x) - 0.5, 1e-9, 1e-5, xtol=1e-16)
print("quantiles", found.tolist(), "of which", betainc(a, b, found).tolist(), "lies below; median", median)
assert found[0] == found[1] == found[2] and np.isclose(found[0], 1.903149e-06, rtol=1e-6)
assert np.all(betainc(a, b, found) == 1.0) and np.isclose(median, 9.996656e-07, rtol=1e-6)
assert beta.ppf(0.5, a, b) > 1.9 * median
PROGRAM
echo "as described"
