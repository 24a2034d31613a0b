"""A program in several processes on this machine, as ``torchrun`` starts it: of loopback alone, and of limited time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def finished(program: Sequence[str], count: int, seconds: float = 300) -> list[tuple[int, str, str]]:
    """The exit status, output and errors of each process; TimeoutExpired, with all ended, if one takes longer."""
    shared = {
        "WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
        "GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    workers = [
        subprocess.Popen(
            [sys.executable, *program],
            env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        said = [worker.communicate(timeout=seconds) for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    return [(worker.returncode, *both) for worker, both in zip(workers, said, strict=True)]


def last_lines(program: Sequence[str], count: int, seconds: float = 300) -> list[str]:
    """What each process printed last; all must have ended well."""
    found = finished(program, count, seconds)
    for status, _, errors in found:
        assert status == 0, errors[-3000:]
    return [out.splitlines()[-1] for _, out, _ in found]
