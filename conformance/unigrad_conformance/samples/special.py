"""Special functions: in the ranges of each of their formulas, and at their ends."""

from typing import Any

import numpy as np

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread
from unigrad_conformance.samples import Family

SPECIAL = Family(
    "special",
    Limit(64, "one", "series and quadratures in float64; measured in test_special.py"),
    everyday=False,
)
_nan, _inf = float("nan"), float("inf")
_a, _b, _x = real([0.75, 2.5, 9.5]), real([1.25, 0.5, 4.0]), real([0.5, 1.75, 12.0])
_p = real([0.125, 0.375, 0.9375])


TWICE = frozenset((
    "erfc", "erfinv", "erfcx", "gamma", "rgamma", "gammainc", "beta", "j0", "i0", "k0", "expi", "exprel", "log_ndtr",
    "logsumexp", "ellipk", "spence",
))  # fmt: skip
"""Those in both dtypes and with second derivatives; they stand for the others, which have the same kinds of rules."""


def _row(operation: str, name: str, source: str, **details: Any) -> None:
    if operation not in TWICE:
        details |= {"dtypes": ("float64",), "second": False}
    SPECIAL(f"special.{operation}", name, source, **details)


def _values(family: Family, name: str, call: str, points: list[float], dtype: str = "float64") -> None:
    """The values alone of a call."""
    x = np.array(points)
    family(f"special.{call.partition('(')[0]}", name, f"ug.special.{call}", x=x, flat=True, dtypes=(dtype,))


for _operation, _points in {
    "erfc": [-1.5, 0.25, 3.0],
    "erfcx": [-1.25, 0.5, 7.0],
    "erfinv": [-0.875, 0.25, 0.75],
    "erfcinv": [0.0625, 0.75, 1.75],
    "ndtr": [-3.0, 0.25, 1.5],
    "ndtri": [0.0625, 0.375, 0.875],
    "log_ndtr": [-9.0, -0.5, 1.5],
    "gamma": [-1.5, 0.25, 4.75],
    "rgamma": [-1.0, 0.25, 3.5],
    "loggamma": [0.75, 3.5, 30.0],
    "zetac": [1.5, 3.0, 8.0],
    "exp1": [0.25, 0.75, 4.0],
    "expi": [-2.0, 0.75, 4.0],
    "j0": [0.75, 4.0, 30.0],
    "j1": [0.75, -4.0, 30.0],
    "y0": [0.75, 4.0, 30.0],
    "y1": [0.75, 4.0, 30.0],
    "i0": [-0.75, 2.5, 4.0],
    "i1": [-0.75, 2.5, 4.0],
    "i0e": [-0.75, 4.0, 40.0],
    "i1e": [-0.75, 4.0, 40.0],
    "k0": [0.5, 2.5, 6.0],
    "k1": [0.5, 2.5, 6.0],
    "k0e": [0.5, 2.5, 40.0],
    "k1e": [0.5, 2.5, 40.0],
    "logit": [0.125, 0.5, 0.9375],
    "log_expit": [-4.0, 0.25, 3.0],
    "entr": [0.125, 0.75, 2.5],
    "exp10": [-1.5, 0.25, 1.25],
    "cosm1": [-1.5, 0.001, 2.0],
    "exprel": [-6.0, 0.0, 1.5],
    "sindg": [-100.0, 30.0, 400.0],
    "cosdg": [-100.0, 30.0, 400.0],
    "tandg": [-100.0, 30.0, 400.0],
    "cotdg": [-100.0, 30.0, 400.0],
    "ellipk": [-6.0, 0.25, 0.875],
    "ellipkm1": [0.0625, 0.75, 4.0],
    "ellipe": [-6.0, 0.25, 0.875],
    "spence": [0.25, 0.875, 6.0],
}.items():
    _row(_operation, "points", f"ug.special.{_operation}(x)", x=real(_points))
_row("gammasgn", "signs", "ug.special.gammasgn(x)", x=real([-2.5, -1.5, 2.0]))
for _operation in ("beta", "betaln", "binom", "poch"):
    _slow = _operation != "poch"
    _row(_operation, "pairs", f"ug.special.{_operation}(x, y)", x=real([3.5, 5.25]), y=real([1.25, 2.5]), slow=_slow)
