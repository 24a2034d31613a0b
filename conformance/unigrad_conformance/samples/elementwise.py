"""Elementwise operations."""

from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

ELEMENTWISE = Family("elementwise")
_row = ELEMENTWISE

# --- arithmetic: each operation in every way that two operands can meet ----------------------------------

_a, _b = spread(0.5, 2.5, 2, 3), spread(1.2, 3.0, 2, 3, start=1)
for _operation, _symbol in [
    ("add", "+"), ("subtract", "-"), ("multiply", "*"), ("divide", "/"), ("pow", "**"),
]:  # fmt: skip
    _row(_operation, "equal_shapes", f"ug.{_operation}(x, y)", x=_a, y=_b)
    _row(_operation, "row_and_column", f"x {_symbol} y", x=spread(0.5, 2.5, 2, 1), y=spread(1.2, 3, 1, 3))
    _row(_operation, "zero_dimensional", f"x {_symbol} y", x=spread(0.5, 2.5, 2, 3), y=real(2.75))
    _row(_operation, "missing_axis", f"x {_symbol} y", x=spread(0.5, 2.5, 3), y=_b)
    _row(_operation, "number_on_the_right", f"x {_symbol} 2.5", x=_a)
    _row(_operation, "number_on_the_left", f"2.5 {_symbol} x", x=_a)
    _row(_operation, "integer_number", f"(x {_symbol} 3) + (3 {_symbol} x)", x=_a)
    _row(_operation, "no_elements", f"x {_symbol} y", x=spread(1, 2, 0, 3), y=spread(1, 2, 3))
    _row(_operation, "integers_with_floats", f"x {_symbol} n", x=_a, n=whole([1, 2, 3]))
    _row(_operation, "float32_with_float64", f"x {_symbol} y", x=_a, y=_b, own={"x": "float32"}, dtypes=("float64",))
    _row(_operation, "same_array_twice", f"(x {_symbol} x) * x", x=_a)

_row("divide", "integers", "n / m", n=whole([1, 2, 7]), m=whole([3, 2, -2]), flat=True, dtypes=("float32",))
_row("add", "integers", "n + m * 2 - 1", n=whole([1, 2, 7]), m=whole([3, 2, -2]), flat=True, dtypes=("float32",))
_row("add", "integer_dtypes", "n + m", n=whole([1, 2], "int32"), m=whole([3, 4]), flat=True, dtypes=("float32",))
_row("add", "boolean_with_float", "x + m", x=spread(0.5, 2, 3), m=whole([True, False, True], "bool"))
_row("add", "integers_and_a_float_number", "n + 0.5", n=whole([1, 2]), flat=True, dtypes=("float32",))
_row("pow", "whole_exponents", "x ** 2 + x ** 3 + x ** -1 + x ** 1 + x ** 0.5", x=_a)
_row("pow", "negative_base", "x ** 3", x=-_a)
_row("pow", "exponents_near_zero", "x ** y", x=real([0.5, 3.0, 900.0]), y=real([-0.3, 0.05, -7.3]))
_row("pow", "no_power", "x ** y", x=real([-1.5, 2.0, -1.5]), y=real([2.5, 1.5, 1e-20]))
_row("pow", "minus_infinity", "x ** y", x=real([float("-inf")] * 2), y=real([2.5, -2.5]), second=False)
_row("pow", "integers", "n ** 2", n=whole([1, -2, 3]), flat=True, dtypes=("float32",))
_row("floor_divide", "floats", "ug.floor_divide(x, y)", x=real([-7.5, 7.5, 3.25]), y=real([3.5, -3.5, 1.5]))
_row("floor_divide", "integers", "n // m", n=whole([-7, 7, 8]), m=whole([3, -3, 4]), flat=True, dtypes=("float32",))
_row("floor_divide", "numbers", "x // 2 + 9 // x", x=real([-7.5, 7.5, 3.25]))
_row("remainder", "floats", "ug.remainder(x, y)", x=real([-7.5, 7.5, 3.25]), y=real([3.5, -3.5, 1.5]))
_row("remainder", "numbers", "x % 2 + 9 % x", x=real([-7.5, 7.5, 3.25]))
_row("remainder", "integers", "n % m", n=whole([-7, 7, 8]), m=whole([3, -3, 4]), flat=True, dtypes=("float32",))
_row("negative", "operator", "-x * x", x=_a)
_row("negative", "function", "ug.negative(x)", x=_a)
_row("abs", "both_signs", "ug.abs(x) * x + abs(x)", x=real([-1.5, 2.25, -0.5]))
_row("square", "both_signs", "ug.square(x)", x=real([-1.5, 2.25, -0.5]))
_row("sign", "both_signs", "ug.sign(x)", x=real([-1.5, 2.25, -0.5]))

