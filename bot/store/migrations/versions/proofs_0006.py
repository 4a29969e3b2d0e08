"""When each runbook's drill and its live checks last passed."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing is proven yet."""
    op.create_table(
        "proofs",
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False, comment="the content hash that runs keep"),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("last_passed", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("runbook", "kind", "version", name=op.f("pk_proofs")),
    )
    op.create_index("ix_proofs_system", "proofs", ["system"])


def downgrade() -> None:
    """What is forgotten: what was proven."""
    op.drop_table("proofs")
