"""The installation's own key, and the keyed hash by which numbers are searched without being readable."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, select

from bridge.errors import SettingsError
from bridge.store.committer import Committer
from bridge.store.engine import upsert
from bridge.store.tables import installations


class NumberKey:
    """Turns telephone numbers into hashes that only this installation can make."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def hash(self, number: str) -> str:
        """HMAC-SHA256 of an E.164 number, cut to 128 bits, in hexadecimal."""
        return hmac.digest(self._secret, number.encode(), hashlib.sha256).hex()[:32]

    def derived(self, purpose: str) -> bytes:
        """A key of 256 bits for something else than numbers; it tells nothing of this one or of those for others."""
        return hmac.digest(self._secret, b"key for " + purpose.encode(), hashlib.sha256)

    @property
    def mark(self) -> str:
        """What tells this key from another without giving it away."""
        return self.hash("mark")


async def check_key(committer: Committer, key: NumberKey) -> None:
    """Make sure that the database's hashes were made with this key; the first key that comes is the database's.

    Raises SettingsError: with another key no number would be found again, and no opt-out either.
    """
    if await committer.do(_keep_mark, key.mark) != key.mark:
        raise SettingsError(
            "data_dir",
            "secret.key",
            "is not the key of this database; bring back the one from its backup, or copy that of the other nodes",
        )


def _keep_mark(connection: Connection, marks: Sequence[str]) -> list[str]:
    statement = upsert(connection.dialect.name, installations).values(name="key", value=marks[0])
    connection.execute(statement.on_conflict_do_nothing(index_elements=[installations.c.name]))
    kept = (connection.execute(select(installations.c.value).where(installations.c.name == "key"))).scalar_one()
    return [kept] * len(marks)


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
