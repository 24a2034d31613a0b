"""Special functions, under SciPy's names, with derivatives to any order on every backend.

Real arrays (integers are taken as the default float dtype), elementwise with broadcasting; float16 and float32 are
computed in float64 and rounded once. Where a parameter has no derivative here, as the orders of Bessel functions and
the first argument of ``zeta``, its gradient is NaN: to move such a parameter, take differences.
"""

from unigrad.special import bessel, distributions, elementary, elliptic, errors, gammas, incomplete, integrals, inverses
from unigrad.special.bessel import *
from unigrad.special.distributions import *
from unigrad.special.elementary import *
from unigrad.special.elliptic import *
from unigrad.special.errors import *
from unigrad.special.gammas import *
from unigrad.special.incomplete import *
from unigrad.special.integrals import *
from unigrad.special.inverses import *

_ROOMS = (bessel, distributions, elementary, elliptic, errors, gammas, incomplete, integrals, inverses)

__all__ = sorted([name for room in _ROOMS for name in room.__all__])
