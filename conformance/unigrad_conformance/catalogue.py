"""All cases, and choosing among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache

from unigrad_conformance.case import Case
from unigrad_conformance.operations import cases_of
from unigrad_conformance.programs import dtypes, integers, kinks
from unigrad_conformance.programs.complex_rules import COMPLEX_RULES
from unigrad_conformance.programs.compositions import COMPOSITIONS
from unigrad_conformance.programs.crossing import CROSSING
from unigrad_conformance.programs.custom import CHECKPOINTS, CUSTOM, NATIVE
from unigrad_conformance.programs.derivatives import DERIVATIVES
from unigrad_conformance.programs.halves import HALVES
from unigrad_conformance.programs.jumps import JUMPS
from unigrad_conformance.programs.loops import LOOPS
from unigrad_conformance.programs.mapping import MAPPING
from unigrad_conformance.programs.matrices import MATRICES
from unigrad_conformance.programs.memory import MEMORY
from unigrad_conformance.programs.mistakes import MISTAKES
from unigrad_conformance.programs.newcomers import NEWCOMERS
from unigrad_conformance.programs.numbers import NUMBERS
from unigrad_conformance.programs.numpy_users import NUMPY_USERS
from unigrad_conformance.programs.recording import RECORDING
from unigrad_conformance.programs.roots import ROOTS
from unigrad_conformance.programs.seeds import SEEDS
from unigrad_conformance.programs.transforms import TRANSFORMS
from unigrad_conformance.samples.analysis import ANALYSIS
from unigrad_conformance.samples.arranging import ARRANGING
from unigrad_conformance.samples.assembling import ASSEMBLING
from unigrad_conformance.samples.complex import COMPLEX
from unigrad_conformance.samples.contractions import CONTRACTIONS
from unigrad_conformance.samples.creation import CREATION, RANDOM
from unigrad_conformance.samples.elementwise import ELEMENTWISE
from unigrad_conformance.samples.fourier import FOURIER
from unigrad_conformance.samples.generated import GENERATED
from unigrad_conformance.samples.linalg import LINALG
from unigrad_conformance.samples.networks import NETWORKS
from unigrad_conformance.samples.numpy_calls import NUMPY_CALLS
from unigrad_conformance.samples.reductions import REDUCTIONS
from unigrad_conformance.samples.searching import SEARCHING
from unigrad_conformance.samples.sequences import SEQUENCES
from unigrad_conformance.samples.shapes import INDEXING, SHAPES
from unigrad_conformance.samples.special import SMALL, SPECIAL
from unigrad_conformance.samples.statistics import STATISTICS
from unigrad_conformance.samples.without_nan import WITHOUT_NAN

FAMILIES = (
    *(ELEMENTWISE, GENERATED, REDUCTIONS, CONTRACTIONS, LINALG, SHAPES, ARRANGING, INDEXING, SEARCHING, SEQUENCES),
    *(
        ASSEMBLING,
        ANALYSIS,
        STATISTICS,
        WITHOUT_NAN,
        NUMPY_CALLS,
        CREATION,
        RANDOM,
        NETWORKS,
        FOURIER,
        COMPLEX,
        SPECIAL,
        SMALL,
    ),
)


@cache
def all_cases() -> dict[str, Case]:
    """Every case by name: the programs first, as a reader would want to see them."""
    cases = [*SEEDS.cases, *RECORDING.cases, *TRANSFORMS.cases, *MAPPING.cases, *CUSTOM.cases, *CHECKPOINTS.cases]
    cases += [*NATIVE.cases, *CROSSING.cases, *HALVES.cases, *COMPLEX_RULES.cases, *MEMORY.cases, *MISTAKES.cases]
    cases += [*LOOPS.cases, *MATRICES.cases, *ROOTS.cases, *JUMPS.cases, *COMPOSITIONS, *DERIVATIVES.cases]
    cases += [*NEWCOMERS.cases, *NUMPY_USERS.cases, *kinks.cases(), *dtypes.cases(), *integers.cases(), *NUMBERS.cases]
    for family in FAMILIES:
        cases += cases_of(family)
    covered = {case.group for case in cases if case.everyday}
    found: dict[str, Case] = {}
    for case in cases:
        if case.group not in covered and case.group != case.name:  # a program stands for itself alone
            covered.add(case.group)
            case = replace(case, everyday=True)
        assert found.setdefault(case.name, case) is case, f"two cases have the name {case.name}"
    return found


def by_family(cases: Iterable[Case]) -> dict[str, list[Case]]:
    """Cases by their families, in order."""
    families: dict[str, list[Case]] = {}
    for case in cases:
        families.setdefault(case.family, []).append(case)
    return families


def chosen(patterns: Sequence[str], everyday: bool = False) -> list[Case]:
    """The cases whose name, group or family matches one of the patterns; all of them without any.

    With ``everyday``, one sample of each operation, in one dtype, and all programs and hard points.
    """
    return [
        case
        for case in all_cases().values()
        if (case.everyday or not everyday)
        and (
            not patterns
            or any(fnmatchcase(name, pattern) for pattern in patterns for name in (case.name, case.group, case.family))
        )
    ]


def unmatched(patterns: Sequence[str]) -> list[str]:
    """The patterns that choose nothing."""
    return [pattern for pattern in patterns if not chosen([pattern])]
