"""SciPy's own functions on Tensors: some calls of each kind out of those in ``scipy_calls.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import unigrad as ug

ROOT = Path(__file__).resolve().parents[1]
# Of each way that SciPy takes: its own code over a namespace, ufuncs, a namespace's functions by name.
NAMES = (
    "special.log_expit", "special.beta", "special.jn", "special.iv", "special.betainc", "special.logsumexp weights",
    "stats.gmean weights", "stats.describe", "stats.skewtest", "stats.ttest_ind welch", "stats.pearsonr",
    "stats.lmoment",
    "stats.f_oneway", "stats.entropy relative", "stats.false_discovery_control", "stats.kruskal", "stats.quantile axis",
    "stats.boxcox_llf", "fft.rfft n axis", "fft.irfft2", "signal.fftconvolve same", "signal.hilbert", "signal.freqz",
    "linalg.orthogonal_procrustes", "integrate.cumulative_simpson x", "integrate.cubature", "optimize.rosen_hess",
    "optimize.elementwise.find_root", "cluster.vq.whiten", "Rotation.as_euler", "RigidTransform.as_exp_coords", "Slerp",
)  # fmt: skip


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_scipys_functions_answer_as_on_numpys_arrays_and_differentiate(backend: str) -> None:
    pytest.importorskip("scipy", minversion="1.17")
    command = [sys.executable, str(ROOT / "scipy_calls.py"), backend]
    run = subprocess.run([*command, *(f"--only={name}" for name in NAMES)], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{len(NAMES)} of {len(NAMES)} are right" in run.stdout


def test_a_namespace_has_no_function_that_libraries_take_for_numpys_and_that_does_another_thing() -> None:
    for backend in ("numpy", "torch"):
        with pytest.raises(AttributeError, match="returns a new array"):
            _ = ug.namespace(backend).put_along_axis
