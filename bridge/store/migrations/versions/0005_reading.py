"""how a mailbox's mails are read, whom names mean, and what an address can ask for"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def _of_mailboxes() -> list[sa.Column[Any]]:
    return [
        sa.Column("subject", sa.String(), nullable=False, server_default="ignored"),
        sa.Column("kept_cuts", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("end_marks", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("grammar", sa.String(), nullable=True),
        sa.Column("order_password_hash", sa.String(), nullable=False, server_default=""),
    ]


def _of_messages() -> list[sa.Column[Any]]:
    return [
        sa.Column("priority", sa.String(), nullable=False, server_default="normal"),
        sa.Column("flash", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("shift", sa.String(), nullable=True),
    ]


_URGENT = sa.text("state = 'queued' AND priority = 'high'")


def upgrade() -> None:
    for column in _of_mailboxes():
        op.add_column("mailbox", column)
    for column in _of_messages():
        op.add_column("message", column)
    op.add_column("conversation", sa.Column("contact", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_message_urgent", "message", ["due_at"], sqlite_where=_URGENT, postgresql_where=_URGENT)
    op.create_table(
        "contact",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("organisation_id", sa.String(), sa.ForeignKey("organisation.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("organisation_id", "key"),
    )
    op.create_table(
        "membership",
        sa.Column("group_id", sa.String(), sa.ForeignKey("contact.id"), primary_key=True),
        sa.Column("contact_id", sa.String(), sa.ForeignKey("contact.id"), primary_key=True),
    )
    op.create_index("ix_membership_contact_id", "membership", ["contact_id"])
    op.create_table(
        "signature",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("mailbox_id", sa.String(), sa.ForeignKey("mailbox.id"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("above", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("mailbox_id", "digest"),
    )


def downgrade() -> None:
    op.drop_table("signature")
    op.drop_table("membership")
    op.drop_table("contact")
    op.drop_index("ix_message_urgent", "message")
    op.drop_column("conversation", "contact")
    for column in _of_messages():
        op.drop_column("message", column.name)
    for column in _of_mailboxes():
        op.drop_column("mailbox", column.name)
