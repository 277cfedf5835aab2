"""whose reply it is: numbers that mailboxes share; keywords; digests"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def _of_mailboxes() -> list[sa.Column[Any]]:
    return [
        sa.Column("pool", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("digest_to", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("digest_at", sa.String(), nullable=False, server_default="18:00"),
        sa.Column("digest_days", sa.Integer(), nullable=False, server_default="10"),
    ]


def _of_conversations() -> list[sa.Column[Any]]:
    return [
        sa.Column("last_heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_at", sa.DateTime(timezone=True), nullable=True),
    ]


_HELD = sa.text("held_at IS NOT NULL")


def upgrade() -> None:
    for column in _of_mailboxes():
        op.add_column("mailbox", column)
    for column in _of_conversations():
        op.add_column("conversation", column)
    op.create_index(
        "ix_conversation_held",
        "conversation",
        ["number_hash", "sender"],
        unique=True,
        sqlite_where=_HELD,
        postgresql_where=_HELD,
    )
    op.create_table(
        "digest",
        sa.Column("mailbox_id", sa.String(), sa.ForeignKey("mailbox.id"), primary_key=True),
        sa.Column("day", sa.String(), primary_key=True),
        sa.Column("composed_at", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("digest")
    op.drop_index("ix_conversation_held", "conversation")
    for column in _of_conversations():
        op.drop_column("conversation", column.name)
    for column in _of_mailboxes():
        op.drop_column("mailbox", column.name)
