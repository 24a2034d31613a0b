"""Functions of NumPy, SciPy, scikit-learn, einops, math and matplotlib on Tensors, each as its users call it.

Those that compute are held against themselves on NumPy arrays, and their gradients against central differences.
Those that would cut the graph have to raise.
"""

from __future__ import annotations

import contextlib
import functools
import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import einops
import einops.array_api
import matplotlib
import numpy as np
import pytest
import scipy.cluster.vq
import scipy.constants
import scipy.integrate
import scipy.optimize
import scipy.signal
import scipy.special
import scipy.stats
import sklearn
from scipy.spatial.transform import Rotation
from sklearn import metrics, preprocessing
from sklearn.metrics import pairwise

import unigrad as ug
from unigrad.adapters.registry import backend_names
from unigrad.table import OPERATIONS

matplotlib.use("Agg")
from matplotlib import pyplot as plt

RNG = np.random.default_rng(7)
A, B = RNG.uniform(0.2, 0.9, (2, 4, 3))
GRID = np.cumsum(B, axis=1)

Function = Callable[..., Any]

NUMPY: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "sin": (np.sin, (A,)),
    "exp2": (np.exp2, (A,)),
    "reciprocal": (np.reciprocal, (A,)),
    "degrees": (np.degrees, (A,)),
    "add scalar": (lambda a: np.add(a, 2), (A,)),
    "scalar of NumPy": (lambda a: np.float64(2) * a - np.float64(1), (A,)),
    "maximum": (np.maximum, (A, B)),
    "divmod": (lambda a, b: np.divmod(a, b)[1], (A, B)),
    "add.reduce": (np.add.reduce, (A,)),
    "add.reduce all": (lambda a: np.add.reduce(a, axis=None), (A,)),
    "multiply.reduce": (lambda a: np.multiply.reduce(a, axis=1, keepdims=True), (A,)),
    "maximum.reduce": (lambda a: np.maximum.reduce(a, axis=(0, 1)), (A,)),
    "add.accumulate": (np.add.accumulate, (A,)),
    "multiply.outer": (np.multiply.outer, (A, B)),
    "sum": (lambda a: np.sum(a, 1, keepdims=True), (A,)),
    "mean": (lambda a: np.mean(a, axis=(0, 1)), (A,)),
    "var": (lambda a: np.var(a, axis=0, ddof=1), (A,)),
    "std": (lambda a: np.std(a, axis=1), (A,)),
    "prod": (np.prod, (A,)),
    "cumsum": (np.cumsum, (A,)),
    "cumprod": (lambda a: np.cumprod(a, 1), (A,)),
    "concatenate": (lambda a, b: np.concatenate([a, b, a], axis=1), (A, B)),
    "concatenate flat": (lambda a, b: np.concatenate((a, b), axis=None), (A, B)),
    "stack": (lambda a, b: np.stack((a, b), -1), (A, B)),
    "where": (lambda a, b: np.where(a > b, a, 0.5), (A, B)),
    "clip": (lambda a: np.clip(a, 0.3, None), (A,)),
    "clip by name": (lambda a: np.clip(a, a_min=0.3, a_max=0.8), (A,)),
    "einsum": (lambda a, b: np.einsum("ij,kj->ik", a, b, optimize=True), (A, B)),
    "tensordot": (lambda a, b: np.tensordot(a, b, axes=[[1], [1]]), (A, B)),
    "inner": (np.inner, (A, B)),
    "vdot": (np.vdot, (A, B)),
    "reshape": (lambda a: np.reshape(a, (3, -1)), (A,)),
    "transpose": (np.transpose, (A,)),
    "swapaxes": (lambda a: np.swapaxes(a, 0, 1), (A,)),
    "ravel": (np.ravel, (A,)),
    "expand_dims": (lambda a: np.expand_dims(a, (0, 2)), (A,)),
    "sort flat": (lambda a: np.sort(a, axis=None), (A,)),
    "take flat": (lambda a: np.take(a, [0, 5, 5]), (A,)),
    "round": (lambda a: np.round(a, 1), (A,)),
    "linalg.norm": (lambda a: np.linalg.norm(a, axis=1), (A,)),
    "linalg.norm fro": (np.linalg.norm, (A,)),
}
SCIPY: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "special.logsumexp": (lambda a: scipy.special.logsumexp(a, axis=1), (A,)),
    "special.softmax": (lambda a: scipy.special.softmax(a, axis=1), (A,)),
    "special.log_softmax": (lambda a: scipy.special.log_softmax(a, axis=1), (A,)),
    "special.expit": (scipy.special.expit, (A,)),
    "special.log1p": (scipy.special.log1p, (A,)),
    "special.xlogy": (scipy.special.xlogy, (A, B)),
    "special.rel_entr": (scipy.special.rel_entr, (A, B)),
    "stats.gmean": (scipy.stats.gmean, (A,)),
    "stats.hmean": (scipy.stats.hmean, (A,)),
    "stats.pmean": (lambda a: scipy.stats.pmean(a, 3), (A,)),
    "stats.zscore": (scipy.stats.zscore, (A,)),
    "stats.gzscore": (scipy.stats.gzscore, (A,)),
    "stats.skew": (scipy.stats.skew, (A,)),
    "stats.kurtosis": (scipy.stats.kurtosis, (A,)),
    "stats.moment": (lambda a: scipy.stats.moment(a, 3), (A,)),
    "stats.sem": (scipy.stats.sem, (A,)),
    "stats.trim_mean": (lambda a: scipy.stats.trim_mean(a, 0.25), (A,)),
    "stats.circvar": (scipy.stats.circvar, (A,)),
    "stats.directional_stats": (lambda a: scipy.stats.directional_stats(a).mean_direction, (A,)),
    "integrate.trapezoid": (scipy.integrate.trapezoid, (A, GRID)),
    "integrate.cumulative_trapezoid": (lambda a: scipy.integrate.cumulative_trapezoid(a, dx=0.5), (A,)),
    "cluster.vq.whiten": (scipy.cluster.vq.whiten, (A,)),
    "optimize.rosen": (scipy.optimize.rosen, (A,)),
    "spatial.transform.Rotation": (lambda a: Rotation.from_rotvec(a).as_matrix(), (A,)),
    "constants.convert_temperature": (lambda a: scipy.constants.convert_temperature(a, "C", "F"), (A,)),
}
SKLEARN: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "mean_squared_error": (lambda a, b: metrics.mean_squared_error(b, a, multioutput="raw_values"), (A, B)),
    "mean_absolute_error": (lambda a, b: metrics.mean_absolute_error(b, a, multioutput="raw_values"), (A, B)),
    "r2_score": (lambda a, b: metrics.r2_score(b, a, multioutput="raw_values"), (A, B)),
    "cosine_similarity": (pairwise.cosine_similarity, (A, B)),
    "euclidean_distances": (pairwise.euclidean_distances, (A, B)),
    "rbf_kernel": (pairwise.rbf_kernel, (A, B)),
    "polynomial_kernel": (pairwise.polynomial_kernel, (A, B)),
    "normalize": (preprocessing.normalize, (A,)),
    "MaxAbsScaler": (lambda a: preprocessing.MaxAbsScaler().fit_transform(a), (A,)),
}
EINOPS: dict[str, tuple[Function, tuple[Any, ...]]] = {
    "rearrange": (lambda a: einops.rearrange(a, "(h r) w -> w (r h)", r=2), (A,)),
    "rearrange a list": (lambda a, b: einops.rearrange([a, b], "l h w -> (l h) w"), (A, B)),
    "reduce": (lambda a: einops.reduce(a, "(h r) w -> h w", "mean", r=2), (A,)),
    "reduce max": (lambda a: einops.reduce(a, "h w -> w", "max"), (A,)),
    "repeat": (lambda a: einops.repeat(a, "h w -> h k (w r)", k=2, r=3), (A,)),
    "einsum": (lambda a, b: einops.einsum(a, b, "i k, j k -> i j"), (A, B)),
    "pack": (lambda a, b: einops.pack([a, b], "h *")[0], (A, B)),
    "array_api.rearrange": (lambda a: einops.array_api.rearrange(a, "h w -> w h"), (A,)),
}
CALLS = {
    f"{library}.{name}": call
    for library, calls in {"np": NUMPY, "scipy": SCIPY, "sklearn": SKLEARN, "einops": EINOPS}.items()
    for name, call in calls.items()
}
BACKENDS = ("numpy", "torch", "tensorflow", "mxnet", "jax")
# JAX compiles every operation for every shape, which takes seconds for some of these.
ON_JAX = {
    "np.sin", "np.add.reduce", "np.concatenate", "np.where", "np.einsum", "np.linalg.norm", "scipy.special.logsumexp",
    "scipy.special.softmax", "scipy.stats.zscore", "scipy.integrate.trapezoid", "sklearn.euclidean_distances",
    "einops.rearrange", "einops.reduce", "einops.repeat",
}  # fmt: skip


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    assert request.param in backend_names()
    try:
        with ug.use_backend(request.param):
            yield request.param
    except ug.BackendError as error:
        pytest.skip(str(error))


