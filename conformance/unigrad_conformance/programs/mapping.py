"""What vmap promises: whole functions over a batch, alone and together with the other transforms."""

from __future__ import annotations

import string
from types import SimpleNamespace
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, message, raised

MAPPING = Program("mapping")
case = MAPPING.case

_X = np.asarray([[0.5, -1.0, 2.0], [1.5, 0.25, -0.5]], np.float32)
_W = np.asarray([[0.5, -0.25], [1.0, 0.75], [-0.5, 0.125]], np.float32)


def _network(ug: Any, w: Any, x: Any) -> Any:
    """A small network of one hidden layer, for one example."""
    return ug.sum(ug.tanh(ug.tanh(x @ w) @ w.T) ** 2)


@case("one gradient for each example is the gradient of each, and their sum that of the sum", alike=True)
def per_example_gradients(ug: Any) -> Results:
    w, x = ug.asarray(_W), ug.asarray(_X)
    each = ug.vmap(ug.grad(lambda w, x: _network(ug, w, x)), in_axes=(None, 0))(w, x)
    total = ug.grad(lambda w: ug.sum(ug.vmap(lambda x: _network(ug, w, x))(x)))(w)
    singles = ug.stack([ug.grad(lambda w, row=row: _network(ug, w, row))(w) for row in x])
    alike = np.allclose(each.numpy(), singles.numpy(), rtol=1e-5)
    return {"each": each, "total": total, "sum": each.sum(axis=0), "alike": alike}


@case("what is no array is handed to the function as it is, in its place among arrays", value=[2, 4])
def beside_objects(ug: Any) -> Results:
    scaling = SimpleNamespace(factor=2.0)
    return {"value": ug.vmap(lambda x, s: x * s.factor, in_axes=(0, None))(ug.asarray([1.0, 2.0]), scaling)}


@case("running extremes with ties along the first axis are pushed forward for each element of a batch",
      slopes=[[[1, 2], [2, 2], [2.5, 1]], [[1, 2], [1, 4], [1, 4]]])  # fmt: skip