_row("beta", "signs_far_out", "ug.special.beta(x, y)", x=real([1.0, 3.0]), y=real([-170.5, -170.5]))
_row(
    "betaln", "far_below_0", "ug.special.betaln(x, y)",
    x=real([1.0, 3.0, 200.25, -7.75, -90.375]), y=real([-170.5, -170.5, -170.5, -170.5, -60.25]),
)  # fmt: skip
_row("rgamma", "poles_far_out", "ug.special.rgamma(x)", x=real([-200.0, -700.0]), flat=True)
_row("zeta", "pairs", "ug.special.zeta(x.detach(), y)", x=real([1.5, 4.0]), y=real([0.75, 6.0]))
_row("zeta", "ends", "ug.special.zeta(x, y)", x=real([2.0, 1.5, 1.0]), y=real([_inf, 0.0, 1e305]), flat=True)
_row(
    "zeta", "far_out", "ug.special.zeta(x, y)", x=real([1.001, 1.0001, 1.5]), y=real([1.5e300, 1e305, 1e301]), flat=True
)
_row("multigammaln", "dimension", "ug.special.multigammaln(x, 3)", x=real([1.75, 6.0]))
for _operation in ("gammainc", "gammaincc"):
    _row(
        _operation,
        "each_formula",
        f"ug.special.{_operation}(a, x)",
        a=_a,
        x=_x,
        second=False,
        slow=_operation == "gammaincc",
    )
    _row(
        _operation, "large", f"ug.special.{_operation}(a, x)", a=real([40.0, 30.0]), x=real([32.0, 44.0]), second=False
    )
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(a, x)",
        a=real([1.5, 0.0, 2.0, -1.0, 2.0, _nan, 0.0]),
        x=real([0.0, 1.0, _inf, 1.0, -1.0, 1.0, 0.0]),
        flat=True,
    )
for _operation in ("betainc", "betaincc"):
    _row(_operation, "each_side", f"ug.special.{_operation}(a, b, x)", a=_a, b=_b, x=_p, slow=True)
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(a, b, x)",
        a=real([1.5, 1.5, 2.0, -1.0, 1.5, 0.0]),
        b=real([0.5, 0.5, 2.0, 1.0, 0.0, 1.5]),
        x=real([0.0, 1.0, 2.0, 0.5, 0.5, 0.5]),
        flat=True,
    )
for _operation in ("yn", "kn", "expn"):
    _row(_operation, "order", f"ug.special.{_operation}(2, x)", x=real([0.75, 4.0]))
_row("jn", "order", "ug.special.jn(2, x)", x=real([0.75, 4.0, 24.75]))
for _operation in ("jn", "yn"):
    for _order in (-2, -3):
        _row(_operation, f"negative_order_{-_order}", f"ug.special.{_operation}({_order}, x)", x=real([0.75, 40.0]))
for _operation in ("iv", "ive", "kv", "kve"):
    _row(_operation, "real_order", f"ug.special.{_operation}(2.25, x)", x=real([0.75, 4.0]))
_row("iv", "whole_order", "ug.special.iv(2, x)", x=real([-0.75, 4.0]))
_row("entr", "ends", "ug.special.entr(x)", x=real([0.0, -1.0, _inf]), flat=True)
_row("xlog1py", "pairs", "ug.special.xlog1py(x, y)", x=real([0.5, -1.5]), y=real([-0.25, 3.0]))
_row("xlog1py", "ends", "ug.special.xlog1py(x, y)", x=real([0.0, 0.0, 2.0]), y=real([-1.0, _inf, _inf]), flat=True)
for _operation in ("rel_entr", "kl_div"):
    _row(_operation, "pairs", f"ug.special.{_operation}(x, y)", x=real([0.5, 1.5]), y=real([0.25, 3.0]))
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(x, y)",
        x=real([0.0, 0.0, -1.0, 1.0, 1.0, _nan]),
        y=real([0.0, 2.0, 1.0, 0.0, -1.0, 1.0]),
        flat=True,
    )
_row("rel_entr", "slopes_at_ends", "ug.special.rel_entr(x, y)", x=real([0.5, 1.5, 1.0]), y=real([0.25, 0.0, -1.0]))
for _operation in ("huber", "pseudo_huber"):
    _row(_operation, "pairs", f"ug.special.{_operation}(x, y)", x=real([0.5, 1.5]), y=real([0.75, -0.5]))
for _operation in ("boxcox", "boxcox1p", "inv_boxcox", "inv_boxcox1p"):
    _row(_operation, "pairs", f"ug.special.{_operation}(x, y)", x=real([0.5, 1.5, 0.75]), y=real([0.75, -0.5, 0.0]))
_row("radian", "angles", "ug.special.radian(x, y, 30)", x=real([1.0, 20.0]), y=real([30.0, 45.0]))
for _operation in ("chdtr", "chdtrc"):
    _row(_operation, "pairs", f"ug.special.{_operation}(a, x)", a=_a, x=_x)
