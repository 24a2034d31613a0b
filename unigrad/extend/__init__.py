"""The door: all that an adapter or an extension may import.

Everything else may change its place. What an adapter is, is said by the three classes of the contract; a page of the
project (``conformance/DEVELOPING.md``) tells how to write one.
"""
# ruff: noqa: I001 (in groups, as one reads them)

# --- the contract: what an adapter is ---
from unigrad.adapters.contract import Backend, Engine, Foreign
from unigrad.adapters.contract import ALL_ORDERS, Elsewhere, Followed, Moving, Pull, StepPull, Weak
from unigrad.adapters.contract import Parents, RawFunction, RawPull
from unigrad.adapters.contract import apart, not_plain, values_unknown, with_replaced
from unigrad.adapters.registry import get_backend_object, meet_rules, register_backend, rewrite_functions

# --- an adapter of a framework that follows NumPy ---
from unigrad.native.backend import NativeBackend, by_element

# --- what NumPy computes where a framework cannot ---
from unigrad.extend.host import by_numpy, on_host, unless_refused, with_host

# --- a framework's own functions in place of compositions ---
from unigrad.extend.own import but_in, by_order, composition_of

# --- words: dtypes, errors ---
from unigrad.base.casting import to_integers
from unigrad.base.dtypes import ALL, DType, everything, has_gradients, real_of
from unigrad.base.errors import ArgumentError, BackendError, DtypeError, OperationError, ShapeError
from unigrad.base.errors import UnigradWarning, UnsupportedError
from unigrad.base.places import Spread
from unigrad.base.words import EVERYTHING, Key, Raw, Shape

# --- the table: what there is to do ---
from unigrad.table import PRIMITIVES, Primitive, ruled, shares_of
from unigrad.operations.decompositions import DECOMPOSITIONS, refusal, second_of_determinant
from unigrad.operations.indexing import is_array
from unigrad.operations.pooling import pooled_shape, window_slices
from unigrad.native.linalg import composed, packed

# --- nodes: what recording leaves ---
from unigrad.tape import Leaf, Node, accumulate, pull_through
from unigrad.binding.nodes import rule_node
from unigrad.engine.placing import placed_node
from unigrad.engine.raw_nodes import CallNode

# --- whether operations are recorded ---
from unigrad.base.recording import Switch

# --- the neutral rules, raw in and raw out ---
from unigrad.binding.nodes import neutral_vjp, raw_rule, raw_vjp
from unigrad.binding.tangents import neutral_jvp

# --- memory shared with other libraries ---
from unigrad.extend.dlpack import HOST, backwards, exported, from_host, host_capsule

# --- numbers beside arrays ---
from unigrad.extend.numbers import Numbers, with_plain_numbers

# --- libraries that cannot follow one another, or print as they start ---
from unigrad.extend.loading import load_triton
from unigrad.extend.starting import quietly

__all__ = [
    "ALL", "ALL_ORDERS", "DECOMPOSITIONS", "EVERYTHING", "HOST", "PRIMITIVES", "ArgumentError", "Backend",
    "BackendError", "CallNode", "DType", "DtypeError", "Elsewhere", "Engine", "Followed", "Foreign", "Key", "Leaf",
    "Moving", "NativeBackend", "Node", "Numbers", "OperationError", "Parents", "Primitive", "Pull", "Raw",
    "RawFunction", "RawPull", "Shape", "ShapeError", "Spread", "StepPull", "Switch", "UnigradWarning",
    "UnsupportedError", "Weak", "accumulate", "apart", "backwards", "but_in", "by_element", "by_numpy", "by_order",
    "composed", "composition_of", "everything", "exported", "from_host", "get_backend_object", "has_gradients",
    "host_capsule", "is_array", "load_triton", "meet_rules", "neutral_jvp", "neutral_vjp", "not_plain", "on_host",
    "packed", "placed_node", "pooled_shape", "pull_through", "quietly", "raw_rule", "raw_vjp", "real_of", "refusal",
    "register_backend", "rewrite_functions", "rule_node", "ruled", "second_of_determinant", "shares_of",
    "to_integers", "unless_refused", "values_unknown", "window_slices", "with_host", "with_plain_numbers",
    "with_replaced",
]  # fmt: skip
