"""What came round in a system's calendar, and what was started for it."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_KEY, _AT = "the appointment of its calendar; empty for the month itself", "when it came round; once, whoever looks"


def upgrade() -> None:
    """Nothing has come round so far."""
    op.create_table(
        "appointments",
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment=_KEY),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment=_AT),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("run_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reminders", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.Text(), server_default="", nullable=False, comment="why nothing was started"),
        sa.Column("drill", sa.Text(), server_default="", nullable=False, comment="the runbook chosen for a fire drill"),
        sa.Column("drilled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_appointments_run_id")),
        sa.PrimaryKeyConstraint("system", "key", "at", name=op.f("pk_appointments")),
    )
    op.create_index(op.f("ix_appointments_run_id"), "appointments", ["run_id"])


def downgrade() -> None:
    """What is forgotten: what came round. Its runs stay."""
    op.drop_table("appointments")
