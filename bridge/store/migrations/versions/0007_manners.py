"""how a mailbox treats phones: unprompted SMS, hours, webhooks, marks in the subject; wishes for no more texts"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    return [
        ("mailbox", sa.Column("unprompted", sa.String(), nullable=False, server_default="")),
        ("mailbox", sa.Column("closed", sa.String(), nullable=False, server_default="")),
        ("mailbox", sa.Column("hours", sa.String(), nullable=False, server_default="")),
        ("mailbox", sa.Column("subject_tags", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("mailbox", sa.Column("phone_languages", sa.JSON(), nullable=False, server_default="[]")),
        ("keyword", sa.Column("webhook", sa.String(), nullable=False, server_default="")),
        ("opt_out", sa.Column("wish", sa.Boolean(), nullable=False, server_default=sa.false())),
    ]


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)


def downgrade() -> None:
    for table, column in _columns():
        op.drop_column(table, column.name)