for _operation in ("fdtr", "fdtrc", "gdtr", "gdtrc"):
    _row(_operation, "triples", f"ug.special.{_operation}(a, b, x)", a=_a, b=_b, x=_p, slow=True)
for _operation in ("pdtr", "pdtrc"):
    _row(_operation, "counts", f"ug.special.{_operation}(k, x)", k=real([0.0, 2.0, 9.0]), x=_x)
for _operation in ("bdtr", "bdtrc", "nbdtr", "nbdtrc"):
    _row(
        _operation,
        "counts",
        f"ug.special.{_operation}(k, n, x)",
        k=real([0.0, 2.0, 3.0]),
        n=real([3.0, 4.0, 9.0]),
        x=_p,
        slow=True,
    )
for _operation in ("gammaincinv", "gammainccinv"):
    _row(_operation, "each_side", f"ug.special.{_operation}(a, x)", a=_a, x=_p, slow=True)
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(a, x)",
        a=real([1.5, 2.0, -1.0, 2.0, _nan]),
        x=real([0.0, 1.0, 0.5, 1.5, 0.5]),
        flat=True,
    )
for _operation in ("betaincinv", "betainccinv"):
    _row(_operation, "each_side", f"ug.special.{_operation}(a, b, x)", a=_a, b=_b, x=_p, slow=True)
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(a, b, x)",
        a=real([1.5, 2.0, -1.0, 2.0]),
        b=real([1.5, 2.0, 1.0, 1.0]),
        x=real([0.0, 1.0, 0.5, 1.5]),
        flat=True,
    )
# Where one parameter is far larger than the other, and where the result is far from everything.
_first, _second = real([0.5, 30.0, 2.125, 5.0]), real([2e4, 1000.0, 0.125, 2e4])
_row(
    "betaincinv", "far_apart", "ug.special.betaincinv(a, b, x)",
    a=_first, b=_second, x=real([0.9375, 1e-250, 1e-37, 0.75]), flat=True, slow=True,
)  # fmt: skip
_row(
    "betainccinv", "far_apart", "ug.special.betainccinv(a, b, x)",
    a=_first, b=_second, x=real([0.0625, 1e-250, 1e-6, 1e-100]), flat=True, slow=True,
)  # fmt: skip
_row("gammaincinv", "near_0", "ug.special.gammaincinv(a, x)", a=real([0.001, 0.01]), x=real([0.25, 1e-6]), flat=True)
_row(
    "stdtrit", "far_out", "ug.special.stdtrit(a, x)",
    a=real([3.0, 4.5, 1.25]), x=real([1e-182, 1e-240, 1e-190]), flat=True, slow=True,
)  # fmt: skip
_row("chdtri", "each_side", "ug.special.chdtri(a, x)", a=_a, x=_p, slow=True)
_row("stdtrit", "tails", "ug.special.stdtrit(a, x)", a=_a, x=_p, slow=True)
_row(
    "stdtrit",
    "ends",
    "ug.special.stdtrit(a, x)",
    a=real([1.5, 2.0, 3.0, -1.0]),
    x=real([0.0, 1.0, 2.0, 0.5]),
    flat=True,
)
_row("stdtrit", "middle", "ug.special.stdtrit(a, x)", a=_a, x=real([0.375, 0.4375, 0.625]), flat=True)
_row("stdtr", "tails", "ug.special.stdtr(a, x)", a=_a, x=real([0.5, -1.75, 2.5]), slow=True)
_matrix = spread(-1.0, 2.0, 2, 3)
for _operation in ("logsumexp", "softmax", "log_softmax"):
    _row(_operation, "all", f"ug.special.{_operation}(x)", x=_matrix)
    _row(_operation, "axis", f"ug.special.{_operation}(x, axis=1)", x=_matrix)
_row("logsumexp", "weights", "ug.special.logsumexp(x, axis=0, b=y, keepdims=True)", x=_matrix, y=spread(0.5, 2, 2, 3))
_row("logsumexp", "sign_alone", "ug.special.logsumexp(x, axis=1, return_sign=True)", x=_matrix)
_row("logsumexp", "sign", "ug.special.logsumexp(x, b=y, return_sign=True)", x=_matrix, y=np.array([-2.0, 1.0, -3.0]))

