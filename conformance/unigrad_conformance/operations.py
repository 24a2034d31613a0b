"""From samples to cases."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from types import CodeType
from typing import Any

import numpy as np

from unigrad.base.dtypes import ALL, as_dtype, complex_of, has_gradients, limits
from unigrad.table import PRIMITIVES
from unigrad_conformance.case import Case, Results
from unigrad_conformance.inputs import cast, weights
from unigrad_conformance.samples import BOTH, Family, Sample


def cases_of(family: Family) -> Iterator[Case]:
    """Every sample in every dtype that it asks for."""
    seen: Counter[str] = Counter()
    for sample in family.samples:
        seen[sample.operation] += 1
        for dtype in (*sample.dtypes, *(_narrow(sample) if seen[sample.operation] == 1 and family.halves else ())):
            main = dtype == sample.dtypes[0]
            first = main and seen[sample.operation] == 1
            over = str(complex_of(as_dtype(dtype)))
            own = {"f": dtype, "c": over}
            inputs = tuple(
                cast(value, sample.own.get(name) or own.get(value.dtype.kind) or value.dtype)
                for name, value in sample.inputs.items()
            )
            differentiated = (
                ()
                if sample.flat
                else tuple(name for name, value in sample.inputs.items() if has_gradients(value.dtype))
            )
            yield Case(
                name=f"{sample.operation}.{sample.name}.{dtype}",
                family=family.name,
                group=sample.operation,
                run=_program(sample, differentiated, main, first),
                quick=_program(sample, () if sample.slow else differentiated, main, first, plain=True)
                if differentiated and _is_composed(sample)
                else None,
                quick_without=(*TRANSFORMED, "grad *") if sample.slow else TRANSFORMED,
                compilable=_compilable(sample, differentiated) if sample.inputs else None,
                why=f"{sample.source}  ({sample.name.replace('_', ' ')})",
                inputs=inputs,
                dtype=dtype,
                limit=family.limit,
                everyday=first and family.everyday,
                needs=_needs(sample, inputs, dtype, over),
            )


TRANSFORMED = ("forward*", "second *", "mapped alike", "directions add up", "forward twice agrees",
               "NaN is handed on")  # fmt: skip
"""The results that transforms of an operation give, beside its value and gradient."""


def _narrow(sample: Sample) -> tuple[str, ...]:
    """bfloat16 for the first sample of each operation that takes real numbers of any floating dtype."""
    kinds = {value.dtype.kind for value in sample.inputs.values()}
    return ("bfloat16",) if sample.dtypes == BOTH and "f" in kinds and "c" not in kinds and not sample.complex else ()


def _needs(sample: Sample, inputs: Sequence[np.ndarray[Any, Any]], dtype: str, over: str) -> str | None:
    """A dtype of the case that a backend may lack."""
    if sample.complex or any(value.dtype.kind == "c" for value in inputs):
        return over
    return next((str(value.dtype) for value in inputs if value.dtype not in ALL), None)


def _is_composed(sample: Sample) -> bool:
    """Whether the operation is plain Python over primitives, whose own samples have their transforms."""
    return sample.operation not in PRIMITIVES and not sample.operation.startswith("operator.")


def _program(
    sample: Sample, differentiated: Sequence[str], main: bool, first: bool, plain: bool = False
) -> Callable[..., Results]:
    """``main``: it is the first of the sample's dtypes; ``first``: and the operation's first sample."""
    names = tuple(sample.inputs)

    def run(ug: Any, *arrays: np.ndarray[Any, Any]) -> Results:
        call = compiled(sample.source)
        tensors = {name: ug.asarray(array) for name, array in zip(names, arrays, strict=True)}
        variables = [tensors[name] for name in differentiated]
        results, pairs = _arrays(ug, sample, call, tensors, differentiated, plain)
        if variables and not plain:
            results["forward and reverse agree"] = _same_product(*pairs)
        if first and tensors and not plain:
            try:
                results["mapped alike"] = _mapped(ug, sample.operation, call, tensors, differentiated)
                if sample.second and variables and not sample.operation.startswith(BY_ELEMENT):
                    results["forward twice agrees"] = _twice(ug, call, tensors, differentiated)
                if len(differentiated) > 1:
                    results["directions add up"] = _added(ug, call, tensors, differentiated)
            except ug.UnigradError as error:  # what the other results say is not lost
                results["mapped alike"] = f"{type(error).__name__}: {error}"
        if main and differentiated and not plain:
            results["NaN is handed on"] = _undefined(ug, call, tensors, differentiated, sample.second)
        results["inputs unchanged"] = all(
            np.array_equal(tensors[name].numpy(), array, equal_nan=has_gradients(array.dtype))
            for name, array in zip(names, arrays, strict=True)
        )
        results["gradients fit"] = all(
            x.grad.shape == x.shape and x.grad.dtype == x.dtype and x.grad.backend is x.backend for x in variables
        )
        return results

    return run


Pairs = tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]


def _arrays(
    ug: Any,
    sample: Sample,
    call: Callable[..., Any],
    tensors: dict[str, Any],
    differentiated: Sequence[str],
    plain: bool = False,
) -> tuple[Results, Pairs]:
    """The results that are arrays, none of whose values anything is decided by; and the terms of the two inner
    products that must agree."""
    variables = [tensors[name] for name in differentiated]
    for variable in variables:
        variable.attach_grad()
    with ug.record():
        outputs = call(ug, tensors)
    results = {_numbered("value", outputs, i): output for i, output in enumerate(outputs)}
    pairs: Pairs = ([], [])
    if variables:
        heads = [output for output in outputs if has_gradients(output.dtype)]
        ug.backward(heads, _cotangents(ug, heads))
        results |= {f"grad {name}": tensors[name].grad for name in differentiated}
        if not plain:
            tangents, pairs = _forward(ug, call, tensors, differentiated)
            results |= tangents
        if sample.second and not plain:
            results |= _second(ug, call, tensors, differentiated)
    return results, pairs


def _compilable(sample: Sample, differentiated: Sequence[str]) -> Callable[..., Results]:
    """The program of a sample, as far as it can be compiled: of Tensors, and without what asks for values."""

    def run(ug: Any, *tensors: Any) -> Results:
        return _arrays(
            ug, sample, compiled(sample.source), dict(zip(sample.inputs, tensors, strict=True)), differentiated
        )[0]

    return run


def _forward(ug: Any, call: Callable[..., Any], tensors: dict[str, Any], names: Sequence[str]) -> tuple[Results, Pairs]:
    """The tangents of the outputs for fixed directions, and what tells whether they agree with the gradients: the inner
    product of cotangents and tangents is that of gradients and directions."""
    primals = [tensors[name].detach() for name in names]
    directions = _cotangents(ug, primals)

    def f(*values: Any) -> list[Any]:
        outputs = call(ug, tensors | dict(zip(names, values, strict=True)))
        return [output for output in outputs if has_gradients(output.dtype)]

    outputs, tangents = ug.jvp(f, primals, directions)
    pairs = list(zip(_cotangents(ug, outputs), tangents, strict=True))
    other = [(tensors[name].grad, direction) for name, direction in zip(names, directions, strict=True)]
    return {_numbered("forward", tangents, i): tangent for i, tangent in enumerate(tangents)}, (pairs, other)


_PRODUCT_LIMIT = 64
"""How far two inner products may differ, in units of the last place of the sum of the sizes of their terms."""


def _same_product(first: Sequence[tuple[Any, Any]], second: Sequence[tuple[Any, Any]]) -> bool:
    sums, size, resolution = [], 0.0, 0.0
    for pairs in (first, second):
        terms = [np.ravel((np.conj(a.numpy().astype(_WIDE)) * b.numpy().astype(_WIDE)).real) for a, b in pairs]
        sums.append(sum(float(part.sum()) for part in terms))
        size += sum(float(np.abs(part).sum()) for part in terms)
        resolution = max([resolution, *(float(limits(a.dtype).eps) for a, _ in pairs)])
    if not np.isfinite(size):  # an infinite or undefined slope has no inner product; both are compared by themselves
        return True
    return abs(sums[0] - sums[1]) <= _PRODUCT_LIMIT * resolution * size


_WIDE = np.complex128


def _second(ug: Any, call: Callable[..., Any], tensors: dict[str, Any], names: Sequence[str]) -> Results:
    """The gradient of the inner product of the gradient with fixed weights."""
    variables = [tensors[name] for name in names]
    with ug.record():
        heads = [output for output in call(ug, tensors) if has_gradients(output.dtype)]
    first = ug.gradients(heads, variables, _cotangents(ug, heads), create_graph=True)
    seconds = ug.gradients(first, variables, _cotangents(ug, first))
    return {f"second {name}": second for name, second in zip(names, seconds, strict=True)}


NOT_MAPPED = ("jax", "mpmath")
"""Backends on which no sample is mapped: JAX would compile two more shapes of each operation, and the reference is
slow. The rules are the same everywhere."""
MAPPED_APART = ("numpy", "torch")
"""Backends on which samples are mapped over each input alone and over none, pushed forward along each alone and twice,
and given NaN: the rules are the same everywhere but on PyTorch, of whose own derivatives and forward mode many are
taken."""
BY_ELEMENT = "special."
"""The operations of which that takes longest, and whose rules are all by element."""
SHAPED_BY_VALUES = frozenset({
    "argwhere", "bincount", "compress", "extract", "flatnonzero", "histogram", "histogram2d", "histogram_bin_edges",
    "histogramdd", "intersect1d", "nonzero", "piecewise", "setdiff1d", "setxor1d", "trim_zeros", "union1d", "unique",
    "unique_all", "unique_counts", "unique_inverse", "unique_values",
})  # fmt: skip
"""Operations that ``vmap`` refuses."""
TOO_MANY_AXES = {"mxnet": frozenset({"nn.conv_transpose3d"})}
"""By backend: operations that take as many axes as the framework does, and no batch of them."""


def _mapped(
    ug: Any, operation: str, call: Callable[..., Any], tensors: dict[str, Any], differentiated: Sequence[str]
) -> bool:
    """Whether ``vmap`` over two sets of inputs gives what two calls give, values and gradients; with each input in turn
    as the one that is not the same for both; and over no set the shapes of one call."""
    backend = ug.get_backend()
    if backend in NOT_MAPPED:
        return True
    names = list(tensors)
    first = [tensor.detach() for tensor in tensors.values()]
    # Another set in the domain of nearly everything: 0.9375 is exact in every dtype.
    pair = [first, [x * 0.9375 if has_gradients(x.dtype) else x for x in first]]

    def apart(*values: Any) -> tuple[list[Any], list[Any]]:
        outputs = call(ug, dict(zip(names, values, strict=True)))
        floating = [output for output in outputs if has_gradients(output.dtype)]
        return floating, [output for output in outputs if not has_gradients(output.dtype)]

    def all_of(*values: Any) -> list[Any]:
        if not differentiated:
            outputs, rest = apart(*values)
            return [*outputs, *rest]
        outputs, pull, rest = ug.vjp(
            apart, *values, argnums=[names.index(name) for name in differentiated], has_aux=True
        )
        return [*outputs, *rest, *pull(_cotangents(ug, outputs))]

    stacked = [ug.stack(both) for both in zip(*pair, strict=True)]
    everything = (True,) * len(names)
    try:
        if not all(map(_alike, *_both(ug, all_of, stacked, pair, everything))):
            return False
    except ug.UnsupportedError:
        return operation in SHAPED_BY_VALUES or operation in TOO_MANY_AXES.get(backend, ())
    if backend not in MAPPED_APART or operation.startswith(BY_ELEMENT):
        return True
    alone = [tuple(name == other for other in names) for name in names] if len(names) > 1 else []

    def values(*given: Any) -> list[Any]:
        return [output for outputs in apart(*given) for output in outputs]

    shapes = [(0, *y.shape) for y in all_of(*first)]
    return all(_of_none(ug, all_of, stacked, first, mask) == shapes for mask in (everything, *alone)) and all(
        all(map(_alike, *_both(ug, f, stacked, pair, mask))) for mask in alone for f in (values, all_of)
    )


def _of_none(
    ug: Any, f: Callable[..., Any], stacked: Sequence[Any], first: Sequence[Any], mask: Sequence[bool]
) -> list[tuple[int, ...]]:
    """The shapes that ``vmap`` gives over none of the marked inputs."""
    given = [batch[:0] if marked else x for batch, x, marked in zip(stacked, first, mask, strict=True)]
    return [x.shape for x in ug.vmap(f, in_axes=tuple(0 if marked else None for marked in mask))(*given)]


def _both(
    ug: Any, f: Callable[..., Any], stacked: Sequence[Any], pair: Sequence[Sequence[Any]], mask: Sequence[bool]
) -> tuple[list[Any], list[Any]]:
    """What ``vmap`` over the marked inputs gives, and what two calls do."""
    given = [batch if marked else x for batch, x, marked in zip(stacked, pair[0], mask, strict=True)]
    found = ug.vmap(f, in_axes=tuple(0 if marked else None for marked in mask))(*given)
    sets = [[each if marked else x for each, x, marked in zip(one, pair[0], mask, strict=True)] for one in pair]
    singles = zip(*[f(*values) for values in sets], strict=True)
    return [x.numpy() for x in found], [np.stack([y.numpy() for y in ys]) for ys in singles]


def _added(ug: Any, call: Callable[..., Any], tensors: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether the tangents for each variable that moves alone add up to those for all that move together."""
    if ug.get_backend() not in MAPPED_APART:
        return True
    primals = [tensors[name].detach() for name in names]
    directions = _cotangents(ug, primals)

    def f(*values: Any) -> list[Any]:
        outputs = call(ug, tensors | dict(zip(names, values, strict=True)))
        return [output for output in outputs if has_gradients(output.dtype)]

    together = ug.jvp(f, primals, directions)[1]
    apart = [ug.jvp(f, primals, [direction], argnums=[number])[1] for number, direction in enumerate(directions)]
    for total, *parts in zip(together, *apart, strict=True):
        shares = np.stack([part.numpy() for part in parts]).astype(_WIDE)
        found = total.numpy().astype(_WIDE)
        size = float(np.abs(shares).sum())
        if any(part.shape != total.shape or part.dtype != total.dtype for part in parts):
            return False
        limit = _PRODUCT_LIMIT * float(limits(total.dtype).eps) * size
        if np.isfinite(size) and float(np.abs(shares.sum(axis=0) - found).max(initial=0.0)) > limit:
            return False
    return True


