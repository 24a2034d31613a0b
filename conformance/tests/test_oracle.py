"""The reference is right: its derivatives are central differences of its values, to 30 digits, for every sample.

So the rules, which the oracle shares with the native engine, are checked against something that has no rules.
"""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from unigrad_conformance import catalogue, oracle
from unigrad_conformance.compare import encode
from unigrad_conformance.inputs import weights
from unigrad_conformance.operations import compiled
from unigrad_conformance.samples import Sample

import unigrad as ug
from unigrad.adapters import registry
from unigrad.binding import nodes
from unigrad.table import OPERATIONS, PRIMITIVES

MP = mpmath.MPContext()
MP.dps = oracle.DIGITS
STEP = MP.mpf(10) ** -20

# Points where the derivative is a matter of convention (the kinks pin it), or where the value is rounded.
_NOT_SMOOTH = {
    "astype.to_float32_and_back", "heaviside.signs", "hypot.no_overflow", "linalg.vector_norm.no_elements",
    "max.ties", "mean.no_elements", "min.ties", "nan_to_num.special_values", "nextafter.up_and_down",
    "cumulative_max.nan", "cumulative_max.ties", "cumulative_min.nan",
    "cumulative_min.ties", "interp.nan_and_infinity", "median.infinite", "nanmax.only_nan", "nanmean.only_nan",
    "nn.ctc_loss.nan", "nn.kl_div.near_zero", "nn.max_pool2d.ties", "nn.max_pool2d.ties_overlapping",
    "modf.both_signs", "nanmedian.only_nan", "nanmin.only_nan", "nanstd.too_few", "nanvar.too_few", "quantile.nan",
    "nanstd.no_freedom", "nanvar.no_freedom", "quantile.nan_of_several", "quantile.nan_of_one_of_several",
    "round.both_signs", "scatter_add.at_max_ties", "round.decimals_1", "round.decimals_30", "round.decimals_minus_1",
    "setdiff1d.floats", "setxor1d.floats", "trim_zeros.both",
    "trim_zeros.front", "trim_zeros.nothing_left", "unique.nan_is_many",
    "unique.nan_is_one",
    "nn.adaptive_max_pool2d.ties", "nn.binary_cross_entropy.certain", "sort.nan_last", "std.no_axes",
    "std.zero_dimensional", "pow.no_power", "linspace.dtype", "logspace.dtype", "geomspace.dtype",
    # By orders and counts, of which no derivative is known, it is NaN.
    "special.bdtr.counts", "special.bdtrc.counts", "special.nbdtr.counts", "special.nbdtrc.counts",
    "special.pdtr.counts", "special.pdtrc.counts", "special.zeta.pairs", "special.zetac.points",
    "special.iv.orders", "special.kv.orders",
    # Infinite on one side or both, or of an infinite number.
    "special.rel_entr.slopes_at_ends", "special.ellipe.end", "linalg.vector_norm.of_half_order",
    "linalg.vector_norm.one_infinite", "pow.minus_infinity", "pow.of_zero_by_complex", "nn.cross_entropy.no_rows",
    # Of what is detached.
    "linalg.det.directions",
    # By integrals, whose errors are larger than such differences; derivatives.of_parameters has larger ones.
    "special.gammainc.slopes", "special.betainc.slopes", "special.gammainc.second_slope",
}  # fmt: skip
SAMPLES = {
    f"{sample.operation}.{sample.name}": sample
    for family in catalogue.FAMILIES
    for sample in family.samples
    if not sample.flat
    and "float64" in sample.dtypes
    and sample.name != "special"
    and f"{sample.operation}.{sample.name}" not in _NOT_SMOOTH
}


@pytest.fixture(scope="module", autouse=True)
def _oracle_is_a_backend() -> None:
    """Not before the tests of other files have asked which backends there are."""
    oracle.register()


def _inputs(sample: Sample) -> dict[str, Any]:
    """The inputs in float64, all of them: so that no cast rounds."""
    return {name: ug.asarray(value) for name, value in sample.inputs.items()}


def _floating(inputs: dict[str, Any]) -> list[str]:
    return [name for name, value in inputs.items() if value.dtype.kind in "fc"]


def _directions(x: Any) -> list[Any]:
    """Along which to move an input; complex numbers along either axis."""
    found = weights(x.shape, np.float64)
    return [found, found * 1j] if x.dtype.kind == "c" else [found]


def _number(value: Any) -> Any:
    return MP.mpmathify(complex(value)) if isinstance(value, complex) else MP.mpf(float(value))


def _moved(x: Any, direction: Any, by: Any) -> Any:
    values = oracle._each(lambda v, d: v + by * _number(d), x.raw.values, direction)
    return type(x).of(oracle.Exact(values, x.dtype), None)


def _along(gradient: Any, direction: Any) -> Any:
    """The inner product of a gradient with a direction. Complex gradients are in the conjugate form."""
    return MP.fsum(
        (MP.conj(g) * _number(d)).real for g, d in zip(gradient.raw.values.flat, direction.flat, strict=True)
    )