@functools.cache
def reference(name: str) -> tuple[Any, list[Any]]:
    """The value on NumPy arrays, and by central differences the gradient of its weighted sum for each of them."""
    function, arrays = CALLS[name]
    with sklearn.config_context(array_api_dispatch=True):
        value = np.asarray(function(*arrays))

        def objective(*inputs: Any) -> float:
            return float(np.sum(weights(value.shape) * np.asarray(function(*inputs))))

        gradients = []
        for position, array in enumerate(arrays):
            gradient = np.zeros_like(array)
            for index in np.ndindex(array.shape):
                step = np.zeros_like(array)
                step[index] = 1e-6
                up, down = (
                    objective(*arrays[:position], array + sign * step, *arrays[position + 1 :]) for sign in (1, -1)
                )
                gradient[index] = (up - down) / 2e-6
            gradients.append(gradient)
    return value, gradients


PLAIN: dict[str, Callable[..., Any]] = {
    "welch": lambda a: scipy.signal.welch(a, nperseg=4)[1],
    "welch of as many": lambda a: scipy.signal.welch(a[:4], nperseg=4)[1],
    "csd": lambda a: scipy.signal.csd(a, a[:6], nperseg=4)[1],
    "spectrogram": lambda a: scipy.signal.spectrogram(a, nperseg=4)[2],
    "periodogram": lambda a: scipy.signal.periodogram(a, nfft=16)[1],
    "resample": lambda a: scipy.signal.resample(a, 5),
    "lmoment": scipy.stats.lmoment,
    "false_discovery_control": lambda a: scipy.stats.false_discovery_control(a, method="by"),
    "simpson": scipy.integrate.simpson,
}
NEED_COMPLEX = {"welch", "welch of as many", "csd", "spectrogram", "periodogram", "resample"}


