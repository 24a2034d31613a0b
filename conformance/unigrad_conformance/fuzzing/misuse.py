"""Random orders of record, attach, detach, backward, retain, free, pause, writes, exceptions and threads:
``unigrad fuzz --misuse``.

A program is a list of lines and blocks. It is run on a backend line by line, and after each what every name holds, its
gradient, the modes and the error raised must be those of a model (:mod:`~unigrad_conformance.fuzzing.states`).
Afterwards nothing may be left: no array, no node of the graph, no mode. hypothesis has such machines too; what is here
shares the seeds, the shrinking and the printed program of the other fuzzer, and needs nothing that is not installed.
"""

from __future__ import annotations

import gc
import random
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import unigrad as ug
from unigrad.tape import RELEASED, Node
from unigrad.tensor.tensor import retained
from unigrad_conformance.fuzzing.states import Array, Raised, States, Unsaid, Vector

NAMES = "abcd"
LINES, DEPTH = 24, 2
"""How many lines are drawn, before those that make no sense are left out, and how deep blocks lie in each other."""
SCOPES = (*("record",) * 6, "record(train_mode=False)", "pause", "pause", "pause(train_mode=True)", "train_mode",
          "predict_mode", "thread", "again", "again", "raising", "raising")  # fmt: skip
"""Of blocks: scopes, a thread of its own, one scope that is entered again and again, and record() left by an error."""


@dataclass(frozen=True)
class Line:
    """One line of Python, and what it does to the model."""

    source: str
    act: Callable[[States], None]


@dataclass(frozen=True)
class Block:
    """Lines within a scope, or in a thread."""

    scope: str
    body: tuple[Line | Block, ...]


Body = tuple[Line | Block, ...]
Seen = tuple[str, tuple[bool, bool], dict[str, tuple[list[float], list[float] | None]]]
"""After a line: the error or "", the modes, and the value and gradient of every name."""


# --- drawing -------------------------------------------------------------------------------------------------------


def _line(chance: random.Random) -> Line:
    """A line about any names, which may make no sense."""
    k, i, j = (chance.choice(NAMES) for _ in range(3))
    numbers = [float(chance.randint(-3, 3)) for _ in range(2)]
    v = np.asarray(numbers)
    given = f'ug.asarray({numbers}, dtype="float64")'
    request = chance.choice(("write", "write", "add", "null"))
    retain = chance.random() < 0.5

    def put(name: str, make: Callable[[States], Array]) -> Callable[[States], None]:
        return lambda s: s.names.__setitem__(name, make(s))

    def product(s: States) -> Array:
        x, y = s.of(i), s.of(j)
        return s.computed(x.value * y.value, [(x, y.value), (y, x.value)])

    def total(s: States) -> Array:
        x, y = s.of(i), s.of(j)
        return s.computed(x.value - y.value, [(x, np.ones(2)), (y, -np.ones(2))])

    def square(s: States, may_fail: bool) -> Array:
        x = s.of(i)
        return s.computed(x.value**2, [(x, 2 * x.value)], may_fail)

    def added(s: States) -> None:
        x, y = s.of(i), s.of(j)
        s.become(x, lambda: s.computed(x.value + y.value, [(x, np.ones(2)), (y, np.ones(2))]))

    def written(s: States) -> None:
        x = s.of(i)
        value: Vector = np.asarray([numbers[0], x.value[1]])
        s.become(x, lambda: s.computed(value, [(x, np.asarray([0.0, 1.0]))]))

    def dropped(s: States) -> None:
        s.of(i)
        del s.names[i]

    ones = np.ones(2)
    lines: tuple[tuple[int, str, Callable[[States], None]], ...] = (
        (3, f"{k} = {given}", put(k, lambda s: Array(v))),
        (5, f"{i}.attach_grad({request!r})", lambda s: s.attach(s.of(i), request)),
        (6, f"{k} = {i} * {j}", put(k, product)),
        (4, f"{k} = {i} - {j}", put(k, total)),
        (2, f"{k} = {i} * 2.0", put(k, lambda s: s.computed(s.of(i).value * 2, [(s.of(i), 2 * ones)]))),
        (2, f"{k} = own_square({i})", put(k, lambda s: square(s, True))),
        (1, f"{k} = ug.checkpoint(ug.square)({i})", put(k, lambda s: square(s, False))),
        (2, f"{k} = {i}.detach()", put(k, lambda s: Array(s.of(i).value))),
        (1, f"{k} = {i}", put(k, lambda s: s.of(i))),
        (1, f"{k} = {i}.grad", put(k, lambda s: s.gradient_of(s.of(i)))),
        (1, f"del {i}", dropped),
        (6, f"{i}.backward(retain_graph={retain})", lambda s: s.backward([(s.of(i), ones)], retain)),
        (2, f"{i}.backward({given}, retain_graph={retain})", lambda s: s.backward([(s.of(i), v)], retain)),
        (1, f"{i}.backward(create_graph=True)", lambda s: s.backward([(s.of(i), ones)], create=True)),
        (2, f"ug.backward([{i}, {j}])", lambda s: s.backward([(s.of(i), ones), (s.of(j), ones)])),
        (2, f"with failing: {i}.backward()", lambda s: s.backward([(s.of(i), ones)], fails=True)),
        (2, f"{k} = ug.gradients({i}, {j}, retain_graph=True)", put(k, lambda s: s.gradient(s.of(i), s.of(j)))),
        (2, f"{i}.retain_grad()", lambda s: s.retain(s.of(i))),
        (1, f"{i}.zero_grad()", lambda s: s.zero(s.of(i))),
        (3, f"{i} += {j}", added),
        (2, f"{i}[0] = {numbers[0]}", written),
    )
    _, source, act = chance.choices(lines, [weight for weight, *_ in lines])[0]
    return Line(source, act)


