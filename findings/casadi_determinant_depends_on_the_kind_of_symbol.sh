#!/usr/bin/env bash
# CasADi 3.8.2 has scalar symbols (SX) and matrix symbols (MX) for the same programs. The determinant of a singular matrix and its derivative, polynomials both,
# are right with SX; with MX, which factorises the matrix, both raise when they are evaluated.
# Seen at [[1, 2], [2, 4]]: SX 0 and [4, -2, -2, 1]; MX RuntimeError twice.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet casadi==3.8.2 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import casadi

seen = {}
for kind in (casadi.SX, casadi.MX):
    x = kind.sym("x", 2, 2)
    value = casadi.det(x)
    for what in (value, casadi.jacobian(value, x)):
        try:
            answer = casadi.Function("f", [x], [what])(casadi.DM([[1, 2], [2, 4]]))
            seen.setdefault(kind.__name__, []).append(answer.full().ravel().tolist())
        except RuntimeError:
            seen.setdefault(kind.__name__, []).append("RuntimeError")
print(seen)
assert seen == {"SX": [[0.0], [4.0, -2.0, -2.0, 1.0]], "MX": ["RuntimeError", "RuntimeError"]}
PROGRAM
echo "as described"
