#!/usr/bin/env bash
# MLX 0.32.4: mx.grad takes integer arrays and answers in their dtype, with the fraction cut off, and no warning. The slope of 0.75 * x is
# then 0, and that of 2.75 * x is 2. (PyTorch, JAX and TensorFlow refuse an integer variable or leave it out.)
# Seen: [0, 0] and [2, 2], both int32; [0.75, 0.75] for the same numbers as float32.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'mlx[cpu]==0.32.4' numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mlx.core as mx


def slope(factor, x):
    return mx.grad(lambda x: (factor * x).sum())(x)


numbers = mx.array([1, 2])
small, large = slope(0.75, numbers), slope(2.75, numbers)
print(small, large, slope(0.75, numbers.astype(mx.float32)))
assert small.dtype == large.dtype == mx.int32
assert small.tolist() == [0, 0] and large.tolist() == [2, 2]
assert slope(0.75, numbers.astype(mx.float32)).tolist() == [0.75, 0.75]
PROGRAM
echo "as described"
