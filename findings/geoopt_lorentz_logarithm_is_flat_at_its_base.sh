#!/usr/bin/env bash
# geoopt 0.5.1: on the hyperboloid (Lorentz) the logarithm at the origin of the curve (cosh t, sinh t, 0) is (0, t, 0), with the slope 1 for every t. At t = 0, where embeddings start, it is 3e-4: the norm that it divides by is
# kept away from 0 by a constant, which then is a factor of the slope. Beside 0 all is right. The distance of the origin to itself is not 0, either.
# Seen in float64: slope 0.000316 at t = 0, 1.0000000 at t = 0.001, by logmap0 and by logmap from the origin; distance 3e-8.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu geoopt==0.5.1 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import geoopt
import numpy as np
import torch

space = geoopt.Lorentz(k=torch.tensor(1.0, dtype=torch.float64))
origin = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
slopes = {}
for at in (0.0, 1e-3, 1.0):
    t = torch.tensor(at, dtype=torch.float64, requires_grad=True)
    curve = torch.stack([torch.cosh(t), torch.sinh(t), 0 * t])
    for logarithm in (space.logmap0, lambda p: space.logmap(origin, p)):
        component = logarithm(curve)[1]
        assert abs(component.item() - at) < 1e-9
        slopes.setdefault(at, []).append(torch.autograd.grad(component, t, retain_graph=True)[0].item())
print(slopes, "distance", space.dist(origin, origin).item())
assert all(2e-4 < slope < 5e-4 for slope in slopes[0.0])
np.testing.assert_allclose(slopes[1e-3] + slopes[1.0], 1.0, rtol=1e-6)
assert space.dist(origin, origin) > 1e-8
PROGRAM
echo "as described"
