"""``ug.compare``: that rows have what each backend answers, and that differences are put down to what explains them."""

from __future__ import annotations

import html.parser
import sys
from typing import Any

import numpy as np
import pytest

import unigrad as ug
from unigrad.looking import compare as looking_compare
from unigrad.looking.distances import distance

BACKENDS = [row.name for row in ug.available_backends() if row.installed]


def loss(w: Any, data: Any) -> Any:
    hidden = ug.sin(data["x"] @ w + data["b"])
    return (hidden * hidden).mean()


W = np.asarray([[0.5, -1.0], [0.25, 2.0]], np.float32)
DATA = {"x": np.asarray([[1.0, 2.0]], np.float32), "b": 0.5, "n": 3, "why": "text"}


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_row_has_what_the_backend_answers(backend: str) -> None:
    found = ug.compare(loss, ug.asarray(W), DATA, backends=["numpy", backend] if backend != "numpy" else backend)
    row = found[backend]
    value, gradient = ug.value_and_grad(loss, (0, 1))(W, {"x": DATA["x"], "b": np.float32(0.5)})
    np.testing.assert_allclose(row.value, value, rtol=1e-6)
    assert list(row.gradients) == ["w", "data['x']", "data['b']"]
    for one, other in zip(row.gradients.values(), [gradient[0], *gradient[1].values()], strict=True):
        assert (one.dtype, one.shape) == (np.float32, other.shape)
        np.testing.assert_allclose(one, other, rtol=1e-4)
    assert found.agree
    assert row.ulp < 16
    assert row.error is None
    assert row.version
    assert 0 < (row.forward or 0) < 10
    assert 0 < (row.backward or 0) < 10
    assert [each.name for each in found] == list(dict.fromkeys(["numpy", backend]))
    assert f"\n{backend} " in str(found)
    assert ug.get_backend() == "numpy"


def torch_ties(x: Any) -> Any:
    import torch

    return 2 * torch.clamp(x, min=0.0).sum()


def tensorflow_ties(x: Any) -> Any:
    import tensorflow as tf

    return 2 * tf.reduce_sum(tf.maximum(x, 0.0))


def jax_ties(x: Any) -> Any:
    import jax.numpy as jnp

    return 2 * jnp.maximum(x, 0.0).sum()


def mxnet_ties(x: Any) -> Any:
    import mxnet as mx

    return 2 * mx.np.maximum(x, 0.0).sum()


def torch_by_hand(x: Any) -> Any:
    x.requires_grad_(True)
    y = 2 * (x * x).sum()
    y.backward()
    return y, x.grad


def tensorflow_by_hand(x: Any) -> Any:
    import tensorflow as tf

    x = tf.Variable(x)
    with tf.GradientTape() as tape:
        y = 2 * tf.tensordot(x, x, axes=1)
    return y, tape.gradient(y, x)


def jax_by_hand(x: Any) -> Any:
    import jax

    return jax.value_and_grad(lambda x: 2 * (x * x).sum())(x)


def mxnet_by_hand(x: Any) -> Any:
    from mxnet import autograd

    x.attach_grad()
    with autograd.record():
        y = 2 * (x * x).sum()
    y.backward()
    return y, x.grad


def numpy_by_hand(x: Any) -> Any:
    return 2 * (x * x).sum(), 4 * x


TIES = {"torch": torch_ties, "tensorflow": tensorflow_ties, "jax": jax_ties, "mxnet": mxnet_ties}
BY_HAND = {
    "torch": torch_by_hand, "tensorflow": tensorflow_by_hand, "jax": jax_by_hand, "mxnet": mxnet_by_hand,
    "numpy": numpy_by_hand,
}  # fmt: skip


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name in TIES])
def test_own_code_that_differs_is_put_down_to_the_convention(backend: str) -> None:
    found = ug.compare(lambda x: ug.maximum(x, 0.0).sum() * 2, ug.asarray([-1.0, 0.0, 2.0]),
                       backends="numpy", native={backend: TIES[backend]})  # fmt: skip
    row = found[f"{backend} native"]
    assert row.is_native
    assert row.error is None
    assert float(row.value) == 4.0
    differs = backend != "jax"
    assert found.agree is not differs
    assert [each.convention for each in found.differences] == ["maximum_zero"] * differs
    # PyTorch's clamp passes all of the cotangent at its bound, and nothing from release 2.15 on.
    assert row.gradients["x"].tolist() in [[0.0, end, 2.0] for end in ((0.0, 2.0) if differs else (1.0,))]


