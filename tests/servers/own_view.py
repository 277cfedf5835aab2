"""A view of the machine that one server has alone: users that nobody installed, its own files in places built into it.

It is a mount namespace (mount_namespaces(7)), so it needs root. What is mounted there goes when the last process ends.
"""

from __future__ import annotations

import contextlib
import grp
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ports import PATIENCE

_NUMBERS = range(700, 900)
"""Of users and their groups; whatever the machine has given out already is left out."""

_MOUNT = 'count=$1; shift; for _ in $(seq "$count"); do mount --bind "$1" "$2"; shift 2; done; exec "$@"'


@dataclass(frozen=True)
class OwnView:
    """What a command sees that runs in it."""

    mounts: Mapping[str, Path]
    """What stands in which place of the machine."""
    numbers: Mapping[str, int]
    """Of the users that are there for this server, and of their groups."""

    @staticmethod
    def create(folder: Path, *users: str, places: Mapping[str, Path] | None = None) -> OwnView:
        """A view with more users, kept in files in `folder`, and with something of ours in `places` of the machine."""
        assert os.geteuid() == 0, "A view of one's own needs root: run this as root"
        taken = {each.pw_uid for each in pwd.getpwall()} | {each.gr_gid for each in grp.getgrall()}
        free = (number for number in _NUMBERS if number not in taken)
        numbers = dict(zip(users, free, strict=False))
        people = "".join(f"{name}:x:{number}:{number}::/nonexistent:/bin/false\n" for name, number in numbers.items())
        groups = "".join(f"{name}:x:{number}:\n" for name, number in numbers.items())
        (folder / "passwd").write_text(Path("/etc/passwd").read_text() + people)
        (folder / "group").write_text(Path("/etc/group").read_text() + groups)
        etc = {"/etc/passwd": folder / "passwd", "/etc/group": folder / "group"}
        return OwnView(etc | dict(places or {}), numbers)

    def command(self, *command: str) -> list[str]:
        """The command that runs `command` in this view, as the same process."""
        pairs = itertools.chain.from_iterable((str(file), place) for place, file in self.mounts.items())
        return ["unshare", "--mount", "sh", "-euc", _MOUNT, "sh", str(len(self.mounts)), *pairs, *command]

    def give(self, user: str, *folders: Path) -> None:
        """Let a user of this view have folders of ours."""
        for folder in folders:
            shutil.chown(folder, self.numbers[user], self.numbers[user])

    @staticmethod
    def end(process: subprocess.Popen[bytes]) -> None:
        """End a server that runs in a view, and at once whatever of its own still does."""
        view = os.readlink(f"/proc/{process.pid}/ns/mnt")
        process.terminate()
        process.wait(PATIENCE)
        deadline = time.monotonic() + PATIENCE
        while left := [int(each.name) for each in Path("/proc").glob("[0-9]*") if _view_of(each) == view]:
            assert time.monotonic() < deadline, left
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)


def _view_of(process: Path) -> str:
    try:
        return os.readlink(process / "ns" / "mnt")
    except OSError:  # it has ended meanwhile
        return ""
