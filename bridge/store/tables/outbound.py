"""The tables of what goes out: mails that were taken, their messages, every try to send them, and how fast they go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import Private, Utc, table


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
    deliver_by: datetime | None = Field(sa_type=Utc)
    """The moment that BY named (RFC 2852)."""
    release: str | None
    """How long it was asked to be held, in the words of a report (RFC 4865)."""
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


class Fingerprint(SQLModel, table=True):
    """What makes a resubmitted mail the same one, for as long as the resubmission window lasts."""

    key: str = Field(primary_key=True)
    message_id: str
    expires_at: datetime = Field(sa_type=Utc, index=True)


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
            "ix_message_urgent",
            "due_at",
            sqlite_where=text("state = 'queued' AND priority = 'high'"),
            postgresql_where=text("state = 'queued' AND priority = 'high'"),
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
        Index("ix_message_number", "number_hash", "sender", "conversation_id", "id"),
        Index("ix_message_submission", "submission_id"),
        Index("ix_message_mailbox", "mailbox_id", "due_at"),
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
    priority: str
    flash: bool
    reference: str | None
    """The sender's own reference for this phone, where the address has one."""
    encoding: str
    shift: str | None
    """The national language tables it is written in (`types.Shift`)."""
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
    late_at: datetime | None = Field(sa_type=Utc)
    """From when on a text that still waits is late; null when nobody wants to hear that."""
    reported: str | None
    """The state last reported, or `transitions.LATE`."""
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
    price: str | None
    """What the gateway said it costs, as exact decimal digits."""
    price_unit: str | None


class AutomaticRow(SQLModel, table=True):
    """A text that the bridge sent by itself in answer to an SMS; or, without a message, one that it withheld and of
    which the mailbox was told."""

    __tablename__ = "automatic_text"
    __table_args__ = (Index("ix_automatic_text_phone", "number_hash", "sender", "at"),)

    inbound_id: str = Field(primary_key=True, foreign_key="inbound.id")
    message_id: str | None = Field(foreign_key="message.id", unique=True)
    kind: str
    """One of `types.AutomaticKind`."""
    number_hash: str
    sender: str
    at: datetime = Field(sa_type=Utc)


class PaceRow(SQLModel, table=True):
    """From when on a gateway, or one sender number through it, may send again; shared by all nodes."""

    __tablename__ = "pace"

    gateway: str = Field(primary_key=True)
    sender: str = Field(primary_key=True)
    """Empty for the gateway as a whole."""
    free_at: datetime = Field(sa_type=Utc, index=True)


submissions = table("submission")
submission_contents = table("submission_content")
fingerprints = table("fingerprint")
messages = table("message")
message_contents = table("message_content")
segments = table("segment")
attempts = table("attempt")
automatic_texts = table("automatic_text")
paces = table("pace")
