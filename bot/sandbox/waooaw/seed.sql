-- Everyday life around the sample customers: the same rows at every build.

INSERT INTO rate_limit_tiers (tier, requests_per_hour) VALUES
    ('trial', 100), ('standard', 1000), ('premium', 5000), ('enterprise', -1);

INSERT INTO required_scopes (platform, scope) VALUES
    ('instagram', 'instagram_basic'), ('instagram', 'instagram_content_publish'), ('instagram', 'pages_show_list'),
    ('facebook', 'pages_manage_posts'), ('facebook', 'pages_read_engagement'),
    ('linkedin', 'w_member_social'), ('linkedin', 'w_organization_social'),
    ('youtube', 'youtube.upload'),
    ('whatsapp', 'whatsapp_business_messaging'),
    ('delta_exchange', 'read'), ('delta_exchange', 'trade');

INSERT INTO customers (id, name, email, status, email_verified, timezone, rate_limit_tier, created_at, updated_at)
SELECT md5('customer ' || n)::uuid, 'Customer ' || n, 'customer' || n || '@example.test',
       CASE WHEN n % 97 = 0 THEN 'suspended' WHEN n % 31 = 0 THEN 'pending' ELSE 'active' END, n % 31 <> 0,
       (ARRAY['Asia/Kolkata', 'Asia/Dubai', 'Europe/London', 'America/New_York'])[1 + n % 4],
       (ARRAY['standard', 'standard', 'premium', 'trial', 'enterprise'])[1 + n % 5],
       now() - make_interval(days => 20 + n % 400), now() - make_interval(days => n % 20)
FROM generate_series(1, 10000) AS n;

INSERT INTO agents (id, customer_id, name, kind, max_notional, max_units, position_limit)
SELECT md5('agent ' || n)::uuid, md5('customer ' || n)::uuid, 'Agent ' || n,
       CASE WHEN n % 5 = 0 THEN 'trading' ELSE 'marketing' END,
       CASE WHEN n % 5 = 0 THEN 5000 END, CASE WHEN n % 5 = 0 THEN 0.5 END, CASE WHEN n % 5 = 0 THEN 1 END
FROM generate_series(1, 10000) AS n;

INSERT INTO credentials (id, customer_id, platform, token_expires_at, last_refreshed_at, scopes, account_kind,
                         account_id)
SELECT md5('credential ' || n)::uuid, md5('customer ' || n)::uuid, platform,
       now() + make_interval(days => 12 + n % 45), now() - make_interval(days => n % 12),
       (SELECT array_agg(scope ORDER BY scope) FROM required_scopes AS r WHERE r.platform = of.platform),
       'business', 'acct_' || n
FROM generate_series(1, 10000) AS n,
     LATERAL (SELECT CASE WHEN n % 5 = 0 THEN 'delta_exchange'
                          ELSE (ARRAY['instagram', 'linkedin', 'facebook', 'youtube'])[1 + n % 4] END AS platform) AS of;

INSERT INTO credential_tokens (credential_id, access_token, refresh_token)
SELECT id, md5('access ' || id), md5('refresh ' || id) FROM credentials;

INSERT INTO goals (id, customer_id, agent_id, title, platform, status, schedule, timezone, next_run_at, approved_at,
                   approved_by, created_at)
SELECT md5('goal ' || n)::uuid, md5('customer ' || n)::uuid, md5('agent ' || n)::uuid, 'Goal ' || n,
       CASE WHEN n % 5 = 0 THEN 'delta_exchange'
            ELSE (ARRAY['instagram', 'linkedin', 'facebook', 'youtube'])[1 + n % 4] END,
       'approved', (n % 60) || ' ' || (n % 24) || ' * * *',
       (ARRAY['Asia/Kolkata', 'Asia/Dubai', 'Europe/London', 'America/New_York'])[1 + n % 4],
       now() + make_interval(mins => 60 + n % 1380), now() - interval '10 days', 'operations',
       now() - interval '11 days'
FROM generate_series(1, 10000) AS n;

