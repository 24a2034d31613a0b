"""A hard point as a program of one framework alone: what the framework is asked, and what reproduces its answer.

A program is float64 and eager. It leaves ``value``, ``gradient`` (of the weighted sum of the value, by each input) and,
where the point is about them, ``second`` (by all inputs, a row for each element of the gradients); that of a point
without inputs leaves ``results``.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from textwrap import indent
from typing import Any

from unigrad_conformance.points import Point


@dataclass(frozen=True)
class Words:
    """How a framework says what every program says."""

    imports: str
    array: str
    """An array of ``{numbers}``; ``{kind}`` is float64 or complex128."""
    total: str
    """The sum of ``{weighted}``."""
    first: str
    """From arrays to value and gradient. ``{inputs}`` are the names of the arrays, ``{steps}`` what makes value and
    total of them."""
    second: str
    """The same, and second derivatives; ``{positions}`` are those of the inputs."""
    leaf: str = ""
    """What says that ``{name}`` is to be differentiated by."""


OF_TOTAL_AND_VALUE = """\

def f({inputs}):
    {steps}
    return total, value

"""
"""How the frameworks say it that differentiate functions."""

WORDS = {
    "torch": Words(
        imports="import torch",
        array="torch.tensor({numbers}, dtype=torch.{kind})",
        leaf="{name}.requires_grad_()",
        total="{weighted}.sum()",
        first="""\
{steps}
gradient = torch.autograd.grad(total, [{inputs}], torch.ones_like(total), allow_unused=True)
""",
        second="""\
{steps}
gradient = torch.autograd.grad(total, [{inputs}], retain_graph=True, allow_unused=True)
first = torch.autograd.grad(total, [{inputs}], create_graph=True)
second = []
for element in torch.cat([g.reshape(-1) for g in first]):
    row = [None] * len(first)
    if element.requires_grad:
        row = torch.autograd.grad(element, [{inputs}], retain_graph=True, allow_unused=True)
    second.append([torch.zeros_like(x) if g is None else g for x, g in zip([{inputs}], row)])
""",
    ),
    "tensorflow": Words(
        imports="import tensorflow as tf",
        array="tf.constant({numbers}, tf.{kind})",
        total="tf.reduce_sum({weighted})",
        first="""\
with tf.GradientTape() as tape:
    tape.watch([{inputs}])
    {steps}
gradient = tape.gradient(total, [{inputs}])
""",
        second="""\
with tf.GradientTape(persistent=True) as outer:
    outer.watch([{inputs}])
    with tf.GradientTape() as tape:
        tape.watch([{inputs}])
        {steps}
    gradient = tape.gradient(total, [{inputs}])
    elements = [e for g in gradient for e in tf.unstack(tf.reshape(g, [-1]))]
second = [outer.gradient(e, [{inputs}], unconnected_gradients="zero") for e in elements]
""",
    ),
    "jax": Words(
        imports='import jax\nimport jax.numpy as jnp\n\njax.config.update("jax_enable_x64", True)',
        array='jnp.asarray({numbers}, "{kind}")',
        total="{weighted}.sum()",
        first=OF_TOTAL_AND_VALUE
        + """\
total, pull, value = jax.vjp(f, {inputs}, has_aux=True)
gradient = pull(jnp.ones_like(total))
""",
        second=OF_TOTAL_AND_VALUE
        + """\
def elements_of_gradient({inputs}):
    return jnp.concatenate([g.reshape(-1) for g in jax.grad(f, {positions}, has_aux=True)({inputs})[0]])

gradient, value = jax.grad(f, {positions}, has_aux=True)({inputs})
elements, pull = jax.vjp(elements_of_gradient, {inputs})
second = [pull(row) for row in jnp.eye(elements.size)]
""",
    ),
    "mxnet": Words(
        imports="import mxnet as mx\n\nmx.npx.set_np()",
        array='mx.np.array({numbers}, dtype="{kind}")',
        leaf="{name}.attach_grad()",
        total="{weighted}.sum()",
        first="""\
with mx.autograd.record():
    {steps}
total.backward()
gradient = [x.grad for x in [{inputs}]]
""",
        second="""\
with mx.autograd.record():
    {steps}
    gradient = mx.autograd.grad(total, [{inputs}], create_graph=True, retain_graph=True)
    elements = [g.as_np_ndarray().reshape(-1)[i] for g in gradient for i in range(g.size)]
second = [mx.autograd.grad(e, [{inputs}], retain_graph=True) for e in elements]
""",
    ),
    "autograd": Words(
        imports="import autograd\nimport autograd.numpy as anp\nimport autograd.scipy.special",
        array='anp.array({numbers}, "{kind}")',
        total="anp.sum({weighted})",
        first=OF_TOTAL_AND_VALUE
        + """\
