#!/usr/bin/env bash
# HIPS autograd 1.9.1, MLX 0.32.4 and tinygrad 0.14.0: a cast to integers and back, which is constant between the integers, passes the cotangent
# as if it were the identity. (JAX answers 0, PyTorch ends the graph, TensorFlow answers None.) So a rounded program has a slope that its values do not have.
# Seen for 3 and 5 times the elements of [1.5, 2.5]: value 13 and gradient [3, 5] from all three. tinygrad runs on its Python device here, which needs no compiler.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet autograd==1.9.1 numpy==2.4.6 'mlx[cpu]==0.32.4' tinygrad==0.14.0
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import os

os.environ["DEV"] = "PYTHON"
import autograd
import mlx.core as mx
import numpy as np
import tinygrad

weights = np.array([3.0, 5.0])
at = np.array([1.5, 2.5])


def hips(x):
    return (x.astype(int).astype(float) * weights).sum()


def mlx(x):
    return (x.astype(mx.int32).astype(mx.float32) * mx.array([3.0, 5.0])).sum()


x = tinygrad.Tensor(at.tolist())
y = x.cast(tinygrad.dtypes.int32).cast(tinygrad.dtypes.float32) * tinygrad.Tensor(weights.tolist())
seen = {
    "autograd": (float(hips(at)), autograd.grad(hips)(at).tolist()),
    "mlx": (mlx(mx.array([1.5, 2.5])).item(), mx.grad(mlx)(mx.array([1.5, 2.5])).tolist()),
    "tinygrad": (y.sum().tolist(), y.sum().gradient(x)[0].tolist()),
}
print(seen)
assert all(answer == (13.0, [3.0, 5.0]) for answer in seen.values())
PROGRAM
echo "as described"
