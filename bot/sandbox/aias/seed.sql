-- Everyday life around the sample accounts: ten thousand users and the runs of their workflows. The same at every build.

INSERT INTO plan_limits (tier, price_id, unit_amount, monthly_executions, max_workflows) VALUES
    ('free', NULL, 0, 100, 3),
    ('starter', 'price_aias_starter', 4900, 2000, 20),
    ('pro', 'price_aias_pro', 14900, 20000, NULL),
    ('enterprise', 'price_aias_enterprise', 99900, -1, -1);

INSERT INTO role_permissions (role, permission)
SELECT role, permission
FROM unnest(ARRAY['owner', 'admin', 'member', 'viewer']) AS role,
     unnest(ARRAY['workflows.read', 'workflows.run', 'workflows.edit', 'members.manage', 'billing.manage']) AS permission
WHERE role = 'owner'
   OR (role = 'admin' AND permission <> 'billing.manage')
   OR (role = 'member' AND permission LIKE 'workflows.%')
   OR (role = 'viewer' AND permission = 'workflows.read');

INSERT INTO tenants (id, name, created_at)
SELECT md5('tenant ' || n)::uuid, 'Sample Tenant ' || n, now() - make_interval(days => 10 + n % 700)
FROM generate_series(1, 3000) AS n;

INSERT INTO profiles (id, email, full_name, last_seen_at, created_at)
SELECT md5('profile ' || n)::uuid, 'user' || n || '@example.test', 'Sample User ' || n,
       now() - make_interval(mins => n % 40000), now() - make_interval(hours => 1 + n % 9000)
FROM generate_series(1, 10000) AS n;

INSERT INTO tenant_members (tenant_id, user_id, role, status)
SELECT md5('tenant ' || (1 + n % 3000))::uuid, md5('profile ' || n)::uuid,
       CASE WHEN n <= 3000 THEN 'owner' ELSE (ARRAY['admin', 'member', 'member', 'viewer'])[1 + n % 4] END,
       CASE WHEN n % 97 = 0 THEN 'invited' ELSE 'active' END
FROM generate_series(1, 10000) AS n;

INSERT INTO subscription_tiers (user_id, tier, status)
SELECT md5('profile ' || n)::uuid,
       CASE WHEN n % 50 = 0 THEN 'enterprise' WHEN n % 7 = 0 THEN 'pro' WHEN n % 3 = 0 THEN 'starter' ELSE 'free' END,
       CASE WHEN n % 50 = 0 OR n % 7 = 0 OR n % 3 = 0 THEN 'active' ELSE 'none' END
FROM generate_series(1, 10000) AS n;

INSERT INTO workflows (id, tenant_id, user_id, name, status, is_repeatable, created_at)
SELECT md5('workflow ' || n)::uuid, md5('tenant ' || (1 + n % 3000))::uuid, md5('profile ' || (1 + n % 10000))::uuid,
       'Workflow ' || n, CASE WHEN n % 40 = 0 THEN 'paused' ELSE 'active' END, n % 3 <> 0,
       now() - make_interval(hours => 2 + n % 4000)
FROM generate_series(1, 12000) AS n;

INSERT INTO workflow_executions (id, workflow_id, user_id, status, external_service, error, created_at, started_at,
                                 finished_at)
SELECT md5('execution ' || n)::uuid, md5('workflow ' || (1 + n % 12000))::uuid,
       md5('profile ' || (1 + (1 + n % 12000) % 10000))::uuid,
       CASE WHEN n % 401 = 0 THEN 'failed' ELSE 'succeeded' END,
       (ARRAY['openai', 'google', 'slack', NULL])[1 + n % 4],
       CASE WHEN n % 401 = 0 THEN 'The workflow''s own condition was not met' END,
       at, at + interval '2 seconds', at + interval '9 seconds'
FROM generate_series(1, 100000) AS n, LATERAL (SELECT now() - interval '3 hours' - make_interval(secs => n * 25)) AS t (at);

INSERT INTO error_logs (level, route, code, message, user_id, context, created_at)
SELECT CASE WHEN n % 5 = 0 THEN 'error' ELSE 'warning' END,
       (ARRAY['/api/workflows/run', '/api/auth/signup', '/api/stripe/webhook', '/api/tenants'])[1 + n % 4],
       (ARRAY['validation', 'not_found', 'timeout'])[1 + n % 3],
       'Request of user' || n % 10000 || '@example.test was refused', md5('profile ' || (1 + n % 10000))::uuid,
       jsonb_build_object('ip', '203.0.113.' || n % 250), now() - interval '3 hours' - make_interval(mins => n * 7)
FROM generate_series(1, 5000) AS n;

INSERT INTO signup_attempts (email, ip, outcome, created_at)
SELECT 'user' || n || '@example.test', '203.0.113.' || n % 250, CASE WHEN n % 60 = 0 THEN 'invalid' ELSE 'created' END,
       now() - interval '3 hours' - make_interval(mins => n * 9)
FROM generate_series(1, 5000) AS n;

INSERT INTO api_keys (id, user_id, label, prefix, key_hash, last_used_at, last_used_ip, created_at)
SELECT md5('api key ' || n)::uuid, md5('profile ' || n)::uuid, 'Key of user ' || n, 'aias_' || left(md5('prefix ' || n), 6),
       encode(sha256(('key ' || n)::bytea), 'hex'), now() - make_interval(hours => n % 200), '203.0.113.' || n % 250,
       now() - make_interval(days => 5 + n % 300)
FROM generate_series(1, 400) AS n;

INSERT INTO access_logs (api_key_id, tenant_id, ip, route, row_count, created_at)
SELECT md5('api key ' || (1 + n % 400))::uuid, md5('tenant ' || (1 + n % 3000))::uuid, '203.0.113.' || n % 250,
       '/api/v1/workflows', n % 40, now() - interval '3 hours' - make_interval(mins => n * 5)
FROM generate_series(1, 8000) AS n;

INSERT INTO supabase_migrations.schema_migrations (version, name) VALUES
    ('20250101090000', 'workflow_executions'),
    ('20250114103000', 'rate_limits'),
    ('20250128081500', 'access_logs');
