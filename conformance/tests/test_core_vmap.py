"""vmap: every primitive's batching rule on NumPy, a handful everywhere, and what is no operation."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unigrad as ug
from unigrad.interpreters.batches import Batched, mapped
from unigrad.table import PRIMITIVES

ALL = slice(None, None, None)
FRAMEWORKS = ("numpy", "torch", "tensorflow", "mxnet", "jax")


def _numbers(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


def _square(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Symmetric positive definite matrices with eigenvalues well apart."""
    found = _numbers(*shape, seed=seed) * 0.2 + np.diag(np.arange(1.0, shape[-1] + 1))
    return (found + np.swapaxes(found, -1, -2)) / 2


def _whole(high: int, *shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).integers(0, high, shape)


Make = Callable[[int], np.ndarray[Any, Any]]
_x: Make = lambda seed: _numbers(3, 4, seed=seed)  # noqa: E731
_cube: Make = lambda seed: _numbers(2, 3, 4, seed=seed)  # noqa: E731
_matrix: Make = lambda seed: _square(3, 3, seed=seed)  # noqa: E731
_complex: Make = lambda seed: _numbers(3, 4, seed=seed) + 1j * _numbers(3, 4, seed=seed + 9)  # noqa: E731
_apart = (ALL, np.array([0, 2]), ALL, 1)  # index arrays with a slice between them: their axes come first

_images: Make = lambda seed: _numbers(2, 1, 4, 5, seed=seed)  # noqa: E731
_POOLS = (((2, 2), (2, 2), (1, 1)), ((2, 3), (1, 2), (2, 1)))


def _tops(statics: tuple[Any, ...]) -> Make:
    """What has the shape of the largest elements of the windows."""
    sizes, strides, dilations = statics
    images: Make = lambda seed: _numbers(2, 1, 4, 5, seed=seed + 1)  # noqa: E731
    return lambda seed: ug.nn.max_pool2d(images(seed), sizes, stride=strides, dilation=dilations).numpy()


