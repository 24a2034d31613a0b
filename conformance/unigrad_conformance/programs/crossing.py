"""Programs that leave their backend for NumPy, or NumPy's for the oracle, and come back."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised
from unigrad_conformance.oracle import NAME as ORACLE

CROSSING = Program("crossing")
case = CROSSING.case


def _elsewhere(ug: Any) -> str:
    return ORACLE if ug.get_backend() == "numpy" else "numpy"


class _Exported:
    """An array of another library."""

    def __init__(self, array: Any) -> None:
        self.__dlpack__, self.__dlpack_device__ = array.__dlpack__, array.__dlpack_device__


@case("an array that is made like another goes to its backend, or is refused, whichever is the current one", same=True)
def made_like(ug: Any) -> Results:
    x = ug.ones(2)

    def made() -> Any:
        try:
            return ug.asarray(_Exported(np.ones(2, np.float32)), like=x).backend is x.backend
        except ug.UnigradError as error:
            return type(error).__name__

    here = made()
    with ug.use_backend(_elsewhere(ug)):
        return {"same": here == made()}


@case("a gradient goes back over a crossing, at both orders", grad=[3, 12], second=[6, 12], stays=True)
def both_orders(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        away = (x * x).to_backend(_elsewhere(ug))
        y = (away.to_backend(ug.get_backend()) * x).sum()
        first = ug.gradients(y, x, create_graph=True)
        total = first.sum()
    total.backward()
    return {"grad": first, "second": x.grad, "stays": x.grad.backend is x.backend}


@case("what came over and is used twice, at both orders", grad=[6, 36], second=[14, 50])
def used_twice(ug: Any) -> Results:
    still = ug.custom_gradient(lambda x: (x * 1, lambda g: None))
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        away = (x * x).to_backend(_elsewhere(ug))
        y = (away * away + away + still(away * 2) * 0).to_backend(ug.get_backend()).sum()
        first = ug.gradients(y, x, create_graph=True)
        total = first.sum()
    total.backward()
    return {"grad": first, "second": x.grad}


@case("a backward over a crossing releases both sides", error="GraphFreedError", grad=[4, 4])
def released(ug: Any) -> Results:
    x = ug.asarray([1.0, 1.0])
    x.attach_grad()
    with ug.record():
        y = (x * 2).to_backend(_elsewhere(ug))
        z = (y * y).to_backend(ug.get_backend()).sum()
    z.backward()
    with ug.record():
        later = y * 1
    return {"error": raised(lambda: later.backward()), "grad": x.grad / 2}


@case("a backward over a crossing that fails loses nothing: the next one goes through", error="ValueError",
      again="nothing", grad=[12, 24])  # fmt: skip
def failed(ug: Any) -> Results:
    failing = [True]

    def forward(x: Any) -> Any:
        def pull(g: Any) -> Any:
            if failing:
                raise ValueError("not yet")
            return g * 3

        return x * 3, pull

    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        y = (ug.custom_gradient(forward)(x) * x).to_backend(_elsewhere(ug)) * 2
        z = y.to_backend(ug.get_backend()).sum()
    error = raised(lambda: z.backward())
    failing.clear()
    return {"error": error, "again": raised(lambda: z.backward()), "grad": x.grad}


@case("what is no array is handed through a bridge, in its place among arrays", value=22)
def bridged_beside(ug: Any) -> Results:
    def f(n: int, x: Any, word: str, *, factor: float, y: Any) -> Any:
        return (x * n).sum() * factor + (y.sum() if word == "with" else 0) + 1

    x = ug.asarray([1.0, 2.0])
    bridged = ug.bridge(f, inner=_elsewhere(ug), outer=ug.get_backend())
    return {"value": bridged(3, x, "with", factor=2.0, y=x)}


@case("a bridged function of Tensors is one step of the gradient", value=5, grad=[2, 4])
def bridged(ug: Any) -> Results:
    f = ug.bridge(lambda x: (x * x).sum(), inner=_elsewhere(ug), outer=ug.get_backend())
    value, gradient = ug.value_and_grad(f)(ug.asarray([1.0, 2.0]))
    return {"value": value, "grad": gradient}


@case("after a crossing a gradient on one backend is as it was before, of one head or several",
      one=[3, 3], two=[5, 5], apart=[7, 7])  # fmt: skip
def beside(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        away = (x * 4).to_backend(_elsewhere(ug))
        three, two = x * 3, x * 2
    one = ug.gradients(three, x, retain_graph=True)
    both = ug.gradients([three, two], x, retain_graph=True)
    return {"one": one, "two": both, "apart": ug.gradients([three, away], x)}


@case("back and forth many times, and each time on both ways", grad=[1.5, 1.5])
def many_times(ug: Any) -> Results:
    here, x = ug.get_backend(), ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        y = x
        for _ in range(8):
            y = (y + y.to_backend(_elsewhere(ug)).to_backend(here)) * 0.5
        z = y.to_backend(_elsewhere(ug)) * 0.5
    ug.backward([y, z])
    return {"grad": x.grad}


@case("a keyword on another backend says where NumPy's arrays go", grad=[3, 4], kind="ndarray")
def keyword_elsewhere(ug: Any) -> Results:
    w = ug.asarray([3.0, 4.0]).to_backend(_elsewhere(ug))
    found = ug.grad(lambda x, w: (x * w).sum())(np.ones(2, np.float32), w=w)
    return {
        "grad": ug.asarray(np.asarray(found.numpy() if isinstance(found, ug.Tensor) else found, np.float32)),
        "kind": type(found).__name__ if not isinstance(found, ug.Tensor) else "Tensor",
    }
