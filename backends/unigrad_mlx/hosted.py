"""What NumPy computes for MLX: which primitives, of which dtypes, and why."""

from __future__ import annotations

from unigrad.extend import DECOMPOSITIONS

_INTEGERS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64"

HOSTED = {
    **dict.fromkeys(("sin", "cos"), ("float64", "MLX computes it in float32")),
    "erf": ("any", "MLX's has an error of 1e-7 also where its value is smaller, and computes float64 in float32"),
    "gammaln": ("any", "MLX has none"),
    "nextafter": ("any", "MLX has none"),
    "power": (
        f"{_INTEGERS} complex64",
        "MLX's raises nothing for a negative exponent of integers, and 0 ** 0 of complex numbers is NaN",
    ),
    "remainder": (_INTEGERS, "MLX divides integers by 0 as the processor does, which may end the process"),
    "floor_divide": ("any", "as remainder; of floats MLX rounds the quotient twice"),
    **dict.fromkeys(
        ("bitwise_left_shift", "bitwise_right_shift"),
        ("any", "MLX leaves to the processor what a shift by the width of the dtype is"),
    ),
    **dict.fromkeys(("fft", "rfft"), ("float64", "MLX transforms it in float32, and has no complex128 for the result")),
    **dict.fromkeys(("matmul", "einsum"), (_INTEGERS, "MLX multiplies matrices of floating dtypes only")),
    "argsort": ("any", "MLX promises no order of equal elements"),
    **dict.fromkeys(
        DECOMPOSITIONS,
        (
            "any",
            "MLX has it on the CPU alone and of real matrices, and answers also where there is no answer",
        ),
    ),
}
