"""What networks are made of."""

import numpy as np

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
_row("nn.gelu", "far_out", "ug.nn.gelu(x)", x=real([-30.0, -3.0, 3.0, 30.0]))
_row("nn.elu", "alpha", "ug.nn.elu(x, alpha=0.5)", x=_x)
_row("nn.leaky_relu", "slope", "ug.nn.leaky_relu(x, 0.25)", x=_x)
_row(
    "nn.leaky_relu",
    "other_slopes",
    "ug.stack([ug.nn.leaky_relu(x, slope) for slope in (0.0, 1.5, ug.inf, ug.nan)])",
    x=real([-2.0, 0.0, 0.5, float("inf")]),
    flat=True,
    dtypes=("float32",),
)
_row("nn.softmax", "rows", "ug.nn.softmax(x)", x=_logits)
_row("nn.softmax", "cube", "ug.nn.softmax(x, axis=1)", x=spread(-3, 3, 2, 3, 2))
_row("nn.softmax", "no_classes", "ug.nn.softmax(x)", x=spread(0, 1, 2, 0))
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
_row("nn.cross_entropy", "lists", "ug.nn.cross_entropy([[1.0, 2.0]], [0])", flat=True, dtypes=("float32",))
_row("nn.cross_entropy", "no_rows", "ug.nn.cross_entropy(x, n)", x=spread(1, 2, 0, 3), n=whole([]), second=False)
_row("nn.cross_entropy", "classes_first", "ug.nn.cross_entropy(x, n, axis=0)", x=_logits, n=whole([1, 0, 1, 1]))
_row("nn.dropout", "training", "ug.nn.dropout(x, 0.25, seed=5) ** 2", x=_x)
_row("nn.dropout", "prediction", "with ug.predict_mode(): y = ug.nn.dropout(x, 0.25, seed=5)\ny ** 2", x=_x)

# --- further activations ---------------------------------------------------------------------------------------

for _operation in (
    "relu6", "hard_tanh", "hard_sigmoid", "selu", "celu", "softsign", "mish", "log_sigmoid", "glu",
):  # fmt: skip
    _row(f"nn.{_operation}", "both_signs", f"ug.nn.{_operation}(x)", x=spread(-4, 8, 2, 4))
    _row(f"nn.{_operation}", "no_elements", f"ug.nn.{_operation}(x)", x=spread(0, 1, 0, 2))
for _operation in ("selu", "celu", "softsign", "mish", "log_sigmoid"):
    _row(f"nn.{_operation}", "far_out", f"ug.nn.{_operation}(x)", x=real([-90.0, -30.0, 30.0, 90.0]))
for _operation in ("relu6", "hard_tanh", "selu", "mish"):
    _row(f"nn.{_operation}", "zero_dimensional", f"ug.nn.{_operation}(x)", x=real(0.75))
    _row(f"nn.{_operation}", "of_integers", f"ug.nn.{_operation}(n)", n=whole([-2, 1, 9]), flat=True)
_row("nn.hard_tanh", "bounds", "ug.nn.hard_tanh(x, -0.5, 2.0)", x=_x)
_row("nn.celu", "alpha", "ug.nn.celu(x, 0.5)", x=_x)
_row("nn.prelu", "number", "ug.nn.prelu(x, 0.25)", x=_x)
_row("nn.prelu", "channels", "ug.nn.prelu(x, w)", x=spread(-2, 2, 2, 3, 2), w=spread(0.1, 0.5, 3, 1))
_row("nn.glu", "first_axis", "ug.nn.glu(x, axis=0)", x=_x)

# --- convolutions ------------------------------------------------------------------------------------------------

