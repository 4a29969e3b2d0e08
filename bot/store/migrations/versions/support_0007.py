"""A run knows whether it was started for support people, who do not see everything."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Runs started before are what they were: open to everybody in their channel."""
    op.add_column(
        "runs",
        sa.Column("support", sa.Boolean(), server_default="false", nullable=False, comment="started for support"),
    )


def downgrade() -> None:
    """What is forgotten by the column stands in the run's body too."""
    op.drop_column("runs", "support")
