"""SciPy's own functions on Tensors: several hundred calls, of which each should be NumPy's in value and in gradient.

    SCIPY_ARRAY_API=1 python conformance/scipy_calls.py numpy torch
    SCIPY_ARRAY_API=1 python conformance/scipy_calls.py numpy --only stats. --all

Prints for each backend how many are right, and which are not and why; ``--all`` also those that are right. Functions
that SciPy has in C alone cannot be differentiated through it: they are in the table because users call them.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported

import numpy as np
import scipy.cluster.vq
import scipy.constants
import scipy.differentiate
import scipy.fft
import scipy.integrate
import scipy.interpolate
import scipy.linalg
import scipy.ndimage
import scipy.optimize.elementwise
import scipy.signal
import scipy.spatial.distance
import scipy.special
import scipy.stats
from scipy.spatial.transform import RigidTransform, Rotation, Slerp

import unigrad as ug

Call = tuple[Callable[..., Any], tuple[Any, ...]]

_numbers = np.random.default_rng(5)
X = np.array([0.31, 0.72, 1.93, 2.47, 4.1])
Y = np.array([0.8, 1.7, 0.45, 3.1, 2.2])
P = np.array([0.12, 0.35, 0.52, 0.71, 0.93])
R = np.array([-1.6, -0.7, 0.25, 0.9, 1.8])
A = _numbers.uniform(0.2, 0.9, (4, 6))
B = _numbers.uniform(0.2, 0.9, (4, 6))
C = _numbers.normal(size=(3, 8))
S = _numbers.normal(size=16)
SQUARE = _numbers.uniform(-1, 1, (4, 4)) + 2 * np.eye(4)
POSITIVE = SQUARE @ SQUARE.T
LOWER = np.tril(SQUARE)
Z = _numbers.normal(size=8) + 1j * _numbers.normal(size=8)
LONG, OTHER = _numbers.normal(size=24), _numbers.normal(0.3, 1.4, size=21)
VECTORS = _numbers.normal(size=(4, 3))
QUATERNIONS = _numbers.normal(size=(4, 4))
GRID = np.cumsum(B, axis=1)

CALLS: dict[str, Call] = {}


def _words(names: str) -> list[str]:
    return names.split()


def _call(name: str, function: Callable[..., Any], *arrays: Any) -> None:
    CALLS[name] = (function, arrays)


def _special() -> None:
    sp = scipy.special
    one = {
        "p": "erfinv logit ndtri entr",
        "x": "cbrt digamma exp1 exp10 exp2 expi expit expm1 exprel gamma gammaln i0 i0e i1 i1e j0 j1 k0 k0e k1 k1e"
        " log1p loggamma psi rgamma y0 y1 gammasgn zetac",
        "r": "cosm1 cosdg sindg tandg cotdg erf erfc erfcx log_expit log_ndtr ndtr sinc erfi dawsn spence ellipk ellipe"
        " ellipkm1",
    }
    given = {"p": P, "x": X, "r": R}
    for kind, names in one.items():
        for name in names.split():
            if hasattr(sp, name):
                argument = {"spence": X, "ellipk": P, "ellipe": P, "ellipkm1": P, "zetac": X + 1.2}.get(
                    name, given[kind]
                )
                _call(f"special.{name}", getattr(sp, name), argument)
    for name in _words(
        "beta betaln binom boxcox boxcox1p inv_boxcox inv_boxcox1p chdtr chdtrc gammainc gammaincc huber pseudo_huber"
        " kl_div rel_entr poch pdtr pdtrc stdtr xlogy xlog1py agm hyp0f1 owens_t"
    ):
        _call(f"special.{name}", getattr(sp, name), X, Y)
    for name in _words("gammaincinv gammainccinv stdtrit chdtri pdtri"):
        _call(f"special.{name}", getattr(sp, name), Y, P)
    for name in _words("iv ive jv kv kve yv jve"):
        function = getattr(sp, name)
        _call(f"special.{name}", lambda x, function=function: function(1.5, x), X)
    for name in _words("jn yn kn expn polygamma"):
        function = getattr(sp, name)
        _call(f"special.{name}", lambda x, function=function: function(2, x), X)
    _call("special.zeta", lambda q: sp.zeta(2.5, q), X)
    _call("special.multigammaln", lambda a: sp.multigammaln(a, 2), X + 1)
    for name in _words("betainc betaincc betaincinv betainccinv"):
        _call(f"special.{name}", getattr(sp, name), X, Y, P)
    for name in _words("fdtr fdtrc gdtr gdtrc radian"):
        _call(f"special.{name}", getattr(sp, name), X, Y, R + 2)
    _call("special.fdtri", sp.fdtri, X, Y, P)
    whole, more = np.array([1.0, 2, 3, 4, 2]), np.array([3.0, 4, 7, 9, 3])
    for name in _words("bdtr bdtrc nbdtr nbdtrc"):
        function = getattr(sp, name)
        _call(f"special.{name}", lambda p, function=function: function(_like(whole, p), _like(more, p), p), P)
    for name in _words("bdtri nbdtri"):
        function = getattr(sp, name)
        _call(f"special.{name}", lambda p, function=function: function(_like(whole, p), _like(more, p), p), P)
    _call("special.hyp1f1", sp.hyp1f1, X, Y, R)
    _call("special.hyp2f1", lambda z: sp.hyp2f1(0.5, 1.2, 2.1, z), P)
    _call("special.lpmv", lambda x: sp.lpmv(1, 2, x), P)
    _call("special.softmax", lambda x: sp.softmax(x, axis=1), A)
    _call("special.log_softmax", lambda x: sp.log_softmax(x, axis=1), A)
    _call("special.logsumexp", lambda x: sp.logsumexp(x, axis=0, keepdims=True), A)
    _call("special.logsumexp weights", lambda x, b: sp.logsumexp(x, axis=1, b=b), A, B)
    _call("special.logsumexp sign", lambda x, b: sp.logsumexp(x, axis=1, b=b, return_sign=True)[0], A, B - 0.5)
    _call("special.logsumexp of complex", lambda x: abs(sp.logsumexp(x)), Z)
    _call("special.softplus", sp.softplus, R) if hasattr(sp, "softplus") else None
    _call("special.comb", lambda n: sp.comb(n, 2), X + 3)
    _call("special.factorial", sp.factorial, X)
    _call("special.eval_legendre", lambda x: sp.eval_legendre(3, x), P)
    _call("special.eval_chebyt", lambda x: sp.eval_chebyt(3, x), P)
    _call("special.airy", lambda x: sp.airy(x)[0], X)
    _call("special.spherical_jn", lambda x: sp.spherical_jn(2, x), X)
    _call("special.legendre_p", lambda x: sp.legendre_p(3, x), P)


def _like(numbers: Any, array: Any) -> Any:
    """The numbers as an array of the same kind."""
    return ug.asarray(numbers, like=array) if isinstance(array, ug.Tensor) else numbers


def _stats() -> None:
    st = scipy.stats
    for name in _words("gmean hmean zscore gzscore skew kurtosis sem circmean circvar circstd variation gstd"):
        function = getattr(st, name)
        _call(f"stats.{name}", function, A)
        if name not in ("zscore", "gzscore"):
            _call(f"stats.{name} axis", lambda a, function=function: function(a, axis=1), A)
        if name not in ("circmean", "circvar", "circstd"):
            _call(f"stats.{name} nan", lambda a, function=function: function(a, axis=None, nan_policy="omit"), A)
    for name in _words("tmean tvar tstd tsem"):
        function = getattr(st, name)
        _call(f"stats.{name}", function, S)
        _call(f"stats.{name} limits", lambda a, function=function: function(a, (-1.2, 1.3)), S)
    for name in _words("tmin tmax"):
        function = getattr(st, name)
        _call(f"stats.{name}", function, S)
        _call(
            f"stats.{name} axis",
            lambda a, function=function: function(a, 0.3 if function is st.tmin else 0.9, axis=1),
            A,
        )
    _call("stats.pmean", lambda a: st.pmean(a, 3), A)
    _call("stats.pmean weights", lambda a, w: st.pmean(a, 2.5, weights=w, axis=1), A, B)
    _call("stats.gmean weights", lambda a, w: st.gmean(a, weights=w), A, B)
    _call("stats.hmean weights", lambda a, w: st.hmean(a, weights=w), A, B)
    _call("stats.skew bias", lambda a: st.skew(a, bias=False, axis=1), A)
    _call("stats.kurtosis bias", lambda a: st.kurtosis(a, bias=False, fisher=False, axis=1), A)
    _call("stats.zscore ddof", lambda a: st.zscore(a, ddof=1, axis=None), A)
    _call("stats.zmap", st.zmap, A, B)
    _call("stats.zmap axis", lambda a, b: st.zmap(a, b, axis=1, ddof=1), A, B)
    _call("stats.moments", lambda a: st.moment(a, [2, 3, 4], axis=1), A)
    _call("stats.moment center", lambda a: st.moment(a, 3, center=0.4), A)
    _call("stats.describe", lambda a: tuple(st.describe(a, axis=1))[2:], A)
    _call("stats.describe all", lambda a: tuple(st.describe(a, axis=None, ddof=0))[2:], A)
    _call("stats.kstat", lambda a: st.kstat(a, 3), S)
    _call("stats.kstat 4", lambda a: st.kstat(a, 4, axis=1), A)
    _call("stats.kstatvar", lambda a: st.kstatvar(a, 2), S)
    _call("stats.kstatvar 1", lambda a: st.kstatvar(a, 1), S)
    _call("stats.trim_mean", lambda a: st.trim_mean(a, 0.25), A)
    _call("stats.trim_mean axis", lambda a: st.trim_mean(a, 0.2, axis=1), A)
    _call("stats.sigmaclip", lambda a: st.sigmaclip(a, 1.5, 1.5).clipped, S)
    _call("stats.iqr", st.iqr, A)
    _call("stats.iqr axis", lambda a: st.iqr(a, axis=1, rng=(10, 80)), A)
    _call("stats.median_abs_deviation", st.median_abs_deviation, A)
    _call("stats.median_abs_deviation scale", lambda a: st.median_abs_deviation(a, axis=1, scale="normal"), A)
    _call("stats.quantile", lambda a: st.quantile(a, 0.3), S)
    _call("stats.quantile axis", lambda a: st.quantile(a, 0.45, axis=1, method="hazen"), A)
    _call("stats.quantile method", lambda a: st.quantile(a, 0.45, axis=1, method="harrell-davis"), A)
    _call("stats.mode", lambda a: st.mode(a).mode, A)
    _call("stats.rankdata", lambda a: a * _like(np.ones(1), a) + st.rankdata(a), S)
    _call("stats.entropy", st.entropy, X)
    _call("stats.entropy axis", lambda p: st.entropy(p, axis=1, base=2), A)
    _call("stats.entropy relative", st.entropy, X, Y)
    _call("stats.entropy relative axis", lambda p, q: st.entropy(p, q, axis=1), A, B)
    for method in ("vasicek", "van es", "ebrahimi", "correa"):
        _call(
            f"stats.differential_entropy {method}",
            lambda a, method=method: st.differential_entropy(a, method=method),
            LONG,
        )
    _call("stats.directional_stats", lambda a: st.directional_stats(a).mean_direction, VECTORS)
    _call("stats.directional_stats length", lambda a: st.directional_stats(a).mean_resultant_length, VECTORS)
    _call("stats.boxcox_llf", lambda a: st.boxcox_llf(0.7, a), X)
    _call("stats.boxcox_llf axis", lambda a: st.boxcox_llf(0.7, a, axis=1), A)
    _call("stats.yeojohnson_llf", lambda a: st.yeojohnson_llf(0.7, a), S)
    _call("stats.lmoment", st.lmoment, LONG)
    _call("stats.lmoment order", lambda a: st.lmoment(a, order=2, axis=1), A)
    for name in _words("skewtest kurtosistest normaltest jarque_bera"):
        function = getattr(st, name)
        _call(f"stats.{name}", lambda a, function=function: tuple(function(a)), LONG)
        _call(f"stats.{name} axis", lambda a, function=function: function(a, axis=1).pvalue, np.reshape(LONG, (2, 12)))
    for alternative in ("less", "greater"):
        for name in _words("skewtest kurtosistest"):
            function = getattr(st, name)
            _call(
                f"stats.{name} {alternative}",
                lambda a, function=function, alternative=alternative: function(a, alternative=alternative).pvalue,
                LONG,
            )
        _call(
            f"stats.ttest_1samp {alternative}",
            lambda a, alternative=alternative: st.ttest_1samp(a, 0.2, alternative=alternative).pvalue,
            LONG,
        )
        _call(
            f"stats.ttest_ind {alternative}",
            lambda a, b, alternative=alternative: st.ttest_ind(a, b, alternative=alternative).pvalue,
            LONG,
            OTHER,
        )
        _call(
            f"stats.pearsonr {alternative}",
            lambda a, b, alternative=alternative: st.pearsonr(a, b, alternative=alternative).pvalue,
            X,
            Y,
        )
    _call("stats.ttest_1samp", lambda a: tuple(st.ttest_1samp(a, 0.2)), LONG)
    _call("stats.ttest_1samp axis", lambda a: tuple(st.ttest_1samp(a, 0.2, axis=1)), A)
    _call("stats.ttest_1samp interval", lambda a: tuple(st.ttest_1samp(a, 0.2).confidence_interval()), LONG)
    _call("stats.ttest_ind", lambda a, b: tuple(st.ttest_ind(a, b)), LONG, OTHER)
    _call("stats.ttest_ind axis", lambda a, b: tuple(st.ttest_ind(a, b, axis=1)), A, B)
    _call("stats.ttest_ind welch", lambda a, b: tuple(st.ttest_ind(a, b, equal_var=False)), LONG, OTHER)
    _call("stats.ttest_ind trim", lambda a, b: tuple(st.ttest_ind(a, b, trim=0.1)), LONG, OTHER)
    _call("stats.ttest_rel", lambda a, b: tuple(st.ttest_rel(a, b)), X, Y)
    _call("stats.ttest_rel axis", lambda a, b: tuple(st.ttest_rel(a, b, axis=1)), A, B)
    _call(
        "stats.ttest_ind_from_stats",
        lambda m, s: tuple(
            st.ttest_ind_from_stats(m, s, _like(np.array(9.0), m), m * 0.8, s * 1.2, _like(np.array(7.0), m))
        ),
        X,
        Y,
    )
    _call("stats.pearsonr", lambda a, b: (st.pearsonr(a, b).statistic, st.pearsonr(a, b).pvalue), X, Y)
    _call("stats.pearsonr axis", lambda a, b: st.pearsonr(a, b, axis=1).statistic, A, B)
    _call("stats.pearsonr interval", lambda a, b: tuple(st.pearsonr(a, b).confidence_interval()), X, Y)
    _call("stats.spearmanrho", lambda a, b: st.spearmanrho(a, b).pvalue + 0 * a, X, Y)
    _call("stats.f_oneway", lambda a, b: tuple(st.f_oneway(a, b)), LONG, OTHER)
    _call("stats.f_oneway axis", lambda a, b: st.f_oneway(a, b, axis=1).pvalue, A, B)
    _call("stats.bartlett", lambda a, b: tuple(st.bartlett(a, b)), LONG, OTHER)
    _call("stats.levene", lambda a, b: tuple(st.levene(a, b)), LONG, OTHER)
    _call("stats.levene mean", lambda a, b: tuple(st.levene(a, b, center="mean")), LONG, OTHER)
    _call("stats.alexandergovern", lambda a, b: st.alexandergovern(a, b).pvalue, LONG, OTHER)
    _call("stats.kruskal", lambda a, b: tuple(st.kruskal(a, b)), LONG, OTHER)
    _call("stats.fligner", lambda a, b: tuple(st.fligner(a, b)), LONG, OTHER)
    _call("stats.mood", lambda a, b: tuple(st.mood(a, b)), LONG, OTHER)
    _call("stats.ansari", lambda a, b: tuple(st.ansari(a, b)), LONG, OTHER)
    _call("stats.mannwhitneyu", lambda a, b: tuple(st.mannwhitneyu(a, b)), LONG, OTHER)
    _call("stats.wilcoxon", lambda a: tuple(st.wilcoxon(a)), S)
    _call("stats.brunnermunzel", lambda a, b: tuple(st.brunnermunzel(a, b)), LONG, OTHER)
    _call("stats.friedmanchisquare", lambda a, b: tuple(st.friedmanchisquare(a, b, a + b)), X, Y)
    _call("stats.epps_singleton_2samp", lambda a, b: tuple(st.epps_singleton_2samp(a, b)), LONG, OTHER)
    _call("stats.cramervonmises_2samp", lambda a, b: st.cramervonmises_2samp(a, b).pvalue, LONG, OTHER)
    _call("stats.cramervonmises", lambda a: st.cramervonmises(a, scipy.special.ndtr).statistic, S)
    _call("stats.ks_1samp", lambda a: st.ks_1samp(a, scipy.special.ndtr).statistic, S)
    _call("stats.chatterjeexi", lambda a, b: st.chatterjeexi(a, b).pvalue + 0 * a, X, Y)
    _call("stats.chisquare", lambda a: tuple(st.chisquare(a)), X)
    _call("stats.chisquare expected", lambda a, b: tuple(st.chisquare(a, b * (a.sum() / b.sum()))), X, Y)
    for family in _words("log-likelihood freeman-tukey mod-log-likelihood neyman cressie-read"):
        _call(
            f"stats.power_divergence {family}",
            lambda a, family=family: tuple(st.power_divergence(a, lambda_=family)),
            X,
        )
    for method in _words("fisher pearson tippett stouffer mudholkar_george"):
        _call(f"stats.combine_pvalues {method}", lambda p, m=method: tuple(st.combine_pvalues(p, method=m)), P)
    _call("stats.combine_pvalues weights", lambda p, w: tuple(st.combine_pvalues(p, "stouffer", weights=w)), P, X)
    _call("stats.false_discovery_control", st.false_discovery_control, P)
    _call("stats.false_discovery_control by", lambda p: st.false_discovery_control(p, method="by"), P)
    # The distributions: those of the new infrastructure, and of the old one.
    _call("stats.Normal.pdf", lambda x: st.Normal(mu=0.3, sigma=1.2).pdf(x), R)
    _call("stats.norm.pdf", lambda x: st.norm.pdf(x), R)
    _call("stats.norm.logpdf", lambda x, m, s: st.norm.logpdf(x, m, s), R, X, Y)
    _call("stats.norm.cdf", lambda x, m, s: st.norm.cdf(x, m, s), R, X, Y)
    _call("stats.norm.ppf", st.norm.ppf, P)
    _call("stats.gamma.logpdf", lambda x, a: st.gamma.logpdf(x, a), X, Y)
    _call("stats.beta.logpdf", lambda x, a, b: st.beta.logpdf(x, a, b), P, X, Y)
    _call("stats.t.cdf", lambda x, v: st.t.cdf(x, v), R, X)
    _call("stats.poisson.logpmf", lambda m: st.poisson.logpmf(2, m), X)
    _call("stats.multivariate_normal.logpdf", lambda x: st.multivariate_normal.logpdf(x, np.zeros(3)), VECTORS)
    _call("stats.linregress", lambda a, b: st.linregress(a, b).slope, X, Y)
    _call("stats.gaussian_kde", lambda a: st.gaussian_kde(a)(0.3), S)
    _call("stats.wasserstein_distance", st.wasserstein_distance, X, Y)
    _call("stats.energy_distance", st.energy_distance, X, Y)
    _call("stats.trimboth", lambda a: st.trimboth(a, 0.2), S)


def _fft() -> None:
    fft = scipy.fft
    for name in _words("fft ifft fftn ifftn fft2 ifft2 rfft rfftn rfft2 ihfft ihfftn ihfft2"):
        function = getattr(fft, name)
        _call(f"fft.{name}", lambda x, f=function: _parts(f(x)), A)
        if not name.endswith(("2", "n")):
            _call(f"fft.{name} n axis", lambda x, f=function: _parts(f(x, 5, axis=0, norm="ortho")), A)
        else:
            _call(f"fft.{name} axes", lambda x, f=function: _parts(f(x, (3, 5), axes=(0, 1), norm="forward")), A)
    for name in _words("irfft hfft irfftn irfft2 hfftn hfft2"):
        function = getattr(fft, name)
        _call(f"fft.{name}", lambda x, f=function: f(x + 0.3j * x[::-1, ...]), A)
    for name in _words("dct idct dst idst"):
        function = getattr(fft, name)
        _call(f"fft.{name}", function, A)
        _call(f"fft.{name} 3", lambda x, f=function: f(x, type=3, axis=0, norm="ortho"), A)
    for name in _words("dctn idctn dstn idstn fftshift ifftshift"):
        _call(f"fft.{name}", getattr(fft, name), A)
    _call("fft.fht", lambda x: fft.fht(x, 0.1, 0.5), S)
    _call("fft.ifht", lambda x: fft.ifht(x, 0.1, 0.5), S)


def _parts(z: Any) -> Any:
    """Real numbers of complex ones, so that both parts count."""
    return z.real + 0.7 * z.imag


def _signal() -> None:
    sg = scipy.signal
    kernel = np.array([0.4, -0.2, 0.7])
    for mode in ("full", "valid", "same"):
        for method in ("fft", "direct"):
            for name in ("convolve", "correlate"):
                function = getattr(sg, name)
                _call(
                    f"signal.{name} {mode} {method}",
                    lambda a, b, f=function, mode=mode, method=method: f(a, b, mode=mode, method=method),
                    S,
                    kernel,
                )
        _call(f"signal.fftconvolve {mode}", lambda a, b, mode=mode: sg.fftconvolve(a, b, mode), A, B[:2, :3])
        _call(f"signal.oaconvolve {mode}", lambda a, b, mode=mode: sg.oaconvolve(a, b, mode), LONG, kernel)
        _call(f"signal.convolve2d {mode}", lambda a, b, mode=mode: sg.convolve2d(a, b, mode), A, B[:2, :3])
        _call(f"signal.correlate2d {mode}", lambda a, b, mode=mode: sg.correlate2d(a, b, mode), A, B[:2, :3])
    _call("signal.fftconvolve axes", lambda a, b: sg.fftconvolve(a, b, axes=1), A, B)
    _call("signal.hilbert", lambda a: abs(sg.hilbert(a)), S)
    _call("signal.hilbert2", lambda a: abs(sg.hilbert2(a)), A)
    _call("signal.envelope", sg.envelope, S)
    _call("signal.detrend", sg.detrend, S)
    _call("signal.detrend constant", lambda a: sg.detrend(a, type="constant"), A)
    _call("signal.resample", lambda a: sg.resample(a, 10), S)
    _call("signal.resample_poly", lambda a: sg.resample_poly(a, 2, 3), S)
    _call("signal.upfirdn", lambda a: sg.upfirdn(_like(kernel, a), a, 2, 1), S)
    _call("signal.lfilter", lambda a: sg.lfilter(*_filter(a), a), S)
    _call("signal.lfilter coefficients", lambda b, a: sg.lfilter(b, _like(np.ones(1), a), a), kernel, S)
    _call("signal.filtfilt", lambda a: sg.filtfilt(*_filter(a), a), S)
    _call("signal.sosfilt", lambda a: sg.sosfilt(_like(sg.butter(2, 0.3, output="sos"), a), a), S)
    _call("signal.savgol_filter", lambda a: sg.savgol_filter(a, 5, 2), S)
    _call("signal.medfilt", lambda a: sg.medfilt(a, 3), S)
    _call("signal.wiener", lambda a: sg.wiener(a, 3), S)
    _call("signal.deconvolve", lambda a, b: sg.deconvolve(a, b)[0], S, kernel)
    _call("signal.welch", lambda a: sg.welch(a, nperseg=8)[1], S)
    _call("signal.periodogram", lambda a: sg.periodogram(a)[1], S)
    _call("signal.csd", lambda a, b: abs(sg.csd(a, b, nperseg=8)[1]), S, S[::-1].copy())
    _call("signal.coherence", lambda a, b: sg.coherence(a, b, nperseg=4)[1], S, S[::-1].copy())
    _call("signal.spectrogram", lambda a: sg.spectrogram(a, nperseg=8)[2], S)
    _call("signal.stft", lambda a: abs(sg.stft(a, nperseg=8)[2]), S)
    _call("signal.lombscargle", lambda a: sg.lombscargle(_like(X, a), a, _like(np.array([0.5, 1.0]), a)), Y)
    _call("signal.decimate", lambda a: sg.decimate(a, 2, ftype="fir"), np.tile(LONG, 3))
    _call("signal.vectorstrength", lambda a: sg.vectorstrength(a, 2.0)[0], X)
    _call("signal.freqz", lambda b: abs(sg.freqz(b, worN=8)[1]), kernel)
    _call("signal.freqs", lambda b: abs(sg.freqs(b, _like(np.array([1.0, 0.4]), b), _like(X, b))[1]), kernel)
    _call("signal.freqz_sos", lambda b: abs(sg.freqz_sos(_section(b), worN=8)[1]), np.array([[0.4, 0.2, 0.3]]))
    _call("signal.group_delay", lambda b: sg.group_delay((b, _like(np.array([1.0]), b)), w=8)[1], kernel)
    _call("signal.sos2tf", lambda b: sg.sos2tf(_section(b))[0], np.array([[0.4, 0.2, 0.3]] * 2))
    _call("signal.normalize", lambda b: sg.normalize(b, _like(np.array([2.0, 1.0]), b))[0], kernel)
    _call("signal.lp2lp", lambda b: sg.lp2lp(b, _like(np.array([2.0, 1.0]), b), 1.5)[0], kernel)
    _call("signal.lp2hp", lambda b: sg.lp2hp(b, _like(np.array([2.0, 1.0, 0.5]), b), 1.5)[0], kernel)
    _call("signal.bilinear", lambda b: sg.bilinear(b, _like(np.array([2.0, 1.0, 0.5]), b), 1.5)[0], kernel)
    _call("signal.cspline1d", sg.cspline1d, S)
    _call("signal.gauss_spline", lambda x: sg.gauss_spline(x, 3), R)
    _call("signal.sawtooth", sg.sawtooth, X)
    _call("signal.chirp", lambda t: sg.chirp(t, 1.0, 2.0, 3.0), X)
    _call("signal.gausspulse", lambda t: sg.gausspulse(t, fc=1), P)
    _call("signal.minimum_phase", lambda b: sg.minimum_phase(b), np.array([0.1, 0.4, 0.9, 0.4, 0.1]))
    _call("signal.lfiltic", lambda y: sg.lfiltic(*_filter(y), y), Y[:2])
    _call("signal.zpk2tf", lambda z: sg.zpk2tf(z, _like(np.array([0.2, 0.3]), z), 1.0)[0], R[:2])
    _call("signal.lp2lp_zpk", lambda z: sg.lp2lp_zpk(z, _like(np.array([0.2, 0.3]), z), 1.0, 1.4)[0], R[:2])
    _call("signal.bilinear_zpk", lambda z: sg.bilinear_zpk(z, _like(np.array([0.2, 0.3]), z), 1.0, 1.4)[0], R[:2])


def _filter(x: Any) -> tuple[Any, Any]:
    return _like(np.array([0.3, 0.2]), x), _like(np.array([1.0, -0.4, 0.1]), x)


def _section(b: Any) -> Any:
    """A second-order section with these numerators."""
    concat = ug.concat if isinstance(b, ug.Tensor) else np.concatenate
    return concat((b, _like(np.array([[1.0, 0.2, 0.1]] * len(b)), b)), axis=1)


def _linalg() -> None:
    la = scipy.linalg
    _call("linalg.block_diag", lambda a, b: la.block_diag(a, b), SQUARE, A)
    _call("linalg.fiedler", la.fiedler, X)
    _call("linalg.orthogonal_procrustes", lambda a, b: la.orthogonal_procrustes(a, b)[0], SQUARE, SQUARE[::-1].copy())
    for name in _words("det inv pinv expm logm sqrtm cosm sinm tanm coshm sinhm tanhm norm svdvals"):
        _call(f"linalg.{name}", getattr(la, name), POSITIVE / 4)
    _call("linalg.cholesky", la.cholesky, POSITIVE)
    _call("linalg.eigvalsh", lambda a: la.eigvalsh((a + a.T) / 2), POSITIVE)
    _call("linalg.solve", la.solve, SQUARE, SQUARE[:, :2].copy())
    _call("linalg.solve_triangular", lambda a, b: la.solve_triangular(a, b, lower=True), LOWER, SQUARE[:, :2].copy())
    _call("linalg.cho_solve", lambda a, b: la.cho_solve(la.cho_factor(a), b), POSITIVE, SQUARE[:, :2].copy())
    _call("linalg.lstsq", lambda a, b: la.lstsq(a, b)[0], SQUARE, SQUARE[:, :2].copy())
    _call("linalg.qr", lambda a: abs(la.qr(a)[1]), SQUARE)
    _call("linalg.lu", lambda a: la.lu(a)[2], SQUARE)
    _call("linalg.solve_sylvester", la.solve_sylvester, POSITIVE, SQUARE, SQUARE.T.copy())
    _call("linalg.solve_banded", lambda a, b: la.solve_banded((1, 1), a, b), C[:, :5] + 2, X)
    _call("linalg.toeplitz", la.toeplitz, X)
    _call("linalg.circulant", la.circulant, X)
    _call("linalg.hankel", la.hankel, X)
    _call("linalg.vander", lambda x: np.vander(x), X)
    _call("linalg.companion", la.companion, X)
    _call("linalg.khatri_rao", la.khatri_rao, A, B)
    _call("linalg.bandwidth", lambda a: a + la.bandwidth(a)[0], LOWER)


def _others() -> None:
    it, op, ip, nd = scipy.integrate, scipy.optimize, scipy.interpolate, scipy.ndimage
    _call("integrate.trapezoid", lambda y: it.trapezoid(y, dx=0.5), A)
    _call("integrate.trapezoid x", lambda y, x: it.trapezoid(y, x), A, GRID)
    _call("integrate.cumulative_trapezoid", lambda y: it.cumulative_trapezoid(y, dx=0.5), A)
    _call("integrate.cumulative_trapezoid x", lambda y, x: it.cumulative_trapezoid(y, x, initial=0), A, GRID)
    _call("integrate.simpson", lambda y: it.simpson(y, dx=0.5), A)
    _call("integrate.simpson x", lambda y, x: it.simpson(y, x=x), A, GRID)
    _call("integrate.cumulative_simpson", lambda y: it.cumulative_simpson(y, dx=0.5), A)
    _call("integrate.cumulative_simpson x", lambda y, x: it.cumulative_simpson(y, x=x), A, GRID)
    _call("integrate.romb", lambda y: it.romb(y), S[:9])
    _call("integrate.fixed_quad", lambda a: it.fixed_quad(lambda x: a[0] * x**2, 0.0, 1.0)[0], X)
    _call("integrate.tanhsinh", lambda b: it.tanhsinh(lambda x: x**2, b * 0, b).integral, X)
    _call("integrate.quad_vec", lambda a: it.quad_vec(lambda x: a * x, 0, 1)[0], X)
    _call(
        "integrate.cubature",
        lambda a: it.cubature(lambda x, a: (x**2).sum(axis=-1)[:, None] * a, a[:2] * 0, a[:2], args=(a,)).estimate,
        X,
    )
    _call("integrate.odeint", lambda y: it.odeint(lambda y, t: -y, y, [0.0, 0.5]), Y)
    _call("integrate.solve_ivp", lambda y: it.solve_ivp(lambda t, y: -y, (0, 0.5), y, rtol=1e-8).y[:, -1], Y)
    for name in _words("rosen rosen_der rosen_hess"):
        _call(f"optimize.{name}", getattr(op, name), X)
    _call("optimize.rosen_hess_prod", op.rosen_hess_prod, X, Y)
    _call("optimize.newton", lambda a: op.newton(lambda x: x**2 - a, a * 0 + 1.5, lambda x: 2 * x), X)
    _call(
        "optimize.elementwise.find_root",
        lambda a: op.elementwise.find_root(lambda x, a: x**3 - a, (a * 0, a + 2), args=(a,)).f_x + a,
        X,
    )
    _call(
        "optimize.elementwise.bracket_root",
        lambda a: op.elementwise.bracket_root(lambda x, a: x - a, a * 0, args=(a,)).f_bracket[1],
        X,
    )
    _call("differentiate.derivative", lambda x: scipy.differentiate.derivative(lambda x: x**3, x).df, X)
    _call("cluster.vq.whiten", scipy.cluster.vq.whiten, A)
    _call("cluster.vq.vq", lambda a, b: scipy.cluster.vq.vq(a, b)[1], A, B[:2])
    _call("constants.convert_temperature", lambda x: scipy.constants.convert_temperature(x, "C", "F"), X)
    _call("constants.lambda2nu", scipy.constants.lambda2nu, X)
    _call("constants.nu2lambda", scipy.constants.nu2lambda, X)
    for name in _words("Akima1DInterpolator CubicSpline PchipInterpolator"):
        kind = getattr(ip, name)
        _call(f"interpolate.{name}", lambda y, kind=kind: kind(_like(X, y), y)(_like(P + 0.5, y)), Y)
    _call("interpolate.CubicHermiteSpline", lambda y: ip.CubicHermiteSpline(_like(X, y), y, y)(_like(P + 0.5, y)), Y)
    _call("interpolate.BarycentricInterpolator", lambda y: ip.BarycentricInterpolator(X, y)(P), Y)
    _call("interpolate.KroghInterpolator", lambda y: ip.KroghInterpolator(X, y)(P), Y)
    _call("interpolate.interp1d", lambda y: ip.interp1d(X, y)(P + 0.5), Y)
    _call("interpolate.make_interp_spline", lambda y: ip.make_interp_spline(_like(X, y), y)(_like(P + 0.5, y)), Y)
    _call(
        "interpolate.RBFInterpolator",
        lambda y: ip.RBFInterpolator(_like(VECTORS, y), y)(_like(VECTORS * 0.9, y)),
        Y[:4],
    )
    _call(
        "interpolate.RegularGridInterpolator",
        lambda v: ip.RegularGridInterpolator((_like(X[:4], v), _like(np.arange(6.0), v)), v)(
            _like(np.array([[0.5, 2.3]]), v)
        ),
        A,
    )
    _call("interpolate.PPoly", lambda c: ip.PPoly(c, _like(np.arange(7.0), c))(_like(P, c)), A)
    for name in _words("gaussian_filter uniform_filter convolve correlate shift zoom laplace sobel median_filter mean"):
        function = getattr(nd, name)
        rest = {
            "gaussian_filter": (0.8,),
            "uniform_filter": (3,),
            "shift": (0.5,),
            "zoom": (1.5,),
            "median_filter": (3,),
        }
        if name in ("convolve", "correlate"):
            _call(f"ndimage.{name}", function, A, B[:3, :3].copy())
        else:
            given = rest.get(name, ())
            _call(f"ndimage.{name}", lambda a, f=function, r=given: f(a, *r), A)
    _call(
        "ndimage.map_coordinates",
        lambda a: nd.map_coordinates(a, _like(np.array([[0.5, 1.5], [1.2, 2.3]]), a), order=1),
        A,
    )
    ds = scipy.spatial.distance
    for name in _words(
        "euclidean sqeuclidean cityblock cosine correlation braycurtis canberra chebyshev minkowski jensenshannon"
    ):
        _call(f"spatial.distance.{name}", getattr(ds, name), X, Y)
    _call("spatial.distance.cdist", ds.cdist, A, B)
    _call("spatial.distance.pdist", ds.pdist, A)
    _call("spatial.distance.mahalanobis", lambda a, b: ds.mahalanobis(a, b, np.eye(5)), X, Y)


def _rotations() -> None:
    def made(a: Any) -> Any:
        return Rotation.from_rotvec(a)

    _call("Rotation.from_rotvec", lambda a: made(a).as_matrix(), VECTORS)
    _call("Rotation.from_quat", lambda a: Rotation.from_quat(a).as_matrix(), QUATERNIONS)
    _call("Rotation.from_matrix", lambda a: Rotation.from_matrix(made(a).as_matrix()).as_matrix(), VECTORS)
    _call("Rotation.from_euler", lambda a: Rotation.from_euler("xyz", a).as_matrix(), VECTORS)
    _call("Rotation.from_euler one", lambda a: Rotation.from_euler("z", a[:, None], degrees=True).as_matrix(), X)
    _call("Rotation.from_mrp", lambda a: Rotation.from_mrp(a).as_matrix(), VECTORS)
    _call(
        "Rotation.from_davenport",
        lambda a: Rotation.from_davenport(_like(np.eye(3), a), "extrinsic", a).as_matrix(),
        VECTORS,
    )
    _call("Rotation.as_quat", lambda a: made(a).as_quat(), VECTORS)
    _call("Rotation.as_quat canonical", lambda a: made(a).as_quat(canonical=True, scalar_first=True), VECTORS)
    _call("Rotation.as_rotvec", lambda a: made(a).as_rotvec(degrees=True), VECTORS)
    _call("Rotation.as_euler", lambda a: made(a).as_euler("xyz"), VECTORS)
    _call("Rotation.as_mrp", lambda a: made(a).as_mrp(), VECTORS)
    _call("Rotation.apply", lambda a, b: made(a).apply(b), VECTORS, VECTORS[::-1].copy())
    _call("Rotation.apply inverse", lambda a, b: made(a).apply(b, inverse=True), VECTORS, VECTORS[::-1].copy())
    _call("Rotation.inv", lambda a: made(a).inv().as_matrix(), VECTORS)
    _call("Rotation.magnitude", lambda a: made(a).magnitude(), VECTORS)
    _call("Rotation.mean", lambda a: made(a / 4).mean().as_matrix(), VECTORS)
    _call("Rotation.mul", lambda a, b: (made(a) * made(b)).as_matrix(), VECTORS, VECTORS[::-1].copy())
    _call("Rotation.pow", lambda a: (made(a) ** 0.5).as_matrix(), VECTORS)
    _call("Rotation.getitem", lambda a: made(a)[1:3].as_matrix(), VECTORS)
    _call("Rotation.concatenate", lambda a: Rotation.concatenate([made(a), made(a)]).as_matrix(), VECTORS)
    _call(
        "Rotation.align_vectors",
        lambda a, b: Rotation.align_vectors(a, b)[0].as_matrix(),
        VECTORS,
        VECTORS[::-1].copy(),
    )
    _call(
        "Slerp",
        lambda a: Slerp(_like(np.arange(4.0), a), made(a / 3))(_like(np.array([0.4, 1.7]), a)).as_matrix(),
        VECTORS,
    )

    def rigid(a: Any) -> Any:
        return RigidTransform.from_components(a, made(a))

    _call("RigidTransform.from_components", lambda a: rigid(a).as_matrix(), VECTORS)
    _call("RigidTransform.from_translation", lambda a: RigidTransform.from_translation(a).as_matrix(), VECTORS)
    _call("RigidTransform.from_exp_coords", lambda a: RigidTransform.from_exp_coords(a).as_matrix(), A)
    _call("RigidTransform.as_exp_coords", lambda a: rigid(a).as_exp_coords(), VECTORS)
    _call("RigidTransform.as_dual_quat", lambda a: rigid(a).as_dual_quat(), VECTORS)
    _call("RigidTransform.apply", lambda a, b: rigid(a).apply(b), VECTORS, VECTORS[::-1].copy())
    _call("RigidTransform.inv", lambda a: rigid(a).inv().as_matrix(), VECTORS)
    _call("RigidTransform.mul", lambda a: (rigid(a) * rigid(a)).as_matrix(), VECTORS)
    _call("RigidTransform.pow", lambda a: (rigid(a) ** 0.5).as_matrix(), VECTORS)


for _room in (_special, _stats, _fft, _signal, _linalg, _others, _rotations):
    _room()


def _leaves(found: Any) -> Iterator[Any]:
    if isinstance(found, tuple | list):
        for part in found:
            yield from _leaves(part)
    else:
        yield found


def _sum(found: Any) -> Any:
    """One number of all that was found, in which each element counts otherwise."""
    total: Any = 0.0
    for part in _leaves(found):
        weights = np.linspace(0.7, 1.9, int(np.prod(part.shape))).reshape(part.shape)
        total = total + (part * _like(weights, part)).sum()
    return total


def fault(call: Call, backend: str) -> str | None:
    """What is wrong with the answer or its gradient; None if nothing is."""
    function, arrays = call
    due = list(_leaves(function(*arrays)))
    with ug.use_backend(backend):
        tensors = [ug.asarray(array) for array in arrays]
        for tensor in tensors:
            tensor.attach_grad()
        try:
            with ug.record():
                found = function(*tensors)
                parts = list(_leaves(found))
                if not all(isinstance(part, ug.Tensor) for part in parts):
                    return "no Tensor came back"
                total = _sum(found)
            for part, expected in zip(parts, due, strict=True):
                if part.shape != np.shape(expected):
                    return f"shape {part.shape}, not {np.shape(expected)}"
                if not np.allclose(part.numpy(), expected, rtol=1e-9, atol=1e-11, equal_nan=True):
                    return f"value {part.numpy().ravel()[:3]}, not {np.ravel(expected)[:3]}"
            total.backward()
        except ug.NotRecordedError:
            pass  # a step function's answer: its gradient is 0
        except Exception as error:
            return f"{type(error).__name__}: {str(error)[:150]}"
        slopes = [tensor.grad.numpy() for tensor in tensors]
    return _wrong_slope(function, arrays, slopes)


def _wrong_slope(function: Callable[..., Any], arrays: Sequence[Any], slopes: Sequence[Any]) -> str | None:
    """Held against differences along two directions."""
    rng = np.random.default_rng(3)
    for _ in range(2):
        directions = [rng.normal(size=array.shape) for array in arrays]
        along = float(sum(np.sum(slope.real * direction) for slope, direction in zip(slopes, directions, strict=True)))
        step = 1e-5

        def at(times: float, directions: Sequence[Any] = directions, step: float = step) -> Any:
            moved = [array + times * step * way for array, way in zip(arrays, directions, strict=True)]
            return _sum(function(*moved))

        # By four points, so that only rounding counts.
        due = float(np.real(8 * (at(1) - at(-1)) - (at(2) - at(-2)))) / (12 * step)
        if not abs(along - due) <= 1e-5 * max(1.0, abs(due)):
            return f"slope {along:.8g}, not {due:.8g}"
    return None


def _chosen(name: str, names: Sequence[str]) -> bool:
    return any(name == chosen or (chosen.endswith(".") and name.startswith(chosen)) for chosen in names)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line: 0 if all calls are right."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("backends", nargs="*", default=["numpy"])
    parser.add_argument("--only", action="append", default=[], help="calls of this name, or of this beginning: stats.")
    parser.add_argument("--all", action="store_true", help="print also what is right")
    arguments = parser.parse_args(argv)
    warnings.simplefilter("ignore")
    calls = {name: call for name, call in CALLS.items() if not arguments.only or _chosen(name, arguments.only)}
    wrong = 0
    for backend in arguments.backends:
        right = 0
        for name, call in calls.items():
            with np.errstate(all="ignore"):
                found = fault(call, backend)
            right += found is None
            if found or arguments.all:
                print(f"{backend}: {name}: {found or 'right'}", flush=True)
        print(f"{backend}: {right} of {len(calls)} are right", flush=True)
        wrong += len(calls) - right
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