def ties_of_each(ug: Any) -> Results:
    x = ug.asarray([[[1.0, 4.0], [2.0, 3.0], [2.0, 4.0]], [[5.0, 1.0], [4.0, 6.0], [3.0, 2.0]]])
    t = ug.asarray([[[1.0, 2.0], [2.0, 5.0], [3.0, 0.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]])

    def pushed(x: Any, t: Any) -> Any:
        return ug.jvp(lambda x: ug.cumulative_max(x, axis=0), (x,), (t,))[1]

    return {"slopes": ug.vmap(pushed)(x, t)}


@case("the outer vmap over rows, the inner one over columns, with axes wherever they are",
      table=[[[3, 6], [4, 8]], [[6, 12], [8, 16]], [[9, 18], [12, 24]]], same=True)  # fmt: skip
def nested(ug: Any) -> Results:
    a, b, c = ug.asarray([1.0, 2.0, 3.0]), ug.asarray([3.0, 4.0]), ug.asarray([1.0, 2.0])

    def product(x: Any, y: Any, z: Any) -> Any:
        return x * y * z

    inner = ug.vmap(ug.vmap(product, in_axes=(None, None, 0)), in_axes=(None, 0, None))
    table = ug.vmap(inner, in_axes=(0, None, None))(a, b, c)
    last = ug.vmap(inner, in_axes=(0, None, None), out_axes=-1)(a, b, c)
    return {"table": table, "same": np.array_equal(np.moveaxis(last.numpy(), -1, 0), table.numpy())}


@case("a layer with a weight and a bias for each element, of vectors and of stacks of them",
      vectors=[[3, 7], [9, 9]], stacks=[[[3, 3, 3]] * 2, [[9, 9, 9]] * 2])  # fmt: skip
def layer_each(ug: Any) -> Results:
    x = ug.asarray([[1.0, 2.0], [3.0, 5.0]])
    weights, biases = (
        ug.asarray([[[1.0, 1.0], [3.0, 2.0]], [[1.0, 1.0], [1.0, 1.0]]]),
        ug.asarray([[0.0, 0.0], [1.0, 1.0]]),
    )
    stacks = ug.broadcast_to(x[:, None, None], (2, 2, 3, 2))
    return {
        "vectors": ug.vmap(ug.nn.linear)(x, weights, biases),
        "stacks": ug.vmap(ug.nn.linear)(stacks, weights, biases)[..., 0],
    }


@case("a number that is not mapped stays one, whose dtype is that of what it meets", value=[2, 4], made="float32")
def number_beside(ug: Any) -> Results:
    x, wide = ug.asarray([1.0, 2.0]), ug.asarray(np.array([1.0]))
    found = ug.vmap(lambda pair, wide: pair[0] * pair[1], in_axes=((0, None), None))((x, 2.0), wide)
    return {"value": found, "made": str(found.dtype)}


@case("in_axes and out_axes in the containers that the arguments and results are", shapes=["(3, 2)", "(2,)"], whole=6)
def containers(ug: Any) -> Results:
    def f(tree: Any, factor: Any, *, power: int) -> Any:
        return {"a": tree["x"] * factor[0] ** power, "b": (ug.sum(tree["x"]), ug.sum(tree["whole"]))}

    given = {"x": ug.asarray(_X.T), "whole": ug.asarray([1.0, 2.0, 3.0])}
    found = ug.vmap(f, in_axes=({"x": 1, "whole": None}, 0), out_axes={"a": -1, "b": (0, None)})(
        given, [ug.asarray([1.0, 2.0])], power=2
    )
    return {
        "shapes": [str(found["a"].shape), str(found["b"][0].shape)], "a": found["a"], "sums": found["b"][0],
        "whole": found["b"][1],
    }  # fmt: skip


@case("a Jacobian is the pulled rows of the identity, and the pushed columns of it", forward=True, rows=True,
      none=True)  # fmt: skip
def jacobian_by_vmap(ug: Any) -> Results:
    x, w = ug.asarray(_X[0]), ug.asarray(_W)

    def f(x: Any) -> Any:
        return ug.tanh(x @ w)

    y, pull = ug.vjp(f, x)
    rows = ug.vmap(lambda g: pull(g)[0])(ug.eye(y.size))
    columns = ug.vmap(lambda t: ug.jvp(f, (x,), (t,))[1], out_axes=1)(ug.eye(x.size))
    matrix = ug.jacobian(f, mode="reverse")(x)
    _, both = ug.vjp(lambda x, w: f(x), x, ug.asarray(_W), unused="none")
    thrice, none = ug.vmap(ug.vmap(ug.vmap(both)))(ug.stack([ug.eye(2), ug.eye(2) * 2, ug.ones((2, 2))])[:, None])
    return {
        "matrix": matrix,
        "thrice": thrice,
        "none": none is None,
        "rows": np.allclose(rows.numpy(), matrix.numpy(), rtol=1e-5),
        "forward": np.allclose(columns.numpy(), matrix.numpy(), rtol=1e-5),
    }


@case("a Hessian for each example, and products with it", symmetric=True, product=True)
def hessians(ug: Any) -> Results:
    def f(x: Any) -> Any:
        return ug.sum(x**3) * ug.sum(x)

    x = ug.asarray(_X)
    matrices = ug.vmap(ug.hessian(f))(x)
    products = ug.vmap(lambda x, t: ug.hvp(f, (x,), (t,))[0])(x, ug.asarray(_X[::-1].copy()))
    values = matrices.numpy()
    return {
        "hessians": matrices,
        "products": products,
        "symmetric": np.allclose(values, np.swapaxes(values, 1, 2), rtol=1e-5, atol=1e-5),
        "product": np.allclose(products.numpy(), np.einsum("bij,bj->bi", values, _X[::-1]), rtol=1e-5, atol=1e-5),
    }


@case("backward goes through vmap inside record(), to what it maps over and to what it closes over")
def inside_record(ug: Any) -> Results:
    x, w = ug.asarray(_X), ug.asarray(_W)
    for leaf in (x, w):
        leaf.attach_grad()
    with ug.record():
        slopes = ug.vmap(ug.grad(lambda row: _network(ug, w, row)))(x)
        y = ug.sum(slopes * slopes)
    y.backward()
    return {"y": y, "x": x.grad, "w": w.grad}


@case("through control flow over shapes, in-place writing, iteration, NumPy's functions and comparisons",
      f=[[1.0, 4.0, 0.0], [5.0, 0.0, 3.0]])  # fmt: skip
def everyday_python(ug: Any) -> Results:
    def f(x: Any) -> Any:
        assert (len(x), x.shape, x.ndim, x.size) == (3, (3,), 1, 3)
        y = ug.zeros_like(x)
        for position, element in enumerate(x):
            y[position] = element * 2 if position else element
        y += np.abs(x)
        y[y < 0.5] = 0.0
        return np.where(y > 100, y, np.concatenate([y[:1], y[:0:-1]])[np.array([0, 2, 1])] * 1)

    found = ug.vmap(f)(ug.asarray([[0.5, 4 / 3, -2.0], [2.5, -1.0, 1.0]]))
    return {"f": found, "g": ug.vmap(ug.grad(lambda x: ug.sum(f(x) ** 2)))(ug.asarray(_X))}


@case("indices that differ along the batch select and are written to; the last of duplicates wins",
      chosen=[30, 50], rows=[[20, 30], [60, 40]], along=[[30, 10], [40, 50]], written=[[10, 2, 1], [3, 50, 60]],
      looked_up=[[1, 2], [5, 6]])  # fmt: skip
def indices(ug: Any) -> Results:
    x = ug.asarray([[10.0, 20, 30], [40, 50, 60]])
    one, many = ug.asarray(np.array([2, -2])), ug.asarray(np.array([[1, 2], [-1, 0]]))
    table = ug.asarray([[1.0, 2], [3, 4], [5, 6]])
    part = ug.asarray([0.25, 0.875])

    def write(x: Any, places: Any) -> Any:
        y = x * 1
        y[places] = ug.asarray([1.0, 2.0, 3.0])
        return y

    return {
        "chosen": ug.vmap(lambda x, i: x[i])(x, one),
        "rows": ug.vmap(lambda x, i: ug.take(x, i, axis=0))(x, many),
        "along": ug.vmap(lambda x, i: ug.take_along_axis(x, i))(x, ug.asarray(np.array([[2, 0], [0, 1]]))),
        "written": ug.vmap(write)(x, ug.asarray(np.array([[2, 1, 1], [0, 0, 0]])))[:, ::1]
        - ug.asarray([[0.0, 1, 0], [0, 0, 0]]),
        "looked_up": ug.vmap(lambda i: table[i])(ug.asarray(np.array([0, 2]))),
        "slope": ug.vmap(ug.grad(lambda x, i: ug.sum(x[i] ** 2)))(x, many),
        "pushed": ug.vmap(lambda x: ug.jvp(lambda x: ug.quantile(ug.asarray(_X[0]), x), (x,), (x,))[1])(part),
    }


@case("what a network is made of, example by example")
def layers(ug: Any) -> Results:
    images = ug.asarray(np.linspace(-1, 1, 2 * 2 * 25, dtype=np.float32).reshape(2, 1, 2, 5, 5))
    kernels = ug.asarray(np.linspace(-0.5, 0.5, 3 * 2 * 9, dtype=np.float32).reshape(3, 2, 3, 3))
    labels = ug.asarray(np.array([[1], [2]]))

    def loss(kernels: Any, image: Any, label: Any) -> Any:
        maps = ug.nn.relu(ug.nn.conv2d(image, kernels, padding=1))
        pooled = ug.nn.avg_pool2d(maps, 5)
        return ug.nn.cross_entropy(pooled.reshape(1, 3), label)

    hot = ug.vmap(lambda i: ug.nn.one_hot(i, 3))(labels)
    with ug.record():
        dropped = ug.vmap(lambda x: ug.nn.dropout(x, 0.5, seed=1))(ug.ones((2, 64))).detach()
    kept = dropped.numpy() > 0
    return {
        "losses": ug.vmap(loss, in_axes=(None, 0, 0))(kernels, images, labels),
        "slopes": ug.vmap(ug.grad(loss), in_axes=(None, 0, 0))(kernels, images, labels),
        "hot": hot,
        "normalised": ug.vmap(ug.nn.layer_norm)(ug.asarray(_X)),
        "one mask for all": bool((kept[0] == kept[1]).all() and 0 < kept.sum() < kept.size),
    }


@case("batches of one element and of none", one=[[2, 4]], shapes=["(0,)", "(0, 2)", "(0, 2)"])
def small_batches(ug: Any) -> Results:
    none = ug.zeros((0, 2))
    return {
        "one": ug.vmap(lambda x: x * 2)(ug.asarray([[1.0, 2.0]])),
        "shapes": [
            str(ug.vmap(ug.sum)(none).shape),
            str(ug.vmap(ug.grad(lambda x: ug.sum(x**2)))(none).shape),
            str(ug.vmap(lambda x: x @ ug.ones((2, 2)))(none).shape),
        ],
    }


@case("what is one value for each element of a batch is none to Python",
      errors=["UnsupportedError"] * 9, hint=True, indices="IndexRangeError")  # fmt: skip
def unknown_values(ug: Any) -> Results:
    x = ug.asarray([[1.0, 2.0], [3.0, 4.0]])
    first = (bool, float, int, lambda x: x.raw, lambda x: x.numpy())
    looks = [lambda x, look=look: look(x[0]) for look in first]
    looks += [lambda x: x.tolist(), np.asarray, ug.nonzero, lambda x: x[x > 1]]
    return {
        "errors": [raised(lambda look=look: ug.vmap(look)(x)) for look in looks],
        "hint": "ug.where" in message(lambda: ug.vmap(lambda x: x if x[0] > 2 else -x)(x)),
        "indices": raised(lambda: ug.vmap(lambda x, i: x[i])(x, ug.asarray(np.array([0, 2])))),
    }


@case("arguments that do not fit are named",
      sizes="ArgumentError", none="ArgumentError", beyond="AxisError", entries="ArgumentError", out="ArgumentError",
      text=True, shape=True)  # fmt: skip
def mistakes(ug: Any) -> Results:
    x, y = ug.ones((2, 3)), ug.ones((3, 3))

    def same(*args: Any) -> Any:
        return args[0]

    return {
        "sizes": raised(lambda: ug.vmap(same)(x, y)),
        "none": raised(lambda: ug.vmap(same, in_axes=None)(x)),
        "beyond": raised(lambda: ug.vmap(same, in_axes=2)(x)),
        "entries": raised(lambda: ug.vmap(same, in_axes=(0, 0))(x)),
        "out": raised(lambda: ug.vmap(same, out_axes=None)(x)),
        "text": "argument 1['a']" in message(lambda: ug.vmap(same)(x, {"a": "text"})),
        "shape": "(3,) and (2,)" in message(lambda: ug.vmap(lambda a: a @ ug.ones(2))(x)),
    }


@case("an einsum that has used up all letters has none for the batch, and is mapped one by one",
      value=[[[1, 2, 3], [2, 4, 6]], [[12, 15, 18], [16, 20, 24]]], none="(0, 2, 3)")  # fmt: skip
def all_letters(ug: Any) -> Results:
    x, y = np.float32([[1.0, 2.0], [3.0, 4.0]]), np.float32([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    subscripts = f"{string.ascii_lowercase},{string.ascii_uppercase}->aB"
    if ug.get_backend() not in ("numpy", "torch"):  # few others have arrays of so many axes
        return {"value": ug.asarray(x[:, :, None] * y[:, None]), "none": "(0, 2, 3)"}
    arrays = [ug.asarray(x.reshape(2, 2, *[1] * 25)), ug.asarray(y.reshape(2, 1, 3, *[1] * 24))]
    product = ug.vmap(lambda x, y: ug.einsum(subscripts, x, y))
    return {"value": product(*arrays), "none": str(product(*[each[:0] for each in arrays]).shape)}
