"""Who may do what with the audit trail, asked of PostgreSQL itself; `runbook doctor` says it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

OWNER = "runbook_audit"
"""The role without login that the trail belongs to, wherever it could be made."""

_QUERY = text(
    """
    SELECT current_user AS login, r.rolsuper AS superuser, r.rolcreaterole AS makes_roles,
      t.relowner::regrole::text AS owner,
      pg_has_role(
        t.relowner, CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'USAGE, SET' ELSE 'MEMBER' END
      ) AS becomes_owner,
      pg_has_role(n.nspowner, 'MEMBER') AS drops,
      has_table_privilege(t.oid, 'SELECT') AS reads,
      has_function_privilege(f.oid, 'EXECUTE') AS appends,
      array_remove(ARRAY[
        CASE WHEN has_table_privilege(t.oid, 'INSERT') THEN 'INSERT' END,
        CASE WHEN has_table_privilege(t.oid, 'UPDATE') THEN 'UPDATE' END,
        CASE WHEN has_table_privilege(t.oid, 'DELETE') THEN 'DELETE' END,
        CASE WHEN has_table_privilege(t.oid, 'TRUNCATE') THEN 'TRUNCATE' END,
        CASE WHEN has_table_privilege(t.oid, 'TRIGGER') THEN 'TRIGGER' END
      ], NULL) AS beyond,
      EXISTS (
        SELECT FROM pg_trigger WHERE tgrelid = t.oid AND tgname = 'audit_kept' AND tgenabled IN ('O', 'A')
      ) AS kept
    FROM pg_class t
    JOIN pg_namespace n ON n.oid = t.relnamespace
    JOIN pg_proc f ON f.pronamespace = n.oid AND f.proname = 'audit_append'
    JOIN pg_roles r ON r.rolname = current_user
    WHERE t.oid = 'audit'::regclass
    """
)


@dataclass(frozen=True, slots=True)
class Guard:
    """What the login could do to the trail. `beyond` are privileges that it should not have; `drops` means that it owns
    the schema and could remove the trail as a whole; `kept` that the trigger against changes is in place."""

    login: str
    superuser: bool
    makes_roles: bool
    owner: str
    becomes_owner: bool
    drops: bool
    reads: bool
    appends: bool
    beyond: tuple[str, ...]
    kept: bool


async def guard(connection: AsyncConnection) -> Guard:
    """How the trail is guarded against the login of this connection."""
    row = (await connection.execute(_QUERY)).one()
    return Guard(**{**row._mapping, "beyond": tuple(row.beyond)})