def test_only_the_point_that_is_met_is_named() -> None:
    def by_torch(x: Any) -> Any:
        import torch

        return torch.max(x, 0).values

    found = ug.compare(lambda x: ug.max(x), ug.asarray([1.0, 3.0, 3.0]), backends="numpy", native={"torch": by_torch})
    assert [each.convention for each in found.differences] == ["max_along_axis"]
    found = ug.compare(lambda x: ug.max(x), ug.asarray([1.0, 2.0, 3.0]), backends="numpy", native={"torch": by_torch})
    assert found.agree
    assert not found.differences

    def wrong(x: Any) -> Any:
        return (x * x).sum().sqrt() * 2

    found = ug.compare(lambda x: ug.linalg.norm(x), ug.asarray([3.0, 4.0]), backends="numpy", native={"torch": wrong})
    assert {each.kind for each in found.differences} == {"unexplained"}


@pytest.mark.parametrize("backend", [name for name in BACKENDS if name in BY_HAND])
def test_a_program_by_hand_gives_its_own_gradient(backend: str) -> None:
    x = ug.arange(4.0)
    found = ug.compare(lambda x: 2 * ug.dot(x, x), x, backends="numpy", native={backend: BY_HAND[backend]})
    row = found[f"{backend} native"]
    assert row.error is None
    assert found.agree
    assert row.gradients["x"].tolist() == [0.0, 4.0, 8.0, 12.0]
    assert row.backward is None
    assert "in all" in str(found)
    assert x.grad is None


def test_what_a_framework_is_known_to_lose_is_put_down_to_its_precision() -> None:
    found = ug.compare(ug.tanh, 12.0, backends=["numpy", "torch"])
    (difference,) = found.differences
    assert not found.agree
    assert difference.kind == "precision"
    assert "precision of tanh on torch" in difference.text
    found = ug.compare(lambda x: ug.exp(x).sum(), ug.linspace(-3, 3, 100), backends=["numpy", "torch"])
    assert found.agree
    assert {each.kind for each in found.differences} == {"rounding"}
    assert "least exact there is exp" in str(found.differences[0])


def test_source_is_beside_source() -> None:
    def by_numpy(x: Any) -> Any:
        return x.sum(), np.ones_like(x)  # <b>&

    found = ug.compare(lambda x: x.sum(), ug.ones(2), backends="numpy", native={"numpy": by_numpy})
    assert "def by_numpy(x" in (found["numpy native"].source or "")
    assert "return x.sum(), np.ones_like(x)  # <b>&" in str(found)
    assert "np.ones_like(x)  # &lt;b&gt;&amp;" in found._repr_html_()
    found = ug.compare(lambda x: x.sum(), ug.ones(2), backends="numpy", native={"numpy": np.sum})
    assert "def sum" in (found["numpy native"].source or "")
    found = ug.compare(lambda x: x * 1, ug.ones(2), backends="numpy", native={"numpy": np.positive})
    assert found["numpy native"].source is None
    assert "source cannot be found" in str(found)


def test_numpy_by_itself_has_a_value_and_no_gradient() -> None:
    found = ug.compare(lambda x: x.sum(), ug.ones(2), backends="numpy", native={"numpy": lambda x: x.sum()})
    row = found["numpy native"]
    assert float(row.value) == 2.0
    assert (row.error or "").startswith("UnsupportedError")
    assert found.failed == [row]
    assert found.agree


def test_a_backend_that_fails_has_the_error_and_the_others_answer() -> None:
    def f(x: Any) -> Any:
        if ug.get_backend() == "torch":
            raise ValueError("no <script> today\nsecond line")
        return x * 2

    found = ug.compare(f, 1.5, backends=["torch", "numpy", "mxnet"])
    assert found["torch"].error == "ValueError: no <script> today\nsecond line"
    assert [row.name for row in found.answered] == ["numpy", "mxnet"]
    assert found.reference == "numpy"
    assert found.agree
    assert "no <script> today\\nsecond line" in str(found)
    assert "no &lt;script&gt; today\\nsecond line" in found._repr_html_()
    with pytest.raises(ValueError, match="no <script>"):
        ug.compare(f, 1.5, backends="torch")


