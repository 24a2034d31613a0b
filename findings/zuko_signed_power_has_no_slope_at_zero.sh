#!/usr/bin/env bash
# zuko 1.6.0: SignedPowerTransform with an exponent above 1 is flat at 0, and smooth there: 1e-300 has a slope of 4e-195. At 0 itself the slope is NaN, since it is computed as x * abs(x) ** (exponent - 1), whose second factor has an
# infinite slope for exponents below 2. So one zero in a batch, of padding or of a centred variable, is NaN for all that made it. From an exponent of 2 on, and for the exponent itself, the gradient is right.
# Seen, exponent exp(0.5), rows [0, 1]: slopes nan and 1.648721; [1e-300, 1]: 4e-195 and 1.648721; for the exponent 0 both times.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu zuko==1.6.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import math

import numpy as np
import torch
from zuko.transforms import SignedPowerTransform

torch.set_default_dtype(torch.float64)


def found(first, exponent):
    alpha = torch.tensor(math.log(exponent), requires_grad=True)
    rows = torch.tensor([first, 1.0], requires_grad=True)
    slopes = torch.autograd.grad(SignedPowerTransform(alpha)(rows).sum(), (rows, alpha))
    print(first, exponent, *[slope.tolist() for slope in slopes])
    return np.append(slopes[0].numpy(), slopes[1].item())


steep = math.exp(0.5)
np.testing.assert_allclose(found(0.0, steep), [np.nan, steep, 0.0])
np.testing.assert_allclose(found(1e-300, steep), [0.0, steep, 0.0], atol=1e-100)
np.testing.assert_allclose(found(0.0, 2.5), [0.0, 2.5, 0.0])
PROGRAM
echo "as described"
