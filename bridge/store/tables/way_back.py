"""The tables of the mails to mailboxes: reports, answers of phones, and what is filed in folders."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import Utc, table


class MailRow(SQLModel, table=True):
    """A mail of ours on its way to a mailbox: to its mail server, or into its IMAP folders; or an SMS to a webhook."""

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
    """`relay`, `filing` for a mail that is put into a folder (such ids sort in the order of filing), or `webhook`."""
    kind: str
    """One of `mails.MailKind`; for a filing one of `types.FiledKind`, or `copies.STATE`; `webhook`."""
    submission_id: str | None
    inbound_id: str | None
    message_id: str | None
    """The message whose text is filed; its mail is composed when it is filed, and has no content here."""
    folder: list[str] | None = Field(sa_type=JSON)
    """The levels of the folder it is filed in, the outermost first."""
    envelope_from: str
    envelope_to: str
    """An address of mail, or of a webhook."""
    state: str
    """One of `mails.MailState`."""
    due_at: datetime = Field(sa_type=Utc)
    lease_owner: str | None
    lease_until: datetime | None = Field(sa_type=Utc)
    attempts: int
    diagnostic: str
    created_at: datetime = Field(sa_type=Utc)
    settled_at: datetime | None = Field(sa_type=Utc)


class MailContent(SQLModel, table=True):
    """The mail itself, or the body of the request, as it goes over the wire."""

    __tablename__ = "mail_content"

    mail_id: str = Field(primary_key=True, foreign_key="mail.id")
    raw: bytes = Field(sa_type=LargeBinary)


mails = table("mail")
mail_contents = table("mail_content")
