"""Access tokens that another program gets and renews, in a file that is read anew for every login."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bridge import redact
from bridge.consent.source import LONGEST_TOKEN, NoToken, is_token


class TokenFile:
    """One such file."""

    remedy = "it may have run out, so see that the program runs which renews it"

    def __init__(self, file: Path) -> None:
        """The token stands alone in it, but for white space around."""
        self._file = file
        self.origin = f"in {file}"

    async def token(self) -> str:
        """What stands in it now. Raises NoToken."""
        try:
            octets = await asyncio.to_thread(self._read)
        except OSError as error:
            raise self._lack((error.strerror or type(error).__name__).lower()) from None
        token = octets.decode("ascii", "replace").strip()
        if not token:
            raise self._lack("the file is empty")
        if not is_token(token):
            raise self._lack("it holds something else; write the token alone, as text of one line")
        redact.keep_secret(str(self._file), token)
        return token

    def refused(self, token: str) -> None:
        """The next login reads the file anew in any case."""

    def _read(self) -> bytes:
        with self._file.open("rb") as held:
            return held.read(LONGEST_TOKEN + 1000)

    def _lack(self, why: str) -> NoToken:
        return NoToken(f"{self._file} cannot be used: {why}")
