"""Functions with rules of their own, checkpoints, and frameworks' own functions in a recording."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from unigrad_conformance import oracle
from unigrad_conformance.case import Limit, Program, Results, message, raised

CUSTOM = Program("custom")
CHECKPOINTS = Program("checkpoint")
NATIVE = Program("wrap_native")
CHAINS = Limit(64, "largest", "second derivatives of chains, whose terms cancel: 50 on TensorFlow")


def attached(ug: Any, *values: Any) -> list[Any]:
    """Attached arrays of these values."""
    arrays = [ug.asarray(np.asarray(value, np.float32)) for value in values]
    for x in arrays:
        x.attach_grad()
    return arrays


def is_reference(ug: Any) -> bool:
    """Whether it is the reference's turn, which gets functions without rules of their own and without checkpoints."""
    return bool(ug.get_backend() == oracle.NAME)


def cube_of(ug: Any) -> Callable[..., Any]:
    """x ** 3 with its own rule, by way of a residual."""

    @ug.custom_gradient
    def cube(x: Any) -> Any:
        square = x * x
        return square * x, lambda g: g * 3 * square

    return (lambda x: x * x * x) if is_reference(ug) else cube


def mixed_of(ug: Any, **options: Any) -> Callable[..., Any]:
    """Two outputs of two arguments and a factor, as a dict."""

    @ug.custom_gradient(**options)
    def mixed(x: Any, y: Any, factor: float = 1.0) -> Any:
        def rule(g: Any) -> Any:
            return g["product"] * y * factor + g["sum"], g["product"] * x * factor + g["sum"]

        return plain(x, y, factor), rule

    def plain(x: Any, y: Any, factor: float = 1.0) -> Any:
        return {"product": x * y * factor, "sum": x + y}

    return plain if is_reference(ug) else mixed


# --- custom_gradient -----------------------------------------------------------------------------------------

case = CUSTOM.case


@case("the rule is the derivative, once, twice and three times", first=[3, 12], second=[6, 12], third=[6, 6])
def orders(ug: Any) -> Results:
    cube = cube_of(ug)
    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        first = ug.gradients(cube(x), x, create_graph=True)
        second = ug.gradients(first, x, create_graph=True)
        third = ug.gradients(second, x)
    return {"first": first.detach(), "second": second.detach(), "third": third}


@case("of an input without a slope the rows of a Jacobian of a Jacobian are zeros", everyday=False,
      first=[[[2, 0], [0, 2]], [[0, 0], [0, 0]]], product=[[[18, 0], [0, 32]], [[12, 0], [0, 32]]])  # fmt: skip
def rows_without_a_slope(ug: Any) -> Results:
    @ug.custom_gradient
    def square(x: Any, y: Any) -> Any:
        return x * x + y, lambda g: (g * 2 * x, None)

    @ug.custom_gradient
    def product(x: Any, y: Any) -> Any:
        return x * y, lambda g: (g * y, None)

    def first(x: Any, y: Any) -> Any:
        return ug.jacobian(square, argnums=(0, 1))(x, y)[0].sum(axis=0)

    def second(x: Any, y: Any) -> Any:
        return ug.jacobian(lambda x: product(x * x, y))(x).sum(axis=0) * y

    x, y = ug.asarray([1.0, 2.0]), ug.asarray([3.0, 4.0])
    if is_reference(ug):  # which knows no rules but its own
        return {
            "first": ug.asarray([[[2.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]]]),
            "product": ug.asarray([[[18.0, 0.0], [0.0, 32.0]], [[12.0, 0.0], [0.0, 32.0]]]),
        }
    return {
        "first": ug.stack(ug.jacobian(first, argnums=(0, 1))(x, y)),
        "product": ug.stack(ug.jacobian(second, argnums=(0, 1))(x, y)),
    }


@case("the rule is given zeros where nothing arrived, and None in place of an integer output", grad=[3, 3],
      none=[False, False, True])  # fmt: skip
def nothing_arrived(ug: Any) -> Results:
    if is_reference(ug):
        return {"grad": ug.ones(2) * 3, "none": [False, False, True]}
    none: list[bool] = []

    @ug.custom_gradient
    def three(x: Any) -> Any:
        def rule(gs: Any) -> Any:
            none[:] = [g is None for g in gs]
            return gs[0] * 3 + gs[1]

        return (x * 3, x * 1, ug.argmax(x)), rule

    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        y = three(x)[0]
    y.backward()
    return {"grad": x.grad, "none": none}


