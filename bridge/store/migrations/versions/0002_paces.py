"""paces that several nodes share"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "pace",
        sa.Column("gateway", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "sender"),
    )
    op.create_index("ix_pace_free_at", "pace", ["free_at"])


def downgrade() -> None:
    op.drop_index("ix_pace_free_at", "pace")
    op.drop_table("pace")