for _operation in ("reciprocal", "positive", "absolute"):
    _row(
        _operation,
        "both_signs",
        f"ug.{_operation}(x) * x + x",
        x=real([-1.5, 2.25, -0.5]),
        second=_operation != "reciprocal",
    )
_row("reciprocal", "integers", "ug.reciprocal(n)", n=whole([1, -2, 4]), flat=True, dtypes=("float32",))
_row("reciprocal", "small_and_large", "ug.reciprocal(x)", x=real([1e-12, 1e12]))
_row("fmod", "floats", "ug.fmod(x, y)", x=real([-7.5, 7.5, 3.25, -3.25]), y=real([3.5, -3.5, 1.5, -1.5]))
_row("fmod", "number", "ug.fmod(x, 2) + ug.fmod(9.5, x)", x=real([-7.5, 7.5, 3.25]))
_row("fmod", "broadcast", "ug.fmod(x, y)", x=spread(3, 9, 2, 1), y=spread(1.2, 2.5, 1, 3))
_row("fmod", "integers", "ug.fmod(n, m)", n=whole([-7, 7, 8]), m=whole([3, -3, 4]), flat=True, dtypes=("float32",))
_row("float_power", "floats", "ug.float_power(x, y)", x=_a, y=_b)
_row("float_power", "integers", "ug.float_power(n, -2)", n=whole([1, 2, 4]), flat=True, dtypes=("float32",))
_row("xlogy", "matrices", "ug.xlogy(x, y)", x=_a, y=_b)
_row("xlogy", "broadcast", "ug.xlogy(x, y)", x=spread(-2, 2, 2, 1), y=spread(0.2, 3, 1, 3))
_row("xlogy", "zeros", "ug.xlogy(x, y)", x=real([0.0, 0.0, 0.0]), y=real([0.0, 2.5, float("nan")]), flat=True)
_row("logaddexp", "matrices", "ug.logaddexp(x, y)", x=_a, y=_b)
_row("logaddexp", "number", "ug.logaddexp(x, 1.5)", x=_a)
_row("logaddexp", "far_apart", "ug.logaddexp(x, y)", x=real([-60.0, 20.0, 60.0]), y=real([10.0, 25.0, 1.0]))
_row("logaddexp", "large", "ug.logaddexp(x, y)", x=real([1000.0, -1000.0]), y=real([999.5, -1001.0]))
_row("logaddexp2", "matrices", "ug.logaddexp2(x, y)", x=_a, y=_b)
_row("erf", "slope_far_out", "ug.grad(lambda x: ug.erf(x).sum())(x)", x=real([8.7, -9.1]), flat=True)
_row("hypot", "matrices", "ug.hypot(x, y)", x=_a, y=-_b)
_row("hypot", "broadcast", "ug.hypot(x, y)", x=spread(-2, -0.5, 2, 1), y=spread(0.2, 3, 1, 3))
_row("hypot", "no_overflow", "ug.hypot(x, y)", x=real([3e30, 1e-30]), y=real([4e30, 2e-30]), second=False)
_row(
    "hypot", "infinite", "ug.hypot(x, y)", x=real([float("inf"), 1.0]), y=real([float("nan"), float("-inf")]), flat=True
)
_row("atan2", "quadrants", "ug.atan2(x, y)", x=real([1.5, 0.5, -2.0, -1.0]), y=real([2.0, -1.5, 0.5, -3.0]))
_row("atan2", "axes", "ug.atan2(x, y)", x=real([0.0, 1.5, -1.5]), y=real([2.0, 0.0, 0.0]))
_row("atan2", "broadcast", "ug.arctan2(x, y)", x=spread(-2, -0.5, 2, 1), y=spread(0.2, 3, 1, 3))
_row("copysign", "signs", "ug.copysign(x, y)", x=real([1.5, -2.5, 0.5, -1.0]), y=real([-2.0, 1.0, 3.0, -0.5]))
_row("copysign", "number", "ug.copysign(x, -1.0)", x=_a)
_row("nextafter", "up_and_down", "ug.nextafter(x, y)", x=real([1.0, 1.0, -2.5]), y=real([2.0, -2.0, -2.5]))
_row("signbit", "signs", "ug.signbit(x)", x=real([1.5, -2.5, 0.0, float("inf"), float("-inf")]), flat=True)
for _operation in ("deg2rad", "rad2deg"):
    _row(_operation, "both_signs", f"ug.{_operation}(x)", x=real([-180.0, 45.0, 1.5]))
