-- The application's own statements end after a minute, as Supabase's do.
ALTER ROLE aias_app SET statement_timeout = '60s';
