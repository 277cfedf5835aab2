"""what makes a segment the same one when it is delivered again, after its SMS became whole too"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("inbound_part", sa.Column("event_id", sa.String(), nullable=True))
    op.add_column("inbound_part", sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM inbound_part WHERE whole_at IS NOT NULL")
    op.drop_column("inbound_part", "whole_at")
    op.drop_column("inbound_part", "event_id")
