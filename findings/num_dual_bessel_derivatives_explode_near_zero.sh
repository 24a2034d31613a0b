#!/usr/bin/env bash
# num-dual 0.15.1 (dual numbers up to third order): the spherical Bessel functions j0, j1, j2 are smooth at 0: 1 - x**2 / 6, x / 3 - x**3 / 30 and x**2 / 15 to the order used here. Their quotients
# of sines are used down to |x| = 2e-16, so values and derivatives cancel beside 0, the higher ones worst, though every true one is of the order of 1. And below it, 0 included, the cubic term of j1 is missing.
# Seen at 1e-9: j2 is -1 (right: 6.7e-20), its second derivative 6e18 (2/15), the third of j1 -1e19 (-1/5), j0'' -256 (-1/3); at 1e-5 j1''' is 1.2e5; at 0 it is 0, the others are right.
# https://github.com/itt-ustutt/num-dual/pull/113 mended the same threshold for negative arguments.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet num-dual==0.15.1
"$work/env/bin/python" -W ignore - <<'PROGRAM'
from num_dual import third_derivative

seen = {}
for at in (0.0, 1e-9, 1e-5):
    for name in ("sph_j0", "sph_j1", "sph_j2"):
        seen[name, at] = third_derivative(lambda x: getattr(x, name)(), at)
        print(name, "at", at, seen[name, at])
for name, order, right in (("sph_j0", 2, -1 / 3), ("sph_j1", 3, -1 / 5), ("sph_j2", 2, 2 / 15)):
    assert abs(seen[name, 1e-9][order] - right) > 100
assert seen["sph_j1", 0.0] == (0.0, 1 / 3, 0.0, 0.0)
assert seen["sph_j2", 1e-9][0] < -0.5
assert seen["sph_j1", 1e-5][3] > 1e4
PROGRAM
echo "as described"
