#!/usr/bin/env bash
# HIPS autograd 1.9.1: the gradient by a float32 array is float64 as soon as one float64 number or array takes part, since cotangents are never cast
# to the dtype of what they belong to. A step of gradient descent then makes the parameter float64 for good, and doubles its memory.
# Seen: gradient of sum(x * float64(2)) by a float32 x is float64, and so is x - 0.5 * gradient; with a Python 2.0 both are float32.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet autograd==1.9.1 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import autograd.numpy as np
from autograd import grad

x = np.array([1.0, 3.0], dtype="float32")
dtypes = {}
for kind, two in {"numpy": np.float64(2.0), "python": 2.0}.items():
    gradient = grad(lambda x: np.sum(x * two))(x)
    dtypes[kind] = (str(gradient.dtype), str((x - 0.5 * gradient).dtype))
print(dtypes)
assert dtypes == {"numpy": ("float64", "float64"), "python": ("float32", "float32")}
PROGRAM
echo "as described"
