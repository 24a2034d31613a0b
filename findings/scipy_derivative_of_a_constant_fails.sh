#!/usr/bin/env bash
# SciPy 1.17.1: scipy.differentiate counts an answer as converged when its error is small beside the derivative. Where the true derivative is 0 nothing is small beside it, so the easiest functions fail: a constant is
# reported as not converged (status -2, success False), and hessian says so of the zeros of x0 * x1 (its diagonal). The values are 0 up to rounding. At a turning point met exactly (x * x at 0), where the differences cancel to 0, it succeeds.
# Seen: constant 3 at 2: df 9.1e-13, success False; x * x at 0: df 0, True; hessian of x0 * x1 at (1, 2): success False on the diagonal at (2, 2), True beside it.
# Its author expects it of the default tolerances: https://github.com/scipy/scipy/pull/18811 (so a test of .success needs an absolute tolerance).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet scipy==1.17.1 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
from scipy.differentiate import derivative, hessian

constant = derivative(lambda x: 0 * x + 3.0, 2.0)
square = derivative(lambda x: x * x, 0.0)
curved = hessian(lambda x: x[0] * x[1], np.array([1.0, 2.0]))
print("constant", constant.df, constant.status, "square", square.df, square.status)
print("hessian", curved.ddf.tolist(), curved.success.tolist())
assert not constant.success and constant.status == -2 and abs(constant.df) < 1e-10
assert square.success and square.df == 0.0
assert not curved.success.all() and curved.success[0, 1] and curved.success[1, 0]
np.testing.assert_allclose(curved.ddf, [[0, 1], [1, 0]], atol=1e-8)
PROGRAM
echo "as described"
