"""Ports for servers that tests start, and whether somebody greets there."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import time
from collections.abc import Callable

PATIENCE = 15.0
"""Seconds in which a server starts, and in which it stops."""

LOWEST, NUMBER = 10_000, 22_000
"""Below those that Linux gives to connections that go out (32768 to 60999): one of them could take a port between the
moment it is found here and the moment its server listens."""

_candidates = (LOWEST + (os.getpid() * 7919 + count) % NUMBER for count in itertools.count())
"""Another sequence for each process, so that two that run side by side do not find the same one."""


def free_port() -> int:
    """A port on loopback that nobody uses at the moment; never the same twice in a row of thousands."""
    return next(port for port in itertools.islice(_candidates, NUMBER) if _is_free(port))


def wait_for_greeting(
    port: int, greeting: bytes, log: Callable[[], str], process: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until a server's first words begin with `greeting`; fail with its log if it is late or its process ends."""
    deadline = time.monotonic() + PATIENCE
    while not _greets(port, greeting):
        assert process is None or process.poll() is None, log()
        assert time.monotonic() < deadline, log()
        time.sleep(0.02)


def _greets(port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            return connection.recv(len(greeting)) == greeting
    except ConnectionError:
        return False


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
