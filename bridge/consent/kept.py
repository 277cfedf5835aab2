"""The refresh tokens that consents have brought: a file each in the data folder, for the bridge's user alone.

Whoever has one can read the mail of its account, and perhaps send some, until the consent is withdrawn.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from urllib.parse import quote

FOLDER = "consents"
"""In the data folder."""
LONGEST = 8192
"""Octets."""


def place(data_dir: Path, application: str, address: str) -> Path:
    """The file of an account; `application` is the name of its section in the settings."""
    return data_dir / FOLDER / f"{quote(application, safe='')}.{quote(address.lower(), safe='@+')}"


def read(file: Path) -> str:
    """The refresh token in a file; empty when there is none. Raises OSError."""
    try:
        with file.open("rb") as held:
            return held.read(LONGEST).decode("ascii", "replace").strip()
    except FileNotFoundError:
        return ""


def write(file: Path, refresh_token: str) -> None:
    """Put a refresh token in its place, whole or not at all; it belongs to whom the data folder belongs to, also when
    root has asked for it. Raises OSError."""
    folder = file.parent
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        _give(folder, folder.parent)
    descriptor, name = tempfile.mkstemp(prefix=".", dir=folder)  # for nobody else to read
    fresh = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as held:
            held.write(refresh_token + "\n")
            held.flush()
            os.fsync(held.fileno())
        _give(fresh, folder)
        fresh.replace(file)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def _give(path: Path, like: Path) -> None:
    if os.geteuid() == 0:
        owner = like.stat()
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)  # whoever owns the folder can swap it