@pytest.mark.parametrize("name", PLAIN)
def test_scipy_answers_the_same_without_a_gradient(name: str, backend: str) -> None:
    if backend == "mxnet" and name in NEED_COMPLEX:
        pytest.skip("MXNet has no complex arrays")
    values = RNG.uniform(0.2, 0.9, 12)
    found = np.asarray(PLAIN[name](ug.asarray(values)))
    np.testing.assert_allclose(found, PLAIN[name](values), rtol=1e-9, atol=1e-12)


def weights(shape: tuple[int, ...]) -> Any:
    return np.cos(np.arange(math.prod(shape))).reshape(shape)


@pytest.mark.parametrize(
    ("name", "backend"),
    [(name, backend) for backend in BACKENDS for name in CALLS if backend != "jax" or name in ON_JAX],
    indirect=["backend"],
)
def test_a_function_computes_and_is_recorded(name: str, backend: str) -> None:
    function, arrays = CALLS[name]
    value, gradients = reference(name)
    tensors = [ug.asarray(array) for array in arrays]
    for tensor in tensors:
        tensor.attach_grad()
    with sklearn.config_context(array_api_dispatch=True), ug.record():
        found = function(*tensors)
    assert isinstance(found, ug.Tensor)
    assert found.backend.name == backend
    assert found.shape == value.shape
    np.testing.assert_allclose(found.numpy(), value, rtol=1e-11, atol=1e-12)
    found.backward(ug.asarray(weights(value.shape)))
    for tensor, gradient in zip(tensors, gradients, strict=True):
        np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-6, atol=1e-7)


LATER = {
    "linalg.inv": (lambda a: np.linalg.inv(a[:3]), A),
    "linalg.det": (lambda a: np.linalg.det(a[:3]), A),
    "linalg.svdvals": (lambda a: np.linalg.svd(a, compute_uv=False), A),
    "linalg.trace": (np.trace, A),
    "linalg.diagonal": (lambda a: np.diagonal(a, 1), A),
    "linalg.cross": (lambda a: np.cross(a, B), A),
    "fft.fft": (lambda a: np.abs(np.fft.fft(a, 5, 0, "ortho")), A),
    "median": (lambda a: np.median(a, axis=1), A),
    "pad": (lambda a: np.pad(a, 1), A),
    "roll": (lambda a: np.roll(a, 1, axis=0), A),
    "repeat": (lambda a: np.repeat(a, 2), A),
    "tile": (lambda a: np.tile(a, (2, 1)), A),
    "diff": (lambda a: np.diff(a, axis=0), A),
    "atan2": (lambda a: np.arctan2(a, 0.5), A),
}


