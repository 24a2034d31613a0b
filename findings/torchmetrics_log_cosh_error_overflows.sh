#!/usr/bin/env bash
# torchmetrics 1.9.0: log_cosh_error is a loss for outliers, about the distance less log 2 far out, with a slope of 1. It takes the logarithm of a sum of exponentials as it stands: in float32 one difference of 89 makes the error infinite and
# the gradient of that prediction NaN, in float64 one of 710. Other predictions keep their gradients, so that a training step goes on and only some weights are lost.
# Seen, float32, predictions [88, 1] for targets of 0: 43.870319, slopes 0.5 and 0.3808; [89, 1]: infinite, NaN and 0.3808. In float64 the same from 710 on.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet torch==2.13.0+cpu torchmetrics==1.9.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import math

import numpy as np
import torch
from torchmetrics.functional import log_cosh_error


def found(far, dtype):
    prediction = torch.tensor([far, 1.0], dtype=dtype, requires_grad=True)
    error = log_cosh_error(prediction, torch.zeros(2, dtype=dtype))
    error.backward()
    return error.item(), prediction.grad.tolist()


for dtype, fits, beyond in ((torch.float32, 88.0, 89.0), (torch.float64, 709.0, 710.0)):
    right = (fits - math.log(2) + math.log(math.cosh(1))) / 2
    value, slopes = found(fits, dtype)
    print(dtype, fits, value, slopes, end="; ")
    np.testing.assert_allclose(value, right, rtol=1e-6)
    np.testing.assert_allclose(slopes, [0.5, math.tanh(1) / 2], rtol=1e-5)
    value, slopes = found(beyond, dtype)
    print(beyond, value, slopes)
    assert value == math.inf
    np.testing.assert_allclose(slopes, [math.nan, math.tanh(1) / 2], rtol=1e-5)
PROGRAM
echo "as described"
