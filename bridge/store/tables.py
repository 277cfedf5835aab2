"""The schema: every table of the bridge, as SQLModel classes that the Core statements of this room use.

Rules that hold for all of them:

* every row belongs to an organisation, its own or that of the row it hangs on;
* a telephone number stands beside its keyed hash, and only the hash is searched, so that the number's own
  column can be encrypted later without touching a query (`Private` marks such columns);
* what people wrote stands in a table of its own (`…_content`), so that retention and erasure can take the words
  and leave the skeleton of what happened;
* times are UTC; ids are ULIDs of `bridge.clock`, so they sort by time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    DateTime,
    Dialect,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel


class Utc(TypeDecorator[datetime]):
    """A moment in UTC. SQLite drops the zone of what it is given; this converts on the way in and puts it on again."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> datetime | None:
        """Convert to UTC: ten o'clock in Rome is not ten o'clock."""
        moment: datetime | None = value
        return moment.astimezone(UTC) if moment is not None and moment.tzinfo is not UTC else moment

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Mark what the database gave back as UTC."""
        moment: datetime | None = value
        return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


class Private(TypeDecorator[str]):
    """A number or a text of a person: the columns that may be encrypted at rest."""

    impl = Text
    cache_ok = True


class Organisation(SQLModel, table=True):
    """Who runs mailboxes together: a clinic. A small installation has one."""

    id: str = Field(primary_key=True)
    name: str
    created_at: datetime = Field(sa_type=Utc)


class MailboxRow(SQLModel, table=True):
    """A user of the bridge (`bridge.types.Mailbox`)."""

    __tablename__ = "mailbox"

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    login: str = Field(unique=True)
    password_hash: str
    addresses: list[str] = Field(sa_type=JSON)
    networks: list[str] = Field(sa_type=JSON)
    region: str
    countries: list[str] = Field(sa_type=JSON)
    language: str
    timezone: str
    sender: str
    confirm: str
    unicode: str
    max_segments: int
    daily_cap: int | None
    paused: bool
    created_at: datetime = Field(sa_type=Utc)


class Installation(SQLModel, table=True):
    """What holds for the database as a whole: the mark of the key that its number hashes were made with."""

    name: str = Field(primary_key=True)
    value: str


class Revision(SQLModel, table=True):
    """A counter that every change of mailboxes or opt-outs moves; running bridges watch it and read again."""

    name: str = Field(primary_key=True)
    value: int


class OptOut(SQLModel, table=True):
    """A phone that asked one sender number for no more texts."""

    __tablename__ = "opt_out"
    __table_args__ = (UniqueConstraint("organisation_id", "sender", "number_hash"),)

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    sender: str
    number: str = Field(sa_type=Private)
    number_hash: str
    inbound_id: str | None
    since: datetime = Field(sa_type=Utc)


class SubmissionRow(SQLModel, table=True):
    """One accepted email with its envelope."""

    __tablename__ = "submission"
    __table_args__ = (Index("ix_submission_report", "report_due_at"),)

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    mailbox_id: str = Field(foreign_key="mailbox.id", index=True)
    door: str
    message_id: str
    """Message-ID header, or empty."""
    mail_from: str
    report_to: str
    """Where its delivery reports go."""
    envid: str | None
    ret: str | None
    reference: str | None
    """The sender's own reference (X-SMS-Reference)."""
    received_at: datetime = Field(sa_type=Utc)
    report_due_at: datetime | None = Field(sa_type=Utc)
    report_count: int


class SubmissionContent(SQLModel, table=True):
    """What the mail said of itself: the parts that retention takes first."""

    __tablename__ = "submission_content"

    submission_id: str = Field(primary_key=True, foreign_key="submission.id")
    subject: str = Field(sa_type=Private)
    references: list[str] = Field(sa_type=JSON)
    headers: bytes = Field(sa_type=LargeBinary)


