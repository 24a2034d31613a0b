"""What the PyTorch adapter does for speed, and what must hold all the same."""

from __future__ import annotations

import operator
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unigrad_conformance import catalogue
from unigrad_conformance.case import Case

import unigrad as ug

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def on_torch() -> Iterator[None]:
    with ug.use_backend("torch"):
        yield


OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.lt, operator.le, operator.gt, operator.ge,
    operator.eq, operator.ne,
]  # fmt: skip
X = [-2.5, -0.0, 0.0, 1 / 3, 7.0, float("inf"), float("nan")]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(number=st.one_of(st.floats(), st.floats(-9, 9, width=16), st.integers(-(2**62), 2**62), st.integers(-9, 9)))
def test_numbers_beside_arrays_round_as_numpy_does(dtype: str, number: float) -> None:
    x = np.array(X, dtype)
    ours = ug.asarray(x)
    with np.errstate(all="ignore"):
        scalar = x.dtype.type(number)
        for function in OPERATORS:
            for _ in range(3):  # the number itself, a tensor made of it, that tensor again
                for theirs, found in (
                    (function(x, scalar), function(ours, number)),
                    (function(scalar, x), function(number, ours)),
                ):
                    assert found.dtype == theirs.dtype
                    np.testing.assert_array_equal(found.numpy(), theirs)
                    if theirs.dtype != bool:
                        known = ~np.isnan(theirs)
                        np.testing.assert_array_equal(np.signbit(found.numpy())[known], np.signbit(theirs)[known])


def test_what_inference_mode_met_or_recorded_serves_outside() -> None:
    with torch.inference_mode():
        x = ug.asarray([1.0, 2.0])
        for _ in range(3):
            x * 0.7109375
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    for _ in range(3):
        with ug.record():
            y = x * 0.7109375
        y.backward()
        assert x.grad.tolist() == [0.7109375, 0.7109375]
    with torch.inference_mode(), ug.record():
        y = x * x
    y.backward()
    assert x.grad.tolist() == [2, 4]
    with torch.inference_mode():
        made = torch.tensor([1.0, 2.0])
    assert ug.grad(lambda x: (x * x).sum())(made).tolist() == [2, 4]


def test_pytorchs_forward_mode_meets_no_derivative_of_its_own_where_ours_is_another() -> None:
    forward_ad = torch.autograd.forward_ad
    with torch.no_grad(), forward_ad.dual_level():
        x = forward_ad.make_dual(torch.tensor([float("nan")]), torch.ones(1))
        with pytest.raises(ug.OperationError, match="jvp"):  # where PyTorch's of abs is 0
            ug.abs(x)
        y = forward_ad.make_dual(torch.tensor([7.0]), torch.ones(1))
        value, tangent = forward_ad.unpack_dual(ug.floor_divide(ug.asarray(y), 2.0).raw)
        assert (value.tolist(), tangent.tolist()) == ([3], [0])


def test_a_number_beside_a_fake_array() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    real = ug.asarray([1.0, 2.0])
    for _ in range(3):
        real + 0.2890625
    with FakeTensorMode() as mode:
        for number in (0.2890625, 0.2890626):
            for _ in range(3):
                found = (ug.asarray(mode.from_tensor(torch.ones(2))) + number).raw
                assert found.shape == (2,)
    assert (real + 0.2890626).tolist() == [np.float32(1.2890626), np.float32(2.2890625)]


def shared_by_reshaping(ug: Any, x: Any, y: Any) -> Any:
    return x.reshape(-1) + y.reshape(-1)


def parts_of_one(ug: Any, x: Any, y: Any) -> Any:
    return ug.concat([x.reshape(-1), y.reshape(-1)])


def stretched(ug: Any, x: Any, y: Any) -> Any:
    return x.sum() + y.sum()


def the_same(ug: Any, x: Any, y: Any) -> Any:
    return x + y


@pytest.mark.parametrize("function", [shared_by_reshaping, parts_of_one, stretched, the_same])
@pytest.mark.parametrize("operations", [0, 100])
@pytest.mark.parametrize("cotangent", [True, False])
def test_gradients_have_memory_of_their_own(function: Callable[..., Any], operations: int, cotangent: bool) -> None:
    x, y = ug.ones((2, 2)), ug.ones((2, 2))
    for leaf in (x, y):
        leaf.attach_grad()
    with ug.record():
        z = function(ug, x, y)
        for _ in range(operations):
            z = z + 0
    head_grad = ug.ones(z.shape) if cotangent else None
    z.backward(head_grad)
    raws = [x.grad.raw, y.grad.raw, *([] if head_grad is None else [head_grad.raw])]
    for position, raw in enumerate(raws):
        raw.fill_(position + 5)
    for position, raw in enumerate(raws):
        assert (raw == position + 5).all()
    assert all(raw.untyped_storage().nbytes() == raw.nbytes for raw in raws)


