"""An incident may be merged and linked and knows when its next digest is due; people are paged outside Slack."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MERGED, _RELATED = "the incident this is a duplicate of", "ids of incidents that people have linked"
_DIGESTS, _TOLD = "how many digests have been posted", "the newest line the last one told"


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("merged_into", sa.Uuid(as_uuid=False), nullable=True, comment=_MERGED),
        sa.Column("related", postgresql.JSONB(), server_default="[]", nullable=False, comment=_RELATED),
        sa.Column("digests", sa.Integer(), server_default="0", nullable=False, comment=_DIGESTS),
        sa.Column("digest_seq", sa.BigInteger(), server_default="0", nullable=False, comment=_TOLD),
        sa.Column("digest_due", sa.DateTime(timezone=True), nullable=True),
    ]


def _pages() -> list[sa.schema.SchemaItem]:
    at = sa.DateTime(timezone=True)
    return [
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("incident_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("rung", sa.Integer(), nullable=False, comment="counted from 1"),
        sa.Column("name", sa.Text(), nullable=False, comment="the contact or group"),
        sa.Column("event", sa.Text(), nullable=False, comment="called, acknowledged or resolved"),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("problem", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_at", at, nullable=False),
        sa.Column("due", at, nullable=True, comment="when it is tried; empty when nothing is left to do"),
        sa.PrimaryKeyConstraint("id", name="pk_pages"),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.id"], name="fk_pages_incident_id_incidents"),
    ]


def upgrade() -> None:
    """Incidents of before get no digests: nobody has waited for one."""
    for column in _columns():
        op.add_column("incidents", column)
    op.create_foreign_key("fk_incidents_merged_into_incidents", "incidents", "incidents", ["merged_into"], ["id"])
    op.create_index("ix_incidents_merged_into", "incidents", ["merged_into"])
    op.create_index("ix_incidents_digest_due", "incidents", ["digest_due"])
    op.create_table("pages", *_pages())
    op.create_index("uq_pages_once", "pages", ["incident_id", "rung", "name", "event"], unique=True)
    op.create_index("ix_pages_due", "pages", ["due"])


def downgrade() -> None:
    """What was merged and linked stands in the audit trail too."""
    op.drop_table("pages")
    op.drop_index("ix_incidents_digest_due", "incidents")
    op.drop_index("ix_incidents_merged_into", "incidents")
    op.drop_constraint("fk_incidents_merged_into_incidents", "incidents", type_="foreignkey")
    for column in reversed(_columns()):
        op.drop_column("incidents", column.name)
