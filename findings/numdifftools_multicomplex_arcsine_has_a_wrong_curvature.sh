#!/usr/bin/env bash
# numdifftools 0.11.2: the multicomplex step is its most accurate method, free of cancellation, and right for sin here; the second derivative of arcsin by it is wrong in the second
# digit without a warning. The first derivative is right. arcsin'' is x / (1 - x**2)**1.5.
# Seen at 0.5: multicomplex 0.78125, complex and central 0.76980036, which is right (0.5 / 0.75**1.5).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet numdifftools==0.11.2 numpy==2.4.6 scipy==1.17.1
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numdifftools as nd
import numpy as np


def second(function, method):
    return float(nd.Derivative(function, n=2, method=method)(0.5))


right = 0.5 / 0.75**1.5
seen = {method: second(np.arcsin, method) for method in ("multicomplex", "complex", "central")}
first = float(nd.Derivative(np.arcsin, method="multicomplex")(0.5))
sine = second(np.sin, "multicomplex")
print("right", right, "seen", seen, "first", first, "sine", sine)
assert abs(seen["multicomplex"] - 0.78125) < 1e-6
assert abs(seen["complex"] - right) < 1e-6 and abs(seen["central"] - right) < 1e-6
assert abs(first - 0.75**-0.5) < 1e-9 and abs(sine + np.sin(0.5)) < 1e-9
PROGRAM
echo "as described"