def test_a_hook_that_writes_to_its_gradient_spoils_no_later_one() -> None:
    x = ug.asarray(3.0)
    x.attach_grad()
    for hook in (lambda g: g.mul_(2), None, None):
        with ug.record():
            y = x + 0
        if hook is not None:
            y.raw.register_hook(hook)
        y.backward()
    assert x.grad.tolist() == 1


def test_what_was_released_stays_so_when_its_graph_is_used_again() -> None:
    x = ug.asarray([1.0, 2.0])
    x.attach_grad()
    with ug.record():
        held = x * 3
        (held * 2).backward()
    for _ in range(3):
        with ug.record():
            y = x
            for _ in range(50):
                y = y * 1
        y.backward()
        assert x.grad.tolist() == [1, 1]
    with pytest.raises(ug.GraphFreedError):
        held.backward()
    with ug.record():
        y = held * 2
    with pytest.raises(ug.GraphFreedError):
        y.backward()


FUNCTORCH = """
import torch, unigrad as ug
ug.set_backend("torch")
w = ug.asarray([2.0, 3.0])
w.attach_grad()
with ug.record():
    y = (w * w).sum()
y.backward()
assert w.grad.tolist() == [4, 6]
def slope(row):
    with ug.record():
        y = (ug.asarray(row) * w).sum()
    return ug.gradients(y, w).raw
assert torch.func.vmap(slope)(torch.ones(3, 2)).tolist() == [[1, 1]] * 3
found = torch.func.vmap(ug.grad(lambda x: (ug.sin(x) * w).sum()))(torch.ones(3, 2))
expected = torch.cos(torch.ones(3, 2)) * torch.tensor([2.0, 3.0])
assert torch.allclose(found, expected), found
with ug.record():
    y = (w * w).sum()
y.backward()
assert w.grad.tolist() == [4, 6]
"""


def test_torch_func_after_a_recording() -> None:
    # In a process of its own: operations ask whether they are inside torch.func only once that was met.
    subprocess.run([sys.executable, "-c", FUNCTORCH], check=True)


def test_shapes_that_do_not_fit_are_told_although_pytorch_checks_them() -> None:
    with pytest.raises(ug.ShapeError, match=r"labels of shape \(3,\) do not fit logits of shape \(2, 4\)"):
        ug.nn.cross_entropy(ug.ones((2, 4)), ug.asarray([0, 1, 2]))
    with pytest.raises(ug.IndexRangeError):
        ug.nn.cross_entropy(ug.ones((2, 4)), ug.asarray([0, 4]))


def test_a_checkpoint_meets_numbers_for_the_first_time_and_after_many_others() -> None:
    """Numbers that become tensors when they are met again would be kept by the second run of it alone."""
    x = ug.asarray(1.0).to_backend("torch")
    for number in [2.5, 0.1, *(3 + 0.01 * step for step in range(300)), 2.5, 2.5]:
        found = ug.grad(ug.checkpoint(lambda a, number=number: ug.sin(a) * number / (number + 1)))(x)
        assert abs(float(found) - np.cos(1) * number / (number + 1)) < 1e-5


def _results(case: Case) -> dict[str, Any]:
    """What a case finds, to the bit."""
    ug.random.seed(0)
    with np.errstate(all="ignore"):
        found = (case.quick or case.run)(ug, *case.inputs)
    raws = {name: value.numpy() if isinstance(value, ug.Tensor) else value for name, value in found.items()}
    return {name: (x.dtype, x.tobytes()) if isinstance(x, np.ndarray) else repr(x) for name, x in raws.items()}


IN_REGIONS = [
    "matmul*", "einsum*", "operator.imatmul*", "linalg*", "fft.fft*", "fft.rfft*", "convolve*", "nn.linear*",
    "nn.scaled*", "nn.conv2d*", "nn.cross_entropy*", "prod*", "dtypes.[c-p]*", "transforms.*ja*",
]  # fmt: skip


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.filterwarnings("ignore")
def test_autocast_regions_change_nothing(dtype: Any) -> None:
    """Values, dtypes and gradients of what PyTorch would compute in another dtype there, in every mode."""
    for case in catalogue.chosen(IN_REGIONS, everyday=True):
        expected = _results(case)
        with torch.autocast("cpu", dtype=dtype):
            assert _results(case) == expected, case.name
            assert torch.is_autocast_enabled("cpu")


