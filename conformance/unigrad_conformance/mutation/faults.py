"""Which faults there are in what files, and putting one into this process."""

from __future__ import annotations

import ast
import functools
import gc
import hashlib
import importlib
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import unigrad
from unigrad.adapters.registry import bound, get_backend_object
from unigrad.binding import functions, nodes, tangents
from unigrad_conformance.mutation.operators import Place, places

ROOT = Path(unigrad.__file__).parent.parent
AREAS = {
    "rules": ("unigrad/operations", "unigrad/special", "unigrad/nn"),
    "engine": (
        "unigrad/engine", "unigrad/interpreters", "unigrad/tape.py", "unigrad/binding/nodes.py",
        "unigrad/binding/tangents.py", "unigrad/tensor/joints.py", "unigrad/tensor/tensor.py", "unigrad/transforms",
    ),
    "adapters": ("unigrad/native",),
}  # fmt: skip
"""Files and folders by what they are; the package of the backend's adapter comes to the last."""
UNTOUCHED = {
    "unigrad/engine/raw_nodes.py": "for adapters that record by themselves, as JAX's",
    "unigrad/native/bfloat16.py": "what ml_dtypes lacks, checked when it is loaded",
    "unigrad/native/interchange.py": "between libraries, which no case crosses natively",
    "unigrad/transforms/foreign.py": "functions of frameworks, which the native engine has none of",
    "unigrad_torch/shares.py": "for arrays that are divided among devices, as no case's are: test_dtensor",
    "unigrad_torch/spread.py": "for arrays that are divided among devices, as no case's are: test_dtensor",
}
"""Files that are left out, each with the reason."""

Changed = list[tuple[CodeType, CodeType]]
Written = tuple[Any, str, str, str, str]
TEMPLATES: tuple[Written, ...] = (
    (nodes, "GIVE", "accumulate forgotten", "accumulate(cotangents, owned, p, c)", "cotangents[p] = c"),
    (nodes, "GIVE", "accumulate forgotten", "accumulate(cotangents, owned, p, c)", "pass"),
    (nodes, "GIVE", "accumulate forgotten", "if p in cotangents:", "if False:"),
    (nodes, "GIVE_LIFTED", "statement forgotten", "add(p, {share})", "pass"),
    (nodes, "NODE", "statement forgotten", "{emptied}", "pass"),
    (nodes, "NODE", "statement forgotten", "self.number = {released}", "pass"),
    (nodes, "FOR_EACH_PARENT", "axis off by one", "enumerate(self.more)", "enumerate(self.more, 1)"),
    (nodes, "FOR_EACH_PARENT", "condition", "if p is not None:", "if p is not None and not index:"),
    (functions, "STRETCHED", "sum forgotten", "r1.shape != r2.shape", "len(r1.shape) != len(r2.shape)"),
    (functions, "STRETCHED", "sum forgotten", "r1.shape != r2.shape", "False"),
    (functions, "STRETCHED", "stale residual", "shape = out.shape", "shape = r1.shape"),
    (functions, "STRETCHED", "stale residual", "shape = out.shape", "shape = r2.shape"),
    (functions, "RULE_NODE", "stale residual", "node.number = next_number()", "node.number = 1"),
    (functions, "RULES", "condition", "if not recording_mode():", "if False:"),
    (functions, "RULES", "condition", "if not ({tracked}):", "if True:"),
    (functions, "RESULT", "another dtype", "result._dtype = {dtype}", "result._dtype = own"),
    (functions, "BARE", "condition", "if not recording_mode():", "if False:"),
    (functions, "BARE_NODE", "stale residual", "node.p1 = n1", "node.p1 = None"),
    (functions, "BARE_NODE", "stale residual", "node.p2 = {second}", "node.p2 = None"),
    (functions, "BARE_MANY_NODE", "stale residual", "node.more = {nodes}", "node.more = {nodes}[:1]"),
    (functions, "UNARY", "stale residual", "n1 = x._node", "n1 = None"),
    (functions, "BINARY", "operands swapped", "n2 = x2._node", "n2 = x1._node"),
    (functions, "BINARY_WITH_SCALARS", "operands swapped", "n1 = x1._node", "n1 = x2._node if type(x2) is T else None"),
)
"""Faults of the code that is written by code: module, template, kind, and what stands where."""
WAYS = {
    **dict.fromkeys(("GIVE", "STRETCHED", "RULE_NODE", "RULES", "FOR_EACH_PARENT"), "numpy"),
    **dict.fromkeys(("BARE", "BARE_NODE", "BARE_MANY_NODE"), "torch"),
}
"""Templates that only the code of one backend is written by."""
EQUIVALENT = Path(__file__).parent / "equivalent.toml"


def equivalent(backend: str) -> dict[str, str]:
    """By the names of mutants that change no answer on this backend: why they do not."""
    rows = tomllib.loads(EQUIVALENT.read_text())["mutant"]
    return {row["name"]: row["reason"] for row in rows if backend in row.get("backends", [backend])}


def elsewhere(backend: str) -> dict[str, str]:
    """By the beginnings of mutants' names, of functions that this backend never runs: why it does not."""
    rows = tomllib.loads(EQUIVALENT.read_text())["elsewhere"]
    return {f"{name}: ": row["reason"] for row in rows if backend in row["backends"] for name in row["functions"]}


