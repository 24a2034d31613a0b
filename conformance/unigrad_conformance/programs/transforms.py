"""What the functional transforms promise: what goes in and comes out, how they nest, and the laws that they obey."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict, defaultdict, namedtuple
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised
from unigrad_conformance.oracle import NAME as ORACLE

TRANSFORMS = Program("transforms")
case = TRANSFORMS.case

MODES = ("reverse", "forward", "auto")
X, Y, T = [0.5, -1.5, 2.0], [1.0, 0.25, -0.75], [0.75, 1.0, -0.5]
W = [[0.5, 1.0, -0.25], [1.5, -0.5, 0.75]]

Pair = namedtuple("Pair", "w b")


@dataclass(frozen=True)
class Layer:
    """A container that is a frozen dataclass, with a part that holds no array."""

    w: Any
    b: Any
    state: Any = None


def _given(ug: Any) -> tuple[Any, Any, Any]:
    return ug.asarray(X), ug.asarray(Y), ug.asarray(T)


def _energy(ug: Any) -> Callable[[Any, Any], Any]:
    """A scalar function of two vectors; no block of its Hessian is diagonal."""
    return lambda x, y: (ug.sin(x) * y).sum() * (x * y).sum()


def _field(ug: Any) -> Callable[[Any, Any], Any]:
    """A vector of two elements made of two vectors of three."""
    return lambda x, y: ug.tanh(ug.asarray(W) @ (x * y)) + ug.sin(x[:2])


def _named(name: str, values: Any) -> Results:
    """Each of several results under a name of its own."""
    return {f"{name} {number}": value for number, value in enumerate(values)}


def _near(ug: Any, first: Any, second: Any) -> bool:
    """Whether two results are equal but for rounding."""
    a, b = np.asarray(first.numpy()), np.asarray(second.numpy())
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= 2e-5 * (1 + np.abs(b))))


# --- arguments and results -------------------------------------------------------------------------------


@case("argnums: one, several in the order that they are named in, counted from the end; a list will do",
      one=[3, 4], last=[1, 2], swapped=[[1, 2], [3, 4]], kinds=["tuple", "tuple", "tuple"], nothing=0)  # fmt: skip
def argnums(ug: Any) -> Results:
    def f(x: Any, n: Any, y: Any) -> Any:
        return (x * y).sum() * n

    x, y = ug.asarray([1.0, 2.0]), ug.asarray([3.0, 4.0])
    swapped = ug.grad(f, argnums=(2, 0))(x, 1, y)
    listed = ug.grad(f, argnums=[0])(x, 1, y)
    nothing = ug.grad(f, argnums=())(x, 1, y)
    blocks = ug.jacobian(f, argnums=(0, -1))(x, 1, y)
    rows = ug.hessian(f, argnums=(-1, 0))(x, 1, y)
    _, pull = ug.vjp(f, x, 1, y, argnums=-1)
    return {
        "one": ug.grad(f)(x, 1, y),
        "last": ug.grad(f, argnums=-1)(x, 1, y),
        "swapped": ug.stack(swapped),
        "kinds": [type(found).__name__ for found in (swapped, listed, blocks)],
        "nothing": len(nothing),
        "jacobian": ug.stack(blocks),
        **_named("hessian", [block for row in rows for block in row]),
        "vjp": pull(ug.asarray(1.0))[0],
        "jvp": ug.jvp(f, (x, 1, y), (y,), argnums=2)[1],
        "hvp": ug.stack(ug.hvp(f, (x, 1, y), (x, y), argnums=(0, 2))),
    }


@case("has_aux: the auxiliary result is handed through with its kinds, and is not differentiated", kinds=[True] * 7,
      plain=[True] * 7)  # fmt: skip
def has_aux(ug: Any) -> Results:
    def scalar(x: Any) -> Any:
        return (ug.sin(x) * x).sum(), {"twice": x * 2, "text": "hi", "nothing": None, "number": 3}

    def vector(x: Any) -> Any:
        return ug.sin(x), scalar(x)[1]

    x, _, t = _given(ug)
    c = ug.ones_like(x)
    results = {
        "grad": ug.grad(scalar, has_aux=True)(x),
        "jacobian": ug.jacobian(vector, has_aux=True)(x),
        "columns": ug.jacobian(vector, mode="forward", has_aux=True)(x),
        "hessian": ug.hessian(scalar, has_aux=True)(x),
    }
    (value, aux), gradient = ug.value_and_grad(scalar, has_aux=True)(x)
    results["value_and_grad"] = gradient, aux
    output, pull, aux = ug.vjp(vector, x, has_aux=True)
    results["vjp"] = pull(c)[0], aux
    pushed, tangent, aux = ug.jvp(vector, (x,), (t,), has_aux=True)
    results["jvp"] = tangent, aux
    (product,), aux = ug.hvp(scalar, (x,), (t,), has_aux=True)
    results["hvp"] = product, aux
    del results["grad"]
    return {
        "value": value,
        "output": output,
        "pushed": pushed,
        **{name: found for name, (found, _) in results.items()},
        **{f"{name} aux": aux["twice"] for name, (_, aux) in results.items()},
        "kinds": [isinstance(aux["twice"], ug.Tensor) for _, aux in results.values()],
        "plain": [(aux["text"], aux["nothing"], aux["number"]) == ("hi", None, 3) for _, aux in results.values()],
    }


@case("keyword arguments are constants, arrays among them Tensors, and functions what they are", tensors=[True] * 7)
def keywords(ug: Any) -> Results:
    seen = []

    def scalar(x: Any, *, scale: Any, flag: bool, wave: Any) -> Any:
        seen.append(isinstance(scale["s"], ug.Tensor) and flag is True)
        return (wave(x) * scale["s"]).sum()

    x, y, t = _given(ug)
    given = {"scale": {"s": y.raw}, "flag": True, "wave": ug.sin}
    results = {
        "grad": ug.grad(scalar)(x, **given),
        "value_and_grad": ug.value_and_grad(scalar)(x, **given)[1],
        "jacobian": ug.jacobian(scalar)(x, **given),
        "hessian": ug.hessian(scalar)(x, **given),
        "vjp": ug.vjp(scalar, x, **given)[1](ug.asarray(1.0))[0],
        "jvp": ug.jvp(scalar, (x,), (t,), **given)[1],
        "hvp": ug.hvp(scalar, (x,), (t,), **given)[0],
    }
    return {**results, "tensors": seen}


def _tree(ug: Any) -> Any:
    x, y, t = _given(ug)
    made = defaultdict(list, more=Layer(y, ug.asarray(1.5)))
    return {"pair": Pair(x, [t]), "ordered": OrderedDict(b=ug.asarray(2.0), a=None), "default": made}


def _of_tree(ug: Any) -> Callable[[Any], Any]:
    def f(p: Any) -> Any:
        layer = p["default"]["more"]
        return (ug.sin(p["pair"].w) * layer.w).sum() * p["ordered"]["b"] + (p["pair"].b[0] ** 2).sum() * layer.b

    return f


def _leaves(p: Any) -> list[Any]:
    layer = p["default"]["more"]
    return [p["pair"].w, p["pair"].b[0], p["ordered"]["b"], layer.w, layer.b]


def _kinds(p: Any) -> list[str]:
    parts = (p, p["pair"], p["pair"].b, p["ordered"], p["default"], p["default"]["more"])
    return [type(part).__name__ for part in parts]


@case("gradients have the structure of the argument: dicts, named tuples, lists, frozen dataclasses, None",
      kinds=["dict", "Pair", "list", "OrderedDict", "defaultdict", "Layer"] * 3, nothing=[True] * 3,
      keys=["b", "a"])  # fmt: skip
def containers_in(ug: Any) -> Results:
    tree, f = _tree(ug), _of_tree(ug)
    gradient = ug.grad(f)(tree)
    value, pull = ug.vjp(f, tree)
    (pulled,) = pull(ug.ones_like(value))
    (product,) = ug.hvp(f, (tree,), (tree,))
    found = (gradient, pulled, product)
    return {
        "value": value,
        **_named("gradient", _leaves(gradient)),
        **_named("pulled", _leaves(pulled)),
        **_named("product", _leaves(product)),
        "pushed": ug.jvp(f, (tree,), (tree,))[1],
        "kinds": [kind for each in found for kind in _kinds(each)],
        "nothing": [each["ordered"]["a"] is None and each["default"]["more"].state is None for each in found],
        "keys": list(gradient["ordered"]),
    }


@case("outputs in containers: vjp and jvp keep their structure; a cotangent may list its keys in another order",
      kinds=["dict", "Pair", "tuple"] * 2)  # fmt: skip
def containers_out(ug: Any) -> Results:
    def f(x: Any) -> Any:
        return {"pair": Pair(ug.sin(x), (x * x).sum()), "more": (x[0], 2.5)}

    x, _, t = _given(ug)
    output, pull = ug.vjp(f, x)
    one = ug.asarray(1.5)
    (pulled,) = pull({"more": (one, one), "pair": Pair(t, one)})
    pushed, tangent = ug.jvp(f, (x,), (t,))
    both = (output, tangent)
    return {
        "pulled": pulled,
        **_named("output", [*output["pair"], *output["more"]]),
        **_named("pushed", [*pushed["pair"], *pushed["more"]]),
        **_named("tangent", [*tangent["pair"], *tangent["more"]]),
        "kinds": [type(part).__name__ for each in both for part in (each, each["pair"], each["more"])],
    }


@case("what a value does not depend on: zeros", zeros=[[0, 0, 0]] * 6)
def unused_zeros(ug: Any) -> Results:
    def f(x: Any, y: Any) -> Any:
        return (x * x).sum()

    x, y, t = _given(ug)
    _, pull = ug.vjp(f, x, y)
    found = [
        ug.grad(f, 1)(x, y),
        pull(ug.asarray(1.0))[1],
        ug.jacobian(f, argnums=1)(x, y),
        ug.jacobian(f, "forward", argnums=1)(x, y),
        ug.hvp(f, (x, y), (t, t))[1],
        ug.hessian(f, (0, 1))(x, y)[0][1][1],
    ]
    return {"zeros": ug.stack(found), "jvp": ug.jvp(f, (x, y), (t,), argnums=1)[1]}


@case("unused='none' gives None for it, in every form; what is used linearly is used", none=[True] * 8,
      linear=[0, 0, 0], product=[0, 0, 0])  # fmt: skip
def unused_none(ug: Any) -> Results:
    def f(x: Any, y: Any) -> Any:
        return (x * 3).sum()

    x, y, t = _given(ug)
    both = {"argnums": (0, 1), "unused": "none"}
    rows = ug.hessian(f, **both)(x, y)
    product = ug.hvp(f, (x, y), (t, t), unused="none")
    value, tangents = ug.jvp(lambda x, y: (f(x, y), y), (x, y), (t,), argnums=0, unused="none")
    none = [
        ug.grad(f, **both)(x, y)[1],
        ug.value_and_grad(f, **both)(x, y)[1][1],
        ug.vjp(f, x, y, unused="none")[1](ug.asarray(1.0))[1],
        ug.jacobian(f, **both)(x, y)[1],
        product[1],
        rows[1],
        tangents[1],
        ug.hessian(lambda x: 3.0, unused="none")(x),
    ]
    return {
        "none": [found is None for found in none],
        "linear": rows[0][0].sum(axis=0),
        "product": product[0],
        "used": ug.grad(f, **both)(x, y)[0],
        "tangent": tangents[0],
        "values": value[1],
    }


@case("unused='error' raises in every form, and not for what is used", errors=["ArgumentError"] * 7,
      used=["nothing"] * 7)  # fmt: skip
def unused_error(ug: Any) -> Results:
    def f(x: Any, y: Any) -> Any:
        return (x * 3).sum()

    x, y, t = _given(ug)
    one = ug.asarray(1.0)

    def attempts(n: Any) -> list[Callable[[], Any]]:
        told: dict[str, Any] = {"argnums": n, "unused": "error"}
        return [
            lambda: ug.grad(f, **told)(x, y),
            lambda: ug.value_and_grad(f, **told)(x, y),
            lambda: ug.vjp(f, x, y, **told)[1](one),
            lambda: ug.jacobian(f, **told)(x, y),
            lambda: ug.hvp(f, (x, y), (t,), **told),
            lambda: ug.hessian(f, **told)(x, y),
            lambda: ug.jvp(f, (x, y), (t,), **told),
        ]

    return {"errors": [raised(each) for each in attempts(1)], "used": [raised(each) for each in attempts(0)]}


@case("a framework's own arrays in and out, also where the function makes constants", own=[True] * 14)
def raw_arrays(ug: Any) -> Results:
    def f(x: Any, y: Any) -> Any:
        assert isinstance(x, ug.Tensor)
        assert isinstance(y, ug.Tensor)
        return _energy(ug)(x, y)

    x, y, t = (tensor.raw for tensor in _given(ug))
    one = ug.asarray(1.0).raw
    (value, aux), gradient = ug.value_and_grad(lambda x, y: (f(x, y), x * 2), has_aux=True)(x, y)
    output, pull = ug.vjp(f, x, y)
    pushed, tangent = ug.jvp(f, (x, y), (t, t))
    found = [
        *(value, aux, gradient, output, pushed, tangent),
        *pull(one),
        *ug.hvp(f, (x, y), (t, t)),
        *(ug.jacobian(_field(ug), mode)(x, y) for mode in MODES),
        ug.hessian(f)(x, y),
    ]
    own = [isinstance(each, type(x)) for each in found]
    constant = ug.value_and_grad(lambda x: 3.0)(x)
    held = ug.value_and_grad(lambda s, x: (x * s).sum(), (0, 1))(0.5, x)
    return {
        "own": own,
        **_named("found", [ug.asarray(each) for each in found]),
        **_named("constant", [ug.asarray(each) for each in constant]),
        "with a number": [isinstance(each, type(x)) for each in (*constant, held[0], *held[1])] == [True] * 5,
        "gradient of a number": ug.asarray(held[1][0]),
    }


@case(
    "NumPy arrays in and out, tangents and cotangents as well",
    numpy=[True] * 13,
    dtypes=["float64"] * 13,
)
def numpy_arrays(ug: Any) -> Results:
    f = _energy(ug)
    x, y, t = (np.asarray(values) for values in (X, Y, T))
    (value, aux), gradient = ug.value_and_grad(lambda x, y: (f(x, y), x * 2), has_aux=True)(x, y)
    output, pull = ug.vjp(f, x, y)
    pushed, tangent = ug.jvp(f, (x, y), (t, t))
    found = [
        *(value, aux, gradient, output, pushed, tangent),
        *pull(np.asarray(1.0)),
        *ug.hvp(f, (x, y), (t, t)),
        *(ug.jacobian(f, mode)(x, y) for mode in ("reverse", "forward")),
        ug.hessian(f)(x, y),
    ]
    return {
        "numpy": [type(each) is np.ndarray for each in found],
        "dtypes": [str(each.dtype) for each in found],
        **_named("found", [ug.asarray(each) for each in found]),
    }


@case("Python numbers give NumPy's, and are as wide as the arrays beside them", dtype="float64",
      kinds=["ndarray", "ndarray", "Tensor"], dtypes=["float32", "float64", "float64"], cube=12)  # fmt: skip
def python_numbers(ug: Any) -> Results:
    value, gradient = ug.value_and_grad(lambda x: x * x * x)(2.0)
    wide = ug.asarray(X, dtype=ug.float64)
    ds, dx = ug.grad(lambda s, x: (ug.sin(x) * s * s).sum(), argnums=(0, 1))(0.1, wide)
    _, tangent = ug.jvp(lambda s, x: (ug.sin(x) * s * s).sum(), (0.1, wide), (1.0, wide))
    of_numpy = ug.grad(lambda s, x: (x * s * s).sum())(0.1, np.asarray(X))
    kinds = [type(value), type(of_numpy), type(ds)]
    return {
        "kinds": ["Tensor" if issubclass(kind, ug.Tensor) else kind.__name__ for kind in kinds],
        "dtypes": [str(each.dtype) for each in (gradient, of_numpy, ds)],
        "cube": ug.asarray(gradient),
        "ds": ds,
        "dx": dx,
        "tangent": tangent,
    }


# --- whole matrices -----------------------------------------------------------------------------------------


@case("the Jacobian by rows, by columns, and as it comes", same=[True] * 3)
def jacobian_modes(ug: Any) -> Results:
    x, y, _ = _given(ug)
    f = _field(ug)
    found = {mode: ug.jacobian(f, mode, argnums=(0, 1))(x, y) for mode in MODES}
    rows = ug.stack([ug.vjp(f, x, y)[1](ug.asarray(unit))[0] for unit in np.eye(2, dtype=np.float32)])
    columns = [ug.jvp(f, (x, y), (ug.asarray(unit),), argnums=0)[1] for unit in np.eye(3, dtype=np.float32)]
    return {
        **{f"{mode} {number}": block for mode, blocks in found.items() for number, block in enumerate(blocks)},
        "rows": rows,
        "columns": ug.stack(columns, axis=1),
        "same": [_near(ug, found[mode][0], rows) for mode in MODES],
    }


@case("Jacobians of matrices, of scalars, and of what does not depend on the argument", everyday=False,
      shapes=["(2, 2, 2, 3)", "()", "(2, 2)", "(2, 3)", "(3, 2, 2, 2, 3)", "(2, 3)", "(2, 2)"] * 3,
      dtypes=["float32"] * 21)  # fmt: skip
def jacobian_shapes(ug: Any) -> Results:
    x, s = ug.asarray(W), ug.asarray(0.5)
    results, shapes, dtypes = {}, [], []
    for mode in MODES:
        found = [
            ug.jacobian(lambda x: x @ ug.matrix_transpose(x), mode)(x),
            ug.jacobian(lambda s: ug.exp(s) * s, mode)(s),
            ug.jacobian(lambda s: x[:, :2] * s, mode)(s),
            ug.jacobian(lambda x: (x * x).sum(), mode)(x),
            ug.jacobian(lambda x: ug.stack([x[:, :2], x[:, 1:], x[:, :2] * 2]), mode)(x),
            ug.jacobian(lambda x: ug.argmax(x).astype(x.dtype), mode)(x),
            ug.jacobian(lambda s: ug.ones((2, 2), dtype=ug.float64) * s, mode)(s),
        ]
        shapes += [str(block.shape) for block in found]
        dtypes += [str(block.dtype) for block in found]
        results |= _named(mode, found)
    return {**results, "shapes": shapes, "dtypes": dtypes}


@case("Jacobians of no elements", shapes=["(0, 0)", "(0, 3)", "(2, 0)"] * 3)
def jacobian_empty(ug: Any) -> Results:
    x, none = ug.asarray(X), ug.ones((0,))
    shapes = []
    for mode in MODES:
        found = [
            ug.jacobian(lambda x: x * 2, mode)(none),
            ug.jacobian(lambda x: x[:0] * 2, mode)(x),
            ug.jacobian(lambda x: ug.ones(2) * x.sum(), mode)(none),
        ]
        shapes += [str(block.shape) for block in found]
    return {"shapes": shapes}


@case("containers give containers of blocks: the structure of the output, and in each place that of the argument")
def jacobian_containers(ug: Any) -> Results:
    def f(p: Any) -> Any:
        return {"a": ug.sin(p.w) * p.b, "b": [(p.w * p.w).sum() * p.b]}

    p = Pair(ug.asarray(X), ug.asarray(0.5))
    results = {}
    for mode in MODES:
        found = ug.jacobian(f, mode)(p)
        results |= _named(mode, [*found["a"], *found["b"][0]])
    several = ug.jacobian(lambda x, p: (x * p.w).sum() * p.b, argnums=(1, 0))(ug.asarray(Y), p)
    return {**results, **_named("several", [*several[0], several[1]])}


@case("Hessians of containers and of several arguments are made of blocks, and symmetric", symmetric=[True] * 4)
def hessian_blocks(ug: Any) -> Results:
    x, y, _ = _given(ug)
    (xx, xy), (yx, yy) = ug.hessian(_energy(ug), argnums=(0, 1))(x, y)
    p = ug.hessian(lambda p: _energy(ug)(p["x"], p["y"]) * p["s"])({"x": x, "y": y, "s": ug.asarray(0.5)})
    mixed = p["x"]["s"]
    return {
        **_named("block", [xx, xy, yx, yy]),
        **_named("row", [mixed, p["s"]["x"], p["s"]["s"], p["y"]["x"]]),
        "symmetric": [
            _near(ug, xx, xx.T), _near(ug, xy, yx.T), _near(ug, mixed, p["s"]["x"]), _near(ug, p["y"]["x"], yx / 2),
        ],
    }  # fmt: skip


@case("the product with the Hessian is that of the matrix, for several arguments and a matrix argument",
      same=[True, True, True])  # fmt: skip
def hvp_against_hessian(ug: Any) -> Results:
    x, y, t = _given(ug)
    f = _energy(ug)
    (xx, xy), (yx, yy) = ug.hessian(f, argnums=(0, 1))(x, y)
    first, second = ug.hvp(f, (x, y), (t, y))
    w = ug.asarray(W)

    def g(w: Any) -> Any:
        return (ug.tanh(w) @ x).sum() ** 2

    (product,) = ug.hvp(g, (w,), (w,))
    whole = ug.tensordot(ug.hessian(g)(w), w, axes=2)
    same = [_near(ug, first, xx @ t + xy @ y), _near(ug, second, yx @ t + yy @ y), _near(ug, product, whole)]
    return {"first": first, "second": second, "product": product, "same": same}


# --- laws ------------------------------------------------------------------------------------------------------


@case("the inner product of a cotangent with the pushed tangent is that of the pulled one with the tangent", holds=True)
def inner_product(ug: Any) -> Results:
    x, y, t = _given(ug)
    c = ug.asarray([1.25, -0.5])
    _, pushed = ug.jvp(_field(ug), (x, y), (t, x))
    _, pull = ug.vjp(_field(ug), x, y)
    dx, dy = pull(c)
    left, right = (c * pushed).sum(), (dx * t).sum() + (dy * x).sum()
    return {"left": left, "right": right, "holds": _near(ug, left, right)}


@case("jvp and the pull of vjp are linear", holds=[True] * 4)
def linearity(ug: Any) -> Results:
    x, y, t = _given(ug)
    f = _field(ug)

    def push(move: Any) -> Any:
        return ug.jvp(f, (x, y), (move,), argnums=0)[1]

    _, pull = ug.vjp(f, x, y)
    c, d = ug.asarray([1.25, -0.5]), ug.asarray([0.5, 2.0])
    pairs = [
        (push(2 * t - 3 * y), 2 * push(t) - 3 * push(y)),
        (push(ug.zeros_like(t)), ug.zeros(2)),
        *zip(pull(2 * c - 3 * d), [2 * a - 3 * b for a, b in zip(pull(c), pull(d), strict=True)], strict=True),
    ]
    return {**_named("left", [left for left, _ in pairs]), "holds": [_near(ug, *pair) for pair in pairs]}


@case("the chain rule: derivatives of a composition, in one go and in two parts", holds=[True] * 3)
def chain_rule(ug: Any) -> Results:
    x, y, t = _given(ug)

    def inner(x: Any) -> Any:
        return _field(ug)(x, y)

    def outer(z: Any) -> Any:
        return ug.exp(z) * z[0]

    def both(x: Any) -> Any:
        return outer(inner(x))

    c = ug.asarray([1.25, -0.5])
    middle, pull_inner = ug.vjp(inner, x)
    _, pull_outer = ug.vjp(outer, middle)
    pulled, split = ug.vjp(both, x)[1](c)[0], pull_inner(pull_outer(c)[0])[0]
    pushed = ug.jvp(both, (x,), (t,))[1]
    middle, move = ug.jvp(inner, (x,), (t,))
    pushed_split = ug.jvp(outer, (middle,), (move,))[1]
    matrix = ug.jacobian(both)(x)
    product = ug.jacobian(outer)(middle) @ ug.jacobian(inner)(x)
    pairs = [(pulled, split), (pushed, pushed_split), (matrix, product)]
    return {**_named("whole", [whole for whole, _ in pairs]), "holds": [_near(ug, *pair) for pair in pairs]}


@case("called twice: the same answer; the pull of vjp can be called any number of times", same=[True] * 6)
def called_twice(ug: Any) -> Results:
    x, y, t = _given(ug)
    f = _energy(ug)
    _, pull = ug.vjp(f, x, y)
    one = ug.asarray(1.0)
    grad, jacobian, hessian = ug.grad(f), ug.jacobian(f), ug.hessian(f)
    calls: list[Callable[[], Any]] = [
        lambda: grad(x, y),
        lambda: jacobian(x, y),
        lambda: hessian(x, y),
        lambda: pull(one)[0],
        lambda: ug.hvp(f, (x, y), (t, t))[0],
        lambda: ug.jvp(f, (x, y), (t, t))[1],
    ]
    first = [call() for call in calls]
    second = [call() for call in calls]
    same = [bool((a == b).all()) for a, b in zip(first, second, strict=True)]
    return {"same": same, "pulled": pull(2 * one)[0]}


def _attempts(ug: Any, f: Callable[..., Any], x: Any, y: Any, t: Any) -> list[Callable[[], Any]]:
    """One call of each transform, of a scalar function of two vectors."""
    return [
        lambda: ug.grad(f)(x, y),
        lambda: ug.value_and_grad(f, (0, 1))(x, y),
        lambda: ug.vjp(f, x, y)[1](ug.asarray(1.0)),
        lambda: ug.jvp(f, (x, y), (t, t)),
        lambda: ug.hvp(f, (x, y), (t, t)),
        lambda: ug.jacobian(f, "reverse")(x, y),
        lambda: ug.jacobian(f, "forward")(x, y),
        lambda: ug.hessian(f)(x, y),
    ]


@case("arguments, and gradients attached to them, stay what they were; so do recordings under way",
      x=X, y=Y, t=T, held=[4, 4, 4], after=[1, -3, 4])  # fmt: skip
def inputs_untouched(ug: Any) -> Results:
    x, y, t = _given(ug)
    x.attach_grad()
    with ug.record():
        z = x * 4
    z.backward()
    with ug.record():
        z = x * x
    for attempt in _attempts(ug, _energy(ug), x, y, t):
        attempt()
    held = x.grad
    z.backward()
    return {"x": x, "y": y, "t": t, "held": held, "after": x.grad}


@case("a function may write to what it is given: only its own arrays change, and the gradient is right",
      x=[1, 2], grad=[0, 4], nested=[0, 2], hvp=[0, 2], tangent=4, recorded=[0, 4], value=29)  # fmt: skip
def writing_to_arguments(ug: Any) -> Results:
    def f(x: Any) -> Any:
        x[0] = 5.0
        x *= 1.0
        return (x * x).sum()

    x, t = ug.asarray([1.0, 2.0]), ug.asarray([1.0, 1.0])
    value, tangent = ug.jvp(f, (x,), (t,))
    found = {
        "grad": ug.grad(f)(x),
        "hvp": ug.hvp(f, (x,), (t,))[0],
        "nested": ug.hessian(f)(x).sum(axis=0),
        "value": value,
        "tangent": tangent,
    }
    kept = x.copy()
    x.attach_grad()
    with ug.record():
        gradient = ug.grad(f)(x)
        output, pull = ug.vjp(lambda x: x * x, x)
        output *= 0.0
    return {**found, "x": kept, "recorded": gradient, "pulled": pull(t)[0]}


@case("f(t, t): each position is a variable of its own", first=[3, 6], both=[[3, 6], [2, 8]], moved=[5, 14],
      hessian=[[2, 0], [0, 2]])  # fmt: skip
def same_array_twice(ug: Any) -> Results:
    def f(x: Any, y: Any) -> Any:
        return (x * y).sum() + (y * y).sum() / 2 + (x * 2).sum()

    t = ug.asarray([1.0, 4.0])
    first = ug.grad(f)(t, t)
    both = ug.stack(ug.grad(f, (0, 1))(t, t))
    moved = ug.stack(ug.vjp(f, t, t)[1](ug.asarray(1.0))).sum(axis=0)
    pushed = ug.jvp(f, (t, t), (t, ug.zeros_like(t)))[1]
    matrix = ug.hessian(lambda x, y: (x * y * y).sum() + (x * x).sum())(t, t)
    return {"first": first, "both": both, "moved": moved, "pushed": pushed, "hessian": matrix}


@case("constant functions: of arrays made inside, of Python numbers, of arrays from outside",
      zeros=[[0, 0, 0]] * 9, attached=[0, 0, 0])  # fmt: skip
def constants(ug: Any) -> Results:
    x, y, t = _given(ug)
    y.attach_grad()
    zeros = []
    for f in (lambda x: ug.asarray(2.5), lambda x: 2.5, lambda x: y.sum()):
        zeros += [ug.grad(f)(x), ug.hvp(f, (x,), (t,))[0], ug.jacobian(f)(x)]
    return {
        "zeros": ug.stack(zeros),
        "attached": y.grad,
        **_named("jvp", ug.jvp(lambda x: (y * 2, 3.0), (x,), (t,))[1]),
        "hessian": ug.hessian(lambda x: 2.5)(x),
        "vjp": ug.vjp(lambda x: y * 2, x)[1](t)[0],
    }


@case("the result is the argument itself, or the same array twice", eye=[[1, 0, 0], [0, 1, 0], [0, 0, 1]],
      pulled=[2.5, 2, -1], x=X, t=T)  # fmt: skip
def aliasing(ug: Any) -> Results:
    x, _, t = _given(ug)
    value, tangent = ug.jvp(lambda x: x, (x,), (t,))
    value += 1.0
    tangent += 1.0
    (first, second), pull = ug.vjp(lambda x: (x, x), x)
    first += 1.0
    (pulled,) = pull((ug.ones_like(t), t + ug.ones_like(t) * 0))
    (one,) = ug.vjp(lambda x: x, x)[1](t)
    one += 1.0
    pair, moved = ug.jvp(lambda x: (x * 2,) * 2, (x,), (t,))
    return {
        "eye": ug.jacobian(lambda x: x)(x),
        "columns": ug.jacobian(lambda x: x, "forward")(x),
        "pulled": pulled + 0.75 * ug.asarray([1.0, 0.0, 0.0]) - ug.asarray([0.0, 0.0, 1.5]),
        "second": second,
        **_named("pair", [*pair, *moved]),
        "x": x,
        "t": t,
    }


@case("an exception inside leaves everything as it was", errors=["KeyError"] * 9, states=[False] * 18, grad=[4, 4, 4])
def exceptions(ug: Any) -> Results:
    def fails(x: Any, y: Any) -> Any:
        _ = ug.sin(x) * y
        raise KeyError("stop")

    def late(x: Any, y: Any) -> Any:
        return ug.grad(fails)(x, y).sum()

    x, y, t = _given(ug)
    errors, states = [], []
    for attempt in [*_attempts(ug, fails, x, y, t), lambda: ug.jacobian(late, "forward")(x, y)]:
        errors.append(raised(attempt))
        states += [ug.is_recording(), ug.is_training()]
    x.attach_grad()
    with ug.record():
        for attempt in _attempts(ug, late, x, y, t):
            raised(attempt)
        z = x * 4
    z.backward()
    return {"errors": errors, "states": states, "grad": x.grad, "after": ug.hessian(_energy(ug))(x, y)}


@case("training mode is what it is outside: off, unless somebody turned it on", modes=[False, True, True, False] * 2)
def training_mode(ug: Any) -> Results:
    x = ug.asarray(X)
    modes = []

    def f(x: Any) -> Any:
        modes.append(ug.is_training())
        return x.sum()

    for call in (ug.grad(f), lambda x: ug.jvp(f, (x,), (x,))):
        call(x)
        with ug.train_mode():
            call(x)
        with ug.record():
            call(x)
        with ug.record(train_mode=False):
            call(x)
    return {"modes": modes}


@case("two threads at once, one in forward and one in reverse mode, each half-way through the other",
      states=[True, True])  # fmt: skip
def threads(ug: Any) -> Results:
    x, y, t = _given(ug)
    name = ug.get_backend()
    barrier = threading.Barrier(2, timeout=60)
    found: Results = {}
    states: dict[str, bool] = {}

    def meeting(x: Any, y: Any) -> Any:
        first = ug.sin(x) * y
        barrier.wait()
        states[threading.current_thread().name] = ug.is_recording()
        second = (x * y).sum()
        barrier.wait()
        return first.sum() * second

    def forward() -> None:
        with ug.use_backend(name):
            _, found["pushed"] = ug.jvp(meeting, (x, y), (t, t))

    def reverse() -> None:
        with ug.use_backend(name):
            found["pulled"] = ug.grad(meeting)(x, y)

    both = [threading.Thread(target=each, name=each.__name__) for each in (forward, reverse)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    return {**found, "states": [not states["forward"], states["reverse"]]}


# --- nesting -----------------------------------------------------------------------------------------------------


def _derivatives(ug: Any) -> dict[str, Callable[..., Any]]:
    """Five ways to a derivative of a function of one number."""
    return {
        "grad": ug.grad,
        "jvp": lambda f: lambda x: ug.jvp(f, (x,), (ug.ones_like(x),))[1],
        "vjp": lambda f: lambda x: ug.vjp(f, x)[1](ug.ones_like(x))[0],
        "rows": lambda f: ug.jacobian(f, "reverse"),
        "columns": lambda f: ug.jacobian(f, "forward"),
    }


def _confusing(inner: Any, number: Callable[[float], Any]) -> Iterator[Callable[[Any], Any]]:
    """Functions that call a derivative, of which a transform that mixes up its perturbations makes nonsense.

    The first three are from Siskind and Pearlmutter, Perturbation confusion and referential transparency (2005), and
    Manzyuk and others, Perturbation confusion in forward automatic differentiation (2019).
    """
    yield lambda x: x * inner(lambda y: x + y)(number(1.0))
    yield lambda x: x * inner(lambda y: x * y)(x)
    yield lambda u: inner(lambda x: (x + u) * (x + u) * (x + u))(number(3.0))
    yield lambda x: inner(lambda y: x * y * y)(x * x)
    yield lambda x: x * inner(lambda y: y * y)(number(2.0))
    yield lambda x: inner(lambda y: x)(x) + x * x
    yield lambda x: inner(lambda y: inner(lambda z: x * y * z * z)(y))(x)


CONFUSING = [1, 6, 36, 54, 4, 6, 24]
"""The derivatives of :func:`_confusing` at 3."""
CONFUSING_TWICE = [0, 2, 6, 36, 0, 2, 8]
"""Their second derivatives."""


@case("perturbations are not confused: derivatives inside derivatives, forward and reverse",
      **{f"{outer} of {inner}": CONFUSING for outer in ("grad", "jvp") for inner in ("grad", "jvp")})  # fmt: skip
def confusion(ug: Any) -> Results:
    return _confusions(ug, itertools.product(("grad", "jvp"), repeat=2))


_ALL = ("grad", "jvp", "vjp", "rows", "columns")


def _everywhere(outer: str) -> None:
    pairs = {f"{outer} of {inner}": (outer, inner) for inner in _ALL}

    def run(ug: Any, names: Collection[str] = tuple(pairs)) -> Results:
        return _confusions(ug, [pairs[name] for name in names])

    run.__name__ = f"confusion_of_{outer}"
    case(f"the same for {outer} of every transform", **dict.fromkeys(pairs, CONFUSING))(run)
    # Each transform outside two others and inside two.
    place = _ALL.index(outer)
    TRANSFORMS.quickly(run, [f"{outer} of {_ALL[(place + step) % len(_ALL)]}" for step in (2, 4)], pairs)


for _outer in _ALL:
    _everywhere(_outer)


def _confusions(ug: Any, pairs: Iterable[tuple[str, str]]) -> Results:
    derivatives = _derivatives(ug)
    x = ug.asarray(3.0)
    results = {}
    for outer, inner in pairs:
        functions = _confusing(derivatives[inner], ug.asarray)
        results[f"{outer} of {inner}"] = ug.stack([derivatives[outer](f)(x) for f in functions])
    return results


@case("the same inside record(), with a backward through it",
      **{f"{outer} of {inner}": CONFUSING_TWICE for outer in ("grad", "jvp") for inner in ("grad", "jvp")})  # fmt: skip
def confusion_recorded(ug: Any) -> Results:
    derivatives = _derivatives(ug)
    results = {}
    for outer, inner in itertools.product(("grad", "jvp"), repeat=2):
        found = []
        for f in _confusing(derivatives[inner], ug.asarray):
            x = ug.asarray(3.0)
            x.attach_grad()
            with ug.record():
                y = derivatives[outer](f)(x) + 0 * x
            y.backward()
            found.append(x.grad)
        results[f"{outer} of {inner}"] = ug.stack(found)
    return results


@case("three deep, in every order", **{" ".join(names): 72 for names in itertools.product(("grad", "jvp"), repeat=3)})
def third_order(ug: Any) -> Results:
    derivatives = _derivatives(ug)
    x = ug.asarray(3.0)
    results = {}
    for names in itertools.product(("grad", "jvp"), repeat=3):
        f: Callable[[Any], Any] = lambda x: x * x * x * x  # noqa: E731
        for name in names:
            f = derivatives[name](f)
        results[" ".join(names)] = f(x)
    return results


@case("forward over reverse, reverse over forward and reverse over reverse are one product with the Hessian",
      same=[True] * 4)  # fmt: skip
def orders_of_modes(ug: Any) -> Results:
    x, y, t = _given(ug)

    def of_x(x: Any) -> Any:
        return _energy(ug)(x, y)

    products = [
        ug.jvp(ug.grad(of_x), (x,), (t,))[1],
        ug.grad(lambda x: ug.jvp(of_x, (x,), (t,))[1])(x),
        ug.grad(lambda x: (ug.grad(of_x)(x) * t).sum())(x),
        ug.vjp(ug.grad(of_x), x)[1](t)[0],
    ]
    (product,) = ug.hvp(of_x, (x,), (t,))
    return {**_named("product", products), "same": [_near(ug, found, product) for found in products]}


@case("Hessians as Jacobians of gradients and of Jacobians, by rows and by columns", same=[True] * 6)
def matrices_of_modes(ug: Any) -> Results:
    x, y, t = _given(ug)

    def of_x(x: Any) -> Any:
        return _energy(ug)(x, y)

    first = {"grad": ug.grad(of_x), "rows": ug.jacobian(of_x, "reverse"), "columns": ug.jacobian(of_x, "forward")}
    found = {f"{name} {mode}": ug.jacobian(g, mode)(x) for name, g in first.items() for mode in ("reverse", "forward")}
    whole = ug.hessian(of_x)(x)
    number = ug.jvp(lambda x: ug.jvp(of_x, (x,), (t,))[1], (x,), (y,))[1]
    return {**found, "whole": whole, "number": number, "same": [_near(ug, each, whole) for each in found.values()]}


@case("the Hessian, and its products, of a function that itself calls grad", same=[True, True])
def hessian_of_grad(ug: Any) -> Results:
    x, y, t = _given(ug)

    def penalty(x: Any) -> Any:
        slope = ug.grad(_energy(ug), argnums=1)(x, y)
        return (slope * slope).sum() + (x * y).sum()

    whole = ug.hessian(penalty)(x)
    (product,) = ug.hvp(penalty, (x,), (t,))
    return {"whole": whole, "product": product, "same": [_near(ug, product, whole @ t), _near(ug, whole, whole.T)]}


@case("inside record() every result stays connected, and a backward goes through it")
def inside_record(ug: Any) -> Results:
    f, field = _energy(ug), _field(ug)
    c = ug.asarray([1.25, -0.5])
    results: Results = {}
    forms: dict[str, Callable[[Any, Any, Any], Any]] = {
        "value": lambda x, y, t: ug.value_and_grad(f)(x, y)[0],
        "grad": lambda x, y, t: (ug.grad(f)(x, y) * t).sum(),
        "aux": lambda x, y, t: ug.grad(lambda x, y: (f(x, y), (x * x * y).sum()), has_aux=True)(x, y)[1],
        "pull": lambda x, y, t: (ug.vjp(field, x, y)[1](c)[0] * t).sum(),
        "output": lambda x, y, t: (ug.vjp(field, x, y)[0] * c).sum(),
        "jvp": lambda x, y, t: (ug.jvp(field, (x, y), (t, t))[1] * c).sum(),
        "hvp": lambda x, y, t: ug.hvp(f, (x, y), (t, t))[0].sum(),
        "rows": lambda x, y, t: (c @ ug.jacobian(field, "reverse")(x, y) * t).sum(),
        "columns": lambda x, y, t: (c @ ug.jacobian(field, "forward")(x, y) * t).sum(),
        "hessian": lambda x, y, t: (ug.hessian(f)(x, y) @ t).sum(),
    }
    for name, form in forms.items():
        given = _given(ug)
        for tensor in given:
            tensor.attach_grad()
        with ug.record():
            z = form(*given)
        z.backward()
        results |= _named(name, [z, *(tensor.grad for tensor in given)])
    return results


@case("a closure's variables stay connected inside record(); outside, results have no history",
      w=[1, 1, 1], recorded=True, later="NotRecordedError")  # fmt: skip
def closures(ug: Any) -> Results:
    x, w, _ = _given(ug)
    w.attach_grad()

    def f(x: Any) -> Any:
        return (x * w).sum()

    with ug.record():
        total = ug.grad(f)(x).sum()
    total.backward()
    outside = ug.grad(f)(x).sum()
    with ug.record():
        pushed = ug.jvp(f, (x,), (x,))[1]
    kept = w.grad
    pushed.backward()
    return {"w": kept, "recorded": True, "later": raised(outside.backward), "pushed": w.grad}


# What is inside gets a number or NumPy's arrays, and closes over x: of x * x * y each is x * x by y, at 3.
_INSIDE: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda ug, x: ug.grad(lambda y: x * x * y)(1.0),
    "value_and_grad": lambda ug, x: ug.value_and_grad(lambda y: x * x * y)(1.0)[0],
    "aux": lambda ug, x: ug.grad(lambda y: (y, x * x), has_aux=True)(1.0)[1],
    "vjp": lambda ug, x: ug.vjp(lambda y: x * x * y, 1.0)[1](1.0)[0],
    "jvp": lambda ug, x: ug.jvp(lambda y: x * x * y, (1.0,), (1.0,))[1],
    "hvp": lambda ug, x: ug.hvp(lambda y: x * x * y * y / 2, (1.0,), (1.0,))[0],
    "jacobian": lambda ug, x: ug.jacobian(lambda y: x * x * y)(np.array([0.5, 1.5], np.float32)).sum() / 2,
    "hessian": lambda ug, x: ug.hessian(lambda y: x * x * y * y / 2)(1.0),
    "vmap": lambda ug, x: ug.vmap(lambda y: x * x * y)(np.array([0.5, 1.5], np.float32)).sum() / 2,
    "per example": lambda ug, x: ug.vmap(ug.grad(lambda y: x * x * y))(np.array([0.5, 1.5], np.float32)).mean(),
    "a Tensor": lambda ug, x: ug.grad(lambda y: x * x * y)(ug.asarray(1.0)),
}


@case("a transform of a number or of NumPy's arrays inside another keeps what it closes over",
      **{name: [6.0] * 4 + [2.0] for name in _INSIDE})  # fmt: skip
def inside_of_numbers(ug: Any, names: Collection[str] = tuple(_INSIDE)) -> Results:
    found = {}
    for name in names:
        f = lambda x, inside=_INSIDE[name]: inside(ug, x)  # noqa: E731
        x = ug.asarray(3.0)
        x.attach_grad()
        with ug.record():
            y = f(x)
        y.backward()
        tangent = ug.jvp(f, (ug.asarray(3.0),), (ug.asarray(1.0),))[1]
        numbers = [ug.grad(f)(3.0), ug.vjp(f, 3.0)[1](1.0)[0], ug.grad(ug.grad(f))(3.0)]
        found[name] = ug.asarray([*map(float, (numbers[0], tangent, numbers[1], x.grad, numbers[2]))])
    return found


TRANSFORMS.quickly(inside_of_numbers, ("grad", "jvp", "hvp", "per example"), _INSIDE)


@case("results of NumPy's arrays that depend on nothing outside stay NumPy's inside record()", kinds=["ndarray"] * 3)
def numbers_inside_record(ug: Any) -> Results:
    x = ug.asarray(3.0)
    x.attach_grad()
    with ug.record():
        value, gradient = ug.value_and_grad(lambda y: (y * y * 2.0).sum())(np.ones(2, np.float32))
        mapped = ug.vmap(lambda y: y * x.detach())(np.ones(2, np.float32))
    return {"kinds": [type(found).__name__ for found in (value, gradient, mapped)]}


@case("arguments, results and Hessians on two backends: a block is where its argument is", homes=[True, False] * 3)
def two_backends(ug: Any) -> Results:
    x, y, t = _given(ug)
    mine, other = ug.get_backend(), ORACLE if ug.get_backend() == "numpy" else "numpy"
    moved = y.to_backend(other)

    def f(x: Any, y: Any) -> Any:
        return (ug.sin(x) * y.to_backend(mine)).sum() * (x.to_backend(other) * y).sum().to_backend(mine)

    (xx, xy), (yx, yy) = ug.hessian(f, argnums=(0, 1))(x, moved)
    first, second = ug.hvp(f, (x, moved), (t, moved))
    _, pull = ug.vjp(lambda x, y: (x * x, y * y * x.to_backend(other)), x, moved)
    pulled = pull((t, moved))
    columns = ug.jacobian(f, "forward", (0, 1))(x, moved)
    homes = [each.backend.name == mine for each in (xx, xy, yx, yy, *columns)]
    found = [xx, xy, yx, yy, *columns, first, second, *pulled, *ug.grad(f, (0, 1))(x, moved)]
    return {**_named("found", [each.to_backend(mine) for each in found]), "homes": homes}


# --- complex numbers --------------------------------------------------------------------------------------------

Z = [1.0 + 2.0j, -0.5 + 1.5j]
V = [0.5 - 1.0j, 2.0 + 0.25j]


@case("complex gradients are in the conjugate form: twice z for the square of its size; of a complex value, of its "
      "real part", grad=[2 + 4j, -1 + 3j], square=[2 - 4j, -1 - 3j])  # fmt: skip
def complex_grad(ug: Any) -> Results:
    z = ug.asarray(Z)

    def size(z: Any) -> Any:
        return (ug.real(z) ** 2 + ug.imag(z) ** 2).sum()

    value, gradient = ug.value_and_grad(size)(z)
    x = ug.asarray([0.5, 2.0])
    dz, dx = ug.grad(lambda z, x: (ug.abs(z * x) ** 2).sum(), argnums=(0, 1))(z, x)
    return {"value": value, "grad": gradient, "square": ug.grad(lambda z: (z * z).sum())(z), "dz": dz, "dx": dx}


@case("complex vjp in the conjugate form, jvp plain; their inner products agree in the real part", holds=[True, True],
      pushed=[5, -2.75 + 5.75j], pulled=[-3 - 4j, -1.25 - 6.25j])  # fmt: skip
def complex_products(ug: Any) -> Results:
    z, v = ug.asarray(Z), ug.asarray(V)
    results: Results = {}
    holds = []
    for name, f in (("", lambda z: z * z), (" of conj", lambda z: ug.conj(z) * ug.abs(z))):
        _, pushed = ug.jvp(f, (z,), (v,))
        (pulled,) = ug.vjp(f, z)[1](v)
        left, right = ug.real(ug.conj(v) * pushed).sum(), ug.real(ug.conj(pulled) * v).sum()
        holds.append(_near(ug, left, right))
        results |= {f"pushed{name}": pushed, f"pulled{name}": pulled}
    return {**results, "holds": holds}


@case("Jacobians of holomorphic functions, and of complex results by real arguments", diagonal=[2 + 4j, -1 + 3j],
      errors=["DtypeError"] * 4)  # fmt: skip
def complex_jacobian(ug: Any) -> Results:
    z, x = ug.asarray(Z), ug.asarray([0.5, 2.0])
    results = {mode: ug.jacobian(lambda z: ug.exp(z) * z[0], mode)(z) for mode in MODES}
    by_real = [ug.jacobian(lambda x: z * x, mode)(x) for mode in ("forward", "auto")]
    attempts = [
        lambda: ug.jacobian(lambda z: ug.abs(z), "reverse")(z),
        lambda: ug.jacobian(lambda z: ug.abs(z), "forward")(z),
        lambda: ug.jacobian(lambda x: z * x, "reverse")(x),
        lambda: ug.hessian(lambda z: (ug.abs(z) ** 2).sum())(z),
    ]
    square = ug.jacobian(lambda z: z * z)(z)
    return {
        **results,
        **_named("real", by_real),
        "diagonal": ug.linalg.diagonal(square),
        "errors": [raised(attempt) for attempt in attempts],
    }


@case(
    "the product with the Hessian of a real function of complex arguments is the derivative of its gradient", same=True
)
def complex_hvp(ug: Any) -> Results:
    z, v = ug.asarray(Z), ug.asarray(V)

    def f(z: Any) -> Any:
        return ((ug.real(z) ** 2 + ug.imag(z) ** 2) ** 2).sum() + ug.real(z * z * z).sum()

    (product,) = ug.hvp(f, (z,), (v,))
    pushed = ug.jvp(ug.grad(f), (z,), (v,))[1]
    return {"product": product, "pushed": pushed, "same": _near(ug, product, pushed)}


@case("a Jacobian of more rows than columns says what does not count, and what was found beside it", everyday=False,
      none=[True, False], error="ArgumentError", aux=[[3], [3], [3]], columns=[[[2], [4]]] * 3)  # fmt: skip
def jacobian_of_few_columns(ug: Any) -> Results:
    x, y = ug.asarray([1.0]), ug.asarray([2.0])
    rows = ug.jacobian(lambda x, y: ug.concat([y * y, y, y * 3]), argnums=(0, 1), unused="none")(x, y)

    def with_aux(x: Any) -> Any:
        return ug.concat([x * 2, x * 4]), ug.grad(lambda x: (x**3).sum())(x)

    found = [ug.jacobian(with_aux, mode=mode, has_aux=True)(x) for mode in ("auto", "reverse", "forward")]
    return {
        "none": [part is None for part in rows],
        "error": raised(lambda: ug.jacobian(lambda x: ug.ones(3), unused="error")(x)),
        "aux": ug.stack([aux for _, aux in found]),
        "columns": ug.stack([matrix for matrix, _ in found]),
    }