def test_a_backward_in_a_region_has_the_digits_of_one_outside() -> None:
    x, w = ug.asarray([[1.0, 2.0]]), ug.asarray([[1.001], [0.3]])
    x.attach_grad()
    with torch.autocast("cpu"):
        with ug.record():
            y = (x @ w).sum()
        y.backward()
    assert x.grad.tolist() == w.T.tolist()


def test_a_function_of_pytorchs_own_keeps_its_region() -> None:
    x = ug.asarray([[1.0, 2.0]])
    x.attach_grad()
    with torch.autocast("cpu"):
        with ug.record():
            y = ug.wrap_native(lambda raw: raw @ torch.ones(2, 2))(x)
            z = (y * y).sum()
        z.backward()
    assert y.dtype == ug.bfloat16
    assert x.grad.tolist() == [[12, 12]]


def _checkpointed(w: Any, y: ug.Tensor) -> ug.Tensor:
    return ug.checkpoint(lambda y: y * y * (w * w))(y).sum()


def _by_rule(w: Any, y: ug.Tensor) -> ug.Tensor:
    square = ug.custom_gradient(lambda y: (y * y, lambda g: 2 * g * y))
    return (square(y) * (w * w)).sum()


CLOSED_OVER: dict[str, Callable[[Any, ug.Tensor], ug.Tensor]] = {
    "operators": lambda w, y: (y * y * (w * w)).sum(),
    "a Tensor": lambda w, y: (y * y * ug.asarray(w) ** 2).sum(),
    "a derivative of our own": lambda w, y: (ug.maximum(y * y * w, 0.0) * w).sum(),
    "checkpoint": _checkpointed,
    "custom_gradient": _by_rule,
    "PyTorch's own function": lambda w, y: (y * y * (w * w).exp().log()).sum(),
}
"""Each w ** 2 times y ** 2."""

INNER: dict[str, Callable[[Any, Any], Any]] = {
    "grad": lambda f, y: ug.grad(f)(y),
    "value_and_grad": lambda f, y: ug.value_and_grad(f)(y)[0] * 3,
    "aux": lambda f, y: ug.grad(lambda y: (f(y), f(y) * 3), has_aux=True)(y)[1],
    "vjp": lambda f, y: ug.vjp(f, y)[1](torch.ones(()))[0],
    "jvp": lambda f, y: ug.jvp(f, (y,), (torch.ones(1),))[1],
    "jacobian": lambda f, y: ug.jacobian(f, mode="reverse")(y),
    "jacobian by columns": lambda f, y: ug.jacobian(f, mode="forward")(y),
    "hessian": lambda f, y: ug.hessian(f)(y) * y,
    "hvp": lambda f, y: ug.hvp(f, (y,), (torch.ones(1),))[0] * y,
    "vmap": lambda f, y: ug.vmap(ug.grad(f))(y),
    "a container": lambda f, y: ug.grad(lambda p: f(p["y"]))({"y": y})["y"],
    "a Tensor": lambda f, y: ug.grad(f)(ug.asarray(y)).raw,
}
"""Each 6 w ** 2, or 27 w ** 2, at y = 3."""


@pytest.mark.parametrize("inner", INNER)
@pytest.mark.parametrize("function", CLOSED_OVER)
def test_what_pytorch_tracks_and_a_transform_closes_over_keeps_its_history(function: str, inner: str) -> None:
    w = torch.tensor(2.0, requires_grad=True)
    found = INNER[inner](lambda y: CLOSED_OVER[function](w, y), torch.tensor([3.0]))
    right = 108.0 if inner in ("value_and_grad", "aux") else 24.0
    assert float(found.detach().sum()) == pytest.approx(right)
    found.sum().backward()
    assert float(w.grad) == pytest.approx(right)


def test_what_unigrad_alone_tracks_leaves_no_history_in_pytorch() -> None:
    ug.asarray(torch.ones(1, requires_grad=True))  # from now on there may be such history
    w = ug.asarray(2.0)
    w.attach_grad()
    y = torch.tensor([3.0])
    assert not ug.grad(lambda y: (y * y * w).sum())(y).requires_grad
    assert not ug.grad(lambda y: (y * y * w).sum())(ug.asarray(y)).raw.requires_grad
    assert not ug.grad(lambda y: (y * y).sum())(torch.tensor([3.0], requires_grad=True)).requires_grad
    with torch.no_grad():
        found = ug.grad(lambda y: (y * y * torch.tensor(2.0, requires_grad=True)).sum())(y)
    assert not found.requires_grad
