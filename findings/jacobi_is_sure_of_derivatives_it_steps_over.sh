#!/usr/bin/env bash
# jacobi 0.9.2 (numerical derivatives with an error estimate, for propagating uncertainties): its first step is a quarter of the argument (0.25 at 0), and a function that moves faster is stepped over. What comes out is no slope of it, and the estimate
# does not tell: it is more than a thousand times smaller than the error. With diagonal=True, where the first step is always 0.25, some of these are right and others, that were right, are wrong, down to 0 with the error 0.
# Seen: sin at 1000: -0.0029 +- 4e-5 (right: 0.5624; diagonal: right); sin(1000 x) at 0: -5.2 +- 0.06 (right: 1000); exp(-1e6 x**2) at 0.001: diagonal 0 +- 0 (right: -735.8; without it: right).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet jacobi==0.9.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import math

import numpy as np
from jacobi import jacobi


def bell(x):
    return np.exp(-1e6 * x**2)


cases = {  # the function, the point, the derivative, whether it is right without diagonal and with it
    "sin": (np.sin, 1000.0, math.cos(1000.0), False, True),
    "sin(1000 x)": (lambda x: np.sin(1000 * x), 0.0, 1000.0, False, False),
    "bell": (bell, 0.001, -2000 * math.exp(-1), True, False),
}
for name, (function, at, right, *expected) in cases.items():
    for diagonal, good in zip((False, True), expected, strict=True):
        value, error = (float(number) for number in jacobi(function, at, diagonal=diagonal))
        print(name, "diagonal" if diagonal else "", value, "+-", error, "right", right)
        if good:
            assert abs(value - right) < 1e-6 * abs(right)
        else:
            assert abs(value - right) > 1000 * error and abs(value - right) > 0.5
PROGRAM
echo "as described"
