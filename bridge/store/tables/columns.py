"""What columns are made of, and the words that stand in the conditions of partial indexes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Dialect, Table, Text, literal_column
from sqlalchemy.types import TypeDecorator
from sqlmodel import SQLModel


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


QUEUED: ColumnElement[str] = literal_column("'queued'")
SENDING: ColumnElement[str] = literal_column("'sending'")
UNKNOWN: ColumnElement[str] = literal_column("'unknown'")
HIGH: ColumnElement[str] = literal_column("'high'")
RELAY: ColumnElement[str] = literal_column("'relay'")
FILING: ColumnElement[str] = literal_column("'filing'")
WEBHOOK: ColumnElement[str] = literal_column("'webhook'")
"""States, priorities and channels as they stand in the conditions of partial indexes. With a bound parameter in their
place, the plan that PostgreSQL keeps for a prepared statement cannot use those indexes."""


def table(name: str) -> Table:
    """The table of a class that is defined above, as statements use it."""
    return SQLModel.metadata.tables[name]
