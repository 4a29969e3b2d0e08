-- Who may do what in a sample system's database. Roles belong to the whole server: this runs once for all its databases.
-- Privileges on single tables are in the system's schema.sql.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['{system}_owner', '{system}_read', '{system}_act', '{system}_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE {system}_read LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE {system}_read SET default_transaction_read_only = on;
ALTER ROLE {system}_read SET statement_timeout = '15s';
ALTER ROLE {system}_read SET lock_timeout = '2s';
ALTER ROLE {system}_read SET idle_in_transaction_session_timeout = '60s';
GRANT pg_monitor TO {system}_read;

ALTER ROLE {system}_act LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE {system}_act SET statement_timeout = '60s';
ALTER ROLE {system}_act SET lock_timeout = '5s';
ALTER ROLE {system}_act SET idle_in_transaction_session_timeout = '60s';
GRANT pg_signal_backend, pg_read_all_stats TO {system}_act;

ALTER ROLE {system}_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
