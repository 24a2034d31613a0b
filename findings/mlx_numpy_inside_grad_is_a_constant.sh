#!/usr/bin/env bash
# MLX 0.32.4: inside mx.grad an array is an ordinary one with values, so NumPy's functions, float() and .item() take it, and whatever passes
# through them counts as constant. The gradient is 0, or part of the right one, without a word, where JAX and PyTorch raise.
# Seen: the gradient of the sum of sin, by NumPy, is [0, 0]; that of x * x.item() at 3 is 3 where x * x has 6.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'mlx[cpu]==0.32.4' numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mlx.core as mx
import numpy as np

x = mx.array([1.0, 2.0])
by_numpy = mx.grad(lambda x: mx.array(np.sin(np.asarray(x))).sum())(x).tolist()
by_mlx = mx.grad(lambda x: mx.sin(x).sum())(x).tolist()
by_item = mx.grad(lambda x: x * x.item())(mx.array(3.0)).item()
print("NumPy's sin", by_numpy, "MLX's", by_mlx, "x * x.item()", by_item)
assert by_numpy == [0.0, 0.0] and np.allclose(by_mlx, np.cos([1.0, 2.0]), rtol=1e-5)
assert by_item == 3.0
PROGRAM
echo "as described"
