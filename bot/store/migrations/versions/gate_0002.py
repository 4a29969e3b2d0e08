"""Requests over several actions, for a target and a window; proofs of votes; second factors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSONB = postgresql.JSONB(astext_type=sa.Text())


def upgrade() -> None:
    """Bring the database to this revision."""
    op.add_column("approvals", sa.Column("parts", JSONB, nullable=True, comment="what would be done, action by action"))
    op.execute(
        """
        UPDATE approvals SET parts = jsonb_build_array(
          jsonb_build_object('action', action, 'digest', digest, 'spec', spec, 'preview', preview)
        )
        """
    )
    op.alter_column("approvals", "parts", nullable=False)
    op.drop_column("approvals", "spec")
    op.drop_column("approvals", "preview")
    op.add_column("approvals", sa.Column("target", sa.Text(), server_default="", nullable=False))
    op.add_column("approvals", sa.Column("opens_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("approvals", sa.Column("closes_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "approvals",
        sa.Column(
            "stale", sa.Text(), server_default="", nullable=False, comment="why what was shown is to be shown anew"
        ),
    )
    op.create_index("ix_approvals_open", "approvals", ["state", "target"])
    op.add_column("votes", sa.Column("proof", sa.Text(), server_default="none", nullable=False))
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False, comment="encrypted"),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False, comment="a code is good once"),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factors")),
    )


def downgrade() -> None:
    """Take the database back to the revision before."""
    op.drop_table("second_factors")
    op.drop_column("votes", "proof")
    op.drop_index("ix_approvals_open", table_name="approvals")
    for column in ("stale", "closes_at", "opens_at", "target"):
        op.drop_column("approvals", column)
    for column in ("spec", "preview"):
        op.add_column("approvals", sa.Column(column, JSONB, nullable=True))
        op.execute(f"UPDATE approvals SET {column} = parts -> 0 -> '{column}'")
        op.alter_column("approvals", column, nullable=False)
    op.drop_column("approvals", "parts")
