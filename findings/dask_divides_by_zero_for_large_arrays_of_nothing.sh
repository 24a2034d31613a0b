#!/usr/bin/env bash
# dask 2026.8.0: an array without elements whose other axes are large cannot be made: dask.array.zeros, from_array and asarray divide by zero when they choose the chunks, since they divide a limit by the size of the axes chosen so far, 0.
# With small axes the same calls work, as NumPy's do with large ones; with the chunks given, and by rechunk("auto") afterwards, dask takes the large ones, too. An empty selection of a large table meets it. https://github.com/dask/dask/issues/12537 has a neighbour of it.
# Seen for the shape (0, 1000000): ZeroDivisionError three times; (0, 3) and (0,) are made.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/env"
"$work/env/bin/pip" install --quiet "dask[array]==2026.8.0" numpy==2.4.6
"$work/env/bin/python" -W ignore - <<'PROGRAM'
import dask.array
import numpy as np

makers = {
    "zeros": dask.array.zeros,
    "from_array": lambda shape: dask.array.from_array(np.zeros(shape)),
    "asarray": lambda shape: dask.array.asarray(np.zeros(shape)),
}
seen = {}
for shape in ((0,), (0, 3), (0, 1_000_000)):
    for name, make in makers.items():
        try:
            seen[name, shape] = make(shape).compute().shape
        except ZeroDivisionError:
            seen[name, shape] = "ZeroDivisionError"
        print(name, shape, seen[name, shape])
for (_, shape), answer in seen.items():
    assert answer == ("ZeroDivisionError" if 1_000_000 in shape else shape)
given = dask.array.zeros((0, 1_000_000), chunks=(0, 1_000_000))
assert given.rechunk("auto").compute().shape == (0, 1_000_000)
PROGRAM
echo "as described"
