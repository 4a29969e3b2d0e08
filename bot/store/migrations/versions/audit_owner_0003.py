"""The trail is append-only for the bot's own login too: it belongs to a role nobody logs in as."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The owner's rights are lent to whoever may call this function, so every name in it is looked up in the system's own
# schema or says its schema: nobody can slip in another one. The rest is as revision 0001 made it.
AUDIT_APPEND = """
CREATE OR REPLACE FUNCTION {audit}_append(lines text[]) RETURNS void LANGUAGE plpgsql {rights} AS $$
DECLARE
  line text;
  fields jsonb;
  last_seq bigint;
  last_hash text;
BEGIN
  PERFORM pg_advisory_xact_lock(7204551191);
  SELECT seq, hash INTO last_seq, last_hash FROM {audit} ORDER BY seq DESC LIMIT 1;
  last_seq := coalesce(last_seq, 0);
  last_hash := coalesce(last_hash, repeat('0', 64));
  FOREACH line IN ARRAY lines LOOP
    fields := line::jsonb;
    last_seq := last_seq + 1;
    INSERT INTO {audit} (seq, at, kind, actor, run_id, incident_id, body, previous, hash)
    VALUES (
      last_seq, (fields->>'at')::timestamptz, fields->>'kind', fields->>'actor', (fields->>'run')::uuid,
      (fields->>'incident')::uuid, line, last_hash,
      encode(sha256(convert_to(last_hash || E'\\n' || line, 'UTF8')), 'hex')
    ) RETURNING hash INTO last_hash;
  END LOOP;
END $$
"""
DEFINER = "SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
INVOKER = "SECURITY INVOKER"

# Whoever could write before may read and append now, and nothing more.
NARROWED = """
DO $$
DECLARE
  grantee regrole;
BEGIN
  REVOKE ALL ON {audit} FROM PUBLIC;
  REVOKE EXECUTE ON FUNCTION {audit}_append(text[]) FROM PUBLIC;
  FOR grantee IN
    SELECT DISTINCT acl.grantee::regrole FROM pg_class, aclexplode(relacl) AS acl
    WHERE pg_class.oid = '{audit}'::regclass AND acl.grantee NOT IN (0, relowner)
      AND acl.privilege_type <> 'SELECT'
  LOOP
    EXECUTE format('REVOKE ALL ON {audit} FROM %s', grantee);
    EXECUTE format('GRANT SELECT ON {audit} TO %s', grantee);
    EXECUTE format('GRANT EXECUTE ON FUNCTION {audit}_append(text[]) TO %s', grantee);
  END LOOP;
END $$
"""

# Roles belong to the whole server: other databases may make the same one at the same moment, and where the login may
# not make or become it (a managed PostgreSQL), everything stays with the login, and `runbook doctor` says so.
GIVEN_AWAY = """
DO $$
DECLARE
  home regnamespace := (SELECT relnamespace FROM pg_class WHERE oid = '{audit}'::regclass);
  able record;
  joined boolean := false;
  opened boolean := false;
BEGIN
  SELECT rolsuper, rolcreaterole INTO able FROM pg_roles WHERE rolname = current_user;
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'runbook_audit') THEN
    IF NOT (able.rolsuper OR able.rolcreaterole) THEN
      RETURN;
    END IF;
    BEGIN
      CREATE ROLE runbook_audit NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL;
    END;
  END IF;
  IF NOT able.rolsuper AND NOT pg_has_role('runbook_audit', 'USAGE') THEN
    EXECUTE format('GRANT runbook_audit TO %I', current_user);
    joined := true;
  END IF;
  IF NOT has_schema_privilege('runbook_audit', home::oid, 'CREATE') THEN
    EXECUTE format('GRANT USAGE, CREATE ON SCHEMA %s TO runbook_audit', home);
    opened := true;
  END IF;
  ALTER TABLE {audit} OWNER TO runbook_audit;
  ALTER FUNCTION {audit}_append(text[]) OWNER TO runbook_audit;
  ALTER FUNCTION {audit}_kept() OWNER TO runbook_audit;
  EXECUTE format('GRANT SELECT ON {audit} TO %I', current_user);
  EXECUTE format('GRANT EXECUTE ON FUNCTION {audit}_append(text[]) TO %I', current_user);
  IF opened THEN
    EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM runbook_audit', home);
  END IF;
  IF joined THEN
    EXECUTE format('REVOKE runbook_audit FROM %I', current_user);
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'the audit trail stays with %: %', current_user, SQLERRM;
END $$
"""

TAKEN_BACK = """
DO $$
DECLARE
  grantee regrole;
  joined boolean := false;
BEGIN
  IF (SELECT relowner FROM pg_class WHERE oid = '{audit}'::regclass)::regrole::text = 'runbook_audit' THEN
    IF NOT pg_has_role('runbook_audit', 'USAGE') THEN
      EXECUTE format('GRANT runbook_audit TO %I', current_user);
      joined := true;
    END IF;
    EXECUTE format('ALTER TABLE {audit} OWNER TO %I', current_user);
    EXECUTE format('ALTER FUNCTION {audit}_append(text[]) OWNER TO %I', current_user);
    EXECUTE format('ALTER FUNCTION {audit}_kept() OWNER TO %I', current_user);
    IF joined THEN
      EXECUTE format('REVOKE runbook_audit FROM %I', current_user);
    END IF;
  END IF;
  EXECUTE format('GRANT ALL ON {audit} TO %I', current_user);
  FOR grantee IN
    SELECT DISTINCT acl.grantee::regrole FROM pg_proc, aclexplode(proacl) AS acl
    WHERE pg_proc.oid = '{audit}_append(text[])'::regprocedure AND acl.grantee NOT IN (0, proowner)
  LOOP
    EXECUTE format('GRANT SELECT, INSERT ON {audit} TO %s', grantee);
  END LOOP;
  GRANT EXECUTE ON FUNCTION {audit}_append(text[]) TO PUBLIC;
END $$
"""


def upgrade() -> None:
    """Bring the database to this revision."""
    audit = _qualified()
    for statement in (AUDIT_APPEND, NARROWED, GIVEN_AWAY):
        op.execute(statement.format(audit=audit, rights=DEFINER))


def downgrade() -> None:
    """Take the database back to the revision before; the role stays, for other databases may use it."""
    audit = _qualified()
    for statement in (TAKEN_BACK, AUDIT_APPEND):
        op.execute(statement.format(audit=audit, rights=INVOKER))


def _qualified() -> str:
    """The table with its schema, as it stands in a statement."""
    query = (
        "SELECT quote_ident(nspname) || '.audit' FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE pg_class.oid = to_regclass('audit')"
    )
    found: str = op.get_bind().execute(sa.text(query)).scalar_one()
    return found
