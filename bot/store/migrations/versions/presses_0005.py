"""A press is taken once: its key is kept for a day."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is known of presses that were taken before."""
    op.create_table(
        "presses",
        sa.Column("key", sa.Text(), nullable=False, comment="Slack's own name of what was pressed or sent, once"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_presses")),
    )
    op.create_index("ix_presses_at", "presses", ["at"])


def downgrade() -> None:
    """What is forgotten: which presses were taken lately."""
    op.drop_table("presses")