@pytest.mark.parametrize("name", LATER)
def test_every_operation_answers_to_numpys_name(name: str) -> None:
    if name not in OPERATIONS:
        pytest.skip(f"there is no {name} yet")
    function, array = LATER[name]
    x = ug.asarray(array)
    x.attach_grad()
    with ug.record():
        y = function(x)
    np.testing.assert_allclose(y.numpy(), function(array), rtol=1e-11, atol=1e-13)
    y.backward()
    assert x.grad.shape == array.shape


def test_arrays_of_numpy_beside_tensors(backend: str) -> None:
    x = ug.asarray(A)
    for mixed in (lambda: np.add(B, x), lambda: B + x, lambda: x * B, lambda: np.concatenate([x, B])):
        assert mixed().backend is x.backend
    x.attach_grad()
    with ug.record():
        y = (B * x + ug.where(B > 0, x, B)).sum()
    y.backward()
    assert np.allclose(x.grad.numpy(), B + (B > 0))
    if backend != "numpy":
        # Not so a Tensor of NumPy's backend, whose gradient would be lost.
        with ug.use_backend("numpy"):
            other = ug.asarray(B)
        with pytest.raises(ug.BackendMismatchError, match="to_backend"):
            x * other


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.add(x, 1, out=np.ones(x.shape)), "out="),
        (lambda x: np.add(x, 1, out=x), "out="),
        (lambda x: np.sum(x, out=np.ones(())), "out="),
        (lambda x: np.add(x, 1, where=np.ones(x.shape, bool)), "where"),
        (lambda x: np.add.at(np.ones(4), 0, x[0, 0]), "NumPy array"),
        (lambda x: np.putmask(np.ones((4, 3)), x > 1, x), "NumPy array"),
        (lambda x: np.reshape(x, (3, 4), order="X"), "order"),
        (lambda x: np.nan_to_num(x, copy=False), "copy"),
        (lambda x: np.hypot.reduce(x, where=x > 0.5), "where"),
        (lambda x: np.lib.scimath.sqrt(x), "counterpart"),
        (lambda x: np.full((2, 2), x[0, 0], like=x), "gradient"),
        (lambda x: scipy.special.kolmogorov(x), "kolmogorov"),
    ],
)
def test_what_unigrad_has_no_counterpart_for_raises(call: Function, message: str) -> None:
    with pytest.raises(ug.UnsupportedError, match=message):
        call(ug.asarray(A))


def test_questions_without_a_gradient_are_answered(backend: str) -> None:
    x = ug.asarray(A)
    x.attach_grad()
    with ug.record():
        y = x * 2
        assert (np.shape(y), np.ndim(y), np.size(y)) == ((4, 3), 2, 12)
        assert np.allclose(y, 2 * A)
        assert not np.array_equal(y, A)
        assert not np.iscomplexobj(y)
    assert np.zeros_like(y).backend.name == backend
    assert np.arange(3, like=y).backend.name == backend


def recorded(use: Function) -> None:
    """Use something that depends on an attached array while recording."""
    x = ug.asarray(A)
    x.attach_grad()
    with ug.record():
        use(x * 2)


CUTTING = {
    "np.asarray": np.asarray,
    "np.array": np.array,
    "np.array of scalars": lambda y: np.array([y[0, 0], y[0, 1]]),
    "np.asarray of rows": lambda y: np.asarray(list(y)),
    "np.ndarray.fill": lambda y: np.ones(y.shape).__setitem__(..., y),
    "ug.full": lambda y: ug.full((2,), y[0, 0]),
    "einops.asnumpy": einops.asnumpy,
    "scipy.special.struve": lambda x: scipy.special.struve(1, x),
    "scipy.linalg.inv": lambda y: scipy.linalg.inv(y[:3]),
    "scipy.signal.convolve": lambda y: scipy.signal.convolve(y, y),
    "plt.plot": lambda y: plt.plot(y),
    "plt.plot of two": lambda y: plt.plot(y[:, 0], y[:, 1]),
    "plt.scatter": lambda y: plt.scatter(y[:, 0], y[:, 1]),
    "plt.hist": lambda y: plt.hist(y[0]),
    "plt.imshow": lambda y: plt.imshow(y),
}
if hasattr(ug.Tensor, "__dlpack__"):
    CUTTING["np.from_dlpack"] = np.from_dlpack


