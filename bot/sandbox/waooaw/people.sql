-- The sample customers in good order: Meera's agent posts for a bakery, Ravi's trades. Run to begin with and to end every fault.
DELETE FROM deliverables WHERE customer_id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid)
    OR goal_instance_id IN (SELECT r.id FROM goal_runs r JOIN goals g ON g.id = r.goal_id
                            WHERE g.customer_id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid));
DELETE FROM goal_runs WHERE goal_id IN
    (SELECT id FROM goals WHERE customer_id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid));
DO $$
DECLARE
    each text;
BEGIN
    FOREACH each IN ARRAY ARRAY['goals', 'credentials', 'payments', 'subscriptions', 'trials', 'orders', 'positions',
                                'risk_violations', 'login_attempts', 'api_logs', 'message_templates',
                                'whatsapp_messages', 'whatsapp_opt_ins', 'audit_log', 'agents'] LOOP
        EXECUTE format('DELETE FROM %I WHERE customer_id IN (%L, %L)', each, md5('customer meera')::uuid,
                       md5('customer ravi')::uuid);
    END LOOP;
END
$$;
DELETE FROM api_logs WHERE platform = 'instagram' AND status = 400;
DELETE FROM login_attempts WHERE email LIKE '%@meera.test' OR email LIKE '%@ravi.test';
DELETE FROM customers WHERE id = md5('customer newcomer')::uuid;

INSERT INTO customers (id, name, email, timezone, rate_limit_tier, created_at) VALUES
    (md5('customer meera')::uuid, 'Meera''s Bakery', 'hello@meera.test', 'Asia/Kolkata', 'standard',
     now() - interval '200 days'),
    (md5('customer ravi')::uuid, 'Ravi Trading', 'desk@ravi.test', 'Asia/Kolkata', 'standard',
     now() - interval '120 days')
ON CONFLICT (id) DO NOTHING;
UPDATE customers
SET email = CASE id WHEN md5('customer meera')::uuid THEN 'hello@meera.test' ELSE 'desk@ravi.test' END,
    status = 'active', email_verified = true, timezone = 'Asia/Kolkata', failed_login_attempts = 0,
    locked_until = NULL, rate_limit_tier = 'standard', rate_limit_tier_until = NULL, notes = ''
WHERE id IN (md5('customer meera')::uuid, md5('customer ravi')::uuid);

INSERT INTO agents (id, customer_id, name, kind, max_notional, max_units, position_limit) VALUES
    (md5('agent meera')::uuid, md5('customer meera')::uuid, 'Bakery posts', 'marketing', NULL, NULL, NULL),
    (md5('agent ravi')::uuid, md5('customer ravi')::uuid, 'Momentum', 'trading', 5000, 0.5, 1);

INSERT INTO credentials (id, customer_id, platform, token_expires_at, last_refreshed_at, scopes, account_kind,
                         account_id)
SELECT md5('credential ' || who || ' ' || platform)::uuid, md5('customer ' || who)::uuid, platform, now() + interval '40 days',
       now() - interval '5 days',
       (SELECT array_agg(scope ORDER BY scope) FROM required_scopes r WHERE r.platform = each.platform),
       'business', CASE platform WHEN 'linkedin' THEN '7700100' ELSE 'acct_' || who || '_' || platform END
FROM (VALUES ('meera', 'instagram'), ('meera', 'linkedin'), ('meera', 'facebook'), ('meera', 'youtube'),
             ('meera', 'whatsapp'), ('ravi', 'delta_exchange')) AS each (who, platform);

INSERT INTO goals (id, customer_id, agent_id, title, platform, status, schedule, timezone, next_run_at, approved_at,
                   approved_by, created_at)
SELECT md5('goal ' || who || ' ' || platform)::uuid, md5('customer ' || who)::uuid, md5('agent ' || who)::uuid, title,
       platform, 'approved', '0 10 * * *', 'Asia/Kolkata',
       (date_trunc('day', now() AT TIME ZONE 'Asia/Kolkata') + interval '1 day 10 hours') AT TIME ZONE 'Asia/Kolkata',
       now() - interval '30 days', 'operations', now() - interval '31 days'
FROM (VALUES ('meera', 'instagram', 'Bread of the day'), ('meera', 'linkedin', 'Hiring bakers'),
             ('meera', 'youtube', 'How we bake'), ('ravi', 'delta_exchange', 'BTC momentum'))
     AS each (who, platform, title);

INSERT INTO goal_runs (id, goal_id, attempted_at, finished_at, outcome)
SELECT md5('run ' || who || ' ' || platform || ' ' || n)::uuid, md5('goal ' || who || ' ' || platform)::uuid,
       now() - make_interval(hours => 24 * n - 21), now() - make_interval(hours => 24 * n - 21, secs => -40), 'completed'
