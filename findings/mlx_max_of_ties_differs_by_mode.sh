#!/usr/bin/env bash
# MLX 0.32.4: where several elements are the greatest, reverse mode gives each an equal share, and forward mode the whole tangent to the
# first of them. Reverse and forward are then not the same linear map, and what mixes them (a product of a Hessian and a vector, a check
# of one mode by the other) is inconsistent at every tie.
# Seen for mx.max of [3, 3]: gradient [0.5, 0.5]; tangents along [1, 0] and [0, 1]: 1 and 0.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'mlx[cpu]==0.32.4' numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mlx.core as mx

x = mx.array([3.0, 3.0])
gradient = mx.grad(mx.max)(x).tolist()
tangents = [mx.jvp(mx.max, [x], [mx.array(t)])[1][0].item() for t in ([1.0, 0.0], [0.0, 1.0])]
print("reverse", gradient, "forward", tangents)
assert gradient == [0.5, 0.5]
assert tangents == [1.0, 0.0]
PROGRAM
echo "as described"
