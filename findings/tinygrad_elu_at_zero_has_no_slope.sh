#!/usr/bin/env bash
# tinygrad 0.14.0: elu with alpha = 0.5 has the slopes 0.5 from the left and 1 from the right of 0; at 0 itself the gradient is 0, which is neither, nor
# between them: no subgradient at all. celu of the same alpha, smooth there, answers 1. A layer whose inputs start at exactly 0 does not train.
# Seen at -1e-6, 0, 1e-6: 0.5, 0, 1. It runs on tinygrad's Python device, which needs no compiler.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet tinygrad==0.14.0
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import os

os.environ["DEV"] = "PYTHON"
from tinygrad import Tensor

x = Tensor([-1e-6, 0.0, 1e-6])
slopes = x.elu(0.5).sum().gradient(x)[0].tolist()
smooth = x.celu(0.5).sum().gradient(x)[0].tolist()
print("elu", slopes, "celu", smooth)
assert abs(slopes[0] - 0.5) < 1e-4 and slopes[1:] == [0.0, 1.0]
assert smooth[1] == 1.0
PROGRAM
echo "as described"