# --- derivatives of derivatives by parameters, and the ends of what is defined ----------------------------------
SPECIAL(
    "special.ndtr",
    "second_slope",
    "ug.grad(lambda x: ug.special.ndtr(x).sum())(x)",
    x=real([-1.5, 0.5]),
    dtypes=("float64",),
)
_shapes_and_points = {"a": real([0.75, 2.5]), "x": real([0.5, 0.25])}
for _operation, _name, _source in (
    ("gammainc", "slopes", "ug.grad(lambda a, x: ug.special.gammainc(a, x).sum(), argnums=(0, 1))(a, x)"),
    ("betainc", "slopes", "ug.grad(lambda a, b, x: ug.special.betainc(a, b, x).sum(), argnums=(0, 1, 2))(a, b, x)"),
    (
        "gammainc",
        "second_slope",
        "ug.grad(lambda a: ug.grad(lambda a: ug.special.gammainc(a, x).sum())(a).sum())(a)",
    ),
):
    _inputs = _shapes_and_points | ({"b": real([1.25, 0.5])} if _operation == "betainc" else {})
    SPECIAL(f"special.{_operation}", _name, _source, **_inputs, second=False, slow=True, dtypes=("float64",))
for _operation in ("iv", "kv"):
    _row(_operation, "orders", f"ug.special.{_operation}(v, x)", v=real([1.5, 0.25]), x=real([0.75, 4.0]), second=False)
for _operation, _source, _points in (
    ("betaln", "betaln(x, 2.5)", [_inf, 30.0, 0.5]),
    ("betaln", "betaln(x, 40.0)", [15.0, 300.0, 25.0]),
    ("iv", "iv(0.0, x)", [0.0, 1.5, 60.0]),
    ("iv", "iv(1.5, x)", [0.0, 1.5, 60.0]),
    ("kv", "kv(0.0, x)", [1e-30, 0.5, 200.0]),
    ("kv", "kv(1.5, x)", [1e-30, 0.5, 200.0]),
    ("stdtr", "stdtr(2.5, x)", [-_inf, _inf, 1e200]),
    ("spence", "spence(x)", [0.0, 1.0, 1e300]),
    ("gammainc", "gammainc(40.0, x)", [1e-30, 39.5, 400.0]),
    ("gammainc", "gammainc(1e-8, x)", [1e-30, 1.0, 50.0]),
    ("betainc", "betainc(0.5, 1e5, x)", [1e-9, 1e-5, 1e-3]),
    ("betainc", "betainc(3.0, 2.0, x)", [0.5, 0.625, 0.75]),
    ("gammainccinv", "gammainccinv(1.5, x)", [1e-40, 1e-25, 0.9375]),
):
    _name = "far_" + "_".join(_source.partition("(")[2].rstrip(")").replace(".", "_").replace("-", "m").split(", "))
    SPECIAL(f"special.{_operation}", _name, f"ug.special.{_source}", x=real(_points), flat=True, dtypes=("float64",))
_row("expn", "lowest_orders", "ug.special.expn(0, x) * ug.special.expn(1, x)", x=real([0.75, 4.0]))
for _source, _points in (
    ("betainc(150.0, 200.0, x)", [0.25, 0.4375, 0.625]),
    ("gammainc(3000.0, x)", [1000.0, 2990.0, 8000.0]),
    ("gammaincc(3000.0, x)", [1000.0, 3010.0, 8000.0]),
):
    _operation = _source.partition("(")[0]
    SPECIAL(
        f"special.{_operation}", "many", f"ug.special.{_source}", x=real(_points), second=False, dtypes=("float64",)
    )
SPECIAL(
    "special.betainc",
    "slope_at_ends",
    "ug.grad(lambda x: ug.special.betainc(a.detach(), b.detach(), x).sum())(x)",
    a=real([1.0, 1.0, 2.0, 2.0, 0.5, 3.0, 0.5, 1.0]),
    b=real([3.0, 3.0, 1.0, 1.0, 2.0, 2.0, 2.0, 1.0]),
    x=real([0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.5]),
    flat=True,
    dtypes=("float64",),
)
_ends = {"k": real([3.0, -1.0, 2.0]), "x": real([0.25, 0.5, 0.5])}
for _operation in ("bdtr", "bdtrc"):
    _row(_operation, "ends", f"ug.special.{_operation}(k, 3.0, x)", **_ends, flat=True)
for _operation in ("pdtr", "pdtrc"):
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(k, x)",
        k=real([-1.0, -1.0, 0.0]),
        x=real([2.0, -1.0, 0.0]),
        flat=True,
    )
