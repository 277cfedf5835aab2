"""Ports for servers that tests start."""

from __future__ import annotations

import itertools
import os
import socket

LOWEST, NUMBER = 10_000, 22_000
"""Below those that Linux gives to connections that go out (32768 to 60999): one of them could take a port between the
moment it is found here and the moment its server listens."""

_candidates = (LOWEST + (os.getpid() * 7919 + count) % NUMBER for count in itertools.count())
"""Another sequence for each process, so that two that run side by side do not find the same one."""


def free_port() -> int:
    """A port on loopback that nobody uses at the moment; never the same twice in a row of thousands."""
    return next(port for port in itertools.islice(_candidates, NUMBER) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
