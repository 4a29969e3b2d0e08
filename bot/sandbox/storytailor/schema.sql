-- The sample system's database: families who let stories be written and read aloud. Supabase keeps the passwords; what
-- support may know of them is in auth_events. A child's birth date and a guardian's address stay out of every runbook.

CREATE TABLE plans (
    tier                     text PRIMARY KEY,
    title                    text NOT NULL,
    rank                     integer NOT NULL,
    stories_per_month        integer,              -- -1 or null: as many as they like
    has_elevenlabs           boolean NOT NULL,
    api_requests_per_minute  integer               -- -1 or null: no limit
);

CREATE TABLE plan_prices (
    price_id     text PRIMARY KEY,
    tier         text NOT NULL REFERENCES plans (tier),
    interval     text NOT NULL CHECK (interval IN ('month', 'year')),
    unit_amount  integer NOT NULL,
    currency     text NOT NULL DEFAULT 'usd',
    UNIQUE (tier, interval)
);

-- What may be given back, and how much at once: in cents. Finance owns these rows.
CREATE TABLE refund_policies (
    rule         text PRIMARY KEY CHECK (rule IN ('money_back', 'prorated', 'duplicate', 'case_by_case')),
    window_days  integer,
    most         integer NOT NULL,
    currency     text NOT NULL DEFAULT 'usd'
);

