"""LMTP for the relay: handing a mail straight to the server that keeps the mailboxes, without a queue between."""

from __future__ import annotations

from typing import Literal

import aiosmtplib
from aiosmtplib.typing import Default


class Lmtp(aiosmtplib.SMTP):
    """aiosmtplib with the greeting of RFC 2033 section 4.1.

    The other difference is one answer for each recipient after the final dot (section 4.2). The relay hands over each
    mail to one recipient, so that answer is the one that SMTP has.
    """

    async def ehlo(
        self, *, hostname: str | None = None, timeout: float | Literal[Default.token] | None = Default.token
    ) -> aiosmtplib.SMTPResponse:
        """LHLO, under the name by which the client calls it. Raises aiosmtplib.SMTPHeloError."""
        name = hostname or self.local_hostname or "localhost"
        response = await self.execute_command(b"LHLO", name.encode("ascii"), timeout=timeout)
        if response.code != 250:
            raise aiosmtplib.SMTPHeloError(response.code, response.message)
        self.last_ehlo_response = response
        return response
