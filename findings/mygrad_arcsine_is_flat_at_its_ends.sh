#!/usr/bin/env bash
# MyGrad 2.5.0: arcsin and arccos have the derivative 0 at exactly 1 and -1, where the true slope is infinite, while arccosh at 1, arctanh at 1 and sqrt
# at 0 answer infinity. The slope grows without bound towards the end and drops to 0 in it.
# Seen: arcsin 70710.68 at 1 - 1e-10, 0 at 1; arccos 0; arccosh, arctanh and sqrt inf.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet mygrad==2.5.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import mygrad as mg


def slope(function, at):
    x = mg.tensor(at)
    function(x).backward()
    return float(x.grad)


seen = {
    "arcsin near 1": round(slope(mg.arcsin, 1 - 1e-10), 1),
    "arcsin": [slope(mg.arcsin, at) for at in (-1.0, 1.0)],
    "arccos": [slope(mg.arccos, at) for at in (-1.0, 1.0)],
    "infinite": [slope(mg.arccosh, 1.0), slope(mg.arctanh, 1.0), slope(mg.sqrt, 0.0)],
}
print(seen)
assert 70_000 < seen["arcsin near 1"] < 71_000
assert seen["arcsin"] == seen["arccos"] == [0.0, 0.0]
assert seen["infinite"] == [float("inf")] * 3
PROGRAM
echo "as described"
