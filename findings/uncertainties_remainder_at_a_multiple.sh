#!/usr/bin/env bash
# uncertainties 3.2.3: the slope of x % y by y is -floor(x / y), but the package takes it by a numerical difference, which at a multiple straddles the jump of the remainder: the slope is
# the jump divided by the step, a number of the package's step, not of the function, and the standard deviation of the result follows it. By x, where it is exact, the slope is 1.
# Seen: 6 % 2 with 2+/-0.1 has the slope of tens of millions by 2 (one-sided: -3; away from the multiple, 7 % 2, -3), and a deviation of millions for numbers known to 5 %.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet uncertainties==3.2.3
"$work/env/bin/python" -W ignore - <<'PROGRAM'
from uncertainties import ufloat

seen = {}
for dividend in (6.0, 7.0):
    x, y = ufloat(dividend, 0.1), ufloat(2.0, 0.1)
    remainder = x % y
    seen[dividend] = (remainder.n, remainder.derivatives[x], remainder.derivatives[y], remainder.s)
print(seen)
value, by_x, by_y, deviation = seen[6.0]
assert value == 0.0 and by_x == 1.0
assert abs(by_y) > 1e6 and deviation > 1e5
value, by_x, by_y, deviation = seen[7.0]
assert value == by_x == 1.0 and abs(by_y + 3.0) < 1e-6 and deviation < 1.0
PROGRAM
echo "as described"