SPECIAL("special.ellipe", "end", "ug.special.ellipe(x)", x=real([1.0, 0.5]), second=False, dtypes=("float64",))
_values(SPECIAL, "far_out", "ive(2, x)", [60.0, 400.0, 1e5])
SPECIAL("special.erfcx", "odd_digits", "ug.special.erfcx(x)", x=np.array([-1.3, -5.7, 0.3]), dtypes=("float64",))
SPECIAL("special.kn", "order_as_a_float", "ug.special.kn(2.0, x)", x=real([0.75, 4.0]), flat=True, dtypes=("float64",))
_row(
    "beta",
    "at_poles_of_both",
    "ug.special.beta(x, y)",
    x=real([-5.0, -7.0, 4.0, -3.0, 2.0, -2.0]),
    y=real([2.0, 3.0, -9.0, 1.5, -6.0, -3.0]),
    flat=True,
)
for _call, _points in {"ellipe(x)": [-1e301, -1.5e308], "spence(x)": [1e301, 1.5e308]}.items():
    _values(SPECIAL, "farthest_out", _call, _points)
for _source, _points in (("spence(x)", [0.0, _inf]), ("zeta(x, 2.0)", [0.5, 1.0]), ("zeta(2.5, x)", [0.0, -1.5])):
    _name = f"ends_of_{_source.replace('.', '_').partition('(')[2].strip(')').replace(', ', '_')}"
    _row(_source.partition("(")[0], _name, f"ug.special.{_source}", x=real(_points), flat=True)
for _operation in ("huber", "pseudo_huber"):
    _row(
        _operation,
        "ends",
        f"ug.special.{_operation}(x, y)",
        x=real([0.0, -1.0, 0.0]),
        y=real([0.5, 0.5, 0.0]),
        flat=True,
    )

SMALL = Family(
    "special",
    Limit(64, reason="what is accurate also where it is small has all its digits there"),
    everyday=False,
    halves=False,
)
for _call, _points in {
    "erfc(x)": [0.3, 3.1, 9.3, 21.3, 24.7, 25.9],
    "ndtr(x)": [-0.3, -3.1, -9.7, -30.3, -33.7, -36.9],
    "log_ndtr(x)": [0.3, 3.1, 9.7, 36.9],
    "j0(x)": [-123456.7, 10000.3],
    "j1(x)": [-123456.7, 10000.3],
    "y0(x)": [123456.7, 10000.3],
    "erfcx(x)": [-26.1, -13.1, -20.3, -5.7, 0.3, 30.1, 1e9],
    "gammaincc(2.5, x)": [3.1, 30.3, 200.7],
    "gammainc(2.5, x)": [1e-9, 1e-3, 0.9],
    "betainc(2.5, 1.5, x)": [1e-9, 1e-3, 0.3],
    "exp1(x)": [0.3, 9.3, 300.7],
    "kn(2, x)": [9.3, 300.7],
    "k0(x)": [9.3, 300.7],
    "i0e(x)": [9.3, 1e9],
    "zetac(x)": [3.1, 40.3, 90.1],
    "entr(x)": [1e-9, 1.0009765625],
    "cosm1(x)": [1e-9, 0.01],
    "expm1(x)": [1e-9, 0.01],
    "log1p(x)": [1e-9, 0.01],
    "spence(x)": [0.9999, 1.0009765625],
    "ive(2.25, x)": [9.3, 712.3],
    "rgamma(x)": [-20.3, -2.3, -1.3, 30.3],
    "gamma(x)": [-20.3, -2.3, -1.3, -1e-9],
}.items():
    _values(SMALL, "small", _call, _points)
for _call, _points in {
    "gammaincc(x, 0.75)": [1e-30, 1e-10, 0.75, 9.5],
    "gammaincc(1e-10, x)": [0.0, 0.125, 1.75, 12.0],
    "logit(x)": [0.125, 0.75, 0.9375],
    "ndtr(x)": [-3.0, 0.25, 1.5],
}.items():  # for which there is another formula in float32
    _values(SMALL, f"single_{'parameters' if '(x,' in _call else 'points'}", _call, _points, "float32")
for _name, _call in {"first_large": "beta(x, 2.5)", "second_large": "beta(2.5, x)"}.items():
    _values(SMALL, _name, _call, [1000.3, 100000.7])
for _source, _points in (
    ("sindg(x)", [0.0, 180.0, -180.0, 360.0, -540.0]),
    ("cosdg(x)", [90.0, -90.0, 270.0, -450.0]),
    ("tandg(x)", [180.0, 360.0]),
    ("stdtrit(2.5, x)", [0.5]),
    ("i0e(x)", [_inf, -_inf]),
    ("i1e(x)", [_inf, -_inf]),
):
    _values(SMALL, "is_zero", f"{_source} == 0", _points)