def _twice(ug: Any, call: Callable[..., Any], tensors: dict[str, Any], names: Sequence[str]) -> bool:
    """Whether the second derivative along fixed directions is that of a Hessian's product by forward mode twice."""
    if ug.get_backend() not in MAPPED_APART:
        return True
    primals = [tensors[name].detach() for name in names]
    directions = _cotangents(ug, primals)

    def f(*values: Any) -> Any:
        outputs = call(ug, tensors | dict(zip(names, values, strict=True)))
        heads = [output for output in outputs if has_gradients(output.dtype)]
        return sum(ug.real(ug.sum(y * ug.conj(w))) for y, w in zip(heads, _cotangents(ug, heads), strict=True))

    twice = ug.jvp(lambda *values: ug.jvp(f, values, directions)[1], primals, directions)[1]
    products = ug.hvp(f, primals, directions)
    terms = [
        (np.conj(d.numpy().astype(_WIDE)) * p.numpy().astype(_WIDE)).real
        for d, p in zip(directions, products, strict=True)
    ]
    size = sum(float(np.abs(part).sum()) for part in terms)
    if not np.isfinite(size):
        return True
    eps = float(limits(twice.dtype).eps)
    return abs(float(twice.numpy()) - sum(float(part.sum()) for part in terms)) <= 1024 * eps * max(size, 1.0)