_line, _image, _solid = spread(-1, 1, 2, 2, 6), spread(-1, 1, 2, 2, 5, 4), spread(-1, 1, 1, 2, 3, 4, 3)
_row("nn.conv1d", "plain", "ug.nn.conv1d(x, w)", x=_line, w=spread(-1, 1, 3, 2, 3, start=1))
_row(
    "nn.conv1d",
    "everything",
    "ug.nn.conv1d(x, w, b, stride=2, padding=2, dilation=2, groups=2)",
    x=_line,
    w=spread(-1, 1, 4, 1, 3, start=1),
    b=spread(-1, 1, 4),
)
_row("nn.conv1d", "even_same", "ug.nn.conv1d(x, w, padding='same')", x=_line, w=spread(-1, 1, 1, 2, 4, start=1))
_row("nn.conv1d", "one_sided", "ug.nn.conv1d(x, w, padding=((2, 0),))", x=_line, w=spread(-1, 1, 1, 2, 3, start=1))
_row("nn.conv1d", "no_batch", "ug.nn.conv1d(x, w)", x=spread(0, 1, 0, 2, 6), w=spread(-1, 1, 3, 2, 3))
_row("nn.conv2d", "plain", "ug.nn.conv2d(x, w, b)", x=_image, w=spread(-1, 1, 3, 2, 3, 2, start=1), b=spread(-1, 1, 3))
_row(
    "nn.conv2d",
    "strided",
    "ug.nn.conv2d(x, w, stride=(2, 3), padding=(1, 2))",
    x=_image,
    w=spread(-1, 1, 2, 2, 2, 3, start=1),
)
_row("nn.conv2d", "dilated", "ug.nn.conv2d(x, w, dilation=(2, 1))", x=_image, w=spread(-1, 1, 2, 2, 2, 3, start=1))
_row(
    "nn.conv2d",
    "strided_dilated",
    "ug.nn.conv2d(x, w, stride=2, dilation=2, padding=1)",
    x=_image,
    w=spread(-1, 1, 1, 2, 2, 2, start=1),
)
_row(
    "nn.conv2d",
    "depthwise",
    "ug.nn.conv2d(x, w, groups=2, padding='same')",
    x=_image,
    w=spread(-1, 1, 4, 1, 3, 3, start=1),
)
_row("nn.conv2d", "points", "ug.nn.conv2d(x, w, stride=2)", x=_image, w=spread(-1, 1, 3, 2, 1, 1, start=1))
_row("nn.conv2d", "whole_image", "ug.nn.conv2d(x, w)", x=_image, w=spread(-1, 1, 1, 2, 5, 4, start=1))
_row(
    "nn.conv2d",
    "mixed",
    "ug.nn.conv2d(x, w, padding='valid')",
    x=_image,
    w=spread(-1, 1, 1, 2, 3, 3, start=1),
    own={"w": "float32"},
    dtypes=("float64",),
)
_row(
    "nn.conv2d",
    "of_integers",
    "ug.nn.conv2d(n, w)",
    n=whole([[[[1, 2, 3], [4, 5, 6]]]]),
    w=spread(-1, 1, 1, 1, 2, 2, start=1),
)
_row("nn.conv3d", "plain", "ug.nn.conv3d(x, w)", x=_solid, w=spread(-1, 1, 2, 2, 2, 2, 2, start=1))
_row(
    "nn.conv3d",
    "everything",
    "ug.nn.conv3d(x, w, stride=(1, 2, 1), padding=1, dilation=(2, 1, 1), groups=2)",
    x=_solid,
    w=spread(-1, 1, 2, 1, 2, 2, 2, start=1),
)
_row(
    "nn.conv_transpose1d",
    "plain",
    "ug.nn.conv_transpose1d(x, w)",
    x=spread(-1, 1, 2, 2, 3),
    w=spread(-1, 1, 2, 3, 3, start=1),
)
_row(
    "nn.conv_transpose1d",
    "everything",
    "ug.nn.conv_transpose1d(x, w, b, stride=3, padding=2, output_padding=1, dilation=2, groups=2)",
    x=spread(-1, 1, 2, 2, 3),
    w=spread(-1, 1, 2, 2, 3, start=1),
    b=spread(-1, 1, 4),
)
_row(
    "nn.conv_transpose2d",
    "strided",
    "ug.nn.conv_transpose2d(x, w, stride=(2, 1), padding=(1, 0))",
    x=spread(-1, 1, 1, 2, 3, 2),
    w=spread(-1, 1, 2, 1, 3, 2, start=1),
)
_row(
    "nn.conv_transpose3d",
    "plain",
    "ug.nn.conv_transpose3d(x, w, stride=2)",
    x=spread(-1, 1, 1, 1, 2, 1, 2),
    w=spread(-1, 1, 1, 2, 2, 2, 1, start=1),
)

