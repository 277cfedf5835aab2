"""A mail client on a real Dovecot: keeps sent mails beside those that come, and shows threads as the server does."""

from __future__ import annotations

import imaplib
import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

from tests.servers.dovecot import PASSWORD, DovecotServer

_TOKEN = re.compile(rb"[()]|\d+")


@dataclass(frozen=True)
class Mail:
    """What a client shows of a mail; empty where the mail does not say."""

    message_id: str
    sender: str
    subject: str
    references: str
    phone: str
    """Of an answer: the phone that wrote it."""
    match: str
    """Of an answer: how its mailbox was found."""
    words: str
    """What a person reads in it."""

    @staticmethod
    def read(raw: bytes) -> Mail:
        """Take a mail apart, once: to ask an `EmailMessage` for a field is to have it parsed again."""
        mail = message_from_bytes(raw, policy=policy.default)
        part = mail.get_body(("plain",))
        assert part is not None

        def said(name: str) -> str:
            return str(mail.get(name, ""))

        return Mail(
            message_id=said("Message-ID"),
            sender=said("From"),
            subject=said("Subject"),
            references=said("References"),
            phone=said("X-SMS-From"),
            match=said("X-SMS-Match"),
            words=str(part.get_content()),
        )


@dataclass
class Client:
    """One user's inbox."""

    dovecot: DovecotServer
    account: str
    mails: list[Mail] = field(default_factory=list)
    """Every mail in the inbox, in the server's order, as of the last look."""
    imap: imaplib.IMAP4 | None = None

    def keep(self, mail: EmailMessage) -> None:
        """Put a mail that was sent into the inbox, as clients do that keep answers and sent mails together."""
        kept, said = self._open().append("INBOX", "(\\Seen)", "", mail.as_bytes(policy=policy.SMTP))
        assert kept == "OK", said

    def look(self) -> list[Mail]:
        """Fetch what is new."""
        imap = self._open()
        imap.noop()
        count = int(imap.response("EXISTS")[1][-1] or len(self.mails))
        if count > len(self.mails):
            _, fetched = imap.fetch(f"{len(self.mails) + 1}:{count}", "(BODY.PEEK[])")
            self.mails += [Mail.read(part[1]) for part in fetched if isinstance(part, tuple)]
        return self.mails

    def parents(self) -> dict[int, int | None]:
        """Under which mail each mail stands (RFC 5256), by their places in `mails`; None for the first of a thread.

        A mail whose parent the server has made up, since it is not in the inbox, has None too.
        """
        done, said = self._open().thread("REFERENCES", "UTF-8", "ALL")
        assert done == "OK", said
        return _tree(said[0] or b"")

    def close(self) -> None:
        """Log out."""
        if self.imap is not None:
            self.imap.logout()
            self.imap = None

    def _open(self) -> imaplib.IMAP4:
        if self.imap is None:
            self.imap = imaplib.IMAP4("127.0.0.1", self.dovecot.port, timeout=30)
            self.imap.login(self.account, PASSWORD)
            self.imap.select("INBOX")
        return self.imap


def _tree(said: bytes) -> dict[int, int | None]:
    """Read `(1 2)(3 (4 5)(6))`: each number stands under the one before it, and so does each list."""
    parents: dict[int, int | None] = {}
    above: list[int | None] = []
    last: int | None = None
    for token in _TOKEN.findall(said):
        if token == b"(":
            above.append(last)
        elif token == b")":
            last = above.pop()
        else:
            parents[int(token) - 1] = last
            last = int(token) - 1
    return parents