@case("where the forward rule alone knows of an input, its gradient is zeros that move", everyday=False,
      value=[0, 0], tangent=[1, 2])  # fmt: skip
def forward_alone(ug: Any) -> Results:
    @ug.custom_gradient(forward=lambda primals, tangents: tangents[1] * primals[0])
    def second(x: Any, p: Any) -> Any:
        return p * 1, lambda g: (None, g)

    x, p = ug.asarray([1.0, 2.0]), ug.asarray([3.0, 4.0])
    if is_reference(ug):
        return {"value": x * 0, "tangent": x}
    value, tangent = ug.jvp(lambda p: ug.grad(lambda x: second(x, p).sum())(x), (p,), (x,))
    return {"value": value, "tangent": tangent}


@case("the rule and not the body decides", grad=[100, 100], value=[1, 4])
def the_rule_decides(ug: Any) -> Results:
    @ug.custom_gradient
    def odd(x: Any) -> Any:
        return x * x, lambda g: g * 100

    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        y = odd(x)
    y.backward()
    return {"grad": x.grad, "value": y.detach()}


@case("an argument that is a tuple has a tuple for its cotangent, and one alone may have its own in a tuple",
      x=[6, 8], y=[2, 4], both=[3, 8])  # fmt: skip
def tuples(ug: Any) -> Results:
    @ug.custom_gradient
    def product(pair: Any) -> Any:
        return pair[0] * pair[1], lambda g: (g * pair[1], g * pair[0])

    @ug.custom_gradient
    def twice(x: Any) -> Any:
        return x * 2, lambda g: (g * 2,)

    @ug.custom_gradient
    def added(pair: Any, x: Any) -> Any:
        return pair[0] * pair[1] + x, lambda g: ((g * pair[1], g * pair[0]), g)

    x, y = attached(ug, [1.0, 2.0], [3.0, 4.0])
    with ug.record():
        z = 2 * x * y if is_reference(ug) else twice(product((x, y)))
        w = x * y if is_reference(ug) else added((x, y), x * 0)
    of_x, of_y = ug.gradients(z, [x, y])
    first, second = ug.gradients(w, [x, y])
    return {"x": of_x, "y": of_y, "both": first * second}


@case("a rule that depends on what the result does not: the gradient is 0, and its slope along the other is not",
      value=[0], slope=[5])  # fmt: skip
def only_the_rule(ug: Any) -> Results:
    @ug.custom_gradient
    def f(x: Any, w: Any) -> Any:
        return x * 1, lambda g: (g * w, None)

    x, w = ug.asarray([3.0]), ug.asarray([2.0])
    if is_reference(ug):
        return {"value": x * 0, "slope": x * 0 + 5}
    value, slope = ug.jvp(lambda x: ug.grad(lambda w: f(x, w).sum())(w), (x,), (x * 0 + 5,))
    return {"value": value, "slope": slope}


@case("several outputs in a container, of which one is not used; factors and keywords pass through",
      x=[6, 8], y=[2, 4], both=[7, 9], second=[72, 128])  # fmt: skip
def several_outputs(ug: Any) -> Results:
    mixed = mixed_of(ug)
    x, y = attached(ug, [1.0, 2.0], [3.0, 4.0])
    with ug.record():
        product = mixed(x, y, factor=2.0)["product"]
    product.backward()
    slope = ug.grad(lambda x: (mixed(x, y.detach(), 2.0)["product"] ** 2).sum())
    second = ug.grad(lambda x: slope(x).sum())(x.detach())
    both = ug.grad(lambda x: (mixed(x, y.detach(), 2.0)["product"] + mixed(x, y.detach())["sum"]).sum())(x.detach())
    return {"x": x.grad, "y": y.grad, "both": both, "second": second}


@case("containers of arguments, None for zero, and an integer beside them", w=[2, 2], b=[0], x=[6, 6], chosen=[1, 0])
def containers(ug: Any) -> Results:
    @ug.custom_gradient
    def layer(parameters: Any, x: Any, index: Any) -> Any:
        w = parameters["w"]
        return (w * x, [index]), lambda g: ({"w": g[0] * x, "b": None}, g[0] * w, None)

    w, b, x = attached(ug, [3.0, 3.0], [1.0], [1.0, 1.0])
    with ug.record():
        y, (chosen,) = layer({"w": w, "b": b}, x, ug.asarray([1, 0]))
        z = y * 2
    b.grad  # noqa: B018
    z.backward()
    return {"w": w.grad, "b": b.grad, "x": x.grad, "chosen": chosen}


