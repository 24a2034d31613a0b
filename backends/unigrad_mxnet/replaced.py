"""Where MXNet's own derivative is not unigrad's: which primitives, and why."""

from unigrad_mxnet import linalg

REPLACED = {
    "abs": "MXNet's derivative at NaN is 0",
    **dict.fromkeys(("divide", "reciprocal"), "MXNet squares the divisor, which over- and underflows"),
    "power": "MXNet's rounds the exponent less 1, so that it is finite where the power is NaN",
    "hard_tanh": "made of clip",
    "maximum": "MXNet gives a tie to the first alone, and NaN the derivative 0",
    "minimum": "as maximum",
    "max": "MXNet gives each of several equal elements the whole gradient, and NaN the derivative 0",
    "min": "as max",
    "clip": "made of maximum and minimum",
    "remainder": "computed outside MXNet",
    **dict.fromkeys(("floor", "ceil", "round", "trunc", "sign", "floor_divide"), "partly computed outside MXNet"),
    **dict.fromkeys(("real", "imag", "conj", "nextafter"), "partly computed outside MXNet"),
    **dict.fromkeys(("log2", "log10", "cbrt", "gammaln"), "MXNet's derivative has constants of single precision"),
    **dict.fromkeys(
        ("asin", "acos", "atanh", "acosh", "asinh"), "MXNet's is by x * x, which loses digits or overflows"
    ),
    **dict.fromkeys(("hypot", "atan2"), "MXNet's is NaN at the origin"),
    **dict.fromkeys(("fmod", "copysign"), "computed outside MXNet"),
    "prod": "MXNet divides by the elements, which may be zero",
    **dict.fromkeys(("cumulative_prod", "cumulative_max", "cumulative_min"), "computed outside MXNet"),
    "vector_norm": "a composition whose derivative at 0 is NaN",
    "softplus": "a composition whose derivative at 0 is 0",
    "tanh": "MXNet's derivative has 1 - out * out, which has no correct digits far from 0",
    "sigmoid": "MXNet's derivative has 1 - out, which has no correct digits far above 0",
    "erf": "MXNet's derivative is rounded to single precision",
    "relu": "MXNet's derivative at NaN is NaN",
    "setitem": "computed outside MXNet",
    "scatter": "MXNet's function for it is itself a derivative and has none",
    "scatter_along_axis": "as scatter",
    **dict.fromkeys(linalg.NAMES, "computed outside MXNet"),
}
"""Those that the neutral rules always differentiate."""
