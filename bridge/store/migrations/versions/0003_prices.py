"""what a message costs, as its gateway says"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("attempt", "receipt"):
        op.add_column(table, sa.Column("price", sa.String(), nullable=True))
        op.add_column(table, sa.Column("price_unit", sa.String(), nullable=True))


def downgrade() -> None:
    for table in ("attempt", "receipt"):
        op.drop_column(table, "price_unit")
        op.drop_column(table, "price")
