#!/usr/bin/env bash
# dualpy 0.1.0 (forward mode over NumPy's own functions): np.linalg.norm of a matrix has the values of the spectral norm (ord 2) and of the nuclear norm, but differentiates both as if they were the Frobenius norm: the matrix
# divided by the norm asked for. The largest singular value by np.linalg.svd in the same package has the right slope, u v^T; the nuclear norm's is the sum of those. np.linalg.lstsq loses the part of its slope by the residual.
# Seen at [[1, -2], [3, 1]], entry (0, 1): spectral -0.626 by norm, 0.036 by svd (and by differences); nuclear -0.371, -0.928 by differences. lstsq: error 0.17 where the residual is not 0, none where it is.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet dualpy==0.1.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import dualpy
import numpy as np


def slope(function, x):
    return np.asarray(dualpy.gradient(function)(x))


def differences(function, x):
    steps = 1e-6 * np.eye(x.size).reshape(-1, *x.shape)
    return np.array([(function(x + h) - function(x - h)) / 2e-6 for h in steps]).reshape(x.shape)


def spectral(x):
    return np.linalg.norm(x, 2)


def nuclear(x):
    return np.linalg.norm(x, "nuc")


def largest(x):
    return np.linalg.svd(x)[1][0]


def fitted(x, target):
    return np.sum(np.linalg.lstsq(x, target, rcond=None)[0])


x = np.array([[1.0, -2.0], [3.0, 1.0]])
for norm in (spectral, nuclear):
    print(norm.__name__, slope(norm, x)[0, 1], "differences", differences(norm, x)[0, 1])
    np.testing.assert_allclose(slope(norm, x), x / norm(x), rtol=1e-6)
    assert np.abs(slope(norm, x) - differences(norm, x)).max() > 0.1
np.testing.assert_allclose(slope(largest, x), differences(spectral, x), atol=1e-6)

tall = np.array([[1.0, -2.0], [3.0, 1.0], [2.0, 2.0]])
errors = []
for target in (np.array([1.0, 2.0, 5.0]), tall @ np.array([1.0, 2.0])):

    def fit(x, target=target):
        return fitted(x, target)

    errors.append(float(np.abs(slope(fit, tall) - differences(fit, tall)).max()))
print("lstsq errors, with a residual and without", errors)
assert errors[0] > 0.01 and errors[1] < 1e-6
PROGRAM
echo "as described"
