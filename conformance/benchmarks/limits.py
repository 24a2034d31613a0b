"""The most that a recorded call may cost, as a multiple of the framework's own: ``recorded``."""

DEFAULT = {"numpy": 4.0, "torch": 2.5, "tensorflow": 2.5, "mxnet": 2.5, "jax": 2.5}
"""By backend, for each row that has no limit of its own."""
MEDIANS = {"numpy": 1.0, "torch": 1.3, "tensorflow": 1.4, "mxnet": 1.4, "jax": 1.4}
"""By backend, for the median over all rows that the framework has a function of its own for."""
ROWS: dict[str, dict[str, float]] = {}
"""By backend and row, where another limit is meant."""
