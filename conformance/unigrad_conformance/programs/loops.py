"""Conditions and loops as functions, and containers: values, gradients, and what vmap makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised

LOOPS = Program("loops")
case = LOOPS.case


@case("cond runs one side, and its gradient is that side's", values=[9, 3], gradients=[6, 1], ran="['square', 'same']")
def cond(ug: Any) -> Results:
    ran = []

    def square(x: Any) -> Any:
        ran.append("square")
        return x * x

    def same(x: Any) -> Any:
        ran.append("same")
        return x

    def f(x: Any, least: float) -> Any:
        return ug.cond(x > least, square, same, x)

    found = [ug.value_and_grad(f)(ug.asarray(3.0), least) for least in (2.0, 4.0)]
    return {"values": ug.stack([y for y, _ in found]), "gradients": ug.stack([g for _, g in found]), "ran": str(ran)}


@case("under vmap cond chooses by element, and so its gradient", values=[1, 2, 9], gradient=[1, 1, 6])
def cond_of_a_batch(ug: Any) -> Results:
    def f(x: Any) -> Any:
        return ug.cond(x > 2.5, lambda x: {"y": x * x}, lambda x: {"y": x}, x)["y"]

    x = ug.asarray([1.0, 2.0, 3.0])
    return {"values": ug.vmap(f)(x), "gradient": ug.vmap(ug.grad(f))(x)}


@case("while_loop: Newton's method for a square root; its derivative", near=[True] * 3)
def while_loop(ug: Any) -> Results:
    def root(a: Any) -> Any:
        def far(state: Any) -> Any:
            return ug.abs(state[0] * state[0] - a) > 1e-4

        return ug.while_loop(far, lambda state: ((state[0] + a / state[0]) / 2, state[1] + 1), (a, 0))[0]

    a = ug.asarray(9.0)
    _, pushed = ug.jvp(root, (a,), (ug.asarray(1.0),))
    found = (root(a), 3), (ug.grad(root)(a), 1 / 6), (pushed, 1 / 6)
    return {"near": [abs(float(y) - right) < 1e-4 for y, right in found]}


@case("under vmap each element stops by itself", values=[16, 10, 12], turns=[4, 1, 2], gradient=[16, 2, 4])
def while_loop_of_a_batch(ug: Any) -> Results:
    def doubled(x: Any) -> Any:
        return ug.while_loop(lambda state: state[0] < 10, lambda state: (state[0] * 2, state[1] + 1), (x, 0))

    x = ug.asarray([1.0, 5.0, 3.0])
    values, turns = ug.vmap(doubled)(x)
    return {"values": values, "turns": turns, "gradient": ug.vmap(ug.grad(lambda x: doubled(x)[0]))(x)}


@case("scan: a recurrence over rows, with a weight that it closes over; both ways", last=26, states=[2, 7, 26],
      by_weight=13, by_rows=[9, 3, 1], backwards=[11, 9, 8], counted=[0, 2, 4], nothing=[0, 2])  # fmt: skip
def scan(ug: Any) -> Results:
    rows = ug.asarray([2.0, 1.0, 5.0])

    def run(weight: Any, rows: Any) -> Any:
        def step(state: Any, row: Any) -> Any:
            new = weight * state + row["x"]
            return new, new

        return ug.scan(step, ug.asarray(0.0), {"x": rows})

    weight = ug.asarray(3.0)
    last, states = run(weight, rows)
    gradients = ug.grad(lambda *args: run(*args)[0], argnums=(0, 1))(weight, rows)
    _, backwards = ug.scan(lambda state, x: (state + x, state + x), ug.asarray(3.0), rows, reverse=True)
    _, counted = ug.scan(lambda state, _: (state + 2, state), ug.asarray(0), length=3)
    _, nothing = ug.scan(lambda state, x: (state, ug.stack([x, x])), ug.asarray(0.0), rows[:0])
    return {
        "last": last,
        "states": states,
        "by_weight": gradients[0],
        "by_rows": gradients[1],
        "backwards": backwards,
        "counted": counted,
        "nothing": list(nothing.shape),
    }


@case("scan inside vmap and hessian", mapped=[[1, 3], [2, 7]], hessian=[[0, 1], [1, 0]])
def scan_in_transforms(ug: Any) -> Results:
    def sums(x: Any) -> Any:
        return ug.scan(lambda state, x: (state + x, state + x), ug.asarray(0.0), x)[1]

    def product(x: Any) -> Any:
        return ug.scan(lambda state, x: (state * x, None), ug.asarray(1.0), x)[0]

    x = ug.asarray([[1.0, 2.0], [2.0, 5.0]])
    return {"mapped": ug.vmap(sums)(x), "hessian": ug.hessian(product)(x[0])}


@case("cond of a plain truth value, scan over no rows", chosen=[2, 2], other=[1, 1], shape="(0, 3)", last=1)
def plain_and_empty(ug: Any) -> Results:
    x = ug.ones(2)
    last, rows = ug.scan(lambda total, row: (total + row.sum(), row * 2), ug.asarray(1.0), ug.zeros((0, 3)))
    return {
        "chosen": ug.cond(True, lambda x: x * 2, lambda x: x, x),
        "other": ug.cond(np.bool_(False), lambda x: x * 2, lambda x: x, x),
        "shape": str(rows.shape), "last": last,
    }  # fmt: skip


@case("mistakes in conditions and loops", errors=["ShapeError", "ArgumentError", "ArgumentError", "ShapeError",
      "ArgumentError", "ArgumentError", "ShapeError"])  # fmt: skip
def mistakes(ug: Any) -> Results:
    x = ug.ones(3)
    attempts = [
        lambda: ug.cond(x > 0, lambda: 1, lambda: 2),
        lambda: ug.while_loop(lambda s: s[0] < 3, lambda s: s[0], (ug.asarray(0.0), 1)),
        lambda: ug.scan(lambda s, x: s, 0.0, x),
        lambda: ug.scan(lambda s, x: (s, x), 0.0, (x, ug.ones(2))),
        lambda: ug.scan(lambda s, x: (s, x), 0.0),
        lambda: ug.scan(lambda s, x: ((s, s), x), 0.0, x),
        lambda: ug.scan(lambda s, x: (s, x), 0.0, ug.ones(())),
    ]
    return {"errors": [raised(f) for f in attempts]}


@case("tree_map and the rest", step=[0.5, 1.5], paths="['w'][0] ['b']", leaves=2, back=True, error="ArgumentError")
def containers(ug: Any) -> Results:
    weights = {"w": [ug.asarray([1.0, 2.0])], "b": ug.asarray(1.0)}
    gradients = {"b": ug.asarray(2.0), "w": [ug.asarray([1.0, 1.0])]}
    leaves, layout = ug.tree_flatten(weights)
    return {
        "step": ug.tree_map(lambda w, g: w - 0.5 * g, weights, gradients)["w"][0],
        "paths": " ".join(ug.tree_paths(weights)),
        "leaves": len(ug.tree_leaves(weights)),
        "back": ug.tree_unflatten(layout, leaves)["b"] is weights["b"],
        "error": raised(lambda: ug.tree_map(lambda a, b: a, weights, {"w": 1})),
    }
