"""Discrete Fourier transforms."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import complex_, disk, real, spread, whole
from unigrad_conformance.samples import Family

FOURIER = Family("fourier", Limit(8, "largest"))
_row = FOURIER

_z, _x = disk(0.5, 2.0, 2, 4), spread(-2, 2, 2, 5)

# --- one axis ------------------------------------------------------------------------------------------------

for _operation in ("fft", "ifft"):
    _call = f"ug.fft.{_operation}"
    _row(f"fft.{_operation}", "rows", f"{_call}(z)", z=_z)
    _row(f"fft.{_operation}", "product", f"{_call}(z) * {_call}(z * 1j, norm='ortho')", z=_z)
    _row(f"fft.{_operation}", "columns_filled_up", f"{_call}(z, n=5, axis=0, norm='forward')", z=_z)
    _row(f"fft.{_operation}", "cropped", f"{_call}(z, n=3)", z=_z)
    _row(f"fft.{_operation}", "one_element", f"{_call}(z, n=1) * z", z=_z)
    _row(f"fft.{_operation}", "of_reals", f"{_call}(x, norm='ortho')", x=_x, complex=True)
    _row(f"fft.{_operation}", "no_rows", f"{_call}(z)", z=disk(1, 2, 0, 3))
    _row(
        f"fft.{_operation}",
        "of_integers",
        f"{_call}(n)",
        n=whole([1, 2, 0, -1]),
        flat=True,
        complex=True,
        dtypes=("float32",),
    )
    _row(
        f"fft.{_operation}",
        "of_booleans",
        f"{_call}(n)",
        n=whole([1, 1, 0], "bool"),
        flat=True,
        complex=True,
        dtypes=("float32",),
    )
_row("fft.ifft", "round_trip", "ug.fft.ifft(ug.fft.fft(z, norm='ortho'), norm='ortho') * z", z=_z)
for _operation in ("rfft", "ihfft"):
    _call = f"ug.fft.{_operation}"
    _row(f"fft.{_operation}", "odd", f"{_call}(x)", x=_x, complex=True)
    _row(f"fft.{_operation}", "even", f"{_call}(x, n=4, norm='ortho')", x=_x, complex=True)
    _row(f"fft.{_operation}", "columns", f"{_call}(x, axis=0, norm='forward')", x=_x, complex=True)
    _row(f"fft.{_operation}", "filled_up", f"{_call}(x, n=7)", x=_x, complex=True)
    _row(f"fft.{_operation}", "one_element", f"{_call}(x, n=1)", x=_x, complex=True)
    _row(f"fft.{_operation}", "two_elements", f"{_call}(x, n=2)", x=_x, complex=True)
    _row(f"fft.{_operation}", "power", f"ug.abs({_call}(x)) ** 2", x=_x, complex=True)
    _row(f"fft.{_operation}", "no_rows", f"{_call}(x)", x=spread(0, 1, 0, 3), complex=True)
    _row(
        f"fft.{_operation}",
        "of_integers",
        f"{_call}(n)",
        n=whole([1, 2, 0, -1]),
        flat=True,
        complex=True,
        dtypes=("float32",),
    )
for _operation in ("irfft", "hfft"):
    _call = f"ug.fft.{_operation}"
    _row(f"fft.{_operation}", "even", f"{_call}(z)", z=_z)
    _row(f"fft.{_operation}", "odd", f"{_call}(z, n=5, norm='ortho')", z=_z)
    _row(f"fft.{_operation}", "columns", f"{_call}(z, axis=0, norm='forward')", z=_z)
    _row(f"fft.{_operation}", "filled_up", f"{_call}(z, n=9)", z=_z)
    _row(f"fft.{_operation}", "one_element", f"{_call}(z, n=1)", z=_z)
    _row(f"fft.{_operation}", "two_elements", f"{_call}(z, n=2)", z=_z)
    _row(f"fft.{_operation}", "square", f"{_call}(z) ** 2", z=_z)
    _row(f"fft.{_operation}", "of_reals", f"{_call}(x)", x=_x, complex=True)
    _row(f"fft.{_operation}", "no_rows", f"{_call}(z)", z=disk(1, 2, 0, 3))
_row("fft.irfft", "round_trip", "ug.fft.irfft(ug.fft.rfft(x), n=5) * x", x=_x, complex=True)
_row("fft.irfft", "convolution", "ug.fft.irfft(ug.fft.rfft(x, n=8) * ug.fft.rfft(w, n=8))",
     x=_x, w=spread(-1, 1, 3), complex=True)  # fmt: skip

# --- several axes --------------------------------------------------------------------------------------------

for _operation in ("fftn", "ifftn"):
    _call = f"ug.fft.{_operation}"
    _row(f"fft.{_operation}", "all", f"{_call}(z)", z=_z)
    _row(f"fft.{_operation}", "sizes", f"{_call}(z, s=(3, 3), axes=(1, 0), norm='ortho')", z=_z)
    _row(f"fft.{_operation}", "one_of_them", f"{_call}(z, s=(-1,), axes=(0,), norm='forward')", z=_z)
    _row(f"fft.{_operation}", "last", f"{_call}(z, s=(3,))", z=_z)
    _row(f"fft.{_operation}", "no_axes", f"{_call}(z) * 2", z=complex_(0.75, -1.25))
    _row(f"fft.{_operation}", "of_reals", f"{_call}(x)", x=_x, complex=True)
_row("fft.rfftn", "all", "ug.fft.rfftn(x)", x=_x, complex=True)
_row("fft.rfftn", "sizes", "ug.fft.rfftn(x, s=(4, 3), axes=(1, 0), norm='ortho')", x=_x, complex=True)
_row("fft.rfftn", "three", "ug.fft.rfftn(x, axes=(0, 2))", x=spread(-2, 2, 2, 2, 3), complex=True)
_row("fft.irfftn", "all", "ug.fft.irfftn(z)", z=_z)
_row("fft.irfftn", "sizes", "ug.fft.irfftn(z, s=(4, 3), axes=(1, 0), norm='ortho')", z=_z)
_row("fft.irfftn", "three", "ug.fft.irfftn(z, s=(2, 3), axes=(0, 2))", z=disk(0.5, 2, 2, 2, 2))
for _name in ("fft2", "ifft2", "irfft2"):
    _row(f"fft.{_name}", "last_axes", f"ug.fft.{_name}(z)", z=disk(0.5, 2, 2, 3, 3))
    _row(f"fft.{_name}", "sizes", f"ug.fft.{_name}(z, s=(4, 2), axes=(1, 0), norm='ortho')", z=_z)
_row("fft.rfft2", "last_axes", "ug.fft.rfft2(x)", x=spread(0.5, 2, 2, 3, 3))
_row("fft.rfft2", "sizes", "ug.fft.rfft2(x, s=(4, 2), axes=(1, 0), norm='forward')", x=spread(0.5, 2, 3, 3))

# --- frequencies ---------------------------------------------------------------------------------------------

_one = {"flat": True, "dtypes": ("float32",)}
for _operation in ("fftfreq", "rfftfreq"):
    _row(f"fft.{_operation}", "even", f"ug.fft.{_operation}(4)", **_one)
    _row(f"fft.{_operation}", "odd", f"ug.fft.{_operation}(5, d=0.25, dtype=ug.float64)", **_one)
    _row(f"fft.{_operation}", "one", f"ug.fft.{_operation}(1)", **_one)
for _operation in ("fftshift", "ifftshift"):
    _row(f"fft.{_operation}", "all", f"ug.fft.{_operation}(x) * x", x=_x)
    _row(f"fft.{_operation}", "axis", f"ug.fft.{_operation}(x, axes=1)", x=_x)
    _row(f"fft.{_operation}", "axes", f"ug.fft.{_operation}(x, axes=(0, -1))", x=_x)
    _row(f"fft.{_operation}", "one_element", f"ug.fft.{_operation}(x)", x=real([2.5]))
    _row(f"fft.{_operation}", "zero_dimensional", f"ug.fft.{_operation}(x)", x=real(2.5))
    _row(f"fft.{_operation}", "no_elements", f"ug.fft.{_operation}(x)", x=spread(0, 1, 0, 3))
    _row(f"fft.{_operation}", "of_integers", f"ug.fft.{_operation}(n)", n=whole([1, 2, 3]), **_one)
    _row(f"fft.{_operation}", "complex", f"ug.fft.{_operation}(z)", z=_z)
