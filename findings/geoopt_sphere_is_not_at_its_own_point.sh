#!/usr/bin/env bash
# geoopt 0.5.1, Sphere: the distance of a point to itself is 0.014 in float32 (4e-4 in float64), and that of opposite points as much less than pi, since the cosine is cut off before the arc cosine; in between it is right, so near points are all equally far.
# The exponential map of the zero tangent gives the point, as it should, but the gradient NaN, where the slope is the identity; its own Euclidean and stereographic manifolds have it so.
# Seen: dist(p, p) 0.0141434 and 0.000447214, dist(p, -p) 3.12745; gradient of expmap(p, 0) [nan, nan], of the stereographic sphere [1, 0].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu geoopt==0.5.1 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import geoopt
import numpy as np
import torch

for dtype, least in ((torch.float32, 0.0141434), (torch.float64, 0.000447214)):
    point = torch.tensor([1.0, 0.0], dtype=dtype)
    near = torch.tensor([np.cos(1e-4), np.sin(1e-4)], dtype=dtype)
    sphere = geoopt.Sphere()
    distances = [sphere.dist(point, other).item() for other in (point, near, -point)]
    print(dtype, "distances of the point, of one at 1e-4, of the opposite", distances)
    np.testing.assert_allclose(distances, [least, least, np.pi - least], rtol=1e-3)

    gradients = []
    for manifold in (sphere, geoopt.SphereProjection()):
        at = torch.tensor([0.0, 0.0], dtype=dtype) if manifold is not sphere else point
        tangent = torch.zeros(2, dtype=dtype, requires_grad=True)
        end = manifold.expmap(at, tangent)
        assert end.tolist() == at.tolist()
        gradients.append(torch.autograd.grad(end[0], tangent)[0].tolist())
    print("gradients of the exponential map", gradients)
    np.testing.assert_array_equal(gradients, [[np.nan, np.nan], [1.0, 0.0]])
PROGRAM
echo "as described"
