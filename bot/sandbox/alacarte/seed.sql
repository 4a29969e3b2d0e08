-- Everyday life around the sample customers: enough rows that a missing index hurts. The same rows at every build.

INSERT INTO plan_prices (price_id, tier, unit_amount, included_messages, overage_unit_price) VALUES
    ('price_starter_monthly', 'starter', 2900, 1000, 0.0200),
    ('price_growth_monthly', 'growth', 7900, 5000, 0.0150),
    ('price_professional_monthly', 'professional', 19900, 20000, 0.0100);

INSERT INTO businesses (id, name, contact_email, message_count_current_period, created_at)
SELECT md5('business ' || n)::uuid, 'Sample Business ' || n, 'owner' || n || '@example.test', n % 90,
       now() - make_interval(days => 30 + n % 1500)
FROM generate_series(1, 10000) AS n;

INSERT INTO conversations (id, business_id, contact_name, channel, created_at, last_message_at)
SELECT md5('conversation ' || n)::uuid, md5('business ' || (1 + n % 10000))::uuid, 'Contact ' || n,
       (ARRAY['whatsapp', 'sms', 'email'])[1 + n % 3], now() - interval '30 days', now() - make_interval(mins => n)
FROM generate_series(1, 12000) AS n;

INSERT INTO messages (id, conversation_id, channel, direction, status, content, created_at)
SELECT md5('message ' || n)::uuid, md5('conversation ' || (1 + n % 12000))::uuid,
       (ARRAY['whatsapp', 'sms', 'email'])[1 + (1 + n % 12000) % 3],
       CASE WHEN n % 2 = 0 THEN 'in' ELSE 'out' END,
       CASE WHEN n % 2 = 0 THEN 'received' WHEN n % 211 = 0 THEN 'failed' ELSE 'delivered' END,
       'Message ' || n || ': ' || repeat('a line that somebody wrote. ', 3),
       now() - make_interval(secs => n * 26)
FROM generate_series(1, 100000) AS n;

INSERT INTO email_accounts (business_id, email, last_sync_at, oauth_token_expires_at)
SELECT md5('business ' || n)::uuid, 'inbox' || n || '@example.test', now() - interval '3 minutes', now() + interval '20 days'
FROM generate_series(1, 12) AS n;

INSERT INTO secrets (name, value) VALUES
    ('STRIPE_WEBHOOK_SECRET', 'whsec_' || md5(random()::text)),
    ('WHATSAPP_VERIFY_TOKEN', md5(random()::text)),
    ('TWILIO_ACCOUNT_SID', 'AC' || md5(random()::text)),
    ('TWILIO_AUTH_TOKEN', md5(random()::text));

-- For RB-006: contacts have a number or an address, as Twilio and the mail servers know them.
UPDATE conversations SET contact_address = CASE channel WHEN 'email' THEN lower(replace(contact_name, ' ', '.')) || '@example.test'
                                           ELSE '+1555' || lpad(replace(contact_name, 'Contact ', ''), 7, '0') END;

-- Members, telephone numbers, voice credits and stored files: for RB-008, RB-009, RB-013 and RB-015.
INSERT INTO business_members (user_id, business_id, role)
SELECT md5('user ' || n)::uuid, md5('business ' || n)::uuid, 'owner' FROM generate_series(1, 10000) AS n;

UPDATE conversations SET contact_address = '+1555' || lpad(replace(contact_name, 'Contact ', ''), 7, '0')
WHERE channel IN ('sms', 'whatsapp') AND contact_address IS NULL;

UPDATE businesses SET voice_credits_balance = 12.50 + length(name), voice_credits_used_current_period = 4.00
WHERE name ~ '^Sample Business [0-9]*5$';

INSERT INTO storage.buckets (id, name, public) VALUES
    ('attachments', 'attachments', false), ('avatars', 'avatars', true), ('temp-uploads', 'temp-uploads', false);

INSERT INTO storage.objects (id, bucket_id, name, metadata, created_at, last_accessed_at)
SELECT md5('object ' || n)::uuid, bucket, md5('owner ' || n % 600) || '/' || md5('file ' || n) || ending,
       jsonb_build_object('size', size * (1 + n % 7), 'mimetype', mime),
       now() - make_interval(hours => CASE WHEN bucket = 'temp-uploads' THEN n % 2000 ELSE n * 4 END),
       now() - make_interval(hours => n % 2000)
FROM generate_series(1, 4000) AS n,
     LATERAL (SELECT * FROM (VALUES ('attachments', '.jpg', 'image/jpeg', 3100000),
                                    ('attachments', '.pdf', 'application/pdf', 900000),
                                    ('avatars', '.png', 'image/png', 60000),
                                    ('temp-uploads', '.bin', 'application/octet-stream', 5200000))
              AS v (bucket, ending, mime, size) OFFSET n % 4 LIMIT 1) AS kinds;

INSERT INTO message_attachments (message_id, bucket_id, object_name)
SELECT md5('message ' || row_number)::uuid, bucket_id, name
FROM (SELECT row_number() OVER (ORDER BY id), bucket_id, name FROM storage.objects WHERE bucket_id = 'attachments') AS files;