def _undefined(ug: Any, call: Callable[..., Any], tensors: dict[str, Any], names: Sequence[str], second: bool) -> bool:
    """Whether a cotangent or a tangent with NaN in its last element gives NaN wherever one with 1 does not give 0; of
    second derivatives as well."""
    if ug.get_backend() not in MAPPED_APART:
        return True
    variables = [tensors[name] for name in names]
    primals = [variable.detach() for variable in variables]

    def f(*values: Any) -> list[Any]:
        outputs = call(ug, tensors | dict(zip(names, values, strict=True)))
        return [output for output in outputs if has_gradients(output.dtype)]

    def last(arrays: Sequence[Any], value: float) -> list[Any]:
        found = [np.zeros(array.shape, array.dtype) for array in arrays]
        for each in found:
            each.reshape(-1)[-1:] = value
        return [ug.asarray(each) for each in found]

    def handed_on(ones: Sequence[Any], undefined: Sequence[Any]) -> bool:
        return all(
            bool(np.all(np.isnan(b.numpy()) | (a.numpy() == 0) | np.isnan(a.numpy())))
            for a, b in zip(ones, undefined, strict=True)
        )

    with ug.record():
        heads = f(*variables)
    firsts = ug.gradients(heads, variables, _cotangents(ug, heads), create_graph=True)
    passes = [heads, *([firsts] if second else [])]
    return all(
        handed_on(*[ug.gradients(ys, variables, last(ys, value), retain_graph=True) for value in (1.0, np.nan)])
        for ys in passes
    ) and all(
        handed_on(*[ug.jvp(f, primals, last([x], value), argnums=[number])[1] for value in (1.0, np.nan)])
        for number, x in enumerate(primals)
    )


