"""unigrad over JAX: compiled functions, and derivatives by JAX's own rules.

Each operation and each of its pullbacks is compiled once per shape, with ``jax.jit`` and ``jax.vjp``;
the graph is unigrad's. So a tape over JAX costs two compiled calls an operation, and first derivatives are
independent of unigrad's rules except where JAX's differ from the documented ones (``functions.py``
lists those). What is differentiated again, and many rows at once, is pulled by the rules, over compiled operations.

What to know about it:

- JAX computes in 32 bits unless ``jax_enable_x64`` is set. unigrad leaves that setting as it is and opens
  ``jax.enable_x64`` around its own calls (``wide.py``), so that float64 and int64 work as everywhere.
  Inside a transform of JAX's own (``jax.jit``, ``jax.grad``) the user's setting holds.
- A new shape is compiled anew, which takes some ten milliseconds an operation. Numbers, integer indices
  and the starts of slices are arguments of the compiled function, and compile nothing anew.
- Every compiled function takes about 1.5 MB of memory, as JAX's own do. JAX drops the oldest after some
  thousands; ``jax.clear_caches()`` drops all.
- JAX on a CPU takes numbers below the smallest normal one (1.2e-38 in float32) for zero.
- A recorded operation keeps its inputs, whether or not the derivative needs them.
"""

from unigrad_jax.backend import JaxBackend

backend = JaxBackend()

__all__ = ["JaxBackend", "backend"]