# Of each primitive: arrays by a seed, and its statics.
CALLS: dict[str, list[tuple[Sequence[Make], tuple[Any, ...]]]] = {
    "all": [([_x], ((0,), False))],
    "any": [([_x], ((1,), True))],
    "argmax": [([_x], (1, False))],
    "argmin": [([_x], (0, True))],
    "attention": [
        ([lambda seed: _numbers(2, 3, 4, seed=seed), lambda seed: _numbers(2, 5, 4, seed=seed + 1),
          lambda seed: _numbers(2, 5, 2, seed=seed + 2)], (0.5, causal))
        for causal in (False, True)
    ],
    "argsort": [([_x], (0, True)), ([_x], (1, False))],
    "astype": [([_x], (ug.float32,))],
    "broadcast_to": [([_x], ((2, 3, 4),)), ([lambda seed: _numbers(3, 1, seed=seed)], ((3, 5),))],
    "triangle": [([_x], (0, True, -1.0)), ([_cube], (1, False, 0.0))],
    "cholesky": [([_matrix], ())],
    "cofactors": [([_matrix], ())],
    "cofactors_along": [([_matrix, _matrix], ())],
    "concat": [([_x, lambda seed: _numbers(2, 4, seed=seed + 1)], (0,)), ([_x, _x], (1,))],
    "convolution": [
        ([lambda seed: _numbers(2, 4, 6, seed=seed), lambda seed: _numbers(6, 2, 3, seed=seed + 1)],
         ((2,), ((1, 0),), (1,), 2)),
        ([lambda seed: _numbers(1, 1, 4, 4, seed=seed), lambda seed: _numbers(2, 1, 2, 3, seed=seed + 1)],
         ((1, 1), ((0, 0), (1, 1)), (1, 1), 1)),
    ],
    "convolve": [
        ([lambda seed: _numbers(5, seed=seed), lambda seed, size=size: _numbers(size, seed=seed + 1)], (valid,))
        for size, valid in ((2, False), (7, False), (2, True), (4, True))
    ],
    "cross_entropy": [([_x, lambda seed: _whole(4, 3, seed=seed)], ())],
    "cumulative_max": [([_x], (1,))],
    "cumulative_min": [([_x], (0,))],
    "cumulative_prod": [([_x], (0,))],
    "cumulative_sum": [([_x], (1,))],
    "det": [([_matrix], ())],
    "eig": [([_matrix], ())],
    "eigh": [([_matrix], ())],
    "eigvals": [([_matrix], ())],
    "eigvalsh": [([_matrix], ())],
    "einsum": [([_x, lambda seed: _numbers(4, seed=seed + 1)], ("ab,b->a",)), ([_x, _x, _x], ("ab,cb,cd->ad",))],
    "embedding": [
        ([_x, lambda seed: _whole(3, 5, seed=seed)], ()), ([_cube, lambda seed: _whole(2, 2, 3, seed=seed)], ()),
    ],
    "embedding_back": [
        ([_x, lambda seed: _whole(5, 3, seed=seed)], (5,)), ([_cube, lambda seed: _whole(2, 2, 3, seed=seed)], (2,)),
    ],
    "fft": [([_complex], (0, True))],
    "flip": [([_x], ((0, 1),)), ([_x], ((1,),))],
    "getitem": [
        ([_x], ((ALL, slice(3, None, -2)),)),
        ([_x], ((None, 1, np.array([[0, 3], [1, 1]])),)),
        ([lambda seed: _numbers(2, 3, 2, 4, seed=seed)], (_apart,)),
    ],
    "inv": [([_matrix], ())],
    "irfft": [([_complex], (0, 4))],
    "linear": [
        ([make, lambda seed: _numbers(2, 4, seed=seed + 1), lambda seed: _numbers(2, seed=seed + 2)], ())
        for make in (_x, _cube, lambda seed: _numbers(4, seed=seed))
    ],
    "log_softmax": [([_x], (0,))],
    "logsumexp": [([_cube], ((0, 2), True))],
    "matmul": [
        ([lambda seed, a=a: _numbers(*a, seed=seed), lambda seed, b=b: _numbers(*b, seed=seed + 1)], ())
        for a in ((3,), (2, 3), (4, 2, 3), (5, 1, 2, 3))
        for b in ((3,), (3, 2), (4, 3, 2))
    ],
    "max": [([_x], ((0,), False))],
    "max_pool": [([_images], statics) for statics in _POOLS],
    "sum_pool": [([_images], statics[:2]) for statics in _POOLS],
    "max_pool_along": [
        ([_images, lambda seed: _numbers(2, 1, 4, 5, seed=seed + 1), _tops(statics)], statics) for statics in _POOLS
    ],
    "max_pool_back": [
        ([_tops(statics), lambda seed: _numbers(2, 1, 4, 5, seed=seed + 1), _tops(statics)], statics)
        for statics in _POOLS
    ],
    "mean": [([_cube], ((1,), False)), ([_cube], ((), True))],
    "min": [([_cube], ((0, 1, 2), False))],
    "normalised": [
        ([_x, lambda seed: _numbers(4, seed=seed + 1), lambda seed: _numbers(4, seed=seed + 2)], ((1,), 0.1)),
        ([_cube, lambda seed: _numbers(3, 1, seed=seed + 1), lambda seed: _numbers(1, 4, seed=seed + 2)],
         ((0, 2), 0.1)),
    ],
    "permute_dims": [([_cube], ((2, 0, 1),))],
    "pinv": [([_x, lambda seed: np.asarray(1e-9)], ())],
    "prod": [([_x], ((1,), True))],
    "qr": [([lambda seed: _numbers(4, 3, seed=seed)], (True,))],
    "reshape": [([_x], ((2, 6),)), ([_x], ((12,),))],
    "rfft": [([_x], (0,))],
    "scatter": [
        ([lambda seed: _numbers(2, 3, seed=seed)], ((slice(0, 4, 3), ALL), (5, 3))),
        ([lambda seed: _numbers(2, 2, 2, seed=seed)], (_apart, (2, 3, 2, 4))),
    ],
    "scatter_along_axis": [([_x, lambda seed: _whole(5, 3, 4, seed=seed)], (0, (5, 4)))],
    "searchsorted": [
        ([lambda seed: np.sort(_whole(4, 5, seed=seed)), lambda seed: _whole(5, 2, 3, seed=seed + 1)], (side,))
        for side in (False, True)
    ],
    "setitem": [([_x, lambda seed: _numbers(3, 2, seed=seed + 1)], ((ALL, slice(0, 3, 2)),))],
    "slogdet": [([_matrix], ())],
    "softmax": [([_x], (0,)), ([_cube], (2,))],
    "standardised": [([_cube], ((0, 2), 0.1))],
    "solve": [
        ([_matrix, lambda seed: _numbers(3, 2, seed=seed + 1)], ()),
        ([lambda seed: _square(2, 3, 3, seed=seed), lambda seed: _numbers(2, 3, 1, seed=seed + 1)], ()),
    ],
    "stack": [([_x, _x], (1,)), ([_x], (0,))],
    "sum": [([_cube], ((1,), False)), ([_cube], ((), True))],
    "svd": [([_matrix], (False,))],
    "svdvals": [([_x], ())],
    "take_along_axis": [
        ([_x, lambda seed: _whole(3, 2, 4, seed=seed)], (0,)),
        ([lambda seed: _numbers(4, seed=seed), lambda seed: _whole(4, 6, seed=seed)], (0,)),
    ],
    "variance": [([_cube], ((1,), False, 0.5))],
    "vector_norm": [([_x], ((1,), False, 3.0))],
    "windows": [([_cube], ((2, 2), (1, 2), (1, 1)))],
}  # fmt: skip


