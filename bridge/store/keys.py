"""The installation's own key, and the keyed hash by which numbers are searched without being readable."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from bridge.errors import SettingsError


class NumberKey:
    """Turns telephone numbers into hashes that only this installation can make."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hash(self, number: str) -> str:
        """HMAC-SHA256 of an E.164 number, cut to 128 bits, in hexadecimal."""
        return hmac.digest(self._secret, number.encode(), hashlib.sha256).hex()[:32]


def load_key(data_dir: Path) -> NumberKey:
    """Read the key kept in `data_dir`, or make one at the first start; it is readable by its owner only."""
    path = data_dir / "secret.key"
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = path.read_bytes()
    else:
        secret = secrets.token_bytes(32)
        with os.fdopen(handle, "wb") as file:
            file.write(secret)
            file.flush()
            os.fsync(file.fileno())
    if len(secret) != 32:
        raise SettingsError("data_dir", str(data_dir), "its file secret.key is damaged; bring it back from the backup")
    return NumberKey(secret)