_row("angle", "reals", "ug.angle(x)", x=real([-1.5, 2.0]))
_row("heaviside", "signs", "ug.heaviside(x, y)", x=real([-1.5, 0.0, 2.0]), y=real([0.25, 0.5, 0.75]))
_row("nan_to_num", "special_values", "ug.nan_to_num(x)", x=real([float("nan"), float("inf"), float("-inf"), 1.5]))
_row(
    "nan_to_num",
    "chosen",
    "ug.nan_to_num(x, nan=1.0, posinf=2.0, neginf=3.0)",
    x=real([float("nan"), float("inf"), -2.0]),
)
_row("nan_to_num", "integers", "ug.nan_to_num(n)", n=whole([1, 2]), flat=True, dtypes=("float32",))
for _operation in ("isposinf", "isneginf"):
    _row(
        _operation,
        "special_values",
        f"ug.{_operation}(x)",
        x=real([float("nan"), float("inf"), float("-inf"), 1.5]),
        flat=True,
    )

# --- functions of one variable ----------------------------------------------------------------------------

for _operation, _low, _high in [
    ("exp", -3, 3), ("expm1", -1, 2), ("log", 0.3, 5), ("log1p", -0.6, 4), ("sqrt", 0.1, 9), ("sin", 0.3, 2.6),
    ("cos", 0.3, 1.2), ("tan", 0.2, 1.2), ("tanh", -1.5, 1.5), ("log2", 0.3, 5), ("log10", 0.3, 5), ("exp2", -3, 3),
    ("sinh", -3, 3), ("cosh", 0.2, 3), ("asin", -0.9, 0.95), ("acos", -0.9, 0.95), ("atan", -3, 3), ("asinh", -3, 3),
    ("acosh", 1.1, 5), ("atanh", -0.9, 0.95), ("erf", -2, 2), ("gammaln", 2.2, 9), ("digamma", 1.7, 9), ("cbrt", -4, 4),
    ("sinc", 0.1, 0.9),
]:  # fmt: skip
    _row(_operation, "matrix", f"ug.{_operation}(x)", x=spread(_low, _high, 2, 3))
    _row(_operation, "zero_dimensional", f"ug.{_operation}(x)", x=real((_low + 2 * _high) / 3))