_row(
    "nn.conv_transpose1d",
    "output_padding_up_to_the_dilation",
    "ug.nn.conv_transpose1d(x, w, dilation=3, output_padding=2)",
    x=spread(-1, 1, 1, 2, 4),
    w=spread(-1, 1, 2, 3, 3, start=1),
)
_row("nn.dropout", "of_all", "with ug.train_mode(): y = ug.nn.dropout(x * x, 1.0)\ny", x=spread(-1, 1, 2, 3))

# --- pooling -------------------------------------------------------------------------------------------------------

for _operation in ("max_pool3d", "avg_pool3d"):
    _row(f"nn.{_operation}", "touching", f"ug.nn.{_operation}(x, (2, 2, 3)) ** 2", x=spread(-1, 1, 2, 2, 4, 5, 7))

for _operation, _more in (("max_pool", ", dilation=(2, 1)"), ("avg_pool", ", count_include_pad=False")):
    _call = f"ug.nn.{_operation}"
    _row(f"nn.{_operation}1d", "touching", f"{_call}1d(x, 2)", x=_line)
    _row(f"nn.{_operation}1d", "padded", f"{_call}1d(x, 3, stride=2, padding=1)", x=_line)
    _row(f"nn.{_operation}2d", "touching", f"{_call}2d(x, 2)", x=_image)
    _row(f"nn.{_operation}2d", "overlapping", f"{_call}2d(x, (3, 2), stride=1)", x=_image)
    _row(f"nn.{_operation}2d", "padded", f"{_call}2d(x, 2, stride=(2, 1), padding=((1, 0), (0, 1)){_more})", x=_image)
    _row(f"nn.{_operation}2d", "no_batch", f"{_call}2d(x, 2)", x=spread(0, 1, 0, 2, 5, 4))
    _row(f"nn.{_operation}2d", "of_integers", f"{_call}2d(n, 2)", n=whole([[[[1, 2], [4, 3]]]]), flat=True)
    _row(f"nn.{_operation}3d", "plain", f"{_call}3d(x, 2, stride=1)", x=_solid)
    _row(f"nn.{_operation}1d", "rounded_up", f"{_call}1d(x, 3, stride=2, ceil_mode=True)", x=spread(-1, 1, 2, 1, 6))
    _row(
        f"nn.{_operation}2d",
        "rounded_up",
        f"{_call}2d(x, (3, 2), stride=2, padding=1, ceil_mode=True{_more})",
        x=spread(-1, 1, 1, 2, 6, 5),
    )
_row(
    "nn.avg_pool2d", "no_channels", "ug.nn.avg_pool2d(x, (2, 1), stride=(2, 3))", x=spread(0, 1, 2, 0, 5, 4), flat=True
)

# --- normalisation -------------------------------------------------------------------------------------------------

_rows, _maps, _w, _b = spread(-2, 2, 2, 4), spread(-2, 2, 2, 4, 3), spread(0.5, 1.5, 4), spread(-1, 1, 4)
_row("nn.layer_norm", "rows", "ug.nn.layer_norm(x * x)", x=_rows)
_row("nn.layer_norm", "parameters", "ug.nn.layer_norm(x, w, b, axis=1)", x=_maps, w=_w, b=_b)
_row("nn.layer_norm", "last_axis", "ug.nn.layer_norm(x, w, b)", x=_rows, w=_w, b=_b)
_row("nn.layer_norm", "axes", "ug.nn.layer_norm(x, w, axis=(1, 2), eps=0.5)", x=_maps, w=spread(0.5, 1.5, 4, 3))
_row("nn.rms_norm", "rows", "ug.nn.rms_norm(x)", x=_rows)
_row("nn.rms_norm", "weight", "ug.nn.rms_norm(x, w, eps=0.5)", x=_rows, w=_w)
_row("nn.group_norm", "two", "ug.nn.group_norm(x * x, 2)", x=_maps)
_row("nn.group_norm", "parameters", "ug.nn.group_norm(x, 1, w, b)", x=_maps, w=_w, b=_b)
_row("nn.batch_norm", "training", "ug.nn.batch_norm(x * x, training=True)", x=_maps)
_row("nn.batch_norm", "parameters", "ug.nn.batch_norm(x, w, b, training=True, axis=-1)", x=_rows, w=_w, b=_b)
_row(
    "nn.batch_norm",
    "prediction",
    "with ug.predict_mode(): y = ug.nn.batch_norm(x, w, b, running_mean=m, running_var=v)\ny",
    x=_maps,
    w=_w,
    b=_b,
    m=spread(-1, 1, 4),
    v=spread(0.5, 2, 4),
)

