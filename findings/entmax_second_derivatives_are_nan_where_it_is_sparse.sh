#!/usr/bin/env bash
# entmax 1.3: entmax15 is a softmax that gives exact zeros, which is what it is for. As soon as one probability is 0, every second derivative is NaN, also those by the inputs that are not 0 (the rule differentiates the root of a zero), though the function is
# smooth there: the zero stays 0 nearby. entmax_bisect by its exponent alpha: NaN at 1, where it accepts the value and is the softmax.
# Seen for [1, 0.5, 0, -5]: first derivatives right, second all NaN, for the same without the -5 right by differences; derivative by alpha of the weighted sum nan at 1, and -0.1759 at 1.0001.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu entmax==1.3 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import entmax
import numpy as np
import torch

torch.set_default_dtype(torch.float64)
weights = torch.tensor([1.0, 2.0, 3.0, 4.0])


def gradient(x, create_graph=True):
    total = (entmax.entmax15(x, dim=-1) * weights[: len(x)]).sum()
    return torch.autograd.grad(total, x, create_graph=create_graph)[0]


seen = {}
for values in ([1.0, 0.5, 0.0], [1.0, 0.5, 0.0, -5.0]):
    x = torch.tensor(values, requires_grad=True)
    first = gradient(x)
    second = torch.autograd.grad(first[0], x)[0]
    step = torch.zeros(len(x))
    step[0] = 1e-5
    ends = [gradient((x + h).detach().requires_grad_())[0].item() for h in (step, -step)]
    seen[len(x)] = (first.tolist(), second.tolist(), (ends[0] - ends[1]) / 2e-5)
    print(values, entmax.entmax15(x, dim=-1).tolist(), seen[len(x)])
np.testing.assert_allclose(seen[4][0], seen[3][0] + [0.0], atol=1e-12)
np.testing.assert_allclose([seen[3][1][0], seen[3][2]], seen[4][2], rtol=1e-5)
assert np.isnan(seen[4][1]).all()

by_alpha = []
for at in (1.0, 1.0001):
    alpha = torch.tensor(at, requires_grad=True)
    value = (entmax.entmax_bisect(torch.tensor([0.3, 0.1, -0.2]), alpha, dim=-1) * weights[:3]).sum()
    by_alpha.append(torch.autograd.grad(value, alpha)[0].item())
print("by alpha", by_alpha)
assert np.isnan(by_alpha[0]) and abs(by_alpha[1] + 0.1759) < 1e-3
PROGRAM
echo "as described"
