"""The room that is left on the disk of the store; mail is refused for now before the database runs out of it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from bridge import clock

LOOK_AGAIN = timedelta(seconds=2)
"""How long an answer is good for: every mail asks, and the disk is not asked as often."""


class Disk:
    """The disk that a folder is on."""

    def __init__(self, folder: Path, reserve: int) -> None:
        """`reserve` is in bytes; with less than that, no mail is taken."""
        self._folder = folder
        self._reserve = reserve
        self._looked = clock.now() - LOOK_AGAIN
        self._full = False

    def free(self) -> int:
        """Bytes that the bridge can still write; 0 when the folder cannot be looked at, for then it cannot write."""
        try:
            found = os.statvfs(self._folder)
        except OSError:
            return 0
        return found.f_bavail * found.f_frsize

    def is_full(self) -> bool:
        """Whether less than the reserve is left, as of at most two seconds ago."""
        now = clock.now()
        if now - self._looked >= LOOK_AGAIN:
            self._looked = now
            self._full = self.free() < self._reserve
        return self._full
