"""Importing MXNet 1.9.1, which was written for NumPy 1 and older Pythons, beside NumPy 2.

MXNet names about twenty things that NumPy has dropped. Its modules, and no others, are given an
``__import__`` of their own, for which ``numpy`` is a module that forwards to the real one and adds those names.
Nothing that other code can see is replaced, not even while the import runs.

The engine is set to the synchronous one (unless it has been started already): errors then surface at the
call that caused them, and nothing waits for another thread.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.machinery
import importlib.util
import sys
import threading
import types
import warnings
from typing import Any, ClassVar

import numpy

from unigrad.extend import quietly

_lock = threading.Lock()


def import_mxnet() -> Any:
    """The module ``mxnet``. If it fails to import, everything is as it was before."""
    with _lock:
        if "mxnet" in sys.modules:
            _start_engine(sys.modules["mxnet"])
            return sys.modules["mxnet"]
        # Asked of all finders, since the one below would pass by whoever keeps MXNet from being imported.
        if importlib.util.find_spec("mxnet") is None:
            raise ModuleNotFoundError("No module named 'mxnet'", name="mxnet")
        # What a plain `import mxnet` that failed has left behind would be taken for whole.
        _forget()
        sys.meta_path.insert(0, _Finder)
        try:
            with warnings.catch_warnings():
                # Its sources hold escapes and comparisons that newer Pythons warn of.
                warnings.simplefilter("ignore")
                mxnet = importlib.import_module("mxnet")
            _start_engine(mxnet)
        except BaseException:
            _forget()
            raise
        finally:
            sys.meta_path.remove(_Finder)
        return mxnet


def _forget() -> None:
    for name in list(sys.modules):
        if name.partition(".")[0] == "mxnet":
            del sys.modules[name]


# --- what MXNet expects to find -------------------------------------------------------------------------


class _OlderNumpy(types.ModuleType):
    """NumPy with the names that it has dropped since MXNet 1.9.1."""

    def __getattr__(self, name: str) -> Any:
        return getattr(numpy, name)


def _dropped(*args: Any, **kwargs: Any) -> Any:
    raise NotImplementedError("this function of MXNet led to one that NumPy has dropped")


_OLDER = {
    **dict.fromkeys(("in1d", "mirr", "npv", "pmt", "ppmt", "pv", "rate", "trapz"), _dropped),
    "alltrue": numpy.all,
    "sometrue": numpy.any,
    "product": numpy.prod,
    "round_": numpy.round,
    "msort": lambda a: numpy.sort(a, axis=0),
    "int": int,
    "PZERO": 0.0,
    "NZERO": -0.0,
    **dict.fromkeys(("NAN", "NaN"), numpy.nan),
    **dict.fromkeys(("Inf", "PINF"), numpy.inf),
    "NINF": -numpy.inf,
    "compat": types.SimpleNamespace(basestring=str),
}
_older_numpy = _OlderNumpy("numpy", numpy.__doc__)
vars(_older_numpy).update((name, value) for name, value in _OLDER.items() if name not in vars(numpy))


def _import(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    """The ``__import__`` of MXNet's modules."""
    if name == "distutils.version":  # by which MXNet compares versions, and which left Python in 3.12
        version = dict.fromkeys(("LooseVersion", "StrictVersion"), lambda text: [*map(int, text.split(".")[:2])])
        return types.SimpleNamespace(**version)
    if name.partition(".")[0] == "sklearn":
        # Only a base class would be taken from it, and loading it changes environment variables.
        raise ImportError(name)
    try:
        found = builtins.__import__(name, globals, locals, fromlist or (), level)
    except ImportError:
        if name == "requests":  # needed for downloads alone, which nothing here does
            return types.ModuleType(name)
        raise
    return _older_numpy if found is numpy else found


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs a module of MXNet with built-in names of its own."""

    builtins: ClassVar = {**vars(builtins), "__import__": _import}

    def exec_module(self, module: types.ModuleType) -> None:
        vars(module)["__builtins__"] = self.builtins
        super().exec_module(module)


class _Finder:
    """Has MXNet's modules loaded by :class:`_Loader`."""

    @staticmethod
    def find_spec(name: str, path: Any, target: Any = None) -> Any:
        """The usual specification of a module of MXNet with our loader in it; None for all others."""
        if name.partition(".")[0] != "mxnet":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and type(spec.loader) is importlib.machinery.SourceFileLoader:
            spec.loader = _Loader(name, spec.loader.path)
        return spec


# --- the engine ------------------------------------------------------------------------------------------


def _start_engine(mxnet: Any) -> None:
    """Have MXNet make its engine, which reads the environment once, and say so to nobody."""
    with quietly("MXNET_ENGINE_TYPE", "NaiveEngine", "MXNet start using engine"):
        mxnet.nd.zeros((1,)).wait_to_read()