_row("exp", "no_elements", "ug.exp(x)", x=spread(0, 1, 0))
_row("exp", "far_out", "ug.exp(x)", x=real([-80.0, -20.0, 20.0, 80.0]))
_row("exp", "integers", "ug.exp(n)", n=whole([-1, 0, 2]), flat=True, dtypes=("float32",))
_row("log1p", "near_zero", "ug.log1p(x)", x=real([-1e-6, 2e-6, 1e-3]))
_row("expm1", "near_zero", "ug.expm1(x)", x=real([-1e-6, 2e-6, 1e-3]))
_row("tanh", "far_out", "ug.tanh(x)", x=real([-4.0, -3.0, 3.5]))
for _operation in ("asin", "acos", "atanh"):
    _row(_operation, "near_the_ends", f"ug.{_operation}(x)", x=real([-0.9990234375, 0.9990234375, 1e-6]), second=False)
_row("acosh", "near_one", "ug.acosh(x)", x=real([1.0009765625, 1e6]), second=False)
_row("asinh", "far_out", "ug.asinh(x)", x=real([-1e12, 1e-6, 1e12]), second=False)
_row("sinh", "far_out", "ug.sinh(x)", x=real([-40.0, 1e-6, 40.0]))
_row("sinc", "around_zero", "ug.sinc(x)", x=real([0.0, 0.0009765625, -0.125, 0.4]))
_row("erf", "many", "ug.erf(x * ug.ones((2, 9000), dtype=x.dtype))[:, -2:]", x=real([[0.5], [-1.25]]), flat=True)
_row("erf", "far_out", "ug.erf(x)", x=real([-3.0, 1e-6, 2.75]))
_row("gammaln", "small_and_large", "ug.gammaln(x)", x=real([0.0009765625, 0.5, 30.0, 1000.0]))
_row("gammaln", "first_whole_numbers", "ug.gammaln(x)", x=real([1.0, 2.0, 3.0, 4.0]))
_row("gammaln", "negative", "ug.gammaln(x)", x=real([-0.25, -1.5]))
_row("gammaln", "poles", "ug.gammaln(x)", x=real([0.0, -1.0, -2.0, -31.0]), flat=True)
# The gradient, which has a zero there itself, is digamma, with cases of its own.
_row("gammaln", "about_its_zeros", "ug.gammaln(x)", x=real([1.0, 2.0, 0.9375, 2.0625]), flat=True)
_row("digamma", "small_and_large", "ug.digamma(x)", x=real([0.0009765625, 0.5, 30.0, 1000.0]))
_row("digamma", "negative", "ug.digamma(x)", x=real([-0.25, -2.75]))
_row("polygamma", "orders", "ug.polygamma(1, x) + ug.polygamma(2, x) + ug.polygamma(3, x)", x=real([0.5, 1.5, 12.0]))
for _operation in ("asin", "log2", "erf", "gammaln", "sinh"):
    _row(_operation, "integers", f"ug.{_operation}(n)", n=whole([1]), flat=True, dtypes=("float32",))
for _operation in ("asinh", "digamma", "cbrt", "sinc", "log10"):
    _row(_operation, "no_elements", f"ug.{_operation}(x)", x=spread(1, 2, 0, 3))
for _operation in ("hypot", "logaddexp", "atan2", "xlogy", "fmod"):
    _row(_operation, "no_elements", f"ug.{_operation}(x, y)", x=spread(1, 2, 0, 3), y=spread(1, 2, 3))
for _decimals in (1, -1, 30):
    _row("round", f"decimals_{_decimals}".replace("-", "minus_"), f"ug.round(x, {_decimals})",
         x=real([0.25, -1.375, 15.0, 25.0, 1234.5, 0.0625]))  # fmt: skip
