"""What a run found, in files for programs, services and people."""

from __future__ import annotations

import json
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from browser import CHROMIUM
from unigrad_conformance import catalogue, junit, markdown, report, training, webpage
from unigrad_conformance.runner import Column, Run, Verdict

from unigrad.cli import main

SCHEMA = json.loads((files("unigrad_conformance") / "report.schema.json").read_text())
NASTY = "1.0 instead of <script>document.title = 'alarmed'</script> | `2.0` & *more*"


@pytest.fixture
def run() -> Run:
    """A run of everything that can become of a case, by a good backend, a bad one, and such as are not there."""
    cases = catalogue.chosen(["seeds", "elementwise"], everyday=True)
    good = Column("numpy", {"version": "2.4.1", "engine": "nothing", "missing": {}, "changed": []})
    bad = Column(
        "stranger", {"version": "1.0", "engine": "nothing", "missing": {"int8": NASTY}, "changed": ["the locale"]}
    )
    for case in cases:
        for column in (good, bad):
            column.verdicts[case.name] = Verdict("agrees", 1.5, [], 0.25, 3)
    told = {
        "differs": [NASTY, "second: inf ULP"], "raised": ["ValueError: no"], "crashed": ["killed by SIGABRT"],
        "missing": ["UnsupportedError: int8"], "by values": [], "deviates": ["known: off"], "fixed": ["agrees"],
    }  # fmt: skip
    for case, (status, problems) in zip(cases, told.items(), strict=False):
        bad.verdicts[case.name] = Verdict(status, float("inf") if status == "differs" else 0.0, problems)
    absent = Column("cupy", unavailable="backend 'cupy' needs cupy, which is not installed; install it")
    broken = Column("broken", unavailable="its worker failed outside any case: exit status 7")
    return Run(cases, [good, bad, absent, broken], ["seeds.one: y: 27.0 instead of 28.0"], [], ("stranger",), 12.5)


def test_the_json_is_as_its_schema_has_it(run: Run) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    told = json.loads(report.json_text(report.as_json(run)))
    jsonschema.validate(told, SCHEMA)
    statuses = {one["status"] for case in told["cases"] for one in case["backends"].values()}
    assert statuses == {*SCHEMA["$defs"]["verdict"]["properties"]["status"]["enum"]}
    for name in ("backend", "case", "verdict"):
        kind = SCHEMA["$defs"][name]
        assert {*kind["required"]} == {*kind["properties"]}
    one = training.Trained("numpy", "2.4.1", [1.0, float("inf")], [0.1, 0.1], errors=[0.0, float("inf")])
    orders = {"steps": 2, "dtype": "float32", "activation": "tanh"}
    jsonschema.validate(json.loads(report.json_text(training.as_json([one], **orders))), SCHEMA)
    told["cases"][0]["backends"]["numpy"]["status"] = "maybe"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(told, SCHEMA)


def test_junit_counts_what_became_of_each_case(run: Run) -> None:
    root = ElementTree.fromstring(junit.as_xml(run))
    suites = {suite.attrib["name"]: suite.attrib for suite in root}
    count = str(len(run.cases))
    assert suites["numpy"] | {"tests": count, "failures": "0", "errors": "0", "skipped": "0"} == suites["numpy"]
    assert suites["stranger"] | {"tests": count, "failures": "3", "errors": "1", "skipped": "3"} == suites["stranger"]
    assert (suites["cupy"]["skipped"], suites["broken"]["errors"], suites["reference"]["failures"]) == ("1", "1", "1")
    first = root.find("testsuite[@name='stranger']/testcase")
    assert first is not None
    assert (first.attrib["classname"], first.attrib["name"]) == ("stranger.seeds", run.cases[0].name)
    (failure,) = first
    assert failure.attrib == {"type": "differs", "message": NASTY}
    assert failure.text == f"{NASTY}\nsecond: inf ULP"
    assert root.attrib["tests"] == str(2 * len(run.cases) + 3)


def test_markdown_has_the_table_and_no_sign_that_means_more(run: Run) -> None:
    text = markdown.as_markdown(run)
    assert text.startswith("# FAILED: broken could not be used.")
    assert "|  | cases | numpy | stranger |" in text
    assert "| elementwise |" in text
    assert re.search(r"\| seeds \| \d+ \| 1.5 \| \*\*4 FAIL\*\* \|", text)
    assert "<script>" not in text
    assert "\\| \\`2.0\\` \\& \\*more\\*" in text
    for title in ("stranger: what does not agree", "Not run", "What a backend cannot do", "The reference contradicts"):
        assert f"## {title}" in text
    table = [line.count("|") for line in text.splitlines() if line.startswith("|")]
    assert {*table} == {5}


def test_the_page_needs_nothing_and_names_become_no_code(run: Run, tmp_path: Path) -> None:
    page = webpage.as_html(run)
    assert not re.search(r"(src|href)=\"(?!#)", page)
    assert "<script>" not in page
    assert "4 FAIL" in page  # a word, for who sees no colour
    if CHROMIUM is None:
        pytest.skip("the page is shown by a browser: install chromium")
    file = tmp_path / "report.html"
    probe = "<script>document.title += ' wide ' + (document.documentElement.scrollWidth - innerWidth)</script></body>"
    file.write_text(page.replace("</body>", probe), encoding="utf-8")
    command = [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=500,900"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", file.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    found = re.search(r"<title>unigrad conform: numpy, stranger, cupy, broken wide (-?\d+)</title>", shown)
    assert found, shown[:500]
    assert int(found.group(1)) <= 0, "the page is no wider than the screen"


def test_a_report_of_no_known_kind_is_refused_before_anything_runs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conform", "--backend", "numpy", "--report", "a.json", "b.pdf"]) == 2
    assert (
        "'b.pdf' says by its end no kind of report that there is here: .xml, .json, .md, .html"
        in capsys.readouterr().err
    )
    assert main(["conform", "--train", "--report", "a.html"]) == 2
    assert ".json" in capsys.readouterr().err


def test_the_command_writes_all_that_are_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = [tmp_path / f"found{end}" for end in (".xml", ".json", ".md", ".html")]
    lost = tmp_path / "nowhere" / "found.md"
    told = ["conform", "--backend", "numpy", "--case", "sin.matrix.float32", "--report", str(lost), *map(str, paths)]
    assert main(told) == 3
    said = capsys.readouterr()
    assert f"{lost} could not be written" in said.err
    assert "# All agree." in said.out
    assert all(path.stat().st_size for path in paths)
    jsonschema.validate(json.loads(paths[1].read_text()), SCHEMA)
