#!/usr/bin/env bash
# MLX 0.32.4: where an assignment names one place twice, the later value is the one kept, but reverse mode gives the cotangent of that place to
# both values, so the one that was overwritten, and cannot influence the result, has the derivative 1.
# Seen for y[[0, 0]] = v, result y[0], v = [1, 2]: value 2 (the last), gradient [1, 1] where [0, 1] is right.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet 'mlx[cpu]==0.32.4' numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mlx.core as mx


def kept(v):
    y = mx.zeros(2)
    y[mx.array([0, 0])] = v
    return y[0]


values = [kept(mx.array(v)).item() for v in ([1.0, 2.0], [9.0, 2.0])]
gradient = mx.grad(kept)(mx.array([1.0, 2.0])).tolist()
print("values", values, "gradient", gradient)
assert values == [2.0, 2.0]
assert gradient == [1.0, 1.0]
PROGRAM
echo "as described"