@pytest.mark.parametrize("name", CUTTING)
def test_a_conversion_that_would_cut_the_graph_raises(name: str, backend: str) -> None:
    with contextlib.closing(_Figures()), pytest.raises(ug.UnsupportedError, match=r"gradient|detach"):
        recorded(CUTTING[name])


class _Figures:
    def close(self) -> None:
        plt.close("all")


def test_what_is_no_conversion_does_not_raise(backend: str) -> None:
    recorded(lambda y: pickle.dumps(y))
    recorded(lambda y: y.numpy())
    recorded(lambda y: np.asarray(y.detach()))
    recorded(lambda y: float(y[0, 0]))
    with pytest.raises(TypeError):
        recorded(memoryview)


def test_math(backend: str) -> None:
    x = ug.asarray(-2.5)
    found = [math.floor(x), math.ceil(x), math.trunc(x), round(x)]
    assert found == [-3, -2, -2, -2]
    assert all(type(value) is int for value in found)
    assert round(ug.asarray(2.25, dtype="float64"), 1) == 2.2
    assert math.sin(x) == math.sin(-2.5)
    assert math.hypot(ug.asarray(3.0), ug.asarray(4.0)) == 5
    assert math.isclose(ug.asarray([[2.0]]), 2.0)
    assert math.prod([x, x]).item() == 6.25
    with pytest.raises(ug.ShapeError):
        math.floor(ug.ones(2))


@pytest.mark.parametrize("attached", [False, True])
def test_matplotlib(attached: bool, backend: str) -> None:
    x, image = ug.asarray([1.0, 3.0, 2.0]), ug.asarray([[1.0, 2.0], [3.0, 4.0]])
    if attached:
        x.attach_grad()
        image.attach_grad()
    figure, axes = plt.subplots(2, 4)
    (line,) = axes[0, 0].plot(x)
    assert line.get_ydata(orig=False).tolist() == [1, 3, 2]
    axes[0, 1].plot(x, x * 2, "o")
    counts, edges, _ = axes[0, 2].hist(x, bins=2)
    assert counts.tolist() == [1, 2]
    assert edges.tolist() == [1, 2, 3]
    assert axes[0, 3].imshow(image).get_array().tolist() == [[1, 2], [3, 4]]
    bars = axes[1, 0].bar(x, x)
    assert [bar.get_height() for bar in bars] == [1, 3, 2]
    axes[1, 1].scatter(x, x, c=x)
    axes[1, 2].fill_between(x, x)
    axes[1, 3].errorbar(x, x, yerr=x)
    figure.canvas.draw()
    plt.close(figure)


@pytest.mark.parametrize("first", ["einops", "unigrad"])
def test_einops_is_told_in_either_order(first: str) -> None:
    second = {"einops": "unigrad", "unigrad": "einops"}[first]
    source = (
        f"import sys, {first}\n"
        f"assert {second!r} not in sys.modules and 'matplotlib' not in sys.modules\n"
        f"import {second}\n"
        "import gc; gc.collect()\n"
        "assert einops.rearrange(unigrad.ones((2, 3)), 'a b -> (b a)').shape == (6,)"
    )
    subprocess.run([sys.executable, "-c", source], check=True, timeout=120)


def test_scipys_ufuncs_without_its_array_api() -> None:
    source = (
        "import unigrad as ug, scipy.special\n"
        "x = ug.asarray([0.0, 1.0]); x.attach_grad()\n"
        "with ug.record(): y = scipy.special.expit(x)\n"
        "y.backward(); assert x.grad[0].item() == 0.25"
    )
    environment = {"PATH": "", "PYTHONPATH": ":".join(sys.path), "SCIPY_ARRAY_API": "0"}
    subprocess.run([sys.executable, "-c", source], check=True, timeout=120, env=environment)


class Stranger:
    """Another library's array, which knows what to do with a Tensor."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> str:
        return f"{ufunc.__name__} by the stranger"

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> str:
        return f"{function.__name__} by the stranger"


def test_other_libraries_are_asked() -> None:
    x = ug.asarray(A)
    assert np.add(x, Stranger()) == "add by the stranger"
    assert np.concatenate([x, Stranger()]) == "concatenate by the stranger"