value = f({inputs})[1]
pull, total = autograd.make_vjp(lambda *inputs: f(*inputs)[0], {positions})({inputs})
gradient = pull(anp.ones_like(total))
""",
        second=OF_TOTAL_AND_VALUE
        + """\
def elements_of_gradient({inputs}):
    found = autograd.grad(lambda *inputs: f(*inputs)[0], {positions})({inputs})
    return anp.concatenate([anp.ravel(g) for g in found])

value = f({inputs})[1]
gradient = autograd.grad(lambda *inputs: f(*inputs)[0], {positions})({inputs})
second = list(zip(*[autograd.jacobian(elements_of_gradient, n)({inputs}) for n in {positions}]))
""",
    ),
    "mygrad": Words(
        imports="import mygrad as mg",
        array='mg.tensor({numbers}, dtype="{kind}")',
        total="{weighted}.sum()",
        first="""\
{steps}
total.backward()
gradient = [x.grad for x in [{inputs}]]
""",
        second="",
    ),
    "tinygrad": Words(
        imports="""\
import os

os.environ["DEV"] = "PYTHON"  # needs no compiler
from tinygrad import Tensor, dtypes""",
        # A number by itself would be a constant, and equal constants are one.
        array="Tensor([{numbers}], dtype=dtypes.{kind}).squeeze(0)",
        total="{weighted}.sum()",
        first="""\
{steps}
gradient = [g.clone().numpy() for g in total.gradient({inputs})]
value = value.clone().numpy()
""",
        second="""\
{steps}
gradient = total.gradient({inputs})
elements = Tensor.cat(*[g.reshape(-1) for g in gradient])
second = [[h.clone().numpy() for h in elements[i].gradient({inputs})] for i in range(elements.shape[0])]
gradient = [g.clone().numpy() for g in gradient]
value = value.clone().numpy()
""",
    ),
    "casadi": Words(
        imports="import casadi as ca",
        array="ca.DM({numbers})",
        total="ca.sum(ca.vec({weighted}))",
        first="""\

def f({inputs}):
    {steps}
    return value, total

symbols = [ca.MX.sym("x", *x.shape) for x in [{inputs}]]
value, total = f(*symbols)
found = ca.Function("found", symbols, [value, *[ca.gradient(total, x) for x in symbols]])({inputs})
value, gradient = found[0], found[1:]
""",
        second="""\

def f({inputs}):
    {steps}
    return value, total

symbols = [ca.MX.sym("x", *x.shape) for x in [{inputs}]]
value, total = f(*symbols)
gradient = [ca.gradient(total, x) for x in symbols]
elements = ca.vertsplit(ca.vertcat(*[ca.vec(g) for g in gradient]))
rows = [ca.gradient(e, x) for e in elements for x in symbols]
found = ca.Function("found", symbols, [value, *gradient, *rows])({inputs})
value, gradient, rows = found[0], found[1 : 1 + len(symbols)], found[1 + len(symbols) :]
second = [rows[i : i + len(symbols)] for i in range(0, len(rows), len(symbols))]
""",
    ),
    "pytensor": Words(
        imports="""\
import numpy as np
import pytensor
import pytensor.tensor as pt

