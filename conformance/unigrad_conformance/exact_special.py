"""The special functions over single numbers of many digits, with the values that they have at poles and ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

DIGITS = 25
"""Of the integrals alone, which take their time."""


def special_functions(mp: Any) -> dict[str, Callable[..., Any]]:
    """By the primitive's name: a function of its arrays' elements and its static parameters."""
    nan, inf, one, half = mp.nan, mp.inf, mp.mpf(1), mp.mpf(1) / 2

    def known(function: Callable[..., Any]) -> Callable[..., Any]:
        # NaN where an argument is NaN.
        return lambda *args: nan if any(mp.isnan(arg) for arg in args if isinstance(arg, mp.mpf)) else function(*args)

    def whole(x: Any) -> bool:
        return mp.isfinite(x) and x == mp.floor(x)

    def scaled_erfc(x: Any, order: int) -> Any:
        if x == inf:
            return mp.mpf(0)
        with mp.extradps(60 + int(4 * order)):
            before, value = mp.mpf(0), mp.exp(x * x) * mp.erfc(x)
            for number in range(order):
                slope = 2 * x * value + (2 * number * before if number else -2 / mp.sqrt(mp.pi))
                before, value = value, slope
        return +value

    def inverse(of: Callable[[Any], Any], p: Any, start: Any) -> Any:
        return mp.findroot(lambda y: of(y) - p, start)

    def erfcinv(q: Any) -> Any:
        if not 0 <= q <= 2:
            return nan
        if q in (0, 2):
            return inf if q == 0 else -inf
        if q > 1:
            return -erfcinv(2 - q)
        if q > half:
            return mp.erfinv(1 - q)
        start = mp.sqrt(-mp.log(q * mp.sqrt(mp.pi) * mp.sqrt(1 - mp.log(q))))
        return inverse(lambda y: mp.log(mp.erfc(y)), mp.log(q), start)

    def erfinv(x: Any) -> Any:
        return nan if abs(x) > 1 else x * inf if abs(x) == 1 else mp.erfinv(x)

    def gamma(x: Any) -> Any:
        return inf if x in (0, inf) else nan if x == -inf or (x < 0 and whole(x)) else mp.gamma(x)

    def betaln(a: Any, b: Any) -> Any:
        parts = [abs(mp.gamma(a)), abs(mp.gamma(b)), abs(mp.rgamma(a + b))]
        return mp.log(parts[0] * parts[1] * parts[2]) if all(parts) else -inf

    def zeta(s: Any, q: Any) -> Any:
        return nan if s < 1 or q < 0 else inf if s == 1 or q == 0 else 0 if q == inf else mp.zeta(s, q)

    def incomplete(lower: bool) -> Callable[[Any, Any], Any]:
        def function(a: Any, x: Any) -> Any:
            if a < 0 or x < 0 or (a == 0 and x == 0):
                return nan
            if a == 0 or x in (0, inf):
                return one * (lower == (x != 0 or a == 0))
            ends = (0, x) if lower else (x, inf)
            return mp.gammainc(a, *ends, regularized=True)

        return function

    def gamma_moment(a: Any, x: Any, power: int, upper: bool) -> Any:
        if not (x >= 0 and a > 0):
            return nan
        if x == 0 or mp.isinf(x):  # of nothing, or all of the first
            return mp.mpf(0)
        # t = exp(s): analytic, and it falls as an exponential.
        log = mp.log(x)
        ends = [log, log + 1, log + 3, log + 6] if upper else [log - 80 / a, log - 8 / a, log - 1, log]
        with mp.workdps(DIGITS):
            mean = mp.digamma(a)
            found = mp.quad(lambda s: mp.exp(a * s - mp.exp(s)) * (s - mean) ** power, sorted(ends)) / mp.gamma(a)
        return found

    def gamma_density(a: Any, x: Any) -> Any:
        if a < 0 or x < 0:
            return nan
        if x == 0 and a != 1:
            return inf if 0 < a < 1 else mp.mpf(0)
        return x ** (a - 1) * mp.exp(-x) * mp.rgamma(a)

    def betainc(a: Any, b: Any, x: Any) -> Any:
        if not (a > 0 and b > 0 and 0 <= x <= 1):
            return nan
        return mp.betainc(a, b, 0, x, regularized=True)

    def solved(below: Callable[[Any], Any], above: Callable[[Any], Any], p: Any, q: Any) -> Any:
        """Where the smaller of two tails is p, or q: by halving, then secants."""
        logarithm = mp.log(min(p, q))

        def rest(y: Any) -> Any:
            return mp.log(below(y)) - logarithm if p < q else logarithm - mp.log(above(y))

        low, high = mp.mpf(-80), mp.mpf(6)
        for _ in range(30):
            middle = (low + high) / 2
            low, high = (middle, high) if rest(middle) < 0 else (low, middle)
        return mp.findroot(rest, (low, high), solver="secant", maxsteps=60)

    def gamma_inverse(a: Any, p: Any, q: Any) -> Any:
        if not (a > 0 and 0 <= p <= 1):
            return nan
        if 0 in (p, q):
            return inf * one if q == 0 else 0 * one
        lower, upper = incomplete(True), incomplete(False)
        return mp.exp(solved(lambda y: lower(a, mp.exp(y)), lambda y: upper(a, mp.exp(y)), p, q))

    def beta_inverse(a: Any, b: Any, p: Any, q: Any) -> Any:
        if not (a > 0 and b > 0 and 0 <= p <= 1):
            return nan
        if 0 in (p, q):
            return p * one

        def below(y: Any) -> Any:
            return betainc(a, b, 1 / (1 + mp.exp(-y)))

        def above(y: Any) -> Any:
            return betainc(b, a, 1 / (1 + mp.exp(y)))

        return 1 / (1 + mp.exp(-solved(below, above, p, q)))

    def student_inverse(df: Any, p: Any) -> Any:
        if not (df > 0 and 0 <= p <= 1):
            return nan
        if p in (0, 1, half):
            return (p - half) * inf if p != half else 0 * one
        size = mp.sqrt(df * (1 / beta_inverse(df / 2, half, 2 * min(p, 1 - p), 1 - 2 * min(p, 1 - p)) - 1))
        return size if p > half else -size

    def beta_moment(a: Any, b: Any, x: Any, first: int, second: int) -> Any:
        if not (a > 0 and b > 0 and 0 <= x <= 1):
            return nan
        if x in (0, 1):
            return mp.mpf(0)
        log, both = mp.log(x), mp.digamma(a + b)
        mean, other = mp.digamma(a) - both, mp.digamma(b) - both

        def integrand(s: Any) -> Any:
            rest = -mp.expm1(s)
            return mp.exp(a * s) * rest ** (b - 1) * (s - mean) ** first * (mp.log(rest) - other) ** second

        with mp.workdps(DIGITS):
            found = mp.quad(integrand, sorted([log - 80 / a, log - 8 / a, log - 1, log])) / mp.beta(a, b)
        return found

    def beta_density(a: Any, b: Any, x: Any) -> Any:
        if not (a > 0 and b > 0 and 0 <= x <= 1):
            return nan
        if x in (0, 1):
            at, beside = (a, b) if x == 0 else (b, a)
            return inf if at < 1 else beside if at == 1 else mp.mpf(0)
        return x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)

    def elliptic(p: Any, order: int, second: bool) -> Any:
        if p < 0:
            return nan
        if p == 0:
            return inf if not second else one if order == 0 else -inf
        a = -half if second else half
        scale = mp.pi / 2 * mp.rf(a, order) * mp.rf(half, order) / mp.factorial(order)
        return scale * mp.hyp2f1(a + order, half + order, 1 + order, 1 - p)

    def spence(z: Any) -> Any:
        return nan if z < 0 else -inf if z == inf else mp.re(mp.polylog(2, 1 - z))

    def bessel_y(x: Any, order: int) -> Any:
        return nan if x < 0 else -inf if x == 0 else mp.mpf(0) if x == inf else mp.bessely(order, x)

    def modified(v: Any, x: Any, scaled: bool) -> Any:
        if x == inf and v >= 0:
            return mp.mpf(0) if scaled else inf
        return nan if x < 0 or v < 0 else mp.besseli(v, x) * (mp.exp(-x) if scaled else 1)

    def macdonald(v: Any, x: Any, scaled: bool) -> Any:
        return nan if x < 0 else inf if x == 0 else mp.besselk(v, x) * (mp.exp(x) if scaled else 1)

    def expn(x: Any, order: int) -> Any:
        if x <= 0:
            return nan if x < 0 else one / (order - 1) if order > 1 else inf
        return mp.expint(order, x) if x != inf else mp.mpf(0)

    def logit(p: Any) -> Any:
        return nan if not 0 <= p <= 1 else -inf if p == 0 else inf if p == 1 else mp.log(p) - mp.log1p(-p)

    def log1prel(x: Any, order: int) -> Any:
        if x < -1:
            return nan
        if x == -1:
            return inf * (-1) ** order
        with mp.extradps(60 + 30 * order):
            found = mp.log1p(x) / x if x else one
            slope = 1 / (1 + x)
            derivative = slope
            for number in range(1, order + 1):
                found = (
                    (derivative - found * number) / x if x else (-one) ** number * mp.factorial(number) / (number + 1)
                )
                derivative = -derivative * slope * number
        return +found

    def student(df: Any, t: Any) -> Any:
        if mp.isinf(t):
            return one if t > 0 else mp.mpf(0)
        tail = mp.betainc(df / 2, half, 0, df / (df + t * t), regularized=True) / 2
        return tail if t < 0 else 1 - tail

    functions: dict[str, Callable[..., Any]] = {
        "erfc": mp.erfc,
        "scaled_erfc": scaled_erfc,
        "erfinv": erfinv,
        "erfcinv": erfcinv,
        "ndtr": mp.ncdf,
        "ndtri": lambda p: -mp.sqrt(2) * erfcinv(2 * p),
        "normal_density": mp.npdf,
        "log_ndtr": lambda x: mp.log(mp.ncdf(x)) if x < 0 else mp.log1p(-mp.ncdf(-x)),
        "normal_slope": lambda x: inf if x == -inf else mp.npdf(x) / mp.ncdf(x),
        "gamma": gamma,
        "rgamma": mp.rgamma,
        "betaln": betaln,
        "beta": mp.beta,
        "zeta": zeta,
        "gammainc": incomplete(True),
        "gammaincc": incomplete(False),
        "gammaincinv": lambda a, p: gamma_inverse(a, p, 1 - p),
        "gammainccinv": lambda a, q: gamma_inverse(a, 1 - q, q),
        "betaincinv": lambda a, b, p: beta_inverse(a, b, p, 1 - p),
        "betainccinv": lambda a, b, q: beta_inverse(a, b, 1 - q, q),
        "student_inverse": student_inverse,
        "gamma_moment": gamma_moment,
        "betainc": betainc,
        "betaincc": lambda a, b, x: betainc(b, a, 1 - x),
        "gamma_density": gamma_density,
        "beta_density": beta_density,
        "beta_moment": beta_moment,
        "elliptic": elliptic,
        "spence": spence,
        "bessel_j": lambda x, order: mp.besselj(order, x),
        "bessel_y": bessel_y,
        "bessel_i": lambda x, order: mp.besseli(order, x),
        "bessel_ie": lambda x, order: mp.mpf(0) if mp.isinf(x) else mp.besseli(order, x) * mp.exp(-abs(x)),
        "modified": modified,
        "macdonald": macdonald,
        "expn": expn,
        "expi": lambda x: -inf if x == 0 else mp.ei(x),
        "logit": logit,
        "entr": lambda x: -x * mp.log(x) if x > 0 else -inf if x < 0 else mp.mpf(0),
        "xlog1py": lambda x, y: x * mp.log1p(y) if x else mp.mpf(0),
        "exprel": lambda x, order: mp.hyp1f1(order + 1, order + 2, x) / (order + 1),
        "log1prel": log1prel,
        "student": student,
    }
    return {name: known(function) for name, function in functions.items()}
