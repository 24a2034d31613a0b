"""Loading a library of another package before one that it cannot follow.

PyTorch's compiler (triton, which its CUDA builds bring) and TensorFlow both hold LLVM. Where TensorFlow's is loaded
first and triton's later, as soon as something of PyTorch's asks for its compiler, the process ends; the other way round
both work. So both adapters have triton's library loaded first, which takes a tenth of a second and imports nothing.
"""

from __future__ import annotations

import ctypes
import importlib.util
import sys
import threading
import warnings
from pathlib import Path

from unigrad.base.errors import UnigradWarning

_loaded: dict[tuple[str, str], ctypes.CDLL] = {}
_lock = threading.Lock()


def load_triton(pytorch: bool) -> None:
    """Load triton's library unless TensorFlow is there, of which whoever means to use ``pytorch`` is warned."""
    if not loaded_before("triton", "_C/libtriton.so", other="tensorflow") and pytorch:
        warnings.warn(
            "tensorflow was imported before PyTorch's compiler (triton): the process will end as soon as something "
            "loads that, as torch.compile and ug.checkpoint do; put 'import triton' before 'import tensorflow', or "
            "name the backend 'torch' or 'tensorflow' before it, or uninstall triton where there is no GPU",
            UnigradWarning,
            stacklevel=3,
        )


def loaded_before(package: str, library: str, other: str) -> bool:
    """Load the ``library`` of an installed package, a path inside it, unless the module ``other`` was imported first.

    Returns False in that case alone: if the library is loaded now, it comes too late. True also where there is none.
    """
    if package in sys.modules:
        return True
    with _lock:
        if (package, library) in _loaded:
            return True
        spec = importlib.util.find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            file = Path(folder, library)
            if file.is_file():
                if other in sys.modules:
                    return False
                try:
                    _loaded[package, library] = ctypes.CDLL(str(file))
                except OSError:  # it lacks something of the system, and will not load later either
                    return True
    return True
