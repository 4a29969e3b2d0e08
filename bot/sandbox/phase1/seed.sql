-- Everyday life: ten thousand members, a fifth of them paying, and what they have used. The same rows at every build.

INSERT INTO plan_features (tier, feature, value) VALUES
    ('FREE', 'masks', '3'),
    ('FREE', 'renders', '50'),
    ('FREE', 'exports', '10'),
    ('FREE', 'api_calls', '1000'),
    ('PRO', 'masks', '100'),
    ('PRO', 'renders', '2000'),
    ('PRO', 'exports', '-1'),
    ('PRO', 'api_calls', 'unlimited');

INSERT INTO profiles (id, email, full_name, created_at)
SELECT md5('profile ' || n)::uuid, 'member' || n || '@example.test', 'Member ' || n, now() - make_interval(hours => 24 + n)
FROM generate_series(1, 10000) AS n;

INSERT INTO subscriptions (
    profile_id, tier, status, stripe_customer_id, stripe_subscription_id, billing_interval, current_period_start,
    current_period_end, updated_at
)
SELECT md5('profile ' || n)::uuid, CASE WHEN n % 5 = 0 THEN 'PRO' ELSE 'FREE' END,
       CASE WHEN n % 97 = 0 THEN 'canceled' ELSE 'active' END,
       CASE WHEN n % 5 = 0 THEN 'cus_member' || n END, CASE WHEN n % 5 = 0 THEN 'sub_member' || n END,
       CASE WHEN n % 5 = 0 THEN CASE WHEN n % 3 = 0 THEN 'yearly' ELSE 'monthly' END END,
       CASE WHEN n % 5 = 0 THEN now() - interval '9 days' END, CASE WHEN n % 5 = 0 THEN now() + interval '21 days' END,
       now() - interval '9 days'
FROM generate_series(1, 10000) AS n;

-- Nobody is over a limit; members whose number ends in 00 come near one.
INSERT INTO rate_limits (profile_id, feature, used, resets_at)
SELECT md5('profile ' || n)::uuid, f.feature,
       CASE WHEN n % 5 = 0 THEN f.pro ELSE f.free END * CASE WHEN n % 100 = 0 THEN 9 ELSE n % 7 END / 10,
       date_trunc('month', now()) + interval '1 month'
FROM generate_series(1, 10000) AS n
CROSS JOIN (VALUES ('masks', 3, 100), ('renders', 50, 2000), ('exports', 10, 400), ('api_calls', 1000, 90000))
    AS f (feature, free, pro);

INSERT INTO masks (id, profile_id, name, created_at)
SELECT md5('mask ' || n)::uuid, md5('profile ' || (1 + n % 10000))::uuid, 'Mask ' || n, now() - make_interval(mins => n)
FROM generate_series(1, 20000) AS n;

INSERT INTO epochs (mask_id, number, loss, created_at)
SELECT md5('mask ' || (1 + n % 20000))::uuid, 1 + n / 20000, 1.0 / (1 + n / 20000), now() - make_interval(mins => n / 10)
FROM generate_series(0, 99999) AS n;

INSERT INTO api_keys (profile_id, prefix)
SELECT md5('profile ' || n)::uuid, left(md5('key ' || n), 8)
FROM generate_series(5, 10000, 5) AS n;

INSERT INTO billing_records (profile_id, stripe_invoice_id, amount, paid_at)
SELECT md5('profile ' || n)::uuid, 'in_member' || n || '_' || m, 19.00, now() - make_interval(days => 9 + 30 * m)
FROM generate_series(5, 10000, 5) AS n CROSS JOIN generate_series(0, 2) AS m;

INSERT INTO webhook_events (id, type, object_id, customer_id, status, received_at)
SELECT 'evt_member' || n, 'invoice.payment_succeeded', 'in_member' || n || '_0', 'cus_member' || n, 'processed',
       now() - interval '9 days'
FROM generate_series(5, 10000, 5) AS n;
