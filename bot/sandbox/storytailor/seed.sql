-- Everyday life around the sample families: ten thousand accounts and what they have made. The same at every build.

INSERT INTO plans (tier, title, rank, stories_per_month, has_elevenlabs, api_requests_per_minute) VALUES
    ('free', 'Free', 0, 1, false, 10),
    ('individual', 'Individual', 1, 30, true, 60),
    ('family', 'Family', 2, -1, true, 120),
    ('professional', 'Professional', 3, NULL, true, 600);

INSERT INTO plan_prices (price_id, tier, interval, unit_amount) VALUES
    ('price_individual_month', 'individual', 'month', 999),
    ('price_individual_year', 'individual', 'year', 9900),
    ('price_family_month', 'family', 'month', 1499),
    ('price_family_year', 'family', 'year', 14900),
    ('price_professional_month', 'professional', 'month', 4900),
    ('price_professional_year', 'professional', 'year', 49000);

INSERT INTO refund_policies (rule, window_days, most) VALUES
    ('money_back', 30, 50000),
    ('prorated', NULL, 20000),
    ('duplicate', NULL, 50000),
    ('case_by_case', NULL, 5000);

INSERT INTO voices (voice, title, retired) VALUES
    ('aria', 'Aria, warm', false), ('milo', 'Milo, playful', false), ('grandpa_joe', 'Grandpa Joe', false),
    ('sage', 'Sage, calm', false), ('pixie', 'Pixie', true);

INSERT INTO production_functions (name, purpose, platform)
SELECT 'storytailor-' || name || '-production', purpose, platform
FROM (VALUES
    ('content-agent', 'writes stories', NULL), ('voice-synthesis-agent', 'reads them aloud', NULL),
    ('universal-agent', 'answers the API', NULL), ('router', 'sends requests on', NULL),
    ('alexa-handler', 'answers Alexa', 'alexa'), ('mobile-gateway', 'answers the app', 'mobile'),
    ('web-sdk-gateway', 'answers the web SDK', 'web_sdk'), ('auth-agent', 'signs people in', NULL),
    ('commerce-agent', 'sells subscriptions', NULL), ('library-agent', 'keeps libraries', NULL),
    ('character-agent', 'draws up characters', NULL), ('emotion-agent', 'listens for moods', NULL),
    ('safety-agent', 'watches over children', NULL), ('moderation-agent', 'reads before they do', NULL),
    ('consent-agent', 'asks guardians', NULL), ('notification-agent', 'sends mails', NULL),
    ('analytics-agent', 'counts', NULL), ('insights-agent', 'explains the counts', NULL),
    ('image-agent', 'paints', NULL), ('video-agent', 'animates', NULL), ('pdf-agent', 'binds books', NULL),
    ('translation-agent', 'translates', NULL), ('search-agent', 'finds stories', NULL),
    ('recommendation-agent', 'suggests', NULL), ('referral-agent', 'thanks friends', NULL),
    ('gift-agent', 'wraps gifts', NULL), ('webhook-agent', 'hears from Stripe', NULL),
    ('export-agent', 'hands data over', NULL), ('deletion-agent', 'forgets', NULL),
    ('scheduler', 'wakes the others', NULL), ('session-agent', 'remembers the conversation', NULL),
    ('smart-home-agent', 'dims the lights', NULL), ('classroom-agent', 'serves schools', NULL),
    ('admin-api', 'serves support', NULL), ('health-agent', 'looks after the rest', NULL)
) AS f (name, purpose, platform);

INSERT INTO users (id, email, name, tier, email_confirmed, voice_preference, created_at, updated_at)
SELECT md5('user ' || n)::uuid, 'family' || n || '@example.test', 'Family ' || n,
       (ARRAY['free', 'free', 'free', 'individual', 'family'])[1 + n % 5], n % 41 <> 0,
       (ARRAY['aria', 'milo', 'sage', 'grandpa_joe'])[1 + n % 4],
       now() - make_interval(hours => 24 + n), now() - make_interval(hours => n % 500)
FROM generate_series(1, 10000) AS n;

INSERT INTO user_ages (user_id, birth_date)
SELECT md5('user ' || n)::uuid, (current_date - make_interval(years => CASE WHEN n % 50 = 0 THEN 9 ELSE 38 END))::date
FROM generate_series(1, 10000) AS n;

INSERT INTO parental_consents (user_id, guardian_email, verified, requested_at, verified_at)
SELECT md5('user ' || n)::uuid, 'guardian' || n || '@example.test', true, now() - interval '60 days', now() - interval '59 days'
FROM generate_series(50, 10000, 50) AS n;

INSERT INTO libraries (id, owner)
SELECT md5('library ' || n)::uuid, md5('user ' || n)::uuid FROM generate_series(1, 10000) AS n;

INSERT INTO library_members (library_id, user_id, role)
SELECT md5('library ' || n)::uuid, md5('user ' || n)::uuid, 'owner' FROM generate_series(1, 10000) AS n;

INSERT INTO stories (id, owner, title, status, visible, created_at, updated_at)
SELECT md5('story ' || n)::uuid, md5('user ' || (1 + n % 10000))::uuid, 'The adventure no. ' || n,
       CASE WHEN n % 307 = 0 THEN 'failed' ELSE 'ready' END, true,
       now() - make_interval(mins => 40 * n), now() - make_interval(mins => 40 * n)
FROM generate_series(1, 60000) AS n;

-- What was made this month counts, and nothing else.
UPDATE libraries SET month_count = made.stories
FROM (SELECT owner, count(*) AS stories FROM stories
      WHERE status <> 'failed' AND created_at >= date_trunc('month', now()) GROUP BY owner) AS made
WHERE made.owner = libraries.owner;

INSERT INTO audio_files (id, story_id, s3_key, format, voice, status, created_at)
SELECT md5('audio ' || n)::uuid, md5('story ' || n)::uuid, 'audio/' || md5('story ' || n) || '.mp3', 'mp3', 'aria', 'ready',
       now() - make_interval(mins => 40 * n)
FROM generate_series(1, 60000) AS n
WHERE n % 307 <> 0;

INSERT INTO platform_links (user_id, platform, linked_at, updated_at)
SELECT md5('user ' || n)::uuid, (ARRAY['alexa', 'mobile', 'web_sdk'])[1 + n % 3], now() - interval '90 days', now() - interval '9 days'
FROM generate_series(1, 10000, 3) AS n;

INSERT INTO auth_events (user_id, kind, created_at)
SELECT md5('user ' || n)::uuid, 'signed_in', now() - make_interval(mins => 11 * n) FROM generate_series(1, 10000) AS n;
