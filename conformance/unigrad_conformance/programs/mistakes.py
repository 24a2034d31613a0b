"""What bad input gets: the same error on every backend, a message that helps, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, message, raised
from unigrad_conformance.oracle import NAME as ORACLE

MISTAKES = Program("mistakes")
case = MISTAKES.case


def _attempt(ug: Any, mistake: Callable[[Any, Any], Any], recording: bool = True) -> Results:
    """Make a mistake in the middle of a recording, and see that the recording and the gradients survive it."""
    x = ug.asarray([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    x.attach_grad()
    with ug.record():
        y = x * x
        if recording:
            error = raised(lambda: mistake(x, y))
        still = ug.is_recording()
        z = y * 2
    if not recording:
        error = raised(lambda: mistake(x, z))
    before = x.grad
    z.backward()
    return {"error": error, "still_recording": still, "before": before, "grad": x.grad}


_SURVIVED: dict[str, Any] = {
    "still_recording": True,
    "before": [[0, 0, 0], [0, 0, 0]],
    "grad": [[4, 8, 12], [16, 20, 24]],
}


@case("an unknown backend: the message lists the known ones", error="BackendError", lists=True, kept=True)
def unknown_backend(ug: Any) -> Results:
    before = ug.get_backend()
    text = message(lambda: ug.set_backend("nope"))
    error = raised(lambda: ug.use_backend("nope").__enter__())
    return {"error": error, "lists": "numpy" in text and before in text, "kept": ug.get_backend() == before}


@case(
    "arrays of two backends in one operation: the message names to_backend",
    error="BackendMismatchError",
    names=True,
    **_SURVIVED,
)
def mixed_backends(ug: Any) -> Results:
    with ug.use_backend(ORACLE if ug.get_backend() == "numpy" else "numpy"):
        other = ug.ones((2, 3))
    mine = ug.ones((2, 3))
    return {**_attempt(ug, lambda x, y: y + other), "names": "to_backend" in message(lambda: mine * other)}


@case("a head gradient of the wrong shape: both shapes in the message", error="ShapeError", names=True, **_SURVIVED)
def head_gradient_shape(ug: Any) -> Results:
    x = ug.ones((2, 3))
    x.attach_grad()
    with ug.record():
        y = x * 2
    text = message(lambda: y.backward(ug.ones(3)))
    found = _attempt(ug, lambda x, z: z.backward(ug.ones((3, 2))), recording=False)
    return {**found, "names": "(3,)" in text and "(2, 3)" in text}


@case("a head gradient that would broadcast is wrong too", error="ShapeError", **_SURVIVED)
def head_gradient_broadcast(ug: Any) -> Results:
    return _attempt(ug, lambda x, z: z.backward(ug.ones(())), recording=False)


@case("a head gradient of the wrong dtype", error="DtypeError", **_SURVIVED)
def head_gradient_dtype(ug: Any) -> Results:
    return _attempt(ug, lambda x, z: z.backward(ug.ones((2, 3), dtype=ug.float64)), recording=False)


@case("a wrong number of head gradients", error="ArgumentError", **_SURVIVED)
def head_gradient_count(ug: Any) -> Results:
    return _attempt(ug, lambda x, z: ug.backward([z], [ug.ones((2, 3))] * 2), recording=False)


@case(
    "backward on what was computed outside record(): the message says so",
    error="NotRecordedError",
    names=True,
    **_SURVIVED,
)
def not_recorded(ug: Any) -> Results:
    x = ug.ones((2, 3))
    x.attach_grad()
    y = x * 2
    return {
        **_attempt(ug, lambda x, z: (x * 2).backward(), recording=False),
        "names": "record()" in message(y.backward),
    }


@case("gradients for a variable that is not attached", error="NotRecordedError", **_SURVIVED)
def not_attached(ug: Any) -> Results:
    return _attempt(ug, lambda x, z: ug.gradients(z, ug.ones(3)), recording=False)


@case("a second backward: the message names retain_graph", error="GraphFreedError", names=True, grad=[2, 2])
def second_backward(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()
    with ug.record():
        y = x * x
    y.backward()
    return {"error": raised(y.backward), "names": "retain_graph" in message(y.backward), "grad": x.grad}


@case("attaching integers, and booleans", errors=["DtypeError", "DtypeError"], names=True)
def attach_integers(ug: Any) -> Results:
    errors = [raised(ug.asarray(values).attach_grad) for values in ([1, 2], [True, False])]
    return {"errors": errors, "names": "astype" in message(ug.asarray([1]).attach_grad)}


@case("writing to an attached leaf while recording", errors=["LeafWriteError"] * 2, x=[1, 1], grad=[2, 2])
def write_to_leaf(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()

    def add() -> None:
        y = x
        y += 1.0

    with ug.record():
        errors = [raised(lambda: x.__setitem__(0, 5.0)), raised(add)]
        y = x * 2
    y.backward()
    return {"errors": errors, "x": x, "grad": x.grad}


@case("shapes that do not broadcast: both in the message", error="ShapeError", names=True, **_SURVIVED)
def shapes(ug: Any) -> Results:
    text = message(lambda: ug.ones((2, 3)) + ug.ones((2, 4)))
    return {**_attempt(ug, lambda x, y: y + ug.ones((2, 4))), "names": "(2, 3)" in text and "(2, 4)" in text}


@case("the same for a comparison, where, maximum and broadcast_to", errors=["ShapeError"] * 4)
def shapes_elsewhere(ug: Any) -> Results:
    x, y = ug.ones((2, 3)), ug.ones(2)
    attempts = [
        lambda: x < y,
        lambda: ug.where(x > 0, x, y),
        lambda: ug.maximum(x, y),
        lambda: ug.broadcast_to(x, (2, 4)),
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("matrices that do not fit: both shapes in the message", error="ShapeError", names=True, **_SURVIVED)
def matmul_shapes(ug: Any) -> Results:
    text = message(lambda: ug.ones((2, 3)) @ ug.ones((2, 4)))
    return {**_attempt(ug, lambda x, y: y @ x), "names": "(2, 3)" in text and "(2, 4)" in text}


@case("an axis out of range, or named twice", errors=["AxisError"] * 8, **_SURVIVED)
def axis(ug: Any) -> Results:
    x = ug.ones((2, 3))
    attempts = [
        lambda: ug.sum(x, axis=2), lambda: ug.max(x, axis=-3), lambda: ug.mean(x, axis=(0, 0)),
        lambda: ug.concat([x, x], axis=5), lambda: ug.nn.softmax(x, axis=9),
        lambda: ug.gradient(x, axis=(0, 0)), lambda: ug.gradient(x, axis=(1, -1)),
        lambda: ug.rot90(x, axes=(0, 0)),
    ]  # fmt: skip
    found = _attempt(ug, lambda x, y: y.sum(axis=7))
    found.pop("error")
    return {**found, "errors": [raised(attempt) for attempt in attempts]}


@case("reshaping to another size", error="ShapeError", **_SURVIVED)
def reshape_size(ug: Any) -> Results:
    return _attempt(ug, lambda x, y: y.reshape(4, 2))


@case("an unknown grad_req: the message lists the known ones", error="ArgumentError", names=True)
def grad_req(ug: Any) -> Results:
    x = ug.ones(2)
    text = message(lambda: x.attach_grad("sum"))
    return {"error": raised(lambda: x.attach_grad("sum")), "names": "write" in text and "add" in text}


@case("indices out of range, which some frameworks do not check", errors=["IndexRangeError"] * 6, **_SURVIVED)
def indices(ug: Any) -> Results:
    x = ug.ones((2, 3))
    attempts = [
        lambda: x[2], lambda: x[[0, 5]], lambda: x[:, [-4]], lambda: ug.take(x, [3], axis=1),
        lambda: ug.take_along_axis(x, ug.asarray([[0], [9]]), axis=1), lambda: x[0, 0, 0],
    ]  # fmt: skip
    found = _attempt(ug, lambda x, y: y[[7]])
    found.pop("error")
    return {**found, "errors": [raised(attempt) for attempt in attempts]}


@case("repeats, shifts and parts that fail", errors=["ShapeError", "ArgumentError", "DtypeError", "ArgumentError",
      "ArgumentError", "ArgumentError", "AxisError", "ShapeError", "ArgumentError"])  # fmt: skip
def arranged(ug: Any) -> Results:
    x = ug.ones((2, 3))
    attempts = [
        lambda: ug.repeat(x, ug.asarray([1, 2]), axis=1), lambda: ug.repeat(x, -1),
        lambda: ug.repeat(x, ug.asarray([1.0, 2.0]), axis=0), lambda: ug.tile(x, (2, -1)),
        lambda: ug.roll(x, (1, 2), axis=(0,)), lambda: ug.split(x, 2, axis=1), lambda: ug.unstack(x, axis=2),
        lambda: ug.meshgrid(x, x), lambda: ug.meshgrid(ug.ones(2), indexing="yx"),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("searching where nothing can be found", errors=["ShapeError", "ArgumentError", "ShapeError", "ArgumentError",
      "DtypeError", "IndexRangeError", "ShapeError", "DtypeError", "IndexRangeError", "DtypeError",
      *["IndexRangeError"] * 2, *["ShapeError"] * 4])  # fmt: skip
def searched(ug: Any) -> Results:
    x, v = ug.ones((2, 3)), ug.ones(3)
    attempts = [
        lambda: ug.searchsorted(x, v), lambda: ug.searchsorted(v, v, side="middle"),
        lambda: ug.searchsorted(v, v, sorter=ug.asarray([0, 1])), lambda: ug.top_k(v, 4),
        lambda: ug.bincount(v), lambda: ug.bincount(ug.asarray([-1])), lambda: ug.nonzero(ug.asarray(1.0)),
        lambda: ug.take(v, ug.asarray([0.5])), lambda: ug.take_along_axis(v, ug.asarray([-4])),
        lambda: ug.take_along_axis(v, ug.asarray([True, False, True])),
        lambda: ug.partition(x, 3), lambda: ug.argpartition(x, [0, -4]),
        *[lambda f=f, y=y: f(y) for f in (ug.argmax, ug.argmin) for y in (v[:0], x[:, :0])],
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("edges, areas and convolutions that do not fit", errors=["ArgumentError", "ArgumentError", "ShapeError",
      "ShapeError", "ShapeError", "ArgumentError", "ShapeError", "ArgumentError", "ShapeError"])  # fmt: skip
def sequences(ug: Any) -> Results:
    x, v = ug.ones((2, 3)), ug.ones(3)
    attempts = [
        lambda: ug.pad(x, -1), lambda: ug.pad(x, 1, "nothing"), lambda: ug.pad(x, ((1, 1), (1, 1), (1, 1))),
        lambda: ug.pad(ug.ones(0), 1, "edge"), lambda: ug.convolve(x, v), lambda: ug.convolve(v, v, "some"),
        lambda: ug.interp(v, v, ug.ones(2)), lambda: ug.diff(v, n=-1), lambda: ug.trapezoid(v, ug.ones(2)),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("writing out of range changes nothing", errors=["IndexRangeError"] * 2, x=[1, 1])
def indices_written(ug: Any) -> Results:
    x = ug.ones(2)
    errors = [raised(lambda: x.__setitem__([5], 3.0)), raised(lambda: x.__setitem__(-3, 3.0))]
    return {"errors": errors, "x": x}


@case("a boolean index of another shape", error="IndexRangeError")
def mask_shape(ug: Any) -> Results:
    x = ug.ones((2, 3))
    return {"error": raised(lambda: x[ug.asarray([True, False, True])])}


@case("an exception raised inside record() leaves nothing behind", recording=False, grad=[2, 2])
def exception_inside(ug: Any) -> Results:
    x = ug.ones(2)
    x.attach_grad()

    def fails() -> None:
        with ug.record():
            _ = x * 3
            raise ArithmeticError

    error = raised(fails)
    recording = ug.is_recording()
    with ug.record():
        y = x * 2
    y.backward()
    return {"error": error, "recording": recording, "grad": x.grad}


@case("max of no elements", errors=["ShapeError"] * 12)
def nothing_to_choose_from(ug: Any) -> Results:
    x = ug.zeros((0, 3))
    functions = (ug.max, ug.min, ug.argmax, ug.median, ug.ptp, ug.nanmax)
    return {"errors": [raised(lambda f=f, axis=axis: f(x, axis=axis)) for f in functions for axis in (0, None)]}


@case("matrices of more elements than any memory has", errors=["ShapeError"] * 5)
def beyond_memory(ug: Any) -> Results:
    x, far = ug.ones(2), 2**40
    return {
        "errors": [
            raised(f) for f in (lambda: ug.diag(x, far), lambda: ug.diagflat(x, -far), lambda: ug.eye(far),
                                lambda: ug.tri(far), lambda: ug.diag(x, 10**10))
        ]
    }  # fmt: skip


class _Refusing:
    """An array whose owner does not give it away."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def __dlpack__(self, **asked: Any) -> Any:
        raise self._error("not now")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0


