"""Making arrays, and random numbers."""

from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

CREATION = Family("creation")
RANDOM = Family("random")


def _row(operation: str, name: str, source: str, **details: object) -> None:
    CREATION(operation, name, source, flat=True, **{"dtypes": ("float32",), **details})


_row("arange", "floats", "ug.arange(4.0)")
_row("arange", "integers", "ug.arange(1, 9, 3)")
_row("arange", "downwards", "ug.arange(1.0, -1.0, -0.25, dtype='float64')")
_row("arange", "nothing", "ug.arange(3, 3)")
_row("linspace", "default_dtype", "ug.linspace(0, 3, 10)")
_row("linspace", "float64", "ug.linspace(0, 10, 20, dtype=ug.float64)")
_row("linspace", "open", "ug.linspace(0.0, 1.0, 4, endpoint=False)")
_row("zeros", "shape", "ug.zeros((2, 3))")
_row("zeros", "integers", "ug.zeros(3, dtype='int64')")
_row("ones", "shape", "ug.ones((2, 3))")
_row("ones", "zero_dimensional", "ug.ones((), dtype=ug.float64)")
_row("empty", "shape", "ug.empty((2, 0))")
_row("full", "float", "ug.full((2, 3), 2.5)")
_row("full", "integer", "ug.full(3, 7)")
_row("full", "boolean", "ug.full((2,), True)")
_row("eye", "square", "ug.eye(3)")
_row("eye", "diagonal", "ug.eye(2, 3, k=1, dtype='float64')")
for _operation, _more in [("zeros_like", ""), ("ones_like", ""), ("empty_like", ""), ("full_like", ", 2.5")]:
    _row(_operation, "floats", f"ug.{_operation}(x{_more})", x=spread(1, 2, 2, 3), dtypes=("float32", "float64"))
    _row(_operation, "chosen_dtype", f"ug.{_operation}(n{_more}, dtype=ug.float64)", n=whole([1, 2]))
_row("asarray", "float", "ug.asarray(2.5)")
_row("asarray", "integer", "ug.asarray(3)")
_row("asarray", "boolean", "ug.asarray(True)")
_row("asarray", "lists", "ug.asarray([[1.0, 2.0], [3.0, 4.5]])")
_row("asarray", "integers", "ug.asarray([1, 2, 3])")
_row("asarray", "mixed_numbers", "ug.asarray([1, 2.5, True])")
_row("asarray", "numpy_keeps_its_dtype", "ug.asarray(np.arange(3, dtype=np.float64))")
_row("asarray", "raw_array", "ug.asarray((x * 2).raw)", x=spread(1, 2, 2, 3), dtypes=("float32", "float64"))
_row("tensor", "lists", "ug.tensor([[1.0, 2.0], [3.0, 4.5]])")
_row("tensor", "dtype", "ug.tensor([1, 2], ug.float64)")
_row("asarray", "dtype", "ug.asarray([1, 2], dtype=ug.float64)")
_row("asarray", "dtype_of_a_tensor", "ug.asarray(n, dtype=ug.float64), ug.asarray(n > 1, 'int64')", n=whole([1, 2]))
CREATION("asarray", "differentiable", "ug.asarray(x * x, dtype=ug.float64) * x", x=spread(1, 2, 3))
_row("asarray", "no_elements", "ug.asarray(np.zeros((0, 3), dtype=np.float32))")


def _drawn(operation: str, name: str, source: str, **details: object) -> None:
    RANDOM(operation, name, source, **{"flat": True, "dtypes": ("float32",), **details})


_drawn("random.normal", "seed", "ug.random.normal(size=(2, 3), seed=5)")
_drawn("random.normal", "global_seed", "ug.random.seed(7); [ug.random.normal(size=3), ug.random.normal()]")
_drawn("random.normal", "float64", "ug.random.normal(1.0, 2.0, size=4, seed=5, dtype='float64')")
_drawn(
    "random.normal", "differentiable", "ug.random.normal(loc, scale, size=3, seed=5) ** 2",
    loc=real(1.5), scale=real([0.5, 1.0, 2.0]), flat=False, dtypes=("float32", "float64"),
)  # fmt: skip
_drawn("random.uniform", "seed", "ug.random.uniform(-1.0, 2.0, size=4, seed=5)")
_drawn(
    "random.uniform", "differentiable", "ug.random.uniform(low, 5.0, size=3, seed=5) ** 2",
    low=real(1.5), flat=False, dtypes=("float32", "float64"),
)  # fmt: skip
_drawn("random.integers", "seed", "ug.random.integers(3, 9, size=(2, 3), seed=5)")
_drawn("random.exponential", "seed", "ug.random.exponential(2.0, size=4, seed=5)")
_drawn(
    "random.exponential", "differentiable", "ug.random.exponential(scale, size=3, seed=5) ** 2",
    scale=spread(1, 2, 1), flat=False,
)  # fmt: skip
_drawn("random.gamma", "seed", "ug.random.gamma([0.5, 2.0], 3.0, size=(3, 2), seed=5)")
_drawn(
    "random.gamma", "differentiable", "ug.random.gamma(2.0, scale, size=3, seed=5) ** 2",
    scale=spread(1, 2, 1), flat=False,
)  # fmt: skip
_drawn("random.beta", "seed", "ug.random.beta(0.5, [2.0, 3.0], seed=5)")
_drawn("random.poisson", "seed", "ug.random.poisson([0.0, 4.0], size=(3, 2), seed=5)")
_drawn("random.bernoulli", "seed", "ug.random.bernoulli([0.0, 0.5, 1.0], size=(4, 3), seed=5)")
_drawn("random.bernoulli", "numbers", "ug.random.bernoulli(0.5, size=4, seed=5, dtype='float64')")
_drawn("random.categorical", "seed", "ug.random.categorical([[0.0, 1.0, -2.0], [-np.inf, 0.0, 0.0]], seed=5)")
_drawn("random.categorical", "many", "ug.random.categorical([[0.0], [1.0]], (2, 1), axis=0, seed=5)")
_drawn("random.shuffle", "rows", "x = x.copy(); ug.random.shuffle(x, seed=5); x ** 2", x=spread(1, 2, 3, 2), flat=False)
_drawn(
    "random.get_state", "again",
    "state = ug.random.get_state(); a = ug.random.uniform(size=3); ug.random.set_state(state); "
    "a - ug.random.uniform(size=3)",
)  # fmt: skip
_drawn("random.permutation", "seed", "ug.random.permutation(5, seed=5)")
_drawn("random.permutation", "rows", "ug.random.permutation(x, seed=5) ** 2", x=spread(1, 2, 3, 2), flat=False)
_drawn("random.choice", "seed", "ug.random.choice(9, size=4, replace=False, seed=5)")
_drawn(
    "random.choice",
    "weighted",
    "ug.random.choice(x, size=3, p=[0.5, 0.25, 0.25], seed=5) ** 2",
    x=spread(1, 2, 3),
    flat=False,
)