def _check(name: str, makes: Sequence[Make], statics: tuple[Any, ...], which: Sequence[bool], size: int = 3) -> None:
    """The primitive of a batch, of those arrays that ``which`` marks, is the stack of it of each element."""
    row = PRIMITIVES[name]
    bound = ug.asarray(0.0)._bound

    def call(*arrays: Any) -> Any:
        return getattr(bound, name)(list(arrays), *statics) if row.variadic else getattr(bound, name)(*arrays, *statics)

    batches = [
        np.stack([make(10 * position + number) for number in range(size)]) if marked else make(10 * position)
        for position, (make, marked) in enumerate(zip(makes, which, strict=True))
    ]
    found = ug.vmap(call, in_axes=tuple(0 if marked else None for marked in which))(*map(ug.asarray, batches))
    each = [
        call(*[ug.asarray(x[number] if marked else x) for x, marked in zip(batches, which, strict=True)]).numpy()
        for number in range(size)
    ]
    assert found.dtype == each[0].dtype
    np.testing.assert_allclose(found.numpy(), np.stack(each), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", CALLS)
def test_each_rule(name: str) -> None:
    for makes, statics in CALLS[name]:
        for number in range(1, 2 ** len(makes)):
            _check(name, makes, statics, [bool(number >> place & 1) for place in range(len(makes))])


def test_every_primitive_has_a_rule() -> None:
    others = {name for name, row in PRIMITIVES.items() if row.kind not in ("elementwise", "comparison")}
    ruled = {name for name in others if PRIMITIVES[name].batching is not None}
    # One pair of vectors after the other: all at once would take memory for their products.
    assert ruled | {"convolve"} == set(CALLS) == others


@settings(max_examples=40)
@given(
    st.lists(st.integers(1, 3), max_size=3),
    st.lists(st.integers(1, 3), max_size=3),
    st.booleans(),
    st.booleans(),
    st.integers(0, 3),
)
def test_elementwise_operations_broadcast(
    first: list[int], second: list[int], left: bool, right: bool, size: int
) -> None:
    common = max(len(first), len(second))
    for back in range(1, min(len(first), len(second)) + 1):  # made to fit
        if 1 not in (first[-back], second[-back]):
            second[-back] = first[-back]
    x = _numbers(*((size,) if left else ()), *first)
    y = _numbers(*((size,) if right or not left else ()), *second, seed=1)
    found = ug.vmap(
        lambda x, y: ug.atan2(x, y) + ug.where(x > y, x, y),
        in_axes=(0 if left else None, 0 if right or not left else None),
    )(x, y)
    assert found.ndim == 1 + common
    for number in range(size):
        a, b = (x[number] if left else x), (y[number] if right or not left else y)
        np.testing.assert_allclose(found[number], np.arctan2(a, b) + np.maximum(a, b), rtol=1e-12)


@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_a_handful_everywhere(backend: str) -> None:
    with ug.use_backend(backend):
        for name in ("matmul", "getitem", "solve", "cross_entropy") if backend != "jax" else ("matmul",):
            makes, statics = CALLS[name][-1]
            for which in ([True] * len(makes), [True] + [False] * (len(makes) - 1)):
                _check(name, makes, statics, which, size=2)


@pytest.mark.parametrize("backend", FRAMEWORKS)
def test_raw_arrays_in_and_out(backend: str) -> None:
    with ug.use_backend(backend):
        raw = ug.asarray([[1.0, 2.0], [3.0, 4.0]]).raw
        found = ug.vmap(ug.grad(lambda x: ug.sum(x * x)))(raw)
        assert type(found) is type(raw)
        assert ug.asarray(found).tolist() == [[2, 4], [6, 8]]


def test_one_matrix_product() -> None:
    """x @ w over a batch of x is one product of matrices."""
    numpy = (ug.ones((1, 1)) @ ug.ones((1, 1)))._bound  # the function is written when it is first called
    shapes = []
    bound = numpy.matmul

    def spied(x1: Any, x2: Any) -> Any:
        shapes.append((x1.shape, x2.shape))
        return bound(x1, x2)

    numpy.matmul = spied
    try:
        ug.vmap(lambda x, w: ug.matmul(x, w), in_axes=(0, None))(np.ones((5, 2, 3)), np.ones((3, 4)))
    finally:
        numpy.matmul = bound
    assert ((10, 3), (3, 4)) in shapes


def test_vmap_and_the_other_transforms() -> None:
    x = _numbers(3, 2)

    def f(x: Any) -> Any:
        return ug.sum(x**3)

    np.testing.assert_allclose(ug.vmap(ug.grad(f))(x), 3 * x**2)
    np.testing.assert_allclose(ug.grad(lambda x: ug.sum(ug.vmap(f)(x)))(x), 3 * x**2)
    np.testing.assert_allclose(ug.grad(lambda x: ug.sum(ug.vmap(ug.grad(f))(x)))(x), 6 * x)
    np.testing.assert_allclose(ug.jvp(ug.vmap(f), (x,), (x,))[1], (3 * x**3).sum(axis=1))
    np.testing.assert_allclose(ug.vmap(lambda x, t: ug.jvp(f, (x,), (t,))[1])(x, x), (3 * x**3).sum(axis=1))
    np.testing.assert_allclose(ug.vmap(ug.vmap(ug.grad(lambda x: x**3)))(x), 3 * x**2)
    diagonal = 6 * x[:, :, None] * np.eye(2)
    for mode in ("reverse", "forward"):
        np.testing.assert_allclose(ug.vmap(ug.jacobian(ug.grad(f), mode=mode))(x), diagonal)


def test_derivatives_that_ask_for_zeros_ask_the_whole_batch() -> None:
    x = np.array([[1.0, 2.0, 3.0], [2.0, 0.0, 4.0]])

    def tangent(x: Any, t: Any) -> Any:
        return ug.jvp(lambda x: ug.cumulative_prod(x), (x,), (t,))[1]

    found = ug.vmap(tangent)(x, np.ones((2, 3)))
    np.testing.assert_allclose(found, [[1, 3, 11], [1, 2, 8]])


def test_operations_that_read_values() -> None:
    x = np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 4.0]])
    q = np.array([0.0, 0.75])
    np.testing.assert_allclose(ug.vmap(lambda x, q: ug.quantile(x, q))(x, q), [1.0, 5.0])
    np.testing.assert_allclose(ug.vmap(ug.grad(lambda q: ug.quantile(ug.asarray(x[0]), q)))(q + 0.125), [2.0, 2.0])
    np.testing.assert_array_equal(
        ug.vmap(lambda bins: ug.digitize(ug.asarray([0.5, 2.5]), bins))(np.array([[0.0, 1, 2], [1, 2, 3]])),
        [[1, 3], [0, 2]],
    )
    np.testing.assert_array_equal(ug.vmap(lambda x: ug.isin(x, x[:1]))(x), [[True, False, False], [True, True, False]])
    assert ug.vmap(lambda i: ug.nn.one_hot(i, 3))(np.array([2, 0])).tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(ug.IndexRangeError):
        ug.vmap(lambda i: ug.nn.one_hot(i, 2))(np.array([2, 0]))
    for f in (ug.nonzero, ug.unique_values, lambda x: ug.repeat(x, x.astype(int)), lambda x: x[x > 1]):
        with pytest.raises(ug.UnsupportedError):
            ug.vmap(f)(x)


