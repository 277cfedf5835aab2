"""The mail server that the bridge's own mails go to: real SMTP, in a thread of its own, which can refuse for now."""

from __future__ import annotations

import email
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email import policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class MailServer:
    """What it does with a mail. It keeps what it has taken, and lasts longer than the listeners before it."""

    def __init__(self) -> None:
        self.refuses = False
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refuses:
            return "451 4.3.0 not now"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.mails.append(email.message_from_bytes(envelope.content, policy=policy.default))
        return "250 2.0.0 taken"

    def subjects(self, to: str) -> list[str]:
        """Of the mails to one address, in the order of their coming."""
        return [str(mail["Subject"]) for mail in self.mails if mail["To"] == to]


@contextmanager
def listening(server: MailServer, port: int) -> Iterator[None]:
    """The server answers on `port`."""
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield
    finally:
        controller.stop()


@contextmanager
def silent(port: int) -> Iterator[None]:
    """Connections to `port` are made, and nobody ever says a word on them; at the end they are reset."""
    with closing(socket.create_server(("127.0.0.1", port))):
        yield