@case("a rule under vmap sums what all elements give an argument that is the same for all", w=[9, 12], x=[[1, 2]] * 3)
def mapped_with_shared(ug: Any) -> Results:
    @ug.custom_gradient
    def product(w: Any, x: Any) -> Any:
        return w * x, lambda g: (g * x, g * w)

    f = (lambda w, x: w * x) if is_reference(ug) else product
    w, x = attached(ug, [1.0, 2.0], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    with ug.record():
        y = ug.vmap(f, in_axes=(None, 0))(w, x).sum()
    y.backward()
    columns = ug.vmap(lambda w, x: ug.jvp(lambda w: f(w, x), (w,), (w,))[1], in_axes=(None, 0))(w.detach(), x.detach())
    return {"w": w.grad, "x": x.grad, "columns": columns}


def _transforms(ug: Any, f: Callable[..., Any]) -> Results:
    """Derivatives of a scalar function of two vectors by every way there is."""
    x, y = ug.asarray(np.float32([0.5, -1.5])), ug.asarray(np.float32([2.0, 0.75]))

    def each(x: Any) -> Any:
        return ug.vmap(lambda a: f(a, y[0]))(x)

    found = {
        "grad": ug.grad(f, argnums=(0, 1))(x, y),
        "jvp": ug.jvp(f, (x, y), (y, x)),
        "hvp": ug.hvp(f, (x, y), (y, x)),
        "hessian": ug.hessian(f, argnums=(0, 1))(x, y),
        "vmap of grad": ug.vmap(ug.grad(f, argnums=(0, 1)), in_axes=(0, None))(x, y[0]),
        "grad of vmap": ug.grad(lambda x: each(x).sum())(x),
        "jacobian of vmap": ug.jacobian(each, mode="reverse")(x),
        "columns of vmap": ug.jacobian(each, mode="forward")(x),
        "vmap of jvp of grad": ug.vmap(lambda a: ug.jvp(ug.grad(f), (a, y[0]), (y[1], a))[1])(x),
        "grad of jvp": ug.grad(lambda x: ug.jvp(f, (x, y), (y, x))[1])(x),
        "vmap of vmap": ug.vmap(lambda a: ug.vmap(lambda b: f(a, b))(y))(x),
    }
    return {f"{name} {number}": part for name, parts in found.items() for number, part in enumerate(_parts(parts))}


def _parts(parts: Any) -> list[Any]:
    return [leaf for part in parts for leaf in _parts(part)] if isinstance(parts, tuple) else [parts]


@case("inside every transform it is what its body would be", limit=CHAINS)
def transformed(ug: Any) -> Results:
    mixed, cube = mixed_of(ug), cube_of(ug)

    def f(x: Any, y: Any) -> Any:
        both = mixed(x, y, 2.0)
        return (both["product"] * ug.tanh(both["sum"]) + cube(x)).sum()

    return _transforms(ug, f)


@case("the same with a forward rule", limit=CHAINS)
def transformed_forward(ug: Any) -> Results:
    def forward(primals: Any, tangents: Any) -> Any:
        (x, y, factor), (dx, dy, none) = primals, tangents
        assert none is None
        return {"product": (dx * y + x * dy) * factor, "sum": dx + dy}

    mixed = mixed_of(ug, forward=forward)

    def f(x: Any, y: Any) -> Any:
        both = mixed(x, y, 2.0)
        return (both["product"] * ug.tanh(both["sum"])).sum()

    return _transforms(ug, f)


@case("a forward rule decides in forward mode", tangent=[7, 7], value=[1, 4])
def forward_rule(ug: Any) -> Results:
    @ug.custom_gradient(forward=lambda primals, tangents: tangents[0] * 7)
    def odd(x: Any) -> Any:
        return x * x, lambda g: g * 100

    value, tangent = ug.jvp(odd, (ug.asarray([1.0, 2.0]),), (ug.ones(2),))
    return {"tangent": tangent, "value": value}


@case("run again for a second derivative it draws the same numbers, and nobody else's change",
      agree=True, undisturbed=True)  # fmt: skip
def same_draws(ug: Any) -> Results:
    @ug.custom_gradient
    def noisy(x: Any) -> Any:
        noise = ug.random.normal(size=(2,), dtype="float32")
        noise = ug.asarray(noise, like=x)
        return x * x * noise, lambda g: g * 2 * x * noise

    (x,) = attached(ug, [1.0, 2.0])
    ug.random.seed(5)
    with ug.record():
        first = ug.gradients(noisy(x), x, create_graph=True)
    after = ug.random.uniform(size=3).numpy()
    second = ug.gradients(first, x, ug.ones(2))
    ug.random.seed(5)
    ug.random.normal(size=(2,))
    return {
        "agree": np.allclose((first / x).detach().numpy(), second.numpy(), rtol=1e-6),
        "undisturbed": np.array_equal(after, ug.random.uniform(size=3).numpy()),
    }


@case(
    "rows of a Jacobian and forward mode through a batch, whose axes are of other sizes", everyday=False, limit=CHAINS
)
def rows_through_batches(ug: Any) -> Results:
    mixed, x = mixed_of(ug), ug.asarray(np.float32([0.5, -1.5]))

    def each(x: Any) -> Any:
        return ug.vmap(lambda a: ug.stack([mixed(a, b)["product"] for b in (a, a * a, ug.sin(a))]))(x)

    return {mode: ug.jacobian(each, mode=mode)(x) for mode in ("reverse", "forward")}


@case("forward mode through a rule leaves the graph that its residuals came from", tangent=[6, 24], after=[2, 4])
def residuals_stay(ug: Any) -> Results:
    cube = cube_of(ug)

    @ug.custom_gradient
    def square(x: Any) -> Any:
        return x * x, lambda g: g * 2 * x

    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        h = x * x
    tangent = ug.jvp((lambda x: x * x) if is_reference(ug) else square, (h,), (ug.ones(2),))[1] * cube(ug.ones(2))
    tangent = tangent.detach() * ug.asarray([3.0, 3.0])
    h.backward()
    return {"tangent": tangent, "after": x.grad}


@case("what comes behind it in a batch is still of one element", slopes=[[1, 8], [27, 64]])
def behind_in_a_batch(ug: Any) -> Results:
    cube = cube_of(ug)

    def slope(x: Any) -> Any:
        y = cube(x)
        return ug.grad(lambda w: (w * y).sum())(ug.ones(2))

    return {"slopes": ug.vmap(slope)(ug.asarray(np.float32([[1.0, 2.0], [3.0, 4.0]])))}


@case("None for a whole container of arguments, and a container of none", w=[0, 0], b=[0], x=[3, 3], empty=[3, 3])
def nothing_for_a_container(ug: Any) -> Results:
    @ug.custom_gradient
    def layer(parameters: Any, nothing: Any, x: Any) -> Any:
        return x * 3 + parameters["w"] * 0, lambda g: (None, nothing, g * 3)

    w, b, x = attached(ug, [3.0, 3.0], [1.0], [1.0, 1.0])
    with ug.record():
        y = layer({"w": w, "of": [b]}, (), x)
    empty = ug.gradients(y, x, retain_graph=True)
    y.backward()
    return {"w": ug.zeros(2) + w.grad, "b": b.grad, "x": x.grad, "empty": empty}


@case("NumPy's numbers among the arguments come as they are, and arrays as Tensors",
      kinds=["float64", "bool", "True"], value=[2, 4], grad=[2, 2])  # fmt: skip
def numbers_of_numpy(ug: Any) -> Results:
    kinds: list[str] = []

    @ug.custom_gradient
    def scaled(x: Any, factor: Any, flag: Any, array: Any) -> Any:
        kinds[:] = [type(factor).__name__, type(flag).__name__, str(isinstance(array, ug.Tensor))]
        return x * float(factor), lambda g: (g * float(factor), None, None, None)

    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        y = scaled(x, np.float64(2.0), np.bool_(True), np.ones(2, np.float32))
    y.backward()
    return {"kinds": [kind.rstrip("_") for kind in kinds], "value": y.detach(), "grad": x.grad}


_Z = np.array([1 + 2j, -0.5 + 1j])
_SCALE = 2 - 1j


@case("cotangents of complex arrays are in the conjugate form, those that a rule gets and those that it gives",
      dtype="complex128",
      **dict.fromkeys(("rule", "checkpoint", "both", "mapped"), 2 * np.conj(_Z * _SCALE**2)),
      second=[2 * np.conj(_SCALE**2) * (1 - 1j)] * 2, cotangents=[4j * np.conj(_SCALE)] * 2)  # fmt: skip
def complex_cotangents(ug: Any) -> Results:
    def plain(z: Any) -> Any:
        return z * _SCALE

    @ug.custom_gradient
    def scaled(z: Any) -> Any:
        return z * _SCALE, lambda g: g * np.conj(_SCALE)

    rule, checkpoint = (plain, lambda f: f) if is_reference(ug) else (scaled, ug.checkpoint)
    z = ug.asarray(_Z)

    def size(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return lambda z: ug.real((f(z) ** 2).sum())

    functions = {"rule": rule, "checkpoint": checkpoint(plain), "both": checkpoint(rule), "mapped": ug.vmap(rule)}
    return {name: ug.grad(size(f))(z) for name, f in functions.items()} | {
        "second": ug.grad(lambda z: ug.real((ug.grad(size(rule))(z) * (1 - 1j)).sum()))(z),
        "cotangents": ug.vjp(rule, z)[1](ug.ones_like(z) * 4j)[0],
    }


WRONG: dict[str, Callable[..., Any]] = {
    "number": lambda g, x, y: (g, g, g),
    "alone": lambda g, x, y: g,
    "shape": lambda g, x, y: (g, g[:1]),
    "dtype": lambda g, x, y: (g.astype("float16"), g),
    "kind": lambda g, x, y: (g, "no"),
    "structure": lambda g, x, y: (g, {"y": g}),
    "error": lambda g, x, y: g / [][0],
}


@case("a wrong rule raises at the backward, twice the same, and loses nothing",
      number="ArgumentError", alone="ArgumentError", shape="ShapeError", dtype="DtypeError", kind="ArgumentError",
      structure="ArgumentError", error="IndexError", kept=[7, 7], says=True)  # fmt: skip
def wrong_rules(ug: Any) -> Results:
    found: Results = {"says": True}
    for name, wrong in WRONG.items():

        @ug.custom_gradient
        def f(x: Any, y: Any, wrong: Callable[..., Any] = wrong) -> Any:
            return x * y, lambda g: wrong(g, x, y)

        x, y = attached(ug, [1.0, 2.0], [3.0, 4.0])
        with ug.record():
            before = x * 7
        before.backward()
        with ug.record():
            z = ug.tanh(f(ug.sin(x), y))
        found[name] = raised(z.backward)
        again = raised(z.backward)
        found["says"] = found["says"] and again == found[name] and (name == "error" or " f " in message(z.backward))
        found["kept"] = x.grad
    return found


@case("what it cannot see raises: a recorded array in the closure or a keyword, a rule of other operations",
      closure="ArgumentError", keyword="ArgumentError", foreign="UnsupportedError", no_rule="ArgumentError",
      outside=[2, 2], stopped=[1, 1], constant=[7, 8], own=[6, 6],
      steady=[2, 2])  # fmt: skip
def unseen(ug: Any) -> Results:
    (w,) = attached(ug, [2.0, 2.0])
    f = ug.custom_gradient(lambda x, scale=1.0: (x * w * scale, lambda g: g * w.detach()))
    stopped = ug.custom_gradient(lambda x: (x * ug.stop_gradient(w), lambda g: g))
    numpy = ug.custom_gradient(lambda x: (x * 2, lambda g: ug.asarray(g.numpy() * 2, like=g)))
    missing = ug.custom_gradient(lambda x: x * 2)
    outside = f(ug.ones(2))
    (x,) = attached(ug, [1.0, 1.0])

    def keyword() -> Any:
        with ug.record():
            return ug.custom_gradient(lambda x, scale: (x * scale, lambda g: g))(x, scale=w * 2)

    def closure() -> Any:
        with ug.record():
            return f(x)

    def foreign() -> Any:
        with ug.record():
            return ug.grad(lambda x: ug.grad(lambda x: (numpy(x) ** 2).sum())(x).sum())(x)

    with ug.record():
        y = stopped(x)
    y.backward()
    inner = ug.custom_gradient(lambda w: (w * 2, lambda g: g * 2))

    @ug.custom_gradient
    def inside(x: Any) -> Any:
        (w,) = attached(ug, [3.0, 3.0])  # its own, and not reached through the closure
        return inner(w) * x, lambda g: g * 6

    kept = ug.asarray([2.0, 3.0])  # which is a constant still when it was a result
    with ug.record():
        y = ug.custom_gradient(lambda x: (kept, lambda g: g * 5))(x) + kept * x
        z = inside(x)
        steady = ug.gradients(numpy(x), x, create_graph=True)
    constant, own = ug.gradients(y, x), ug.gradients(z, x)
    return {
        "constant": constant,
        "own": own,
        "steady": steady.detach(),
        "closure": raised(closure),
        "keyword": raised(keyword),
        "foreign": raised(foreign),
        "no_rule": raised(lambda: missing(x)),
        "outside": outside,
        "stopped": x.grad,
    }


# --- checkpoint -------------------------------------------------------------------------------------------------

case = CHECKPOINTS.case


def _block(ug: Any, x: Any, w: Any, power: int = 2) -> Any:
    h = ug.tanh(x * w)
    return {"h": h**power + x, "e": (ug.exp(h), "text")}


@case("arguments, results and derivatives are those of the function, in every transform",
      limit=CHAINS)  # fmt: skip
def transparent(ug: Any) -> Results:
    checkpoint = (lambda f: f) if is_reference(ug) else ug.checkpoint
    block = checkpoint(lambda x, w, **options: _block(ug, x, w, **options))

    def f(x: Any, w: Any) -> Any:
        found = block(x, w, power=3)
        assert found["e"][1] == "text"
        return (found["h"] * found["e"][0]).sum()

    return _transforms(ug, f)


@case("pulled back once more, recorded this time, it is the function that it was", first=[3, 12], second=[6, 12])
def pulled_twice(ug: Any) -> Results:
    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        y = ug.checkpoint(lambda x: x**3)(x * 1)
        first = ug.gradients(y, x, retain_graph=True)
        again = ug.gradients(y, x, create_graph=True)
    return {"first": first, "second": ug.gradients(again, x)}


@case("what is computed again has the surroundings of the first time, each time", first=[2, 2], again=[2, 2])
def surroundings(ug: Any) -> Results:
    factor = ContextVar("factor", default=2.0)

    def f(x: Any) -> Any:
        found = x * factor.get()
        factor.set(factor.get() + 1)
        return found

    (x,) = attached(ug, [1.0, 2.0])
    with ug.record():
        y = ug.checkpoint(f)(x)
    return {"first": ug.gradients(y, x, retain_graph=True), "again": ug.gradients(y, x)}


@case("nested, and over what it closes over: attached arrays, intermediates, an argument given twice",
      limit=CHAINS)  # fmt: skip
def closures(ug: Any) -> Results:
    checkpoint = (lambda f: f) if is_reference(ug) else ug.checkpoint

    def f(x: Any, w: Any) -> Any:
        h = ug.sin(w) * x

        @checkpoint
        def outer(a: Any, b: Any) -> Any:
            inner = checkpoint(lambda c: ug.tanh(c * h) * a * w)
            return inner(a * b) + inner(b)

        return outer(h, h).sum()

    return _transforms(ug, f)


def transforms_within(ug: Any) -> dict[str, Callable[[Any], Any]]:
    """Functions of an array of two elements, each the sum of their squares, by a transform of NumPy's arrays."""
    ones = np.ones(2, np.float32)
    return {
        "grad": lambda z: ug.grad(lambda y: (y * z * z).sum())(ones).sum(),
        "value_and_grad": lambda z: ug.value_and_grad(lambda y: (y * z * z).sum())(ones)[1].sum(),
        "of a number": lambda z: ug.grad(lambda y: (y * z * z).sum())(1.0),
        "vjp": lambda z: ug.vjp(lambda y: y * z * z, ones)[1](ones)[0].sum(),
        "jvp": lambda z: ug.jvp(lambda y: y * z * z, (ones,), (ones,))[1].sum(),
        "vmap": lambda z: ug.vmap(lambda y: y * z * z)(np.eye(2, dtype=np.float32)).sum(),
        "hessian": lambda z: ug.hessian(lambda y: (y * y * z * z).sum() / 2)(ones).sum(),
        "jacobian": lambda z: ug.jacobian(lambda y: y * z * z)(ones).sum(),
    }


WITHIN = ("grad", "value_and_grad", "of a number", "vjp", "jvp", "vmap", "hessian", "jacobian")


@case("a transform inside of NumPy's arrays or numbers does not forget the arguments, which it closes over",
      **{name: [6, 8] for name in WITHIN}, second=[2, 0], forward=6.0, twice=[6, 8])  # fmt: skip
def transforms_inside(ug: Any) -> Results:
    x = ug.asarray([3.0, 4.0])
    functions = {name: ug.checkpoint(f) for name, f in transforms_within(ug).items()}
    grad = functions["grad"]
    return {name: ug.grad(f)(x) for name, f in functions.items()} | {
        "second": ug.grad(lambda x: ug.grad(grad)(x)[0])(x),
        "forward": ug.jvp(grad, (x,), (ug.asarray([1.0, 0.0]),))[1],
        "twice": ug.grad(ug.checkpoint(grad))(x),
    }


@case("what a transform inside gives is a Tensor, as it is without a checkpoint", kinds=True, grad=[3, 4])
def kinds_inside(ug: Any) -> Results:
    x, kinds = ug.asarray([3.0, 4.0]), []
    ones = np.ones(2, np.float32)

    def f(z: Any) -> Any:
        found = [
            ug.grad(lambda y: (y * z * z).sum())(ones), ug.vjp(lambda y: y * z, ones)[1](ones)[0],
            ug.vmap(lambda y: y * z)(ones[None]),
        ]  # fmt: skip
        kinds.append(all(isinstance(each, ug.Tensor) for each in found))
        return (z * z).sum() * 0.5

    return {"grad": ug.grad(ug.checkpoint(f))(x), "kinds": all(kinds)}


@case("the gradient of an intermediate that it closes over; a second backward finds the graph released",
      x=[14, 14], h=[3, 3], w=[3, 3], error="GraphFreedError")  # fmt: skip
def closed_over_intermediate(ug: Any) -> Results:
    x, w = attached(ug, [3.0, 3.0], [4.0, 4.0])
    with ug.record():
        h = w * 1 + 3
        y = ug.checkpoint(lambda x: x * h + 7 * x)(x)
    x_grad, h_grad = ug.gradients(y, [x, h], retain_graph=True)
    y.backward()
    return {"x": x_grad, "h": h_grad, "w": w.grad, "error": raised(y.backward)}


@case("dropout and other draws are the same both times, and draws in between go on undisturbed",
      same=True, after=True, drawn=True)  # fmt: skip
def same_mask(ug: Any) -> Results:
    def noisy(x: Any) -> Any:
        return ug.nn.dropout(ug.tanh(x), 0.5) * (1 + ug.nn.dropout(x, 0.3))

    def run(f: Callable[..., Any]) -> tuple[Any, Any]:
        (x,) = attached(ug, np.linspace(-1, 1, 20))
        ug.random.seed(11)
        with ug.record():
            y = f(x)
        between = ug.random.uniform(size=4).numpy()
        with ug.predict_mode():
            gradient = ug.gradients(y, x)
        return np.stack([y.detach().numpy(), gradient.numpy()]), np.stack([between, ug.random.uniform(size=4).numpy()])

    plain, checked, nested = run(noisy), run(ug.checkpoint(noisy)), run(ug.checkpoint(ug.checkpoint(noisy)))
    return {
        "same": np.allclose(plain[0], checked[0], rtol=1e-5) and np.allclose(plain[0], nested[0], rtol=1e-5),
        "after": np.array_equal(plain[1], checked[1]) and np.array_equal(plain[1], nested[1]),
        "drawn": bool((plain[0][0] == 0).any()),
    }


@case("an error inside leaves everything as it was, the first time and the second",
      first="KeyError", second="KeyError", states=[False, False], grad=[0, 0], after=[6, 6])  # fmt: skip
def errors_inside(ug: Any) -> Results:
    fails = [True]

    def f(x: Any) -> Any:
        if fails[0]:
            raise KeyError("stop")
        return x * x * 3

    (x,) = attached(ug, [1.0, 1.0])

    def record() -> Any:
        with ug.record():
            return ug.checkpoint(f)(x)

    first = raised(record)
    fails[0] = False
    y = record()
    fails[0] = True
    second = raised(y.backward)
    states = [ug.is_recording(), ug.is_training()]
    grad = x.grad
    fails[0] = False
    record().backward()
    return {"first": first, "second": second, "states": states, "grad": grad, "after": x.grad}


@case("what depends on nothing recorded is returned as it is", value=[2, 2], error="NotRecordedError")
def nothing_recorded(ug: Any) -> Results:
    f = ug.checkpoint(lambda x: x * 2)
    with ug.record():
        y = f(ug.ones(2))
    return {"value": f(ug.ones(2)), "error": raised(y.backward)}


@case("a result of several that depends on nothing, where another depends on what it closes over",
      beside=[0, 0], none=True, x=[3, 3], w=[3])  # fmt: skip
def beside_a_constant(ug: Any) -> Results:
    w, x = ug.asarray([3.0]), ug.asarray([1.0, 2.0])
    w.attach_grad()
    x.attach_grad()
    with ug.record():
        constant, product = ug.checkpoint(lambda x: (x.detach() * 2, w * x))(x)
        y = constant + x * 0
    beside, none = ug.gradients(y, [x, w], unused="none", retain_graph=True)
    of_x, of_w = ug.gradients(product, [x, w])
    return {"beside": beside, "none": none is None, "x": of_x, "w": of_w}


# --- wrap_native --------------------------------------------------------------------------------------------------

case = NATIVE.case
OWN = ("torch", "tensorflow", "jax", "mxnet")
"""The backends whose frameworks differentiate their own functions."""


def own_of(ug: Any) -> Callable[..., Any]:
    """A function of two arrays written with the framework's own functions, wrapped; elsewhere with unigrad's."""
    name = ug.get_backend()
    if name == "torch":
        import torch as xp
    elif name == "tensorflow":
        import tensorflow as xp
    elif name == "jax":
        import jax.numpy as xp
    elif name == "mxnet":
        import mxnet

        xp = mxnet.np
    else:
        xp = ug

    def own(pair: Any, factor: float = 1.0) -> Any:
        x, y = pair["x"], pair["y"]
        return [xp.tanh(x * y) * factor, xp.exp(x) + y]

    return ug.wrap_native(own) if name in OWN else own


@case("a framework's own function: value and gradients, of several results, in containers",
      limit=CHAINS)  # fmt: skip
def own_function(ug: Any) -> Results:
    own = own_of(ug)
    x, y = attached(ug, [0.5, -1.5], [2.0, 0.75])
    with ug.record():
        first, second = own({"x": ug.sin(x), "y": y}, factor=3.0)
        z = (first * second).sum()
    z.backward(retain_graph=True)
    partial = ug.gradients(first, y)
    each = ug.vmap(ug.grad(lambda x, y: own({"x": x, "y": y})[0] * 2), in_axes=(0, None))(x.detach(), y.detach()[0])
    return {"z": z.detach(), "x": x.grad, "y": y.grad, "partial": partial, "each": each}


@case("its second derivatives and forward mode, where the framework has them",
      limit=CHAINS)  # fmt: skip
def own_twice(ug: Any) -> Results:
    own = own_of(ug)

    def f(x: Any, y: Any) -> Any:
        first, second = own({"x": x, "y": y}, factor=3.0)
        return (first * second).sum()

    def by_operations(x: Any, y: Any) -> Any:
        return (ug.tanh(x * y) * 3 * (ug.exp(x) + y)).sum()

    if ug.get_backend() == "mxnet":  # whose engine has neither, and says so
        x = ug.ones(2)
        assert raised(lambda: ug.hessian(f)(x, x)) == "UnsupportedError"
        assert raised(lambda: ug.jvp(f, (x, x), (x, x))) == "UnsupportedError"
        return _transforms(ug, by_operations)
    return _transforms(ug, f)


@case("NumPy's own functions have values and no derivatives; what is no array is named",
      value=5.0, error="UnsupportedError", no_array="ArgumentError", says=True)  # fmt: skip
def own_limits(ug: Any) -> Results:
    with ug.use_backend("numpy"):
        x = ug.asarray(np.float32([1.0, 2.0]))
        square = ug.wrap_native(np.square)
        bad = ug.wrap_native(lambda x: {"a": "text"})
        return {
            "value": float(square(x).sum()),
            "error": raised(lambda: ug.grad(lambda x: square(x).sum())(x)),
            "no_array": raised(lambda: bad(x)),
            "says": "output['a'] is str" in message(lambda: bad(x)),
        }
