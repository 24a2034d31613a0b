"""Settings that all tests share."""

from __future__ import annotations

import os

# Before NumPy is imported: the spinning threads of several BLAS libraries slow each other down.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(variable, "1")

# Before SciPy is: its functions then take arrays of any namespace of the Array API.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

from hypothesis import settings

# A loaded machine is no failure; speed is measured in benchmarks.
settings.register_profile("unigrad", deadline=None)
settings.load_profile("unigrad")
