"""Functional transforms: functions to functions.

The function always sees Tensors. What comes back is of the kind that went in: a framework's own arrays
for its own arrays, NumPy arrays for NumPy arrays, Tensors for Tensors.
"""

from unigrad.transforms.bridges import bridge
from unigrad.transforms.checkpoints import checkpoint
from unigrad.transforms.containers import tree_flatten, tree_leaves, tree_map, tree_paths, tree_unflatten
from unigrad.transforms.custom import custom_gradient
from unigrad.transforms.foreign import wrap_native
from unigrad.transforms.forward import hvp, jvp
from unigrad.transforms.loops import cond, scan, while_loop
from unigrad.transforms.mapping import vmap
from unigrad.transforms.matrices import hessian, jacobian
from unigrad.transforms.reverse import grad, value_and_grad, vjp

__all__ = [
    "bridge",
    "checkpoint",
    "cond",
    "custom_gradient",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "scan",
    "tree_flatten",
    "tree_leaves",
    "tree_map",
    "tree_paths",
    "tree_unflatten",
    "value_and_grad",
    "vjp",
    "vmap",
    "while_loop",
    "wrap_native",
]