def test_keys_of_mixed_kinds() -> None:
    x = _numbers(2, 2, 3, 4)
    i, j = np.array([1, 0]), np.array([[0, -1], [2, 1]])
    keys: list[Callable[[Any, Any], Any]] = [
        lambda i, j: i,
        lambda i, j: (slice(None), j),
        lambda i, j: (i, slice(None), np.array([3, 0])),
        lambda i, j: (np.array([0, 1]), slice(1, None), j),
        lambda i, j: (None, i, ..., slice(None, None, 2)),
        lambda i, j: (j[:, None] % 2, j, ...),
        lambda i, j: (i, j, -1),
    ]
    for key in keys:
        found = ug.vmap(lambda x, i, j, key=key: x[key(i, j)])(x, i, j)
        expected = np.stack([x[n][key(i[n], j[n])] for n in range(2)])
        np.testing.assert_array_equal(found, expected)

        def written(x: Any, i: Any, j: Any, key: Any = key) -> Any:
            y = x * 1
            y[key(i, j)] = 7.0
            return y

        again = x.copy()
        for n in range(2):
            again[n][key(i[n], j[n])] = 7.0
        np.testing.assert_array_equal(ug.vmap(written)(x, i, j), again)


def test_masks_that_differ_are_written_under() -> None:
    x = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 0.0], [0.5, 9.0]]])

    def rows(x: Any) -> Any:
        y = x * 1
        y[x[:, 0] > 2] = ug.asarray([-1.0, -2.0])
        return y

    np.testing.assert_array_equal(ug.vmap(rows)(x), [[[1, 2], [-1, -2]], [[-1, -2], [0.5, 9]]])

    def too_many(x: Any) -> Any:
        y = x * 1
        y[x > 2] = ug.asarray([1.0, 2.0, 3.0])
        return y

    with pytest.raises(ug.UnsupportedError, match=r"ug\.where"):
        ug.vmap(too_many)(x)


