#!/usr/bin/env bash
# PyTorch 2.13.0: scatter_reduce and index_reduce with "amax" or "amin" and include_self=False leave the initial values out of the result, but where an element happens to equal the initial value that it replaces, the gradient is
# shared with it as in a tie. So the slope depends on a number that plays no part. PyTorch Geometric 2.8.1 reduces by maximum over zeros this way, and zero is what a node has after a ReLU.
# Seen for one element 0: initial value 0 slope 0.5, initial value 5 slope 1 (right: 1, the result is the element). torch_geometric.utils.scatter of [0, 0] and [0] by "max": [1/3, 1/3] and 1/2 (right: [1/2, 1/2] and 1).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu torch-geometric==2.8.1 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import numpy as np
import torch
from torch_geometric.utils import scatter

index = torch.tensor([0])
for reduction in ("amax", "amin"):
    for name in ("scatter_reduce", "index_reduce"):
        slopes = []
        for initial in (0.0, 5.0):
            x = torch.zeros(1, requires_grad=True)
            y = getattr(torch.full((1,), initial), name)(0, index, x, reduction, include_self=False)
            assert y.item() == 0.0
            slopes += torch.autograd.grad(y, x)[0].tolist()
        print(name, reduction, "initial values 0 and 5: slopes", slopes)
        assert slopes == [0.5, 1.0]

for values, expected in (([0.0, 0.0, 0.0], [1 / 3, 1 / 3, 1 / 2]), ([2.0, 2.0, 2.0], [1 / 2, 1 / 2, 1])):
    x = torch.tensor(values, requires_grad=True)
    scatter(x, torch.tensor([0, 0, 1]), reduce="max").sum().backward()
    print("torch_geometric", values, x.grad.tolist())
    np.testing.assert_allclose(x.grad, expected, rtol=1e-6)
PROGRAM
echo "as described"
