#!/usr/bin/env bash
# MLX 0.32.4: mx.addmm(c, a, b, alpha, beta) is alpha * (a @ b) + beta * c. Reverse mode knows both factors, forward mode neither:
# mx.jvp answers as if alpha and beta were 1, in the same process and for the same call that mx.grad gets right.
# With 1 x 1 arrays c = 2, a = 3, b = 5, alpha = 0.5, beta = 0.25 the partial derivatives are 0.25, 2.5, 1.5.
# Seen: reverse [0.25, 2.5, 1.5], forward [1.0, 5.0, 3.0].
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'mlx[cpu]==0.32.4' numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mlx.core as mx

one, zero = mx.ones((1, 1)), mx.zeros((1, 1))
at = [2 * one, 3 * one, 5 * one]


def product(c, a, b):
    return mx.addmm(c, a, b, 0.5, 0.25)


reverse = [g.item() for g in mx.grad(lambda *xs: product(*xs).sum(), argnums=(0, 1, 2))(*at)]
forward = [
    mx.jvp(product, at, [one if i == k else zero for i in range(3)])[1][0].item() for k in range(3)
]
print("reverse", reverse, "forward", forward)
assert reverse == [0.25, 2.5, 1.5]
assert forward == [1.0, 5.0, 3.0]
PROGRAM
echo "as described"
