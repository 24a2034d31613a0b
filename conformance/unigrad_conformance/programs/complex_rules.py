"""Complex numbers in losses, layers and activations: by their absolute value, or a DtypeError, on every backend."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from unigrad_conformance.case import Program, Results, raised
from unigrad_conformance.oracle import Oracle

COMPLEX_RULES = Program("complex_rules")
case = COMPLEX_RULES.case

_z = np.array([[1 + 2j, -1 + 0.5j], [0.25 - 1j, 2 + 0j]])
_wide = np.array([[1 + 2j, -1 + 0.5j, 3], [0.25 - 1j, 2, 1j]])
_AT_MEAN = np.array([1 + 2j, 2 + 1j, 3j])
"""Its first element is the mean of all."""

REAL_ONLY = (
    *("relu", "relu6", "softplus", "log_sigmoid", "gelu", "elu", "selu", "celu", "leaky_relu", "mish", "hard_tanh"),
    *("hard_sigmoid", "softmax", "log_softmax"),
)
"""Those that ask which of two numbers is larger, or are made of probabilities."""


@case("distances are absolute values, and losses are real", dtype="complex128",
      mse_loss=float(np.mean(np.abs(_z) ** 2)) / 4, dtypes=["float64"] * 4)  # fmt: skip
def losses(ug: Any) -> Results:
    z = ug.asarray(_z)
    found = {name: getattr(ug.nn, name)(z, z * 1.5) for name in ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss")}
    gradients = {f"gradient of {name}": ug.grad(lambda x, f=name: getattr(ug.nn, f)(x, z * 1.5))(z) for name in found}
    return {**found, **gradients, "dtypes": [str(loss.dtype) for loss in found.values()]}


@case("layers make the mean of abs(x) ** 2 one", dtype="complex128", one=[True] * 4)
def layers(ug: Any) -> Results:
    z = ug.asarray(_wide)
    made = {
        "layer_norm": ug.nn.layer_norm(z, eps=0.0),
        "batch_norm": ug.nn.batch_norm(z, training=True, eps=0.0),
        "group_norm": ug.nn.group_norm(z.reshape(1, 2, 3), 2, eps=0.0),
        "rms_norm": ug.nn.rms_norm(z, eps=0.0),
    }
    damped = {f"{name}, damped": getattr(ug.nn, name)(z, eps=0.25) for name in ("layer_norm", "rms_norm")}
    sizes = [ug.mean(ug.abs(x) ** 2) for x in made.values()]
    one = [bool(np.isclose(float(size), 1.0)) for size in sizes]
    return {**made, **damped, "normalize": ug.nn.normalize(z), "one": one}


@case("what needs an order or a probability refuses them", refused=["DtypeError"])
def refusals(ug: Any) -> Results:
    z, x = ug.asarray(_z), ug.asarray(_z.real)
    nn = ug.nn
    calls = [lambda name=name: getattr(nn, name)(z) for name in REAL_ONLY]
    for loss in (nn.kl_div, nn.binary_cross_entropy, nn.binary_cross_entropy_with_logits, nn.cosine_similarity):
        calls += [lambda f=loss: f(z, z), lambda f=loss: f(x, z), lambda f=loss: f(z, x)]
    calls += [
        lambda: nn.binary_cross_entropy_with_logits(x, x, positive_weight=z),
        lambda: nn.prelu(x, z),
        lambda: nn.nll_loss(z, [0, 1]),
        lambda: nn.nll_loss(x, [0, 1], weights=z[0]),
        lambda: nn.cross_entropy(z, [0, 1]),
        lambda: nn.max_pool1d(z.reshape(1, 2, 2), 2),
        lambda: nn.scaled_dot_product_attention(z, z, z),
        lambda: nn.batch_norm(z, running_mean=z[0], running_var=z[0], training=False),
        lambda: ug.heaviside(z, x),
        lambda: ug.heaviside(x, z),
    ]
    return {"refused": sorted(set(map(raised, calls)))}


def _second(ug: Any, f: Any, values: Any) -> Any:
    """The gradient of a combination of the gradient's parts, and the derivative of the gradient along a tangent."""
    x = ug.asarray(values)
    weights = ug.asarray(np.arange(1.0, 1 + x.size))
    combined = ug.grad(lambda x: ug.sum((ug.real(ug.grad(f)(x)) + ug.imag(ug.grad(f)(x)) * 0.5) * weights))(x)
    return combined, ug.jvp(ug.grad(f), (x,), (x * 1j + 0.25,))[1]


_WITH_ZERO = np.array([0j, 3 + 4j, 1j])
_SECOND: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "var": (lambda ug, x: ug.var(x), _AT_MEAN),
    "std": (lambda ug, x: ug.std(x), _AT_MEAN),
    "norm of order 2": (lambda ug, x: ug.linalg.vector_norm(x, ord=2), _WITH_ZERO),
    "norm of order 2.5": (lambda ug, x: ug.linalg.vector_norm(x, ord=2.5), _WITH_ZERO),
    "norm of order 4": (lambda ug, x: ug.linalg.vector_norm(x, ord=4), _WITH_ZERO),
    "mse_loss": (lambda ug, x: ug.nn.mse_loss(x, x.detach()), _WITH_ZERO),
    "huber_loss": (lambda ug, x: ug.nn.huber_loss(x, x.detach()), _WITH_ZERO),
}