def test_a_backend_that_lacks_the_dtype_says_so() -> None:
    found = ug.compare(lambda z: abs(z), np.asarray(3 + 4j), backends=["numpy", "mxnet"])
    assert "complex" in (found["mxnet"].error or "")
    np.testing.assert_allclose(found["numpy"].gradients["z"], 0.6 + 0.8j)


def test_a_framework_whose_import_ends_the_process_is_a_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name, text in {"deadly": "import os\nos._exit(3)", "poor": "raise ImportError('no library')"}.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    from unigrad.adapters import registry
    from unigrad.extend import NativeBackend

    class Of(NativeBackend):
        def __init__(self, name: str) -> None:
            self.name = self.framework = self.distribution = name  # type: ignore[misc]
            self.install = f"pip install {name}"  # type: ignore[misc]

        def load_module(self) -> Any:
            return __import__(self.name)

    monkeypatch.setattr(registry, "_backends", dict(registry._backends) | {n: Of(n) for n in ("deadly", "poor")})
    monkeypatch.setattr(looking_compare, "found_backends", lambda: ["numpy", "deadly", "poor"])
    found = ug.compare(ug.sin, 0.5)
    assert "ends the process (exit status 3)" in (found["deadly"].error or "")
    assert "deadly" not in sys.modules
    assert "no library" in (found["poor"].error or "")
    assert [row.name for row in found.answered] == ["numpy"]


def test_random_numbers_are_the_same_and_left_as_they_were() -> None:
    def f(x: Any) -> Any:
        return (x * ug.random.normal(size=x.shape)).sum()

    ug.random.seed(3)
    state = ug.random.get_state()
    found = ug.compare(f, ug.ones(5), backends=["numpy", "torch"])
    assert ug.random.get_state() == state
    expected = ug.random.normal(size=5).numpy()
    for row in found:
        np.testing.assert_array_equal(row.gradients["x"], expected)


def test_what_is_given_stays_as_it_is() -> None:
    x = ug.ones(3)
    x.attach_grad()
    with ug.record():
        y = x * 2
        found = ug.compare(lambda y: (y * y).sum(), y, backends=["numpy", "torch"])
    assert found.agree
    assert found["torch"].gradients["y"].tolist() == [4.0, 4.0, 4.0]
    assert x.grad.tolist() == [0.0, 0.0, 0.0]
    y.backward()
    assert x.grad.tolist() == [2.0, 2.0, 2.0]


def test_memory_is_that_of_the_arrays() -> None:
    x = ug.ones(1_000_000, dtype=ug.float64)
    memory = ug.compare(lambda x: (ug.sin(x) * x).sum(), x, backends="numpy")["numpy"].memory
    if sys.platform == "linux":
        assert memory is not None
        assert 8e6 < memory < 200e6


def test_results_without_a_gradient_and_in_containers() -> None:
    found = ug.compare(
        lambda x: {"n": (x > 0).sum(), "c": 3.0, "y": (x, 2 * x)}, ug.ones(2), backends=["numpy", "torch"]
    )
    row = found["torch"]
    assert row.value["n"].tolist() == 2
    assert row.value["y"][1].tolist() == [2.0, 2.0]
    assert row.gradients["x"].tolist() == [3.0, 3.0]
    assert ug.compare(lambda x: x > 0, ug.ones(2), backends="numpy")["numpy"].gradients["x"].tolist() == [0.0, 0.0]


