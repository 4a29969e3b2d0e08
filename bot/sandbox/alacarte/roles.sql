-- Who may do what in the sample database. Roles belong to the whole server: this runs once for all its databases.
-- Privileges on single tables are in schema.sql.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['alacarte_owner', 'alacarte_messages_owner',
                                  'alacarte_read', 'alacarte_act', 'alacarte_app'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            EXECUTE format('CREATE ROLE %I', wanted);
        END IF;
    END LOOP;
END
$$;

ALTER ROLE alacarte_read LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE alacarte_read SET default_transaction_read_only = on;
ALTER ROLE alacarte_read SET statement_timeout = '15s';
ALTER ROLE alacarte_read SET lock_timeout = '2s';
ALTER ROLE alacarte_read SET idle_in_transaction_session_timeout = '60s';
GRANT pg_monitor TO alacarte_read;

ALTER ROLE alacarte_act LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
ALTER ROLE alacarte_act SET statement_timeout = '60s';
ALTER ROLE alacarte_act SET lock_timeout = '5s';
ALTER ROLE alacarte_act SET idle_in_transaction_session_timeout = '60s';
GRANT pg_signal_backend, pg_read_all_stats TO alacarte_act;
-- An index can only be made by the table's owner; the event trigger in schema.sql keeps this right to indexes.
GRANT alacarte_messages_owner TO alacarte_act;

ALTER ROLE alacarte_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;
