"""client certificates; reports of texts that are late"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("submission", sa.Column("deliver_by", sa.DateTime(timezone=True), nullable=True)),
        ("submission", sa.Column("release", sa.String(), nullable=True)),
        ("message", sa.Column("late_at", sa.DateTime(timezone=True), nullable=True)),
    ]


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    op.create_table(
        "client_certificate",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("mailbox_id", sa.String(), sa.ForeignKey("mailbox.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("pem", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("mailbox_id", "name"),
        sa.UniqueConstraint("fingerprint"),
    )


def downgrade() -> None:
    for table, column in _columns():
        op.drop_column(table, column.name)
    op.drop_table("client_certificate")
