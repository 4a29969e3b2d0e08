"""What the guard takes for a reading: writes never, ordinary diagnostics always."""

from __future__ import annotations

import pytest

from bot.steps.sql_guard import reading

pytestmark = pytest.mark.runbooks

WRITES = [
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a = 1",
    "DELETE FROM t",
    "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE",
    "TRUNCATE t",
    "WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",
    "WITH a AS (SELECT 1), d AS (UPDATE t SET x = 1 RETURNING *) SELECT * FROM a",
    "WITH RECURSIVE r AS (INSERT INTO t VALUES (1) RETURNING 1) SELECT * FROM r",
    "SELECT * FROM (WITH d AS (DELETE FROM t RETURNING 1) SELECT * FROM d) q",
    "SELECT * INTO copy FROM t",
    "SELECT 1 INTO TEMP copy",
    "SELECT * FROM t FOR UPDATE",
    "SELECT * FROM t FOR NO KEY UPDATE SKIP LOCKED",
    "SELECT * FROM t FOR SHARE",
    "SELECT * FROM (SELECT * FROM t FOR UPDATE) q",
    "SELECT 1; DELETE FROM t",
    "SELECT 1;;DELETE FROM t;",
    "/* SELECT */ DELETE FROM t",
    "SELECT /* /* */ 1 */ 1; DELETE FROM t",
    "SELECT '\\'; DELETE FROM t; --'",
    "EXPLAIN ANALYZE DELETE FROM t",
    "EXPLAIN (ANALYZE) SELECT 1",
    "EXPLAIN (ANALYZE ON, BUFFERS) UPDATE t SET a = 1",
    "EXPLAIN VERBOSE ANALYZE SELECT 1",
    "EXPLAIN DELETE FROM t",
    "EXPLAIN EXECUTE danger",
    "COPY t TO PROGRAM 'sh'",
    "COPY (DELETE FROM t RETURNING 1) TO STDOUT",
    "COPY t FROM '/etc/passwd'",
    "DO $$ BEGIN DELETE FROM t; END $$",
    "CALL danger()",
    "PREPARE p AS DELETE FROM t",
    "EXECUTE p",
    "DECLARE c CURSOR FOR SELECT 1",
    "CREATE TABLE t (a int)",
    "CREATE TABLE t AS SELECT 1",
    "DROP TABLE t",
    "ALTER TABLE t ADD b int",
    "CREATE INDEX i ON t (a)",
    "GRANT ALL ON t TO public",
    "SET ROLE postgres",
    "SET transaction_read_only = off",
    "RESET ALL",
    "LISTEN x",
    "NOTIFY x, 'y'",
    "LOCK TABLE t",
    "VACUUM t",
    "ANALYZE t",
    "REFRESH MATERIALIZED VIEW v",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "SELECT pg_sleep(10)",
    "SELECT pg_sleep_for('1 hour')",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity",
    "SELECT pg_catalog.pg_terminate_backend(1)",
    'SELECT "pg_terminate_backend"(1)',
    "SELECT PG_TERMINATE_BACKEND (1)",
    "SELECT pg_terminate_backend/**/(1)",
    "SELECT 1 WHERE (SELECT pg_terminate_backend(pid) FROM pg_stat_activity LIMIT 1)",
    "SELECT * FROM pg_terminate_backend(1)",
    "SELECT * FROM t, LATERAL pg_terminate_backend(t.pid)",
    "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) FROM pg_stat_activity",
    "SELECT * FROM t ORDER BY pg_advisory_lock(1)",
    "SELECT pg_try_advisory_xact_lock(1)",
    "SELECT nextval('s')",
    "SELECT setval('s', 1)",
    "SELECT pg_catalog.setval('s', 1, true)",
    "SELECT set_config('transaction_read_only', 'off', false)",
    "SELECT dblink('host=x', 'DELETE FROM t')",
    "SELECT * FROM dblink('c', 'q') AS t(a int)",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_unlink(1)",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_ls_dir('/')",
    "SELECT pg_logical_emit_message(true, 'a', 'b')",
    "SELECT pg_stat_reset()",
    "SELECT pg_stat_statements_reset()",
    "SELECT pg_notify('a', 'b')",
    "SELECT pg_reload_conf()",
    "SELECT pg_switch_wal()",
    "SELECT net.http_post('http://x', '{}')",
    "SELECT cron.schedule('x', '* * * * *', 'DELETE FROM t')",
    "SELECT public.danger()",
    "SELECT danger()",
    "SELECT danger (1)",
    'SELECT "now"()' + ", danger()",
    "SELECT query_to_xml('DELETE FROM t', true, true, '')",
    "SELECT ts_stat('SELECT danger()')",
    "SELECT pg_export_snapshot()",
    "SELECT pg_create_restore_point('x')",
    "SELECT txid_current()",
    "SELECT 1 OPERATOR(public.!!) 2",
    "WITH danger(a) AS (SELECT 1) SELECT danger(2)",
    "SELECT * FROM danger(1) AS danger(a)",
    "VALUES (danger())",
    "TABLE t; DELETE FROM t",
    "SHOW x; DELETE FROM t",
    "SHOW 'x'",
    "SELECT U&'\\0027'",
    "SELECT $1",
    "SELECT 'unterminated",
    "SELECT /* unterminated",
    "SELECT $a$ unterminated",
    "SELECT )",
    "",
    ";",
    "-- nothing",
    "SELECT 1 \x00",
    "not sql at all",
]

