"""What a mail program sees of an account, on any IMAP server: folders, mails and their flags."""

from __future__ import annotations

import imaplib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

PASSWORD = "correct-horse"
"""Of every account; an account comes into being with its first login."""

_NAME = re.compile(r'\([^)]*\) "[^"]*" "?([^"]*)"?')
_FLAGS = re.compile(rb"FLAGS \(([^)]*)\)")


class ImapServer(Protocol):
    """A server of the tests, in which every account has the same password."""

    port: int
    prefix: str
    """What the names of all folders but the inbox begin with."""
    delimiter: str
    """What stands between the levels of a name."""

    def start(self) -> None:
        """Start, and wait until it greets."""

    def stop(self) -> None:
        """Stop, with every connection."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account. Folders are named by their levels, as the bridge writes them on the wire."""

    server: ImapServer
    user: str

    def name(self, *levels: str) -> str:
        """The name of a folder on this server."""
        if levels == ("INBOX",):
            return "INBOX"
        return self.server.prefix + self.server.delimiter.join(levels)

    def mails(self, *levels: str) -> list[bytes]:
        """The mails of a folder in the order of their UIDs; none when there is no such folder."""
        with self._opened(levels) as client:
            fetched = client.uid("fetch", "1:*", "(BODY.PEEK[])")[1] if client is not None else []
        return [each[1] for each in fetched if isinstance(each, tuple)]

    def flags(self, *levels: str) -> list[set[str]]:
        """The flags and keywords of each mail of a folder, but for \\Recent."""
        with self._opened(levels) as client:
            fetched = client.uid("fetch", "1:*", "(FLAGS)")[1] if client is not None else []
        found = [_FLAGS.search(each) for each in fetched if isinstance(each, bytes)]
        return [set(flags[1].decode().split()) - {"\\Recent"} for flags in found if flags is not None]

    def change(self, uid: int, change: str, flags: str, *levels: str) -> None:
        """Change the flags of a mail: `+FLAGS` or `-FLAGS`."""
        with self._opened(levels) as client:
            assert client is not None
            assert client.uid("store", str(uid), change, f"({flags})")[0] == "OK"

    def folders(self) -> set[str]:
        """The names of all folders but the inbox."""
        return self._listed("LIST")

    def subscribed(self) -> set[str]:
        """The names of the folders that mail programs show."""
        return self._listed("LSUB")

    def delete(self, *levels: str) -> None:
        """Delete a folder with its mails."""
        with self._logged_in() as client:
            result, said = client.delete(f'"{self.name(*levels)}"')
            assert result == "OK", said

    def _listed(self, command: str) -> set[str]:
        with self._logged_in() as client:
            lines = getattr(client, command.lower())('""', "*")[1]
        found = [_NAME.fullmatch(line.decode()) for line in lines if isinstance(line, bytes)]
        return {each[1] for each in found if each is not None} - {"INBOX"}

    @contextmanager
    def _logged_in(self) -> Iterator[imaplib.IMAP4]:
        client = imaplib.IMAP4("127.0.0.1", self.server.port)
        try:
            client.login(self.user, PASSWORD)
            yield client
        finally:
            client.shutdown()

    @contextmanager
    def _opened(self, levels: tuple[str, ...]) -> Iterator[Any]:
        with self._logged_in() as client:
            opened = client.select(f'"{self.name(*levels)}"')
            yield client if opened[0] == "OK" and opened[1] != [b"0"] else None
