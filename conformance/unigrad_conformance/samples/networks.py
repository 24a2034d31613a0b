"""What networks are made of."""

from unigrad_conformance.case import Limit
from unigrad_conformance.inputs import real, spread, whole
from unigrad_conformance.samples import Family

NETWORKS = Family("networks", Limit(8, "one"))
_row = NETWORKS

_x, _logits = spread(-2, 2, 2, 3), spread(-3, 3, 2, 4)
for _operation in ("relu", "sigmoid", "softplus", "gelu", "silu", "elu", "leaky_relu", "tanh"):
    _row(f"nn.{_operation}", "both_signs", f"ug.nn.{_operation}(x)", x=_x)
    _row(f"nn.{_operation}", "no_elements", f"ug.nn.{_operation}(x)", x=spread(0, 1, 0, 3))
for _operation in ("sigmoid", "softplus", "elu", "silu"):
    _row(f"nn.{_operation}", "far_out", f"ug.nn.{_operation}(x)", x=real([-90.0, -30.0, 30.0, 90.0]))
_row("nn.elu", "alpha", "ug.nn.elu(x, alpha=0.5)", x=_x)
_row("nn.leaky_relu", "slope", "ug.nn.leaky_relu(x, 0.25)", x=_x)
_row("nn.softmax", "rows", "ug.nn.softmax(x)", x=_logits)
_row("nn.softmax", "columns", "ug.nn.softmax(x, axis=0)", x=_logits)
_row("nn.softmax", "far_out", "ug.nn.softmax(x)", x=real([[1000.0, 1001.0, 998.5]]))
_row("nn.log_softmax", "rows", "ug.nn.log_softmax(x)", x=_logits)
_row("nn.log_softmax", "columns", "ug.nn.log_softmax(x, axis=0)", x=_logits)
_row("nn.log_softmax", "far_out", "ug.nn.log_softmax(x)", x=real([[1000.0, 1001.0, 998.5]]))
_row("nn.logsumexp", "all", "ug.nn.logsumexp(x)", x=_logits)
_row("nn.logsumexp", "axis_kept", "ug.nn.logsumexp(x, axis=1, keepdims=True)", x=_logits)
_row("nn.logsumexp", "far_out", "ug.nn.logsumexp(x, axis=-1)", x=real([[1000.0, 1001.0], [-1000.0, -1002.0]]))
_row("nn.one_hot", "indices", "ug.nn.one_hot(n, 4)", n=whole([2, 0, 3]), flat=True, dtypes=("float32",))
_row(
    "nn.one_hot", "dtype", "ug.nn.one_hot(n, 3, dtype=ug.float64)", n=whole([[2], [0]]), flat=True, dtypes=("float32",)
)
_row("nn.cross_entropy", "labels", "ug.nn.cross_entropy(x, n)", x=_logits, n=whole([3, 1]))
_row(
    "nn.cross_entropy", "probabilities", "ug.nn.cross_entropy(x, p)",
    x=_logits, p=real([[0.5, 0.25, 0.25, 0.0], [0.0, 0.0, 1.0, 0.0]]),
)  # fmt: skip
_row("nn.cross_entropy", "classes_first", "ug.nn.cross_entropy(x, n, axis=0)", x=_logits, n=whole([1, 0, 1, 1]))
_row("nn.dropout", "training", "ug.nn.dropout(x, 0.25, seed=5) ** 2", x=_x)
_row("nn.dropout", "prediction", "with ug.predict_mode(): y = ug.nn.dropout(x, 0.25, seed=5)\ny ** 2", x=_x)