READS = [
    "SELECT 1",
    "select * from businesses where id = :business_id",
    "SELECT count(*), max(created_at) FROM t WHERE a = :a AND b IN (:b, :c);",
    "SELECT 'DELETE FROM t' AS said, \"update\" FROM t",
    "SELECT $$ DROP TABLE t $$, E'it\\'s', 'it''s'",
    "-- why\nSELECT 1 /* because /* nested */ */",
    "WITH x AS (SELECT 1), y(a, b) AS MATERIALIZED (SELECT 1, 2) SELECT * FROM x, y",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT * FROM n",
    "SELECT 1 UNION ALL SELECT 2 EXCEPT SELECT 3",
    "(SELECT 1)",
    "VALUES (1, 'a'), (:b, 'c')",
    "TABLE businesses",
    "SHOW max_connections",
    "EXPLAIN SELECT * FROM t",
    "EXPLAIN (FORMAT json, VERBOSE) SELECT * FROM t",
    "SELECT now() - interval '1 hour', current_date, extract(epoch FROM now() - query_start) FROM pg_stat_activity",
    "SELECT pid, state FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND cardinality(pg_blocking_pids(pid)) > 0",
    "SELECT pg_size_pretty(pg_total_relation_size(relid)) FROM pg_stat_user_tables ORDER BY seq_scan DESC LIMIT 10",
    "SELECT (metadata->>'size')::bigint, a[1:2], x::numeric(10,2), coalesce(b, 'none') FROM storage.objects",
    "SELECT row_number() OVER (PARTITION BY a ORDER BY b), count(*) FILTER (WHERE c) FROM t GROUP BY ROLLUP (a, b)",
    "SELECT * FROM t LEFT JOIN LATERAL (SELECT 1) q(z) ON true WHERE EXISTS (SELECT FROM s WHERE s.id = ANY(:ids))",
    "SELECT CASE WHEN a THEN 'x' ELSE 'y' END, CAST(b AS varchar(10)) FROM t WHERE a IS DISTINCT FROM :a",
    "SELECT jsonb_agg(x), string_agg(DISTINCT name, ', ' ORDER BY name) FROM t",
    "SELECT to_char(created_at, 'YYYY-MM') AS month, sum(amount) FROM t GROUP BY 1 HAVING sum(amount) > :least",
    "SELECT * FROM generate_series(1, 3) AS g(n)",
    "SELECT * FROM unnest(:names::text[]) WITH ORDINALITY AS u(name, position)",
    "SELECT pg_catalog.now(), net_amount, http_status, lo FROM t",
    "SELECT * FROM pg_policies WHERE tablename = :name",
    "SELECT md5(a), upper(b), left(c, 10), date_trunc('day', d) FROM t",
    "SELECT name FROM t WHERE name ILIKE '%' || :part || '%' ESCAPE '!'",
]


@pytest.mark.parametrize("statement", WRITES)
def test_what_could_change_something_is_refused(statement: str) -> None:
    """Failure mode 29: what writes, locks, waits, reaches out or is not understood is refused with a sentence."""
    complaints = reading(statement)
    assert complaints
    assert all(complaint.message for complaint in complaints)


@pytest.mark.parametrize("statement", READS)
def test_a_plain_reading_is_let_through(statement: str) -> None:
    """Ordinary diagnostics pass without a complaint."""
    assert reading(statement) == ()


def test_the_list_is_long_enough() -> None:
    """At least sixty tricky statements are tried."""
    assert len(WRITES) >= 60
    assert len(set(WRITES)) == len(WRITES)
