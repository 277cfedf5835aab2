"""The tables of people and of the house: mailboxes, what they used, who wants no texts, and what all bridges share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, UniqueConstraint
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import Private, Utc, table


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


class Usage(SQLModel, table=True):
    """Messages a mailbox sent on one day of its own time zone; the daily cap is judged by it."""

    mailbox_id: str = Field(primary_key=True, foreign_key="mailbox.id")
    day: str = Field(primary_key=True)
    messages: int


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


class Installation(SQLModel, table=True):
    """What holds for the database as a whole: the mark of the key that its number hashes were made with."""

    name: str = Field(primary_key=True)
    value: str


class Revision(SQLModel, table=True):
    """A counter that every change of mailboxes or opt-outs moves; running bridges watch it and read again."""

    name: str = Field(primary_key=True)
    value: int


organisations = table("organisation")
mailboxes = table("mailbox")
usages = table("usage")
opt_outs = table("opt_out")
installations = table("installation")
revisions = table("revision")