def draw(seed: int) -> Body:
    """The program of a seed, of lines that make sense or raise what they must."""
    chance = random.Random(seed)
    begun = []
    while len(begun) < 3:
        line = _line(chance)
        if "= ug.asarray" in line.source:
            begun.append(line)
    return sensible((*begun, *_drawn(chance, LINES, DEPTH)))


def _drawn(chance: random.Random, count: int, depth: int) -> Body:
    body: list[Line | Block] = []
    while count > 0:
        if depth and chance.random() < 0.3:
            size = chance.randint(1, 6)
            body.append(Block(chance.choice(SCOPES), _drawn(chance, size, depth - 1)))
            count -= size
        else:
            body.append(_line(chance))
            count -= 1
    return tuple(body)


def sensible(body: Body) -> Body:
    """The program without the lines that no rule speaks of."""
    return _kept(body, States())


def _kept(body: Body, states: States) -> Body:
    kept: list[Line | Block] = []
    for one in body:
        if isinstance(one, Block):
            with states.within(_mode(one.scope)):
                kept.append(Block(one.scope, _kept(one.body, states)))
            continue
        try:
            one.act(states)
        except Raised:
            pass
        except Unsaid:
            continue
        kept.append(one)
    return tuple(kept)


def _mode(scope: str) -> str:
    return "record" if scope in ("again", "raising") else scope


# --- running -------------------------------------------------------------------------------------------------------


def expected(body: Body) -> list[Seen]:
    """What the model sees after each line and block."""
    found: list[Seen] = []
    _modelled(body, States(), found)
    return found


def _modelled(body: Body, states: States, found: list[Seen]) -> None:
    for one in body:
        error = ""
        if isinstance(one, Block):
            with states.within(_mode(one.scope)):
                _modelled(one.body, states, found)
            error = "KeyError" if one.scope == "raising" else ""
        else:
            try:
                one.act(states)
            except Raised as raised:
                error = str(raised)
        held = {
            name: (x.value.tolist(), None if x.grad is None else x.grad.value.tolist())
            for name, x in sorted(states.names.items())
        }
        found.append((error, states.mode, held))


