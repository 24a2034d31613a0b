"""Where more than the default error is allowed, why, and what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

from unigrad_conformance.case import Case, Limit


@dataclass(frozen=True)
class Row:
    """A wider limit for some results of some cases."""

    case: str
    """A pattern of case names."""
    result: str
    """A pattern of result names."""
    limit: Limit
    backends: tuple[str, ...] = ()
    """The backends that it is for; none named: all."""


_HESSIAN = "the terms of a second derivative cancel; sixteen units is what two passes of eight allow"
_CANCELS = "1 - y * y cancels where y is near 1, in PyTorch and TensorFlow"

LIMITS: tuple[Row, ...] = (
    Row(
        "tanh.far_out.*",
        "[fgs]*",
        Limit(4096, "element", f"{_CANCELS}; measured 595 (torch), 2688 (tensorflow)"),
        ("torch", "tensorflow"),
    ),
    Row(
        "erf.slope_far_out.*",
        "[fv]*",
        Limit(64, "element", "they round the square of x; measured 40 (torch), 30 (tensorflow)"),
        ("torch", "tensorflow"),
    ),
    Row("nn.mish.*", "[fgs]*", Limit(256, "one", f"{_CANCELS}; measured 74 (tensorflow)"), ("torch", "tensorflow")),
    Row("pow.*complex*", "[fvg]*", Limit(32, "largest", "exp(w log z) has the error of w log z; measured 9.6 (numpy)")),
    Row("linalg.*", "[fs]*", Limit(256, "one", "each differentiation multiplies by a condition number, of 2 to 5")),
    Row("*.*complex*", "forward*", Limit(16, "one", "the tangents of two inputs may cancel; measured 15 (numpy)")),
    Row("special.*", "second *", Limit(2048, "one", "terms of second derivatives cancel, some far above 1")),
    Row(
        "dtypes.student_inverse.*",
        "float64",
        Limit(
            512, "element", "of odds of 1e30 the logarithm is found, each unit of which counts 35; measured 275 (jax)"
        ),
        ("jax",),
    ),
    Row(
        "nn.instance_norm.parameters.*", "second *", Limit(32, "one", f"{_HESSIAN}; measured 18 (paddle)"), ("paddle",)
    ),
    Row("*", "second *", Limit(16, "one", _HESSIAN)),
)


def limit_of(case: Case, result: str, backend: str) -> Limit:
    """The limit for one result of a case."""
    for row in LIMITS:
        here = not row.backends or backend in row.backends
        if here and fnmatchcase(case.name, row.case) and fnmatchcase(result, row.result):
            return row.limit
    return case.limit