INSERT INTO goal_runs (id, goal_id, attempted_at, finished_at, outcome, error)
SELECT md5('run ' || n)::uuid, md5('goal ' || (1 + n % 10000))::uuid, now() - make_interval(mins => 90 + n / 7),
       now() - make_interval(mins => 88 + n / 7), CASE WHEN n % 151 = 0 THEN 'failed' ELSE 'completed' END,
       CASE WHEN n % 151 = 0 THEN 'the platform answered 503' END
FROM generate_series(1, 40000) AS n;

INSERT INTO deliverables (id, goal_instance_id, customer_id, agent_id, status, platform, caption, image_width,
                          image_height, image_bytes, created_at)
SELECT md5('deliverable ' || n)::uuid, md5('run ' || n)::uuid, md5('customer ' || (1 + n % 10000))::uuid,
       md5('agent ' || (1 + n % 10000))::uuid, CASE WHEN n % 3 = 0 THEN 'pending_review' ELSE 'published' END,
       'instagram', 'A post of goal ' || (1 + n % 10000) || ' #everyday', 1080, 1080, 400000 + n % 100000,
       now() - make_interval(mins => 88 + n / 7)
FROM generate_series(1, 40000) AS n WHERE n % 151 <> 0;

INSERT INTO api_logs (customer_id, goal_id, endpoint, direction, platform, status, duration_ms, created_at)
SELECT md5('customer ' || (1 + n % 10000))::uuid, md5('goal ' || (1 + n % 10000))::uuid,
       (ARRAY['/cp/approvals', '/cp/agents', '/cp/goals', '/graph/me/media'])[1 + n % 4],
       CASE WHEN n % 4 = 3 THEN 'out' ELSE 'in' END, CASE WHEN n % 4 = 3 THEN 'instagram' END,
       CASE WHEN n % 503 = 0 THEN 500 ELSE 200 END, 20 + n % 170, now() - make_interval(secs => n)
FROM generate_series(1, 100000) AS n;

INSERT INTO subscriptions (id, customer_id, plan, status, trial_status, current_period_start, current_period_end,
                           created_at)
SELECT md5('subscription ' || n)::uuid, md5('customer ' || n)::uuid, CASE WHEN n % 5 = 3 THEN 'trial' ELSE 'pro' END,
       'active', CASE WHEN n % 5 = 3 THEN 'running' ELSE 'converted' END, now() - interval '10 days',
       now() + interval '20 days', now() - interval '10 days'
FROM generate_series(1, 10000) AS n;

INSERT INTO trials (customer_id, tasks_used_today, tokens_used, resets_at)
SELECT md5('customer ' || n)::uuid, n % 5, n % 9000,
       date_trunc('day', now() AT TIME ZONE 'Asia/Kolkata') AT TIME ZONE 'Asia/Kolkata' + interval '1 day'
FROM generate_series(1, 10000) AS n WHERE n % 5 = 3;

INSERT INTO payments (id, customer_id, subscription_id, amount, status, method, razorpay_payment_id, created_at)
SELECT md5('payment ' || n)::uuid, md5('customer ' || n)::uuid, md5('subscription ' || n)::uuid, 2999, 'captured',
       'card', 'pay_' || left(md5('payment ' || n), 14), now() - interval '10 days'
FROM generate_series(1, 10000) AS n WHERE n % 5 <> 3;

INSERT INTO login_attempts (email, customer_id, succeeded, reason, ip, created_at)
SELECT 'customer' || (1 + n % 10000) || '@example.test', md5('customer ' || (1 + n % 10000))::uuid, n % 9 <> 0,
       CASE WHEN n % 9 = 0 THEN 'wrong password' END, ('203.0.113.' || (1 + n % 250))::inet,
       now() - make_interval(mins => n)
FROM generate_series(1, 20000) AS n;

-- Payments, trading and posting.
INSERT INTO plans (plan, amount, days) VALUES ('trial', 0, 14), ('pro', 2999, 30), ('business', 7999, 30);
INSERT INTO risk_ceilings (kind, max_notional, max_units) VALUES ('trading', 20000, 2);
INSERT INTO youtube_projects (project, customer_id) VALUES ('waooaw-youtube', NULL);
UPDATE customers SET razorpay_customer_id = 'cust_' || left(md5('razorpay ' || id), 14);
UPDATE payments SET razorpay_order_id = 'order_' || substr(razorpay_payment_id, 5);
