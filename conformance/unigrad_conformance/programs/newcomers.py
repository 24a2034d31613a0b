"""What newcomers type first: it works, or the error says what to type; and what is shown of an array."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from unigrad_conformance.case import Program, Results, message, raised

NEWCOMERS = Program("newcomers")
case = NEWCOMERS.case


@case("ug.tensor makes a copy with a gradient, as PyTorch's does", x=[1, 2], dtypes=["float32", "int64", "float64"],
      grad=[2, 4], apart=[1, 2])  # fmt: skip
def tensor(ug: Any) -> Results:
    x = ug.tensor([1.0, 2.0], requires_grad=True)
    dtypes = [str(ug.tensor(data, dtype).dtype) for data, dtype in (([1.0], None), ([1], None), ([1], ug.float64))]
    with ug.record():
        y = (x * x).sum()
    y.backward()
    apart = ug.asarray([1.0, 2.0])
    ug.tensor(apart)[0] = 5.0
    return {"x": x, "dtypes": dtypes, "grad": x.grad, "apart": apart}


# What is typed, the kind of error, and what the message has one type instead.
SAID: dict[str, tuple[Callable[[Any, Any], Any], str, str]] = {
    "ug.Tensor([1.0])": (lambda ug, x: ug.Tensor([1.0]), "DtypeError", "ug.asarray([1.0])"),
    "x.requires_grad": (lambda ug, x: x.requires_grad, "MissingNameError", "x.attach_grad()"),
    "x.requires_grad = True": (lambda ug, x: setattr(x, "requires_grad", True), "MissingNameError", "x.attach_grad()"),
    "x.requires_grad_()": (lambda ug, x: x.requires_grad_(), "MissingNameError", "x.attach_grad()"),
    "x.view(2, 1)": (lambda ug, x: x.view(2, 1), "MissingNameError", "x.reshape"),
    "x.shpae": (lambda ug, x: x.shpae, "MissingNameError", "'shape'"),
    "ug.set_printoptions()": (lambda ug, x: ug.set_printoptions(), "MissingNameError", "np.set_printoptions"),
    "ug.no_grad()": (lambda ug, x: ug.no_grad(), "MissingNameError", "ug.pause()"),
    "ug.cat([x, x])": (lambda ug, x: ug.cat([x, x]), "MissingNameError", "ug.concat"),
    "ug.sqrtt(x)": (lambda ug, x: ug.sqrtt(x), "MissingNameError", "'sqrt'"),
    "ug.zeros(3, 4)": (lambda ug, x: ug.zeros(3, 4), "DtypeError", "ug.zeros((3, 4))"),
    "ug.ones(3, 4)": (lambda ug, x: ug.ones(3, 4), "DtypeError", "(3, 4)"),
    "a list for an array": (lambda ug, x: ug.grad(lambda p: (p * p).sum())([1.0, 2.0]), "DtypeError", "ug.asarray"),
    "a list with a method": (lambda ug, x: ug.jacobian(lambda p: p.sum())([1.0]), "MissingNameError", "ug.asarray"),
    "another device": (lambda ug, x: x.to_device("cuda:77"), "ArgumentError", "it has "),
}


@case("what other libraries have says what to type here", errors=[kind for _, kind, _ in SAID.values()], silent=[])
def said(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    attempts = {name: lambda f=f: f(ug, x) for name, (f, _, _) in SAID.items()}
    silent = [name for name, f in attempts.items() if SAID[name][2] not in message(f)]
    return {"errors": [raised(f) for f in attempts.values()], "silent": silent}


def _warnings(function: Callable[[], Any]) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return result, [f"{each.category.__name__}: {each.message}" for each in caught]


# Functions whose values leave the graph, with what was typed.
LEFT: dict[str, Callable[[Any, Any], Any]] = {
    "float(x)": lambda ug, x: ug.asarray(float(x.sum()) ** 2),
    "x.item()": lambda ug, x: x.sum().item() ** 2,
    "x.tolist()": lambda ug, x: ug.asarray(x.tolist()).sum(),
    "x.numpy()": lambda ug, x: (x * x).numpy().sum(),
    "x.raw": lambda ug, x: ug.asarray(x.raw).sum(),
}


@case("a gradient of zeros because values left the graph: a warning names the line and the way",
      kinds=["DisconnectedWarning"] * len(LEFT), named=[True] * len(LEFT), grad=[0, 0], transforms=[1] * 7)  # fmt: skip
def left(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    found = {name: _warnings(lambda f=f: ug.grad(lambda y: f(ug, y))(x)) for name, f in LEFT.items()}
    said = {name: texts[0] if len(texts) == 1 else "" for name, (_, texts) in found.items()}

    def square(y: Any) -> Any:
        return ug.asarray(float(y.sum()))

    transforms = [
        lambda: ug.value_and_grad(square)(x),
        lambda: ug.vjp(square, x)[1](ug.asarray(1.0)),
        lambda: ug.jvp(square, (x,), (x,)),
        lambda: ug.hvp(square, (x,), (x,)),
        lambda: ug.jacobian(square)(x),
        lambda: ug.jacobian(square, mode="forward")(x),
        lambda: ug.grad(ug.checkpoint(square))(x),
    ]
    return {
        "kinds": [text.partition(":")[0] for text in said.values()],
        "named": [
            name in text and "newcomers.py:" in text and "ug.wrap_native" in text and "x.detach()" in text
            for name, text in said.items()
        ],
        "grad": found["float(x)"][0],
        "transforms": [len(_warnings(f)[1]) for f in transforms],
    }


@case("values that are only looked at give no warning, nor do those that are meant as constants", warnings=[0] * 7)
def looked_at(ug: Any) -> Results:
    x, y = ug.asarray([1.0, 2.0]), ug.asarray(3.0)

    def paused(x: Any) -> Any:
        with ug.pause():
            return x.sum().item()

    calls = [
        lambda: ug.grad(lambda x: (x * x).sum() if float(x.sum()) > 0 else x.sum())(x),
        lambda: ug.grad(lambda x: ug.sum(ug.stop_gradient(x * x)))(x),
        lambda: ug.grad(lambda x: x.detach().sum().item())(x),
        lambda: ug.grad(paused)(x),
        lambda: ug.grad(lambda x: ug.asarray(float(len(f"{x} {x!r} {x.sum():.1f}"))))(x),
        lambda: ug.grad(lambda x, y: x.sum() if float(x.sum()) > 0 else y, argnums=(0, 1))(x, y),
        lambda: ug.grad(lambda x: ug.asarray(1.0))(x),
    ]
    return {"warnings": [len(_warnings(f)[1]) for f in calls]}


@case("w = w - lr * w.grad: the next backward says that w was replaced", error="NotRecordedError", named=True)
def replaced(ug: Any) -> Results:
    w = ug.asarray([1.0, 2.0])
    w.attach_grad()
    with ug.record():
        y = (w * w).sum()
    y.backward()
    w = w - 0.5 * w.grad
    with ug.record():
        y = (w * w).sum()
    text = message(y.backward)
    return {"error": raised(y.backward), "named": "replaced" in text and "w -= lr * w.grad" in text}


@case("a notebook shows values and what the array is, escaped; of no elements also its shape",
      values=True, kind=True, escaped=True, shapes=[False, True],
      digits=[True, True])  # fmt: skip
def notebook(ug: Any) -> Results:
    x = ug.asarray([[1.0, 2.5], [3.0, 4.0]])
    shown = x._repr_html_()
    x.attach_grad()
    with ug.record():
        recorded = (x * 2)._repr_html_()
    inside = shown.replace("<div>", "").replace("</div>", "").replace("<small", "").replace("<pre", "")
    return {
        "values": "2.5" in shown,
        "kind": "float32" in shown and "(2, 2)" in shown and "attached" in x._repr_html_() and "recorded" in recorded,
        "escaped": "<" not in inside.replace("</small>", "").replace("</pre>", ""),
        "shapes": ["shape=" in repr(ug.zeros(shape)) for shape in ((0,), (0, 3))],
        "digits": ["[1, 2]" in repr(ug.asarray([1, 2])), "0.1]" in repr(ug.asarray([0.1], dtype="float64"))],
    }
