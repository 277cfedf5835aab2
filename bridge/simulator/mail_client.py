"""The mail program of the demo: writes a mail as a person would and sends it through the bridge's own mail door."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

import aiosmtplib

from bridge import clock
from bridge.simulator.refusal import CallRefused

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")


@dataclass(frozen=True, slots=True)
class BridgeDoor:
    """The bridge as a mail program knows it."""

    host: str
    port: int
    logins: Mapping[str, str]
    """Mailbox address to password."""
    phone_domain: str
    """The domain of the addresses that text a phone."""
    sample_number: str
    """The phone that the page proposes, E.164."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail as the page wrote it."""

    to: tuple[str, ...]
    subject: str
    text: str
    in_reply_to: str
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sent:
    """A mail that the bridge took, and its replies to the recipients that it did not."""

    message_id: str
    raw: bytes
    refused: Mapping[str, str]


def read_draft(body: object) -> Draft:
    """The draft in a request's JSON, or a refusal that names the key that is wrong."""
    draft: Mapping[str, object] = body if isinstance(body, dict) else {}
    to = draft.get("to")
    if not isinstance(to, list) or not 1 <= len(to) <= 100:
        raise CallRefused(400, "'to' must be a list of 1 to 100 mail addresses.")
    for address in to:
        if not isinstance(address, str) or not _ADDRESS.fullmatch(address):
            raise CallRefused(400, "'to' must be a list of mail addresses, such as +393331234567@sms.example.test.")
    ids = draft.get("references", [])
    in_reply_to = draft.get("in_reply_to") or ""
    if not isinstance(ids, list) or not all(isinstance(name, str) and _MESSAGE_ID.fullmatch(name) for name in ids):
        raise CallRefused(400, "'references' must be a list of Message-IDs in angle brackets.")
    if not isinstance(in_reply_to, str) or (in_reply_to and not _MESSAGE_ID.fullmatch(in_reply_to)):
        raise CallRefused(400, "'in_reply_to' must be a Message-ID in angle brackets.")
    subject = " ".join(_words(draft, "subject").split())
    return Draft(tuple(to), subject, _words(draft, "text"), in_reply_to, tuple(ids))


def _words(draft: Mapping[str, object], key: str) -> str:
    value = draft.get(key, "")
    if not isinstance(value, str) or len(value) > 100_000:
        raise CallRefused(400, f"'{key}' must be text of at most 100,000 characters.")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


async def send(door: BridgeDoor, mailbox: str, draft: Draft) -> Sent:
    """Send the draft as `mailbox`. Raises CallRefused with the bridge's own words when it takes nothing."""
    password = door.logins.get(mailbox)
    if password is None:
        raise CallRefused(404, f"The demo has no login for this mailbox; it has {', '.join(door.logins)}.")
    message_id, raw = _compose(mailbox, draft)
    client = aiosmtplib.SMTP(hostname=door.host, port=door.port, start_tls=False, use_tls=False, timeout=30)
    try:
        async with client:
            await client.login(mailbox, password)
            refused, _ = await client.sendmail(mailbox, list(draft.to), raw)
    except aiosmtplib.SMTPRecipientsRefused as error:
        raise CallRefused(422, " ".join(f"{r.code} {r.message}" for r in error.recipients)) from None
    except aiosmtplib.SMTPResponseException as error:
        raise CallRefused(422, f"{error.code} {error.message}") from None
    except (aiosmtplib.SMTPException, OSError):
        raise CallRefused(503, "The bridge's mail door does not answer. Start the bridge and send again.") from None
    return Sent(message_id, raw, {address: f"{said.code} {said.message}" for address, said in refused.items()})


def _compose(mailbox: str, draft: Draft) -> tuple[str, bytes]:
    mail = EmailMessage(policy=SMTP)
    message_id = f"<{clock.new_id()}@{mailbox.rpartition('@')[2]}>"
    mail["From"] = mailbox
    mail["To"] = ", ".join(draft.to)
    mail["Subject"] = draft.subject
    mail["Date"] = format_datetime(clock.now())
    mail["Message-ID"] = message_id
    if draft.in_reply_to:
        mail["In-Reply-To"] = draft.in_reply_to
    if references := draft.references or tuple(filter(None, [draft.in_reply_to])):
        mail["References"] = " ".join(references)
    mail.set_content(draft.text, charset="utf-8")
    return message_id, mail.as_bytes()