_row("round", "integers_to_tens", "ug.round(n, -1)", n=whole([15, 25, -15, -25, 7, -4]), flat=True, dtypes=("float32",))
_row("round", "integers_to_ones", "ug.round(n, np.int64(0))", n=whole([15, -7, 4]), flat=True, dtypes=("float32",))
for _operation in ("floor", "ceil", "round", "trunc"):
    _row(
        _operation, "both_signs", f"ug.{_operation}(x)", x=real([-2.5, -1.5, -0.25, 0.5, 1.5, 2.5, 2.75])
    )  # fmt: skip
    _row(_operation, "integers", f"ug.{_operation}(n)", n=whole([-3, 0, 4]), flat=True, dtypes=("float32",))

# --- choosing ---------------------------------------------------------------------------------------------

_c = spread(-2, 2, 2, 3, start=5)
for _operation in ("maximum", "minimum"):
    _row(_operation, "matrices", f"ug.{_operation}(x, y)", x=_a, y=_b)
    _row(_operation, "number", f"ug.{_operation}(x, 1.5) * ug.{_operation}(0.75, x)", x=_a)
    _row(_operation, "broadcast", f"ug.{_operation}(x, y)", x=_c, y=spread(-1, 1, 3))
    _row(_operation, "integers", f"ug.{_operation}(n, 2)", n=whole([1, 2, 3]), flat=True, dtypes=("float32",))
for _operation in ("fmax", "fmin"):
    _row(_operation, "matrices", f"ug.{_operation}(x, y)", x=_a, y=_b)
    _row(_operation, "nan", f"ug.{_operation}(x, y)", x=real([float("nan"), 1.5]), y=real([2.5, float("nan")]))
_row("where", "matrices", "ug.where(m, x, y)", x=_a, y=_b, m=whole([[1, 0, 1], [0, 0, 1]], "bool"))
_row("where", "computed_condition", "ug.where(x > y, x * y, x / y)", x=_a, y=_b)
_row("where", "numbers", "ug.where(x > 1, x, 0.5) + ug.where(x > 2, -1, x)", x=_a)
_row(
    "where",
    "broadcast",
    "ug.where(m, x, y)",
    x=spread(1, 2, 2, 1),
    y=spread(1, 2, 3),
    m=whole([True, False, True], "bool"),
)
_row("where", "mixed_dtypes", "ug.where(m, x, n)", x=spread(1, 2, 3), n=whole([1, 2, 3]), m=whole([1, 0, 1], "bool"))
_row("clip", "numbers", "ug.clip(x, -1.0, 1.25)", x=_c)
_row("clip", "one_side", "ug.clip(x, min=0.25) + x.clip(max=0.75)", x=_c)
_row(
    "clip",
    "of_bytes",
    "ug.clip(n, min=1) + ug.clip(n, max=4)",
    n=whole([-1, 1, 5], "int8"),
    flat=True,
    dtypes=("float32",),
)
_row("clip", "booleans", "ug.clip(m, min=True), ug.clip(m, max=False)", m=whole([1, 0], "bool"), flat=True)
_row(
    "clip", "number_by_bytes", "ug.clip(3, min=n), ug.clip(2.5, max=x)", n=whole([4], "int8"), x=real([1.0]), flat=True
)
_row("clip", "arrays", "ug.clip(x, low, high)", x=_c, low=spread(-1.5, -0.5, 3), high=spread(0.5, 1.5, 2, 1))
_row("clip", "infinite", "ug.clip(x, -1.0, 1.25) * y", x=real([float("inf"), float("-inf"), 1.0]),
     y=real([0.5, 1.5, 2.0]))  # fmt: skip
_row("clip", "integers", "ug.clip(n, 0, 2)", n=whole([-1, 1, 5]), flat=True, dtypes=("float32",))

# --- comparison and logic -----------------------------------------------------------------------------------

_x, _y = real([1.0, 2.0, float("nan"), -3.0]), real([1.0, 1.5, 2.0, 4.0])
for _operation, _symbol in [
    ("equal", "=="), ("not_equal", "!="), ("less", "<"), ("less_equal", "<="), ("greater", ">"),
    ("greater_equal", ">="),
]:  # fmt: skip
    _row(_operation, "arrays", f"ug.{_operation}(x, y)", x=_x, y=_y, flat=True)
    _row(_operation, "number", f"(x {_symbol} 1)", x=_x, flat=True)
    _row(_operation, "integers_with_floats", f"x {_symbol} n", x=_x, n=whole([1, 3, 2, -3]), flat=True)