class _Failing:
    """While it is open, the rule of ``own_square`` raises."""

    def __init__(self) -> None:
        self.on = threading.local()

    def __enter__(self) -> None:
        self.on.now = True

    def __exit__(self, *error: object) -> None:
        self.on.now = False


class _Run:
    """One run on the current backend."""

    def __init__(self) -> None:
        self.failing = failing = _Failing()
        self.backend = ug.get_backend()
        self.again = ug.record()
        self.refs: dict[int, weakref.ref[Any]] = {}
        self.found: list[Seen] = []

        @ug.custom_gradient
        def own_square(x: Any) -> Any:
            def rule(g: Any) -> Any:
                if getattr(failing.on, "now", False):
                    raise KeyError("the rule fails")
                return g * (x * 2)

            return x * x, rule

        self.scope: dict[str, Any] = {"ug": ug, "failing": failing, "own_square": own_square}

    def body(self, body: Body) -> None:
        for one in body:
            error = ""
            try:
                if isinstance(one, Block):
                    self._block(one)
                else:
                    exec(compile(one.source, f"<{one.source}>", "exec"), self.scope)  # noqa: S102
            except Exception as raised:
                error = type(raised).__name__
            self.found.append((error, (ug.is_recording(), ug.is_training()), self._held()))

    def _block(self, block: Block) -> None:
        if block.scope == "thread":
            thread = threading.Thread(target=self._in_thread, args=(block.body,))
            thread.start()
            thread.join()
        elif block.scope == "again":
            with self.again:
                self.body(block.body)
        elif block.scope == "raising":
            with ug.record():
                self.body(block.body)
                raise KeyError("left by an error")
        else:
            name, _, arguments = block.scope.partition("(")
            arguments = {"train_mode": arguments.endswith("True)")} if arguments else {}  # type: ignore[assignment]
            with getattr(ug, name)(**arguments):  # type: ignore[arg-type]
                self.body(block.body)

    def _in_thread(self, body: Body) -> None:
        with ug.use_backend(self.backend):
            self.body(body)

    def _held(self) -> dict[str, tuple[list[float], list[float] | None]]:
        held = {}
        for name in NAMES:
            x = self.scope.get(name)
            if x is not None:
                grad = x.grad
                held[name] = x.numpy().tolist(), None if grad is None else grad.numpy().tolist()
                for each in (x, grad):
                    if each is not None:
                        self.refs[id(each)] = weakref.ref(each)
        return held

    def left(self) -> int:
        """How many arrays are still there when no name is."""
        for name in NAMES:
            self.scope.pop(name, None)
        return sum(ref() is not None for ref in self.refs.values())


def problem(body: Body) -> str | None:
    """What the current backend does otherwise than the model, or what it leaves behind; None if nothing."""
    found, left = _problem(body)
    if found is None and left:
        # A framework may keep what its first call was given.
        found, left = _problem(body)
    return found or (f"{left} arrays are left when no name holds them" if left else None)


def _problem(body: Body) -> tuple[str | None, int]:
    """What is otherwise, and how much is left."""
    collects = gc.isenabled()
    gc.disable()
    try:
        run = _Run()
        run.body(body)
        left = run.left() + len(retained)
    finally:
        if collects:
            gc.enable()
    for source, found, right in zip(_lines(body), run.found, expected(body), strict=True):
        if found != right:
            return f"after {source!r}: {_told(found, right)}", left
    return None, left


def _told(found: Seen, right: Seen) -> str:
    if found[0] != right[0]:
        return f"{found[0] or 'no error'} instead of {right[0] or 'none'}"
    if found[1] != right[1]:
        return f"recording and training are {found[1]} instead of {right[1]}"
    for name in right[2]:
        if found[2].get(name) != right[2][name]:
            return f"{name} and its gradient are {found[2].get(name)} instead of {right[2][name]}"
    return f"there is {sorted(found[2])} instead of {sorted(right[2])}"


