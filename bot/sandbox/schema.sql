-- What every sample system has besides its own tables. Its schema.sql calls this once, when its tables are made; what it
-- says after that is how its own rights differ.
CREATE PROCEDURE pg_temp.usual_rights() LANGUAGE plpgsql AS $$
DECLARE
    each record;
BEGIN
    CREATE TABLE runbook_receipts (
        key     text PRIMARY KEY,
        run_id  text,
        action  text,
        digest  text,
        detail  jsonb,
        at      timestamptz NOT NULL DEFAULT now()
    );
    FOR each IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
        EXECUTE format('ALTER TABLE %I OWNER TO {system}_owner', each.tablename);
    END LOOP;

    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    GRANT USAGE ON SCHEMA public TO {system}_read, {system}_act, {system}_app, {system}_owner;
    GRANT SELECT ON ALL TABLES IN SCHEMA public TO {system}_read, {system}_act;
    GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO {system}_app;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {system}_act, {system}_app;

    GRANT INSERT ON runbook_receipts TO {system}_act;
    REVOKE ALL ON runbook_receipts FROM {system}_app;
END
$$;
