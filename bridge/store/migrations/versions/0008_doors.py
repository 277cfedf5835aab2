"""the mailbox door: how far watched mailboxes were read, and which of their mails were dealt with; app passwords"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "watch",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("uid_validity", sa.BigInteger(), nullable=False),
        sa.Column("next_uid", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "watched_mail",
        sa.Column("watch", sa.String(), primary_key=True),
        sa.Column("uid_validity", sa.BigInteger(), primary_key=True),
        sa.Column("uid", sa.BigInteger(), primary_key=True),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("watch", "digest"),
    )
    op.create_table(
        "app_password",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("mailbox_id", sa.String(), sa.ForeignKey("mailbox.id"), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("mailbox_id", "name"),
    )


def downgrade() -> None:
    op.drop_table("app_password")
    op.drop_table("watched_mail")
    op.drop_table("watch")
