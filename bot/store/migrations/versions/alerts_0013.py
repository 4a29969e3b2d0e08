"""Alerts of other systems: as they arrive, what was delivered already, and what became of each."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Nothing was taken in before."""
    op.create_table(
        "alert_arrivals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("alert", postgresql.JSONB(), nullable=False),
        sa.Column("at", _AT, nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False, comment="why it was set aside"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_arrivals")),
    )
    op.create_table(
        "alert_deliveries",
        sa.Column("key", sa.Text(), nullable=False, comment="the sender's own name of what it delivered, once"),
        sa.Column("at", _AT, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alert_deliveries")),
    )
    op.create_index("ix_alert_deliveries_at", "alert_deliveries", ["at"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False, comment="the system of its source"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("alert", postgresql.JSONB(), nullable=False, comment="what was last said of it"),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("changed_at", _AT, nullable=False, comment="by the sender's clock"),
        sa.Column("first_at", _AT, nullable=False),
        sa.Column("last_at", _AT, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False, comment="how often it was said to fire"),
        sa.Column("changes", postgresql.JSONB(), server_default="[]", nullable=False, comment="when it lately changed"),
        sa.Column("flapping", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("incident_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("told_at", _AT, nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name=op.f("fk_alerts_incident_id")),
        sa.PrimaryKeyConstraint("source", "fingerprint", name=op.f("pk_alerts")),
        sa.UniqueConstraint("id", name=op.f("uq_alerts_id")),
    )
    op.create_index("ix_alerts_incident_id", "alerts", ["incident_id"])
    op.create_index("ix_alerts_name", "alerts", ["source", "name"])
    op.create_index("ix_alerts_flapping", "alerts", ["flapping"], postgresql_where=sa.text("flapping"))


def downgrade() -> None:
    """What alerts led to stands in the audit trail too."""
    for table in ("alerts", "alert_deliveries", "alert_arrivals"):
        op.drop_table(table)