def _alike(found: np.ndarray[Any, Any], expected: np.ndarray[Any, Any]) -> bool:
    """Equal up to the order of summation."""
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    if not has_gradients(expected.dtype):
        return np.array_equal(found, expected)
    with np.errstate(all="ignore"):
        finite = np.abs(expected[np.isfinite(expected)])
        limit = _PRODUCT_LIMIT * float(np.finfo(expected.dtype).eps)
        return np.allclose(found, expected, rtol=limit, atol=limit * finite.max(initial=0), equal_nan=True)


def _cotangents(ug: Any, heads: Sequence[Any]) -> list[Any]:
    return [ug.asarray(weights(head.shape, head.dtype)) for head in heads]


def _numbered(name: str, outputs: Sequence[Any], position: int) -> str:
    return name if len(outputs) == 1 else f"{name} {position}"


@cache
def compiled(source: str) -> Callable[[Any, dict[str, Any]], list[Any]]:
    """The statements as a function that returns what the last of them, an expression, gives, as a list."""
    tree = ast.parse(source)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), source
    before: CodeType = compile(tree, "<sample>", "exec")
    value: CodeType = compile(ast.Expression(last.value), "<sample>", "eval")

    def call(ug: Any, tensors: dict[str, Any]) -> list[Any]:
        scope = {"ug": ug, "np": np, **tensors}
        exec(before, scope)  # noqa: S102
        found = eval(value, scope)
        return list(found) if isinstance(found, (tuple, list)) else [found]

    return call
