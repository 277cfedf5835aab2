"""The lock on a data folder: on SQLite one bridge runs on it and no second one."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bridge.errors import SettingsError

_LOCK = "bridge.lock"


def is_running(data_dir: Path) -> bool:
    """Whether a bridge runs on this folder, in this process or another."""
    if not (data_dir / _LOCK).exists():
        return False
    try:
        os.close(take(data_dir))
    except SettingsError:
        return True
    return False


def take(data_dir: Path) -> int:
    """Hold the folder until the handle that comes back is closed. Raises SettingsError when another bridge has it."""
    handle = os.open(data_dir / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise SettingsError(
            "data_dir",
            f'"{data_dir}"',
            "another bridge is running on this folder; stop it first, or name another folder",
        ) from error
    return handle
