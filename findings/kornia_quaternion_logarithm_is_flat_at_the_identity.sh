#!/usr/bin/env bash
# kornia 0.9.0: the logarithm of the unit quaternion (cos t, 0, 0, sin t) is (0, 0, t). quaternion_exp_to_log has the slope 0 at the identity, where a pose starts; and below 1e-8 the values are too small by their quotient to 1e-8 (the bound of a division). The inverse, quaternion_log_to_exp, has
# the slope 1 there, and quaternion_to_axis_angle is right, too. axis_angle_to_quaternion has lost its second derivative at the zero rotation: the first component is cos(angle / 2), whose curvature is -1/4, and it is right beside 0. https://github.com/kornia/kornia/pull/4228 put the 0 where NaN was.
# Seen: slope of the logarithm 0 at t = 0, 1 at t = 1e-7; value at t = 1e-9 1e-10; curvature 0 at 0 and -0.25 at 1e-7.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu kornia==0.9.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
import torch
from kornia.geometry import conversions

torch.set_default_dtype(torch.float64)
seen = {}
for at in (0.0, 1e-9, 1e-7, 1e-3):
    t = torch.tensor(at, requires_grad=True)
    quaternion = torch.stack([torch.cos(t), 0 * t, 0 * t, torch.sin(t)])[None]
    value = conversions.quaternion_exp_to_log(quaternion)[0, 2]
    slope = torch.autograd.grad(value, t)[0].item()
    back = conversions.quaternion_log_to_exp(torch.stack([0 * t, 0 * t, t])[None])[0, 3]
    whole = conversions.axis_angle_to_quaternion(torch.stack([0 * t, 0 * t, t])[None])[0, 0]
    first = torch.autograd.grad(whole, t, create_graph=True)[0]
    curvature = torch.autograd.grad(first, t)[0].item()
    seen[at] = (value.item(), slope, torch.autograd.grad(back, t)[0].item(), curvature)
    print(at, "logarithm", seen[at][:2], "slope of the inverse", seen[at][2], "curvature", curvature)
assert seen[0.0] == (0.0, 0.0, 1.0, 0.0)
np.testing.assert_allclose(seen[1e-9][0], 1e-10, rtol=1e-6)
for at in (1e-7, 1e-3):
    np.testing.assert_allclose(seen[at], (at, 1.0, 1.0, -0.25), rtol=1e-4)
PROGRAM
echo "as described"