def test_without_a_letter_einsum_loops() -> None:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    arrays = [np.ones((2,) + (1,) * 26), np.full((2,) + (1,) * 26, 3.0)]
    bound = ug.asarray(0.0)._bound
    subscripts = f"{letters[:26]},{letters[26:]}->{letters[0]}"
    found = ug.vmap(lambda x, y: bound.einsum([x, y], subscripts))(*arrays)
    assert found.tolist() == [[3.0], [3.0]]


def test_threads_map_by_themselves() -> None:
    found: dict[int, Any] = {}

    def work(power: int) -> None:
        found[power] = ug.vmap(ug.grad(lambda x: ug.sum(x**power)))(np.full((4, 2), 2.0))

    threads = [threading.Thread(target=work, args=(power,)) for power in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {power: float(g[0, 0]) for power, g in found.items()} == {1: 1, 2: 4, 3: 12, 4: 32}


def test_an_exception_leaves_nothing_behind() -> None:
    with pytest.raises(ZeroDivisionError):
        ug.vmap(lambda x: x / len(x[:0]) if len(x) > 5 else 1 / 0)(np.ones((2, 2)))
    assert mapped.get() == ()


def test_what_a_batched_tensor_is() -> None:
    seen: list[Any] = []

    def look(x: Any) -> Any:
        seen.extend([isinstance(x, Batched), repr(x), str(x.T.shape), x.dtype, x.device, x.copy().shape, hash(x)])
        return x.astype("float32")

    found = ug.vmap(look)(ug.asarray(_numbers(3, 2)))
    assert seen[:-1] == [True, "Tensor(one of 3 of shape (2,), dtype=float64)", "(2,)", ug.float64, "cpu", (2,)]
    assert found.dtype == ug.float32
    with pytest.raises(ug.UnsupportedError, match="attach_grad"):
        ug.vmap(lambda x: x.attach_grad())(ug.ones((2, 2)))
    assert ug.vmap(lambda x: ug.asarray([x[1], x[0]]))(ug.asarray([[1.0, 2.0], [3.0, 4.0]])).tolist() == [
        [2, 1],
        [4, 3],
    ]


def test_errors_tell_of_the_batch() -> None:
    with pytest.raises(ug.ShapeError) as caught:
        ug.vmap(lambda x: x + ug.ones(3))(ug.ones((4, 2)))
    assert "the batch of 4" in caught.value.__notes__[0]
