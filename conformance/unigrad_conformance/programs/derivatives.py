"""What every rule has to do, asked of many operations at once: carry what is undefined, move alone, be mapped alone, be
derived once more."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from unigrad_conformance.case import Limit, Program, Results
from unigrad_conformance.inputs import spread
from unigrad_conformance.oracle import NAME, Oracle

DERIVATIVES = Program("derivatives")
case = DERIVATIVES.case
_NAN = float("nan")


def _rows(ug: Any) -> Any:
    return ug.asarray(np.array([1, 2]))


def _pulled(ug: Any, f: Callable[..., Any], at: Any, g: Any) -> Any:
    """What arrives at the argument of ``f`` for a cotangent."""
    return ug.vjp(f, ug.asarray(at, dtype=g.dtype))[1](g)[0]


LINEAR: dict[str, Callable[[Any, Any], Any]] = {
    "negative": lambda ug, x: -x,
    "reshape": lambda ug, x: x.reshape(-1),
    "transpose": lambda ug, x: x.T,
    "flip": lambda ug, x: ug.flip(x, axis=1),
    "roll": lambda ug, x: ug.roll(x, 1, axis=1),
    "slice": lambda ug, x: x[:, ::2],
    "gather": lambda ug, x: x[:, [2, 0, 2]],
    "broadcast": lambda ug, x: ug.broadcast_to(x, (2, 2, 3)),
    "stack": lambda ug, x: ug.stack([x, 2 * x]),
    "concat": lambda ug, x: ug.concat([x, x], axis=1),
    "pad": lambda ug, x: ug.pad(x, 1),
    "tril": lambda ug, x: ug.tril(x),
    "sum": lambda ug, x: ug.sum(x, axis=1),
    "mean": lambda ug, x: ug.mean(x, axis=1),
    "cumsum": lambda ug, x: ug.cumulative_sum(x, axis=1),
    "diff": lambda ug, x: ug.diff(x, axis=1),
    "matmul": lambda ug, x: x @ ug.asarray(spread(1, 2, 3, 2)),
    "vector by matrix": lambda ug, x: x[0] @ ug.asarray(spread(1, 2, 3, 2)),
    "vector by matrices": lambda ug, x: x[0] @ ug.asarray(spread(1, 2, 2, 3, 2)),
    "matrix by vector": lambda ug, x: x @ ug.asarray(spread(1, 2, 3)),
    "matrix times vector": lambda ug, x: ug.asarray(spread(1, 2, 2, 3)) @ x[0],
    "matrices times vector": lambda ug, x: ug.asarray(spread(1, 2, 2, 2, 3)) @ x[0],
    "inner": lambda ug, x: ug.dot(x[0], ug.asarray(spread(1, 2, 3))),
    "einsum": lambda ug, x: ug.einsum("ij,kj->ik", x, ug.asarray(spread(1, 2, 2, 3))),
    "convolve": lambda ug, x: ug.convolve(x[0], ug.asarray(spread(1, 2, 2))),
    "convolve with": lambda ug, x: ug.convolve(ug.asarray(spread(1, 2, 4)), x[0]),
    "weighted layer norm": lambda ug, x: ug.nn.layer_norm(x, ug.asarray(spread(1, 2, 3)), ug.asarray(spread(0, 1, 3))),
    "running maximum": lambda ug, x: ug.cumulative_max(x, axis=1),
    "determinant": lambda ug, x: ug.linalg.det(x[:, :2]),
    "astype": lambda ug, x: x.astype(ug.float32),
    "causal": lambda ug, x: ug.nn.scaled_dot_product_attention(x[None], x[None], x[None], is_causal=True),
    "pool": lambda ug, x: ug.nn.avg_pool1d(x[None], 2),
    "layer norm": lambda ug, x: ug.nn.layer_norm(x),
    "softmax": lambda ug, x: ug.nn.softmax(x, axis=1),
    "inverse": lambda ug, x: ug.linalg.inv(x[:, :2] + 2 * ug.eye(2, dtype=x.dtype)),
    "qr": lambda ug, x: ug.linalg.qr(x[:, :2] + 2 * ug.eye(2, dtype=x.dtype))[1],
    "singular values": lambda ug, x: ug.linalg.svd(x, full_matrices=False)[1],
    "exp": lambda ug, x: ug.exp(x),
    "product": lambda ug, x: x * x,
    "quotient": lambda ug, x: 1 / x,
    "square": lambda ug, x: x**2,
    "power of nothing": lambda ug, x: x**0,
    "relu": lambda ug, x: ug.nn.relu(x),
    "where": lambda ug, x: ug.where(x > 0, x, -x),
    "rgamma": lambda ug, x: ug.special.rgamma(x),
    "gamma": lambda ug, x: ug.special.gamma(x + 2),
    "gradient of a determinant": lambda ug, x: ug.grad(lambda x: ug.linalg.det(x))(x[:, :2]),
    "gradient of an embedding": lambda ug, x: _pulled(ug, lambda w: ug.nn.embedding(_rows(ug), w), np.ones((4, 3)), x),
}
"""Operations whose derivative hands on what arrives at it."""


@case("a cotangent, a tangent that is not a number is none in what comes of it", dtype="float64")
def not_a_number(ug: Any, names: Collection[str] = tuple(LINEAR)) -> Results:
    found: Results = {}
    for name in names:
        f = LINEAR[name]
        x = ug.asarray(spread(-1, 2, 2, 3))
        x.attach_grad()
        with ug.record():
            y = f(ug, x)
        undefined = np.zeros(y.shape)
        undefined.reshape(-1)[-1] = _NAN
        y.backward(ug.asarray(undefined, dtype=y.dtype))
        found[f"{name}: grad"] = ug.isnan(x.grad)
        direction = np.zeros(x.shape)
        direction[0, 1] = _NAN
        found[f"{name}: forward"] = ug.isnan(
            ug.jvp(lambda x, f=f: f(ug, x), (x.detach(),), (ug.asarray(direction),))[1]
        )
    return found


_SQUARE = spread(-1, 1, 2, 2) + 3 * np.eye(2)
MIXED: dict[str, tuple[Callable[..., Any], tuple[np.ndarray[Any, Any], ...]]] = {
    "solve": (lambda ug, a, b: ug.linalg.solve(a, b), (_SQUARE, spread(1, 2, 2, 3))),
    "solve of vectors": (lambda ug, a, b: ug.linalg.solve(a, b), (_SQUARE, spread(1, 2, 2))),
    "conv2d": (
        lambda ug, x, w: ug.nn.conv2d(x, w, groups=2, padding=1),
        (spread(-1, 1, 1, 4, 3, 3), spread(-1, 1, 4, 2, 2, 2)),
    ),
    "layer norm": (
        lambda ug, x, w, b: ug.nn.layer_norm(x, w, b),
        (spread(-1, 1, 2, 3), spread(1, 2, 3), spread(-1, 0, 3)),
    ),
    "normal density": (
        lambda ug, x, y: ug.special.ndtr(x) * y,
        (spread(-1, 1, 3), spread(1, 2, 3)),
    ),
    "attention": (
        lambda ug, q, k, v: ug.nn.scaled_dot_product_attention(q, k, v, is_causal=True),
        (spread(-1, 1, 1, 3, 2), spread(-1, 1, 1, 3, 2, start=1), spread(-1, 1, 1, 3, 2, start=2)),
    ),
    "where": (lambda ug, x, y: ug.where(x > y, x * y, y), (spread(-1, 1, 3), spread(-1, 1, 3, start=1))),
    "stack": (lambda ug, x, y: ug.stack([x, y], axis=-1), (spread(-1, 1, 3), spread(-1, 1, 3, start=1))),
}


@case(
    "mapped over one argument, over another, over several, and over none, as gradients are",
    dtype="float64",
    limit=Limit(256, "largest", "chains of several operations"),
)
def mapped_over_some(ug: Any, names: Collection[str] = tuple(MIXED)) -> Results:
    found: Results = {}
    for name in names:
        f, inputs = MIXED[name]
        arrays = [ug.asarray(x) for x in inputs]
        batches = [ug.stack([x, x * 0.75]) for x in arrays]
        several = tuple(range(len(arrays)))

        def gradients(*values: Any, f: Any = f, several: Any = several) -> Any:
            return ug.grad(lambda *xs: ug.sum(f(ug, *xs) ** 2), argnums=several)(*values)

        for alone in several:
            given = [
                batch if place == alone else x for place, (x, batch) in enumerate(zip(arrays, batches, strict=True))
            ]
            axes = tuple(0 if place == alone else None for place in several)
            results = ug.vmap(gradients, in_axes=axes)(*given)
            found |= {f"{name}, {alone}: {place}": result for place, result in enumerate(results)}
            found[f"{name}, {alone}: value"] = ug.vmap(functools.partial(f, ug), in_axes=axes)(*given)
        none = ug.vmap(gradients)(*[batch[:0] for batch in batches])
        found[f"{name}: none"] = [str(result.shape) for result in none]
    return found


KEYS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "slice first": lambda x, i, j: x[:, j],
    "new axis": lambda x, i, j: x[None, i, :, 1],
    "new axis between": lambda x, i, j: x[i, None, j],
    "two": lambda x, i, j: x[i, j],
    "two apart": lambda x, i, j: x[i, :, [0, 1]],
    "ellipsis": lambda x, i, j: x[..., [1, 0]][i],
    "number beside": lambda x, i, j: x[1, j],
    "one and many": lambda x, i, j: x[:, j, 1],
}


@case("indices that differ along the batch stand between slices, new axes and other indices", dtype="float64")
def mapped_indices(ug: Any, names: Collection[str] = tuple(KEYS)) -> Results:
    x = ug.asarray(spread(-1, 1, 2, 3, 4, 2))
    one, many = ug.asarray(np.array([2, 1])), ug.asarray(np.array([[1, 0], [2, 2]]))
    last = ug.asarray(np.array([[1, 3], [0, 1]]))
    found: Results = {}
    for name in names:
        key = KEYS[name]
        given = (x, many if "one" not in name and "number" not in name else one, last)
        found[name] = ug.vmap(key)(*given)
        found[f"{name}: slope"] = ug.vmap(ug.grad(lambda x, i, j, key=key: ug.sum(key(x, i, j) ** 2)))(*given)

    def write(x: Any, i: Any, mask: Any) -> Any:
        y = x * 1
        y[i, :, 1] = ug.asarray(spread(2, 3, 4))
        y[mask] = ug.asarray(spread(4, 5, 2))
        return y

    mask = ug.asarray(np.array([[[True, False, True, False]] * 3, [[False, True, False, False]] * 3]))
    found["written"] = ug.vmap(write)(x, one, mask)
    return found


@case("a tangent that was not spread out as the value was", dtype="float64", shapes=["(2, 3)"] * 6)
def forward_of_one(ug: Any) -> Results:
    wide, scalar = ug.asarray(spread(1, 2, 2, 3)), ug.asarray(1.5, dtype=ug.float64)
    one = ug.asarray(1.0, dtype=ug.float64)
    binary: dict[str, Callable[[Any, Any], Any]] = {
        "add": lambda x, y: x + y,
        "multiply": lambda x, y: x * y,
        "divide": lambda x, y: x / y,
        "power": lambda x, y: x**y,
        "maximum": ug.maximum,
        "where": lambda x, y: ug.where(x > 1.5, x, y),
    }
    tangents = {name: ug.jvp(lambda y, f=f: f(wide, y), (scalar,), (one,))[1] for name, f in binary.items()}
    products = {
        f"{name}, multiplied": ug.jvp(lambda y, f=f: f(wide, y) @ wide.T, (scalar,), (one,))[1]
        for name, f in binary.items()
    }
    return {**tangents, **products, "shapes": [str(tangent.shape) for tangent in tangents.values()]}


@case("values and cotangents that move at once: forward over a pullback of both", dtype="float64", same=True)
def moving_cotangents(ug: Any) -> Results:
    x, g, t = (ug.asarray(spread(1, 2, 3, start=start)) for start in range(3))

    def pulled(x: Any, g: Any) -> Any:
        return ug.vjp(lambda x: x**3 * x.sum(), x)[1](g)[0]

    both = ug.jvp(pulled, (x, g), (t, g))[1]
    of_x, of_g = ug.jvp(lambda x: pulled(x, g), (x,), (t,))[1], ug.jvp(lambda g: pulled(x, g), (g,), (g,))[1]
    return {"both": both, "of x": of_x, "same": bool(np.allclose((of_x + of_g).numpy(), both.numpy(), rtol=1e-12))}


@case("third derivatives for the parameters of incomplete functions are slopes of the second ones; at NaN the "
      "second are NaN", slopes=True, undefined=[False, True] * 2)  # fmt: skip
def of_parameters(ug: Any) -> Results:
    if ug.get_backend() != "numpy":  # others take up to minutes, and the rules are the same everywhere
        return {"slopes": True, "undefined": [False, True] * 2}
    special = ug.special
    given = [np.array([0.75, 2.5]), np.array([1.25, 0.5]), np.array([0.5, 0.875])]
    step, good = 1e-5, True
    one, two = [given[2]], given[::2]
    cases = [(special.gammainc, two), (special.gammaincc, two), (special.betainc, given), (special.spence, one)]
    for f, values in cases:
        every = tuple(range(len(values)))

        def total(*xs: Any, f: Callable[..., Any] = f) -> Any:
            return f(*xs).sum()

        def slopes(*xs: Any, total: Any = total, every: Any = every) -> Any:
            return ug.stack([g * (k + 1) for k, g in enumerate(ug.grad(total, argnums=every)(*xs))]).sum()

        def second(*xs: Any, slopes: Any = slopes, every: Any = every) -> Any:
            return ug.stack([g * (k + 1) for k, g in enumerate(ug.grad(slopes, argnums=every)(*xs))]).sum()

        third = ug.grad(second, argnums=every)(*map(ug.asarray, values))
        up, down = ([x + sign * step * (k + 1) for k, x in enumerate(values)] for sign in (1, -1))
        change = float(second(*map(ug.asarray, up)) - second(*map(ug.asarray, down))) / (2 * step)
        along = sum(float(found.sum()) * (k + 1) for k, found in enumerate(third))
        good = good and abs(along - change) <= 1e-5 * (1 + abs(change))
    twice = ug.grad(lambda a: ug.grad(lambda a: special.betainc(a, *given[1:]).sum())(a).sum())
    mixed = ug.grad(lambda x: ug.grad(lambda a: special.betainc(a, given[1], x).sum())(given[0]).sum())
    undefined = [twice(np.array([0.75, np.nan])), mixed(np.array([0.5, np.nan]))]
    return {"slopes": good, "undefined": np.isnan(np.concatenate(undefined)).tolist()}


@case("third derivatives of what brings to mean 0 and variance 1 see mean and variance move", dtype="float64",
      everyday=False, limit=Limit(16, "one", "terms cancel; measured: 4"))  # fmt: skip
def of_normalised(ug: Any) -> Results:
    w, t = ug.asarray(spread(0.5, 2, 4, start=3)), ug.asarray(spread(-1, 1, 4, start=5))

    def third(f: Callable[[Any], Any]) -> Any:
        def descend(x: Any, order: int) -> Any:
            return f(x) if order == 0 else (ug.grad(descend)(x, order - 1) * t).sum()

        return ug.grad(descend)(ug.asarray(spread(0.5, 2, 4)), 2)

    return {
        "layer": third(lambda x: (ug.nn.layer_norm(x) * w).sum()),
        "with a weight": third(lambda x: ug.nn.layer_norm(x, w, w)[1]),
        "group": third(lambda x: (ug.nn.group_norm(x[None], 1)[0] * w).sum()),
        "batch": third(lambda x: (ug.nn.batch_norm(x[:, None], training=True)[:, 0] * w).sum()),
    }


def _through_jacobian(ug: Any, f: Callable[[Any], Any]) -> Results:
    """Derivatives of the size of a recorded Jacobian. One function for each case: what a process has met once, its
    adapter may look for ever after."""
    x, t = ug.asarray(spread(0.5, 1, 2)), ug.asarray(spread(0.5, 1, 2, start=1))

    def size(x: Any) -> Any:
        return (ug.jacobian(lambda y: f(x * y), mode="reverse")(x) ** 2).sum()

    return {"grad": ug.grad(size)(x), "pushed": ug.jvp(ug.grad(size), (x,), (t,))[1]}


@case("a Jacobian that was recorded has derivatives through functions whose derivative is ours",
      dtype="float64", everyday=False)  # fmt: skip
def of_jacobian(ug: Any) -> Results:
    return _through_jacobian(ug, lambda y: ug.jvp(ug.tanh, (y,), (y * y,))[1])


@case("the same through a function of one array, whose rule gives the cotangent to another", dtype="float64",
      everyday=False)  # fmt: skip
def of_jacobian_of_one(ug: Any) -> Results:
    return _through_jacobian(ug, lambda y: ug.nn.max_pool1d((y * y)[None, None], 2)[0, 0] ** 2)


@case("the same through functions whose derivative is the user's", dtype="float64", everyday=False)
def of_jacobian_by_rules(ug: Any) -> Results:
    @ug.custom_gradient
    def cube(y: Any) -> Any:
        return y**3, lambda g: ug.maximum(g * y, g * y) * y * 3

    @ug.custom_gradient
    def twice(y: Any) -> Any:
        return y * 2, lambda g: -doubled(-g)

    @ug.custom_gradient
    def doubled(y: Any) -> Any:
        return y * 2, lambda g: g * 2

    return _through_jacobian(ug, lambda y: cube(twice(y)))


# Functions with a slope above 0 at 0: of sqrt(f(x)) it is infinite.
RISING: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda ug, x: ug.sin(x),
    "expm1": lambda ug, x: ug.expm1(x),
    "asinh": lambda ug, x: ug.asinh(x),
    "atan2": lambda ug, x: ug.atan2(x, 2.0),
    "tanh": lambda ug, x: ug.tanh(x),
    "erf": lambda ug, x: ug.erf(x),
    "gelu": lambda ug, x: ug.nn.gelu(x),
    "silu": lambda ug, x: ug.nn.silu(x),
    "log_ndtr": lambda ug, x: ug.special.log_ndtr(x),
}


@case(
    "an infinite cotangent or tangent stays one through what rises at 0",
    **{name: [float("inf")] * 2 for name in RISING},
)
def infinite(ug: Any, names: Collection[str] = tuple(RISING)) -> Results:
    x = ug.asarray([0.0, 0.0], dtype="float32")
    ones = ug.full((2,), float("inf"), dtype="float32")
    back = {name: ug.vjp(lambda x, f=RISING[name]: f(ug, x), x)[1](ones)[0] for name in names}
    forward = {f"{name}, forward": ug.jvp(lambda x, f=RISING[name]: f(ug, x), (x,), (ones,))[1] for name in names}
    return {**back, **forward}


DERIVATIVES.quickly(infinite, ("gelu",), RISING)
DERIVATIVES.quickly(not_a_number, ("gather", "cumsum", "matmul", "power of nothing", "where"), LINEAR)
DERIVATIVES.quickly(mapped_over_some, ("where",), MIXED)
DERIVATIVES.quickly(mapped_indices, ("new axis", "two"), KEYS)


_LEFT, _RIGHT = np.array([0.0, 0.0, 1.0, 1.0]), np.array([0.0, math.inf, 0.0, math.inf])


@case("at the ends of a distribution its parameters move nothing", dtype="float64", everyday=False,
      **dict.fromkeys(("gammainc", "gammaincc", "first", "second", "other", "student"), (0, 0, 0, 0)))  # fmt: skip
def ends_of_distributions(ug: Any) -> Results:
    special = ug.special
    a, b = ug.asarray(np.array([0.5, 1.0, 2.0, 20.0])), ug.asarray(np.array([3.0, 1.0, 0.5, 2.0]))
    left, right, far = ug.asarray(_LEFT), ug.asarray(_RIGHT), ug.asarray(np.array([1.0, -1.0]).repeat(2) * math.inf)
    moved = {
        "gammainc": (lambda a: special.gammainc(a, right), a),
        "gammaincc": (lambda a: special.gammaincc(a, right), a),
        "first": (lambda a: special.betainc(a, b, left), a),
        "second": (lambda b: special.betainc(a, b, left), b),
        "other": (lambda b: special.betaincc(a, b, left), b),
        "student": (lambda a: special.stdtr(a, far), a),
    }
    return {name: ug.grad(lambda x, f=f: f(x).sum())(x) + 0.0 for name, (f, x) in moved.items()}


@case("incomplete gamma functions of a million million and more are those of so many standard deviations",
      everyday=False, tails=True, inverses=True)  # fmt: skip
def of_many(ug: Any) -> Results:
    a, steps = np.array([[1e11], [1e14], [1e17], [1e24]]), np.array([-3.0, -1.0, 0.0, 1.0, 3.0])
    if isinstance(ug.asarray(a).backend, Oracle):  # whose series are as long
        return {"tails": True, "inverses": True}
    x = a + steps * np.sqrt(a)
    steps = (x - a) / np.sqrt(a)  # as far as float64 has them
    normal = ug.special.ndtr(ug.asarray(steps)).numpy()
    normal = normal + np.exp(-steps * steps / 2) * (1 - steps * steps) / (3 * np.sqrt(2 * np.pi * a))
    lower, upper = (f(ug.asarray(a), ug.asarray(x)).numpy() for f in (ug.special.gammainc, ug.special.gammaincc))
    back = ug.special.gammaincinv(ug.asarray(a[:2]), ug.asarray(lower[:2])).numpy()
    return {
        "tails": bool(np.allclose(lower, normal, atol=5e-9) and np.allclose(upper, 1 - normal, atol=5e-9)),
        "inverses": bool(np.allclose(back, x[:2], rtol=1e-9)),
    }


# Each with points in the ranges of its formulas.
THIRD: dict[str, list[float]] = {
    "exprel": [-6.0, 0.5, 9.0], "ellipk": [-6.0, 0.25, 0.75], "ellipe": [-6.0, 0.25, 0.75], "spence": [0.25, 6.0],
    "erfcx": [-1.25, 0.5, 7.0], "erfinv": [-0.5, 0.25], "log_ndtr": [-2.0, -0.5, 1.5], "rgamma": [-1.25, 0.25, 3.5],
    "j0": [0.75, 4.0], "j1": [0.75, -4.0], "y0": [0.75, 4.0], "y1": [1.75, 4.0], "i0": [-0.75, 4.0],
    "i1e": [-0.75, 4.0], "k0": [0.5, 2.5], "k1e": [1.5, 2.5], "expi": [-2.0, 0.75], "entr": [0.5, 2.0],
}  # fmt: skip


@case("third derivatives of special functions", dtype="float64", everyday=False, wrong=[])
def third_of_special(ug: Any) -> Results:
    if ug.get_backend() != "numpy":  # others take up to minutes, and the rules are the same everywhere
        return {"wrong": []}

    def slope(f: Callable[[Any], Any]) -> Callable[[Any], Any]:
        return ug.grad(lambda x: f(x).sum())  # type: ignore[no-any-return]

    def third(name: str) -> Any:
        return slope(slope(slope(getattr(ug.special, name))))(ug.asarray(np.array(THIRD[name]))).numpy()

    wrong = []
    for name in THIRD:
        found = third(name)
        with ug.use_backend(NAME):
            exact = third(name).astype(np.float64)
        if not np.allclose(found, exact, rtol=64 * 2.0**-52, atol=64 * 2.0**-52):
            wrong.append(name)
    return {"wrong": wrong}