def together(bodies: Sequence[Body]) -> list[str | None]:
    """:func:`problem` of several programs, each in a thread of its own at the same time, without what is left."""
    backend = ug.get_backend()
    found: list[str | None] = ["it did not come to an end"] * len(bodies)
    start = threading.Barrier(len(bodies))

    def one(number: int) -> None:
        with ug.use_backend(backend):
            run = _Run()
            start.wait()
            run.body(bodies[number])
            pairs = zip(run.found, expected(bodies[number]), strict=True)
            found[number] = next((_told(got, right) for got, right in pairs if got != right), None)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(bodies))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def nodes() -> int:
    """How many nodes of a graph there are that no backward released."""
    gc.collect()
    # Not isinstance, which asks objects of others for their class, and of those some warn.
    found = (each for each in gc.get_objects() if issubclass(type(each), Node))
    return sum(getattr(each, "number", RELEASED) != RELEASED for each in found)  # without a number it is half made


def _lines(body: Body) -> Iterator[str]:
    """What :func:`expected` has an entry for, in order."""
    for one in body:
        if isinstance(one, Block):
            yield from _lines(one.body)
            yield f"the end of {one.scope}"
        else:
            yield one.source


# --- smaller, and in words -----------------------------------------------------------------------------------------


def shrunk(body: Body, fails: Callable[[Body], bool]) -> Body:
    """What is left when no line or block can be taken away."""
    while True:
        for smaller in _smaller(body):
            smaller = sensible(smaller)
            if fails(smaller):
                body = smaller
                break
        else:
            return body


def _smaller(body: Body) -> Iterator[Body]:
    for index in reversed(range(len(body))):
        yield body[:index] + body[index + 1 :]
        one = body[index]
        if isinstance(one, Block):
            yield body[:index] + one.body + body[index + 1 :]
            for inner in _smaller(one.body):
                yield (*body[:index], Block(one.scope, inner), *body[index + 1 :])


PRELUDE = """\
import threading, unigrad as ug
ug.set_backend({backend!r})
again = ug.record()
class Failing:
    on = False
    def __enter__(self): self.on = True
    def __exit__(self, *error): self.on = False
failing = Failing()
@ug.custom_gradient
def own_square(x):
    def rule(g):
        if failing.on: raise KeyError("the rule fails")
        return g * (x * 2)
    return x * x, rule"""


def source(body: Body, backend: str) -> str:
    """A program that stands alone; what must raise is within a try."""
    errors = iter(expected(body))
    lines = _source(body, errors, "")
    prelude = PRELUDE.format(backend=backend).splitlines()
    text = "\n".join(lines)
    wanted = prelude[:2] + (prelude[2:3] if "with again" in text else [])
    return "\n".join([*wanted, *(prelude[3:] if "own_square" in text or "failing" in text else []), *lines])


def _source(body: Body, errors: Iterator[Seen], indent: str) -> list[str]:
    lines: list[str] = []
    for one in body:
        if isinstance(one, Line):
            error = next(errors)[0]
            if error:
                lines += [f"{indent}try:", f"{indent}    {one.source}", f"{indent}except {_class(error)}: pass"]
            else:
                lines.append(indent + one.source)
            continue
        deeper = indent + ("        " if one.scope == "raising" else "    ")
        inner = _source(one.body, errors, deeper) or [f"{deeper}pass"]
        next(errors)
        if one.scope == "thread":
            names = sorted({name for line in _lines(one.body) for name in NAMES})
            lines += [f"{indent}def run():", f"{indent}    global {', '.join(names) or 'a'}", *inner]
            lines += [f"{indent}thread = threading.Thread(target=run); thread.start(); thread.join()"]
        elif one.scope == "raising":
            lines += [f"{indent}try:", f"{indent}    with ug.record():", *inner]
            lines += [f"{indent}        raise KeyError('left by an error')", f"{indent}except KeyError: pass"]
        else:
            call = "again" if one.scope == "again" else f"ug.{one.scope}{'' if one.scope.endswith(')') else '()'}"
            lines += [f"{indent}with {call}:", *inner]
    return lines


def _class(name: str) -> str:
    return name if name == "KeyError" else f"ug.{name}"