# --- layers --------------------------------------------------------------------------------------------------------

_row("nn.linear", "bias", "ug.nn.linear(x, w, b)", x=spread(-1, 1, 2, 3), w=spread(-1, 1, 4, 3, start=1), b=_b)
_row("nn.linear", "stack_bias", "ug.nn.linear(x, w, b)", x=spread(-1, 1, 2, 2, 3), w=spread(-1, 1, 4, 3, start=1), b=_b)
_row("nn.linear", "vector_bias", "ug.nn.linear(x, w, b)", x=spread(-1, 1, 3), w=spread(-1, 1, 4, 3, start=1), b=_b)
_row("nn.linear", "no_vectors", "ug.nn.linear(x, w, b)", x=spread(-1, 1, 0, 3), w=spread(-1, 1, 4, 3, start=1), b=_b)
_row("nn.linear", "stack", "ug.nn.linear(x, w)", x=spread(-1, 1, 2, 2, 3), w=spread(-1, 1, 4, 3, start=1))
_row("nn.linear", "vector", "ug.nn.linear(x, w)", x=spread(-1, 1, 3), w=spread(-1, 1, 4, 3, start=1))
_row("nn.embedding", "duplicates", "ug.nn.embedding(n, w) ** 2", n=whole([[0, 2], [2, 2]]), w=spread(-1, 1, 3, 2))
_row("nn.embedding", "of_matrices", "ug.nn.embedding(n, w) ** 2", n=whole([2, 0]), w=spread(-1, 1, 3, 2, 2))
_row("nn.embedding", "one", "ug.nn.embedding(n, w)", n=whole(1, "int32"), w=spread(-1, 1, 3, 2))
_row("nn.embedding", "none", "ug.nn.embedding(n, w)", n=whole([], "int64"), w=spread(-1, 1, 3, 2))
_attention = "ug.nn.scaled_dot_product_attention(q, k, v"
_qkv = {"q": spread(-1, 1, 2, 3, 2), "k": spread(-1, 1, 2, 4, 2, start=1), "v": spread(-1, 1, 2, 4, 3, start=2)}
_row("nn.scaled_dot_product_attention", "plain", f"{_attention})", **_qkv)
_row("nn.scaled_dot_product_attention", "causal", f"{_attention}, is_causal=True, scale=0.5)", **_qkv)
_row(
    "nn.scaled_dot_product_attention",
    "boolean_mask",
    f"{_attention}, m)",
    **_qkv,
    m=whole([[1, 0, 1, 1], [0, 1, 0, 0], [1, 1, 1, 1]], "bool"),
)
_row("nn.scaled_dot_product_attention", "added_mask", f"{_attention}, m)", **_qkv, m=spread(-1, 1, 2, 1, 4))

# --- losses --------------------------------------------------------------------------------------------------------

_p, _t = spread(-2, 2, 2, 4), spread(-2, 2, 2, 4, start=2)
for _loss in ("mse_loss", "l1_loss", "huber_loss", "smooth_l1_loss"):
    for _reduction in ("mean", "sum", "none"):
        _row(f"nn.{_loss}", _reduction, f"ug.nn.{_loss}(x, y, reduction={_reduction!r})", x=_p, y=_t)