CREATE TABLE users (
    id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    email              text NOT NULL,
    name               text NOT NULL,
    status             text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended', 'closed')),
    status_reason      text,
    tier               text NOT NULL DEFAULT 'free' REFERENCES plans (tier),
    restrictions       text[] NOT NULL DEFAULT '{}',
    email_confirmed    boolean NOT NULL DEFAULT false,
    voice_preference   text,
    stripe_customer_id text UNIQUE,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX users_by_email ON users (lower(email));

CREATE TABLE user_ages (
    user_id     uuid PRIMARY KEY REFERENCES users (id),
    birth_date  date NOT NULL
);

CREATE TABLE parental_consents (
    user_id         uuid PRIMARY KEY REFERENCES users (id),
    guardian_email  text NOT NULL,
    verified        boolean NOT NULL DEFAULT false,
    requested_at    timestamptz,
    verified_at     timestamptz,
    withdrawn_at    timestamptz
);

-- The verdict and nothing else: neither the child's age nor who the guardian is.
CREATE VIEW coppa_verdicts AS
SELECT u.id AS user_id,
       CASE
           WHEN a.birth_date IS NULL OR a.birth_date <= current_date - interval '13 years' THEN 'not needed'
           WHEN c.withdrawn_at IS NOT NULL THEN 'withdrawn'
           WHEN c.verified THEN 'verified'
           WHEN c.user_id IS NULL THEN 'missing'
           ELSE 'waiting'
       END AS verdict,
       c.requested_at
FROM users u
LEFT JOIN user_ages a ON a.user_id = u.id
LEFT JOIN parental_consents c ON c.user_id = u.id;

CREATE TABLE subscriptions (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id                 uuid NOT NULL REFERENCES users (id),
    stripe_subscription_id  text NOT NULL UNIQUE,
    tier                    text NOT NULL REFERENCES plans (tier),
    interval                text NOT NULL,
    status                  text NOT NULL,
    current_period_end      timestamptz,
    updated_at              timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_by_user ON subscriptions (user_id);

-- What was given back; Stripe's refund is written down once.
CREATE TABLE refunds (
    id                bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id           uuid NOT NULL REFERENCES users (id),
    stripe_refund_id  text NOT NULL UNIQUE,
    stripe_charge_id  text NOT NULL,
    amount            integer NOT NULL CHECK (amount > 0),
    currency          text NOT NULL,
    rule              text NOT NULL REFERENCES refund_policies (rule),
    reason            text NOT NULL,
    asked_by          text NOT NULL,
    created_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX refunds_by_user ON refunds (user_id, created_at DESC);

CREATE TABLE libraries (
    id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner        uuid NOT NULL UNIQUE REFERENCES users (id),
    month_count  integer NOT NULL DEFAULT 0,       -- stories counted against the plan
    month        date NOT NULL DEFAULT date_trunc('month', now())::date
);

CREATE TABLE library_members (
    library_id  uuid NOT NULL REFERENCES libraries (id),
    user_id     uuid NOT NULL REFERENCES users (id),
    role        text NOT NULL CHECK (role IN ('owner', 'editor', 'reader')),
    revoked_at  timestamptz,
    PRIMARY KEY (library_id, user_id)
);

CREATE TABLE stories (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    owner       uuid NOT NULL REFERENCES users (id),
    title       text NOT NULL,
    status      text NOT NULL CHECK (status IN ('generating', 'ready', 'failed')),
    visible     boolean NOT NULL DEFAULT true,
    hidden_by   text,                              -- moderation, the family, or null: an accident
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX stories_by_owner ON stories (owner, created_at DESC);

CREATE TABLE audio_files (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    story_id    uuid NOT NULL REFERENCES stories (id),
    s3_key      text,
    format      text,
    voice       text,
    status      text NOT NULL CHECK (status IN ('pending', 'ready', 'failed')),
    error       text,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audio_files_by_story ON audio_files (story_id, created_at DESC);

CREATE TABLE voices (
    voice    text PRIMARY KEY,
    title    text NOT NULL,
    retired  boolean NOT NULL DEFAULT false
);

CREATE TABLE platform_links (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id     uuid NOT NULL REFERENCES users (id),
    platform    text NOT NULL CHECK (platform IN ('alexa', 'mobile', 'web_sdk')),
    linked      boolean NOT NULL DEFAULT true,
    enabled     boolean NOT NULL DEFAULT true,
    settings    jsonb NOT NULL DEFAULT '{}',
    token_expires_at  timestamptz,
    last_error  text,
    linked_at   timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    UNIQUE (user_id, platform)
);

CREATE TABLE api_keys (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    user_id        uuid NOT NULL REFERENCES users (id),
    name           text NOT NULL,
    prefix         text NOT NULL,                  -- what the key begins with; the key itself is kept nowhere
    permissions    text[] NOT NULL DEFAULT '{}',
    revoked        boolean NOT NULL DEFAULT false,
    revoked_reason text,
    expires_at     timestamptz,
    last_used_at   timestamptz,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_keys_by_user ON api_keys (user_id);

-- What a tier may ask for, as the API's gateway has it; it should be what the plan says.
CREATE TABLE rate_limits (
    user_id       uuid PRIMARY KEY REFERENCES users (id),
    used          integer NOT NULL DEFAULT 0,
    "limit"       integer,                         -- -1 or null: no limit
    window_ends   timestamptz NOT NULL,
    refused       integer NOT NULL DEFAULT 0
);

CREATE TABLE api_errors (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users (id),
    api_key_id  uuid REFERENCES api_keys (id),
    status      integer NOT NULL,
    path        text NOT NULL,
    message     text,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX api_errors_by_user ON api_errors (user_id, created_at DESC);

-- What Supabase reports of signing in: kinds are recovery_requested, recovery_opened, password_updated, …
CREATE TABLE auth_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id     uuid NOT NULL REFERENCES users (id),
    kind        text NOT NULL,
    detail      text,
    expires_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX auth_events_by_user ON auth_events (user_id, created_at DESC);

-- What our webhook received from Stripe.
CREATE TABLE webhook_events (
    id           text PRIMARY KEY,
    type         text NOT NULL,
    object_id    text NOT NULL,
    customer_id  text,
    status       text NOT NULL CHECK (status IN ('processed', 'failed')),
    error        text,
    received_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_events_by_customer ON webhook_events (customer_id, received_at DESC);

-- The functions that production consists of: the list that "all of them" means.
CREATE TABLE production_functions (
    name      text PRIMARY KEY,
    purpose   text NOT NULL,
    platform  text
);

CALL pg_temp.usual_rights();
ALTER VIEW coppa_verdicts OWNER TO storytailor_owner;

REVOKE ALL ON user_ages, parental_consents FROM storytailor_read, storytailor_act;

GRANT UPDATE (status, tier, restrictions, voice_preference, updated_at) ON users TO storytailor_act;
GRANT UPDATE (tier, interval, status, current_period_end, updated_at) ON subscriptions TO storytailor_act;
GRANT UPDATE (month_count) ON libraries TO storytailor_act;
GRANT UPDATE (revoked_at) ON library_members TO storytailor_act;
GRANT UPDATE (status, visible, hidden_by, error, updated_at) ON stories TO storytailor_act;
GRANT UPDATE (linked, enabled, token_expires_at, last_error, settings, updated_at) ON platform_links TO storytailor_act;
GRANT UPDATE (permissions, updated_at) ON api_keys TO storytailor_act;
GRANT UPDATE ("limit") ON rate_limits TO storytailor_act;
GRANT INSERT ON refunds TO storytailor_act;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
