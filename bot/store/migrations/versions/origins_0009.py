"""An incident knows what opened it: what is open already is joined, not opened again."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ORIGIN, _SUGGESTED = "what opened it; empty for a person", "the runbooks its origin speaks for"


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("origin", sa.Text(), server_default="", nullable=False, comment=_ORIGIN),
        sa.Column("private", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("suggestions", postgresql.JSONB(), server_default="[]", nullable=False, comment=_SUGGESTED),
    ]


def upgrade() -> None:
    """Incidents of before were opened by people."""
    for column in _columns():
        op.add_column("incidents", column)
    where = sa.text("state = 'open' AND origin <> ''")
    op.create_index("uq_incidents_origin", "incidents", ["system", "origin"], unique=True, postgresql_where=where)


def downgrade() -> None:
    """What opened an incident stands in the audit trail too."""
    op.drop_index("uq_incidents_origin", "incidents")
    for column in reversed(_columns()):
        op.drop_column("incidents", column.name)
