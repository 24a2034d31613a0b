"""A first chapter on automatic differentiation: what a reader of the classic material expects to see."""

from __future__ import annotations

from typing import Any

from unigrad_conformance.case import Program, Results, raised

SEEDS = Program("seeds")
case = SEEDS.case


@case("a gradient is there, all zeros, as soon as it is attached", grad=[0, 0, 0, 0], same_dtype=True)
def zeros_before(ug: Any) -> Results:
    x = ug.arange(4.0)
    before = x.grad is None
    x.attach_grad()
    return {"none_before": before, "grad": x.grad, "same_dtype": x.grad.dtype == x.dtype}


@case("the gradient of 2 x.x is 4 x", y=28, grad=[0, 4, 8, 12], is_4x=[True] * 4)
def dot_gradient(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = 2 * ug.dot(x, x)
    y.backward()
    return {"y": y, "grad": x.grad, "is_4x": x.grad == 4 * x}


@case("a second backward overwrites the first gradient", grad=[1, 1, 1, 1])
def overwritten(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = 2 * ug.dot(x, x)
    y.backward()
    with ug.record():
        y = x.sum()
    y.backward()
    return {"grad": x.grad}


@case("with grad_req='add' gradients accumulate until they are cleared", first=4, second=8, cleared=0, third=4)
def accumulated_and_cleared(ug: Any) -> Results:
    x = ug.asarray(2.0)
    x.attach_grad(grad_req="add")
    found = []
    for clear in (False, False, True):
        if clear:
            x.zero_grad()
            found.append(x.grad)
        with ug.record():
            y = x**2
        y.backward()
        found.append(x.grad)
    return dict(zip(("first", "second", "cleared", "third"), found, strict=True))


@case("a non-scalar head is pulled back as its sum", grad=[0, 2, 4, 6], same=[True] * 4)
def non_scalar_head(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = x * x
    y.backward()
    u = x.copy()
    u.attach_grad()
    with ug.record():
        v = (u * u).sum()
    v.backward()
    return {"grad": x.grad, "same": x.grad == u.grad}


@case(
    "a head gradient of ones is the sum, any other the vector-Jacobian product", ones=[0, 2, 4, 6], other=[0, 4, 4, 1.5]
)
def head_gradient(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = x * x
    y.backward(ug.ones(4), retain_graph=True)
    ones = x.grad
    y.backward(ug.asarray([3.0, 2.0, 1.0, 0.25]))
    return {"ones": ones, "other": x.grad}


@case("a detached array is a constant; the head it came from still has its own graph",
      z_grad=[0, 1, 4, 9], is_u=[True] * 4, y_grad=[0, 2, 4, 6], is_2x=[True] * 4)  # fmt: skip
def detach_then_the_detached_head(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = x * x
        u = y.detach()
        z = u * x
    z.backward()
    first = x.grad
    y.backward()
    return {"z_grad": first, "is_u": first == u, "y_grad": x.grad, "is_2x": x.grad == 2 * x}


@case(
    "stop_gradient inside a persistent recording: both heads, in either order", z_grad=[0, 1, 4, 9], y_grad=[0, 2, 4, 6]
)
def stop_gradient_persistent(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = x * x
        z = ug.stop_gradient(y) * x
    y_grad = ug.gradients(y, x, retain_graph=True)
    return {"z_grad": ug.gradients(z, x), "y_grad": y_grad}


@case("attaching to an intermediate cuts it from its history", x=[-1] * 4, u=[5] * 4, y=[0] * 4)
def implicit_detach(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    y = ug.ones(4) * 2
    y.attach_grad()
    with ug.record():
        u = x * y
        u.attach_grad()
        z = 5 * u - x
    z.backward()
    return {"x": x.grad, "u": u.grad, "y": y.grad}


@case("the gradient of an intermediate is kept only on request", without=True)
def intermediate_gradient(ug: Any) -> Results:
    x = ug.asarray(3.0)
    x.attach_grad()
    with ug.record():
        y = x**2
        z = ug.sin(y)
    z.backward()
    without = y.grad is None
    with ug.record():
        y = x**2
        y.retain_grad()
        z = ug.sin(y)
    z.backward()
    return {"without": without, "z": z, "y_grad": y.grad, "x_grad": x.grad, "cos": ug.cos(y.detach())}


@case("the same for a vector: cos(y) and 2 x cos(y)")
def intermediate_vector(ug: Any) -> Results:
    x = ug.linspace(0, 3.0, 20)
    x.attach_grad()
    with ug.record():
        y = x**2
        y.retain_grad()
        z = ug.sin(y)
        total = z.sum()
    total.backward()
    return {"z": z, "y_grad": y.grad, "x_grad": x.grad}


@case("several gradients from one recording, for a leaf and an intermediate, in float64", dtype="float64")
def persistent_and_watched(ug: Any) -> Results:
    x = ug.linspace(0, 3, 10, dtype=ug.float64)
    x.attach_grad()
    with ug.record():
        y = x**2
        z = ug.sin(y)
    dz_dy = ug.gradients(z, y, retain_graph=True)
    dz_dx = ug.gradients(z, x)
    return {"dz_dy": dz_dy, "dz_dx": dz_dx, "untouched": x.grad}


def _doubled(ug: Any, a: Any) -> Any:
    b = a * 2
    while ug.linalg.norm(b) < 1000:
        b = b * 2
    return b if b.sum() > 0 else 100 * b


@case("control flow on a scalar: the gradient is f(a) / a", ratio=True, negative=True)
def control_flow_scalar(ug: Any) -> Results:
    results = {}
    for name, value in (("ratio", 0.75), ("negative", -1.5)):
        a = ug.asarray(value)
        a.attach_grad()
        with ug.record():
            d = _doubled(ug, a)
        d.backward()
        results |= {f"{name}_grad": a.grad, name: a.grad == d / a}
    return results


@case("control flow on a random scalar", ratio=True)
def control_flow_random(ug: Any) -> Results:
    a = ug.random.normal(seed=3)
    a.attach_grad()
    with ug.record():
        d = _doubled(ug, a)
    d.backward()
    return {"grad": a.grad, "ratio": a.grad == d / a}


@case("control flow on a vector", ratio=[True] * 3)
def control_flow_vector(ug: Any) -> Results:
    a = ug.random.normal(size=3, seed=4)
    a.attach_grad()
    with ug.record():
        d = _doubled(ug, a)
    d.backward()
    return {"grad": a.grad, "ratio": a.grad == d / a}


@case("control flow on a matrix", ratio=[[True, True]] * 3)
def control_flow_matrix(ug: Any) -> Results:
    a = ug.random.normal(size=(3, 2), seed=6)
    a.attach_grad()
    with ug.record():
        d = _doubled(ug, a)
    d.backward()
    return {"grad": a.grad, "ratio": a.grad == d / a}


@case("recording turns training mode on, and leaving turns it off", modes=[False, True, False, True, False])
def training_mode(ug: Any) -> Results:
    modes = [ug.is_training()]
    with ug.record():
        modes.append(ug.is_training())
        with ug.predict_mode():
            modes.append(ug.is_training())
        modes.append(ug.is_training())
    modes.append(ug.is_training())
    return {"modes": modes}


@case("a second backward works if the graph was retained", first=[3] * 4, second=[3] * 4)
def second_backward_retained(ug: Any) -> Results:
    x = ug.ones(4) * 2
    x.attach_grad()
    with ug.record():
        y = 3 * x
    y.backward(retain_graph=True)
    first = x.grad
    y.backward()
    return {"first": first, "second": x.grad}


@case(
    "without retain_graph it raises, the process lives, and the gradient stays", error="GraphFreedError", grad=[3] * 4
)
def second_backward(ug: Any) -> Results:
    x = ug.ones(4) * 2
    x.attach_grad()
    with ug.record():
        y = 3 * x
    y.backward()
    return {"error": raised(y.backward), "grad": x.grad}


@case("Python's sum over an array is recorded too")
def python_sum(ug: Any) -> Results:
    x = ug.linspace(0, 10, 20)
    x.attach_grad()
    with ug.record():
        y = sum(ug.sin(x))
    y.backward()
    return {"y": y, "grad": x.grad}


@case("a scalar broadcast over a vector gathers its gradient from all elements", y=[28] * 4, grad=[0, 16, 32, 48])
def broadcast_scalar(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = 2 * ug.dot(x, x) + 0 * x
    y.backward()
    return {"y": y, "grad": x.grad}


@case("the same, added up by Python's sum", y=112, grad=[0, 16, 32, 48])
def broadcast_scalar_summed(ug: Any) -> Results:
    x = ug.arange(4.0)
    x.attach_grad()
    with ug.record():
        y = sum(2 * ug.dot(x, x) + 0 * x)
    y.backward()
    return {"y": y, "grad": x.grad}


@case("numbers on the left: x**2, 2x, 9/x, 8-x, 11+x and their derivatives at 3",
      value=[9, 6, 3, 5, 14], grad=[6, 2, -1, -1, 1])  # fmt: skip
def scalar_arithmetic(ug: Any) -> Results:
    x = ug.asarray(3.0)
    x.attach_grad()
    with ug.record():
        heads = [x**2, 2 * x, 9 / x, 8 - x, 11 + x]
    grads = [ug.gradients(head, x) for head in heads]
    return {"value": ug.stack([head.detach() for head in heads]), "grad": ug.stack(grads)}


@case("sin(x**2) at 3 against its derivative written out")
def chain_rule(ug: Any) -> Results:
    x = ug.asarray(3.0)
    x.attach_grad()
    with ug.record():
        z = ug.sin(x**2)
    z.backward()
    return {"z": z, "grad": x.grad, "by_hand": 2 * x * ug.cos(x**2)}


@case("three ways not to track: nothing attached, detached, paused", errors=["NotRecordedError"] * 3, y=4)
def not_tracking(ug: Any) -> Results:
    plain, x = ug.asarray(2.0), ug.asarray(2.0)
    x.attach_grad()
    with ug.record():
        first = plain**2
        second = x.detach() ** 2
        with ug.pause():
            third = x**2
    errors = [raised(head.backward) for head in (first, second, third)]
    return {"errors": errors, "y": third, "grad": x.grad, "another": x.detach() is x}


@case("linspace in float64, sin, and its gradient cos", dtype="float64")
def sine(ug: Any) -> Results:
    x = ug.linspace(0, 10, 40, dtype=ug.float64)
    x.attach_grad()
    with ug.record():
        y = ug.sin(x)
    y.backward()
    return {"x": x, "y": y, "grad": x.grad}


@case("log(x**2) sin(x) + 1/x: the exercise with a dependency graph", dtype="float64")
def dependency_graph(ug: Any) -> Results:
    x = ug.asarray([0.5, 1.5, 2.5], dtype=ug.float64)
    x.attach_grad()
    with ug.record():
        y = ug.log(x**2) * ug.sin(x) + x**-1
    y.backward()
    return {"y": y, "grad": x.grad}


@case("the second derivative costs a second recorded pass", first=[3, 12], second=[6, 12])
def second_derivative(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        y = x**3
        first = ug.gradients(y, x, create_graph=True)
    first.backward()
    return {"first": first, "second": x.grad}
