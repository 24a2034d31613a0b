#!/usr/bin/env bash
# e3nn 0.6.0: o3.matrix_to_quaternion is right for rotations about any axis and by any angle, with its derivative; for the identity, where each network's frames start, the value is right and the gradient NaN (square roots of three exact zeros), though the quaternion
# is as smooth there as elsewhere: cos t/2 and sin t/2.
# Seen for a turn by t about each axis, the derivatives of the four components by t: NaN all four at t = 0; -0.124, 0.484 and two zeros at t = 0.5.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu e3nn==0.6.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import math

import numpy as np
import torch
from e3nn import o3

torch.set_default_dtype(torch.float64)
for place, turn in enumerate((o3.matrix_x, o3.matrix_y, o3.matrix_z), 1):
    for at in (0.0, 0.5):
        angle = torch.tensor(at, requires_grad=True)
        quaternion = o3.matrix_to_quaternion(turn(angle))
        right = np.zeros(4)
        right[[0, place]] = math.cos(at / 2), math.sin(at / 2)
        np.testing.assert_allclose(quaternion.detach(), right, atol=1e-12)
        slopes = [torch.autograd.grad(c, angle, retain_graph=True)[0].item() for c in quaternion]
        right[[0, place]] = -math.sin(at / 2) / 2, math.cos(at / 2) / 2
        print(turn.__name__, at, slopes, "right", right.tolist())
        np.testing.assert_allclose(slopes, [np.nan] * 4 if at == 0.0 else right, atol=1e-9)
PROGRAM
echo "as described"
