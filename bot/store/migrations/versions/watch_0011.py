"""What is watched and how it stands, and the maintenance windows that were announced or opened."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_LOOKING = "a worker is on its way to look; until then no other is"
_MUTES = "the monitors that page nobody while it is open; none means all"


def upgrade() -> None:
    """Nothing has been looked at yet."""
    at = sa.DateTime(timezone=True)
    op.create_table(
        "monitors",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("since", at, nullable=True),
        sa.Column("last_at", at, nullable=True),
        sa.Column("next_at", at, nullable=True),
        sa.Column("looking_until", at, nullable=True, comment=_LOOKING),
        sa.Column("body", postgresql.JSONB(), nullable=False, comment="all that is known of it, with its last values"),
        sa.PrimaryKeyConstraint("system", "key", name=op.f("pk_monitors")),
    )
    op.create_index("ix_monitors_next_at", "monitors", ["next_at"])
    op.create_table(
        "windows",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("mutes", postgresql.JSONB(), nullable=False, comment=_MUTES),
        sa.Column("starts_at", at, nullable=False),
        sa.Column("ends_at", at, nullable=False),
        sa.Column("announced_at", at, nullable=True),
        sa.Column("started_at", at, nullable=True),
        sa.Column("ended_at", at, nullable=True),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("ended_by", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_windows")),
    )
    op.create_index("uq_windows_occurrence", "windows", ["system", "key", "starts_at"], unique=True)
    op.create_index("ix_windows_ended_at", "windows", ["ended_at"])


def downgrade() -> None:
    """What is forgotten: how each monitor stood. What was said of it stands in the audit trail."""
    op.drop_table("windows")
    op.drop_table("monitors")
