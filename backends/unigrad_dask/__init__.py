"""dask.array for unigrad: ``ug.set_backend("dask")``. Importing this does not import dask.

A Tensor holds a dask array, whose chunks are NumPy's or CuPy's. What is computed with it is a graph of tasks, each of
which is the native engine's raw function on the chunks of one place, so that values and conventions are the native
engine's; derivatives are the neutral rules. What to know about it:

- Nothing is computed but where values are asked for: ``ug.compute``, ``dask.compute``, ``x.numpy()``, ``x.item()``,
  ``float(x)``, ``bool(x)``, ``x.to_backend(...)``, iteration by value, and where a shape depends on values
  (``x[mask]``, ``nonzero``, ``unique``), of which a mask or its like is computed and not ``x``. Printing computes
  nothing, and labels, indices and matrices are not looked at beforehand: what is wrong with them is raised as they are
  used.
- A cotangent has the chunks of its array (``engine.py``), and so a gradient those of its variable.
- Where an axis has to be seen whole (sorting, Fourier transforms, matrices, index arrays, convolutions), its chunks are
  joined and others divided, as ``dask.array`` itself does it for medians (``chunks.py``).
"""

from unigrad_dask.backend import DaskBackend

backend = DaskBackend()

__all__ = ["DaskBackend", "backend"]
