#!/usr/bin/env bash
# GPyTorch 1.15.2: k(x, y) is smooth where x = y for the Matern kernel with nu = 2.5, and the covariance of a process's derivatives is its second derivative there. The kernels that take the distance (not its square) have
# the curvature 0 at exactly equal points, without an error, and the right one beside them: a covariance of slopes that is got by automatic differentiation has variances of 0. The RBF kernel is right.
# Seen, second derivatives of k(x, y) at x = y with length scale and period 1: Matern 2.5 0 (right: -5/3), Matern 1.5 0 (-3), cosine 0 (-pi^2), RBF -1 (-1); mixed ones 0, 0, 0, 1. At a distance of 1e-4 all are right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu gpytorch==1.15.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import math

import numpy as np
import torch
from gpytorch import kernels

torch.set_default_dtype(torch.float64)


def curvature(kernel, apart):
    """The second derivatives of k(x, y) by x, and by x and y, from the matrix of the kernel for both points."""
    points = torch.tensor([[0.5], [0.5 + apart]])
    hessian = torch.autograd.functional.hessian(lambda p: kernel(p).to_dense()[0, 1], points)
    return hessian[0, 0, :, 0].tolist()


cases = {"Matern 2.5": (kernels.MaternKernel(2.5), -5 / 3), "Matern 1.5": (kernels.MaternKernel(1.5), -3.0)}
cases |= {"cosine": (kernels.CosineKernel(), -math.pi**2), "RBF": (kernels.RBFKernel(), -1.0)}
for name, (kernel, right) in cases.items():
    for parameter in ("lengthscale", "period_length"):
        if getattr(kernel, parameter, None) is not None:
            setattr(kernel, parameter, 1.0)
    equal, beside = curvature(kernel, 0.0), curvature(kernel, 1e-4)
    print(name, "equal points", equal, "beside", beside, "right", right)
    np.testing.assert_allclose(beside, [right, -right], rtol=2e-3)
    np.testing.assert_allclose(equal, [right, -right] if name == "RBF" else [0.0, 0.0], atol=1e-9)
PROGRAM
echo "as described"
