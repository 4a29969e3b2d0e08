-- An index can only be made by the table's owner; the event trigger in schema.sql keeps this right to indexes.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'alacarte_messages_owner') THEN
        CREATE ROLE alacarte_messages_owner;
    END IF;
END
$$;

GRANT alacarte_messages_owner TO alacarte_act;

-- The role that Supabase gives to a signed-in customer: policies name it, nobody logs in as it.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'authenticated') THEN
        CREATE ROLE authenticated NOLOGIN;
    END IF;
END
$$;