_row("nn.huber_loss", "delta", "ug.nn.huber_loss(x, y, delta=0.5)", x=_p, y=_t)
_row("nn.smooth_l1_loss", "beta", "ug.nn.smooth_l1_loss(x, y, beta=2.0)", x=_p, y=_t)
_row("nn.smooth_l1_loss", "no_beta", "ug.nn.smooth_l1_loss(x, y, beta=0)", x=_p, y=_t)
_bce = "ug.nn.binary_cross_entropy_with_logits"
_row(f"{_bce[3:]}", "mean", f"{_bce}(x, y)", x=_p, y=spread(0, 1, 2, 4))
_row(f"{_bce[3:]}", "weighted", f"{_bce}(x, y, positive_weight=w, reduction='none')", x=_p, y=spread(0, 1, 2, 4), w=_w)
_row(
    f"{_bce[3:]}", "far_out", f"{_bce}(x, y, reduction='sum')", x=real([-90.0, 90.0, -30.0, 30.0]), y=real([0, 1, 1, 0])
)
_row("nn.kl_div", "mean", "ug.nn.kl_div(x, y)", x=_p, y=spread(0.25, 1, 2, 4))
_row("nn.kl_div", "logarithms", "ug.nn.kl_div(x, y, log_targets=True, reduction='batchmean')", x=_p, y=_t)
_row(
    "nn.kl_div",
    "of_zero",
    "ug.nn.kl_div(x, y, reduction='sum')",
    x=_p,
    y=real([[0, 0.5, 0, 0.5], [1, 0, 0, 0]]),
    flat=True,
)
_row("nn.kl_div", "near_zero", "ug.nn.kl_div(x, y, reduction='none')", x=_p[0], y=real([1e-30, 0.5, 1e-20, 0.25]))
_labels = whole([3, 1])
_row("nn.nll_loss", "mean", "ug.nn.nll_loss(x, n)", x=_p, n=_labels)
_row("nn.nll_loss", "weights", "ug.nn.nll_loss(x, n, weights=w)", x=_p, n=_labels, w=_w)
_row("nn.nll_loss", "ignored", "ug.nn.nll_loss(x, n, ignore_index=-1, reduction='sum')", x=_p, n=whole([-1, 2]))
_row("nn.nll_loss", "axis", "ug.nn.nll_loss(x, n, axis=1, reduction='none')", x=_maps, n=whole([[0, 3, 1], [2, 2, 0]]))
for _name, _more in {
    "sum": "reduction='sum'",
    "single": "reduction='none'",
    "smoothed": "label_smoothing=0.25",
    "weights": "weights=w",
    "weights_smoothed": "weights=w, label_smoothing=0.25, reduction='sum'",
    "all_of_it": "weights=w, label_smoothing=0.25, ignore_index=1",
}.items():
    _given = {"x": _p, "n": _labels} | ({"w": _w} if "w" in _more else {})
    _row("nn.cross_entropy", _name, f"ug.nn.cross_entropy(x, n, {_more})", **_given)
_row(
    "nn.cross_entropy",
    "probabilities_weighted",
    "ug.nn.cross_entropy(x, p, weights=w, label_smoothing=0.5, reduction='none')",
    x=_p,
    p=real([[0.5, 0.25, 0.25, 0.0], [0.0, 0.0, 1.0, 0.0]]),
    w=_w,
)
_row("nn.normalize", "rows", "ug.nn.normalize(x)", x=_p)
_row("nn.normalize", "columns", "ug.nn.normalize(x, ord=1, axis=0)", x=_p)
_row("nn.normalize", "small", "ug.nn.normalize(x, eps=8.0)", x=_p)
_row("nn.softmax", "no_elements_along_the_axis", "ug.nn.softmax(x)", x=spread(1, 2, 2, 0))
_row("nn.log_softmax", "no_elements_along_the_axis", "ug.nn.log_softmax(x)", x=spread(1, 2, 2, 0))
_row("nn.cosine_similarity", "rows", "ug.nn.cosine_similarity(x, y)", x=_p, y=_t)
_row(
    "nn.cosine_similarity",
    "broadcast_along_the_axis",
    "ug.nn.cosine_similarity(x, y, axis=1)",
    x=_p,
    y=spread(1, 2, 2, 1),
)
_row("nn.cosine_similarity", "broadcast", "ug.nn.cosine_similarity(x, y, axis=1)", x=_p, y=spread(-2, 2, 1, 4))