class Tags(html.parser.HTMLParser):
    """Which tags there are, and whether each is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_what_users_name_things_is_escaped() -> None:
    hostile = '<script>alert("1")</script>\n\x1b[31m'

    def f(given: Any) -> Any:
        return {hostile: given[hostile] * 2}

    f.__name__ = hostile
    found = ug.compare(f, {hostile: 1.5}, backends=["numpy", "torch"])
    tags = Tags()
    tags.feed(found._repr_html_())
    assert not tags.open
    assert "script" not in tags.seen
    assert "\x1b" not in str(found)
    assert "\x1b" not in found._repr_html_()


@pytest.mark.parametrize(
    ("arguments", "options", "match"),
    [
        ((3,), {}, "takes a function"),
        ((ug.sin, 1.0), {"backends": "nonsense"}, "numpy"),
        ((ug.sin, 1.0), {"backends": ["numpy", "numpy"]}, "once"),
        ((ug.sin, 1.0), {"native": [ug.sin]}, "native="),
        ((ug.sin, 1.0), {"native": {"torch": 3}}, "native="),
        ((ug.sin, 1.0), {"native": {"nonsense": ug.sin}}, "numpy"),
        ((ug.sin,), {"backends": "numpy"}, "sin"),
        ((lambda x: "text", 1.0), {"backends": "numpy"}, "str"),
        ((lambda x: None, 1.0), {"backends": "numpy"}, "lack a return"),
    ],
)
def test_wrong_arguments(arguments: Any, options: Any, match: str) -> None:
    with pytest.raises((ug.UnigradError, TypeError), match=match):
        ug.compare(*arguments, **options)


def test_a_wrong_number_of_gradients_by_hand_is_the_rows_error() -> None:
    found = ug.compare(lambda x, y: x * y, 2.0, 3.0, backends="numpy", native={"numpy": lambda x, y: (x * y, y)})
    assert "1 gradients beside its value, and there are 2 floating arguments: x, y" in (
        found["numpy native"].error or ""
    )


# --- distances ------------------------------------------------------------------------------------------------------


def test_distances_are_in_units_in_the_last_place() -> None:
    for dtype in (np.float16, np.float32, np.float64, np.complex64):
        one = np.asarray([1.0, 1.5, -3.0], dtype)
        other = np.asarray([np.nextafter(x.real, 10, dtype=x.real.dtype) for x in one], dtype)
        found = distance(one, other)
        assert found.ulp == 1.0
        assert found.of_largest == 1.0
        assert found.is_rounding
        assert distance(one, one).ulp == 0.0
        assert not distance(one, -one).is_rounding
    big = distance(np.asarray([1e6, 1e-3], np.float32), np.asarray([1e6, 1.001e-3], np.float32))
    assert big.ulp > 1000
    assert big.is_rounding
    assert big.cancels
    assert distance(np.asarray([1.0, 0.0]), np.asarray([1.0, 2.0**-52])).ulp == 1.0


def test_what_is_not_finite_is_never_rounding() -> None:
    nan, inf = np.asarray([np.nan, np.inf]), np.asarray([np.inf, np.inf])
    assert distance(nan, nan.copy()).ulp == 0.0
    assert distance(nan, inf).ulp == np.inf
    assert not distance(nan, inf).is_rounding
    assert distance(np.asarray([1, 2]), np.asarray([1, 3])).ulp == np.inf
    small = distance(np.asarray([1e-310]), np.asarray([0.0]))
    assert small.subnormal
    assert small.is_rounding


# --- conventions ----------------------------------------------------------------------------------------------------


def test_a_convention_is_one_call() -> None:
    found = ug.compare.convention("maximum_zero")
    assert found.answer == "0.5"
    assert found.frameworks["torch"].gives == "1"
    assert not found.frameworks["torch"].agrees
    assert found.frameworks["jax"].agrees
    assert "torch.clamp(x, min=0.0)" in str(found)
    assert "<table>" in found._repr_html_()
    assert ug.compare.convention("fmax_tie").frameworks["tensorflow"].gives == "absent"


def test_a_convention_that_is_not_there_names_those_that_are_near() -> None:
    with pytest.raises(ug.ArgumentError, match="relu_zero"):
        ug.compare.convention("relu")
    with pytest.raises(ug.ArgumentError, match="maximum_zero"):
        ug.compare.convention("maximum_zeros")
    with pytest.raises(ug.ArgumentError, match="unigrad conventions"):
        ug.compare.convention("qqqq")


def test_without_the_conformance_suite_conventions_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [])
    with pytest.raises(ug.BackendError, match="pip install"):
        ug.compare.convention("relu_zero")
    found = ug.compare(lambda x: ug.maximum(x, 0.0), 0.0, backends="numpy", native={"numpy": lambda x: (x * 0, x + 1)})
    assert [each.kind for each in found.differences] == ["unexplained"]