@case("what its owner does not give away by DLPack: forbidding the copy was wrong, or something else is",
      errors=["InterchangeError", "ArgumentError", *["InterchangeError"] * 3])  # fmt: skip
def not_given_away(ug: Any) -> Results:
    if ug.get_backend() == ORACLE:  # which knows no DLPack
        return {"errors": ["InterchangeError", "ArgumentError", *["InterchangeError"] * 3]}
    asked: tuple[tuple[type[Exception], bool | None], ...] = (
        (ValueError, None), (ValueError, False), (ValueError, True), (BufferError, None), (BufferError, False),
    )  # fmt: skip
    return {
        "errors": [raised(lambda e=e, copy=copy: ug.from_dlpack(_Refusing(e), copy=copy)) for e, copy in asked],
    }


@case("quantiles that are none", errors=["ArgumentError"] * 5)
def quantiles(ug: Any) -> Results:
    x = ug.ones(3)
    attempts = [
        lambda: ug.quantile(x, 1.5), lambda: ug.percentile(x, [-1]), lambda: ug.quantile(x, 0.5, method="best"),
        lambda: ug.nanquantile(x, 1.5), lambda: ug.nanpercentile(x, [-1]),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("grad() of a function that is no scalar, of integers, of what it counts or compares, of a missing argument",
      errors=["ShapeError", *["DtypeError"] * 10, "ArgumentError"])  # fmt: skip
def functional(ug: Any) -> Results:
    x = ug.ones(2)
    attempts = [
        lambda: ug.grad(lambda x: x * 2)(x),
        lambda: ug.grad(lambda n: n.sum())(ug.asarray([1, 2])),
        lambda: ug.grad(lambda x: (x > 0.5).sum())(x),
        lambda: ug.value_and_grad(lambda x: ug.any(x > 0.5))(x),
        lambda: ug.hvp(lambda x: ug.argmax(x), (x,), (x,)),
        lambda: ug.vjp(lambda x: x > 0.5, x),
        lambda: ug.jvp(lambda x: (ug.argsort(x), x > 0.5), (x,), (x,)),
        lambda: ug.jacobian(ug.argsort)(x),
        lambda: ug.jacobian(ug.argsort, mode="forward")(x),
        lambda: ug.jacobian(lambda x: (x, ug.argsort(x)))(x),
        lambda: ug.jacobian(lambda x: (x, ug.argsort(x)), mode="forward")(x),
        lambda: ug.grad(lambda x: x.sum(), argnums=3)(x),
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("what is no function where one is taken", errors=["ArgumentError"] * 17)
def no_functions(ug: Any) -> Results:
    x: Any = ug.ones(2)
    attempts = [
        lambda: ug.grad(x), lambda: ug.vmap(x), lambda: ug.hessian(3), lambda: ug.checkpoint(x),
        lambda: ug.custom_gradient(x), lambda: ug.wrap_native("relu"), lambda: ug.tree_map(3, x),
        lambda: ug.scan(x, x, x), lambda: ug.while_loop(True, lambda x: x, x), lambda: ug.cond(True, x, x),
        lambda: ug.compile(x), lambda: ug.bridge(x, inner="numpy", outer="torch"),
        lambda: ug.jacobian(x), lambda: ug.value_and_grad(x), lambda: ug.vjp(x, x), lambda: ug.jvp(x, (x,), (x,)),
        lambda: ug.hvp(x, (x,), (x,)),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("a wrong derivative: check_gradients names the element, and tells a kink", error="GradientError", wrong=True,
      right="nothing", kink=True)  # fmt: skip
def wrong_derivative(ug: Any) -> Results:
    x = ug.asarray([1.0, 0.0])

    def wrong(x: Any) -> Any:
        return x * x + (x - x.detach())[1]

    def check(f: Callable[[Any], Any]) -> Callable[[], None]:
        return lambda: ug.check_gradients(f, x, modes=("reverse",))

    return {
        "error": raised(check(wrong)),
        "wrong": "args[0][1] -> output[0], reverse mode: wrong: the gradient here is 1" in message(check(wrong)),
        "right": raised(check(lambda x: x * x)),
        "kink": "args[0][1] -> output[1], reverse mode: at a kink: left slope -1, right slope 1, the gradient here is 0"
        in message(check(abs)),
    }


@case("dtypes that are none, and values that are no numbers", errors=["DtypeError", "DtypeError", "DtypeError"])
def dtypes(ug: Any) -> Results:
    attempts = [lambda: ug.ones(2, dtype="float31"), lambda: ug.asarray(["a"]), lambda: ug.ones(2).astype("nope")]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("arrays made beside what is none, or filled with several numbers", errors=["ArgumentError"] * 6)
def made(ug: Any) -> Results:
    attempts = [
        lambda: ug.asarray([1.0], like="torch"), lambda: ug.asarray([1.0], like=3), lambda: ug.zeros(2, like=[1.0]),
        lambda: ug.full(3, [1.0, 2.0]), lambda: ug.full(3, [1.0]), lambda: ug.full(3, None),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("what is multiplied as a matrix and is none, and variables that are none", errors=["ShapeError"] * 3 +
      ["ArgumentError"], shapes=[True] * 3)  # fmt: skip
def no_matrices(ug: Any) -> Results:
    x, number = ug.asarray([[1.0, 2.0], [3.0, 4.0]]), ug.asarray(2.0)
    x.attach_grad()
    with ug.record():
        y = x * 2
    attempts = [lambda: x @ 2.0, lambda: 2.0 @ x, lambda: ug.matmul(x[0], number)]
    return {
        "errors": [raised(attempt) for attempt in (*attempts, lambda: ug.gradients(y, 3))],
        "shapes": ["shapes" in message(attempt) for attempt in attempts],
    }


@case("by position what a function takes by name alone: it says which names there are", errors=["CallError"] * 6,
      named=[True] * 5)  # fmt: skip
def by_position(ug: Any) -> Results:
    x = ug.asarray([[1.0, 2.0], [3.0, 4.0]])
    attempts = [
        lambda: ug.fft.rfft(x, 4), lambda: ug.linalg.qr(x, "complete"), lambda: ug.diff(x, 2),
        lambda: ug.searchsorted(x[0], x[1], "right"), lambda: ug.nn.layer_norm(x, x[0], x[1], -1),
    ]  # fmt: skip
    names = ("n=", "mode='complete'", "n=", "side=", "axis=")
    return {
        "errors": [raised(attempt) for attempt in (*attempts, lambda: ug.where(x > 0, x))],
        "named": [name in message(attempt) for name, attempt in zip(names, attempts, strict=True)],
    }


@case("orders of Bessel functions that are no whole numbers", errors=["ArgumentError"] * 3)
def orders(ug: Any) -> Results:
    x = ug.asarray([1.0, 2.0])
    attempts = [lambda: ug.special.kn(2.5, x), lambda: ug.special.jn(True, x), lambda: ug.special.yn(x, x)]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("a recorded value that would be filled in as a constant", error="UnsupportedError", **_SURVIVED)
def filled(ug: Any) -> Results:
    return _attempt(ug, lambda x, y: ug.full(3, y[0, 0]))


@case("a step of one backend that returns an array of another", error="BackendMismatchError", number=2.0)
def step_elsewhere(ug: Any) -> Results:
    with ug.use_backend(ORACLE if ug.get_backend() == "numpy" else "numpy"):
        other = ug.ones(2)
    step = ug.custom_gradient(lambda x: (other, lambda g: g))
    of_nothing = ug.custom_gradient(lambda n: (n * 0.5, lambda g: g))
    return {"error": raised(lambda: step(ug.ones(2))), "number": of_nothing(4)}


@case("concat and stack of shapes that do not agree", errors=["ShapeError", "ShapeError", "ArgumentError"])
def joined_shapes(ug: Any) -> Results:
    x, y = ug.ones((2, 3)), ug.ones((2, 4))
    return {
        "errors": [raised(lambda: ug.concat([x, y])), raised(lambda: ug.stack([x, y])), raised(lambda: ug.stack([]))]
    }


@case("labels that are no classes", errors=["IndexRangeError", "DtypeError", "IndexRangeError", "ShapeError"])
def labels(ug: Any) -> Results:
    logits = ug.ones((2, 3))
    attempts = [
        lambda: ug.nn.one_hot(ug.asarray([3]), 3), lambda: ug.nn.one_hot(ug.asarray([1.0]), 3),
        lambda: ug.nn.cross_entropy(logits, ug.asarray([0, 3])), lambda: ug.nn.cross_entropy(logits, ug.asarray([0])),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("matrices without an answer, for which some frameworks give infinities", errors=["LinAlgError"] * 6, names=True,
      **_SURVIVED)  # fmt: skip
def no_answer(ug: Any) -> Results:
    singular = ug.asarray([[1.0, 2.0], [2.0, 4.0]])
    stack = ug.stack([ug.eye(2), ug.zeros((2, 2))])
    linalg = ug.linalg
    attempts = [
        lambda: linalg.inv(singular), lambda: linalg.inv(stack), lambda: linalg.solve(singular, ug.ones(2)),
        lambda: linalg.matrix_power(singular, -1), lambda: linalg.cholesky(singular - 3 * ug.eye(2)),
        lambda: linalg.cond(singular, 1),
    ]  # fmt: skip
    found = _attempt(ug, lambda x, y: linalg.inv(y.mT @ y * 0.0))
    found.pop("error")
    names = "singular" in message(lambda: linalg.inv(singular))
    return {**found, "errors": [raised(attempt) for attempt in attempts], "names": names}


@case("shapes that hold no matrices, or none that fit", errors=["ShapeError"] * 20, names=True)
def matrix_shapes(ug: Any) -> Results:
    x, v, linalg = ug.ones((2, 3)), ug.ones(3), ug.linalg
    attempts = [
        lambda: linalg.inv(x), lambda: linalg.det(v), lambda: linalg.eigh(x), lambda: linalg.cholesky(x),
        lambda: linalg.matrix_power(x, 2), lambda: linalg.solve(ug.eye(2), v), lambda: linalg.solve(x, v),
        lambda: linalg.svd(v), lambda: linalg.qr(v), lambda: linalg.outer(x, v),
        lambda: linalg.cross(ug.ones(2), ug.ones(2)), lambda: linalg.trace(v),
        lambda: linalg.eigvals(x), lambda: linalg.eig(x), lambda: linalg.expm(x), lambda: ug.nn.unfold(x, 2),
        lambda: linalg.eigh(v[None]), lambda: linalg.eigvalsh(v[None]), lambda: linalg.solve(v[None], v),
        lambda: linalg.solve_triangular(v[None], v),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts], "names": "(2, 3)" in message(lambda: linalg.inv(x))}


@case("arguments of linear algebra that are none", errors=["ArgumentError"] * 3 + ["DtypeError"] * 2)
def linalg_arguments(ug: Any) -> Results:
    x, linalg = ug.eye(2), ug.linalg
    attempts = [
        lambda: linalg.qr(x, mode="r"), lambda: linalg.matrix_norm(x, ord=3), lambda: linalg.matrix_power(x, 0.5),
        lambda: linalg.inv(ug.eye(2, dtype=ug.float16)), lambda: linalg.svd(ug.eye(2, dtype=ug.float16)),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("convolutions whose shapes do not fit", errors=["ShapeError"] * 11)
def convolution_shapes(ug: Any) -> Results:
    x, w = ug.ones((1, 4, 5, 5)), ug.ones((2, 4, 3, 3))
    attempts = [
        lambda: ug.nn.conv2d(x, ug.ones((2, 3, 3, 3))),
        lambda: ug.nn.conv2d(x, ug.ones((2, 4, 7, 3)), padding=((0, 1), (0, 0))),
        lambda: ug.nn.conv2d(x, w, dilation=3),
        lambda: ug.nn.conv2d(x, ug.ones((3, 2, 3, 3)), groups=2),
        lambda: ug.nn.conv2d(x, w, groups=3),
        lambda: ug.nn.conv2d(x, w, ug.ones(3)),
        lambda: ug.nn.conv1d(x, w),
        lambda: ug.nn.conv1d(x, w[..., 0]),
        lambda: ug.nn.conv2d(x[0], w),
        lambda: ug.nn.conv_transpose2d(x, w),
        lambda: ug.nn.unfold(x, 7),
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("steps and paddings that make no sense", errors=["ArgumentError"] * 8)
def convolution_steps(ug: Any) -> Results:
    x, w = ug.ones((1, 4, 5, 5)), ug.ones((2, 4, 3, 3))
    attempts = [
        lambda: ug.nn.conv2d(x, w, stride=-1),
        lambda: ug.nn.conv2d(x, w, stride=(1, 1, 1)),
        lambda: ug.nn.conv2d(x, w, dilation=0),
        lambda: ug.nn.conv2d(x, w, padding=-1),
        lambda: ug.nn.conv2d(x, w, padding="full"),
        lambda: ug.nn.conv2d(x, w, groups=0),
        lambda: ug.nn.max_pool2d(x, 2, padding=2),
        lambda: ug.nn.conv_transpose2d(x, ug.ones((4, 2, 3, 3)), stride=2, output_padding=2),
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("pooling windows that do not fit, groups of channels, halves", errors=["ShapeError"] * 5)
def network_shapes(ug: Any) -> Results:
    x = ug.ones((1, 4, 5, 5))
    attempts = [
        lambda: ug.nn.max_pool2d(x, 6), lambda: ug.nn.avg_pool1d(x, 2), lambda: ug.nn.group_norm(x, 3),
        lambda: ug.nn.glu(x), lambda: ug.nn.layer_norm(x, ug.ones(4)),
    ]  # fmt: skip
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("labels that are no classes, for the other losses and embeddings",
      errors=[*["IndexRangeError"] * 5, "DtypeError", "ShapeError", "ArgumentError", *["IndexRangeError"] * 3]
      )  # fmt: skip
def labels_elsewhere(ug: Any) -> Results:
    x = ug.ones((2, 3))
    attempts = [
        lambda: ug.nn.embedding(ug.asarray([0, 2]), x),
        lambda: ug.nn.embedding(ug.asarray([-1]), x),
        lambda: ug.nn.embedding(ug.asarray([-1]), x[0]),
        lambda: ug.nn.embedding(ug.asarray([[4, -1]]), ug.reshape(x, (2, 1, -1))),
        lambda: ug.nn.nll_loss(x, ug.asarray([0, -100])),
        lambda: ug.nn.embedding(ug.asarray([0.0]), x),
        lambda: ug.nn.mse_loss(x, ug.ones(3)),
        lambda: ug.nn.l1_loss(x, x, reduction="all"),
        *[lambda k=k: ug.nn.ctc_loss(ug.zeros((3, 1, 4)), ug.asarray([[k]]), [3], [1]) for k in (4, -1, 0)],
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("attention and layers whose shapes do not fit", errors=["ShapeError"] * 3)
def layer_shapes(ug: Any) -> Results:
    x, y = ug.ones((2, 3)), ug.ones((2, 4))
    attempts = [
        lambda: ug.nn.linear(x, y),
        lambda: ug.nn.scaled_dot_product_attention(x, y, y),
        lambda: ug.nn.batch_norm(x, ug.ones(2), training=True),
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


@case("transforms of nothing, of unknown norms and axes",
      errors=["ShapeError"] + ["ArgumentError"] * 4 + ["AxisError"] * 2 + ["DtypeError"])  # fmt: skip
def transforms(ug: Any) -> Results:
    x, nothing = ug.ones((2, 3)), ug.ones((2, 0))
    if "complex64" not in {str(dtype) for dtype in x.backend.raw_dtypes}:
        transform, several = ug.fft.rfft, ug.fft.rfftn
    else:
        transform, several = ug.fft.fft, ug.fft.fftn
    attempts = [
        lambda: transform(nothing),
        lambda: transform(x, n=0),
        lambda: transform(x, norm="forwards"),
        lambda: several(x, s=(2, 2), axes=(0,)),
        lambda: ug.fft.fftfreq(0),
        lambda: transform(x, axis=2),
        lambda: several(x, axes=(0, 0)),
        lambda: ug.fft.fftfreq(3, dtype=ug.int64),
    ]
    return {"errors": [raised(attempt) for attempt in attempts]}


def _told(attempts: list[tuple[Callable[[], Any], str, tuple[str, ...]]]) -> Results:
    """Mistakes with the errors that they must raise and words that the messages must have."""
    silent = [f"{number}: {message(attempt)}" for number, (attempt, _, words) in enumerate(attempts)
              if not all(word in message(attempt) for word in words)]  # fmt: skip
    return {
        "errors": [raised(attempt) for attempt, _, _ in attempts],
        "expected": [error for _, error, _ in attempts],
        "silent": silent,
    }


def _equal(count: int, *errors: str) -> dict[str, Any]:
    expected = list(errors) * count
    return {"errors": expected, "expected": expected, "silent": []}


@case("what grad cannot differentiate: the message names the argument and its leaf, and what to type",
      **_equal(1, *["DtypeError"] * 6, *["ArgumentError"] * 8))  # fmt: skip
def differentiated_arguments(ug: Any) -> Results:
    x, whole = ug.ones(2), ug.asarray([1, 2])

    def f(*args: Any) -> Any:
        return ug.asarray(1.0)

    return _told([
        (lambda: ug.grad(f, 1)(x, whole), "DtypeError", ("argument 1", "int64", "astype", "argnums")),
        (lambda: ug.grad(f)({"w": [x, whole]}), "DtypeError", ("argument 0['w'][1]", "int64")),
        (lambda: ug.grad(f)(2), "DtypeError", ("argument 0", "write 2.0")),
        (lambda: ug.grad(f)({"w": "text"}), "DtypeError", ("argument 0['w']", "str")),
        (lambda: ug.jvp(f, (whole,), (whole,)), "DtypeError", ("argument 0", "int64")),
        (lambda: ug.hessian(f)(x > 0), "DtypeError", ("argument 0", "bool")),
        (lambda: ug.grad(f, 2)(x, x), "ArgumentError", ("argnums=2", "2 positional arguments")),
        (lambda: ug.jacobian(f, argnums=(0, -3))(x, x), "ArgumentError", ("argnums=(0, -3)",)),
        (lambda: ug.grad(f, (0, -1))(x), "ArgumentError", ("(0, -1)", "twice")),
        (lambda: ug.vjp(f, x, argnums=True), "ArgumentError", ("argnums=True",)),
        (lambda: ug.hessian(f, 1.0)(x), "ArgumentError", ("argnums=1.0",)),
        (lambda: ug.grad(f, "")(x), "ArgumentError", ("argnums=''",)),
        (lambda: ug.grad(f)(x=x), "ArgumentError", ("0 positional arguments",)),
        (lambda: ug.grad(x), "ArgumentError", ("takes a function", "ug.gradients")),
    ])  # fmt: skip


@case("results that have no gradient: the message says what came back and what to type instead",
      **_equal(1, *["ShapeError"] * 3, *["ArgumentError"] * 11))  # fmt: skip
def returned_values(ug: Any) -> Results:
    x = ug.ones(2)
    return _told([
        (lambda: ug.grad(lambda x: x * 2)(x), "ShapeError", ("scalar", "(2,)", "sum", "ug.jacobian")),
        (lambda: ug.hvp(lambda x: x * 2, (x,), (x,)), "ShapeError", ("scalar", "(2,)")),
        (lambda: ug.hessian(lambda x: x * 2)(x), "ShapeError", ("scalar", "(2,)")),
        (lambda: ug.grad(lambda x: None)(x), "ArgumentError", ("None", "return")),
        (lambda: ug.grad(lambda x: "text")(x), "ArgumentError", ("str", "has_aux")),
        (lambda: ug.grad(lambda x: [x.sum()])(x), "ArgumentError", ("list", "has_aux")),
        (lambda: ug.grad(lambda x: (x.sum(), 1.0))(x), "ArgumentError", ("tuple", "has_aux")),
        (lambda: ug.vjp(lambda x: None, x), "ArgumentError", ("None", "return")),
        (lambda: ug.jvp(lambda x: {"a": {1, 2}}, (x,), (x,)), "ArgumentError", ("output['a']", "set")),
        (lambda: ug.jacobian(lambda x: [x, "text"])(x), "ArgumentError", ("output[1]", "str")),
        (lambda: ug.vmap(lambda x: None)(x), "ArgumentError", ("None", "return")),
        (lambda: ug.grad(lambda x: x.sum(), has_aux=True)(x), "ArgumentError", ("(value, aux)",)),
        (lambda: ug.jvp(lambda x: (x, 1, 2), (x,), (x,), has_aux=True), "ArgumentError", ("(value, aux)",)),
        (lambda: ug.vjp(lambda x: [x, x], x, has_aux=True), "ArgumentError", ("(value, aux)", "list")),
    ])  # fmt: skip


@case("tangents and cotangents that do not fit: both structures, shapes or dtypes are told",
      **_equal(1, *["ArgumentError"] * 9, *["ShapeError"] * 3, *["DtypeError"] * 4))  # fmt: skip
def directions(ug: Any) -> Results:
    x, wide = ug.ones(2), ug.ones(2, dtype=ug.float64)

    def f(p: Any) -> Any:
        return {"a": p["w"] * 2}

    p = {"w": x}
    pull = ug.vjp(f, p)[1]
    return _told([
        (lambda: ug.jvp(f, (p,), ({"v": x},)), "ArgumentError", ("tangent 0", "['w']", "['v']")),
        (lambda: ug.jvp(f, (p,), (x,)), "ArgumentError", ("['w']", "(the array itself)")),
        (lambda: ug.jvp(f, (p,), (p, p)), "ArgumentError", ("1 primals", "2 tangents")),
        (lambda: ug.jvp(f, p, p), "ArgumentError", ("tuples", "(x,)")),
        (lambda: ug.hvp(lambda x: x.sum(), (x,), (None,)), "ArgumentError", ("tangent 0", "none")),
        (lambda: pull(x), "ArgumentError", ("the cotangent", "['a']")),
        (lambda: pull({"a": x, "b": x}), "ArgumentError", ("['a']", "['b']")),
        (lambda: pull(dict.fromkeys("abcdefgh", x)), "ArgumentError", ("['f'] and 2 more",)),
        (lambda: ug.tree_map(lambda x, y: x, p, x), "ArgumentError", ("container 1",)),
        (lambda: ug.jvp(f, (p,), ({"w": ug.ones(3)},)), "ShapeError", ("argument 0['w']", "(3,)", "(2,)")),
        (lambda: pull({"a": ug.ones((2, 1))}), "ShapeError", ("output['a']", "(2, 1)", "(2,)")),
        (lambda: pull({"a": 1.0}), "ShapeError", ("output['a']", "()", "(2,)")),
        (lambda: ug.jvp(f, (p,), ({"w": wide},)), "DtypeError", ("argument 0['w']", "float64", "float32")),
        (lambda: pull({"a": wide}), "DtypeError", ("output['a']", "float64", "float32")),
        (lambda: pull({"a": "text"}), "DtypeError", ("output['a']", "str")),
        (lambda: ug.jvp(f, (p,), ({"w": object()},)), "DtypeError", ("object",)),
    ])  # fmt: skip


@case("unknown modes and words for what is unused", **_equal(1, *["ArgumentError"] * 5))
def transform_options(ug: Any) -> Results:
    x = ug.ones(2)
    return _told([
        (lambda: ug.jacobian(lambda x: x, mode="backward"), "ArgumentError", ("'backward'", "'reverse'")),
        (lambda: ug.grad(lambda x: x, unused="zero"), "ArgumentError", ("'zero'", "'zeros'")),
        (lambda: ug.jvp(lambda x: x, (x,), (x,), unused=None), "ArgumentError", ("None", "'zeros'")),
        (lambda: ug.jacobian(lambda x: x, "forward", unused="none"), "ArgumentError", ("'none'", "'reverse'")),
        (lambda: ug.grad(lambda p: p["w"].sum(), unused="error")({"w": x, "v": [x]}), "ArgumentError",
         ("argument 0['v'][0]", "(2,)", "unused='zeros'")),
    ])  # fmt: skip


@case("what vmap cannot map: sizes, axes and entries are told",
      **_equal(1, *["ArgumentError"] * 5, *["AxisError"] * 3, "UnsupportedError"))  # fmt: skip
def mapped_arguments(ug: Any) -> Results:
    x, y = ug.ones((2, 3)), ug.ones((3, 3))

    def f(x: Any, y: Any = None) -> Any:
        return x.sum() if y is None else (x * y).sum()

    return _told([
        (lambda: ug.vmap(f)(x, y), "ArgumentError", ("argument 0 has 2", "argument 1 has 3")),
        (lambda: ug.vmap(f, in_axes=(0,))(x, x), "ArgumentError", ("in_axes=(0,)", "2 arguments")),
        (lambda: ug.vmap(f, in_axes=None)(x), "ArgumentError", ("in_axes=None",)),
        (lambda: ug.vmap(f, in_axes=({"w": 0},))(x), "ArgumentError", ("in_axes[0]",)),
        (lambda: ug.vmap(lambda x: x, out_axes=None)(x), "ArgumentError", ("out_axes",)),
        (lambda: ug.vmap(f, in_axes=2)(x), "AxisError", ("argument 0", "(2, 3)", "axis 2")),
        (lambda: ug.vmap(f)(1.0), "AxisError", ("argument 0", "()")),
        (lambda: ug.vmap(f, out_axes=1)(x), "AxisError", ("axis 1", "()")),
        (lambda: ug.vmap(lambda x: x if x.sum() > 0 else -x)(x), "UnsupportedError", ("ug.where",)),
    ])  # fmt: skip


@case("attach_grad and backward on what is at work in jvp or vmap: they point to ug.grad; a recording survives it",
      **_equal(1, *["UnsupportedError"] * 4), still_recording=_SURVIVED["still_recording"],
      before=_SURVIVED["before"], grad=_SURVIVED["grad"])  # fmt: skip
def backward_in_transforms(ug: Any) -> Results:
    x = ug.ones((2, 3))

    def attach(x: Any) -> Any:
        x.attach_grad()
        return x.sum()

    def pull(x: Any) -> Any:
        y = (x * x).sum()
        y.backward()
        return y

    told = _told([
        (lambda: ug.jvp(attach, (x,), (x,)), "UnsupportedError", ("ug.grad",)),
        (lambda: ug.jvp(pull, (x,), (x,)), "UnsupportedError", ("ug.grad",)),
        (lambda: ug.vmap(attach)(x), "UnsupportedError", ("ug.grad",)),
        (lambda: ug.vmap(pull)(x), "UnsupportedError", ("ug.grad",)),
    ])  # fmt: skip
    survived = _attempt(ug, lambda x, y: ug.jvp(pull, (y,), (y,)))
    survived.pop("error")
    return {**told, **survived}


@case("a Jacobian, whichever way, of a result that has integers in it says so", errors=["DtypeError"] * 4)
def jacobians_of_integers(ug: Any) -> Results:
    def f(x: Any) -> Any:
        return {"a": x * 2, "b": x.astype("int64")}

    x = ug.asarray([1.0, 2.0])
    modes = ("auto", "reverse", "forward")
    errors = [raised(lambda mode=mode: ug.jacobian(f, mode=mode)(x)) for mode in modes]
    return {"errors": [*errors, raised(lambda: ug.jacobian(lambda x: x.astype("int64"))(x))]}


@case("what would silently be another array, and axes that one of two arrays lacks",
      errors=["ArgumentError"] * 4 + ["AxisError"] * 2, copied=[1, 2])  # fmt: skip
def no_whole_arrays(ug: Any) -> Results:
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    x, y = ug.ones((3, 2, 3)), ug.ones((3, 3))
    attempts = [
        lambda: ug.asarray(masked),
        lambda: ug.asarray(masked, copy=False),
        lambda: ug.asarray([1.0, 2.0], copy=False),
        lambda: ug.round(y, 0.0),
        lambda: ug.linalg.cross(x, y, axis=-3),
        lambda: ug.linalg.cross(y, x, axis=-3),
    ]
    return {"errors": [raised(attempt) for attempt in attempts], "copied": ug.asarray([1.0, 2.0], copy=True)}
