"""What a run found, as JUnit's XML, which services of continuous integration read."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from unigrad_conformance.case import Case
from unigrad_conformance.runner import Column, Run, Verdict

_KINDS = {"crashed": "error", "missing": "skipped", "by values": "skipped", "deviates": "skipped"}
"""Of what does not agree; all else is a failure."""


def as_xml(run: Run) -> str:
    """A suite for each backend, and a test for each case that it was given."""
    root = ElementTree.Element("testsuites", name="unigrad", time=f"{run.seconds:.3f}")
    for column in run.columns:
        suite = ElementTree.SubElement(root, "testsuite", name=column.backend, time=f"{column.seconds:.3f}")
        properties = ElementTree.SubElement(suite, "properties")
        for name in ("version", "engine"):
            ElementTree.SubElement(properties, "property", name=name, value=getattr(column, name))
        if column.unavailable is not None:
            kind = "error" if column in run.absent else "skipped"
            _add(suite, f"{column.backend}.usable", column.backend, 0.0, kind, kind, column.unavailable)
        for case in run.cases:
            if case.name in column.verdicts:
                _add_case(suite, column, case, column.verdicts[case.name])
    if run.reference_problems:
        suite = ElementTree.SubElement(root, "testsuite", name="reference", time="0")
        for problem in run.reference_problems:
            _add(suite, "reference", problem.partition(":")[0], 0.0, "failure", "reference", problem)
    for suite in (*root.findall("testsuite"), root):
        suite.set("tests", str(len([*suite.iter("testcase")])))
        for plural, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            suite.set(plural, str(len([*suite.iter(kind)])))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _add_case(suite: ElementTree.Element, column: Column, case: Case, verdict: Verdict) -> None:
    text = "\n".join(verdict.problems)
    if verdict.status == "missing":
        text = text or f"{case.needs} is missing: {column.missing[str(case.needs)]}"
    kind = None if verdict.status == "agrees" else _KINDS.get(verdict.status, "failure")
    _add(suite, f"{column.backend}.{case.family}", case.name, verdict.seconds, kind, verdict.status, text)


def _add(
    suite: ElementTree.Element, of: str, name: str, seconds: float, kind: str | None, status: str, text: str
) -> None:
    test = ElementTree.SubElement(suite, "testcase", classname=of, name=name, time=f"{seconds:.3f}")
    if kind is not None:
        ElementTree.SubElement(test, kind, type=status, message=text.partition("\n")[0]).text = text
