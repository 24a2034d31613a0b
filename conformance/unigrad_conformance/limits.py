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


_HESSIAN = "the terms of a second derivative cancel; sixteen units is what two passes of eight allow"
_CANCELS = "1 - y * y cancels where y is near 1, in every framework"

LIMITS: tuple[Row, ...] = (
    Row("tanh.far_out.*", "[fgs]*", Limit(4096, "element", f"{_CANCELS}; measured 872 (numpy), 2688 (tensorflow)")),
    Row("nn.sigmoid.far_out.*", "[fgs]*", Limit(8, "one", "1 - y cancels where y is near 1: zero at 30 in float32")),
    Row("nn.silu.far_out.*", "[fgs]*", Limit(64, "one", "30 times the error of sigmoid; measured 21")),
    Row("nn.logsumexp.far_out.*", "[fgs]*", Limit(1024, "one", "exp(x - y), both 1000 and rounded; measured 197")),
    Row("linalg.*", "second *", Limit(256, "one", "each differentiation multiplies by a condition number, of 2 to 5")),
    Row("*", "second *", Limit(16, "one", _HESSIAN)),
)


def limit_of(case: Case, result: str) -> Limit:
    """The limit for one result of a case."""
    for row in LIMITS:
        if fnmatchcase(case.name, row.case) and fnmatchcase(result, row.result):
            return row.limit
    return case.limit