pytensor.config.linker = "py"  # needs no compiler""",
        array='pytensor.shared(np.array({numbers}, "{kind}"))',
        total="pt.sum({weighted})",
        first="""\
{steps}
found = pytensor.function([], [value, *pytensor.grad(total, [{inputs}])])()
value, gradient = found[0], found[1:]
""",
        second="""\
{steps}
gradient = pytensor.grad(total, [{inputs}])
elements = pt.concatenate([pt.flatten(g) for g in gradient])
count = sum(x.get_value().size for x in [{inputs}])
second = [pytensor.grad(elements[i], [{inputs}], disconnected_inputs="ignore") for i in range(count)]
value, *gradient = pytensor.function([], [pt.as_tensor(value), *gradient])()
second = [pytensor.function([], row)() for row in second]
""",
    ),
    "mlx": Words(
        imports="import mlx.core as mx\nimport mlx.nn\n\nmx.set_default_device(mx.cpu)",
        array="mx.array({numbers}, mx.{kind})",
        total="{weighted}.sum()",
        first=OF_TOTAL_AND_VALUE
        + """\
total, value = f({inputs})
gradient = mx.vjp(lambda *inputs: f(*inputs)[0], [{inputs}], [mx.ones_like(total)])[1]
""",
        second=OF_TOTAL_AND_VALUE
        + """\
def elements_of_gradient(*inputs):
    found = mx.vjp(lambda *inputs: f(*inputs)[0], list(inputs), [mx.ones_like(total)])[1]
    return mx.concatenate([g.reshape(-1) for g in found])

total, value = f({inputs})
gradient = mx.vjp(lambda *inputs: f(*inputs)[0], [{inputs}], [mx.ones_like(total)])[1]
count = sum(x.size for x in [{inputs}])
second = [mx.vjp(elements_of_gradient, [{inputs}], [row])[1] for row in mx.eye(count, dtype=mx.float64)]
""",
    ),
    "paddle": Words(
        imports="import paddle",
        array='paddle.to_tensor({numbers}, "{kind}")',
        leaf="{name}.stop_gradient = False",
        total="{weighted}.sum()",
        first="""\
{steps}
gradient = paddle.grad(total, [{inputs}], allow_unused=True)
""",
        second="""\
{steps}
gradient = paddle.grad(total, [{inputs}], retain_graph=True, allow_unused=True)
first = paddle.grad(total, [{inputs}], create_graph=True)
second = []
for element in paddle.concat([g.reshape([-1]) for g in first]):
    row = [None] * len(first)
    if not element.stop_gradient:
        row = paddle.grad(element, [{inputs}], retain_graph=True, allow_unused=True)
    second.append([paddle.zeros_like(x) if g is None else g for x, g in zip([{inputs}], row)])
""",
    ),
    "mindspore": Words(
        imports="import mindspore as ms\nimport mindspore.numpy\nimport mindspore.scipy\nfrom mindspore import ops",
        array="ms.Tensor({numbers}, ms.{kind})",
        total="{weighted}.sum()",
        first=OF_TOTAL_AND_VALUE
        + """\
(total, value), gradient = ms.value_and_grad(f, {positions}, has_aux=True)({inputs})
gradient = gradient if isinstance(gradient, tuple) else (gradient,)
""",
        second=OF_TOTAL_AND_VALUE
        + """\
def differentiated(f):
    def gradient(*inputs):
        found = ms.grad(f, {positions})(*inputs)
        return found if isinstance(found, tuple) else (found,)

    return gradient

def element_of_gradient(i):
    return lambda *inputs: ops.cat([g.reshape(-1) for g in differentiated(lambda *inputs: f(*inputs)[0])(*inputs)])[i]

total, value = f({inputs})
gradient = differentiated(lambda *inputs: f(*inputs)[0])({inputs})
count = sum(x.size for x in [{inputs}])
second = [differentiated(element_of_gradient(i))({inputs}) for i in range(count)]
""",
    ),
}


def body(name: str, point: Point, call: str) -> str:
    """The program as far as it computes."""
    words = WORDS[name]
    *before, last = ast.parse(call).body
    steps = [ast.unparse(statement) for statement in before]
    # What a framework refuses may be no expression.
    result = ast.unparse(last) if isinstance(last, ast.Expr) else "None"
    steps += [] if isinstance(last, ast.Expr) else [ast.unparse(last)]
    if not point.inputs:
        return _headed(words.imports, "\n".join([*steps, f"results = {result}", ""]))
    arrays = []
    for given, numbers in point.inputs.items():
        arrays += [_array(words, given, numbers), *([words.leaf.format(name=given)] * bool(words.leaf))]
    weighted = "value"
    if point.weights is not None:
        arrays.append(_array(words, "weights", point.weights))
        weighted = "(value * weights)"
    steps += [f"value = {result}", f"total = {words.total.format(weighted=weighted)}"]
    main = _stepped(words.first if point.hessian is None else words.second, steps)
    positions = str(tuple(range(len(point.inputs))))
    main = main.replace("{inputs}", ", ".join(point.inputs)).replace("{positions}", positions)
    return _headed(words.imports, "\n".join([*arrays, main]))


def program(name: str, point: Point, call: str) -> str:
    """The whole program, which prints what it found."""
    names = (["value", "gradient"] + ["second"] * (point.hessian is not None)) if point.inputs else ["results"]
    return body(name, point, call) + "".join(f"print({name})\n" for name in names)


def _stepped(template: str, steps: list[str]) -> str:
    place = re.search(r"(?m)^( *)\{steps\}$", template)
    assert place
    return template.replace(place[0], indent("\n".join(steps), place[1]))


def _headed(imports: str, code: str) -> str:
    """With the names before it that the code uses."""
    head = ["from math import inf, nan"] if re.search(r"\b(?<![.\"'])(inf|nan)\b", code) else []
    head += ["import numpy as np"] if "import numpy" not in imports and re.search(r"(?<![\w.])np\.", code) else []
    return "\n".join([*head, imports, "", code])


def _array(words: Words, name: str, numbers: Any) -> str:
    kind = "complex128" if _any_complex(numbers) else "float64"
    return f"{name} = {words.array.format(numbers=numbers, kind=kind)}"


def _any_complex(numbers: Any) -> bool:
    return any(map(_any_complex, numbers)) if isinstance(numbers, list) else isinstance(numbers, complex)