class MessageRow(SQLModel, table=True):
    """One SMS to one phone. The row is the queue: `state`, `due_at` and the lease say who may touch it."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_queue",
            "due_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_message_lease",
            "lease_until",
            sqlite_where=text("state = 'sending'"),
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_message_owner",
            "lease_owner",
            sqlite_where=text("lease_owner IS NOT NULL"),
            postgresql_where=text("lease_owner IS NOT NULL"),
        ),
        Index(
            "ix_message_unknown",
            "created_at",
            sqlite_where=text("state = 'unknown'"),
            postgresql_where=text("state = 'unknown'"),
        ),
        Index("ix_message_provider", "gateway", "provider_id"),
        Index("ix_message_number", "number_hash", "sender"),
        Index("ix_message_submission", "submission_id"),
        Index("ix_message_mailbox", "mailbox_id", "created_at"),
    )

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    submission_id: str = Field(foreign_key="submission.id")
    mailbox_id: str = Field(foreign_key="mailbox.id")
    conversation_id: str | None
    address: str = Field(sa_type=Private)
    """RCPT address as received."""
    orcpt: str | None = Field(sa_type=Private)
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    gateway: str
    """Which is tried next, or has it."""
    stand_ins: str
    """Gateways that take its place when it cannot be reached, comma-separated, the next one first."""
    message_class: str
    encoding: str
    segments: int
    units: int
    state: str
    version: int
    """Moves with every change of state; whoever changes it names the version he read."""
    due_at: datetime = Field(sa_type=Utc)
    expires_at: datetime | None = Field(sa_type=Utc)
    lease_owner: str | None
    lease_until: datetime | None = Field(sa_type=Utc)
    attempts: int
    provider_id: str | None
    """Exactly as the provider gave it."""
    reason: str | None
    diagnostic: str
    report_on: str
    """Which outcomes the sender is told of: NOTIFY keywords, comma-separated."""
    report_at: datetime | None = Field(sa_type=Utc)
    """From when on the present state is to be reported; null when there is nothing (more) to say of it."""
    reported: str | None
    """The state last reported."""
    created_at: datetime = Field(sa_type=Utc)
    settled_at: datetime | None = Field(sa_type=Utc)


class MessageContent(SQLModel, table=True):
    """The words of a message."""

    __tablename__ = "message_content"

    message_id: str = Field(primary_key=True, foreign_key="message.id")
    text: str = Field(sa_type=Private)
    """Exactly what the phone shows."""
    lengths: list[int] = Field(sa_type=JSON)
    """Characters in each segment, in order; they cut the text where it was cut at admission."""


class SegmentRow(SQLModel, table=True):
    """One part of a message on the air, where the gateway sends parts itself and each has its own fate."""

    __tablename__ = "segment"
    __table_args__ = (
        UniqueConstraint("message_id", "ordinal"),
        Index("ix_segment_provider", "gateway", "provider_id"),
    )

    id: str = Field(primary_key=True)
    message_id: str = Field(foreign_key="message.id")
    ordinal: int
    gateway: str
    provider_id: str | None
    state: str
    reason: str | None


class AttemptRow(SQLModel, table=True):
    """One try to hand a message (or one segment of it) to a gateway."""

    __tablename__ = "attempt"
    __table_args__ = (UniqueConstraint("message_id", "segment_id", "number"),)

    id: str = Field(primary_key=True)
    message_id: str = Field(foreign_key="message.id")
    segment_id: str | None = Field(foreign_key="segment.id")
    number: int
    """1 for the first try."""
    gateway: str
    started_at: datetime = Field(sa_type=Utc)
    finished_at: datetime | None = Field(sa_type=Utc)
    outcome: str | None
    diagnostic: str


class Fingerprint(SQLModel, table=True):
    """What makes a resubmitted mail the same one, for as long as the resubmission window lasts."""

    key: str = Field(primary_key=True)
    message_id: str
    expires_at: datetime = Field(sa_type=Utc, index=True)


class Usage(SQLModel, table=True):
    """Messages a mailbox sent on one day of its own time zone; the daily cap is judged by it."""

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id")
    day: str = Field(primary_key=True)
    messages: int


class ReceiptRow(SQLModel, table=True):
    """A delivery receipt as it was heard. Without a message it waits for an id or a reference to claim it."""

    __tablename__ = "receipt"
    __table_args__ = (
        UniqueConstraint("gateway", "event_id"),
        Index("ix_receipt_provider", "gateway", "provider_id"),
        Index("ix_receipt_message", "message_id"),
    )

    id: str = Field(primary_key=True)
    organisation_id: str | None
    gateway: str
    event_id: str
    provider_id: str | None
    reference: str | None
    state: str
    reason: str | None
    diagnostic: str
    occurred_at: datetime | None = Field(sa_type=Utc)
    received_at: datetime = Field(sa_type=Utc)
    message_id: str | None = Field(foreign_key="message.id")
    raw: str = Field(sa_type=Private)


class Conversation(SQLModel, table=True):
    """Mailbox, phone and the sender number between them; carries the mail thread."""

    __table_args__ = (
        UniqueConstraint("mailbox_id", "number_hash", "sender"),
        Index("ix_conversation_number", "number_hash", "sender"),
    )

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    mailbox_id: str = Field(foreign_key="mailbox.id")
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    reply_to: str
    """The address that gets the phone's answers."""
    subject: str = Field(sa_type=Private)
    message_id: str
    """Message-ID of the last mail of the thread that the mailbox wrote, or empty."""
    references: list[str] = Field(sa_type=JSON)
    last_written_at: datetime | None = Field(sa_type=Utc)
    """When the mailbox last texted the phone; null when only the phone ever wrote."""