FROM (VALUES ('meera', 'instagram'), ('meera', 'linkedin'), ('meera', 'youtube'), ('ravi', 'delta_exchange'))
     AS each (who, platform), generate_series(1, 5) AS n;

INSERT INTO deliverables (id, goal_instance_id, customer_id, agent_id, status, platform, caption, image_width,
                          image_height, image_bytes, created_at)
SELECT md5('deliverable meera ' || platform || ' ' || n)::uuid, md5('run meera ' || platform || ' ' || n)::uuid,
       md5('customer meera')::uuid, md5('agent meera')::uuid, CASE WHEN n = 1 THEN 'pending_review' ELSE 'published' END,
       platform, 'Sourdough, fresh from the oven #bread #bakery', 1080, 1080, 420000,
       now() - make_interval(hours => 24 * n - 21, secs => -39)
FROM (VALUES ('instagram'), ('linkedin'), ('youtube')) AS each (platform), generate_series(1, 5) AS n;

-- What a trading goal delivers: a report of the day.
INSERT INTO deliverables (id, goal_instance_id, customer_id, agent_id, status, platform, caption, created_at)
SELECT md5('deliverable ravi ' || n)::uuid, md5('run ravi delta_exchange ' || n)::uuid, md5('customer ravi')::uuid,
       md5('agent ravi')::uuid, 'published', 'delta_exchange', 'Report of the day',
       now() - make_interval(hours => 24 * n - 21, secs => -39)
FROM generate_series(1, 5) AS n;

INSERT INTO subscriptions (id, customer_id, plan, status, trial_status, current_period_start, current_period_end)
SELECT md5('subscription ' || who)::uuid, md5('customer ' || who)::uuid, 'pro', 'active', 'converted',
       now() - interval '10 days', now() + interval '20 days'
FROM (VALUES ('meera'), ('ravi')) AS each (who);

INSERT INTO payments (id, customer_id, subscription_id, amount, status, method, razorpay_payment_id, created_at)
SELECT md5('payment ' || who)::uuid, md5('customer ' || who)::uuid, md5('subscription ' || who)::uuid, 2999,
       'captured', 'card', 'pay_' || who || '000000001', now() - interval '10 days'
FROM (VALUES ('meera'), ('ravi')) AS each (who);

INSERT INTO api_logs (customer_id, goal_id, endpoint, direction, platform, status, created_at)
SELECT md5('customer meera')::uuid, md5('goal meera instagram')::uuid,
       CASE WHEN n % 2 = 0 THEN '/graph/me/media' ELSE '/cp/approvals' END, CASE WHEN n % 2 = 0 THEN 'out' ELSE 'in' END,
       CASE WHEN n % 2 = 0 THEN 'instagram' END, 200, now() - make_interval(mins => n)
FROM generate_series(1, 50) AS n;

INSERT INTO login_attempts (email, customer_id, succeeded, ip, created_at)
SELECT 'hello@meera.test', md5('customer meera')::uuid, true, '203.0.113.7', now() - make_interval(hours => n * 12)
FROM generate_series(1, 4) AS n;

INSERT INTO message_templates (customer_id, name) VALUES (md5('customer meera')::uuid, 'order_ready');
INSERT INTO whatsapp_opt_ins (customer_id, phone_number, opted_in_at) VALUES
    (md5('customer meera')::uuid, '+919800000001', now() - interval '60 days');
INSERT INTO whatsapp_messages (customer_id, template_name, phone_number, status, created_at) VALUES
    (md5('customer meera')::uuid, 'order_ready', '+919800000001', 'delivered', now() - interval '1 day');

INSERT INTO positions (id, customer_id, agent_id, symbol, side, size, entry_price) VALUES
    (md5('position ravi')::uuid, md5('customer ravi')::uuid, md5('agent ravi')::uuid, 'BTCUSD', 'long', 0.2, 61000);
INSERT INTO orders (id, customer_id, agent_id, symbol, side, size, price, notional, status, exchange_order_id,
                    created_at) VALUES
    (md5('order ravi 1')::uuid, md5('customer ravi')::uuid, md5('agent ravi')::uuid, 'BTCUSD', 'buy', 0.2, 61000,
     12200, 'filled', 'delta_1', now() - interval '1 day');

-- Everybody else's goals have run when they were due.
UPDATE goals SET next_run_at = next_run_at + make_interval(days => 1 + (extract(epoch FROM now() - next_run_at) / 86400)::int)
WHERE next_run_at < now();
