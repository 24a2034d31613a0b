"""What NumPy computes for PaddlePaddle: which primitives, of which dtypes, and why."""

from __future__ import annotations

_INTEGERS = "bool int8 int16 int32 int64 uint8"
_FLOATS = "float16 bfloat16 float32 float64"

HOSTED = {
    "power": (
        f"{_INTEGERS} complex64 complex128",
        "PaddlePaddle's raises nothing for a negative exponent of integers, and 0 ** 0 of complex numbers is NaN",
    ),
    "remainder": (_INTEGERS, "PaddlePaddle raises where an integer is divided by 0"),
    "floor_divide": ("any", "as remainder; of floats PaddlePaddle rounds twice"),
    **dict.fromkeys(
        ("bitwise_left_shift", "bitwise_right_shift"),
        ("any", "PaddlePaddle leaves to the processor what a shift by the width of the dtype is"),
    ),
    **dict.fromkeys(("argmax", "argmin"), (_FLOATS, "PaddlePaddle's passes over NaN")),
    **dict.fromkeys(("scatter", "scatter_along_axis"), ("empty", "PaddlePaddle scatters nothing only into nothing")),
    "searchsorted": (_FLOATS, "PaddlePaddle's takes NaN for larger than all numbers in one of the two arrays only"),
    "take_along_axis": ("empty", "made of the positions along the axis, of which the first is looked at"),
    "svd": ("empty", "PaddlePaddle's leaves the full factors as they were in memory"),
    "svdvals": ("any", "PaddlePaddle's loses axes of size 1"),
    "argsort": ("any", "PaddlePaddle's puts NaN anywhere"),
}


def lacks_kernel(error: Exception) -> bool:
    """Whether PaddlePaddle says that it has a function for other dtypes only, as it does of most narrow integers, and
    on a processor of most of float16."""
    text = str(error)
    return "is not registered" in text or "data type" in text.lower() or "dtype" in text.lower()