def _weighted(y: Any) -> Any:
    return ug.real((y * ug.asarray(np.conj(weights(y.shape, y.dtype)))).sum())


def _scalar(sample: Sample, tensors: dict[str, Any]) -> Any:
    call = compiled(sample.source)
    with ug.train_mode():
        return sum(_weighted(y) for y in call(ug, tensors) if y.dtype.kind in "fc")


def _gradients(sample: Sample, tensors: dict[str, Any]) -> dict[str, Any]:
    names = _floating(tensors)

    def f(*values: Any) -> Any:
        return _scalar(sample, tensors | dict(zip(names, values, strict=True)))

    found = ug.grad(f, argnums=tuple(range(len(names))))(*(tensors[name] for name in names))
    return dict(zip(names, found, strict=True))


def _close(found: Any, expected: Any) -> bool:
    # Rules hold constants such as 2 / sqrt(pi) in float64, hence not 60 digits.
    return abs(found - expected) <= MP.mpf(10) ** -14 * (1 + abs(expected))


def _law(sample: Sample) -> list[str]:
    """What is wrong with the first and second derivatives of a sample."""
    problems = []
    with ug.use_backend(oracle.NAME):
        inputs = _inputs(sample)
        gradients = _gradients(sample, inputs)
        for name in _floating(inputs):
            second = _second(sample, inputs, name) if sample.second else None
            for direction in _directions(inputs[name]):
                up, down = (inputs | {name: _moved(inputs[name], direction, sign * STEP)} for sign in (1, -1))
                value_up, value_down = (_scalar(sample, moved).raw.values[()] for moved in (up, down))
                if not _close(_along(gradients[name], direction), (value_up - value_down) / (2 * STEP)):
                    problems.append(f"first derivative for {name}")
                if sample.second:
                    around = (_gradients(sample, moved) for moved in (up, down))
                    first, last = (sum(_along(g, weights(g.shape, g.dtype)) for g in each.values()) for each in around)
                    if not _close(_along(second, direction), (first - last) / (2 * STEP)):
                        problems.append(f"second derivative for {name}")
    return problems


def _second(sample: Sample, inputs: dict[str, Any], name: str) -> Any:
    def inner(value: Any) -> Any:
        gradients = _gradients(sample, inputs | {name: value})
        return sum(_weighted(g) for g in gradients.values())

    return ug.grad(inner)(inputs[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_derivatives_are_central_differences(name: str) -> None:
    assert _law(SAMPLES[name]) == []


@pytest.mark.parametrize("rule", [lambda xp, g, x: g * xp.sin(x), lambda xp, g, x: g * xp.cos(x) * (1 + 1e-9)])
def test_the_law_sees_a_wrong_rule(rule: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PRIMITIVES["sin"], "rules", (rule,))
    monkeypatch.setattr(nodes, "_node_types", {})
    assert "first derivative for x" in _law(SAMPLES["sin.matrix"])


def test_results_carry_more_digits_than_float64() -> None:
    with ug.use_backend(oracle.NAME):
        found = encode(ug.sqrt(ug.asarray(2.0, dtype=ug.float64)))
    exact = MP.mpf(found["values"][0]) + MP.mpf(found["rest"][0])
    assert abs(exact - MP.sqrt(2)) < MP.mpf(10) ** -31


def test_a_determinant_with_a_column_of_zeros_is_zero() -> None:
    oracle.register()
    with ug.use_backend(oracle.NAME):
        assert float(ug.linalg.det(ug.asarray([[0.0, 1.0], [0.0, 0.5]]))) == 0.0


def test_scalars_and_casts_round_to_the_dtype() -> None:
    with ug.use_backend(oracle.NAME):
        tenth = ug.zeros((), dtype=ug.float32) + 0.1
        cast = ug.asarray(0.1, dtype=ug.float64).astype("float32")
    assert tenth.item() == cast.item() == float(np.float32(0.1))


# The reference has no complex numbers; test_core_linalg holds these against central differences of NumPy's.
def test_every_primitive_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting(oracle.Oracle):
        name = "counting"

        def function(self, key: str) -> Any:
            found = super().function(key)

            def call(*args: Any) -> Any:
                called.add(key)
                return found(*args)

            return call

    called: set[str] = set()
    monkeypatch.setattr(registry, "_backends", dict(registry._backends))
    ug.register_backend(Counting())
    with ug.use_backend("counting"):
        for case in catalogue.all_cases().values():
            if (case.dtype == "float32" or case.family == "special") and case.family not in (
                "seeds",
                "recording",
                "mistakes",
                "kinks",
            ):
                case.run(ug, *case.inputs)
    assert set(PRIMITIVES) - called == set()


def test_every_public_operation_has_samples() -> None:
    sampled = {sample.operation for family in catalogue.FAMILIES for sample in family.samples}
    renamed = {"power": "pow"}
    elsewhere = {"can_cast", "finfo", "from_dlpack", "iinfo", "isdtype", "result_type"}  # test_core_namespace
    assert {renamed.get(name, name) for name in OPERATIONS} - sampled - elsewhere == set()
