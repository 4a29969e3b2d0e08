"""An incident knows who is on it, and how far up its escalation ladder it has got."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_RUNGS, _DUE = "how many of its rungs have been called", "when the next rung is called; empty when the clock stands"


def _columns() -> list[sa.Column[Any]]:
    at = sa.DateTime(timezone=True)
    return [
        sa.Column("acknowledged_by", sa.Text(), server_default="", nullable=False),
        sa.Column("acknowledged_at", at, nullable=True),
        sa.Column("ladder", sa.Text(), server_default="", nullable=False, comment="the key of its escalation ladder"),
        sa.Column("rungs", sa.Integer(), server_default="0", nullable=False, comment=_RUNGS),
        sa.Column("called_at", at, nullable=True),
        sa.Column("due", at, nullable=True, comment=_DUE),
    ]


def upgrade() -> None:
    """Incidents of before have no ladder: the people who opened them by hand were on them."""
    for column in _columns():
        op.add_column("incidents", column)
    op.create_index("ix_incidents_due", "incidents", ["due"])
    op.execute("UPDATE incidents SET acknowledged_by = opened_by, acknowledged_at = opened_at")


def downgrade() -> None:
    """Who was on it stands in the audit trail too."""
    op.drop_index("ix_incidents_due", "incidents")
    for column in reversed(_columns()):
        op.drop_column("incidents", column.name)
