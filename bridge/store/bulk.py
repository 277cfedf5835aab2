"""Plain inserts of many rows, compiled once: what the outbox writes with, under every mail that comes in.

SQLAlchemy prepares each value of each row by name; here a row is put in the statement's order once, and only values
that a database cannot take as they are (moments on SQLite, lists) pass through their column's own conversion.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, insert

Row = Mapping[str, Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert `rows`, each with a value for every column of `table`."""
    statement, columns = _compiled(table, connection.dialect)
    values = [tuple(row[name] if convert is None else convert(row[name]) for name, convert in columns) for row in rows]
    connection.exec_driver_sql(statement, values)


@cache
def _compiled(table: Table, dialect: Dialect) -> tuple[str, list[tuple[str, Callable[[Any], Any] | None]]]:
    """The statement, and for each of its values the column and what converts it for the driver."""
    compiled = insert(table).compile(dialect=dialect)
    assert compiled.positiontup is not None
    types = ((name, table.c[name].type.dialect_impl(dialect)) for name in compiled.positiontup)
    return str(compiled), [(name, kind.bind_processor(dialect)) for name, kind in types]
