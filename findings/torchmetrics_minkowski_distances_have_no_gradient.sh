#!/usr/bin/env bash
# torchmetrics 1.9.0: pairwise_minkowski_distance, documented as differentiable, gives NaN for the gradient of every point, however far the points lie apart. The zeros of the diagonal come out of a root of 0, and are set to 0 in place
# afterwards, too late for the derivative: 0 times an infinite slope. pairwise_euclidean_distance and pairwise_manhattan_distance of the same points are right. Of two sets of points without a common one the gradient is right.
# Seen, gradient of the sum of all distances (exponent 3) of [0, 0], [3, 4], [6, 0]: six times NaN; Euclidean: finite, and right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu torchmetrics==1.9.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
import torch
from torchmetrics import functional

torch.set_default_dtype(torch.float64)
points = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 0.0]], requires_grad=True)


def gradient(distances):
    return torch.autograd.grad(distances.sum(), points)[0].numpy()


def by_hand(power):
    apart = points[:, None] - points[None]
    above = torch.triu(torch.ones(3, 3, dtype=torch.bool), 1)
    return 2 * (apart.abs() ** power).sum(-1)[above] ** (1 / power)


minkowski = gradient(functional.pairwise_minkowski_distance(points, exponent=3))
euclidean = gradient(functional.pairwise_euclidean_distance(points))
print("minkowski", minkowski.tolist(), "right", gradient(by_hand(3)).tolist())
assert np.isnan(minkowski).all()
assert np.isfinite(gradient(by_hand(3))).all()
np.testing.assert_allclose(euclidean, gradient(by_hand(2)), atol=1e-12)
others = torch.tensor([[1.0, 1.0]])
assert np.isfinite(gradient(functional.pairwise_minkowski_distance(points, others, exponent=3))).all()
PROGRAM
echo "as described"
