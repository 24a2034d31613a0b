"""check_gradients: right derivatives pass, wrong ones are named, and nothing is changed."""

from __future__ import annotations

from collections import namedtuple

import numpy as np
import pytest

import unigrad as ug

BACKENDS = [row.name for row in ug.available_backends() if row.installed]
COMPLEX = [name for name in BACKENDS if name in ("numpy", "torch")]
DTYPES = ("float32", "float64")
Pair = namedtuple("Pair", "w b")


def array(shape: tuple[int, ...], dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape).astype(dtype)


def wrong_by_three(x: ug.Tensor) -> ug.Tensor:
    """Zero, with a slope of 3."""
    return 3 * x - 3 * x.detach()


def disagreements(f, *args, **options) -> tuple:
    with pytest.raises(ug.GradientError) as caught:
        ug.check_gradients(f, *args, **options)
    return caught.value.disagreements


# --- on every backend ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", BACKENDS)
def test_right_functions_pass(name: str, dtype: str) -> None:
    with ug.use_backend(name):
        x, y = (ug.asarray(array((2, 2), dtype)) for _ in "xy")
        ug.check_gradients(lambda x, y: ug.exp(x * 0.5) @ y, x, y)


@pytest.mark.parametrize("name", [name for name in BACKENDS if name != "jax"])
def test_second_order(name: str) -> None:
    with ug.use_backend(name):
        ug.check_gradients(lambda x: ug.sin(x) * x, ug.asarray(array((2,))), order=2)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_wrong_element_of_the_right_argument_is_named(name: str) -> None:
    def f(x, y):
        return (x * y).sum() + wrong_by_three(y)[1, 0]

    with ug.use_backend(name):
        x, y = (ug.asarray(array((2, 2), "float32")) for _ in "xy")
        found = disagreements(f, x, y)
    assert {(each.input, each.output, each.verdict) for each in found} == {("args[1][1, 0]", "output", "wrong")}
    assert {each.mode for each in found} == {"reverse", "forward"}
    assert all(abs(each.ours - each.numerical - 3) < 1e-5 for each in found)
    assert all(each.ulp > 1e6 for each in found)


@pytest.mark.parametrize("name", BACKENDS)
def test_the_frameworks_own_arrays(name: str) -> None:
    with ug.use_backend(name):
        raw = ug.asarray(array((2,), "float32")).raw
    ug.check_gradients(lambda x: ug.tanh(x) * x, raw)
    assert disagreements(wrong_by_three, raw)


# --- what is differentiated ------------------------------------------------------------------------------


def test_containers_on_both_sides() -> None:
    def f(tree, number, which):
        assert which == "this one"
        w, b = tree["pair"]
        return {"y": [w @ b * number, (w * w).sum()], "count": tree["n"] + 1}

    tree = {"pair": Pair(array((3, 2)), array((2,))), "n": np.arange(3)}
    ug.check_gradients(f, tree, 2.0, "this one")

    def g(tree, number, which):
        found = f(tree, number, which)
        found["y"][0] = found["y"][0] + wrong_by_three(tree["pair"].b)[1]
        return found

    found = disagreements(g, tree, 2.0, "this one", modes=("reverse",))
    assert {each.input for each in found} == {"args[0]['pair'].b[1]"}
    assert {each.output for each in found} == {f"output['y'][0][{row}]" for row in range(3)}


def test_python_floats_integers_and_unused_inputs() -> None:
    ug.check_gradients(lambda a, n: a**n, 1.5, 3)
    ug.check_gradients(lambda x, y: x * 2, array((2,)), array((3,)))
    ug.check_gradients(lambda x: ug.asarray(5.0), array((2,)))
    ug.check_gradients(lambda x: (ug.argmax(x), x * x), array((4,)))
    ug.check_gradients(lambda x: x.sum(), np.zeros((0, 3)))


@pytest.mark.parametrize("name", COMPLEX)
@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex(name: str, dtype: str) -> None:
    with ug.use_backend(name):
        z = ug.asarray((array((2,)) + 1j * array((4,))[2:]).astype(dtype))
        x = ug.asarray(array((2,)).astype("float32" if dtype == "complex64" else "float64"))
        ug.check_gradients(lambda z, x: ug.exp(z * x) + ug.conj(z) * z + abs(z), z, x)
        ug.check_gradients(lambda z: (z * z).real.sum(), z, order=2)
        found = disagreements(lambda z: z * z + ug.conj(2 * z - 2 * z.detach()), z)
    assert ("args[0][1].imag", "output[1].imag") in {(each.input, each.output) for each in found}


def test_second_order_finds_a_wrong_second_derivative() -> None:
    def f(x):  # the gradient is 3 x^2, in a way that does not depend on x
        return x**3 + (3 * x.detach() ** 2) * (x - x.detach()) - (x**3 - x.detach() ** 3)

    ug.check_gradients(f, array((2,)))
    found = disagreements(f, array((2,)), order=2)
    assert {each.verdict for each in found} == {"wrong"}
    assert all(each.output.startswith(("the gradient by args[0]", "the tangent of output")) for each in found)


