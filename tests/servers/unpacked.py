"""Programs of Debian packages that are only unpacked: each wants to be the one IMAP or mail server of the machine."""

from __future__ import annotations

import atexit
import functools
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

UNPACKED = Path(__file__).parents[2] / ".tools" / "unpacked"
"""`make test` fills it."""


def program(path: str) -> str:
    """Where a program is, from its place in a Debian system."""
    assert (UNPACKED / path).exists(), f"{UNPACKED / path} is missing: run `make test`"
    return str(_within_reach() / path)


def environment(**more: str) -> Mapping[str, str]:
    """What such a program needs to find its own libraries."""
    libraries = _within_reach() / "usr/lib"
    found = ":".join(map(str, [libraries, *libraries.glob("*-linux-gnu")]))
    return {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": found} | more


def servant() -> str:
    """Who the servers run as: these refuse to be root."""
    return "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def give_away(*folders: Path) -> None:
    """Let the servers have folders of ours."""
    if os.geteuid() == 0:
        who = pwd.getpwnam(servant())
        for folder in folders:
            os.chown(folder, who.pw_uid, who.pw_gid)


@functools.cache
def _within_reach() -> Path:
    """The programs where their servant may go: a checkout of root may be closed to everybody else."""
    if os.geteuid() != 0 or all(folder.stat().st_mode & stat.S_IXOTH for folder in (UNPACKED, *UNPACKED.parents)):
        return UNPACKED
    copy = Path(tempfile.mkdtemp(prefix="bridge-unpacked-"))
    atexit.register(shutil.rmtree, copy)
    copy.chmod(0o755)
    shutil.copytree(UNPACKED / "usr", copy / "usr", symlinks=True)
    return copy
