"""whose reply it is: numbers that mailboxes share; keywords and what the bridge texts by itself; digests"""

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
        sa.Column("digest_since", sa.DateTime(timezone=True), nullable=True),
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
    op.create_table(
        "automatic_text",
        sa.Column("inbound_id", sa.String(), sa.ForeignKey("inbound.id"), primary_key=True),
        sa.Column("message_id", sa.String(), sa.ForeignKey("message.id"), nullable=True, unique=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number_hash", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_automatic_text_phone", "automatic_text", ["number_hash", "sender", "at"])
    op.create_table(
        "keyword",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("mailbox_id", sa.String(), sa.ForeignKey("mailbox.id"), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("word", sa.String(), nullable=False),
        sa.Column("reply", sa.String(), nullable=False),
        sa.Column("forward", sa.JSON(), nullable=False),
        sa.Column("tag", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("mailbox_id", "key"),
    )
    # A digest looks for the texts that were sent in its days, whenever they were taken.
    op.drop_index("ix_message_mailbox", "message")
    op.create_index("ix_message_mailbox", "message", ["mailbox_id", "due_at"])
    op.create_index("ix_inbound_mailbox", "inbound", ["mailbox_id", "received_at"])
    # A mail with an answer shows the last texts of its conversation.
    op.create_index("ix_inbound_conversation", "inbound", ["conversation_id", "id"])
    op.drop_index("ix_message_number", "message")
    op.create_index("ix_message_number", "message", ["number_hash", "sender", "conversation_id", "id"])


def downgrade() -> None:
    op.drop_index("ix_message_number", "message")
    op.create_index("ix_message_number", "message", ["number_hash", "sender"])
    op.drop_index("ix_inbound_conversation", "inbound")
    op.drop_index("ix_inbound_mailbox", "inbound")
    op.drop_index("ix_message_mailbox", "message")
    op.create_index("ix_message_mailbox", "message", ["mailbox_id", "created_at"])
    op.drop_table("keyword")
    op.drop_table("automatic_text")
    op.drop_table("digest")
    op.drop_index("ix_conversation_held", "conversation")
    for column in _of_conversations():
        op.drop_column("conversation", column.name)
    for column in _of_mailboxes():
        op.drop_column("mailbox", column.name)
