"""The tables of the mailbox door: how far each watched mailbox was read, and the mails in it that were dealt with."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field, SQLModel

from bridge.store.tables.columns import Utc, table


class WatchRow(SQLModel, table=True):
    """A folder that is watched. What was in it before is nobody's order, and is not looked at."""

    __tablename__ = "watch"

    name: str = Field(primary_key=True)
    """Its mailbox's address in lower case, a blank and the folder."""
    uid_validity: int = Field(sa_type=BigInteger)
    """Which numbering its UIDs belong to (RFC 3501 section 2.3.1.1)."""
    next_uid: int = Field(sa_type=BigInteger)
    """The first that is looked at again: all below are dealt with or none of the bridge's business."""
    since: datetime = Field(sa_type=Utc)
    """When this numbering was first seen."""


class WatchedMailRow(SQLModel, table=True):
    """A mail in a watched folder that was dealt with, for good: it stands here before it is moved away."""

    __tablename__ = "watched_mail"
    __table_args__ = (UniqueConstraint("watch", "digest"),)

    watch: str = Field(primary_key=True)
    uid_validity: int = Field(sa_type=BigInteger, primary_key=True)
    uid: int = Field(sa_type=BigInteger, primary_key=True)
    digest: str
    """Keyed hash of what its author wrote and the phones that it is for (`types.Place`)."""
    fate: str
    """One of `types.Fate`."""
    at: datetime = Field(sa_type=Utc)


watches = table("watch")
watched_mails = table("watched_mail")
