#!/usr/bin/env bash
# ALGOPY 0.7.2 (forward and reverse by Taylor polynomials): the square root at 0 has an infinite slope by its own input, as it should, and NaN by every
# *other* input, on which it does not depend (infinity times the 0 of its seed). One zero under a root spoils the whole Jacobian row. And the same
# root written as a power, x ** 0.5, has NaN by its own input, too.
# Seen for [sqrt(x0), sqrt(x1)] at (0, 1): rows [inf, nan], [0, 0.5]; by x ** 0.5: [nan, nan], [0, 0.5].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet algopy==0.7.2 numpy==2.4.6 scipy==1.17.1
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import algopy
import numpy as np
from algopy import UTPM

x = UTPM.init_jacobian(np.array([0.0, 1.0]))
root = UTPM.extract_jacobian(algopy.sqrt(x))
power = UTPM.extract_jacobian(x**0.5)
print(root.tolist(), power.tolist())
np.testing.assert_array_equal(root, [[np.inf, np.nan], [0.0, 0.5]])
np.testing.assert_array_equal(power, [[np.nan, np.nan], [0.0, 0.5]])
PROGRAM
echo "as described"