# --- points without a derivative -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("f", "x", "left", "right", "ours"),
    [
        (abs, [1.0, 0.0], -1, 1, 0),
        (ug.nn.relu, [1.0, 0.0], 0, 1, 0),
        (lambda x: ug.max(x), [1.0, 1.0], 0, 1, 0.5),
    ],
    ids=["abs", "relu", "ties of max"],
)
def test_kinks(f, x: list[float], left: float, right: float, ours: float, dtype: str) -> None:
    found = disagreements(f, np.asarray(x, dtype))
    assert {each.verdict for each in found} == {"kink"}
    assert "args[0][1]" in {each.input for each in found}
    for each in found:
        assert (round(each.left, 6), round(each.right, 6), each.ours) == (left, right, ours)
    with pytest.raises(ug.GradientError, match=rf"at a kink: left slope {left}, right slope {right}"):
        ug.check_gradients(f, np.asarray(x, dtype))
    ug.check_gradients(f, np.asarray(x, dtype), kinks="accept")


def test_a_slope_outside_of_a_kink_is_not_accepted() -> None:
    found = disagreements(lambda x: abs(x) + wrong_by_three(x), np.zeros(2), kinks="accept")
    assert {(each.verdict, each.ours) for each in found} == {("kink", 3.0)}


def test_beside_a_kink_is_not_at_it() -> None:
    ug.check_gradients(abs, np.array([1e-3, -1e-6]))
    assert {each.verdict for each in disagreements(lambda x: abs(x) + wrong_by_three(x), np.array([1e-3]))} == {"wrong"}


def test_jumps_and_edges() -> None:
    ug.check_gradients(ug.floor, np.array([0.5, 1.75]))
    assert {each.verdict for each in disagreements(ug.floor, np.array([1.0]))} == {"no derivative"}
    ug.check_gradients(lambda x: x**1.5, np.array([0.0]))  # defined on one side
    assert {each.verdict for each in disagreements(ug.sqrt, np.array([0.0]))} == {"not finite"}


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_gradient_that_is_nan(dtype: str) -> None:
    found = disagreements(lambda x: x + 0 * (wrong_by_three(x) / 0.0), array((2,), dtype), modes=("reverse",))
    assert found
    found = disagreements(lambda x: ug.where(x > 0, x, ug.sqrt(x * 0)), np.array([2.0], dtype))
    assert {each.verdict for each in found} == {"not finite"}
    assert all(each.numerical == pytest.approx(1) for each in found)


# --- accuracy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("part", [1e-2, 1e-3])
def test_small_errors_are_found(part: float, dtype: str) -> None:
    def f(x):
        return ug.sin(x) + part * (x - x.detach())

    assert len(disagreements(f, array((3,), dtype), modes=("reverse",))) == 3


@pytest.mark.parametrize("dtype", DTYPES)
def test_hard_but_right_functions_pass(dtype: str) -> None:
    ug.check_gradients(ug.log, np.array([1e-3, 1e-6, 3, 1e5], dtype))
    ug.check_gradients(lambda x: 1 / x, np.array([1e-3, -2, 1e4], dtype))
    ug.check_gradients(lambda x: ug.sin(20 * x), array((3,), dtype))
    ug.check_gradients(lambda x: ug.nn.softmax(5 * x).sum(), array((3, 4), dtype))  # nothing but rounding
    ug.check_gradients(lambda x: (x * x).sum() + 1e6, array((3,), dtype))
    a = array((3, 3), dtype)
    ug.check_gradients(ug.linalg.inv, a)
    ug.check_gradients(ug.linalg.cholesky, a @ a.T + np.eye(3, dtype=dtype))


def test_a_function_that_takes_float32_only() -> None:
    def f(x):
        if x.dtype != ug.float32:
            raise TypeError("float32, please")
        return ug.sin(x)

    ug.check_gradients(f, array((3,), "float32"))
    with pytest.raises(ug.GradientError, match="numerical derivatives in float32, since float64 gave TypeError"):
        ug.check_gradients(lambda x: f(x) + wrong_by_three(x), array((3,), "float32"))


def test_a_function_that_computes_in_float32_whatever_it_gets() -> None:
    ug.check_gradients(lambda x: ug.exp(x.astype(ug.float32)), array((3,)))


# --- many elements ---------------------------------------------------------------------------------------


def test_of_many_inputs_one_wrong_element_is_found() -> None:
    x = array((50, 20))
    ug.check_gradients(lambda x: ug.sin(x).sum(), x)
    found = disagreements(lambda x: ug.sin(x).sum() + wrong_by_three(x)[7, 8], x)
    assert {(each.input, each.output) for each in found} == {("args[0][7, 8]", "output")}