# --- other sizes, windows as columns ----------------------------------------------------------------------------

_image = spread(-1, 1, 1, 2, 4, 5)
_row("nn.interpolate", "nearest", "ug.nn.interpolate(x, (6, 3))", x=_image)
_row("nn.interpolate", "scaled", "ug.nn.interpolate(x, scale_factor=1.6, mode='linear')", x=spread(-1, 1, 2, 2, 5))
_row("nn.interpolate", "bilinear", "ug.nn.interpolate(x, (3, 7), mode='bilinear')", x=_image)
_row("nn.interpolate", "corners", "ug.nn.interpolate(x, (7, 1), mode='bilinear', align_corners=True)", x=_image)
_row("nn.interpolate", "bicubic", "ug.nn.interpolate(x, (6, 3), mode='bicubic')", x=_image)
_row("nn.interpolate", "trilinear", "ug.nn.interpolate(x, 3, mode='trilinear')", x=spread(-1, 1, 1, 1, 2, 2, 4))
_row("nn.interpolate", "area", "ug.nn.interpolate(x, (3, 2), mode='area')", x=_image)
for _kind in ("avg", "max"):
    for _ndim, _size in ((1, "3"), (2, "(3, 2)"), (3, "(2, 1, 3)")):
        _row(
            f"nn.adaptive_{_kind}_pool{_ndim}d", "plain", f"ug.nn.adaptive_{_kind}_pool{_ndim}d(x, {_size})",
            x=spread(-1, 1, 1, 2, *(3, 4, 5)[-_ndim:]),
        )  # fmt: skip
# Windows that touch, and one of all elements, which are reductions.
_row("nn.adaptive_max_pool2d", "touching", "ug.nn.adaptive_max_pool2d(x, (2, 3))", x=spread(-1, 1, 1, 2, 4, 6))
_row("nn.adaptive_avg_pool2d", "touching", "ug.nn.adaptive_avg_pool2d(x, (2, 1))", x=_image)
_row("nn.adaptive_avg_pool2d", "whole", "ug.nn.adaptive_avg_pool2d(x, 1)", x=_image)
_row("nn.max_pool1d", "whole", "ug.nn.max_pool1d(x, 3)", x=spread(-1, 1, 1, 2, 3))
_tied = real([[[[1, 3, 3, 0], [3, 0, 2, 2], [3, 1, 2, 2]]]])
_row("nn.max_pool2d", "ties", "ug.nn.max_pool2d(x, 2)", x=_tied)
_row("nn.max_pool2d", "ties_overlapping", "ug.nn.max_pool2d(x, 2, stride=1)", x=_tied)
_row("nn.adaptive_max_pool2d", "ties", "ug.nn.adaptive_max_pool2d(x, 1)", x=real([[[[1, 3, 3], [3, 0, 2]]]]))
_row("nn.unfold", "plain", "ug.nn.unfold(x, 2)", x=_image)
_row("nn.unfold", "strided", "ug.nn.unfold(x, (2, 3), stride=2, padding=1, dilation=(2, 1))", x=_image)
_row("nn.fold", "plain", "ug.nn.fold(x, (3, 4), 2)", x=spread(-1, 1, 1, 8, 6))
_row("nn.fold", "strided", "ug.nn.fold(x, (4, 5), (2, 3), stride=2, padding=1)", x=spread(-1, 1, 1, 12, 9))
_row("nn.instance_norm", "plain", "ug.nn.instance_norm(x)", x=_image)
_row("nn.instance_norm", "parameters", "ug.nn.instance_norm(x, w, b)", x=_image, w=_w[:2], b=_b[:2])

# --- losses of probabilities and of alignments -------------------------------------------------------------------