_m, _n = whole([1, 0, 1, 0], "bool"), whole([1, 1, 0, 0], "bool")
_row("logical_and", "booleans", "ug.logical_and(m, n)", m=_m, n=_n, flat=True, dtypes=("float32",))
_row("logical_and", "operator", "m & n | ~m ^ n", m=_m, n=_n, flat=True, dtypes=("float32",))
_row("logical_or", "booleans", "ug.logical_or(m, n)", m=_m, n=_n, flat=True, dtypes=("float32",))
_row("logical_xor", "booleans", "ug.logical_xor(m, n)", m=_m, n=_n, flat=True, dtypes=("float32",))
_row("logical_not", "booleans", "ug.logical_not(m)", m=_m, flat=True, dtypes=("float32",))
_row("logical_not", "floats", "ug.logical_not(x)", x=real([0.0, 1.5, -1.0]), flat=True)
_i, _j = whole([12, -7, 255]), whole([10, 3, 1])
for _operation, _symbol in [
    ("bitwise_and", "&"), ("bitwise_or", "|"), ("bitwise_xor", "^"), ("bitwise_left_shift", "<<"),
    ("bitwise_right_shift", ">>"),
]:  # fmt: skip
    _row(_operation, "integers", f"ug.{_operation}(n, m)", n=_i, m=_j, flat=True, dtypes=("float32",))
    _row(_operation, "numbers", f"(n {_symbol} 3) + (3 {_symbol} m)", n=_i, m=_j, flat=True, dtypes=("float32",))
    _row(_operation, "in_place", f"n {_symbol}= m; n", n=_i * 1, m=_j, flat=True, dtypes=("float32",))
    for _dtype in ("uint8", "int32"):
        _n8, _m8 = whole([12, 7, 5], _dtype), whole([[2], [3]], _dtype)
        _row(_operation, _dtype, f"n {_symbol} m", n=_n8, m=_m8, flat=True, dtypes=("float32",))
    if "shift" not in _operation:
        _row(_operation, "booleans", f"m {_symbol} n", m=_m, n=_n, flat=True, dtypes=("float32",))
        _row(
            _operation, "boolean_number", f"(m {_symbol} True) {_symbol} n", m=_m, n=_n, flat=True, dtypes=("float32",)
        )
_row("bitwise_invert", "integers", "ug.bitwise_invert(n) + ~n", n=_i, flat=True, dtypes=("float32",))
_row("bitwise_invert", "booleans", "~m", m=_m, flat=True, dtypes=("float32",))
_special = real([1.0, float("nan"), float("inf"), float("-inf"), 0.0])
for _operation in ("isnan", "isinf", "isfinite"):
    _row(_operation, "special_values", f"ug.{_operation}(x)", x=_special, flat=True)
    _row(_operation, "integers", f"ug.{_operation}(n)", n=whole([0, 1]), flat=True, dtypes=("float32",))

# --- dtype --------------------------------------------------------------------------------------------------

_row("astype", "to_float32_and_back", "ug.astype(ug.astype(x, ug.float32) * 2, x.dtype) * x", x=_a)
_row("astype", "to_float64", "x.astype('float64') * x", x=_a)
_row("astype", "through_integers", "x.astype('int64').astype(x.dtype) + x * x", x=real([-1.75, 0.5, 2.25]))
_row("astype", "to_boolean", "x.astype('bool')", x=real([0.0, 0.5, -1.0]), flat=True)
_row("astype", "from_boolean", "m.astype('float32') + m.astype('int64')", m=_m, flat=True, dtypes=("float32",))
