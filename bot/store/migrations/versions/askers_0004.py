"""A request knows everybody who had a hand in asking for it: none of them decides it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Requests made before have the one asker they name.

    The column may be there: for a while it belonged to the second migration.
    """
    op.add_column(
        "approvals",
        sa.Column("askers", JSONB, server_default="[]", nullable=False, comment="all who had a hand in asking"),
        if_not_exists=True,
    )


def downgrade() -> None:
    """What is forgotten: who else asked."""
    op.drop_column("approvals", "askers")
