"""float16: what it can hold comes out, although sums and squares on the way are beyond it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results

HALVES = Program("halves")
case = HALVES.case


def _filled(ug: Any, value: float, *shape: int) -> Any:
    return ug.asarray(np.full(shape, value, np.float16))


def _signs(ug: Any, size: float, *shape: int) -> Any:
    return ug.asarray(np.where(np.arange(np.prod(shape)) % 2, size, -size).reshape(shape).astype(np.float16))


def _positions(ug: Any, count: int) -> Any:
    return ug.asarray(np.zeros(count, np.int64))


def _slope(ug: Any, f: Callable[..., Any], *values: Any, argnums: int = 0) -> Any:
    """The first element of the gradient of the sum."""
    return ug.grad(lambda *xs: ug.sum(f(*xs)), argnums=argnums)(*values).reshape(-1)[0]


def _is_reference(ug: Any) -> bool:
    return bool(ug.get_backend() == "mpmath")


def _share(ug: Any, f: Callable[..., Any]) -> Any:
    """The slope of one of 70,000 equal numbers that share a thousand: more than float16 can count. The reference counts
    exactly, and takes long: there 70 share one."""
    count = 70 if _is_reference(ug) else 70000

    def shared(x: Any) -> Any:
        found = f(x)
        assert found.dtype == x.dtype
        return found * (count / 70)

    return _slope(ug, shared, _filled(ug, 1, count))


def _bands(ug: Any, size: float) -> Any:
    """An image whose columns are of both signs."""
    return ug.asarray(np.tile(np.float16([-size, size, size, -size] * 2), (1, 1, 8, 1)))


def _number(ug: Any, *values: float) -> Any:
    return ug.asarray(np.float16(values))


# Each with its value, which float16 holds exactly or which is compared at its precision.
OVERFLOWING: dict[str, tuple[Callable[[Any], Any], float]] = {
    "mean": (lambda ug: ug.mean(_filled(ug, 40000, 3)), 40000),
    "terms of a convolution": (
        lambda ug: ug.nn.conv1d(_filled(ug, 1, 1, 2050, 1), _filled(ug, 1, 1, 2050, 1)).sum(),
        2050,
    ),
    "sum beyond the largest": (lambda ug: ug.sum(_number(ug, 6e4, 6e4, -6e4, -3e4)), 30000),
    "product beyond the largest": (lambda ug: ug.prod(_number(ug, 300, 300, 0.5, 0.25)), 11250),
    "running sum beyond the largest": (lambda ug: ug.cumulative_sum(_number(ug, 6e4, 6e4, -6e4))[-1], 60000),
    "running product beyond the largest": (lambda ug: ug.cumulative_prod(_number(ug, 300, 300, 0.5, 0.25))[-1], 11250),
    "power of a number": (lambda ug: (2.5 ** _number(ug, 2, 3))[0], 6.25),
    "mean of many": (lambda ug: ug.mean(_filled(ug, 1, 100000)), 1),
    "nanmean": (lambda ug: ug.nanmean(_filled(ug, 40000, 3)), 40000),
    "average": (lambda ug: ug.average(_filled(ug, 300, 3), weights=_filled(ug, 300, 3)), 300),
    "var": (lambda ug: ug.var(_signs(ug, 200, 400)), 40000),
    "std": (lambda ug: ug.std(_signs(ug, 300, 400)), 300),
    "norm": (lambda ug: ug.linalg.norm(ug.asarray(np.array([300, 400], np.float16))), 500),
    "norm of a matrix": (lambda ug: ug.linalg.matrix_norm(_filled(ug, 300, 2, 2)), 600),
    "norm of order 3": (lambda ug: ug.linalg.vector_norm(_filled(ug, 100, 8), ord=3), 200),
    "cosine": (lambda ug: ug.nn.cosine_similarity(_filled(ug, 300, 4), _filled(ug, 400, 4)), 1),
    "mse_loss": (lambda ug: ug.nn.mse_loss(_filled(ug, 200, 3), _filled(ug, 0, 3)), 40000),
    "avg_pool": (lambda ug: ug.nn.avg_pool1d(_filled(ug, 40000, 1, 1, 4), 4).sum(), 40000),
    "layer_norm": (lambda ug: ug.nn.layer_norm(_signs(ug, 300, 1, 16))[0, 1], 1),
    "rms_norm": (lambda ug: ug.nn.rms_norm(_filled(ug, 400, 1, 4))[0, 1], 1),
    "group_norm": (lambda ug: ug.nn.group_norm(_signs(ug, 300, 1, 2, 8), 2)[0, 0, 1], 1),
    "batch_norm": (lambda ug: ug.nn.batch_norm(_signs(ug, 300, 16, 1), training=True)[1, 0], 1),
    "logsumexp": (lambda ug: ug.nn.logsumexp(_filled(ug, 0, 70000)), 11.15625),
    "softmax": (lambda ug: ug.nn.softmax(_filled(ug, 0, 70000)).sum(), 1),
    "cross_entropy": (lambda ug: ug.nn.cross_entropy(_signs(ug, 20, 4000, 2), ug.asarray(np.zeros(4000, int))), 40),
    "scores of attention": (
        lambda ug: ug.nn.scaled_dot_product_attention(_filled(ug, 100, 1, 64), *[_filled(ug, 100, 3, 64)] * 2)[0, 0],
        100,
    ),
    "l1_loss": (lambda ug: ug.nn.l1_loss(_filled(ug, 40000, 4), _filled(ug, -20000, 4)), 60000),
    "huber_loss": (lambda ug: ug.nn.huber_loss(_filled(ug, 300, 4), _filled(ug, 0, 4), delta=300.0), 45000),
    "smooth_l1_loss": (lambda ug: ug.nn.smooth_l1_loss(_filled(ug, 400, 4), _filled(ug, 0, 4), beta=300.0), 250),
    "mean of squares": (lambda ug: ug.nn.mse_loss(ug.asarray(np.float16([300, 0, 0, 0])), _filled(ug, 0, 4)), 22500),
    "binary cross entropy": (
        lambda ug: ug.nn.binary_cross_entropy_with_logits(
            _filled(ug, 500, 4), _filled(ug, 0, 4), positive_weight=_filled(ug, 500, 4)
        ),
        500,
    ),
    "kl_div": (lambda ug: ug.nn.kl_div(_filled(ug, -200, 400), _filled(ug, 1, 400), reduction="mean"), 200),
    "weights of classes": (
        lambda ug: ug.nn.nll_loss(_filled(ug, -200, 8, 2), ug.asarray(np.zeros(8, int)), weights=_filled(ug, 20000, 2)),
        200,
    ),
    "cosine of long vectors": (lambda ug: ug.nn.cosine_similarity(*[_filled(ug, 40000, 400)] * 2), 1),
    "normalize of zeros": (lambda ug: ug.nn.normalize(_filled(ug, 0, 4)).sum(), 0),
    "quantile": (lambda ug: ug.quantile(ug.asarray(np.float16([-60000, 60000])), 0.75), 30000),
    "trapezoid": (lambda ug: ug.trapezoid(_filled(ug, 40000, 2)), 40000),
    "interp": (
        lambda ug: ug.interp(
            ug.asarray(np.float16(0.75)), ug.asarray(np.float16([0, 1])), ug.asarray(np.float16([-60000, 60000]))
        ),
        30000,
    ),
    "bicubic": (lambda ug: ug.nn.interpolate(_bands(ug, 6e4), size=(2, 3), mode="bicubic")[0, 0, 0, 0], 42780),
    "attention": (lambda ug: ug.nn.scaled_dot_product_attention(*[_filled(ug, 45, 1, 64)] * 3)[0, 0], 45),
}

# 4,096 ones, which float16 adds up to 2,048 one after the other; and what overflows in a derivative alone.
ADDED_UP: dict[str, tuple[Callable[[Any], Any], float]] = {
    "sum over rows": (lambda ug: ug.sum(_filled(ug, 1, 4096, 2), axis=0)[1], 4096),
    "norm of order 1": (lambda ug: ug.linalg.matrix_norm(_filled(ug, 1, 4096, 2), ord=1), 4096),
    "cumulative_sum": (lambda ug: ug.cumulative_sum(_filled(ug, 1, 4096))[4095], 4096),
    "cumulative_prod": (lambda ug: ug.cumulative_prod(_filled(ug, 1.0009765625, 1024))[1023], 2.717),
    "prod": (lambda ug: ug.prod(_filled(ug, 1.0009765625, 1024)), 2.717),
    "einsum": (lambda ug: ug.einsum("ij->j", _filled(ug, 1, 4096, 2))[1], 4096),
    "scatter_add": (
        lambda ug: ug.scatter_add(_filled(ug, 0, 2), _positions(ug, 4096), _filled(ug, 1, 4096))[0],
        4096,
    ),
    "slope of a bias": (lambda ug: _slope(ug, lambda b: b + _filled(ug, 1, 4096, 2), _filled(ug, 1, 2)), 4096),
    "slope of a factor": (lambda ug: _slope(ug, lambda b: b * _filled(ug, 1, 4096, 2), _filled(ug, 1, 2)), 4096),
    "slope of broadcast_to": (lambda ug: _slope(ug, lambda b: ug.broadcast_to(b, (4096, 2)), _filled(ug, 1, 2)), 4096),
    "slope of linear": (
        lambda ug: _slope(
            ug, ug.nn.linear, _filled(ug, 1, 4096, 2), _filled(ug, 1, 3, 2), _filled(ug, 1, 3), argnums=2
        ),
        4096,
    ),
    "slope of take": (lambda ug: _slope(ug, lambda x: ug.take(x, _positions(ug, 4096)), _filled(ug, 1, 2)), 4096),
    "slope of rows": (lambda ug: _slope(ug, lambda x: x[_positions(ug, 4096)], _filled(ug, 1, 2, 1)), 4096),
    "slope of embedding": (
        lambda ug: _slope(ug, lambda w: ug.nn.embedding(_positions(ug, 4096), w), _filled(ug, 1, 2, 1)),
        4096,
    ),
    "running maximum of many": (lambda ug: ug.cummax(_filled(ug, 1, 70 if _is_reference(ug) else 70000))[-1], 1),
    "share of many": (lambda ug: _share(ug, ug.max), 1 / 70),
    "share of columns": (lambda ug: _share(ug, lambda x: ug.min(x.reshape(-1, 1), axis=0)), 1 / 70),
    "running share": (lambda ug: _share(ug, lambda x: ug.cummax(x)[-1]), 1 / 70),
    "share of a window": (lambda ug: _share(ug, lambda x: ug.nn.max_pool1d(x.reshape(1, 1, -1), x.size)), 1 / 70),
    "gelu": (lambda ug: ug.nn.gelu(_number(ug, 6e4))[0], 6e4),
    "second slope of gelu": (
        lambda ug: 1 + _slope(ug, lambda x: ug.grad(lambda x: ug.nn.gelu(x).sum())(x), _number(ug, 700)),
        1,
    ),
    "second slope of erf": (
        lambda ug: 1 + _slope(ug, lambda x: ug.grad(lambda x: ug.erf(x).sum())(x), _number(ug, 6e4)),
        1,
    ),
    "reciprocal": (lambda ug: _slope(ug, lambda x: ug.reciprocal(x) * 1e-4, _number(ug, 2**-10)), -(2**20) * 1e-4),
    "atan2": (lambda ug: _slope(ug, ug.atan2, _number(ug, 400), _number(ug, 300)), 300 / 250000),
    "hypot": (lambda ug: _slope(ug, ug.hypot, _number(ug, 30000), _number(ug, 40000)), 0.6),
    "softsign": (lambda ug: _slope(ug, ug.nn.softsign, _number(ug, 300)), 301**-2),
    "sinc": (lambda ug: _slope(ug, ug.sinc, _number(ug, 100)), 0.01),
    "corrcoef": (lambda ug: ug.corrcoef(_signs(ug, 30000, 8), _signs(ug, 30000, 8))[0, 1], 1),
    "gradient": (lambda ug: ug.gradient(_number(ug, -40000, 0, 40000))[1], 40000),
    "polyval": (lambda ug: _slope(ug, ug.polyval, _number(ug, 1, 0, 0, 0), _number(ug, 100), argnums=1), 30000),
    "polygamma": (lambda ug: ug.special.polygamma(1, _number(ug, 0.109375))[0], 84.978),
    "ldexp": (lambda ug: ug.ldexp(_number(ug, 2**-24), 39)[0], 2**15),
}


@case(
    "what is added up, and what overflows in a derivative alone, is computed in float32",
    **dict.fromkeys(ADDED_UP, True),
    **{f"{name}, dtype": "float16" for name in ADDED_UP},
)
def added_up(ug: Any, names: Collection[str] = tuple(ADDED_UP)) -> Results:
    found = {name: ADDED_UP[name][0](ug) for name in names}
    near = {name: abs(float(y) - ADDED_UP[name][1]) <= 2e-3 * abs(ADDED_UP[name][1]) for name, y in found.items()}
    return near | {f"{name}, dtype": str(y.dtype) for name, y in found.items()}


_SLOW = (
    "gradient",
    "reciprocal",
    "slope of rows",
    "norm of order 1",
    "second slope of gelu",
    "running share",
    "corrcoef",
    "sinc",
    "share of columns",
    "slope of embedding",
    "slope of linear",
    "ldexp",
    "polyval",
)
HALVES.quickly(added_up, [name for name in ADDED_UP if name not in _SLOW], ADDED_UP)


@case("sums and squares that float16 does not hold, on the way to what it does", everyday=True,
      **dict.fromkeys(OVERFLOWING, True), **{f"{name}, dtype": "float16" for name in OVERFLOWING})  # fmt: skip
def overflowing(ug: Any, names: Collection[str] = tuple(OVERFLOWING)) -> Results:
    found = {name: OVERFLOWING[name][0](ug) for name in names}
    near = {name: abs(float(y) - OVERFLOWING[name][1]) <= 2e-3 * OVERFLOWING[name][1] for name, y in found.items()}
    return near | {f"{name}, dtype": str(y.dtype) for name, y in found.items()}


# Without what is made of others that are there.
_MADE_OF_OTHERS = (
    *("nanmean", "average", "std", "norm of a matrix", "cosine", "group_norm", "huber_loss", "mean of squares"),
    *("weights of classes", "cosine of long vectors", "normalize of zeros", "quantile", "trapezoid", "kl_div"),
    *("interp", "attention", "mean of many", "cross_entropy"),
)
HALVES.quickly(overflowing, [name for name in OVERFLOWING if name not in _MADE_OF_OTHERS], OVERFLOWING)


@case("and so their gradients", mean=True, norm=True, layer_norm=True, dtypes=["float16"] * 3)
def gradients_of_halves(ug: Any) -> Results:
    mean = ug.grad(ug.mean)(_filled(ug, 40000, 3))
    norm = ug.grad(ug.linalg.norm)(ug.asarray(np.array([300, 400], np.float16)))
    layer = ug.grad(lambda x: ug.nn.layer_norm(x).sum())(_signs(ug, 300, 1, 16))
    return {
        "mean": bool(np.allclose(mean.numpy(), 1 / 3, atol=1e-3)),
        "norm": bool(np.allclose(norm.numpy(), [0.6, 0.8], atol=1e-3)),
        "layer_norm": bool(np.allclose(layer.numpy(), 0, atol=1e-3)),
        "dtypes": [str(x.dtype) for x in (mean, norm, layer)],
    }


@case("bfloat16 is shown as numbers, where there is any", shown=["[ 1.5 -2. ]", "0.1"], long=True)
def shown(ug: Any) -> Results:
    try:
        x = ug.asarray([1.5, -2.0, 0.1], dtype="bfloat16")
    except ug.UnsupportedError:
        return {"shown": ["[ 1.5 -2. ]", "0.1"], "long": True}
    return {"shown": [str(x[:2]), f"{x[2]:.1f}"], "long": repr(x[:2]).startswith("Tensor([ 1.5, -2. ], dtype=bfloat16")}