class Source:
    """One module that is mutated, and its tree."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        folder = path.parent.parent if "backends" in path.parts else ROOT
        self.file = str(path.relative_to(folder))
        self.tree = ast.parse(path.read_text(), self.path)

    @cached_property
    def codes(self) -> list[CodeType]:
        """The code of every function, as it is loaded."""
        return self._compiled()

    def _compiled(self) -> list[CodeType]:
        return _codes(compile(self.tree, self.path, "exec", dont_inherit=True))

    def changed(self, place: Place) -> Changed:
        """The codes of functions that the fault changes, each with what it is then; none if it cannot be put in so."""
        undo = place.put()
        try:
            codes = self._compiled()
        except (SyntaxError, ValueError):
            return []
        finally:
            undo()
        if len(codes) != len(self.codes):
            return []
        pairs = [(old, new) for old, new in zip(self.codes, codes, strict=True) if old != new]
        return pairs if all(old.co_freevars == new.co_freevars for old, new in pairs) else []


def _codes(module: CodeType) -> list[CodeType]:
    """Those of all functions, in order."""
    found: list[CodeType] = []
    for constant in module.co_consts:
        if isinstance(constant, CodeType):
            found += [constant, *_codes(constant)]
    return found


@dataclass(frozen=True, eq=False)
class Mutant:
    """One fault. Its name is the same as long as the place reads the same."""

    name: str
    area: str
    operator: str
    path: str
    place: Place | None = None
    """Where it is, if in no template."""
    source: Source | None = None
    written: Written | None = None

    @cached_property
    def changed(self) -> Changed:
        """The codes that it changes; none of a template."""
        return [] if self.place is None or self.source is None else self.source.changed(self.place)

    def put(self, backend: str, functions_of: Functions, caches: Sequence[Any]) -> None:
        """Change this process: the functions that have the code, and forget what was made by it so far."""
        for cache in caches:
            cache.cache_clear()
        if self.written is not None:
            module, template, _, before, after = self.written
            setattr(module, template, getattr(module, template).replace(before, after))
        for old, new in self.changed:
            for each in functions_of.get((self.path, old.co_firstlineno, old.co_name), ()):
                if each.__code__ == old:
                    each.__code__ = new
        if self.is_written:
            nodes._node_types.clear()
            tangents._made.clear()
            kept = get_backend_object(backend)
            bound[kept] = functions.bind(kept)

    @property
    def is_written(self) -> bool:
        """Whether it is in what writes code, which runs when a backend is bound and not again."""
        return self.written is not None or self.path in (nodes.__file__, tangents.__file__)


Functions = dict[tuple[str, int, str], list[FunctionType]]
"""Those of this process by file, first line and name."""


def functions_now() -> Functions:
    """All that there are now in the files that are mutated."""
    found: Functions = {}
    for each in gc.get_objects():
        if isinstance(each, FunctionType):
            code = each.__code__
            found.setdefault((code.co_filename, code.co_firstlineno, code.co_name), []).append(each)
    return found


def caches_now() -> list[Any]:
    """What ``functools.cache`` keeps for unigrad."""
    return [each for each in gc.get_objects() if isinstance(each, _CACHED) and each.__module__.startswith("unigrad.")]


_CACHED = type(functools.cache(lambda: None))


def sources(area: str, backend: str) -> list[Source]:
    """The modules of an area."""
    paths = [ROOT / name for name in AREAS[area]]
    if area == "adapters" and backend != "numpy":
        package = importlib.import_module(type(get_backend_object(backend)).__module__.partition(".")[0])
        paths = [Path(str(package.__file__)).parent]
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))]
    return [source for source in map(Source, files) if source.file not in UNTOUCHED]


@functools.cache
def mutants(backend: str) -> tuple[Mutant, ...]:
    """All that there are, each with a name of its own."""
    return tuple(_mutants(backend))


def _mutants(backend: str) -> Iterator[Mutant]:
    for area in AREAS:
        for source in sources(area, backend):
            seen: Counter[str] = Counter()
            for place in places(source.tree):
                name = f"{source.file}: {place.within}: {place.operator}: {place.before} -> {place.after}"
                seen[name] += 1
                name += f" ({seen[name]})" if seen[name] > 1 else ""
                yield Mutant(name, area, place.operator, source.path, place, source)
    for written in TEMPLATES:
        module, template, operator, before, after = written
        if WAYS.get(template, backend) != backend:
            continue
        file = module.__name__.replace(".", "/") + ".py"
        name = f"{file}: {template}: {operator}: {before} -> {after}"
        yield Mutant(name, "engine", operator, str(module.__file__), written=written)


def chosen(backend: str, count: int, seed: int, only: Sequence[str] = ()) -> list[Mutant]:
    """``count`` mutants by chance, from every area and kind of fault in turn, so that the rare ones are there.

    Which come first is said by the seed and their names alone, so that a change of the code elsewhere leaves them.
    """
    kinds: dict[tuple[str, str], list[Mutant]] = {}
    for mutant in mutants(backend):
        if not only or any(part in mutant.name for part in only):
            kinds.setdefault((mutant.area, mutant.operator), []).append(mutant)
    for group in kinds.values():
        group.sort(key=lambda mutant: hashlib.sha256(f"{seed} {mutant.name}".encode()).digest())
    found: list[Mutant] = []
    while kinds and len(found) < count:
        for kind, group in list(kinds.items()):
            while group and len(found) < count:
                mutant = group.pop()
                if mutant.written is not None or mutant.changed:
                    found.append(mutant)
                    break
            if not group:
                del kinds[kind]
    return found
