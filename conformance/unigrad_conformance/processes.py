"""Workers: processes that load one backend each and say what they find (:mod:`unigrad_conformance.worker`)."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

CASE_SECONDS = 180.0
"""How long one case may take; the first one, which may compile, gets LOADING_SECONDS."""
LOADING_SECONDS = 300.0

Message = dict[str, Any]
NOTHING: Mapping[str, str] = MappingProxyType({})
LAST = ("done", "unavailable", "crashed")
"""The kinds of messages that no other follows."""

_running: set[Worker] = set()


class Worker:
    """One worker. Whatever it prints, starts or leaves behind, nothing of it stays once it is closed."""

    def __init__(self, backend: str, orders: Message, environment: Mapping[str, str] = NOTHING) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the worker)
        self._messages: queue.Queue[Message | None] = queue.Queue()
        # In a group of its own, so that the processes that it starts can be ended with it.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "unigrad_conformance.worker", backend],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            env=_environment(environment), process_group=0,
        )  # fmt: skip
        _running.add(self)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ended = False
        """Whether its last message was read."""
        self.tell(orders)

    def tell(self, line: Any) -> None:
        """Send it one line: its orders, and then the names of further cases, if the orders name none."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has ended; its exit code says more
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            self._process.stdin.flush()

    def message(self, seconds: float) -> Message:
        """The next message, which is ``crashed`` if there is none within this time, or the process ended."""
        try:
            found = self._messages.get(timeout=seconds)
        except queue.Empty:
            self.kill()
            found = {"kind": "crashed", "why": f"no answer within {seconds:.0f} s"}
        if found is None:
            found = {"kind": "crashed", "why": self._ending()}
        self.ended = found["kind"] in LAST
        return found

    def kill(self) -> None:
        """End it at once, and what it started."""
        if self._process.returncode is None:  # else the number may be another's by now
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it, and wait until it has."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.kill()
        self._process.wait()
        _running.discard(self)
        self._reader.join()
        self._process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._errors.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                found = json.loads(line)
            except ValueError:  # cut off, or printed before the worker had the channel for itself
                continue
            if isinstance(found, dict):
                self._messages.put(found | {key: writable(found[key]) for key in ("message", "why") if key in found})
        self._messages.put(None)

    def _ending(self) -> str:
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self.kill()
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().splitlines()[-1:]
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"
        return f"the process ended with {how}" + (f": {writable(said[0][:200])}" if said else "")


def work(
    backend: str, orders: Message, seconds: Callable[[Message], float], environment: Mapping[str, str] = NOTHING
) -> Iterator[Message]:
    """The messages of one worker. The last one is ``done``, ``unavailable`` or ``crashed``.

    ``seconds`` says how long to wait for the next message after each.
    """
    worker = Worker(backend, orders, environment)
    last: Message = {"kind": "loading"}
    try:
        while not worker.ended:
            last = worker.message(seconds(last))
            yield last
    finally:
        worker.close()


def writable(text: str) -> str:
    """What a stranger said, without what would do something to a terminal, or could not be written to a file."""
    return "".join(sign if sign.isprintable() or sign == "\n" else repr(sign)[1:-1] for sign in text)


def kill_all() -> None:
    """End all workers."""
    for worker in list(_running):
        worker.kill()


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    # On few cores the threads of several numerical libraries get into each other's way.
    return {**more, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
