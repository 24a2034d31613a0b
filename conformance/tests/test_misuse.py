"""Random misuse: every backend does what the model says, and what breaks a rule is found, made small and printed."""

from __future__ import annotations

import argparse
import contextvars
import subprocess
import sys

import pytest
from unigrad_conformance.fuzzing import misuse
from unigrad_conformance.fuzzing.command import Fuzz

import unigrad as ug
from unigrad.engine import passes
from unigrad.tensor.tensor import GradientBuffer


def _ran(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    Fuzz().add_arguments(parser)
    return Fuzz().run(parser.parse_args(["--misuse", *arguments]))


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "mxnet", "jax"])
def test_what_the_model_says(backend: str) -> None:
    script = f"""
import argparse, sys
from unigrad_conformance.fuzzing.command import Fuzz
parser = argparse.ArgumentParser()
Fuzz().add_arguments(parser)
sys.exit(Fuzz().run(parser.parse_args(["--misuse", "--programs", "40", "--backend", {backend!r}])))
"""
    # In a process of its own: what is left of the graph is counted.
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=600)
    assert found.returncode == 0, found.stdout + found.stderr[-2000:]


def test_a_seed_gives_the_same_program() -> None:
    assert misuse.source(misuse.draw(5), "numpy") == misuse.source(misuse.draw(5), "numpy")
    assert len({misuse.source(misuse.draw(seed), "numpy") for seed in range(20)}) == 20


def test_the_programs_try_everything() -> None:
    sources = [misuse.source(misuse.draw(seed), "numpy") for seed in range(300)]
    text = "\n".join(sources)
    for part in (
        "with ug.record():", "with ug.pause():", "with again:", "threading.Thread", "'left by an error'",
        "create_graph=True", "with failing:", "retain_grad()", "+= ", "[0] = ", "attach_grad('add')", "del ",
        "ug.checkpoint", "own_square", "ug.gradients(", "except KeyError: pass",
        *(f"except ug.{name}Error: pass" for name in ("GraphFreed", "NotRecorded", "LeafWrite", "Argument")),
    ):  # fmt: skip
        assert sum(part in source for source in sources) >= 3, part
    assert "retain_graph=True" in text
    for source in sources[:40]:
        # As by itself: which array was attached last is not another test's.
        contextvars.Context().run(exec, compile(source, "<misuse>", "exec"), {})
    assert not ug.is_recording()


def _forgets_what_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GradientBuffer, "sum", lambda self, grad: grad)


def _releases_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "release", lambda nodes: None)


def _holds_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[object] = []
    monkeypatch.setattr(
        passes, "_buffers", lambda *args, original=passes._buffers: held.append(args) or original(*args)
    )


@pytest.mark.parametrize("fault", [_forgets_what_was_there, _releases_nothing, _holds_everything])
def test_a_fault_is_found_and_the_program_made_small(
    fault: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(fault)
    fault(monkeypatch)
    assert _ran("--programs", "60", "--backend", "numpy") == 1
    said = capsys.readouterr().out
    assert "# numpy: " in said or "nodes of the graph are left" in said
    first = said.partition("\n\n")[0].splitlines()
    assert len([line for line in first if not line.startswith("#")]) < 40