def test_of_many_outputs_one_wrong_element_is_found() -> None:
    x, spread = array((3,)), np.linspace(-1, 1, 1500).reshape(3, 500)
    wrong = np.zeros(500)
    wrong[123] = 1

    def f(x):
        return ug.sin(x @ ug.asarray(spread)) + wrong_by_three(x)[1] * ug.asarray(wrong)

    found = disagreements(f, x)
    assert {(each.input, each.output, each.mode) for each in found} == {
        ("args[0][1]", "output[123]", mode) for mode in ("reverse", "forward")
    }


# --- manners ---------------------------------------------------------------------------------------------


def test_nothing_is_changed() -> None:
    x, w = ug.asarray(array((2,))), ug.asarray(array((2,)))
    x.attach_grad()
    w.attach_grad()
    before = x.numpy()

    def f(t):
        return t * w + wrong_by_three(t)

    with ug.record():
        y = x * 2
        assert disagreements(f, x)
        assert ug.is_recording()
        assert ug.is_training()
    y.backward()
    assert x.grad.tolist() == [2, 2]
    assert w.grad.tolist() == [0, 0]
    assert np.array_equal(x.numpy(), before)
    values = array((2,))
    disagreements(wrong_by_three, values)
    assert np.array_equal(values, array((2,)))
    assert not ug.is_recording()


def test_an_error_inside_leaves_nothing_behind() -> None:
    def fails(x):
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        ug.check_gradients(fails, array((2,)))
    assert not ug.is_recording()


def test_a_random_function_is_told_as_such() -> None:
    with pytest.raises(ug.GradientError, match="not deterministic"):
        ug.check_gradients(lambda x: x * ug.random.normal(size=2), array((2,)))


def test_the_message_says_it_all() -> None:
    with pytest.raises(ug.GradientError) as caught:
        ug.check_gradients(lambda p: p["w"] ** 2 + wrong_by_three(p["w"]), {"w": np.array([1.0, 2.0])})
    assert isinstance(caught.value, AssertionError)
    text = str(caught.value)
    assert "at 2 elements (numerical derivatives in float64)" in text
    assert (
        "args[0]['w'][0] -> output[0], reverse and forward mode: wrong: the gradient here is 5, numerically 2" in text
    )
    assert "ULP apart" in text


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: ug.check_gradients(abs, 3), ug.ArgumentError),
        (lambda: ug.check_gradients(lambda x: "no", np.ones(2)), ug.ArgumentError),
        (lambda: ug.check_gradients(lambda x: ug.argmax(x), np.ones(2)), ug.ArgumentError),
        (lambda: ug.check_gradients(abs, np.array([1.0, np.nan])), ug.ArgumentError),
        (lambda: ug.check_gradients(abs, np.ones(2), order=0), ug.ArgumentError),
        (lambda: ug.check_gradients(abs, np.ones(2), modes="reverse"), ug.ArgumentError),
        (lambda: ug.check_gradients(abs, np.ones(2), modes=("backward",)), ug.ArgumentError),
        (lambda: ug.check_gradients(abs, np.ones(2), kinks="ignore"), ug.ArgumentError),
    ],
)
def test_bad_input(call, error: type[Exception]) -> None:
    with pytest.raises(error):
        call()


def test_a_wrong_custom_rule_is_found_in_both_modes() -> None:
    @ug.custom_gradient
    def scaled(w, x):
        return w * x, lambda g: (g * x, g * w * ug.asarray([1.0, 1.0, 1.5], dtype=x.dtype))

    w, x = np.array([2.0, 3.0, 4.0]), np.array([5.0, 6.0, 7.0])
    with pytest.raises(ug.GradientError) as caught:
        ug.check_gradients(scaled, w, x)
    assert {found.mode for found in caught.value.disagreements} == {"reverse", "forward"}
    for found in caught.value.disagreements:
        assert (found.input, found.output, found.verdict) == ("args[1][2]", "output[2]", "wrong")
        assert (found.ours, found.relative) == pytest.approx((6.0, 1 / 3))
        assert found.numerical == pytest.approx(4.0)


@pytest.mark.parametrize("power", [2, 3, 5])
@pytest.mark.parametrize("seed", range(4))
def test_an_exact_gradient_is_not_called_wrong(power: int, seed: int) -> None:
    """The numerical derivative is better than its neighbours by chance, and its error estimated too small."""
    rng = np.random.RandomState(seed)
    rng.randn(6)
    z = rng.randn(3, 3) + 1j * rng.randn(3, 3)
    ug.check_gradients(lambda z: ug.abs(ug.linalg.matrix_power(z, power)).sum(), ug.asarray(z))


def test_an_error_beyond_six_digits_is_found() -> None:
    x = ug.asarray(np.array([0.7, 1.3]))

    @ug.custom_gradient
    def slightly_wrong(x: ug.Tensor) -> tuple[ug.Tensor, object]:
        return ug.exp(x), lambda g: g * ug.exp(x) * (1 + 2e-6)

    with pytest.raises(ug.GradientError):
        ug.check_gradients(slightly_wrong, x, modes=("reverse",))