_chances, _chosen = spread(0.125, 0.875, 2, 3), spread(0.25, 0.75, 2, 3, start=1)
_row("nn.binary_cross_entropy", "mean", "ug.nn.binary_cross_entropy(x, y)", x=_chances, y=_chosen)
_row(
    "nn.binary_cross_entropy", "certain", "ug.nn.binary_cross_entropy(x, y, reduction='none')",
    x=real([0.0, 0.25, 1.0]), y=real([0.0, 0.0, 1.0]), second=False,
)  # fmt: skip
_ctc = "ug.nn.ctc_loss(ug.nn.log_softmax(x), [[2, 2], [1, 3]], [5, 4], [2, 1]"
_row("nn.ctc_loss", "mean", f"{_ctc})", x=spread(-1, 1, 5, 2, 4))
_row("nn.ctc_loss", "single", f"{_ctc}, blank=1 - 1, reduction='none')", x=spread(-1, 1, 5, 2, 4))
_row(
    "nn.ctc_loss", "impossible",
    "ug.nn.ctc_loss(ug.nn.log_softmax(x), [[2, 2], [1, 3]], [2, 2], [2, 2], reduction='none', zero_infinity=True)",
    x=spread(-1, 1, 2, 2, 4),
)  # fmt: skip
_row("nn.fold", "one_axis", "ug.nn.fold(x, 5, 2)", x=spread(-1, 1, 1, 4, 4))
_row(
    "nn.interpolate",
    "of_integers",
    "ug.nn.interpolate(n, (4,), mode='linear')",
    n=whole([[[1, 3]]]),
    flat=True,
    dtypes=("float32",),
)
_row(
    "nn.cosine_similarity",
    "halves",
    "ug.nn.cosine_similarity(x, y)",
    x=_x,
    y=spread(1, 2, 2, 3),
    dtypes=("float16",),
    second=False,
)
_row("nn.embedding", "narrow_indices", "ug.nn.embedding(n, x) ** 2", x=_x, n=whole([1, 0, 0], "int32"))
_row(
    "nn.scaled_dot_product_attention",
    "causal_and_mask",
    "ug.nn.scaled_dot_product_attention(x, x, x, mask=m, is_causal=True)",
    x=spread(-1, 1, 3, 2),
    m=whole([[1, 1, 1], [1, 0, 1], [0, 1, 1]], "bool"),
)
_row(
    "nn.max_pool1d",
    "dilated_overlapping",
    "ug.nn.max_pool1d(x, 2, stride=2, dilation=2) ** 2",
    x=real([[[1, 0, 5, 0, 2, 4, 1, 3]]]),
)
for _pair in ((0, 1), (1, 0)):
    _row(
        "nn.max_pool1d", f"bordered_{_pair[0]}_{_pair[1]}", f"ug.nn.max_pool1d(x, 2, padding=({_pair},))",
        x=spread(-1, 1, 1, 1, 5), second=False,
    )  # fmt: skip
_row("nn.max_pool1d", "beyond", "ug.nn.max_pool1d(x, 2, stride=3, ceil_mode=True)", x=spread(-1, 1, 1, 1, 7))
_row("nn.max_pool1d", "far_beyond", "ug.nn.max_pool1d(x, 2, stride=3, ceil_mode=True)", x=spread(-1, 1, 1, 1, 9))
_row("nn.max_pool1d", "none_beyond", "ug.nn.max_pool1d(x, 1, stride=2, ceil_mode=True)", x=spread(-1, 1, 1, 1, 2))
_row(
    "nn.avg_pool1d",
    "none_beyond",
    "ug.nn.avg_pool1d(x, 2, stride=3, padding=1, ceil_mode=True)",
    x=spread(-1, 1, 1, 1, 2),
)
_row("nn.interpolate", "nearest_vector", "ug.nn.interpolate(x, size=(2,))", x=spread(-1, 1, 1, 2, 3))
_row(
    "nn.ctc_loss", "nan", "ug.nn.ctc_loss(x, [[1]], [3], [1])",
    x=np.log(np.full((3, 1, 3), 0.25)) + real([[[0, 0, 0]], [[0, np.nan, 0]], [[0, 0, 0]]]), second=False,
)  # fmt: skip
