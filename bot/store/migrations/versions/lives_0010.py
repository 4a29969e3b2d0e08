"""An incident may be merged into another, be linked with others, and knows when its next digest is due."""

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


def upgrade() -> None:
    """Incidents of before get no digests: nobody has waited for one."""
    for column in _columns():
        op.add_column("incidents", column)
    op.create_foreign_key("fk_incidents_merged_into_incidents", "incidents", "incidents", ["merged_into"], ["id"])
    op.create_index("ix_incidents_merged_into", "incidents", ["merged_into"])
    op.create_index("ix_incidents_digest_due", "incidents", ["digest_due"])


def downgrade() -> None:
    """What was merged and linked stands in the audit trail too."""
    op.drop_index("ix_incidents_digest_due", "incidents")
    op.drop_index("ix_incidents_merged_into", "incidents")
    op.drop_constraint("fk_incidents_merged_into_incidents", "incidents", type_="foreignkey")
    for column in reversed(_columns()):
        op.drop_column("incidents", column.name)
