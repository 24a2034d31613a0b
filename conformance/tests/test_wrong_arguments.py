"""Whatever a public function is given, only an error of unigrad's comes out, or none: arguments of every wrong kind,
drawn for each function from a fixed seed of its own.

Python's own TypeError may come where an argument is missing or superfluous, and names the function then; between
operands that know no common operator; and where what is given as a function is none.
"""

from __future__ import annotations

import inspect
import random
import re
import signal
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import unigrad as ug

BACKENDS = ("numpy", "torch")
EXAMPLES = 12
SECONDS = 20
"""How long one call may take: no number makes a loop that does not end."""

NOT_CALLED = frozenset({
    # These change how the process or the thread works, or show something.
    "set_backend", "use_backend", "register_backend", "available_backends", "compile", "plot", "compare", "graph",
    "tree_unflatten",  # which takes what tree_flatten returned
    "record", "pause", "train_mode", "predict_mode", "random.seed", "set_printoptions", "bridge", "wrap_native",
})  # fmt: skip
# Without a check, as its docstring says; and what is no method.
UNCHECKED = frozenset({"of", "raw", "backend"})
OPERATORS = ("add", "radd", "sub", "matmul", "pow", "iadd", "lt", "eq", "and", "lshift", "floordiv", "mod")
PROTOCOLS = ("getitem", "setitem", "contains", "format")


class Odd:
    """Of no kind that anything takes."""

    def __repr__(self) -> str:
        return "Odd()"


def _arguments() -> list[Any]:
    x = ug.asarray(np.array([[1, 2, 3], [4, 5, 6]], np.float32))
    arrays = [
        *(x, x[0], x[0, 0], x > 2, ug.asarray([1, 2, 3]), ug.asarray(np.array([1, 2], np.uint8)), ug.zeros((0, 3))),
        *(ug.ones((2, 2, 2)), ug.asarray(np.array([1 + 1j, 2])), ug.ones(3, dtype="float64"), ug.eye(3)),
    ]
    numbers = [0, 1, -1, 7, 2.5, float("nan"), float("inf"), 10**40, -(10**40), 2**63, 1j, True, np.float64(3)]
    rest = [
        *(None, "a", "ij,jk->ik", Odd(), object, int, [1, 2], [], (0, 1), (0, 0), [[1], [2, 3]], [x, x[0]], {}, set()),
        *({"a": 1}, b"ab", abs, np.array(["a"]), np.array([1.0]), range(3), slice(1, 2), "float32", np.float32, ...),
    ]
    return [*arrays, *numbers, *rest]


def _functions() -> Iterator[str]:
    for prefix, module in (
        ("", ug),
        ("linalg.", ug.linalg),
        ("fft.", ug.fft),
        ("nn.", ug.nn),
        ("random.", ug.random),
        ("special.", ug.special),
    ):
        for name in dir(module):
            found = getattr(module, name)
            if inspect.isfunction(found) and not name.startswith("_") and prefix + name not in NOT_CALLED:
                yield prefix + name


def _methods() -> Iterator[str]:
    public = [name for name in dir(ug.Tensor) if not name.startswith("_") and name not in UNCHECKED]
    yield from (f"Tensor.{name}" for name in public if callable(getattr(ug.Tensor, name)))
    yield from (f"Tensor.__{name}__" for name in (*OPERATORS, *PROTOCOLS))


def _drawn(rng: random.Random, parameters: list[inspect.Parameter]) -> tuple[list[Any], dict[str, Any]]:
    pool = _arguments()
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = sum(p.default is p.empty for p in positional)
    count = rng.choice([required, required, required, rng.randint(0, len(positional) + 1)])
    args = [rng.choice(pool) for _ in range(count)]
    if args and rng.random() < 0.6:
        args[0] = rng.choice(pool[:11])
    named = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]
    return args, {name: rng.choice(pool) for name in named if rng.random() < 0.25}


def _problem(name: str, call: Callable[..., Any], args: list[Any], options: dict[str, Any]) -> str | None:
    """What came out that is not ours, in words."""

    def too_slow(*_: object) -> None:
        raise TimeoutError(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGALRM, too_slow)
    signal.alarm(SECONDS)
    try:
        call(*args, **options)
    except ug.UnigradError:
        return None
    except TypeError as error:
        if re.search(r"\(\) (missing|takes|got)|unsupported operand type|is not callable", str(error)):
            return None
        return f"{name}(*{args!r}, **{options!r}): TypeError: {error}"
    except Exception as error:
        return f"{name}(*{args!r}, **{options!r}): {type(error).__name__}: {error}"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [*_functions(), *_methods()])
def test_only_errors_of_unigrads_come_out(name: str, backend: str) -> None:
    rng = random.Random(name)
    problems = []
    with ug.use_backend(backend), np.errstate(all="ignore"):
        for _ in range(EXAMPLES):
            *spaces, last = name.split(".")
            if spaces == ["Tensor"]:
                call: Any = getattr(rng.choice(_arguments()[:11]), last, None)
                if call is None:  # a method that booleans do not have
                    continue
                args: list[Any] = [rng.choice(_arguments()) for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))]
                options: dict[str, Any] = {}
            else:
                call = getattr(getattr(ug, spaces[0]) if spaces else ug, last)
                args, options = _drawn(rng, list(inspect.signature(call).parameters.values()))
            problems.append(_problem(name, call, args, options))
    found = [problem for problem in problems if problem]
    assert not found, "\n".join(found)


def _squares(*args: Any) -> Any:
    return sum(ug.square(leaf).sum() for leaf in ug.tree_leaves(args))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ["grad", "value_and_grad", "jacobian", "hessian", "vmap", "checkpoint", "vjp"])
def test_only_errors_of_unigrads_come_out_of_what_transforms_return(name: str, backend: str) -> None:
    """With options of the wrong kinds, and then arguments, and of ``vjp`` a cotangent."""
    rng = random.Random(name)
    transform = getattr(ug, name)
    named = [p for p in inspect.signature(transform).parameters if p not in ("f", "primals", "args")]

    def call(*args: Any, **options: Any) -> None:
        if name == "vjp":
            _, pull = transform(_squares, *args[1:], **options)
            pull(args[0])
        else:
            transform(_squares, **options)(*args)

    with ug.use_backend(backend), np.errstate(all="ignore"):
        problems = []
        for _ in range(4 * EXAMPLES):
            pool = _arguments()
            args = [
                rng.choice(pool[:11] if rng.random() < 0.6 else pool) for _ in range(rng.choice([0, 1, 1, 2, 2, 3]))
            ]
            options = {option: rng.choice(pool) for option in named if rng.random() < 0.25}
            problems.append(_problem(name, call, args or pool[:1], options))
    found = [problem for problem in problems if problem]
    assert not found, "\n".join(found)
