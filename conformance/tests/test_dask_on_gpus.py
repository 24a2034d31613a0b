"""dask arrays of CuPy's chunks, through the stand-in for CuPy: whatever is made beside them is of its arrays too.

The program below gives the stand-in CuPy's name, so it runs in a process of its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

pytest.importorskip("dask")


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What the program printed."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_gradients_have_their_variables_chunks_of_the_same_kind(seen: dict[str, Any]) -> None:
    assert len(seen["gradients"]) == 35
    assert {name: said for name, said in seen["gradients"].items() if said != "right"} == {}


def test_what_is_made_beside_them_is_of_their_kind(seen: dict[str, Any]) -> None:
    assert seen["made"] == dict.fromkeys(("zeros_like", "ones", "asarray", "full", "eye", "random", "moved"), "cuda")


def test_they_are_moved_where_told(seen: dict[str, Any]) -> None:
    assert seen["to host"] == ["cpu", "ndarray"]
    assert seen["to device"] == ["cuda", "DeviceArray"]
    assert seen["back"] == ["cuda", True]
    assert "arrays on cuda and on cpu met in one operation" in seen["mixed"]


def test_values_go_through_dlpack_on_the_host(seen: dict[str, Any]) -> None:
    assert seen["exported"] == [[1, 0], True]


def main() -> None:
    """The program."""
    import types

    import dask
    import dask.array as da
    import device_module
    import numpy as np
    from device_module import DeviceArray, DeviceBackend, DeviceModule, on_device, to_host

    import unigrad as ug
    from unigrad.adapters import registry

    def array_function(self: Any, function: Any, kinds: Any, given: Any, named: Any) -> Any:
        if not all(issubclass(kind, DeviceArray) for kind in kinds):
            return NotImplemented
        return on_device(function)(*given, **{name: value for name, value in named.items() if name != "like"})

    def array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        if any(isinstance(item, np.ndarray) for item in inputs):
            return NotImplemented
        return on_device(getattr(ufunc, method))(*inputs, **named)

    # What CuPy's arrays have for dask, beside what the native engine asks of them.
    members = {
        "__module__": "cupy", "__array_function__": array_function, "__array_ufunc__": array_ufunc,
        "__len__": lambda self: len(self._host), "get": lambda self: self._host,
        "nbytes": property(lambda self: self._host.nbytes), "itemsize": property(lambda self: self._host.itemsize),
    }  # fmt: skip
    for name, member in members.items():
        setattr(DeviceArray, name, member)

    class Module(types.ModuleType):
        ndarray, newaxis = DeviceArray, None

        def __getattr__(self, name: str) -> Any:
            if name.startswith("__"):
                raise AttributeError(name)
            return getattr(DeviceModule(), name)

    class StandIn(DeviceBackend):
        name = framework = "cupy"

    sys.modules["cupy"] = Module("cupy")
    registry.backend_names()
    registry._backends["cupy"] = StandIn()
    assert device_module.backend.name == "device"

    numbers, square = np.linspace(-1, 2, 24).reshape(6, 4), np.cos(np.arange(16.0)).reshape(4, 4)

    def on_gpus(values: Any, chunks: Any) -> Any:
        return ug.asarray(da.from_array(DeviceArray(values), chunks=chunks, asarray=False, name=False))

    def changed(x: Any) -> Any:
        y = x * 1
        y[1:3] = 7.0
        y[0, 1] = x[3, 0] * x[2, 1]
        y[[4, 5]] = x[:2] ** 2
        return (y * x).sum()

    x, w = on_gpus(numbers, 3), on_gpus(square, 2)
    losses = {
        "elementwise": lambda x, w: (ug.tanh(x) * x + 0.5).sum(),
        "matrices": lambda x, w: (ug.tanh(x @ w) ** 2).sum(),
        "vectors": lambda x, w: (x @ w[0]).sum() * (w[1] @ w).sum(),
        "softmax": lambda x, w: (ug.nn.softmax(x, axis=1) * x).sum(),
        "reductions": lambda x, w: ug.max(x) + ug.mean(x) + ug.std(x) + ug.linalg.vector_norm(x),
        "index": lambda x, w: (x[1:3] * x[0]).sum() + x[[0, 2, 2]].sum() * x[5, 1] + (x[::-1, ::2] ** 2).sum(),
        "index of its kind": lambda x, w: (x[ug.asarray([0, 5], like=x)] ** 2).sum(),
        "take": lambda x, w: (ug.take(x, ug.asarray([1, 0, 3], like=x), axis=1) ** 2).sum(),
        "along": lambda x, w: (ug.take_along_axis(x, ug.argsort(-x, axis=0), axis=0) * x).sum(),
        "mask": lambda x, w: (x[np.arange(6) > 2] ** 2).sum() + (x[x > 0] ** 2).sum(),
        "assigned": lambda x, w: changed(x),
        "joined": lambda x, w: (ug.concat([x, x * 2]) ** 2).sum() + (ug.stack([x, -x]) ** 2).sum(),
        "where": lambda x, w: ug.where(x > 0, x * x, 0.0).sum(),
        "constants": lambda x, w: (x * np.ones((6, 4)) + ug.ones((6, 4), like=x) + [1.0, 2.0, 3.0, 4.0]).sum(),
        "sort": lambda x, w: (ug.sort(x, axis=0) * x).sum(),
        "running": lambda x, w: (ug.cumulative_sum(x, axis=0) * ug.cumulative_prod(x, axis=1)).sum(),
        "norm": lambda x, w: (ug.nn.layer_norm(x, axis=-1) * x).sum(),
        "labels": lambda x, w: ug.nn.cross_entropy(x, [0, 1, 2, 3, 0, 1]),
        "gelu": lambda x, w: (ug.nn.gelu(x) + ug.erf(x)).sum(),
        "solved": lambda x, w: ug.linalg.solve(w.T @ w + 9 * ug.eye(4, like=w), w).sum(),
        "determinant": lambda x, w: ug.linalg.det(w.T @ w + 9 * ug.eye(4, like=w)) / 1000,
        "fourier": lambda x, w: (ug.abs(ug.fft.fft(x, axis=0)) ** 2).sum(),
        "convolution": lambda x, w: (ug.nn.conv1d(x[None], ug.ones((2, 6, 2), like=x)) ** 2).sum(),
        "pooling": lambda x, w: (ug.nn.max_pool1d(x[None], 2) ** 2).sum(),
        "einsum": lambda x, w: (ug.einsum("ij,jk->k", x, w) ** 2).sum(),
        "reshape": lambda x, w: (x.reshape((4, 6)) * x.reshape((4, 6))[0]).sum(),
        "checkpoint": lambda x, w: ug.checkpoint(lambda x: ug.exp(x) * x)(x).sum(),
        "logsumexp": lambda x, w: ug.logsumexp(x, axis=0).sum(),
        "products": lambda x, w: ug.prod(x, axis=1).sum(),
        "quantile": lambda x, w: ug.quantile(x, 0.3, axis=0).sum() + ug.median(x),
        "padded": lambda x, w: (ug.pad(x, 1) ** 2).sum() + (ug.roll(x, 1) * x).sum(),
        "triangle": lambda x, w: (ug.tril(w) ** 2).sum() + ug.trace(w @ w),
        "covariance": lambda x, w: ug.cov(x).sum(),
        "embedding": lambda x, w: (ug.nn.embedding([0, 2, 2], x) ** 2).sum(),
        "integers": lambda x, w: (x * (ug.asarray([[1, 2, 3, 4]], like=x) + 1)).sum(),
    }

    def judged(loss: Any) -> str:
        try:
            plain = ug.grad(loss, (0, 1))(ug.asarray(numbers), ug.asarray(square))
            for g, expected, variable in zip(ug.grad(loss, (0, 1))(x, w), plain, (x, w), strict=True):
                kinds = {type(part).__name__ for part in dask.compute(*g.raw.to_delayed().ravel().tolist())}
                if kinds != {"DeviceArray"} or not isinstance(g.raw._meta, DeviceArray):
                    return f"chunks of {kinds}, said to be {type(g.raw._meta).__name__}"
                if g.raw.chunks != variable.raw.chunks:
                    return f"chunks {g.raw.chunks}"
                if not np.allclose(g.numpy(), expected.numpy()):
                    return f"{g.tolist()} instead of {expected.tolist()}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        return "right"

    def told(y: Any) -> list[str]:
        return [y.device, type(y.raw.compute()).__name__]

    def exported(y: Any) -> Any:
        try:
            return [y.__dlpack_device__(), bool(np.array_equal(np.from_dlpack(y), numbers))]
        except Exception as error:
            return f"{type(error).__name__}: {error}"

    def message(call: Any) -> str:
        try:
            return told(call())[1]
        except ug.UnigradError as error:
            return str(error)

    made = {
        "zeros_like": ug.zeros_like(x), "ones": ug.ones((2,), like=x), "asarray": ug.asarray([1, 2], like=x),
        "full": ug.full((2,), 2.0, device="cuda", like=x), "eye": ug.eye(3, like=x),
        "random": ug.nn.dropout(x, 0.5, seed=0), "moved": x.to_device("cuda:0"),
    }  # fmt: skip
    host = ug.asarray(da.from_array(numbers, chunks=3))
    back = ug.grad(lambda x: (x.to_device("cpu") ** 2).sum())(x)
    print(
        json.dumps(
            {
                "gradients": {name: judged(loss) for name, loss in losses.items()},
                "made": {name: y.device if isinstance(to_host(y.raw.compute()), np.ndarray) else "?"
                         for name, y in made.items()},
                "to host": told(x.to_device("cpu")), "to device": told(host.to_device("cuda")),
                "back": [back.device, bool(np.allclose(back.numpy(), 2 * numbers))],
                "mixed": message(lambda: x * host), "exported": exported(x),
            }
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()
