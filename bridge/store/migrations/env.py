"""Alembic's entry: runs the migrations on the connection that `bridge.store.engine.upgrade` hands over."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

from bridge.store.tables import Private, Utc


def render_item(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our own column types as what they are in the database: a migration must outlive the classes."""
    if kind == "type":
        for own, plain in ((Utc, "sa.DateTime(timezone=True)"), (Private, "sa.Text()"), (AutoString, "sa.String()")):
            if isinstance(item, own):
                return plain
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
    render_item=render_item,
)
context.run_migrations()