@case(
    "second derivatives where an element is zero, or at its mean",
    dtype="complex128",
    var=[-2 / 3 - 1j / 3, 0, 2 / 3 + 1j / 3],
    mse_loss=[(2 + 1j) / 3, (4 + 2j) / 3, 2 + 1j],
    huber_loss=[(1 + 0.5j) / 3, (2 + 1j) / 3, 1 + 0.5j],
)
def second_derivatives(ug: Any, names: Collection[str] = tuple(_SECOND)) -> Results:
    found = {}
    for name in names:
        f, values = _SECOND[name]
        found[name], found[f"{name}, forward"] = _second(ug, functools.partial(f, ug), values)
    return found


COMPLEX_RULES.quickly(second_derivatives, ("var", "norm of order 2.5", "mse_loss"), _SECOND)


_i, _nan = float("inf"), float("nan")


@case(
    "far out the sign is that of the infinite part, and so is the slope of the size; NaN where both are infinite",
    dtype="complex128",
    sign=[1, 1j, -1, -1j, complex(_nan, _nan)],
    abs=[1, 1j, -1, -1j, complex(_nan, _nan)],
    size=[_i] * 5,
    slope_of_sign=[0] * 4,
)
def far_out(ug: Any) -> Results:
    z = ug.asarray(np.array([complex(_i, 1), complex(2, _i), complex(-_i, 0), complex(0.5, -_i), complex(_i, -_i)]))
    return {
        "sign": ug.sign(z),
        "abs": ug.grad(lambda z: ug.sum(ug.abs(z)))(z),
        "size": ug.abs(z),
        "slope_of_sign": ug.grad(lambda z: ug.sum(ug.real(ug.sign(z)) + ug.imag(ug.sign(z))))(z[:4]),
    }


@case(
    "a zero to the power of an array: by 0 it is 1, and constant; by what has a positive real part it is 0",
    dtype="complex128",
    power=[1, 0, 0, 0, 1],
    **{"gradient of base": [0, 1, 0, 0, 0], "forward": [0, 1, 0, 0, 0]},
)
def powers_of_zero(ug: Any) -> Results:
    z, exponents = ug.asarray(np.array([0, 0, 0, 0, 1 + 2j])), ug.asarray(np.array([0, 1, 2, 2 + 1j, 0]))
    power, pull = ug.vjp(lambda z, exponents: z**exponents, z, exponents)
    of_base, of_exponent = pull(ug.ones_like(z))
    forward = ug.jvp(lambda z: z**exponents, (z,), (ug.ones_like(z),))[1]
    return {"power": power, "gradient of base": of_base, "gradient of exponent": of_exponent, "forward": forward}


# Of C's table (ISO C, annex G.6), which the standard repeats.
STANDARD: dict[str, dict[complex, complex]] = {
    "expm1": {
        complex(_i, 0): complex(_i, 0),
        complex(-_i, _i): complex(-1, 0),
        complex(-_i, _nan): complex(-1, 0),
        complex(_nan, 0): complex(_nan, 0),
        complex(_nan, 1): complex(_nan, _nan),
    },
    "log1p": {
        complex(_i, _nan): complex(_i, _nan),
        complex(-_i, _nan): complex(_i, _nan),
        complex(_nan, _i): complex(_i, _nan),
        complex(-_i, 1): complex(_i, np.pi),
        complex(1, -_i): complex(_i, -np.pi / 2),
        complex(-1, 0): complex(-_i, 0),
        complex(_nan, 1): complex(_nan, _nan),
    },
    "tanh": {
        complex(_i, 1): 1,
        complex(-_i, 1): -1,
        complex(_nan, 0): complex(_nan, 0),
        complex(_nan, 1): complex(_nan, _nan),
        complex(1, _i): complex(_nan, _nan),
    },
}


@case(
    "infinite parts and NaN give what the standard says",
    dtype="complex128",
    **{name: [*table.values()] for name, table in STANDARD.items()},
)
def standard_far_out(ug: Any) -> Results:
    if isinstance(ug.ones(1).backend, Oracle):  # which knows no NaN in one part alone
        return {name: ug.asarray(np.array([*table.values()], complex)) for name, table in STANDARD.items()}
    return {name: getattr(ug, name)(ug.asarray(np.array([*table]))) for name, table in STANDARD.items()}


@case("a cotangent of real numbers taken as complex loses its imaginary part without a warning", dtype="complex128",
      everyday=False,
      grad=[2, 2], second=[2, 2], warned=0)  # fmt: skip
def cast_back(ug: Any) -> Results:
    x = ug.asarray(np.array([1.0, 2.0]))

    def f(x: Any) -> Any:
        return ug.real((x.astype("complex128") * (1 + 2j)) ** 2 * (1 - 1j)).sum()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        grad = ug.grad(f)(x)
        second = ug.grad(lambda x: ug.grad(f)(x).sum())(x)
    return {"grad": grad / x, "second": second, "warned": len(caught)}


@case(
    "what is constant between jumps has the slope 0, for a cotangent of NaN as well", dtype="complex128", slope=[0, 0]
)
def flat_between_jumps(ug: Any) -> Results:
    z, undefined = ug.asarray(_AT_MEAN[:2]), ug.asarray(np.array([complex(_nan, 1), complex(_i, _nan)]))
    return {"slope": ug.vjp(ug.round, z)[1](undefined)[0]}
