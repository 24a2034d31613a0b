#!/usr/bin/env bash
# RoMa 1.8.0: rotvec_to_rotmat is smooth at the zero vector, where poses start, and its first derivative is right there; the second is NaN in the identity itself and 0 at an angle of 1e-7, where a Taylor branch ends with the linear term: the
# diagonal entries are cos t, with the curvature -1. rotvec_to_unitquat (cos t/2: -1/4) is right beside it and NaN in it. So a Newton step, or the gradient of a penalty on slopes, is NaN from the start.
# Seen, second derivative by a turn of t about z: matrix nan at 0, 0 at 1e-7, -1 at 1e-3; quaternion nan, -0.25, -0.25.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu roma==1.8.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
import roma
import torch

torch.set_default_dtype(torch.float64)


def curvature(convert, index, at):
    t = torch.tensor(at, requires_grad=True)
    value = convert(torch.stack([0 * t, 0 * t, t]))[index]
    first = torch.autograd.grad(value, t, create_graph=True)[0]
    return torch.autograd.grad(first, t)[0].item()


angles = (0.0, 1e-7, 1e-3)
matrix = [curvature(roma.rotvec_to_rotmat, (0, 0), at) for at in angles]
quaternion = [curvature(roma.rotvec_to_unitquat, 3, at) for at in angles]
print("matrix", matrix, "quaternion", quaternion)
np.testing.assert_allclose(matrix, [np.nan, 0.0, -1.0], atol=1e-5)
np.testing.assert_allclose(quaternion, [np.nan, -0.25, -0.25], atol=1e-5)

start = torch.zeros(3, requires_grad=True)
jacobian = torch.autograd.functional.jacobian(roma.rotvec_to_rotmat, start)
np.testing.assert_allclose(jacobian[:, :, 2], [[0, -1, 0], [1, 0, 0], [0, 0, 0]], atol=1e-12)
PROGRAM
echo "as described"
