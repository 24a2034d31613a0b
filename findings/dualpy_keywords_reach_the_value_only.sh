#!/usr/bin/env bash
# dualpy 0.1.0 (forward mode over NumPy's own functions): keywords of NumPy's functions reach the value, but not the derivative, without an error: pad by reflection has the slopes of a pad by zeros,
# prod(initial=) and prod(where=) those of the plain product, so an element that is masked out has a slope, and max(initial=) one where the initial value wins. np.copysign(x, y) has the slope 1 by x of either sign.
# Seen: prod([1, 2, 3], initial=2): value 12, gradient [6, 3, 2] (right: [12, 6, 4]); where=[True, False, True]: 3, [6, 3, 2] ([3, 0, 1]); max(initial=5): 5, [0, 0, 1] ([0, 0, 0]);
# pad(x, 1, mode="reflect") weighted by 0..4: [1, 2, 3] ([1, 6, 3]); copysign(-7, 3): 7, slope 1 (-1, as it is |x| there). sum heeds where=.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet dualpy==0.1.0 numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import dualpy
import numpy as np

mask, weights, three = np.array([True, False, True]), np.arange(5), [1.0, 2.0, 3.0]
cases = {  # the function, the point, the value, the gradient seen
    "initial": (lambda x: np.prod(x, initial=2.0), three, 12, [6, 3, 2]),
    "where": (lambda x: np.prod(x, where=mask), three, 3, [6, 3, 2]),
    "maximum": (lambda x: np.max(x, initial=5.0), three, 5, [0, 0, 1]),
    "pad": (lambda x: np.sum(np.pad(x, 1, mode="reflect") * weights), three, 22, [1, 2, 3]),
    "copysign": (lambda x: np.copysign(x[0], x[1]), [-7.0, 3.0], 7, [1, 0]),
    "sum": (lambda x: np.sum(x, where=mask), three, 4, [1, 0, 1]),
}
for name, (function, at, value, gradient) in cases.items():
    seen = np.asarray(dualpy.gradient(function)(np.array(at))).tolist()
    print(name, float(function(np.array(at))), seen)
    assert function(np.array(at)) == value and np.allclose(seen, gradient)
PROGRAM
echo "as described"