class Inbound(SQLModel, table=True):
    """One SMS from a phone."""

    __table_args__ = (UniqueConstraint("gateway", "event_id"), Index("ix_inbound_number", "number_hash"))

    id: str = Field(primary_key=True)
    organisation_id: str | None
    gateway: str
    event_id: str
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    """Our number it wrote to."""
    received_at: datetime = Field(sa_type=Utc)
    mailbox_id: str | None
    conversation_id: str | None
    match: str


class InboundContent(SQLModel, table=True):
    """The words of an inbound SMS, and the raw event they came in."""

    __tablename__ = "inbound_content"

    inbound_id: str = Field(primary_key=True, foreign_key="inbound.id")
    text: str = Field(sa_type=Private)
    raw: str = Field(sa_type=Private)


class InboundPart(SQLModel, table=True):
    """One segment of an inbound SMS that waits for the others (3GPP TS 23.040 section 9.2.3.24.1)."""

    __tablename__ = "inbound_part"
    __table_args__ = (UniqueConstraint("gateway", "number_hash", "sender", "concat_reference", "ordinal"),)

    id: str = Field(primary_key=True)
    gateway: str
    number: str = Field(sa_type=Private)
    number_hash: str
    sender: str
    concat_reference: int
    total: int
    ordinal: int
    text: str = Field(sa_type=Private)
    received_at: datetime = Field(sa_type=Utc)


class PollCursor(SQLModel, table=True):
    """How far a gateway that is asked for news has been read."""

    __tablename__ = "poll_cursor"

    gateway: str = Field(primary_key=True)
    name: str = Field(primary_key=True)
    value: str


class MailRow(SQLModel, table=True):
    """A mail of ours on its way to a mailbox: to its mail server, or into its IMAP folders."""

    __tablename__ = "mail"
    __table_args__ = (
        Index("ix_mail_submission", "submission_id"),
        Index(
            "ix_mail_queue",
            "channel",
            "due_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
        Index(
            "ix_mail_filing",
            "mailbox_id",
            "id",
            sqlite_where=text("state = 'queued' AND channel = 'filing'"),
            postgresql_where=text("state = 'queued' AND channel = 'filing'"),
        ),
        Index("ix_mail_message", "message_id", unique=True),
    )

    id: str = Field(primary_key=True)
    organisation_id: str = Field(foreign_key="organisation.id")
    mailbox_id: str = Field(foreign_key="mailbox.id")
    channel: str
    """`relay`, or `filing` for a mail that is put into a folder; such ids sort in the order of filing."""
    kind: str
    """One of `mails.MailKind`; for a filing one of `types.FiledKind`."""
    submission_id: str | None
    inbound_id: str | None
    message_id: str | None
    """The message whose text is filed; its mail is composed when it is filed, and has no content here."""
    folder: list[str] | None = Field(sa_type=JSON)
    """The levels of the folder it is filed in, the outermost first."""
    envelope_from: str
    envelope_to: str
    state: str
    """`queued`, `sent`, `failed`, or `bounced`: sent, and come back."""
    due_at: datetime = Field(sa_type=Utc)
    lease_owner: str | None
    lease_until: datetime | None = Field(sa_type=Utc)
    attempts: int
    diagnostic: str
    created_at: datetime = Field(sa_type=Utc)
    settled_at: datetime | None = Field(sa_type=Utc)


class MailContent(SQLModel, table=True):
    """The mail itself, as it goes over the wire."""

    __tablename__ = "mail_content"

    mail_id: str = Field(primary_key=True, foreign_key="mail.id")
    raw: bytes = Field(sa_type=LargeBinary)


QUEUED: ColumnElement[str] = literal_column("'queued'")
SENDING: ColumnElement[str] = literal_column("'sending'")
UNKNOWN: ColumnElement[str] = literal_column("'unknown'")
RELAY: ColumnElement[str] = literal_column("'relay'")
FILING: ColumnElement[str] = literal_column("'filing'")
"""States and channels as they stand in the conditions of partial indexes. With a bound parameter in their place, the
plan that PostgreSQL keeps for a prepared statement cannot use those indexes."""


def _table(name: str) -> Table:
    return SQLModel.metadata.tables[name]


organisations = _table("organisation")
mailboxes = _table("mailbox")
revisions = _table("revision")
installations = _table("installation")
opt_outs = _table("opt_out")
submissions = _table("submission")
submission_contents = _table("submission_content")
messages = _table("message")
message_contents = _table("message_content")
segments = _table("segment")
attempts = _table("attempt")
fingerprints = _table("fingerprint")
usages = _table("usage")
receipts = _table("receipt")
conversations = _table("conversation")
inbounds = _table("inbound")
inbound_contents = _table("inbound_content")
poll_cursors = _table("poll_cursor")
inbound_parts = _table("inbound_part")
mails = _table("mail")
mail_contents = _table("mail_content")
