#!/usr/bin/env bash
# MLX 0.32.4: the remainder that mx.divmod returns has the derivative 0 by both arguments, in both modes, while mx.remainder, which
# returns the same numbers, has 1 and -floor(x / y). A program that takes quotient and remainder in one call loses its gradient
# without a word.
# Seen at x = 7.5, y = 2: remainder 1.5 from both; derivatives 1 and -3 by mx.remainder, 0 and 0 by mx.divmod.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'mlx[cpu]==0.32.4' numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mlx.core as mx

x, y = mx.array(7.5), mx.array(2.0)
one, zero = mx.array(1.0), mx.array(0.0)


def of_divmod(x, y):
    return mx.divmod(x, y)[1]


assert of_divmod(x, y).item() == mx.remainder(x, y).item() == 1.5
alone = [g.item() for g in mx.grad(mx.remainder, argnums=(0, 1))(x, y)]
both = [g.item() for g in mx.grad(of_divmod, argnums=(0, 1))(x, y)]
forward = [mx.jvp(of_divmod, [x, y], t)[1][0].item() for t in ([one, zero], [zero, one])]
print("remainder", alone, "divmod", both, "divmod in forward mode", forward)
assert alone == [1.0, -3.0]
assert both == [0.0, 0.0] and forward == [0.0, 0.0]
PROGRAM
echo "as described"
