"""What recording, backward and in-place writing promise, rule by rule."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised

RECORDING = Program("recording")
case = RECORDING.case


@case("nothing is recorded outside record(), nor inside pause()", recording=[False, True, False, True, False])
def scopes(ug: Any) -> Results:
    states = [ug.is_recording()]
    with ug.record():
        states.append(ug.is_recording())
        with ug.pause():
            states.append(ug.is_recording())
        states.append(ug.is_recording())
    states.append(ug.is_recording())
    return {"recording": states}


@case("leaving by an exception restores the outer state", states=[False, False], grad=[2, 2])
def exception_in_scope(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    try:
        with ug.record():
            raise KeyError("stop")
    except KeyError:
        states = [ug.is_recording(), ug.is_training()]
    with ug.record():
        y = x * 2
    y.backward()
    return {"states": states, "grad": x.grad}


@case("record(train_mode=False) and pause(train_mode=True)", modes=[False, True])
def modes(ug: Any) -> Results:
    with ug.record(train_mode=False):
        first = ug.is_training()
        with ug.pause(train_mode=True):
            second = ug.is_training()
    return {"modes": [first, second]}


@case("grad_req='null' keeps no gradient and records nothing", none=True, error="NotRecordedError")
def null_request(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad(grad_req="null")
    with ug.record():
        y = x * 2
    return {"none": x.grad is None, "error": raised(y.backward)}


@case("several uses in one backward add up, whatever grad_req says", grad=[9, 9])
def several_uses(ug: Any) -> Results:
    x = ug.ones(2) * 2
    x.attach_grad()
    with ug.record():
        y = x * x + x + 2 * x + x * x / x + x
    y.backward()
    return {"grad": x.grad}


@case("a leaf that the head does not depend on keeps its gradient; gradients() gives zeros",
      kept=[7, 7], zeros=[0, 0], none=True, error="ArgumentError")  # fmt: skip
def unreached_leaf(ug: Any) -> Results:
    x, other = ug.ones(2), ug.ones(2)
    x.attach_grad()
    other.attach_grad()
    with ug.record():
        y = other * 7
    y.backward()
    with ug.record():
        z = x * 2
    z.backward(retain_graph=True)
    return {
        "kept": other.grad,
        "zeros": ug.gradients(z, other, retain_graph=True),
        "none": ug.gradients(z, other, retain_graph=True, unused="none") is None,
        "error": raised(lambda: ug.gradients(z, other, unused="error")),
        "x": ug.gradients(z, x),
    }


@case("several heads run as one pass", x=[5, 5], y=[2, 2])
def several_heads(ug: Any) -> Results:
    x, y = ug.ones(2), ug.ones(2)
    x.attach_grad()
    y.attach_grad()
    with ug.record():
        a = x * 3
        b = x * 2 + y
    ug.backward([a, b], [ug.ones(2), ug.ones(2)], retain_graph=True)
    first = x.grad
    ug.backward([a, b], [None, ug.ones(2) * 2])
    return {"x": first, "y": y.grad}


@case("a head can be a leaf: its gradient is the head gradient", grad=[1, 1])
def leaf_as_head(ug: Any) -> Results:
    x = ug.ones(2) * 3
    x.attach_grad()
    x.backward()
    return {"grad": x.grad}


@case(
    "two heads over a common part: the second raises once the first released it", error="GraphFreedError", grad=[4, 4]
)
def released_common_part(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        common = x * 2
        first, second = common * 2, common * 3
    first.backward()
    return {"error": raised(second.backward), "grad": x.grad}


@case("what many arrays were put together into is released as well", error=["GraphFreedError"] * 2, grad=[2, 2])
def released_many(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        y = ug.stack([x, x])
        y.backward()
        z = y * 2
    return {"error": [raised(y.backward), raised(z.backward)], "grad": x.grad}


@case("two recordings that share only a constant: each can run its backward", first=[3, 4], second=[6, 8])
def shared_constant(ug: Any) -> Results:
    x, y, constant = ug.ones(2), ug.ones(2), ug.asarray([3.0, 4.0])
    x.attach_grad()
    y.attach_grad()
    with ug.record():
        first = (x * constant).sum()
    with ug.record():
        second = (y * constant + constant * y).sum()
    second.backward()
    first.backward()
    return {"first": x.grad, "second": y.grad}


@case("released graphs cannot be built upon", error="GraphFreedError")
def building_on_released(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        y = x * 2
    y.backward()
    with ug.record():
        z = y * 3
    return {"error": raised(z.backward)}


@case("a failed backward changes no gradient", error="ShapeError", grad=[7, 7], after=[2, 2])
def failed_backward(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        y = x * 7
    y.backward()
    with ug.record():
        z = x * 2
    error = raised(lambda: z.backward(ug.ones(3)))
    kept = x.grad
    z.backward()
    return {"error": error, "grad": kept, "after": x.grad}


@case("derivatives to the fourth order", found=[32, 48, 48, 24])
def higher_orders(ug: Any) -> Results:
    x = ug.asarray(2.0)
    x.attach_grad()
    with ug.record():
        y = x * x * x * x
        found = []
        for _ in range(4):
            y = ug.gradients(y, x, create_graph=True)
            found.append(y)
    return {"found": ug.stack([value.detach() for value in found])}


@case("a matrix written as rows of recorded numbers", value=[[2, 0], [6, 2]], grad=[4, 2], jacobian=[[1, 0], [3, 2]])
def rows_of_numbers(ug: Any) -> Results:
    x = ug.asarray([2.0, 3.0])
    x.attach_grad()
    with ug.record():
        y = ug.stack([[x[0], 0], [x[0] * x[1], 2]])
        y.sum().backward()

    def f(x: Any) -> Any:
        return ug.stack([[x[0], 0.0], [x[0] * x[1], 2]])[:, 0]

    return {"value": y.detach(), "grad": x.grad, "jacobian": ug.jacobian(f)(x)}


@case("gradients of a gradient that does not depend on x are zeros, and release it", first=[3, 3], second=[0, 0],
      error="GraphFreedError")  # fmt: skip
def second_of_linear(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        first = ug.gradients(x * 3, x, create_graph=True)
        second = ug.gradients(first, x)
    return {"first": first, "second": second, "error": raised(first.backward)}


@case("backward(create_graph=True) leaves gradients that can be differentiated", first=[12], second=[12])
def create_graph_in_backward(ug: Any) -> Results:
    x = ug.asarray([2.0])
    x.attach_grad()
    with ug.record():
        y = x**3
    y.backward(create_graph=True)
    first = x.grad
    second = ug.gradients(first, x)
    return {"first": first, "second": second}


@case("a gradient penalty: the norm of a gradient inside a loss")
def gradient_penalty(ug: Any) -> Results:
    x, w = ug.asarray([0.5, -1.5, 2.0]), ug.asarray([[0.5, 1.0, -0.25], [1.5, -0.5, 0.75]])
    x.attach_grad()
    w.attach_grad()
    with ug.record():
        y = ug.tanh(w @ x).sum()
        gradient = ug.gradients(y, x, create_graph=True)
        loss = y + (ug.linalg.norm(gradient) - 1) ** 2
    loss.backward()
    return {"loss": loss, "w": w.grad, "x": x.grad}


@case("a vector-Jacobian product of a gradient with numbers given: the Hessian of prod has no NaN at zeros",
      h0=[0, 3, 0], h1=[3, 0, 0], h2=[0, 0, 0])  # fmt: skip
def hessian_of_prod(ug: Any) -> Results:
    x = ug.asarray([0.0, 0.0, 3.0])
    x.attach_grad()
    with ug.record():
        gradient = ug.gradients(ug.prod(x), x, create_graph=True)
    rows = [ug.gradients(gradient, x, ug.asarray(row), retain_graph=True) for row in np.eye(3, dtype=np.float32)]
    return {f"h{number}": row for number, row in enumerate(rows)}


@case("the functional forms: value, gradient, several arguments, containers, auxiliary output",
      value=14, gradient=[2, 4, 6], b=1, aux=3)  # fmt: skip
def functional(ug: Any) -> Results:
    def f(parameters: Any, scale: Any) -> Any:
        return (parameters["w"] ** 2).sum() * scale + parameters["b"] * 0, len(parameters["w"])

    arguments = {"w": ug.asarray([1.0, 2.0, 3.0]), "b": ug.asarray(0.5)}
    (value, aux), (gradient, scale) = ug.value_and_grad(f, argnums=(0, 1), has_aux=True)(arguments, ug.asarray(1.0))
    return {
        "value": value,
        "gradient": gradient["w"],
        "scale": scale,
        "aux": aux,
        "b": ug.grad(lambda x: x)(ug.asarray(2.0)),
    }


@case("functional forms nest", second=12, third=6)
def nested_grad(ug: Any) -> Results:
    def cube(x: Any) -> Any:
        return x * x * x

    x = ug.asarray(2.0)
    return {"second": ug.grad(ug.grad(cube))(x), "third": ug.grad(ug.grad(ug.grad(cube)))(x)}


@case("the same array in two positions is two variables; on a tape its uses add up", first=3, tape=6)
def same_array_twice(ug: Any) -> Results:
    x = ug.asarray(3.0)
    first = ug.grad(lambda a, b: a * b)(x, x)
    x.attach_grad()
    with ug.record():
        y = x * x
    y.backward()
    return {"first": first, "tape": x.grad}


@case("slices are values: changing one never changes another", x=[1, 2, 3], part=[9, 2], reshaped=[[1], [2], [5]])
def slices_are_values(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0, 3.0])
    part, reshaped = x[:2], x.reshape(3, 1)
    part[0] = 9.0
    reshaped[2] = 5.0
    return {"x": x, "part": part, "reshaped": reshaped}


@case("writing to an attached leaf outside record() keeps it attached", x=[1.5, 1.5], grad=[3, 3], old=[7, 7])
def update_of_leaf(ug: Any) -> Results:
    x = ug.ones(2) * 2
    x.attach_grad()
    with ug.record():
        y = x * 7
    y.backward()
    x -= 0.5
    old = x.grad
    with ug.record():
        y = x * x
    y.backward()
    return {"x": x, "grad": x.grad, "old": old}


@case("what a leaf gave before and after it was written to adds up", grad=[8, 6], old=[6, 6])
def leaf_of_several_values(ug: Any) -> Results:
    x = ug.ones(2) * 2
    x.attach_grad()
    with ug.record():
        before = 2 * x
        with ug.pause():
            x[0] = 3.0
        y = (before + x * x).sum()
    y.backward()
    first = x.grad
    x.attach_grad("add")
    with ug.record():
        before = 2 * x
        with ug.pause():
            x[0] = 2.0
        y = (before + x * x).sum()
    y.backward()
    return {"grad": first, "old": x.grad}


@case("a copy of a variable is a variable of its own, with its gradient, and a pickled one as well",
      values=[1, 2], grads=[[2, 4], [2, 4], [2, 4]], own=[[2, 2], [2, 2], [2, 4]],
      recorded=[2, 2], plain=[False, False], history="NotRecordedError",
      computed="UnsupportedError")  # fmt: skip
def copies(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad("add")
    with ug.record():
        y = (x * x).sum()
    y.backward()
    deep = copy.deepcopy(x)
    # The reference's arrays are of this process.
    again = copy.deepcopy(x) if ug.get_backend() == "mpmath" else pickle.loads(pickle.dumps(x))
    kept = ug.stack([x.grad, deep.grad, again.grad])
    for twin in (deep, again):
        twin.zero_grad()
        for _ in range(2):
            with ug.record():
                z = twin.sum()
            z.backward()
    with ug.record():
        shallow = copy.copy(x)
        z = (2 * shallow).sum()
    recorded = ug.gradients(z, x)
    other = ug.ones(2)
    other.attach_grad()
    with ug.record():
        y = other**3
    y.backward(create_graph=True)
    history = raised(lambda: ug.gradients(copy.deepcopy(other).grad, other))
    shallow = copy.copy(x.detach())
    shallow[0] = 9.0
    plain = copy.deepcopy(x.detach()), copy.deepcopy(x.grad)
    with ug.record():
        z = x * x
        computed = raised(lambda: copy.deepcopy(z))
    return {
        "computed": computed,
        "values": x, "grads": kept, "own": ug.stack([deep.grad, again.grad, x.grad]),
        "recorded": recorded, "deep": deep, "again": again,
        "plain": [each.grad is not None for each in plain], "history": history,
    }  # fmt: skip


@case("several heads of which some have a cotangent, and variables of which some are reached",
      x=[5, 7], z=[0, 0], second=[2, 2], none=True)  # fmt: skip
def some_cotangents(ug: Any) -> Results:
    x, z = ug.asarray([1.0, 2.0]), ug.asarray([1.0, 2.0])
    for leaf in (x, z):
        leaf.attach_grad()
    with ug.record():
        heads = [x * x, x * 3]
    of_x, of_z = ug.gradients(heads, [x, z], [None, None], create_graph=True)
    second = ug.gradients(of_x, x, ug.ones(2))
    with ug.record():
        heads = [x * x, x * 3]
    given = ug.gradients(heads, [x, z], [ug.asarray([0.5, 2.0]), None], unused="none")
    return {"x": of_x, "z": of_z, "second": second, "given": given[0], "none": given[1] is None}


@case(
    "rows of a Jacobian by reverse mode, where it alone can tell what is not used",
    rows=[[2, 0], [0, 4], [1, 1]],
    none=True,
)
def jacobian_of_some(ug: Any) -> Results:
    def f(x: Any, y: Any) -> Any:
        return ug.concat([x * x, x.sum().reshape(1)])

    of_x, of_y = ug.jacobian(f, argnums=(0, 1), unused="none")(ug.asarray([1.0, 2.0]), ug.asarray([1.0]))
    return {"rows": of_x, "none": of_y is None, "checkpoint": ug.grad(_checkpoint_of_nothing(ug))(ug.asarray(2.0))}


def _checkpoint_of_nothing(ug: Any) -> Any:
    constant = ug.asarray(3.0)
    return lambda x: x * ug.checkpoint(lambda: constant * 2)()


@case("updating inside pause() within a recording", x=[1, 1], grad=[2, 2])
def update_in_pause(ug: Any) -> Results:
    x = ug.ones(2) * 2
    x.attach_grad()
    with ug.record():
        y = x * 2
        with ug.pause():
            x -= 1.0
    y.backward()
    return {"x": x, "grad": x.grad}


@case("what was recorded before a write keeps the values it had", y=[1, 4, 9], grad=[2, 4, 6])
def written_after_recording(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0, 3.0])
    x.attach_grad()
    with ug.record():
        y = x * x
    x[1] = 50.0
    y.backward()
    return {"y": y, "grad": x.grad}


@case("x += v on an intermediate after its value was used by exp", grad=[1])
def in_place_after_exp(ug: Any) -> Results:
    x = ug.zeros(1)
    x.attach_grad()
    with ug.record():
        y = ug.exp(x)
        y += 1.0
    y.backward()
    return {"grad": x.grad, "y": y}


@case("dropout obeys training mode, and its mask is the same everywhere")
def dropout(ug: Any) -> Results:
    ug.random.seed(11)
    x = ug.ones((4, 5))
    x.attach_grad()
    with ug.record():
        y = ug.nn.dropout(x, 0.5)
    y.backward()
    return {"train": y, "grad": x.grad, "predict": ug.nn.dropout(x, 0.5)}


@case("dropout of nothing draws nothing", same=True)
def dropout_of_nothing(ug: Any) -> Results:
    drawn = []
    for rate in (None, 0.0):
        ug.random.seed(3)
        if rate is not None:
            with ug.record(train_mode=True):
                ug.nn.dropout(ug.ones(4), rate)
        drawn.append(ug.random.uniform(0.0, 1.0, (2,)))
    return {"same": bool((drawn[0] == drawn[1]).all())}


@case("a long chain differentiates without recursion", grad=[1])
def long_chain(ug: Any) -> Results:
    x = ug.ones(1)
    x.attach_grad()
    with ug.record():
        y = x
        for _ in range(3000):
            y = y + 0.0
    y.backward()
    return {"grad": x.grad}


@case("bool, int, float, len, iteration, in and item are NumPy's", facts=[True, 3, 2, True, False, True], item=2.5,
      rounded=[-2, -1, -1, -2], printed="2.500")  # fmt: skip
def python_protocols(ug: Any) -> Results:
    x = ug.asarray([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    facts = [bool(x[0, 0] == 1), len(x), int(x[0, 1]), 4.0 in x, "4" in x, [float(v) for v in x[1]] == [3.0, 4.0]]
    number = ug.asarray(-1.5)
    rounded = [math.floor(number), math.ceil(number), math.trunc(number), round(number)]
    same = x.tolist() == [[1, 2], [3, 4], [5, 6]]
    return {
        "facts": facts,
        "item": ug.asarray(2.5).item(),
        "list": same,
        "rounded": rounded,
        "printed": f"{ug.asarray(2.5):.3f}",
    }


@case(
    "defaults: floats are float32, integers int64, gelu exact, std and var divide by n",
    dtypes=["float32", "int64", "bool"],
)
def defaults(ug: Any) -> Results:
    names = [str(ug.asarray(value).dtype) for value in ([1.0], [1], [True])]
    x = ug.asarray([1.0, 2.0, 4.0])
    return {"dtypes": names, "gelu": ug.nn.gelu(x), "var": x.var(), "std": x.std()}


@case("gradients have their variables' dtypes where dtypes mix", y="float64", x="float32", z="float64", n="float32")
def mixed_dtypes(ug: Any) -> Results:
    x, z = ug.asarray([1.5, 2.5]), ug.asarray([1.0, 2.0], dtype=ug.float64)
    x.attach_grad()
    z.attach_grad()
    with ug.record():
        y = x * z / (z + x)
        other = x * ug.asarray([2, 3])
    y.backward()
    found = {"y": str(y.dtype), "x": str(x.grad.dtype), "z": str(z.grad.dtype), "values": z.grad}
    other.backward()
    return {**found, "n": str(other.dtype), "x_values": x.grad}


@case("what has no history leaves none in a gradient that it is added to, and what has some leaves it",
      grads=[[5, 16], [5, 16], [6, 24]], errors=["NotRecordedError", "nothing", "nothing"],
      second=[[6, 12], [12, 24]])  # fmt: skip
def added_without_history(ug: Any) -> Results:
    grads, errors, second = [], [], []
    for histories in ((True, False), (False, True), (True, True)):
        x = ug.asarray([1.0, 2.0])
        x.attach_grad("add")
        with ug.record():
            for create_graph in histories:
                y = (x**3 if create_graph else x * x).sum()
                y.backward(create_graph=create_graph)
            total = x.grad.sum()
        grads.append(x.grad.detach())
        errors.append(raised(lambda total=total, x=x: ug.gradients(total, x, retain_graph=True)))
        if histories[-1]:
            second.append(ug.gradients(total, x))
    return {"grads": ug.stack(grads), "errors": errors, "second": ug.stack(second)}


@case("what is no variable is pickled and copied by its values alone",
      values=[[1, 2], [2, 8]], grads=[True] * 2, recorded=["NotRecordedError"] * 2)  # fmt: skip
def copies_of_values(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        y = x * x * 2
        y.retain_grad()
        z = (y * 3).sum()
    z.backward()
    # The reference's arrays are of this process.
    again = ug.detach if ug.get_backend() == "mpmath" else lambda x: pickle.loads(pickle.dumps(x))
    plain, kept = again(ug.asarray([1.0, 2.0])), again(y)
    return {
        "values": ug.stack([plain, kept]),
        "grads": [each.grad is None for each in (plain, kept)],
        "recorded": [raised(plain.backward), raised(kept.backward)],
    }
